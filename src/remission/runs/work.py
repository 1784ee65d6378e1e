"""A run under way: a folder beside the finished one that holds what is done, and can be taken up again.

The folder ``NAME.unfinished`` holds ``plan.json`` (everything that sets the numbers) and ``chunks.sqlite``. It
disappears when the finished run takes its place. A run taken up again gives the bytes of one that never stopped.
"""

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any, Final

from remission.errors import LibraryError, ProvenanceError, RunError, SpecError, WorkError
from remission.files import make_folder, read_json, remove_folder, write_text
from remission.patient.drawn import Drawing
from remission.patient.parameters import read_parameters
from remission.protocol.record import Protocol
from remission.provenance import library_versions, package_version, source_hashes
from remission.runs.crew import Crew
from remission.runs.folder import PLAN
from remission.runs.identity import UNFINISHED, has_name_of, run_name
from remission.runs.piece import do_part
from remission.runs.shares import check_shares, has_shares, refuse_missing, take_in
from remission.runs.store import ChunkStore
from remission.trial.result import StateCourses, TrialResult
from remission.trial.simulate import TrialPlan, plan_trial

_CHUNKS = "chunks.sqlite"
_SCHEMA = 2
"""1: no diaries, chunks of one size, no source hash. Both are read; 2 is written."""


def work_folder(root: Path, plan: TrialPlan) -> Path:
    """Where the work of a plan is kept."""
    return root / (run_name(root, plan) + UNFINISHED)


def open_work(root: Path, plan: TrialPlan, command: str) -> Path:
    """The work folder of a plan, made when missing; its plan is written in one step.

    A plan that is there already stays: the pieces of work and the command are those of the first start.

    Raises ``WorkError``: the folder cannot be written.
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
        "drawing": None if plan.drawing is None else asdict(plan.drawing),
        "with_diaries": plan.with_diaries,
        "chunk_replicates": plan.chunk_replicates,
        "source_sha256": source_hashes()["numbers"],
        "libraries": _libraries(),
    }
    try:
        make_folder(folder)
        if not (folder / PLAN).exists():
            write_text(folder / PLAN, json.dumps(content, indent=1))
    except SpecError:
        # Another process, which began the same run, was quicker by a moment: its plan is the same.
        if not (folder / PLAN).is_file():
            raise
    except RunError as error:
        raise WorkError(where=error.where, got=error.got, allowed=error.allowed, remedy=error.remedy) from None
    return folder


def read_work(folder: Path) -> tuple[TrialPlan, str]:
    """The plan of a run under way, and the command that began it.

    Raises ``RunError``: the folder holds no plan, or one of another version or other code; ``ProvenanceError``: the
    plan was changed or damaged.
    """
    place = folder / PLAN
    if not place.is_file():
        raise RunError(where=str(folder), got="no readable plan", allowed=f"a folder that ends in {UNFINISHED}")
    try:
        content = read_json(place, allowed="the plan that was written")
    except RunError as error:
        raise _damaged(place, str(error.got)) from None
    if not {"schema", "version"} <= set(content):
        raise _damaged(place, "no schema or no version")
    _check_version(place, content)
    for name, kind in _KINDS.items():
        value = content.get(name)
        if not isinstance(value, kind) or isinstance(value, bool):
            raise _damaged(place, f"no {name}" if name not in content else f"{value!r} as {name}")
    with_diaries, pieces = content.get("with_diaries", False), content.get("chunk_replicates")
    if not isinstance(with_diaries, bool) or not (pieces is None or (isinstance(pieces, int) and pieces > 0)):
        raise _damaged(place, f"{with_diaries!r} and {pieces!r} as diaries and replicates of a piece")
    try:
        plan = plan_trial(
            Protocol.from_dict(content["protocol"], is_stored=True),
            n_replicates=content["n_replicates"],
            seed=content["seed"],
            parameter_set=content["parameter_set"],
            parameters=read_parameters(content["parameters"]),
            drawing=Drawing.from_stored(content.get("drawing")),
            with_diaries=with_diaries,
            chunk_replicates=pieces,
        )
    except (SpecError, LibraryError) as error:
        raise _damaged(place, f"a plan that is not valid ({error})") from None
    if not (folder.name.endswith(UNFINISHED) and has_name_of(plan, folder.name)):
        raise ProvenanceError(
            where=str(folder / PLAN),
            got="a plan that does not belong to this folder",
            allowed="the plan that was written",
            remedy="It was changed; delete the folder and start the run again.",
        )
    return plan, str(content["command"])


_KINDS: Final[dict[str, type]] = {
    "protocol": dict, "parameters": dict, "command": str, "parameter_set": str, "seed": int, "n_replicates": int,
}  # fmt: skip


def _damaged(place: Path, got: str) -> ProvenanceError:
    return ProvenanceError(
        where=str(place), got=got, allowed="the plan that was written",
        remedy="It was changed or damaged; delete the folder and start the run again.",
    )  # fmt: skip


def _check_version(path: Path, content: dict[str, Any]) -> None:
    """Refuse a plan that this program would not finish with the numbers it was begun with."""
    schema, version, code = content["schema"], content["version"], content.get("source_sha256")
    here = source_hashes()["numbers"]
    is_known = isinstance(schema, int) and 1 <= schema <= _SCHEMA
    if not is_known or version != package_version():
        raise RunError(
            where=str(path),
            got=f"schema {schema}, version {version}",
            allowed=f"schema {_SCHEMA} or older, version {package_version()}",
            remedy="Go on with the version that began it: another one could change the numbers half-way.",
        )
    if code not in {None, here}:
        raise RunError(
            where=str(path),
            got=f"version {version} with other code ({str(code)[:12]})",
            allowed=f"the code that began it (here {here[:12]})",
            remedy="Go on with that code, or delete the folder and start the run again.",
        )
    libraries = content.get("libraries")
    if libraries is not None and libraries != _libraries():
        raise RunError(
            where=str(path), got=f"a run begun with {libraries}",
            allowed=f"the libraries that began it (here {_libraries()})",
            remedy="Go on with those libraries, or delete the folder and start the run again.",
        )  # fmt: skip


def _libraries() -> str:
    """The libraries that can move a number, with their versions; who draws comes later."""
    return ", ".join(f"{name} {number}" for name, number in library_versions().items() if name not in _MOVE_NO_NUMBER)


_MOVE_NO_NUMBER = {"remission", "matplotlib"}


def run_chunks(
    folder: Path,
    plan: TrialPlan,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    crew: Crew | None = None,
) -> TrialResult:
    """Do the chunks that are missing, keep each as it is done, and put all together.

    ``on_progress``: called with (replicates done, replicates in all) after each chunk. ``crew``: who works;
    ``None``: this process. Raises ``WorkError``: the disk refuses,
    or those who work are lost; ``ProvenanceError``: a kept chunk is damaged.
    """
    chunks = plan.chunks
    with ChunkStore(folder / _CHUNKS) as store:
        take_in(folder, plan, store)
        finished = store.finished()
        done = sum(chunk.count for chunk in chunks if chunk.first in finished)
        if on_progress is not None and done:
            on_progress(done, plan.n_replicates)
        missing = [chunk for chunk in chunks if chunk.first not in finished]
        crew = crew or Crew()
        # The states are the longest part, so several workers begin with them; alone they come when all is kept.
        parts = [None, *missing] if crew.n_workers > 1 else missing
        states = None
        with closing(crew.as_done(partial(do_part, plan), parts)) as found:
            for part in found:
                if isinstance(part, StateCourses):
                    states = part
                    continue
                store.save(part)
                done += part.chunk.count
                if on_progress is not None:
                    on_progress(done, plan.n_replicates)
        return plan.finish([store.load(chunk) for chunk in chunks], states)


def merge_shares(folder: Path, plan: TrialPlan) -> None:
    """Put what all shares have done into the store of their run.

    Raises ``WorkError``: pieces are missing, or the disk refuses; ``RunError``: pieces of another plan are there;
    ``ProvenanceError``: a piece is damaged.
    """
    with ChunkStore(folder / _CHUNKS) as store:
        take_in(folder, plan, store)
        refuse_missing(folder, plan, store.finished())


def write_work_diaries(folder: Path, plan: TrialPlan, path: Path) -> None:
    """Write the diaries of a run whose chunks are all done.

    Raises ``ProvenanceError``: kept diaries are damaged; ``OSError``: the file cannot be written.
    """
    from remission.runs.diaries import write_diaries

    with ChunkStore(folder / _CHUNKS) as store:
        write_diaries(plan, map(store.load_diary, plan.chunks), path)


def verify_work(folder: Path, plan: TrialPlan) -> tuple[int, int]:
    """Check every kept chunk against its hash; replicates done, replicates in all.

    Raises ``ProvenanceError``: a kept chunk is damaged.
    """
    of_shares = check_shares(folder)
    with ChunkStore(folder / _CHUNKS) as store:
        finished = store.finished()
        for chunk in plan.chunks:
            if chunk.first in finished:
                store.load(chunk)
                if plan.with_diaries:
                    store.load_diary(chunk)
    done = sum(chunk.count for chunk in plan.chunks if chunk.first in finished | of_shares)
    return done, plan.n_replicates


def has_chunks(folder: Path) -> bool:
    """Whether work was kept in a folder."""
    if has_shares(folder):
        return True
    if not (folder / _CHUNKS).is_file():
        return False
    with ChunkStore(folder / _CHUNKS) as store:
        return bool(store.finished())


def discard_work(folder: Path) -> None:
    """Remove the work of a run that is finished."""
    remove_folder(folder)
