"""Analyses by statsmodels, one replicate after the other: the second computation that the package's own are held to.

They lived in the package until it was measured that their last bits follow the processor.
"""

import warnings
from dataclasses import replace

import numpy as np
from scipy.special import chdtrc
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import survdiff
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

from remission.analyses.basis import independent_terms
from remission.analyses.estimate import Estimate, Status, failed_estimate, is_too_small, ratio_estimate
from remission.analyses.odds import LARGEST_ERROR, Test

NO_SPREAD = 1e-20


def design_columns(treated: np.ndarray, adjust: np.ndarray) -> np.ndarray:
    """Intercept, treatment, then the adjustment."""
    return np.column_stack([np.ones(treated.size), treated.astype(np.float64), adjust])


def level_columns(levels: np.ndarray) -> np.ndarray:
    """Indicator columns of a factor, the first level left out; none when only one level occurs."""
    found = np.unique(levels)
    if found.size < 2:
        return np.zeros((levels.size, 0))
    return np.stack([levels == level for level in found[1:]], axis=1).astype(np.float64)


def analyze_difference(values: np.ndarray, treated: np.ndarray, adjust: np.ndarray) -> Estimate:
    """Adjusted difference of means, treated minus control, by least squares with t intervals.

    With baseline covariates among the columns it is the analysis of covariance.

    Parameters
    ----------
    values
        Endpoint values without NaN.
    treated
        Whether the person is on the treatment side.
    adjust
        Further columns of the design; may have none.
    """
    if is_too_small(values, treated) or np.ptp(values) == 0.0:
        return failed_estimate(Status.NO_VARIATION)
    terms, is_estimable = independent_terms(treated, adjust)
    if not is_estimable:
        return failed_estimate(Status.NOT_ESTIMABLE)
    fit = OLS(values, design_columns(treated, terms)).fit()
    if fit.df_resid < 1:
        return failed_estimate(Status.NOT_ESTIMABLE)
    if fit.ssr <= NO_SPREAD * fit.centered_tss:
        return failed_estimate(Status.NO_VARIATION)
    low, high = fit.conf_int()[1]
    return Estimate(estimate=fit.params[1], low=low, high=high, p_value=fit.pvalues[1], status=Status.OK)


def analyze_odds(events: np.ndarray, treated: np.ndarray, adjust: np.ndarray, *, test: Test = "wald") -> Estimate:
    """Odds ratio of the event, treated against control.

    Without adjustment it is the two-by-two table's (an empty cell counts as half a person); with
    adjustment, or with another test than Wald's, a logistic regression with Wald intervals. Status ``separation`` when
    the likelihood has no maximum.

    Parameters
    ----------
    events
        1 with the event, else 0; without NaN.
    test
        Which test the p value is of; the interval is always Wald's.
    """
    if is_too_small(events, treated):
        return failed_estimate(Status.NO_VARIATION)
    if adjust.shape[1] == 0 and test == "wald":
        counts = [[np.sum(events[side]), np.sum(1.0 - events[side])] for side in (treated, ~treated)]
        table = Table2x2(np.array(counts), shift_zeros=True)
        return ratio_estimate(float(table.log_oddsratio), float(table.log_oddsratio_se))
    if np.ptp(events) == 0.0:
        return failed_estimate(Status.NO_VARIATION)
    terms, is_estimable = independent_terms(treated, adjust)
    if not is_estimable:
        return failed_estimate(Status.NOT_ESTIMABLE)
    design = design_columns(treated, terms)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = GLM(events, design, family=Binomial())
        # Its own tolerance leaves four digits of an error.
        fit = model.fit(tol=1e-13)
    if any(issubclass(item.category, PerfectSeparationWarning) for item in caught) or fit.bse[1] > LARGEST_ERROR:
        return failed_estimate(Status.SEPARATION)
    if not fit.converged:
        return failed_estimate(Status.NOT_CONVERGED)
    # Its errors are those of the step before the last; started where it ended, they are those of its end.
    fit = model.fit(start_params=fit.params, tol=1e-13)
    p_value = None if test == "wald" else _p_value(events, design, fit, test)
    found = ratio_estimate(float(fit.params[1]), float(fit.bse[1]))
    return found if p_value is None else replace(found, p_value=p_value)


def _p_value(events: np.ndarray, design: np.ndarray, fit: object, test: Test) -> float:
    """Of the same model without the treatment against the model with it."""
    others = np.delete(design, 1, axis=1)
    null = GLM(events, others, family=Binomial()).fit(tol=1e-13)
    if test == "likelihood-ratio":
        return float(chdtrc(1, max(0.0, null.deviance - fit.deviance)))  # type: ignore[attr-defined]
    found = null.score_test(exog_extra=design[:, [1]], return_object=True)
    return float(np.ravel(found.pvalue)[0])


def analyze_hazard(days: np.ndarray, event: np.ndarray, treated: np.ndarray, adjust: np.ndarray) -> Estimate:
    """Hazard ratio, treated against control, by Cox regression (Efron ties, Wald intervals)."""
    if is_too_small(days, treated) or not event.any():
        return failed_estimate(Status.NO_VARIATION)
    if not (event & treated).any() or not (event & ~treated).any():
        return failed_estimate(Status.SEPARATION)
    terms, is_estimable = independent_terms(treated, adjust)
    if not is_estimable:
        return failed_estimate(Status.NOT_ESTIMABLE)
    exog = design_columns(treated, terms)[:, 1:]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            fit = PHReg(days, exog, status=event.astype(np.float64), ties="efron").fit()
        except np.linalg.LinAlgError:
            return failed_estimate(Status.NOT_CONVERGED)
    if any(issubclass(item.category, ConvergenceWarning) for item in caught) or not np.isfinite(fit.bse[0]):
        return failed_estimate(Status.NOT_CONVERGED)
    if fit.bse[0] > LARGEST_ERROR:
        return failed_estimate(Status.SEPARATION)
    return ratio_estimate(float(fit.params[0]), float(fit.bse[0]))


def analyze_log_rank(
    days: np.ndarray, event: np.ndarray, treated: np.ndarray, strata: np.ndarray | None = None
) -> Estimate:
    """The log-rank test, with the one-step hazard ratio that belongs to it.

    Parameters
    ----------
    strata
        Strata within which people are compared; ``None``: one.
    """
    if is_too_small(days, treated) or not event.any():
        return failed_estimate(Status.NO_VARIATION)
    groups = np.zeros(days.size, dtype=np.int64) if strata is None else strata
    sums = np.zeros(2)
    for group in np.unique(groups):
        mine = groups == group
        sums += _log_rank_sums(days[mine], event[mine], treated[mine])
    away, variance = sums
    if variance <= 0.0:
        return failed_estimate(Status.NOT_ESTIMABLE)
    # A stratum of one side says nothing, and the library cannot take it.
    both = [group for group in np.unique(groups) if np.unique(treated[groups == group]).size == 2]
    kept = np.isin(groups, both)
    _, p_value = survdiff(days[kept], event[kept].astype(np.float64), treated[kept] * 1.0, strata=groups[kept])
    return replace(ratio_estimate(away / variance, float(variance**-0.5)), p_value=float(p_value))


def _log_rank_sums(days: np.ndarray, event: np.ndarray, treated: np.ndarray) -> np.ndarray:
    """Observed minus expected events on the treatment side, and its variance."""
    times = np.unique(days[event])
    at_risk = days >= times[:, None]
    died = event & (days == times[:, None])
    n, d = at_risk.sum(axis=1), died.sum(axis=1)
    n1, d1 = (at_risk & treated).sum(axis=1), (died & treated).sum(axis=1)
    share = n1 / n
    variance = d * share * (1.0 - share) * (n - d) / np.maximum(n - 1, 1)
    return np.array([np.sum(d1 - d * share), np.sum(variance)])
