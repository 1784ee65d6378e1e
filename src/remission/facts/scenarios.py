"""The people of a scenario of the registered facts, lived under each of its arms with the same draws."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np

from remission.library.facts import FactScenario
from remission.library.protocols import load_protocol
from remission.patient.course import Course, CourseSchedule, Entry, Traits
from remission.patient.kernels import fast, reference
from remission.patient.parameters import CourseParameters, load_course_parameters, shifted
from remission.patient.pharmacology import load_pharmacology
from remission.patient.sampling import sample_covariates, sample_traits
from remission.protocol.record import Protocol
from remission.shapes import Bool, Float, Int
from remission.streams import People, Stream, draw_normal_pair
from remission.trial.package import tendency_shift
from remission.trial.schedule import build_schedule

UNTREATED = "untreated"
_T = TypeVar("_T", People, Traits, CourseSchedule)


def protocol_of(scenario: FactScenario) -> Protocol:
    """The built-in protocol with the entry, the arms and the days of a scenario, and nothing to analyze."""
    base = load_protocol(scenario.protocol)
    arms: list[dict[str, Any]] = []
    drugs, therapies, medicines = {}, {}, {}
    for one in scenario.arms:
        arm = {"id": one.id, "label": one.id}
        if one.dose_mg_per_kg is not None:
            given = {"dose_mg_per_kg": one.dose_mg_per_kg, "duration_min": one.duration_min}
            drugs[one.id] = {"drug": "racemic-ketamine", "infusions": [{**given, "day": d} for d in one.infusion_days]}
            arm["drug"] = one.id
        if one.session_days:
            sessions = [{"day": day} for day in one.session_days]
            kind = "education" if one.quality < 0.5 else "cbt"
            therapies[one.id] = {"kind": kind, "quality": one.quality, "session_min": 60.0, "sessions": sessions}
            arm["therapy"] = one.id
        if one.medicine is not None:
            medicines[one.id] = {"medicine": one.medicine}
            arm["medicine"] = one.id
        arms.append(arm)
    population = base.population.replace(clean_days=scenario.clean_days, self_quit=scenario.self_quit)
    last = scenario.days - 1
    window = {"first": 0, "last": last}
    pda = {"id": "pda", "label": "Days", "kind": "percent_days_abstinent", "window": window, "missing": "observed"}
    return Protocol.from_dict({
        **base.to_dict(), "population": population.to_dict(), "follow_up_days": scenario.days, "endpoints": [pda],
        "analyses": [], "comparisons": [], "estimand": None, "evidence": None,
        "visits": [{"id": "end", "days": [last], "collects": ["diary"]}],
        "arms": arms or [arm.to_dict() for arm in base.arms], "drugs": drugs, "therapies": therapies,
        "medicines": medicines, "randomization": {"block_size": max(1, len(arms))},
    })  # fmt: skip


@dataclass(frozen=True)
class Lives:
    """The same people under every arm of a scenario; arms are simulated when they are first asked for.

    Nobody leaves, and every session is attended: facts are about people, not about who stays in a study. ``level``:
    how much likelier everybody uses. ``medicine``: what a medicine takes off the log odds of use, in the place of what
    its sourced contrast gives. [log odds]
    """

    scenario: FactScenario
    n_people: int
    seed: int
    parameter_set: str
    values: Mapping[str, float] = field(default_factory=dict)
    level: float = 0.0
    medicine: float | None = None
    _kept: dict[tuple[Any, ...], Any] = field(default_factory=dict)

    @cached_property
    def protocol(self) -> Protocol:
        """Of the scenario."""
        return protocol_of(self.scenario)

    @cached_property
    def parameters(self) -> CourseParameters:
        """Of the substance, with ``values`` in the place of its own and nobody leaving."""
        found = load_course_parameters(self.protocol.substance, parameter_set=self.parameter_set)
        found = found.replace(**{**self.values, "leave_hazard_per_day": 0.0, "miss_hazard_per_day": 0.0})
        return shifted(found, self.level) if self.level else found

    @cached_property
    def entry(self) -> Entry:
        """How they come in."""
        one = self.scenario
        return Entry(
            n_baseline=one.baseline_days, clean_days=one.clean_days, self_quit=one.self_quit, goal=one.goal,
            quit_day=None if one.quit_day < 0 else one.quit_day,
        )  # fmt: skip

    @cached_property
    def people(self) -> People:
        """Their addresses."""
        return People.of_replicates(seed=self.seed, first=0, count=1, n_subjects=self.n_people)

    def course(self, arm: str, *, states_until: int | None = None) -> Course:
        """Everybody under one arm; with the states of the first days where ``states_until`` says how many."""
        if (arm, states_until) not in self._kept:
            traits, schedule = self._under(arm)
            if states_until is None:
                found = fast.simulate_course(self.people, traits, schedule, self.parameters)
            else:
                schedule = replace(schedule, blocked=schedule.blocked[:states_until])
                found = reference.simulate_course(
                    self.people, traits, schedule, self.parameters, record_states=True
                )  # fmt: skip
            self._kept[arm, states_until] = found
        return self._kept[arm, states_until]

    def reports(self, arm: str, first: int, last: int) -> Float[np.ndarray, "subject day"]:
        """Craving as everybody marks it each day from ``first`` to ``last``, with the noise of a report. [VAS]"""
        vas = self.course(arm).vas[:, first : last + 1]
        noise = [draw_normal_pair(self.people, Stream.REPORT, day)[0] for day in range(first, last + 1)]
        return np.clip(vas + self.parameters.sigma_v * np.stack(noise, axis=1), 0.0, 100.0)

    def next_day(
        self, arm: str, day: int, clean: int
    ) -> tuple[Bool[np.ndarray, " subject"], Int[np.ndarray, " subject"], Int[np.ndarray, " subject"]]:
        """Who was clean on the ``clean`` days before ``day``; use on the day after do(lapse), and after do(clean)."""
        key = ("next day", arm, day, clean)
        if key not in self._kept:
            eligible = ~self.course(arm).use[:, day - clean : day].any(axis=1)
            rows = np.flatnonzero(eligible)
            traits, schedule = self._under(arm)
            schedule = replace(_rows(schedule, rows), blocked=schedule.blocked[: day + 2])
            who, what = _rows(self.people, rows), _rows(traits, rows)
            after = np.zeros((2, self.n_people), dtype=np.int64)
            for lapse in (0, 1):
                set_use = np.full((rows.size, day + 2), -1)
                set_use[:, day] = lapse
                course = reference.simulate_course(who, what, schedule, self.parameters, set_use=set_use)
                after[lapse, rows] = course.use[:, day + 1]
            self._kept[key] = eligible, after[1], after[0]
        return self._kept[key]

    def _under(self, arm: str) -> tuple[Traits, CourseSchedule]:
        index = {one.id: number for number, one in enumerate(self.protocol.arms)}[arm]
        arms = np.full(self.n_people, index, dtype=np.int64)
        traits = sample_traits(self.people, self.parameters, entry=self.entry)
        shift: Float[np.ndarray, " subject"] | None
        if self.medicine is None:
            shift = tendency_shift(self.protocol, arm=arms, parameters=self.parameters)
        else:
            shift = np.full(self.n_people, -self.medicine if self.protocol.arms[index].medicine else 0.0)
        if shift is not None:
            traits = replace(traits, tendency=traits.tendency + shift)
        schedule = build_schedule(
            self.people, self.protocol, arm=arms, pharmacology=load_pharmacology(), parameters=self.parameters,
            covariates=sample_covariates(self.people, self.protocol.population),
        )  # fmt: skip
        schedule = replace(schedule, entry=self.entry)
        if self.scenario.closed:
            schedule = replace(schedule, blocked=np.ones_like(schedule.blocked))
        return traits, schedule


def _rows(record: _T, rows: Int[np.ndarray, " row"]) -> _T:
    named = {one.name: getattr(record, one.name) for one in fields(record)}
    return replace(
        record, **{name: value[rows] for name, value in named.items() if name != "blocked" and np.ndim(value) > 0}
    )
