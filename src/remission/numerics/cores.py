"""Cores, and work that is shared out among them."""

import gc
import itertools
import os
from collections.abc import Callable

# Few calls, for each looks at the types of its arguments anew; none so long that Ctrl-C waits for it, and where there
# are few blocks, none so long that another core has nothing to do.
_BLOCKS_PER_CALL = 32
_FEWEST_BLOCKS_PER_CALL = 4


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def search_seldom() -> None:
    """Let this process look for circles of objects after a million new ones, not after each 700.

    Importing and drawing make many objects and almost no circles: the search takes a tenth of a first trial.
    """
    gc.set_threshold(1_000_000, 20, 20)


def share_out(prepare: Callable[[], Callable[[int, int], None]], *, n_blocks: int, n_threads: int) -> None:
    """Do blocks of work in threads that share nothing but the ticket counter.

    ``prepare``: called once in each thread, for its own scratch memory; gives the function that does the blocks from a
    first to the one before a last and lets other threads run meanwhile. ``n_blocks``, ``n_threads``: how many.
    """
    tickets = itertools.count()
    per_call = min(_BLOCKS_PER_CALL, max(_FEWEST_BLOCKS_PER_CALL, -(-n_blocks // n_threads)))

    def work() -> None:
        do = prepare()
        # The counter's step is atomic under the interpreter lock.
        while (first := next(tickets) * per_call) < n_blocks:
            do(first, min(first + per_call, n_blocks))

    n_workers = min(n_threads, -(-n_blocks // per_call))
    if n_workers < 2:
        work()
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(n_workers) as pool:
        for done in [pool.submit(work) for _ in range(n_workers)]:
            done.result()  # an error in a thread is an error here
