"""Solvers that stop, warn or break: each way has a status and no number. The other two tests of odds are here too."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import xlogy

from remission.analyses import bayes, counts, hazards, odds, repeated
from remission.analyses.estimate import Estimate, Estimates, Status, ratio_estimate
from remission.analyses.hazards import analyze_hazard
from remission.analyses.imputation import analyze_imputed
from remission.analyses.means import analyze_difference
from remission.analyses.odds import analyze_odds
from remission.streams import People

N = 40
TREATED = np.arange(N) % 2 == 0
NOTHING = np.zeros((N, 0))
SEEN = np.full(N, 28.0)
COUNTS = np.arange(N) % 5.0
DAYS = np.linspace(3.0, 40.0, N)
EVENTS = (np.arange(N) % 7 < 3 + TREATED) * 1.0


def assert_failed(found: Estimate, status: Status) -> None:
    assert found.status is status
    assert np.isnan([found.estimate, found.low, found.high, found.p_value]).all()


def test_a_ratio_without_a_number_is_no_estimate() -> None:
    """NaN passes every comparison that it should fail."""
    assert_failed(ratio_estimate(np.nan, 1.0), Status.NOT_CONVERGED)
    assert_failed(ratio_estimate(0.5, np.inf), Status.NOT_CONVERGED)
    assert_failed(ratio_estimate(0.5, 0.0), Status.NO_VARIATION)


def test_a_difference_without_freedom_or_spread_is_no_estimate() -> None:
    """Four people and four columns fit anything; an outcome that the terms foretell leaves no error."""
    assert_failed(analyze_difference(DAYS[:4], TREATED[:4], np.eye(4)[:, :2]), Status.NOT_ESTIMABLE)
    assert_failed(analyze_difference(2.0 * TREATED + DAYS, TREATED, DAYS[:, None]), Status.NO_VARIATION)


def test_the_score_test_of_a_table_is_pearsons() -> None:
    """The classical chi-squared without correction, for a regression with the treatment alone."""
    found = analyze_odds(EVENTS, TREATED, NOTHING, test="score")
    table = [[EVENTS[side].sum(), (1.0 - EVENTS[side]).sum()] for side in (TREATED, ~TREATED)]
    assert found.p_value == pytest.approx(stats.chi2_contingency(table, correction=False).pvalue, rel=1e-9)


def test_the_likelihood_ratio_of_a_table_is_by_hand() -> None:
    """Twice the difference of two binomial log likelihoods, one share or two."""
    found = analyze_odds(EVENTS, TREATED, NOTHING, test="likelihood-ratio")

    def log_likelihood(events: np.ndarray) -> float:
        return float(xlogy(events.sum(), events.mean()) + xlogy((1.0 - events).sum(), 1.0 - events.mean()))

    gain = log_likelihood(EVENTS[TREATED]) + log_likelihood(EVENTS[~TREATED]) - log_likelihood(EVENTS)
    assert found.p_value == pytest.approx(stats.chi2.sf(2.0 * gain, 1), rel=1e-9)


@pytest.mark.parametrize("steps", [0, 1])
def test_a_fit_that_stopped_early_is_no_estimate(steps: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its numbers look like all others. Each search is cut off before it can arrive."""
    wide = np.where(np.arange(N) % 4 < 2, 0.0, 20.0) + COUNTS
    table = np.add.outer(DAYS, np.arange(3.0) ** 2) + np.outer(COUNTS, np.arange(3.0))
    table[::5, 2] = np.nan
    for module in (odds, hazards, counts, repeated):
        monkeypatch.setattr(module, "_STEPS", steps)
    for found in (
        analyze_odds(EVENTS, TREATED, DAYS[:, None]),
        analyze_hazard(DAYS, EVENTS > 0, TREATED, NOTHING),
        counts.analyze_rate(wide, SEEN, TREATED, NOTHING),
        counts.analyze_day_odds(COUNTS + 1.0, SEEN, TREATED, NOTHING),
        repeated.analyze_repeated(table, TREATED, NOTHING),
    ):
        assert_failed(found, Status.NOT_CONVERGED)


def test_a_rate_without_bound_is_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """One count in a million days: an error of a log ratio that large is a ratio of anything."""
    monkeypatch.setattr(counts, "LARGEST_ERROR", 0.01)
    assert_failed(counts.analyze_rate(COUNTS + 9.0, SEEN, TREATED, NOTHING), Status.SEPARATION)
    assert_failed(counts.analyze_day_odds(COUNTS + 9.0, SEEN, TREATED, NOTHING), Status.SEPARATION)


def test_an_imputed_outcome_without_spread_is_no_estimate() -> None:
    """Weights of zero make everybody the same."""
    rng = np.random.default_rng(1)
    people = People.of_replicates(seed=1, first=0, count=1, n_subjects=N)
    found = analyze_imputed(
        rng.normal(size=(N, 2)), TREATED, NOTHING, people,
        assumption="missing-at-random", n_imputations=2, weight=np.zeros(2),
    )  # fmt: skip
    assert_failed(found, Status.NO_VARIATION)


def test_single_estimates_become_columns() -> None:
    """In the order of the replicates, the failed one in its place."""
    columns = Estimates.of([ratio_estimate(0.0, 1.0), ratio_estimate(np.nan, 1.0)])
    assert columns.status == (Status.OK, Status.NOT_CONVERGED)
    np.testing.assert_array_equal(np.isnan(columns.p_value), [False, True])


def test_a_posterior_that_was_not_found_is_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A term that foretells the outcome flattens the likelihood until nothing can be solved."""
    monkeypatch.setattr(odds, "_STEPS", 1)
    assert_failed(bayes.analyze_odds_with_prior(EVENTS, TREATED, NOTHING, center=0.0, sd=1.0), Status.SEPARATION)
