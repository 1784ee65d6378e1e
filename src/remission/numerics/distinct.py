"""Distinct numbers in rising order, without the part of NumPy for masked arrays, which ``np.unique`` loads."""

import numpy as np

from remission.shapes import Float


def distinct(*values: Float[np.ndarray, "_"]) -> Float[np.ndarray, " distinct"]:
    """All numbers of some rows of finite numbers, each once, in rising order.

    >>> distinct(np.array([2.0, 1.0]), np.array([1.0])).tolist()
    [1.0, 2.0]
    """
    ordered = np.sort(np.concatenate(values))
    is_first = np.ones(ordered.size, dtype=bool)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]
