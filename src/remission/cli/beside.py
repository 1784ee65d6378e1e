"""The process beside ``remission run``, started before this one loads anything heavy: both load at once."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from remission.extras import has_extra
from remission.numerics.cores import available_cores

if TYPE_CHECKING:
    from remission.runs.crew import Beside

_OTHER_WAYS = ("-w", "--workers", "--cluster", "--shares", "-h", "--help")
"""Options of a run that has no process beside it."""

_LOADS = (
    "remission.runs.piece",
    "remission.report.undocumented",
    "remission.report.write",
    "remission.report.circuit_chart",
    "remission.report.results_chart",
    "remission.report.session_chart",
    "remission.report.course_charts",
)

_begun: "list[Beside]" = []


def begin(words: list[str]) -> None:
    """Start it, where the words of the command line are those of a run that will want it; a wrong guess is harmless."""
    if words[:1] == ["run"] and not any(word.startswith(_OTHER_WAYS) for word in words) and _is_worth_it():
        from remission.runs.crew import Beside

        _begun.append(Beside(_LOADS))


def taken() -> "Beside | None":
    """The process that was started, for whoever closes it; None where there is none."""
    return _begun.pop() if _begun else None


def end() -> None:
    """End it where nobody took it: the command was wrong."""
    if (left := taken()) is not None:
        left.close()


def _is_worth_it() -> bool:
    return available_cores() > 1 and has_extra("plots") and _is_command()


def _is_command() -> bool:
    """Whether this process is the command and nothing else: another program's first file would be run once more."""
    first = sys.modules["__main__"]
    spec = getattr(first, "__spec__", None)
    return Path(getattr(first, "__file__", None) or "").name == "remission" or (
        spec is not None and spec.name == "remission.__main__"
    )
