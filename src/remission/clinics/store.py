"""The operator's clinics in one SQLite file; every change is one transaction."""

import os
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from remission.clinics.clinic import Clinic
from remission.clinics.reading import Reading
from remission.errors import RunError
from remission.files import make_folder
from remission.records.base import Record

SCHEMA_VERSION = 1
_APPLICATION = 0x524D434C  # "RMCL": a database of another program is not written to
_TABLE = """
CREATE TABLE clinics (
    id TEXT PRIMARY KEY, dataset TEXT NOT NULL, country TEXT NOT NULL, region TEXT NOT NULL, record TEXT NOT NULL
) STRICT
"""


class Loaded(Record):
    """What a load changed."""

    added: int
    updated: int
    removed: int


def default_store_path() -> Path:
    """The usual place of the store, in the folder where programs of this user keep data."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Application Support"
    else:
        base = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    return base / "remission" / "clinics.sqlite"


class ClinicStore:
    """Clinics on disk. ``path``: the file; it is made at the first load. Its absence means an empty store."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            with closing(sqlite3.connect(self.path, timeout=10, isolation_level=None)) as connection:
                self._check(connection)
                yield connection
        except (sqlite3.Error, OSError) as error:
            raise RunError(
                where=str(self.path),
                got=str(error),
                allowed="a store of clinics that can be read and written",
                remedy="Nothing was changed. Name another file with --store, or load again later.",
            ) from None

    def _check(self, connection: sqlite3.Connection) -> None:
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
        if application == 0 and version == 0 and tables == 0:
            return
        if application != _APPLICATION or version != SCHEMA_VERSION:
            raise RunError(
                where=str(self.path),
                got=f"schema {version}" if application == _APPLICATION else "a database of another program",
                allowed=f"a store of clinics with schema {SCHEMA_VERSION}",
                remedy="Name another file with --store and load the clinics again.",
            )

    def save(self, reading: Reading, *, replace: bool = False) -> Loaded:
        """Put the rows of a file into the store, all or none.

        ``reading``: its good rows are added, or replace those of the same id; its closed ids are removed. ``replace``:
        whether all earlier rows of the same kind of file go first.
        """
        make_folder(self.path.parent)
        dataset = {"csv": "operator", "findtreatment": "samhsa", "nppes": "nppes"}[reading.format]
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                loaded = _write(connection, reading, dataset, replace=replace)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")
        return loaded

    def read(self, region: str | None = None) -> tuple[Clinic, ...]:
        """All clinics, or those of a US state, by id."""
        where, values = ("", ()) if region is None else (" WHERE country = 'US' AND region = ?", (region,))
        rows = self._query(f"SELECT record FROM clinics{where} ORDER BY id", values)  # noqa: S608 - fixed text
        return tuple(Clinic.model_validate_json(row[0]) for row in rows)

    def counts(self) -> dict[str, int]:
        """Number of rows by kind of file."""
        return dict(self._query("SELECT dataset, count(*) FROM clinics GROUP BY dataset ORDER BY dataset", ()))

    def stamp(self) -> tuple[int, int]:
        """Changes when the file does: time of change in nanoseconds and size; zeros without a file."""
        try:
            status = self.path.stat()
        except OSError:
            return (0, 0)
        return status.st_mtime_ns, status.st_size

    def _query(self, statement: str, values: Iterable[str]) -> list[tuple[Any, ...]]:
        if not self.path.exists():
            return []
        with self._connection() as connection:
            if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                return []
            return connection.execute(statement, tuple(values)).fetchall()


def _write(connection: sqlite3.Connection, reading: Reading, dataset: str, *, replace: bool) -> Loaded:
    if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
        connection.execute(_TABLE)
        connection.execute("CREATE INDEX clinics_by_region ON clinics (country, region)")
        connection.execute(f"PRAGMA application_id = {_APPLICATION}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    before = {row[0] for row in connection.execute("SELECT id FROM clinics WHERE dataset = ?", (dataset,))}
    if replace:
        connection.execute("DELETE FROM clinics WHERE dataset = ?", (dataset,))
    connection.executemany("DELETE FROM clinics WHERE id = ?", ((one,) for one in reading.gone))
    connection.executemany(
        "INSERT OR REPLACE INTO clinics VALUES (?, ?, ?, ?, ?)",
        ((c.id, dataset, c.country, c.region, c.model_dump_json()) for c in reading.clinics),
    )
    new = {clinic.id for clinic in reading.clinics}
    lost = (before - new) if replace else before & set(reading.gone)
    return Loaded(added=len(new - before), updated=len(new & before), removed=len(lost))
