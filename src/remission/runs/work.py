"""A run under way: a folder beside the finished one that holds what is done, and can be taken up again.

The folder ``NAME.unfinished`` holds ``plan.json`` (everything that sets the numbers) and ``chunks.sqlite``. It
disappears when the finished run takes its place. A run taken up again gives the bytes of one that never stopped.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from remission.errors import ProvenanceError, RunError
from remission.patient.parameters import CourseParameters
from remission.provenance import package_version
from remission.records.protocol import Protocol
from remission.runs.identity import run_name
from remission.runs.store import ChunkStore
from remission.trial.chunk import Chunk, ChunkResult
from remission.trial.result import TrialResult
from remission.trial.simulate import TrialPlan, plan_trial

__all__ = [
    "UNFINISHED",
    "discard_work",
    "is_unfinished",
    "open_work",
    "read_work",
    "run_chunks",
    "run_here",
    "verify_work",
    "work_folder",
]

UNFINISHED = ".unfinished"
_PLAN = "plan.json"
_CHUNKS = "chunks.sqlite"
_SCHEMA = 1


def work_folder(root: Path, plan: TrialPlan) -> Path:
    """Where the work of a plan is kept."""
    return root / (run_name(plan.protocol, plan.parameters, plan.n_replicates, plan.seed) + UNFINISHED)


def is_unfinished(folder: Path) -> bool:
    """Whether a folder is a run under way."""
    return (folder / _PLAN).is_file()


def open_work(root: Path, plan: TrialPlan, command: str) -> Path:
    """The work folder of a plan, made when missing; its plan is written in one step.

    Raises
    ------
    RunError
        The folder cannot be written.
    """
    folder = work_folder(root, plan)
    content = {
        "schema": _SCHEMA,
        "version": package_version(),
        "command": command,
        "protocol": plan.protocol.to_dict(),
        "n_replicates": plan.n_replicates,
        "seed": plan.seed,
        "parameter_set": plan.parameter_set,
        "parameters": asdict(plan.parameters),
    }
    try:
        folder.mkdir(exist_ok=True)
        if not (folder / _PLAN).exists():
            draft = folder / f"{_PLAN}.{os.getpid()}"
            draft.write_text(json.dumps(content, indent=1), encoding="utf-8")
            draft.replace(folder / _PLAN)
    except OSError as error:
        raise RunError(
            where=str(folder), got=error.strerror or str(error), allowed="a folder that can be written to"
        ) from None
    return folder


def read_work(folder: Path) -> tuple[TrialPlan, str]:
    """The plan of a run under way, and the command that began it.

    Raises
    ------
    RunError
        The folder holds no plan, or one of another version.
    SpecError
        The plan was changed and is no longer valid.
    """
    try:
        content: dict[str, Any] = json.loads((folder / _PLAN).read_text(encoding="utf-8"))
        schema, version = content["schema"], content["version"]
    except (OSError, ValueError, KeyError, TypeError):
        raise RunError(
            where=str(folder), got="no readable plan", allowed=f"a folder that ends in {UNFINISHED}"
        ) from None
    if schema != _SCHEMA or version != package_version():
        raise RunError(
            where=str(folder / _PLAN),
            got=f"schema {schema}, version {version}",
            allowed=f"schema {_SCHEMA}, version {package_version()}",
            remedy="Go on with the version that began it: another one could change the numbers half-way.",
        )
    plan = plan_trial(
        Protocol.from_dict(content["protocol"]),
        n_replicates=content["n_replicates"],
        seed=content["seed"],
        parameter_set=content["parameter_set"],
        parameters=CourseParameters(**content["parameters"]),
    )
    if work_folder(folder.parent, plan).name != folder.name:
        raise ProvenanceError(
            where=str(folder / _PLAN),
            got="a plan that does not belong to this folder",
            allowed="the plan that was written",
            remedy="It was changed; delete the folder and start the run again.",
        )
    return plan, str(content["command"])


def run_here(plan: TrialPlan, chunks: Sequence[Chunk]) -> Iterator[ChunkResult]:
    """The chunks one after the other, in this process."""
    return map(plan.run, chunks)


def run_chunks(
    folder: Path,
    plan: TrialPlan,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    do: Callable[[TrialPlan, Sequence[Chunk]], Iterator[ChunkResult]] = run_here,
) -> TrialResult:
    """Do the chunks that are missing, keep each as it is done, and put all together.

    Parameters
    ----------
    on_progress
        Called with (replicates done, replicates in all) after each chunk.
    do
        Who works: gives the results of chunks in any order. Where and in which order changes no number.

    Raises
    ------
    RunError
        The disk refuses.
    ProvenanceError
        A kept chunk is damaged.
    """
    chunks = plan.chunks
    with ChunkStore(folder / _CHUNKS) as store:
        finished = store.finished()
        done = sum(chunk.count for chunk in chunks if chunk.first in finished)
        if on_progress is not None and done:
            on_progress(done, plan.n_replicates)
        for result in do(plan, [chunk for chunk in chunks if chunk.first not in finished]):
            store.save(result)
            done += result.chunk.count
            if on_progress is not None:
                on_progress(done, plan.n_replicates)
        return plan.finish([store.load(chunk) for chunk in chunks])


def verify_work(folder: Path, plan: TrialPlan) -> tuple[int, int]:
    """Check every kept chunk against its hash; replicates done, replicates in all.

    Raises
    ------
    ProvenanceError
        A kept chunk is damaged.
    """
    with ChunkStore(folder / _CHUNKS) as store:
        finished = store.finished()
        kept = [store.load(chunk) for chunk in plan.chunks if chunk.first in finished]
    return sum(result.chunk.count for result in kept), plan.n_replicates


def discard_work(folder: Path) -> None:
    """Remove the work of a run that is finished."""
    shutil.rmtree(folder, ignore_errors=True)
