"""What simulating designs costs: person-days, and seconds at the pace that this machine shows."""

import time
from collections.abc import Callable, Iterable

from remission.protocol.record import Protocol
from remission.trial.simulate import plan_trial


def person_days_of(protocols: Iterable[Protocol], n_replicates: int) -> int:
    """People times days of all designs, if none stops early."""
    return sum(one.population.n_subjects * one.follow_up_days for one in protocols) * n_replicates


def expected_s(
    protocol: Protocol, person_days: int, *, n_workers: int, clock: Callable[[], float] = time.process_time
) -> float:
    """Seconds that so many person-days of such trials take; one piece of work is timed and thrown away. [s]

    Of the processor, for workers that start meanwhile take time from it.
    """
    plan = plan_trial(protocol, n_replicates=1_000, seed=0)
    plan.run(plan.chunks[-1])  # the first one also loads compiled code
    started = clock()
    piece = plan.chunks[0]
    plan.run(piece)
    done = piece.count * protocol.population.n_subjects * protocol.follow_up_days
    return (clock() - started) * person_days / done / n_workers
