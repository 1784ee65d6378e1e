"""Slow drift and personal weekdays: what moves a day's odds of use and nothing else in the chain explains.

Equations::

    c  = D + r(weekday)
    D' = k_D*D + sigma_D*sqrt(12*(1 - k_D^2))*(v - 1/2),   k_D = exp(-1/tau_D)

States: D, the drift in log odds, stationary with mean 0 and standard deviation sigma_D; v is uniform between 0 and 1.
Traits: r, seven numbers of a person, normal with mean 0 and standard deviation sigma_7.
Assumptions: D stands for money, company, stress and everything else that lasts for weeks; it is neither caused by use
nor treated by anything. Steps are uniform; over weeks their sum is close to normal.
Evidence: the shape of real diaries (autocorrelation over four weeks, peaks at whole weeks) in people treated for opioid
use disorder. With sigma_D and sigma_7 at 0 nothing is added, exactly.
"""

import numpy as np
from jaxtyping import Float

__all__ = ["circumstance", "drift_step", "update_drift"]

_Column = Float[np.ndarray, " subject"]


def circumstance(drift: _Column, usual: _Column) -> _Column:
    """c, what today adds to the log odds of use; ``usual`` is r of today's weekday. [log odds]"""
    return drift + usual


def drift_step(*, sigma_d: float, keep_d: float) -> float:
    """Width of the uniform step that keeps the standard deviation of D at ``sigma_d``. [log odds]"""
    return sigma_d * float(np.sqrt(12.0 * (1.0 - keep_d * keep_d)))


def update_drift(drift: _Column, chance: _Column, *, keep_d: float, step: float) -> _Column:
    """D tomorrow; ``chance`` is a uniform. [log odds]"""
    return keep_d * drift + step * (chance - 0.5)
