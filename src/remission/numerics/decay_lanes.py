"""Divided differences of exp(-x), without loss of accuracy where arguments meet, one number at a time for kernels.

A chain of first-order steps responds with differences such as ``(exp(-a) - exp(-b)) / (b - a)``. As written they lose
every digit when ``a`` is near ``b``; here each is computed in a form whose terms have one sign::

    mean_decay(a)               = (1 - exp(-a)) / a
    decay_difference(a, b)      = (exp(-a) - exp(-b)) / (b - a)
    cumulative_difference(a, b) = (mean_decay(a) - mean_decay(b)) / (b - a)

For ``a, b >= 0`` all are positive, at most 1, 1 and 1/2, symmetric, and exact in the limits ``a = b`` and ``a = 0``.
Relative accuracy, measured in ``tests/numerical/test_divided_differences.py``: 5e-15 (larger only where the result is
below 1e-290). There is no branch, the caller gives the exponentials, and no bit depends on the processor.
"""

from math import factorial
from typing import Any

from remission.numerics.lanes import polynomial
from remission.numerics.loops import inlined

# 0.25**12 / 13! is 1e-17: below half a unit in the last place of a result that is at least 0.88.
_NEAR = 0.25
_MEAN_SERIES = tuple((-1.0) ** k / factorial(k + 1) for k in range(11, -1, -1))
# (k + 1) / (k + 2)! at k = 18 is 8e-18 for arguments up to 1.
_SHORT = 1.0
_CUMULATIVE_SERIES = tuple((-1.0) ** k / factorial(k + 2) for k in range(18))
_mean_series = polynomial("mean_series", _MEAN_SERIES)


def _written_out(coefficients: tuple[float, ...]) -> Any:
    """The double sum of ``_short_cumulative`` without a loop, its coefficients as literals."""
    text = f"def short_cumulative(a, b):\n    power, homogeneous, total = 1.0, 1.0, {coefficients[0]!r}\n"
    for coefficient in coefficients[1:]:
        text += "    power = power * b\n    homogeneous = homogeneous * a + power\n"
        text += f"    total = total + {coefficient!r} * homogeneous\n"
    space: dict[str, Any] = {}
    exec(compile(f"{text}    return total\n", "<short_cumulative>", "exec"), space)
    return inlined(space["short_cumulative"])


_short_cumulative = _written_out(_CUMULATIVE_SERIES)


@inlined
def mean_decay_lane(a, decay):
    """Mean of exp(-a s) over s from 0 to 1; ``decay`` is ``exp(-a)``."""
    far = (1.0 - decay) / max(a, _NEAR)
    near = _mean_series(min(a, _NEAR))
    return near if a < _NEAR else far


@inlined
def decay_difference_lane(a, b, decay_a, decay_b):
    """``(exp(-a) - exp(-b)) / (b - a)``; ``exp(-a)`` where they are equal."""
    gap = abs(b - a)
    decay_low, decay_high = max(decay_a, decay_b), min(decay_a, decay_b)
    far = (decay_low - decay_high) / max(gap, _NEAR)
    near = decay_low * _mean_series(min(gap, _NEAR))
    return near if gap < _NEAR else far


@inlined
def is_short_lane(a, b):
    """Whether :func:`cumulative_difference_lane` sums the power series."""
    return max(a, b) < _SHORT


@inlined
def short_cumulative_lane(a, b):
    """:func:`cumulative_difference_lane` of two short ones."""
    low, high = min(a, b), max(a, b)
    return _short_cumulative(min(low, _SHORT), min(high, _SHORT))


@inlined
def long_cumulative_lane(a, b, decay_a, decay_b, difference):
    """:func:`cumulative_difference_lane` of two that are not both short."""
    low, high = min(a, b), max(a, b)
    return (mean_decay_lane(low, max(decay_a, decay_b)) - difference) / max(high, _SHORT)


@inlined
def cumulative_difference_lane(a, b, decay_a, decay_b, difference):
    """``(mean_decay(a) - mean_decay(b)) / (b - a)``; ``difference`` is :func:`decay_difference_lane` of the same.

    With ``high`` the larger argument it equals ``(mean_decay(low) - difference) / high``, which loses less than two
    bits from 1 on; below 1 the power series is summed.
    """
    far, near = long_cumulative_lane(a, b, decay_a, decay_b, difference), short_cumulative_lane(a, b)
    return near if is_short_lane(a, b) else far
