"""The folder of a run: staged beside its place, sealed with hashes, renamed into place in one step.

Nobody ever sees half a run: the work is done in a hidden folder next to the target and appears under its name only when
``manifest.json``, which lists the SHA-256 of every other file, has been written. A kill leaves at most a hidden
folder whose name begins with ``.staging-``; the next run on the same machine removes it.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from remission.errors import ProvenanceError, RunError, WorkError
from remission.files import check_folder, move, read_json, staged_folder, sweep, write_text
from remission.protocol.file import read_protocol
from remission.provenance import file_hash

SCHEMA = 3
"""1: no source hashes, no list of changed parameters. 2: with them. 3: sealed. All are read; 3 is written."""
MANIFEST = "manifest.json"
DIARIES = "diaries.parquet"
"""The file of everybody's days."""
PLAN = "plan.json"
"""The file in the folder of a run under way that says what sets its numbers."""
SEAL = "SHA256SUMS"
_SEALED = (MANIFEST, "run.json")
_OUTSIDE = {*_SEALED, SEAL}
"""Files the manifest does not list: itself, the facts of the day, and the seal, which holds the hashes of both."""
_ALWAYS = {"protocol.yaml", "summary.json", "estimates.parquet", "arms.parquet", "course.parquet"}
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_LITTER = {".DS_Store", "Thumbs.db", "desktop.ini"}
"""Files that a desktop puts into every folder it shows."""


def is_unfinished(folder: Path) -> bool:
    """Whether a folder is a run under way."""
    return (folder / PLAN).is_file()


@dataclass(slots=True)
class Staging:
    """A run being written. ``path`` is the hidden folder; ``seal`` moves it into place."""

    path: Path
    target: Path
    sealed: Path | None = None
    already_there: bool = False

    def seal(self, *, about: dict[str, Any], day: dict[str, Any]) -> Path:
        """Write the manifest and give the folder its name.

        ``about``: what made the run; equal runs have equal content. ``day``: facts of the day (date, machine,
        duration). Returns the run's folder. An identical run that is already there is kept and ``already_there`` is
        set. Raises ``RunError``: another run with the same name and other content is there.
        """
        files = {name: _hash(self.path / name) for name in _files(self.path)}
        manifest = {"schema": SCHEMA, **about, "files": files}
        _write_json(self.path / MANIFEST, manifest)
        _write_json(self.path / "run.json", day)
        write_text(self.path / SEAL, _seal_of(self.path))
        if self.target.exists():
            self._compare(manifest)
            self.sealed, self.already_there = self.target, True
            return self.target
        try:
            move(self.path, self.target)
        except OSError:
            # Another process was quicker by a moment.
            if not self.target.exists():
                raise
            self._compare(manifest)
            self.already_there = True
        self.sealed = self.target
        return self.target

    def _compare(self, manifest: dict[str, Any]) -> None:
        try:
            is_same = read_run(self.target).manifest["files"] == manifest["files"]
        except (ProvenanceError, RunError):
            is_same = False
        if not is_same:
            raise RunError(
                where=str(self.target),
                got="a folder with other content",
                allowed="no folder of that name, or an identical run",
                remedy="Move it away or choose another --out; nothing was overwritten.",
            )


@contextmanager
def stage_run(root: Path, name: str) -> Iterator[Staging]:
    """A hidden folder to write a run into; it is removed again unless it was sealed.

    ``root``: folder of all runs; made when missing. ``name``: name of the run's folder. Raises ``RunError``: ``root``
    cannot be written to; ``WorkError``: the disk refused half-way.
    """
    check_folder(root)
    sweep(root)
    try:
        with staged_folder(root) as path:
            yield Staging(path=path, target=root / name)
    except OSError as error:
        raise WorkError(
            where=str(error.filename or root),
            got=error.strerror or str(error),
            allowed="a folder with space that can be written to",
            remedy="Free space and go on with the same command; no half of a run was left behind.",
        ) from None


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run that was read and found whole."""

    path: Path
    manifest: dict[str, Any]
    summary: dict[str, Any]


def read_run(path: Path) -> Run:
    """A finished run; every file is compared with its hash.

    Raises ``RunError``: there is no finished run, or it was made by a newer version of the format; ``ProvenanceError``:
    the record of the run is damaged, or a file is missing or differs from its hash.
    """
    manifest = _manifest(path)
    for name, expected in manifest["files"].items():
        file = path / name
        if not file.is_file():
            raise ProvenanceError(
                where=str(file), got="no file", allowed="the file that the run wrote", remedy="Run it again."
            )
        if _hash(file) != expected:
            raise ProvenanceError(
                where=str(file),
                got="content that differs from its hash",
                allowed="the bytes that the run wrote",
                remedy="The file was changed or damaged; run it again.",
            )
    summary = _damage_said(path / "summary.json")
    if manifest["schema"] >= _FIRST_SEALED:
        _check_seal(path)
    return Run(path=path, manifest=manifest, summary=summary)


_FIRST_SEALED = 3


def check_contents(run: Run) -> None:
    """Read every table and record of a run, and look for files that it did not write.

    Raises ``ProvenanceError``: a file cannot be read as what it is, whatever its hash, or is not of the run.
    """
    import pyarrow as pa  # who reads a summary needs no tables

    for name in run.manifest["files"]:
        file = run.path / name
        try:
            problem = _content_problem(file)
        except (OSError, ValueError, RunError, pa.ArrowException) as error:
            problem = str(error)
        if problem:
            raise ProvenanceError(
                where=str(file), got=f"a file that cannot be read ({problem[:120]})", allowed="what the run wrote",
                remedy="The file was changed or damaged, and its hash with it; run it again.",
            )  # fmt: skip
    if (run.path / "run.json").exists():
        _damage_said(run.path / "run.json")
    protocol = read_protocol(run.path / "protocol.yaml", is_stored=True)
    if protocol.id != run.manifest["protocol"] or run.summary.get("protocol") != protocol.id:
        raise ProvenanceError(
            where=str(run.path / MANIFEST), got="another protocol than that of the folder", allowed=protocol.id,
            remedy="The record was changed; run it again.",
        )  # fmt: skip
    known = {run.path / name for name in (*run.manifest["files"], *_OUTSIDE)}
    known |= {folder for file in known for folder in file.parents}
    for place in sorted(run.path.rglob("*")):
        if place not in known and not (place.name in _LITTER and place.is_file()):
            kind = "folder" if place.is_dir() else "file"
            raise ProvenanceError(
                where=str(place), got=f"a {kind} that the run did not write", allowed="its own files only",
                remedy="Move it out of the folder.",
            )  # fmt: skip


def _content_problem(file: Path) -> str:
    if file.suffix == ".parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(file) as table:
            for group in range(table.num_row_groups):
                table.read_row_group(group)
            return "" if table.metadata.num_rows else "no rows"
    if file.suffix == ".json":
        read_json(file, allowed="the record that the run wrote")
    if file.suffix in _BEGINS:
        with file.open("rb") as stream:
            begin = stream.read(64).lstrip().lower()
        return "" if begin.startswith(_BEGINS[file.suffix]) else "another kind of content"
    return "" if file.stat().st_size else "nothing in it"


_BEGINS: Final = {".svg": b"<?xml", ".html": b"<!doctype html", ".png": b"\x89png"}


def _manifest(path: Path) -> dict[str, Any]:
    """The manifest, whole and of the right kinds."""
    place = path / MANIFEST
    if not place.is_file() and not any((path / name).is_file() for name in _ALWAYS):
        return _read(place)
    manifest = _damage_said(place)
    schema = manifest.get("schema")
    if not isinstance(schema, int) or isinstance(schema, bool) or not 1 <= schema <= SCHEMA:
        raise RunError(
            where=str(place),
            got=f"schema {schema!r}",
            allowed=f"schema {SCHEMA} or older",
            remedy="It was made by a newer version of remission; use that version.",
        )
    files = manifest.get("files")
    if not isinstance(files, dict) or not set(files) >= _ALWAYS:
        missing = sorted(_ALWAYS - set(files)) if isinstance(files, dict) else ["files"]
        raise _damaged(place, f"no {missing[0]}")
    for name, expected in files.items():
        parts = Path(name).parts
        if not isinstance(expected, str) or not _HASH.fullmatch(expected):
            raise _damaged(place, f"{expected!r} as the hash of {name}")
        if not parts or Path(name).is_absolute() or ".." in parts or "\0" in name:
            raise _damaged(place, f"{name!r} as a file of the run")
    for name, kinds in _KINDS.items():
        value = manifest.get(name)
        if not isinstance(value, kinds) or isinstance(value, bool) or not value:
            if name == "seed" and value == 0 and not isinstance(value, bool):
                continue
            raise _damaged(place, f"no {name}" if name not in manifest else f"{value!r} as {name}")
    return manifest


_KINDS: Final[dict[str, type]] = {
    "command": str, "protocol": str, "protocol_sha256": str, "parameter_set": str, "parameters": dict,
    "versions": dict, "seed": int, "n_replicates": int,
}  # fmt: skip


def _damaged(place: Path, got: str) -> ProvenanceError:
    return ProvenanceError(
        where=str(place), got=got, allowed="the record that the run wrote",
        remedy="The file was changed or damaged; run it again.",
    )  # fmt: skip


def _damage_said(place: Path) -> dict[str, Any]:
    """What a file of a run holds; where it cannot be read the run is damaged."""
    try:
        return _read(place)
    except RunError as error:
        raise _damaged(place, str(error.got)) from None


def _seal_of(path: Path) -> str:
    return "".join(f"{_hash(path / name)}  {name}\n" for name in _SEALED)


def _check_seal(path: Path) -> None:
    for name in (*_SEALED, SEAL):
        if not (path / name).is_file():
            raise _damaged(path / name, "no file")
    try:
        found = (path / SEAL).read_bytes()
    except OSError as error:
        raise _damaged(path / SEAL, error.strerror or str(error)) from None
    if found != _seal_of(path).encode():
        raise ProvenanceError(
            where=f"{path / MANIFEST}, run.json or {SEAL}", got="content that differs from the seal",
            allowed="the bytes that the run wrote", remedy="One of them was changed or damaged; run it again.",
        )  # fmt: skip


def _hash(file: Path) -> str:
    try:
        return file_hash(file)
    except OSError as error:
        raise ProvenanceError(
            where=str(file), got=error.strerror or str(error), allowed="a file that can be read",
            remedy="Check its permissions.",
        ) from None  # fmt: skip


def _read(path: Path) -> dict[str, Any]:
    return read_json(path, allowed="the folder of a finished run", remedy="Unfinished runs leave no folder.")


def _files(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name not in _OUTSIDE)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    write_text(path, json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
