"""Pieces of a calibration's work: kept as they are done, counted with the time that is left."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from remission.library.calibration_plan import CalibrationPlan
from remission.library.posteriors import plan_hash
from remission.numerics.digits import duration
from remission.provenance import source_hashes
from remission.runs.journal import Journal

Tell = Callable[[str], None]
"""Hears what is done now."""
_T = TypeVar("_T")


def unheard(_: str) -> None:
    """Nobody asked."""


def journal_of(plan: CalibrationPlan, folder: Path, what: str, kind: type) -> Journal:
    """What is kept of a piece of the work: that of other code or of another plan is another."""
    return Journal(folder / f"{what}-{plan_hash(plan)}-{source_hashes()['numbers'][:8]}.jsonl", (kind,))


def counted(pieces: Iterator[_T], total: int, tell: Tell, *, what: str = "point", every: int = 32) -> Iterator[_T]:
    """The pieces, with a line for every few of them that says how long the rest will take at the pace of these few.

    What was kept comes at once: it is no pace for what is still to be done.
    """
    done = paced(total, tell, what=what, every=every)
    for number, piece in enumerate(pieces, 1):
        if number % every == 0:
            done(number)
        yield piece


def paced(total: int, tell: Tell, *, what: str, every: int) -> Callable[[int], None]:
    """Hears the number of every few pieces as it is reached, and tells it with the time that is left.

    Before the first few it only looks at the clock.
    """
    said = time.monotonic()

    def done(number: int) -> None:
        nonlocal said
        now = time.monotonic()
        left_s, said = (now - said) / every * (total - number), now
        if number >= every:
            tell(f"{what} {number:,} of {total:,}" + (f", {duration(left_s)} left" if number < total else ""))

    return done
