"""The same outcome in one period after another: generalized estimating equations, every sum in a fixed order.

The mean has a level for each period and one difference between the arms; the working correlation is the one asked for,
and the standard error is the sandwich's, which holds if it is wrong. A period without a value is left out, which is
unbiased if values are missing completely at random.

The working correlation is found from the residuals as Liang and Zeger do: products of a person's residuals over the
pairs of periods, less as many as there are terms (exchangeable), or of neighboring seen periods (autoregressive).
"""

from typing import Literal

import numpy as np

from remission.analyses.basis import independent_terms
from remission.analyses.estimate import Estimate, Status, failed_estimate, interval_estimate, is_too_small
from remission.numerics.loops import inner, loop
from remission.numerics.small_systems import factor, inverse, solve
from remission.shapes import Bool, Float

Correlation = Literal["independence", "exchangeable", "autoregressive"]
_STRUCTURES = {"independence": 0, "exchangeable": 1, "autoregressive": 2}
_STEPS = 200
_LEAST = 1e-12
"""Share of itself that a column must keep beside the others; a smaller one is rounding."""


def analyze_repeated(
    values: Float[np.ndarray, "subject period"],
    treated: Bool[np.ndarray, " subject"],
    adjust: Float[np.ndarray, "subject term"],
    *,
    correlation: Correlation = "exchangeable",
    small_sample: bool = True,
) -> Estimate:
    """Difference of means over all periods, treated minus control.

    ``values``: NaN where a period has none. ``correlation``: working correlation of a person's periods.
    ``small_sample``: whether the sandwich is corrected for few people (Mancl and DeRouen) and read with a t
    distribution of people minus terms; without it, a normal distribution.
    """
    known = np.isfinite(values)
    some = known.any(axis=1)
    values, known, treated, adjust = values[some], known[some], treated[some], adjust[some]
    if is_too_small(treated * 1.0, treated) or not _varies(values, treated):
        return failed_estimate(Status.NO_VARIATION)
    terms, is_estimable = independent_terms(treated, adjust)
    who, period = np.nonzero(known)
    periods = np.unique(period)
    freedom = treated.size - terms.shape[1] - 2
    if not is_estimable or freedom < 1:
        return failed_estimate(Status.NOT_ESTIMABLE)
    # Terms of any scale: around their mean, in their own spread; the difference of the arms does not see it.
    terms = (terms - terms.mean(axis=0)) / np.maximum(
        np.abs(terms - terms.mean(axis=0)).max(axis=0, initial=0.0), 1e-300
    )
    columns = [(period[:, None] == periods) * 1.0, treated[who][:, None] * 1.0, terms[who]]
    code, estimate, error = _fit(
        values[known],
        np.concatenate(columns, axis=1),
        np.searchsorted(who, np.arange(treated.size + 1)),
        _STRUCTURES[correlation],
        small_sample,
        periods.size,
        _STEPS,
    )
    if code == _SINGULAR:
        return failed_estimate(Status.NOT_ESTIMABLE)
    if code == _STOPPED or not np.isfinite(estimate) or not error > 0.0:
        return failed_estimate(Status.NOT_CONVERGED)
    return interval_estimate(estimate, error, freedom if small_sample else None)


_FOUND, _SINGULAR, _STOPPED = 0, 1, 2


@loop
def _fit(values, design, starts, structure, small_sample, place, steps):
    """How the search ended (0 found, 1 singular, 2 stopped), the effect at a place of the design, and its error."""
    n_terms = design.shape[1]
    effect, before = np.zeros(n_terms), np.zeros(n_terms)
    matrix = np.zeros((n_terms, n_terms))
    rest = values.copy()
    correlation = 0.0
    arrived = False
    for number in range(steps):
        matrix[:, :] = 0.0
        before[:] = effect
        effect[:] = 0.0
        for one in range(starts.size - 1):
            begin, end = starts[one], starts[one + 1]
            weighted = _solved(design[begin:end].copy(), structure, correlation)
            if np.isnan(weighted[0, 0]):
                return _STOPPED, 0.0, 0.0
            for i in range(begin, end):
                for j in range(n_terms):
                    effect[j] += weighted[i - begin, j] * values[i]
                    for k in range(j + 1):
                        matrix[j, k] += weighted[i - begin, j] * design[i, k]
        if not factor(matrix, _LEAST):
            return _SINGULAR, 0.0, 0.0
        solve(matrix, effect)
        moved, size = 0.0, 0.0
        for i in range(values.size):
            fitted = 0.0
            for j in range(n_terms):
                fitted += design[i, j] * effect[j]
            rest[i] = values[i] - fitted
        for j in range(n_terms):
            moved = max(moved, abs(effect[j] - before[j]))
            size = max(size, abs(effect[j]))
        if arrived or structure == 0:
            return (
                _FOUND,
                effect[place],
                _sandwich(rest, design, starts, structure, correlation, small_sample, matrix, place),
            )
        correlation = _correlation(rest, starts, structure, n_terms)
        if np.isnan(correlation):
            return _SINGULAR, 0.0, 0.0
        arrived = number > 0 and moved <= 1e-11 * size
    return _STOPPED, 0.0, 0.0


@inner
def _solved(columns, structure, correlation):
    """The working correlation's inverse times columns over a person's values, in their place; NaN where it has none."""
    n, width = columns.shape
    if structure == 0 or n == 1 or correlation == 0.0:
        return columns
    if structure == 1:
        across = 1.0 + correlation * (n - 1)
        if not (across > 1e-9 and 1.0 - correlation > 1e-9):
            columns[0, 0] = np.nan
            return columns
        share = correlation / (1.0 - correlation) / across
        for j in range(width):
            total = 0.0
            for i in range(n):
                total += columns[i, j]
            for i in range(n):
                columns[i, j] = columns[i, j] / (1.0 - correlation) - share * total
        return columns
    left = 1.0 - correlation * correlation
    if not left > 1e-9:
        columns[0, 0] = np.nan
        return columns
    for j in range(width):
        earlier = 0.0
        for i in range(n):
            now = columns[i, j]
            middle = 1.0 if i == 0 or i == n - 1 else 1.0 + correlation * correlation
            later = columns[i + 1, j] if i < n - 1 else 0.0
            columns[i, j] = (middle * now - correlation * (earlier + later)) / left
            earlier = now
    return columns


@inner
def _correlation(rest, starts, structure, n_terms):
    """Of the residuals, by moments."""
    squares, products, n_pairs = 0.0, 0.0, 0.0
    lag0, lag1 = 0.0, 0.0
    for one in range(starts.size - 1):
        begin, end = starts[one], starts[one + 1]
        n = end - begin
        total, own, beside = 0.0, 0.0, 0.0
        for i in range(begin, end):
            total += rest[i]
            own += rest[i] * rest[i]
            if i > begin:
                beside += rest[i] * rest[i - 1]
        squares += own
        products += (total * total - own) / 2.0
        n_pairs += 0.5 * n * (n - 1)
        if n > 1:
            lag0 += own / n
            lag1 += beside / (n - 1)
    if structure == 2:
        return lag1 / lag0 if lag0 > 0.0 else 0.0
    if n_pairs == 0.0 or not squares > 0.0:
        return 0.0
    # No moment without a degree of freedom: NaN, and the search ends.
    if not (n_pairs > n_terms and rest.size > n_terms):
        return np.nan
    return products / (n_pairs - n_terms) / (squares / (rest.size - n_terms))


@inner
def _sandwich(rest, design, starts, structure, correlation, small_sample, lower, place):
    """Error of one effect; with the correction for few people, residuals are divided by one minus their leverage."""
    n_terms = design.shape[1]
    bread = inverse(lower)
    total = 0.0
    for one in range(starts.size - 1):
        begin, end = starts[one], starts[one + 1]
        n = end - begin
        weighted = _solved(design[begin:end].copy(), structure, correlation)
        own = np.zeros((n, 1))
        own[:, 0] = rest[begin:end]
        if small_sample:
            # (I - H) a = r with H = X bread X' V^-1; by elimination, for it is not symmetric.
            system = np.zeros((n, n + 1))
            for i in range(n):
                for k in range(n):
                    leverage = 0.0
                    for j in range(n_terms):
                        inner = 0.0
                        for m in range(n_terms):
                            inner += bread[j, m] * weighted[k, m]
                        leverage += design[begin + i, j] * inner
                    system[i, k] = (1.0 if i == k else 0.0) - leverage
                system[i, n] = own[i, 0]
            if not _eliminate(system):
                return np.nan
            own[:, 0] = system[:, n]
        own = _solved(own, structure, correlation)
        score = 0.0
        for j in range(n_terms):
            part = 0.0
            for i in range(n):
                part += design[begin + i, j] * own[i, 0]
            score += bread[place, j] * part
        total += score * score
    return np.sqrt(total)


@inner
def _eliminate(system):
    """Solution in the last column, by elimination with the largest pivot; whether there is one."""
    n = system.shape[0]
    for j in range(n):
        best = j
        for i in range(j + 1, n):
            best = i if abs(system[i, j]) > abs(system[best, j]) else best
        # Leverages are shares, so that 1 is the scale of the pivots.
        if not abs(system[best, j]) > 1e-10:
            return False
        for k in range(j, n + 1):
            system[j, k], system[best, k] = system[best, k], system[j, k]
        for i in range(n):
            if i != j:
                share = system[i, j] / system[j, j]
                for k in range(j, n + 1):
                    system[i, k] -= share * system[j, k]
    for i in range(n):
        system[i, n] /= system[i, i]
    return True


def _varies(values: Float[np.ndarray, "subject period"], treated: Bool[np.ndarray, " subject"]) -> bool:
    """Whether people of one side differ in any period; if not, there is no error to judge a difference by."""
    high, low = np.where(np.isnan(values), -np.inf, values), np.where(np.isnan(values), np.inf, values)
    return any(bool((high[side].max(axis=0) > low[side].min(axis=0)).any()) for side in (treated, ~treated))
