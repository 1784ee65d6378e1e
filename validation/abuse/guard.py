"""One attempt: what it ended with, in how many seconds of the processor, and whether it was said well."""

import contextlib
import io
import re
import signal
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from remission.errors import RemissionError

MOST_S = 20.0
MOST_BY_THE_CLOCK_S = 300.0
"""Work that is done in other processes costs this one nothing: the clock sees that too, on a busy machine as well."""


@dataclass(frozen=True)
class Ended:
    """How an attempt ended: its exit code, what was wrong with that (nothing when empty), what was printed."""

    code: int
    wrong: str
    said: str


class TooLongError(BaseException):
    """The limit of time; no handler of ours may catch it."""


@contextlib.contextmanager
def limited(seconds: float) -> Iterator[None]:
    """Stop after so many seconds of the processor, or when the clock says that nothing happens."""

    def stop(*_: object) -> None:
        raise TooLongError

    watches = ((signal.SIGPROF, signal.ITIMER_PROF, seconds), (signal.SIGALRM, signal.ITIMER_REAL, MOST_BY_THE_CLOCK_S))
    before = [signal.signal(number, stop) for number, _, _ in watches]
    for _, timer, most_s in watches:
        signal.setitimer(timer, most_s)
    try:
        yield
    finally:
        for (number, timer, _), handler in zip(watches, before, strict=True):
            signal.setitimer(timer, 0.0)
            signal.signal(number, handler)


def read(reader: Callable[[Any], object], content: Any) -> Ended:
    """Read a file by a function of the package: 0, or 2 and a message with place, value and remedy."""
    from remission.cli.app import is_wrong_input

    try:
        with limited(MOST_S):
            reader(content)
    except RemissionError as error:
        code = 2 if is_wrong_input(error) else 1
        faults = getattr(error, "faults", (error,))
        poor = [fault for fault in faults if not fault.where or not fault.allowed or fault.got is None]
        return Ended(code, f"a message without place, value or rule: {poor[0]}" if poor else "", str(error))
    except TooLongError:
        return Ended(1, f"more than {MOST_S:.0f} s", "")
    except BaseException:  # noqa: BLE001 - this is what is looked for
        return Ended(1, "a traceback", traceback.format_exc())
    return Ended(0, "", "")


def command(words: list[str]) -> Ended:
    """Run a command line in this process."""
    from remission.cli.app import run_app

    out, err = io.StringIO(), io.StringIO()
    try:
        with limited(MOST_S), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run_app(words)
    except TooLongError:
        return Ended(1, f"more than {MOST_S:.0f} s", err.getvalue())
    except BaseException:  # noqa: BLE001 - this is what is looked for
        return Ended(1, "a traceback", traceback.format_exc())
    said = err.getvalue()
    if code not in {0, 1, 2, 130}:
        return Ended(code, f"exit code {code}", said)
    if code in {1, 2} and not out.getvalue() and not re.search(r"remission: .+|Usage:", said):
        return Ended(code, "no word on what was wrong", said)
    return Ended(code, "", said)
