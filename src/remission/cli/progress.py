"""Work that takes long: how far it is on standard error, and Ctrl-C that ends it soon and says how to go on.

Python hears the signal only between two of its own steps, and a compiled loop or a busy cluster can keep it waiting. A
thread that is woken by the signal itself ends the process when that takes too long. A run survives being ended at any
moment, so nothing is lost by it.
"""

import os
import select
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Protocol

from remission.cli.terminal import unguarded
from remission.errors import visible
from remission.numerics.digits import duration

if TYPE_CHECKING:
    from remission.numerics.tallies import Count

_LINE_EVERY_S = 30.0


class Pace:
    """Time left, from what was really done since the start.

    What was on disk before counts as done and not as speed. The clock is one that a change of the date cannot move.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._start: tuple[float, int] | None = None

    def left_s(self, done: int, total: int) -> float | None:
        """Seconds left, or ``None`` while nothing is known. [s]"""
        now = self._clock()
        if self._start is None:
            # The first call tells what was there before, or what the first piece of work gave: no speed in it.
            self._start = (now, done)
        then, before = self._start
        if done <= before or now <= then:
            return None
        return (total - done) * (now - then) / (done - before)


class Listener(Protocol):
    """Who hears how far a command is in place of the terminal: the workbench."""

    def part(self, title: str, weight: int) -> AbstractContextManager[Callable[[int, int], None]]:
        """A part of the work begins; gives what is called with (done, total)."""

    def share(self, n_subjects: int, rejected: "Count", *, is_first: bool) -> None:
        """Trials of a design that rejected, as they stand; ``is_first``: of a first quick look."""


_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


@contextmanager
def hearing(listener: Listener) -> Iterator[None]:
    """Let somebody hear how far the command of this block is."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


def is_on_terminal() -> bool:
    """Whether somebody reads standard error while it is written."""
    return unguarded(sys.stderr).isatty()


def listener() -> Listener | None:
    """Who hears, if anybody does."""
    return _listener.get()


@contextmanager
def progress_of(
    title: str, *, quiet: bool, unit: str = "replicates", weight: int = 0
) -> Iterator[Callable[[int, int], None]]:
    """A callback (done, total): a bar on a terminal, a line every half minute elsewhere, nothing when ``quiet``.

    ``unit``: what is counted. ``weight``: person-days of this part, for who hears of all parts together.
    """
    from rich.console import Console

    heard = _listener.get()
    if heard is not None:
        with heard.part(visible(title), weight) as tell:
            yield tell
        return

    title = visible(title)
    console = Console(file=unguarded(sys.stderr))
    if quiet:
        yield lambda _done, _total: None
    elif console.is_terminal:
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        pace = Pace()
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(title[:48], total=None, left="")

            def update(done: int, total: int) -> None:
                left_s = pace.left_s(done, total)
                words = (
                    f"{title[:48]}" if done < total or unit != "replicates" else "Writing tables, figures and report"
                )
                left = "" if left_s is None or done == total else f"{duration(left_s)} left"
                progress.update(task, completed=done, total=total, description=words, left=left)

            yield update
    else:
        yield _lines(title, unit=unit)


def _lines(
    title: str, clock: Callable[[], float] = time.monotonic, unit: str = "replicates"
) -> Callable[[int, int], None]:
    """A callback that writes a line now and then, for log files."""
    pace, said_at = Pace(clock), [clock()]

    def update(done: int, total: int) -> None:
        left_s = pace.left_s(done, total)
        if left_s is not None and clock() - said_at[0] >= _LINE_EVERY_S:
            said_at[0] = clock()
            sys.stderr.write(f"{title}: {done} of {total} {unit}, {duration(left_s)} left\n")
            sys.stderr.flush()

    return update


_PATIENCE_S = 1.0
_INTERRUPTED = 130


@contextmanager
def ends_soon(words: str) -> Iterator[None]:
    """Print ``words`` on Ctrl-C and end within two seconds; a second Ctrl-C ends at once.

    Where a signal cannot be waited for on a pipe (outside POSIX), Ctrl-C does what Python makes of it.
    """
    if threading.current_thread() is not threading.main_thread() or os.name != "posix":
        yield
        return
    receive, send = os.pipe()
    os.set_blocking(send, False)
    before = signal.set_wakeup_fd(send, warn_on_full_buffer=False)
    said = threading.Event()
    threading.Thread(target=_watch, args=(receive, words, said), daemon=True).start()
    is_interrupted = False
    try:
        yield
    except KeyboardInterrupt:
        is_interrupted = True
        _say(words, said)
        raise
    finally:
        # After Ctrl-C the pipe stays open: tidying up may take too long as well.
        if not is_interrupted:
            signal.set_wakeup_fd(before)
            os.close(send)


def _say(words: str, said: threading.Event) -> None:
    if not said.is_set():
        said.set()
        sys.stderr.write(words + "\n")
        sys.stderr.flush()


def _watch(receive: int, words: str, said: threading.Event) -> None:
    """End the process a moment after the first SIGINT, at once on the second."""
    while received := os.read(receive, 1):
        if received[0] == signal.SIGINT:
            select.select([receive], [], [], _PATIENCE_S)
            _say(words, said)
            os._exit(_INTERRUPTED)
    os.close(receive)
