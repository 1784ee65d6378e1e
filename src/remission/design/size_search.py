"""The smallest number of people with a power, by steps along the curve of a normal test, with its interval.

    power(n) = Phi(k * sqrt(n) - z),  z the two-sided bound of alpha

A size is simulated until it says where the power asked for lies: there the search goes, and ends where the answer is
near the size that was simulated and is known to a few people. Trials of different sizes share their people, those of a
smaller trial being the first of a larger one. The curve turns the Monte Carlo error of the power into an interval of
the size. The interval says how well the simulation knows the size; it does not say how well the model knows the effect.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final, Literal

import numpy as np

from remission.analyses.estimate import Z95
from remission.numerics.special_functions import ndtr, ndtri
from remission.numerics.tallies import Measure

TRIALS_NEAR = 10
"""So many times the trials of another size are simulated near the answer, at most."""
WITHIN_PEOPLE: Final = 5.0
"""Half of the interval at which a size is known well enough, or"""
WITHIN_SHARE: Final = 0.01
"""so much of the size, where that is more."""
_NEAR: Final = 0.03
"""An answer at most so far from the size that was simulated is read off the curve."""
_UNDECIDED: Final = 3.0
"""At the ends of the range a power within so many Monte Carlo errors of the one asked for decides nothing."""
_MOST_SIZES: Final = 12
_STRIDE: Final = 4.0
"""One step goes no further than to so many times the size, or back: far away the curve says little."""

Enough = Callable[[Measure], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """A size that the search tried: its power and the trials behind it.

    ``n_randomizations``: how often the people of each trial were randomized; 1 for ordinary trials.
    """

    n_subjects: int
    rejected: Measure
    n_replicates: int
    n_randomizations: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SizeSearch:
    """What the search found.

    ``outcome``: ``found``; ``below``: the smallest size of the range has the power already, so that fewer people may
    have it too; ``above``: no size of the range has it, and there is no ``n``. ``interval`` is the 95% Monte Carlo
    interval of ``n``, where it was found; it may reach beyond the range. ``rejected``: power at ``n``.
    """

    power: float
    low: int
    high: int
    outcome: Literal["found", "below", "above"]
    n: int | None
    interval: tuple[int, int] | None
    rejected: Measure | None
    evaluations: tuple[Evaluation, ...]


def search_size(
    evaluate: Callable[[int, Enough], Evaluation],
    *,
    power: float,
    low: int,
    high: int,
    alpha: float,
    start: int | None = None,
) -> SizeSearch:
    """The smallest size from ``low`` to ``high`` with a power.

    ``evaluate``: simulates a size until it is told that the measure is enough, or as many trials as may be spent on
    one. ``power``: above 0 and below 1. ``alpha``: two-sided error of the test. ``start``: a size to begin with.
    """
    known: dict[int, Evaluation] = {}
    n = min(max(start or (low + high) // 2, low), high)
    for _ in range(_MOST_SIZES):
        # Who comes back to a size stays, for the search would go to and fro between two that are hardly known.
        is_last = n in known
        enough = partial(_is_enough, n, power=power, alpha=alpha, low=low, high=high, stays=is_last)
        # Simulated anew, a size that is known well enough to stay would end at the same trial.
        if not is_last or not enough(known[n].rejected):
            known[n] = evaluate(n, enough)
        there = along_curve(n, known[n].rejected.value, power, alpha)
        if is_last or (low <= there <= high and _is_near(known[n], there, power, alpha)):
            break
        n = min(max(int(np.ceil(there - 1e-9)), low), high)
    best = min(known.values(), key=lambda one: _trust(one, power, alpha))
    tried = tuple(known[size] for size in sorted(known))

    def done(
        outcome: Literal["found", "below", "above"], n: int | None, interval: tuple[int, int] | None = None
    ) -> SizeSearch:
        share = None if n is None else _at(best, n, alpha)
        return SizeSearch(
            power=power, low=low, high=high, outcome=outcome, n=n, interval=interval, rejected=share, evaluations=tried
        )

    if high in known and known[high].rejected.value < power:
        return done("above", None)
    if low in known and known[low].rejected.value >= power:
        return done("below", low)
    found, here = best.rejected, best.n_subjects
    n = min(max(int(np.ceil(along_curve(here, found.value, power, alpha) - 1e-9)), low), high)
    least, most = _ends(here, found, power, alpha)
    return done("found", n, (min(int(np.floor(least)), n), max(int(np.ceil(most)), n)))


def along_curve(n: int, found: float, power: float, alpha: float) -> float:
    """The size with the power asked for, on the curve through what was found at ``n``; not much further than that."""
    z = float(-ndtri(alpha / 2.0))
    here, there = _score(found) + z, _score(power) + z
    if there <= 0.0:
        return float(n)
    return n * min(max((there / here) ** 2, 1.0 / _STRIDE), _STRIDE) if here > 0.0 else n * _STRIDE


def _trust(one: Evaluation, power: float, alpha: float) -> tuple[bool, float]:
    """By what the size that answers is chosen, the lowest: whether the answer lies far from it, and how wide it is."""
    least, most = _ends(one.n_subjects, one.rejected, power, alpha)
    there = along_curve(one.n_subjects, one.rejected.value, power, alpha)
    return not _is_near(one, there, power, alpha), most - least


def _is_near(one: Evaluation, there: float, power: float, alpha: float) -> bool:
    """Whether an answer is read off the curve: it is near, or no further than it is known."""
    least, most = _ends(one.n_subjects, one.rejected, power, alpha)
    known = min((most - least) / 2.0, WITHIN_PEOPLE)
    return abs(there - one.n_subjects) <= max(_NEAR * one.n_subjects, known)


def _score(share: float) -> float:
    return float(ndtri(min(max(share, 1e-6), 1.0 - 1e-6)))


def _ends(n: int, found: Measure, power: float, alpha: float) -> tuple[float, float]:
    """The size with the power asked for, if the power at ``n`` lay at the ends of its 95% interval."""
    away = Z95 * found.mcse
    return along_curve(n, found.value + away, power, alpha), along_curve(n, found.value - away, power, alpha)


def _is_enough(n: int, found: Measure, *, power: float, alpha: float, low: int, high: int, stays: bool) -> bool:
    """Whether a size is known well enough to answer, or well enough to go elsewhere; ``stays``: it goes nowhere."""
    there = along_curve(n, found.value, power, alpha)
    least, most = _ends(n, found, power, alpha)
    half = (most - least) / 2.0
    gap = (found.value - power) / max(found.mcse, 1e-12)
    if (n == high and gap < -_UNDECIDED) or (n == low and gap > _UNDECIDED):
        return True
    is_elsewhere = abs(there - n) > _NEAR * n and half < abs(there - n) / 2.0 and low < there < high
    is_outside = not low <= there <= high and abs(gap) > _UNDECIDED
    return half <= max(WITHIN_PEOPLE, WITHIN_SHARE * there) or (not stays and (is_elsewhere or is_outside))


def _at(one: Evaluation, n: int, alpha: float) -> Measure:
    """The power at a size, on the curve through what was found at one near it."""
    if n == one.n_subjects:
        return one.rejected
    z = float(-ndtri(alpha / 2.0))
    value = float(ndtr((_score(one.rejected.value) + z) * np.sqrt(n / one.n_subjects) - z))
    return Measure(value=value, mcse=one.rejected.mcse)
