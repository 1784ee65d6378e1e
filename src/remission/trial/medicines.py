"""Standard medicines in the daily model: a shift in the log odds of use that makes the model show a sourced contrast.

Equation::

    b_i = b_i + shift, the same for everybody who takes the medicine

The shift is found by simulation: the same reference people with and without it, over the contrast's own days. It thus
follows the contrast whatever the other parameters are. What remains assumed is the joint: that a medicine acts on the
tendency to use from day 0 on, alike in everybody, and adds to therapy and ketamine on the log-odds scale.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float, Int

from remission.errors import SpecError
from remission.library.medicines import MedicineContrast, load_medicine
from remission.patient.course import CourseSchedule
from remission.patient.kernels import fast
from remission.patient.parameters import CourseParameters
from remission.patient.sampling import sample_traits
from remission.protocol.record import Protocol
from remission.streams import People

__all__ = ["check_medicines", "clean_share", "find_shift", "shown_contrast", "tendency_shift"]

_SEED = 1
"""Reference people have a seed of their own, so that a trial's seed does not move a medicine's effect."""
_N_PEOPLE = 4000
_WIDEST = 8.0
_STEPS = 30


def check_medicines(protocol: Protocol) -> None:
    """Refuse a medicine without a sourced effect.

    Raises ``SpecError``: an arm has a medicine for which no contrast on use of this substance was read; the message
    says why.
    """
    faults = []
    for name, course in protocol.medicines.items():
        try:
            load_medicine(course.medicine, substance=protocol.substance)
        except SpecError as error:
            where = f"medicines.{name}.medicine"
            faults.append(SpecError(where=where, got=error.got, allowed=error.allowed, remedy=error.remedy))
    if faults:
        raise SpecError.from_faults(faults)


def tendency_shift(
    protocol: Protocol, *, arm: Int[np.ndarray, " subject"], parameters: CourseParameters
) -> Float[np.ndarray, " subject"] | None:
    """Shift of each person's tendency by the medicine of their arm, or ``None`` when no arm has one. [dimensionless]

    Raises ``SpecError``: a medicine has no sourced effect, or no shift makes these parameters show it.
    """
    if all(item.medicine is None for item in protocol.arms):
        return None
    check_medicines(protocol)
    shifts = []
    for item in protocol.arms:
        shift = 0.0
        if item.medicine is not None:
            course = protocol.medicines[item.medicine]
            contrast = load_medicine(course.medicine, substance=protocol.substance)
            shift = course.effect_share * find_shift(contrast, parameters)
        shifts.append(shift)
    return np.array(shifts)[arm]


@lru_cache(maxsize=256)
def find_shift(contrast: MedicineContrast, parameters: CourseParameters) -> float:
    """The shift in the log odds of use that shows a contrast in the reference people. [dimensionless]

    Raises ``SpecError``: none does, because these parameters leave no use to prevent.
    """
    placebo = _clean(contrast, parameters, 0.0)
    low, high = -_WIDEST, _WIDEST
    for _ in range(_STEPS):
        middle = 0.5 * (low + high)
        share = _clean(contrast, parameters, middle)
        if shown_contrast(contrast.measure, share, placebo) > contrast.contrast:
            low = middle
        else:
            high = middle
    found = shown_contrast(contrast.measure, _clean(contrast, parameters, high), placebo)
    if not abs(found / contrast.contrast - 1.0) < 0.02:
        raise SpecError(
            where=f"medicine {contrast.name}",
            got=f"a contrast of {found:.3g} at the nearest",
            allowed=f"parameters that can show the sourced {contrast.contrast:g}",
            remedy="Use the library's parameters, or leave the medicine out.",
        )
    return 0.5 * (low + high)


def clean_share(contrast: MedicineContrast, use: Int[np.ndarray, "subject day"]) -> float:
    """What a contrast compares: the share of clean days, or of people without use in its window. [0 to 1]"""
    counted = use[:, contrast.first_day : contrast.days] > 0
    by_day = contrast.measure in {"odds-of-clean-day", "fewer-use-days-in-30"}
    return float(1.0 - (counted if by_day else counted.any(axis=1)).mean())


def shown_contrast(measure: str, treated: float, placebo: float) -> float:
    """The contrast of two shares; 0 where one of them leaves nothing to compare."""
    if placebo in {0.0, 1.0}:
        return 0.0
    if measure == "ratio-of-never-used":
        return treated / placebo
    if measure == "fewer-use-days-in-30":
        return 30.0 * (treated - placebo)
    return float("inf") if treated == 1.0 else treated / (1.0 - treated) * (1.0 - placebo) / placebo


def _clean(contrast: MedicineContrast, parameters: CourseParameters, shift: float) -> float:
    """What the reference people show under a shift. [0 to 1]"""
    people = People.of_replicates(seed=_SEED, first=0, count=1, n_subjects=_N_PEOPLE)
    parameters = parameters.replace(leave_hazard_per_day=0.0)
    traits = sample_traits(people, parameters, clean_days=contrast.clean_days, self_quit=contrast.self_quit)
    nobody = np.full((_N_PEOPLE, 1), -1, dtype=np.int64)
    schedule = CourseSchedule(
        infusion_day=nobody,
        exposure=np.zeros((_N_PEOPLE, 1)),
        psychoactive=np.zeros((_N_PEOPLE, 1)),
        session_day=nobody,
        quality=np.zeros(_N_PEOPLE),
        weekday0=np.arange(_N_PEOPLE) % 7,
        blocked=np.zeros(contrast.days, dtype=np.bool_),
        clean_days=contrast.clean_days,
    )
    use = fast.simulate_course(people, replace(traits, tendency=traits.tendency + shift), schedule, parameters).use
    return clean_share(contrast, use)
