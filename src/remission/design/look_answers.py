"""Looks of a stated effect as plain data: how the trial stops, what a look has shown, decisions, blinded numbers."""

from dataclasses import asdict
from functools import lru_cache
from math import exp, inf, sqrt
from typing import Any

from remission.design.at_look import (
    Boundaries,
    after_stop,
    boundaries_of,
    chances,
    decide,
    forecast,
    repeated_interval,
)
from remission.design.closed_forms import (
    Split,
    effect_of,
    end_of,
    no_effect,
    nulls_to_pass,
    test_level,
    to_analysis,
    wished_side,
)
from remission.errors import SpecError
from remission.records.effect import (
    Blinded,
    Difference,
    EffectFile,
    Law,
    LookPlan,
    NormalPrior,
    PerSide,
    Proportions,
    Rate,
)


@lru_cache(maxsize=256)
def planned_bounds(plan: LookPlan, level: float) -> Boundaries:
    """The boundaries of looks that come as planned; the information at the end is 1.

    ``level``: one-sided error. Raises ``SpecError``: a name or a floor is not possible.
    """
    return boundaries_of(plan, level=level)


def _is_two_sided(law: Law) -> bool:
    return law.goal == "superiority" and law.sides == 2


def power_with_looks(law: Law, people: Split, plan: LookPlan, alpha: float) -> float:
    """The chance to reach the goal at any look; of two-sided superiority to reject on either side."""
    found = chances(planned_bounds(plan, test_level(law, alpha)), end_of(law, people)[1])
    return found.power + (sum(found.harm) if _is_two_sided(law) else 0.0)


def look_content(law: Law, people: Split, plan: LookPlan, alpha: float, trial_people: int) -> dict[str, Any]:
    """How a trial of so many people stops under the stated effect and under none; by the normal approximation."""
    bounds = planned_bounds(plan, test_level(law, alpha))
    found = {name: chances(bounds, drift) for name, drift in (("stated", end_of(law, people)[1]), ("none", 0.0))}
    return {
        "spending": plan.spending, "at": list(bounds.information), "z": list(bounds.z),
        "floors": [None if one == -inf else one for one in bounds.floors],
        "under": {
            name: {
                "reached": one.power + (sum(one.harm) if _is_two_sided(law) else 0.0), "success": list(one.success),
                "harm": list(one.harm), "futility": list(one.futility),
                "expected_people": one.expected_share * trial_people,
            }
            for name, one in found.items()
        },
    }  # fmt: skip


def seen_content(effect: EffectFile, people: Split, alpha: float) -> dict[str, Any]:
    """What a look has shown: where it lies between its boundaries, what is to come, what may be reported.

    Raises ``SpecError``: a boundary of a fixed shape meets other looks than it was made for.
    """
    law, seen, plan = effect.effect, effect.seen, effect.looks
    assert seen is not None, "asked by the caller"
    assert plan is not None, "checked when it was read"
    side, null = wished_side(law), to_analysis(law, nulls_to_pass(law)[0][0])
    error, _ = end_of(law, people)
    if not error > 0.0:
        raise SpecError(where="people", got=people.people, allowed="enough people on both sides for a test")
    information = [one**-2 for one in seen.errors]
    bounds = boundaries_of(
        plan, level=test_level(law, alpha), information=information, planned=error**-2, is_last=seen.is_last
    )
    look = len(information) - 1
    estimate = side * (seen.estimate - null)
    z = estimate * sqrt(information[-1])
    ends = look == len(bounds.z) - 1
    verdict = "goes on"
    if z >= bounds.z[look]:
        verdict = "success"
    elif z <= -bounds.z[look] and _is_two_sided(law):
        verdict = "harm"
    elif ends:
        verdict = "ended without success"
    elif z < bounds.floors[look]:
        verdict = "below the floor of futility"

    def back(value: float) -> float:
        own = null + side * value
        return exp(own) if law.is_ratio else own

    ends_of_repeated = sorted(back(one) for one in repeated_interval(bounds, look, estimate))
    content: dict[str, Any] = {
        "look": look + 1, "information": information[-1] * error**2, "z": z, "boundary": bounds.z[look],
        "floor": None if bounds.floors[look] == -inf else bounds.floors[look], "verdict": verdict,
        "estimate": back(estimate), "repeated_interval": ends_of_repeated,
        "later_information": [one * error**2 for one in bounds.information[look + 1 :]],
        "later_boundaries": list(bounds.z[look + 1 :]),
    }  # fmt: skip
    if not ends and verdict in {"goes on", "below the floor of futility"}:
        prior = seen.prior
        turned = None if prior is None else NormalPrior(mean=side * (prior.mean - null), sd=prior.sd)
        assumed = side * (to_analysis(law, effect_of(law)) - null)
        content["to_come"] = asdict(forecast(bounds, look, estimate, assumed, turned))
    if verdict != "goes on":
        found = after_stop(bounds, look, estimate)
        low, high = sorted((back(found.low), back(found.high)))
        one_sided = found.p_value
        content["report"] = {
            "p_value": min(1.0, 2.0 * min(one_sided, 1.0 - one_sided)) if _is_two_sided(law) else one_sided,
            "estimate": back(found.estimate), "low": low, "high": high, "coverage": 1.0 - 2.0 * bounds.level,
        }  # fmt: skip
    return content


def decision_content(effect: EffectFile, people: Split) -> dict[str, Any]:
    """How often the rule says go, consider and no-go, at effects that matter; and of an estimate that was seen."""
    law, rule = effect.effect, effect.decision
    assert rule is not None, "asked by the caller"
    error, _ = end_of(law, people)
    target, reference = to_analysis(law, rule.target), to_analysis(law, rule.reference)
    at = {"no effect": no_effect(law), "reference": rule.reference, "target": rule.target, "stated": effect_of(law)}
    rows = []
    for name, value in at.items():
        found = decide(rule, to_analysis(law, value), error=error, target=target, reference=reference)
        ends = [exp(one) if law.is_ratio else one for one in (found.go_from, found.stop_below)]
        rows.append({"effect": value, "name": name, "go": found.go, "consider": found.consider, "no_go": found.no_go,
                     "go_from": ends[0], "stop_below": ends[1]})  # fmt: skip
    return {"rows": rows}


def with_blinded(law: Law, blinded: Blinded, treatment_share: float) -> Law:
    """The law with the nuisance number of the pooled data; the effect stays as stated.

    The pooled standard deviation is taken as it is: it holds the effect as well, so that the size is not made too
    small. Raises ``SpecError``: with the stated effect no pair of shares or rates has that mean.
    """
    match law:
        case Difference():
            assert blinded.sd is not None, "checked when it was read"
            return law.replace(sd=PerSide(treatment=blinded.sd, control=blinded.sd))
        case Proportions():
            assert blinded.share is not None, "checked when it was read"
            gap = effect_of(law)
            control = blinded.share - treatment_share * gap
            if not 0.0 < control < 1.0 or not 0.0 < control + gap < 1.0:
                raise SpecError(
                    where="blinded.share", got=blinded.share, allowed=f"a share that a difference of {gap:g} leaves "
                    "within 0 to 1", remedy="The stated difference cannot be, if this share is right.",
                )  # fmt: skip
            return law.replace(treatment=control + gap, control=control)
        case Rate():
            assert blinded.rate_per_day is not None, "checked when it was read"
            mean = treatment_share * law.rate_ratio + 1.0 - treatment_share
            dispersion = law.dispersion if blinded.dispersion is None else blinded.dispersion
            return law.replace(control_rate_per_day=blinded.rate_per_day / mean, dispersion=dispersion)
        case _:
            raise SpecError(where="blinded", got=law.law, allowed="difference, proportions or rate")
