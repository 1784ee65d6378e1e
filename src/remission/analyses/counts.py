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

Interval: the effects around the estimate that this test does not reject, so that the interval and the p value never
disagree. An end is the first place, in twelve steps away from the estimate, at which the test rejects; where it rejects
nowhere up to three times Wald's interval, or up to a factor of e^20, the end stands there.

People whom the other terms foretell (a site in which nobody had such a day, or everybody had nothing else) make the
coefficient of that term run to infinity. In the limit they say nothing of the treatment, and neither do their days: the
analysis is that of the others, with their number of people and terms.

Beside it stands the test with a sandwich: the same mean and estimate, and the error of it from each person's own
residual divided by one minus the person's leverage (HC3), with Wald's t of people minus terms.

References
----------
Derived here. Tests hold estimates and errors to statsmodels, and the test of no effect to a t test of SciPy's.
"""

from dataclasses import dataclass

import numpy as np

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
from remission.numerics.lanes import exp_lane, log_lane
from remission.numerics.loops import inner, loop
from remission.numerics.small_systems import factor, inverse, solve, sum_of_products
from remission.shapes import Bool, Float

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
_FARTHEST = 20.0
"""The same on the scale of the log ratio: beyond a factor of half a billion nothing is learned."""
_NEAR = 1e-9
_LOOKS = 12
"""Steps in which an end is sought. With few people and many terms the statistic can rise, and fall again when the
residuals swell: the end is where it rejects first."""
_NOBODY = 1e-6
"""Days expected of somebody, below which it is asked whether the other terms foretell that there are none."""
_FEWEST = 2
"""People on each side, once those are set aside of whom the terms foretell everything."""
_HALVINGS = 20
_SEARCHES = 60


def analyze_rate(counts: _Values, seen_day: _Values, treated: _Treated, adjust: _Design) -> Estimate:
    """Ratio of daily rates, treated against control, by quasi-Poisson regression with its score test.

    ``counts``: whole numbers, 0 or more. ``seen_day``: days in which they were counted, above 0. [day]
    """
    return _ratio(_fitted(counts, seen_day, treated, adjust, is_odds=False), is_odds=False)


def analyze_day_odds(counts: _Values, seen_day: _Values, treated: _Treated, adjust: _Design) -> Estimate:
    """Odds ratio of such a day, treated against control, by quasi-binomial regression with its score test.

    ``counts``: whole numbers, 0 to ``seen_day``. ``seen_day``: whole number of days in which they were counted, above
    0. [day]
    """
    return _ratio(_fitted(counts, seen_day, treated, adjust, is_odds=True), is_odds=True)


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
    found = _fitted(counts, seen_day, treated, adjust, is_odds=False)
    if isinstance(found, Status):
        return found
    pulls = (found.fit.covariance[:, :, None] * found.columns).sum(axis=1)
    spare = 1.0 - found.fit.mean * (found.columns * pulls).sum(axis=0)
    if not (spare > _LEVERAGE).all():
        return Status.NOT_ESTIMABLE
    scores = pulls[-1] * (found.counts - found.fit.mean) / spare
    error = float(np.sqrt((scores * scores).sum())) / found.left
    if not error > 0.0:
        return Status.NO_VARIATION
    if error > LARGEST_ERROR:
        return Status.SEPARATION
    return float(found.fit.coefficients[-1]) / found.left, error, found.freedom


_LEVERAGE = 1e-9
"""As of the means: of a person whom the terms fit by themselves there is no residual to learn a spread from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CountFit:
    """A regression of counts: coefficients, the inverse of their information, and each person's expected count."""

    coefficients: Float[np.ndarray, " term"]
    covariance: Float[np.ndarray, "term term"]
    mean: _Values


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fitted:
    """Those of whom the other terms do not foretell everything, in an orthonormal basis with the treatment last.

    ``left``: length of what was left of the treatment's column.
    """

    fit: CountFit
    counts: _Values
    seen_day: _Values
    columns: _Columns
    left: float

    @property
    def freedom(self) -> int:
        """People minus terms."""
        return self.counts.size - self.columns.shape[0]


def fit_counts(columns: _Columns, counts: _Values, seen_day: _Values, *, is_odds: bool) -> CountFit | None:
    """Where the likelihood of Poisson's, or of the binomial, regression is highest; None where no maximum was found.

    ``columns``: the first is the intercept's, the same number for everybody. ``seen_day``: exposure, or trials.
    """
    fit = _blank_fit(columns, counts)
    return fit if _fit_into(fit, columns, counts, seen_day, is_odds=is_odds) else None


def _blank_fit(columns: _Columns, counts: _Values) -> CountFit:
    n_terms = columns.shape[0]
    return CountFit(coefficients=np.zeros(n_terms), covariance=np.zeros((n_terms, n_terms)), mean=np.zeros(counts.size))


def _fit_into(fit: CountFit, columns: _Columns, counts: _Values, seen_day: _Values, *, is_odds: bool) -> bool:
    return bool(_fit_plain(is_odds, columns, counts, seen_day, _STEPS, fit.coefficients, fit.mean, fit.covariance))


def _fitted(
    counts: _Values, seen_day: _Values, treated: _Treated, adjust: _Design, *, is_odds: bool
) -> _Fitted | Status:
    """The fit of those whom the other terms do not foretell; or why there is none."""
    refuse_gaps("counts", counts, np.ones(counts.shape, dtype=np.bool_))
    nobody_left_out = True
    while True:
        fault, columns, left = _checked(counts / seen_day if is_odds else counts, treated, adjust)
        sides = (treated, ~treated)
        if fault is None and any(not counts[side].any() for side in sides):
            fault = Status.SEPARATION
        if fault is None and is_odds and any(not (counts[side] < seen_day[side]).any() for side in sides):
            fault = Status.SEPARATION
        if fault is None and not nobody_left_out and min(int(side.sum()) for side in sides) < _FEWEST:
            fault = Status.SEPARATION
        if fault is not None:
            # The treatment says nothing of those of whom the others do not say everything.
            return fault if nobody_left_out else Status.SEPARATION
        fit = _blank_fit(columns, counts)
        exists = _fit_into(fit, columns, counts, seen_day, is_odds=is_odds)
        told = np.zeros(counts.size, dtype=np.bool_)
        _foretell(is_odds, columns, counts, seen_day, fit.mean, fit.coefficients, told)
        if not told.any():
            if not exists:
                return Status.NOT_CONVERGED
            return _Fitted(fit=fit, counts=counts, seen_day=seen_day, columns=columns, left=left)
        counts, seen_day, treated, adjust = (one[~told] for one in (counts, seen_day, treated, adjust))
        nobody_left_out = False


def _checked(values: _Values, treated: _Treated, adjust: _Design) -> tuple[Status | None, _Columns, float]:
    """A fault, or an orthonormal basis of the design with the treatment last, and what was left of its column."""
    nothing = np.zeros((0, treated.size))
    if is_too_small(values, treated) or np.ptp(values) == 0.0:
        return Status.NO_VARIATION, nothing, 1.0
    basis = basis_of_one(treated, adjust)
    if not basis.is_estimable[0] or treated.size <= basis.rank[0]:
        return Status.NOT_ESTIMABLE, nothing, 1.0
    return None, np.ascontiguousarray(basis.columns[0][basis.is_kept[0]]), float(basis.left[0])


def _ratio(of: _Fitted | Status, *, is_odds: bool) -> Estimate:
    if isinstance(of, Status):
        return failed_estimate(of)
    squares = (of.counts - of.fit.mean) * (of.counts - of.fit.mean)
    weight = of.fit.mean * (1.0 - of.fit.mean / of.seen_day) if is_odds else of.fit.mean
    plain_error = float(np.sqrt(of.fit.covariance[-1, -1]))
    error = float(np.sqrt((squares / np.maximum(weight, 1e-300)).sum() / of.freedom)) * plain_error
    # Where the estimate runs away, a fit without residuals would make any error small.
    if not max(error, plain_error) / of.left <= LARGEST_ERROR:
        return failed_estimate(Status.SEPARATION)
    critical = float(t_quantile(float(of.freedom), 0.975))
    reach = min(_REACH * critical * error, _FARTHEST * of.left)
    found = np.zeros(3)
    theta = of.fit.coefficients
    if not _test(is_odds, of.columns, of.counts, of.seen_day, _STEPS, critical, theta, reach, _NEAR * error, found):
        return failed_estimate(Status.NOT_CONVERGED)
    t, low, high = found
    if np.isinf(t):
        return failed_estimate(Status.NO_VARIATION)
    ends = exp(np.array([low, float(theta[-1]), high]) / of.left)
    return Estimate(
        estimate=float(ends[1]),
        low=float(ends[0]),
        high=float(ends[2]),
        p_value=2.0 * float(t_cdf(float(of.freedom), -abs(float(t)))),
        status=Status.OK,
    )


@inner
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


@inner
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


@loop
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


@inner
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


@loop
def _foretell(is_odds, columns, counts, seen_day, mean, theta, told):
    """Whom the terms foretell: along a direction of the coefficients that moves nobody else, the likelihood of all of
    them rises without end. The steps went along it, so it is what their sum has beside the rows of the others.
    """
    n_terms, n = columns.shape
    rows, n_rows = np.zeros((n_terms, n_terms)), 0
    away, row = theta.copy(), np.zeros(n_terms)
    for i in range(n):
        few, many = counts[i] == 0.0, is_odds and counts[i] == seen_day[i]
        told[i] = (few and mean[i] < _NOBODY) or (many and seen_day[i] - mean[i] < _NOBODY)
        if told[i] or n_rows == n_terms:
            continue
        row[:] = columns[:, i]
        length = np.sqrt(sum_of_products(row, row))
        for _ in range(2):
            for k in range(n_rows):
                row -= sum_of_products(row, rows[k]) * rows[k]
        rest = np.sqrt(sum_of_products(row, row))
        if rest > _NEAR * length:
            rows[n_rows] = row / rest
            n_rows += 1
    for _ in range(2):
        for k in range(n_rows):
            away -= sum_of_products(away, rows[k]) * rows[k]
    size = np.sqrt(sum_of_products(away, away))
    if n_rows == n_terms or not size > 0.0:
        told[:] = False
        return
    for i in range(n):
        if told[i]:
            row[:] = columns[:, i]
            push = sum_of_products(row, away) * (-1.0 if counts[i] == 0.0 else 1.0)
            least = 1e-6 * size * np.sqrt(sum_of_products(row, row))
            if push < -least:
                told[:] = False
                return
            told[i] = push > least


@loop
def _test(is_odds, columns, counts, seen_day, steps, critical, theta, reach, near, found):
    """t of no effect and the two ends, in the basis; False where the other terms could not be fitted.

    ``theta``: the coefficients of the fit. ``reach``: how far an end is sought.
    """
    n_terms, n = columns.shape
    mean, weight, held = np.zeros(n), np.zeros(n), np.zeros(n_terms - 1)
    effect = theta[n_terms - 1]
    held[:] = theta[: n_terms - 1]
    t = _score(is_odds, columns, counts, seen_day, 0.0, steps, held, mean, weight)
    found[0] = t
    if np.isinf(t):
        return True
    if np.isnan(t):
        return False
    for side in range(2):
        sign = 2.0 * side - 1.0
        # t falls as the effect that is held rises. Values are t beyond the critical one: inside below 0, outside above.
        inside, at_inside, farthest = effect, -critical, reach
        if sign * effect < 0.0:
            # No effect lies on this side, with an answer that the interval must share.
            if abs(t) > critical:
                farthest = min(reach, abs(effect))
            elif reach <= abs(effect):
                found[1 + side] = 0.0
                continue
            else:
                inside, at_inside, farthest = 0.0, -sign * t - critical, reach - abs(effect)
        begin, outside, at_outside = inside, inside, -1.0
        held[:] = theta[: n_terms - 1]
        for look in range(1, _LOOKS + 1):
            outside = begin + sign * farthest * look / _LOOKS
            at_outside = -sign * _score(is_odds, columns, counts, seen_day, outside, steps, held, mean, weight)
            at_outside -= critical
            if np.isnan(at_outside):
                return False
            if at_outside > 0.0:
                break
            inside, at_inside = outside, at_outside
        for _ in range(_SEARCHES):
            if not at_outside > 0.0 or abs(outside - inside) <= near:
                break
            middle = outside - at_outside * (outside - inside) / (at_outside - at_inside)
            if not (min(inside, outside) < middle < max(inside, outside)) or np.isinf(at_outside):
                middle = 0.5 * (inside + outside)
            value = -sign * _score(is_odds, columns, counts, seen_day, middle, steps, held, mean, weight) - critical
            if np.isnan(value):
                return False
            if value > 0.0:
                outside, at_outside = middle, value
                at_inside *= 0.5
            else:
                inside, at_inside = middle, value
                at_outside *= 0.5
        found[1 + side] = outside
    return True
