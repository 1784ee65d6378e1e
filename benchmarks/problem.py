"""One problem for all engines: the alcohol trial's people, 180 days, three infusions, seven sessions."""

from dataclasses import asdict, dataclass

import numpy as np
from validation.small_trials import course_schedule

from remission.patient.course import Course, CourseSchedule, Entry, Traits
from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.patient.sampling import sample_traits
from remission.patient.weights import course_weights, pieces_of
from remission.records.parameter import MODEL_FORM
from remission.records.substance import Substance
from remission.streams import People

N_DAYS = 180
TIMED_SEED = 7
UNSEEN_SEED = 20_270_131
"""People on whom agreement is checked; no engine was adjusted on them."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Everything a course kernel is given."""

    people: People
    traits: Traits
    schedule: CourseSchedule
    parameters: CourseParameters


def course_problem(n_people: int, *, seed: int) -> Problem:
    """Courses of ``n_people``: half of them get ketamine, all get therapy, some leave."""
    parameters = load_course_parameters(Substance("alcohol"), parameter_set=MODEL_FORM)
    people = People.of_replicates(seed=seed, first=0, count=1, n_subjects=n_people)
    schedule = course_schedule(
        n_people,
        N_DAYS,
        infusion_days=(0, 7, 14),
        exposure=1.39,
        psychoactive=0.75,
        session_days=(0, 1, 7, 8, 14, 15, 21),
        entry=Entry(clean_days=14),
    )
    schedule.exposure[::2] = 0.0
    schedule.psychoactive[::2] = 0.0
    traits = sample_traits(people, parameters, entry=schedule.entry)
    return Problem(people=people, traits=traits, schedule=schedule, parameters=parameters)


def weights_of(parameters: CourseParameters) -> dict[str, float]:
    """All weights of a day by name; the pieces are the same for everybody here."""
    return {**asdict(course_weights(parameters)), **asdict(pieces_of(parameters))}


def disagreement(found: Course, expected: Course) -> tuple[int, float]:
    """Person-days whose use differs, and the largest relative difference of amount and craving elsewhere."""
    differs = found.use != expected.use
    same = ~differs.any(axis=1)
    gaps = [
        np.max(np.abs(getattr(found, name)[same] - getattr(expected, name)[same]))
        / np.max(getattr(expected, name)[same])
        for name in ("amount", "vas")
    ]
    return int(np.count_nonzero(differs)), float(max(gaps))
