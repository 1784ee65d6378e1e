"""Errors that hold where arms differ in spread, and Cox regression within strata, beside a second library."""

import numpy as np
import pytest
import statsmodels.api as sm

from remission.analyses.estimate import Status
from remission.analyses.hazards import analyze_hazard
from remission.analyses.means import analyze_difference


@pytest.mark.parametrize("n_terms", [0, 2])
def test_robust_errors_are_those_of_a_second_library(n_terms: int) -> None:
    """HC3 with degrees of freedom of people minus terms."""
    rng = np.random.default_rng(1)
    treated = np.arange(30) % 3 == 0
    terms = rng.normal(size=(30, n_terms))
    values = rng.normal(size=30) * np.where(treated, 4.0, 1.0) + treated
    found = analyze_difference(values, treated, terms, errors="hc3")
    design = np.column_stack([np.ones(30), terms, treated])
    fit = sm.OLS(values, design).fit(cov_type="HC3", use_t=True)
    low, high = fit.conf_int()[-1]
    assert (found.estimate, found.low, found.high, found.p_value) == pytest.approx(
        (fit.params[-1], low, high, fit.pvalues[-1]), rel=1e-9
    )


def test_robust_errors_hold_where_the_usual_ones_do_not() -> None:
    """A few people who vary much against many who do not: the reason to ask for them."""
    rng = np.random.default_rng(2)
    treated = np.arange(60) < 12
    none = np.zeros((60, 0))
    values = rng.normal(size=(400, 60)) * np.where(treated, 5.0, 1.0)
    share = {
        errors: np.mean([analyze_difference(one, treated, none, errors=errors).p_value < 0.05 for one in values])
        for errors in ("equal-variance", "hc3")
    }
    assert share["equal-variance"] > 0.15
    assert share["hc3"] < 0.09


def test_a_person_whom_the_terms_fit_alone_has_no_robust_error() -> None:
    """The usual error ignores such a person; a robust one would be nothing divided by nothing."""
    rng = np.random.default_rng(3)
    only = (np.arange(20) == 4)[:, None] * 1.0
    treated = np.arange(20) % 2 == 0
    values = rng.normal(size=20)
    assert analyze_difference(values, treated, only).status is Status.OK
    assert analyze_difference(values, treated, only, errors="hc3").status is Status.NOT_ESTIMABLE


def times_of(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Times with ties and censoring; hazards that differ tenfold between strata."""
    rng = np.random.default_rng(seed)
    strata, treated = rng.integers(0, 4, 90), rng.random(90) < 0.5
    term = rng.normal(size=(90, 1))
    rate = 0.02 * np.array([1.0, 3.0, 10.0, 0.5])[strata] * np.exp(0.5 * treated + 0.3 * term[:, 0])
    days = np.ceil(rng.exponential(1.0 / rate))
    event = days <= 60
    return np.minimum(days, 60.0), event, treated, term, strata


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cox_regression_within_strata_is_that_of_a_second_library(seed: int) -> None:
    """Each stratum has risk sets of its own; ties by Efron."""
    days, event, treated, term, strata = times_of(seed)
    found = analyze_hazard(days, event, treated, term, strata=strata)
    fit = sm.PHReg(days, np.column_stack([term, treated]), status=event, strata=strata, ties="efron").fit()
    low, high = np.exp(fit.conf_int()[-1])
    assert (found.estimate, found.low, found.high, found.p_value) == pytest.approx(
        (np.exp(fit.params[-1]), low, high, fit.pvalues[-1]), rel=1e-6
    )
    assert abs(np.log(found.estimate / analyze_hazard(days, event, treated, term).estimate)) > 1e-3


def test_one_stratum_is_none_and_names_of_strata_say_nothing() -> None:
    """The bits of a trial without strata are what they were."""
    days, event, treated, term, strata = times_of(4)
    plain = analyze_hazard(days, event, treated, term)
    assert analyze_hazard(days, event, treated, term, strata=np.full(90, 7)) == plain
    renamed = analyze_hazard(days, event, treated, term, strata=np.array([9, -3, 5, 0])[strata])
    again = analyze_hazard(days, event, treated, term, strata=strata)
    assert renamed.estimate == pytest.approx(again.estimate, rel=1e-9)


def test_strata_of_one_side_each_compare_nobody() -> None:
    """A stratum that is an arm leaves nothing of the treatment."""
    days, event, treated, term, _ = times_of(5)
    found = analyze_hazard(days, event, treated, term, strata=treated.astype(np.int64))
    assert found.status is Status.NOT_ESTIMABLE
