"""Whole replicates of a trial, person by person: who, what happened, what the trial saw.

Every number of a replicate depends on (seed, replicate) and the specification only, never on the batch it fell into.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np

from remission.patient.comorbidity import sample_comorbidity
from remission.patient.course import Course, CourseSchedule, Traits
from remission.patient.drawn import Drawing, TrialDraws
from remission.patient.kernels import fast
from remission.patient.parameters import CourseParameters
from remission.patient.pharmacology import Pharmacology
from remission.patient.sampling import Covariates, sample_covariates, sample_traits
from remission.protocol.record import Protocol
from remission.records.comorbidity import CONDITIONS, comorbidity_numbers
from remission.records.endpoint_kinds import KINDS
from remission.records.estimand import EventKind
from remission.shapes import Bool, Int
from remission.streams import People
from remission.trial.before import STRATA_LEVELS, baseline_strata, simulate_before
from remission.trial.happenings import Happenings, Kernel, simulate_happenings
from remission.trial.measured import Measured, measure, needs_states
from remission.trial.observation import Observation, observe, observe_fully
from remission.trial.package import comorbidity_shift, pushed_days
from remission.trial.randomization import allocate, assign_sites, minimize, strata_of
from remission.trial.schedule import build_schedule, entry_of, with_other_doses


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBatch:
    """Whole replicates, person by person: who they are, what happened, what the trial saw.

    Arrays run over people, subject fastest within replicate. ``conditions``: 1 for each person who has one, by name, of
    those whose prevalence is known. ``schedule``: what was planned for whom on which day, and ``adapted``: who got the
    other dose, by arm and slot of it; none where people were drawn from diaries. ``untold``: ``amount`` and ``vas`` of
    the course where nobody reads them: they are NaN.
    """

    people: People
    n_replicates: int
    arm: Int[np.ndarray, " subject"]
    site: Int[np.ndarray, " subject"]
    covariates: Covariates
    conditions: Mapping[str, Int[np.ndarray, " subject"]]
    course: Course
    happenings: Happenings
    measured: Measured
    observation: Observation
    untold: Collection[str] = ()
    schedule: CourseSchedule | None = None
    adapted: Mapping[tuple[int, int], Bool[np.ndarray, " subject"]] = field(default_factory=dict)


def simulate_batch(
    protocol: Protocol,
    *,
    seed: int,
    first_replicate: int,
    n_replicates: int,
    parameters: CourseParameters,
    pharmacology: Pharmacology,
    without: Collection[EventKind] = (),
    under: int | None = None,
    drawing: Drawing | None = None,
    for_analyses_only: bool = False,
) -> TrialBatch:
    """Some replicates of a trial, with every person's days.

    ``without``: events that do not happen. ``under``: index of an arm: everybody gets it and is seen in full. People's
    draws are the same under every arm, so each is compared with nobody but that person. ``drawing``: values that each
    replicate draws for itself. ``for_analyses_only``: amounts and craving of the days may be left out where neither an
    endpoint nor a visit of the protocol reads them. Raises ``SpecError``: a replicate number does not fit 32 bits.
    """
    values = _effective(protocol, parameters)
    enrolled = _enrol(protocol, values, drawing, seed=seed, first_replicate=first_replicate, n_replicates=n_replicates)
    if under is not None:
        enrolled = replace(enrolled, arm=np.full_like(enrolled.arm, under))
    return _batch(
        protocol,
        enrolled,
        values,
        pharmacology,
        without=without,
        in_full=under is not None,
        for_analyses_only=for_analyses_only,
    )


def simulate_under_each(
    protocol: Protocol,
    *,
    seed: int,
    first_replicate: int,
    n_replicates: int,
    parameters: CourseParameters,
    pharmacology: Pharmacology,
    arms: Sequence[int],
    n_again: int,
) -> tuple[list[TrialBatch], Int[np.ndarray, "again subject"]]:
    """The people of some replicates as the trial sees them in each of some arms, and who gets which, time and again.

    ``arms``: indices. ``n_again``: how often everybody is randomized; the first time as in :func:`simulate_batch`.
    Nobody acts on anybody else, so a person's days depend on no other's arm.
    """
    values = _effective(protocol, parameters)
    people, factors, entered = _enter(
        protocol, values, None, seed=seed, first_replicate=first_replicate, n_replicates=n_replicates
    )
    again = np.stack([_randomize(protocol, people, factors, n_replicates, again=k) for k in range(n_again)])
    batches = [
        _batch(protocol, replace(entered, arm=np.full_like(entered.arm, index)), values, pharmacology) for index in arms
    ]
    return batches, again


def _batch(
    protocol: Protocol,
    enrolled: "_Enrolled",
    values: CourseParameters,
    pharmacology: Pharmacology,
    *,
    without: Collection[EventKind] = (),
    in_full: bool = False,
    for_analyses_only: bool = False,
) -> TrialBatch:
    people = enrolled.people
    untold = _unread(protocol) if for_analyses_only else ()
    kernel = partial(
        fast.simulate_course, record_states=needs_states(protocol),
        with_amounts="amount" not in untold, with_craving="vas" not in untold,
    )  # fmt: skip
    lives = _live(protocol, enrolled, values, pharmacology, without=without, kernel=kernel)
    course, happened = lives.course, lives.happenings
    measured = measure(
        people, protocol, lives.schedule, course, happened, values,
        arm=enrolled.arm, covariates=enrolled.covariates, pharmacology=pharmacology, adapted=lives.adapted,
    )  # fmt: skip
    if in_full:
        seen = observe_fully(people, protocol, course, values, measured=measured)
    else:
        seen = observe(people, protocol, course, lives.schedule, values, happenings=happened, measured=measured)
    return TrialBatch(
        people=people, n_replicates=enrolled.n_replicates, arm=enrolled.arm, site=enrolled.site,
        covariates=enrolled.covariates, conditions=enrolled.conditions, course=replace(course, states={}),
        happenings=happened, measured=measured, observation=seen, schedule=lives.schedule, adapted=lives.adapted,
        untold=untold,
    )  # fmt: skip


def _unread(protocol: Protocol) -> tuple[str, ...]:
    """Of a course's amounts and craving, what no endpoint, visit, guess or baseline of the protocol reads."""
    if protocol.population.baseline is not None or needs_states(protocol):
        return ()
    marked = protocol.blinding is not None or any("craving" in visit.collects for visit in protocol.visits)
    told = any(KINDS[one.kind].needs_amounts for one in protocol.endpoints)
    return (*(() if told else ("amount",)), *(() if marked else ("vas",)))


def simulate_with_states(
    protocol: Protocol,
    *,
    seed: int,
    n_replicates: int,
    n_people: int,
    parameters: CourseParameters,
    pharmacology: Pharmacology,
    drawing: Drawing | None = None,
) -> tuple[Int[np.ndarray, " subject"], Course]:
    """Arms and courses of the first ``n_people`` of the first replicates, with the states of every day.

    The courses are those of :func:`simulate_batch`, bit for bit.
    """
    values = _effective(protocol, parameters)
    enrolled = _enrol(protocol, values, drawing, seed=seed, first_replicate=0, n_replicates=n_replicates)
    enrolled = enrolled.first(n_people)
    kernel = partial(fast.simulate_course, record_states=True)
    course = _live(protocol, enrolled, values, pharmacology, kernel=kernel).course
    return enrolled.arm, course


@dataclass(frozen=True, slots=True, kw_only=True)
class _Enrolled:
    """People with their arms, before anything happens to them."""

    people: People
    n_replicates: int
    covariates: Covariates
    conditions: Mapping[str, Int[np.ndarray, " subject"]]
    site: Int[np.ndarray, " subject"]
    arm: Int[np.ndarray, " subject"]
    draws: TrialDraws | None

    def first(self, count: int) -> "_Enrolled":
        """The first ``count`` of them."""
        people, entry = self.people, self.covariates
        return _Enrolled(
            people=People(seed=people.seed, replicate=people.replicate[:count], subject=people.subject[:count]),
            n_replicates=self.n_replicates,
            covariates=Covariates(
                age_y=entry.age_y[:count],
                weight_kg=entry.weight_kg[:count],
                female=entry.female[:count],
                weekday0=entry.weekday0[:count],
            ),
            conditions={name: column[:count] for name, column in self.conditions.items()},
            site=self.site[:count],
            arm=self.arm[:count],
            draws=self.draws,
        )


def _effective(protocol: Protocol, parameters: CourseParameters) -> CourseParameters:
    """Nobody leaves and no contact is missed where the protocol says that retention is complete."""
    if protocol.setting.retention == "complete":
        return parameters.replace(leave_hazard_per_day=0.0, miss_hazard_per_day=0.0)
    return parameters


def _enrol(
    protocol: Protocol,
    parameters: CourseParameters,
    drawing: Drawing | None,
    *,
    seed: int,
    first_replicate: int,
    n_replicates: int,
) -> _Enrolled:
    people, factors, entered = _enter(
        protocol, parameters, drawing, seed=seed, first_replicate=first_replicate, n_replicates=n_replicates
    )
    return replace(entered, arm=_randomize(protocol, people, factors, n_replicates))


def _enter(
    protocol: Protocol,
    parameters: CourseParameters,
    drawing: Drawing | None,
    *,
    seed: int,
    first_replicate: int,
    n_replicates: int,
) -> tuple[People, Mapping[str, Int[np.ndarray, " subject"]], _Enrolled]:
    """People, the factors by which they may be randomized, and the same people before they are, all of arm 0."""
    n_subjects = protocol.population.n_subjects
    people = People.of_replicates(seed=seed, first=first_replicate, count=n_replicates, n_subjects=n_subjects)
    covariates = sample_covariates(people, protocol.population)
    site = assign_sites(people, protocol.setting.n_sites)
    known = {name: share for name in CONDITIONS if (share := protocol.prevalence(name)) is not None}
    conditions = (
        sample_comorbidity(people, prevalence=known, odds_ratio=comorbidity_numbers().value("odds_ratio_together"))
        if known
        else {}
    )
    draws = None
    if drawing is not None:
        draws = drawing.trials(
            seed=seed, first=first_replicate, count=n_replicates, substance=protocol.substance, parameters=parameters
        )
    factors = {"sex": covariates.female, "site": site, **conditions}
    if set(protocol.randomization.stratify_by) & set(STRATA_LEVELS):
        traits = _traits(protocol, people, conditions, parameters, draws)
        before = simulate_before(people, protocol, traits, parameters, weekday0=covariates.weekday0)
        factors |= baseline_strata(protocol, before, female=covariates.female == 1)
    entered = _Enrolled(
        people=people, n_replicates=n_replicates, covariates=covariates, conditions=conditions, site=site,
        arm=np.zeros(len(people), dtype=np.int64), draws=draws,
    )  # fmt: skip
    return people, factors, entered


def _randomize(
    protocol: Protocol,
    people: People,
    factors: Mapping[str, Int[np.ndarray, " subject"]],
    n_replicates: int,
    *,
    again: int = 0,
) -> Int[np.ndarray, " subject"]:
    """Who gets which arm; ``again`` says the how many-th time these people are randomized."""
    shape = (n_replicates, -1)
    if protocol.randomization.method == "minimization":
        levels = [factors[name].reshape(shape) for name in protocol.randomization.stratify_by]
        return minimize(people, protocol, levels=levels, again=again).ravel()
    stratum = strata_of(protocol, levels=factors, n_levels=STRATA_LEVELS)
    return allocate(people, protocol, stratum=stratum.reshape(shape), again=again).ravel()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Lives:
    """Schedules, courses and what happened; ``adapted``: who got the other dose, by arm and slot of the schedule."""

    schedule: CourseSchedule
    course: Course
    happenings: Happenings
    adapted: Mapping[tuple[int, int], Bool[np.ndarray, " subject"]]


def _live(
    protocol: Protocol,
    enrolled: _Enrolled,
    parameters: CourseParameters,
    pharmacology: Pharmacology,
    *,
    without: Collection[EventKind] = (),
    kernel: Kernel = fast.simulate_course,
) -> _Lives:
    """Schedules, courses, and what happened, with doses that follow what was reported.

    A course that is run again with another dose is the same up to that dose, because a person's draws are addressed.
    So people are run with the planned doses, the trial looks at them as it would on the day of the visit, and they are
    run again with what it then gives.
    """
    people = enrolled.people
    traits, schedule = _treat(protocol, enrolled, parameters, pharmacology)
    course, happened = simulate_happenings(
        people, protocol, traits, schedule, parameters, without=without, kernel=kernel
    )
    adapted = {}
    for visit, index, slot, name, number in sorted(_adapting(protocol)):
        rule = protocol.drugs[name].infusions[number].adapt
        assert rule is not None, "listed because it adapts"
        seen = observe(people, protocol, course, schedule, parameters, happenings=happened)
        kept = seen.diary_kept[:, seen.diary_day == visit].any(axis=1)
        reported = seen.diary[:, max(0, visit + 1 - rule.within_days) : visit + 1].sum(axis=1)
        who = (enrolled.arm == index) & kept & (reported >= rule.use_days)
        adapted[index, slot] = who
        changed = with_other_doses(
            schedule, people, protocol.drugs[name], slot=slot, number=number, who=who,
            covariates=enrolled.covariates, pharmacology=pharmacology,
        )  # fmt: skip
        if changed is not schedule:
            schedule = changed
            course, happened = simulate_happenings(
                people, protocol, traits, schedule, parameters, without=without, kernel=kernel
            )
    return _Lives(schedule=schedule, course=course, happenings=happened, adapted=adapted)


def _adapting(protocol: Protocol) -> Iterator[tuple[int, int, int, str, int]]:
    """Visit, arm, slot of the schedule, course and number in it of each infusion that adapts."""
    for index, arm in enumerate(protocol.arms):
        slot = 0
        for start, name in arm.drug_starts:
            for number, infusion in enumerate(protocol.drugs[name].infusions):
                if infusion.adapt is not None:
                    yield start + infusion.adapt.visit, index, slot, name, number
                slot += 1


def _traits(
    protocol: Protocol,
    people: People,
    conditions: Mapping[str, Int[np.ndarray, " subject"]],
    parameters: CourseParameters,
    draws: TrialDraws | None,
) -> Traits:
    """What people bring with them, whatever their arm."""
    traits = sample_traits(people, parameters, entry=entry_of(protocol.population))
    shift = comorbidity_shift(protocol, conditions=conditions, parameters=parameters)
    if shift is not None:
        traits = replace(traits, tendency=traits.tendency + shift)
    if draws is not None:
        drawn, level = draws.of(people)
        traits = replace(traits, drawn=drawn, tendency=traits.tendency + level)
    return traits


def _treat(
    protocol: Protocol, enrolled: _Enrolled, parameters: CourseParameters, pharmacology: Pharmacology
) -> tuple[Traits, CourseSchedule]:
    traits = _traits(protocol, enrolled.people, enrolled.conditions, parameters, enrolled.draws)
    schedule = build_schedule(
        enrolled.people,
        protocol,
        arm=enrolled.arm,
        covariates=enrolled.covariates,
        pharmacology=pharmacology,
        parameters=parameters,
    )
    pushed = pushed_days(protocol, arm=enrolled.arm, parameters=parameters)
    if pushed is not None:
        schedule = replace(
            schedule, medicine=pushed.push, medicine_first=pushed.first_day, medicine_last=pushed.last_day
        )
    return traits, schedule
