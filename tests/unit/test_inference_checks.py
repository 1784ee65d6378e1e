"""The checks of the inference (make ranks, make inference): their own arithmetic, which needs none of the libraries."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import kstest, truncnorm
from validation.inference import ranks, second
from validation.inference.basis import REGISTERED, chance_of, own_values, prior_draws, units_of

from remission.calibration.emulator import Emulator
from remission.calibration.fit import TrialData, posterior_model, prior_of, published_results
from remission.calibration.wave import trial_targets
from remission.library.calibration_plan import load_calibration_plan

PLAN = load_calibration_plan()
NAMES = REGISTERED["ranks"]["quantities"]


def test_uniform_ranks_pass_and_three_kinds_of_wrong_ones_do_not() -> None:
    """A test that cannot fail would call any inference calibrated."""
    u = np.random.default_rng(9).uniform(size=(200, len(NAMES)))
    assert ranks.judged(u)["rejected"] == []
    for wrong in (u**1.6, 0.5 + 0.5 * np.sign(u - 0.5) * np.abs(2 * u - 1) ** 0.6, 0.5 + 0.6 * (u - 0.5)):
        changed = u.copy()
        changed[:, 3] = np.clip(wrong[:, 3], 0.0, 0.999)
        assert ranks.judged(changed)["rejected"] == [NAMES[3]]


def test_draws_of_the_prior_are_those_of_the_plan() -> None:
    """Ranks are uniform only for values drawn from the very prior that the fit has."""
    draws = prior_draws(PLAN, 3000, np.random.default_rng(5))
    value = next(one for one in PLAN.value if one.name == "half_use_day")
    low, high, center, sd = prior_of(value)
    law = truncnorm((low - center) / sd, (high - center) / sd, center, sd)
    assert kstest(np.log(draws["half_use_day"]), law.cdf).pvalue > 0.001
    # The soft edge of the box takes the widest hierarchies away.
    assert 0.8 * PLAN.hierarchy.mean_sd < draws["mean"].std() < PLAN.hierarchy.mean_sd * 1.05
    assert draws["effect"].shape == (3000, len(PLAN.trial))
    over = np.abs(units_of(PLAN, draws, 0)).max(axis=1)
    assert (over > 1.0).mean() < 0.05
    assert over.max() < 1.5
    one = own_values(PLAN, draws, 7, 2)
    assert one["use_effect"] == draws["effect"][7, 2]
    assert one["slope"] == draws["slope"][7]


def test_what_the_simulator_publishes_is_read_as_published_data_are() -> None:
    """Of the trial that stopped early only a significant one is on file; where all are seen, most are nulls."""
    targets = tuple(one for one in trial_targets(PLAN) if one.entry.protocol in {"dakwar-2019", "tobacco-pilot"})
    values = {one.name: one.low if one.center is None else one.center for one in PLAN.value} | {"use_effect": 0.8}
    found = [ranks._data_set(targets, PLAN.selection.alpha, ([dict(values)] * 2, 1.0, seed)) for seed in range(2)]
    for early, pilot in found:
        assert early.significant == 1
        assert early.value.shape == early.error.shape == (4,)
        assert np.isfinite(early.value).all()
        assert (early.error > 0.0).all()
        assert pilot.value.size == 0
        assert bool(pilot.significant) == (pilot.verdict[0] != 0)
    assert any(not pilot.significant for _, pilot in found)


def _flat(n_outcomes: int, value: float) -> Emulator:
    return Emulator(
        points=np.zeros((1, len(PLAN.value))), lengths=np.ones((n_outcomes, len(PLAN.value))),
        weights=np.zeros((n_outcomes, 1)), constants=np.full(n_outcomes, value), error=np.full(n_outcomes, 0.1),
        rms=np.zeros(n_outcomes), r2=np.ones(n_outcomes),
    )  # fmt: skip


def test_the_sampled_density_is_the_one_that_is_written_down() -> None:
    """The prior and likelihood that the sampler sees, at one place, against the sum of their parts."""
    numpyro = pytest.importorskip("numpyro")
    import jax

    jax.config.update("jax_enable_x64", True)
    targets = trial_targets(PLAN)
    trials = tuple(
        TrialData(
            targets=one, emulator=_flat(len(one.numbers) + 2 * len(one.analyses), 0.1),
            correlation=np.eye(len(one.numbers)),
        )
        for one in targets
    )  # fmt: skip
    draws = prior_draws(PLAN, 1, np.random.default_rng(3))
    true = {name: one[0] for name, one in draws.items()}
    model = posterior_model(PLAN, trials)
    results = [published_results(one) for one in targets]
    sites = ranks._sites(PLAN, true)
    trace = numpyro.handlers.trace(numpyro.handlers.substitute(model, data=sites)).get_trace(results)
    np.testing.assert_allclose(trace["effect"]["value"], true["effect"], rtol=1e-9)
    np.testing.assert_allclose(trace["level"]["value"], true["level"], rtol=1e-9)
    kare = results[0]
    spread = np.hypot(kare.error, 0.1)
    expected = (-0.5 * ((kare.value - 0.1) / spread) ** 2 - np.log(spread * np.sqrt(2 * np.pi))).sum()
    assert float(trace["trial_0"]["fn"].log_factor) == pytest.approx(expected, rel=1e-6)


def test_the_published_results_are_those_of_the_registry() -> None:
    """What a data set of the simulator is exchanged with."""
    results = {one.entry.protocol: published_results(one) for one in trial_targets(PLAN)}
    assert results["kare"].significant == 1
    assert results["dakwar-2020"].verdict.tolist() == [-1]
    assert results["yoon-2025"].verdict.tolist() == [0, 0]
    assert results["yoon-2025"].significant == 0
    assert results["krupitsky-2007"].significant == 1


def test_what_a_flow_learns_from_is_what_comes_on_file() -> None:
    """Nulls that are on file less surely must be rarer in the data it learns from, and the columns those it reads."""
    targets = trial_targets(PLAN)
    trials = tuple(
        TrialData(
            targets=one, emulator=_flat(len(one.numbers) + 2 * len(one.analyses), 0.1),
            correlation=np.eye(len(one.numbers)),
        )
        for one in targets
    )  # fmt: skip
    values, data = second.simulated(PLAN, trials, 1500, 6)
    seen = second.published_row(trials)
    assert data.shape == (1500, len(seen))
    assert values.shape == (1500, len(REGISTERED["second"]["quantities"]))
    at = sum(len(one.numbers) + len(one.entry.verdicts) for one in targets[:2])
    assert targets[2].entry.protocol == "dakwar-2020"
    null = chance_of(PLAN, trials[2], trials[2].emulator.at(np.zeros((1, len(PLAN.value)))), 0)[0][0]
    # Chances of a null on file, at the seen share of each draw, lie between those at its ends.
    low, high = (share * null / (1.0 - null + share * null) for share in (0.2, 1.0))
    assert low < (data[:, at] == 0.0).mean() < high - 0.02
    draws = prior_draws(PLAN, 5, np.random.default_rng(1))
    again = second.back(second.forth(draws, PLAN))
    np.testing.assert_allclose(again["half_use_day"], draws["half_use_day"])
    np.testing.assert_allclose(again["effect.kare"], draws["effect"][:, 0])


def test_counts_that_a_flow_learns_from_are_the_binomial_beside_its_neighbor() -> None:
    """Of many people a count is the joint normal with the numbers beside it; of few it is a whole number, 0 too."""
    (one,) = (one for one in trial_targets(PLAN) if one.entry.protocol == "dakwar-2019")
    k, m = len(one.numbers), len(one.analyses)
    is_count = tuple(target.people > 0 for target in one.numbers)
    assert sum(is_count) == 2
    corr = np.full((k, k), 0.4) + 0.6 * np.eye(k)
    corr[2, 3] = corr[3, 2] = 0.0
    trial = TrialData(targets=one, emulator=_flat(k + 2 * m, 0.3), correlation=corr, is_count=is_count)
    told, at = published_results(one), np.full((40_000, k), 0.3)
    few, many = (np.array([np.zeros(k), np.where(is_count, people, 0.0)]) for people in (27.0, 4_000_000.0))
    found = second._numbers(trial, replace(told, counted=few), at, np.random.default_rng(8))[:, 2:]
    assert np.array_equal(found, np.round(found))
    assert found.min() >= 0
    assert found.mean() / 27.0 == pytest.approx(expit(0.3), abs=0.01)
    found = second._numbers(trial, replace(told, counted=many), at, np.random.default_rng(8))
    # With an error of the emulator far above chance the count is the emulator's, and moves nothing beside it.
    logit = np.log(found[:, 2:] / (4_000_000.0 - found[:, 2:]))
    np.testing.assert_allclose(logit.std(axis=0), 0.1, rtol=0.03)
    assert abs(np.corrcoef(logit[:, 0], found[:, 0])[0, 1]) < 0.03
    spread = np.hypot(told.error[:2], 0.1)
    np.testing.assert_allclose((found[:, :2] * told.error[:2]).std(axis=0), spread, rtol=0.03)
    exact = replace(trial, emulator=replace(trial.emulator, error=np.full(k + 2 * m, 1e-9)))
    found = second._numbers(exact, replace(told, counted=many), at, np.random.default_rng(9))
    np.testing.assert_allclose(np.corrcoef(found, rowvar=False), corr, atol=0.03)
