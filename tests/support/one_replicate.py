"""An analysis of all replicates, of one in which everybody is analyzed."""

import numpy as np

from remission.analyses.estimate import Estimate
from remission.analyses.hazards import analyze_log_ranks

__all__ = ["analyze_log_rank"]


def analyze_log_rank(
    days: np.ndarray, event: np.ndarray, treated: np.ndarray, strata: np.ndarray | None = None
) -> Estimate:
    """The log-rank test of one replicate."""
    everyone, groups = np.ones((1, treated.size), dtype=np.bool_), None if strata is None else strata[None]
    return analyze_log_ranks(days[None], event[None], everyone, treated[None], groups).one(0)
