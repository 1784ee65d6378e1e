"""The outcome of one analysis: what the intercurrent events and the rule for what is missing make of a measure."""

from dataclasses import dataclass, replace

import numpy as np

from remission.endpoints.data import EndpointData
from remission.endpoints.days import day_counts_of
from remission.endpoints.values import period_values_of, times_of, values_of
from remission.records.endpoint import Endpoint
from remission.records.population import DayRange
from remission.records.study_plan import Measure, PlannedAnalysis, StudyPlan
from remission.shapes import Bool, Float, Int
from remission.study.data import StudyData

_Values = Float[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One outcome of everybody.

    value
        What a method of one number reads; NaN without one.
    event
        Whether a time ended in the event.
    periods, days, shares
        The outcome at visits after day 0, or in periods; their first days; their part in the mean over all.
    names
        Of the visits or periods.
    target
        Which of them is compared; None: the mean over all.
    counts, exposure
        Counts, and in how many days; NaN without them.
    """

    value: _Values
    event: Bool[np.ndarray, " subject"]
    periods: Float[np.ndarray, "subject period"]
    days: Int[np.ndarray, " period"]
    shares: Float[np.ndarray, " period"]
    names: tuple[str, ...]
    target: int | None
    counts: _Values
    exposure: _Values


def outcome_of(plan: StudyPlan, analysis: PlannedAnalysis, data: StudyData) -> Outcome:
    """The outcome of an analysis, of everybody who was randomized."""
    measure = plan.measure(analysis.endpoint)
    if measure is not None:
        return _of_measure(plan, analysis, measure, data)
    endpoint = plan.endpoint(analysis.endpoint)
    assert endpoint is not None, "checked with the plan"
    return _of_days(plan, analysis, endpoint, data)


def _of_measure(plan: StudyPlan, analysis: PlannedAnalysis, measure: Measure, data: StudyData) -> Outcome:
    taken, visits = data.measures[measure.id], plan.visits_of(measure)
    after = (
        [place for place, one in enumerate(visits) if one.day > 0]
        if len(visits) > 1
        else list(range(max(len(visits), 1)))
    )
    days = np.array([visits[place].day for place in after] if visits else [0], dtype=np.int64)
    names = tuple(visits[place].name for place in after) if visits else (measure.id,)
    table = taken.value[:, after].copy()
    event = np.zeros(len(data.person), dtype=np.bool_) if taken.event is None else taken.event.copy()
    bad = 0.0 if measure.higher_is_better else 1.0
    for one in plan.intercurrent_events:
        happened, day = data.happened[one.id], data.event_day[one.id]
        # Without its day an event stands before everything that was measured.
        since = np.where(happened & np.isnan(day), -np.inf, np.where(happened, day, np.inf))
        after_it = np.broadcast_to(happened[:, None], table.shape)
        if visits:
            after_it = after_it & (since[:, None] <= days)
        if measure.measure == "time":
            table, event = _cut_time(table, event, np.where(happened, day, np.inf), one.strategy)
        elif one.strategy == "hypothetical":
            table = np.where(after_it, np.nan, table)
        elif one.strategy == "composite":
            worst = bad if measure.measure == "binary" or measure.worst is None else measure.worst
            table = np.where(after_it, worst, table)
        elif one.strategy == "while-on-treatment":
            table = _carried(np.where(after_it, np.nan, table), only=after_it)
    if measure.rule == "failure":
        table = np.where(np.isnan(table), bad, table)
    elif measure.rule == "carried":
        table = _carried(table)
    target = _target(analysis, days)
    value = table[:, target] if target is not None else table.mean(axis=1)
    if analysis.facts.at_visits:
        # Whoever was seen once is in a model of all visits.
        value = np.where(np.isfinite(table).any(axis=1), np.nan_to_num(table).sum(axis=1), np.nan)
    counts = table[:, 0]
    exposure = np.full(len(counts), np.nan) if taken.exposure is None else taken.exposure
    m = days.size
    return Outcome(
        value=value,
        event=event,
        periods=table,
        days=days,
        shares=np.full(m, 1.0 / m),
        names=names,
        target=target,
        counts=counts,
        exposure=exposure,
    )


def _cut_time(
    table: Float[np.ndarray, "subject 1"], event: Bool[np.ndarray, " subject"], day: _Values, strategy: str
) -> tuple[Float[np.ndarray, "subject 1"], Bool[np.ndarray, " subject"]]:
    """A time that an intercurrent event cuts off, or ends as a failure, where it comes first."""
    if strategy == "treatment-policy":
        return table, event
    first = day < table[:, 0]
    ends = day <= table[:, 0] if strategy == "composite" else first
    cut = np.where(first[:, None], day[:, None], table)
    return cut, (event | ends) if strategy == "composite" else (event & ~first)


def _carried(
    table: Float[np.ndarray, "subject visit"], *, only: Bool[np.ndarray, "subject visit"] | None = None
) -> Float[np.ndarray, "subject visit"]:
    """The last earlier value in the place of what is missing, everywhere or only in some places."""
    place = np.maximum.accumulate(np.where(np.isfinite(table), np.arange(table.shape[1]), -1), axis=1)
    filled = np.where(place >= 0, np.take_along_axis(table, np.maximum(place, 0), axis=1), np.nan)
    return filled if only is None else np.where(only, filled, table)


def _target(analysis: PlannedAnalysis, days: Int[np.ndarray, " period"]) -> int | None:
    if analysis.mean_over_visits:
        return None
    if analysis.visit_day is None:
        return len(days) - 1
    return int(np.flatnonzero(days == analysis.visit_day)[0])


def _of_days(plan: StudyPlan, analysis: PlannedAnalysis, endpoint: Endpoint, data: StudyData) -> Outcome:
    assert data.diaries is not None
    seen = _with_events(plan, endpoint, data.diaries, data)
    n = len(data.person)
    event = np.zeros(n, dtype=np.bool_)
    if endpoint.is_time_to_event:
        value, event = times_of(endpoint, seen)
    else:
        value = values_of(endpoint, seen)
    windows, periods = _windows(endpoint, analysis), np.zeros((n, 0))
    if analysis.facts.at_visits:
        periods = period_values_of(endpoint, seen, windows)
    lengths = np.array([float(len(window)) for window in windows])
    counts, exposure = np.full(n, np.nan), np.full(n, np.nan)
    if analysis.facts.counts_days:
        counts, exposure = day_counts_of(endpoint, seen, value)
    target = None
    if "visit_day" in analysis.facts.options and not analysis.mean_over_visits:
        target = len(windows) - 1
        if analysis.visit_day is not None:
            target = next(
                (k for k, one in enumerate(windows) if one.first <= analysis.visit_day <= one.last), len(windows) - 1
            )
    return Outcome(
        value=value,
        event=event,
        periods=periods,
        days=np.array([one.first for one in windows], dtype=np.int64),
        shares=lengths / lengths.sum(),
        names=tuple(f"days {one.first} to {one.last}" for one in windows),
        target=target,
        counts=counts,
        exposure=exposure,
    )


def _windows(endpoint: Endpoint, analysis: PlannedAnalysis) -> tuple[DayRange, ...]:
    window, length = endpoint.window, analysis.period_days or len(endpoint.window)
    starts = range(window.first, window.last + 1, length)
    return tuple(window.replace(first=start, last=min(start + length - 1, window.last)) for start in starts)


def _with_events(plan: StudyPlan, endpoint: Endpoint, seen: EndpointData, data: StudyData) -> EndpointData:
    """The days under the strategies: use from a failure on, or nothing from an event on."""
    day = np.arange(seen.first_day, seen.last_day + 1)
    for one in plan.intercurrent_events:
        if one.strategy == "treatment-policy":
            continue
        since = np.where(data.happened[one.id], data.event_day[one.id], np.inf)
        since = np.where(np.isnan(since), -np.inf, since)
        after = day >= since[:, None]
        ends = np.minimum(seen.end_day, np.where(np.isfinite(since), since, seen.last_day + 1)).astype(np.int64)
        if one.strategy == "composite":
            seen = replace(
                seen,
                used=seen.used | after,
                seen=seen.seen | after,
                amount=None if seen.amount is None else np.where(after, np.inf, seen.amount),
                days_in_study=np.minimum(seen.days_in_study, np.maximum(ends, 0)),
            )
        elif one.strategy == "while-on-treatment" or endpoint.is_time_to_event:
            seen = replace(seen, end_day=ends, seen=seen.seen & ~after, used=seen.used & ~after)
        else:
            seen = replace(seen, seen=seen.seen & ~after, used=seen.used & ~after)
    return seen
