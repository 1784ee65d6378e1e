"""Times to an event: Cox regression, the log-rank test, restricted mean survival time.

Every sum has a fixed order, so that an estimate has the same bits on every processor; a test holds them to statsmodels.

Replicates lie side by side. People are sorted by their time, those outside first, so that a risk set is everybody from
a place on: sums over risk sets are cumulative sums from the end, and ties are runs of equal times. Cox regression takes
Newton steps on the partial likelihood with Efron's treatment of ties, halved where they would lower it.

Log-rank ratio: with O events on the treatment side, E expected and V the hypergeometric variance, summed over times
and strata, the one-step hazard ratio is exp((O - E) / V) with standard error 1 / sqrt(V) of its logarithm.

Restricted mean: the area under the Kaplan-Meier curve S up to tau. Its variance is the sum over event times t of
A(t)^2 d(t) / (n(t) (n(t) - d(t))), A(t) the area from t to tau (Greenwood's, carried through the integral).
"""

from dataclasses import dataclass

import numpy as np

from remission.analyses.basis import Basis, orthonormal_basis
from remission.analyses.estimate import (
    Estimate,
    Estimates,
    Status,
    failed_estimate,
    interval_estimate,
    is_too_small,
    of_one,
    ratios_of,
    refuse_gaps,
)
from remission.analyses.odds import LARGEST_ERROR
from remission.numerics.distributions import chi_squared_tail
from remission.numerics.lanes import exp_lane, log_lane
from remission.numerics.loops import inner, loop
from remission.numerics.small_systems import factor, inverse, places_of, solve, sum_of_products
from remission.shapes import Bool, Float, Int

__all__ = ["analyze_hazard", "analyze_hazards", "analyze_log_ranks", "analyze_restricted_mean"]

_Table = Float[np.ndarray, "replicate subject"]
_Flags = Bool[np.ndarray, "replicate subject"]
_Values = Float[np.ndarray, " subject"]
_Sides = Bool[np.ndarray, " subject"]
_STEPS = 60
_GAIN = 1e-10
"""As of the odds: twice what the last step may add to the log likelihood."""
_LEAST = 1e-14


def analyze_hazard(
    days: _Values,
    event: _Sides,
    treated: _Sides,
    adjust: Float[np.ndarray, "subject term"],
    *,
    strata: Int[np.ndarray, " subject"] | None = None,
) -> Estimate:
    """:func:`analyze_hazards` of one replicate."""
    groups = None if strata is None else strata[None]
    return of_one(analyze_hazards, days, event, treated, adjust=adjust, strata=groups)


def analyze_hazards(
    days: _Table,
    event: _Flags,
    inside: _Flags,
    treated: _Flags,
    adjust: Float[np.ndarray, "replicate term subject"],
    *,
    strata: Int[np.ndarray, "replicate subject"] | None = None,
) -> Estimates:
    """Hazard ratios, treated against control, by Cox regression with Wald intervals.

    ``days``, ``event``: anything where not ``inside``. ``inside``: who is analyzed. ``strata``: each with a hazard of
    its own, within which people are compared; ``None``: one.
    """
    refuse_gaps("days", days, inside)
    happened = event & inside
    basis = orthonormal_basis(inside, treated, adjust)
    enough = _has_both_sides(inside, treated) & happened.any(axis=1)
    is_apart = ~(happened & treated).any(axis=1) | ~(happened & ~treated).any(axis=1)
    is_estimable = basis.is_estimable & _is_compared(inside, treated, strata)
    log_ratio, error = _regress(_sorted_times(days, happened, inside, strata), basis, enough & ~is_apart & is_estimable)
    status = np.full(enough.size, Status.OK, dtype=object)
    status[~np.isfinite(error)] = Status.NOT_CONVERGED
    with np.errstate(invalid="ignore"):
        status[error > LARGEST_ERROR] = Status.SEPARATION
    status[~is_estimable] = Status.NOT_ESTIMABLE
    status[is_apart] = Status.SEPARATION
    status[~enough] = Status.NO_VARIATION
    return ratios_of(status, log_ratio, error)


def _has_both_sides(inside: _Flags, treated: _Flags) -> Bool[np.ndarray, " replicate"]:
    sides = [(inside & side).any(axis=1) for side in (treated, ~treated)]
    enough: Bool[np.ndarray, " replicate"] = (inside.sum(axis=1) >= 4) & sides[0] & sides[1]
    return enough


def _is_compared(
    inside: _Flags, treated: _Flags, strata: Int[np.ndarray, "replicate subject"] | None
) -> Bool[np.ndarray, " replicate"]:
    """Whether any stratum has people of both sides."""
    if strata is None:
        return np.ones(inside.shape[0], dtype=np.bool_)
    groups = [inside & (strata == group) for group in np.unique(strata[inside])]
    found: Bool[np.ndarray, " replicate"] = np.any(
        [(mine & treated).any(axis=1) & (mine & ~treated).any(axis=1) for mine in groups], axis=0
    )
    return found


def analyze_log_ranks(
    days: _Table,
    event: _Flags,
    inside: _Flags,
    treated: _Flags,
    strata: Int[np.ndarray, "replicate subject"] | None = None,
) -> Estimates:
    """The log-rank test, with the one-step hazard ratio that belongs to it.

    ``days``, ``event``: anything where not ``inside``. ``inside``: who is analyzed. ``strata``: strata within which
    people are compared; ``None``: one.
    """
    refuse_gaps("days", days, inside)
    groups = np.zeros(days.shape, dtype=np.int64) if strata is None else strata
    away, variance = np.zeros(days.shape[0]), np.zeros(days.shape[0])
    for group in np.unique(groups[inside]):
        mine = inside & (groups == group)
        times = _sorted_times(days, event & mine, mine)
        one_side = np.take_along_axis(treated & mine, times.order, axis=1)
        n, n1 = (_from_the_end(people.astype(np.float64)) for people in (times.inside, one_side))
        deaths = times.per_run(times.event.astype(np.float64))
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(n > 0, n1 / n, 0.0)
        counted = times.is_first & (deaths > 0)
        expected = np.where(counted, deaths * share, 0.0).sum(axis=1)
        terms = deaths * share * (1.0 - share) * (n - deaths) / np.maximum(n - 1.0, 1.0)
        away += (times.event & one_side).sum(axis=1) - expected
        variance += np.where(counted, terms, 0.0).sum(axis=1)
    status = np.full(away.size, Status.OK, dtype=object)
    status[~(variance > 0.0)] = Status.NOT_ESTIMABLE
    status[~_has_both_sides(inside, treated) | ~(event & inside).any(axis=1)] = Status.NO_VARIATION
    held = np.where(variance > 0.0, variance, 1.0)
    return ratios_of(status, away / held, 1.0 / np.sqrt(held), chi_squared_tail(away * away / held))


@dataclass(frozen=True, slots=True, kw_only=True)
class _SortedTimes:
    """People in the order of their strata and times, and the runs of equal times; who ends a stratum."""

    order: Int[np.ndarray, "replicate subject"]
    inside: _Flags
    event: _Flags
    is_first: _Flags
    first: Int[np.ndarray, "replicate subject"]
    last: Int[np.ndarray, "replicate subject"]
    ends: _Flags

    def per_run(self, numbers: _Table) -> _Table:
        """Sum over the run that each place lies in."""
        total = np.cumsum(numbers, axis=1)
        ends = np.take_along_axis(total, self.last, axis=1)
        starts = np.take_along_axis(total - numbers, self.first, axis=1)
        sums: _Table = ends - starts
        return sums


def _sorted_times(
    days: _Table, event: _Flags, inside: _Flags, strata: Int[np.ndarray, "replicate subject"] | None = None
) -> _SortedTimes:
    times = np.where(inside, days, -np.inf)
    groups = np.where(inside, 0 if strata is None else strata, np.iinfo(np.int64).min)
    order = np.lexsort((times, groups), axis=1)
    times, groups = (np.take_along_axis(column, order, axis=1) for column in (times, groups))
    n = times.shape[1]
    is_new = groups[:, 1:] != groups[:, :-1]
    is_first, ends = np.ones(times.shape, dtype=np.bool_), np.ones(times.shape, dtype=np.bool_)
    is_first[:, 1:] = (times[:, 1:] != times[:, :-1]) | is_new
    ends[:, :-1] = is_new
    place = np.arange(n)
    first = np.maximum.accumulate(np.where(is_first, place, 0), axis=1)
    is_last = np.ones(times.shape, dtype=np.bool_)
    is_last[:, :-1] = is_first[:, 1:]
    last = np.minimum.accumulate(np.where(is_last, place, n - 1)[:, ::-1], axis=1)[:, ::-1]
    return _SortedTimes(
        order=order,
        inside=np.take_along_axis(inside, order, axis=1),
        event=np.take_along_axis(event, order, axis=1),
        is_first=is_first,
        first=first,
        last=last,
        ends=ends,
    )


def _from_the_end(numbers: _Table) -> _Table:
    return np.cumsum(numbers[:, ::-1], axis=1)[:, ::-1]


def _regress(
    times: _SortedTimes, basis: Basis, plain: Bool[np.ndarray, " replicate"]
) -> tuple[Float[np.ndarray, " replicate"], Float[np.ndarray, " replicate"]]:
    """Log hazard ratio and its error; NaN where the steps do not end well."""
    log_ratio, error = np.full(plain.size, np.nan), np.full(plain.size, np.nan)
    _fit_all(
        times.order, times.inside, times.event, times.is_first, times.ends, basis.columns, basis.is_kept, basis.left,
        plain, _STEPS, log_ratio, error,
    )  # fmt: skip
    return log_ratio, error


@loop
def _fit_all(order, inside, event, is_first, ends, columns, kept, left, plain, steps, log_ratio, error):
    for r in range(plain.size):
        if not plain[r]:
            continue
        # People outside come first in the order; the intercept, first of the basis, says nothing of an order.
        people, chosen = places_of(inside[r]), places_of(kept[r])[1:]
        for i in range(people.size):
            people[i] = order[r, people[i]]
        begin = order.shape[1] - people.size
        x = np.empty((people.size, chosen.size))
        for i in range(people.size):
            for j in range(chosen.size):
                x[i, j] = columns[r, chosen[j], people[i]]
        log_ratio[r], error[r] = _fit(x, event[r, begin:], is_first[r, begin:], ends[r, begin:], steps)
        log_ratio[r] /= left[r]
        error[r] /= left[r]


@inner
def _fit(x, event, is_first, ends, steps):
    """Coefficient of the last column and its error; NaN where the search stopped."""
    n_terms = x.shape[1]
    effect, step, slope = np.zeros(n_terms), np.zeros(n_terms), np.zeros(n_terms)
    information = np.zeros((n_terms, n_terms))
    value = _likelihood(x, event, is_first, ends, effect, slope, information)
    arrived = False
    for _ in range(steps):
        if not factor(information, _LEAST):
            break
        if arrived:
            last = n_terms - 1
            return effect[last], np.sqrt(inverse(information)[last, last])
        for j in range(n_terms):
            step[j] = slope[j]
        solve(information, step)
        gain = sum_of_products(slope, step)
        if not np.isfinite(gain):
            break
        arrived = gain <= _GAIN
        before = value
        for _ in range(30):
            for j in range(n_terms):
                effect[j] += step[j]
            value = _likelihood(x, event, is_first, ends, effect, slope, information)
            # Rounding may lower the likelihood a little at its top.
            if arrived or value >= before - 1e-9 * (1.0 + abs(before)):
                break
            for j in range(n_terms):
                effect[j] -= step[j]
                step[j] *= 0.5
    return np.nan, np.nan


@inner
def _likelihood(x, event, is_first, ends, effect, slope, information):
    """Log partial likelihood; its slope and minus its curvature are left in their places."""
    n, n_terms = x.shape
    first, tied_first = np.zeros(n_terms), np.zeros(n_terms)
    second, tied_second = np.zeros((n_terms, n_terms)), np.zeros((n_terms, n_terms))
    mean = np.zeros(n_terms)
    slope[:] = 0.0
    information[:, :] = 0.0
    total, tied, value = 0.0, 0.0, 0.0
    deaths = 0
    # One number taken from all lines changes nothing, and keeps the risks in range.
    lines = np.zeros(n)
    highest = -np.inf
    for i in range(n):
        for j in range(n_terms):
            lines[i] += effect[j] * x[i, j]
        highest = max(highest, lines[i])
    if not np.isfinite(highest):
        return np.nan
    for i in range(n - 1, -1, -1):
        if ends[i]:
            total = 0.0
            first.fill(0.0)
            second.fill(0.0)
        risk = exp_lane(lines[i] - highest)
        total += risk
        if event[i]:
            deaths += 1
            tied += risk
            value += lines[i] - highest
        for j in range(n_terms):
            some = risk * x[i, j]
            first[j] += some
            if event[i]:
                tied_first[j] += some
                slope[j] += x[i, j]
            for k in range(j + 1):
                second[j, k] += some * x[i, k]
                if event[i]:
                    tied_second[j, k] += some * x[i, k]
        if not is_first[i] or deaths == 0:
            continue
        for number in range(deaths):
            share = number / deaths
            at_risk = total - share * tied
            value -= log_lane(at_risk)
            for j in range(n_terms):
                mean[j] = (first[j] - share * tied_first[j]) / at_risk
                slope[j] -= mean[j]
            for j in range(n_terms):
                for k in range(j + 1):
                    curve = (second[j, k] - share * tied_second[j, k]) / at_risk - mean[j] * mean[k]
                    information[j, k] += curve
        deaths = 0
        tied = 0.0
        tied_first[:] = 0.0
        tied_second[:, :] = 0.0
    return value


def analyze_restricted_mean(days: _Values, event: _Sides, treated: _Sides, *, tau_day: float) -> Estimate:
    """Difference of restricted mean survival times up to ``tau_day``, treated minus control. [day]

    ``tau_day``: above 0. [day]
    """
    refuse_gaps("days", days, np.ones(days.shape, dtype=np.bool_))
    if is_too_small(days, treated) or min(treated.sum(), (~treated).sum()) < 2:
        return failed_estimate(Status.NO_VARIATION)
    means = [_restricted_mean(days[side], event[side], tau_day) for side in (treated, ~treated)]
    if any(mean is None for mean in means):
        return failed_estimate(Status.NOT_ESTIMABLE)
    (mean1, variance1), (mean0, variance0) = (mean for mean in means if mean is not None)
    error = float(np.sqrt(variance1 + variance0))
    if error == 0.0:
        return failed_estimate(Status.NO_VARIATION)
    return interval_estimate(mean1 - mean0, error)


def _restricted_mean(days: _Values, event: _Sides, tau_day: float) -> tuple[float, float] | None:
    """Area under the survival curve up to tau and its variance; nothing where the curve ends before tau."""
    if not event.any():
        return None if days.max() < tau_day else (tau_day, 0.0)
    times = np.unique(days[event])
    at_risk, died = days >= times[:, None], event & (days == times[:, None])
    n, d = at_risk.sum(axis=1), died.sum(axis=1)
    alive = np.cumprod((n - d) / n)
    if days.max() < tau_day and alive[-1] > 0.0:
        return None
    inside = times < tau_day
    times, alive, n, d = times[inside], alive[inside], n[inside], d[inside]
    areas = np.diff(np.append(times, tau_day)) * alive
    after = np.cumsum(areas[::-1])[::-1]
    first = times[0] if times.size else tau_day
    left = n - d
    with np.errstate(divide="ignore", invalid="ignore"):
        # Where the last person dies the area that follows is zero, and so is the term.
        terms = np.where(left > 0, after * after * d / (n * left), 0.0)
    return float(first + areas.sum()), float(terms.sum())
