"""Compartments of S and R ketamine as a right-hand side, compiled by Numba for SciPy's LSODA."""

from typing import Any

import numpy as np
from numba import njit


@njit
def rate_of_change(_t_h: float, y: Any, body: Any, is_on: float, c50: float) -> Any:
    """Slopes of plasma, two peripheral volumes and effect site of S, of R, and of the saturated hours.

    ``body``: clearance of S and R, V1, V2, V3, Q2, Q3, ke0, infusion rate of each enantiomer.
    """
    v1, v2, v3, q2, q3, ke0 = body[2], body[3], body[4], body[5], body[6], body[7]
    slope = np.empty(9)
    for species in range(2):
        o = 4 * species
        plasma = y[o]
        out2, out3 = q2 * (plasma - y[o + 1]), q3 * (plasma - y[o + 2])
        slope[o] = (is_on * body[8] - body[species] * plasma - out2 - out3) / v1
        slope[o + 1], slope[o + 2] = out2 / v2, out3 / v3
        slope[o + 3] = ke0 * (plasma - y[o + 3])
    effect = y[3] + y[7]
    slope[8] = effect / (effect + c50)
    return slope
