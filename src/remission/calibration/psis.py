"""Pareto-smoothed importance weights, and the k that says whether they can be trusted.

Vehtari, Simpson, Gelman, Yao and Gabry, Journal of Machine Learning Research 25 (2024), 72; the tail is fitted as by
Zhang and Stephens, Technometrics 51 (2009), 316.
"""

import math

import numpy as np

from remission.shapes import Float

_FEWEST = 5


def smoothed_weights(log_weights: Float[np.ndarray, " draw"]) -> tuple[Float[np.ndarray, " draw"], float]:
    """Weights that sum to 1, their largest fifth (or 3 sqrt(n)) replaced by a Pareto tail; and the tail's k.

    k above .7: a few draws carry all, and what is computed with the weights is not to be trusted. Infinite where the
    tail has too few different weights to tell.
    """
    log = log_weights - log_weights.max()
    n = log.size
    n_tail = int(min(0.2 * n, 3.0 * math.sqrt(n)))
    order = np.argsort(log)
    tail = order[n - n_tail :]
    cutoff = max(float(log[order[n - n_tail - 1]]), math.log(np.finfo(np.float64).tiny))
    above = np.exp(log[tail]) - math.exp(cutoff)
    k = math.inf
    smooth = log.copy()
    if n_tail >= _FEWEST and np.ptp(above) > 0.0:
        k, scale = pareto_fit(above[above > 0.0])
        if math.isfinite(k):
            places = (np.arange(n_tail) + 0.5) / n_tail
            # No smoothed weight above the largest there was, however heavy the tail.
            with np.errstate(over="ignore"):
                heights = scale * (-np.log1p(-places) if abs(k) < 1e-12 else np.expm1(-k * np.log1p(-places)) / k)
            smooth[tail] = np.minimum(np.log(heights + math.exp(cutoff)), 0.0)
    elif np.ptp(log) == 0.0:
        k = -math.inf
    weights = np.exp(smooth - smooth.max())
    return weights / weights.sum(), k


def pareto_fit(above: Float[np.ndarray, " draw"]) -> tuple[float, float]:
    """Shape k and scale of a generalized Pareto distribution, of what lies above a cutoff in rising order.

    The shape is drawn a little to .5, as if ten more had it.
    """
    n = above.size
    if n < _FEWEST:
        return math.inf, math.nan
    m = 30 + int(math.sqrt(n))
    b = (1.0 - np.sqrt(m / (np.arange(1, m + 1) - 0.5))) / (3.0 * above[int(n / 4.0 + 0.5) - 1]) + 1.0 / above[-1]
    shapes = np.log1p(-b[:, None] * above).mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        profile = n * (np.log(-b / shapes) - shapes - 1.0)
    weight = np.exp(profile - np.nanmax(profile))
    weight = np.where(np.isfinite(weight), weight, 0.0)
    middle = float((b * weight).sum() / weight.sum())
    k = float(np.log1p(-middle * above).mean())
    scale = -k / middle
    return (n * k + 5.0) / (n + 10.0), scale
