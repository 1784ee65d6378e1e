"""One analysis of one replicate, by statsmodels.

Contrasts are structured terms, never formula text: the design matrix is built column by column. A failure is data: it
returns a status and no number.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import ndtr
from statsmodels.duration.hazard_regression import PHReg
from statsmodels.genmod.families import Binomial
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.contingency_tables import Table2x2
from statsmodels.tools.sm_exceptions import ConvergenceWarning, PerfectSeparationWarning

from remission.trial.result import Status

__all__ = ["Estimate", "analyze_difference", "analyze_hazard", "analyze_odds", "analyze_percent_lower", "level_columns"]

_Values = Float[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]
_Z95 = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Estimate, 95% interval, two-sided p value and status of one analysis."""

    estimate: float
    low: float
    high: float
    p_value: float
    status: Status


def _failed(status: Status) -> Estimate:
    return Estimate(estimate=np.nan, low=np.nan, high=np.nan, p_value=np.nan, status=status)


def analyze_difference(values: _Values, treated: Bool[np.ndarray, " subject"], adjust: _Design) -> Estimate:
    """Adjusted difference of means, treated minus control, by least squares with t intervals.

    Parameters
    ----------
    values
        Endpoint values without NaN.
    treated
        Whether the person is on the treatment side.
    adjust
        Further columns of the design; may have none.
    """
    if _too_small(values, treated) or np.ptp(values) == 0.0:
        return _failed(Status.NO_VARIATION)
    fit = OLS(values, _design(treated, adjust)).fit()
    low, high = fit.conf_int()[1]
    return Estimate(estimate=fit.params[1], low=low, high=high, p_value=fit.pvalues[1], status=Status.OK)


def analyze_odds(events: _Values, treated: Bool[np.ndarray, " subject"], adjust: _Design) -> Estimate:
    """Odds ratio of the event, treated against control.

    Without adjustment it is the two-by-two table's (half a person added to each cell when one is empty); with
    adjustment
    a logistic regression with Wald intervals, status ``separation`` when the likelihood has no maximum.
    """
    if _too_small(events, treated):
        return _failed(Status.NO_VARIATION)
    if adjust.shape[1] == 0:
        counts = [[np.sum(events[side]), np.sum(1.0 - events[side])] for side in (treated, ~treated)]
        table = Table2x2(np.array(counts), shift_zeros=True)
        log_odds, error = float(table.log_oddsratio), float(table.log_oddsratio_se)
        return _ratio(log_odds, error)
    if np.ptp(events) == 0.0:
        return _failed(Status.NO_VARIATION)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = GLM(events, _design(treated, adjust), family=Binomial()).fit()
    if any(issubclass(item.category, PerfectSeparationWarning) for item in caught) or fit.bse[1] > _SEPARATED:
        return _failed(Status.SEPARATION)
    if not fit.converged:
        return _failed(Status.NOT_CONVERGED)
    return _ratio(float(fit.params[1]), float(fit.bse[1]))


_SEPARATED = 20.0
"""A standard error of a log ratio above this means that the estimate runs to infinity."""


def analyze_hazard(
    days: _Values, event: Bool[np.ndarray, " subject"], treated: Bool[np.ndarray, " subject"], adjust: _Design
) -> Estimate:
    """Hazard ratio, treated against control, by Cox regression (Efron ties, Wald intervals)."""
    if _too_small(days, treated) or not event.any():
        return _failed(Status.NO_VARIATION)
    if not (event & treated).any() or not (event & ~treated).any():
        return _failed(Status.SEPARATION)
    exog = _design(treated, adjust)[:, 1:]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit = PHReg(days, exog, status=event.astype(np.float64), ties="efron").fit()
    if any(issubclass(item.category, ConvergenceWarning) for item in caught) or not np.isfinite(fit.bse[0]):
        return _failed(Status.NOT_CONVERGED)
    if fit.bse[0] > _SEPARATED:
        return _failed(Status.SEPARATION)
    return _ratio(float(fit.params[0]), float(fit.bse[0]))


def analyze_percent_lower(values: _Values, treated: Bool[np.ndarray, " subject"]) -> Estimate:
    """100 times one minus the ratio of means, treated against control; interval by the delta method on the log
    ratio.
    """
    if _too_small(values, treated):
        return _failed(Status.NO_VARIATION)
    sides = [values[treated], values[~treated]]
    means = [float(side.mean()) for side in sides]
    if min(means) <= 0.0 or min(side.size for side in sides) < 2:
        return _failed(Status.NO_VARIATION)
    error = float(np.sqrt(sum(side.var(ddof=1) / side.size / mean**2 for side, mean in zip(sides, means, strict=True))))
    ratio = _ratio(float(np.log(means[0] / means[1])), error)
    return Estimate(
        estimate=100.0 * (1.0 - ratio.estimate),
        low=100.0 * (1.0 - ratio.high),
        high=100.0 * (1.0 - ratio.low),
        p_value=ratio.p_value,
        status=ratio.status,
    )


def _ratio(log_ratio: float, error: float) -> Estimate:
    if error == 0.0:
        return _failed(Status.NO_VARIATION)
    low, middle, high = np.exp([log_ratio - _Z95 * error, log_ratio, log_ratio + _Z95 * error])
    p_value = 2.0 * float(ndtr(-abs(log_ratio / error)))
    return Estimate(estimate=float(middle), low=float(low), high=float(high), p_value=p_value, status=Status.OK)


def _design(treated: Bool[np.ndarray, " subject"], adjust: _Design) -> Float[np.ndarray, "subject column"]:
    return np.column_stack([np.ones(treated.size), treated.astype(np.float64), adjust])


def _too_small(values: _Values, treated: Bool[np.ndarray, " subject"]) -> bool:
    return values.size < 4 or not treated.any() or bool(treated.all())


def level_columns(levels: Int[np.ndarray, " subject"]) -> _Design:
    """Indicator columns of a factor, the first level left out; none when only one level occurs."""
    found = np.unique(levels)
    if found.size < 2:
        return np.zeros((levels.size, 0))
    return np.stack([levels == level for level in found[1:]], axis=1).astype(np.float64)
