"""I, incentive: what rewards for clean days take off the log odds of use, while they are given and after.

Equations::

    visit:  I = I*(1 - rewarded) + given*rewarded
    decay:  I' = I*exp(-1/tau_I)
    use:    I is taken off the push b of the day

State: I >= 0, in log odds. It is 0 in everybody who is given no rewards, and then changes nothing, bit for bit.
Assumptions: a visit with rewards sets I, however many went before, because an incentive is no skill; the gate has no
part in it. Evidence: contingency management works while rewards are given and fades after
(``library/therapies/therapies.toml``).
"""

import numpy as np

from remission.shapes import Float

__all__ = ["decay_incentive", "give_incentive"]

_Column = Float[np.ndarray, " subject"]


def give_incentive(incentive: _Column, given: _Column, rewarded: _Column) -> _Column:
    """I after a visit that gives rewards worth ``given``; ``rewarded`` is 1, or 0 where there was none. [log odds]"""
    return incentive * (1.0 - rewarded) + given * rewarded


def decay_incentive(incentive: _Column, *, keep_i: float) -> _Column:
    """I one day later; ``keep_i`` is ``exp(-1/tau_I)``. [log odds]"""
    return incentive * keep_i
