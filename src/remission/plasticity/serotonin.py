"""S, serotonin tone: a fast trace after a dose.

Equations::

    dose:   S = S + rho*s*f(e)
    decay:  S' = S*exp(-1/tau_S)

State: S >= 0. [dimensionless]
Evidence: assumed and weak. Transporter occupancy at the usual dose is under 10%; 5-HT1B PET shows no difference from
placebo.
"""

import numpy as np

from remission.shapes import Float

__all__ = ["decay_serotonin"]

_Column = Float[np.ndarray, " subject"]


def decay_serotonin(tone: _Column, *, keep_s: float) -> _Column:
    """S one day later; ``keep_s`` is ``exp(-1/tau_S)``. [dimensionless]"""
    return tone * keep_s
