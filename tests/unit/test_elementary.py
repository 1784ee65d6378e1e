"""The functions of fixed bits against high-precision values."""

from collections.abc import Callable

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from remission.numerics import elementary
from remission.numerics.elementary import cos_sin_turns, exp, log, logistic, tanh


def test_exp_is_within_a_last_place_or_two() -> None:
    """Everything downstream trusts exp: its relative error must stay at rounding level over the whole useful range."""
    x = np.concatenate([np.linspace(-700.0, 700.0, 801), np.linspace(-1.0, 1.0, 401)])
    exact = [mpmath.exp(mpmath.mpf(float(v))) for v in x]
    error = [abs(float((mpmath.mpf(float(v)) - e) / e)) for v, e in zip(exp(x), exact, strict=True)]
    assert max(error) < 4e-16


def test_odds_of_a_chance_are_within_a_ten_thousandth_of_a_millionth() -> None:
    """Chances have a shorter exponential; half is exact, for a coin must not lean."""
    x = np.concatenate([np.linspace(-40.0, 40.0, 801), np.linspace(-1.0, 1.0, 401)])
    chance = logistic(x)
    exact = [1 / (1 + mpmath.exp(-mpmath.mpf(float(v)))) for v in x]
    spread = [float(e * (1 - e)) for e in exact]
    error = [abs(float(mpmath.mpf(float(v)) - e)) for v, e in zip(chance, exact, strict=True)]
    assert all(e <= 1e-10 * s + 3e-16 for e, s in zip(error, spread, strict=True))
    assert logistic(np.zeros(1))[0] == 0.5


def test_log_is_within_a_last_place_or_two() -> None:
    """Box-Muller and allometry stand on log."""
    x = np.concatenate([np.logspace(-300.0, 300.0, 801), np.linspace(0.5, 2.0, 400)])
    exact = [mpmath.log(mpmath.mpf(float(v))) for v in x]
    scale = [max(abs(float(e)), 1e-3) for e in exact]
    error = [abs(float(mpmath.mpf(float(v)) - e)) / s for v, e, s in zip(log(x), exact, scale, strict=True)]
    assert max(error) < 4e-16


def test_circular_functions_are_at_rounding_level() -> None:
    """A crooked circle would give normals of the wrong shape."""
    turns = np.linspace(0.0, 1.0, 1001)[:-1]
    cosine, sine = cos_sin_turns(turns)
    for value, function in ((cosine, mpmath.cospi), (sine, mpmath.sinpi)):
        exact = [function(2 * mpmath.mpf(float(t))) for t in turns]
        assert max(abs(float(mpmath.mpf(float(v)) - e)) for v, e in zip(value, exact, strict=True)) < 1e-15
    np.testing.assert_allclose(cosine**2 + sine**2, 1.0, atol=2e-15)


def _beyond_exp(x: mpmath.mpf) -> mpmath.mpf:
    return (mpmath.exp(x) - 1 - x) / x**2


def _beyond_log(square: mpmath.mpf) -> mpmath.mpf:
    root = mpmath.sqrt(square)
    return (mpmath.atanh(root) / root - 1) / square


def _beyond_sin(square: mpmath.mpf) -> mpmath.mpf:
    root = mpmath.sqrt(square)
    return (mpmath.sin(root) / root - 1) / square


@pytest.mark.parametrize(
    ("coefficients", "function", "low", "high", "n_exact"),
    [
        (elementary._EXP_COEFFICIENTS, _beyond_exp, -mpmath.log(2) / 2, mpmath.log(2) / 2, 2),
        (elementary._LOG_COEFFICIENTS, _beyond_log, 0, ((mpmath.sqrt(2) - 1) / (mpmath.sqrt(2) + 1)) ** 2, 1),
        (elementary._SIN_COEFFICIENTS, _beyond_sin, 0, (mpmath.pi / 2) ** 2, 1),
    ],
    ids=["exp", "log", "sin"],
)
def test_polynomials_are_fits_with_an_error_below_rounding(
    coefficients: tuple[float, ...],
    function: Callable[[mpmath.mpf], mpmath.mpf],
    low: mpmath.mpf,
    high: mpmath.mpf,
    n_exact: int,
) -> None:
    """A mistyped digit deep in a coefficient shows nowhere else: each polynomial is compared with its function."""
    assert coefficients[-n_exact:] == (1.0,) * n_exact
    with mpmath.workdps(40):
        fitted = [mpmath.mpf(c) for c in coefficients[:-n_exact]]
        low, high = mpmath.mpf(low), mpmath.mpf(high)
        for k in range(201):
            # Points between the ends, away from 0, where the function beyond its first terms is 0 divided by 0.
            x = low + (high - low) * (mpmath.mpf(k) + mpmath.mpf("0.37")) / 202
            assert abs(mpmath.polyval(fitted, x) - function(x)) * abs(x) ** n_exact < 3e-17


@pytest.mark.parametrize(
    ("function", "at", "value"), [(exp, 0.0, 1.0), (log, 1.0, 0.0), (tanh, 0.0, 0.0), (logistic, 0.0, 0.5)]
)
def test_fixed_points_are_exact(function: object, at: float, value: float) -> None:
    """Bit-for-bit limits of the model (no drug equals saline) rest on these."""
    assert function(np.array([at]))[0] == value  # type: ignore[operator]


def test_exp_holds_extreme_arguments() -> None:
    """An extreme state must saturate, not overflow into infinity."""
    assert np.all(np.isfinite(exp(np.array([-1e300, -701.0, 701.0, 1e300]))))
    assert np.all(logistic(np.array([-1e9, 1e9])) == np.array([logistic(np.array([-700.0]))[0], 1.0]))


@given(
    st.lists(st.floats(min_value=-50.0, max_value=50.0), min_size=1, max_size=40),
    st.integers(min_value=0, max_value=39),
)
def test_a_value_does_not_depend_on_its_neighbors(values: list[float], cut: int) -> None:
    """Vector code may treat the ends of an array otherwise; then chunks would change results."""
    whole = np.array(values)
    np.testing.assert_array_equal(exp(whole)[cut:], exp(whole[cut:]))
    np.testing.assert_array_equal(tanh(whole)[cut:], tanh(whole[cut:]))
