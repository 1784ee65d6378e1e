"""Small trials and schedules by hand, for tests, benchmarks and studies that need a whole trial in milliseconds."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from remission.patient.course import CourseSchedule, Entry
from remission.protocol.record import Protocol

__all__ = ["course_schedule", "small_protocol"]


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
    entry: Entry | None = None,
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
    entry
        How people come in; without it abstinent on day 0.
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
        entry=entry or Entry(),
    )


def small_protocol(**changes: Any) -> Protocol:
    """A two-arm alcohol trial: 24 people, 28 days, one infusion, four sessions, weekly visits.

    Parameters
    ----------
    changes
        Fields of :class:`~remission.protocol.record.Protocol` to use instead.

    Raises
    ------
    SpecError
        The changed protocol would be wrong.
    """
    sessions = [{"infusion": 1, "offset_days": offset} for offset in (0, 1, 7, 8)]
    infusion = {"day": 0, "duration_min": 40.0}
    window = {"first": 0, "last": 27}
    fields: dict[str, Any] = {
        "id": "small",
        "title": "A small trial",
        "substance": "alcohol",
        "follow_up_days": 28,
        "population": {
            "n_subjects": 24,
            "age": {"mean_y": 44.0, "sd_y": 10.0, "low_y": 18.0, "high_y": 60.0},
            "weight": {"mean_kg": 75.0, "sd_kg": 14.0, "low_kg": 45.0, "high_kg": 140.0},
            "female_fraction": 0.4,
            "clean_days": 14,
        },
        "drugs": {
            "ketamine": {"drug": "racemic-ketamine", "infusions": [{**infusion, "dose_mg_per_kg": 0.8}]},
            "saline": {"drug": "saline", "infusions": [{**infusion, "dose_mg_per_kg": 0.0}]},
        },
        "therapies": {"mbrp": {"kind": "mbrp", "quality": 1.0, "session_min": 90.0, "sessions": sessions}},
        "arms": [
            {
                "id": f"{drug}-therapy",
                "label": f"{drug.capitalize()} with therapy",
                "drug": drug,
                "therapy": "mbrp",
                "factors": {"drug": drug},
            }
            for drug in ("ketamine", "saline")
        ],
        "randomization": {"block_size": 4},
        "visits": [{"id": "weekly", "days": [6, 13, 20, 27], "collects": ["diary", "test", "craving"]}],
        "test": {"kind": "breath", "detection_days": 1, "sensitivity": 0.95, "specificity": 0.99},
        "endpoints": [
            {
                "id": "pda",
                "label": "Days abstinent",
                "kind": "percent_days_abstinent",
                "window": window,
                "missing": "observed",
            },
            {"id": "relapse", "label": "Relapse", "kind": "confirmed_relapse", "window": window, "missing": "observed"},
            {
                "id": "time",
                "label": "Time to use or leaving",
                "kind": "days_to_relapse_or_dropout",
                "window": window,
                "missing": "use",
            },
            {"id": "craving", "label": "Craving", "kind": "mean_craving", "window": window, "missing": "observed"},
        ],
        "analyses": [
            {
                "id": f"{endpoint}-ketamine",
                "label": f"{endpoint}, ketamine against saline",
                "endpoint": endpoint,
                "method": method,
                "contrast": {"treatment": {"drug": "ketamine"}, "control": {"drug": "saline"}},
            }
            for endpoint, method in (
                ("pda", "mean_difference"),
                ("relapse", "odds_ratio"),
                ("time", "hazard_ratio"),
                ("craving", "percent_lower"),
            )
        ],
    }
    return Protocol.create(**{**fields, **changes})
