"""The chunks of a run that is under way: one SQLite file that survives a kill at any moment.

A chunk is written in one transaction (write-ahead log, ``synchronous=FULL``) with the SHA-256 of its bytes. Two
processes may work on one store: a chunk that is there already is left alone, for both would write the same bytes.
"""

import hashlib
import io
import json
import math
import sqlite3
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np

from remission.analyses.estimate import Estimates, Status
from remission.errors import ProvenanceError, RunError, WorkError
from remission.runs.piece import Piece
from remission.trial.chunk import Chunk, ChunkResult
from remission.trial.result import ArmValues, CourseCounts

_ATTEMPTS = 100
SCHEMA = 3
"""1: chunks only, no number in the file. 2: diaries too; the number stands in SQLite's ``user_version``. 3: arrays one
after the other in a payload, which was an archive of NumPy before; both are read."""
_COLUMNS = "first INTEGER PRIMARY KEY, count INTEGER NOT NULL, sha256 TEXT NOT NULL, payload BLOB NOT NULL"
_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS chunk ({_COLUMNS});
CREATE TABLE IF NOT EXISTS diary ({_COLUMNS});
PRAGMA user_version={SCHEMA};
COMMIT
"""


class ChunkStore:
    """Finished chunks on disk. Use as a context manager.

    ``path``: the SQLite file; made when missing. Raises ``RunError``: the file was made by a newer version of the
    format; ``WorkError``: the file is no chunk store, or the disk refuses.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with self._said():
            self._connection = sqlite3.connect(path, timeout=60.0, isolation_level=None)
        try:
            self._open()
        except BaseException:
            self._connection.close()
            raise

    def _open(self) -> None:
        """Read the number of the format and make what is missing."""
        with self._said():
            self._use_write_ahead_log()
            self._connection.execute("PRAGMA synchronous=FULL")
            (found,) = self._connection.execute("PRAGMA user_version").fetchone()
            if found < SCHEMA:
                self._connection.executescript(_TABLES)
        if found > SCHEMA:
            raise RunError(
                where=str(self.path),
                got=f"schema {found}",
                allowed=f"schema {SCHEMA} or older",
                remedy="It was made by a newer version of remission; use that version.",
            )

    def _use_write_ahead_log(self) -> None:
        """Turn the log on; SQLite does not wait for another process that is just doing the same, so we do."""
        for attempt in range(_ATTEMPTS):
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or attempt + 1 == _ATTEMPTS:
                    raise
                time.sleep(0.1)
            else:
                return

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()

    def save(self, piece: Piece) -> None:
        """Keep a chunk, its diaries with it or not at all; one that is there already is left alone.

        Raises ``WorkError``: the disk refuses.
        """
        self.keep(piece.result.chunk, pack(piece.result), piece.diary)

    def keep(self, chunk: Chunk, payload: bytes, diary: bytes | None) -> None:
        """Keep a chunk that is packed; as ``save``."""
        with self._said():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for table, content in (("chunk", payload), ("diary", diary)):
                    if content is not None:
                        row = (chunk.first, chunk.count, hashlib.sha256(content).hexdigest(), content)
                        self._connection.execute(f"INSERT OR IGNORE INTO {table} VALUES (?, ?, ?, ?)", row)  # noqa: S608 - two names, written above
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def finished(self) -> set[int]:
        """First replicates of the chunks that are there."""
        with self._said():
            return {first for (first,) in self._connection.execute("SELECT first FROM chunk") if isinstance(first, int)}

    def load(self, chunk: Chunk) -> ChunkResult:
        """A finished chunk.

        Raises ``ProvenanceError``: it is missing, is another chunk, or its bytes differ from their hash.
        """
        payload = self._read("chunk", chunk)
        try:
            return _unpack(chunk, payload)
        except _UNREADABLE as error:
            raise ProvenanceError(
                where=f"{self.path}, chunk {chunk.first}", got=f"content that cannot be read ({error})",
                allowed="a finished chunk",
                remedy="The file was changed or damaged; delete the unfinished run and start it again.",
            ) from None  # fmt: skip

    def load_diary(self, chunk: Chunk) -> bytes:
        """The diaries of a finished chunk.

        Raises ``ProvenanceError``: they are missing, or their bytes differ from their hash.
        """
        return self._read("diary", chunk)

    def _read(self, table: str, chunk: Chunk) -> bytes:
        with self._said():
            query = f"SELECT count, sha256, payload FROM {table} WHERE first = ?"  # noqa: S608 - one of two names
            row = self._connection.execute(query, (chunk.first,)).fetchone()
        where = f"{self.path}, {table} {chunk.first}"
        if row is None:
            raise ProvenanceError(where=where, got="nothing", allowed="a finished chunk", remedy="Resume the run.")
        count, expected, payload = row
        if not isinstance(payload, bytes) or count != chunk.count or hashlib.sha256(payload).hexdigest() != expected:
            raise ProvenanceError(
                where=where,
                got="content that differs from its hash",
                allowed="the bytes that were written",
                remedy="The file was changed or damaged; delete the unfinished run and start it again.",
            )
        return bytes(payload)

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Turn the database's errors into ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise WorkError(
                where=str(self.path),
                got=str(error),
                allowed="a chunk store on a disk with space",
                remedy="Free space and resume the run; a damaged file: delete the unfinished run and start it again.",
            ) from None


def pack(result: ChunkResult) -> bytes:
    """The arrays of a chunk as one block of bytes; equal chunks give equal bytes."""
    arrays: dict[str, np.ndarray] = {f"counts/{name}": getattr(result.counts, name) for name in _COUNTS}
    for name, values in result.arms.items():
        arrays |= {f"arms/{name}/{field}": getattr(values, field) for field in _ARMS}
    for name, found in result.estimates.items():
        arrays |= {f"estimates/{name}/{field}": getattr(found, field) for field in _ESTIMATES}
        arrays[f"estimates/{name}/status"] = np.array([_STATUS.index(status) for status in found.status], dtype=np.int8)
    return _joined(arrays)


def _joined(arrays: dict[str, np.ndarray]) -> bytes:
    """A line of JSON with names, types and shapes, then the numbers of each array in that order.

    An archive of NumPy has a file for each array: written and read, it took a tenth of a short run.
    """
    plain = {name: np.ascontiguousarray(values) for name, values in arrays.items()}
    head = [[name, values.dtype.str, values.shape] for name, values in plain.items()]
    return b"".join([json.dumps(head).encode(), b"\n", *(values.tobytes() for values in plain.values())])


def _parted(payload: bytes) -> dict[str, np.ndarray]:
    """The arrays of a payload."""
    if payload.startswith(_ARCHIVE):
        with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    place = payload.index(b"\n") + 1
    arrays = {}
    for name, kind, shape in json.loads(payload[: place - 1]):
        count = math.prod(shape)
        arrays[name] = np.frombuffer(payload, kind, count, place).reshape(shape).copy()
        place += arrays[name].nbytes
    if place != len(payload):
        raise ValueError(f"{len(payload) - place} bytes too many")
    return arrays


def _unpack(chunk: Chunk, payload: bytes) -> ChunkResult:
    arms: dict[str, dict[str, Any]] = {}
    estimates: dict[str, dict[str, Any]] = {}
    counts: dict[str, Any] = {}
    for key, values in _parted(payload).items():
        kind, *name = key.split("/")
        if kind == "counts":
            counts[name[0]] = values
        else:
            (arms if kind == "arms" else estimates).setdefault(name[0], {})[name[1]] = values
    for fields in estimates.values():
        fields["status"] = tuple(_STATUS[code] for code in fields["status"])
    return ChunkResult(
        chunk=chunk,
        arms={name: ArmValues(**values) for name, values in arms.items()},
        estimates={name: Estimates(**values) for name, values in estimates.items()},
        counts=CourseCounts(**counts),
    )


_ARCHIVE = b"PK"
_UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, OSError, EOFError,
               zipfile.BadZipFile)  # fmt: skip
_COUNTS = ("people", "using", "never_used", "in_study")
_ARMS = ("mean", "sd", "n", "event_share")
_ESTIMATES = ("estimate", "low", "high", "p_value")
_STATUS = (Status.OK, Status.NO_VARIATION, Status.SEPARATION, Status.NOT_CONVERGED, Status.NOT_ESTIMABLE,
           Status.SINGULAR)  # fmt: skip
"""In the order in which they came to be: stored chunks name them by their place."""
