"""Simulated numbers with their Monte Carlo error, from running sums: memory does not grow with the trials."""

from dataclasses import dataclass, field
from typing import Self

import numpy as np

from remission.numerics.digits import decimals_of
from remission.shapes import Bool, Float


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A simulated number and its Monte Carlo standard error."""

    value: float
    mcse: float

    @property
    def text(self) -> str:
        """The number with the digits that its error supports."""
        if not np.isfinite(self.value):
            return "not available"
        if not np.isfinite(self.mcse) or self.mcse <= 0.0:
            return f"{self.value:.3g}"
        decimals = decimals_of(self.mcse, most=99)
        return f"{self.value:.{decimals}f} (± {self.mcse:.{decimals}f})"


@dataclass(slots=True)
class Count:
    """How many of how many."""

    hits: int = 0
    n: int = 0

    def add(self, found: Bool[np.ndarray, " replicate"]) -> Self:
        """Count further trials."""
        self.hits += int(found.sum())
        self.n += found.size
        return self

    def merge(self, other: "Count") -> None:
        """Take in what was counted elsewhere."""
        self.hits += other.hits
        self.n += other.n

    @property
    def measure(self) -> Measure:
        """Share and its error; half a trial is added to each side, so that none of n is not taken for certain."""
        if self.n == 0:
            return Measure(value=float("nan"), mcse=float("nan"))
        moved = (self.hits + 0.5) / (self.n + 1.0)
        return Measure(value=self.hits / self.n, mcse=float(np.sqrt(moved * (1.0 - moved) / self.n)))


@dataclass(slots=True)
class Mean:
    """Mean and sum of squares about it; parts are put together without loss of digits."""

    n: int = 0
    center: float = 0.0
    squares: float = field(default=0.0)

    def add(self, values: Float[np.ndarray, " replicate"]) -> Self:
        """Take in further values; those that do not exist are left out."""
        good = values[np.isfinite(values)]
        if good.size:
            center = float(good.mean())
            self.merge(Mean(n=good.size, center=center, squares=float(((good - center) ** 2).sum())))
        return self

    def merge(self, other: "Mean") -> None:
        """Take in what was summed elsewhere."""
        n = self.n + other.n
        if n == 0:
            return
        gap = other.center - self.center
        self.squares += other.squares + gap**2 * self.n * other.n / n
        self.center += gap * other.n / n
        self.n = n

    @property
    def variance(self) -> float:
        """Variance of single values."""
        return self.squares / (self.n - 1) if self.n > 1 else float("nan")

    @property
    def measure(self) -> Measure:
        """Mean and its error."""
        if self.n == 0:
            return Measure(value=float("nan"), mcse=float("nan"))
        return Measure(value=self.center, mcse=float(np.sqrt(self.variance / self.n)))
