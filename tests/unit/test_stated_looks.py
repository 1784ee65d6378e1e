"""Looks of stated effects: boundaries at actual information, forecasts, reports after a stop, decisions, blinding."""

from math import sqrt
from typing import Any

import numpy as np
import pytest
from scipy.stats import norm

import remission as rm
from remission.design.at_look import after_stop, boundaries_of, chances, decide, forecast, repeated_interval
from remission.design.law_trials import cohorts_of, nuisance_of, simulate_law
from remission.design.look_answers import with_blinded
from remission.design.reestimation import simulate_reestimation
from remission.design.sequential import plan_looks
from remission.errors import SpecError
from remission.records.effect import Blinded, EffectFile, GoRule, LookPlan, NormalPrior

EFFECT: dict[str, Any] = {"law": "difference", "difference": 6.0, "sd": 20.0}


def plan(*at: float, **more: Any) -> LookPlan:
    return LookPlan.create(at=at, **more)


def test_hwang_shih_decani_spends_as_its_formula_says() -> None:
    """(1 - exp(-gamma t)) / (1 - exp(-gamma)) of alpha; 0 is even spending, and the whole is alpha."""
    fractions = (0.25, 0.5, 1.0)
    for gamma in (-4.0, 0.0, 2.0):
        found = plan_looks(fractions, spending=f"hwang-shih-decani:{gamma:g}", alpha=0.05).spent
        t = np.array(fractions)
        expected = 0.05 * (t if gamma == 0.0 else np.expm1(-gamma * t) / np.expm1(-gamma))
        np.testing.assert_allclose(found, expected, atol=1e-9)


def test_boundaries_follow_the_information_that_there_is() -> None:
    """A look at 62% that was planned at 50% spends for 62%; what is last spends all that is left."""
    planned = plan(0.5, 1.0, spending="pocock")
    late = boundaries_of(planned, level=0.025, information=[62.0], planned=100.0)
    assert late.z == pytest.approx(plan_looks([0.62, 1.0], spending="pocock").z)
    last = boundaries_of(planned, level=0.025, information=[62.0, 90.0], planned=100.0, is_last=True)
    above = chances(last, 0.0)
    assert sum(above.success) + sum(above.harm) == pytest.approx(0.05, abs=1e-9)
    beyond = boundaries_of(planned, level=0.025, information=[62.0, 130.0], planned=100.0)
    assert len(beyond.z) == 2
    assert sum(chances(beyond, 0.0).success) == pytest.approx(0.025, abs=1e-9)


def test_floors_that_spend_beta_leave_the_power_they_were_made_for() -> None:
    """The drift that belongs to them gives 1 - beta with the floors kept; without floors the error of type I stands."""
    found = boundaries_of(plan(0.4, 0.7, 1.0, beta_spending="hwang-shih-decani:-4", beta=0.2), level=0.025)
    assert found.drift is not None
    assert chances(found, found.drift).power == pytest.approx(0.8, abs=1e-6)
    assert list(found.floors[:2]) == sorted(found.floors[:2])
    assert chances(found, 0.0).power < 0.025


def test_one_look_to_come_has_the_textbook_conditional_and_predictive_power() -> None:
    """With one look left both have a formula: of the normal increment, and with the variance of the estimate added."""
    bounds, z1, t = boundaries_of(plan(0.5, 1.0), level=0.025), 1.2, 0.5
    estimate = z1 / sqrt(t)
    found = forecast(bounds, 0, estimate, 2.8)
    for effect, power in ((estimate, found.as_seen), (2.8, found.as_assumed), (0.0, found.without_effect)):
        gap = bounds.z[1] - z1 * sqrt(t) - effect * (1.0 - t)
        assert power == pytest.approx(norm.sf(gap / sqrt(1.0 - t)), abs=1e-8)
    spread = sqrt((1.0 - t) + (1.0 - t) ** 2 / t)
    gap = bounds.z[1] - z1 * sqrt(t) - estimate * (1.0 - t)
    assert found.predictive == pytest.approx(norm.sf(gap / spread), abs=1e-5)
    sure = forecast(bounds, 0, estimate, 2.8, NormalPrior(mean=2.8, sd=1e-4))
    assert sure.predictive == pytest.approx(sure.as_assumed, abs=1e-6)


def test_after_a_stop_at_the_first_look_the_plain_numbers_stand_and_later_ones_shrink() -> None:
    """Nothing was given away before the first look; later, having gone on is evidence against a large effect."""
    bounds = boundaries_of(plan(0.5, 1.0, spending="pocock"), level=0.025)
    first = after_stop(bounds, 0, 3.0 / sqrt(0.5))
    assert first.p_value == pytest.approx(norm.sf(3.0), abs=1e-9)
    assert first.estimate == pytest.approx(3.0 / sqrt(0.5), abs=1e-6)
    end = after_stop(bounds, 1, 2.6)
    assert end.p_value > norm.sf(2.6)
    assert 0.0 < end.estimate < 2.6
    assert end.low < end.estimate < end.high
    low, high = repeated_interval(bounds, 1, 2.6)
    assert high - low > 2.0 * norm.ppf(0.975)


def test_the_interval_after_a_stop_holds_its_level() -> None:
    """The plain interval covers less than 95% after a stop; the stage-wise one is made to cover 95%."""
    bounds, effect, n = boundaries_of(plan(0.5, 1.0, spending="pocock"), level=0.025), 2.6, 2000
    rng = np.random.default_rng(5)
    first = effect * 0.5 + np.sqrt(0.5) * rng.standard_normal(n)
    second = first + effect * 0.5 + np.sqrt(0.5) * rng.standard_normal(n)
    stops = np.abs(first) / np.sqrt(0.5) >= bounds.z[0]
    # Inference depends on the look and the statistic only: on a grid, with a straight line between.
    grid = np.linspace(-4.0, 8.0, 25)
    table = [[after_stop(bounds, k, z / sqrt(bounds.information[k])) for z in grid] for k in (0, 1)]
    z = np.where(stops, first / np.sqrt(0.5), second)
    ends = {name: np.where(stops, *(np.interp(z, grid, [getattr(one, name) for one in row]) for row in table))
            for name in ("low", "estimate", "high")}  # fmt: skip
    assert ((ends["low"] <= effect) & (effect <= ends["high"])).mean() == pytest.approx(0.95, abs=0.015)
    assert (ends["estimate"] < effect).mean() == pytest.approx(0.5, abs=0.04)


def test_decisions_are_those_of_simulated_posteriors() -> None:
    """Go, consider and no-go counted over simulated estimates, each with its posterior, against the closed form."""
    rule = GoRule.create(target=6.0, reference=3.0, go_at=0.8, stop_below=0.1, prior={"mean": 2.0, "sd": 4.0})
    rng, error, effect = np.random.default_rng(3), 2.2, 5.0
    estimate = effect + error * rng.standard_normal(40_000)
    precision = error**-2 + 4.0**-2
    mean, sd = (estimate * error**-2 + 2.0 * 4.0**-2) / precision, precision**-0.5
    beyond = {value: norm.sf((value - mean) / sd) for value in (3.0, 6.0)}
    no_go = beyond[6.0] < 0.1
    go = (beyond[3.0] >= 0.8) & ~no_go
    found = decide(rule, effect, error=error, target=6.0, reference=3.0)
    assert found.go == pytest.approx(go.mean(), abs=0.01)
    assert found.no_go == pytest.approx(no_go.mean(), abs=0.01)
    assert found.go + found.consider + found.no_go == pytest.approx(1.0)


def test_lower_may_be_better() -> None:
    """A ratio below 1 that is wished: the same trial told upside down decides the same."""
    up = GoRule.create(target=6.0, reference=3.0)
    down = GoRule.create(target=-6.0, reference=-3.0)
    one = decide(up, 5.0, error=2.0, target=6.0, reference=3.0)
    other = decide(down, -5.0, error=2.0, target=-6.0, reference=-3.0)
    assert (one.go, one.no_go) == pytest.approx((other.go, other.no_go))
    assert one.go_from == pytest.approx(-other.go_from)
    seen = {"estimate": 5.0, "errors": [3.0]}
    looks = {"at": [0.5, 1.0]}
    high = rm.design_effect({"people": 200, "effect": EFFECT, "looks": looks, "seen": seen}, is_simulated=False)
    turned = {**EFFECT, "difference": -6.0}
    low = rm.design_effect({"people": 200, "effect": turned, "looks": looks, "seen": {**seen, "estimate": -5.0}},
                           is_simulated=False)  # fmt: skip
    assert high.content["seen"]["to_come"] == pytest.approx(low.content["seen"]["to_come"])


@pytest.mark.parametrize("spending", ["obrien-fleming", "hwang-shih-decani:-2"])
def test_simulated_looks_agree_with_the_recursion(spending: str) -> None:
    """Power, error and people at the stop, by people and by integral."""
    looks = {"at": [0.5, 1.0], "spending": spending, "futility_z": [0.0]}
    row = rm.design_effect({"people": 440, "effect": EFFECT, "looks": looks}, seed=4).content["sizes"][0]
    simulated, stated = row["simulated"], row["looks"]["under"]["stated"]
    assert simulated["power"]["value"] == pytest.approx(stated["reached"], abs=4.0 * simulated["power"]["mcse"])
    expected = simulated["expected_people"]
    assert expected["value"] == pytest.approx(stated["expected_people"], abs=5.0 * expected["mcse"])
    assert simulated["nulls"]["no effect"]["value"] < 0.05


def test_blinded_numbers_change_the_size_and_never_shrink_the_trial() -> None:
    """A larger SD needs more people; a smaller one does not send anybody home."""
    sizes = [
        rm.design_effect({"people": 300, "effect": EFFECT, "blinded": {"people": 120, "sd": sd}}, power=0.9,
                         is_simulated=False).content["blinded"]["people"]
        for sd in (4.0, 20.0, 26.0)
    ]  # fmt: skip
    assert sizes[0] == 120 < sizes[1] < sizes[2]
    plain = rm.design_effect({"effect": {**EFFECT, "sd": 26.0}}, power=0.9, is_simulated=False).smallest_n
    assert sizes[2] == plain
    shares = {"law": "proportions", "treatment": 0.5, "control": 0.3}
    found = rm.design_effect({"people": 200, "effect": shares, "blinded": {"people": 80, "share": 0.3}}, power=0.9,
                             is_simulated=False).content["blinded"]["law"]  # fmt: skip
    assert found["treatment"] - found["control"] == pytest.approx(0.2)
    assert (found["treatment"] + found["control"]) / 2.0 == pytest.approx(0.3)


LOOKS = {"at": [0.5, 1.0]}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"looks": {"at": [1.0, 0.5]}}, r"looks\.at"),
        ({"looks": {"at": [0.5, 0.9]}}, r"looks\.at"),
        ({"looks": {"at": []}}, r"looks\.at"),
        ({"looks": {**LOOKS, "spending": "hwang"}}, r"looks\.spending"),
        ({"looks": {**LOOKS, "spending": "hwang-shih-decani:99"}}, "-40 to 40"),
        ({"looks": {**LOOKS, "beta_spending": "classical-pocock"}}, "a spending function"),
        ({"looks": {**LOOKS, "futility_z": [0, 0]}}, "one for each look but the last"),
        ({"seen": {"estimate": 3, "errors": [2]}}, "looks"),
        ({"looks": LOOKS, "seen": {"estimate": 3, "errors": [2, 3]}}, "falling errors"),
        ({"looks": LOOKS, "seen": {"estimate": 3, "errors": [0]}}, "errors"),
        ({"blinded": {"people": 100, "share": 0.5}}, "sd, as the law has"),
        ({"decision": {"target": 5, "reference": 5}}, "reference"),
        ({"decision": {"target": 5, "reference": 3, "go_at": 0.05}}, "more than stop_below"),
    ],
)
def test_looks_that_cannot_be_are_refused(more: dict[str, Any], said: str) -> None:
    """Looks out of order, or an error that grows, would give boundaries without meaning."""
    with pytest.raises(SpecError, match=said):
        rm.design_effect({"people": 200, "effect": EFFECT, **more}, power=0.9, is_simulated=False)


def test_a_fixed_shape_refuses_looks_elsewhere() -> None:
    """A classical boundary was made for its looks; at others its error would be another one, without a word."""
    with pytest.raises(SpecError, match="a spending function"):
        boundaries_of(plan(0.5, 1.0, spending="classical-pocock"), level=0.025, information=[0.7], planned=1.0)


def test_equivalence_has_no_looks() -> None:
    """Two tests at once have no boundary here: said, not guessed."""
    effect = {**EFFECT, "goal": "equivalence", "margin": 8.0}
    with pytest.raises(SpecError, match="equivalence"):
        EffectFile.from_dict({"people": 100, "effect": effect, "looks": LOOKS})


LAWS = {
    "difference": {"law": "difference", "difference": -8.0, "sd": 20.0, "baseline_correlation": 0.4},
    "proportions": {"law": "proportions", "treatment": 0.45, "control": 0.25, "leaving": {"share": 0.2, "by_day": 90}},
    "rate": {"law": "rate", "rate_ratio": 0.7, "control_rate_per_day": 0.2, "days": 28, "dispersion": 0.4},
}


@pytest.mark.parametrize("name", LAWS)
def test_a_size_that_is_kept_is_the_trial_of_that_size(name: str) -> None:
    """The exact limit: a rule that never changes the size has the power and errors of the plain trial, bit by bit."""
    law = EffectFile.from_dict({"id": "x", "people": 100, "effect": LAWS[name]}).effect
    given = {"alpha": 0.05, "n_replicates": 300, "seed": 4}
    plain = simulate_law(law, 100, 0.5, **given)  # type: ignore[arg-type]
    kept = simulate_reestimation(law, 100, 40, 0.5, lambda _: 100, **given)  # type: ignore[arg-type]
    assert kept["power"] == {"value": plain.power.value, "mcse": plain.power.mcse}
    assert kept["nulls"]["no effect"]["value"] == plain.nulls["no effect"].value
    assert kept["people"]["value"] == kept["people_low"] == kept["people_high"] == 100


@pytest.mark.parametrize(("name", "number"), [("difference", "sd"), ("proportions", "share"), ("rate", "rate_per_day")])
def test_the_blinded_numbers_of_many_people_are_those_of_the_law(name: str, number: str) -> None:
    """A nuisance number of the wrong scale would give every trial the wrong size."""
    law = EffectFile.from_dict({"id": "x", "people": 100, "effect": LAWS[name]}).effect
    cohort = next(cohorts_of(4000, 0.5, 20, 3))
    found = nuisance_of(law, cohort)
    assert list(found) == [number]
    blinded = {"people": 4000, number: float(found[number].mean())}
    back = with_blinded(law, Blinded.from_dict(blinded), 0.5)
    # Half of a difference of 8 on each side adds 4 squared to the pooled variance.
    stated = {"difference": np.hypot(20.0, 4.0), "proportions": 0.25, "rate": 0.2}[name]
    fields = back.to_dict()
    believed = {"difference": "sd", "proportions": "control", "rate": "control_rate_per_day"}[name]
    value = fields[believed]["control"] if name == "difference" else fields[believed]
    assert value == pytest.approx(stated, rel=0.02)


def test_a_size_that_is_reckoned_again_keeps_power_and_error() -> None:
    """Blinded numbers must bring the power back where the spread was believed too small, and keep the error."""
    effect = {"people": 100, "effect": {"law": "difference", "difference": -8.0, "sd": 16.0}}
    found = rm.design_effect({**effect, "blinded": {"people": 60, "sd": 22.0}}, power=0.8, max_replicates=1000).content[
        "blinded"
    ]["simulated"]
    stated, seen = found
    assert [one["numbers"] for one in found] == ["as stated", "as seen"]
    assert seen["people"]["value"] > stated["people"]["value"] > 100
    for one in found:
        assert one["power"]["value"] > 0.8 - 4.0 * one["power"]["mcse"]
        assert abs(one["nulls"]["no effect"]["value"] - 0.05) < 4.0 * one["nulls"]["no effect"]["mcse"]
        assert one["people_low"] <= one["people"]["value"] <= one["people_high"] <= one["most"]
