"""Schedules by hand: the same infusions and sessions for everybody."""

from collections.abc import Iterable, Sequence

import numpy as np

from remission.patient.course import CourseSchedule

__all__ = ["course_schedule"]


def course_schedule(
    n_subjects: int,
    n_days: int,
    *,
    infusion_days: Sequence[int] = (-1,),
    exposure: float = 0.0,
    psychoactive: float = 0.0,
    session_days: Sequence[int] = (-1,),
    quality: float = 1.0,
    blocked: Iterable[int] = (),
    clean_days: int = 0,
) -> CourseSchedule:
    """A schedule in which all people have the same infusions (days, e, m) and sessions; weekdays of day 0 go round.

    Parameters
    ----------
    n_subjects, n_days
        Size.
    infusion_days, session_days
        Days of the slots; -1 for an empty one. [day]
    exposure, psychoactive, quality
        e, m and q of every slot. [dimensionless]
    blocked
        Days without access. [day]
    clean_days
        Forced clean days before day 0. [day]
    """
    closed = np.zeros(n_days, dtype=np.bool_)
    closed[list(blocked)] = True
    width = len(infusion_days)
    return CourseSchedule(
        infusion_day=np.tile(np.array(infusion_days, dtype=np.int64), (n_subjects, 1)),
        exposure=np.full((n_subjects, width), exposure),
        psychoactive=np.full((n_subjects, width), psychoactive),
        session_day=np.tile(np.array(session_days, dtype=np.int64), (n_subjects, 1)),
        quality=np.full(n_subjects, quality),
        weekday0=np.arange(n_subjects, dtype=np.int64) % 7,
        blocked=closed,
        clean_days=clean_days,
    )
