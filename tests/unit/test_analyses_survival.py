"""Log-rank tests and restricted means against lifelines, and their limits."""

import numpy as np
import pytest
from lifelines import KaplanMeierFitter
from lifelines.statistics import logrank_test
from lifelines.utils import restricted_mean_survival_time
from one_replicate import analyze_log_rank

from remission.analyses.estimate import Status
from remission.analyses.hazards import analyze_hazard, analyze_restricted_mean

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pandas.errors.Pandas4Warning")

N = 90
TREATED = np.arange(N) % 2 == 0


@pytest.fixture
def times() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    days = np.ceil(rng.exponential(np.where(TREATED, 25.0, 12.0)))
    return days.clip(max=30.0), (days < 30.0) & (rng.uniform(size=N) < 0.8)


def test_log_rank_is_that_of_a_second_library(times: tuple[np.ndarray, np.ndarray]) -> None:
    """Ties on whole days are the rule here; each library must treat them the same way."""
    days, event = times
    found = analyze_log_rank(days, event, TREATED)
    other = logrank_test(days[TREATED], days[~TREATED], event[TREATED], event[~TREATED])
    assert found.p_value == pytest.approx(other.p_value, rel=1e-9)
    # The interval belongs to the test: its z is the root of the statistic.
    z = np.log(found.estimate) / (np.log(found.high / found.low) / (2 * 1.959963984540054))
    assert z**2 == pytest.approx(other.test_statistic, rel=1e-9)


def test_one_step_ratio_is_near_cox_where_the_effect_is_small(times: tuple[np.ndarray, np.ndarray]) -> None:
    """It is the first step of the regression from no effect, and agrees with it there."""
    days, event = times
    rng = np.random.default_rng(8)
    treated = rng.uniform(size=N) < 0.5
    one, all_steps = analyze_log_rank(days, event, treated), analyze_hazard(days, event, treated, np.zeros((N, 0)))
    assert np.log(one.estimate) == pytest.approx(np.log(all_steps.estimate), abs=0.02)


def test_strata_are_added_up_and_not_mixed(times: tuple[np.ndarray, np.ndarray]) -> None:
    """Each stratum counts by its information; one with a single side says nothing and changes nothing."""
    days, event = times
    strata = (np.arange(N) // 45).astype(np.int64)
    apart = [analyze_log_rank(days[strata == s], event[strata == s], TREATED[strata == s]) for s in (0, 1)]
    together = analyze_log_rank(days, event, TREATED, strata)
    weights = [(2 * 1.959963984540054 / np.log(one.high / one.low)) ** 2 for one in apart]
    mean = np.average([np.log(one.estimate) for one in apart], weights=weights)
    assert np.log(together.estimate) == pytest.approx(mean, rel=1e-9)
    alone = np.where(np.arange(N) < 10, np.where(TREATED, 5, 6), 0)
    rest = alone == 0
    assert analyze_log_rank(days, event, TREATED, alone) == analyze_log_rank(days[rest], event[rest], TREATED[rest])


def test_restricted_means_are_those_of_a_second_library(times: tuple[np.ndarray, np.ndarray]) -> None:
    """The area under each curve, with a tau on an event day and between days; errors have tests of their own below."""
    days, event = times
    for tau in (9.0, 20.5, 30.0):
        found = analyze_restricted_mean(days, event, TREATED, tau_day=tau)
        with np.errstate():  # lifelines changes it and does not put it back
            means = [
                restricted_mean_survival_time(KaplanMeierFitter().fit(days[side], event[side]), t=tau)
                for side in (TREATED, ~TREATED)
            ]
        assert found.estimate == pytest.approx(means[0] - means[1], rel=1e-9)


def test_the_error_of_restricted_means_without_censoring_is_that_of_a_mean() -> None:
    """Everybody is followed: the restricted mean is the mean of min(T, tau), with the variance of a mean (over n)."""
    rng = np.random.default_rng(11)
    days, tau = np.ceil(rng.exponential(15.0, N)), 20.0
    found = analyze_restricted_mean(days, np.ones(N, dtype=bool), TREATED, tau_day=tau)
    cut = [np.minimum(days[side], tau) for side in (TREATED, ~TREATED)]
    assert found.estimate == pytest.approx(cut[0].mean() - cut[1].mean(), rel=1e-12)
    error = np.sqrt(sum(side.var() / side.size for side in cut))
    assert (found.high - found.low) / (2 * 1.959963984540054) == pytest.approx(error, rel=1e-9)


@pytest.mark.stat
def test_intervals_of_restricted_means_hold_their_coverage_under_censoring() -> None:
    """400 trials with a fifth censored early: coverage within 4 Monte Carlo errors of 95 percent."""
    rng = np.random.default_rng(3)
    tau, inside = 20.0, 0
    truth = sum(sign * mean * (1 - np.exp(-tau / mean)) for sign, mean in ((1, 25.0), (-1, 12.0)))
    treated = np.arange(160) % 2 == 0
    for _ in range(400):
        real, end = rng.exponential(np.where(treated, 25.0, 12.0)), rng.uniform(5.0, 60.0, 160)
        found = analyze_restricted_mean(np.minimum(real, end), real <= end, treated, tau_day=tau)
        inside += found.low <= truth <= found.high
    assert abs(inside / 400 - 0.95) < 4.0 * np.sqrt(0.95 * 0.05 / 400)


def test_times_that_cannot_be_analyzed_have_a_status() -> None:
    """A curve that ends before tau has no area up to it; a side of one person has no spread."""
    days, nobody, everybody = np.linspace(1.0, 10.0, N), np.zeros(N, dtype=bool), np.ones(N, dtype=bool)
    short = days < 3.0
    assert analyze_restricted_mean(days, short, TREATED, tau_day=30.0).status is Status.NOT_ESTIMABLE
    assert analyze_restricted_mean(days, nobody, TREATED, tau_day=30.0).status is Status.NOT_ESTIMABLE
    assert analyze_restricted_mean(days + 30.0, nobody, TREATED, tau_day=30.0).status is Status.NO_VARIATION
    assert analyze_restricted_mean(days, short, days < 1.05, tau_day=3.0).status is Status.NO_VARIATION
    assert analyze_restricted_mean(days, everybody, nobody, tau_day=3.0).status is Status.NO_VARIATION
    assert analyze_log_rank(days, nobody, TREATED).status is Status.NO_VARIATION
    assert analyze_log_rank(days, everybody, TREATED, np.arange(N)).status is Status.NOT_ESTIMABLE
    assert analyze_hazard(days, days > 5, TREATED, TREATED[:, None] * 1.0).status is Status.NOT_ESTIMABLE
    # After the last event everybody is dead, so the curve is known to stay at zero.
    assert analyze_restricted_mean(days, everybody, TREATED, tau_day=30.0).status is Status.OK
