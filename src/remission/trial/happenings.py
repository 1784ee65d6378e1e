"""What happens to people beside their treatment: custody, leaving by what was seen or unseen, guesses of the arm.

The course itself is the kernel's. Two facts make events outside it exact: a person's draws are addressed, so a course
that is run again is the same up to the day on which something was changed; and a dose or session that is taken out
of a schedule changes nothing before its day. So people are run once, and those to whom something happens once more
with what it changed.

Equations::

    custody:  day = floor(-log(u) / h)
    leaving:  1 - exp(-d * exp(a * r_seen + c * r_now)), a visit missed likewise with v
    guess:    as in :mod:`remission.use.belief`

r_seen is the share of use days in the week up to the last kept visit with a diary, r_now in the week up to today; a
and c are the protocol's strengths. Evidence: assumed, all of it.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from remission.endpoints.failures import first_day_within
from remission.numerics.elementary import exp, log
from remission.patient.course import Course, CourseSchedule, DrawnValues, Traits
from remission.patient.kernels import fast
from remission.patient.parameters import CourseParameters
from remission.protocol.record import Protocol
from remission.records.estimand import EventKind
from remission.records.intercurrent import Blinding, Incarceration, Missingness, UseRule
from remission.shapes import Bool, Float, Int
from remission.streams import People, Stream, draw_uniforms
from remission.use.belief import believed_push, guess_chance

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_Days = Int[np.ndarray, " subject"]
_DAYS_IN_WEEK = 7
_T = TypeVar("_T", bound="DataclassInstance")

Kernel = Callable[[People, Traits, CourseSchedule, CourseParameters], Course]
"""What runs people day by day; the fast kernel, or the reference with its states."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happenings:
    """What happened to people beside their treatment.

    ``custody_day``: first day in custody; the number of days for those who never are. [day] ``in_custody``: days in
    custody, or ``None`` when the protocol has none. ``kept``: visits that were kept, by day, or ``None`` when visits
    are missed as the model's parameters say. ``guess``: whether people guess the active drug, or ``None`` when the
    protocol does not describe blinding.
    """

    custody_day: _Days
    in_custody: Bool[np.ndarray, "subject day"] | None
    kept: dict[int, Bool[np.ndarray, " subject"]] | None
    guess: Bool[np.ndarray, " subject"] | None


def simulate_happenings(
    people: People,
    protocol: Protocol,
    traits: Traits,
    schedule: CourseSchedule,
    parameters: CourseParameters,
    *,
    without: Collection[EventKind] = (),
    kernel: Kernel = fast.simulate_course,
) -> tuple[Course, Happenings]:
    """The courses of people and what happened to them.

    ``without``: events that do not happen, as a hypothetical strategy asks; blinding then holds when ``unblinding`` is
    named. ``kernel``: what runs the courses. Returns courses that equal the kernel's, bit for bit, when the protocol
    names no event, missingness or blinding.
    """
    events, blinding = protocol.events, protocol.blinding
    missingness = protocol.missingness if protocol.setting.retention == "modeled" else None
    if "dropout" in without:
        parameters = parameters.replace(leave_hazard_per_day=0.0)
    leave_hazard_per_day = parameters.leave_hazard_per_day
    if missingness is not None:
        parameters = parameters.replace(leave_hazard_per_day=0.0)
    guess = None
    if blinding is not None:
        better = np.zeros(len(people))
        if blinding.guess_better != 0.0:
            # The guess follows how craving went before any expectancy.
            vas = kernel(people, traits, schedule, parameters).vas
            better = (vas[:, 0] - vas[:, min(blinding.guess_day, schedule.n_days - 1)]) / 100.0
        guess = _guess(people, schedule, blinding, better, blind="unblinding" in without)
        if blinding.expectancy_use > 0.0:
            push = believed_push(guess * 1.0, k_e=blinding.expectancy_use)
            schedule = replace(schedule, belief=push)
    n, n_days = len(people), schedule.n_days
    custody_day = np.full(n, n_days, dtype=np.int64)
    in_custody = None
    if events is not None and events.incarceration is not None and "incarceration" not in without:
        custody_day, in_custody = _custody(people, events.incarceration, n_days)
        schedule = _without_treatment(schedule, in_custody)
    course = _simulate(kernel, people, traits, schedule, parameters, custody_day, in_custody)
    kept = None
    if missingness is not None:
        kept, days_in_study = _missing(
            people, protocol, course, schedule, parameters, missingness, in_custody, leave_hazard_per_day
        )
        after = np.arange(n_days) >= days_in_study[:, None]
        fewer = _without_treatment(schedule, after)
        left = (fewer.infusion_day != schedule.infusion_day).any(axis=1)
        left |= (fewer.session_day != schedule.session_day).any(axis=1)
        rows = np.flatnonzero(left)
        if rows.size:
            custody = None if in_custody is None else in_custody[rows]
            who, what, fewer = _rows(people, rows), _rows(traits, rows), _rows(fewer, rows)
            again = _simulate(kernel, who, what, fewer, parameters, custody_day[rows], custody)
            _put(course, again, rows)
        course = replace(course, days_in_study=days_in_study)
    return course, Happenings(custody_day=custody_day, in_custody=in_custody, kept=kept, guess=guess)


def first_day_of_rule(use: Int[np.ndarray, "subject day"], rule: UseRule) -> _Days:
    """The first day on which the rule is met; the number of days for those who never meet it. [day]"""
    return first_day_within(use > 0, rule.use_days, rule.within_days)


def _guess(
    people: People, schedule: CourseSchedule, blinding: Blinding, better: Float[np.ndarray, " subject"], *, blind: bool
) -> Bool[np.ndarray, " subject"]:
    felt = np.zeros(len(people)) if blind else schedule.psychoactive.max(axis=1)
    odds = log(np.array([blinding.guess_unfelt, blinding.guess_felt]))
    odds -= log(1.0 - np.array([blinding.guess_unfelt, blinding.guess_felt]))
    chance = guess_chance(
        felt, better, g_0=float(odds[0]), g_felt=float(odds[1] - odds[0]), g_better=blinding.guess_better
    )
    return np.asarray(draw_uniforms(people, Stream.GUESS, 0)[0] < chance)


def _custody(people: People, custody: Incarceration, n_days: int) -> tuple[_Days, Bool[np.ndarray, "subject day"]]:
    first = np.full(len(people), n_days, dtype=np.int64)
    if custody.hazard_per_day > 0.0:
        waited = -log(draw_uniforms(people, Stream.EVENT, 0)[0]) / custody.hazard_per_day
        first = np.minimum(np.floor(waited), n_days).astype(np.int64)
    day = np.arange(n_days)
    return first, (day >= first[:, None]) & (day < first[:, None] + custody.length_days)


def _without_treatment(schedule: CourseSchedule, closed: Bool[np.ndarray, "subject day"]) -> CourseSchedule:
    """The schedule without infusions and sessions on the closed days."""
    row = np.arange(closed.shape[0])[:, None]
    infusions, sessions = (
        np.where((days >= 0) & closed[row, np.maximum(days, 0)], -1, days)
        for days in (schedule.infusion_day, schedule.session_day)
    )
    return replace(schedule, infusion_day=infusions, session_day=sessions)


def _simulate(
    kernel: Kernel,
    people: People,
    traits: Traits,
    schedule: CourseSchedule,
    parameters: CourseParameters,
    custody_day: _Days,
    in_custody: Bool[np.ndarray, "subject day"] | None,
) -> Course:
    """The kernel's courses, people in custody in groups by its first day: a kernel blocks days for all it is given."""
    course = kernel(people, traits, schedule, parameters)
    if in_custody is None:
        return course
    for first in np.unique(custody_day[custody_day < schedule.n_days]).tolist():
        rows = np.flatnonzero(custody_day == first)
        closed = replace(_rows(schedule, rows), blocked=schedule.blocked | in_custody[rows[0]])
        _put(course, kernel(_rows(people, rows), _rows(traits, rows), closed, parameters), rows)
    return course


def _rows(record: _T, rows: Int[np.ndarray, " row"]) -> _T:
    """The record with the given people only."""
    named = {field.name: getattr(record, field.name) for field in fields(record)}
    chosen = {name: value[rows] for name, value in named.items() if isinstance(value, np.ndarray) and name != "blocked"}
    inner = {name: _rows(value, rows) for name, value in named.items() if isinstance(value, DrawnValues)}
    return replace(record, **chosen, **inner)


def _put(course: Course, again: Course, rows: Int[np.ndarray, " row"]) -> None:
    """Some people's courses in place of those that were simulated before, into arrays that nobody else holds yet."""
    for field in fields(course):
        whole = getattr(course, field.name)
        if isinstance(whole, np.ndarray) and whole.flags.writeable:  # what nobody reads is not
            whole[rows] = getattr(again, field.name)
    for name, state in course.states.items():
        state[rows] = again.states[name]


def _missing(
    people: People,
    protocol: Protocol,
    course: Course,
    schedule: CourseSchedule,
    parameters: CourseParameters,
    missingness: Missingness,
    in_custody: Bool[np.ndarray, "subject day"] | None,
    leave_hazard_per_day: float,
) -> tuple[dict[int, Bool[np.ndarray, " subject"]], _Days]:
    """Visits kept and days in the study, day by day: what a visit shows weighs on the next days."""
    n, n_days = course.use.shape
    visits = {day for visit in protocol.visits for day in visit.days}
    diaries = {day for visit in protocol.visits if "diary" in visit.collects for day in visit.days}
    week = _share_of_week(course.use)
    shown = np.zeros(n)
    inside = np.ones(n, dtype=np.bool_)
    days_in_study = np.full(n, n_days, dtype=np.int64)
    kept: dict[int, Bool[np.ndarray, " subject"]] = {}
    for day in range(n_days):
        free = np.full(n, not schedule.blocked[day])
        if in_custody is not None:
            free &= ~in_custody[:, day]
        weight = exp(missingness.observed * shown + missingness.latent * week[:, day])
        if day in visits:
            miss = free * (1.0 - exp(-parameters.miss_hazard_per_day * weight))
            present = inside & (draw_uniforms(people, Stream.VISIT, day)[0] >= miss)
            if in_custody is not None:
                present &= ~in_custody[:, day]
            kept[day] = present
            if day in diaries:
                shown = np.where(present, week[:, day], shown)
        leave = free * (1.0 - exp(-leave_hazard_per_day * weight))
        leaves = inside & (draw_uniforms(people, Stream.DAY, day)[2] < leave)
        days_in_study[leaves] = day + 1
        inside &= ~leaves
    return kept, days_in_study


def _share_of_week(use: Int[np.ndarray, "subject day"]) -> Float[np.ndarray, "subject day"]:
    """Share of use days in the seven days up to each day, of those since day 0."""
    total = np.cumsum(use > 0, axis=1, dtype=np.float64)
    before = np.zeros_like(total)
    before[:, _DAYS_IN_WEEK:] = total[:, :-_DAYS_IN_WEEK]
    return (total - before) / np.minimum(np.arange(1, use.shape[1] + 1), _DAYS_IN_WEEK)
