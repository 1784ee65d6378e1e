"""Divided differences of exp(-x) once more, for one number at a time inside compiled loops.

Purpose: a compiled kernel needs the functions of :mod:`remission.numerics.divided_differences` without branches. Each
repeats the operations of its twin in the same order; a test compares them bit for bit. Exponentials come from the
caller, who has most of them already.
"""

from typing import Any

from remission.numerics import divided_differences as twins
from remission.numerics.lanes import inlined, polynomial

__all__ = ["cumulative_difference_lane", "decay_difference_lane", "mean_decay_lane"]

_mean_series = polynomial("mean_series", twins._MEAN_SERIES)
_NEAR, _SHORT = twins._NEAR, twins._SHORT


def _written_out(coefficients: tuple[float, ...]) -> Any:
    """The double sum of ``_short_cumulative`` without a loop, its coefficients as literals."""
    text = f"def short_cumulative(a, b):\n    power, homogeneous, total = 1.0, 1.0, {coefficients[0]!r}\n"
    for coefficient in coefficients[1:]:
        text += "    power = power * b\n    homogeneous = homogeneous * a + power\n"
        text += f"    total = total + {coefficient!r} * homogeneous\n"
    space: dict[str, Any] = {}
    exec(compile(f"{text}    return total\n", "<short_cumulative>", "exec"), space)
    return inlined(space["short_cumulative"])


_short_cumulative = _written_out(twins._CUMULATIVE_SERIES)


@inlined
def mean_decay_lane(a, decay):
    """Twin of :func:`remission.numerics.divided_differences.mean_decay`; ``decay`` is ``exp(-a)``."""
    far = (1.0 - decay) / max(a, _NEAR)
    near = _mean_series(min(a, _NEAR))
    return near if a < _NEAR else far


@inlined
def decay_difference_lane(a, b, decay_a, decay_b):
    """Twin of the first of :func:`remission.numerics.divided_differences.decay_differences`."""
    gap = abs(b - a)
    decay_low, decay_high = max(decay_a, decay_b), min(decay_a, decay_b)
    far = (decay_low - decay_high) / max(gap, _NEAR)
    near = decay_low * _mean_series(min(gap, _NEAR))
    return near if gap < _NEAR else far


@inlined
def cumulative_difference_lane(a, b, decay_a, decay_b, difference):
    """Twin of :func:`remission.numerics.divided_differences.cumulative_decay_difference`.

    ``difference`` is the result of :func:`decay_difference_lane` for the same arguments.
    """
    low, high = min(a, b), max(a, b)
    far = (mean_decay_lane(low, max(decay_a, decay_b)) - difference) / max(high, _SHORT)
    near = _short_cumulative(min(low, _SHORT), min(high, _SHORT))
    return near if high < _SHORT else far
