"""Solvers that stop, warn or break: each way has a status and no number. The other two tests of odds are here too."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats
from scipy.special import xlogy

from remission.analyses import bayes, counts, fast_odds, hazards, repeated
from remission.analyses.estimate import Estimate, Estimates, Status, ratio_estimate
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


def broken(*_: Any, **__: Any) -> Any:
    raise np.linalg.LinAlgError


def model(**fit: Any) -> Any:
    """A stand-in for a library's model whose fit has these attributes."""
    return lambda *_, **__: SimpleNamespace(fit=lambda *_, **__: SimpleNamespace(**fit))


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


def test_a_cox_fit_that_breaks_is_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A singular matrix must not end a run of ten thousand trials."""
    monkeypatch.setattr(hazards, "PHReg", broken)
    assert_failed(hazards.analyze_hazard(DAYS, EVENTS > 0, TREATED, NOTHING), Status.NOT_CONVERGED)


@pytest.mark.parametrize(
    ("name", "fake", "status"),
    [
        ("GLM", model(converged=False, bse=np.ones(2)), Status.NOT_CONVERGED),
        ("GLM", model(converged=True, bse=np.full(2, 50.0), params=np.zeros(2), mu=COUNTS + 9.0), Status.SEPARATION),
        ("NegativeBinomial", model(mle_retvals={"converged": False}), Status.NOT_CONVERGED),
    ],
    ids=["Poisson stopped", "no bound", "negative binomial stopped"],
)
def test_a_rate_that_was_not_found_is_no_estimate(
    name: str, fake: Any, status: Status, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three ways to fail; the data scatter enough for the negative binomial, but where the stand-in says otherwise."""
    monkeypatch.setattr(counts, name, fake)
    wide = np.where(np.arange(N) % 4 < 2, 0.0, 20.0) + COUNTS
    given = wide if name == "NegativeBinomial" or not fake().fit().converged else COUNTS + 9.0
    assert_failed(counts.analyze_rate(given, SEEN, TREATED, NOTHING), status)


@pytest.mark.parametrize(
    ("curve", "status"),
    [(np.zeros((3, 3)), Status.NOT_CONVERGED), (-np.eye(3), Status.NOT_CONVERGED), (2e-3 * np.eye(3), None)],
    ids=["flat", "a saddle", "nearly flat"],
)
def test_day_odds_that_were_not_found_are_no_estimate(
    curve: np.ndarray, status: Status | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A likelihood without a top gives no curvature to make an interval of; nearly none is an error without bound."""
    monkeypatch.setattr(counts, "approx_fprime", lambda *_: curve)
    found = counts.analyze_day_odds(COUNTS + 1.0, SEEN, TREATED, NOTHING)
    assert_failed(found, Status.SEPARATION if status is None else status)


def test_estimating_equations_that_break_or_stop_are_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A singular cluster, or a search that was cut off."""
    values = np.add.outer(DAYS, np.arange(3.0) ** 2) + np.outer(COUNTS, np.arange(3.0))
    stopped = model(converged=False, params=np.zeros(4), bse=np.ones(4))
    for fake in (stopped, lambda *_, **__: SimpleNamespace(fit=broken)):
        monkeypatch.setattr(repeated, "GEE", fake)
        assert_failed(repeated.analyze_repeated(values, TREATED, NOTHING), Status.NOT_CONVERGED)


def test_an_imputed_outcome_without_spread_is_no_estimate() -> None:
    """Weights of zero make everybody the same."""
    rng = np.random.default_rng(1)
    people = People.of_replicates(seed=1, first=0, count=1, n_subjects=N)
    found = analyze_imputed(
        rng.normal(size=(N, 2)), TREATED, NOTHING, people,
        assumption="missing-at-random", n_imputations=2, weight=np.zeros(2),
    )  # fmt: skip
    assert_failed(found, Status.NO_VARIATION)


@pytest.mark.parametrize("cause", ["singular", "steps"])
def test_replicates_that_the_fast_form_cannot_finish_go_to_the_library(
    cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their numbers and statuses must be the library's, not holes in the result."""
    rng = np.random.default_rng(3)
    terms = rng.normal(size=(2, 1, N))
    events, treated = np.stack([EVENTS, TREATED * 1.0]), np.stack([TREATED, TREATED])
    if cause == "singular":
        monkeypatch.setattr(np.linalg, "inv", broken)
    else:
        monkeypatch.setattr(fast_odds, "_STEPS", 1)
    found = fast_odds.analyze_many_odds(events, np.ones((2, N), dtype=bool), treated, terms)
    monkeypatch.undo()
    single = analyze_odds(EVENTS, TREATED, terms[0].T)
    assert found.status == (Status.OK, Status.SEPARATION)
    assert found.n_failed == 1
    assert found.estimate[0] == single.estimate


def test_single_estimates_become_columns() -> None:
    """In the order of the replicates, the failed one in its place."""
    columns = Estimates.of([ratio_estimate(0.0, 1.0), ratio_estimate(np.nan, 1.0)])
    assert columns.status == (Status.OK, Status.NOT_CONVERGED)
    np.testing.assert_array_equal(np.isnan(columns.p_value), [False, True])


def test_a_posterior_that_breaks_is_no_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    """A term that foretells the outcome flattens the likelihood until nothing can be solved."""
    monkeypatch.setattr(np.linalg, "solve", broken)
    assert_failed(bayes.analyze_odds_with_prior(EVENTS, TREATED, NOTHING, center=0.0, sd=1.0), Status.SEPARATION)
