"""Odds ratios: the two-by-two table, and logistic regression with one of three tests (statsmodels)."""

import warnings
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import chdtrc
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.tools.sm_exceptions import PerfectSeparationWarning

from remission.analyses.basis import independent_terms
from remission.analyses.estimate import Estimate, Status, failed_estimate, ratio_estimate
from remission.analyses.terms import design_columns, is_too_small

__all__ = ["LARGEST_ERROR", "Test", "analyze_odds"]

_Values = Float[np.ndarray, " subject"]
_Treated = Bool[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]
Test = Literal["wald", "likelihood-ratio", "score"]

LARGEST_ERROR = 20.0
"""A standard error of a log ratio above this means that the estimate runs to infinity."""


def analyze_odds(events: _Values, treated: _Treated, adjust: _Design, *, test: Test = "wald") -> Estimate:
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
        fit = model.fit()
    if any(issubclass(item.category, PerfectSeparationWarning) for item in caught) or fit.bse[1] > LARGEST_ERROR:
        return failed_estimate(Status.SEPARATION)
    if not fit.converged:
        return failed_estimate(Status.NOT_CONVERGED)
    p_value = None if test == "wald" else _p_value(events, design, fit, test)
    return ratio_estimate(float(fit.params[1]), float(fit.bse[1]), p_value)


def _p_value(events: _Values, design: Float[np.ndarray, "subject column"], fit: object, test: Test) -> float:
    """Of the same model without the treatment against the model with it."""
    others = np.delete(design, 1, axis=1)
    null = GLM(events, others, family=Binomial()).fit()
    if test == "likelihood-ratio":
        return float(chdtrc(1, max(0.0, null.deviance - fit.deviance)))  # type: ignore[attr-defined]
    found = null.score_test(exog_extra=design[:, [1]], return_object=True)
    return float(np.ravel(found.pvalue)[0])
