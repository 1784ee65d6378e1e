"""z, craving of the day, and the reported craving on a visual analogue scale.

Equations::

    i = 1 + (i_max - 1)*clean/(clean + tau_i)
    z = 2*H*(1 + i*x/2) + 0.7*N - c_R*(R - 1/2) - k_C*(G - G_b) - 0.6*c_L*L - 0.9
    VAS = 100/(1 + exp(-lambda_V*(z - z_V)))

Scale: z has no unit; VAS is 0 to 100. The constants 2, .7, .6 and -.9 fix the scale of z.
Assumptions: incubation i acts on the cue part only; by default it is off (i_max = 1). Evidence: assumed; k_C is tuned on one
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
    c_r: float,
    k_c: float,
    c_l: float,
    g_b: float,
) -> _Column:
    """z of the day. [dimensionless]"""
    cued = 2.0 * habit * (1.0 + incubated * cue / 2.0)
    return cued + 0.7 * affect - c_r * (reward - 0.5) - k_c * (efficacy - g_b) - 0.6 * c_l * skill - 0.9


def craving_vas(strength: _Column, *, lambda_v: float, z_v: float) -> _Column:
    """Craving as the person would mark it without error. [VAS 0 to 100]"""
    return 100.0 * logistic(lambda_v * (strength - z_v))
