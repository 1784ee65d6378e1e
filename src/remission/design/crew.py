"""Work shared among processes of this machine, its results in the order in which it was given.

One crew serves many designs, because to start a process takes seconds. The order makes what is added up, and where a
simulation stops, the same for any number of workers.
"""

import multiprocessing
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from remission.design.journal import Journal
from remission.errors import SpecError, WorkError
from remission.runs.local import available_cores, begin_worker

__all__ = ["MAX_WORKERS", "Crew"]

MAX_WORKERS = 256
_In = TypeVar("_In")
_Out = TypeVar("_Out")


class Crew:
    """Some workers; with one the work is done here.

    ``n_workers``: 1 to ``MAX_WORKERS``; ``None``: one for each core that this process may use. Raises ``SpecError``:
    the number is out of range.
    """

    def __init__(self, n_workers: int | None = 1) -> None:
        self.n_workers = available_cores() if n_workers is None else n_workers
        if isinstance(n_workers, bool) or not 1 <= self.n_workers <= MAX_WORKERS:
            raise SpecError(where="--workers", got=n_workers, allowed=f"a whole number from 1 to {MAX_WORKERS}")
        self._pool: ProcessPoolExecutor | None = None
        self._journal: Journal | None = None
        self._calls = 0

    def keep_in(self, journal: Journal | None) -> None:
        """Keep what pieces of work give in a journal, and take from it what is done already; ``None`` keeps nothing."""
        self._journal = journal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool = None

    def in_order(self, work: Callable[[_In], _Out], items: Iterable[_In]) -> Generator[_Out, None, None]:
        """Results in the order of the items; only a few are under way or waiting at a time.

        Raises ``WorkError``: when results are asked for: a worker died.
        """
        call, self._calls = self._calls, self._calls + 1
        for number, (result, is_known) in enumerate(self._results(work, items, call)):
            if self._journal is not None and not is_known:
                self._journal.put(call, number, result)
            yield result

    def _results(
        self, work: Callable[[_In], _Out], items: Iterable[_In], call: int
    ) -> Generator[tuple[_Out, bool], None, None]:
        """Results in order, and whether each was done before."""
        if self.n_workers == 1:
            for number, item in enumerate(items):
                known = self._known(call, number)
                yield (work(item), False) if known is None else (known, True)
            return
        if self._pool is None:
            # Fresh processes, not forks: a fork of a process with threads can stand still for ever.
            self._pool = ProcessPoolExecutor(
                self.n_workers, multiprocessing.get_context("spawn"), initializer=begin_worker
            )
        left, pending = iter(enumerate(items)), deque[Future[_Out] | _Known]()
        try:
            while True:
                while len(pending) < 2 * self.n_workers and (pair := next(left, None)) is not None:
                    known = self._known(call, pair[0])
                    pending.append(self._pool.submit(work, pair[1]) if known is None else _Known(known))
                if not pending:
                    return
                first = pending.popleft()
                yield (first.value, True) if isinstance(first, _Known) else (first.result(), False)
        except BrokenProcessPool:
            raise WorkError(
                where="--workers", got="a worker that died", allowed="workers that live",
                remedy="Often the memory is too small: take fewer workers.",
            ) from None  # fmt: skip
        finally:
            for future in pending:
                if isinstance(future, Future):
                    future.cancel()

    def _known(self, call: int, number: int) -> Any:
        return None if self._journal is None else self._journal.get(call, number)


@dataclass(frozen=True, slots=True)
class _Known:
    """A result that was done before."""

    value: Any
