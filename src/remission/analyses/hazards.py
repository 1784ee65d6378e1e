"""Times to an event: Cox regression, the log-rank test, restricted mean survival time.

Log-rank ratio: with O events on the treatment side, E expected and V the hypergeometric variance, summed over times
and strata, the one-step hazard ratio is exp((O - E) / V) with standard error 1 / sqrt(V) of its logarithm.

Restricted mean: the area under the Kaplan-Meier curve S up to tau. Its variance is the sum over event times t of
A(t)^2 d(t) / (n(t) (n(t) - d(t))), A(t) the area from t to tau (Greenwood's, carried through the integral).
"""

import numpy as np
from jaxtyping import Bool, Float, Int

from remission.analyses.estimate import Z95, Estimate, Status, failed_estimate
from remission.analyses.fast_hazards import analyze_hazards, analyze_log_ranks
from remission.analyses.terms import is_too_small
from remission.numerics.distributions import normal_cdf

__all__ = ["analyze_hazard", "analyze_log_rank", "analyze_restricted_mean"]

_Values = Float[np.ndarray, " subject"]
_Flags = Bool[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]


def analyze_hazard(days: _Values, event: _Flags, treated: _Flags, adjust: _Design) -> Estimate:
    """Hazard ratio, treated against control, by Cox regression (Efron ties, Wald intervals): ``fast_hazards`` fits."""
    everyone = np.ones((1, treated.size), dtype=np.bool_)
    return analyze_hazards(days[None], event[None], everyone, treated[None], np.ascontiguousarray(adjust.T)[None]).one(
        0
    )


def analyze_log_rank(
    days: _Values, event: _Flags, treated: _Flags, strata: Int[np.ndarray, " subject"] | None = None
) -> Estimate:
    """The log-rank test, with the one-step hazard ratio that belongs to it.

    ``strata``: strata within which people are compared; ``None``: one.
    """
    everyone = np.ones((1, treated.size), dtype=np.bool_)
    groups = None if strata is None else strata[None]
    return analyze_log_ranks(days[None], event[None], everyone, treated[None], groups).one(0)


def analyze_restricted_mean(days: _Values, event: _Flags, treated: _Flags, *, tau_day: float) -> Estimate:
    """Difference of restricted mean survival times up to ``tau_day``, treated minus control. [day]

    ``tau_day``: above 0. [day]
    """
    if is_too_small(days, treated) or min(treated.sum(), (~treated).sum()) < 2:
        return failed_estimate(Status.NO_VARIATION)
    means = [_restricted_mean(days[side], event[side], tau_day) for side in (treated, ~treated)]
    if any(mean is None for mean in means):
        return failed_estimate(Status.NOT_ESTIMABLE)
    (mean1, variance1), (mean0, variance0) = (mean for mean in means if mean is not None)
    error = float(np.sqrt(variance1 + variance0))
    if error == 0.0:
        return failed_estimate(Status.NO_VARIATION)
    away = mean1 - mean0
    return Estimate(
        estimate=away,
        low=away - Z95 * error,
        high=away + Z95 * error,
        p_value=2.0 * float(normal_cdf(-abs(away / error))),
        status=Status.OK,
    )


def _restricted_mean(days: _Values, event: _Flags, tau_day: float) -> tuple[float, float] | None:
    """Area under the survival curve up to tau and its variance; nothing where the curve ends before tau."""
    if not event.any():
        return None if days.max() < tau_day else (tau_day, 0.0)
    times = np.unique(days[event])
    at_risk, died = days >= times[:, None], event & (days == times[:, None])
    n, d = at_risk.sum(axis=1), died.sum(axis=1)
    alive = np.cumprod((n - d) / n)
    if days.max() < tau_day and alive[-1] > 0.0:
        return None
    inside = times < tau_day
    times, alive, n, d = times[inside], alive[inside], n[inside], d[inside]
    areas = np.diff(np.append(times, tau_day)) * alive
    after = np.cumsum(areas[::-1])[::-1]
    first = times[0] if times.size else tau_day
    left = n - d
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where the last person dies the area that follows is zero, and so is the term.
        terms = np.where(left > 0, after * after * d / (n * left), 0.0)
    return float(first + areas.sum()), float(terms.sum())
