"""The exponential of whole arrays in one compiled loop, with the bits of :mod:`remission.numerics.elementary`."""

import numpy as np

from remission.numerics.lanes import exp_lane
from remission.numerics.loops import loop
from remission.shapes import Float


@loop
def _each_exp(x, found):
    for i in range(x.size):
        found[i] = exp_lane(x[i])


def exp_of(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """The exponential of each number; ``x`` lies in one piece, row after row."""
    found = np.empty(x.shape)
    _each_exp(x.reshape(-1), found.reshape(-1))
    return found
