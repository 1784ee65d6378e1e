"""The windows that are compared: the same twelve weeks of treatment, every day known, in real and simulated people.

Real people are those of CTN-0094 who reported use of the substance in the four weeks before day 0 and whose days 28 to
111 are all assessed. The first four weeks are left out, because the start of an agonist treatment is not in the model.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from jaxtyping import Float

from remission.exchange.ctn0094 import read_ctn0094
from remission.patient.kernels import fast
from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.patient.sampling import sample_traits
from remission.records.diaries import Diaries
from remission.records.substance import Substance
from remission.streams import People
from validation.small_trials import course_schedule

__all__ = ["FIRST_DAY", "NAMES", "N_DAYS", "Window", "real_window", "simulated_use"]

FIRST_DAY = 28
N_DAYS = 84
BASELINE_DAYS = 28
NAMES = {
    Substance("alcohol"): "Alcohol",
    Substance("cocaine"): "Cocaine",
    Substance("opioid"): "Heroin",
    Substance("cannabis"): "THC",
}
"""Our substance and the name of the table of use; heroin is the opioid that most people reported."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Days of use of real people, 1 or 0."""

    use: Float[np.ndarray, "person day"]
    n_with_use_before: int


def real_window(folder: Path, substance: Substance) -> Window:
    """The window of one substance from the tables in ``folder``."""
    (diaries,) = [found for found in _tables(folder) if found.substance == NAMES[substance]]
    zero = -diaries.first_day
    before = diaries.used[:, zero - BASELINE_DAYS : zero].any(axis=1)
    days = slice(zero + FIRST_DAY, zero + FIRST_DAY + N_DAYS)
    kept = before & diaries.assessed[:, days].all(axis=1)
    return Window(use=diaries.used[kept, days].astype(np.float64), n_with_use_before=int(before.sum()))


@cache
def _tables(folder: Path) -> list[Diaries]:
    return read_ctn0094(folder)


def simulated_use(
    substance: Substance, *, n_people: int, seed: int, parameters: CourseParameters | None = None
) -> Float[np.ndarray, "person day"]:
    """Days of use of simulated people without ketamine and therapy, over the same days since the start."""
    parameters = parameters or load_course_parameters(substance)
    people = People.of_replicates(seed=seed, first=0, count=1, n_subjects=n_people)
    schedule = course_schedule(
        n_people, FIRST_DAY + N_DAYS, infusion_days=(0,), exposure=0.0, psychoactive=0.0, session_days=(), clean_days=0
    )
    traits = sample_traits(people, parameters, clean_days=0, self_quit=True)
    return fast.simulate_course(people, traits, schedule, parameters).use[:, FIRST_DAY:].astype(np.float64)
