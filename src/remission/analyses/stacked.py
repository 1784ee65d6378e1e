"""Replicates side by side: columns of estimates from columns of numbers and of statuses."""

import numpy as np
from jaxtyping import Float

from remission.analyses.estimate import Z95, Estimates, Status
from remission.numerics.distributions import normal_cdf
from remission.numerics.elementary import exp

__all__ = ["estimates_of", "ratios_of"]

_Column = Float[np.ndarray, " replicate"]
_Statuses = np.ndarray


def estimates_of(status: _Statuses, estimate: _Column, low: _Column, high: _Column, p_value: _Column) -> Estimates:
    """Columns of numbers where the status is ok, and no numbers elsewhere."""
    good = status == Status.OK
    return Estimates(
        estimate=np.where(good, estimate, np.nan),
        low=np.where(good, low, np.nan),
        high=np.where(good, high, np.nan),
        p_value=np.where(good, p_value, np.nan),
        status=tuple(Status(word) for word in status.tolist()),
    )


def ratios_of(status: _Statuses, log_ratio: _Column, error: _Column, p_value: _Column | None = None) -> Estimates:
    """Ratios from their logarithms and the standard errors of these; Wald's p value unless another is given."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        usable = (status == Status.OK) & np.isfinite(log_ratio) & (error > 0.0)
        log_ratio, error = np.where(usable, log_ratio, 0.0), np.where(usable, error, 1.0)
        wald = 2.0 * normal_cdf(-np.abs(log_ratio / error))
        low, middle, high = (exp(log_ratio + shift * error) for shift in (-Z95, 0.0, Z95))
    return estimates_of(status, middle, low, high, wald if p_value is None else p_value)
