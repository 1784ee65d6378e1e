"""The wide fit, made and told: ``python -m validation.wide_page FOLDER [PART ...]`` (``make wide``).

Points, emulators, draws and what each part found stay in FOLDER, so it goes on where it was ended. What it found goes
to ``validation/wide.json``, the page to ``docs/validation/posterior-wide.md``; ``--page`` writes the page alone. The
part ``rows`` says what natural history and diaries alone do to the shape (:mod:`remission.calibration.rows_alone`). The
set goes into the library only if it met what was registered.
"""

import json
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from functools import partial
from math import fsum
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import truncnorm

from remission.calibration.fit import Fit, TrialData, fit_by_chain, joined, parts_of, prior_of
from remission.calibration.groups import LEVEL, GroupData
from remission.calibration.judge import (
    LeftOut,
    exact_weights,
    score_left_out,
    scored_without,
    seen_of,
    stacking_weight,
)
from remission.calibration.pieces import Tell, journal_of
from remission.calibration.posterior import write_posterior
from remission.calibration.psis import smoothed_weights
from remission.calibration.refocus import refocused
from remission.calibration.rows_alone import rows_alone
from remission.calibration.study import described, told_rows
from remission.calibration.wave import Point, to_unit, trial_targets
from remission.facts.validate import computed, verdict_of
from remission.files import copy_file, write_text
from remission.library.calibration_plan import BoxValue, CalibrationPlan, Chains, Row, load_calibration_plan
from remission.library.facts import FactScenario, Measure, load_facts
from remission.library.posteriors import Posterior, load_posterior, plan_hash, read_posterior
from remission.library.protocols import load_protocol
from remission.patient.backgrounds import course_parameters_of
from remission.patient.parameters import load_course_parameters, shifted
from remission.provenance import source_hashes
from remission.records.parameter import MODEL_FORM
from remission.records.substance import Substance
from remission.runs.crew import Crew, crew_of
from remission.runs.journal import Journaled
from validation.inference.basis import log_likelihood

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "validation" / "posterior-wide.md"
RESULTS = ROOT / "validation" / "wide.json"
EARLIER = tuple(ROOT / "validation" / f"wide-{name}.json" for name in ("joint", "shape"))
"""How the fits before this one were judged, as it came out then, the last first."""
LIBRARY = ROOT / "src" / "remission" / "library" / "calibration"
NAME = "posterior-2026-finer"
BEFORE, COUNTS = "posterior-2026", "posterior-2026-counts"
"""What it has to be better than, the second where the library has it; a difference is told from the first."""
PARTS = ("points", "fit", "left-out", "facts", "exact")
Draws = dict[str, np.ndarray]
_OWN, _PARTICLES = 32, 2000
_WITHOUT = Chains(number=2, warmup=400, draws=400)
"""Of a fit without a trial: a score needs a mean and not the tails."""
_FACT_PEOPLE, _FACT_REPLICATES = 1500, 30
_LEARNT, _TIED = 0.8, 0.6
_THREE = ("low", "median", "high")
_NOT = "not made yet"


def main() -> None:
    """Fit, judge and write, or write the page again."""
    plan = load_calibration_plan(NAME)
    if sys.argv[1:] != ["--page"]:
        folder, parts = Path(sys.argv[1]), sys.argv[2:] or list(PARTS)
        folder.mkdir(parents=True, exist_ok=True)
        found: dict[str, Any] = {"cost": {}}
        for part in parts if parts == ["rows"] else PARTS:
            # Of this plan and of this code: what another one found is not taken for it.
            path = folder / f"{NAME}-{part}-{plan_hash(plan)}-{source_hashes()['numbers'][:8]}.json"
            if not path.exists() and part not in parts:
                continue
            if not path.exists():
                began, began_s = _used_s(), time.monotonic()
                with crew_of(None) as crew:
                    told = work_of(plan, folder, crew, part)
                cost = {"processor_min": (_used_s() - began) / 60.0, "wall_min": (time.monotonic() - began_s) / 60.0,
                        "memory_gb": _largest_gb()}  # fmt: skip
                write_text(path, json.dumps({"told": told, "cost": cost}, indent=1) + "\n", replace=True)
            kept = json.loads(path.read_text("utf-8"))
            found |= kept["told"]
            found["cost"][part] = kept["cost"]
            write_text(RESULTS, json.dumps(found, indent=1) + "\n", replace=True)
        if "plan" not in found:
            print("no page: the part fit comes first")
            return
        if all(row["met"] for row in accepted(found)):
            copy_file(folder / f"{NAME}.json", LIBRARY / f"{NAME}.json")
    found = json.loads(RESULTS.read_text("utf-8"))
    PAGE.write_text(page(load_calibration_plan(found["plan"]), found), encoding="utf-8")
    print(PAGE)


def _used_s() -> float:
    """Seconds of processor of this process and of those that worked beside it, which have ended."""
    for child in multiprocessing.active_children():
        child.join()  # before that the system has not counted it
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _largest_gb() -> float:
    """Of the largest of these processes so far."""
    return max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 2**20


def work_of(plan: CalibrationPlan, folder: Path, crew: Crew, part: str) -> dict[str, Any]:
    """What one part of the work found. ``part``: ``points``, which are kept, then ``fit``, then any of its judges."""
    before = time.time()

    def tell(text: str) -> None:
        print(f"{part}, {(time.time() - before) / 60.0:5.1f} min: {text}", flush=True)

    kept = folder / f"{NAME}.npz"
    if part == "facts":
        return {"facts": facts(plan, read_posterior(folder / f"{NAME}.json").draws, tell)}
    if part == "rows":
        return of_rows(plan, folder, crew, tell)
    trials, groups, limits = refocused(plan, trial_targets(plan), folder, crew=crew, tell=tell)
    if part == "points":
        return {}
    if part == "fit":
        tell("sampling")
        fit, parts = _sampled(plan, trials, groups, folder, crew, tell)
        arrays: dict[str, Any] = {"log_likelihood": fit.log_likelihood, **fit.draws}
        np.savez(kept, **arrays)
        posterior = described(plan, trials, groups, fit, limits)
        write_posterior(posterior, folder / f"{NAME}.json")
        posterior = read_posterior(folder / f"{NAME}.json")
        return {
            "plan": plan.id, "plan_hash": plan_hash(plan), "seed": plan.seed,
            "method": "NUTS over the emulators", "r_hat": fit.r_hat, "effective_draws": fit.effective_draws,
            "divergent": fit.divergent, "parts": parts,
            "emulators": posterior.diagnostics["emulators"], "rows": posterior.diagnostics["rows"], "limits": limits,
            "values": values_of(plan, groups, posterior.draws), "tied": tied(plan, groups, posterior.draws),
        }  # fmt: skip
    if part == "left-out":
        rows = left_out(plan, trials, groups, read_posterior(folder / f"{NAME}.json"), folder, crew, tell)
        weight = stacking_weight(tuple(LeftOut(**row["scores"]) for row in rows))
        return {"left_out": rows, "stacking_weight": weight}
    exact = [
        _exact(part, plan, trials, groups, dict(np.load(kept)), folder, crew, tell)
        for part in parts_of(plan, trials, groups)
    ]
    return {"exact": exact, "psis_k": max(one["psis_k"] for one in exact)}


def _exact(
    part: str, plan: CalibrationPlan, trials: tuple[TrialData, ...], groups: tuple[GroupData, ...], drawn: Draws,
    folder: Path, crew: Crew, tell: Tell,
) -> dict[str, Any]:  # fmt: skip
    """Weights of draws of a part that was sampled by itself, by the exact simulator."""
    parts = parts_of(plan, trials, groups)
    # One column for each group, or for each of its rows, in the order in which the parts were joined.
    sizes = {name: sum(1 if one.together is not None else len(one.targets.rows) for one in mine)
             for name, (_, _, mine) in parts.items()}  # fmt: skip
    first = sum(sizes[name] for name in list(parts)[: list(parts).index(part)])
    mine, its_trials, its_groups = parts[part]
    logs = drawn.pop("log_likelihood") if its_trials else np.zeros((len(drawn["mean"]), 0))
    draws = {**drawn, "row_log": drawn["row_log"][:, first : first + sizes[part]]}
    fit = Fit(draws=draws, r_hat=1.0, effective_draws=0.0, divergent=0.0, log_likelihood=logs)
    with closing(journal_of(mine, folder, f"exact-{part}", Point)) as journal:
        log_weights = exact_weights(mine, its_trials, fit, groups=its_groups, crew=Journaled(crew, journal), tell=tell)
    weights = np.exp(log_weights - log_weights.max())
    return {
        "part": part, "psis_k": float(smoothed_weights(log_weights)[1]), "error": float(np.std(log_weights)),
        "effective": float(weights.sum() ** 2 / (weights**2).sum()),
    }  # fmt: skip


def of_rows(plan: CalibrationPlan, folder: Path, crew: Crew, tell: Any) -> dict[str, Any]:
    """What the rows alone say of what they move, trials left aside: no inference library is needed."""
    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    _, groups, limits = refocused(plan, (), folder, crew=crew, tell=tell)
    generator = np.random.default_rng([plan.seed, 9])
    draws: Draws = {}
    for substance in wide.fits:
        tell(f"rows of {substance}")
        draws |= rows_alone(plan, substance, groups, n=_PARTICLES, generator=generator)
    np.savez(folder / f"{NAME}.npz", **draws)  # type: ignore[arg-type]  # arrays by name
    return {
        "plan": plan.id, "plan_hash": plan_hash(plan), "seed": plan.seed, "limits": limits, "emulators": [],
        "method": f"the part `rows`: {_PARTICLES:,} tempered draws, without the trials",
        "rows": told_rows(plan, groups, draws), "values": values_of(plan, groups, draws),
        "tied": tied(plan, groups, draws),
    }  # fmt: skip


def left_out(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], groups: tuple[GroupData, ...], posterior: Posterior,
    folder: Path, crew: Crew, tell: Tell,
) -> list[dict[str, Any]]:  # fmt: skip
    """Each trial by weights of the draws, or by a fit without it where their k says that weights do not do."""
    seen = [seen_of(one.targets) for one in trials]
    found = []
    for place, one in enumerate(trials):
        weights, k, units = without(plan, one, posterior, place)
        if k > plan.tolerance.psis_k:
            name = one.targets.entry.protocol
            tell(f"{name}: Pareto k {k:.2f}, so a fit without it")
            fit, _ = _sampled(plan, trials, groups, folder, crew, tell, left_out=(name,))
            only = scored_without(plan, trials, fit, name)
            found.append({"k": k, "refit": True, "scores": asdict(only)})
            continue
        outcome = one.emulator.at(units)
        at, m = len(one.targets.numbers), len(one.targets.analyses)
        z = one.targets.entry.z.benefit * outcome[:, at]
        spread = np.hypot(np.exp(outcome[:, at + m]), one.emulator.error[at])
        each = np.repeat(weights / _OWN, _OWN)
        generator = np.random.default_rng([plan.seed, 8, place])
        chosen = generator.choice(z.size, size=4000, p=each / each.sum())
        scores = score_left_out(plan, seen, place, (z, spread, each), generator.normal(z[chosen], spread[chosen]))
        found.append({"k": k, "refit": False, "scores": asdict(scores)})
    return found


def _sampled(
    plan: CalibrationPlan, trials: tuple[TrialData, ...], groups: tuple[GroupData, ...], folder: Path, crew: Crew,
    tell: Tell, *, left_out: tuple[str, ...] = (),
) -> tuple[Fit, list[dict[str, Any]]]:  # fmt: skip
    """The fit and how each of its parts was sampled; chains are kept.

    Without some trials their part alone is sampled, and shorter.
    """
    assert plan.wide is not None, "a plan that frees the shape"
    length = _WITHOUT if left_out else plan.wide.chains
    fits, told = {}, []
    parts = parts_of(plan, trials, groups)
    for part, (mine, its_trials, its_groups) in parts.items():
        if left_out and part != "trials":
            continue
        tell(f"{part}: {length.number} chains of {length.warmup + length.draws:,} steps")
        with closing(journal_of(mine, folder, "-".join(["chains", part, *left_out]), dict)) as journal:
            fit = fit_by_chain(
                mine, its_trials, groups=its_groups, left_out=left_out, n_chains=length.number,
                n_warmup=length.warmup, n_draws=length.draws, crew=Journaled(crew, journal),
                tell=partial(_of_chain, part),
            )  # fmt: skip
        tell(f"{part}: R-hat {fit.r_hat:.3f} ({fit.worst}), {fit.effective_draws:.0f} effective draws")
        fits[part] = fit
        told.append({"part": part, "r_hat": fit.r_hat, "effective_draws": fit.effective_draws,
                     "divergent": fit.divergent})  # fmt: skip
    whole = fits["trials"] if left_out else joined(plan, fits, {name: one[2] for name, one in parts.items()})
    return whole, told


def _of_chain(part: str, chain: int, text: str) -> None:
    print(f"{part}, chain {chain}: {text}", flush=True)


def without(
    plan: CalibrationPlan, one: TrialData, posterior: Posterior, place: int
) -> tuple[np.ndarray, float, np.ndarray]:
    """Weights of the draws without a trial, their k, and places in its box of values that it would have unseen.

    A draw's weight is one over the trial's likelihood, averaged over what a trial has of its own.
    """
    size, substance = posterior.size, one.targets.protocol.substance.value
    generator = np.random.default_rng([plan.seed, 7, place])
    row = np.repeat(np.arange(size), _OWN)
    effect, craving = generator.normal(size=(2, row.size))
    own = posterior.trial_values(
        substance, row=row, own_effect=effect, own_craving=craving, own_level=generator.uniform(size=row.size)
    ).values
    units = to_unit(plan, own)
    if plan.wide is not None and substance in plan.wide.fits:
        shape = [_unit(value, posterior.draws[f"{value.name}.{substance}"][row]) for value in plan.wide.shape]
        units = np.hstack([units, np.stack(shape, axis=1)])
    log = log_likelihood(plan, one, one.emulator.at(units), posterior.draws["null_seen"][row]).reshape(size, _OWN)
    top = log.max(axis=1, keepdims=True)
    weights, k = smoothed_weights(-(top[:, 0] + np.log(np.exp(log - top).sum(axis=1))))
    return weights, float(k), units


def values_of(plan: CalibrationPlan, groups: tuple[GroupData, ...], draws: Draws) -> list[dict[str, Any]]:
    """Every value that there are draws of: prior, what the fit says, the present set, how much narrower it became."""
    present, rows = load_posterior(BEFORE), []

    def add(name: str, box: BoxValue, set_at: float | None, was: np.ndarray | None) -> None:
        if name not in draws:
            return
        low, high, center, sd = prior_of(box)
        law = truncnorm((low - center) / sd, (high - center) / sd, center, sd)
        ends = law.ppf([0.05, 0.5, 0.95])
        drawn = np.log(draws[name]) if box.scale == "log" else draws[name]
        rows.append({
            "name": name, "prior": dict(zip(_THREE, np.exp(ends) if box.scale == "log" else ends, strict=True)),
            "found": _three(draws[name]), "set_at": set_at, "present": None if was is None else _three(was),
            "ratio": float(drawn.std() / law.std()),
        })  # fmt: skip

    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    usual = load_course_parameters(Substance("alcohol"), parameter_set=MODEL_FORM)
    for substance in wide.fits:
        own = load_course_parameters(Substance(substance), parameter_set=MODEL_FORM)
        for box in wide.shape:
            add(f"{box.name}.{substance}", box, float(getattr(own, box.name)), None)
    for box in wide.value:
        add(box.name, box, float(getattr(usual, box.name)) if hasattr(usual, box.name) else None, None)
    for box in plan.value:
        if not box.per_trial and box.name != "use_effect":
            add(box.name, box, None, present.draws[box.name])
    for one in groups:
        rest = [box for box in one.targets.box if box.name == LEVEL]
        for box in rest:
            add(f"{LEVEL}.{one.targets.group.id}", box, 0.0, None)
    effects = ["mean", "tau", "craving_tau", *(f"substance.{one.value}" for one in Substance)]
    effects += [f"effect.{one.protocol}" for one in plan.trial]
    rows += [
        {"name": name, "prior": None, "found": _three(draws[name]), "set_at": None,
         "present": _three(present.draws[name]), "ratio": None}
        for name in effects if name in draws
    ]  # fmt: skip
    return _plain(rows)


def tied(plan: CalibrationPlan, groups: tuple[GroupData, ...], draws: Draws) -> list[list[Any]]:
    """Pairs of values of one substance, levels of its people among them, that are known in their sum only."""
    wide, found = plan.wide, []
    assert wide is not None, "a plan that frees the shape"
    for substance in wide.fits:
        names = [f"{box.name}.{substance}" for box in wide.shape]
        names += [f"{LEVEL}.{one.targets.group.id}" for one in groups
                  if one.targets.group.substance == substance and one.targets.group.level is not None]  # fmt: skip
        columns = [np.log(draws[n]) if (draws[n] > 0.0).all() else draws[n] for n in names]
        table = np.corrcoef(columns)
        found += [
            [names[i], names[j], float(table[i, j])]
            for i in range(len(names)) for j in range(i) if abs(table[i, j]) >= _TIED
        ]  # fmt: skip
    return found


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
    return _plain(rows)


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


def accepted(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What was registered as better, one after the other: what came out and whether it was met."""
    plan = load_calibration_plan(found["plan"])
    limit, exact = plan.tolerance, found.get("exact", [])
    sampled, scored, computed_facts = "r_hat" in found, found.get("left_out"), found.get("facts")
    wide = fsum(row["scores"]["log_score"]["chain"] for row in scored or ())
    was = to_beat()
    rows = [
        {"asked": f"R-hat at most {limit.r_hat:g}, at least {limit.effective_draws} effective draws, at most "
                  f"{100 * limit.divergent_share:g}% divergent",
         "got": f"{found['r_hat']:.3f}, {found['effective_draws']:.0f}, {100 * found['divergent']:.2f}%"
                if sampled else _NOT,
         "met": sampled and found["r_hat"] <= limit.r_hat and found["effective_draws"] >= limit.effective_draws
                and found["divergent"] <= limit.divergent_share},
        {"asked": f"Pareto k of each part at most {limit.psis_k:g} against the exact simulator, "
                  f"{limit.exact_points} draws of each",
         "got": "; ".join(f"{one['part']} {one['psis_k']:.2f}, raw weights worth {one['effective']:.1f}"
                          for one in exact) if exact else _NOT,
         "met": bool(exact) and all(one["psis_k"] <= limit.psis_k for one in exact)},
        {"asked": "sum of log scores of trials left out above "
                  + " and ".join(f"{score:.2f} (`{name}`)" for name, score in was.items()),
         "got": f"{wide:.2f}" if scored else _NOT, "met": bool(scored) and wide > max(was.values())},
    ]  # fmt: skip
    for words, key, value in (
        ("check facts inside, of the substances fitted", "role", "check"),
        ("fit facts that are rows here inside", "fitted", True),
    ):
        chosen = [one for one in computed_facts or () if one[key] == value]
        before, after = (sum(one[name]["verdict"] == "inside" for one in chosen) for name in ("before", "after"))
        asked = f"{words}: at least {before} of {len(chosen)}" if chosen else f"{words}: no fewer than before"
        rows.append({"asked": asked, "got": str(after) if chosen else _NOT, "met": bool(chosen) and after >= before})
    return rows


def to_beat() -> dict[str, float]:
    """Sums of log scores of trials left out, of the sets that it is held against, where the library has them."""
    there = [name for name in (BEFORE, COUNTS) if (LIBRARY / f"{name}.json").is_file()]
    return {name: fsum(one["log_score"]["chain"] for one in load_posterior(name).judged["left_out"]) for name in there}


def _unit(box: BoxValue, values: np.ndarray) -> np.ndarray:
    low, high, _, _ = prior_of(box)
    return 2.0 * ((np.log(values) if box.scale == "log" else values) - low) / (high - low) - 1.0


def _three(draws: np.ndarray) -> dict[str, float]:
    return dict(zip(_THREE, (float(x) for x in np.quantile(draws, [0.05, 0.5, 0.95])), strict=True))


def _plain(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    plain: list[dict[str, Any]] = json.loads(json.dumps(rows, default=lambda x: x.item()))
    return plain


def page(plan: CalibrationPlan, found: dict[str, Any]) -> str:
    """The page of the wide fit: first whether it did what was asked of it."""
    judged = accepted(found)
    met = sum(row["met"] for row in judged)
    says = "It did not meet all that was registered, so no set of it is in the library."
    if met == len(judged):
        says = "It met all that was registered, so the set is in the library by its own name."
    elif "r_hat" not in found:
        says = "**The trials of ketamine are not in it yet**: it is what natural history, diaries and contrasts say."
    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    later = sorted({one.substance for one in wide.group} - set(wide.fits))
    parts = [
        "# A wider fit: the shape of use is free", "",
        f"Written by `make wide` from the plan `{plan.id}` (hash `{found['plan_hash']}`), seed {found['seed']}.",
        "Written down before any fit: [what is free](../decisions/0057-the-wide-fit-is-registered.md).",
        "[Where it is simulated](../decisions/0061-a-third-wave-where-the-rows-are.md).",
        *(["[How errors enter, and at whose level a fact is computed](../decisions/0065-emulators-err-together.md)."]
          if wide.errors else []),
        *(["[A finer wave and longer chains](../decisions/0068-a-finer-wave-and-longer-chains.md)."]
          if wide.fourth else []),
        f"[The posterior that the program draws from](posterior.md) stays the default. {says}", "",
        f"Fitted: {', '.join(wide.fits)}.",
        *([f"Rows of {', '.join(later)} are registered and wait."] if later else []),
        f"Made by {found['method']}.", "", *_cost(found), "",
        "## What was asked of it", "",
        "| asked | came out | |", "|---|---|---|",
        *(f"| {row['asked']} | {row['got']} | {_verdict(row)} |" for row in judged), "",
        *(["## Trials left out", "", *_left_out(found), "",
           "## Effects of ketamine, before and now", "", *_effects(found), ""] if "left_out" in found else []),
        *(["## Parts that were sampled by themselves", "", *_parts(found), ""] if "parts" in found else []),
        "## Values that moved", "", *_values(found), "",
        "## What was read, and what the fit says of it", "", *_rows(found), "",
        *(["## Facts, before and now", "", *_facts(found), ""] if "facts" in found else []),
        "## What could not be fitted", "", *_open(plan, found), "",
        "## Emulators", "", *_emulators(found), "",
        *_others(plan),
    ]  # fmt: skip
    return "\n".join(parts).rstrip() + "\n"


def _cost(found: dict[str, Any]) -> list[str]:
    lines = ["| part | processor, minutes | wall clock, minutes | largest process so far, GB |", "|---|---|---|---|"]
    lines += [f"| {part} | {one['processor_min']:.1f} | {one['wall_min']:.1f} | "
              f"{'' if one['memory_gb'] is None else format(one['memory_gb'], '.2f')} |"
              for part, one in found["cost"].items()]  # fmt: skip
    total = fsum(one["processor_min"] for one in found["cost"].values())
    all_wall = fsum(one["wall_min"] for one in found["cost"].values())
    return [
        *lines,
        f"| all | {total:.1f} | {all_wall:.1f} | |",
        "",
        "Wall clock is that of a machine with other work on it.",
        *(
            ["Processes that work beside are counted when they end, which can be in a later part."]
            if found["plan"] == "posterior-2026-joint"
            else []
        ),
    ]


def _verdict(row: dict[str, Any]) -> str:
    return "met" if row["met"] else "open" if row["got"] == _NOT else "**not met**"


def _left_out(found: dict[str, Any]) -> list[str]:
    lines = [
        "Each trial is predicted without itself: by weights of the draws with their Pareto k, or by a fit without it.",
        "The scores of the set before are those of its page.", "",
        "| trial | published | predicted z (90%) | log score: wide | before | random effects | no effect | k |",
        "|---|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    was = {one["protocol"]: one["log_score"]["chain"] for one in load_posterior(BEFORE).judged["left_out"]}
    sums = dict.fromkeys(("chain", "before", "random effects", "no effect"), 0.0)
    gaps = []
    for row in found["left_out"]:
        one, score = row["scores"], {**row["scores"]["log_score"]}
        score["before"] = was[one["protocol"]]
        sums = {name: total + score[name] for name, total in sums.items()}
        gaps.append(score["chain"] - score["before"])
        lines.append(
            f"| {one['protocol']} | {one['published']} | {one['z']:.2f} ({one['low']:.2f} to {one['high']:.2f}) | "
            + "".join(f"{score[name]:.2f} | " for name in ("chain", "before", "random effects", "no effect"))
            + f"{row['k']:.2f}{', fitted again' if row['refit'] else ''} |"
        )
    gap, error = sum(gaps), float(np.std(gaps, ddof=1) * np.sqrt(len(gaps)))
    told = "none that can be told" if abs(gap) < 2.0 * error else "more than twice its error"
    lines += [
        "", f"Sums: wide {sums['chain']:.2f}, before {sums['before']:.2f}.",
        f"Random effects {sums['random effects']:.2f}, no effect {sums['no effect']:.2f}.",
        f"Wide less before: {gap:.2f} (standard error {error:.2f}): {told}.",
        f"**Stacking weight of the wide chain beside random effects: {found['stacking_weight']:.2f}.**",
    ]  # fmt: skip
    return lines


def _parts(found: dict[str, Any]) -> list[str]:
    exact = {one["part"]: one for one in found.get("exact", ())}
    lines = [
        "A substance without a trial whose people share no value with others stands alone.",
        "Weights: of draws against the exact simulator.", "",
        "| part | R-hat | effective draws | Pareto k | raw weights worth | spread of log weights |",
        "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for one in found["parts"]:
        judged = exact.get(one["part"])
        told = "| | |" if judged is None else (
            f"| {judged['psis_k']:.2f} | {judged['effective']:.1f} | {judged['error']:.2f} |"
        )  # fmt: skip
        lines.append(f"| {one['part']} | {one['r_hat']:.3f} | {one['effective_draws']:.0f} {told}")
    return lines


def _others(plan: CalibrationPlan) -> list[str]:
    """How the fits before were judged, and that the next one waits where it does."""
    lines = []
    if plan.id != NAME:
        lines = [
            "## The next one", "",
            f"`{NAME}` is written down, its code and tests are there, and no whole run of it has been made.",
            "[What it changes](../decisions/0068-a-finer-wave-and-longer-chains.md).", "",
        ]  # fmt: skip
    for path in EARLIER:
        told = json.loads(path.read_text("utf-8"))
        if told["plan"] == plan.id:
            continue
        lines += [
            f"## The fit before: `{told['plan']}`", "",
            f"Hash `{told['plan_hash']}`: {told['was']}",
            f"Run whole once, {told['processor_min']:.1f} minutes of processor.", "",
            "| asked | came out | |", "|---|---|---|",
            *(f"| {row['asked']} | {row['got']} | {_verdict(row)} |" for row in told["judged"]), "",
        ]  # fmt: skip
    return lines


def _effects(found: dict[str, Any]) -> list[str]:
    names = {"mean": "mean over substances", "tau": "spread between trials", "craving_tau": "spread of craving effects"}
    lines = ["Log odds of a use day after one reference dose; positive helps. Median (90%).", "",
             "| what | before | now |", "|---|---|---|"]  # fmt: skip
    for row in found["values"]:
        if row["prior"] is None:
            kind, _, of = row["name"].partition(".")
            told = names.get(row["name"]) or (f"mean, {of}" if kind == "substance" else f"in {of}")
            lines.append(f"| {told} | {_cell(row['present'])} | {_cell(row['found'])} |")
    return lines


def _values(found: dict[str, Any]) -> list[str]:
    lines = [
        "Before: the value that the set holds fixed, searched on most of these rows, or its median.",
        f"Ratio: standard deviation after the fit over that of the prior; below {_LEARNT:g} is called learnt.", "",
        "| value | prior, 90% | before | now, median (90%) | ratio | |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    for row in found["values"]:
        if row["prior"] is None:
            continue
        prior, now = row["prior"], row["found"]
        fixed = row["set_at"]
        before = _number(fixed) if fixed is not None else "" if row["present"] is None else _cell(row["present"])
        far = fixed is not None and not now["low"] <= fixed <= now["high"]
        note = ", ".join(["learnt"] * (row["ratio"] < _LEARNT) + ["away from before"] * far)
        lines.append(
            f"| `{row['name']}` | {_number(prior['low'])} to {_number(prior['high'])} | {before} | {_cell(now)} | "
            f"{row['ratio']:.2f} | {note} |"
        )
    return lines


def _rows(found: dict[str, Any]) -> list[str]:
    lines = ["These are in the fit: agreement is capacity.", "", "| people | what | read | fit, median (90%) | |",
             "|---|---|---|---|---|"]  # fmt: skip
    for row in found["rows"]:
        read = "in words" if row["read"] is None else _number(row["read"])
        off = row["read"] is not None and not row["found"]["low"] <= row["read"] <= row["found"]["high"]
        lines.append(
            f"| {row['group']} | {_named(row)} | {read} | {_cell(row['found'])} | {'outside' if off else ''} |"
        )
    return lines


def _facts(found: dict[str, Any]) -> list[str]:
    lines = ["Computed with fewer people than on [their page](facts.md), for both sets alike.",
             "At: the level of the people that the fact was read of; without, level 0.", "",
             "| fact | read | before | now | role | at |", "|---|---|---|---|---|---|"]  # fmt: skip
    for row in found["facts"]:
        cells = [f"{_number(row[name]['value'])}, {row[name]['verdict']}" for name in ("before", "after")]
        role = f"{row['role']}{', a row here' if row['fitted'] else ''}"
        moved = row["before"]["verdict"] != row["after"]["verdict"]
        mark = "**" if moved else ""
        lines.append(
            f"| `{row['fact']}` | {row['published'] or 'in words'} | {cells[0]} | {mark}{cells[1]}{mark} | {role} | "
            f"{row['people'].removeprefix(f'{LEVEL}.')} |"
        )
    for role in ("check", "fit"):
        chosen = [one for one in found["facts"] if one["role"] == role]
        counts = [sum(one[name]["verdict"] == "inside" for one in chosen) for name in ("before", "after")]
        lines += ["", f"Inside, {role}: {counts[0]} before, {counts[1]} now, of {len(chosen)}."]
    return lines


def _open(plan: CalibrationPlan, found: dict[str, Any]) -> list[str]:
    wide = plan.wide
    assert wide is not None, "a plan that frees the shape"
    lines = []
    for substance, limit in found["limits"].items():
        if limit > wide.within:
            lines.append(
                f"- {substance}: too few shapes lie within {wide.within:g} errors of all rows at once; some went "
                f"to {limit:g}. These rows contradict each other or the form."
            )
    off = [row for row in found["rows"] if row["read"] is not None
           and not row["found"]["low"] <= row["read"] <= row["found"]["high"]]  # fmt: skip
    if off:
        names = "; ".join(_named(row) for row in off)
        lines.append(f"- Rows that the fit does not reach with nine tenths of its draws: {names}.")
    unmoved = [f"`{row['name']}`" for row in found["values"] if row["ratio"] is not None and row["ratio"] >= 0.95]
    if unmoved:
        lines.append(f"- As wide after as before, so no row tells of them: {', '.join(unmoved)}.")
    if found["tied"]:
        pairs = "; ".join(f"`{a}` with `{b}` ({r:.2f})" for a, b, r in found["tied"])
        lines.append(f"- Known together more than alone (correlation of draws): {pairs}.")
    lines.append("- Values of the shape that no row tells from these stay fixed, and so does `k_n`: prior only.")
    lines += [f"- `{name}` is not in it: {why}." for name, why in wide.left_out.items()]
    lines += [f"- `{name}` is not in it: {why}." for name, why in plan.left_out.items()]
    return lines


def _emulators(found: dict[str, Any]) -> list[str]:
    lines = [
        "At points that they never saw, those of people where the rows put all values at once.",
        "Errors enter the likelihood; outside of trials with their Monte Carlo noise, those of a group together.",
        "", "| of | outcome | R2 | error | asked at most | |", "|---|---|---|---|---|---|",
    ]  # fmt: skip
    coarse = sum(row["error"] > row["limit"] for row in (*found["rows"], *found["emulators"]))
    if coarse:
        lines.insert(2, f"{coarse} are coarser than asked: intervals are wider than what was read would leave them.")
    told = [(one["trial"], one["outcome"], one["r2"], one["error"], one["limit"]) for one in found["emulators"]]
    told += [(row["group"], _named(row), row["r2"], row["error"], row["limit"]) for row in found["rows"]]
    for of, outcome, r2, error, limit in told:
        reached = "reached" if error <= limit else "**not reached**"
        lines.append(f"| {of} | {outcome} | {r2:.2f} | {error:.3f} | {limit:.3f} | {reached} |")
    return lines


def _named(row: dict[str, Any]) -> str:
    return f"{row['row']}{row['output'] and ', '}{row['output']}"


def _cell(three: dict[str, float]) -> str:
    return f"{_number(three['median'])} ({_number(three['low'])} to {_number(three['high'])})"


def _number(x: float) -> str:
    return f"{x:.3g}"


if __name__ == "__main__":
    main()
