"""Basal ganglia: H, habit and incentive value of the drug; R, motivation for natural rewards.

Equations::

    H' = H + y*(1 - H)*(1 - exp(-a_H*g)) - (1 - y)*H*(1 - exp(-d_H*g))
    R' = R + (1 - R)/tau_R - k_R*y*R

States: H in [0, 1], R in [0, 1]. [dimensionless]
Assumptions: a use day teaches, a clean day extinguishes, the plasticity gate g multiplies both rates. No direct
effect of
ketamine on reward: no human effect was found on reward tasks. Evidence: assumed; R's month of recovery is measured
in smokers.
"""

import numpy as np

from remission.numerics.elementary import exp
from remission.shapes import Float

__all__ = ["update_habit", "update_reward"]

_Column = Float[np.ndarray, " subject"]


def update_habit(habit: _Column, use: _Column, gate: _Column, *, a_h: float, d_h: float) -> _Column:
    """H one day later; ``use`` is 0 or 1. [dimensionless]"""
    gained = use * (1.0 - habit) * (1.0 - exp(-a_h * gate))
    lost = (1.0 - use) * habit * (1.0 - exp(-d_h * gate))
    return habit + gained - lost


def update_reward(reward: _Column, use: _Column, *, tau_r: float, k_r: float) -> _Column:
    """R one day later; ``use`` is 0 or 1. [dimensionless]"""
    return reward + (1.0 - reward) * (1.0 / tau_r) - k_r * use * reward
