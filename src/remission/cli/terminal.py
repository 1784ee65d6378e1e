"""What goes to a terminal: text only, whatever stood in a file or an option; tables; one JSON object."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO, cast

import typer

from remission.errors import visible

if TYPE_CHECKING:
    from rich.console import Console


class _Plain:
    """A stream of text that writes every control sign but line break and tab spelled out.

    A name could otherwise ring, color, clear or rewrite what stands on the screen.
    """

    def __init__(self, stream: TextIO) -> None:
        self.behind = stream

    def write(self, text: str) -> int:
        """Write the text; its length is returned as for any stream."""
        self.behind.write(visible(text, keep="\n\t"))
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


def console() -> "Console":
    """Where tables are printed: as wide as the terminal, in colors where it has any."""
    from rich.console import Console

    return Console(file=unguarded(sys.stdout))


def print_json(content: Any) -> None:
    """One JSON object; records become objects, and a number that does not exist is null."""
    import json

    from remission.records.result import plain

    typer.echo(json.dumps(plain(content), ensure_ascii=False, allow_nan=False))


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, title: str) -> None:
    """Cells of words under a head, folded to the width of the terminal."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold", no_wrap=name in {"id", ""})
    for row in rows:
        table.add_row(*(Text(visible(cell, keep="\n")) for cell in row))
    out = console()
    out.print()
    out.print(Text(visible(title), style="bold"))
    out.print(table)


def print_fields(*fields: tuple[str, str], title: str) -> None:
    """Names with their texts, those that have one."""
    from rich.box import SIMPLE
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, show_header=False, pad_edge=False, show_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in fields:
        if text:
            table.add_row(name, Text(visible(text, keep="\n")))
    console().print(Text(visible(title), style="bold"))
    console().print(table)


def print_columns(
    rows: Sequence[Sequence[str]],
    *,
    right: Sequence[int] = (),
    widths: Sequence[int] = (),
    indent: int = 0,
    gap: int = 2,
) -> None:
    """Rows in columns that are as wide as they must be, whatever they are printed to: a line stays a line.

    ``right`` are the columns of numbers. ``widths`` are for rows that come one by one.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, gap, 0, 0), pad_edge=False)
    for number in range(max(map(len, rows), default=0)):
        width = widths[number] if widths else None
        table.add_column(no_wrap=True, justify="right" if number in right else "left", min_width=width)
    for row in rows:
        table.add_row(*(Text(visible(cell)) for cell in row))
    # No terminal is so wide that a line would be cut.
    drawn = Console(width=100_000, color_system=None)
    with drawn.capture() as captured:
        drawn.print(table)
    for line in captured.get().splitlines():
        typer.echo(f"{' ' * indent}{line.rstrip()}")
