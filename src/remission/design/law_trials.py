"""Simulated trials of a stated law, person by person, analyzed by the test whose power the closed form gives.

People of a smaller trial are the first of a larger one, and a trial without an effect has the people of the one with
it: differences between sizes and effects have less noise than each.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import ceil, erfc, inf, log, sqrt
from typing import TYPE_CHECKING

import numpy as np

from remission.design.closed_forms import (
    effect_of,
    no_effect,
    nulls_to_pass,
    share_staying,
    split,
    t_bound,
    test_level,
    wished_side,
    with_effect,
)
from remission.numerics.counts import negative_binomial_quantile
from remission.numerics.tallies import Count, Mean, Measure
from remission.records.effect import Difference, Hazard, Law, Proportions, Rate, Repeated
from remission.shapes import Bool, Float, Int
from remission.streams import People, Stream, draw_normals, draw_uniforms

if TYPE_CHECKING:
    from remission.design.at_look import Boundaries


_MOST_PEOPLE = 400_000
"""People in a piece of work."""
_Table = Float[np.ndarray, "replicate subject"]
_Column = Float[np.ndarray, " replicate"]
_Flags = Bool[np.ndarray, " replicate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedLaw:
    """What simulated trials of a law show.

    ``power``: reached the goal. ``nulls``: the same where the goal must not be reached, by name: type I errors.
    ``bias``: of the estimate, on its scale, the logarithm for ratios; with looks, of the plain one at the stop.
    ``coverage``: of the plain interval that belongs to the test. ``expected_people``: at the stop. ``n_failed``: trials
    without an estimate, counted as not reaching the goal.
    """

    n_replicates: int
    n_failed: int
    power: Measure
    nulls: dict[str, Measure]
    estimate: Measure
    bias: Measure
    coverage: Measure
    expected_people: Measure


@dataclass(frozen=True, slots=True)
class _Trials:
    """Estimates on the scale of the analysis, and whether the statistic lies beyond a null: (null, side, level)."""

    estimate: _Column
    passes: Callable[[float, int, float], _Flags]


@dataclass(frozen=True, slots=True)
class _Cohort:
    """People of some replicates, their side, and who of them has left by the day of the statement."""

    people: People
    n_replicates: int
    treated: Bool[np.ndarray, " subject"]
    drawn: dict[tuple[str, int], tuple[_Table, ...]] = field(default_factory=dict)

    def table(self, column: np.ndarray) -> np.ndarray:
        """A column over people, one row a replicate."""
        return column.reshape(self.n_replicates, -1)

    def normals(self, index: int) -> tuple[_Table, ...]:
        """Standard normals of everybody at an address."""
        return self._once("normal", draw_normals, index)

    def uniforms(self, index: int) -> tuple[_Table, ...]:
        """Uniforms of everybody at an address."""
        return self._once("uniform", draw_uniforms, index)

    def _once(self, kind: str, draw: Callable[..., tuple[np.ndarray, ...]], index: int) -> tuple[_Table, ...]:
        """Draws are kept: trials with and without an effect have the same people."""
        if (kind, index) not in self.drawn:
            found = draw(self.people, Stream.STATED_LAW, index)
            self.drawn[kind, index] = tuple(self.table(one) for one in found)
        return self.drawn[kind, index]

    def first(self, n: int) -> "_Cohort":
        """The first people of each trial, with the draws that they have in the whole."""
        if n == self.treated.size:
            return self
        whole = self

        class _First(dict[tuple[str, int], tuple[_Table, ...]]):
            """Draws that are taken from the whole when they are asked for."""

            def __contains__(self, key: object) -> bool:
                return True

            def __missing__(self, key: tuple[str, int]) -> tuple[_Table, ...]:
                draw = draw_normals if key[0] == "normal" else draw_uniforms
                return tuple(one[:, :n] for one in whole._once(key[0], draw, key[1]))

        return _Cohort(self.people, self.n_replicates, self.treated[:n], _First())

    def by_side(self, treatment: float, control: float) -> Float[np.ndarray, " subject"]:
        """One number for each side, person by person."""
        return np.where(self.treated, treatment, control)

    def stays(self, law: Law) -> Bool[np.ndarray, "replicate subject"]:
        """Who is there on the day of the statement."""
        if law.leaving is None:
            return np.ones((self.n_replicates, self.treated.size), dtype=np.bool_)
        shares = self.by_side(share_staying(law.leaving, "treatment"), share_staying(law.leaving, "control"))
        return np.asarray(self.uniforms(1)[0] < shares)


def simulate_law(
    law: Law,
    people: int,
    treatment_share: float,
    *,
    alpha: float,
    n_replicates: int,
    seed: int,
    bounds: "Boundaries | None" = None,
) -> SimulatedLaw:
    """Trials of so many people with the stated effect, and without one.

    ``alpha``: error of the test, over as many sides as the law has. ``bounds``: of looks at shares of the people;
    ``None``: only the one at the end. Raises ``SpecError``: the seed is out of range.
    """
    level = test_level(law, alpha)
    truth = effect_of(law)
    aim = log(truth) if law.is_ratio else truth
    power, failed, estimate, away, covered, entered = Count(), Count(), Mean(), Mean(), Count(), Mean()
    false = {name: Count() for name, _ in worlds_without(law)}
    for cohort in cohorts_of(people, treatment_share, n_replicates, seed):
        ended = _ended(law, cohort, level, bounds)
        good = np.isfinite(ended.estimate)
        power.add(ended.reached)
        failed.add(~good)
        estimate.add(ended.estimate)
        away.add(ended.estimate - aim)
        covered.add(ended.covers[good])
        entered.add(ended.people)
        for name, world in worlds_without(law):
            false[name].add(_ended(world, cohort, level, bounds).reached)
    return SimulatedLaw(
        n_replicates=power.n, n_failed=failed.hits, power=power.measure, estimate=estimate.measure, bias=away.measure,
        coverage=covered.measure, nulls={name: count.measure for name, count in false.items()},
        expected_people=entered.measure,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Ended:
    """How trials ended: whether the goal was reached, the estimate, whether its interval holds the truth, people."""

    reached: _Flags
    estimate: _Column
    covers: _Flags
    people: _Column


def _ended(law: Law, cohort: _Cohort, level: float, bounds: "Boundaries | None") -> _Ended:
    n, truth = cohort.treated.size, effect_of(law)
    if bounds is None:
        trials = analyzed(law, cohort)
        outside = trials.passes(truth, 1, level) | trials.passes(truth, -1, level)
        everybody = np.full(cohort.n_replicates, float(n))
        return _Ended(reaches(law, trials, level), trials.estimate, ~outside, everybody)
    side, null = wished_side(law), nulls_to_pass(law)[0][0]
    is_two_sided = law.goal == "superiority" and law.sides == 2
    running = np.ones(cohort.n_replicates, dtype=np.bool_)
    reached, covers = np.zeros_like(running), np.zeros_like(running)
    estimate, entered = np.full(running.size, np.nan), np.zeros(running.size)
    for look, share in enumerate(bounds.information):
        people = n if look == len(bounds.z) - 1 else ceil(share / bounds.information[-1] * n - 1e-9)
        trials = analyzed(law, cohort.first(people))
        bound = 0.5 * erfc(bounds.z[look] / sqrt(2.0))
        if bounds.z[look] == inf:
            success = harm = np.zeros_like(running)
        else:
            success, harm = trials.passes(null, side, bound), trials.passes(null, -side, bound)
        stops = success | harm
        if bounds.floors[look] > -inf:
            stops = stops | ~trials.passes(null, side, 0.5 * erfc(bounds.floors[look] / sqrt(2.0)))
        if look == len(bounds.z) - 1:
            stops = np.ones_like(stops)
        now = running & stops
        reached |= running & (success | harm if is_two_sided else success)
        outside = trials.passes(truth, 1, level) | trials.passes(truth, -1, level)
        estimate[now], covers[now], entered[now] = trials.estimate[now], ~outside[now], people
        running &= ~stops
    return _Ended(reached, estimate, covers, entered)


def reject_share(
    law: Law,
    people: int,
    treatment_share: float,
    *,
    alpha: float,
    n_replicates: int,
    seed: int,
    against: float,
    bounds: "Boundaries | None" = None,
) -> Count:
    """How many trials reach the goal; trials end when their share is told apart from ``against``."""
    level, count = test_level(law, alpha), Count()
    for cohort in cohorts_of(people, treatment_share, n_replicates, seed):
        count.add(_ended(law, cohort, level, bounds).reached)
        found = count.measure
        if count.n >= 400 and abs(found.value - against) > 4.0 * found.mcse:
            break
    return count


def worlds_without(law: Law) -> Iterator[tuple[str, Law]]:
    """Where the goal must not be reached, each by its name."""
    margin = law.margin or 0.0
    if law.goal == "superiority":
        yield "no effect", with_effect(law, no_effect(law))
    elif law.goal == "non-inferiority":
        yield "at the margin", with_effect(law, margin)
    else:
        yield "at the upper margin", with_effect(law, margin)
        yield "at the lower margin", with_effect(law, 1.0 / margin if law.is_ratio else -margin)


def cohorts_of(people: int, treatment_share: float, n_replicates: int, seed: int) -> Iterator[_Cohort]:
    """People of the trials, so many trials at once as memory is asked for."""
    counts = np.array([split(k, treatment_share).treatment for k in range(people + 1)])
    treated = np.diff(counts) > 0
    step = max(1, _MOST_PEOPLE // people)
    for first in range(0, n_replicates, step):
        n = min(step, n_replicates - first)
        yield _Cohort(People.of_replicates(seed=seed, first=first, count=n, n_subjects=people), n, treated)


def reaches(law: Law, trials: _Trials, level: float) -> _Flags:
    """Whether each trial reaches its goal."""
    parts = [trials.passes(null, side, level) for null, side in nulls_to_pass(law)]
    if law.goal == "superiority":
        return np.asarray(np.logical_or.reduce(parts))
    return np.asarray(np.logical_and.reduce(parts))


def analyzed(law: Law, cohort: _Cohort) -> _Trials:
    """The test of each trial."""
    match law:
        case Difference():
            return _means(law, cohort)
        case Proportions():
            return _shares(law, cohort)
        case Hazard():
            return _hazards(law, cohort)
        case Rate():
            return _rates(law, cohort)
        case Repeated():
            return _visits(law, cohort)


def nuisance_of(law: Law, cohort: _Cohort) -> dict[str, _Column]:
    """What both sides together show of each trial, by its field of ``Blinded``: a spread, a share or a rate."""
    match law:
        case Difference() if law.clusters is None:
            values, stays = _drawn_means(law, cohort)
            n, _, squares = _moments(values, stays)
            return {"sd": np.sqrt(squares / np.maximum(n - 1.0, 1.0))}
        case Proportions() if law.clusters is None:
            stays = cohort.stays(law)
            happened = cohort.uniforms(2)[0] < cohort.by_side(law.treatment, law.control)
            return {"share": (happened & stays).sum(axis=1) / np.maximum(stays.sum(axis=1), 1)}
        case Rate():
            counts, days = _drawn_counts(law, cohort)
            return {"rate_per_day": counts.sum(axis=1) / days.sum(axis=1)}
        case _:
            return {}


def _bounds(level: float, freedom: _Column | float) -> _Column | float:
    """Student's bound for many degrees of freedom: between few of them it is nearly straight in their inverse."""
    if isinstance(freedom, float):
        return t_bound(level, freedom)
    inverse = 1.0 / np.maximum(freedom, 1.0)
    low, high = float(inverse.min()), float(inverse.max())
    places = np.linspace(low, high, 1 if low == high else 33)
    return np.interp(inverse, places, [t_bound(level, 1.0 / one) for one in places.tolist()])


def _by_t(estimate: _Column, error: _Column, freedom: _Column | float) -> _Trials:
    """The test of an estimate with its standard error; one without an error decides nothing."""
    good = np.isfinite(estimate) & (error > 0.0)

    def passes(null: float, side: int, level: float) -> _Flags:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(good & (side * (estimate - null) / error > _bounds(level, freedom)))

    return _Trials(np.where(good, estimate, np.nan), passes)


def _moments(values: _Table, inside: Bool[np.ndarray, "replicate subject"]) -> tuple[_Column, _Column, _Column]:
    """Count, mean, and sum of squares about the mean, of each replicate."""
    n = inside.sum(axis=1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.where(inside, values, 0.0).sum(axis=1) / n
    squares = np.where(inside, (values - np.nan_to_num(mean)[:, None]) ** 2, 0.0).sum(axis=1)
    return n, mean, squares


def _two_samples(
    values: _Table, inside: Bool[np.ndarray, "replicate subject"], treated: np.ndarray, *, is_welch: bool
) -> _Trials:
    n, mean, squares = _moments(values, inside & treated)
    m, other, rest = _moments(values, inside & ~treated)
    with np.errstate(divide="ignore", invalid="ignore"):
        if is_welch:
            a, b = squares / (n - 1.0) / n, rest / (m - 1.0) / m
            variance, freedom = a + b, (a + b) ** 2 / (a * a / (n - 1.0) + b * b / (m - 1.0))
        else:
            freedom = n + m - 2.0
            variance = (squares + rest) / freedom * (1.0 / n + 1.0 / m)
        variance = np.where((n >= 1.0) & (m >= 1.0) & (freedom >= 1.0), variance, np.nan)
    return _by_t(mean - other, np.sqrt(np.nan_to_num(variance)), np.nan_to_num(freedom, nan=1.0))


def _means(law: Difference, cohort: _Cohort) -> _Trials:
    first, second, *_ = cohort.normals(0)
    stays, treated = cohort.stays(law), cohort.treated
    if law.clusters is not None:
        icc, sd = law.clusters.icc, law.sd.treatment
        columns = _cluster_columns(cohort.treated, law.clusters.size)
        common = first[:, columns[:, 0]] * np.sqrt(icc)
        values = sd * (common[:, :, None] + np.sqrt(1.0 - icc) * second[:, columns])
        return _cluster_means(values, stays[:, columns], treated[columns[:, 0]], law.difference)
    values, _ = _drawn_means(law, cohort)
    if not law.baseline_correlation:
        return _two_samples(values, stays, treated, is_welch=law.sd.treatment != law.sd.control)
    return _adjusted(values, second, stays, treated)


def _drawn_means(law: Difference, cohort: _Cohort) -> tuple[_Table, Bool[np.ndarray, "replicate subject"]]:
    """Outcomes of everybody, each by itself, and who is there to give one."""
    first, second, *_ = cohort.normals(0)
    r, sd_of = law.baseline_correlation, cohort.by_side(law.sd.treatment, law.sd.control)
    return law.difference * cohort.treated + sd_of * (r * second + np.sqrt(1.0 - r * r) * first), cohort.stays(law)


def _adjusted(y: _Table, x: _Table, inside: Bool[np.ndarray, "replicate subject"], treated: np.ndarray) -> _Trials:
    """Analysis of covariance with one baseline, by its sums within the sides."""
    sums = []
    for side in (inside & treated, inside & ~treated):
        n, mean_y, yy = _moments(y, side)
        _, mean_x, xx = _moments(x, side)
        xy = np.where(side, (y - mean_y[:, None]) * (x - mean_x[:, None]), 0.0).sum(axis=1)
        sums.append((n, mean_y, mean_x, yy, xx, xy))
    (n, y1, x1, *_), (m, y0, x0, *_) = sums
    yy, xx, xy = (sums[0][k] + sums[1][k] for k in (3, 4, 5))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope = xy / xx
        freedom = n + m - 3.0
        error = np.sqrt((yy - slope * xy) / freedom * (1.0 / n + 1.0 / m + (x1 - x0) ** 2 / xx))
        return _by_t(y1 - y0 - slope * (x1 - x0), np.nan_to_num(error), np.maximum(np.nan_to_num(freedom), 1.0))


def _cluster_columns(treated: Bool[np.ndarray, " subject"], size: int) -> Int[np.ndarray, "cluster member"]:
    """The people of each whole cluster, of the treatment side first; who is left over belongs to none."""
    found = []
    for side in (True, False):
        columns = np.flatnonzero(treated == side)
        found.append(columns[: columns.size // size * size].reshape(-1, size))
    return np.concatenate(found)


def _cluster_means(values: np.ndarray, stays: np.ndarray, treated: np.ndarray, effect: float) -> _Trials:
    n = stays.sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.where(stays, values, 0.0).sum(axis=2) / n
    return _two_samples(np.nan_to_num(means) + effect * treated, n > 0, treated, is_welch=False)


def _shares(law: Proportions, cohort: _Cohort) -> _Trials:
    stays, treated = cohort.stays(law), cohort.treated
    chance = cohort.by_side(law.treatment, law.control)
    own, common, takes, _ = cohort.uniforms(2)
    if law.clusters is not None:
        # A member takes the outcome of the whole cluster with chance root(icc): any two then correlate by icc exactly
        # (Lunn and Davies 1998, doi 10.1093/biomet/85.2.487).
        columns = _cluster_columns(treated, law.clusters.size)
        follows = takes[:, columns] < np.sqrt(law.clusters.icc)
        drawn = np.where(follows, common[:, columns[:, :1]], own[:, columns])
        sides = treated[columns[:, 0]]
        happened = (drawn < chance[columns]).astype(np.float64)
        return _cluster_means(happened, stays[:, columns], sides, 0.0)
    happened = own < chance
    n, m = ((stays & side).sum(axis=1).astype(np.float64) for side in (treated, ~treated))
    a, b = ((stays & side & happened).sum(axis=1).astype(np.float64) for side in (treated, ~treated))
    with np.errstate(divide="ignore", invalid="ignore"):
        p, q, pooled = a / n, b / m, (a + b) / (n + m)
        plain = np.sqrt(p * (1.0 - p) / n + q * (1.0 - q) / m)
        at_null = np.sqrt(pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m))
    estimate = np.where((n > 0) & (m > 0), p - q, np.nan)
    by_wald, by_score = _by_t(estimate, np.nan_to_num(plain), inf), _by_t(estimate, np.nan_to_num(at_null), inf)

    def passes(null: float, side: int, level: float) -> _Flags:
        # The pooled variance belongs to the hypothesis of equal shares and to no other.
        used = by_score if null == 0.0 and law.goal == "superiority" else by_wald
        return used.passes(null, side, level)

    return _Trials(estimate, passes)


def _hazards(law: Hazard, cohort: _Cohort) -> _Trials:
    event_u, leave_u, entry_u, _ = cohort.uniforms(2)
    control = -np.log1p(-law.control_share) / law.by_day
    event_day = -np.log(event_u) / cohort.by_side(law.hazard_ratio * control, control)
    until = law.accrual_days + law.follow_up_days - law.accrual_days * entry_u
    if law.each_days is not None:
        until = np.minimum(until, law.each_days)
    if law.leaving is not None:
        share = law.leaving.share
        leaves = -np.log1p(-cohort.by_side(share.treatment, share.control)) / law.leaving.by_day
        with np.errstate(divide="ignore"):
            until = np.minimum(until, -np.log(leave_u) / leaves)
    happened, day = event_day <= until, np.minimum(event_day, until)
    order = np.argsort(day, axis=1)
    happened = np.take_along_axis(happened, order, axis=1)
    treated = np.broadcast_to(cohort.treated, day.shape)[np.arange(len(day))[:, None], order]
    at_risk = np.cumsum(treated[:, ::-1], axis=1)[:, ::-1].astype(np.float64)
    others = np.arange(day.shape[1], 0, -1) - at_risk
    events = (happened & treated).sum(axis=1)

    def score(ratio: _Column) -> tuple[_Column, _Column]:
        weight = ratio[:, None] * at_risk
        share = np.where(happened, weight / (weight + others), 0.0)
        return events - share.sum(axis=1), (share * (1.0 - share)).sum(axis=1)

    def passes(null: float, side: int, level: float) -> _Flags:
        slope, information = score(np.full(len(day), null))
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((information > 0.0) & (side * slope / np.sqrt(information) > t_bound(level)))

    both = (events > 0) & ((happened & ~treated).sum(axis=1) > 0)
    estimate = np.zeros(len(day))
    for _ in range(12):
        slope, information = score(np.exp(estimate))
        estimate = np.where(both, estimate + np.clip(slope / np.maximum(information, 1e-9), -1.0, 1.0), 0.0)
    return _Trials(np.where(both, estimate, np.nan), passes)


def _drawn_counts(law: Rate, cohort: _Cohort) -> tuple[_Table, _Table]:
    """Counts of everybody, and the days in which they were counted."""
    count_u, leave_u, _, _ = cohort.uniforms(2)
    days = np.full(count_u.shape, law.days)
    if law.leaving is not None:
        share = law.leaving.share
        leaves = -np.log1p(-cohort.by_side(share.treatment, share.control)) / law.leaving.by_day
        with np.errstate(divide="ignore"):
            days = np.minimum(days, -np.log(leave_u) / leaves)
    rate = cohort.by_side(law.rate_ratio * law.control_rate_per_day, law.control_rate_per_day)
    return negative_binomial_quantile(count_u, rate * days, law.dispersion), days


def _rates(law: Rate, cohort: _Cohort) -> _Trials:
    counts, days = _drawn_counts(law, cohort)
    logs, variance = [], []
    for side in (cohort.treated, ~cohort.treated):
        n, total, watched = float(side.sum()), counts[:, side].sum(axis=1), days[:, side].sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = total / watched
            rest = ((counts[:, side] - found[:, None] * days[:, side]) ** 2).sum(axis=1)
            logs.append(np.log(found))
            variance.append(rest / total**2 * n / (n - 1.0))
    estimate = np.where(np.isfinite(logs[0]) & np.isfinite(logs[1]), logs[0] - logs[1], np.nan)
    wald = _by_t(estimate, np.sqrt(np.nan_to_num(variance[0] + variance[1])), inf)
    return _Trials(wald.estimate, lambda null, side, level: wald.passes(log(null), side, level))


def _visits(law: Repeated, cohort: _Cohort) -> _Trials:
    # The compiled fit is loaded here, because everything else answers without a compiler.
    from remission.analyses.mmrm import analyze_mmrms

    m = len(law.visit_days)
    normals = np.stack([one for k in range(-(-m // 4)) for one in cohort.normals(k)][:m], axis=2)
    values = normals @ np.linalg.cholesky(np.array(law.matrix)).T
    values = values + cohort.treated[:, None] * np.array(law.differences)
    if law.leaving is not None:
        share = law.leaving.share
        with np.errstate(divide="ignore"):
            leaves = -np.log1p(-cohort.by_side(share.treatment, share.control)) / law.leaving.by_day
            day = -np.log(cohort.uniforms(101)[0]) / leaves
        values = np.where(np.array(law.visit_days) <= day[:, :, None], values, np.nan)
    seen = np.isfinite(values[:, :, 0])
    treated = np.broadcast_to(cohort.treated, seen.shape)
    weights = np.full(m, 1.0 / m) if law.at == "mean" else (np.arange(m) == m - 1).astype(np.float64)
    empty = np.zeros((cohort.n_replicates, 0, seen.shape[1]))

    def fitted(null: float) -> tuple[_Column, _Column]:
        found = analyze_mmrms(
            values - null * treated[:, :, None], seen, treated, empty, n_by_visit=0, weights=weights,
            position=np.arange(m), structure="unstructured", by_side=False, freedom="kenward-roger",
        )  # fmt: skip
        return found.estimate + null, found.p_value

    known: dict[float, tuple[_Column, _Column]] = {}

    def passes(null: float, side: int, level: float) -> _Flags:
        if null not in known:
            known[null] = fitted(null)
        estimate, p_value = known[null]
        return np.asarray((side * (estimate - null) > 0.0) & (p_value < 2.0 * level))

    if 0.0 not in known:
        known[0.0] = fitted(0.0)
    return _Trials(known[0.0][0], passes)
