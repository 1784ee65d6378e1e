"""Exponentials of compartment systems: as many digits as 50-digit arithmetic, and none below zero."""

import mpmath
import numpy as np
import pytest

from remission.errors import SpecError
from remission.numerics.positive_exponentials import check_compartments, positive_exponentials

mp = mpmath.mp.clone()
mp.dps = 50


def compartments(seed: int, size: int) -> np.ndarray:
    """Random flows between all states over five decades, with a loss from each."""
    rng = np.random.default_rng(seed)
    matrix = 10.0 ** rng.uniform(-3.0, 2.0, (size, size)) * (rng.uniform(size=(size, size)) < 0.5)
    np.fill_diagonal(matrix, 0.0)
    return matrix - np.diag(matrix.sum(axis=0) + 10.0 ** rng.uniform(-3.0, 1.0, size))


@pytest.mark.parametrize("step", [1e-6, 0.02, 1.0, 12.0])
@pytest.mark.parametrize("seed", range(4))
def test_every_element_has_its_digits(seed: int, step: float) -> None:
    """Relative to each element, however small: a tail that is lost in the rounding of the peak would never be seen."""
    matrix = compartments(seed, 6)
    found = positive_exponentials(matrix[np.newaxis], step=step)[0]
    exact = mp.expm(mp.matrix(matrix.tolist()) * mp.mpf(step))
    expected = np.array([[float(exact[i, j]) for j in range(6)] for i in range(6)])
    assert np.all(found >= 0.0)
    # The error doubles with each squaring, and there are log2 of step times the fastest loss of them, plus one.
    allowed = 1e-15 * max(1.0, step * float(np.max(-np.diag(matrix))))
    assert found == pytest.approx(expected, rel=20.0 * allowed, abs=1e-300)


def test_equal_rates_in_a_row_are_exact() -> None:
    """A transit chain cannot be taken apart into modes; its exponential is a gamma density."""
    chain = np.array([[-2.0, 0.0, 0.0], [2.0, -2.0, 0.0], [0.0, 2.0, -2.0]])
    found = positive_exponentials(chain[np.newaxis], step=3.0)[0, :, 0]
    assert found == pytest.approx([np.exp(-6.0), 6.0 * np.exp(-6.0), 18.0 * np.exp(-6.0)], rel=1e-13)


def test_no_time_is_no_change() -> None:
    """A step of nothing is the identity, to the last bit."""
    assert np.array_equal(positive_exponentials(compartments(1, 5)[np.newaxis], step=0.0)[0], np.eye(5))


def test_a_subject_does_not_depend_on_the_batch() -> None:
    """As everywhere: who else is computed changes no bit."""
    many = np.stack([compartments(seed, 5) for seed in range(9)])
    whole = positive_exponentials(many, step=0.7)
    assert np.array_equal(positive_exponentials(many[3:5], step=0.7), whole[3:5])
    assert positive_exponentials(many[:0], step=0.7).shape == (0, 5, 5)


@pytest.mark.parametrize("bad", [-0.1, np.nan, np.inf])
def test_what_takes_from_another_is_refused(bad: float) -> None:
    """The whole method rests on positive numbers."""
    matrix = compartments(2, 3)
    matrix[0, 1] = bad
    with pytest.raises(SpecError):
        check_compartments(matrix[np.newaxis])
