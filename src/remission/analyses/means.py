"""Means of two arms: analysis of covariance by least squares, and the ratio of means in closed form."""

import numpy as np
from jaxtyping import Bool, Float

from remission.analyses.estimate import Estimate, Status, failed_estimate, log_of, ratio_estimate
from remission.analyses.fast_means import analyze_differences
from remission.analyses.terms import is_too_small

__all__ = ["analyze_difference", "analyze_percent_lower"]

_Values = Float[np.ndarray, " subject"]
_Treated = Bool[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]


def analyze_difference(values: _Values, treated: _Treated, adjust: _Design) -> Estimate:
    """Adjusted difference of means, treated minus control, by least squares with t intervals.

    With baseline covariates among the columns it is the analysis of covariance.

    ``values``: endpoint values without NaN. ``treated``: whether the person is on the treatment side. ``adjust``:
    further columns of the design; may have none.
    """
    everyone = np.ones((1, treated.size), dtype=np.bool_)
    return analyze_differences(values[None], everyone, treated[None], np.ascontiguousarray(adjust.T)[None]).one(0)


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
    shares = [float(side.var(ddof=1)) / (side.size * mean * mean) for side, mean in zip(sides, means, strict=True)]
    ratio = ratio_estimate(log_of(means[0] / means[1]), float(np.sqrt(sum(shares))))
    return Estimate(
        estimate=100.0 * (1.0 - ratio.estimate),
        low=100.0 * (1.0 - ratio.high),
        high=100.0 * (1.0 - ratio.low),
        p_value=ratio.p_value,
        status=ratio.status,
    )
