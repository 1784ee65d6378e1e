"""The linear model with a covariance between a person's rows, by restricted or full maximum likelihood.

The criterion is -2 log likelihood. With V of a person, W its inverse, r the residuals and M = sum X'WX, its slope by a
parameter t is the sum over people of tr(W V_t) - r'W V_t W r - tr(M^-1 X'W V_t W X), the last part for restricted
likelihood; slopes and second derivatives follow from products of rows of W[X, r] alone, added up for each pattern of
missing visits. Newton's steps take the exact second derivatives, or the expected ones where these are no minimum, and
are halved until the criterion falls.

Columns are made orthonormal and the outcome is its least-squares residual in units of its spread, so that tolerances
have a scale. The Kenward-Roger correction is that of Kenward and Roger (1997, doi 10.2307/2533558), with and without
the part of second derivatives (their R).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np

from remission.analyses.covariance import (
    ANTE,
    AUTOREGRESSIVE,
    GAUSSIAN,
    LINEAR,
    SPATIAL,
    SYMMETRIC,
    TOEPLITZ,
    covariances,
    index_of,
    kind_of,
)
from remission.numerics.elementary import exp, log
from remission.numerics.lanes import log_lane
from remission.numerics.loops import inner, loop
from remission.numerics.small_systems import factor, inverse, solve, sum_of_products
from remission.records.regression import Structure
from remission.shapes import Bool, Float, Int


class Ending(IntEnum):
    """How a fit ended.

    Found; no residual spread; a parameter that the data say nothing of; a covariance without an inverse; stopped early;
    a spatial range that went to nothing; two peaks that the data do not tell apart.
    """

    FOUND = 0
    NO_SPREAD = 1
    UNKNOWN = 2
    SINGULAR = 3
    STOPPED = 4
    NO_REACH = 5
    SEVERAL = 6


_DEPENDENT = 1e-9
"""As of :mod:`remission.analyses.basis`: the share of itself that a column must keep beside those before it."""
_NO_SPREAD = 1e-20
"""The share of the outcome's spread, below which what is left of it is rounding."""
_LEAST = 1e-11
"""The share of itself that a visit's variance must keep beside the others, while steps are taken."""
_SINGULAR = 1e-7
"""The same at the end: with less, one visit is foretold by others, and the maximum lies where there is no inverse."""
_NEARLY = 1e-4
"""The same where a parameter is not known."""
_FLAT = 1e-10
"""The share of itself that a second derivative must keep beside those of other parameters."""
_ENOUGH = 1e-10
"""A step that would lower -2 log likelihood by less is the last one."""
_STEPS = 100
_FEW = 20
"""Rows beside the terms for each parameter of the covariance: with fewer, the likelihood may have several peaks."""
_STARTS = 24
"""From so many further places for each parameter it is then searched; from more, the fewer the rows."""
_MOST_STARTS = 2000
_CLOSE = 3.841458820694124
"""Of -2 log likelihood: what lies nearer to the least is inside a 95% region, so a second peak there says that the data
do not tell which covariance it is, and every error would be that of one of them only."""
_NO_REACH = 1e-6
"""A correlation of a person's nearest rows below which there is none."""
_LOG_TWO_PI = 1.8378770664093453


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of people, one person's after the other, visits rising.

    ``visit``: of each row, counted from 0 among those that occur. ``position``: place of each visit; a gap is a lag of
    two. ``group``: of each person, whose covariance it is. ``points``: where rows lie, for spatial structures.
    """

    outcome: Float[np.ndarray, " row"]
    design: Float[np.ndarray, "row term"]
    starts: Int[np.ndarray, " person_and_end"]
    visit: Int[np.ndarray, " row"]
    position: Int[np.ndarray, " visit"]
    group: Int[np.ndarray, " person"]
    points: Float[np.ndarray, "row coordinate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MixedFit:
    """A fit, or why there is none: then its numbers say nothing.

    ``place``: the visit that is foretold, or the parameter that is not known; -1. ``criterion``: -2 log likelihood with
    its constants. ``theta``, ``theta_covariance``: parameters, group by group. ``matrices``: covariance over all visits
    of each group (of a spatial structure, its variance). The rest is in an orthonormal basis: ``turn`` takes columns to
    it, ``kept`` says which count, then coefficients, their covariance, what Kenward and Roger add to it (without and
    with second derivatives) and its slopes by the parameters.
    """

    ending: Ending
    place: int
    n_steps: int
    criterion: float
    theta: Float[np.ndarray, " parameter"]
    theta_covariance: Float[np.ndarray, "parameter parameter"]
    matrices: Float[np.ndarray, "group visit visit"]
    turn: Float[np.ndarray, "column column"]
    kept: Bool[np.ndarray, " term"]
    weights: Float[np.ndarray, " kept"]
    phi: Float[np.ndarray, "kept kept"]
    linear: Float[np.ndarray, "kept kept"]
    full: Float[np.ndarray, "kept kept"]
    slopes: Float[np.ndarray, "parameter kept kept"]


def fit_table(table: Table, structure: Structure, *, is_restricted: bool = True) -> MixedFit:
    """The model of one table."""
    columns = np.ascontiguousarray(np.concatenate([table.design, table.outcome[:, None]], axis=1).T)
    n_terms, n = table.design.shape[1], table.outcome.size
    turn, kept = np.zeros((n_terms + 1, n_terms + 1)), np.zeros(n_terms, dtype=np.bool_)
    total, before, left = _make_orthonormal(columns, turn, kept)
    q = int(kept.sum())
    if n <= q or not (left > _NO_SPREAD * before and left > 1e-29 * total):
        return _failed(Ending.UNKNOWN if n <= q else Ending.NO_SPREAD, turn, kept)
    spread = float(np.sqrt(left / (n - q)))
    columns[-1] /= spread
    rows = np.ascontiguousarray(columns[np.append(kept, True)].T)
    search = _Search(table, structure, rows, is_restricted)
    ending, place, n_steps = search.run()
    if ending is Ending.FOUND and n - q < _FEW * search.theta.size and search.may_have_peaks:
        ending, place = search.look_around(n - q)
    corrections = search.corrections() if ending is Ending.FOUND else None
    if ending is Ending.FOUND and corrections is None:
        ending, place = Ending.UNKNOWN, _weakest(search.expected)
    if corrections is None:
        return _failed(ending, turn, kept, place, n_steps)
    # Back into the outcome's own units; correlations and ranges have none.
    square = spread * spread
    scale = np.where(search.is_variance, square, 1.0)
    theta_covariance, linear, full, slopes = corrections
    freedom = n - q if is_restricted else n
    lengths = turn[:-1, :-1].diagonal()[kept]
    constants = freedom * (log(np.array([square]))[0] + _LOG_TWO_PI)
    constants += 2.0 * float(log(lengths.copy()).sum()) if is_restricted else 0.0
    return MixedFit(
        ending=ending,
        place=place,
        n_steps=n_steps,
        criterion=float(search.level + constants),
        theta=search.theta * scale,
        theta_covariance=theta_covariance * scale[:, None] * scale,
        matrices=search.v[search.n_patterns :].copy() * square,
        turn=turn,
        kept=kept,
        weights=search.weights * spread + turn[:-1, -1][kept],
        phi=search.phi * square,
        linear=linear * square,
        full=full * square,
        slopes=slopes * (square / scale)[:, None, None],
    )


def _failed(ending: Ending, turn: np.ndarray, kept: np.ndarray, place: int = -1, n_steps: int = 0) -> MixedFit:
    q = int(kept.sum())
    nothing: dict[str, Any] = {name: np.full((q, q), np.nan) for name in ("phi", "linear", "full")}
    return MixedFit(
        ending=ending,
        place=place,
        n_steps=n_steps,
        criterion=float("nan"),
        theta=np.zeros(0),
        theta_covariance=np.zeros((0, 0)),
        matrices=np.zeros((0, 0, 0)),
        turn=turn,
        kept=kept,
        weights=np.full(q, np.nan),
        slopes=np.zeros((0, q, q)),
        **nothing,
    )


class _Search:
    """Newton's steps, and what they stand on: people by patterns, and matrices at the parameters tried last."""

    def __init__(self, table: Table, structure: Structure, rows: np.ndarray, is_restricted: bool) -> None:
        self.kind, self.is_heterogeneous = kind_of(structure)
        self.is_spatial = structure in SPATIAL
        visit, position = table.visit, table.position
        if self.is_spatial:
            visit, position = np.zeros_like(visit), np.arange(min(2, int(np.diff(table.starts).max())))
        self.index, self.k = index_of(structure, position)
        self.rows, self.starts, self.is_restricted = rows, table.starts, is_restricted
        points = table.points if self.is_spatial else np.zeros((rows.shape[0], 0))
        first, self.members, self.begins = _patterns(table.starts, visit, table.group, points)
        self.n_patterns, n_groups = first.size, int(table.group.max()) + 1
        # Behind the patterns, as a pattern of nobody, each group's covariance over all visits.
        m = 1 if self.is_spatial else position.size
        sizes = np.diff(table.starts)[first]
        most = max(int(sizes.max()), m)
        self.size = np.concatenate([sizes, np.full(n_groups, m)])
        self.group = np.concatenate([table.group[first], np.arange(n_groups)])
        self.visit = np.zeros((self.size.size, most), dtype=np.int64)
        self.visit[self.n_patterns :, :m] = np.arange(m)
        self.distance = np.zeros((self.size.size, most, most) if self.is_spatial else (self.size.size, 1, 1))
        for pattern, person in enumerate(first.tolist()):
            inside = slice(table.starts[person], table.starts[person + 1])
            self.visit[pattern, : sizes[pattern]] = visit[inside]
            if self.is_spatial:
                gaps = points[inside][:, None] - points[inside]
                self.distance[pattern, : sizes[pattern], : sizes[pattern]] = np.sqrt((gaps * gaps).sum(axis=2))
        n_matrices, k = self.size.size, self.k
        self.v = np.zeros((n_matrices, most, most))
        self.first = np.zeros((n_matrices, k, most, most))
        self.second = np.zeros((n_matrices, k, k, most, most) if self.kind != LINEAR else (n_matrices, 1, 1, 1, 1))
        q = rows.shape[1] - 1
        self.inverses, self.weights, self.phi = np.zeros((self.n_patterns, most, most)), np.zeros(q), np.zeros((q, q))
        n_all = k * n_groups
        self.slope, self.parts = np.zeros(n_all), np.zeros((n_all, q, q))
        self.exact, self.expected = np.zeros((n_all, n_all)), np.zeros((n_all, n_all))
        self.level, self.least, self.worst = 0.0, 1.0, 0
        n_variances = position.size if self.is_heterogeneous else 1
        one_group = np.ones(k, dtype=np.bool_) if self.kind == LINEAR else np.arange(k) < n_variances
        self.is_variance = np.tile(one_group, n_groups)
        self.theta = self._start(visit, position.size, n_groups)

    def run(self) -> tuple[Ending, int, int]:
        """How it ended, where, and after how many steps."""
        if not self.at(self.theta):
            return Ending.STOPPED, -1, 0
        ending, place, n_steps = Ending.STOPPED, -1, 0
        while n_steps < _STEPS:
            n_steps += 1
            self.find_slopes()
            step, is_minimum = self.slope.copy(), True
            if not solve_system(self.exact, step):
                is_minimum = False
                if not solve_system(self.expected, step):
                    ending, place = Ending.UNKNOWN, _weakest(self.expected)
                    break
            gain = float((step * self.slope).sum())
            is_last = is_minimum and gain < _ENOUGH
            # The last step may gain less than the rounding of the level.
            moved = self._move(step, _ENOUGH if is_last else 0.0)
            if is_last:
                ending = Ending.FOUND
                break
            if not moved:
                break
        # Next to a singular covariance the data say nothing of a parameter either, but that is not why.
        if self.least < (_NEARLY if ending is Ending.UNKNOWN else _SINGULAR):
            return Ending.SINGULAR, self.worst, n_steps
        if ending is Ending.FOUND and self.is_spatial and self._is_without_reach():
            return Ending.NO_REACH, -1, n_steps
        return ending, place, n_steps

    def _is_without_reach(self) -> bool:
        """Whether the nearest rows of a person do not covary: the range went to nothing, the edge of what it can be."""
        gaps = self.distance[self.distance > 0.0]
        ranges = self.theta[1 :: self.k] if self.k > 1 else np.ones(0)
        if not gaps.size or not ranges.size:
            return False
        share = float(gaps.min()) / ranges
        return bool((exp(-(share * share if self.kind == GAUSSIAN else share)) < _NO_REACH).any())

    @property
    def may_have_peaks(self) -> bool:
        """Whether parameters are not variances and covariances of one group, of which one peak is known to be usual."""
        return self.kind != LINEAR or self.theta.size > self.k

    def look_around(self, n_free: int) -> tuple[Ending, int]:
        """Search from further places, and stay at the highest peak; how it ended, and where.

        ``n_free``: rows beside the terms. With fewer the likelihood is rougher, and each search costs less.
        """
        peaks = [(self.level, self.theta)]
        edge, worst = np.inf, -1
        for start in self._further_starts(n_free):
            if not self.at(start):
                continue
            ending, place, _ = self.run()
            if ending is Ending.FOUND:
                peaks.append((self.level, self.theta))
            elif ending is Ending.SINGULAR and self.level < edge:
                edge, worst = self.level, place
        least, theta = min(peaks, key=lambda peak: peak[0])
        self.at(theta)
        if edge < least + _CLOSE:
            return Ending.SINGULAR, worst
        size = np.abs(theta) + 1e-3
        close = [other for level, other in peaks if level < least + _CLOSE]
        if any((np.abs(other - theta) > 1e-2 * size).any() for other in close):
            return Ending.SEVERAL, -1
        return Ending.FOUND, -1

    def _further_starts(self, n_free: int) -> Iterator[np.ndarray]:
        """Evenly spread places: variances around that of the residuals, which is one, ranges around the mean distance,
        correlations from one end to the other.
        """
        n_all, size = self.theta.size, np.ones(self.theta.size)
        own = self.is_variance.copy()
        if self.kind == LINEAR:
            own[:] = np.isin(np.arange(n_all) % self.k, self.index.diagonal())
        elif self.is_spatial:
            size[~own] = self.distance[self.distance > 0.0].mean()
            own[:] = True
        # Powers of the root of x^(n+1) = x + 1 fill a cube of n dimensions evenly (as the golden ratio does a line).
        ratio = 1.5
        for _ in range(60):
            ratio = float(exp(log(np.array([1.0 + ratio])) / (n_all + 1.0))[0])
        steps = exp(-log(np.array([ratio])) * np.arange(1.0, n_all + 1.0))
        for number in range(1, min(_MOST_STARTS, _STARTS * n_all * _FEW * n_all // n_free) + 1):
            share = (0.5 + number * steps) % 1.0
            spread = size * exp(4.0 * (share - 0.5))
            least = np.ones(n_all)
            if self.kind == LINEAR:
                of_group = np.where(own, spread, np.inf).reshape(-1, self.k)
                least = np.repeat(of_group.min(axis=1), self.k)
            yield np.where(own, spread, 1.8 * (share - 0.5) * least)

    def _move(self, step: np.ndarray, allowed: float) -> bool:
        """Go as much of a step as lowers the criterion; back to where it was if nothing does."""
        before, level, share = self.theta, self.level, 1.0
        for _ in range(40):
            if self.at(before - share * step) and self.level < level + allowed:
                return True
            share *= 0.5
        self.at(before)
        return False

    def at(self, theta: np.ndarray) -> bool:
        """Go to these parameters; whether the criterion exists there."""
        self.theta = theta
        if not self._cover(order=0):
            return False
        exists, self.level, self.least, self.worst = _level(
            self.rows, self.starts, self.members, self.begins, self.size, self.v, self.is_restricted, self.inverses,
            self.weights, self.phi,
        )  # fmt: skip
        return bool(exists)

    def _cover(self, *, order: int) -> bool:
        return bool(
            covariances(
                self.kind, self.is_heterogeneous, self.index, self.theta, self.k, self.group, self.size, self.visit,
                self.distance, order, self.v, self.first, self.second,
            )
        )  # fmt: skip

    def find_slopes(self) -> None:
        """Slopes and second derivatives where it stands."""
        self._cover(order=2)
        _slopes_of(
            self.rows, self.starts, self.members, self.begins, self.group, self.size, self.k, self.is_restricted,
            self.first, self.second, self.inverses, self.weights, self.phi, self.slope, self.exact, self.expected,
            self.parts,
        )  # fmt: skip

    def corrections(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray] | None:
        """Covariance of the parameters, two corrections of the coefficients', its slopes; none without a minimum."""
        self.find_slopes()
        n_all, q = self.theta.size, self.phi.shape[0]
        spreads, slopes = np.zeros((n_all, n_all)), np.zeros((n_all, q, q))
        linear, full = np.zeros((q, q)), np.zeros((q, q))
        exists = _corrections(
            self.rows, self.starts, self.members, self.begins, self.group, self.size, self.k, self.first, self.second,
            self.inverses, self.phi, self.parts, self.exact, spreads, linear, full, slopes,
        )  # fmt: skip
        return (spreads, linear, full, slopes) if exists else None

    def _start(self, visit: np.ndarray, m: int, n_groups: int) -> np.ndarray:
        """Where the search begins: variances and correlations of least-squares residuals, pair by pair."""
        sums, counts = np.zeros((n_groups, m, m)), np.zeros((n_groups, m, m))
        _add_pairs(self.rows, self.starts, self.members, self.begins, self.group, visit, sums, counts)
        theta = np.concatenate([self._start_of_one(sums[g], counts[g]) for g in range(n_groups)])
        shrink = np.ones(theta.size)
        if self.kind == LINEAR:
            shrink[np.setdiff1d(np.arange(self.k), self.index.diagonal())[:, None] + self.k * np.arange(n_groups)] = 0.8
        elif not self.is_spatial:
            shrink[~self.is_variance] = 0.8
        if self.is_spatial:
            return self._nearest_range(theta)
        # Pair by pair there may be no covariance matrix; with everything else smaller there is one.
        for _ in range(60):
            if self.at(theta) and self.least > 1e-3:
                break
            theta = theta * shrink
        return theta

    def _start_of_one(self, sums: np.ndarray, counts: np.ndarray) -> np.ndarray:
        if self.is_spatial:
            return np.ones(self.k)
        index, m = self.index, sums.shape[0]
        known = np.maximum(counts, 1.0)
        variances = sums.diagonal() / known.diagonal()
        whole = max(float(sums.diagonal().sum() / known.diagonal().sum()), 1e-2)
        variances = np.where((counts.diagonal() > 0) & (variances > 1e-2 * whole), variances, whole)
        if self.kind == LINEAR:
            weight = np.bincount(index.ravel(), weights=counts.ravel(), minlength=self.k)
            total = np.bincount(index.ravel(), weights=sums.ravel(), minlength=self.k)
            theta = total / np.maximum(weight, 1.0)
            own = index.diagonal()
            theta[own] = np.where(np.unique(own).size == 1, whole, variances)
            return np.asarray(theta)
        before = variances if self.is_heterogeneous else np.array([whole])
        sizes = np.sqrt(variances[:, None] * variances)
        low, high = np.tril_indices(m, -1)
        lag = index[low, high]
        n_more = self.k - before.size
        name = {
            SYMMETRIC: np.zeros_like(lag),
            AUTOREGRESSIVE: np.where(lag == lag.min(initial=1 << 30), 0, -1),
            TOEPLITZ: lag - 1,
            ANTE: np.where(low - high == 1, high, -1),
        }[self.kind]
        used = name >= 0
        weight = np.bincount(name[used], weights=counts[low, high][used], minlength=n_more)
        total = np.bincount(name[used], weights=(sums / sizes)[low, high][used], minlength=n_more)
        # Nobody seen at both visits: 0.3, for at 0 a product of correlations has no slope.
        return np.append(before, np.clip(np.where(weight > 0.0, total / np.maximum(weight, 1.0), 0.3), -0.9, 0.9))

    def _nearest_range(self, theta: np.ndarray) -> np.ndarray:
        """The best of a few ranges, in units of the mean distance within people: there may be two valleys."""
        gaps = self.distance[self.distance > 0.0]
        if self.k < 2 or not gaps.size:
            return theta
        nearest, best = theta, np.inf
        for share in (0.0625, 0.125, 0.25, 0.5, 1.0, 2.0, 4.0):
            tried = theta.copy()
            tried[1 :: self.k] = share * float(gaps.mean())
            if self.at(tried) and self.level < best:
                nearest, best = tried, self.level
        return nearest


@loop
def _make_orthonormal(columns, turn, kept):
    """Columns but the last made orthonormal in their place, the last their residual.

    ``turn[i, j]``: weight of column ``j`` on the ``i``-th direction; its own length left on the diagonal. Returns sums
    of squares of the last: as it came, around its mean, as it is left.
    """
    n_columns, n = columns.shape
    last = columns[n_columns - 1]
    total = sum_of_products(last, last)
    mean, before, left = 0.0, 0.0, 0.0
    for row in range(n):
        mean += last[row] / n
    for row in range(n):
        before += (last[row] - mean) * (last[row] - mean)
    for j in range(n_columns):
        column = columns[j]
        length = np.sqrt(sum_of_products(column, column))
        for _ in range(2):
            for i in range(j):
                if kept[i]:
                    share = sum_of_products(column, columns[i])
                    turn[i, j] += share
                    for row in range(n):
                        column[row] -= share * columns[i, row]
        left = np.sqrt(sum_of_products(column, column))
        turn[j, j] = left
        if j < n_columns - 1:
            kept[j] = left > _DEPENDENT * length
            for row in range(n):
                column[row] = column[row] / left if kept[j] else 0.0
    return total, before, left * left


@loop
def _patterns(starts, visit, group, points):
    """People with the same rows: the first person of each pattern, people by patterns, and where each begins."""
    n = starts.size - 1
    pattern, first = np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.int64)
    n_patterns = 0
    for person in range(n):
        alike, size = -1, starts[person + 1] - starts[person]
        for known in range(n_patterns):
            begin = starts[first[known]]
            is_alike = starts[first[known] + 1] - begin == size and group[person] == group[first[known]]
            for i in range(size if is_alike else 0):
                is_alike &= visit[starts[person] + i] == visit[begin + i]
                for c in range(points.shape[1]):
                    is_alike &= points[starts[person] + i, c] == points[begin + i, c]
            if is_alike:
                alike = known
                break
        if alike < 0:
            alike = n_patterns
            first[alike] = person
            n_patterns += 1
        pattern[person] = alike
    begins = np.zeros(n_patterns + 1, dtype=np.int64)
    for person in range(n):
        begins[pattern[person] + 1] += 1
    for known in range(n_patterns):
        begins[known + 1] += begins[known]
    members, place = np.zeros(n, dtype=np.int64), begins.copy()
    for person in range(n):
        members[place[pattern[person]]] = person
        place[pattern[person]] += 1
    return first[:n_patterns].copy(), members, begins


@loop
def _add_pairs(rows, starts, members, begins, group, visit, sums, counts):
    """Products of residuals of two visits of a person, by group, and how many."""
    last = rows.shape[1] - 1
    for pattern in range(begins.size - 1):
        for number in range(begins[pattern], begins[pattern + 1]):
            for i in range(starts[members[number]], starts[members[number] + 1]):
                for j in range(starts[members[number]], starts[members[number] + 1]):
                    sums[group[pattern], visit[i], visit[j]] += rows[i, last] * rows[j, last]
                    counts[group[pattern], visit[i], visit[j]] += 1.0


@loop
def _level(rows, starts, members, begins, size, v, is_restricted, inverses, weights, phi):
    """The criterion without constants, and whether it exists; the least share that a visit keeps, and which.

    Fills the inverses of the patterns' matrices, the coefficients and their covariance.
    """
    width, n_patterns = rows.shape[1], begins.size - 1
    q, value, least, worst = width - 1, 0.0, 1.0, 0
    moments, weighted = np.zeros((width, width)), np.zeros(width)
    # The matrices over all visits first: what exists of a part may not exist of the whole.
    for pattern in range(size.size - 1, -1, -1):
        n = size[pattern]
        matrix, mean, logs = np.zeros((n, n)), 0.0, 0.0
        for i in range(n):
            mean += v[pattern, i, i] / n
            for j in range(i + 1):
                matrix[i, j] = v[pattern, i, j]
        for i in range(n):
            if not matrix[i, i] > _LEAST * mean:
                return False, 0.0, 0.0, i
        if not factor(matrix, _LEAST):
            return False, 0.0, 0.0, 0
        for i in range(n):
            logs += 2.0 * log_lane(matrix[i, i])
            if pattern >= n_patterns:
                share = min(matrix[i, i] * matrix[i, i] / v[pattern, i, i], v[pattern, i, i] / mean)
                if share < least:
                    least, worst = share, i
        if pattern >= n_patterns:
            continue
        value += logs * (begins[pattern + 1] - begins[pattern])
        w = inverse(matrix)
        for i in range(n):
            for j in range(n):
                inverses[pattern, i, j] = w[i, j]
        for number in range(begins[pattern], begins[pattern + 1]):
            begin = starts[members[number]]
            for i in range(n):
                weighted.fill(0.0)
                for j in range(n):
                    for a in range(width):
                        weighted[a] += w[i, j] * rows[begin + j, a]
                for a in range(width):
                    for b in range(a + 1):
                        moments[a, b] += rows[begin + i, a] * weighted[b]
    lower = np.zeros((q, q))
    for a in range(q):
        weights[a] = moments[q, a]
        for b in range(a + 1):
            lower[a, b] = moments[a, b]
    if not factor(lower, _LEAST):
        return False, 0.0, 0.0, 0
    if is_restricted:
        for a in range(q):
            value += 2.0 * log_lane(lower[a, a])
    solve(lower, weights)
    rest = moments[q, q]
    for a in range(q):
        rest -= weights[a] * moments[q, a]
    inverse_moments = inverse(lower)
    for a in range(q):
        for b in range(q):
            phi[a, b] = inverse_moments[a, b]
    return rest > 0.0, value + rest, least, worst


@inner
def _products(rows, starts, members, begin, end, w, n):
    """Sum over the people of a pattern of u_s u_t' with u = WZ, made symmetric; the places (s, t) with t <= s count."""
    width = rows.shape[1]
    products, u = np.zeros((n, n, width, width)), np.zeros((n, width))
    for number in range(begin, end):
        row = starts[members[number]]
        u.fill(0.0)
        for i in range(n):
            for j in range(n):
                for a in range(width):
                    u[i, a] += w[i, j] * rows[row + j, a]
        for s in range(n):
            for t in range(s + 1):
                for a in range(width):
                    share = u[s, a]
                    for b in range(width):
                        products[s, t, a, b] += share * u[t, b]
    for s in range(n):
        for t in range(s + 1):
            for a in range(width):
                for b in range(a):
                    mean = 0.5 * (products[s, t, a, b] + products[s, t, b, a])
                    products[s, t, a, b] = mean
                    products[s, t, b, a] = mean
    return products


@loop
def _slopes_of(
    rows, starts, members, begins, group, size, k, is_restricted, first, second, inverses, weights, phi, slope, exact,
    expected, parts,
):  # fmt: skip
    """Slopes, exact and expected second derivatives of the criterion; ``parts``: X'W V_t W X of each parameter."""
    q, n_all, is_linear = rows.shape[1] - 1, slope.size, second.shape[1] != k or second.shape[3] != first.shape[2]
    slope.fill(0.0)
    exact.fill(0.0)
    expected.fill(0.0)
    parts.fill(0.0)
    lean, across = np.zeros((n_all, q)), np.zeros(q + 1)  # lean: X'W V_t W r
    for pattern in range(begins.size - 1):
        n, count, base = size[pattern], begins[pattern + 1] - begins[pattern], group[pattern] * k
        w = inverses[pattern]
        sums = _products(rows, starts, members, begins[pattern], begins[pattern + 1], w, n)
        residual, lost = np.zeros((n, n)), np.zeros((n, n))
        for s in range(n):
            for t in range(s + 1):
                place = sums[s, t]
                for a in range(q + 1):
                    across[a] = place[a, q]
                    for b in range(q):
                        across[a] -= place[a, b] * weights[b]
                residual[s, t] = across[q]
                total = 0.0
                for a in range(q):
                    residual[s, t] -= weights[a] * across[a]
                    for b in range(q):
                        total += phi[a, b] * place[a, b]
                lost[s, t] = total if is_restricted else 0.0
                residual[t, s], lost[t, s] = residual[s, t], lost[s, t]
                twice = 1.0 if s == t else 2.0
                for p in range(k):
                    share = twice * first[pattern, p, s, t]
                    if share != 0.0:
                        for a in range(q):
                            lean[base + p, a] += share * across[a]
                            for b in range(q):
                                parts[base + p, a, b] += share * place[a, b]
        # V_t W, and V_t times what is left of the outcome and lost to the coefficients.
        turned, held, gone = np.zeros((k, n, n)), np.zeros((k, n, n)), np.zeros((k, n, n))
        for p in range(k):
            for i in range(n):
                for j in range(n):
                    share = first[pattern, p, i, j]
                    if share != 0.0:
                        slope[base + p] += share * (count * w[j, i] - residual[j, i] - lost[j, i])
                        for h in range(n):
                            turned[p, i, h] += share * w[j, h]
                            held[p, i, h] += share * residual[j, h]
                            gone[p, i, h] += share * lost[j, h]
        for p in range(k):
            for r in range(p + 1):
                of_logs, of_rest, of_lost, bent = 0.0, 0.0, 0.0, 0.0
                for i in range(n):
                    for j in range(n):
                        of_logs += turned[p, i, j] * turned[r, j, i]
                        of_rest += turned[p, i, j] * held[r, j, i]
                        of_lost += turned[p, i, j] * gone[r, j, i]
                        if not is_linear:
                            bent += second[pattern, p, r, i, j] * (count * w[j, i] - residual[j, i] - lost[j, i])
                exact[base + p, base + r] += bent - count * of_logs + 2.0 * (of_rest + of_lost)
                expected[base + p, base + r] += count * of_logs - 2.0 * of_lost
    eased = np.zeros((n_all, q, q))  # phi X'W V_t W X
    for p in range(n_all):
        for a in range(q):
            for b in range(q):
                for c in range(q):
                    eased[p, a, c] += phi[a, b] * parts[p, b, c]
    for p in range(n_all):
        for r in range(p + 1):
            both, leaned = 0.0, 0.0
            for a in range(q):
                for b in range(q):
                    both += eased[p, a, b] * eased[r, b, a]
                    leaned += lean[p, a] * phi[a, b] * lean[r, b]
            if not is_restricted:
                both = 0.0
            exact[p, r] += -2.0 * leaned - both
            expected[p, r] += both
            exact[r, p], expected[r, p] = exact[p, r], expected[p, r]


@loop
def solve_system(matrix, right):
    """Solution in the place of the right side; whether the matrix is positive definite."""
    lower = matrix.copy()
    if not factor(lower, _FLAT):
        return False
    solve(lower, right)
    return True


def _weakest(expected: np.ndarray) -> int:
    """The parameter that the data say least of beside those before it."""
    for size in range(1, expected.shape[0] + 1):
        if not solve_system(np.ascontiguousarray(expected[:size, :size]), np.zeros(size)):
            return size - 1
    return -1


@inner
def _around(phi, middle):
    """phi times a symmetric matrix times phi, in the matrix's place."""
    q = phi.shape[0]
    half = np.zeros((q, q))
    for a in range(q):
        for b in range(q):
            for c in range(q):
                half[a, c] += phi[a, b] * middle[b, c]
    for a in range(q):
        for c in range(q):
            total = 0.0
            for b in range(q):
                total += half[a, b] * phi[b, c]
            middle[a, c] = total


@loop
def _corrections(
    rows, starts, members, begins, group, size, k, first, second, inverses, phi, parts, exact, spreads, linear, full,
    slopes,
):  # fmt: skip
    """Covariance of the parameters, what Kenward and Roger add to that of the coefficients (without and with second
    derivatives of V), and its slopes, into the last four; whether the second derivatives are those of a minimum.
    """
    q, n_all, is_linear = phi.shape[0], exact.shape[0], second.shape[1] != k or second.shape[3] != first.shape[2]
    lower = exact.copy()
    if not factor(lower, _FLAT):
        return False
    flatness = inverse(lower)
    for p in range(n_all):
        for r in range(n_all):
            spreads[p, r] = 2.0 * flatness[p, r]
    for pattern in range(begins.size - 1):
        n, base, w = size[pattern], group[pattern] * k, inverses[pattern]
        sums = _products(rows, starts, members, begins[pattern], begins[pattern + 1], w, n)
        mixed, bends = np.zeros((n, n)), np.zeros((n, n))
        for p in range(k):
            joined = np.zeros((n, n))  # sum over r of spreads[p, r] V_r
            for r in range(k):
                share = spreads[base + p, base + r]
                for i in range(n):
                    for j in range(n):
                        joined[i, j] += share * first[pattern, r, i, j]
                        if not is_linear:
                            bends[i, j] += share * second[pattern, p, r, i, j]
            for i in range(n):
                for j in range(n):
                    turned = 0.0
                    for h in range(n):
                        turned += first[pattern, p, i, h] * w[h, j]
                    for h in range(n):
                        mixed[i, h] += turned * joined[j, h]
        for s in range(n):
            for t in range(s + 1):
                share = mixed[s, t] + mixed[t, s] if s != t else mixed[s, s]
                bend = 2.0 * bends[s, t] if s != t else bends[s, s]
                for a in range(q):
                    for b in range(q):
                        linear[a, b] += share * sums[s, t, a, b]
                        full[a, b] += bend * sums[s, t, a, b]
    for p in range(n_all):
        joined = np.zeros((q, q))
        for r in range(n_all):
            for a in range(q):
                for b in range(q):
                    joined[a, b] += spreads[p, r] * parts[r, a, b]
        for a in range(q):
            for b in range(q):
                turned = 0.0
                for c in range(q):
                    turned += parts[p, a, c] * phi[c, b]
                for c in range(q):
                    linear[a, c] -= turned * joined[b, c]
        for a in range(q):
            for b in range(q):
                slopes[p, a, b] = parts[p, a, b]
        _around(phi, slopes[p])
    _around(phi, linear)
    _around(phi, full)
    for a in range(q):
        for b in range(q):
            linear[a, b] = 2.0 * linear[a, b]
            full[a, b] = linear[a, b] - 0.5 * full[a, b]
    return True


@loop
def contrasts_of(wanted, turn, kept, weights, phi, correction, slopes, spreads):
    """Estimate, squared error, and degrees of freedom of combinations of the coefficients; NaN where it has none.

    ``wanted``: (combination, term). Its rows in the basis are given back as well.
    """
    n, q, k = wanted.shape[0], weights.size, spreads.shape[0]
    estimates, rows = np.full((n, 3), np.nan), np.zeros((n, q))
    for contrast in range(n):
        z = rows[contrast]
        at, exists = 0, False
        for j in range(kept.size):
            value, before = wanted[contrast, j], 0
            size = abs(value)
            exists |= size > 0.0
            for i in range(j):
                if kept[i]:
                    value -= z[before] * turn[i, j]
                    size += abs(z[before] * turn[i, j])
                    before += 1
            if kept[j]:
                z[at] = value / turn[j, j]
                at += 1
            elif abs(value) > 1e-7 * size:
                # A column that depends on others: the combination must depend on them in the same way.
                exists = False
                break
        if not exists:
            continue
        variance, added, total, slope = 0.0, 0.0, 0.0, np.zeros(k)
        for a in range(q):
            for b in range(q):
                both = z[a] * z[b]
                variance += both * phi[a, b]
                added += both * correction[a, b]
                for p in range(k):
                    slope[p] += both * slopes[p, a, b]
        for p in range(k):
            for r in range(k):
                total += slope[p] * spreads[p, r] * slope[r]
        estimates[contrast, 0] = sum_of_products(z, weights)
        estimates[contrast, 1] = variance + added
        estimates[contrast, 2] = 2.0 * variance * variance / total if total > 0.0 else np.inf
    return estimates, rows
