"""What a treatment package does in the daily model beside its drug: therapy, rewards, medicine, way of life.

Equations::

    b_i + shift stands in the place of b_i on the days of the medicine, the same for everybody who takes it
    L = L + (1 - L)*(1 - exp(-eta*q*att*g)) at a session of quality q
    I = given at a visit with rewards; b_i - I stands in the place of b_i

A shift, q and given are found by simulation so that reference people show the contrast that was read
(:mod:`remission.trial.contrasts`), unless a file gives a quality. What remains assumed is the joint: that a treatment
acts alike in everybody and adds to the others on the log-odds scale.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from remission.errors import SpecError
from remission.library.medicines import load_medicine
from remission.patient.parameters import CourseParameters
from remission.protocol.record import Protocol
from remission.records.comorbidity import condition_contrast
from remission.records.therapy_kinds import THERAPIES, WAYS_OF_LIFE, therapy_worth, way_contrast
from remission.records.treatment import TherapyCourse
from remission.shapes import Float, Int
from remission.trial.contrasts import Lever, find_shift, find_strength


@dataclass(frozen=True, slots=True, kw_only=True)
class TherapyEffect:
    """What one session of a course does: ``quality`` of a lesson, or ``incentive`` of a visit with rewards.

    ``incentive`` is None for a course that teaches. [log odds] ``tau_incentive_day``: how it fades. [day]
    """

    quality: float = 0.0
    incentive: float | None = None
    tau_incentive_day: float = 1.0


def check_package(protocol: Protocol) -> None:
    """Refuse what has no sourced effect.

    Raises ``SpecError``: an arm has a medicine, or asks for a share of the effect of a way of life, for which no
    contrast on use of this substance was read; the message says why.
    """
    faults = []
    for name, course in protocol.medicines.items():
        try:
            load_medicine(course.medicine, substance=protocol.substance)
        except SpecError as error:
            where = f"medicines.{name}.medicine"
            faults.append(SpecError(where=where, got=error.got, allowed=error.allowed, remedy=error.remedy))
    for name, way in protocol.way_of_life.items():
        if way.effect_share and way_contrast(way.kind, substance=protocol.substance) is None:
            faults.append(
                SpecError(
                    where=f"way_of_life.{name}.effect_share",
                    got=way.effect_share,
                    allowed=f"0: no contrast of {way.kind} on {protocol.substance} use was read as a number",
                    remedy=f"Leave the line out: {WAYS_OF_LIFE[way.kind].use}.",
                )
            )
    for index, arm in enumerate(protocol.arms):
        taken = protocol.medicines.get(arm.medicine or "")
        acts = [name for name in arm.way_of_life if protocol.way_of_life[name].effect_share]
        if taken is not None and acts and (taken.start_day, taken.stop_day) != (0, None):
            faults.append(
                SpecError(
                    where=f"arms[{index}].way_of_life",
                    got=f"{', '.join(acts)} with an effect, beside a medicine of some days",
                    allowed="one of the two: both act on the log odds of use, and the days have one place for it",
                    remedy="Let the medicine run throughout, or leave effect_share out.",
                )
            )
    if faults:
        raise SpecError.from_faults(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class PushedDays:
    """What a medicine or a way of life pushes the log odds of use by, and its first and last day. [log odds], [day]"""

    push: Float[np.ndarray, " subject"]
    first_day: Int[np.ndarray, " subject"]
    last_day: Int[np.ndarray, " subject"]


def pushed_days(
    protocol: Protocol, *, arm: Int[np.ndarray, " subject"], parameters: CourseParameters
) -> PushedDays | None:
    """What each person's arm pushes on which days of follow-up, or ``None`` when no arm pushes.

    Nothing is pushed before day 0. Raises ``SpecError``: as :func:`tendency_shift`.
    """
    shift = tendency_shift(protocol, arm=arm, parameters=parameters)
    if shift is None:
        return None
    spans = []
    for item in protocol.arms:
        course = protocol.medicines.get(item.medicine or "")
        stop = protocol.follow_up_days if course is None or course.stop_day is None else course.stop_day
        spans.append((0 if course is None else course.start_day, stop - 1))
    first, last = np.array(spans, dtype=np.int64).T
    return PushedDays(push=shift, first_day=first[arm], last_day=last[arm])


def tendency_shift(
    protocol: Protocol, *, arm: Int[np.ndarray, " subject"], parameters: CourseParameters
) -> Float[np.ndarray, " subject"] | None:
    """Shift of each person's tendency by their arm, or ``None`` when no arm has one. [dimensionless]

    By the medicine and by those ways of life that a file gives a share of their effect.

    Raises ``SpecError``: something has no sourced effect, or no shift makes these parameters show it.
    """
    check_package(protocol)
    shifts = [sum(_shifts(protocol, number, parameters)) for number in range(len(protocol.arms))]
    return np.array(shifts)[arm] if any(shifts) else None


def _shifts(protocol: Protocol, number: int, parameters: CourseParameters) -> Iterator[float]:
    arm = protocol.arms[number]
    if arm.medicine is not None:
        course = protocol.medicines[arm.medicine]
        if course.effect_share:
            yield course.effect_share * find_shift(
                load_medicine(course.medicine, substance=protocol.substance), parameters
            )  # fmt: skip
    for name in arm.way_of_life:
        way = protocol.way_of_life[name]
        contrast = way_contrast(way.kind, substance=protocol.substance)
        if way.effect_share and contrast is not None:
            yield way.effect_share * find_shift(contrast, parameters)


def comorbidity_shift(
    protocol: Protocol, *, conditions: Mapping[str, Int[np.ndarray, " subject"]], parameters: CourseParameters
) -> Float[np.ndarray, " subject"] | None:
    """Shift of each person's tendency by what they have, or ``None`` where nothing acts. [dimensionless]

    The mean over the people is 0: the tendency of the library is of people with and without.

    Raises ``SpecError``: no shift makes these parameters show the contrast.
    """
    found = None
    for name, has in conditions.items():
        share, contrast = protocol.effect_share(name), condition_contrast(name, substance=protocol.substance)
        if share and contrast is not None:
            shift = share * find_shift(contrast, parameters)
            own = shift * (has - protocol.prevalence(name))
            found = own if found is None else found + own
    return found


def therapy_effect(course: TherapyCourse, *, substance: str, parameters: CourseParameters) -> TherapyEffect:
    """What a session of a course does: as its file says, else as the contrast of its kind says, else as education.

    A course without its own quality that is longer than the one that was read is worth as much in all, not more.

    Raises ``SpecError``: no worth of a session makes these parameters show the contrast.
    """
    kind, worth = THERAPIES[course.kind], therapy_worth(course.kind, substance=substance)
    share = worth.quality if course.quality is None else course.quality
    tau_day = kind.tau_incentive_day
    if kind.target == "incentive" and tau_day is not None:
        if share == 0.0 or worth.contrast is None:
            return TherapyEffect(incentive=0.0, tau_incentive_day=tau_day)
        lever = Lever(acts_on="incentive", session_days=worth.session_days, tau_incentive_day=tau_day)
        given = find_strength(worth.contrast, parameters, lever)
        return TherapyEffect(incentive=share * given, tau_incentive_day=tau_day)
    if course.quality is not None or worth.contrast is None:
        return TherapyEffect(quality=share)
    lever = Lever(acts_on="skill", session_days=worth.session_days, against_quality=worth.against_quality)
    found = share * find_strength(worth.contrast, parameters, lever)
    return TherapyEffect(quality=found * min(1.0, len(worth.session_days) / len(course.sessions)))
