"""What a run will cost, from a timed piece of it: people, seconds, disk."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from remission.runs.piece import do_piece
from remission.trial.chunk import Chunk
from remission.trial.simulate import TrialPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """An estimate.

    ``n_people``, ``n_person_days``: simulated people and their days; exact. ``expected_s``: seconds of one core. [s]
    ``disk_bytes``: most that is on disk at one time: kept pieces and, beside them, the finished files.
    """

    n_people: int
    n_person_days: int
    expected_s: float
    disk_bytes: int


def count_person_days(plan: TrialPlan) -> int:
    """People times days of a plan."""
    return plan.n_replicates * plan.protocol.population.n_subjects * plan.protocol.follow_up_days


def estimate_cost(plan: TrialPlan, *, clock: Callable[[], float] = time.perf_counter) -> Cost:
    """The cost of a plan; does its first piece of work to see how long one takes, and keeps nothing.

    ``plan``: the trial. ``clock``: gives seconds; one that no change of the date can move.
    """
    do_piece(plan, Chunk(first=0, count=1))  # the first one also loads compiled code
    first = plan.chunks[0]
    started = clock()
    piece = do_piece(plan, first)
    share = plan.n_replicates / first.count
    kept = len(piece.payload) + len(piece.diary or b"")
    return Cost(
        n_people=plan.n_replicates * plan.protocol.population.n_subjects,
        n_person_days=count_person_days(plan),
        expected_s=(clock() - started) * share,
        disk_bytes=round(2 * kept * share),
    )
