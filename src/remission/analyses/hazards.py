"""Times to an event: Cox regression (statsmodels), the log-rank test (statsmodels), restricted mean survival time.

Log-rank ratio: with O events on the treatment side, E expected and V the hypergeometric variance, summed over times
and strata, the one-step hazard ratio is exp((O - E) / V) with standard error 1 / sqrt(V) of its logarithm.

Restricted mean: the area under the Kaplan-Meier curve S up to tau. Its variance is the sum over event times t of
A(t)^2 d(t) / (n(t) (n(t) - d(t))), A(t) the area from t to tau (Greenwood's, carried through the integral).
"""

import warnings

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtr
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.duration.survfunc import SurvfuncRight, survdiff
from statsmodels.tools.sm_exceptions import ConvergenceWarning

from remission.analyses.basis import independent_terms
from remission.analyses.estimate import Z95, Estimate, Status, failed_estimate, ratio_estimate
from remission.analyses.odds import LARGEST_ERROR
from remission.analyses.terms import design_columns, is_too_small

__all__ = ["analyze_hazard", "analyze_log_rank", "analyze_restricted_mean"]

_Values = Float[np.ndarray, " subject"]
_Flags = Bool[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]


def analyze_hazard(days: _Values, event: _Flags, treated: _Flags, adjust: _Design) -> Estimate:
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
    days: _Values, event: _Flags, treated: _Flags, strata: Int[np.ndarray, " subject"] | None = None
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
    return ratio_estimate(away / variance, float(variance**-0.5), float(p_value))


def _log_rank_sums(days: _Values, event: _Flags, treated: _Flags) -> Float[np.ndarray, " 2"]:
    """Observed minus expected events on the treatment side, and its variance."""
    times = np.unique(days[event])
    at_risk = days >= times[:, None]
    died = event & (days == times[:, None])
    n, d = at_risk.sum(axis=1), died.sum(axis=1)
    n1, d1 = (at_risk & treated).sum(axis=1), (died & treated).sum(axis=1)
    share = n1 / n
    variance = d * share * (1.0 - share) * (n - d) / np.maximum(n - 1, 1)
    return np.array([np.sum(d1 - d * share), np.sum(variance)])


def analyze_restricted_mean(days: _Values, event: _Flags, treated: _Flags, *, tau_day: float) -> Estimate:
    """Difference of restricted mean survival times up to ``tau_day``, treated minus control. [day]

    Parameters
    ----------
    tau_day
        Above 0. [day]
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
        p_value=2.0 * float(ndtr(-abs(away / error))),
        status=Status.OK,
    )


def _restricted_mean(days: _Values, event: _Flags, tau_day: float) -> tuple[float, float] | None:
    """Area under the survival curve up to tau and its variance; nothing where the curve ends before tau."""
    if not event.any():
        return None if days.max() < tau_day else (tau_day, 0.0)
    curve = SurvfuncRight(days, event.astype(np.float64))
    inside = curve.surv_times < tau_day
    times, alive = curve.surv_times[inside], curve.surv_prob[inside]
    n, d = curve.n_risk[inside], curve.n_events[inside]
    if days.max() < tau_day and curve.surv_prob[-1] > 0.0:
        return None
    areas = np.diff(np.append(times, tau_day)) * alive
    after = np.cumsum(areas[::-1])[::-1]
    first = times[0] if times.size else tau_day
    left = n - d
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where the last person dies the area that follows is zero, and so is the term.
        terms = np.where(left > 0, after**2 * d / (n * left), 0.0)
    return float(first + areas.sum()), float(terms.sum())
