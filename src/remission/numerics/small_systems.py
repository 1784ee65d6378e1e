"""Sums and small symmetric systems in a fixed order, for compiled loops.

Purpose: an estimate has the same bits on every processor. BLAS and LAPACK choose their kernels by processor, so the
order of their sums, and with it the last digits, change with the machine. Here every sum has one order, and nothing is
contracted.

Whether a system has full rank is decided by a scaled tolerance: what is left of a diagonal element beside the columns
before it, as a share of that element. Rescaling a row and its column changes no decision.
"""

import numpy as np

from remission.numerics.loops import inner, loop


@inner
def sum_of_products(x, y):
    """Sum of ``x[i] * y[i]``: eight running sums, added pairwise, for the adder's sake."""
    n = x.size
    whole = n - n % 8
    s0, s1, s2, s3, s4, s5, s6, s7 = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(0, whole, 8):
        s0 += x[i] * y[i]
        s1 += x[i + 1] * y[i + 1]
        s2 += x[i + 2] * y[i + 2]
        s3 += x[i + 3] * y[i + 3]
        s4 += x[i + 4] * y[i + 4]
        s5 += x[i + 5] * y[i + 5]
        s6 += x[i + 6] * y[i + 6]
        s7 += x[i + 7] * y[i + 7]
    total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    for i in range(whole, n):
        total += x[i] * y[i]
    return total


@inner
def factor(matrix, least):
    """Cholesky's lower factor in the place of a symmetric matrix, of which the lower half is read.

    Returns False, and leaves the matrix half done, where a diagonal element keeps no more than the share ``least`` of
    itself beside the columns before it.
    """
    n = matrix.shape[0]
    for j in range(n):
        own = matrix[j, j]
        rest = own
        for k in range(j):
            rest -= matrix[j, k] * matrix[j, k]
        if not rest > least * own or not np.isfinite(rest):
            return False
        root = np.sqrt(rest)
        matrix[j, j] = root
        for i in range(j + 1, n):
            total = matrix[i, j]
            for k in range(j):
                total -= matrix[i, k] * matrix[j, k]
            matrix[i, j] = total / root
        for i in range(j):
            matrix[i, j] = 0.0
    return True


@inner
def solve(lower, right):
    """Solution of ``lower @ lower.T @ x = right`` in the place of ``right``."""
    n = lower.shape[0]
    for i in range(n):
        total = right[i]
        for k in range(i):
            total -= lower[i, k] * right[k]
        right[i] = total / lower[i, i]
    for i in range(n - 1, -1, -1):
        total = right[i]
        for k in range(i + 1, n):
            total -= lower[k, i] * right[k]
        right[i] = total / lower[i, i]


@inner
def inverse(lower):
    """Inverse of ``lower @ lower.T``."""
    n = lower.shape[0]
    found = np.zeros((n, n))
    column = np.empty(n)
    for j in range(n):
        for i in range(n):
            column[i] = 1.0 if i == j else 0.0
        solve(lower, column)
        for i in range(n):
            found[i, j] = column[i]
    return found


@inner
def places_of(flags):
    """Where the flags of a row are set."""
    n = 0
    for i in range(flags.size):
        n += 1 if flags[i] else 0
    found = np.empty(n, np.int64)
    n = 0
    for i in range(flags.size):
        if flags[i]:
            found[n] = i
            n += 1
    return found


# The one function here that Python calls: without a file it would be compiled anew in every process.
@loop
def fit(columns, y, least, weights, is_found):
    """Least squares weights of the rows of ``columns`` for ``y``, into ``weights``.

    ``is_found``: one place for whether there are any: not where two rows say the same, see :func:`factor` for
    ``least``.
    """
    k = columns.shape[0]
    is_found[0] = False
    matrix = np.empty((k, k))
    for i in range(k):
        for j in range(k):
            matrix[i, j] = sum_of_products(columns[i], columns[j])
        weights[i] = sum_of_products(columns[i], y)
    if factor(matrix, least):
        solve(matrix, weights)
        is_found[0] = True
