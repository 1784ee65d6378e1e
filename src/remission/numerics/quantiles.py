"""Quantiles over people at every time, several times faster than ``np.quantile`` along the first axis, bit for bit.

A whole row is sorted where it lies together in memory, which processors do many values at once, instead of parted along
columns; between two neighbors the value is read as NumPy's default method reads it.
"""

from collections.abc import Sequence

import numpy as np

from remission.shapes import Float


def quantiles_over_people(
    values: Float[np.ndarray, "subject time"], p_quantiles: Sequence[float]
) -> Float[np.ndarray, "quantile time"]:
    """``np.quantile(values, p_quantiles, axis=0)``, bit for bit; NaN at the times at which anybody has none.

    >>> quantiles_over_people(np.array([[3.0], [1.0], [2.0]]), [0.25, 0.5]).ravel().tolist()
    [1.5, 2.0]
    """
    ordered = np.sort(np.ascontiguousarray(values.T), axis=1)
    last = values.shape[0] - 1
    place = np.asarray(p_quantiles, dtype=float) * last
    below = np.minimum(np.floor(place).astype(np.intp), last)
    share = (place - below)[:, np.newaxis]
    low, high = ordered[:, below].T, ordered[:, np.minimum(below + 1, last)].T
    # From the nearer neighbor, as NumPy does, so that p and 1 - p mirror each other.
    step = high - low
    found = np.where(share < 0.5, low + step * share, high - step * (1.0 - share))
    # What is no number is sorted to the end.
    found[:, np.isnan(ordered[:, last])] = np.nan
    return found
