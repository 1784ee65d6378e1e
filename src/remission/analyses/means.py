"""Means of two arms: analysis of covariance by least squares (statsmodels), and the ratio of means in closed form."""

import numpy as np
from jaxtyping import Bool, Float
from statsmodels.regression.linear_model import OLS

from remission.analyses.basis import independent_terms
from remission.analyses.estimate import Estimate, Status, failed_estimate, ratio_estimate
from remission.analyses.terms import design_columns, is_too_small

__all__ = ["analyze_difference", "analyze_percent_lower"]

_Values = Float[np.ndarray, " subject"]
_Treated = Bool[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]


def analyze_difference(values: _Values, treated: _Treated, adjust: _Design) -> Estimate:
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
    if fit.ssr <= _NO_SPREAD * fit.centered_tss:
        return failed_estimate(Status.NO_VARIATION)
    low, high = fit.conf_int()[1]
    return Estimate(estimate=fit.params[1], low=low, high=high, p_value=fit.pvalues[1], status=Status.OK)


_NO_SPREAD = 1e-20
"""A residual sum of squares of a smaller share than this is rounding, and its interval would have no width."""


def analyze_percent_lower(values: _Values, treated: _Treated) -> Estimate:
    """100 times one minus the ratio of means, treated against control; interval by the delta method on the log
    ratio.
    """
    if is_too_small(values, treated):
        return failed_estimate(Status.NO_VARIATION)
    sides = [values[treated], values[~treated]]
    means = [float(side.mean()) for side in sides]
    if min(means) <= 0.0 or min(side.size for side in sides) < 2:
        return failed_estimate(Status.NO_VARIATION)
    error = float(np.sqrt(sum(side.var(ddof=1) / side.size / mean**2 for side, mean in zip(sides, means, strict=True))))
    ratio = ratio_estimate(float(np.log(means[0] / means[1])), error)
    return Estimate(
        estimate=100.0 * (1.0 - ratio.estimate),
        low=100.0 * (1.0 - ratio.high),
        high=100.0 * (1.0 - ratio.low),
        p_value=ratio.p_value,
        status=ratio.status,
    )
