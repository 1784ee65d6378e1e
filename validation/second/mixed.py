"""Mixed models of visits by REML: matrices of all rows, Newton in the parameters that SAS prints."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, sqrt
from typing import Any

import numpy as np
from scipy import stats
from scipy.sparse import csr_array

from validation.second.basics import Array, Found, NoEstimateError, by_t, check_sides, columns_that_count

# Parameters in the last place of any shape; the shape stays, and visits by visits come last.
Build = Callable[[Array], Array]
CLOSE = float(stats.chi2.ppf(0.95, 1)) / 2.0
N_FURTHER = 10
MOST_ROWS = 60
MANY_ROWS = 150


@dataclass(frozen=True)
class Structure:
    """Covariance of the visits as a function of its parameters, starts, and whether it is linear in them.

    ``positive``: which parameters are variances or ranges; the others are correlations, or covariances.
    """

    build: Build
    starts: tuple[Array, ...]
    positive: Array
    linear: bool = False

    def draw(self, draw: np.random.Generator) -> Array:
        """A start like none of the others."""
        size = self.starts[0].size
        one = np.abs(self.starts[0]) * np.exp(draw.normal(0.0, 1.2, size))
        share = draw.uniform(-0.9, 0.9, size)
        return np.where(self.positive > 0.0, one, share * (one[self.positive > 0.0].min() if self.linear else 1.0))


def structure_of(name: str, days: Array, variance: float) -> Structure:
    """A covariance structure over planned visits; ``variance`` is a rough one to start from."""
    n = days.size
    lag = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    if name in {"unstructured", "compound-symmetry", "toeplitz"}:
        return _linear(name, n, lag, variance)
    if name.startswith("spatial"):
        apart = np.abs(np.subtract.outer(days, days))
        power = 1 if name == "spatial-exponential" else 2
        return Structure(
            lambda t: _wide(t, 0) * np.exp(-((apart / _wide(t, 1)) ** power)),
            tuple(np.array([variance, share * apart.max()]) for share in (0.1, 0.4, 1.5)),
            np.ones(2),
        )
    # The others are variances, one or one for each visit, times a correlation matrix.
    correlation, n_correlations = _correlation(name.removeprefix("heterogeneous-"), n, lag)
    n_variances = n if name.startswith("heterogeneous") else 1

    def build(theta: Array) -> Array:
        root = np.sqrt(theta[..., :n_variances]) * np.ones(n)
        return root[..., :, None] * root[..., None, :] * correlation(theta[..., n_variances:])

    starts = (np.repeat([variance, r], [n_variances, n_correlations]) for r in (0.3, 0.7, -0.1))
    return Structure(build, tuple(starts), np.repeat([1.0, 0.0], [n_variances, n_correlations]))


def _linear(name: str, n: int, lag: Any, variance: float) -> Structure:
    if name == "compound-symmetry":
        start = np.array([0.3, 0.7]) * variance
        return Structure(
            lambda t: _wide(t, 0) * np.ones((n, n)) + _wide(t, 1) * np.eye(n),
            (start,),
            np.array([0.0, 1.0]),
            linear=True,
        )
    if name == "toeplitz":
        start = variance * np.append(1.0, np.full(n - 1, 0.3))
        return Structure(lambda t: t[..., lag], (start,), np.append(1.0, np.zeros(n - 1)), linear=True)
    lower = np.tril_indices(n)

    def unstructured(theta: Array) -> Array:
        result = np.zeros((*theta.shape[:-1], n, n), dtype=theta.dtype)
        result[..., lower[0], lower[1]] = theta
        return result + np.where(lag == 0, 0.0, result.swapaxes(-1, -2))

    own = (lower[0] == lower[1]).astype(float)
    return Structure(unstructured, (np.where(own > 0.0, variance, 0.3 * variance),), own, linear=True)


def _correlation(name: str, n: int, lag: Any) -> tuple[Build, int]:
    if name == "compound-symmetry":
        return lambda r: np.where(lag == 0, 1.0, _wide(r, 0)), 1
    if name == "autoregressive":
        return lambda r: np.where(lag == 0, 1.0, _wide(r, 0) ** np.maximum(lag, 1)), 1
    if name == "toeplitz":
        return lambda r: np.concatenate([np.ones((*r.shape[:-1], 1)), r], axis=-1)[..., lag], n - 1

    def ante(links: Array) -> Array:
        result = np.ones((*links.shape[:-1], n, n), dtype=links.dtype)
        for i in range(n):
            for j in range(i):
                result[..., i, j] = result[..., j, i] = result[..., i - 1, j] * links[..., i - 1]
        return result

    return ante, n - 1


def _wide(theta: Array, place: int) -> Array:
    return theta[..., place, None, None]


def by_side(inner: Structure) -> Structure:
    """Two structures side by side: the visits of the control side, then those of the treatment side."""
    size = inner.starts[0].size
    n = inner.build(inner.starts[0]).shape[0]

    def build(theta: Array) -> Array:
        result = np.zeros((*theta.shape[:-1], 2 * n, 2 * n), dtype=theta.dtype)
        result[..., :n, :n] = inner.build(theta[..., :size])
        result[..., n:, n:] = inner.build(theta[..., size:])
        return result

    starts = tuple(np.append(start, start) for start in inner.starts)
    return Structure(build, starts, np.append(inner.positive, inner.positive), linear=inner.linear)


def first_derivatives(build: Build, theta: Array) -> Array:
    """By the complex step: exact to rounding; of each set of parameters in the last place."""
    step = 1e-30 * np.maximum(1.0, np.abs(theta))
    moved = theta[..., None, :] + 1j * step[..., None, :] * np.eye(theta.shape[-1])
    return np.asarray(build(moved).imag / step[..., None, None])


def second_derivatives(build: Build, theta: Array) -> Array:
    """Central differences of the complex steps, of two widths, extrapolated."""
    slopes = []
    for share in (2e-3, 1e-3):
        step = share * np.maximum(np.abs(theta), 0.1)
        away = np.diag(step)
        up, down = first_derivatives(build, theta + away), first_derivatives(build, theta - away)
        slopes.append((up - down) / (2.0 * step[:, None, None, None]))
    result = (4.0 * slopes[1] - slopes[0]) / 3.0
    return np.asarray((result + result.transpose(1, 0, 2, 3)) / 2.0)


class Reml:
    """Restricted likelihood of rows whose covariance is ``build(theta)`` at their cells, within a person."""

    def __init__(self, outcome: Array, columns: Array, person: Any, cell: Any, structure: Structure) -> None:
        self.outcome, self.columns, self.structure = outcome, columns, structure
        # People who were seen at the same cells have one block.
        rows = [np.flatnonzero(person == who) for who in np.unique(person)]
        self.blocks = [
            (np.array(cells), np.array([one for one in rows if tuple(cell[one]) == cells]))
            for cells in sorted({tuple(cell[one]) for one in rows})
        ]
        self.left = np.concatenate([np.repeat(of, of.shape[1], axis=1).ravel() for _, of in self.blocks])
        self.right = np.concatenate([np.tile(of, of.shape[1]).ravel() for _, of in self.blocks])
        self.cells = cell[self.left], cell[self.right]

    def whole(self, values: Array) -> Any:
        """A matrix of rows from its values at the pairs of one person; a sparse one of many rows, for the time."""
        shape = (self.outcome.size, self.outcome.size)
        if self.outcome.size > MANY_ROWS:
            return csr_array((values, (self.left, self.right)), shape=shape)
        result = np.zeros(shape)
        result[self.left, self.right] = values
        return result

    def spread(self, small: Array) -> Any:
        """From cells to rows."""
        return self.whole(small[self.cells])

    def look(self, theta: Array) -> Any:
        """Log likelihood, inverse covariance, projection, covariance of coefficients; None where it is singular."""
        with np.errstate(all="ignore"):
            small = self.structure.build(theta)
        # Visits that are one beside rounding have no inverse that could be trusted.
        if not np.isfinite(small).all() or np.linalg.cond(small) > 1e11:
            return None
        height, parts = 0.0, []
        try:
            np.linalg.cholesky(small)
            for cells, of in self.blocks:
                root = np.linalg.cholesky(small[np.ix_(cells, cells)])
                height -= len(of) * float(np.log(np.diagonal(root)).sum())
                parts.append(np.tile(np.linalg.inv(root).ravel(), len(of)))
            inner = self.whole(np.concatenate(parts))
            basis, triangle = np.linalg.qr(inner @ self.columns)
            own = np.linalg.inv(triangle)
        except np.linalg.LinAlgError:
            return None
        # Squares of what the columns leave: where the covariance is nearly singular a product with the projection is
        # lost in rounding, and may come out negative.
        plain = inner @ self.outcome
        rest = plain - basis @ (basis.T @ plain)
        height -= float(np.log(np.abs(np.diagonal(triangle))).sum())
        inverse, along = inner.T @ inner, inner.T @ basis
        projection = (inverse.toarray() if self.outcome.size > MANY_ROWS else inverse) - along @ along.T
        return height - 0.5 * float(rest @ rest), inverse, projection, own @ own.T

    def slopes(self, theta: Array, projection: Array) -> tuple[Array, Array, list[Array]]:
        """Gradient, expected information, and projection times each derivative."""
        turned = [projection @ self.spread(d) for d in first_derivatives(self.structure.build, theta)]
        plain = projection @ self.outcome
        gradient = np.array([-0.5 * (np.trace(m) - float(self.outcome @ m @ plain)) for m in turned])
        expected = np.array([[0.5 * float((a * b.T).sum()) for a in turned] for b in turned])
        return gradient, expected, turned

    def observed(self, theta: Array, projection: Array, turned: Sequence[Array]) -> Array:
        """Minus the second derivatives of the log likelihood."""
        plain = projection @ self.outcome
        result = np.zeros((theta.size, theta.size))
        seconds = None if self.structure.linear else second_derivatives(self.structure.build, theta)
        for k in range(theta.size):
            for m in range(k + 1):
                value = -float((turned[k] * turned[m].T).sum())
                value += 2.0 * float(self.outcome @ turned[k] @ turned[m] @ plain)
                if seconds is not None:
                    bent = seconds[k, m][self.cells]
                    value += float(projection[self.left, self.right] @ bent)
                    value -= float((plain[self.left] * bent) @ plain[self.right])
                result[k, m] = result[m, k] = 0.5 * value
        return result

    def fit(self, *, is_plain: bool) -> Array:
        """The place of the greatest restricted likelihood, from each start.

        A structure that is linear in the parameters of one group is ``is_plain``; of the others, with few rows for each
        parameter, the likelihood may have several peaks. A second one, or a covariance without an inverse, at a height
        that a 95% region reaches, is no answer.
        """
        starts = list(self.structure.starts)
        n_left = self.outcome.size - self.columns.shape[1]
        if not is_plain and n_left < min(20 * starts[0].size, MOST_ROWS):
            draw = np.random.default_rng(1)
            starts += [self.structure.draw(draw) for _ in range(N_FURTHER)]
        climbs = [climb for start in starts if (climb := self._climb(start)) is not None]
        peaks = [(height, theta) for height, theta, is_peak in climbs if is_peak]
        if not peaks:
            raise NoEstimateError("singular")
        best, top = max(peaks, key=lambda peak: peak[0])
        if any(height > best - CLOSE for height, _, is_peak in climbs if not is_peak):
            raise NoEstimateError("singular")
        # A Gaussian range has no sign.
        for height, theta in peaks:
            apart = np.abs(self.structure.build(theta) - self.structure.build(top)).max()
            if height > best - CLOSE and apart > 1e-2 * np.abs(self.structure.build(top)).max():
                raise NoEstimateError("not_converged")
        return top

    def _climb(self, start: Array) -> tuple[float, Array, bool] | None:
        """Height, place, and whether it is a peak: else it is where the covariance loses its inverse."""
        theta = start.copy()
        seen = self.look(theta)
        gain = np.inf
        for turn in range(200):
            if seen is None:
                return None
            gradient, information, turned = self.slopes(theta, seen[2])
            if turn > 4:
                exact = self.observed(theta, seen[2], turned)
                if is_definite(exact):
                    information = exact
            try:
                step = np.linalg.solve(information, gradient)
            except np.linalg.LinAlgError:
                break
            gain = float(gradient @ step)
            share = 1.0
            after = self.look(theta + step)
            while (after is None or after[0] < seen[0] - 1e-11 * abs(seen[0])) and share > 1e-9:
                share /= 2.0
                after = self.look(theta + share * step)
            if share <= 1e-9:
                break
            theta, seen = theta + share * step, after
            if abs(gain) < 1e-17 and share == 1.0:
                break
        if seen is None:
            return None
        return self._ending(theta, seen, gain)

    def _ending(self, theta: Array, seen: Any, gain: float) -> tuple[float, Array, bool] | None:
        """What a climb came to."""
        if np.linalg.cond(self.structure.build(theta)) > 1e7:
            return seen[0], theta, False
        if not abs(gain) < 1e-9:
            return None
        _, _, turned = self.slopes(theta, seen[2])
        is_peak = is_definite(self.observed(theta, seen[2], turned))
        return (seen[0], theta, True) if is_peak else None


def check_range(reach: float, days: Array, power: int) -> None:
    """A range is known where the nearest visits covary."""
    gap = float(np.diff(np.sort(days)).min())
    if exp(-((gap / abs(reach)) ** power)) < 1e-6:
        raise NoEstimateError("not_converged")


def is_definite(matrix: Array) -> bool:
    """Whether a symmetric matrix is positive definite, whatever the units."""
    own = np.diagonal(matrix)
    if not (own > 0.0).all():
        return False
    return bool(np.linalg.eigvalsh(matrix / np.sqrt(np.outer(own, own))).min() > 1e-10)


def mmrm(
    values: Array,
    treated: Array,
    terms: Array,
    baseline: Array | None,
    days: Array,
    *,
    covariance: str = "unstructured",
    by_sides: bool = False,
    degrees: str = "kenward-roger",
    weights: Array | None = None,
) -> Found:
    """Difference at the last visit, or the sum of those of the visits by ``weights``.

    The covariance of the parameters is the inverse of the observed information in every kind of degrees of freedom.
    """
    check_sides(treated)
    seen = np.isfinite(values)
    if np.ptp(values[seen]) == 0.0:
        raise NoEstimateError("no_variation")
    n_visits = values.shape[1]
    person, visit = np.nonzero(seen)
    outcome = values[seen]
    at = (visit[:, None] == np.arange(n_visits)).astype(float)
    blocks = [at, terms[person]]
    if baseline is not None:
        blocks.append(at * baseline[person][:, None])
    blocks.append(at * treated[person][:, None])
    columns = np.column_stack(blocks)
    counts = columns_that_count(columns)
    wanted = np.zeros(columns.shape[1])
    wanted[-n_visits:] = np.eye(n_visits)[-1] if weights is None else weights
    if (wanted[~counts] != 0.0).any():
        raise NoEstimateError("not_estimable")
    columns, wanted = columns[:, counts], wanted[counts]
    basis, triangle = np.linalg.qr(columns)
    # In columns at right angles; the estimate wanted is the same sum of other coefficients.
    wanted = np.linalg.solve(triangle.T, wanted)
    rest = outcome - basis @ (basis.T @ outcome)
    structure = structure_of(covariance, days, float(rest @ rest) / max(outcome.size - basis.shape[1], 1))
    cell = visit
    if by_sides:
        structure = by_side(structure)
        cell = visit + n_visits * treated[person].astype(int)
    model = Reml(outcome, basis, person, cell, structure)
    theta = model.fit(is_plain=structure.linear and not by_sides)
    if covariance.startswith("spatial"):
        check_range(theta[1], days, 1 if covariance == "spatial-exponential" else 2)
    looked = model.look(theta)
    if looked is None:
        raise NoEstimateError("singular")
    _, inverse, projection, phi = looked
    estimate = float(wanted @ phi @ basis.T @ inverse @ outcome)
    variance = float(wanted @ phi @ wanted)
    _, _, turned = model.slopes(theta, projection)
    weighted = inverse @ basis
    firsts = [model.spread(d) for d in first_derivatives(structure.build, theta)]
    slopes = [-weighted.T @ d @ weighted for d in firsts]
    gradient = np.array([-float(wanted @ phi @ slope @ phi @ wanted) for slope in slopes])
    spread = np.linalg.inv(model.observed(theta, projection, turned))
    freedom = 2.0 * variance**2 / float(gradient @ spread @ gradient)
    if degrees == "satterthwaite":
        return by_t(estimate, sqrt(variance), freedom)
    bent = None
    if degrees == "kenward-roger" and not structure.linear:
        bent = second_derivatives(structure.build, theta)
    middle = np.zeros_like(phi)
    for k, one in enumerate(firsts):
        for m, two in enumerate(firsts):
            inner = weighted.T @ one @ inverse @ two @ weighted - slopes[k] @ phi @ slopes[m]
            if bent is not None:
                inner = inner - weighted.T @ model.spread(bent[k, m]) @ weighted / 4.0
            middle += spread[k, m] * inner
    adjusted = variance + 2.0 * float(wanted @ phi @ middle @ phi @ wanted)
    return by_t(estimate, sqrt(adjusted), freedom)
