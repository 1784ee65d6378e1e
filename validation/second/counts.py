"""Counts over days."""

from collections.abc import Callable
from math import exp, sqrt

import numpy as np
from scipy import stats
from scipy.optimize import brentq
from scipy.special import expit

from validation.second.basics import (
    Array,
    Found,
    NoEstimateError,
    as_ratio,
    by_t,
    check_sides,
    design,
    error_of_last,
    inverse_of,
    maximum,
)

# Of the linear predictor: what is expected, its variance, and what of the log likelihood depends on it.
Family = Callable[[Array], tuple[Array, Array, float]]


def poisson(counts: Array, exposure: Array) -> Family:
    def at(linear: Array) -> tuple[Array, Array, float]:
        with np.errstate(over="ignore"):
            mean = exposure * np.exp(linear)
        return mean, mean, float(counts @ linear - mean.sum())

    return at


def binomial(counts: Array, exposure: Array) -> Family:
    def at(linear: Array) -> tuple[Array, Array, float]:
        chance = expit(linear)
        height = float(counts @ linear - exposure @ np.logaddexp(0.0, linear))
        return exposure * chance, exposure * chance * (1.0 - chance), height

    return at


def fit(columns: Array, counts: Array, family: Family, offset: Array, start: Array) -> tuple[Array, Array]:
    """Coefficients of greatest likelihood, and the information there."""

    def derivatives(place: Array) -> tuple[float, Array, Array]:
        mean, variance, height = family(columns @ place + offset)
        return height, columns.T @ (counts - mean), columns.T @ (columns * variance[:, None])

    place, _, information = maximum(start, derivatives, most=60)
    return place, information


def rate_ratio(counts: Array, exposure: Array, treated: Array, terms: Array) -> Found:
    """Quasi-Poisson regression; p value and interval from the score."""
    check_counts(counts, treated)
    level = np.log(counts.sum() / exposure.sum())
    return _by_score(counts, treated, terms, poisson(counts, exposure), float(level))


def day_odds_ratio(counts: Array, exposure: Array, treated: Array, terms: Array) -> Found:
    """Quasi-binomial regression of days; p value and interval from the score."""
    check_counts(counts, treated)
    if any((counts[treated == side] == exposure[treated == side]).all() for side in (0.0, 1.0)):
        raise NoEstimateError("separation")
    level = np.log(counts.sum() / (exposure - counts).sum())
    return _by_score(counts, treated, terms, binomial(counts, exposure), float(level))


def check_counts(counts: Array, treated: Array) -> None:
    check_sides(treated)
    if counts.max() == 0.0:
        raise NoEstimateError("no_variation")
    if min(float(counts[treated == side].sum()) for side in (0.0, 1.0)) == 0.0:
        raise NoEstimateError("separation")


def _by_score(counts: Array, treated: Array, terms: Array, family: Family, level: float) -> Found:
    columns = design(terms, treated)
    n_people, n_columns = columns.shape
    freedom = n_people - n_columns
    if freedom < 1:
        raise NoEstimateError("not_estimable")
    nothing = np.zeros(n_people)
    start = np.zeros(n_columns)
    start[0] = level
    place, information = fit(columns, counts, family, nothing, start)
    mean, variance, _ = family(columns @ place)
    with np.errstate(divide="ignore", invalid="ignore"):
        pearson = float(np.nansum((counts - mean) ** 2 / variance))
    # The estimate runs away: the first program says so by the same error since it was found missing there.
    if error_of_last(information) > 20.0:
        raise NoEstimateError("separation")
    error = sqrt(pearson / freedom) * error_of_last(information)
    others = columns[:, :-1]
    basis, _ = np.linalg.qr(others)
    alone = treated - basis @ (basis.T @ treated)
    alone = alone / np.sqrt(alone @ alone)
    estimate = float(place[-1])

    def statistic(value: float) -> float:
        offset = value * treated
        inner, _ = fit(others, counts, family, offset, place[:-1])
        expected, _, _ = family(others @ inner + offset)
        left = counts - expected
        along = float(alone @ left)
        return along / sqrt((float(left @ left) - along**2) / freedom)

    quantile = float(stats.t.isf(0.025, freedom))
    ends = [_end(statistic, estimate, side * 3.0 * quantile * error, quantile) for side in (-1.0, 1.0)]
    p = 2.0 * float(stats.t.sf(abs(statistic(0.0)), freedom))
    return Found("ok", exp(estimate), exp(ends[0]), exp(ends[1]), p, error)


def _end(statistic: Callable[[float], float], estimate: float, reach: float, quantile: float) -> float:
    """The first place from the estimate on where the statistic passes the quantile, or the farthest."""
    before = estimate
    for place in np.linspace(estimate, estimate + reach, 13)[1:]:
        if abs(statistic(float(place))) > quantile:
            return float(
                brentq(lambda value: abs(statistic(value)) - quantile, before, float(place), xtol=1e-11, rtol=1e-13)
            )
        before = float(place)
    return estimate + reach


def robust_rate_ratio(counts: Array, exposure: Array, treated: Array, terms: Array) -> Found:
    """Poisson likelihood with the sandwich of leave-one-out residuals."""
    check_counts(counts, treated)
    columns = design(terms, treated)
    freedom = columns.shape[0] - columns.shape[1]
    if freedom < 1:
        raise NoEstimateError("not_estimable")
    start = np.zeros(columns.shape[1])
    start[0] = float(np.log(counts.sum() / exposure.sum()))
    family = poisson(counts, exposure)
    place, information = fit(columns, counts, family, np.zeros(counts.size), start)
    mean = family(columns @ place)[0]
    bread = inverse_of(information)
    leverage = mean * np.einsum("ij,jk,ik->i", columns, bread, columns)
    if (1.0 - leverage).min() <= 1e-9:
        raise NoEstimateError("not_estimable")
    weight = (columns @ bread[:, -1]) * (counts - mean) / (1.0 - leverage)
    error = sqrt(float(weight @ weight))
    if error > 20.0:
        raise NoEstimateError("separation")
    return as_ratio(by_t(float(place[-1]), error, freedom))
