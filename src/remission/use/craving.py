"""z, craving of the day, and the reported craving on a visual analogue scale.

Equations::

    i = 1 + (i_max - 1) * clean / (clean + tau_i)
    z_own = z_H * H * (1 + i * x / 2) + z_N * N_own - c_R * (R - 1 / 2) - z_L * c_L * L - z_0
    z = z_own - k_C * h_C
    VAS = 100 / (1 + exp(-lambda_V * (z - z_V)))

Scale: z has no unit; VAS is 0 to 100. z_H, z_N, z_L and z_0 are fixed: they set the scale of z.
Assumptions: incubation i acts on the cue part only; by default it is off (i_max = 1). k_C is what
one reference dose eases at 24 h. Evidence: as in the parameter set.
"""

import numpy as np

from remission.numerics.elementary import logistic
from remission.shapes import Float

__all__ = ["craving", "craving_vas", "eased_craving", "incubation"]

_Column = Float[np.ndarray, " subject"]


def incubation(clean_days: _Column, *, i_max: float, tau_i: float) -> _Column:
    """Growth of the cue response with clean days: 1 at once, towards ``i_max``. [dimensionless]"""
    return 1.0 + (i_max - 1.0) * clean_days / (clean_days + tau_i)


def craving(
    habit: _Column,
    cue: _Column,
    affect: _Column,
    reward: _Column,
    skill: _Column,
    incubated: _Column,
    *,
    z_habit: float,
    z_affect: float,
    z_skill: float,
    z_constant: float,
    c_r: float,
    c_l: float | _Column,
) -> _Column:
    """z_own of the day, before what a drug eases. [dimensionless]"""
    cued = z_habit * habit * (1.0 + incubated * cue / 2.0)
    return cued + z_affect * affect - c_r * (reward - 0.5) - z_skill * c_l * skill - z_constant


def eased_craving(strength: _Column, raised: _Column, *, k_c: float | _Column) -> _Column:
    """z of the day. [dimensionless]"""
    return strength - k_c * raised


def craving_vas(strength: _Column, *, lambda_v: float, z_v: float) -> _Column:
    """Craving as the person would mark it without error. [VAS 0 to 100]"""
    return 100.0 * logistic(lambda_v * (strength - z_v))
