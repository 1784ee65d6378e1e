"""Counts over days."""

from collections.abc import Callable
from math import exp, sqrt

import numpy as np
from scipy import stats
from scipy.optimize import brentq, linprog
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
    """Coefficients of greatest likelihood, and the information there.

    Newton's steps that move no linear predictor by more than two, so that none lands where all chances are 0 or 1.
    """

    def look(place: Array) -> tuple[float, Array, Array]:
        mean, variance, height = family(columns @ place + offset)
        return height, columns.T @ (counts - mean), columns.T @ (columns * variance[:, None])

    place = start
    height, gradient, information = look(place)
    for _ in range(200):
        try:
            step = np.linalg.solve(information, gradient)
        except np.linalg.LinAlgError:
            break
        gain = float(gradient @ step)
        step = step * min(1.0, 2.0 / max(float(np.abs(columns @ step).max()), 1e-300))
        after = look(place + step)
        while not after[0] >= height - 1e-12 * abs(height) and np.abs(step).max() > 1e-12:
            step = step / 2.0
            after = look(place + step)
        place = place + step
        height, gradient, information = after
        if abs(gain) < 1e-13:
            break
    return place, information


def rate_ratio(counts: Array, exposure: Array, treated: Array, terms: Array) -> Found:
    """Quasi-Poisson regression; p value and interval from the score."""
    counts, exposure, treated, terms = undecided(counts, exposure, treated, terms, is_odds=False)
    level = np.log(counts.sum() / exposure.sum())
    return _by_score(counts, treated, terms, poisson(counts, exposure), float(level))


def day_odds_ratio(counts: Array, exposure: Array, treated: Array, terms: Array) -> Found:
    """Quasi-binomial regression of days; p value and interval from the score."""
    counts, exposure, treated, terms = undecided(counts, exposure, treated, terms, is_odds=True)
    level = np.log(counts.sum() / (exposure - counts).sum())
    return _by_score(counts, treated, terms, binomial(counts, exposure), float(level))


def undecided(
    counts: Array, exposure: Array, treated: Array, terms: Array, *, is_odds: bool
) -> tuple[Array, Array, Array, Array]:
    """People without those whom the other terms foretell, by a linear program.

    The direction wanted moves nobody with a count between nothing and everything, and moves as many as it can of the
    others towards what they have.
    """
    check_sides(treated)
    if counts.max() == 0.0:
        raise NoEstimateError("no_variation")
    others = design(terms, treated)
    few, many = counts == 0.0, (counts == exposure) & is_odds
    fixed, free = others[~few & ~many], np.where(few, -1.0, 1.0)[few | many, None] * others[few | many]
    told = np.zeros(counts.size, dtype=bool)
    if free.size:
        n_free, n_columns = free.shape
        found = linprog(
            np.append(np.zeros(n_columns), -np.ones(n_free)),
            A_ub=np.column_stack([-free, np.eye(n_free)]),
            b_ub=np.zeros(n_free),
            A_eq=np.column_stack([fixed, np.zeros((len(fixed), n_free))]) if len(fixed) else None,
            b_eq=np.zeros(len(fixed)) if len(fixed) else None,
            bounds=[(None, None)] * n_columns + [(0.0, 1.0)] * n_free,
        )
        told[few | many] = found.x[n_columns:] > 0.5
    if told.any():
        counts, exposure, treated, terms = (one[~told] for one in (counts, exposure, treated, terms))
        try:
            check_counts(counts, exposure, treated, is_odds=is_odds)
            columns = design(terms, treated)
        except NoEstimateError:
            raise NoEstimateError("separation") from None
        if columns.shape[0] <= columns.shape[1]:
            raise NoEstimateError("separation")
    check_counts(counts, exposure, treated, is_odds=is_odds)
    return counts, exposure, treated, terms


def check_counts(counts: Array, exposure: Array, treated: Array, *, is_odds: bool) -> None:
    check_sides(treated)
    if counts.max() == 0.0:
        raise NoEstimateError("no_variation")
    sides = [treated == side for side in (0.0, 1.0)]
    if min(float(counts[side].sum()) for side in sides) == 0.0:
        raise NoEstimateError("separation")
    if is_odds and any((counts[side] == exposure[side]).all() for side in sides):
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
    of_nothing = statistic(0.0)
    reach = min(3.0 * quantile * error, 20.0)
    ends = []
    for side in (-1.0, 1.0):
        # The interval has the answer of the test: nothing is inside, or outside.
        has_nothing = side * estimate < 0.0
        if has_nothing and abs(of_nothing) > quantile:
            ends.append(_end(statistic, estimate, side * min(reach, abs(estimate)), quantile))
        elif has_nothing and reach <= abs(estimate):
            ends.append(0.0)
        elif has_nothing:
            ends.append(_end(statistic, 0.0, side * (reach - abs(estimate)), quantile))
        else:
            ends.append(_end(statistic, estimate, side * reach, quantile))
    p = 2.0 * float(stats.t.sf(abs(of_nothing), freedom))
    return Found("ok", exp(estimate), exp(ends[0]), exp(ends[1]), p, error)


def _end(statistic: Callable[[float], float], begin: float, reach: float, quantile: float) -> float:
    """The first place in twelve steps where the statistic passes the quantile, or the farthest."""
    before = begin
    sign = 1.0 if reach > 0.0 else -1.0

    # Away from the estimate the score falls on the right and rises on the left.
    def beyond(value: float) -> float:
        return -sign * statistic(value) - quantile

    for place in np.linspace(begin, begin + reach, 13)[1:]:
        if beyond(float(place)) > 0.0:
            return float(brentq(beyond, before, float(place), xtol=1e-11, rtol=1e-13))
        before = float(place)
    return begin + reach


def robust_rate_ratio(counts: Array, exposure: Array, treated: Array, terms: Array) -> Found:
    """Poisson likelihood with the sandwich of leave-one-out residuals."""
    counts, exposure, treated, terms = undecided(counts, exposure, treated, terms, is_odds=False)
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
