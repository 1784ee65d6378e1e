"""Work on many machines: chunks handed to the workers of a Dask scheduler.

A worker that dies costs time only: the scheduler gives its chunks to another, and a chunk gives the same bytes wherever
it is done. A few chunks per worker are under way at a time, so no machine's memory grows with the run. Needs the
optional package ``distributed``.
"""

import logging
import re
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Any

from remission.errors import RunError, WorkError
from remission.extras import telling_extras
from remission.provenance import library_versions, python_version, source_hashes
from remission.runs.piece import Doer, Piece, do_piece
from remission.trial.chunk import Chunk
from remission.trial.simulate import TrialPlan

__all__ = ["on_cluster"]

_ANSWER_WITHIN = "10s"
_WORKERS_BACK_WITHIN_S = 120.0
_GLANCE_S = 0.02
_ROLL_CALL_S = 2.0
_CHUNKS_PER_THREAD = 3
_LOGS = ("distributed", "distributed.client", "distributed.utils_comm", "tornado", "tornado.application", "asyncio")
_ADDRESS = re.compile(r"(?:(?:tcp|tls|ucx|ws|wss)://)?(?:\[[^\]]+\]|[^:/\[\]]+):\d+")


def on_cluster(address: str) -> Doer:
    """A way to do chunks: on the scheduler at ``address``, for example ``tcp://10.0.0.5:8786``.

    Raises ``RunError``: ``address`` is none; and when the chunks are asked for: ``distributed`` is not installed,
    nobody answers, no worker is there, or a worker has other versions or other code; ``WorkError``: the scheduler went
    away, all workers left and none came back, or a chunk killed every worker it was given to.
    """
    # Asked before any work; the client itself stumbles over such an address when it is thrown away.
    if not _ADDRESS.fullmatch(address):
        raise RunError(where="--cluster", got=address, allowed="host and port, for example tcp://10.0.0.5:8786")

    def do(plan: TrialPlan, chunks: Sequence[Chunk]) -> Generator[Piece, None, None]:
        with telling_extras("--cluster"):
            from distributed import CancelledError, KilledWorker
        with _quiet_log():
            client = _connect(address)
            try:
                yield from _on_client(client, address, plan, chunks)
            except (OSError, CancelledError, KilledWorker) as error:
                raise WorkError(
                    where=f"--cluster {address}",
                    got=str(error) or type(error).__name__,
                    allowed="a scheduler and workers that stay",
                    remedy="What is done is kept; resume with or without --cluster.",
                ) from None
            finally:
                client.close(timeout=1.0)

    return do


@contextmanager
def _quiet_log() -> Iterator[None]:
    """Nothing from the client's log: it reports a lost scheduler as tracebacks, and our sentence says it."""
    logs = [logging.getLogger(name) for name in _LOGS]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.CRITICAL + 1)
    yield
    # After an error or Ctrl-C it stays quiet: connections that break late are reported late.
    for log, level in zip(logs, levels, strict=True):
        log.setLevel(level)


def _connect(address: str) -> Any:
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


def _on_client(client: Any, address: str, plan: TrialPlan, chunks: Sequence[Chunk]) -> Generator[Piece, None, None]:
    from distributed import as_completed

    _check_workers(client.run(_identity), address)
    shared = client.scatter(plan, broadcast=True)
    waiting = iter(chunks)
    at_once = _CHUNKS_PER_THREAD * sum(client.nthreads().values())
    first = [client.submit(do_piece, shared, chunk, pure=False) for chunk in islice(waiting, at_once)]
    completed: Any = as_completed
    queue = completed(first, with_results=True, loop=client.loop)
    del first
    for piece in _as_they_come(queue, client):
        for chunk in islice(waiting, 1):
            queue.add(client.submit(do_piece, shared, chunk, pure=False))
        if isinstance(piece, BaseException):  # a lost scheduler gives errors in the place of results
            raise piece
        yield piece


def _as_they_come(queue: Any, client: Any) -> Generator[Any, None, None]:
    """Results in the order in which they come; the queue by itself would wait for ever for workers that left."""
    last_seen = last_asked = time.monotonic()
    while not queue.is_empty():
        if queue.has_ready():
            yield next(queue)[1]
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
