"""P, the plasticity window: how much more the brain learns while it is open.

Equations::

    dose:   P = P + rho*s*e
    decay:  P' = P*exp(-1/tau_P)
    gate:   g = 1 + gamma*P

States: P >= 0, at most the sum of rho*s*e of all doses. [dimensionless]
Assumptions: exposure adds without tolerance; one exponential decay. Evidence: assumed (spine dynamics in mice; one
randomized contrast of training after ketamine, in depression: Price 2022). gamma = 0 is allowed and cannot be excluded.
"""

import numpy as np
from jaxtyping import Float

__all__ = ["add_dose", "decay_window", "gate"]

_Column = Float[np.ndarray, " subject"]


def add_dose(state: _Column, *, rho: float, responsiveness: _Column, exposure: _Column) -> _Column:
    """P or S after a dose: ``state + rho*s*e``. An exposure of 0 changes nothing, bit for bit. [dimensionless]"""
    return state + rho * responsiveness * exposure


def decay_window(window: _Column, *, keep_p: float) -> _Column:
    """P one day later; ``keep_p`` is ``exp(-1/tau_P)``. [dimensionless]"""
    return window * keep_p


def gate(window: _Column, *, gamma: float) -> _Column:
    """The factor on every learning rate while the window is open, 1 when it is shut. [dimensionless]"""
    return 1.0 + gamma * window
