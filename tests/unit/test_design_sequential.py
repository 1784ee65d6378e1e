"""Boundaries against an integral computed another way."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import multivariate_normal, norm

from remission.design.sequential import crossing_probabilities, plan_looks
from remission.errors import SpecError


@pytest.mark.parametrize("spending", ["obrien-fleming", "pocock"])
def test_the_error_of_three_looks_is_that_of_the_multivariate_normal(spending: str) -> None:
    """A second way to the same integral: a slip in the recursion would spend another error."""
    fractions = (0.3, 0.6, 1.0)
    looks = plan_looks(fractions, spending=spending)
    t = np.array(fractions)
    correlation = np.sqrt(np.minimum.outer(t, t) / np.maximum.outer(t, t))
    z = np.array(looks.z)
    inside = multivariate_normal(cov=correlation, abseps=1e-8, releps=1e-8, seed=1).cdf(z, lower_limit=-z)
    assert 1.0 - inside == pytest.approx(0.05, abs=2e-6)
    assert looks.spent[-1] == pytest.approx(0.05, abs=1e-12)


def test_one_look_is_the_plain_test() -> None:
    """Without an interim look nothing may change: bound and power are those of the normal test."""
    looks = plan_looks([1.0])
    assert looks.z[0] == pytest.approx(norm.ppf(0.975), abs=1e-8)
    upper, lower = crossing_probabilities(looks.z, [1.0], drift=2.8)
    assert upper[0] == pytest.approx(norm.sf(looks.z[0] - 2.8), abs=1e-12)
    assert lower[0] == pytest.approx(norm.cdf(-looks.z[0] - 2.8), abs=1e-12)


def test_futility_loses_power_as_the_bivariate_normal_says() -> None:
    """A futility stop that cost no power, or too much, would mislead about the size needed."""
    z, t, drift = (2.9, 1.97), (0.5, 1.0), 3.0
    upper, _ = crossing_probabilities(z, t, drift=drift, futility_look=0, futility_z=0.5)
    mean = drift * np.sqrt(t)
    joint = multivariate_normal(mean=mean, cov=[[1.0, np.sqrt(0.5)], [np.sqrt(0.5), 1.0]], seed=1)
    second = joint.cdf([2.9, 40.0], lower_limit=[0.5, 1.97])
    assert upper[0] == pytest.approx(norm.sf(2.9 - mean[0]), abs=1e-10)
    assert upper[1] == pytest.approx(second, abs=1e-5)


@pytest.mark.parametrize("fractions", [[], [0.5], [0.5, 0.4, 1.0], [0.0, 1.0], [float("nan"), 1.0]])
def test_looks_that_do_not_rise_to_all_information_are_refused(fractions: list[float]) -> None:
    """Boundaries for looks that cannot be would be numbers without meaning."""
    with pytest.raises(SpecError, match="rising"):
        plan_looks(fractions)


@pytest.mark.parametrize(
    ("boundary", "n_looks", "alpha", "z"),
    [
        # Printed by rpact, in Lakens, Improving Your Statistical Inferences, chapter Sequential Analysis.
        ("classical-pocock", 5, 0.05, [2.4131803] * 5),
        ("classical-obrien-fleming", 5, 0.05, [4.5617423, 3.2256389, 2.6337232, 2.2808712, 2.0400732]),
        ("classical-obrien-fleming", 4, 0.05, [4.049, 2.863, 2.337, 2.024]),
        ("classical-pocock", 2, 0.05, [2.178] * 2),
        # Printed by SeqBounds.jl (README) for a one-sided error of .05: half of the two-sided one of .1.
        ("obrien-fleming", 4, 0.10, [3.74955, 2.53993, 2.01604, 1.72014]),
    ],
)
def test_boundaries_are_the_published_ones(boundary: str, n_looks: int, alpha: float, z: list[float]) -> None:
    """A statistician compares with the tables first. One-sided tables differ by the lost lower tail, below 1e-4."""
    looks = plan_looks([(look + 1) / n_looks for look in range(n_looks)], spending=boundary, alpha=alpha)
    assert looks.z == pytest.approx(z, abs=6e-4)
    assert looks.spent[-1] == pytest.approx(alpha, abs=1e-8)


def test_power_of_a_pocock_design_is_the_published_one() -> None:
    """The same source gives the chance to stop at each of two looks of a design with power .9: .5893, then .9."""
    looks = plan_looks([0.5, 1.0], spending="classical-pocock")

    def power(drift: float) -> np.ndarray:
        return np.cumsum(crossing_probabilities(looks.z, looks.fractions, drift=drift)[0])

    drift = brentq(lambda size: power(size)[-1] - 0.9, 1.0, 6.0)
    assert power(drift)[0] == pytest.approx(0.5893, abs=1e-4)
