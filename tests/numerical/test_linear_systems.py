"""Linear systems with piecewise constant input against 50 digits."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest

from remission.errors import NumericalError, SpecError
from remission.numerics.linear_systems import simulate_linear_system

mp = mpmath.mp.clone()
mp.dps = 50

CHAIN = np.array([[-2.0, 0.0, 0.0], [2.0, -2.0, 0.0], [0.0, 2.0, -2.0]])
INPUT = np.array([1.0, 0.0, 0.0])


def _exact(matrix: np.ndarray, breaks: list[float], rates: list[float], time: float) -> list[float]:
    size = len(matrix)
    state = mp.zeros(size, 1)
    edges = [*breaks, max(time, breaks[-1])]
    for index, (start, stop) in enumerate(pairwise(edges)):
        length = mp.mpf(min(stop, time)) - mp.mpf(start)
        if length <= 0:
            break
        whole = mp.zeros(size + 1)
        for row in range(size):
            for column in range(size):
                whole[row, column] = mp.mpf(matrix[row, column]) * length
            whole[row, size] = mp.mpf(INPUT[row]) * (rates[index] if index < len(rates) else 0) * length
        moved = mp.expm(whole, method="taylor") * mp.matrix([*list(state), 1])
        state = mp.matrix(list(moved)[:size])
    return [float(x) for x in state]


def test_a_chain_of_equal_rates_is_exact() -> None:
    """Three equal eigenvalues have no eigenvectors to spare: a modal solver would fail here."""
    breaks, rates = [0.5, 1.0, 2.0], [3.0, 1.0]
    times = np.array([0.0, 0.5, 0.7, 1.0, 1.9, 5.0])
    states = simulate_linear_system(
        CHAIN[np.newaxis], input_vector=INPUT, breaks=np.array(breaks), rates=np.array([rates]), times=times
    )
    expected = np.array([_exact(CHAIN, breaks, rates, time) for time in times.tolist()]).T
    # Pade approximation of order 13 with squarings: about 1e-15 a step, 5 steps.
    assert states[0] == pytest.approx(expected, rel=1e-13, abs=1e-300)


def test_a_subject_does_not_know_the_batch() -> None:
    """A person's curve must not move when people are added, to the last bit."""
    generator = np.random.default_rng(7)
    scales = generator.uniform(0.01, 300.0, size=9)
    matrices = CHAIN * scales[:, np.newaxis, np.newaxis]
    rates = generator.uniform(0.0, 5.0, size=(9, 1))
    breaks, times = np.array([0.0, 0.3]), np.array([0.1, 0.3, 0.8, 8.0])
    together = simulate_linear_system(matrices, input_vector=INPUT, breaks=breaks, rates=rates, times=times)
    for index in range(9):
        alone = simulate_linear_system(
            matrices[index : index + 1],
            input_vector=INPUT,
            breaks=breaks,
            rates=rates[index : index + 1],
            times=times,
        )
        assert np.array_equal(alone[0], together[index])


@pytest.mark.parametrize(
    ("breaks", "times", "where"),
    [([0.0, 1.0], [1.0, 0.5], "times"), ([1.0, 0.0], [1.0], "breaks"), ([0.0, 1.0, 2.0], [1.0], "breaks")],
)
def test_time_may_not_run_backwards(breaks: list[float], times: list[float], where: str) -> None:
    """A step of negative length would run the system backwards without a word."""
    with pytest.raises(SpecError) as caught:
        simulate_linear_system(
            CHAIN[np.newaxis],
            input_vector=INPUT,
            breaks=np.array(breaks),
            rates=np.ones((1, 1)),
            times=np.array(times),
        )
    assert caught.value.where == where


def test_an_exploding_system_is_an_error() -> None:
    """Infinity must not pass for an amount."""
    with np.errstate(all="ignore"), pytest.raises(NumericalError):
        simulate_linear_system(
            -CHAIN[np.newaxis] * 1e3,
            input_vector=INPUT,
            breaks=np.array([0.0, 1.0]),
            rates=np.ones((1, 1)),
            times=np.array([1.0]),
        )
