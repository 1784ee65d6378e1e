"""The process of one job of the workbench: a command line, told how far it is line by line on its output.

Started by the server before there is a job, with everything loaded; the job comes on standard input. When that closes
the server is gone, and this process ends.
"""

import io
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from remission.cli.progress import hearing

if TYPE_CHECKING:
    from remission.numerics.tallies import Count

_EVENT = "\x1e"
_TELL_EVERY_S = 0.2
_LOADED = (
    "remission.cli.design_show", "remission.cli.design_work", "remission.cli.design_report", "remission.cli.effect",
    "remission.cli.run", "remission.design.study", "remission.report.design_folder", "remission.report.design_write",
)  # fmt: skip
"""What a design imports on its way; the first band waits for none of it."""


class _Teller:
    """Tells the server how far the command is; every part of a design weighs by the person-days that it has."""

    def __init__(self, person_days: int) -> None:
        self._all, self._before, self._told_at = max(1, person_days), 0, 0.0

    @contextmanager
    def part(self, title: str, weight: int) -> Iterator[Callable[[int, int], None]]:
        """One part of the work; ``weight``: its person-days, 0 where nobody counts them."""
        self._tell(title, 0, 0, 0.0)

        def update(done: int, total: int) -> None:
            if time.monotonic() - self._told_at >= _TELL_EVERY_S or done == total:
                self._tell(title, done, total, weight * done / max(1, total))

        yield update
        self._before += weight

    def share(self, n_subjects: int, rejected: "Count", *, is_first: bool) -> None:
        """The power at a number of people, as it stands."""
        found = rejected.measure
        _say({"n": n_subjects, "value": found.value, "mcse": found.mcse, "trials": rejected.n, "is_first": is_first})

    def _tell(self, title: str, done: int, total: int, inside: float) -> None:
        self._told_at = time.monotonic()
        share = min(0.99, (self._before + inside) / self._all)
        _say({"part": title, "done": done, "total": total, "share": share})


def _say(told: dict[str, Any]) -> None:
    # Not by sys.stdout: a command puts a writer of plain text in its place.
    out = sys.__stdout__
    if out is not None:
        out.write(f"{_EVENT}{json.dumps(told)}\n")
        out.flush()


def _end_with_server(server: io.FileIO) -> None:
    while server.read(1):
        pass
    os._exit(1)


def _warm() -> None:
    """Load what a design needs, compiled code too, and tell how quick this machine is."""
    from importlib import import_module

    import typer

    from remission.cli.app import app_of
    from remission.library.protocols import load_protocol
    from remission.trial.simulate import plan_trial

    for name in _LOADED:
        import_module(name)
    typer.main.get_command(app_of(["design"]))
    plan = plan_trial(load_protocol("kare"), n_replicates=40, seed=0)
    piece = plan.chunks[0]
    plan.run(piece)  # the first one also loads compiled code
    started = time.perf_counter()
    plan.run(piece)
    days = piece.count * plan.protocol.population.n_subjects * plan.protocol.follow_up_days
    _say({"pace": days / (time.perf_counter() - started)})


def main() -> int:
    """Wait for a job, do it, and end with the command's exit code."""
    _warm()
    server = io.FileIO(0, closefd=False)
    line = server.readline()
    if not line.strip():
        return 0
    job = json.loads(line)
    threading.Thread(target=_end_with_server, args=(server,), daemon=True).start()
    from remission.cli.app import run_app

    os.chdir(Path(job["folder"]))
    with hearing(_Teller(job["person_days"])):
        return run_app(job["words"])


if __name__ == "__main__":
    sys.exit(main())
