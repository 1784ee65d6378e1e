"""Some people of a batch, as if only they had been simulated; the first of each replicate are a smaller trial's.

Draws are addressed by person, blocks of randomization are filled and minimization goes on in order of entry, and nobody
acts on anybody else. So a trial of n people is the first n of a larger one, bit for bit.
"""

from collections.abc import Collection
from dataclasses import fields, replace
from typing import Any

import numpy as np

from remission.patient.course import Course
from remission.patient.sampling import Covariates
from remission.shapes import Int
from remission.streams import People
from remission.trial.batch import TrialBatch
from remission.trial.happenings import Happenings
from remission.trial.measured import Measured
from remission.trial.observation import DaysBefore, Observation


def first_people(batch: TrialBatch, n_subjects: int) -> TrialBatch:
    """The first people of each replicate, at most as many as there are; see :func:`some_people`."""
    n = len(batch.people) // batch.n_replicates
    if n_subjects == n:
        return batch
    return some_people(batch, first_places(batch.n_replicates, n, n_subjects), n_replicates=batch.n_replicates)


def first_places(n_replicates: int, n: int, n_subjects: int) -> Int[np.ndarray, " subject"]:
    """Where the first people of each replicate stand among all, of whom each replicate has ``n``."""
    return (np.arange(n_replicates)[:, None] * n + np.arange(n_subjects)).ravel()


def some_people(batch: TrialBatch, who: Int[np.ndarray, " person"], *, n_replicates: int) -> TrialBatch:
    """The people at some places of a batch; without schedule and doses that were adapted.

    ``n_replicates``: how many replicates they make.
    """
    seen = batch.observation
    return TrialBatch(
        people=People(seed=batch.people.seed, replicate=batch.people.replicate[who], subject=batch.people.subject[who]),
        n_replicates=n_replicates,
        arm=batch.arm[who],
        site=batch.site[who],
        covariates=Covariates(**_each(batch.covariates, who)),
        conditions={name: column[who] for name, column in batch.conditions.items()},
        course=Course(**{**_each(batch.course, who, but={"states"}), "states": {}}),
        happenings=_happened(batch.happenings, who),
        measured=_measured(batch.measured, who),
        observation=Observation(
            **_each(seen, who, but=_OF_ALL),
            test_day=seen.test_day, craving_day=seen.craving_day, diary_day=seen.diary_day,
            diary_kept=rows(seen.diary_kept, who) if seen.diary_day.size else seen.diary_kept,
            before=None if seen.before is None else DaysBefore(**_each(seen.before, who)),
            marks={name: one.of(who) for name, one in seen.marks.items()},
            sessions=None if seen.sessions is None else seen.sessions.of(who),
        ),
    )  # fmt: skip


def without_days(batch: TrialBatch) -> TrialBatch:
    """The batch without its days, for analyses of one number a person: what was known at entry stays."""
    course, seen = batch.course, batch.observation
    days = {name: getattr(seen, name)[:, :0] for name in ("diary", "amount", "seen", "test_kept", "test_positive")}
    return replace(
        batch,
        course=replace(
            course, use=course.use[:, :0], amount=course.amount[:, :0], vas=course.vas[:, :0], states={}
        ),
        happenings=replace(batch.happenings, in_custody=None, kept=None),
        measured=Measured(),
        observation=replace(
            seen, **days, test_day=seen.test_day[:0], craving_day=seen.craving_day[:0],
            craving_vas=seen.craving_vas[:, :0], diary_day=seen.diary_day[:0], marks={}, sessions=None,
        ),
    )  # fmt: skip


def rows(column: np.ndarray, who: Int[np.ndarray, " person"]) -> np.ndarray:
    """Rows of a column over people; days that lie day by day in memory stay so, for sums over them to stay the same."""
    if column.ndim > 1 and column.flags.f_contiguous and not column.flags.c_contiguous:
        return np.take(column.T, who, axis=-1).T
    return np.take(column, who, axis=0)


_OF_ALL = {"test_day", "craving_day", "diary_day", "diary_kept", "before", "marks", "sessions"}


def _each(record: Any, who: Int[np.ndarray, " person"], *, but: Collection[str] = ()) -> dict[str, Any]:
    """The columns of a record over people, by name."""
    found = {field.name: getattr(record, field.name) for field in fields(record) if field.name not in but}
    return {name: None if one is None else rows(one, who) for name, one in found.items()}


def _happened(found: Happenings, who: Int[np.ndarray, " person"]) -> Happenings:
    kept = None if found.kept is None else {day: one[who] for day, one in found.kept.items()}
    return Happenings(**_each(found, who, but={"kept"}), kept=kept)


def _measured(found: Measured, who: Int[np.ndarray, " person"]) -> Measured:
    return replace(
        found,
        craving={name: one.of(who) for name, one in found.craving.items()},
        depression=None if found.depression is None else found.depression.of(who),
        sessions=None if found.sessions is None else found.sessions.of(who),
        admission_day=None if found.admission_day is None else found.admission_day[who],
    )
