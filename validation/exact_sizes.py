"""Exact size and power of tests, by enumeration and by closed forms: a second author's arithmetic."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.stats import binom, nct, norm
from scipy.stats import t as student

__all__ = ["binomial_power", "count_power", "hazard_power", "normal_power", "wald_rejects"]


@cache
def wald_rejects(n_1: int, n_0: int, alpha: float = 0.05) -> np.ndarray:
    """Which pairs of counts the Wald test of the log odds ratio rejects; an empty cell counts as half a person."""
    a, c = np.meshgrid(np.arange(n_1 + 1.0), np.arange(n_0 + 1.0), indexing="ij")
    b, d = n_1 - a, n_0 - c
    a, b, c, d = (np.where(cell == 0, 0.5, cell) for cell in (a, b, c, d))
    z = np.log(a * d / (b * c)) / np.sqrt(1.0 / a + 1.0 / b + 1.0 / c + 1.0 / d)
    return np.abs(z) > norm.ppf(1.0 - alpha / 2.0)


def binomial_power(
    side_1: Sequence[tuple[int, float]], side_0: Sequence[tuple[int, float]], alpha: float = 0.05
) -> float:
    """Chance of rejection when each side is made up of arms with so many people and such a chance of the event."""
    counts = []
    for side in (side_1, side_0):
        law = np.ones(1)
        for n, p in side:
            law = np.convolve(law, binom.pmf(np.arange(n + 1), n, p))
        counts.append(law)
    reject = wald_rejects(counts[0].size - 1, counts[1].size - 1, alpha)
    return float(counts[0] @ reject @ counts[1])


def normal_power(difference: float, sd: float, n_1: int, n_0: int, alpha: float = 0.05) -> float:
    """Power of the two-sided t test of two normal samples with one standard deviation."""
    df = n_1 + n_0 - 2
    away = difference / (sd * np.sqrt(1.0 / n_1 + 1.0 / n_0))
    bound = student.ppf(1.0 - alpha / 2.0, df)
    return float(nct.sf(bound, df, away) + nct.cdf(-bound, df, away))


def hazard_power(hazard_ratio: float, n_events: float, share: float = 0.5, alpha: float = 0.05) -> float:
    """Schoenfeld's approximation for so many events, ``share`` of the people on one side."""
    away = np.sqrt(n_events * share * (1.0 - share)) * abs(np.log(hazard_ratio))
    return float(norm.cdf(away - norm.ppf(1.0 - alpha / 2.0)))


def count_power(rate_ratio: float, mean_0: float, dispersion: float, n_1: int, n_0: int, alpha: float = 0.05) -> float:
    """Normal approximation for negative-binomial counts whose variance is mean + dispersion * mean ** 2."""
    variance = (1.0 / (mean_0 * rate_ratio) + dispersion) / n_1 + (1.0 / mean_0 + dispersion) / n_0
    return float(norm.cdf(abs(np.log(rate_ratio)) / np.sqrt(variance) - norm.ppf(1.0 - alpha / 2.0)))
