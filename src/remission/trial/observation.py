"""What the trial sees of a course: visits kept, the diary they bring, test results, reported craving.

A visit is missed with a chance that rises on a use day; the diary at a kept visit reaches back to the last kept one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from remission.endpoints.data import Marks, SessionsSeen
from remission.patient.course import Course, CourseSchedule
from remission.patient.kernels.links import active_links
from remission.patient.kernels.reference import day_index
from remission.patient.parameters import CourseParameters
from remission.protocol.record import Protocol
from remission.shapes import Bool, Float, Int
from remission.streams import People, Stream, draw_firsts, draw_normal_pair, draw_uniforms
from remission.trial.happenings import Happenings
from remission.trial.measured import DEPRESSION_ERROR, Measured
from remission.use.belief import believed_mark
from remission.use.leaving import leaving_probability


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysBefore:
    """The diary of the days before day 0, of which the last column is day -1.

    ``diary``: reported use, 0 or 1; read it only where ``seen``. ``amount``: reported amount per day. [unit of the
    substance] ``seen``: days that were asked about.
    """

    diary: Int[np.ndarray, "subject day"]
    amount: Float[np.ndarray, "subject day"]
    seen: Bool[np.ndarray, "subject day"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """The trial's data of a batch of people.

    ``diary``: reported use per day, 0 or 1; read it only where ``seen``. ``amount``: reported amount per day. [unit of
    the substance]. ``seen``: days that a diary covers. ``test_day``, ``test_kept``, ``test_positive``: days of the
    biological tests, whether each was given, whether it was positive. ``craving_day``, ``craving_vas``: days of the
    craving reports and the marks, NaN where missed. [VAS 0 to 100] ``days_in_study``: days before leaving. [day].
    ``diary_day``, ``diary_kept``: days of the visits that bring a diary, and whether each was kept; none where an
    observation has no visits. ``until_day``: days that have been at the time of the analysis; ``None``: all of them.
    [day]. ``before``: the diary of the days before day 0, where the trial has a baseline.
    ``marks``, ``sessions``, ``admission_day``: what endpoints need beside, as in :class:`Measured`, with errors and
    missed visits.
    """

    diary: Int[np.ndarray, "subject day"]
    amount: Float[np.ndarray, "subject day"]
    seen: Bool[np.ndarray, "subject day"]
    test_day: Int[np.ndarray, " test"]
    test_kept: Bool[np.ndarray, "subject test"]
    test_positive: Bool[np.ndarray, "subject test"]
    craving_day: Int[np.ndarray, " report"]
    craving_vas: Float[np.ndarray, "subject report"]
    days_in_study: Int[np.ndarray, " subject"]
    diary_day: Int[np.ndarray, " visit"] = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    diary_kept: Bool[np.ndarray, "subject visit"] = field(default_factory=lambda: np.zeros((0, 0), dtype=np.bool_))
    until_day: Int[np.ndarray, " subject"] | None = None
    before: DaysBefore | None = None
    marks: Mapping[str, Marks] = field(default_factory=dict)
    sessions: SessionsSeen | None = None
    admission_day: Int[np.ndarray, " subject"] | None = None


def observe(
    people: People,
    protocol: Protocol,
    course: Course,
    schedule: CourseSchedule,
    parameters: CourseParameters,
    *,
    happenings: Happenings | None = None,
    measured: Measured | None = None,
) -> Observation:
    """The observation of true courses by the protocol's visits and tests.

    ``happenings``: what else happened to the people: visits kept, days in custody, guesses that color reports.
    ``measured``: true values of what is measured beside use.
    """
    days = _days_of(protocol)
    visits = sorted(set().union(*days.values()))
    if happenings is not None and happenings.kept is not None:
        kept = happenings.kept
    else:
        kept = _kept(people, course, visits, schedule, parameters)
    if happenings is not None and happenings.in_custody is not None:
        kept = {day: kept[day] & ~happenings.in_custody[:, day] for day in visits}
    belief = schedule.psychoactive.max(axis=1)
    found = _observation(people, protocol, course, belief, parameters, kept, measured or Measured())
    believing = protocol.blinding.expectancy_report if protocol.blinding is not None else 0.0
    if happenings is None or happenings.guess is None or believing == 0.0:
        return found
    return _colored(people, found, happenings.guess, believing)


def observe_fully(
    people: People,
    protocol: Protocol,
    course: Course,
    parameters: CourseParameters,
    *,
    measured: Measured | None = None,
) -> Observation:
    """The observation that nobody misses and nobody colors: every day seen as it was, every visit kept.

    Biological tests keep their errors and craving marks their noise, because both are part of how an outcome is
    defined.
    """
    everyone = np.ones(len(people), dtype=np.bool_)
    kept = {day: everyone for days in _days_of(protocol).values() for day in days}
    truthful = parameters.replace(p_hide=0.0, w_report=0.0)
    found = _observation(people, protocol, course, np.zeros(len(people)), truthful, kept, measured or Measured())
    return replace(found, seen=np.ones_like(found.seen))


def _days_of(protocol: Protocol) -> dict[str, list[int]]:
    """Days on which each kind of data is collected."""
    return {what: sorted({d for v in protocol.visits if what in v.collects for d in v.days}) for what in _COLLECTED}


def _observation(
    people: People,
    protocol: Protocol,
    course: Course,
    belief: Float[np.ndarray, " subject"],
    parameters: CourseParameters,
    kept: dict[int, Bool[np.ndarray, " subject"]],
    measured: Measured,
) -> Observation:
    n, n_days = course.use.shape
    days = _days_of(protocol)
    last_diary = np.full(n, -1, dtype=np.int64)
    for day in days["diary"]:
        last_diary = np.where(kept[day], day, last_diary)
    # Day by day in memory, as the course; in the smallest whole numbers that hold the days, for speed.
    small = np.int16 if n_days < np.iinfo(np.int16).max else np.int64
    seen = (np.arange(n_days, dtype=small)[:, None] <= last_diary.astype(small)).T
    diary, amount = course.use, course.amount
    if parameters.p_hide > 0.0:
        diary = np.stack(
            [
                course.use[:, day] * (draw_uniforms(people, Stream.REPORT, day)[2] >= parameters.p_hide)
                for day in range(n_days)
            ],
            axis=1,
        ).astype(np.int8)
    if diary is not course.use or "amount_used" in active_links():
        amount = course.amount * diary  # where every use day is told and the equation is ours, it is that already
    vas = [_reported_craving(people, course, day, belief, kept[day], parameters) for day in days["craving"]]
    craving_days, before = days["craving"], None
    if course.baseline_use.shape[1]:
        before = days_before(people, course, parameters)
        craving_days = [-1, *craving_days]
        noise = draw_normal_pair(people, Stream.REPORT, day_index(-1))[0]
        vas.insert(0, np.clip(course.baseline_vas[:, -1] + parameters.sigma_v * noise, 0.0, 100.0))
    positive = _tests_positive(people, protocol, course, days["test"])
    return Observation(
        diary=diary,
        amount=amount,
        seen=seen,
        test_day=np.array(days["test"], dtype=np.int64),
        test_kept=_flags([kept[day] for day in days["test"]], n),
        test_positive=_flags(positive, n),
        craving_day=np.array(craving_days, dtype=np.int64),
        craving_vas=_columns(vas, n).astype(np.float64),
        days_in_study=course.days_in_study,
        diary_day=np.array(days["diary"], dtype=np.int64),
        diary_kept=_flags([kept[day] for day in days["diary"]], n),
        before=before,
        marks=_marks(people, measured, belief, kept, parameters),
        sessions=measured.sessions,
        admission_day=measured.admission_day,
    )


def days_before(people: People, course: Course, parameters: CourseParameters) -> DaysBefore:
    """The diary of the baseline, asked at entry of everybody.

    A use day goes unreported by the same chance as later.
    """
    told = [
        draw_uniforms(people, Stream.REPORT, day_index(day))[2] >= parameters.p_hide
        for day in range(-course.baseline_use.shape[1], 0)
    ]
    diary = (course.baseline_use * np.stack(told, axis=1)).astype(np.int8)
    return DaysBefore(diary=diary, amount=course.baseline_amount * diary, seen=np.ones(diary.shape, dtype=np.bool_))


_COLLECTED = ("diary", "test", "craving", "depression")


def _marks(
    people: People,
    measured: Measured,
    belief: Float[np.ndarray, " subject"],
    kept: dict[int, Bool[np.ndarray, " subject"]],
    parameters: CourseParameters,
) -> dict[str, Marks]:
    """Marks of craving by its cue, colored and with the error of a mark, and ratings with the error of a rating."""
    found = {
        name: _reported(
            people,
            replace(true, value=believed_mark(true.value, belief[:, None], w_report=parameters.w_report)),
            kept,
            block=block,
            sd=parameters.sigma_v,
            most=100.0,
        )
        for block, (name, true) in enumerate(sorted(measured.craving.items()), start=1)
    }
    if measured.depression is not None:
        most = measured.depression_most_points
        sd = DEPRESSION_ERROR * most
        found["depression"] = _reported(people, measured.depression, kept, block=0, sd=sd, most=most)
    return found


def _reported(
    people: People,
    true: Marks,
    kept: dict[int, Bool[np.ndarray, " subject"]],
    *,
    block: int,
    sd: float,
    most: float,
) -> Marks:
    columns = []
    for place, day in enumerate(true.day.tolist()):
        # Blocks beyond any day of the reports; the rating at entry comes before day 0.
        noise = draw_normal_pair(people, Stream.REPORT, (block + 1) * _BLOCK + day)[0]
        mark = np.clip(true.value[:, place] + sd * noise, 0.0, most)
        columns.append(mark if day < 0 else np.where(kept[day], mark, np.nan))
    return replace(true, value=_columns(columns, len(people)).astype(np.float64))


_BLOCK = 1 << 16


def _colored(people: People, found: Observation, guess: Bool[np.ndarray, " subject"], believing: float) -> Observation:
    """Reports of people who guess that they had the active drug: fewer use days, lower marks."""
    hidden = [
        guess & (draw_uniforms(people, Stream.GUESS, 1 + day)[0] < believing) for day in range(found.diary.shape[1])
    ]
    diary = (found.diary * ~np.stack(hidden, axis=1)).astype(np.int8)
    vas = found.craving_vas * (1.0 - believing * guess[:, None])
    marks = {
        name: one if name == "depression" else replace(one, value=one.value * (1.0 - believing * guess[:, None]))
        for name, one in found.marks.items()
    }
    return replace(found, diary=diary, amount=found.amount * diary, craving_vas=vas, marks=marks)


def _columns(columns: list[np.ndarray], n: int) -> np.ndarray:
    return np.stack(columns, axis=1) if columns else np.zeros((n, 0))


def _flags(columns: list[Bool[np.ndarray, " subject"]], n: int) -> Bool[np.ndarray, "subject column"]:
    """Columns side by side, each of them in one piece of memory."""
    return np.stack(columns).T if columns else np.zeros((n, 0), dtype=np.bool_)


def _kept(
    people: People, course: Course, days: list[int], schedule: CourseSchedule, parameters: CourseParameters
) -> dict[int, Bool[np.ndarray, " subject"]]:
    """Of each visit, who keeps it."""
    # Use is 0 or 1, so two chances serve everybody.
    clean, using = leaving_probability(
        np.array([0.0, 1.0]), hazard_per_day=parameters.miss_hazard_per_day, use_factor=parameters.leave_use_factor
    )
    if not days:
        return {}
    chance, at = draw_firsts(people, Stream.VISIT, days), np.array(days)
    stays = np.where(course.use.T[at] > 0, chance >= using, chance >= clean) | schedule.blocked[at][:, None]
    return dict(zip(days, stays & (course.days_in_study > at[:, None]), strict=True))


def _reported_craving(
    people: People,
    course: Course,
    day: int,
    belief: Float[np.ndarray, " subject"],
    kept: Bool[np.ndarray, " subject"],
    parameters: CourseParameters,
) -> Float[np.ndarray, " subject"]:
    noise, _ = draw_normal_pair(people, Stream.REPORT, day)
    told = believed_mark(course.vas[:, day], belief, w_report=parameters.w_report)
    mark = told + parameters.sigma_v * noise
    return np.where(kept, np.clip(mark, 0.0, 100.0), np.nan)


def _tests_positive(
    people: People, protocol: Protocol, course: Course, days: list[int]
) -> list[Bool[np.ndarray, " subject"]]:
    """Of each day of tests, whose is positive."""
    test = protocol.test
    if test is None:
        return [np.zeros(len(people), dtype=np.bool_) for _ in days]
    if not days:
        return []
    chance, seen = draw_firsts(people, Stream.ASSAY, days), (max(0, day + 1 - test.detection_days) for day in days)
    used = np.stack(
        [np.bitwise_or.reduce(course.use[:, first : day + 1], axis=1) for first, day in zip(seen, days, strict=True)]
    )
    return list(np.where(used > 0, chance < test.sensitivity, chance < 1.0 - test.specificity))
