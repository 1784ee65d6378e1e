"""Divided differences against 60 digits, where the plain formulas lose them all."""

import mpmath
import numpy as np
import pytest
from divided_differences import cumulative_decay_difference, mean_decay
from reference_kinetics import decay_difference

mp = mpmath.mp.clone()
mp.dps = 60

# Arguments near and far from each other, from 0 and from the borders between branches (0.25 and 1).
SCALES = [0.0, 1e-300, 1e-12, 1e-3, 0.2499, 0.25, 0.2501, 0.7, 0.9999, 1.0, 1.0001, 3.0, 40.0, 600.0]
GAPS = [0.0, 1e-16, 1e-12, 1e-8, 1e-3, 0.1, 0.2499, 0.2501, 1.0, 30.0]
PAIRS = [(scale, scale + gap) for scale in SCALES for gap in GAPS] + [(5.0, 0.0), (1.0, 0.3)]

# Twice the error of exp (4e-16) and a handful of roundings; the differences lose up to two bits.
TOLERANCE = 5e-15


def _mean(a: "mpmath.mpf") -> "mpmath.mpf":
    return -mp.expm1(-a) / a if a else mp.mpf(1)


def _difference(a: "mpmath.mpf", b: "mpmath.mpf") -> "mpmath.mpf":
    return mp.exp(-a) if a == b else (mp.exp(-a) - mp.exp(-b)) / (b - a)


def _cumulative(a: "mpmath.mpf", b: "mpmath.mpf") -> "mpmath.mpf":
    if a == b:
        return (_mean(a) - mp.exp(-a)) / a if a else mp.mpf(1) / 2
    return (_mean(a) - _mean(b)) / (b - a)


@pytest.mark.parametrize("scale", [*SCALES, 699.0, 2000.0, 1e6])
def test_mean_decay(scale: float) -> None:
    """It is the whole response to a short infusion."""
    with mp.workdps(400):
        expected = float(_mean(mp.mpf(scale)))
    assert mean_decay(np.array([scale]))[0] == pytest.approx(expected, rel=TOLERANCE)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_differences(a: float, b: float) -> None:
    """A link whose rate meets an eigenvalue is divided by nearly nothing in the plain formula."""
    # 1e-300 needs its own digits to keep differences of it.
    with mp.workdps(700):
        first, second = float(_difference(mp.mpf(a), mp.mpf(b))), float(_cumulative(mp.mpf(a), mp.mpf(b)))
    one, other = np.array([a]), np.array([b])
    assert decay_difference(one, other)[0] == pytest.approx(first, rel=TOLERANCE, abs=1e-290)
    assert cumulative_decay_difference(one, other)[0] == pytest.approx(second, rel=TOLERANCE)


@pytest.mark.parametrize(("a", "b"), PAIRS)
def test_differences_are_symmetric(a: float, b: float) -> None:
    """Which of the two is called the link must not matter, to the last bit."""
    one, other = np.array([a]), np.array([b])
    assert decay_difference(one, other)[0] == decay_difference(other, one)[0]
    assert cumulative_decay_difference(one, other)[0] == cumulative_decay_difference(other, one)[0]


def test_an_element_does_not_know_its_neighbors() -> None:
    """Series and quotient are chosen per element; the batch must not choose for it."""
    a = np.array([pair[0] for pair in PAIRS])
    b = np.array([pair[1] for pair in PAIRS])
    together = np.stack([mean_decay(a), decay_difference(a, b), cumulative_decay_difference(a, b)])
    alone = np.array(
        [
            [mean_decay(x)[0], decay_difference(x, y)[0], cumulative_decay_difference(x, y)[0]]
            for x, y in zip(np.split(a, a.size), np.split(b, b.size), strict=True)
        ]
    ).T
    assert np.array_equal(together, alone)
