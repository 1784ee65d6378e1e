"""What stands in for the simulator: a Gaussian process for each outcome of a trial, over the prior's box.

The points that judge were never seen by it. On the wave of posterior-2026 it lies half as far from the simulator as
a ridge of third order did; scikit-learn fits it and belongs to the extra ``calibrate``.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.special import expit

from remission.calibration.likelihood import log_of_counts
from remission.calibration.wave import Point
from remission.extras import telling_extras
from remission.shapes import Float

_LEAST_SD = 0.05
_LEAST_R2 = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulator:
    """Outcomes of one trial: its numbers, then the z of each analysis, then the logarithm of each z's spread.

    The mean at x is ``constant + sum_p weight_p exp(-|(x - point_p)/length|**2 / 2)``. ``error``: how far that lies
    from the simulator at the judged points, less the simulator's own noise there; ``rms`` without taking that off,
    ``r2`` likewise. ``base``: an emulator of wider places, beside which it says what that one misses.
    """

    points: Float[np.ndarray, "point value"]
    lengths: Float[np.ndarray, "outcome value"]
    weights: Float[np.ndarray, "outcome point"]
    constants: Float[np.ndarray, " outcome"]
    error: Float[np.ndarray, " outcome"]
    rms: Float[np.ndarray, " outcome"]
    r2: Float[np.ndarray, " outcome"]
    base: "Emulator | None" = None

    def at(self, units: Float[np.ndarray, "point value"]) -> Float[np.ndarray, "point outcome"]:
        """The outcomes at points of the box, each value between -1 and 1."""
        found = np.broadcast_to(self.constants, (len(units), self.constants.size)).copy()
        if self.base is not None:
            found += self.base.at(units)
        for outcome in np.flatnonzero(self.weights.any(axis=1)):
            close = self.lengths[outcome] ** -2.0
            # |x - point|**2 multiplied out: a product of matrices.
            square = 0.5 * ((units**2 @ close)[:, None] + self.points**2 @ close)
            found[:, outcome] += np.exp((close * units) @ self.points.T - square) @ self.weights[outcome]
        return found


def outcomes_of(points: list[Point]) -> tuple[Float[np.ndarray, "point outcome"], Float[np.ndarray, "point outcome"]]:
    """Outcomes of one trial at every point, and the variance of their Monte Carlo error."""
    values = np.stack([np.concatenate([p.mean, p.z, np.log(np.maximum(p.z_sd, _LEAST_SD))]) for p in points])
    noise = np.stack([
        np.concatenate([
            np.diag(p.covariance) / max(p.n_trials, 1), np.maximum(p.z_sd, _LEAST_SD) ** 2 / _trials(p),
            np.full(p.z_sd.size, 0.5 / max(_trials(p) - 1, 1)),
        ])
        for p in points
    ])  # fmt: skip
    return values, noise


def fit_emulator(
    units: Float[np.ndarray, "point value"],
    points: list[Point],
    *,
    n_draws: int,
    n_learn: int | None = None,
    base: Emulator | None = None,
) -> Emulator:
    """An emulator from the first ``n_draws`` points, judged at the others.

    ``n_learn``: how many of them, evenly taken, say how fast outcomes change along each value; ``None`` for all.
    ``base``: an emulator of wider places; far from these points, where nothing is learnt, that one is left.
    Raises MissingExtraError: scikit-learn is not installed.
    """
    values, noise = outcomes_of(points)
    if base is not None:
        values = values - base.at(units)
    fitted = [_process(units[:n_draws], values[:n_draws, k], n_learn) for k in range(values.shape[1])]
    made = Emulator(
        points=units[:n_draws], lengths=np.stack([one[0] for one in fitted]),
        weights=np.stack([one[1] for one in fitted]), constants=np.array([one[2] for one in fitted]),
        error=np.zeros(0), rms=np.zeros(0), r2=np.zeros(0),
    )  # fmt: skip
    seen = values[n_draws:]
    spread = np.nanvar(seen, axis=0)
    rms = np.sqrt(np.nanmean((seen - made.at(units[n_draws:])) ** 2, axis=0))
    # Nothing but noise: its mean is all there is to know, and costs nothing.
    flat = rms**2 > (1.0 - _LEAST_R2) * spread
    made = replace(made, weights=np.where(flat[:, None], 0.0, made.weights))
    rms = np.sqrt(np.nanmean((seen - made.at(units[n_draws:])) ** 2, axis=0))
    own = np.nanmean(noise[n_draws:], axis=0)
    spread = np.nanvar(outcomes_of(points)[0][n_draws:], axis=0)
    return replace(
        made,
        base=base,
        error=np.sqrt(np.maximum(rms**2 - own, 0.0)),
        rms=rms,
        r2=1.0 - rms**2 / np.where(spread > 0.0, spread, np.inf),
    )


def errors_together(
    made: Emulator, units: Float[np.ndarray, "point value"], points: list[Point]
) -> Float[np.ndarray, "outcome outcome"]:
    """Covariance of the errors of an emulator that has them from these judged points.

    Variances are those of its ``error``. Correlations are those of what it misses, around no error, drawn to none by
    the share that minimizes their expected squared error (Schaefer and Strimmer, Statistical Applications in Genetics
    and Molecular Biology 4 (2005), 32): of few points they are mostly chance. An outcome without error, or one that was
    not at every point, has none.
    """
    off = outcomes_of(points)[0] - made.at(units)
    size = np.sqrt((off**2).mean(axis=0))
    known = np.isfinite(size) & (size > 0.0)
    whole = off[:, known] / size[known]
    products, n = whole[:, :, None] * whole[:, None, :], len(points)
    mean = products.mean(axis=0)
    apart = ~np.eye(len(mean), dtype=bool)
    doubt = ((products - mean) ** 2).sum(axis=0)[apart].sum() / max(n * (n - 1), 1)
    strength = (mean[apart] ** 2).sum()
    share = min(1.0, doubt / strength) if strength > 0.0 else 1.0
    hang = np.eye(len(size))
    hang[np.ix_(known, known)] = np.where(apart, (1.0 - share) * mean, 1.0)
    error = np.nan_to_num(made.error)
    return np.outer(error, error) * hang


def judged_by_counts(
    made: Emulator, units: Float[np.ndarray, "point value"], points: list[Point], people: Sequence[int]
) -> Emulator:
    """The emulator with errors of shares by which the counts simulated at judged points are likeliest.

    ``people``: at each point, behind each number that is a share; 0 for others, whose errors stay. Where hardly anybody
    is counted, the logit of what was simulated tells nothing of its own noise.
    """
    from scipy.optimize import minimize_scalar

    found, error = made.at(units), made.error.copy()
    for number, n in enumerate(people):
        if n == 0:
            continue
        simulated = np.array([point.mean[number] for point in points])
        # Nobody was written as half a person.
        count = np.floor(n * expit(simulated[np.isfinite(simulated)]) + 0.49)
        logit = found[np.isfinite(simulated), number]

        def doubt(spread: float, n: int = n, count: Any = count, logit: Any = logit) -> float:
            whole = np.full(len(count), n)
            return -float(log_of_counts(np, count, whole, logit, np.full(len(count), spread**2)).sum())

        error[number] = minimize_scalar(doubt, bounds=(0.0, 2.0), method="bounded").x
    return replace(made, error=error)


def correlation(points: list[Point]) -> Float[np.ndarray, "number number"]:
    """How the numbers of a trial hang together among simulated trials, averaged over the points."""
    found = []
    for point in points:
        spread = np.sqrt(np.diag(point.covariance))
        with np.errstate(invalid="ignore", divide="ignore"):
            found.append(point.covariance / np.outer(spread, spread))
    mean = np.nanmean(np.stack(found), axis=0)
    np.fill_diagonal(mean, 1.0)
    return np.where(np.isfinite(mean), mean, 0.0)


def _trials(point: Point) -> int:
    return max(point.n_trials, 2)


def _process(
    x: Float[np.ndarray, "point value"], y: Float[np.ndarray, " point"], n_learn: int | None
) -> tuple[Float[np.ndarray, " value"], Float[np.ndarray, " point"], float]:
    """Lengths, weights of the points and constant; a point without the outcome has weight 0."""
    with telling_extras("remission calibrate"):
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import RBF, ConstantKernel, WhiteKernel
    good = np.isfinite(y)
    constant, scale = float(y[good].mean()), float(y[good].std())
    weights = np.zeros(len(y))
    if scale < 1e-9:
        return np.ones(x.shape[1]), weights, constant
    kernel = ConstantKernel(1.0) * RBF(np.full(x.shape[1], 2.0), (0.2, 50.0)) + WhiteKernel(0.1, (1e-4, 2.0))
    with warnings.catch_warnings():
        # A length at its edge is a value without effect, or noise alone: the judged points say what that is worth.
        warnings.simplefilter("ignore", ConvergenceWarning)
        step = max(1, int(good.sum()) // (n_learn or len(y)))
        process = GaussianProcessRegressor(kernel).fit(x[good][::step], (y[good][::step] - constant) / scale)
        if step > 1:
            known = GaussianProcessRegressor(process.kernel_, optimizer=None)
            process = known.fit(x[good], (y[good] - constant) / scale)
    signal = process.kernel_.k1
    weights[good] = scale * signal.k1.constant_value * process.alpha_
    return np.broadcast_to(signal.k2.length_scale, x.shape[1:]).copy(), weights, constant
