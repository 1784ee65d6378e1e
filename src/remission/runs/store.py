"""The chunks of a run that is under way: one SQLite file that survives a kill at any moment.

A chunk is written in one transaction (write-ahead log, ``synchronous=FULL``) with the SHA-256 of its bytes. Two
processes may work on one store: a chunk that is there already is left alone, for both would write the same bytes.
"""

import hashlib
import sqlite3
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from remission.errors import ProvenanceError, RunError, WorkError
from remission.runs.piece import Piece, unpack
from remission.trial.chunk import Chunk, ChunkResult

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
        self.keep(piece.chunk, piece.payload, piece.diary)

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
            return unpack(chunk, payload)
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


_UNREADABLE = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, OSError, EOFError,
               zipfile.BadZipFile)  # fmt: skip
