"""A chunk of replicates, analyzed: the piece of work that can be done anywhere and merged in any order."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from remission.analyses.estimate import Estimates
from remission.endpoints.values import times_of, values_of
from remission.errors import NumericalError
from remission.numerics.by_day import tally_days
from remission.numerics.by_group import group_moments
from remission.patient.parameters import CourseParameters
from remission.protocol.record import Protocol
from remission.shapes import Bool, Float, Int
from remission.trial.analyze import analyze_replicates
from remission.trial.batch import TrialBatch
from remission.trial.endpoints import amount_unit_of, endpoint_data
from remission.trial.result import ArmValues, CourseCounts

_PEOPLE_PER_CHUNK = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """Replicates ``first`` to ``first + count - 1``."""

    first: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkResult:
    """What is kept of a chunk: the shapes of a trial's result with the chunk's replicates."""

    chunk: Chunk
    arms: dict[str, ArmValues]
    estimates: dict[str, Estimates]
    counts: CourseCounts


def plan_chunks(protocol: Protocol, n_replicates: int, *, n_people: int = _PEOPLE_PER_CHUNK) -> list[Chunk]:
    """The replicates in chunks of about ``n_people``; a longer run begins with the chunks of a shorter one."""
    step = max(1, n_people // protocol.population.n_subjects)
    return [Chunk(first=first, count=min(step, n_replicates - first)) for first in range(0, n_replicates, step)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """Endpoints of people: ``values`` of each, NaN without one, and whether a time ended in its ``events``."""

    values: dict[str, Float[np.ndarray, " subject"]]
    events: dict[str, Bool[np.ndarray, " subject"]]

    def of(self, who: Int[np.ndarray, " person"]) -> "Outcomes":
        """The same of the people at some places."""
        return Outcomes(
            values={name: column[who] for name, column in self.values.items()},
            events={name: column[who] for name, column in self.events.items()},
        )


def outcomes_of(protocol: Protocol, chunk: Chunk, batch: TrialBatch, *, parameters: CourseParameters) -> Outcomes:
    """The endpoints of a protocol, of everybody in a batch.

    Raises ``NumericalError``: a course has a number that is not finite: it would be taken for a day that nobody knows.
    """
    for name in ("vas", "amount"):
        if name in batch.untold:
            continue
        column = getattr(batch.course, name)
        if not np.isfinite(column).all():
            first = int(np.flatnonzero(~np.isfinite(column).all(axis=1))[0])
            raise NumericalError(
                where=f"course, {name} of person {first} from replicate {chunk.first} on",
                got="a number that is not finite", allowed="finite numbers",
                remedy="Take parameters nearer to those of the library.",
            )  # fmt: skip
    data = endpoint_data(
        batch.observation,
        heavy_amount=parameters.heavy_amount,
        amount_unit=amount_unit_of(protocol),
        female=batch.covariates.female == 1,
    )
    if "amount" in batch.untold:
        data = replace(data, amount=None)  # who asks all the same is told that there is none
    return Outcomes(
        values={endpoint.id: values_of(endpoint, data) for endpoint in protocol.endpoints},
        events={
            endpoint.id: times_of(endpoint, data)[1] for endpoint in protocol.endpoints if endpoint.is_time_to_event
        },
    )


def estimates_of_batch(
    protocol: Protocol, batch: TrialBatch, outcomes: Outcomes, *, parameters: CourseParameters
) -> dict[str, Estimates]:
    """The analyses of a protocol, of the replicates of a batch with their outcomes."""
    return {
        analysis.id: analyze_replicates(
            protocol, analysis, batch, outcomes.values, outcomes.events, heavy_amount=parameters.heavy_amount
        )
        for analysis in protocol.analyses
    }


def values_by_arm(
    protocol: Protocol, batch: TrialBatch, outcomes: Outcomes, names: Iterable[str]
) -> dict[str, ArmValues]:
    """Means, spreads and events of some endpoints by arm."""
    return {name: _arm_values(protocol, batch, outcomes.values[name], outcomes.events.get(name)) for name in names}


def analyze_batch(protocol: Protocol, chunk: Chunk, batch: TrialBatch, *, parameters: CourseParameters) -> ChunkResult:
    """The replicates of a chunk, analyzed as the protocol says.

    Raises ``NumericalError``: as in :func:`outcomes_of`.
    """
    outcomes = outcomes_of(protocol, chunk, batch, parameters=parameters)
    return ChunkResult(
        chunk=chunk,
        arms=values_by_arm(protocol, batch, outcomes, outcomes.values),
        estimates=estimates_of_batch(protocol, batch, outcomes, parameters=parameters),
        counts=_counts(protocol, batch),
    )


def merge_chunks(results: list[ChunkResult]) -> ChunkResult:
    """Chunks put together in the order of their replicates, whatever the order they come in.

    ``results``: at least one; no replicate twice.
    """
    ordered = sorted(results, key=lambda result: result.chunk.first)
    first = ordered[0]
    return ChunkResult(
        chunk=Chunk(first=first.chunk.first, count=sum(result.chunk.count for result in ordered)),
        arms={
            name: ArmValues(
                mean=np.concatenate([result.arms[name].mean for result in ordered]),
                sd=np.concatenate([result.arms[name].sd for result in ordered]),
                n=np.concatenate([result.arms[name].n for result in ordered]),
                event_share=np.concatenate([result.arms[name].event_share for result in ordered]),
            )
            for name in first.arms
        },
        estimates={
            name: Estimates(
                estimate=np.concatenate([result.estimates[name].estimate for result in ordered]),
                low=np.concatenate([result.estimates[name].low for result in ordered]),
                high=np.concatenate([result.estimates[name].high for result in ordered]),
                p_value=np.concatenate([result.estimates[name].p_value for result in ordered]),
                status=tuple(status for result in ordered for status in result.estimates[name].status),
            )
            for name in first.estimates
        },
        counts=CourseCounts(
            people=np.sum([result.counts.people for result in ordered], axis=0),
            using=np.sum([result.counts.using for result in ordered], axis=0),
            never_used=np.sum([result.counts.never_used for result in ordered], axis=0),
            in_study=np.sum([result.counts.in_study for result in ordered], axis=0),
        ),
    )


def _arm_values(
    protocol: Protocol,
    batch: TrialBatch,
    value: Float[np.ndarray, " subject"],
    event: Bool[np.ndarray, " subject"] | None,
) -> ArmValues:
    shape = (batch.n_replicates, -1)
    mean, sd, n, share = group_moments(
        value.reshape(shape), batch.arm.reshape(shape), n_groups=len(protocol.arms),
        hit=None if event is None else event.reshape(shape),
    )  # fmt: skip
    return ArmValues(mean=mean, sd=sd, n=n, event_share=share)


def _counts(protocol: Protocol, batch: TrialBatch) -> CourseCounts:
    n_days = batch.course.use.shape[1]
    using, first = tally_days(batch.course.use.T, batch.arm, n_groups=len(protocol.arms))
    groups = [batch.arm == index for index in range(len(protocol.arms))]

    def later(day: Int[np.ndarray, " subject"], group: Bool[np.ndarray, " subject"]) -> Int[np.ndarray, " day"]:
        """Of a group, how many have their day after each day."""
        return int(group.sum()) - np.bincount(day[group], minlength=n_days + 1)[:n_days].cumsum()

    return CourseCounts(
        people=np.array([group.sum() for group in groups], dtype=np.int64),
        using=using,
        never_used=np.stack([later(first, group) for group in groups]),
        in_study=np.stack([later(batch.course.days_in_study, group) for group in groups]),
    )
