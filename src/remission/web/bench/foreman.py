"""The queue at work: each job is a command in a process of its own, which can be ended without harm to anybody.

The next processes are started before there is a job for them, so that a job begins at once. They end with the server,
however that ends; what it kept is on the disk, and a job that ran is taken up again by the next server.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from remission.errors import RemissionError, RunError
from remission.web.bench.store import Job, Store

try:
    import fcntl
except ImportError:  # not on every system; without locks a second server is not seen
    fcntl = None  # type: ignore[assignment]  # a module elsewhere

EVENT = "\x1e"
"""What a line of a process begins with that tells how far it is; all else on its output is the command's own."""
_IDLE_S = 0.5
_READY = 2
_LONGEST_REST_S = 60.0
_MOST_WORDS = 100_000
_LOG = logging.getLogger(__name__)
_MOST_RESULT = 40_000_000


@dataclass
class Progress:
    """How far a job is, as its process last told.

    ``part``: what it does. ``share``: of all that is planned, from 0 to 1. ``points``: power by number of people, each
    with its Monte Carlo error and the trials behind it, ``is_first`` where it is the first quick look.
    """

    part: str = ""
    done: int = 0
    total: int = 0
    share: float = 0.0
    points: dict[int, dict[str, Any]] = field(default_factory=dict)
    begun: float = field(default_factory=time.monotonic)

    @property
    def left_s(self) -> float | None:
        """Seconds left at the pace so far; ``None`` while it is not known. [s]"""
        past = time.monotonic() - self.begun
        return None if self.share < 0.02 or past < 1.0 else past * (1.0 - self.share) / self.share


@dataclass(eq=False)
class _Spare:
    """A process that waits for a job, or loads for one."""

    process: "subprocess.Popen[str]"
    is_loaded: bool = False


class Foreman:
    """Gives jobs of a store to processes, one after the other.

    ``pace``: person-days a second that the last process measured; ``None`` before it has. [1/s]
    ``trouble``: why no job is begun now; ``None`` where nothing is in the way.

    Raises RunError: another server works in the folder.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self._lock_stream = self._lock(store.folder / "lock")
        self._guard = threading.Lock()
        self._wake = threading.Event()
        self._spares: list[_Spare] = []
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._progress: dict[str, Progress] = {}
        self._is_over = False
        self._deaths, self._not_before, self._last_words = 0, 0.0, ""
        self.pace: float | None = None
        self.trouble: RemissionError | None = None
        store.take_up_again()
        self._thread = threading.Thread(target=self._work, daemon=True, name="workbench")
        self._thread.start()

    @staticmethod
    def _lock(path: Path) -> IO[bytes]:
        stream = path.open("ab")
        try:
            if fcntl is not None:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            stream.close()
            raise RunError(
                where=str(path.parent),
                got="a workbench that another server works in",
                allowed="one server a folder",
                remedy="End the other one, or choose another --workbench.",
            ) from None
        return stream

    def wake(self) -> None:
        """Look at the queue now."""
        self._wake.set()

    def progress(self, job_id: str) -> Progress | None:
        """How far a job that runs is."""
        return self._progress.get(job_id)

    def cancel(self, job_id: str) -> bool:
        """End a job that waits or runs; what it kept stays, and it can be resumed. Whether there was one."""
        was = self.store.move_job(job_id, "canceled", of=("waiting", "running"))
        with self._guard:
            process = self._running.get(job_id)
        if process is not None:
            _end(process)
        return was

    def resume(self, job_id: str) -> bool:
        """Put a job that was canceled or failed back into the queue; whether there was one."""
        was = self.store.move_job(job_id, "waiting", of=("canceled", "failed"))
        self.wake()
        return was

    def close(self) -> None:
        """End every process; jobs that ran stay so, for the next server."""
        self._is_over = True
        with self._guard:
            processes = list(self._running.values())
        for process in processes:
            _end(process)
        self._wake.set()
        self._thread.join(10.0)
        for spare in self._spares:
            _end(spare.process)
            _leave(spare.process)
        self._lock_stream.close()

    def _work(self) -> None:
        while not self._is_over:
            job = ready = None
            try:
                self._prepare()
                # Never to one that loads: a job would fail with it, and has not begun.
                ready = next((one for one in self._spares if one.is_loaded), None)
                job = None if ready is None else self.store.claim()
                self.trouble = self.trouble if self._deaths else None
            except RemissionError as error:
                # A full disk passes; the queue waits for it.
                self.trouble = error
            except OSError as error:
                self.trouble = _no_process(error.strerror or str(error))
            if job is None or ready is None:
                self._wake.wait(_IDLE_S)
                self._wake.clear()
                continue
            self._spares.remove(ready)
            with suppress(RemissionError):
                self._do(job, ready.process)

    def _prepare(self) -> None:
        """Have processes that load, or have loaded, for the next jobs; the next one loads when the last one has.

        Two wait while nothing runs: who looks at a first band cancels, changes a number and presses again. One that
        died while it loaded is followed by another after a while that doubles each time.
        Raises OSError: the system starts none; RunError: they die at once, and the next one waits.
        """
        if self._is_over:
            return
        for spare in [one for one in self._spares if one.process.poll() is not None]:
            self._spares.remove(spare)
            self._died(spare.process)
        if len(self._spares) >= _READY or not all(one.is_loaded for one in self._spares):
            return
        if time.monotonic() >= self._not_before:
            spare = _Spare(_start(self.store.folder))
            # Read beside: the first line comes when everything is loaded.
            threading.Thread(target=self._first_line, args=(spare,), daemon=True).start()
            self._spares.append(spare)
        elif not self._spares:
            raise _no_process(self._last_words)

    def _died(self, process: "subprocess.Popen[str]") -> None:
        """Keep what a process said that died while it loaded; the first of a row is told to the server's log."""
        said = ""
        with suppress(OSError, ValueError):
            assert process.stderr is not None, "a pipe"
            said = process.stderr.read(_MOST_WORDS).strip().rpartition("\n")[2]
        code = _leave(process)
        self._last_words = f"one that ended with code {code} while it loaded" + (f": {said[-200:]}" if said else "")
        if not self._deaths:
            _LOG.error("%s", _no_process(self._last_words))
        self._deaths += 1
        self._not_before = time.monotonic() + min(_LONGEST_REST_S, _IDLE_S * 2.0 ** min(self._deaths, 10))

    def _do(self, job: Job, process: "subprocess.Popen[str]") -> None:
        """One job from its first line to its state."""
        progress = self._progress[job.id] = Progress()
        result: list[str] = []
        with self._guard:
            self._running[job.id] = process
        try:
            found = self.store.job(job.id)
            if found is None or found.state != "running":
                # Canceled between two looks.
                _end(process)
            else:
                log = threading.Thread(target=self._log, args=(job.id, process), daemon=True)
                log.start()
                self._talk(job, process, progress, result)
                log.join(5.0)
        finally:
            code = _leave(process)
            with self._guard:
                self._running.pop(job.id, None)
                self._progress.pop(job.id, None)
        if self._is_over:
            return
        text = "".join(result)
        failure = _failure(text, code) if code else self._keep(job, text)
        self.store.move_job(job.id, "failed" if failure else "done", of=("running",), failure=failure)

    def _first_line(self, spare: "_Spare") -> None:
        with suppress(OSError, ValueError):
            assert spare.process.stdout is not None, "a pipe"
            if line := spare.process.stdout.readline():
                self._hear(Progress(), line)
                spare.is_loaded, self._deaths = True, 0
                self._wake.set()

    def _talk(self, job: Job, process: "subprocess.Popen[str]", progress: Progress, result: list[str]) -> None:
        assert process.stdin is not None, "a pipe"
        assert process.stdout is not None, "a pipe"
        folder = self.store.job_folder(job.id)
        told = {"folder": str(folder), "words": list(job.words), "person_days": job.facts.get("person_days", 0)}
        with suppress(OSError):
            process.stdin.write(json.dumps(told) + "\n")
            process.stdin.flush()
        size = 0
        for line in process.stdout:
            if line.startswith(EVENT):
                self._hear(progress, line)
                if progress.points or progress.done:
                    # Whoever looks at a first band presses again soon; before it this job has the cores for itself.
                    with suppress(OSError, RemissionError):
                        self._prepare()
            elif (size := size + len(line)) < _MOST_RESULT:
                result.append(line)

    def _hear(self, progress: Progress, line: str) -> None:
        with suppress(ValueError, KeyError, TypeError):
            told = json.loads(line[1:])
            if "pace" in told:
                self.pace = float(told["pace"])
            elif "n" in told:
                before = progress.points.get(told["n"])
                # A first look never takes the place of what more trials say.
                if before is None or before["is_first"] or not told["is_first"]:
                    progress.points[told["n"]] = told
            else:
                progress.part, progress.done, progress.total = told["part"], told["done"], told["total"]
                progress.share = told["share"]

    def _keep(self, job: Job, text: str) -> tuple[dict[str, str], ...]:
        """Keep what the command printed, where no report holds it; the fault where the disk refuses."""
        from remission.files import write_text

        folder = self.store.job_folder(job.id)
        try:
            if text.strip() and folder.is_dir():
                write_text(folder / "result.json", text, replace=True)
        except RemissionError as error:
            return (_words(error),)
        return ()

    def _log(self, job_id: str, process: "subprocess.Popen[str]") -> None:
        assert process.stderr is not None, "a pipe"
        for line in process.stderr:
            with suppress(RemissionError):
                self.store.tell(job_id, line)


def _start(folder: Path) -> "subprocess.Popen[str]":
    # A group of its own: Ctrl-C in the terminal of the server is the server's.
    return subprocess.Popen(  # noqa: S603 - our own module
        [sys.executable, "-m", "remission.cli.bench", str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        start_new_session=os.name == "posix",
    )


def _end(process: "subprocess.Popen[str]") -> None:
    """End a process and those that it started."""
    with suppress(OSError):
        if os.name == "posix":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()


def _leave(process: "subprocess.Popen[str]") -> int:
    """Wait for the end of a process and close what was open to it; its exit code."""
    code = process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream is not None:
            with suppress(OSError):
                stream.close()
    return code


def _words(error: RemissionError) -> dict[str, str]:
    return {"where": error.where, "got": str(error.got), "allowed": error.allowed, "remedy": error.remedy}


def _no_process(got: str) -> RunError:
    return RunError(
        where="the process of the next job", got=got, allowed="one that loads and waits",
        remedy="Often memory ran out; remission doctor checks the installation.",
    )  # fmt: skip


def _failure(text: str, code: int) -> tuple[dict[str, str], ...]:
    """The faults that the command printed, or what can be said without any."""
    with suppress(ValueError, KeyError, TypeError, IndexError):
        error = json.loads(text.strip().splitlines()[-1])["error"]
        if "faults" in error:
            return tuple(
                {name: str(one[name]) for name in ("where", "got", "allowed", "remedy")} for one in error["faults"]
            )
        return (
            {"where": error["where"], "got": error["message"], "allowed": "a command that can be read", "remedy": ""},
        )
    got = "a process that was ended by the system" if code < 0 else f"a process that ended with code {code}"
    return (
        {
            "where": "this job",
            "got": got,
            "allowed": "work that ends by itself",
            "remedy": "Often the memory or the disk was full: the log says more. Resume it, or ask for less.",
        },
    )
