"""Trials as folders on disk."""

import inspect
from collections.abc import Callable
from functools import partial, wraps
from typing import TypeVar

from remission.door.arguments import opened
from remission.report.write import write_report
from remission.runs import rebuild as _rebuild
from remission.runs import run

__all__ = ["rebuild", "run_trial"]

_REPORT = "    report\n        What writes the report into the folder.\n"
_R = TypeVar("_R")


def _reported(function: Callable[..., _R]) -> Callable[..., _R]:
    """The function with our report; who calls it chooses no other."""
    signature = inspect.signature(function)
    through = wraps(function)(partial(function, report=write_report))
    kept = [one for name, one in signature.parameters.items() if name != "report"]
    through.__doc__ = (function.__doc__ or "").replace(_REPORT, "")
    through.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]  # read by inspect
    return through


rebuild = opened(_reported(_rebuild.rebuild))
run_trial = opened(_reported(run.run_trial))
