"""The smallest number of people with a power, by bisection on common random numbers, with its interval.

Trials of different sizes share their people: those of a smaller trial are the first of a larger one. The simulated
power therefore rises nearly without noise from one size to the next, and bisection finds where it crosses. Far from the
crossing a hundred trials decide; near it many are simulated. A last step follows the curve of a normal test::

    power(n) = Phi(k * sqrt(n) - z),  z the two-sided bound of alpha

which also turns the Monte Carlo error of the power into an interval of the size. The interval says how well the
simulation knows the size; it does not say how well the model knows the effect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import ndtri

from remission.analyses.estimate import Z95
from remission.numerics.tallies import Measure

TRIALS_NEAR = 10
"""So many times the trials of another size are simulated near the answer, so that it is known to some 3%."""
_UNDECIDED = 3.0
"""A power within so many Monte Carlo errors of the one asked for decides nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A size that the search tried: its power and the trials behind it."""

    n_subjects: int
    rejected: Measure
    n_replicates: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeSearch:
    """What the search found.

    ``outcome``: ``found``; ``below``: the smallest size of the range has the power already, so that fewer people may
    have it too; ``above``: no size of the range has it, and there is no ``n``. ``interval`` is the 95% Monte Carlo
    interval of ``n``; it may reach beyond the range.
    """

    power: float
    low: int
    high: int
    outcome: Literal["found", "below", "above"]
    n: int | None
    interval: tuple[int, int] | None
    evaluations: tuple[Evaluation, ...]


def search_size(
    evaluate: Callable[[int], Evaluation], *, power: float, low: int, high: int, alpha: float
) -> SizeSearch:
    """The smallest size from ``low`` to ``high`` with a power.

    ``evaluate``: simulates a size until it is told apart from ``power``, or as many trials as may be spent on one.
    ``power``: above 0 and below 1. ``alpha``: two-sided error of the test.
    """
    known: dict[int, Evaluation] = {}

    def at(n: int) -> Measure:
        if n not in known:
            known[n] = evaluate(n)
        return known[n].rejected

    def done(outcome: Literal["found", "below", "above"], n: int | None) -> SizeSearch:
        interval = None if n is None else _interval(n, _error_near(known, power), power, alpha)
        tried = tuple(known[size] for size in sorted(known))
        return SizeSearch(power=power, low=low, high=high, outcome=outcome, n=n, interval=interval, evaluations=tried)

    if at(high).value < power:
        return done("above", None)
    if at(low).value >= power:
        return done("below", low)
    bottom, top = low, high
    while top - bottom > 1:
        middle = (bottom + top) // 2
        found = at(middle)
        if abs(found.value - power) <= _UNDECIDED * found.mcse:
            # As many trials as may be spent did not tell them apart: the curve says the rest.
            return done("found", min(max(_step(middle, found.value, power, alpha), bottom + 1), top))
        if found.value >= power:
            top = middle
        else:
            bottom = middle
    return done("found", top)


def _step(n: int, found: float, power: float, alpha: float) -> int:
    """The size with the power asked for, on the curve of a normal test through what was found at ``n``."""
    z = float(-ndtri(alpha / 2.0))
    here, there = float(ndtri(min(max(found, 1e-6), 1.0 - 1e-6))) + z, float(ndtri(power)) + z
    if here <= 0.0 or there <= 0.0:
        return n
    return int(np.ceil(n * (there / here) ** 2 - 1e-9))


def _error_near(known: dict[int, Evaluation], power: float) -> float:
    """The Monte Carlo error of the power at the sizes nearest to the answer."""
    return min(one.rejected.mcse for one in known.values() if abs(one.rejected.value - power) <= _nearest(known, power))


def _nearest(known: dict[int, Evaluation], power: float) -> float:
    return min(abs(one.rejected.value - power) for one in known.values()) + 1e-12


def _interval(n: int, error: float, power: float, alpha: float) -> tuple[int, int]:
    z = float(-ndtri(alpha / 2.0))
    aim = float(ndtri(power))
    slope = float(np.exp(-0.5 * aim**2) / np.sqrt(2.0 * np.pi))
    away = Z95 * error / slope
    whole = max(aim + z, 0.5)
    least, most = (n * (max(whole + sign * away, 0.0) / whole) ** 2 for sign in (-1.0, 1.0))
    return int(np.floor(least)), int(np.ceil(most))
