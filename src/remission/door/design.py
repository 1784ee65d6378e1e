"""Designs of trials, studied by simulation."""

from remission.design import study
from remission.door.arguments import opened

__all__ = ["design_trial"]

design_trial = opened(study.design_trial)
