"""What the workbench keeps: drafts of designs and the list of jobs, in one SQLite file. Results stay folders.

Nothing of a person in data is in it: the file that is analyzed lies in the folder of its job.
"""

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from remission.errors import RunError, WorkError
from remission.files import make_folder
from remission.web.bench.tables import load_tables

_VERSION = 1
_FILE = "workbench.sqlite"
_LONGEST_LOG = 60_000
_MOST_DRAFTS = 500

State = Literal["waiting", "running", "done", "failed", "canceled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A design that is being written: the protocol file as text, and what is asked of it.

    ``asked``: texts by the names of the options. ``revision``: rises with each change, so that two tabs meet.
    """

    id: str
    title: str
    protocol: str
    asked: dict[str, Any]
    revision: int
    changed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One command under way, waiting or ended.

    ``kind``: design, effect, worlds, run or analyze. ``words``: the command, run inside the job's folder. ``facts``:
    what pages need to know of what was asked. ``failure``: faults as the command gave them.
    """

    id: str
    number: int
    kind: str
    title: str
    words: tuple[str, ...]
    state: State
    draft: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    attempts: int = 0
    asked_at: str = ""
    begun_at: str = ""
    ended_at: str = ""
    log: str = ""
    failure: tuple[dict[str, str], ...] = ()


class Store:
    """Drafts and jobs of one workbench folder.

    Raises RunError: the folder cannot be written, or was written by a newer version; WorkError: the disk refused.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sql = load_tables()
        make_folder(folder / "jobs")
        make_folder(folder / "runs")
        # Only the owner reads it: files that are analyzed lie inside.
        folder.chmod(0o700)
        # A connection for each piece of work: a thread of a page never waits for that of another.
        self._engine = self._sql.create_engine(
            f"sqlite:///{folder / _FILE}",
            poolclass=self._sql.NullPool,
            connect_args={"timeout": 20.0, "check_same_thread": False},
        )
        self._sql.event.listen(self._engine, "connect", _set_up)
        with self._said(), self._engine.begin() as found:
            version = found.execute(self._sql.text("PRAGMA user_version")).scalar_one()
            if version > _VERSION:
                raise RunError(
                    where=str(folder / _FILE),
                    got=f"a workbench of version {version}",
                    allowed=f"version {_VERSION}",
                    remedy="A newer version of remission made it; use that one, or another folder.",
                )
            self._sql.tables.create_all(found)
            found.execute(self._sql.text(f"PRAGMA user_version = {_VERSION}"))
        # Ends of jobs that the disk refused, by id: told to whoever asks, and written as soon as there is room.
        self._unwritten: dict[str, dict[str, Any]] = {}
        self._writing = threading.RLock()
        # Held open and never used again: the last connection that closes takes the log of SQLite with it, and whoever
        # reads on a disk that is full by then could not make it anew.
        self._held = self._engine.connect()
        with self._said():
            self._held.execute(self._sql.text("SELECT count(*) FROM sqlite_master")).scalar_one()
            self._held.rollback()

    def job_folder(self, job_id: str) -> Path:
        """Where a job works; ids are made here and hold no separator."""
        return self.folder / "jobs" / job_id

    # drafts ----------------------------------------------------------------------------------------------------------

    def add_draft(self, *, title: str, protocol: str, asked: dict[str, Any]) -> Draft:
        """Keep a new draft; the oldest beyond some hundreds go."""
        made = Draft(id=secrets.token_hex(6), title=title, protocol=protocol, asked=asked, revision=1, changed=_now())
        with self._said(), self._engine.begin() as found:
            found.execute(self._sql.drafts.insert().values(_row(made)))
            old = (
                self._sql.select(self._sql.drafts.c.id).order_by(self._sql.drafts.c.changed.desc()).offset(_MOST_DRAFTS)
            )
            found.execute(self._sql.drafts.delete().where(self._sql.drafts.c.id.in_(old.scalar_subquery())))
        return made

    def draft(self, draft_id: str) -> Draft | None:
        """The draft of that id."""
        with self._said(), self._engine.connect() as found:
            row = (
                found.execute(self._sql.select(self._sql.drafts).where(self._sql.drafts.c.id == draft_id))
                .mappings()
                .first()
            )
        return None if row is None else Draft(**{**row, "asked": json.loads(row["asked"])})

    def drafts(self, most: int = 30) -> list[Draft]:
        """Drafts, the one changed last first."""
        with self._said(), self._engine.connect() as found:
            rows = (
                found.execute(
                    self._sql.select(self._sql.drafts).order_by(self._sql.drafts.c.changed.desc()).limit(most)
                )
                .mappings()
                .all()
            )
        return [Draft(**{**row, "asked": json.loads(row["asked"])}) for row in rows]

    def change_draft(self, draft: Draft, *, title: str, protocol: str, asked: dict[str, Any]) -> Draft | None:
        """The draft changed; ``None`` where somebody else changed it since it was read: nothing is overwritten."""
        if (title, protocol, asked) == (draft.title, draft.protocol, draft.asked):
            return draft
        values = {
            "title": title,
            "protocol": protocol,
            "asked": json.dumps(asked),
            "changed": _now(),
            "revision": draft.revision + 1,
        }
        mine = (self._sql.drafts.c.id == draft.id) & (self._sql.drafts.c.revision == draft.revision)
        with self._said(), self._engine.begin() as found:
            count = found.execute(self._sql.drafts.update().where(mine).values(values)).rowcount
        return self.draft(draft.id) if count else None

    def drop_draft(self, draft_id: str) -> None:
        """Forget a draft; its jobs stay."""
        with self._said(), self._engine.begin() as found:
            found.execute(self._sql.drafts.delete().where(self._sql.drafts.c.id == draft_id))

    # jobs ------------------------------------------------------------------------------------------------------------

    def add_job(
        self, *, kind: str, title: str, words: tuple[str, ...], facts: dict[str, Any], job_id: str, draft: str = ""
    ) -> Job:
        """Put a job whose folder is ready at the end of the queue."""
        with self._said(), self._engine.begin() as found:
            number = (found.execute(self._sql.select(self._sql.func.max(self._sql.jobs.c.number))).scalar() or 0) + 1
            made = Job(
                id=job_id,
                number=number,
                kind=kind,
                title=title,
                words=words,
                state="waiting",
                draft=draft,
                facts=facts,
                asked_at=_now(),
            )
            found.execute(self._sql.jobs.insert().values(_row(made)))
        return made

    def job(self, job_id: str) -> Job | None:
        """The job of that id."""
        with self._said(), self._engine.connect() as found:
            row = (
                found.execute(self._sql.select(self._sql.jobs).where(self._sql.jobs.c.id == job_id)).mappings().first()
            )
        return None if row is None else self._job(row)

    def jobs(self, *, draft: str | None = None, most: int = 200) -> list[Job]:
        """Jobs without their logs, the newest first; of one draft, or all."""
        asked = self._sql.select(*(column for column in self._sql.jobs.c if column.name != "log")).order_by(
            self._sql.jobs.c.number.desc()
        )
        if draft is not None:
            asked = asked.where(self._sql.jobs.c.draft == draft)
        with self._said(), self._engine.connect() as found:
            return [self._job({**row, "log": ""}) for row in found.execute(asked.limit(most)).mappings()]

    def claim(self) -> Job | None:
        """The next job that waits, taken as running."""
        self.settle()
        with self._said(), self._engine.begin() as found:
            first = (
                self._sql.select(self._sql.jobs.c.id)
                .where(self._sql.jobs.c.state == "waiting")
                .order_by(self._sql.jobs.c.number)
                .limit(1)
            )
            job_id = found.execute(first).scalar()
            if job_id is None:
                return None
            mine = (self._sql.jobs.c.id == job_id) & (self._sql.jobs.c.state == "waiting")
            begun = {"state": "running", "begun_at": _now(), "ended_at": "", "attempts": self._sql.jobs.c.attempts + 1}
            if not found.execute(self._sql.jobs.update().where(mine).values(begun)).rowcount:
                return None
        return self.job(job_id)

    def move_job(
        self, job_id: str, state: State, *, of: tuple[State, ...], failure: tuple[dict[str, str], ...] = ()
    ) -> bool:
        """Give a job another state if its own is one ``of`` these; whether it was.

        An end that the disk refuses is kept in memory and written later: a job that a full disk ended would else be
        shown as running for ever.
        """
        is_end = state not in {"waiting", "running"}
        values = {"state": state, "ended_at": _now() if is_end else "", "failure": json.dumps(failure)}
        try:
            with self._writing:
                self.settle()
                return self._move(job_id, values, of)
        except WorkError:
            before = self.job(job_id) if is_end else None
            if before is None:
                raise
            if before.state not in of:
                return False
            self._unwritten[job_id] = values
            return True

    def settle(self) -> None:
        """Write what the disk refused before."""
        with self._writing:
            for job_id, values in list(self._unwritten.items()):
                self._move(job_id, values, ("waiting", "running"))
                del self._unwritten[job_id]

    def _move(self, job_id: str, values: dict[str, Any], of: tuple[State, ...]) -> bool:
        mine = (self._sql.jobs.c.id == job_id) & self._sql.jobs.c.state.in_(of)
        with self._said(), self._engine.begin() as found:
            return bool(found.execute(self._sql.jobs.update().where(mine).values(values)).rowcount)

    def tell(self, job_id: str, words: str) -> None:
        """Write words at the end of a job's log, which keeps its last part."""
        with self._said(), self._engine.begin() as found:
            whole = self._sql.func.substr(self._sql.jobs.c.log + words, -_LONGEST_LOG)
            found.execute(self._sql.jobs.update().where(self._sql.jobs.c.id == job_id).values(log=whole))

    def drop_job(self, job_id: str) -> None:
        """Forget a job; its folder is the caller's."""
        with self._said(), self._engine.begin() as found:
            found.execute(self._sql.jobs.delete().where(self._sql.jobs.c.id == job_id))

    def take_up_again(self) -> list[str]:
        """Jobs that ran when the server was ended wait again; their ids. Who ended a server three times stays ended."""
        with self._said(), self._engine.begin() as found:
            rows = found.execute(
                self._sql.select(self._sql.jobs.c.id, self._sql.jobs.c.attempts).where(
                    self._sql.jobs.c.state == "running"
                )
            ).all()
        taken = []
        for job_id, attempts in rows:
            if attempts >= _MOST_ATTEMPTS:
                words = {
                    "where": "this job",
                    "got": f"a server that ended {attempts} times while it ran",
                    "allowed": "work that the machine can do",
                    "remedy": "Ask for less, or resume it.",
                }
                self.move_job(job_id, "failed", of=("running",), failure=(words,))
            elif self.move_job(job_id, "waiting", of=("running",)):
                self.tell(job_id, "The server was ended; the job is taken up where it was.\n")
                taken.append(job_id)
        return taken

    def _job(self, row: Any) -> Job:
        row = {**row, **self._unwritten.get(row["id"], {})}
        read = {name: json.loads(row[name]) for name in ("words", "facts", "failure")}
        return Job(**{**row, **read, "words": tuple(read["words"]), "failure": tuple(read["failure"])})

    @contextmanager
    def _said(self) -> Iterator[None]:
        """Turn the database's errors into ours."""
        try:
            yield
        except self._sql.SQLAlchemyError as error:
            raise WorkError(
                where=str(self.folder / _FILE),
                got=str(getattr(error, "orig", None) or error).split("\n")[0],
                allowed="a disk with room that can be written to",
                remedy="Free space and try again; what was kept before is still there.",
            ) from None


_MOST_ATTEMPTS = 3
NOT_KEPT = "What you typed stands below and is not kept: the disk refused it. Free space, then press again."
"""What a page says that shows it."""


def _set_up(connection: Any, _: Any) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")


def _row(made: Draft | Job) -> dict[str, Any]:
    values = {name: getattr(made, name) for name in type(made).__slots__}
    return {name: one if isinstance(one, str | int) else json.dumps(one) for name, one in values.items()}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def fresh_id() -> str:
    """An id that nobody guesses, for a job and its folder."""
    return secrets.token_hex(8)


__all__ = ["NOT_KEPT", "Draft", "Job", "State", "Store", "fresh_id"]
