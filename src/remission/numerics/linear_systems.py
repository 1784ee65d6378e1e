"""Linear systems with piecewise constant input, solved by matrix exponentials.

Equation: ``dx/dt = A x + b r(t)`` with ``x(0) = 0``, a matrix ``A`` per subject, one input vector ``b`` and an input
rate ``r`` that is constant between breaks. Over a step of length h in which ``r`` does not change, the augmented
matrix ``[[A, b], [0, 0]]`` has the exponential ``[[Phi, Gamma], [0, 1]]`` and ``x(t + h) = Phi x(t) + Gamma r``
exactly, equal eigenvalues or not. Nothing is stepped by a difference rule.

Each subject's result depends on that subject alone, to the last bit: the exponential is taken matrix by matrix and
products are sums written out in a fixed order, never a call that may reorder them with the size of the batch.
"""

import numpy as np
from jaxtyping import Float
from scipy import linalg

from remission.errors import NumericalError, SpecError

__all__ = ["simulate_linear_system"]


def simulate_linear_system(
    matrix: Float[np.ndarray, "subject state state"],
    *,
    input_vector: Float[np.ndarray, " state"],
    breaks: Float[np.ndarray, " break"],
    rates: Float[np.ndarray, "subject interval"],
    times: Float[np.ndarray, " time"],
) -> Float[np.ndarray, "subject state time"]:
    """States at ``times`` of a system that is empty before the first break.

    ``matrix``: A, in 1 over the unit of time.
    ``input_vector``: b, how one unit of input spreads over the states.
    ``breaks``: times at which the input rate changes, rising, one more than there are intervals. The rate is zero
        outside.
    ``rates``: input rate of each interval between breaks.
    ``times``: when the states are wanted, not falling.
    Raises SpecError: times or breaks run backwards. Raises NumericalError: a state is not a finite number.
    """
    if np.any(np.diff(times) < 0.0):
        raise SpecError(where="times", got=times.tolist(), allowed="times that do not run backwards")
    if np.any(np.diff(breaks) <= 0.0) or breaks.size != rates.shape[1] + 1:
        raise SpecError(where="breaks", got=breaks.tolist(), allowed="rising, one more than the rates")
    n_subject, n_state, _ = matrix.shape
    augmented = np.zeros((n_subject, n_state + 1, n_state + 1))
    augmented[:, :n_state, :n_state] = matrix
    augmented[:, :n_state, n_state] = input_vector
    known: dict[float, Float[np.ndarray, "row column subject"]] = {}

    def advance(state: Float[np.ndarray, "state subject"], step: float, rate: Float[np.ndarray, " subject"]) -> None:
        if step not in known:
            known[step] = np.ascontiguousarray(np.moveaxis(_exponentials(augmented * step), 0, -1))
        propagator = known[step]
        before = [*state.copy(), rate]
        for row in range(n_state):
            total = propagator[row, 0] * before[0]
            for column in range(1, n_state + 1):
                total = total + propagator[row, column] * before[column]
            state[row] = total

    state = np.zeros((n_state, n_subject))
    result = np.zeros((n_subject, n_state, times.size))
    idle = np.zeros(n_subject)
    now = float(breaks[0])
    for index, time in enumerate(times.tolist()):
        while now < time:
            interval = int(np.searchsorted(breaks, now, side="right")) - 1
            running = interval < rates.shape[1]
            stop = min(time, float(breaks[interval + 1])) if running else time
            advance(state, stop - now, rates[:, interval] if running else idle)
            now = stop
        result[:, :, index] = state.T
    if not np.all(np.isfinite(result)):
        raise NumericalError(
            where="linear system",
            got="a state that is not a finite number",
            allowed="finite states",
            remedy="Check the rate constants: one of them is out of range.",
        )
    return result


def _exponentials(matrices: Float[np.ndarray, "subject row column"]) -> Float[np.ndarray, "subject row column"]:
    # One call for each matrix: a batched call may pick its order of approximation for the batch as a whole.
    return np.stack([linalg.expm(one) for one in matrices]) if len(matrices) else matrices
