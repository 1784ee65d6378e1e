"""Replicates side by side: columns of estimates, and the library for the replicates that are unlike the others."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtr

from remission.analyses.estimate import Z95, Estimate, Estimates, Status

__all__ = ["estimates_of", "ratios_of", "with_library"]

_Column = Float[np.ndarray, " replicate"]
_Flags = Bool[np.ndarray, " replicate"]


def estimates_of(
    good: _Flags, otherwise: Status, estimate: _Column, low: _Column, high: _Column, p_value: _Column
) -> Estimates:
    """Columns of numbers where ``good``, and a status elsewhere."""
    return Estimates(
        estimate=np.where(good, estimate, np.nan),
        low=np.where(good, low, np.nan),
        high=np.where(good, high, np.nan),
        p_value=np.where(good, p_value, np.nan),
        status=tuple(Status.OK if flag else otherwise for flag in good),
    )


def ratios_of(
    good: _Flags, otherwise: Status, log_ratio: _Column, error: _Column, p_value: _Column | None = None
) -> Estimates:
    """Ratios from their logarithms and the standard errors of these; Wald's p value unless another is given."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        wald = 2.0 * ndtr(-np.abs(log_ratio / error))
        low, middle, high = (np.exp(log_ratio + shift * error) for shift in (-Z95, 0.0, Z95))
    return estimates_of(good, otherwise, middle, low, high, wald if p_value is None else p_value)


def with_library(found: Estimates, odd: _Flags, one: Callable[[int], Estimate]) -> Estimates:
    """The columns with the odd replicates done one by one, so that a status is the library's own.

    Parameters
    ----------
    one
        The analysis of a replicate of that number.
    """
    if not odd.any():
        return found
    columns = {name: getattr(found, name).copy() for name in ("estimate", "low", "high", "p_value")}
    status = list(found.status)
    for number in np.flatnonzero(odd).tolist():
        single = one(number)
        status[number] = single.status
        for name, column in columns.items():
            column[number] = getattr(single, name)
    return Estimates(**columns, status=tuple(status))
