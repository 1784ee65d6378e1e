"""Work on many machines: pieces handed to the workers of a Dask scheduler.

A worker that dies costs time only: the scheduler gives its pieces to another. Needs the optional package
``distributed``.
"""

import logging
import re
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

from remission.errors import RunError, WorkError
from remission.extras import telling_extras
from remission.provenance import library_versions, python_version, source_hashes
from remission.runs.crew import Crew

_ANSWER_WITHIN = "10s"
_WORKERS_BACK_WITHIN_S = 120.0
_GLANCE_S = 0.02
_ROLL_CALL_S = 2.0
_CHUNKS_PER_THREAD = 3
_LOGS = ("distributed", "distributed.client", "distributed.utils_comm", "tornado", "tornado.application", "asyncio")
_ADDRESS = re.compile(r"(?:(?:tcp|tls|ucx|ws|wss)://)?(?:\[[^\]]+\]|[^:/\[\]]+):\d+")


class Cluster(Crew):
    """The workers of a Dask scheduler at ``address``, for example ``tcp://10.0.0.5:8786``.

    Raises ``RunError``: ``address`` is none; and with the first piece of work: ``distributed`` is not installed, nobody
    answers, no worker is there, or a worker has other versions or other code; ``WorkError``: the scheduler went away,
    all workers left and none came back, or a piece killed every worker it was given to.
    """

    def __init__(self, address: str) -> None:
        # Asked before any work; the client itself stumbles over such an address when it is thrown away.
        if not _ADDRESS.fullmatch(address):
            raise RunError(where="--cluster", got=address, allowed="host and port, for example tcp://10.0.0.5:8786")
        self._address = address
        self._client: Any = None
        self._levels: dict[str, int] = {}

    def submit(self, work: Callable[[Any], Any], item: Any) -> Any:
        """Give one piece of work to the scheduler."""
        with telling_extras("--cluster"), self._failing():
            if self._client is None:
                self._connect()
            piece = self._client.submit(work, item, pure=False)
            self._queue.add(piece)
            return piece

    def wait(self, pending: Collection[Any]) -> Iterator[tuple[Any, Any]]:
        """The next that is done."""
        with self._failing():
            while True:
                piece, result = next(self._done)
                if isinstance(result, BaseException):  # a lost scheduler gives errors in the place of results
                    raise result
                if piece in pending:
                    return iter([(piece, result)])

    def close(self) -> None:
        """Leave the scheduler."""
        if self._client is not None:
            self._client.close(timeout=1.0)
            self._client = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        super().__exit__(kind, error, trace)
        # After an error or Ctrl-C the log stays quiet: connections that break late are reported late.
        if kind is None:
            for name, level in self._levels.items():
                logging.getLogger(name).setLevel(level)

    def _connect(self) -> None:
        from distributed import as_completed

        # Nothing from the client's log: it reports a lost scheduler as tracebacks, and our sentence says it.
        self._levels = {name: logging.getLogger(name).level for name in _LOGS}
        for name in _LOGS:
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._client = _client_at(self._address)
        _check_workers(self._client.run(_identity), self._address)
        self.n_workers = sum(self._client.nthreads().values())
        self.n_at_once = _CHUNKS_PER_THREAD * self.n_workers
        completed: Any = as_completed
        self._queue = completed([], with_results=True, loop=self._client.loop)
        self._done = _as_they_come(self._queue, self._client)

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """What Dask raises, as failed work."""
        from distributed import CancelledError, KilledWorker

        try:
            yield
        except (OSError, CancelledError, KilledWorker) as error:
            raise WorkError(
                where=f"--cluster {self._address}",
                got=str(error) or type(error).__name__,
                allowed="a scheduler and workers that stay",
                remedy="What is done is kept; resume with or without --cluster.",
            ) from None


def _client_at(address: str) -> Any:
    from distributed import Client

    connect: Any = Client
    try:
        return connect(address, timeout=_ANSWER_WITHIN, set_as_default=False)
    except (OSError, ValueError) as error:
        raise RunError(
            where=f"--cluster {address}",
            got=str(error) or "no answer",
            allowed="the address of a running Dask scheduler",
            remedy="What is done is kept; resume with or without --cluster.",
        ) from None


def _as_they_come(queue: Any, client: Any) -> Iterator[Any]:
    """Pieces and results as they come; the queue by itself would wait for ever for workers that left."""
    last_seen = last_asked = time.monotonic()
    while not queue.is_empty():
        if queue.has_ready():
            yield next(queue)
            last_seen = time.monotonic()
            continue
        time.sleep(_GLANCE_S)
        now = time.monotonic()
        if now - last_asked < _ROLL_CALL_S:
            continue
        last_asked = now
        if client.nthreads():
            last_seen = now
        elif now - last_seen > _WORKERS_BACK_WITHIN_S:
            raise OSError(f"no worker for {_WORKERS_BACK_WITHIN_S:g} s")


def _identity() -> dict[str, str]:
    """What must be equal on all machines for their numbers to be equal."""
    return {"python": python_version(), **library_versions(), "source": source_hashes()["numbers"]}


def _check_workers(versions: dict[str, dict[str, str]], address: str) -> None:
    """Refuse workers that could give other numbers."""
    here = _identity()
    if not versions:
        raise RunError(where=f"--cluster {address}", got="no worker", allowed="at least one worker")
    for worker, found in versions.items():
        other = {name: f"{found.get(name)}, here {here[name]}" for name in here if found.get(name) != here[name]}
        if other:
            raise RunError(
                where=f"--cluster {address}, worker {worker}",
                got=", ".join(f"{name} {text}" for name, text in other.items()),
                allowed="the same versions everywhere",
                remedy="Install the same requirements file and the same program on all machines.",
            )
