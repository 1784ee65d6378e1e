"""A piece of work done: the analyzed chunk and, when asked for, its people's days."""

from dataclasses import dataclass

from remission.trial.chunk import Chunk, ChunkResult
from remission.trial.result import StateCourses
from remission.trial.simulate import TrialPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What is kept of a chunk; ``diary`` is ``None`` unless the plan asks for diaries."""

    result: ChunkResult
    diary: bytes | None


def do_part(plan: TrialPlan, chunk: Chunk | None) -> Piece | StateCourses:
    """A piece of work; None: the states behind the trial, which are no chunk's."""
    return plan.states() if chunk is None else do_piece(plan, chunk)


def do_piece(plan: TrialPlan, chunk: Chunk) -> Piece:
    """Simulate and analyze a chunk, once for both its results and its diaries."""
    batch = plan.simulate(chunk, for_analyses_only=not plan.with_diaries)
    diary = None
    if plan.with_diaries:
        from remission.runs.diaries import diary_table, pack_table

        diary = pack_table(diary_table(plan, chunk, batch))
    return Piece(result=plan.analyze(chunk, batch), diary=diary)
