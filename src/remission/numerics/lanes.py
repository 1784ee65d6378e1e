"""The functions of fixed bits once more, for one number at a time inside compiled loops.

Purpose: a compiled kernel must give the bits of :mod:`remission.numerics.elementary` and of
:mod:`remission.streams`. Each function here repeats the operations of its twin in the same order; a test compares them
bit for bit.

:func:`compile_equation` turns a mechanism written for arrays into its one-number twin: the same source, with ``exp``
and its kin replaced by the functions of this module. So an equation is written once.

Loops over these functions vectorize (LLVM) because they are branch-free, division does not raise
(``error_model="numpy"``) and everything is inlined. No fast-math: contraction or reordering would change bits.
"""

import inspect
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numpy as np

from remission.numerics import elementary
from remission.numerics.loops import inlined


def polynomial(name: str, coefficients: tuple[float, ...]) -> Any:
    """A polynomial with its coefficients as literals, evaluated as :mod:`elementary` does."""
    text = repr(coefficients[0])
    for coefficient in coefficients[1:]:
        text = f"({text}) * x + {coefficient!r}"
    space: dict[str, Any] = {}
    exec(compile(f"def {name}(x):\n    return {text}\n", f"<{name}>", "exec"), space)
    return inlined(space[name])


_exp_polynomial = polynomial("exp_polynomial", elementary._EXP_COEFFICIENTS)
_odds_polynomial = polynomial("odds_polynomial", elementary._ODDS_COEFFICIENTS)
_log_polynomial = polynomial("log_polynomial", elementary._LOG_COEFFICIENTS)
_sin_polynomial = polynomial("sin_polynomial", elementary._SIN_COEFFICIENTS)
_ROUNDER = 6755399441055744.0  # 1.5 * 2**52: adding and taking it away rounds to the nearest whole number, as rint does
_EXPONENT_BITS = np.int64(0x4338000000000000)
_SQRT_HALF = np.int64(0x3FE6A09E667F3BCD)
_MANTISSA = np.int64(0xFFFFFFFFFFFFF)
_MASK = np.uint64(0xFFFFFFFF)
_SHIFT = np.uint64(32)
_MULTIPLIER_0, _MULTIPLIER_1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_WEYL_0, _WEYL_1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
_TWO_20 = np.uint64(0x4130000000000000)


@inlined
def bits_of(x):
    """The 64 bits of a number as a whole number."""
    return np.float64(x).view(np.int64)


@inlined
def float_of(b):
    """The number with these 64 bits."""
    return np.int64(b).view(np.float64)


def _power_of(terms: Any) -> Any:
    @inlined
    def power_lane(x: Any) -> Any:
        """Twin of the exponential of :mod:`remission.numerics.elementary` with these terms."""
        held = max(x, -700.0)
        held = min(held, 700.0)
        shifted = held * 1.4426950408889634 + _ROUNDER
        power = shifted - _ROUNDER
        rest = (held - power * 0.693147180369123816490) - power * 1.90821492927058770002e-10
        return float_of(bits_of(terms(rest)) + (bits_of(shifted) << np.int64(52)))

    return power_lane


exp_lane = _power_of(_exp_polynomial)
"""Twin of :func:`remission.numerics.elementary.exp`."""
_odds = _power_of(_odds_polynomial)


@inlined
def log_lane(x):
    """Twin of :func:`remission.numerics.elementary.log`."""
    bits = bits_of(x) - _SQRT_HALF
    mantissa = float_of((bits & _MANTISSA) + _SQRT_HALF)
    power = float_of((bits >> np.int64(52)) + _EXPONENT_BITS) - _ROUNDER
    ratio = (mantissa - 1.0) / (mantissa + 1.0)
    return power * 0.6931471805599453 + 2.0 * ratio * _log_polynomial(ratio * ratio)


@inlined
def sin_turns_lane(turns):
    """Twin of the sine of :func:`remission.numerics.elementary.cos_sin_turns`."""
    centered = (turns - 1.0 if turns >= 1.0 else turns - 0.0) - 0.5
    upper, lower = 0.5 - centered, -0.5 - centered
    folded = min(centered, upper)
    folded = max(folded, lower)
    angle = folded * 6.283185307179586
    return -(_sin_polynomial(angle * angle) * angle)


@inlined
def cos_turns_lane(turns):
    """Twin of the cosine of :func:`remission.numerics.elementary.cos_sin_turns`."""
    return sin_turns_lane(turns + 0.25)


@inlined
def logistic_lane(x):
    """Twin of :func:`remission.numerics.elementary.logistic`."""
    return 1.0 / (1.0 + _odds(-x))


@inlined
def tanh_lane(x):
    """Twin of :func:`remission.numerics.elementary.tanh`."""
    return 1.0 - 2.0 / (exp_lane(2.0 * x) + 1.0)


@inlined
def unit_lane(word):
    """A 32-bit word as a uniform in (0, 1)."""
    # The word becomes the last digits of a number just above 2**20; what is left of it is exact.
    return float_of(np.int64(word | _TWO_20)) - (2.0**20 - 2.0**-33)


@inlined
def philox_lane(c0, c1, c2, c3, k0, k1):
    """Twin of :func:`remission.streams.draw_words`: four words from a counter and a key, all held in 64 bits."""
    for _ in range(10):
        p0 = _MULTIPLIER_0 * c0
        p1 = _MULTIPLIER_1 * c2
        c0 = (p1 >> _SHIFT) ^ c1 ^ k0
        c2 = (p0 >> _SHIFT) ^ c3 ^ k1
        c1 = p1 & _MASK
        c3 = p0 & _MASK
        k0 = (k0 + _WEYL_0) & _MASK
        k1 = (k1 + _WEYL_1) & _MASK
    return c0, c1, c2, c3


_TWINS = {"exp": exp_lane, "log": log_lane, "logistic": logistic_lane, "tanh": tanh_lane}


def compile_equation(function: Callable[..., Any]) -> Any:
    """The one-number twin of an elementwise function: the same code object, with this module's ``exp`` and its kin.

    ``function``: elementwise and branch-free: arithmetic, ``abs``, comparisons times numbers, and ``exp``, ``log``,
    ``logistic``, ``tanh`` of :mod:`remission.numerics.elementary`.
    """
    function = inspect.unwrap(function)  # tests wrap functions to check shapes
    space = {**function.__globals__, **{k: v for k, v in _TWINS.items() if k in function.__globals__}}
    # Numba knows no keyword-only arguments: the twin takes them by position or by name.
    code = function.__code__
    code = code.replace(co_argcount=code.co_argcount + code.co_kwonlyargcount, co_kwonlyargcount=0)
    return inlined(FunctionType(code, space, function.__name__))


def compile_naming(record: Any) -> Any:
    """A compiled function that gives the numbers of one array the names of a named tuple.

    ``record``: the class of the named tuple; its fields are in the order of the array.
    """
    values = ", ".join(f"values[{k}]" for k in range(len(record._fields)))
    space: dict[str, Any] = {"record": record}
    exec(f"def named(values):\n    return record({values})\n", space)
    return inlined(space["named"])
