"""Distributions in fixed-order arithmetic against SciPy, over the range that analyses ask for and beyond."""

import mpmath
import numpy as np
import pytest
from scipy import special

from remission.numerics import distributions as own

TAILS = np.concatenate(
    [10.0 ** np.arange(-300.0, -3.0, 7.0), np.linspace(1e-3, 0.999, 400), 1.0 - 10.0 ** -np.arange(4.0, 15)]
)


@np.vectorize
def beta_cdf(a: float, b: float, x: float) -> float:
    """One number after the other."""
    return float(own.beta_cdf_lane(a, b, x, own.log_beta_lane(a, b)))


def assert_close(found: np.ndarray, expected: np.ndarray, rel: float) -> None:
    np.testing.assert_allclose(found, expected, rtol=rel, atol=1e-300)


def test_the_normal_functions_are_scipys() -> None:
    """Every p value of a ratio is made of the first, every imputed parameter of the second."""
    x = np.concatenate([np.linspace(-37.0, 9.0, 301), [0.0, -2.0, 2.0, 1e-300, 40.0]])
    # SciPy's own tail is worth twelve digits; mpmath's is exact.
    assert_close(own.normal_cdf(x), special.ndtr(x), 1e-12)
    assert_close(own.normal_cdf(x), np.array([float(mpmath.ncdf(one)) for one in x]), 3e-15)
    assert own.normal_cdf(-40.0) == 0.0
    np.testing.assert_allclose(own.normal_quantile(TAILS), special.ndtri(TAILS), rtol=3e-14, atol=1e-15)
    assert own.normal_quantile(0.5) == 0.0
    np.testing.assert_array_equal(own.normal_quantile(np.array([0.0, 1.0, -1.0])), [-np.inf, np.inf, np.nan])
    assert np.isnan(own.normal_cdf(np.nan))


@pytest.mark.parametrize("freedom", [0.7, 1.0, 2.0, 3.5, 17.0, 94.0, 1234.5, 1e5])
def test_students_functions_are_scipys(freedom: float) -> None:
    """Intervals of differences; few degrees of freedom have tails that a normal start is far from."""
    t = np.concatenate([np.linspace(-60.0, 60.0, 1201), [1e3]])
    assert_close(own.t_cdf(freedom, t), special.stdtr(freedom, t), 2e-11)
    p = np.array([1e-6, 0.01, 0.025, 0.3, 0.5, 0.9, 0.975, 0.9999])
    assert_close(own.t_quantile(freedom, p), special.stdtrit(freedom, p), 2e-11)


def test_what_is_no_distribution_is_no_number() -> None:
    """No degrees of freedom, a share outside: NaN, never a loop without end."""
    assert np.isnan(own.t_quantile(0.0, 0.975))
    assert np.isnan(own.t_quantile(np.nan, 0.975))
    assert np.isnan(own.t_cdf(-1.0, 2.0))
    assert np.isnan(own.t_cdf(5.0, np.nan))
    assert own.t_cdf(5.0, np.inf) == 1.0
    assert own.t_cdf(5.0, -np.inf) == 0.0
    assert np.isnan(own.beta_quantile(1.0, 1.0, 2.0))
    assert np.isnan(own.gamma_quantile(1.0, -0.1))


@pytest.mark.parametrize("shape", [0.5, 1.0, 2.5, 30.0, 500.0])
def test_the_gamma_quantile_is_scipys(shape: float) -> None:
    """Draws of a covariance come from it."""
    assert_close(own.gamma_quantile(shape, TAILS[TAILS > 1e-9]), special.gammaincinv(shape, TAILS[TAILS > 1e-9]), 2e-11)


@pytest.mark.parametrize(("a", "b"), [(0.5, 0.5), (1.0, 1.0), (0.3, 7.0), (12.0, 3.0), (60.5, 41.5), (900.0, 1100.0)])
def test_the_beta_functions_are_scipys(a: float, b: float) -> None:
    """Shares of people, and how firm a simulated person's resolve is."""
    x = np.linspace(0.0, 1.0, 501)
    np.testing.assert_allclose(beta_cdf(a, b, x), special.betainc(a, b, x), rtol=2e-11, atol=1e-250)
    p = np.concatenate([np.linspace(0.001, 0.999, 301), [1e-9, 1.0 - 1e-9]])
    assert_close(own.beta_quantile(a, b, p), special.betaincinv(a, b, p), 2e-11)
    assert np.vectorize(own.log_beta_lane)(a, b) == pytest.approx(special.betaln(a, b), rel=1e-13, abs=1e-14)


def test_a_beta_quantile_does_not_depend_on_its_neighbors() -> None:
    """Quantiles are searched side by side; one bit from a neighbor, and people would depend on the crowd."""
    rng = np.random.default_rng(8)
    a, b, p = rng.gamma(2.0, 2.0, 300) + 0.02, rng.gamma(2.0, 2.0, 300) + 0.02, rng.random(300)
    p[::17], p[5::31] = 0.0, np.nan
    together = own.beta_quantile(a, b, p)
    alone = np.array([own.beta_quantile(*one) for one in zip(a, b, p, strict=True)])
    np.testing.assert_array_equal(together.view(np.int64), alone.view(np.int64))
    backwards = own.beta_quantile(a[::-1], b[::-1], p[::-1])[::-1]
    np.testing.assert_array_equal(together, backwards)


def test_one_degree_of_freedom() -> None:
    """The tail that likelihood ratios, scores and log-rank tests are read from."""
    square = np.array([0.0, 0.1, 3.84, 30.0, 400.0])
    assert_close(own.chi_squared_tail(square), special.chdtrc(1, square), 1e-13)
