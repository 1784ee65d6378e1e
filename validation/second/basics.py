"""What the second programs share: designs, columns that count, what is found, Newton's method."""

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, inf, isfinite, nan, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Array = NDArray[np.float64]
Z = float(stats.norm.ppf(0.975))


@dataclass(frozen=True)
class Found:
    """An estimate with its 95% interval, two-sided p value and the error on the scale where it is symmetric.

    ``freedom``: of the t distribution that gave the interval.
    """

    status: str
    estimate: float = nan
    low: float = nan
    high: float = nan
    p: float = nan
    error: float = nan
    freedom: float = inf


class NoEstimateError(Exception):
    """There is no estimate; the argument is the status."""


def by_normal(estimate: float, error: float) -> Found:
    return Found(
        "ok", estimate, estimate - Z * error, estimate + Z * error, 2.0 * stats.norm.sf(abs(estimate / error)), error
    )


def by_t(estimate: float, error: float, freedom: float) -> Found:
    half = float(stats.t.isf(0.025, freedom)) * error
    p = 2.0 * float(stats.t.sf(abs(estimate / error), freedom))
    return Found("ok", estimate, estimate - half, estimate + half, p, error, freedom)


def as_ratio(found: Found, p: float | None = None) -> Found:
    """Exponential of the estimate and its ends; beyond e^700 there is no number, and that stands for more."""
    estimate, low, high = (exp(min(max(x, -700.0), 700.0)) for x in (found.estimate, found.low, found.high))
    return Found(
        found.status,
        estimate,
        low,
        high,
        found.p if p is None else p,
        found.error,
        found.freedom,
    )


def columns_that_count(columns: Array) -> NDArray[np.bool_]:
    """Mask of the columns of which more than 1e-9 is left beside those before them."""
    counts = np.zeros(columns.shape[1], dtype=bool)
    for place in range(columns.shape[1]):
        column = columns[:, place]
        length = float(np.sqrt(column @ column))
        if length == 0.0:
            continue
        scaled = column / length
        if counts.any():
            basis, _ = np.linalg.qr(columns[:, counts] / np.sqrt((columns[:, counts] ** 2).sum(axis=0)))
            scaled = scaled - basis @ (basis.T @ scaled)
            scaled = scaled - basis @ (basis.T @ scaled)
        counts[place] = float(np.sqrt(scaled @ scaled)) > 1e-9
    return counts


def design(terms: Array, treated: Array) -> Array:
    """Intercept, terms, treatment last, without columns that count for nothing; terms made comparable in size.

    The coefficient of the treatment does not see where a term has its zero and its unit.
    """
    n_people = treated.size
    whole = np.column_stack([np.ones(n_people), terms.reshape(n_people, -1), treated])
    counts = columns_that_count(whole)
    if not counts[-1]:
        raise NoEstimateError("not_estimable")
    whole = whole[:, counts]
    inner = whole[:, 1:-1] - whole[:, 1:-1].mean(axis=0)
    whole[:, 1:-1] = inner / np.sqrt((inner**2).mean(axis=0))
    return whole


def check_sides(treated: Array) -> None:
    """Each side needs two people."""
    if min(float((treated == 1.0).sum()), float((treated == 0.0).sum())) < 2.0:
        raise NoEstimateError("not_estimable")


def maximum(
    start: Array, derivatives: Callable[[Array], tuple[float, Array, Array]], most: int = 200
) -> tuple[Array, float, Array]:
    """Newton's method: the place, the height, and minus the second derivatives there.

    ``derivatives`` gives the log likelihood, its gradient, and minus its Hessian. A step that goes down is halved.
    """
    here = start
    height, gradient, curvature = derivatives(here)
    for turn in range(most):
        try:
            step = np.linalg.solve(curvature, gradient)
        except np.linalg.LinAlgError:
            break
        gain = float(gradient @ step)
        # Where a term's own coefficient runs to infinity its information ends in rounding, and so would the step.
        if not isfinite(gain) or (turn > 8 and np.abs(step).max() > 15.0):
            break
        share = 1.0
        after = derivatives(here + step)
        while not after[0] >= height - 1e-13 * abs(height) and share > 1e-10:
            share /= 2.0
            after = derivatives(here + share * step)
        if not isfinite(after[0]):
            break
        here = here + share * step
        height, gradient, curvature = after
        if abs(gain) < 1e-13 or share <= 1e-10:
            break
    return here, height, curvature


def inverse_of(curvature: Array) -> Array:
    """Inverse of an information; where there is none, the maximum is at infinity."""
    diagonal = np.diagonal(curvature)
    if not (np.isfinite(curvature).all() and diagonal.min() > 0.0):
        raise NoEstimateError("separation")
    scale = 1.0 / np.sqrt(diagonal)
    try:
        return np.linalg.inv(curvature * np.outer(scale, scale)) * np.outer(scale, scale)
    except np.linalg.LinAlgError:
        raise NoEstimateError("separation") from None


def error_of_last(curvature: Array) -> float:
    """Square root of the last diagonal element of the inverse."""
    variance = float(inverse_of(curvature)[-1, -1])
    if not (isfinite(variance) and variance > 0.0):
        raise NoEstimateError("separation")
    return sqrt(variance)
