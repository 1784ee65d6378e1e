"""Shares of simulated people and their Monte Carlo error; never an error of 0."""

from dataclasses import dataclass

import numpy as np

from remission.numerics.intervals import share_interval
from remission.shapes import Bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Probability:
    """A share of the simulated people. [0 to 1]

    ``standard_error``: ``sqrt(p (1 - p) / n)`` with half a person added to each side, so that none of 1000 is not
    surely none. ``low``, ``high``: 95% interval of Wilson: what more simulated people could still show. It knows
    nothing of the model being wrong.
    """

    share: float
    standard_error: float
    low: float
    high: float
    n_people: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareDifference:
    """A difference of two shares in the same simulated people. [-1 to 1]"""

    difference: float
    standard_error: float


def share_of(hit: Bool[np.ndarray, " subject"]) -> Probability:
    """The share of people who are hit.

    >>> none = share_of(np.zeros(1000, dtype=bool))
    >>> f"{none.share:.3f}, error {none.standard_error:.4f}, at most {none.high:.4f}"
    '0.000, error 0.0007, at most 0.0038'
    """
    n = int(hit.size)
    k = int(np.count_nonzero(hit))
    p, half = k / n, (k + 0.5) / (n + 1.0)
    low, high = share_interval(k, n)
    return Probability(
        share=p,
        standard_error=float(np.sqrt(half * (1.0 - half) / n)),
        low=low,
        high=high,
        n_people=n,
    )


def share_difference(first: Bool[np.ndarray, " subject"], second: Bool[np.ndarray, " subject"]) -> ShareDifference:
    """Second minus first, in the same people: only those who change count for the error."""
    n = int(first.size)
    gained = (int(np.count_nonzero(second & ~first)) + 0.5) / (n + 1.0)
    lost = (int(np.count_nonzero(first & ~second)) + 0.5) / (n + 1.0)
    variance = (gained + lost - (gained - lost) ** 2) / n
    return ShareDifference(difference=float(np.mean(second) - np.mean(first)), standard_error=float(np.sqrt(variance)))
