"""Laws of stated effects: what must hold for the power of any design, whatever its numbers."""

from typing import Any

import numpy as np
import pytest
from law_cases import law

from remission.design.closed_forms import Split, closed_power
from remission.records.effect import EffectFile, Law


def law_of(**fields: Any) -> Law:
    return EffectFile.from_dict({"effect": fields}).effect


def any_law(rng: np.random.Generator, **more: Any) -> Law:
    """An effect of superiority of a random law."""
    watched = {"control_share": rng.uniform(0.1, 0.9), "by_day": rng.uniform(30, 300),
               "accrual_days": rng.choice([0.0, 200.0]), "follow_up_days": rng.uniform(30, 300)}  # fmt: skip
    ratio = float(np.exp(rng.normal(0.0, 0.4)))
    kinds: list[dict[str, Any]] = [
        {"law": "difference", "difference": rng.normal(0, 8), "sd": rng.uniform(5, 30)},
        {"law": "proportions", "treatment": rng.uniform(0.1, 0.9), "control": rng.uniform(0.1, 0.9)},
        {"law": "hazard", "hazard_ratio": ratio, **watched},
        {"law": "rate", "rate_ratio": ratio, "control_rate_per_day": rng.uniform(0.02, 0.5),
         "dispersion": rng.uniform(0, 2), "days": rng.uniform(10, 200)},
        {"law": "repeated", "visit_days": [7, 30, 60], "differences": rng.normal(0, 5, 3).tolist(),
         "sd": rng.uniform(5, 20), "correlation": rng.uniform(-0.2, 0.9)},
    ]  # fmt: skip
    return law_of(**kinds[int(rng.integers(len(kinds)))], **more)


def sides(rng: np.random.Generator) -> Split:
    return Split(int(rng.integers(10, 300)), int(rng.integers(10, 300)))


@law(seed=2901)
def test_power_is_a_share_and_grows_with_the_people(rng: np.random.Generator) -> None:
    """More people of both sides can only help, and no power lies outside 0 to 1."""
    effect, people = any_law(rng), sides(rng)
    here, there = (closed_power(effect, Split(k * people.treatment, k * people.control), 0.05) for k in (1, 2))
    assert -1e-9 <= here <= there + 1e-6 <= 1.0 + 2e-6


@law(seed=2902)
def test_without_an_effect_power_is_alpha(rng: np.random.Generator) -> None:
    """A test of nothing rejects as often as it may; hazards, too, whose statistic is a score."""
    from remission.design.closed_forms import no_effect, with_effect

    effect, alpha = any_law(rng), float(rng.choice([0.01, 0.05, 0.2]))
    nothing = with_effect(effect, no_effect(effect))
    if nothing.law == "repeated":
        nothing = nothing.replace(differences=[0.0] * 3)
    assert closed_power(nothing, sides(rng), alpha) == pytest.approx(alpha, abs=1e-5)


@law(seed=2903)
def test_the_sides_may_change_names(rng: np.random.Generator) -> None:
    """Which arm is called treatment is a matter of words: a two-sided test must not hear it."""
    people = sides(rng)
    turned = Split(people.control, people.treatment)
    p, q, sd = rng.uniform(0.1, 0.9), rng.uniform(0.1, 0.9), rng.uniform(5, 30, 2)
    size = rng.normal(0, 8)
    pairs = [
        (law_of(law="proportions", treatment=p, control=q), law_of(law="proportions", treatment=q, control=p)),
        (law_of(law="difference", difference=size, sd={"treatment": sd[0], "control": sd[1]}),
         law_of(law="difference", difference=-size, sd={"treatment": sd[1], "control": sd[0]})),
    ]  # fmt: skip
    for one, other in pairs:
        assert closed_power(one, people, 0.05) == pytest.approx(closed_power(other, turned, 0.05), abs=1e-9)


@law(seed=2904)
def test_the_unit_of_an_outcome_and_of_time_does_not_matter(rng: np.random.Generator) -> None:
    """Points or tenths of points, days or weeks: a power that changes with them is of the units."""
    people, scale = sides(rng), float(np.exp(rng.uniform(-3, 3)))
    size, sd, margin = rng.normal(0, 5), rng.uniform(5, 30), rng.uniform(1, 10)
    for goal in ({}, {"goal": "equivalence"}, {"goal": "non-inferiority", "better": "lower"}):
        one, other = (
            law_of(law="difference", difference=k * size, sd=k * sd, **goal, **({"margin": k * margin} if goal else {}))
            for k in (1.0, scale)
        )
        assert closed_power(one, people, 0.05) == pytest.approx(closed_power(other, people, 0.05), abs=1e-6)
    base = {"law": "hazard", "hazard_ratio": 0.7, "control_share": 0.4}
    times = {"by_day": 90.0, "follow_up_days": rng.uniform(30, 300), "accrual_days": rng.uniform(0, 300)}
    left = float(rng.uniform(0, 0.5))
    hazards = [
        law_of(**base, **{name: k * day for name, day in times.items()}, leaving={"share": left, "by_day": k * 50.0})
        for k in (1.0, min(scale, 10.0))
    ]
    assert closed_power(hazards[0], people, 0.05) == pytest.approx(closed_power(hazards[1], people, 0.05), abs=1e-8)


@law(seed=2905)
def test_leaving_and_clustering_cost_power(rng: np.random.Generator) -> None:
    """Fewer are seen, or people are alike within a group: neither may ever make a trial look stronger."""
    state = rng.bit_generator.state
    effect = any_law(rng)
    rng.bit_generator.state = state
    leaving = any_law(rng, leaving={"share": 0.3, "by_day": 90})
    people = sides(rng)
    assert closed_power(leaving, people, 0.05) <= closed_power(effect, people, 0.05) + 1e-9
    size, sd = float(rng.normal(0, 5)), float(rng.uniform(5, 20))
    powers = [
        closed_power(law_of(law="difference", difference=size, sd=sd, clusters={"size": 6, "icc": icc}),
                     Split(120, 120), 0.05)
        for icc in (0.0, 0.05, 0.3)
    ]  # fmt: skip
    assert powers == sorted(powers, reverse=True)
    assert powers[0] <= closed_power(law_of(law="difference", difference=size, sd=sd), Split(120, 120), 0.05) + 1e-9


@law(seed=2906)
def test_a_wider_margin_is_easier_and_an_effect_beyond_it_is_superiority(rng: np.random.Generator) -> None:
    """Non-inferiority to a margin is superiority of the distance to it, one-sided at half of alpha."""
    people, size, margin = sides(rng), float(rng.normal(0, 4)), float(rng.uniform(1, 8))
    common = {"law": "difference", "sd": float(rng.uniform(5, 20)), "better": "higher"}
    near, far = (
        closed_power(law_of(difference=size, goal="non-inferiority", margin=-k * margin, **common), people, 0.05)
        for k in (1.0, 2.0)
    )
    shifted = closed_power(law_of(difference=size + margin, sides=1, **common), people, 0.025)
    assert near == pytest.approx(shifted, abs=1e-9)
    assert near <= far
