"""The divided differences of :mod:`remission.numerics.decay_lanes` in plain NumPy: what they must equal."""

import numpy as np
from jaxtyping import Float

from remission.numerics.decay_lanes import _CUMULATIVE_SERIES, _MEAN_SERIES, _NEAR, _SHORT
from remission.numerics.elementary import exp

__all__ = ["cumulative_decay_difference", "decay_differences", "mean_decay"]

_Array = Float[np.ndarray, "..."]


def mean_decay(a: _Array) -> _Array:
    """Mean of exp(-a s) over s from 0 to 1, ``(1 - exp(-a)) / a``, for a >= 0. [dimensionless, 0 to 1]"""
    return _mean_decay(a, exp(-a))


def cumulative_decay_difference(a: _Array, b: _Array) -> _Array:
    """``(mean_decay(a) - mean_decay(b)) / (b - a)`` for a, b >= 0. [dimensionless, 0 to 1/2]"""
    return decay_differences(a, b, decay_a=exp(-a), decay_b=exp(-b))[1]


def decay_differences(a: _Array, b: _Array, *, decay_a: _Array, decay_b: _Array) -> tuple[_Array, _Array]:
    """``decay_difference(a, b)`` and ``cumulative_decay_difference(a, b)`` from exponentials at hand.

    ``a``, ``b``: arguments, >= 0. [dimensionless] ``decay_a``, ``decay_b``: ``exp(-a)`` and ``exp(-b)``.
    [dimensionless]

    With ``high`` the larger argument, the second equals ``(mean_decay(low) - decay_difference(low, high))
    / high``, which loses less than two bits for ``high >= 1``; below 1 the power series is summed.
    """
    low, high = np.minimum(a, b), np.maximum(a, b)
    decay_low, decay_high = np.maximum(decay_a, decay_b), np.minimum(decay_a, decay_b)
    difference = _decay_difference(high - low, decay_low, decay_high)
    short = high < _SHORT
    cumulative = (_mean_decay(low, decay_low) - difference) / np.maximum(high, _SHORT)
    if np.any(short):
        cumulative[short] = _short_cumulative(low[short], high[short])
    return difference, cumulative


def _mean_decay(a: _Array, decay: _Array) -> _Array:
    quotient = (1.0 - decay) / np.maximum(a, _NEAR)
    near = a < _NEAR
    if np.any(near):
        quotient = np.where(near, _mean_series(np.minimum(a, _NEAR)), quotient)
    return quotient


def _decay_difference(gap: _Array, decay_low: _Array, decay_high: _Array) -> _Array:
    quotient = (decay_low - decay_high) / np.maximum(gap, _NEAR)
    near = gap < _NEAR
    if np.any(near):
        quotient = np.where(near, decay_low * _mean_series(np.minimum(gap, _NEAR)), quotient)
    return quotient


def _mean_series(a: _Array) -> _Array:
    total = np.full_like(a, _MEAN_SERIES[0])
    for coefficient in _MEAN_SERIES[1:]:
        total *= a
        total += coefficient
    return total


def _short_cumulative(a: _Array, b: _Array) -> _Array:
    # h_k is the sum of a^i b^(k-i): h_k = a h_(k-1) + b^k.
    total = np.full_like(b, _CUMULATIVE_SERIES[0])
    power, homogeneous = np.ones_like(b), np.ones_like(b)
    for coefficient in _CUMULATIVE_SERIES[1:]:
        power *= b
        homogeneous *= a
        homogeneous += power
        total += coefficient * homogeneous
    return total
