"""A trial, many times: planned as chunks, each simulated and analyzed anywhere, merged into one result."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property

from remission.endpoints.values import check_formula
from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.patient.backgrounds import course_parameters_of
from remission.patient.drawn import Drawing
from remission.patient.kernels.links import check_links, link_hashes
from remission.patient.parameters import (
    DEFAULT_PARAMETER_SET,
    CourseParameters,
    read_parameters,
)
from remission.patient.pharmacology import Pharmacology, pharmacology_of
from remission.protocol.record import Protocol
from remission.records.estimand import EventKind
from remission.records.seed import DEFAULT_SEED
from remission.streams import check_seed
from remission.trial.batch import TrialBatch, simulate_batch
from remission.trial.chunk import Chunk, ChunkResult, analyze_batch, merge_chunks, plan_chunks
from remission.trial.measured import needs_states
from remission.trial.package import check_package
from remission.trial.resampled import ChainPeople, DiaryPeople, check_source, simulate_resampled
from remission.trial.result import StateCourses, TrialResult
from remission.trial.states import simulate_states

MAX_REPLICATES = 1_000_000
_CHUNK_PERSON_DAYS = 20_000_000
"""A piece of work stays below a gigabyte."""
_FEWEST_PEOPLE, _MOST_PEOPLE, _PIECES = 4_096, 12_288, 12
"""People of a piece of work: a larger one takes up to a sixth less time for each, and a run that has a dozen pieces can
still be shared out."""


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """Everything that sets a trial's numbers, and the chunks of its replicates.

    ``with_diaries``: whether every person's days are kept as well. ``chunk_replicates``: replicates in a piece of
    work; ``None``: as many as make four to twelve thousand people. It changes no number. ``drawing``: values that each
    replicate draws for itself; ``None``: all replicates have ``parameters``. ``links``: links of the chain that the
    caller replaced, each with the hash of its source; empty for the default model. ``source``: people on whose days an
    effect is stated; ``None``: the chain makes people and effect.

    ``run`` may be called for the chunks in any order, in any process; ``finish`` gives the same result.
    """

    protocol: Protocol
    n_replicates: int
    seed: int
    parameter_set: str
    parameters: CourseParameters
    drawing: Drawing | None = None
    with_diaries: bool = False
    chunk_replicates: int | None = None
    links: Mapping[str, str] = field(default_factory=link_hashes)
    source: DiaryPeople | ChainPeople | None = None

    @property
    def chunks(self) -> list[Chunk]:
        """The replicates in pieces of work."""
        step, end = self.chunk_replicates, self.n_replicates
        if step is None:
            n_people = end * self.protocol.population.n_subjects // _PIECES
            # States of every day, and diaries, take a hundred bytes a person-day.
            most = _FEWEST_PEOPLE if self.with_diaries or needs_states(self.protocol) else _MOST_PEOPLE
            return plan_chunks(self.protocol, end, n_people=min(max(n_people, _FEWEST_PEOPLE), most))
        return [Chunk(first=first, count=min(step, end - first)) for first in range(0, end, step)]

    @cached_property
    def _pharmacology(self) -> Pharmacology:
        return pharmacology_of(self.protocol)

    def run(self, chunk: Chunk) -> ChunkResult:
        """Simulate and analyze one chunk."""
        return self.analyze(chunk, self.simulate(chunk, for_analyses_only=True))

    def simulate(
        self, chunk: Chunk, *, without: Collection[EventKind] = (), for_analyses_only: bool = False
    ) -> TrialBatch:
        """The people of a chunk, day by day; events of ``without`` do not happen.

        ``for_analyses_only``: amounts and craving of the days may be left out where no analysis reads them.

        Raises ``RunError``: other links of the chain are replaced than when the plan was made.
        """
        check_links(self.links)
        if self.source is not None:
            pharmacology = self._pharmacology if isinstance(self.source, ChainPeople) else None
            return simulate_resampled(
                self.protocol, self.source, seed=self.seed, first_replicate=chunk.first, n_replicates=chunk.count,
                parameters=self.parameters, pharmacology=pharmacology, drawing=self.drawing,
            )  # fmt: skip
        return simulate_batch(
            self.protocol,
            seed=self.seed,
            first_replicate=chunk.first,
            n_replicates=chunk.count,
            parameters=self.parameters,
            pharmacology=self._pharmacology,
            without=without,
            drawing=self.drawing,
            for_analyses_only=for_analyses_only,
        )

    def analyze(self, chunk: Chunk, batch: TrialBatch) -> ChunkResult:
        """What a trial reports of the people of a chunk."""
        return analyze_batch(self.protocol, chunk, batch, parameters=self.parameters)

    def states(self) -> StateCourses:
        """The states behind the trial, simulated once more over its first people."""
        return simulate_states(
            self.protocol,
            seed=self.seed,
            n_replicates=self.n_replicates,
            parameters=self.parameters,
            pharmacology=self._pharmacology,
            drawing=self.drawing,
        )

    def finish(self, results: Sequence[ChunkResult], states: StateCourses | None = None) -> TrialResult:
        """The trial's result from the results of all chunks, in any order; ``states``: where they are there already."""
        merged = merge_chunks(list(results))
        return TrialResult(
            protocol=self.protocol,
            parameter_set=self.parameter_set,
            parameter_set_hash=load_parameter_set(self.parameter_set).content_hash,
            parameters=self.parameters,
            seed=self.seed,
            n_replicates=self.n_replicates,
            arms=merged.arms,
            estimates=merged.estimates,
            counts=merged.counts,
            links=self.links,
            drawing=self.drawing,
            states=self.states() if states is None else states,
        )


def plan_trial(
    protocol: Protocol,
    *,
    n_replicates: int,
    seed: int,
    parameter_set: str = DEFAULT_PARAMETER_SET,
    parameters: CourseParameters | None = None,
    changes: Mapping[str, float] | None = None,
    drawing: Drawing | None = None,
    with_diaries: bool = False,
    chunk_replicates: int | None = None,
    source: DiaryPeople | ChainPeople | None = None,
) -> TrialPlan:
    """A checked plan; arguments as for :func:`simulate_trial` and :class:`TrialPlan`.

    ``drawing``: beside ``parameters`` only; without them it is what the set says, but for the values in ``changes``.

    Raises ``SpecError``: ``n_replicates``, ``seed`` or ``chunk_replicates`` is out of range, a piece of work would need
    too much memory, or a medicine has no sourced effect; ``LibraryError``: the parameter set does not exist.
    """
    _check_count("n_replicates", n_replicates)
    if chunk_replicates is not None:
        _check_count("chunk_replicates", chunk_replicates)
        person_days = chunk_replicates * protocol.population.n_subjects * protocol.follow_up_days
        if person_days > _CHUNK_PERSON_DAYS and chunk_replicates > 1:
            raise SpecError(
                where="chunk_replicates",
                got=f"{chunk_replicates}, which is {person_days} person-days",
                allowed=f"up to {_CHUNK_PERSON_DAYS} person-days in a piece of work",
            )
    if source is not None:
        check_source(protocol, source)
    elif protocol.effect is not None:
        raise SpecError(
            where="effect", got=f"a stated effect ({protocol.effect.law})", allowed="a protocol without one: the chain "
            "would be simulated in its place, without a word",
            remedy="Answer it by remission design, or leave effect: out.",
        )  # fmt: skip
    check_package(protocol)
    # A model of the reader's own is read now, so that its faults are said before any work.
    pharmacology_of(protocol)
    for endpoint in protocol.endpoints:
        check_formula(endpoint)
    if parameters is not None:
        read_parameters(asdict(parameters))
    _check_periods(protocol)
    found = load_parameter_set(parameter_set)
    if parameters is None:
        parameters = course_parameters_of(protocol, parameter_set=found).replace(**(changes or {}))
        posterior = found.attributes.get("posterior")
        drawing = None if posterior is None else Drawing.of(posterior, without=changes or {})
    return TrialPlan(
        protocol=protocol,
        n_replicates=n_replicates,
        seed=check_seed(seed),
        parameter_set=parameter_set,
        parameters=parameters,
        drawing=drawing,
        with_diaries=with_diaries,
        chunk_replicates=chunk_replicates,
        source=source,
    )


def why_not_simulated(protocol: Protocol) -> str | None:
    """Why a protocol that is valid cannot be simulated, in one line; None where it can."""
    try:
        plan_trial(protocol, n_replicates=1, seed=DEFAULT_SEED)
    except SpecError as error:
        first = error.faults[0]
        return f"{first.where}: {first.got}; expected {first.allowed}."
    return None


def _check_periods(protocol: Protocol) -> None:
    """Refuse to analyze a crossover: arms of periods compared between people answer another question."""
    if protocol.analyses and any(arm.periods for arm in protocol.arms):
        raise SpecError(
            where="analyses",
            got="a crossover trial with analyses",
            allowed="arms side by side: an analysis here compares people of different arms, by the drug of their first "
            "period, while a crossover compares the periods within each person",
            remedy="Leave analyses and estimand out to simulate the days alone; remission.trial.crossover computes the "
            "effect within people (crossover_truth, remission analyze).",
        )


def _check_count(where: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_REPLICATES:
        raise SpecError(where=where, got=value, allowed=f"a whole number from 1 to {MAX_REPLICATES}")


def simulate_trial(
    protocol: Protocol,
    *,
    n_replicates: int = 200,
    seed: int = DEFAULT_SEED,
    parameter_set: str = DEFAULT_PARAMETER_SET,
    parameters: CourseParameters | None = None,
    changes: Mapping[str, float] | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> TrialResult:
    """A trial simulated ``n_replicates`` times, each replicate analyzed as the protocol says.

    Parameters
    ----------
    protocol
        What to run.
    n_replicates
        1 to ``MAX_REPLICATES``.
    seed
        0 to 2**64 - 1; the same seed gives the same bytes.
    parameter_set
        Name of the set in the library. With a posterior each replicate has a draw of its own.
    parameters
        Values of all replicates, instead of the set's and of its draws.
    changes
        Values by name that are fixed for all replicates, for example ``{"use_effect": 0.0}``; the others stay drawn.
    on_progress
        Called with (replicates done, replicates in all) after each chunk.

    Raises
    ------
    SpecError
        ``n_replicates`` or ``seed`` is out of range.
    LibraryError
        The parameter set does not exist.
    """
    plan = plan_trial(
        protocol, n_replicates=n_replicates, seed=seed, parameter_set=parameter_set, parameters=parameters,
        changes=changes,
    )  # fmt: skip
    results = []
    for chunk in plan.chunks:
        results.append(plan.run(chunk))
        if on_progress is not None:
            on_progress(chunk.first + chunk.count, n_replicates)
    return plan.finish(results)
