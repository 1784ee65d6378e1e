"""The command line: parse, call, present; nothing is computed here.

Exit codes: 0 done, 1 the work failed, 2 the input is wrong, 130 interrupted.
"""

import codecs
import errno
import gc
import io
import os
import sys

from remission.cli import beside
from remission.numerics.cores import search_seldom

__all__ = ["main"]

_STDERR = 2
"""Number of the last standard stream."""

_PLAIN = {
    "\u25c6": "*", "\u25c7": "o", "\u2013": "-", "\u2014": "-", "\u2212": "-", "\u00d7": "x", "\u00b1": "+/-",
    "\u00b5": "u", "\u03bc": "u", "\u00b7": ".", "\u2026": "...", "\u00b2": "2", "\u00b3": "3", "\u00b0": "deg",
    "\u2264": "<=", "\u2265": ">=", "\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u00a0": " ",
    "\u202f": " ", "\u2192": "->", "\u00e9": "e", "\u00fc": "u", "\u00e4": "a", "\u00f6": "o", "\u00df": "ss",
}  # fmt: skip


def _speak_any_encoding() -> None:
    """Let every character out, whatever the encoding of the terminal: a plain one instead, or its JSON escape.

    An output that cannot hold a diamond is no reason to lose a result. In JSON the escape means the same character.
    """
    is_json = "--json" in sys.argv

    def instead(error: UnicodeError) -> tuple[str, int]:
        if not isinstance(error, UnicodeEncodeError):
            raise error
        letters = error.object[error.start : error.end]
        words = "".join(_escape(letter) if is_json else _PLAIN.get(letter, _escape(letter)) for letter in letters)
        return words, error.end

    codecs.register_error("remission", instead)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="remission")


def _escape(letter: str) -> str:
    code = ord(letter)
    if code < 0x10000:
        return f"\\u{code:04x}"
    code -= 0x10000
    return f"\\u{0xD800 + (code >> 10):04x}\\u{0xDC00 + (code & 0x3FF):04x}"


class _Closed(io.TextIOBase):
    """An output that was closed before we began: what is said there is lost, which is failed work as on a full disk."""

    def write(self, _text: str, /) -> int:
        raise OSError(errno.EBADF, "a closed output")

    def flush(self) -> None:
        """Nothing waits."""


def _replace_closed() -> None:
    """Give streams that were closed (``>&-``) a place, so that no file of ours gets their number and their text."""
    while (handle := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(handle)
    sys.stdin = sys.stdin or io.StringIO()
    sys.stdout = sys.stdout or _Closed()
    sys.stderr = sys.stderr or io.StringIO()


def main() -> None:
    """Run the command line; never shows a traceback for an input or a disk that is wrong."""
    # Our matrices are small: threads of the linear algebra library only wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Nobody checks the records of a command besides us, and to look for who would takes a hundredth of a second.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    search_seldom()
    _replace_closed()
    _speak_any_encoding()
    try:
        beside.begin(sys.argv[1:])
        from remission.cli.app import run_app

        code = _flushed(run_app(sys.argv[1:]))
    except KeyboardInterrupt:
        # Before the command began, or after it: half of the time of a short one goes into loading the program.
        sys.stderr.write("Interrupted.\n")
        code = 130
    beside.end()
    # The process ends here, and its memory with it: a last search for cycles would take a third of a second.
    gc.freeze()
    sys.exit(code)


def _flushed(code: int) -> int:
    """The exit code after the last of the output is out; a full disk behind it is failed work."""
    from remission.cli.app import end_of_output

    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        return end_of_output(error) or code
    except ValueError:
        return code
    return code
