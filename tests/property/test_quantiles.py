"""Quantiles over people: the very bits of NumPy, for any number of people, ties and orders included."""

import numpy as np
import pytest

from remission.numerics.quantiles import quantiles_over_people


@pytest.mark.parametrize("n_people", [1, 2, 3, 20, 99, 1000, 1001])
def test_the_bits_are_those_of_numpy(n_people: int) -> None:
    """A plan must not move because it became faster."""
    rng = np.random.default_rng(n_people)
    p_quantiles = [0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0, *rng.random(5)]
    for values in (
        rng.lognormal(size=(n_people, 7)),
        rng.integers(0, 3, size=(n_people, 7)).astype(float),
        np.asfortranarray(rng.normal(size=(n_people, 7)) * 10.0 ** rng.integers(-12, 12, size=(1, 7))),
    ):
        assert np.array_equal(quantiles_over_people(values, p_quantiles), np.quantile(values, p_quantiles, axis=0))


def test_no_number_is_not_sorted_away() -> None:
    """One craving that is no number makes its day's quantiles none, and no other day's."""
    values = np.random.default_rng(3).normal(size=(50, 6))
    values[7, 2] = values[9, 2] = values[49, 5] = np.nan
    found = quantiles_over_people(values, (0.0, 0.1, 0.9, 1.0))
    np.testing.assert_array_equal(found, np.quantile(values, (0.0, 0.1, 0.9, 1.0), axis=0))
    assert np.isnan(found[:, [2, 5]]).all()
    assert np.isfinite(found[:, [0, 1, 3, 4]]).all()
