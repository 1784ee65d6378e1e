"""Multiple imputation of visits, events and counts: many chains at once, by conditional normals of each pattern.

Written from the pages of the documents and the docstrings of the first program; its code was not read.
"""

from collections.abc import Iterator
from math import inf, isfinite, log, sqrt
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.special import expit

from validation.second import counts, events
from validation.second.basics import (
    Array,
    Found,
    NoEstimateError,
    as_ratio,
    by_t,
    check_sides,
    columns_that_count,
)

BURN_IN = 50
BETWEEN = 10
Draw = np.random.Generator


def pooled(estimates: Array, variances: Array, freedom: float = inf) -> Found:
    """Rubin's rules; degrees of freedom of Barnard and Rubin where those of complete data are finite."""
    n = estimates.size
    between = float(estimates.var(ddof=1))
    total = float(variances.mean()) + (1.0 + 1.0 / n) * between
    share = (1.0 + 1.0 / n) * between / total
    old = (n - 1.0) / share**2 if share > 1e-150 else inf
    if isfinite(freedom):
        seen = (freedom + 1.0) / (freedom + 3.0) * freedom * (1.0 - share)
        freedom = 1.0 / (1.0 / old + 1.0 / seen)
    else:
        freedom = old
    return by_t(float(estimates.mean()), sqrt(total), freedom)


# --------------------------------------------------------------------------------------------------------------- visits


def inverse_wishart(products: Array, freedom: float, draw: Draw) -> Array:
    """One draw for each matrix of residual products: the inverse of a Wishart of their inverse."""
    n_chains, size = products.shape[:2]
    lower = np.zeros((n_chains, size, size))
    for i in range(size):
        lower[:, i, i] = np.sqrt(draw.chisquare(freedom - i, n_chains))
        lower[:, i, :i] = draw.normal(size=(n_chains, i))
    # With products = C C', S = C (A A')^-1 C'.
    root = np.linalg.cholesky(products) @ np.linalg.inv(lower).transpose(0, 2, 1)
    return root @ root.transpose(0, 2, 1)


class Visits:
    """Values by visit with an intercept for each side, the terms, and one covariance."""

    def __init__(self, values: Array, treated: Array, terms: Array, n_chains: int, draw: Draw) -> None:
        sides = np.column_stack([treated == 0.0, treated == 1.0]).astype(float)
        # In columns at right angles the draws of the coefficients are those of the same model.
        columns = np.column_stack([sides, terms - terms.mean(axis=0)])
        columns = columns[:, columns_that_count(columns)]
        self.columns, self.triangle = np.linalg.qr(columns)
        self.n_columns = columns.shape[1]
        self.freedom = treated.size - self.n_columns
        self.values, self.treated, self.draw, self.n_chains = values, treated, draw, n_chains
        self.seen = np.isfinite(values)
        size = values.shape[1]
        for i in range(size):
            for j in range(i + 1):
                if float((self.seen[:, i] & self.seen[:, j]).sum()) < self.n_columns + size + 2:
                    raise NoEstimateError("not_estimable")
        for side in (0.0, 1.0):
            if not self.seen[treated == side].any(axis=0).all():
                raise NoEstimateError("not_estimable")
        self.check_rank(columns)
        self.patterns = [
            (pattern, np.flatnonzero((self.seen == pattern).all(axis=1))) for pattern in np.unique(self.seen, axis=0)
        ]
        self.last = np.where(self.seen.any(axis=1), values.shape[1] - 1 - self.seen[:, ::-1].argmax(axis=1), -1)

    def check_rank(self, columns: Array) -> None:
        """Each visit varies beside sides and terms, and no two are the same but for a factor."""
        size = self.values.shape[1]
        for i in range(size):
            own = self.seen[:, i]
            rest = _beside(columns[own], self.values[own, i])
            if float(rest @ rest) <= 1e-20 * float(self.values[own, i] @ self.values[own, i]):
                raise NoEstimateError("no_variation")
        for i in range(size):
            for j in range(i):
                both = self.seen[:, i] & self.seen[:, j]
                one, two = (_beside(columns[both], self.values[both, place]) for place in (i, j))
                lengths = [float(rest @ rest) for rest in (one, two)]
                wholes = [float(self.values[both, place] @ self.values[both, place]) for place in (i, j)]
                if any(length <= 1e-20 * whole for length, whole in zip(lengths, wholes, strict=True)):
                    continue
                one, two = one / sqrt(lengths[0]), two / sqrt(lengths[1])
                if min(float((one - two) @ (one - two)), float((one + two) @ (one + two))) <= 2e-10:
                    raise NoEstimateError("not_estimable")

    def control_means(self, coefficients: Array) -> Array:
        """Means of everybody in the control side."""
        own = self.columns[self.treated == 1.0]
        shift = np.zeros(self.n_columns)
        shift[:2] = [1.0, -1.0]
        # From a row of the treatment side to the same person in control, in the columns at right angles.
        moved = own + np.linalg.solve(self.triangle.T, shift)
        result = self.columns @ coefficients
        result[:, self.treated == 1.0] = moved @ coefficients
        return result

    def complete(self, means: Array, covariance: Array, noise: Array) -> Array:
        """The table of each chain, its gaps drawn given what was seen of the person."""
        table = np.broadcast_to(self.values, means.shape).copy()
        for pattern, who in self.patterns:
            gap = ~pattern
            if not gap.any():
                continue
            inner = covariance[:, gap][:, :, gap]
            place = means[:, who][:, :, gap]
            if pattern.any():
                across = covariance[:, gap][:, :, pattern]
                slope = np.linalg.solve(covariance[:, pattern][:, :, pattern], across.transpose(0, 2, 1))
                inner = inner - across @ slope
                rest = self.values[who][:, pattern] - means[:, who][:, :, pattern]
                place = place + rest @ slope
            root = np.linalg.cholesky(inner)
            table[:, who[:, None], np.flatnonzero(gap)] = place + noise[:, who][:, :, gap] @ root.transpose(0, 2, 1)
        return table

    def parameters(self, table: Array) -> tuple[Array, Array]:
        """Coefficients and covariance given complete tables; prior of the covariance det(S)^(-(p + 1)/2)."""
        fitted = self.columns.T @ table
        rest = table - self.columns @ fitted
        covariance = inverse_wishart(rest.transpose(0, 2, 1) @ rest, self.freedom, self.draw)
        noise = self.draw.normal(size=fitted.shape) @ np.linalg.cholesky(covariance).transpose(0, 2, 1)
        return fitted + noise, covariance

    def noise(self) -> Array:
        return self.draw.normal(size=(self.n_chains, *self.values.shape))

    def draws(self, n_imputations: int) -> Iterator[tuple[Array, Array]]:
        """Coefficients and covariance of all chains, for each imputation."""
        middle = np.nanmean(self.values, axis=0)
        spread = np.nanstd(self.values, axis=0)
        table = np.where(self.seen, self.values, middle + spread * self.noise())
        for turn in range(BURN_IN + BETWEEN * (n_imputations - 1)):
            coefficients, covariance = self.parameters(table)
            if turn >= BURN_IN - 1 and (turn - BURN_IN + 1) % BETWEEN == 0:
                yield coefficients, covariance
            table = self.complete(self.columns @ coefficients, covariance, self.noise())

    def under(self, assumption: str, coefficients: Array, covariance: Array, delta: float) -> Array:
        """Tables completed under an assumption about treated people after their last visit."""
        own, control = self.columns @ coefficients, self.control_means(coefficients)
        noise = self.noise()
        table = self.complete(own, covariance, noise)
        later = (self.treated == 1.0)[:, None] & (np.arange(own.shape[2]) > self.last[:, None])
        if assumption != "missing-at-random":
            at = np.maximum(self.last, 0)[:, None]
            if assumption == "copy-reference":
                means = control
            elif assumption == "jump-to-reference":
                means = np.where(later, control, own)
            else:
                gained = np.take_along_axis(own - control, np.broadcast_to(at, (self.n_chains, *at.shape)), axis=2)
                means = np.where(later, control + np.where(self.last[:, None] < 0, 0.0, gained), own)
            table = np.where(later, self.complete(means, covariance, noise), table)
        return table + delta * later


def _beside(columns: Array, value: Array) -> Array:
    """What columns leave of values, at right angles to them."""
    counting = columns_that_count(columns)
    basis, _ = np.linalg.qr(columns[:, counting])
    rest = value - basis @ (basis.T @ value)
    return np.asarray(rest - basis @ (basis.T @ rest))


def imputed_difference(
    values: Array, treated: Array, terms: Array, forms: Any, *, n_imputations: int, n_chains: int, draw: Draw
) -> dict[Any, list[Found]]:
    """Difference at the last visit, for each form its assumption and delta, once for each chain."""
    check_sides(treated)
    seen = np.isfinite(values)
    if not seen.any() or np.ptp(values[seen]) == 0.0:
        raise NoEstimateError("no_variation")
    whole = np.column_stack([np.ones(treated.size), terms - terms.mean(axis=0), treated])
    counting = columns_that_count(whole)
    if not counting[-1]:
        raise NoEstimateError("not_estimable")
    model = Visits(values, treated, terms, n_chains, draw)
    basis, triangle = np.linalg.qr(whole[:, counting])
    inverse = np.linalg.inv(triangle)[-1]
    freedom = treated.size - basis.shape[1]
    if freedom < 1:
        raise NoEstimateError("not_estimable")
    estimates: dict[Any, list[Array]] = {name: [] for name in forms}
    variances: dict[Any, list[Array]] = {name: [] for name in forms}
    for coefficients, covariance in model.draws(n_imputations):
        for name, (assumption, delta) in forms.items():
            last = model.under(assumption, coefficients, covariance, delta)[:, :, -1]
            along = last @ basis
            rest = last - along @ basis.T
            estimates[name].append(along @ inverse)
            variances[name].append((rest**2).sum(axis=1) / freedom * float(inverse @ inverse))
    return {
        name: [
            pooled(one, two, float(freedom))
            for one, two in zip(np.array(estimates[name]).T, np.array(variances[name]).T, strict=True)
        ]
        for name in forms
    }


# --------------------------------------------------------------------------------------------------- events and counts


def is_foretold(columns: Array, outcome: Array, *, is_odds: bool) -> bool:
    """Whether a sum of the columns grows without end and takes the likelihood up: the maximum lies at infinity."""
    bounded = np.zeros(outcome.size, dtype=bool) if is_odds else outcome > 0.0
    sign = np.where(outcome > 0.0, 1.0, -1.0)[:, None] * columns
    gain = linprog(
        -sign[~bounded].sum(axis=0),
        A_ub=-sign[~bounded],
        b_ub=np.zeros(int((~bounded).sum())),
        A_eq=columns[bounded] if bounded.any() else None,
        b_eq=np.zeros(int(bounded.sum())) if bounded.any() else None,
        bounds=[(-1.0, 1.0)] * columns.shape[1],
    )
    return bool(-gain.fun > 1e-7)


class Side:
    """The regression of known outcomes on the terms, and draws of its coefficients for others.

    ``fitted``: whose outcomes are known. ``drawn``: who is drawn from it.
    """

    def __init__(self, outcome: Array, exposure: Array | None, terms: Array, fitted: Any, drawn: Any) -> None:
        columns = np.column_stack([np.ones(terms.shape[0]), terms - terms.mean(axis=0)])
        counting = columns_that_count(columns[fitted])
        mine = outcome[fitted]
        left = mine.size - int(counting.sum())
        if left < 1 or columns_that_count(columns[fitted | drawn]).sum() > counting.sum():
            raise NoEstimateError("not_estimable")
        self.columns = columns[:, counting]
        basis, triangle = np.linalg.qr(self.columns[fitted])
        self.columns = self.columns @ np.linalg.inv(triangle)
        self.factor = 1.0
        if mine.max() == 0.0 or (exposure is None and np.ptp(mine) == 0.0):
            raise NoEstimateError("separation")
        if is_foretold(basis, mine, is_odds=exposure is None):
            raise NoEstimateError("separation")
        if exposure is None:
            self.place, _, information = events.fit_logistic(basis, mine)
        else:
            family = counts.poisson(mine, exposure[fitted])
            start = basis.T @ np.full(mine.size, log(mine.sum() / exposure[fitted].sum()))
            self.place, information = counts.fit(basis, mine, family, np.zeros(mine.size), start)
            mean = family(basis @ self.place)[0]
            self.factor = max(1.0, float(((mine - mean) ** 2 / mean).sum()) / left)
        self.root = np.linalg.inv(np.linalg.cholesky(information)).T * sqrt(self.factor)
        if exposure is not None and ((self.columns[drawn] @ self.root) ** 2).sum(axis=1).max() >= 4.0:
            raise NoEstimateError("not_estimable")

    def linear(self, draw: Draw) -> Array:
        """Linear predictors of everybody, from one draw of the coefficients."""
        return self.columns @ (self.place + self.root @ draw.normal(size=self.place.size))


def imputed_ratio(
    outcome: Array,
    exposure: Array | None,
    treated: Array,
    terms: Array,
    *,
    assumption: str,
    delta: float,
    n_imputations: int,
    draw: Draw,
) -> Found:
    """Odds ratio of events (no ``exposure``) or ratio of the rates of counts."""
    check_sides(treated)
    gap = ~np.isfinite(outcome)
    if not all((~gap & (treated == side)).any() for side in (0.0, 1.0)):
        raise NoEstimateError("not_estimable")
    if outcome[~gap].max() == 0.0 or (exposure is None and np.ptp(outcome[~gap]) == 0.0):
        raise NoEstimateError("no_variation")
    for side in (0.0, 1.0):
        mine = outcome[~gap & (treated == side)]
        if exposure is None and terms.shape[1] and np.ptp(mine) == 0.0:
            raise NoEstimateError("separation")
        if exposure is not None and mine.max() == 0.0:
            raise NoEstimateError("separation")
    is_own = assumption == "missing-at-random"
    drawn = {0.0: gap & (treated == 0.0) if is_own else gap, 1.0: gap & (treated == 1.0) & is_own}
    both = {
        side: Side(outcome, exposure, terms, ~gap & (treated == side), drawn[side])
        for side in (0.0, 1.0)
        if drawn[side].any()
    }
    log_ratios, variances, freedom = np.zeros(n_imputations), np.zeros(n_imputations), inf
    for number in range(n_imputations):
        linear = np.zeros(treated.size)
        predictors = {side: model.linear(draw) for side, model in both.items()}
        whole = outcome.copy()
        for side in (0.0, 1.0):
            who = gap & (treated == side)
            if not who.any():
                continue
            source = side if assumption == "missing-at-random" else 0.0
            linear[who] = predictors[source][who] + delta * side
            if exposure is None:
                whole[who] = draw.random(int(who.sum())) < expit(linear[who])
            else:
                whole[who] = count_draws(exposure[who] * np.exp(linear[who]), both[source].factor, draw)
        if exposure is None:
            found = events.odds_ratio(whole, treated, terms)
        else:
            found = counts.robust_rate_ratio(whole, exposure, treated, terms)
            freedom = found.freedom
        log_ratios[number], variances[number] = log(found.estimate), found.error**2
    return as_ratio(pooled(log_ratios, variances, freedom))


def count_draws(mean: Array, factor: float, draw: Draw) -> Array:
    """Counts of these means whose variance is ``factor`` times as large."""
    if factor > 1.0:
        mean = draw.gamma(mean / (factor - 1.0), factor - 1.0)
    return np.asarray(draw.poisson(mean), dtype=float)
