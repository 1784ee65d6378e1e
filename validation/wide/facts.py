"""Facts of the fitted substances, computed at the level of the people that each was read of."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from remission.calibration.groups import LEVEL
from remission.facts.validate import computed, verdict_of
from remission.library.calibration_plan import CalibrationPlan, Row
from remission.library.facts import FactScenario, Measure, load_facts
from remission.library.posteriors import load_posterior
from remission.library.protocols import load_protocol
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import load_course_parameters, shifted
from remission.records.parameter import MODEL_FORM
from validation.wide.registered import BEFORE
from validation.wide.values import Draws, plain

_FACT_PEOPLE, _FACT_REPLICATES = 1500, 30


def facts(plan: CalibrationPlan, draws: Draws, tell: Any) -> list[dict[str, Any]]:
    """Facts of the fitted substances at the means of the present set and at one draw of the wide one.

    Each at the level of the people that it was read of, where the set has one. What there are no draws of stays at the
    means.
    """
    known, wide = load_facts(), plan.wide
    assert wide is not None, "a plan that frees the shape"
    fitted_rows = {row.fact for one in wide.group for row in one.rows if one.substance in wide.fits}
    present = load_posterior(BEFORE).draws
    rows = []
    for scenario in known.scenario:
        substance = load_protocol(scenario.protocol).substance
        measures = [m for fact in known.fact for m in fact.measure
                    if m.scores and m.compute != "none" and m.args["scenario"] == scenario.id]  # fmt: skip
        if substance.value not in wide.fits or not measures:
            continue
        tell(f"facts of {scenario.id}")
        usual = load_course_parameters(substance, parameter_set=BEFORE)
        before = {one.name: float(getattr(usual, one.name)) for one in plan.value if not one.per_trial}
        of = {name: name for name in (*before, "half_mood_day")} | {"use_effect": f"substance.{substance.value}"}
        of |= {one.name: f"{one.name}.{substance.value}" for one in wide.shape}
        of = {name: column for name, column in of.items() if column in draws}
        levels = [name for name in (f"{LEVEL}.{one.id}" for one in wide.group if one.substance == substance.value)
                  if name in draws]  # fmt: skip
        chosen = nearest_to_mean([draws[name] for name in (*of.values(), *levels)])
        moved = {name: float(draws[column][chosen]) for name, column in of.items()}
        told: dict[str, dict[str, Any]] = {m.id: {} for m in measures}
        for people in dict.fromkeys(people_of(plan, m, scenario) for m in measures):
            mine = [m for m in measures if people_of(plan, m, scenario) == people]
            sets = {
                "before": (before, float(present[people].mean()) if people in present else 0.0),
                "after": ({**before, **moved}, float(draws[people][chosen]) if people in draws else 0.0),
            }
            for name, (values, level) in sets.items():
                for fact, found in computed(
                    scenario, mine, known.seed, MODEL_FORM, _FACT_PEOPLE, _FACT_REPLICATES,
                    at_level(scenario, values, level),
                ):  # fmt: skip
                    told[fact][name] = found
        for m in measures:
            assert m.tolerance is not None, m.id
            row = {"fact": m.id, "role": m.role, "fitted": m.id in fitted_rows, "published": m.published,
                   "people": people_of(plan, m, scenario)}  # fmt: skip
            for name, found in told[m.id].items():
                row[name] = {**dict(zip(("value", "low", "high"), found, strict=True)),
                             "verdict": verdict_of(m.tolerance, *found)}  # fmt: skip
            rows.append(row)
    return plain(rows)


def people_of(plan: CalibrationPlan, measure: Measure, scenario: FactScenario) -> str:
    """What draws call the level of the people that a fact was read of; empty where they are nobody of this fit."""
    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    substance = load_protocol(scenario.protocol).substance.value
    groups = [one for one in wide.group if one.substance == substance and one.level is not None]
    rules: tuple[Callable[[Row], bool], ...] = (
        lambda row: row.fact == measure.id,
        lambda row: row.record is not None and row.record == measure.record,
        lambda row: row.kind == "diaries" and measure.read_as == "diaries",
    )
    for rule in rules:
        for one in groups:
            if any(rule(row) for row in one.rows):
                return f"{LEVEL}.{one.id}"
    is_trial = scenario.protocol in {one.protocol for one in plan.trial}
    return f"{LEVEL}.{scenario.protocol}" if is_trial else ""


def at_level(scenario: FactScenario, values: dict[str, float], level: float) -> dict[str, float]:
    """Values of a set with those that a level moves, for the people of a scenario."""
    protocol = load_protocol(scenario.protocol)
    usual = (
        course_parameters_of(protocol, parameter_set=MODEL_FORM) if scenario.trial
        else load_course_parameters(protocol.substance, parameter_set=MODEL_FORM)
    ).replace(**values)  # fmt: skip
    before, after = asdict(usual), asdict(shifted(usual, level)) if level else {}
    return {**values, **{name: one for name, one in after.items() if one != before[name]}}


def nearest_to_mean(columns: list[np.ndarray]) -> int:
    """The draw nearest to the mean of all, by their covariance: values known in sums only stay together in it."""
    table = np.stack([np.log(one) if (one > 0.0).all() else one for one in columns], axis=1)
    table = (table - table.mean(axis=0)) / np.maximum(table.std(axis=0), 1e-12)
    root = np.linalg.cholesky(np.cov(table, rowvar=False) + 1e-9 * np.eye(table.shape[1]))
    return int((np.linalg.solve(root, table.T) ** 2).sum(axis=0).argmin())
