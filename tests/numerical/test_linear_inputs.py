"""Linear systems with inputs of their own for each subject: exactness, and nobody changes anybody."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate

from remission.errors import NumericalError, SpecError
from remission.numerics.linear_inputs import LinearInput, simulate_linear_inputs

CHAIN = np.array(
    [[[-2.0, 0.0, 0.3], [1.5, -1.0, 0.0], [0.0, 0.4, -0.3]], [[-1.0, 0.0, 0.0], [1.0, -1.0, 0.0], [0.0, 1.0, -1.0]]]
)
TIMES = np.array([0.0, 0.1, 0.25, 0.7, 1.0, 1.0, 3.3])


def box(state: int, start: float, amounts: list[float], lengths: list[float]) -> LinearInput:
    return LinearInput(state=state, start=start, amount=np.array(amounts), length=np.array(lengths))


def test_boxes_of_different_lengths_match_a_difference_solver() -> None:
    """Durations of absorption differ between people: an end between two marks must be neither lost nor moved."""
    inputs = [box(0, 0.05, [3.0, 5.0], [0.33, 1.7]), box(2, 0.25, [1.0, 0.0], [0.2, 0.2])]
    found = simulate_linear_inputs(CHAIN, inputs=inputs, times=TIMES)
    for subject in range(2):

        def slope(t: float, x: np.ndarray, subject: int = subject) -> np.ndarray:
            rate = np.zeros(3)
            for one in inputs:
                if one.start <= t < one.start + one.length[subject]:
                    rate[one.state] += one.amount[subject] / one.length[subject]
            return CHAIN[subject] @ x + rate

        breaks = sorted(
            {0.0, 3.3, *(one.start for one in inputs), *(one.start + one.length[subject] for one in inputs)}
        )
        state, values = np.zeros(3), {0.0: np.zeros(3)}
        for begin, end in pairwise(breaks):
            at = [t for t in TIMES if begin < t <= end]
            # Just inside the piece, so that the solver never sees the other side of a jump.
            part = integrate.solve_ivp(
                slope, (begin + 1e-12, end - 1e-12), state, "DOP853", rtol=1e-11, atol=1e-13, dense_output=True
            )
            values |= {t: part.sol(min(t, end - 1e-12)) for t in at}
            state = part.y[:, -1]
        expected = np.stack([values[t] for t in TIMES], axis=1)
        # Tolerance: that of the difference solver.
        assert found[subject] == pytest.approx(expected, rel=1e-8, abs=1e-9)


def test_an_input_all_at_once_is_the_limit_of_a_short_one() -> None:
    """A bolus and an infusion of a second must not be two different drugs."""
    at_once = simulate_linear_inputs(CHAIN, inputs=[box(0, 0.2, [1.0, 2.0], [0.0, 0.0])], times=TIMES)
    short = simulate_linear_inputs(CHAIN, inputs=[box(0, 0.2, [1.0, 2.0], [1e-7, 1e-7])], times=TIMES)
    assert at_once == pytest.approx(short, rel=1e-5, abs=1e-6)
    assert np.array_equal(
        simulate_linear_inputs(CHAIN, inputs=[box(0, 0.25, [1.0, 2.0], [0.0, 0.0])], times=TIMES)[:, 0, 2], [1.0, 2.0]
    )


def test_equal_eigenvalues_are_exact() -> None:
    """A transit chain has one eigenvalue three times; the closed form is a gamma function."""
    found = simulate_linear_inputs(CHAIN, inputs=[box(0, 0.0, [0.0, 1.0], [0.0, 0.0])], times=TIMES)[1, 2]
    # Tolerance: the lattice of times, 2**-46 of the span.
    assert found == pytest.approx(TIMES**2 / 2 * np.exp(-TIMES), rel=1e-11, abs=1e-13)


def test_a_subject_does_not_depend_on_the_batch() -> None:
    """A chunked run must give the numbers of a whole one, to the last bit."""
    rng = np.random.default_rng(5)
    n = 300
    matrix = -np.eye(3) * rng.uniform(0.5, 3.0, (n, 3, 1)) + np.tril(rng.uniform(0.0, 0.4, (n, 3, 3)), -1)
    one = LinearInput(state=0, start=0.1, amount=rng.uniform(0, 5, n), length=rng.uniform(0.1, 2.0, n))
    whole = simulate_linear_inputs(matrix, inputs=[one], times=TIMES)
    for rows in (slice(0, 7), slice(250, 300)):
        assert np.array_equal(
            simulate_linear_inputs(
                matrix[rows], inputs=[replace(one, amount=one.amount[rows], length=one.length[rows])], times=TIMES
            ),
            whole[rows],
        )


def test_nothing_in_gives_nothing_out() -> None:
    """No input, no time and no subject are no special cases for the caller."""
    assert not simulate_linear_inputs(CHAIN, inputs=[], times=TIMES).any()
    late = [box(0, 9.0, [1.0, 1.0], [0.0, 1.0])]
    assert not simulate_linear_inputs(CHAIN, inputs=late, times=TIMES).any()
    assert simulate_linear_inputs(CHAIN, inputs=late, times=np.zeros(0)).shape == (2, 3, 0)
    nobody = LinearInput(state=0, start=0.0, amount=np.zeros(0), length=np.zeros(0))
    assert simulate_linear_inputs(np.zeros((0, 3, 3)), inputs=[nobody], times=TIMES).shape == (0, 3, 7)


@pytest.mark.parametrize("bad", [[-1.0, 1.0], [np.nan, 1.0]])
def test_bad_inputs_are_refused(bad: list[float]) -> None:
    """A negative amount would pass as a plausible curve."""
    with pytest.raises(SpecError):
        simulate_linear_inputs(CHAIN, inputs=[box(0, 0.0, bad, [0.0, 0.0])], times=TIMES)
    with pytest.raises(SpecError):
        simulate_linear_inputs(CHAIN, inputs=[], times=TIMES[::-1])
    with pytest.raises(SpecError):
        simulate_linear_inputs(-CHAIN, inputs=[box(0, 0.0, [1.0, 1.0], [0.0, 0.0])], times=TIMES)
    with pytest.raises(NumericalError):
        simulate_linear_inputs(CHAIN + 1e4 * np.eye(3), inputs=[box(0, 0.0, [1.0, 1.0], [0.0, 0.0])], times=TIMES)


@pytest.mark.parametrize("length", [1e-300, 1e-13, 1e-11, 3e-8, 0.4999])
def test_no_amount_is_lost_however_short_the_input(length: float) -> None:
    """An infusion shorter than the lattice of times must not vanish, nor a short one lose a share to rounding."""
    keep = np.array([[[-1.0, 0.0], [1.0, 0.0]]] * 2)
    one = box(0, 0.1, [3.0, 3.0], [length, 0.5 * length])
    found = simulate_linear_inputs(keep, inputs=[one], times=np.array([0.0, 1.0, 700.0]))
    assert found.sum(axis=1)[:, 1:] == pytest.approx(np.full((2, 2), 3.0), rel=1e-12)
