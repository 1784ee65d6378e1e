"""Who does the work: one loop for this process, its worker processes and a Dask cluster.

A crew submits pieces of work, waits for some of them and closes; the loop, and what happens when workers die, is the
same for runs, designs and searches. Where and in which order a piece is done changes no number.
"""

import logging
import multiprocessing
import os
import pickle
import signal
import threading
from collections import deque
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import import_module
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

from remission.errors import SpecError, WorkError
from remission.numerics.cores import available_cores, search_seldom

MAX_WORKERS = 256
_LOSSES_IN_A_ROW = 3
_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Crew:
    """Who does some work: this process alone, one piece after the other, none before somebody asks for it.

    ``n_workers``: how many work. ``n_at_once``: pieces under way or waiting at a time, so that memory does not grow
    with the work. Other crews start their workers with the first piece and end them with ``close``, after which they
    can start again.
    """

    n_workers = n_at_once = 1

    def submit(self, work: Callable[[Any], Any], item: Any) -> Any:
        """Give one piece of work; a handle of it."""
        piece: Future[Any] = Future()
        piece.set_result(work(item))
        return piece

    def wait(self, pending: Collection[Any]) -> Iterator[tuple[Any, Any]]:
        """Wait until at least one of some pieces is done; handles and results of those that are.

        Raises ``BrokenProcessPool``: the workers died; all that is pending has to be given again.
        """
        return ((piece, piece.result()) for piece in wait(pending, return_when=FIRST_COMPLETED).done)

    def begin(self, loads: Collection[str]) -> None:
        """Let workers start and load modules already, while this process still prepares; nothing to do here."""

    def close(self) -> None:
        """End the workers, in the middle of their work too."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def in_order(self, work: Callable[[_In], _Out], items: Iterable[_In]) -> Generator[_Out, None, None]:
        """Results in the order of the items, so that sums, and where a simulation stops, do not depend on the workers.

        Raises ``WorkError``: when results are asked for: workers die again and again, or are lost.
        """
        return self._results(work, items, keeps_order=True)

    def as_done(self, work: Callable[[_In], _Out], items: Iterable[_In]) -> Generator[_Out, None, None]:
        """Results as they come; nothing waits for a slow piece.

        Raises ``WorkError``: as ``in_order``.
        """
        return self._results(work, items, keeps_order=False)

    def _results(
        self, work: Callable[[_In], _Out], items: Iterable[_In], *, keeps_order: bool
    ) -> Generator[_Out, None, None]:
        left, again = enumerate(items), deque[tuple[int, _In]]()
        pending: dict[Any, tuple[int, _In]] = {}
        done: dict[int, _Out] = {}
        due = losses = 0
        try:
            while True:
                try:
                    while len(pending) + len(done) < self.n_at_once:
                        if not again and (piece := next(left, None)) is not None:
                            again.append(piece)
                        if not again:
                            break
                        pending[self.submit(work, again[0][1])] = again[0]
                        again.popleft()
                    if not pending:
                        return
                    for handle, result in self.wait(pending):
                        done[pending.pop(handle)[0]] = result
                        losses = 0
                except BrokenProcessPool:
                    losses += 1
                    self.close()
                    if losses == _LOSSES_IN_A_ROW:
                        raise WorkError(
                            where="--workers",
                            got=f"workers that died {losses} times without finishing anything",
                            allowed="workers that live",
                            remedy="Often the memory is too small: take fewer workers; kept work is not done again.",
                        ) from None
                    again.extendleft(reversed(pending.values()))
                    pending.clear()
                while done and (not keeps_order or due in done):
                    yield done.pop(due if keeps_order else next(iter(done)))
                    due += 1
        finally:
            for handle in pending:
                handle.cancel()


class _Sent(Generic[_In, _Out]):
    """Some work on its way to others: packed once here, and unpacked once by each as long as it stays the same.

    A plan packed and unpacked with each of its pieces took a twentieth of two workers' time.
    """

    def __init__(self, work: Callable[[_In], _Out]) -> None:
        self.work = work
        self._content = pickle.dumps(work)

    def __reduce__(self) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
        return _received, (self._content,)

    def __call__(self, item: _In) -> _Out:
        """Do it here."""
        return self.work(item)


@lru_cache(maxsize=1)
def _received(content: bytes) -> Any:
    return pickle.loads(content)  # noqa: S301 - from the process that started this one


class Processes(Crew):
    """Worker processes of this machine; one that is killed costs time only.

    As always with worker processes, a script of your own that uses this needs ``if __name__ == "__main__":``.
    """

    def __init__(self, n_workers: int) -> None:
        self.n_workers, self.n_at_once = n_workers, 2 * n_workers
        self._pool: Executor | None = None
        self._workers: set[BaseProcess] = set()
        self._sent: _Sent[Any, Any] | None = None

    def submit(self, work: Callable[[Any], Any], item: Any) -> Future[Any]:
        """Give one piece of work to the pool, which may start a process for it."""
        if self._sent is None or self._sent.work is not work:
            self._sent = _Sent(work)
        if self._pool is None:
            # Fresh processes, not copies: a copy of a process with threads can stand still for ever. Lost copies are
            # followed by fresh ones, too, for by then the pool has threads.
            self._pool = ProcessPoolExecutor(
                self.n_workers, multiprocessing.get_context("spawn"), initializer=_begin_worker
            )
        before = set(multiprocessing.active_children())
        with _deaf_to_interrupts():
            future = self._pool.submit(self._sent, item)
        self._workers |= set(multiprocessing.active_children()) - before
        return future

    def begin(self, loads: Collection[str]) -> None:
        """Let the workers start already, if they have not; they are copies of this process where that is safe.

        A copy has at once what this process has loaded, modules and compiled code; a fresh process loads the modules
        while this one still prepares.
        """
        if self._pool is not None:
            return
        if can_copy():
            self._pool = ProcessPoolExecutor(
                self.n_workers, multiprocessing.get_context("fork"), initializer=_begin_worker
            )
        # Whoever cannot start or load says so when there is work.
        with suppress(OSError, BrokenProcessPool):
            for _ in range(self.n_workers):
                self.submit(_load, tuple(loads))

    def close(self) -> None:
        """End the workers at once."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None
        for process in self._workers:
            process.terminate()
        self._workers.clear()


class Beside(Processes):
    """One process beside this one, which begins at once and loads what it will need while this one still prepares.

    For work of some seconds, where a worker that is started when its turn comes would come too late. Where the other
    process cannot be had, or is lost, this one does everything: slower, and the same.
    """

    def __init__(self, loads: Collection[str]) -> None:
        """``loads``: modules that the other process loads first."""
        super().__init__(1)
        self._ready: Future[Any] | None = None
        try:
            self._ready = self.submit(_load, tuple(loads))
        except OSError:
            self.close()
        else:
            # With this one; the pool was opened for the other alone.
            self.n_workers = 2

    def close(self) -> None:
        """End the other process at once; from here on this one works alone."""
        super().close()
        self._ready, self.n_workers = None, 1

    def _results(
        self, work: Callable[[_In], _Out], items: Iterable[_In], *, keeps_order: bool
    ) -> Generator[_Out, None, None]:
        """The other process begins here; this one works when somebody asks for a result."""
        shared = _Shared(work, items)
        # A single piece does not wait for a process that is still loading.
        if self._ready is not None and (len(shared.left) > 1 or self._ready.done()):
            shared.begin(self._pool)
        return self._together(shared, keeps_order=keeps_order)

    def _together(self, shared: "_Shared[_In, _Out]", *, keeps_order: bool) -> Generator[_Out, None, None]:
        done: dict[int, _Out] = {}
        due = 0
        while (step := shared.next_step()) is not None:
            index, item, future = step
            # What the other has not begun by now is sooner done here.
            if future is None or (self._ready is not None and not self._ready.done()):
                if future is not None:
                    future.cancel()
                done[index] = shared.work(item)
            else:
                try:
                    done[index] = future.result()
                except (BrokenProcessPool, CancelledError):
                    self.close()
                    shared.take_back(index, item)
            while done and (not keeps_order or due in done):
                yield done.pop(due if keeps_order else next(iter(done)))
                due += 1


class _Shared(Generic[_In, _Out]):
    """Items that two processes take one after the other: whoever is free takes the next.

    The other gets its next one in the thread that hears of its last, while this process is in the middle of its own.
    """

    def __init__(self, work: Callable[[_In], _Out], items: Iterable[_In]) -> None:
        self.work = work
        self._sent: _Sent[_In, _Out] | None = None
        self.left = deque(enumerate(items))
        self._given: deque[tuple[int, _In, Future[_Out]]] = deque()
        self._pool: Executor | None = None
        self._lock = threading.Lock()

    def begin(self, pool: Executor | None) -> None:
        """Give the other process its first item."""
        self._pool, self._sent = pool, _Sent(self.work)
        self._give()

    def next_step(self) -> tuple[int, _In, "Future[_Out] | None"] | None:
        """An item of the other process that is done or must be waited for, or one to do here; None: all is done."""
        with self._lock:
            if self._given and (self._given[0][2].done() or not self.left):
                return self._given.popleft()
            return (*self.left.popleft(), None) if self.left else None

    def take_back(self, index: int, item: _In) -> None:
        """An item that the other process did not do; it gets no more."""
        with self._lock:
            self._pool = None
            self.left.appendleft((index, item))

    def _give(self, before: "Future[_Out] | None" = None) -> None:
        # What became of it is for whoever waits for it.
        if before is not None and (before.cancelled() or before.exception() is not None):
            return
        with self._lock:
            if self._pool is None or self._sent is None or not self.left:
                return
            index, item = self.left.popleft()
            try:
                future = self._pool.submit(self._sent, item)
            except (RuntimeError, OSError):  # it was closed, or it is lost
                self.left.appendleft((index, item))
                return
            self._given.append((index, item, future))
        future.add_done_callback(self._give)


def can_copy() -> bool:
    """Whether this process can be copied safely: it has one thread, counted by the system, libraries' own included."""
    try:
        return sum(1 for _ in Path("/proc/self/task").iterdir()) == 1
    except OSError:  # no Linux: libraries of the system may have what does not outlive a copy
        return False


def crew_of(n_workers: int | None = 1) -> Crew:
    """The processes that do some work; with one, this one.

    ``n_workers``: 1 to ``MAX_WORKERS``; ``None``: one for each core that this process may use. Raises ``SpecError``:
    the number is out of range.
    """
    found = available_cores() if n_workers is None else n_workers
    if isinstance(n_workers, bool) or not 1 <= found <= MAX_WORKERS:
        raise SpecError(where="--workers", got=n_workers, allowed=f"a whole number from 1 to {MAX_WORKERS}")
    return Crew() if found == 1 else Processes(found)


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """A process that starts here never hears Ctrl-C, not even in its first moments.

    Ctrl-C reaches every process of the terminal, and the main one decides what happens to its workers.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin_worker() -> None:
    """Make this process a worker: it leaves Ctrl-C to the main one and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    search_seldom()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _load(names: tuple[str, ...]) -> None:
    """Load modules; what stops one from loading is for the work to say that needs it."""
    # That equations are compiled is said by the first process.
    logging.getLogger("remission.numerics.code_files").setLevel(logging.ERROR)
    with suppress(ImportError):
        for name in names:
            import_module(name)


def _end_with_parent() -> None:
    """End this process when the main one is gone, also when that was killed."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
