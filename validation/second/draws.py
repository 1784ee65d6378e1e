"""Two programs that draw: each with draws of its own, compared in distribution.

The rule, written before anything was compared.
On a data set with gaps the first program answers under ``FIRST`` seeds of the set's own and the second with ``SECOND``
independent draws. If both have one law, the labels of these answers mean nothing, whatever the law is. Of each of
three numbers (the estimate; the logarithm of half the interval; the normal quantile of the p value; ratios on
logarithms) the difference of the two means, in standard deviations of all answers of the set, is summed over the data
sets, once as it is (a leaning) and once squared (any difference of a set). The first sum is held to its exact variance,
the second to random labels. ``TESTS`` tests of all forms together raise a false alarm with a chance of ``FALSE_ALARM``,
by Bonferroni's rule.
A set in which the first program has a number under some draws and the second under none is a difference.
Where nothing is missing there is nothing to draw, and both must give the same number.
"""

from dataclasses import dataclass, field
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FIRST, SECOND = 2, 12
N_IMPUTATIONS = 5
N_LABELS = 2000
FALSE_ALARM = 0.01
TESTS = 13 * 3 * 2
NUMBERS = ("estimate", "interval", "p")

Array = NDArray[np.float64]


@dataclass
class Answers:
    """Of one form: for each data set the three numbers of both programs; (number, answer), first program first."""

    sets: list[Array] = field(default_factory=list)
    words: list[str] = field(default_factory=list)


def numbers(estimate: float, low: float, high: float, p: float, *, is_ratio: bool) -> list[float]:
    """The three numbers of an answer."""
    if is_ratio:
        estimate, low, high = (float(np.log(value)) for value in (estimate, low, high))
    return [estimate, float(np.log((high - low) / 2.0)), float(stats.norm.isf(min(max(p, 1e-300), 1.0) / 2.0))]


def p_values(answers: Answers) -> dict[str, float]:
    """Of a form: the p value of each of the six tests."""
    found: dict[str, float] = {}
    if not answers.sets:
        return found
    labels = np.random.default_rng(20261129)
    for place, name in enumerate(NUMBERS):
        table = np.array([one[place] for one in answers.sets])
        table = table[np.ptp(table, axis=1) > 1e-12]
        if not len(table):
            continue
        table = (table - table.mean(axis=1, keepdims=True)) / table.std(axis=1, ddof=1, keepdims=True)
        share = 1.0 / FIRST + 1.0 / SECOND
        apart = _apart(table)
        found[f"{name}, leaning"] = float(2.0 * stats.norm.sf(abs(apart.sum()) / sqrt(len(table) * share)))
        shuffled = np.array([float((_apart(labels.permuted(table, axis=1)) ** 2).sum()) for _ in range(N_LABELS)])
        # A gamma with the mean and variance under random labels reaches further out than their number does.
        spread = float(shuffled.var(ddof=1))
        mean = len(table) * share
        found[f"{name}, any"] = float(stats.gamma.sf(float((apart**2).sum()), mean**2 / spread, scale=spread / mean))
    return found


def _apart(table: Array) -> Array:
    return np.asarray(table[:, :FIRST].mean(axis=1) - table[:, FIRST:].mean(axis=1))
