"""y, use today, and E, how the person lives with the substance: abstinent (0), using now and then (1), near-daily (2).

Equations::

    u = beta_C*z_own - w_C*h_C - K + wk*weekend + b - u_rest
    V = (1 - sm)*W_today + sm*(W_before + W_after)/2 - W_sum/7
    logit p = l_E + l_i + w_7*V + (1, 1, chi)_E*u
    up:    0 -> 1  logit = onset + up_i + omega*u + kappa*y         1 -> 2  logit = growth + up_i + nu*u
    down:  1 -> 0  logit = recovery + down_i - nu*u + hold_1        2 -> 1  logit = easing + down_i - nu*u + hold_2
    W_today' = W_today + (y - W_today)/4

States: E is 0, 1 or 2; y is 0 or 1; W are seven traces, one a weekday, of the person's own use on that day.
p is 0, and nobody moves up, while access is blocked. If both moves out of 1 together exceed 1, both are scaled down.
Traits: l_i, level; up_i and down_i, built of how far up a person lives and of tempo, so that stays are long-tailed.
Assumptions: a use day matters by itself only to who is abstinent (kappa); the rest of what use does to the next day
runs through the circuits. hold_1 is 0 for who tries to
stop, hold_2 for who tries to use less.
Evidence: levels, moves, spreads and the weekday trace from the diaries of CTN-0094 (people treated for opioid use
disorder); level and moves of a substance from its natural history; kappa from a randomised lapse in smokers; how u
acts on the moves is assumed.
"""

import numpy as np

from remission.numerics.elementary import logistic
from remission.shapes import Float

__all__ = [
    "chance_down",
    "chance_up",
    "drive",
    "own_weekday",
    "try_to_stop",
    "update_regime",
    "update_weekday",
    "use_probability",
]

_Column = Float[np.ndarray, " subject"]


def drive(
    strength: _Column,
    eased: _Column,
    held: _Column,
    weekend: _Column,
    push: _Column,
    *,
    beta_c: float,
    w_eased: float | _Column,
    wk: float,
    u_rest: float,
) -> _Column:
    """u: what the state of the day adds to a person's odds, 0 for a typical person at rest. [log odds]"""
    return beta_c * strength - w_eased * eased - held + wk * weekend + push - u_rest


def own_weekday(today: _Column, before: _Column, after: _Column, total: _Column, *, sm: float) -> _Column:
    """V: how much more than on other days the person uses on this weekday; sums to 0 over a week. [dimensionless]"""
    return (1.0 - sm) * today + 0.5 * sm * (before + after) - total * (1.0 / 7.0)


def use_probability(
    regime: _Column,
    level: _Column,
    usual: _Column,
    push: _Column,
    access: _Column,
    *,
    l0: float,
    l1: float,
    l2: float,
    w7: float,
    chi: float,
) -> _Column:
    """Chance of use today; ``access`` is 1, or 0 while blocked. [probability per day]"""
    daily = 0.5 * regime * (regime - 1.0)
    sometimes = regime * (2.0 - regime)
    base = l0 + sometimes * (l1 - l0) + daily * (l2 - l0)
    return access * logistic(base + level + w7 * usual + (1.0 + (chi - 1.0) * daily) * push)


def chance_up(
    regime: _Column,
    use: _Column,
    up: _Column,
    push: _Column,
    access: _Column,
    *,
    onset: float,
    growth: float,
    omega: float,
    nu: float,
    kappa: float,
) -> _Column:
    """Chance to begin to use, or to turn from now and then to near-daily, tonight. [probability per day]"""
    sometimes = regime * (2.0 - regime)
    daily = 0.5 * regime * (regime - 1.0)
    abstinent = 1.0 - sometimes - daily
    base = onset + sometimes * (growth - onset) + kappa * use * abstinent
    return access * (1.0 - daily) * logistic(base + up + (omega + (nu - omega) * sometimes) * push)


def chance_down(
    regime: _Column,
    down: _Column,
    push: _Column,
    *,
    recovery: float,
    easing: float,
    nu: float,
    hold_1: float,
    hold_2: float,
) -> _Column:
    """Chance to stop, or to turn from near-daily to now and then, tonight. [probability per day]"""
    sometimes = regime * (2.0 - regime)
    daily = 0.5 * regime * (regime - 1.0)
    base = easing + hold_2 + sometimes * (recovery + hold_1 - easing - hold_2) + down - nu * push
    return (sometimes + daily) * logistic(base)


def update_regime(regime: _Column, rise: _Column, fall: _Column, chance: _Column) -> _Column:
    """E tomorrow; ``chance`` is a uniform. [0, 1 or 2]"""
    both = rise + fall
    most = 0.5 * (1.0 + both + abs(both - 1.0))
    return regime + (chance * most < rise) * 1.0 - (chance * most >= most - fall) * 1.0


def try_to_stop(regime: _Column, chance: _Column, *, attempt: float, success: float) -> _Column:
    """1 where a person who uses makes an attempt today that takes, else 0; ``chance`` is a uniform. [0 or 1]"""
    return (regime > 0.0) * (chance < attempt * success) * 1.0


def update_weekday(trace: _Column, use: _Column) -> _Column:
    """W of today's weekday after today's use. [0 to 1]"""
    return trace + 0.25 * (use - trace)
