"""Counts of days: negative-binomial and beta-binomial regression, every sum in a fixed order.

Negative binomial: counts with mean mu and variance mu + alpha mu^2, log mu = terms + log of the days seen. Where counts
vary no more than Poisson counts do, alpha is 0 and the fit is Poisson's, which is then the maximum of the likelihood.

Beta-binomial: each person's own chance of such a day is Beta(mu s, (1 - mu) s), logit mu = terms. Tests hold its
likelihood to ``scipy.stats.betabinom``.

Counts are whole, so that gamma functions are products: G(y + a) / G(a) = a (a + 1) ... (a + y - 1), whose logarithm and
derivatives are plain sums. Newton's steps, halved where they would lower the likelihood.
"""

import numpy as np
from jaxtyping import Bool, Float
from numba import njit

from remission.analyses.basis import orthonormal_basis
from remission.analyses.estimate import Estimate, Status, failed_estimate, ratio_estimate
from remission.analyses.odds import LARGEST_ERROR
from remission.analyses.terms import is_too_small
from remission.numerics.lanes import OPTIONS, exp_lane, log_lane
from remission.numerics.small_systems import factor, inverse, solve, sum_of_products

__all__ = ["analyze_day_odds", "analyze_rate"]

_Values = Float[np.ndarray, " subject"]
_Treated = Bool[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]
_Columns = Float[np.ndarray, "term subject"]
_STEPS = 200
_GAIN = 1e-10
"""As of the odds: twice what the last step may add to the log likelihood."""
_LEAST = 1e-14
_LOG_SIZE = (-6.0, 12.0)
"""Range of log s: from people who are all or nothing to people who do not differ."""
_LOG_ALPHA = (-18.0, 12.0)
"""Range of log alpha; at its lower end the counts are Poisson's to eight digits."""


def analyze_rate(counts: _Values, seen_day: _Values, treated: _Treated, adjust: _Design) -> Estimate:
    """Ratio of daily rates, treated against control, by negative-binomial regression with Wald intervals.

    Parameters
    ----------
    counts
        Whole numbers, 0 or more.
    seen_day
        Days in which they were counted, above 0. [day]
    """
    fault, columns, left = _checked(counts, treated, adjust)
    if fault is not None:
        return failed_estimate(fault)
    if not counts[treated].any() or not counts[~treated].any():
        return failed_estimate(Status.SEPARATION)
    effect = np.zeros(columns.shape[0])
    error = _fit_poisson(columns, counts, seen_day, _STEPS, effect)
    if np.isnan(error):
        return failed_estimate(Status.NOT_CONVERGED)
    mean = _poisson_means(columns, seen_day, effect)
    # The slope of the likelihood in alpha at 0: below it, there is nothing beyond Poisson's variance.
    if np.sum((counts - mean) ** 2 - counts) > 0.0:
        error = _fit_negative_binomial(columns, counts, seen_day, _STEPS, effect)
        if np.isnan(error):
            return failed_estimate(Status.NOT_CONVERGED)
    return _ratio(float(effect[-1]) / left, error / left)


def analyze_day_odds(counts: _Values, seen_day: _Values, treated: _Treated, adjust: _Design) -> Estimate:
    """Odds ratio of such a day, treated against control, by beta-binomial regression with Wald intervals.

    Parameters
    ----------
    counts
        Whole numbers, 0 to ``seen_day``.
    seen_day
        Whole number of days in which they were counted, above 0. [day]
    """
    fault, columns, left = _checked(counts / seen_day, treated, adjust)
    if fault is not None:
        return failed_estimate(fault)
    for side in (treated, ~treated):
        if not 0.0 < counts[side].sum() < seen_day[side].sum():
            return failed_estimate(Status.SEPARATION)
    effect = np.zeros(columns.shape[0])
    error = _fit_beta_binomial(columns, counts, seen_day, _STEPS, effect)
    if np.isnan(error):
        return failed_estimate(Status.NOT_CONVERGED)
    return _ratio(float(effect[-1]) / left, error / left)


def _ratio(log_ratio: float, error: float) -> Estimate:
    if error > LARGEST_ERROR:
        return failed_estimate(Status.SEPARATION)
    return ratio_estimate(log_ratio, error)


def _checked(values: _Values, treated: _Treated, adjust: _Design) -> tuple[Status | None, _Columns, float]:
    """A fault, or an orthonormal basis of the design with the treatment last, and what was left of its column."""
    nothing = np.zeros((0, treated.size))
    if is_too_small(values, treated) or np.ptp(values) == 0.0:
        return Status.NO_VARIATION, nothing, 1.0
    everyone = np.ones((1, treated.size), dtype=np.bool_)
    basis = orthonormal_basis(everyone, treated[None], np.ascontiguousarray(adjust.T)[None])
    if not basis.is_estimable[0]:
        return Status.NOT_ESTIMABLE, nothing, 1.0
    return None, np.ascontiguousarray(basis.columns[0][basis.is_kept[0]]), float(basis.left[0])


@njit(**OPTIONS)
def _line(columns, effect, i):
    total = 0.0
    for j in range(columns.shape[0]):
        total += effect[j] * columns[j, i]
    return total


@njit(nogil=True, cache=True, **OPTIONS)
def _poisson_means(columns, seen_day, effect):
    found = np.empty(seen_day.size)
    for i in range(seen_day.size):
        found[i] = seen_day[i] * exp_lane(_line(columns, effect, i))
    return found


@njit(nogil=True, cache=True, **OPTIONS)
def _fit_poisson(columns, counts, seen_day, steps, effect):
    """Error of the last effect; NaN where the search stopped."""
    n_terms, n = columns.shape
    slope, step, information = np.zeros(n_terms), np.zeros(n_terms), np.zeros((n_terms, n_terms))
    middle = counts.sum() / n
    arrived = False
    for number in range(steps):
        slope[:] = 0.0
        information[:, :] = 0.0
        for i in range(n):
            if number == 0:
                # The library's start: everybody half way to what came.
                mean = 0.5 * (counts[i] + middle)
                away = counts[i] - mean + mean * log_lane(mean / seen_day[i])
            else:
                mean = seen_day[i] * exp_lane(_line(columns, effect, i))
                away = counts[i] - mean
            for j in range(n_terms):
                slope[j] += away * columns[j, i]
                for k in range(j + 1):
                    information[j, k] += mean * columns[j, i] * columns[k, i]
        if not factor(information, _LEAST):
            return np.nan
        if arrived:
            return np.sqrt(inverse(information)[n_terms - 1, n_terms - 1])
        step[:] = slope
        solve(information, step)
        gain = sum_of_products(slope, step)
        if not np.isfinite(gain):
            return np.nan
        arrived = number > 0 and gain <= _GAIN
        for j in range(n_terms):
            effect[j] += step[j]
    return np.nan


@njit(**OPTIONS)
def _climb(is_poisson_like, columns, counts, seen_day, steps, theta, low, high):
    """Newton's steps on the effects and, last, the logarithm of a spread between its bounds. Error of the last effect;
    NaN where there is no top, or the search stopped.
    """
    n_terms = columns.shape[0]
    size = n_terms + 1
    slope, step = np.zeros(size), np.zeros(size)
    curve, lower = np.zeros((size, size)), np.zeros((size, size))
    value = _likelihood(is_poisson_like, columns, counts, seen_day, theta, slope, curve)
    arrived = False
    for _ in range(steps):
        spread = theta[n_terms]
        at_end = (spread >= high and slope[n_terms] > 0.0) or (spread <= low and slope[n_terms] < 0.0)
        used = n_terms if at_end else size
        lower[:, :] = curve
        is_top = factor(lower[:used, :used], _LEAST)
        if arrived:
            if not is_top:
                return np.nan
            return np.sqrt(inverse(lower[:used, :used])[n_terms - 1, n_terms - 1])
        step[:] = slope
        if used < size:
            step[n_terms] = 0.0
        if not is_top:
            # Far from the top the likelihood may bend the other way along the spread: a step of each by itself.
            lower[:, :] = curve
            if not factor(lower[:n_terms, :n_terms], _LEAST):
                return np.nan
            used = n_terms
            if not at_end:
                step[n_terms] = min(1.0, max(-1.0, slope[n_terms]))
        solve(lower[:used, :used], step[:used])
        gain = 0.0
        for j in range(size):
            gain += slope[j] * step[j]
        if not np.isfinite(gain):
            return np.nan
        step[n_terms] = min(2.0, max(-2.0, step[n_terms]))
        step[n_terms] = min(high, max(low, spread + step[n_terms])) - spread
        arrived = is_top and gain <= _GAIN
        before = value
        for _ in range(40):
            for j in range(size):
                theta[j] += step[j]
            value = _likelihood(is_poisson_like, columns, counts, seen_day, theta, slope, curve)
            if arrived or value >= before - 1e-9 * (1.0 + abs(before)):
                break
            for j in range(size):
                theta[j] -= step[j]
                step[j] *= 0.5
    return np.nan


@njit(**OPTIONS)
def _add_person(columns, i, by_line, by_spread, line_line, line_spread, spread_spread, slope, curve):
    """One person's part of the slope and of minus the curvature."""
    n_terms = columns.shape[0]
    for j in range(n_terms):
        slope[j] += by_line * columns[j, i]
        some = line_line * columns[j, i]
        for k in range(j + 1):
            curve[j, k] -= some * columns[k, i]
        curve[n_terms, j] -= line_spread * columns[j, i]
    slope[n_terms] += by_spread
    curve[n_terms, n_terms] -= spread_spread


@njit(**OPTIONS)
def _negative_binomial(columns, counts, seen_day, theta, slope, curve):
    """Log likelihood without its constant; the spread is log alpha."""
    n_terms, n = columns.shape
    slope[:] = 0.0
    curve[:, :] = 0.0
    alpha = exp_lane(theta[n_terms])
    value = 0.0
    for i in range(n):
        y = counts[i]
        line = _line(columns, theta[:n_terms], i) + log_lane(seen_day[i])
        mean = exp_lane(line)
        whole = 1.0 + alpha * mean
        log_whole = log_lane(whole)
        by_alpha = log_whole / (alpha * alpha) - (y + 1.0 / alpha) * mean / whole
        bend = (
            -2.0 * log_whole / (alpha * alpha * alpha)
            + 2.0 * mean / (alpha * alpha * whole)
            + (y + 1.0 / alpha) * (mean / whole) * (mean / whole)
        )
        value += y * line - (y + 1.0 / alpha) * log_whole
        for k in range(int(y)):
            part = 1.0 + alpha * k
            value += log_lane(part)
            by_alpha += k / part
            bend -= (k / part) * (k / part)
        by_spread = alpha * by_alpha
        _add_person(
            columns, i, (y - mean) / whole, by_spread, -mean * (1.0 + alpha * y) / (whole * whole),
            -alpha * (y - mean) * mean / (whole * whole), alpha * alpha * bend + by_spread, slope, curve,
        )  # fmt: skip
    return value


@njit(**OPTIONS)
def _likelihood(is_poisson_like, columns, counts, seen_day, theta, slope, curve):
    if is_poisson_like:
        return _negative_binomial(columns, counts, seen_day, theta, slope, curve)
    return _beta_binomial(columns, counts, seen_day, theta, slope, curve)


@njit(nogil=True, cache=True, **OPTIONS)
def _fit_negative_binomial(columns, counts, seen_day, steps, effect):
    theta = np.zeros(effect.size + 1)
    theta[: effect.size] = effect
    theta[effect.size] = log_lane(0.5)
    error = _climb(True, columns, counts, seen_day, steps, theta, _LOG_ALPHA[0], _LOG_ALPHA[1])
    effect[:] = theta[: effect.size]
    return error


@njit(**OPTIONS)
def _beta_binomial(columns, counts, seen_day, theta, slope, curve):
    """Log likelihood without its constant; the spread is log s."""
    n_terms, n = columns.shape
    slope[:] = 0.0
    curve[:, :] = 0.0
    size = exp_lane(theta[n_terms])
    value = 0.0
    for i in range(n):
        chance = 1.0 / (1.0 + exp_lane(-_line(columns, theta[:n_terms], i)))
        chance = min(max(chance, 1e-12), 1.0 - 1e-12)
        a, b = chance * size, (1.0 - chance) * size
        a1, a2, b1, b2, s1, s2 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        y, rest = int(counts[i]), int(seen_day[i] - counts[i])
        for k in range(y):
            part = 1.0 / (a + k)
            value += log_lane(a + k)
            a1 += part
            a2 -= part * part
        for k in range(rest):
            part = 1.0 / (b + k)
            value += log_lane(b + k)
            b1 += part
            b2 -= part * part
        for k in range(y + rest):
            part = 1.0 / (size + k)
            value -= log_lane(size + k)
            s1 += part
            s2 -= part * part
        width = size * chance * (1.0 - chance)
        _add_person(
            columns, i, (a1 - b1) * width, a1 * a + b1 * b - s1 * size,
            (a2 + b2) * width * width + (a1 - b1) * width * (1.0 - 2.0 * chance),
            (a2 * a - b2 * b) * width + (a1 - b1) * width,
            a2 * a * a + a1 * a + b2 * b * b + b1 * b - s2 * size * size - s1 * size, slope, curve,
        )  # fmt: skip
    return value


@njit(nogil=True, cache=True, **OPTIONS)
def _fit_beta_binomial(columns, counts, seen_day, steps, effect):
    theta = np.zeros(effect.size + 1)
    error = _climb(False, columns, counts, seen_day, steps, theta, _LOG_SIZE[0], _LOG_SIZE[1])
    effect[:] = theta[: effect.size]
    return error
