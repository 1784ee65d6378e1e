"""A piece of work done: the analyzed chunk and, when asked for, its people's days."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from remission.runs.diaries import diary_table, pack_table
from remission.trial.chunk import Chunk, ChunkResult
from remission.trial.simulate import TrialPlan

__all__ = ["Doer", "Piece", "do_piece", "run_here"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """What is kept of a chunk; ``diary`` is ``None`` unless the plan asks for diaries."""

    result: ChunkResult
    diary: bytes | None


Doer = Callable[[TrialPlan, Sequence[Chunk]], Generator[Piece, None, None]]
"""A way to get chunks done, in any order and anywhere; neither changes a number."""


def do_piece(plan: TrialPlan, chunk: Chunk) -> Piece:
    """Simulate and analyze a chunk, once for both its results and its diaries."""
    batch = plan.simulate(chunk)
    diary = pack_table(diary_table(plan, chunk, batch)) if plan.with_diaries else None
    return Piece(result=plan.analyze(chunk, batch), diary=diary)


def run_here(plan: TrialPlan, chunks: Sequence[Chunk]) -> Generator[Piece, None, None]:
    """The chunks one after the other, in this process."""
    for chunk in chunks:
        yield do_piece(plan, chunk)
