"""What an effect rests on: the chain, the other trials (baseline), or both by the stacking weight.

The baseline on the scale of a design, for an analysis whose simulated standard error is s with n_1 and n_0 people::

    estimate = direction*theta*s/error + noise of s      error = sqrt(1/n_1 + 1/n_0)

theta is the standardized effect of a trial not seen (:mod:`remission.evidence.standardized`); on a log scale for
ratios. What it cannot say is refused by name, never filled in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from remission.errors import SpecError
from remission.evidence.standardized import (
    Law,
    OtherTrials,
    effects_of_others,
    load_other_trials,
    mixed,
    verdict_chances,
    z_of_new_trial,
)
from remission.numerics.tallies import Measure
from remission.protocol.record import Protocol
from remission.records.analysis import Analysis
from remission.records.endpoint_kinds import KINDS
from remission.records.packaged import packaged_toml
from remission.records.treatment import DrugCourse
from remission.trial.analyze import sides_of

EffectModel = Literal["chain", "baseline", "stacked"]
EFFECT_MODELS: tuple[EffectModel, ...] = ("chain", "baseline", "stacked")
MEANS: Mapping[EffectModel, str] = packaged_toml("words", "effect-models.toml")["means"]
"""What each rests on, in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """What the other trials say of a design.

    ``effect``: the true effect of this trial on the scale of its analysis, log for ratios; ``estimate``: what it will
    find; ``chances`` of its verdict; ``unit``: one standardized unit on that scale; ``notes``: what was taken for what.
    """

    others: OtherTrials
    effect: Law
    estimate: Law
    chances: dict[str, float]
    unit: float
    notes: tuple[str, ...]


def check_effect_model(name: str) -> EffectModel:
    """The name, if there is such a model. Raises SpecError: there is none."""
    for one in EFFECT_MODELS:
        if name == one:
            return one
    raise SpecError(where="effect_model", got=name, allowed=f"one of {', '.join(EFFECT_MODELS)}")


def direction_of(protocol: Protocol, analysis: str) -> int:
    """1 where a larger estimate favors the treatment, -1 where a smaller one does."""
    chosen = protocol.analysis(analysis)
    return 1 if protocol.endpoint(chosen.endpoint).higher_is_better != chosen.facts.is_turned else -1


def no_baseline(protocol: Protocol, analysis: str) -> SpecError | None:
    """Why the other trials say nothing of an analysis, by name; None where they do."""
    chosen = protocol.analysis(analysis)
    endpoint = protocol.endpoint(chosen.endpoint)
    facts = KINDS[endpoint.kind]
    treated, control = _ketamine(protocol, chosen)
    if facts.missing_is_outcome:
        return _refusal("leaving", analysis, endpoint.kind)
    if facts.needs not in {"diary", "test"}:
        return _refusal("endpoint", analysis, endpoint.kind)
    if set(treated) == set(control):
        return _refusal("same_drug", analysis, endpoint.kind)
    return _refusal("treatment", analysis, endpoint.kind) if min(treated) <= max(control) else None


def _refusal(why: str, analysis: str, kind: str) -> SpecError:
    words = packaged_toml("words", "effect-models.toml")["refused"]
    return SpecError(
        where="effect_model", got=f"the other trials, asked about {analysis} ({kind})", allowed=words[why],
        remedy=words["remedy"],
    )  # fmt: skip


def baseline_of(protocol: Protocol, analysis: str, *, standard_error: float, alpha: float) -> Baseline:
    """What the other trials say of a design.

    ``standard_error``: what its simulated trials report, on the scale of the analysis, log for ratios. Raises
    SpecError: they say nothing of it.
    """
    words = packaged_toml("words", "effect-models.toml")
    chosen = protocol.analysis(analysis)
    refused = no_baseline(protocol, analysis)
    if refused is None and not (np.isfinite(standard_error) and standard_error > 0.0):
        refused = _refusal("scale", analysis, protocol.endpoint(chosen.endpoint).kind)
    if refused is not None:
        raise refused
    sides = sides_of(protocol, chosen.contrast)
    whole = sum(arm.allocation for arm in protocol.arms)
    people = [
        protocol.population.n_subjects * sum(protocol.arms[index].allocation for index in side) / whole
        for side in sides
    ]  # fmt: skip
    error = float(np.sqrt(sum(1.0 / n for n in people)))
    unit = standard_error / error
    others = load_other_trials()
    effects = effects_of_others()
    z = z_of_new_trial(effects, error)
    factor = direction_of(protocol, analysis) * unit
    return Baseline(
        others=others, effect=effects.scaled(factor), estimate=z.scaled(factor * error),
        chances=verdict_chances(z, alpha), unit=unit, notes=tuple(_notes(protocol, chosen, words["says"])),
    )  # fmt: skip


def under_effect_model(
    protocol: Protocol, analysis: str, found: Mapping[str, Any], *, model: EffectModel, alpha: float
) -> dict[str, Any]:
    """Assurance under the model asked for, with the others beside it, as plain fields that replace the chain's.

    ``found``: the assurance of the chain, as plain fields. Raises SpecError: the other trials were asked for and say
    nothing of this analysis.
    """
    chain = {"probability": found["probability"], "effect": found["effect"], "effect_sd": found["effect_sd"]}
    answers: dict[str, Any] = {"chain": chain}
    says: list[str] = []
    refused = no_baseline(protocol, analysis)
    if model != "chain" or refused is None:
        error = float(np.sqrt(found["sampling_variance"]))
        baseline = baseline_of(protocol, analysis, standard_error=error, alpha=alpha)
        weight = baseline.others.stacking_weight
        answers["baseline"] = {
            "probability": _exact(1.0 - baseline.chances["no difference"]), "effect": _exact(baseline.effect.mean),
            "effect_sd": baseline.effect.sd,
        }  # fmt: skip
        answers["stacked"] = _stacked(chain, answers["baseline"], weight)
        says = told(baseline)
    elif refused is not None:
        says = [f"No baseline: {refused}"]
    return {
        **answers[model], "effect_model": model, "means": MEANS[model], "models": answers, "says": says,
    }  # fmt: skip


def assurance_models(
    protocol: Protocol, analysis: str, chain: Measure, *, standard_error: float, alpha: float
) -> dict[str, Any]:
    """Assurance by the chain's draws, by the other trials, and stacked, as plain fields; ``says`` in words.

    ``chain``: the share that rejects over its draws. ``standard_error``: as for :func:`baseline_of`. Where the other
    trials say nothing of the analysis only the chain answers, and ``says`` gives the reason. ``least``: the less
    favourable of the two, which is told first: the average effect of what was published knows nothing of what was not.
    """
    answers = {"chain": asdict(chain)}
    try:
        baseline = baseline_of(protocol, analysis, standard_error=standard_error, alpha=alpha)
    except SpecError as refused:
        return {"models": answers, "least": "chain", "says": [f"No baseline: {refused}"]}
    weight, other = baseline.others.stacking_weight, 1.0 - baseline.chances["no difference"]
    answers["baseline"] = _exact(other)
    stacked = Measure(value=weight * chain.value + (1.0 - weight) * other, mcse=weight * chain.mcse)
    least = "chain" if chain.value <= other else "baseline"
    return {"models": {**answers, "stacked": asdict(stacked)}, "least": least, "says": told(baseline)}


def told(baseline: Baseline) -> list[str]:
    """What the stacked answer is and how the baseline came onto this scale, in words."""
    says, others = packaged_toml("words", "effect-models.toml")["says"], baseline.others
    weight, n = others.stacking_weight, len(others.trials)
    which = "none" if weight == 0.0 else "all" if weight == 1.0 else "some"
    theta = baseline.effect.scaled(1.0 / baseline.unit)
    how = says["how"].format(n_trials=n, mean=abs(theta.mean), sd=theta.sd, unit=baseline.unit)
    return [says[which].format(weight=weight), says["few"].format(n_trials=n), how, *baseline.notes]


def stacked_law(chain: Law, baseline: Law) -> Law:
    """Both laws, the chain with its stacking weight."""
    return mixed(chain, baseline, load_other_trials().stacking_weight)


def _stacked(chain: Mapping[str, Any], baseline: Mapping[str, Any], weight: float) -> dict[str, Any]:
    """Mean and spread of the mixture; a chain without weight changes nothing, even where it has no answer."""
    if weight == 0.0:
        return dict(baseline)
    if weight == 1.0 or chain["effect"] is None or chain["effect_sd"] is None:
        return dict(chain)
    share, mean = (_mixed_measure(chain[name], baseline[name], weight) for name in ("probability", "effect"))
    parts = ((chain, weight), (baseline, 1.0 - weight))
    variance = sum(
        part * (one["effect_sd"] ** 2 + (one["effect"]["value"] - mean["value"]) ** 2) for one, part in parts
    )
    return {"probability": share, "effect": mean, "effect_sd": float(np.sqrt(variance))}


def _mixed_measure(first: Mapping[str, float], second: Mapping[str, float], weight: float) -> dict[str, float]:
    value = weight * first["value"] + (1.0 - weight) * second["value"]
    return {"value": value, "mcse": float(np.hypot(weight * first["mcse"], (1.0 - weight) * second["mcse"]))}


def _exact(value: float) -> dict[str, float]:
    """A number that no simulation stands behind."""
    measure = Measure(value=value, mcse=0.0)
    return {"value": measure.value, "mcse": measure.mcse}


def _ketamine(protocol: Protocol, analysis: Analysis) -> tuple[list[float], list[float]]:
    """How much ketamine the arms of both sides get over their course, 0 without any. [mg/kg]"""
    sides = sides_of(protocol, analysis.contrast)
    given = {name: _amount(course, protocol) for name, course in protocol.drugs.items()}
    treated, control = ([given.get(protocol.arms[k].drug or "", 0.0) for k in side] for side in sides)
    return treated, control


def _amount(course: DrugCourse, protocol: Protocol) -> float:
    if not course.is_ketamine:
        return 0.0
    doses = [dose for one in course.infusions for dose in one.given(course.form)]
    kg = protocol.population.weight.mean_kg
    return sum(dose.dose_mg_per_kg or (dose.dose_mg or 0.0) / kg for dose in doses)


def _notes(protocol: Protocol, analysis: Analysis, says: Mapping[str, str]) -> Iterable[str]:
    _, control = _ketamine(protocol, analysis)
    if max(control) > 0.0:
        yield says["gives_low_dose"]
    beside = [
        {(arm.therapy, arm.medicine, arm.incentives, arm.way_of_life) for arm in (protocol.arms[k] for k in side)}
        for side in sides_of(protocol, analysis.contrast)
    ]
    if beside[0] != beside[1]:
        yield says["other_parts"]
