"""The windows that are compared: the same twelve weeks of treatment, every day known, in real and simulated people.

Real people are those of CTN-0094 who reported use of the substance in the four weeks before day 0 and whose days 28 to
111 are all assessed. The first four weeks are left out: what starting an agonist does on the way is not in the model.
Simulated people go through the same: four weeks of use, an attempt to stop on day 0, and who did not use before day 0
is left out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from jaxtyping import Bool, Float

from remission.exchange.ctn0094 import read_ctn0094, read_ctn0094_table
from remission.patient.course import Entry
from remission.patient.kernels import fast
from remission.patient.parameters import CourseParameters
from remission.patient.sampling import sample_traits
from remission.records.diaries import Diaries
from remission.records.substance import Substance
from remission.streams import People
from validation.small_trials import course_schedule

__all__ = [
    "AGONIST_ARMS",
    "BASELINE_DAYS",
    "FIRST_DAY",
    "FITTED_TRIALS",
    "JUDGED_TRIAL",
    "NAMES",
    "N_DAYS",
    "Window",
    "real_window",
    "simulated_use",
]

FIRST_DAY = 28
N_DAYS = 84
BASELINE_DAYS = 28
HALVES_SEED = 11
ENTRY = Entry(n_baseline=BASELINE_DAYS, quit_day=0, goal="stop")
NAMES = {
    Substance("alcohol"): "Alcohol",
    Substance("cocaine"): "Cocaine",
    Substance("opioid"): "Heroin",
    Substance("cannabis"): "THC",
}
"""Our substance and the name of the table of use; heroin is the opioid that most people reported."""
FITTED_TRIALS = ("27", "30")
JUDGED_TRIAL = "51"
"""Chosen by counts of people, before anything was judged: with complete windows and heroin, 0030 has 29 people under an
agonist, too few to judge by; 0051 has 220, and 0027, with 788, is the one that a fit can lean on."""
AGONIST_ARMS = ("Methadone", "Outpatient BUP", "Outpatient BUP + EMM", "Outpatient BUP + SMM", "Inpatient BUP")
"""Everybody but those given naltrexone, which blocks and does not replace."""


@dataclass(frozen=True, kw_only=True)
class Window:
    """Days of use of real people, 1 or 0, with the trial and the first treatment of each."""

    use: Float[np.ndarray, "person day"]
    trial: np.ndarray
    arm: np.ndarray
    n_with_use_before: int

    def of(self, chosen: Bool[np.ndarray, " person"]) -> Self:
        """The chosen people alone."""
        return type(self)(
            use=self.use[chosen],
            trial=self.trial[chosen],
            arm=self.arm[chosen],
            n_with_use_before=self.n_with_use_before,
        )

    def within(self, trials: Sequence[str], *, agonist_only: bool = False) -> Self:
        """The people of some trials, or of these only those who were given an agonist."""
        chosen = np.isin(self.trial, trials)
        return self.of(chosen & np.isin(self.arm, AGONIST_ARMS) if agonist_only else chosen)

    def halves(self) -> tuple[Self, Self]:
        """Two random halves, each with half of every trial."""
        rng = np.random.default_rng(HALVES_SEED)
        first = np.zeros(len(self.use), dtype=np.bool_)
        for trial in np.unique(self.trial):
            members = rng.permutation(np.flatnonzero(self.trial == trial))
            first[members[: len(members) // 2]] = True
        return self.of(first), self.of(~first)


def real_window(folder: Path, substance: Substance) -> Window:
    """The window of one substance from the tables in ``folder``."""
    (diaries,) = [found for found in _tables(folder) if found.substance == NAMES[substance]]
    zero = -diaries.first_day
    before = diaries.used[:, zero - BASELINE_DAYS : zero].any(axis=1)
    days = slice(zero + FIRST_DAY, zero + FIRST_DAY + N_DAYS)
    kept = before & diaries.assessed[:, days].all(axis=1)
    trial = read_ctn0094_table(folder, "everybody").set_index("who")["project"].astype(str)
    return Window(
        use=diaries.used[kept, days].astype(np.float64),
        trial=trial.loc[[int(who) for who in np.array(diaries.person)[kept]]].to_numpy(),
        arm=np.array(diaries.group)[kept],
        n_with_use_before=int(before.sum()),
    )


@cache
def _tables(folder: Path) -> list[Diaries]:
    return read_ctn0094(folder)


def simulated_use(parameters: CourseParameters, *, n_people: int, seed: int) -> Float[np.ndarray, "person day"]:
    """Days of use of simulated people without ketamine and therapy, over the same days since the start.

    Of ``n_people`` those are left who used before day 0, as the real ones did.
    """
    people = People.of_replicates(seed=seed, first=0, count=1, n_subjects=n_people)
    schedule = course_schedule(n_people, FIRST_DAY + N_DAYS, entry=ENTRY)
    traits = sample_traits(people, parameters, entry=ENTRY)
    course = fast.simulate_course(people, traits, schedule, parameters)
    before = course.baseline_use.any(axis=1)
    return course.use[before, FIRST_DAY:].astype(np.float64)
