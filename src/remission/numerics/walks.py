"""The walk of a linear system over sorted times while its input changes now and then.

A walk is a list of steps that all subjects share, so that the steps of one length share their coefficients too. It ends
at each change of input and at each time wanted::

    changes     |---------------------|------------->
    times          x  x  x  x  x  x       x  x

Errors do not add up: each change is reached in one step from the change before, and so are the first time after a
change and every ``RENEWED``-th after it. A value therefore depends on its own run of at most ``RENEWED`` times, and on
no other; :attr:`Walk.runs` says where runs begin.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from remission.errors import SpecError
from remission.shapes import Bool, Float, Int

RENEWED = 32
"""Times in a run."""

# Coefficients kept for a block of subjects fill the second-level cache at about this number.
_MOST_SLOTS = 24


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """One number a step.

    ``length``, ``interval``: how long, and which input runs; the interval after the last break is one more than there
    are inputs.
    ``is_origin``, ``is_change``: the step starts from the last change of input; its end is the next.
    ``output``: which time its end is, or -1.
    ``slot``, ``is_new``: where the coefficients of its length are kept, and whether they must be computed; slot 0 is
    for lengths that come once.
    ``n_before``: times up to the first break, at which there is nothing yet.
    """

    length: Float[np.ndarray, " step"]
    interval: Int[np.ndarray, " step"]
    is_origin: Bool[np.ndarray, " step"]
    is_change: Bool[np.ndarray, " step"]
    output: Int[np.ndarray, " step"]
    slot: Int[np.ndarray, " step"]
    is_new: Bool[np.ndarray, " step"]
    n_before: int

    @property
    def steps(self) -> tuple[np.ndarray, ...]:
        """All columns, as compiled loops take them."""
        return (self.length, self.interval, self.is_origin, self.is_change, self.output, self.slot, self.is_new)

    @property
    def n_slots(self) -> int:
        """Slots in use."""
        return int(self.slot.max(initial=0)) + 1

    @property
    def runs(self) -> list[int]:
        """Index of the first time of each run, rising; times before the first break are one run."""
        begun = self.output[self.is_origin & (self.output >= 0)].tolist()
        return [0, *begun] if self.n_before else begun


def walk_over(times: Float[np.ndarray, " time"], *, breaks: Float[np.ndarray, " break"], n_intervals: int) -> Walk:
    """The walk from the first break to the last time.

    ``times``: when values are wanted, not falling. ``breaks``: times at which the input changes, rising.
    ``n_intervals``: inputs; each runs from one break to the next. Raises SpecError: times or breaks run backwards, or
    there is not one break more than intervals.

    >>> walk = walk_over(np.array([0.5, 1.0, 3.0]), breaks=np.array([0.0, 2.0]), n_intervals=1)
    >>> walk.length.tolist(), walk.output.tolist()
    ([0.5, 0.5, 2.0, 1.0], [0, 1, -1, 2])
    """
    if np.any(np.diff(times) < 0.0):
        raise SpecError(where="times", got=times.tolist(), allowed="times that do not run backwards")
    if np.any(np.diff(breaks) <= 0.0) or breaks.size != n_intervals + 1:
        raise SpecError(where="breaks", got=breaks.tolist(), allowed="rising, one more than there are inputs")
    rows = _rows(times.tolist(), breaks.tolist())
    length, interval, is_origin, is_change, output = zip(*rows, strict=True) if rows else ((),) * 5
    often = [one for one, n in Counter(length).most_common(_MOST_SLOTS) if n > 1]
    slot_of = {one: number for number, one in enumerate(often, start=1)}
    first_use = {one: step for step, one in reversed(list(enumerate(length)))}
    return Walk(
        length=np.array(length, dtype=np.float64),
        interval=np.array(interval, dtype=np.int64),
        is_origin=np.array(is_origin, dtype=np.bool_),
        is_change=np.array(is_change, dtype=np.bool_),
        output=np.array(output, dtype=np.int64),
        slot=np.array([slot_of.get(one, 0) for one in length], dtype=np.int64),
        is_new=np.array(
            [one not in slot_of or first_use[one] == step for step, one in enumerate(length)], dtype=np.bool_
        ),
        n_before=int(np.count_nonzero(times <= breaks[0])),
    )


def _rows(times: list[float], breaks: list[float]) -> list[tuple[float, int, bool, bool, int]]:
    """Length, interval, is_origin, is_change and output of each step."""
    rows: list[tuple[float, int, bool, bool, int]] = []
    at = sum(time <= breaks[0] for time in times)
    ends = [*breaks[1:], np.inf]
    interval = 0
    while at < len(times):
        start, end = breaks[interval], ends[interval]
        now, count = start, 0
        while at < len(times) and times[at] <= end:
            is_origin = count % RENEWED == 0
            rows.append((times[at] - (start if is_origin else now), interval, is_origin, False, at))
            now, at, count = times[at], at + 1, count + 1
        if at < len(times):
            rows.append((end - start, interval, True, True, -1))
        interval += 1
    return rows
