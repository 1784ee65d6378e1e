"""Posteriors against quadrature over all parameters, sums in closed form, and their limits without a prior."""

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import betaln

from remission.analyses.bayes import (
    _crossing,
    analyze_difference_with_prior,
    analyze_odds_with_prior,
    analyze_shares_with_prior,
)
from remission.analyses.estimate import Status
from remission.analyses.means import analyze_difference
from remission.analyses.odds import analyze_odds

N = 40
TREATED = np.arange(N) % 2 == 0
NOTHING = np.zeros((N, 0))


def test_a_flat_prior_is_least_squares() -> None:
    """Worth nobody, the prior must leave the analysis that everybody knows."""
    rng = np.random.default_rng(1)
    age = rng.normal(50.0, 9.0, (N, 1))
    values = rng.normal(60.0, 10.0, N) + 6.0 * TREATED + 0.3 * age[:, 0]
    found = analyze_difference_with_prior(values, TREATED, age, center=55.0, worth_people=0.0)
    plain = analyze_difference(values, TREATED, age)
    for name in ("estimate", "low", "high", "p_value"):
        assert getattr(found, name) == pytest.approx(getattr(plain, name), rel=1e-9)


def test_the_posterior_of_a_difference_is_that_of_quadrature() -> None:
    """Likelihood times prior on a grid of level, difference and spread; nothing there is conjugate."""
    rng = np.random.default_rng(4)
    values = rng.normal(60.0, 10.0, N) + 12.0 * TREATED
    found = analyze_difference_with_prior(values, TREATED, NOTHING, center=2.0, worth_people=30.0)
    level = np.linspace(45.0, 75.0, 121)[:, None, None]
    delta = np.linspace(-15.0, 30.0, 451)[None, :, None]
    log_sd = np.linspace(np.log(5.0), np.log(25.0), 121)[None, None, :]
    variance = np.exp(2.0 * log_sd)
    sides = [values[side] for side in (~TREATED, TREATED)]
    log_p = -0.5 * 30.0 / 4.0 * (delta - 2.0) ** 2 / variance - log_sd
    for side, shift in zip(sides, (0.0, delta), strict=True):
        spread = side.size * (side.mean() - level - shift) ** 2 + side.var() * side.size
        log_p = log_p - 0.5 * spread / variance - side.size * log_sd
    # The prior 1 / s^2 of the variance is flat in log s.
    weight = np.exp(log_p - log_p.max()).sum(axis=(0, 2))
    weight /= weight.sum()
    places = delta[0, :, 0]
    below = np.cumsum(weight) - weight / 2.0
    assert found.estimate == pytest.approx(float(weight @ places), abs=0.01)
    assert found.low == pytest.approx(np.interp(0.025, below, places), abs=0.05)
    assert found.high == pytest.approx(np.interp(0.975, below, places), abs=0.05)
    assert found.p_value == pytest.approx(2.0 * np.interp(0.0, places, below), rel=0.05)


def test_the_posterior_of_shares_is_the_sum_in_closed_form() -> None:
    """For whole numbers the chance that one beta exceeds another is a finite sum."""
    events = np.concatenate([np.ones(13), np.zeros(14), np.ones(3), np.zeros(25)])
    treated = np.arange(55) < 27
    found = analyze_shares_with_prior(events, treated, prior_events=1.0, prior_others=2.0)
    (a1, b1), (a0, b0) = (14, 16), (4, 27)
    above = sum(
        np.exp(betaln(a0 + i, b0 + b1) - np.log(b1 + i) - betaln(1 + i, b1) - betaln(a0, b0)) for i in range(a1)
    )
    # The sum is the chance that treatment's share is the smaller one, when the roles of the two are exchanged.
    exceeds = sum(
        np.exp(betaln(a1 + i, b1 + b0) - np.log(b0 + i) - betaln(1 + i, b0) - betaln(a1, b1)) for i in range(a0)
    )
    assert min(above, exceeds) + max(above, exceeds) == pytest.approx(1.0, rel=1e-9)
    assert found.p_value == pytest.approx(2.0 * min(above, exceeds), rel=1e-6)
    assert found.estimate == pytest.approx(100.0 * (a1 / (a1 + b1) - a0 / (a0 + b0)), rel=1e-12)
    draws = np.random.default_rng(0)
    difference = 100.0 * (draws.beta(a1, b1, 400_000) - draws.beta(a0, b0, 400_000))
    np.testing.assert_allclose([found.low, found.high], np.quantile(difference, [0.025, 0.975]), atol=0.2)


def test_shares_without_an_event_still_have_a_posterior() -> None:
    """A beta prior below 1 has a density without bound at 0, where the quadrature must not lose what lies there."""
    found = analyze_shares_with_prior(np.zeros(N), TREATED, prior_events=0.5, prior_others=0.5)
    assert found.estimate == 0.0
    assert found.low == pytest.approx(-found.high, abs=1e-3)
    assert found.p_value == pytest.approx(1.0, abs=1e-3)


def log_posterior(x: np.ndarray, events: np.ndarray, z: np.ndarray) -> float:
    line = x[0] + x[1] * TREATED + x[2] * z
    return float(np.sum(events * line - np.logaddexp(0.0, line)) + stats.norm.logpdf(x[1], 0.2, 0.8))


def test_the_mode_of_the_log_odds_is_the_top_of_the_posterior() -> None:
    """Found anew without slopes; and the interval's width is the curvature there."""
    rng = np.random.default_rng(6)
    age = rng.normal(45.0, 8.0, N)
    z = (age - age.mean()) / age.std()
    events = (rng.uniform(size=N) < 0.3 + 0.3 * TREATED) * 1.0
    found = analyze_odds_with_prior(events, TREATED, age[:, None], center=0.2, sd=0.8)
    best = minimize(lambda x: -log_posterior(x, events, z), np.zeros(3), method="BFGS", options={"gtol": 1e-9}).x
    assert np.log(found.estimate) == pytest.approx(best[1], abs=1e-6)
    step, unit = 1e-3, np.eye(3)
    curve = np.array(
        [
            [
                sum(
                    s * t * log_posterior(best + step * (s * unit[i] + t * unit[j]), events, z)
                    for s in (-1.0, 1.0)
                    for t in (-1.0, 1.0)
                )
                / (4 * step**2)
                for j in range(3)
            ]
            for i in range(3)
        ]
    )
    error = np.sqrt(np.linalg.inv(-curve)[1, 1])
    assert np.log(found.high / found.low) / (2 * 1.959963984540054) == pytest.approx(error, rel=1e-4)


def test_a_wide_prior_is_the_regression_and_a_narrow_one_is_the_prior() -> None:
    """The two ends between which a posterior must lie."""
    rng = np.random.default_rng(6)
    events, terms = (rng.uniform(size=N) < 0.3 + 0.3 * TREATED) * 1.0, rng.normal(size=(N, 1))
    plain = analyze_odds(events, TREATED, terms)
    wide = analyze_odds_with_prior(events, TREATED, terms, center=0.0, sd=100.0)
    assert wide.estimate == pytest.approx(plain.estimate, rel=1e-3)
    narrow = analyze_odds_with_prior(events, TREATED, terms, center=0.5, sd=0.01)
    assert np.log(narrow.estimate) == pytest.approx(0.5, abs=0.01)


def test_a_prior_holds_odds_that_would_run_away() -> None:
    """Everybody on one side, nobody on the other: a regression has no estimate, a posterior has."""
    found = analyze_odds_with_prior(TREATED * 1.0, TREATED, NOTHING, center=0.0, sd=1.0)
    assert found.status is Status.OK
    assert 1.0 < found.estimate < 100.0
    # The prior holds the treatment only: a term that foretells the outcome runs away as before.
    runaway = analyze_odds_with_prior(
        (np.arange(N) < 7) * 1.0, TREATED, np.arange(N)[:, None] * 1.0, center=0.0, sd=1.0
    )
    assert runaway.status is Status.SEPARATION


def test_posteriors_of_nothing_have_a_status() -> None:
    """One arm, no spread, or the treatment among the terms."""
    nobody, values = np.zeros(N, dtype=bool), np.arange(N) * 1.0
    own = TREATED[:, None] * 1.0

    def difference(y: np.ndarray, treated: np.ndarray, terms: np.ndarray, worth_people: float = 5.0) -> Status:
        return analyze_difference_with_prior(y, treated, terms, center=0.0, worth_people=worth_people).status

    assert difference(values, nobody, NOTHING) is Status.NO_VARIATION
    assert difference(np.ones(N), TREATED, NOTHING) is Status.NO_VARIATION
    assert difference(values, TREATED, own) is Status.NOT_ESTIMABLE
    assert difference(values[:4], TREATED[:4], np.eye(4)[:, :2], worth_people=0.0) is Status.NOT_ESTIMABLE
    assert analyze_shares_with_prior(TREATED * 1.0, nobody, prior_events=1.0, prior_others=1.0).status is (
        Status.NO_VARIATION
    )
    assert analyze_odds_with_prior(np.ones(N), TREATED, NOTHING, center=0.0, sd=1.0).status is Status.NO_VARIATION
    assert analyze_odds_with_prior(values % 2, TREATED, own, center=0.0, sd=1.0).status is Status.NOT_ESTIMABLE


def test_a_crossing_is_found_where_secants_creep_and_said_at_an_end_where_there_is_none() -> None:
    """A bound of an interval outside its bracket would be no bound; a step of any height must not stick."""
    assert _crossing(lambda x: x + 1.0, 0.0, 1.0) == 0.0
    assert _crossing(lambda x: x - 2.0, 0.0, 1.0) == 1.0
    assert _crossing(lambda x: 1e300 if x > 0.3 else -1e-12, 0.0, 1.0) == pytest.approx(0.3, abs=1e-11)
    assert _crossing(lambda x: x**3 - 0.008, -1.0, 1.0) == pytest.approx(0.2, abs=1e-11)
