"""Trials as folders on disk."""

from remission.door.arguments import opened
from remission.report import rebuild as _rebuild
from remission.report import run

__all__ = ["rebuild", "run_trial"]

rebuild = opened(_rebuild.rebuild)
run_trial = opened(run.run_trial)
