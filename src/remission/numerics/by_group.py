"""Mean and spread of groups of people, row by row, in a compiled loop.

A sum has the order in which NumPy forms it (halves of at most 128 numbers, eight running sums in each), so that a mean
is that of ``values.sum() / values.size`` to the last bit; a test holds it there.
"""

import numpy as np

from remission.numerics.loops import inner, loop
from remission.shapes import Bool, Float, Int

_LEAF = 128
_DEPTH = 64
"""More halvings than any array of numbers in memory has."""


@inner
def _leaf_sum(x, first, n):
    """Sum of at most ``_LEAF`` numbers."""
    if n < 8:
        total = -0.0
        for i in range(first, first + n):
            total += x[i]
        return total
    whole = n - n % 8
    s0, s1, s2, s3 = x[first], x[first + 1], x[first + 2], x[first + 3]
    s4, s5, s6, s7 = x[first + 4], x[first + 5], x[first + 6], x[first + 7]
    for i in range(first + 8, first + whole, 8):
        s0 += x[i]
        s1 += x[i + 1]
        s2 += x[i + 2]
        s3 += x[i + 3]
        s4 += x[i + 4]
        s5 += x[i + 5]
        s6 += x[i + 6]
        s7 += x[i + 7]
    total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    for i in range(first + whole, first + n):
        total += x[i]
    return total


@inner
def _sum_of(x, n, begin, length, sums):
    """Sum of the first ``n`` numbers; the last three are room to work in."""
    begin[0], length[0] = 0, n
    waiting, n_sums = 1, 0
    while waiting > 0:
        waiting -= 1
        first, size = begin[waiting], length[waiting]
        if size < 0:  # both halves are there
            sums[n_sums - 2] = sums[n_sums - 2] + sums[n_sums - 1]
            n_sums -= 1
        elif size <= _LEAF:
            sums[n_sums] = _leaf_sum(x, first, size)
            n_sums += 1
        else:
            half = size // 2
            half -= half % 8
            length[waiting] = -1
            begin[waiting + 1], length[waiting + 1] = first + half, size - half
            begin[waiting + 2], length[waiting + 2] = first, half
            waiting += 3
    return 0.0 + sums[0]


@loop
def _moments(value, group, hit, mean, sd, n, share):
    own, away = np.empty(value.shape[1]), np.empty(value.shape[1])
    begin, length, sums = np.empty(_DEPTH, np.int64), np.empty(_DEPTH, np.int64), np.empty(_DEPTH)
    for row in range(value.shape[0]):
        for index in range(mean.shape[1]):
            size, hits = 0, 0
            for i in range(value.shape[1]):
                if group[row, i] == index and np.isfinite(value[row, i]):
                    own[size] = value[row, i]
                    size += 1
                    if hit.shape[1] > 0 and hit[row, i]:
                        hits += 1
            n[row, index] = size
            if size > 0:
                mean[row, index] = _sum_of(own, size, begin, length, sums) / size
                if hit.shape[1] > 0:
                    share[row, index] = hits / size
            if size > 1:
                for i in range(size):
                    gap = own[i] - mean[row, index]
                    away[i] = gap * gap
                sd[row, index] = np.sqrt(_sum_of(away, size, begin, length, sums) / (size - 1))


def group_moments(
    value: Float[np.ndarray, "row subject"],
    group: Int[np.ndarray, "row subject"],
    *,
    n_groups: int,
    hit: Bool[np.ndarray, "row subject"] | None = None,
) -> tuple[
    Float[np.ndarray, "row group"], Float[np.ndarray, "row group"], Int[np.ndarray, "row group"],
    Float[np.ndarray, "row group"],
]:  # fmt: skip
    """Mean, standard deviation, number and share of hits of those in each group who have a value.

    ``value``: a number that is not finite is none. ``group``: 0 to ``n_groups`` - 1; others are in no group. ``hit``:
    what the share is of; ``None``: shares are NaN. A mean of nobody is NaN, and a deviation of fewer than two.
    """
    shape = (value.shape[0], n_groups)
    mean, sd, share = np.full(shape, np.nan), np.full(shape, np.nan), np.full(shape, np.nan)
    n = np.zeros(shape, dtype=np.int64)
    hits = np.zeros((value.shape[0], 0), dtype=np.bool_) if hit is None else np.ascontiguousarray(hit)
    _moments(np.ascontiguousarray(value), np.ascontiguousarray(group), hits, mean, sd, n, share)
    return mean, sd, n, share
