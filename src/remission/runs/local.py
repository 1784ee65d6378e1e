"""Work on the cores of this machine: chunks in threads or in processes.

A process that is killed costs time only: its chunks are given to a fresh one. A few chunks are under way at a time, so
memory does not grow with the run.
"""

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from functools import partial

from remission.errors import WorkError
from remission.numerics.cores import available_cores
from remission.runs.piece import Doer, Piece, do_piece, run_here
from remission.trial.chunk import Chunk
from remission.trial.simulate import TrialPlan

__all__ = ["available_cores", "begin_worker", "on_processes", "on_threads"]

_LOSSES_IN_A_ROW = 3


def on_threads(n_threads: int) -> Doer:
    """A way to do chunks: in threads of this process.

    The compiled kernel runs in parallel, the regressions of the analyses do not; processes are quicker for most
    protocols.
    """

    def do(plan: TrialPlan, chunks: Sequence[Chunk]) -> Generator[Piece, None, None]:
        executor = ThreadPoolExecutor(n_threads)
        try:
            yield from _in_turn(lambda chunk: executor.submit(do_piece, plan, chunk), deque(chunks), n_threads)
        finally:
            executor.shutdown(wait=False, cancel_futures=True)

    return run_here if n_threads == 1 else do


def on_processes(n_workers: int) -> Doer:
    """A way to do chunks: in worker processes of this machine.

    As always with worker processes, a script of your own that calls this needs ``if __name__ == "__main__":``.

    Raises ``WorkError``: when the chunks are asked for: workers die again and again without finishing anything.
    """

    def do(plan: TrialPlan, chunks: Sequence[Chunk]) -> Generator[Piece, None, None]:
        left, losses = deque(chunks), 0
        while left:
            before = set(multiprocessing.active_children())
            # Fresh processes, not forks: a fork of a process with threads can stand still for ever.
            executor = ProcessPoolExecutor(
                n_workers, multiprocessing.get_context("spawn"), initializer=_begin, initargs=(plan,)
            )
            try:
                for piece in _in_turn(partial(_submit, executor), left, n_workers):
                    losses = 0
                    yield piece
            except BrokenProcessPool:
                losses += 1
                if losses == _LOSSES_IN_A_ROW:
                    raise WorkError(
                        where="--workers",
                        got=f"workers that died {losses} times without finishing anything",
                        allowed="workers that live",
                        remedy="Often the memory is too small; what is done is kept: resume with fewer workers.",
                    ) from None
            finally:
                executor.shutdown(wait=False, cancel_futures=True)
                for process in set(multiprocessing.active_children()) - before:
                    process.terminate()

    return run_here if n_workers == 1 else do


def _in_turn(
    submit: Callable[[Chunk], "Future[Piece]"], left: deque[Chunk], n_at_once: int
) -> Generator[Piece, None, None]:
    """Results as they come; when the pool breaks, every chunk without a result is back in ``left``."""
    pending: dict[Future[Piece], Chunk] = {}
    try:
        while left or pending:
            while left and len(pending) < 2 * n_at_once:
                pending[submit(left[0])] = left[0]
                left.popleft()
            done, _ = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                piece = future.result()
                del pending[future]
                yield piece
    except BrokenProcessPool:
        left.extendleft(pending.values())
        raise


def _submit(executor: ProcessPoolExecutor, chunk: Chunk) -> "Future[Piece]":
    """Give a chunk to the pool, which may start a process for it.

    Ctrl-C reaches every process of the terminal, and the main one decides what happens to its workers: a process that
    is started while the signal is held back never hears it, not even in its first moments.
    """
    if not hasattr(signal, "pthread_sigmask"):
        return executor.submit(_do, chunk)
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        return executor.submit(_do, chunk)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


_PLAN: dict[str, TrialPlan] = {}
"""In a worker process: the plan it works on."""


def begin_worker() -> None:
    """Make this process a worker: it leaves Ctrl-C to the main one and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _begin(plan: TrialPlan) -> None:
    begin_worker()
    _PLAN["plan"] = plan


def _end_with_parent() -> None:
    """End this process when the main one is gone, also when that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _do(chunk: Chunk) -> Piece:
    return do_piece(_PLAN["plan"], chunk)
