"""A trial, many times: planned as chunks, each simulated and analysed anywhere, merged into one result."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.patient.parameters import DEFAULT_PARAMETER_SET, CourseParameters, load_course_parameters
from remission.patient.pharmacology import Pharmacology, load_pharmacology
from remission.records.protocol import Protocol
from remission.streams import check_seed
from remission.trial.chunk import Chunk, ChunkResult, merge_chunks, plan_chunks, simulate_chunk
from remission.trial.result import TrialResult
from remission.trial.states import simulate_states

__all__ = ["MAX_REPLICATES", "TrialPlan", "plan_trial", "simulate_trial"]

MAX_REPLICATES = 1_000_000


@dataclass(frozen=True, kw_only=True)
class TrialPlan:
    """Everything that sets a trial's numbers, and the chunks of its replicates.

    Notes
    -----
    ``run`` may be called for the chunks in any order, in any process; ``finish`` gives the same result.
    """

    protocol: Protocol
    n_replicates: int
    seed: int
    parameter_set: str
    parameters: CourseParameters

    @property
    def chunks(self) -> list[Chunk]:
        """The replicates in pieces of work."""
        return plan_chunks(self.protocol, self.n_replicates)

    @cached_property
    def _pharmacology(self) -> Pharmacology:
        return load_pharmacology()

    def run(self, chunk: Chunk) -> ChunkResult:
        """Simulate and analyse one chunk."""
        return simulate_chunk(
            self.protocol, chunk, seed=self.seed, parameters=self.parameters, pharmacology=self._pharmacology
        )

    def finish(self, results: Sequence[ChunkResult]) -> TrialResult:
        """The trial's result from the results of all chunks, in any order."""
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
            states=simulate_states(
                self.protocol,
                seed=self.seed,
                n_replicates=self.n_replicates,
                parameters=self.parameters,
                pharmacology=self._pharmacology,
            ),
        )


def plan_trial(
    protocol: Protocol,
    *,
    n_replicates: int,
    seed: int,
    parameter_set: str = DEFAULT_PARAMETER_SET,
    parameters: CourseParameters | None = None,
) -> TrialPlan:
    """A checked plan; arguments as for :func:`simulate_trial`.

    Raises
    ------
    SpecError
        ``n_replicates`` or ``seed`` is out of range.
    LibraryError
        The parameter set does not exist.
    """
    if isinstance(n_replicates, bool) or not isinstance(n_replicates, int) or not 1 <= n_replicates <= MAX_REPLICATES:
        raise SpecError(where="n_replicates", got=n_replicates, allowed=f"a whole number from 1 to {MAX_REPLICATES}")
    found = load_parameter_set(parameter_set)
    return TrialPlan(
        protocol=protocol,
        n_replicates=n_replicates,
        seed=check_seed(seed),
        parameter_set=parameter_set,
        parameters=parameters or load_course_parameters(protocol.substance, parameter_set=found),
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
    plan = plan_trial(
        protocol, n_replicates=n_replicates, seed=seed, parameter_set=parameter_set, parameters=parameters
    )
    results = []
    for chunk in plan.chunks:
        results.append(plan.run(chunk))
        if on_progress is not None:
            on_progress(chunk.first + chunk.count, n_replicates)
    return plan.finish(results)
