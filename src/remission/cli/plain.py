"""What goes to a terminal: text only, whatever stood in a file or an option."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from remission.errors import visible

__all__ = ["plain_output", "unguarded"]

_OURS = "\n\t"


class _Plain:
    """A stream of text that writes every control sign but line break and tab spelled out.

    A name could otherwise ring, color, clear or rewrite what stands on the screen.
    """

    def __init__(self, stream: TextIO) -> None:
        self.behind = stream

    def write(self, text: str) -> int:
        """Write the text; its length is returned as for any stream."""
        self.behind.write(visible(text, keep=_OURS))
        return len(text)

    def writelines(self, lines: list[str]) -> None:
        """Write one after the other."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.behind, name)


def unguarded(stream: TextIO) -> TextIO:
    """The stream behind, for tables with colors; each cell must have been made :func:`~remission.errors.visible`."""
    return stream.behind if isinstance(stream, _Plain) else stream


@contextmanager
def plain_output() -> Iterator[None]:
    """Both outputs write text only; what colors text of its own takes :func:`unguarded`."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = cast(TextIO, _Plain(sys.stdout)), cast(TextIO, _Plain(sys.stderr))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before
