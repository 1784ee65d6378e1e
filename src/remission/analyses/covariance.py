"""Covariances of one person's visits: their structures, with first and second derivatives, for compiled loops.

Parameters are those that SAS prints (variances, covariances where the structure is linear in them, correlations,
ranges), because a Kenward-Roger correction depends on what is called a parameter where the structure is not linear.
"""

from typing import Final, get_args

import numpy as np

from remission.numerics.lanes import exp_lane
from remission.numerics.loops import inner, loop
from remission.records.regression import Structure
from remission.shapes import Int

STRUCTURES: Final[tuple[Structure, ...]] = get_args(Structure)
SPATIAL: Final = frozenset({"spatial-exponential", "spatial-gaussian"})
"""Structures that read distances between visits, and not which visit it is."""

LINEAR, SYMMETRIC, AUTOREGRESSIVE, TOEPLITZ, ANTE, EXPONENTIAL, GAUSSIAN = range(7)
_KINDS: Final = {
    "unstructured": LINEAR, "compound-symmetry": LINEAR, "toeplitz": LINEAR,
    "heterogeneous-compound-symmetry": SYMMETRIC, "autoregressive": AUTOREGRESSIVE,
    "heterogeneous-autoregressive": AUTOREGRESSIVE, "heterogeneous-toeplitz": TOEPLITZ, "ante-dependence": ANTE,
    "heterogeneous-ante-dependence": ANTE, "spatial-exponential": EXPONENTIAL, "spatial-gaussian": GAUSSIAN,
}  # fmt: skip


def kind_of(structure: Structure) -> tuple[int, bool]:
    """What a compiled loop reads of a structure: how entries are made, and whether each visit has its variance."""
    return _KINDS[structure], structure.startswith("heterogeneous")


def index_of(structure: Structure, position: Int[np.ndarray, " visit"]) -> tuple[Int[np.ndarray, "visit visit"], int]:
    """Which parameter (of a linear structure) or lag stands at two visits, and the number of parameters.

    ``position``: places of the visits in their order, rising; a gap is a lag of two. Toeplitz structures have a
    parameter for each lag that occurs.
    """
    m = position.size
    lag = np.abs(position[:, None] - position)
    kind, is_heterogeneous = kind_of(structure)
    n_variances = m if is_heterogeneous else 1
    if structure == "unstructured":
        high = np.maximum(np.arange(m)[:, None], np.arange(m))
        return high * (high + 1) // 2 + np.minimum(np.arange(m)[:, None], np.arange(m)), m * (m + 1) // 2
    if structure == "compound-symmetry":
        return (lag > 0).astype(np.int64), min(m, 2)
    if kind == AUTOREGRESSIVE:
        return lag, n_variances + (m > 1)
    if kind == ANTE:
        return lag, n_variances + m - 1
    if structure in {"toeplitz", "heterogeneous-toeplitz"}:
        lags = np.unique(lag)
        return np.searchsorted(lags, lag), n_variances + lags.size - 1
    return np.zeros((m, m), dtype=np.int64), n_variances + (m > 1)


def parameter_names(structure: Structure, position: Int[np.ndarray, " visit"]) -> tuple[str, ...]:
    """Names of the parameters, in their order; visits and lags are counted from 1."""
    m, (kind, is_heterogeneous) = position.size, kind_of(structure)
    if structure == "unstructured":
        return tuple(f"covariance({i + 1},{j + 1})" for i in range(m) for j in range(i + 1))
    lags = np.unique(np.abs(position[:, None] - position))[1:].tolist()
    if kind == LINEAR:
        after = ["covariance"][: m - 1] if structure == "compound-symmetry" else [f"covariance, lag {k}" for k in lags]
        return ("variance", *after)
    before = [f"variance({i + 1})" for i in range(m)] if is_heterogeneous else ["variance"]
    rest = {
        TOEPLITZ: [f"correlation, lag {k}" for k in lags],
        ANTE: [f"correlation({i + 2},{i + 1})" for i in range(m - 1)],
        EXPONENTIAL: ["range"][: m - 1],
        GAUSSIAN: ["range"][: m - 1],
    }
    return (*before, *rest.get(kind, ["correlation"][: m - 1]))


@inner
def _power(base, exponent):
    """A whole power by products, in one order."""
    total = 1.0
    for _ in range(exponent):
        total *= base
    return total


@inner
def _between(theta, m, a, b, without, neither):
    """Product of the correlations from visit a to visit b, one or two of them left out."""
    total = 1.0
    for p in range(m + a, m + b):
        if p != without and p != neither:  # noqa: PLR1714
            total *= theta[p]
    return total


@loop
def covariances(kind, is_heterogeneous, index, theta, k, group, size, visit, distance, order, v, first, second):
    """Covariance matrices of patterns of visits with their derivatives by the parameters of the pattern's group.

    ``theta``: ``k`` parameters for each group. ``group``, ``size``: (pattern). ``visit``: (pattern, row).
    ``distance``: (pattern, row, row), read by spatial kinds. ``order``: 0, the matrices ``v`` only (pattern, row, row),
    or 2, also ``first`` (pattern, k, row, row) and ``second`` (pattern, k, k, row, row), untouched by a linear
    structure, in which it is zero. Returns whether the parameters have a meaning.
    """
    for one in range(group.size):
        own = theta[group[one] * k : (group[one] + 1) * k]
        if kind == LINEAR:
            for i in range(size[one]):
                for j in range(size[one]):
                    place = index[visit[one, i], visit[one, j]]
                    v[one, i, j] = own[place]
                    if order > 0:
                        for p in range(k):
                            first[one, p, i, j] = 1.0 if p == place else 0.0
            continue
        m = index.shape[0] if is_heterogeneous else 1
        for p in range(k):
            if not own[p] > 0.0 and (p < m or kind >= EXPONENTIAL):
                return False
        if order > 0:
            first[one].fill(0.0)
            second[one].fill(0.0)
        for i in range(size[one]):
            for j in range(i + 1):
                a, b = min(visit[one, i], visit[one, j]), max(visit[one, i], visit[one, j])
                _entry(kind, is_heterogeneous, index, own, a, b, i, j, distance[one], order, v[one], first[one],
                       second[one])  # fmt: skip
        for i in range(size[one]):
            for j in range(i):
                v[one, j, i] = v[one, i, j]
                if order > 0:
                    for p in range(k):
                        first[one, p, j, i] = first[one, p, i, j]
                        for q in range(k):
                            second[one, p, q, j, i] = second[one, p, q, i, j]
    return True


@inner
def _entry(kind, is_heterogeneous, index, theta, a, b, i, j, distance, order, v, first, second):
    """The covariance of rows i and j, visits a and b, and its derivatives, in their places."""
    m = index.shape[0] if is_heterogeneous else 1
    va, vb = theta[a if is_heterogeneous else 0], theta[b if is_heterogeneous else 0]
    size = va if a == b else np.sqrt(va * vb)
    # The correlation, and its derivatives by the one parameter that it has (all but ante-dependence).
    r, slope, bend, where = 1.0, 0.0, 0.0, m
    if i != j and kind == SYMMETRIC:
        r, slope = theta[m], 1.0
    elif i != j and kind == AUTOREGRESSIVE:
        lag = index[a, b]
        r, slope = _power(theta[m], lag), lag * _power(theta[m], lag - 1)
        bend = lag * (lag - 1) * _power(theta[m], lag - 2)
    elif i != j and kind == TOEPLITZ:
        where = m + index[a, b] - 1
        r, slope = theta[where], 1.0
    elif i != j and kind == ANTE:
        r = _between(theta, m, a, b, -1, -1)
    elif i != j:
        reach, d = theta[m], distance[i, j]
        share = d / reach if kind == EXPONENTIAL else d * d / (reach * reach)
        r = exp_lane(-share)
        slope = r * share / reach * (1.0 if kind == EXPONENTIAL else 2.0)
        bend = r * share / (reach * reach) * (share - 2.0 if kind == EXPONENTIAL else 4.0 * share - 6.0)
    v[i, j] = size * r
    if order == 0:
        return
    _add_variances(first, second, is_heterogeneous, i, j, a, b, va, vb, size, r)
    for p in range(m + a, m + b) if kind == ANTE else range(where, where + 1):
        if i == j:
            break
        if kind == ANTE:
            slope = _between(theta, m, a, b, p, -1)
            for q in range(m + a, m + b):
                if q != p:
                    second[p, q, i, j] = size * _between(theta, m, a, b, p, q)
        _add_correlation(first, second, is_heterogeneous, i, j, a, b, va, vb, size, p, slope, bend)


@inner
def _add_variances(first, second, is_heterogeneous, i, j, a, b, va, vb, size, r):
    """Derivatives by the variances of the two visits."""
    if not is_heterogeneous:
        first[0, i, j] = r
    elif a == b:
        first[a, i, j] = 1.0
    else:
        first[a, i, j] = 0.5 * size * r / va
        first[b, i, j] = 0.5 * size * r / vb
        second[a, a, i, j] = -0.25 * size * r / (va * va)
        second[b, b, i, j] = -0.25 * size * r / (vb * vb)
        second[a, b, i, j] = 0.25 * size * r / (va * vb)
        second[b, a, i, j] = second[a, b, i, j]


@inner
def _add_correlation(first, second, is_heterogeneous, i, j, a, b, va, vb, size, where, slope, bend):
    """Derivatives by one parameter of the correlation, and across with the variances."""
    first[where, i, j] = size * slope
    second[where, where, i, j] = size * bend
    if is_heterogeneous:
        second[a, where, i, j] = 0.5 * size * slope / va
        second[b, where, i, j] = 0.5 * size * slope / vb
        second[where, b, i, j] = second[b, where, i, j]
        second[where, a, i, j] = second[a, where, i, j]
    else:
        second[0, where, i, j] = slope
        second[where, 0, i, j] = slope
