"""Whether worker processes have ended."""

import time
from collections.abc import Iterable
from multiprocessing.process import BaseProcess


def all_end(processes: Iterable[BaseProcess], *, within_s: float = 30.0) -> bool:
    """Whether all end in time.

    A pool's own thread waits for them as well. Whoever of the two comes second learns nothing from the system, and the
    process object says for a moment that it lives; so it is asked until the first has written down what it learnt.
    """
    left, until = list(processes), time.monotonic() + within_s
    while left and time.monotonic() < until:
        left = [one for one in left if one.is_alive()]
        time.sleep(0.01)
    return not left
