"""Differences and ratios of means."""

from math import exp, log, sqrt

import numpy as np

from validation.second.basics import Array, Found, NoEstimateError, by_normal, by_t, check_sides, design


def mean_difference(outcome: Array, treated: Array, terms: Array, *, errors: str = "equal-variance") -> Found:
    """Analysis of covariance; ``errors="hc3"`` for the sandwich of leave-one-out residuals."""
    check_sides(treated)
    if np.ptp(outcome) == 0.0:
        raise NoEstimateError("no_variation")
    columns = design(terms, treated)
    freedom = columns.shape[0] - columns.shape[1]
    if freedom < 1:
        raise NoEstimateError("not_estimable")
    basis, triangle = np.linalg.qr(columns)
    inverse = np.linalg.inv(triangle)
    coefficients = inverse @ (basis.T @ outcome)
    left = outcome - columns @ coefficients
    squares = float(left @ left)
    if squares <= 1e-20 * float(((outcome - outcome.mean()) ** 2).sum()):
        raise NoEstimateError("no_variation")
    if errors == "equal-variance":
        variance = squares / freedom * float(inverse[-1] @ inverse[-1])
    else:
        leverage = (basis**2).sum(axis=1)
        if (1.0 - leverage).min() <= 1e-9:
            raise NoEstimateError("not_estimable")
        # The weight of each outcome in the coefficient is a row of (X'X)^-1 X'.
        weight = basis @ inverse[-1]
        variance = float(((weight * left / (1.0 - leverage)) ** 2).sum())
    return by_t(float(coefficients[-1]), sqrt(variance), freedom)


def percent_lower(outcome: Array, treated: Array) -> Found:
    """Percent by which the mean of the treatment side is lower, by the delta method on the log ratio."""
    check_sides(treated)
    one, two = outcome[treated == 1.0], outcome[treated == 0.0]
    if np.ptp(outcome) == 0.0 or one.mean() <= 0.0 or two.mean() <= 0.0:
        raise NoEstimateError("no_variation")
    variance = sum(float(side.var(ddof=1)) / (side.size * float(side.mean()) ** 2) for side in (one, two))
    found = by_normal(log(one.mean() / two.mean()), sqrt(variance))
    estimate, low, high = (100.0 * (1.0 - exp(value)) for value in (found.estimate, found.high, found.low))
    return Found("ok", estimate, low, high, found.p, found.error)


def within_people_difference(first: Array, second: Array, is_first: Array) -> Found:
    """Crossover of two periods: half differences of the sequences, with one variance."""
    known = np.isfinite(first) & np.isfinite(second)
    half = (first[known] - second[known]) / 2.0
    treated = is_first[known]
    check_sides(treated)
    if np.ptp(half) == 0.0:
        raise NoEstimateError("no_variation")
    one, two = half[treated == 1.0], half[treated == 0.0]
    freedom = half.size - 2
    squares = float(((one - one.mean()) ** 2).sum() + ((two - two.mean()) ** 2).sum())
    if squares <= 1e-20 * float(((half - half.mean()) ** 2).sum()):
        raise NoEstimateError("no_variation")
    return by_t(float(one.mean() - two.mean()), sqrt(squares / freedom * (1.0 / one.size + 1.0 / two.size)), freedom)
