"""Counts from uniforms."""

import numpy as np

from remission.shapes import Float

_MOST_EVENTS = 100_000
_Array = Float[np.ndarray, "..."]


def negative_binomial_quantile(u: _Array, mean: _Array, dispersion: float) -> _Array:
    """Counts by inversion: each is the first at which the distribution exceeds a uniform. [events]

    ``u``: uniforms above 0 and below 1. ``mean``: of each count, of the same shape. ``dispersion``: variance is mean +
    dispersion * mean^2; 0 is Poisson.
    """
    if dispersion > 0.0:
        ratio = dispersion * mean / (1.0 + dispersion * mean)
        log_first = -np.log1p(dispersion * mean) / dispersion
    else:
        ratio, log_first = mean, -mean
    found = np.zeros(u.size)
    where = np.arange(u.size)
    left, ratio, term = u.ravel().copy(), ratio.ravel(), np.exp(np.maximum(log_first, -700.0)).ravel()
    k = 0
    while where.size and k < _MOST_EVENTS:
        left = left - term
        going = left > 0.0
        where, left, ratio, term = where[going], left[going], ratio[going], term[going]
        found[where] += 1.0
        k += 1
        term = term * ratio * ((1.0 / dispersion + k - 1.0) / k if dispersion > 0.0 else 1.0 / k)
    return found.reshape(u.shape)
