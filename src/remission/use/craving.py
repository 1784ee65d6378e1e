"""z, craving of the day, and the reported craving on a visual analogue scale.

Equations::

    i = 1 + (i_max - 1) * clean / (clean + tau_i)
    z = z_H * H * (1 + i * x / 2) + z_N * N - c_R * (R - 1 / 2) - k_C * (G - G_b) - z_L * c_L * L - z_0
    VAS = 100 / (1 + exp(-lambda_V * (z - z_V)))

Scale: z has no unit; VAS is 0 to 100. z_H, z_N, z_L and z_0 are fixed: they set the scale of z.
Assumptions: incubation i acts on the cue part only; by default it is off (i_max = 1). Evidence: assumed; k_C is
tuned on one
craving ratio in one trial.
"""

import numpy as np
from jaxtyping import Float

from remission.numerics.elementary import logistic

__all__ = ["craving", "craving_vas", "incubation"]

_Column = Float[np.ndarray, " subject"]


def incubation(clean_days: _Column, *, i_max: float, tau_i: float) -> _Column:
    """Growth of the cue response with clean days: 1 at once, towards ``i_max``. [dimensionless]"""
    return 1.0 + (i_max - 1.0) * clean_days / (clean_days + tau_i)


def craving(
    habit: _Column,
    cue: _Column,
    affect: _Column,
    reward: _Column,
    efficacy: _Column,
    skill: _Column,
    incubated: _Column,
    *,
    z_habit: float,
    z_affect: float,
    z_skill: float,
    z_constant: float,
    c_r: float,
    k_c: float,
    c_l: float,
    g_b: float,
) -> _Column:
    """z of the day. [dimensionless]"""
    cued = z_habit * habit * (1.0 + incubated * cue / 2.0)
    eased = c_r * (reward - 0.5) + k_c * (efficacy - g_b) + z_skill * c_l * skill
    return cued + z_affect * affect - eased - z_constant


def craving_vas(strength: _Column, *, lambda_v: float, z_v: float) -> _Column:
    """Craving as the person would mark it without error. [VAS 0 to 100]"""
    return 100.0 * logistic(lambda_v * (strength - z_v))
