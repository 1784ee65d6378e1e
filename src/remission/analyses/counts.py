"""Counts of days: quasi-Poisson and quasi-binomial regression, tested by the score, every sum in a fixed order.

Days of use in a window have an upper end, and people differ in them far more, or far less, than any law of counts says.
So only the mean is modeled, and its variance up to a factor that the data give::

    rate   log mu = terms + log of the days seen,  variance = phi * mu
    odds   logit p = terms,                        variance = phi * n p (1 - p)

Estimate: where the quasi-likelihood is highest, which is that of Poisson's and of the binomial regression.

Test of an effect b: the other terms are fitted with the effect held at b. The residuals, in days, are then regressed on
all terms by least squares, and the t of the treatment with people minus terms as degrees of freedom is the test. Days
seen that differ between people make residuals differ in size; as arms are drawn by lot this is the same in all arms,
while residuals that are each weighted by their expected variance take the mean of products for the product of means.
With equal days and no other terms it is the t test of two means, which is why it holds its error for few people and for
any spread. Wald's test does not: log ratios of small means are skewed.

Interval: the effects that this test does not reject, so that the interval and the p value never disagree.

Beside it stands the test with a sandwich: the same mean and estimate, and the error of it from each person's own
residual divided by one minus the person's leverage (HC3), with Wald's t of people minus terms.

References
----------
Derived here. Tests hold estimates and errors to statsmodels, and the test of no effect to a t test of SciPy's.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float
from numba import njit

from remission.analyses.basis import basis_of_one
from remission.analyses.estimate import (
    Estimate,
    Status,
    failed_estimate,
    interval_estimate,
    is_too_small,
    refuse_gaps,
)
from remission.analyses.odds import LARGEST_ERROR
from remission.numerics.distributions import t_cdf, t_quantile
from remission.numerics.elementary import exp
from remission.numerics.lanes import OPTIONS, exp_lane, log_lane
from remission.numerics.small_systems import factor, inverse, solve, sum_of_products

__all__ = [
    "CountFit", "analyze_day_odds", "analyze_rate", "analyze_robust_rate", "fit_counts",
    "robust_log_rate",
]  # fmt: skip

_Values = Float[np.ndarray, " subject"]
_Treated = Bool[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]
_Columns = Float[np.ndarray, "term subject"]
_STEPS = 100
_GAIN = 1e-10
"""As of the odds: twice what the last step may add to the log likelihood."""
_LEAST = 1e-14
_EXACT = 1e-12
"""Residuals of which a smaller share than this is left beside the counts' own spread are rounding."""
_REACH = 3.0
"""Multiple of Wald's interval up to which an end is sought. Where few people have any day of use no effect may be
rejected on one side; the end of the search then stands there, and the interval is finite."""
_NEAR = 1e-9
_LOOKS = 12
"""Where the end of the search is not rejected: in so many steps something nearer may be. With few people and many
terms the statistic can rise, and fall again when the residuals swell."""
_HALVINGS = 20
_SEARCHES = 60


def analyze_rate(counts: _Values, seen_day: _Values, treated: _Treated, adjust: _Design) -> Estimate:
    """Ratio of daily rates, treated against control, by quasi-Poisson regression with its score test.

    ``counts``: whole numbers, 0 or more. ``seen_day``: days in which they were counted, above 0. [day]
    """
    fault, columns, left = _checked(counts, treated, adjust)
    if fault is None and (not counts[treated].any() or not counts[~treated].any()):
        fault = Status.SEPARATION
    return _ratio(fault, columns, left, counts, seen_day, is_odds=False)


def analyze_day_odds(counts: _Values, seen_day: _Values, treated: _Treated, adjust: _Design) -> Estimate:
    """Odds ratio of such a day, treated against control, by quasi-binomial regression with its score test.

    ``counts``: whole numbers, 0 to ``seen_day``. ``seen_day``: whole number of days in which they were counted, above
    0. [day]
    """
    fault, columns, left = _checked(counts / seen_day, treated, adjust)
    sides = (treated, ~treated)
    if fault is None and any(not 0.0 < counts[side].sum() < seen_day[side].sum() for side in sides):
        fault = Status.SEPARATION
    return _ratio(fault, columns, left, counts, seen_day, is_odds=True)


def analyze_robust_rate(counts: _Values, seen_day: _Values, treated: _Treated, adjust: _Design) -> Estimate:
    """Ratio of rates, treated against control, by Poisson's likelihood with a sandwich error (HC3) and Wald's t.

    ``counts``: 0 or more. ``seen_day``: days, or another exposure, in which they were counted, above 0.
    """
    found = robust_log_rate(counts, seen_day, treated, adjust)
    if isinstance(found, Status):
        return failed_estimate(found)
    log_ratio, error, freedom = found
    one = interval_estimate(log_ratio, error, freedom)
    low, middle, high = exp(np.array([one.low, one.estimate, one.high]))
    return Estimate(estimate=float(middle), low=float(low), high=float(high), p_value=one.p_value, status=Status.OK)


def robust_log_rate(
    counts: _Values, seen_day: _Values, treated: _Treated, adjust: _Design
) -> tuple[float, float, int] | Status:
    """Log ratio, its error and degrees of freedom, as :func:`analyze_robust_rate`; or why there are none."""
    fault, columns, left = _checked(counts, treated, adjust)
    if fault is None and (not counts[treated].any() or not counts[~treated].any()):
        fault = Status.SEPARATION
    if fault is not None:
        return fault
    fit = fit_counts(columns, counts, seen_day, is_odds=False)
    if fit is None:
        return Status.NOT_CONVERGED
    pulls = (fit.covariance[:, :, None] * columns).sum(axis=1)
    spare = 1.0 - fit.mean * (columns * pulls).sum(axis=0)
    if not (spare > _LEVERAGE).all():
        return Status.NOT_ESTIMABLE
    scores = pulls[-1] * (counts - fit.mean) / spare
    error = float(np.sqrt((scores * scores).sum())) / left
    if not error > 0.0:
        return Status.NO_VARIATION
    return (
        Status.SEPARATION
        if error > LARGEST_ERROR
        else (float(fit.coefficients[-1]) / left, error, counts.size - columns.shape[0])
    )


_LEVERAGE = 1e-9
"""As of the means: of a person whom the terms fit by themselves there is no residual to learn a spread from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFit:
    """A regression of counts: coefficients, the inverse of their information, and each person's expected count."""

    coefficients: Float[np.ndarray, " term"]
    covariance: Float[np.ndarray, "term term"]
    mean: _Values


def fit_counts(columns: _Columns, counts: _Values, seen_day: _Values, *, is_odds: bool) -> CountFit | None:
    """Where the likelihood of Poisson's, or of the binomial, regression is highest; None where no maximum was found.

    ``columns``: the first is the intercept's, the same number for everybody. ``seen_day``: exposure, or trials.
    """
    theta, mean = np.zeros(columns.shape[0]), np.zeros(counts.size)
    covariance = np.zeros((columns.shape[0], columns.shape[0]))
    if not _fit_plain(is_odds, columns, counts, seen_day, _STEPS, theta, mean, covariance):
        return None
    return CountFit(coefficients=theta, covariance=covariance, mean=mean)


def _checked(values: _Values, treated: _Treated, adjust: _Design) -> tuple[Status | None, _Columns, float]:
    """A fault, or an orthonormal basis of the design with the treatment last, and what was left of its column."""
    nothing = np.zeros((0, treated.size))
    refuse_gaps("counts", values, np.ones(values.shape, dtype=np.bool_))
    if is_too_small(values, treated) or np.ptp(values) == 0.0:
        return Status.NO_VARIATION, nothing, 1.0
    basis = basis_of_one(treated, adjust)
    if not basis.is_estimable[0] or treated.size <= basis.rank[0]:
        return Status.NOT_ESTIMABLE, nothing, 1.0
    return None, np.ascontiguousarray(basis.columns[0][basis.is_kept[0]]), float(basis.left[0])


def _ratio(
    fault: Status | None, columns: _Columns, left: float, counts: _Values, seen_day: _Values, *, is_odds: bool
) -> Estimate:
    if fault is not None:
        return failed_estimate(fault)
    freedom = counts.size - columns.shape[0]
    critical = float(t_quantile(float(freedom), 0.975))
    found = np.zeros(6)
    if not _test(is_odds, columns, counts, seen_day, _STEPS, critical, found):
        return failed_estimate(Status.NOT_CONVERGED)
    log_ratio, error, low, high, t, plain_error = found
    if t == np.inf:
        return failed_estimate(Status.NO_VARIATION)
    # Where the estimate runs away, a fit without residuals would make any error small.
    if max(error, plain_error) / left > LARGEST_ERROR:
        return failed_estimate(Status.SEPARATION)
    ends = exp(np.array([low, log_ratio, high]) / left)
    return Estimate(
        estimate=float(ends[1]),
        low=float(ends[0]),
        high=float(ends[2]),
        p_value=2.0 * float(t_cdf(float(freedom), -abs(float(t)))),
        status=Status.OK,
    )


@njit(**OPTIONS)
def _mean(is_odds, line, seen):
    """Expected count, its variance function, and its part of minus the log likelihood."""
    if not is_odds:
        mean = seen * exp_lane(min(line, 600.0))
        return mean, mean, mean
    small = exp_lane(-min(abs(line), 600.0))
    chance = 1.0 / (1.0 + small) if line >= 0.0 else small / (1.0 + small)
    return (
        seen * chance,
        seen * small / ((1.0 + small) * (1.0 + small)),
        seen * (max(line, 0.0) + log_lane(1.0 + small)),
    )


@njit(**OPTIONS)
def _fit(is_odds, columns, counts, seen_day, offset, steps, theta, mean, weight, lower):
    """Newton's steps on ``theta``, halved where they would lower the likelihood, until one adds nothing.

    Leaves means, variance functions and the factor of the information where they arrived.
    """
    n_terms, n = columns.shape
    slope, step, trial = np.zeros(n_terms), np.zeros(n_terms), np.zeros(n_terms)
    before, value, arrived = -np.inf, -np.inf, False
    trial[:] = theta
    for _ in range(steps):
        for _ in range(_HALVINGS):
            value = 0.0
            for i in range(n):
                line = offset[i]
                for j in range(n_terms):
                    line += trial[j] * columns[j, i]
                mean[i], weight[i], minus = _mean(is_odds, line, seen_day[i])
                value += counts[i] * line - minus
            if not np.isfinite(value):
                return False
            if arrived or value >= before - 1e-9 * (1.0 + abs(before)):
                break
            for j in range(n_terms):
                step[j] *= 0.5
                trial[j] = theta[j] + step[j]
        theta[:] = trial
        before = value
        slope[:] = 0.0
        lower[:, :] = 0.0
        for i in range(n):
            away = counts[i] - mean[i]
            for j in range(n_terms):
                slope[j] += away * columns[j, i]
                some = weight[i] * columns[j, i]
                for k in range(j + 1):
                    lower[j, k] += some * columns[k, i]
        if not factor(lower, _LEAST):
            return False
        if arrived:
            return True
        step[:] = slope
        solve(lower, step)
        gain = sum_of_products(slope, step)
        if not np.isfinite(gain):
            return False
        arrived = gain <= _GAIN
        for j in range(n_terms):
            trial[j] = theta[j] + step[j]
    return False


@njit(nogil=True, cache=True, **OPTIONS)
def _fit_plain(is_odds, columns, counts, seen_day, steps, theta, mean, covariance):
    """A fit without any effect held, from the overall rate on; the inverse information is left in its place."""
    overall = counts.sum() / seen_day.sum()
    theta[0] = (log_lane(overall / (1.0 - overall)) if is_odds else log_lane(overall)) / columns[0, 0]
    weight, offset = np.zeros(counts.size), np.zeros(counts.size)
    lower = np.zeros((columns.shape[0], columns.shape[0]))
    if not _fit(is_odds, columns, counts, seen_day, offset, steps, theta, mean, weight, lower):
        return False
    covariance[:, :] = inverse(lower)
    return True


@njit(**OPTIONS)
def _score(is_odds, columns, counts, seen_day, effect, steps, theta, mean, weight):
    """t of the treatment, the last column, where its effect is held; NaN where the others cannot be fitted."""
    n_terms, n = columns.shape
    others, last = columns[: n_terms - 1], columns[n_terms - 1]
    offset = effect * last
    lower = np.zeros((n_terms - 1, n_terms - 1))
    if not _fit(is_odds, others, counts, seen_day, offset, steps, theta, mean, weight, lower):
        return np.nan
    # The last column is orthonormal to the others, beside which nothing is left of the residuals.
    score, squares = 0.0, 0.0
    for i in range(n):
        away = counts[i] - mean[i]
        score += last[i] * away
        squares += away * away
    explained = score * score
    rest = squares - explained
    if not rest > _EXACT * squares:
        return np.inf if score > 0.0 else -np.inf
    return score / np.sqrt(rest / (n - n_terms))


@njit(**OPTIONS)
def _nearest(
    is_odds, columns, counts, seen_day, steps, critical, theta, held, mean, weight, effect, farthest, at_farthest
):
    """The nearest step at which the effect is rejected, with the step before it; the farthest where none is."""
    sign = 1.0 if farthest > effect else -1.0
    inside, at_inside = effect, -critical
    for look in range(1, _LOOKS):
        place = effect + (farthest - effect) * look / _LOOKS
        held[:] = theta[: columns.shape[0] - 1]
        value = -sign * _score(is_odds, columns, counts, seen_day, place, steps, held, mean, weight) - critical
        if value > 0.0:
            return inside, at_inside, place, value
        if not np.isnan(value):
            inside, at_inside = place, value
    return inside, at_inside, farthest, at_farthest


@njit(nogil=True, cache=True, **OPTIONS)
def _test(is_odds, columns, counts, seen_day, steps, critical, found):
    """Estimate, Wald's error, ends, t of no effect, the law's own error, in the basis; False where a search stopped."""
    n_terms, n = columns.shape
    mean, weight, theta = np.zeros(n), np.zeros(n), np.zeros(n_terms)
    lower = np.zeros((n_terms, n_terms))
    overall = counts.sum() / seen_day.sum()
    # Begin where nothing but the overall rate is known; the first column is the intercept.
    start = (log_lane(overall / (1.0 - overall)) if is_odds else log_lane(overall)) / columns[0, 0]
    theta[0] = start
    if not _fit(is_odds, columns, counts, seen_day, np.zeros(n), steps, theta, mean, weight, lower):
        return False
    effect = theta[n_terms - 1]
    squares = 0.0
    for i in range(n):
        squares += (counts[i] - mean[i]) * (counts[i] - mean[i]) / max(weight[i], 1e-300)
    found[5] = np.sqrt(inverse(lower)[n_terms - 1, n_terms - 1])
    error = np.sqrt(squares / (n - n_terms)) * found[5]
    held = np.zeros(n_terms - 1)
    held[0] = start
    t = _score(is_odds, columns, counts, seen_day, 0.0, steps, held, mean, weight)
    found[0], found[1], found[4] = effect, error, t
    if np.isnan(t) or not np.isfinite(error):
        return False
    if np.isinf(t) or error <= 0.0:
        found[4] = np.inf
        return True
    for side in range(2):
        sign = 2.0 * side - 1.0
        # Inside the effect is not rejected, outside it is; t falls as the effect that is held rises.
        inside, at_inside = effect, -critical
        outside = effect + sign * _REACH * critical * error
        # No effect may lie on this side, with an answer that the interval must share.
        if sign * effect < 0.0 and sign * outside < 0.0 and abs(t) <= critical:
            outside = 0.0
        at_outside = np.nan
        for _ in range(_HALVINGS):
            # So far out that the other terms cannot be fitted: nearer.
            held[:] = theta[: n_terms - 1]
            at_outside = -sign * _score(is_odds, columns, counts, seen_day, outside, steps, held, mean, weight)
            at_outside -= critical
            if not np.isnan(at_outside):
                break
            outside = effect + 0.5 * (outside - effect)
        if sign * effect < 0.0 and abs(t) > critical and not at_outside > 0.0:
            outside, at_outside = 0.0, abs(t) - critical
        if np.isnan(at_outside):
            return False
        if not at_outside > 0.0 and outside != 0.0:
            inside, at_inside, outside, at_outside = _nearest(
                is_odds,
                columns,
                counts,
                seen_day,
                steps,
                critical,
                theta,
                held,
                mean,
                weight,
                effect,
                outside,
                at_outside,
            )
        if at_outside > 0.0:
            for _ in range(_SEARCHES):
                if abs(outside - inside) <= _NEAR * error:
                    break
                middle = outside - at_outside * (outside - inside) / (at_outside - at_inside)
                if not (min(inside, outside) < middle < max(inside, outside)) or np.isinf(at_outside):
                    middle = 0.5 * (inside + outside)
                value = _score(is_odds, columns, counts, seen_day, middle, steps, held, mean, weight)
                value = -sign * value - critical
                if np.isnan(value):
                    return False
                if value > 0.0:
                    outside, at_outside = middle, value
                    at_inside *= 0.5
                else:
                    inside, at_inside = middle, value
                    at_outside *= 0.5
        elif sign * effect < 0.0 and sign * outside < 0.0 and abs(t) <= critical:
            outside = 0.0
        found[2 + side] = outside
    return True
