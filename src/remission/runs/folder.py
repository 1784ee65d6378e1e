"""The folder of a run: staged beside its place, sealed with hashes, renamed into place in one step.

Nobody ever sees half a run: the work is done in a hidden folder next to the target and appears under its name only when
``manifest.json``, which lists the SHA-256 of every other file, has been written. A kill leaves at most a hidden
folder whose name begins with ``.staging-``; the next run on the same machine removes it.
"""

import json
import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from remission.errors import ProvenanceError, RunError, WorkError
from remission.provenance import file_hash

__all__ = ["MANIFEST", "SCHEMA", "Run", "Staging", "check_writable", "read_run", "stage_run"]

SCHEMA = 2
"""1: no source hashes, no list of changed parameters. 2: with them. All are read; 2 is written."""
MANIFEST = "manifest.json"
_OUTSIDE = {MANIFEST, "run.json"}
"""Files the manifest does not list: itself, and the facts of the day."""


@dataclass(slots=True)
class Staging:
    """A run being written. ``path`` is the hidden folder; ``seal`` moves it into place."""

    path: Path
    target: Path
    sealed: Path | None = None
    already_there: bool = False

    def seal(self, *, about: dict[str, Any], day: dict[str, Any]) -> Path:
        """Write the manifest and give the folder its name.

        Parameters
        ----------
        about
            What made the run; equal runs have equal content.
        day
            Facts of the day (date, machine, duration).

        Returns
        -------
        The run's folder. An identical run that is already there is kept and ``already_there`` is set.

        Raises
        ------
        RunError
            Another run with the same name and other content is there.
        """
        files = {name: file_hash(self.path / name) for name in _files(self.path)}
        manifest = {"schema": SCHEMA, **about, "files": files}
        _write_json(self.path / MANIFEST, manifest)
        _write_json(self.path / "run.json", day)
        if self.target.exists():
            self._compare(manifest)
            self.sealed, self.already_there = self.target, True
            return self.target
        for path in self.path.rglob("*"):
            _sync(path)
        _sync(self.path)
        try:
            self.path.rename(self.target)
        except OSError:
            # Another process was quicker by a moment.
            if not self.target.exists():
                raise
            self._compare(manifest)
            self.already_there = True
        _sync(self.target.parent)
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

    Parameters
    ----------
    root
        Folder of all runs; made when missing.
    name
        Name of the run's folder.

    Raises
    ------
    RunError
        ``root`` cannot be written to.
    WorkError
        The disk refused half-way.
    """
    check_writable(root)
    _sweep(root)
    prefix = f".staging-{platform.node()}-{os.getpid()}-"
    staging = Staging(path=Path(tempfile.mkdtemp(prefix=prefix, dir=root)), target=root / name)
    staging.path.chmod(0o755)
    try:
        yield staging
    except OSError as error:
        raise WorkError(
            where=str(error.filename or root),
            got=error.strerror or str(error),
            allowed="a folder with space that can be written to",
            remedy="Free space and go on with the same command; no half of a run was left behind.",
        ) from None
    finally:
        if staging.path.exists():
            shutil.rmtree(staging.path, ignore_errors=True)


def _sweep(root: Path) -> None:
    """Remove what killed processes of this machine left behind; living ones and other machines are left alone."""
    for path in root.glob(f".staging-{platform.node()}-*"):
        owner = path.name.split("-")[-2]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(path, ignore_errors=True)


def check_writable(root: Path) -> None:
    """Refuse a folder that cannot hold runs, before any work is done.

    Raises
    ------
    RunError
        ``root`` is a file, or cannot be made or written to.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=root):
            pass
    except OSError as error:
        raise RunError(
            where=str(root),
            got=error.strerror or str(error),
            allowed="a folder that can be written to",
            remedy="Choose another with --out.",
        ) from None


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run that was read and found whole."""

    path: Path
    manifest: dict[str, Any]
    summary: dict[str, Any]


def read_run(path: Path) -> Run:
    """A finished run; every file is compared with its hash.

    Raises
    ------
    RunError
        There is no finished run, or it was made by a newer version of the format.
    ProvenanceError
        A file is missing or differs from its hash.
    """
    manifest = _read_json(path / MANIFEST)
    schema = manifest.get("schema")
    if not isinstance(schema, int) or not 1 <= schema <= SCHEMA:
        raise RunError(
            where=f"{path / MANIFEST}",
            got=f"schema {schema!r}",
            allowed=f"schema {SCHEMA} or older",
            remedy="It was made by a newer version of remission; use that version.",
        )
    for name, expected in manifest["files"].items():
        file = path / name
        if not file.is_file():
            raise ProvenanceError(
                where=str(file), got="no file", allowed="the file that the run wrote", remedy="Run it again."
            )
        if file_hash(file) != expected:
            raise ProvenanceError(
                where=str(file),
                got="content that differs from its hash",
                allowed="the bytes that the run wrote",
                remedy="The file was changed or damaged; run it again.",
            )
    return Run(path=path, manifest=manifest, summary=_read_json(path / "summary.json"))


def _read_json(path: Path) -> dict[str, Any]:
    problem = "not a JSON object"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        content, problem = None, "no file"
    except (OSError, ValueError) as error:
        content, problem = None, str(error)
    if not isinstance(content, dict):
        raise RunError(
            where=str(path),
            got=problem,
            allowed="the folder of a finished run",
            remedy="Unfinished runs leave no folder.",
        )
    return content


def _files(folder: Path) -> list[str]:
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if name not in _OUTSIDE)


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def _sync(path: Path) -> None:
    """Ask the disk to keep what was written; file systems that cannot are left alone."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
