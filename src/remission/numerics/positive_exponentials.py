"""Matrix exponentials of compartment systems, one for each subject, at machine speed.

A system whose states feed each other and are never fed a negative amount has a matrix without negative elements off its
diagonal, and its exponential has none at all. With q the fastest loss of any state::

    exp(A h) = (exp(-q h/2^k) series of exp((A + q I) h/2^k)) squared k times

The series and the squarings add and multiply positive numbers only, so nothing cancels, small elements keep their
relative accuracy and none comes out below zero. The relative error at most doubles with each squaring: after a step of
a thousand times the shortest time constant some 1e-12 is left.

Each subject's matrix is computed alone, in a fixed order of operations that round alike on every machine.
"""

import numpy as np

from remission.errors import SpecError
from remission.numerics.lanes import exp_lane
from remission.numerics.loops import inner, loop
from remission.shapes import Float

# The norm is at most one half, so the next term is below the rounding of the sum.
_TERMS = 14


def check_compartments(matrix: Float[np.ndarray, "subject state state"]) -> None:
    """Refuse a matrix that is not of compartments.

    Raises SpecError: an element off the diagonal is negative, or one is not a finite number.
    """
    off_diagonal = np.where(np.eye(matrix.shape[1], dtype=bool), 0.0, matrix)
    if not np.all(np.isfinite(matrix)) or np.any(off_diagonal < 0.0):
        raise SpecError(
            where="matrix",
            got="an element that is not finite, or negative off the diagonal",
            allowed="a state may feed another and never take from it",
            remedy="Check the rate constants: one of them is negative or not finite.",
        )


def positive_exponentials(
    matrix: Float[np.ndarray, "subject state state"], *, step: float
) -> Float[np.ndarray, "subject state state"]:
    """``exp(A step)`` of each subject; the matrix must pass :func:`check_compartments`, and the step be >= 0.

    >>> decay = np.array([[[-1.0, 0.0], [1.0, 0.0]]])
    >>> positive_exponentials(decay, step=1.0).round(4).tolist()
    [[[0.3679, 0.0], [0.6321, 1.0]]]
    """
    found = np.zeros(matrix.shape)
    _fill(np.zeros((3, *matrix.shape[1:])), np.ascontiguousarray(matrix), float(step), found)
    return found


def carry(
    exponentials: Float[np.ndarray, "subject state state"], vectors: Float[np.ndarray, "subject state"]
) -> Float[np.ndarray, "subject state"]:
    """Each subject's vector after its matrix, summed in one fixed order."""
    moved = np.zeros(vectors.shape)
    _carry(exponentials, np.ascontiguousarray(vectors), moved)
    return moved


@loop
def _carry(exponentials, vectors, moved):
    size = vectors.shape[1]
    for subject in range(vectors.shape[0]):
        for i in range(size):
            total = 0.0
            for j in range(size):
                total += exponentials[subject, i, j] * vectors[subject, j]
            moved[subject, i] = total


@inner
def _multiply(a, b, factor, out):
    size = a.shape[0]
    for i in range(size):
        for j in range(size):
            out[i, j] = 0.0
        for k in range(size):
            own = a[i, k] * factor
            if own != 0.0:
                for j in range(size):
                    out[i, j] += own * b[k, j]


@inner
def _shift(matrix, shifted):
    """``A + q I`` into ``shifted``; gives q and the largest sum of a column."""
    size = matrix.shape[0]
    fastest, largest = 0.0, 0.0
    for i in range(size):
        fastest = max(fastest, -matrix[i, i])
    for j in range(size):
        column = 0.0
        for i in range(size):
            shifted[i, j] = matrix[i, j] + (fastest if i == j else 0.0)
            column += shifted[i, j]
        largest = max(largest, column)
    return fastest, largest


@inner
def _series(shifted, short, left, term, other, total):
    """``left exp(shifted short)`` into ``total``."""
    size = shifted.shape[0]
    for i in range(size):
        for j in range(size):
            term[i, j] = total[i, j] = left if i == j else 0.0
    for number in range(1, _TERMS + 1):
        _multiply(shifted, term, short / number, other)
        for i in range(size):
            for j in range(size):
                term[i, j] = other[i, j]
                total[i, j] += other[i, j]


@loop
def _fill(b, matrix, step, found):
    size = matrix.shape[1]
    shifted, term, other = b[0], b[1], b[2]
    for subject in range(matrix.shape[0]):
        fastest, largest = _shift(matrix[subject], shifted)
        short, squarings = step, 0
        while largest * short > 0.5:
            short, squarings = 0.5 * short, squarings + 1
        total = found[subject]
        _series(shifted, short, exp_lane(-fastest * short), term, other, total)
        for _ in range(squarings):
            _multiply(total, total, 1.0, other)
            for i in range(size):
                for j in range(size):
                    total[i, j] = other[i, j]
