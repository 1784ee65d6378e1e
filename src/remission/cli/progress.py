"""Progress on standard error: how far, how long, how much is left."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_of"]


@contextmanager
def progress_of(title: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A callback (done, total) that draws a bar with the time left; silent when ``quiet`` or without a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield lambda _done, _total: None
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(title[:48], total=None)

        def update(done: int, total: int) -> None:
            words = f"{title[:48]}" if done < total else "Writing tables, figures and report"
            progress.update(task, completed=done, total=total, description=words)

        yield update
