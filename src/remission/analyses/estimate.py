"""What an analysis gives: a number with its interval and p value, or a status and no number."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float

from remission.numerics.distributions import normal_cdf
from remission.numerics.elementary import exp, log
from remission.numerics.intervals import Z95

__all__ = ["Z95", "Estimate", "Estimates", "Status", "failed_estimate", "log_of", "ratio_estimate"]


class Status(StrEnum):
    """How an analysis of one replicate ended.

    ``ok``: estimate and interval exist. ``no_variation``: an outcome without both values, or without any spread, in the
    data; report the share of such replicates. ``separation``: the outcome is foretold by the arm, the maximum of the
    likelihood lies at infinity. ``not_converged``: the solver stopped early; read the replicate's data.
    ``not_estimable``: the columns of the adjustment, or the missing values, leave nothing that tells the arms apart;
    adjust for less, or have more people.
    """

    OK = "ok"
    NO_VARIATION = "no_variation"
    SEPARATION = "separation"
    NOT_CONVERGED = "not_converged"
    NOT_ESTIMABLE = "not_estimable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """Estimate, 95% interval, two-sided p value and status of one analysis.

    Bayesian analyses give the posterior mean or median, the 95% credible interval, and in the place of the p value
    twice the posterior probability that the effect lies on the other side of nothing.
    """

    estimate: float
    low: float
    high: float
    p_value: float
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimates:
    """One analysis over the replicates, on the scale people read (difference, ratio, percent). NaN where status is
    not ok.
    """

    estimate: Float[np.ndarray, " replicate"]
    low: Float[np.ndarray, " replicate"]
    high: Float[np.ndarray, " replicate"]
    p_value: Float[np.ndarray, " replicate"]
    status: tuple[Status, ...]

    @property
    def n_failed(self) -> int:
        """Replicates without an estimate."""
        return sum(status is not Status.OK for status in self.status)

    def one(self, number: int) -> Estimate:
        """That of one replicate."""
        columns = (self.estimate, self.low, self.high, self.p_value)
        estimate, low, high, p_value = (float(column[number]) for column in columns)
        return Estimate(estimate=estimate, low=low, high=high, p_value=p_value, status=self.status[number])

    @classmethod
    def of(cls, items: Sequence[Estimate]) -> "Estimates":
        """The replicates' estimates as columns."""
        return cls(
            estimate=np.array([item.estimate for item in items], dtype=np.float64),
            low=np.array([item.low for item in items], dtype=np.float64),
            high=np.array([item.high for item in items], dtype=np.float64),
            p_value=np.array([item.p_value for item in items], dtype=np.float64),
            status=tuple(item.status for item in items),
        )


def failed_estimate(status: Status) -> Estimate:
    """No number, and why."""
    return Estimate(estimate=np.nan, low=np.nan, high=np.nan, p_value=np.nan, status=status)


def log_of(value: float) -> float:
    """The natural logarithm of a number above 0, the same bits on every processor."""
    return float(log(np.array([value]))[0])


def ratio_estimate(log_ratio: float, error: float, p_value: float | None = None) -> Estimate:
    """A ratio from its logarithm and the standard error of that, with a normal interval.

    ``p_value``: of another test than Wald's; ``None``: Wald's.
    """
    if not np.isfinite(log_ratio) or not np.isfinite(error):
        return failed_estimate(Status.NOT_CONVERGED)
    if error <= 0.0:
        return failed_estimate(Status.NO_VARIATION)
    low, middle, high = exp(np.array([log_ratio - Z95 * error, log_ratio, log_ratio + Z95 * error]))
    wald = 2.0 * float(normal_cdf(-abs(log_ratio / error)))
    return Estimate(
        estimate=float(middle),
        low=float(low),
        high=float(high),
        p_value=wald if p_value is None else p_value,
        status=Status.OK,
    )
