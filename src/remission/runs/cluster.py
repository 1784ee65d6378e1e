"""Work on many machines: chunks handed to the workers of a Dask scheduler.

A worker that dies costs time only: the scheduler gives its chunks to another, and a chunk gives the same bytes wherever
it is done. Needs the optional package ``distributed``.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from remission.errors import RunError
from remission.provenance import library_versions
from remission.trial.chunk import Chunk, ChunkResult
from remission.trial.simulate import TrialPlan

__all__ = ["on_cluster"]

_ANSWER_WITHIN = "20s"


def on_cluster(address: str) -> Callable[[TrialPlan, Sequence[Chunk]], Iterator[ChunkResult]]:
    """A way to do chunks: on the scheduler at ``address``, for example ``tcp://10.0.0.5:8786``.

    Raises
    ------
    RunError
        When the chunks are asked for: ``distributed`` is not installed, nobody answers, no worker is there, or a worker
        has other versions.
    """

    def do(plan: TrialPlan, chunks: Sequence[Chunk]) -> Iterator[ChunkResult]:
        try:
            from distributed import Client, as_completed
        except ImportError:
            raise RunError(
                where="--cluster",
                got="no package distributed",
                allowed="an installation with it",
                remedy="Install remission with its extra: remission[cluster].",
            ) from None
        try:
            connect: Any = Client
            completed: Any = as_completed
            client = connect(address, timeout=_ANSWER_WITHIN, set_as_default=False)
        except (OSError, ValueError) as error:
            raise RunError(
                where=f"--cluster {address}",
                got=str(error) or "no answer",
                allowed="the address of a running Dask scheduler",
                remedy="What is done is kept; resume with or without --cluster.",
            ) from None
        with client:
            _check_workers(client.run(library_versions), address)
            shared = client.scatter(plan, broadcast=True)
            futures = [client.submit(_run, shared, chunk, pure=False) for chunk in chunks]
            for _, result in completed(futures, with_results=True, loop=client.loop):
                yield result

    return do


def _run(plan: TrialPlan, chunk: Chunk) -> ChunkResult:
    return plan.run(chunk)


def _check_workers(versions: dict[str, dict[str, str]], address: str) -> None:
    """Refuse workers that could give other numbers."""
    here = library_versions()
    if not versions:
        raise RunError(where=f"--cluster {address}", got="no worker", allowed="at least one worker")
    for worker, found in versions.items():
        other = {name: f"{found.get(name)}, here {here[name]}" for name in here if found.get(name) != here[name]}
        if other:
            raise RunError(
                where=f"--cluster {address}, worker {worker}",
                got=", ".join(f"{name} {text}" for name, text in other.items()),
                allowed="the same versions everywhere",
                remedy="Install the same requirements file on all machines.",
            )
