"""The registry of published trials, what their numbers are worth, and what may be pooled."""

from remission.evidence.contrasts import group_contrasts
from remission.evidence.registry import load_evidence

__all__ = ["group_contrasts", "load_evidence"]
