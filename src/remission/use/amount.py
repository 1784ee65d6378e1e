"""The amount taken on a use day, in the substance's own unit; whether the last use day was a heavy one.

Equations::

    lean  = h_i + k_heavy*[recent > 0] - k_light*[recent < 0]
    log a = mu_a + gamma_a*z + sigma_a*(lean/1.702 + eps)
    recent' = 7 after a heavy day, -7 after a light one; a clean day brings it one nearer to 0

Trait: h_i, normal with mean 0 and standard deviation sigma_heavy. [log odds of a heavy day]
State: recent, whether the last use day within 7 days was heavy, and how long ago; 0 where there was none. [day]
Assumptions: an amount above the bound of a heavy day makes the day heavy, so amount and class are one draw. 1.702
turns log odds into standard deviations of eps: the chance is the logistic one to within .01.
Evidence: trait and state from the drinking days of two trials (derived); sigma_a, and so every amount in grams or
drinks, is assumed. With sigma_heavy, k_heavy and k_light at 0 days are independent, exactly.
"""

import numpy as np

from remission.numerics.elementary import exp
from remission.shapes import Float

__all__ = ["amount_used", "update_recent"]

_Column = Float[np.ndarray, " subject"]

_LOGIT_PER_SD = 1.702
_DAYS_KEPT = 7.0


def amount_used(
    use: _Column,
    strength: _Column,
    noise: _Column,
    heaviness: _Column,
    recent: _Column,
    *,
    mu_a: float,
    gamma_a: float,
    sigma_a: float,
    k_heavy: float,
    k_light: float,
) -> _Column:
    """Amount today: 0 on a clean day, log-normal on a use day. [unit of the substance]"""
    lean = heaviness + k_heavy * (recent > 0.0) - k_light * (recent < 0.0)
    return use * exp(mu_a + gamma_a * strength + sigma_a * (lean * (1.0 / _LOGIT_PER_SD) + noise))


def update_recent(recent: _Column, use: _Column, amount: _Column, *, heavy_amount: float) -> _Column:
    """Recent use tomorrow: its sign says heavy or light, its size how many days it is still remembered. [day]"""
    today = _DAYS_KEPT * (2.0 * (amount > heavy_amount) - 1.0)
    faded = recent - 1.0 * (recent > 0.0) + 1.0 * (recent < 0.0)
    return use * today + (1.0 - use) * faded
