"""When each person is treated: infusions with their gaps, sessions that follow them, what each dose does.

A person's schedule is drawn the same way whatever the arm, so that arms with the same planned gaps share it.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np

from remission.patient.course import CourseSchedule, Entry
from remission.patient.parameters import CourseParameters
from remission.patient.pharmacology import Pharmacology
from remission.patient.sampling import Covariates, sample_band_draws, sample_iiv
from remission.protocol.record import Protocol
from remission.records.dose import Dose, DrugForm, Route
from remission.records.population import Population
from remission.records.therapy_kinds import THERAPIES
from remission.records.treatment import DrugCourse, Gap, Session, TherapyCourse
from remission.session.effects import session_model, simulate_effects_of_doses, simulate_session_effects
from remission.shapes import Bool, Float, Int
from remission.streams import People, Stream, draw_uniforms
from remission.trial.package import TherapyEffect, therapy_effect
from remission.trial.randomization import in_arms

_InfusionDays = Int[np.ndarray, "subject infusion"]
_SessionDays = Int[np.ndarray, "subject session"]


def entry_of(population: Population) -> Entry:
    """How the people of a protocol come into the course."""
    quit_day = population.quit_day
    if quit_day is None and population.goal not in {"reduce", "none"}:
        quit_day = 0
    return Entry(
        n_baseline=population.baseline.days if population.baseline else 0,
        clean_days=population.clean_days,
        self_quit=population.self_quit,
        quit_day=quit_day if isinstance(quit_day, int) else None,
        goal=population.goal or "stop",
    )


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
    effects = {
        doses: _session_effects(people, doses, in_arms(arm, arms), covariates, pharmacology)
        for doses, arms in _sessions_of(protocol).items()
    }
    for index, item in enumerate(protocol.arms):
        mine = arm == index
        column = mine[:, None]
        days = np.zeros((n, 0), dtype=np.int64)
        for start_day, name in item.drug_starts:
            drug = protocol.drugs[name]
            given = days.shape[1]
            days = np.concatenate([days, infusion_days(people, drug, start_day=start_day, before=given)], axis=1)
            np.copyto(infusion_day[:, given : days.shape[1]], days[:, given:], where=column)
            for slot, infusion in enumerate(drug.infusions, start=given):
                if drug.is_ketamine:
                    e, m = effects[_given(infusion, drug.form)]
                    np.copyto(exposure[:, slot], e, where=mine)
                    np.copyto(psychoactive[:, slot], 0.0 if infusion.under_anesthesia else m, where=mine)
                else:
                    np.copyto(psychoactive[:, slot], drug.psychoactive, where=mine)
        before = 0
        for name in item.contacts:
            therapy = protocol.therapies[name]
            held = session_days(therapy, days)
            slots = slice(before, before + held.shape[1])
            np.copyto(session_day[:, slots], held, where=column)
            effect = _effect(therapy, protocol, parameters)
            if effect.incentive is None:
                np.copyto(quality, effect.quality, where=mine)
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
        entry=entry_of(protocol.population),
        incentive=incentive if (incentive >= 0.0).any() else None,
        tau_incentive_day=tau_incentive_day,
    )


def _effect(therapy: TherapyCourse, protocol: Protocol, parameters: CourseParameters | None) -> TherapyEffect:
    if parameters is not None:
        return therapy_effect(therapy, substance=protocol.substance, parameters=parameters)
    is_own = therapy.quality is not None and THERAPIES[therapy.kind].target == "skill"
    return TherapyEffect(quality=therapy.quality if is_own and therapy.quality is not None else np.nan)


def with_other_doses(
    schedule: CourseSchedule,
    people: People,
    course: DrugCourse,
    *,
    slot: int,
    number: int,
    who: Bool[np.ndarray, " subject"],
    covariates: Covariates,
    pharmacology: Pharmacology,
) -> CourseSchedule:
    """The schedule in which some people get the other dose of an infusion that adapts.

    ``slot``: the infusion in the schedule. ``number``: the same in its course, from 0. ``who``: people of the arm who
    get the other dose.
    """
    other = course.infusions[number].adapt
    assert other is not None, "asked for an infusion that adapts"
    if not course.is_ketamine or not who.any():
        return schedule
    found = _session_effects(people, _given(other, course.form), who, covariates, pharmacology)
    exposure, psychoactive = schedule.exposure.copy(), schedule.psychoactive.copy()
    exposure[who, slot] = found[0][who]
    psychoactive[who, slot] = 0.0 if other.under_anesthesia else found[1][who]
    return replace(schedule, exposure=exposure, psychoactive=psychoactive)


def _sessions_of(protocol: Protocol) -> dict[tuple[Dose, ...], list[int]]:
    """Each distinct ketamine session, with the arms that have it."""
    found: dict[tuple[Dose, ...], list[int]] = {}
    for index, arm in enumerate(protocol.arms):
        for drug in (protocol.drugs[name] for _, name in arm.drug_starts):
            for infusion in drug.infusions if drug.is_ketamine else ():
                found.setdefault(_given(infusion, drug.form), []).append(index)
    return found


@lru_cache(maxsize=256)
def _given(session: Session, form: DrugForm) -> tuple[Dose, ...]:
    """The doses of a session; every chunk of people asks again, and to check them takes longer than to give them."""
    return session.given(form)


def _session_effects(
    people: People,
    doses: tuple[Dose, ...],
    who: Bool[np.ndarray, " subject"],
    covariates: Covariates,
    pharmacology: Pharmacology,
) -> tuple[Float[np.ndarray, " subject"], Float[np.ndarray, " subject"]]:
    """e and m of a ketamine session from each person's own kinetics, for those ``who`` have it; 0 for others."""
    exposure, psychoactive = np.zeros(len(people)), np.zeros(len(people))
    if not who.any():
        return exposure, psychoactive
    model = session_model(doses, pharmacology)
    some = People(seed=people.seed, replicate=people.replicate[who], subject=people.subject[who])
    weight_kg, z_iiv, (first, *more) = covariates.weight_kg[who], sample_iiv(some, n_iiv=model.n_iiv), doses
    is_plain = first.route is Route.IV_INFUSION and first.form is DrugForm.RACEMATE
    if is_plain and not more and first.dose_mg_per_kg is not None:
        session = simulate_session_effects(
            dose_mg_per_kg=first.dose_mg_per_kg,
            duration_h=first.duration_h,
            weight_kg=weight_kg,
            z_iiv=z_iiv,
            pharmacology=pharmacology,
        )
    else:
        session = simulate_effects_of_doses(
            doses,
            weight_kg=weight_kg,
            z_iiv=z_iiv,
            z_absorption=sample_band_draws(some, model=model).z_absorption,
            pharmacology=pharmacology,
        )
    exposure[who], psychoactive[who] = session.exposure, session.psychoactive
    return exposure, psychoactive
