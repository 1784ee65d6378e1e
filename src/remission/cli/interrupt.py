"""Ctrl-C ends the program soon, whatever it is doing, and says how to go on.

Python hears the signal only between two of its own steps, and a compiled loop or a busy cluster can keep it waiting. A
thread that is woken by the signal itself ends the process when that takes too long. A run survives being ended at any
moment, so nothing is lost by it.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["ends_soon"]

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
    try:
        yield
    except KeyboardInterrupt:
        # The pipe stays open: tidying up after this may take too long as well.
        _say(words, said)
        raise
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
