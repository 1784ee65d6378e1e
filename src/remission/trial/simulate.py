"""Replicates of a trial, in chunks: people, courses, observation, endpoints, analyses.

Every number of a replicate depends on (seed, replicate) and the specification only, never on the chunk it fell into.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.patient.course import STATES, Course
from remission.patient.kernels import fast, reference
from remission.patient.parameters import DEFAULT_PARAMETER_SET, CourseParameters, load_course_parameters
from remission.patient.pharmacology import Pharmacology, load_pharmacology
from remission.patient.sampling import Covariates, sample_covariates, sample_traits
from remission.records.endpoint import Analysis, Contrast
from remission.records.protocol import Protocol
from remission.streams import People, check_seed
from remission.trial.analysis import (
    Estimate,
    analyze_difference,
    analyze_hazard,
    analyze_odds,
    analyze_percent_lower,
    level_columns,
)
from remission.trial.endpoints import endpoint_values, time_to_event
from remission.trial.observation import Observation, observe
from remission.trial.randomization import allocate, assign_sites, strata_of
from remission.trial.result import ArmValues, CourseCounts, Estimates, StateCourses, TrialResult
from remission.trial.schedule import build_schedule

__all__ = ["MAX_REPLICATES", "TrialBatch", "simulate_batch", "simulate_trial"]

MAX_REPLICATES = 1_000_000
_PEOPLE_PER_CHUNK = 4096
_PEOPLE_WITH_STATES = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBatch:
    """Whole replicates, person by person: who they are, what happened, what the trial saw.

    Arrays run over people, subject fastest within replicate.
    """

    people: People
    n_replicates: int
    arm: Int[np.ndarray, " subject"]
    site: Int[np.ndarray, " subject"]
    covariates: Covariates
    course: Course
    observation: Observation


def simulate_batch(
    protocol: Protocol,
    *,
    seed: int,
    first_replicate: int,
    n_replicates: int,
    parameters: CourseParameters,
    pharmacology: Pharmacology,
    record_states: bool = False,
) -> TrialBatch:
    """Some replicates of a trial, with every person's days.

    Raises
    ------
    SpecError
        A replicate number does not fit 32 bits.
    """
    n_subjects = protocol.population.n_subjects
    if protocol.setting.retention == "complete":
        parameters = parameters.replace(leave_hazard_per_day=0.0, miss_hazard_per_day=0.0)
    people = People.of_replicates(seed=seed, first=first_replicate, count=n_replicates, n_subjects=n_subjects)
    covariates = sample_covariates(people, protocol.population)
    site = assign_sites(people, protocol.setting.n_sites)
    stratum = strata_of(protocol, female=covariates.female, site=site)
    arm = allocate(people, protocol, stratum=stratum.reshape(n_replicates, n_subjects)).ravel()
    traits = sample_traits(
        people,
        parameters,
        clean_days=protocol.population.clean_days,
        self_quit=protocol.population.self_quit,
    )
    schedule = build_schedule(people, protocol, arm=arm, covariates=covariates, pharmacology=pharmacology)
    if record_states:
        course = reference.simulate_course(people, traits, schedule, parameters, record_states=True)
    else:
        course = fast.simulate_course(people, traits, schedule, parameters)
    return TrialBatch(
        people=people,
        n_replicates=n_replicates,
        arm=arm,
        site=site,
        covariates=covariates,
        course=course,
        observation=observe(people, protocol, course, schedule, parameters),
    )


def simulate_trial(
    protocol: Protocol,
    *,
    n_replicates: int = 200,
    seed: int = 20260101,
    parameter_set: str = DEFAULT_PARAMETER_SET,
    parameters: CourseParameters | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> TrialResult:
    """A trial simulated ``n_replicates`` times, each replicate analysed as the protocol says.

    Parameters
    ----------
    protocol
        What to run.
    n_replicates
        1 to ``MAX_REPLICATES``.
    seed
        0 to 2**64 - 1; the same seed gives the same bytes.
    parameter_set
        Name of the set in the library.
    parameters
        Values to use instead of the set's, for example with ``gamma`` at 0.
    on_progress
        Called with (replicates done, replicates in all) after each chunk.

    Raises
    ------
    SpecError
        ``n_replicates`` or ``seed`` is out of range.
    LibraryError
        The parameter set does not exist.
    """
    if isinstance(n_replicates, bool) or not isinstance(n_replicates, int) or not 1 <= n_replicates <= MAX_REPLICATES:
        raise SpecError(where="n_replicates", got=n_replicates, allowed=f"a whole number from 1 to {MAX_REPLICATES}")
    check_seed(seed)
    found = load_parameter_set(parameter_set)
    values = parameters or load_course_parameters(protocol.substance, parameter_set=found)
    pharmacology = load_pharmacology()
    n_subjects = protocol.population.n_subjects
    step = max(1, _PEOPLE_PER_CHUNK // n_subjects)
    with_states = min(n_replicates, max(1, _PEOPLE_WITH_STATES // n_subjects))
    collector = _Collector(protocol, n_replicates)
    first = 0
    while first < n_replicates:
        # A chunk never straddles the last replicate whose states are kept, so that states need no second run.
        limit = with_states if first < with_states else n_replicates
        count = min(step, limit - first)
        batch = simulate_batch(
            protocol,
            seed=seed,
            first_replicate=first,
            n_replicates=count,
            parameters=values,
            pharmacology=pharmacology,
            record_states=first < with_states,
        )
        collector.add(batch, first=first, heavy_amount=values.heavy_amount)
        first += count
        if on_progress is not None:
            on_progress(first, n_replicates)
    return TrialResult(
        protocol=protocol,
        parameter_set=parameter_set,
        parameter_set_hash=found.content_hash,
        parameters=values,
        seed=seed,
        n_replicates=n_replicates,
        arms=collector.arm_values(),
        estimates=collector.estimates(),
        counts=collector.counts,
        states=collector.state_courses(),
    )


class _Collector:
    """Gathers what a result keeps while chunks pass by."""

    def __init__(self, protocol: Protocol, n_replicates: int) -> None:
        self.protocol = protocol
        n_arms, n_days = len(protocol.arms), protocol.follow_up_days
        shape = (n_replicates, n_arms)
        self._arms = {
            endpoint.id: ArmValues(
                mean=np.full(shape, np.nan),
                sd=np.full(shape, np.nan),
                n=np.zeros(shape, dtype=np.int64),
                event_share=np.full(shape, np.nan),
            )
            for endpoint in protocol.endpoints
        }
        self._estimates: dict[str, list[Estimate]] = {analysis.id: [] for analysis in protocol.analyses}
        self._states: dict[str, list[Float[np.ndarray, "subject day"]]] = {name: [] for name in STATES}
        self._state_arm: list[Int[np.ndarray, " subject"]] = []
        days = np.zeros((n_arms, n_days), dtype=np.int64)
        self.counts = CourseCounts(
            people=np.zeros(n_arms, dtype=np.int64), using=days.copy(), never_used=days.copy(), in_study=days.copy()
        )

    def add(self, batch: TrialBatch, *, first: int, heavy_amount: float) -> None:
        """Take in one chunk whose first replicate is number ``first``."""
        self._count(batch)
        if batch.course.states:
            self._state_arm.append(batch.arm)
            for name, value in batch.course.states.items():
                self._states[name].append(value)
        values = {
            endpoint.id: endpoint_values(endpoint, batch.observation, heavy_amount=heavy_amount)
            for endpoint in self.protocol.endpoints
        }
        events = {
            endpoint.id: time_to_event(endpoint, batch.observation)[1]
            for endpoint in self.protocol.endpoints
            if endpoint.kind == "days_to_relapse_or_dropout"
        }
        n_subjects = self.protocol.population.n_subjects
        for offset in range(batch.n_replicates):
            one = slice(offset * n_subjects, (offset + 1) * n_subjects)
            for name, column in values.items():
                self._summarize(name, first + offset, batch.arm[one], column[one], events.get(name, _NONE)[one])
            for analysis in self.protocol.analyses:
                value, event = values[analysis.endpoint][one], events.get(analysis.endpoint, _NONE)[one]
                self._estimates[analysis.id].append(_analyze(self.protocol, analysis, batch, one, value, event))

    def _count(self, batch: TrialBatch) -> None:
        used = batch.course.use > 0
        days = np.arange(used.shape[1])
        never = ~np.logical_or.accumulate(used, axis=1)
        staying = batch.course.days_in_study[:, None] > days
        for index in range(len(self.protocol.arms)):
            mine = batch.arm == index
            self.counts.people[index] += mine.sum()
            self.counts.using[index] += used[mine].sum(axis=0)
            self.counts.never_used[index] += never[mine].sum(axis=0)
            self.counts.in_study[index] += staying[mine].sum(axis=0)

    def _summarize(
        self,
        name: str,
        replicate: int,
        arm: Int[np.ndarray, " subject"],
        value: Float[np.ndarray, " subject"],
        event: Bool[np.ndarray, " event"],
    ) -> None:
        kept = self._arms[name]
        for index in range(len(self.protocol.arms)):
            mine = (arm == index) & np.isfinite(value)
            count = int(mine.sum())
            kept.n[replicate, index] = count
            if count:
                kept.mean[replicate, index] = value[mine].mean()
                if event.size:
                    kept.event_share[replicate, index] = event[mine].mean()
            if count > 1:
                kept.sd[replicate, index] = value[mine].std(ddof=1)

    def arm_values(self) -> dict[str, ArmValues]:
        """Endpoints by arm over all replicates."""
        return self._arms

    def estimates(self) -> dict[str, Estimates]:
        """Analyses over all replicates."""
        return {
            name: Estimates(
                estimate=np.array([item.estimate for item in items]),
                low=np.array([item.low for item in items]),
                high=np.array([item.high for item in items]),
                p_value=np.array([item.p_value for item in items]),
                status=tuple(item.status for item in items),
            )
            for name, items in self._estimates.items()
        }

    def state_courses(self) -> StateCourses:
        """Mean and 10th and 90th percentile of people, by arm and day."""
        arm = np.concatenate(self._state_arm)
        groups = [arm == index for index in range(len(self.protocol.arms))]
        mean, low, high = {}, {}, {}
        n_days = self.protocol.follow_up_days
        for name in STATES:
            value = np.concatenate(self._states[name])
            empty = np.full(n_days, np.nan)
            mean[name] = np.stack([value[group].mean(axis=0) if group.any() else empty for group in groups])
            bands = [np.quantile(value[g], [0.1, 0.9], axis=0) if g.any() else np.stack([empty, empty]) for g in groups]
            low[name] = np.stack([band[0] for band in bands])
            high[name] = np.stack([band[1] for band in bands])
        return StateCourses(n_people=np.array([group.sum() for group in groups]), mean=mean, low=low, high=high)


_NONE = np.zeros(0, dtype=np.bool_)


def _arms_of(protocol: Protocol, levels: dict[str, str]) -> list[int]:
    return [index for index, arm in enumerate(protocol.arms) if levels.items() <= arm.factors.items()]


def _sides(protocol: Protocol, contrast: Contrast) -> tuple[list[int], list[int]]:
    return _arms_of(protocol, contrast.treatment), _arms_of(protocol, contrast.control)


def _analyze(
    protocol: Protocol,
    analysis: Analysis,
    batch: TrialBatch,
    one: slice,
    value: Float[np.ndarray, " subject"],
    event: Bool[np.ndarray, " event"],
) -> Estimate:
    """One analysis on one replicate's people, those of the contrast's arms who have a value."""
    arm = batch.arm[one]
    treatment, control = _sides(protocol, analysis.contrast)
    inside = np.isin(arm, treatment + control) & np.isfinite(value)
    treated = np.isin(arm[inside], treatment)
    adjust = np.concatenate(
        [
            np.zeros((int(inside.sum()), 0)),
            *(_adjustment(protocol, name, batch, one)[inside] for name in analysis.adjust),
        ],
        axis=1,
    )
    if analysis.method == "mean_difference":
        return analyze_difference(value[inside], treated, adjust)
    if analysis.method == "odds_ratio":
        return analyze_odds(value[inside], treated, adjust)
    if analysis.method == "hazard_ratio":
        return analyze_hazard(value[inside], event[inside], treated, adjust)
    return analyze_percent_lower(value[inside], treated)


def _adjustment(protocol: Protocol, name: str, batch: TrialBatch, one: slice) -> Float[np.ndarray, "subject term"]:
    if name == "sex":
        return level_columns(batch.covariates.female[one])
    if name == "site":
        return level_columns(batch.site[one])
    levels = [arm.factors.get(name, "") for arm in protocol.arms]
    codes = np.array([sorted(set(levels)).index(level) for level in levels])
    return level_columns(codes[batch.arm[one]])
