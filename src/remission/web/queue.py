"""Turns: work that takes long has few threads of its own, a short queue, and a plain "not now" beyond it.

Pages that say whom to call take no turn: whatever waits here, they are answered at once.
"""

from collections.abc import Callable
from typing import Literal, TypeVar

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar

_T = TypeVar("_T")
Weight = Literal["quick", "usual", "heavy"]
"""``quick``: some milliseconds, made at once. ``usual``: up to some tenths of a second. ``heavy``: seconds."""
AT_ONCE = {"usual": 4, "heavy": 2}
"""Threads of each kind. A heavy piece may need some hundred megabytes; many threads starve the loop."""
WAITING = {"usual": 400, "heavy": 40}
"""Further requests that wait for a thread."""
_limiters: RunVar[dict[str, CapacityLimiter]] = RunVar("remission-turns")


class BusyError(Exception):
    """As much is being computed as this machine can."""

    retry_after_s = 20


async def run_in_turn(weight: Weight, work: Callable[[], _T]) -> _T:
    """Run work when its turn comes, a quick one now; a BusyError where too many wait already."""
    if weight == "quick":
        return work()
    try:
        limiters = _limiters.get()
    except LookupError:
        limiters = {kind: CapacityLimiter(count) for kind, count in AT_ONCE.items()}
        _limiters.set(limiters)
    if limiters[weight].statistics().tasks_waiting >= WAITING[weight]:
        raise BusyError
    return await to_thread.run_sync(work, limiter=limiters[weight])
