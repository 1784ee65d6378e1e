"""Modes and responses against high-precision matrix exponentials, near-equal eigenvalues and links on one included."""

import mpmath
import numpy as np
import pytest
from reference_kinetics import linked_response, plasma_response, reference_modes

from remission.errors import NumericalError
from remission.pk.mammillary import _apart, mammillary_modes

mp = mpmath.mp.clone()
mp.dps = 60

# The required accuracy is 1e-9. What is measured over these draws is 2e-14; the bound leaves room for other processors.
TOLERANCE = 1e-12

KINDS = (
    "ordinary",
    "equal rates back",
    "nearly equal rates back",
    "nearly equal eigenvalues",
    "weak coupling",
    "wide range",
)


def _person(kind: str, generator: np.random.Generator) -> tuple[float, float, np.ndarray, np.ndarray]:
    """Clearance, central volume, flows and peripheral volumes of one difficult person."""
    cl, v1 = np.exp(generator.uniform(0.0, 6.0)), np.exp(generator.uniform(0.0, 5.0))
    v, q = np.exp(generator.uniform(0.0, 6.0, 2)), np.exp(generator.uniform(0.0, 6.0, 2))
    if kind == "equal rates back":
        q[1] = q[0] / v[0] * v[1]
    elif kind == "nearly equal rates back":
        q[1] = q[0] / v[0] * v[1] * (1.0 + 10.0 ** generator.uniform(-15.0, -6.0))
    elif kind == "nearly equal eigenvalues":
        # Flows so small that all three eigenvalues lie at CL / V1.
        q = 10.0 ** generator.uniform(-12.0, -2.0, 2)
        v = q / (cl / v1) * (1.0 + np.array([0.0, 10.0 ** generator.uniform(-15.0, -2.0)]))
    elif kind == "weak coupling":
        q *= 1e-9
    elif kind == "wide range":
        v1 *= 1e-3
    return float(cl), float(v1), q, v


def _exact(
    cl: float, v1: float, q: np.ndarray, v: np.ndarray, kappa: float, time: float, duration: float
) -> tuple[float, float]:
    """Plasma and linked concentration for 1 ug/h into 1 L, times V1, by Taylor series of the matrix exponential."""
    m = mp.zeros(5)
    volume = mp.mpf(v1)
    m[0, 0], m[0, 4] = -mp.mpf(cl) / volume, 1
    for j in range(2):
        away, back = mp.mpf(q[j]) / volume, mp.mpf(q[j]) / mp.mpf(v[j])
        m[0, 0] -= away
        m[j + 1, 0], m[0, j + 1], m[j + 1, j + 1] = away, back, -back
    m[3, 0], m[3, 3] = mp.mpf(kappa), -mp.mpf(kappa)
    state = mp.expm(m * mp.mpf(min(time, duration)), method="taylor") * mp.matrix([0, 0, 0, 0, 1])
    if time > duration:
        state[4] = 0
        state = mp.expm(m * (mp.mpf(time) - mp.mpf(duration)), method="taylor") * state
    return float(state[0]), float(state[3])


@pytest.mark.independent
@pytest.mark.parametrize("kind", KINDS)
def test_responses_equal_the_matrix_exponential(kind: str) -> None:
    """The closed form is trusted everywhere, so it must be right where closed forms break."""
    generator = np.random.default_rng(KINDS.index(kind))
    worst = 0.0
    for trial in range(10):
        cl, v1, q, v = _person(kind, generator)
        modes = mammillary_modes(
            cl_l_per_h=np.array([cl]), v1_l=np.array([v1]), q_l_per_h=q[:, np.newaxis], v_l=v[:, np.newaxis]
        )
        on_root = modes.rate_per_h[trial % 3, 0]
        kappa = on_root * (1.0, 1.0 + 10.0 ** generator.uniform(-15.0, -1.0), generator.uniform(0.1, 3.0))[trial % 3]
        duration = float(np.exp(generator.uniform(-3.0, 1.0)))
        for time in (0.1 * duration, 0.9 * duration, 1.01 * duration, 2.0 * duration, duration + 5.0):
            plasma, linked = _exact(cl, v1, q, v, kappa, time, duration)
            elapsed = np.array([time])
            got = plasma_response(modes, elapsed_h=elapsed, duration_h=duration)[0, 0]
            got_linked = linked_response(modes, kappa_per_h=np.array([kappa]), elapsed_h=elapsed, duration_h=duration)[
                0, 0
            ]
            # Below this the exponential itself is held at exp(-700).
            if plasma > 1e-250:
                worst = max(worst, abs(got / plasma - 1.0), abs(got_linked / linked - 1.0))
    assert worst < TOLERANCE


@pytest.mark.parametrize("n_peripheral", [1, 2])
def test_rates_are_the_eigenvalues(n_peripheral: int) -> None:
    """Against LAPACK, for ordinary people and for one or two peripheral compartments."""
    generator = np.random.default_rng(5)
    n = 40
    cl, v1 = np.exp(generator.normal(4.5, 0.5, n)), np.exp(generator.normal(2.5, 0.5, n))
    q, v = np.exp(generator.normal(4.5, 0.7, (n_peripheral, n))), np.exp(generator.normal(4.5, 0.7, (n_peripheral, n)))
    modes = mammillary_modes(cl_l_per_h=cl, v1_l=v1, q_l_per_h=q, v_l=v)
    for i in range(n):
        matrix = np.zeros((n_peripheral + 1, n_peripheral + 1))
        matrix[0, 0] = -(cl[i] + q[:, i].sum()) / v1[i]
        matrix[1:, 0], matrix[0, 1:] = q[:, i] / v1[i], q[:, i] / v[:, i]
        matrix[np.arange(1, n_peripheral + 1), np.arange(1, n_peripheral + 1)] = -q[:, i] / v[:, i]
        expected = np.sort(-np.linalg.eigvals(matrix).real)
        assert modes.rate_per_h[:, i] == pytest.approx(expected, rel=1e-11)
    assert modes.weight.sum(axis=0) == pytest.approx(np.ones(n), rel=1e-14)
    assert np.all(modes.weight >= 0.0)


def test_modes_do_not_depend_on_the_batch() -> None:
    """Root finding stops per person; a slow neighbor must not add a step to anyone, to the last bit."""
    generator = np.random.default_rng(11)
    people = [_person(kind, generator) for kind in KINDS for _ in range(5)]
    cl, v1 = np.array([one[0] for one in people]), np.array([one[1] for one in people])
    q, v = np.stack([one[2] for one in people], axis=1), np.stack([one[3] for one in people], axis=1)
    together = mammillary_modes(cl_l_per_h=cl, v1_l=v1, q_l_per_h=q, v_l=v)
    for i in range(len(people)):
        rows = slice(i, i + 1)
        alone = mammillary_modes(cl_l_per_h=cl[rows], v1_l=v1[rows], q_l_per_h=q[:, rows], v_l=v[:, rows])
        assert np.array_equal(alone.rate_per_h[:, 0], together.rate_per_h[:, i])
        assert np.array_equal(alone.weight[:, 0], together.weight[:, i])


@pytest.mark.parametrize("n_peripheral", [1, 2])
def test_the_compiled_search_is_the_readable_one_bit_for_bit(n_peripheral: int) -> None:
    """Trials get their rates from the compiled one; a bit that moved would move days of use."""
    generator = np.random.default_rng(23)
    people = [_person(kind, generator) for kind in KINDS for _ in range(60)]
    cl, v1 = np.array([one[0] for one in people]), np.array([one[1] for one in people])
    q, v = np.stack([one[2] for one in people], axis=1), np.stack([one[3] for one in people], axis=1)
    q, v = q[:n_peripheral], v[:n_peripheral]
    fast = mammillary_modes(cl_l_per_h=cl, v1_l=v1, q_l_per_h=q, v_l=v)
    readable = reference_modes(cl / v1, out_per_h=q / v1, back_per_h=_apart(q / v))
    assert np.array_equal(fast.rate_per_h, readable.rate_per_h)
    assert np.array_equal(fast.weight, readable.weight)


@pytest.mark.parametrize("bad", [0.0, -1.0, float("nan"), float("inf")])
def test_a_parameter_that_is_not_positive_is_an_error(bad: float) -> None:
    """A zero volume must not become an infinite rate."""
    one = np.ones(1)
    with np.errstate(all="ignore"), pytest.raises(NumericalError):
        mammillary_modes(cl_l_per_h=bad * one, v1_l=one, q_l_per_h=np.ones((2, 1)), v_l=np.ones((2, 1)))
