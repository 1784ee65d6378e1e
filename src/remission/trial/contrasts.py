"""A contrast that was read, turned into a number of the daily model by simulation: one way for every treatment.

The same reference people live with and without a treatment, over the contrast's own days; the strength at which they
show the contrast is its size. It thus follows the contrast whatever the other parameters are. A lever says on what the
treatment acts: the tendency to use (b_i less the strength, from day 0 on), the skill that a session adds (its quality),
or the incentive that a visit sets.
"""

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np

from remission.analyses.estimate import log_of
from remission.errors import SpecError
from remission.patient.course import CourseSchedule, Entry
from remission.patient.kernels import fast
from remission.patient.parameters import CourseParameters
from remission.patient.sampling import sample_traits
from remission.records.sourced_contrast import SourcedContrast
from remission.shapes import Int
from remission.streams import People

_SEED = 1
"""Reference people have a seed of their own, so that a trial's seed does not move a treatment's effect."""
_N_PEOPLE = 4000
_WIDEST = 8.0
_STEPS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Lever:
    """On what a treatment acts, and the course in which reference people have it.

    ``session_days`` are the days of its sessions; the control arm has sessions of quality ``against_quality``.
    """

    acts_on: Literal["tendency", "skill", "incentive"] = "tendency"
    session_days: tuple[int, ...] = ()
    against_quality: float = 0.0
    tau_incentive_day: float = 1.0


_TENDENCY = Lever()


def find_shift(contrast: SourcedContrast, parameters: CourseParameters) -> float:
    """The shift in the log odds of use that shows a contrast in the reference people. [dimensionless]

    Raises ``SpecError``: none does, because these parameters leave no use to prevent.
    """
    return -find_strength(contrast, parameters, _TENDENCY)


@lru_cache(maxsize=256)
def find_strength(contrast: SourcedContrast, parameters: CourseParameters, lever: Lever) -> float:
    """The strength at which the reference people show a contrast, on the scale of its lever. [dimensionless]

    Raises ``SpecError``: none does, because these parameters leave no use to prevent or nothing to learn.
    """
    control = _reference_use(contrast, parameters, lever, lever.against_quality if lever.acts_on == "skill" else 0.0)

    expected = clean_share(contrast, control)
    is_standardized = contrast.measure.startswith("standardized")

    def shown(strength: float) -> float:
        treated = _reference_use(contrast, parameters, lever, strength)
        spread = spread_of_people(contrast, treated, control) if is_standardized else 1.0
        return shown_contrast(contrast.measure, clean_share(contrast, treated), expected, spread=spread)

    # A ratio of hazards falls as the strength grows, every other measure rises.
    rises = contrast.measure != "hazard-of-first-use"
    low, high = (-_WIDEST if lever.acts_on == "tendency" else 0.0), _WIDEST
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        if (shown(middle) > contrast.contrast) == rises:
            high = middle
        else:
            low = middle
    found = shown(low)
    if not abs(found / contrast.contrast - 1.0) < 0.02:
        raise SpecError(
            where=f"{contrast.name}, {contrast.substance}",
            got=f"a contrast of {found:.3g} at the nearest",
            allowed=f"parameters that can show the sourced {contrast.contrast:g}",
            remedy="Use the library's parameters, leave the treatment out, or give a quality of your own for therapy.",
        )
    return 0.5 * (low + high)


def clean_share(contrast: SourcedContrast, use: Int[np.ndarray, "subject day"]) -> float:
    """What a contrast compares: the share of clean days, or of people without use in its window. [0 to 1]"""
    counted = use[:, contrast.first_day : contrast.days] > 0
    return float(1.0 - (counted if contrast.measure in _BY_DAY else counted.any(axis=1)).mean())


def spread_of_people(
    contrast: SourcedContrast, treated: Int[np.ndarray, "subject day"], control: Int[np.ndarray, "subject day"]
) -> float:
    """Standard deviation between people of the share of clean days, pooled over both arms. [0 to 1]"""
    window = slice(contrast.first_day, contrast.days)
    variances = [(use[:, window] > 0).mean(axis=1).var(ddof=1) for use in (treated, control)]
    return float(np.sqrt(0.5 * sum(variances)))


def shown_contrast(measure: str, treated: float, control: float, *, spread: float = 1.0) -> float:
    """The contrast of two shares; 0 where one of them leaves nothing to compare.

    ``spread``: of people, for a standardized difference.
    """
    if measure == "points-of-days":
        return 100.0 * (treated - control)
    if measure == "standardized-difference-of-days":
        return (treated - control) / spread if spread > 0.0 else 0.0
    if control in {0.0, 1.0}:
        return 0.0
    if measure == "hazard-of-first-use":
        return log_of(treated) / log_of(control) if treated > 0.0 else float("inf")
    if measure == "ratio-of-never-used":
        return treated / control
    if measure == "fewer-use-days-in-30":
        return 30.0 * (treated - control)
    return float("inf") if treated == 1.0 else treated / (1.0 - treated) * (1.0 - control) / control


_BY_DAY = {"odds-of-clean-day", "fewer-use-days-in-30", "points-of-days", "standardized-difference-of-days"}


def _reference_use(
    contrast: SourcedContrast, parameters: CourseParameters, lever: Lever, strength: float
) -> Int[np.ndarray, "subject day"]:
    """The days of the reference people under a strength."""
    people = People.of_replicates(seed=_SEED, first=0, count=1, n_subjects=_N_PEOPLE)
    parameters = parameters.replace(leave_hazard_per_day=0.0)
    entry = Entry(clean_days=contrast.clean_days, self_quit=contrast.self_quit)
    traits = sample_traits(people, parameters, entry=entry)
    if lever.acts_on == "tendency":
        traits = replace(traits, tendency=traits.tendency - strength)
    nobody = np.full((_N_PEOPLE, 1), -1, dtype=np.int64)
    sessions = nobody
    if lever.session_days:
        sessions = np.tile(np.array(lever.session_days, dtype=np.int64), (_N_PEOPLE, 1))
    schedule = CourseSchedule(
        infusion_day=nobody,
        exposure=np.zeros((_N_PEOPLE, 1)),
        psychoactive=np.zeros((_N_PEOPLE, 1)),
        session_day=sessions,
        quality=np.full(_N_PEOPLE, strength if lever.acts_on == "skill" else 0.0),
        weekday0=np.arange(_N_PEOPLE) % 7,
        blocked=np.zeros(contrast.days, dtype=np.bool_),
        entry=entry,
        incentive=np.full(sessions.shape, strength) if lever.acts_on == "incentive" else None,
        tau_incentive_day=lever.tau_incentive_day,
    )
    return fast.simulate_course(people, traits, schedule, parameters).use
