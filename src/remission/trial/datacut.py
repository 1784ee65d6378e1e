"""What of a trial exists at a calendar time: who has entered, which visits have been, which days they showed.

A cut leaves out visits that lie ahead. For most endpoints only people count whose window is complete, because a day
that has not been is neither clean nor missing. A time to an event counts for everybody whose window has begun, until
the last visit that has been.
"""

from dataclasses import replace

import numpy as np

from remission.protocol.record import Protocol
from remission.records.endpoint import Endpoint
from remission.shapes import Int
from remission.trial.batch import TrialBatch

ABSENT = -1
"""Arm of a person whom no analysis counts."""


def complete_day(protocol: Protocol, endpoint: Endpoint) -> int:
    """Days after a person's entry at which the window of an endpoint is known as far as it ever will be. [day]"""
    last = endpoint.window.last
    ahead = [day for day in _diary_days(protocol) if day >= last]
    return min(min(ahead, default=last) + 1, protocol.follow_up_days)


def cut_batch(
    protocol: Protocol, endpoint: Endpoint, batch: TrialBatch, elapsed_day: Int[np.ndarray, " subject"]
) -> TrialBatch:
    """The batch as it can be analyzed for one endpoint at a calendar time.

    ``elapsed_day``: whole days since each person's entry; below 1 for people who have not entered. [day] Returns the
    same people; those whom the endpoint does not count yet have the arm ``ABSENT``.
    """
    seen, n_days = batch.observation, batch.course.use.shape[1]
    is_time = endpoint.is_time_to_event
    shown = np.zeros(len(batch.people), dtype=np.int64)
    for day in _diary_days(protocol):
        shown = np.where(elapsed_day > day, day + 1, shown)
    shown = np.where(elapsed_day >= n_days, n_days, shown)
    counts = shown > endpoint.window.first if is_time else elapsed_day >= complete_day(protocol, endpoint)
    last_diary = np.full(len(batch.people), -1, dtype=np.int64)
    for index, day in enumerate(seen.diary_day.tolist()):
        last_diary = np.where(seen.diary_kept[:, index] & (elapsed_day > day), day, last_diary)
    return replace(
        batch,
        arm=np.where(counts, batch.arm, ABSENT),
        observation=replace(
            seen,
            seen=seen.seen & (np.arange(n_days) <= last_diary[:, None]),
            test_kept=seen.test_kept & (seen.test_day < elapsed_day[:, None]),
            craving_vas=np.where(seen.craving_day < elapsed_day[:, None], seen.craving_vas, np.nan),
            marks={name: one.before(elapsed_day) for name, one in seen.marks.items()},
            sessions=None if seen.sessions is None else seen.sessions.before(elapsed_day),
            admission_day=None
            if seen.admission_day is None
            else np.where(seen.admission_day < elapsed_day, seen.admission_day, n_days),
            days_in_study=np.where(seen.days_in_study < shown, seen.days_in_study, n_days),
            until_day=shown,
        ),
    )


def _diary_days(protocol: Protocol) -> list[int]:
    """Days of the visits that show how people did: those with a diary, or all where none has one."""
    shows = [visit for visit in protocol.visits if "diary" in visit.collects] or protocol.visits
    return sorted({day for visit in shows for day in visit.days})
