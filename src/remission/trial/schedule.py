"""When each person is treated: infusions with their gaps, sessions that follow them, what each dose does.

A person's schedule is drawn the same way whatever the arm, so that arms with the same planned gaps share it.
"""

import numpy as np
from jaxtyping import Float, Int

from remission.patient.course import CourseSchedule
from remission.patient.parameters import CourseParameters
from remission.patient.pharmacology import Pharmacology
from remission.patient.sampling import Covariates, sample_iiv
from remission.protocol.record import Protocol
from remission.records.therapy_kinds import THERAPIES
from remission.records.treatment import DrugCourse, Gap, TherapyCourse
from remission.session.effects import simulate_session_effects
from remission.streams import People, Stream, draw_uniforms
from remission.trial.package import TherapyEffect, therapy_effect
from remission.units import minutes_to_hours

__all__ = ["build_schedule", "infusion_days", "session_days"]

_InfusionDays = Int[np.ndarray, "subject infusion"]
_SessionDays = Int[np.ndarray, "subject session"]


def infusion_days(people: People, course: DrugCourse, *, start_day: int = 0, before: int = 0) -> _InfusionDays:
    """Day of each infusion of each person. [day]

    ``start_day``: day of the trial that is day 0 of the course. ``before``: infusions of the courses before it, so that
    no gap is drawn twice.
    """
    days: list[Int[np.ndarray, " subject"]] = []
    for slot, infusion in enumerate(course.infusions):
        if infusion.gap is None:
            days.append(np.full(len(people), start_day + (infusion.day or 0), dtype=np.int64))
        else:
            chance = draw_uniforms(people, Stream.SCHEDULE, before + slot)[0]
            days.append(days[-1] + _triangular_days(chance, infusion.gap))
    return np.stack(days, axis=1)


def _triangular_days(chance: Float[np.ndarray, " subject"], gap: Gap) -> Int[np.ndarray, " subject"]:
    """Whole days from the triangular distribution over [low, high + 1), rounded down; low to high. [day]"""
    low, high = float(gap.low), float(gap.high) + 1.0
    mode = min(float(gap.mode), high)
    rising = (mode - low) / (high - low)
    up = low + np.sqrt(chance * (high - low) * (mode - low))
    down = high - np.sqrt((1.0 - chance) * (high - low) * (high - mode))
    return np.minimum(np.floor(np.where(chance < rising, up, down)), gap.high).astype(np.int64)


def session_days(therapy: TherapyCourse, infusions: _InfusionDays) -> _SessionDays:
    """Day of each therapy session of each person. [day]"""
    n = infusions.shape[0]
    days = [
        np.full(n, session.day, dtype=np.int64)
        if session.infusion is None
        else infusions[:, session.infusion - 1] + session.offset_days
        for session in therapy.sessions
    ]
    return np.stack(days, axis=1)


def build_schedule(
    people: People,
    protocol: Protocol,
    *,
    arm: Int[np.ndarray, " subject"],
    covariates: Covariates,
    pharmacology: Pharmacology,
    parameters: CourseParameters | None = None,
) -> CourseSchedule:
    """The schedule of every person under the arm allocated to them.

    ``parameters``: what reference people live by, who show what was read of a therapy whose quality the file leaves
    out; without them such a session is worth NaN, which is enough for the days alone.

    Raises ``SpecError``: these parameters cannot show what was read of a therapy whose quality the file leaves out.
    """
    n = len(people)
    lengths = {name: len(drug.infusions) for name, drug in protocol.drugs.items()}
    n_infusions = max([1, *lengths.values(), *(sum(lengths[name] for _, name in a.drug_starts) for a in protocol.arms)])
    n_sessions = max([1, *(sum(len(protocol.therapies[name].sessions) for name in a.contacts) for a in protocol.arms)])
    infusion_day = np.full((n, n_infusions), -1, dtype=np.int64)
    exposure, psychoactive = np.zeros((n, n_infusions)), np.zeros((n, n_infusions))
    session_day = np.full((n, n_sessions), -1, dtype=np.int64)
    quality = np.zeros(n)
    incentive, tau_incentive_day = np.full((n, n_sessions), -1.0), 1.0
    effects = _session_effects(people, protocol, covariates, pharmacology)
    for index, item in enumerate(protocol.arms):
        mine = arm == index
        days = np.zeros((n, 0), dtype=np.int64)
        for start_day, name in item.drug_starts:
            drug = protocol.drugs[name]
            given = days.shape[1]
            days = np.concatenate([days, infusion_days(people, drug, start_day=start_day, before=given)], axis=1)
            infusion_day[mine, given : days.shape[1]] = days[mine, given:]
            for slot, infusion in enumerate(drug.infusions, start=given):
                if drug.drug == "racemic-ketamine":
                    e, m = effects[(infusion.dose_mg_per_kg, infusion.duration_min)]
                    exposure[mine, slot], psychoactive[mine, slot] = e[mine], m[mine]
                else:
                    psychoactive[mine, slot] = drug.psychoactive
        before = 0
        for name in item.contacts:
            therapy = protocol.therapies[name]
            held = session_days(therapy, days)
            slots = slice(before, before + held.shape[1])
            session_day[mine, slots] = held[mine]
            effect = _effect(therapy, protocol, parameters)
            if effect.incentive is None:
                quality[mine] = effect.quality
            else:
                incentive[mine, slots], tau_incentive_day = effect.incentive, effect.tau_incentive_day
            before = slots.stop
    blocked = np.zeros(protocol.follow_up_days, dtype=np.bool_)
    for stay in protocol.setting.inpatient:
        blocked[stay.first : stay.last + 1] = True
    return CourseSchedule(
        infusion_day=infusion_day,
        exposure=exposure,
        psychoactive=psychoactive,
        session_day=session_day,
        quality=quality,
        weekday0=covariates.weekday0,
        blocked=blocked,
        clean_days=protocol.population.clean_days,
        incentive=incentive if (incentive >= 0.0).any() else None,
        tau_incentive_day=tau_incentive_day,
    )


def _effect(therapy: TherapyCourse, protocol: Protocol, parameters: CourseParameters | None) -> TherapyEffect:
    if parameters is not None:
        return therapy_effect(therapy, substance=protocol.substance, parameters=parameters)
    is_own = therapy.quality is not None and THERAPIES[therapy.kind].target == "skill"
    return TherapyEffect(quality=therapy.quality if is_own and therapy.quality is not None else np.nan)


def _session_effects(
    people: People, protocol: Protocol, covariates: Covariates, pharmacology: Pharmacology
) -> dict[tuple[float, float], tuple[Float[np.ndarray, " subject"], Float[np.ndarray, " subject"]]]:
    """e and m of each distinct ketamine infusion, from each person's own pharmacokinetics."""
    doses = {
        (infusion.dose_mg_per_kg, infusion.duration_min)
        for drug in protocol.drugs.values()
        if drug.drug == "racemic-ketamine"
        for infusion in drug.infusions
    }
    if not doses:
        return {}
    z_iiv = sample_iiv(people, n_iiv=pharmacology.n_iiv)
    effects = {}
    for dose_mg_per_kg, duration_min in sorted(doses):
        session = simulate_session_effects(
            dose_mg_per_kg=dose_mg_per_kg,
            duration_h=minutes_to_hours(duration_min),
            weight_kg=covariates.weight_kg,
            z_iiv=z_iiv,
            pharmacology=pharmacology,
        )
        effects[(dose_mg_per_kg, duration_min)] = (session.exposure, session.psychoactive)
    return effects
