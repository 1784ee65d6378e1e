"""Multiple imputation, with draws of its own: equal to the first program within the error of the draws."""

from collections.abc import Callable
from math import isfinite, sqrt

import numpy as np
from scipy import stats
from scipy.special import expit

from validation.second import counts, events, means
from validation.second.basics import (
    Array,
    Found,
    NoEstimateError,
    as_ratio,
    by_normal,
    by_t,
    check_sides,
    design,
    inverse_of,
)

Completed = Callable[[Array], Found]


def pool(estimates: Array, errors: Array, complete: float) -> tuple[Found, float]:
    """Rubin's rules, with the degrees of freedom of Barnard and Rubin; and the variance between."""
    n = estimates.size
    within, between = float((errors**2).mean()), float(estimates.var(ddof=1))
    if between < 1e-24 * within:
        between = 0.0
    more = (1.0 + 1.0 / n) * between
    total = within + more
    gamma = more / total
    if isfinite(complete):
        observed = (complete + 1.0) / (complete + 3.0) * complete * (1.0 - gamma)
        freedom = 1.0 / (gamma**2 / (n - 1) + 1.0 / observed)
        return by_t(float(estimates.mean()), sqrt(total), freedom), between
    if between == 0.0:
        return by_normal(float(estimates.mean()), sqrt(total)), between
    return by_t(float(estimates.mean()), sqrt(total), (n - 1) / gamma**2), between


def imputed_odds_ratio(
    outcome: Array,
    treated: Array,
    terms: Array,
    *,
    assumption: str,
    delta: float,
    n_sets: int,
    draw: np.random.Generator,
) -> tuple[Found, float]:
    """Chances of those not known from the model of a side; the imputed sets by the plain odds ratio."""
    check_sides(treated)
    others = design_of_side(terms)
    filled = np.repeat(outcome[None], n_sets, axis=0)
    models = {}
    for side in (0.0, 1.0):
        known = (treated == side) & np.isfinite(outcome)
        if not known.any() or np.ptp(outcome[known]) == 0.0:
            raise NoEstimateError("separation")
        columns, mine = others[known], outcome[known]
        place, _, information = events.fit_logistic(columns, mine)
        chance = expit(columns @ place)
        if bool((np.minimum(chance, 1.0 - chance) < 1e-8).all()):
            raise NoEstimateError("separation")
        models[side] = draw.multivariate_normal(place, inverse_of(information), n_sets)
    for person in np.flatnonzero(~np.isfinite(outcome)):
        is_own = assumption == "missing-at-random" or treated[person] == 0.0
        drawn = models[treated[person] if is_own else 0.0]
        chance = expit(drawn @ others[person] + delta * treated[person])
        filled[:, person] = draw.random(n_sets) < chance
    found = (
        [events.odds_ratio(row, treated, np.zeros((outcome.size, 0))) for row in filled]
        if not terms.size
        else [events.odds_ratio(row, treated, terms) for row in filled]
    )
    pooled, between = pool(np.log([one.estimate for one in found]), np.array([one.error for one in found]), np.inf)
    return as_ratio(pooled), between


def imputed_rate_ratio(
    count: Array,
    exposure: Array,
    treated: Array,
    terms: Array,
    *,
    assumption: str,
    delta: float,
    n_sets: int,
    draw: np.random.Generator,
) -> tuple[Found, float]:
    """Counts of those not known from the overdispersed model of a side; the sets by the robust rate ratio."""
    check_sides(treated)
    others = design_of_side(terms)
    filled = np.repeat(count[None], n_sets, axis=0)
    models = {}
    for side in (0.0, 1.0):
        known = (treated == side) & np.isfinite(count)
        columns, mine, days = others[known], count[known], exposure[known]
        if mine.size < columns.shape[1] + 1 or mine.sum() == 0.0:
            raise NoEstimateError("separation")
        start = np.zeros(columns.shape[1])
        start[0] = float(np.log(mine.sum() / days.sum()))
        place, information = counts.fit(columns, mine, counts.poisson(mine, days), np.zeros(mine.size), start)
        mean = days * np.exp(columns @ place)
        phi = max(1.0, float(((mine - mean) ** 2 / mean).sum()) / (mine.size - columns.shape[1]))
        models[side] = (draw.multivariate_normal(place, phi * inverse_of(information), n_sets), phi)
    for person in np.flatnonzero(~np.isfinite(count)):
        is_own = assumption == "missing-at-random" or treated[person] == 0.0
        drawn, phi = models[treated[person] if is_own else 0.0]
        mean = exposure[person] * np.exp(drawn @ others[person] + delta * treated[person])
        if phi > 1.0:
            mean = draw.gamma(mean / (phi - 1.0), phi - 1.0)
        filled[:, person] = draw.poisson(mean)
    found = [counts.robust_rate_ratio(row, exposure, treated, terms) for row in filled]
    complete = treated.size - design(terms, treated).shape[1]
    pooled, between = pool(np.log([one.estimate for one in found]), np.array([one.error for one in found]), complete)
    return as_ratio(pooled), between


def design_of_side(terms: Array) -> Array:
    """Intercept and terms, without treatment."""
    n = terms.shape[0]
    centered = terms - terms.mean(axis=0)
    return np.column_stack([np.ones(n), centered / np.maximum(np.abs(centered).max(axis=0), 1e-300)])


def imputed_difference(
    values: Array,
    treated: Array,
    terms: Array,
    *,
    assumption: str,
    delta: float,
    n_sets: int,
    draw: np.random.Generator,
) -> tuple[Found, float]:
    """Data augmentation of a multivariate normal; the value of the last visit by analysis of covariance."""
    check_sides(treated)
    n_people, n_visits = values.shape
    seen = np.isfinite(values)
    last = np.where(seen.any(axis=1), n_visits - 1 - seen[:, ::-1].argmax(axis=1), -1)
    z = np.column_stack([1.0 - treated, treated, terms - terms.mean(axis=0)])
    freedom = n_people - z.shape[1]
    filled = values.copy()
    for side in (0.0, 1.0):
        mine = treated == side
        filled[mine] = np.where(seen[mine], values[mine], np.nanmean(values[mine], axis=0))
    inner = np.linalg.inv(z.T @ z)
    root = np.linalg.cholesky(inner)
    estimates, errors = [], []
    for turn in range(50 + 10 * n_sets):
        fitted = inner @ z.T @ filled
        left = filled - z @ fitted
        spread = stats.invwishart.rvs(freedom, left.T @ left, random_state=draw).reshape(n_visits, n_visits)
        noise = draw.normal(size=fitted.shape)
        drawn = fitted + root @ noise @ np.linalg.cholesky(spread).T
        mean = z @ drawn
        filled = _conditional(values, seen, mean, spread, draw)
        if turn >= 50 and (turn - 50) % 10 == 9:
            other = mean + np.outer(treated, drawn[0] - drawn[1])
            under = _under(assumption, mean, other, last, treated)
            whole = filled if assumption == "missing-at-random" else _conditional(values, seen, under, spread, draw)
            early = ~seen & (np.arange(n_visits) < last[:, None])
            whole = np.where(early, filled, whole)
            after = (np.arange(n_visits) > last[:, None]) & (treated[:, None] == 1.0)
            found = means.mean_difference((whole + delta * after)[:, -1], treated, terms)
            estimates.append(found.estimate)
            errors.append(found.error)
    return pool(np.array(estimates), np.array(errors), n_people - 2 - terms.shape[1])


def _under(assumption: str, own: Array, other: Array, last: Array, treated: Array) -> Array:
    """Mean vector under which what comes after the last visit of a treated person is drawn."""
    result = own.copy()
    for person in np.flatnonzero(treated == 1.0):
        stop = last[person] + 1
        if assumption == "copy-reference" or stop == 0:
            result[person] = other[person]
        elif assumption == "jump-to-reference":
            result[person, stop:] = other[person, stop:]
        elif assumption == "copy-increments":
            result[person, stop:] = own[person, stop - 1] - other[person, stop - 1] + other[person, stop:]
    return result


def _conditional(values: Array, seen: Array, mean: Array, spread: Array, draw: np.random.Generator) -> Array:
    result = values.copy()
    for pattern in np.unique(seen, axis=0):
        rows = (seen == pattern).all(axis=1)
        gaps = ~pattern
        if not gaps.any():
            continue
        slope = spread[np.ix_(gaps, pattern)] @ np.linalg.inv(spread[np.ix_(pattern, pattern)])
        rest = spread[np.ix_(gaps, gaps)] - slope @ spread[np.ix_(pattern, gaps)]
        center = mean[np.ix_(rows, gaps)] + (values[np.ix_(rows, pattern)] - mean[np.ix_(rows, pattern)]) @ slope.T
        result[np.ix_(rows, gaps)] = center + draw.normal(size=center.shape) @ np.linalg.cholesky(rest).T
    return result
