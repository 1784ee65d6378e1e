"""y, use today, and E, whether the person is inside an episode of use.

Equations::

    u = beta_C*z - K + wk*weekend + c
    outside:  logit p = b_i + u
    inside:   logit p = lam*b_i + (1 - lam)*b0 + chi*u + B
    use while outside starts an episode with probability pi
    a clean day inside ends it with probability om

States: y and E are 0 or 1; c comes from :mod:`remission.use.rhythm`. p is 0 while access is blocked.
Assumptions: the person's own tendency b_i governs the lapse; the length of an episode is mostly not personal (lam
near 0).
Evidence: pi from diaries (opioid, cannabis), the rest tuned or assumed.
"""

import numpy as np
from jaxtyping import Float

from remission.numerics.elementary import logistic

__all__ = ["drive", "update_episode", "use_probability"]

_Column = Float[np.ndarray, " subject"]


def drive(
    strength: _Column, held: _Column, weekend: _Column, circumstance: _Column, *, beta_c: float, wk: float
) -> _Column:
    """u: what the day adds to the person's tendency, in log odds. [dimensionless]"""
    return beta_c * strength - held + wk * weekend + circumstance


def use_probability(
    tendency: _Column,
    push: _Column,
    episode: _Column,
    access: _Column,
    *,
    b0: float,
    lam: float,
    chi: float,
    b_in: float,
) -> _Column:
    """Chance of use today; ``access`` is 1, or 0 while blocked. [probability per day]"""
    outside = tendency + push
    inside = lam * tendency + (1.0 - lam) * b0 + chi * push + b_in
    return access * logistic((1.0 - episode) * outside + episode * inside)


def update_episode(episode: _Column, use: _Column, chance: _Column, *, pi_start: float, om_end: float) -> _Column:
    """E after today's use; ``chance`` is a uniform that decides start or end. [0 or 1]"""
    starts = (1.0 - episode) * use * (chance < pi_start)
    ends = episode * (1.0 - use) * (chance < om_end)
    return episode + starts - ends
