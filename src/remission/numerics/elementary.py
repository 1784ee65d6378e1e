"""exp, log and circular functions from additions, multiplications and divisions only.

Purpose: the same bits on every processor and every NumPy build. NumPy's own ``exp`` picks an algorithm by CPU, so a day
on which a simulated person uses could change with the machine. These functions use only operations that IEEE 754
rounds in one way, in a fixed order; a compiled kernel that repeats the order gets the same bits.

Accuracy against correctly rounded values, measured in ``tests/unit/test_elementary.py``: relative error of ``exp`` and
``log`` at most 4e-16, absolute error of ``cos_sin_turns`` at most 4e-16; odds of ``logistic`` at most 1e-10.

All functions work elementwise on arrays of any shape.
"""

import sys

import numpy as np

from remission.shapes import Float

_LOG2E = 1.4426950408889634
_LN2_HIGH = 0.693147180369123816490
_LN2_LOW = 1.90821492927058770002e-10
_EXP_LIMIT = 700.0
# Chebyshev fits over the reduced argument, lowest coefficients held exact; a test compares them with their functions.
# Taylor's would need two or three more steps for the same error (below 2e-17), and these steps are most of a day.
_EXP_COEFFICIENTS = (
    2.51003758422237e-08, 2.7620075892548164e-07, 2.7557268480289716e-06, 2.480152132234228e-05,
    0.00019841269863040559, 0.0013888888917196736, 0.008333333333330065, 0.041666666666624164,
    0.16666666666666669, 0.5000000000000001, 1.0, 1.0,
)  # fmt: skip
# A chance needs fewer digits, and these steps are a good part of a day: odds within 1e-10 of themselves.
_ODDS_COEFFICIENTS = (
    0.00019733480496237976, 0.0013935225149301366, 0.00833358620031512, 0.041666461384229914, 0.16666665581485568,
    0.5, 1.0, 1.0,
)  # fmt: skip
_LOG_COEFFICIENTS = (
    0.07308224910391238, 0.07665860794787153, 0.0909144456279605, 0.11111105567395273,
    0.14285714312987757, 0.19999999999949752, 0.3333333333333335, 1.0,
)  # fmt: skip
_SIN_COEFFICIENTS = (
    2.73144475909634e-15, -7.643970296165793e-13, 1.6058977312444268e-10, -2.5052107616995878e-08,
    2.755731921916323e-06, -0.00019841269841254974, 0.008333333333333316, -0.16666666666666666, 1.0,
)  # fmt: skip
_SQRT_HALF_BITS = np.int64(0x3FE6A09E667F3BCD)
_MANTISSA = np.int64(0xFFFFFFFFFFFFF)
_TWO_PI = 6.283185307179586
_MANY = 256
"""From so many numbers on one compiled loop is faster than a dozen turns over the array."""

_Array = Float[np.ndarray, "..."]


def _horner(x: _Array, coefficients: tuple[float, ...]) -> _Array:
    total = np.full_like(x, coefficients[0])
    for coefficient in coefficients[1:]:
        total *= x
        total += coefficient
    return total


def _power(x: _Array, coefficients: tuple[float, ...]) -> _Array:
    held = np.minimum(np.maximum(x, -_EXP_LIMIT), _EXP_LIMIT)
    power = np.rint(held * _LOG2E)
    rest = (held - power * _LN2_HIGH) - power * _LN2_LOW
    mantissa = _horner(rest, coefficients)
    bits = mantissa.view(np.int64) + (power.astype(np.int64) << np.int64(52))
    return bits.view(np.float64)


def exp(x: _Array) -> _Array:
    """The exponential; arguments beyond +-700 are held there. ``exp(0)`` is 1 exactly."""
    if x.size >= _MANY and x.flags.c_contiguous and x.dtype == np.float64 and "remission.numerics.lanes" in sys.modules:
        # Here, for a loop has to be read or compiled first, which only those pay who have loops anyway.
        from remission.numerics.whole_arrays import exp_of

        return exp_of(x)
    return _power(x, _EXP_COEFFICIENTS)


def log(x: _Array) -> _Array:
    """The natural logarithm of positive normal numbers. ``log(1)`` is 0 exactly."""
    bits = x.view(np.int64) - _SQRT_HALF_BITS
    mantissa = ((bits & _MANTISSA) + _SQRT_HALF_BITS).view(np.float64)
    power = (bits >> np.int64(52)).astype(np.float64)
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    series = _horner(ratio * ratio, _LOG_COEFFICIENTS)
    return power * 0.6931471805599453 + 2.0 * ratio * series


def cos_sin_turns(turns: _Array) -> tuple[_Array, _Array]:
    """Cosine and sine of ``turns`` full turns, ``0 <= turns < 1``."""
    return _sin_turns(turns + 0.25), _sin_turns(turns)


def _sin_turns(turns: _Array) -> _Array:
    centered = turns - (turns >= 1.0) * 1.0 - 0.5
    folded = np.minimum(centered, 0.5 - centered)
    folded = np.maximum(folded, -0.5 - centered)
    angle = folded * _TWO_PI
    return -(_horner(angle * angle, _SIN_COEFFICIENTS) * angle)


def logistic(x: _Array) -> _Array:
    """``1 / (1 + exp(-x))``, a probability; its odds within 1e-10 of themselves, 1/2 exactly at 0. [dimensionless]"""
    return 1.0 / (1.0 + _power(-x, _ODDS_COEFFICIENTS))


def tanh(x: _Array) -> _Array:
    """The hyperbolic tangent; ``tanh(0)`` is 0 exactly."""
    return 1.0 - 2.0 / (exp(2.0 * x) + 1.0)
