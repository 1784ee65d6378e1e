"""An analysis against the truth it aims at: bias and coverage over replicates, each with its Monte Carlo error."""

from dataclasses import dataclass

import numpy as np

from remission.analyses.estimate import log_of
from remission.errors import SpecError
from remission.numerics.elementary import log
from remission.records.analysis_methods import METHODS
from remission.trial.result import TrialResult
from remission.trial.truth import TrueContrast

__all__ = ["AnalysisBias", "measure_bias"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnalysisBias:
    """How far an analysis lies from the truth.

    ``bias`` is the mean of estimate minus truth, of their logarithms for ratios; ``bias_mcse`` counts the error of the
    truth as well. ``coverage`` is the share of 95% intervals that hold the truth, among the replicates with one.
    """

    analysis: str
    bias: float
    bias_mcse: float
    coverage: float
    coverage_mcse: float
    n_replicates: int
    n_failed: int


def measure_bias(result: TrialResult, truth: TrueContrast) -> AnalysisBias:
    """Bias and coverage of the analysis of that name over the replicates of a result.

    Raises ``SpecError``: the replicates drew values of their own, so that each has another truth; the result has no
    such analysis, or fewer than two of its replicates gave an estimate.
    """
    if result.drawing is not None:
        raise SpecError(
            where="result", got=f"replicates that drew their values from {result.drawing.posterior}",
            allowed="one set of values, which has one truth", remedy="Simulate with parameters=.",
        )  # fmt: skip
    if truth.analysis not in result.estimates:
        raise SpecError(
            where="truth.analysis", got=truth.analysis, allowed=f"one of {', '.join(sorted(result.estimates))}"
        )
    found = result.estimates[truth.analysis]
    good = np.isfinite(found.estimate)
    n_good = int(good.sum())
    if n_good < 2:
        raise SpecError(
            where="result",
            got=f"{n_good} replicates with an estimate",
            allowed="at least 2",
            remedy="Simulate more replicates, or more people in each.",
        )
    estimate, target, error = found.estimate[good], truth.estimate, truth.mcse
    if METHODS[truth.method].scale == "ratio":
        estimate, target, error = log(estimate), log_of(target), truth.mcse / truth.estimate
    away = estimate - target
    inside = (found.low[good] <= truth.estimate) & (truth.estimate <= found.high[good])
    coverage = float(inside.mean())
    return AnalysisBias(
        analysis=truth.analysis,
        bias=float(away.mean()),
        bias_mcse=float(np.sqrt(away.var(ddof=1) / n_good + error * error)),
        coverage=coverage,
        coverage_mcse=float(np.sqrt(coverage * (1.0 - coverage) / n_good)),
        n_replicates=int(found.estimate.size),
        n_failed=int(found.estimate.size) - n_good,
    )
