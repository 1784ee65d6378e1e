"""Laws of an intervention on use: do(use) and do(clean) on the draws that a person has anyway."""

from typing import Any

import numpy as np
from law_cases import law
from validation.small_trials import course_schedule

from remission.patient.course import Course
from remission.patient.kernels import reference
from remission.patient.parameters import load_course_parameters
from remission.patient.sampling import sample_traits
from remission.records.substance import Substance
from remission.streams import People

N_PEOPLE, DAYS = 12, 24


@law(seed=1801)
def test_an_intervention_begins_on_its_day(rng: np.random.Generator) -> None:
    """What is set is so, what was before stays, and setting what would have happened is no intervention."""
    parameters = load_course_parameters(list(Substance)[rng.integers(len(Substance))])
    people = People.of_replicates(seed=int(rng.integers(2**40)), first=0, count=1, n_subjects=N_PEOPLE)
    schedule = course_schedule(
        N_PEOPLE, DAYS, infusion_days=(int(rng.integers(DAYS)),), exposure=float(rng.uniform(0, 2)),
        session_days=(3, 9), blocked=range(int(rng.integers(6))),
    )  # fmt: skip
    traits = sample_traits(people, parameters, entry=schedule.entry)

    def live(set_use: Any = None) -> Course:
        return reference.simulate_course(people, traits, schedule, parameters, record_states=True, set_use=set_use)

    came = live()
    some = rng.uniform(size=came.use.shape) < 0.3
    same = live(np.where(some, came.use, -1))
    assert np.array_equal(same.use, came.use)
    assert all(np.array_equal(same.states[name], came.states[name]) for name in came.states)
    wanted = np.where(rng.uniform(size=came.use.shape) < 0.1, rng.integers(0, 2, came.use.shape), -1)
    first = np.where((wanted >= 0).any(axis=1), (wanted >= 0).argmax(axis=1), DAYS)
    other = live(wanted)
    assert (other.use[wanted >= 0] == wanted[wanted >= 0]).all()
    before = np.arange(DAYS) < first[:, None]
    assert np.array_equal(other.use[before], came.use[before])
    assert np.array_equal(other.vas[before], came.vas[before])
