"""P, the plasticity window: how much more the brain learns while it is open.

Equations::

    dose:   P = P + rho*s*f(e)
    decay:  P' = P*exp(-1/tau_P)
    gate:   g = exp(gamma*P)

States: P >= 0, at most the sum of rho*s*f(e) of all doses. [dimensionless]
Assumptions: exposure adds without tolerance; one exponential decay. Evidence: assumed (spine dynamics in mice; one
randomized contrast of training after ketamine, in depression: Price 2022). gamma = 0 is
the default; a negative one makes learning slower, never negative.
"""

import numpy as np

from remission.numerics.elementary import exp
from remission.shapes import Float

__all__ = ["decay_window", "felt_dose", "gate"]

_Column = Float[np.ndarray, " subject"]


def felt_dose(responsiveness: _Column, effect: _Column, *, rho: float) -> _Column:
    """rho*s*f(e): what a dose of effect ``f(e)`` brings to this person, added to P and S. [dimensionless]"""
    return rho * responsiveness * effect


def decay_window(window: _Column, *, keep_p: float) -> _Column:
    """P one day later; ``keep_p`` is ``exp(-1/tau_P)``. [dimensionless]"""
    return window * keep_p


def gate(window: _Column, *, gamma: float) -> _Column:
    """The factor on every learning rate while the window is open, 1 when it is shut. [dimensionless]"""
    return exp(gamma * window)
