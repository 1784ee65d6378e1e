"""What an analysis gives: a number with its interval and p value, or a status and no number."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np

from remission.errors import SpecError
from remission.numerics.distributions import normal_cdf, t_cdf, t_quantile
from remission.numerics.elementary import exp, log
from remission.numerics.intervals import Z95
from remission.shapes import Bool, Float

__all__ = [
    "Z95",
    "Estimate",
    "Estimates",
    "Status",
    "estimates_of",
    "failed_estimate",
    "interval_estimate",
    "is_too_small",
    "log_of",
    "of_one",
    "ratio_estimate",
    "ratios_of",
    "refuse_gaps",
]

_Column = Float[np.ndarray, " replicate"]
_NUMBERS = ("estimate", "low", "high", "p_value")


class Status(StrEnum):
    """How an analysis of one replicate ended.

    ``ok``: estimate and interval exist. ``no_variation``: an outcome without both values, or without any spread, in the
    data; report the share of such replicates. ``separation``: the outcome is foretold by the arm, the maximum of the
    likelihood lies at infinity. ``not_converged``: the solver stopped early; read the replicate's data.
    ``not_estimable``: the columns of the adjustment, or the missing values, leave nothing that tells the arms apart;
    adjust for less, or have more people. ``singular``: the covariance of the visits has no inverse, for one is foretold
    by others or does not vary; take a structure with fewer parameters, or fewer visits.
    """

    OK = "ok"
    NO_VARIATION = "no_variation"
    SEPARATION = "separation"
    NOT_CONVERGED = "not_converged"
    NOT_ESTIMABLE = "not_estimable"
    SINGULAR = "singular"


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
        return Estimate(**{name: float(getattr(self, name)[number]) for name in _NUMBERS}, status=self.status[number])

    @classmethod
    def of(cls, items: Sequence[Estimate]) -> "Estimates":
        """The replicates' estimates as columns."""
        columns = {name: np.array([getattr(item, name) for item in items], dtype=np.float64) for name in _NUMBERS}
        return cls(**columns, status=tuple(item.status for item in items))


def refuse_gaps(
    where: str, table: Float[np.ndarray, "replicate ..."], inside: Bool[np.ndarray, "replicate ..."]
) -> None:
    """Refuse a number that is missing or infinite of somebody who is analyzed: a regression would lose the whole column
    without a word. ``table``, ``inside``: people last, of shapes that go together.

    Raises SpecError: there is one; the first is named.
    """
    gaps = ~np.isfinite(table) & inside
    if gaps.any():
        place = np.argwhere(gaps)[0]
        raise SpecError(
            where=where,
            got=f"no number of person {place[-1]}, counted from 0",
            allowed="a number of everybody analyzed",
            remedy="Leave the person out, and say so, or have the number.",
        )


def is_too_small(values: Float[np.ndarray, " subject"], treated: Bool[np.ndarray, " subject"]) -> bool:
    """Whether there are fewer than four people, or one side of the contrast is empty."""
    return values.size < 4 or not treated.any() or bool(treated.all())


def failed_estimate(status: Status) -> Estimate:
    """No number, and why."""
    return Estimate(estimate=np.nan, low=np.nan, high=np.nan, p_value=np.nan, status=status)


def log_of(value: float) -> float:
    """The natural logarithm of a number above 0, the same bits on every processor."""
    return float(log(np.array([value]))[0])


def interval_estimate(estimate: float, error: float, freedom: float | None = None) -> Estimate:
    """An estimate with its standard error, by Student's t of so many degrees of freedom or by a normal distribution."""
    half = (Z95 if freedom is None else float(t_quantile(freedom, 0.975))) * error
    size = abs(estimate / error)
    p_value = 2.0 * float(normal_cdf(-size) if freedom is None else t_cdf(freedom, -size))
    return Estimate(estimate=estimate, low=estimate - half, high=estimate + half, p_value=p_value, status=Status.OK)


def ratio_estimate(log_ratio: float, error: float) -> Estimate:
    """A ratio from its logarithm and the standard error of that, with a normal interval and Wald's p value."""
    if not np.isfinite(log_ratio) or not np.isfinite(error):
        return failed_estimate(Status.NOT_CONVERGED)
    if error <= 0.0:
        return failed_estimate(Status.NO_VARIATION)
    return ratios_of(np.array([Status.OK], dtype=object), np.array([log_ratio]), np.array([error])).one(0)


def estimates_of(status: np.ndarray, estimate: _Column, low: _Column, high: _Column, p_value: _Column) -> Estimates:
    """Replicates side by side: columns of numbers where the status is ok, and no numbers elsewhere."""
    good = status == Status.OK
    numbers = {"estimate": estimate, "low": low, "high": high, "p_value": p_value}
    columns = {name: np.where(good, column, np.nan) for name, column in numbers.items()}
    return Estimates(**columns, status=tuple(Status(word) for word in status.tolist()))


def ratios_of(status: np.ndarray, log_ratio: _Column, error: _Column, p_value: _Column | None = None) -> Estimates:
    """Ratios from their logarithms and the standard errors of these; Wald's p value unless another is given."""
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        usable = (status == Status.OK) & np.isfinite(log_ratio) & (error > 0.0)
        log_ratio, error = np.where(usable, log_ratio, 0.0), np.where(usable, error, 1.0)
        wald = 2.0 * normal_cdf(-np.abs(log_ratio / error))
        low, middle, high = (exp(log_ratio + shift * error) for shift in (-Z95, 0.0, Z95))
    return estimates_of(status, middle, low, high, wald if p_value is None else p_value)


def of_one(analysis: Callable[..., Estimates], *columns: np.ndarray, adjust: np.ndarray, **options: Any) -> Estimate:
    """An analysis of all replicates, of one in which everybody is analyzed; the last of the columns is the side."""
    *values, treated = (column[None] for column in columns)
    everyone = np.ones(treated.shape, dtype=np.bool_)
    return analysis(*values, everyone, treated, np.ascontiguousarray(adjust.T)[None], **options).one(0)
