"""Extended amygdala: A, allostatic load; F, its fast trace; W, withdrawal; N, negative affect.

Equations::

    A' = A + (y - A)/tau_A
    F' = F + (y - F)*(1 - exp(-1/tau_F))
    W = max(A - F, 0)
    N_own = w_W*W + c_A*A + c_x*x
    N = N_own - k_N*h_N - k_S*tanh(S)

States: A and F in [0, 1]; W in [0, 1]; N around 0, 1 dose at 24 h lowers it by k_N. [dimensionless]
Assumptions: withdrawal is the load that the fast trace of recent use no longer covers. Craving
follows N_own: what ketamine does to craving is a piece of its own, total, whatever its mood does. Evidence: time
constants are set by substance from withdrawal courses; k_N follows the mood response in depression (by analogy).
"""

import numpy as np

from remission.numerics.elementary import tanh
from remission.shapes import Float

__all__ = ["eased_affect", "negative_affect", "update_fast_trace", "update_load", "withdrawal"]

_Column = Float[np.ndarray, " subject"]


def update_load(load: _Column, use: _Column, *, tau_a: float) -> _Column:
    """A one day later; ``use`` is 0 or 1. [dimensionless]"""
    return load + (use - load) * (1.0 / tau_a)


def update_fast_trace(trace: _Column, use: _Column, *, keep_f: float) -> _Column:
    """F one day later; ``keep_f`` is ``exp(-1/tau_F)``. [dimensionless]"""
    return trace + (use - trace) * (1.0 - keep_f)


def withdrawal(load: _Column, trace: _Column) -> _Column:
    """W: the load not covered by recent use, 0 or more. [dimensionless]"""
    gap = load - trace
    return 0.5 * (gap + abs(gap))


def negative_affect(withdrawn: _Column, load: _Column, cue: _Column, *, w_w: float, c_a: float, c_x: float) -> _Column:
    """N_own of the day, before what a drug eases. [dimensionless]"""
    return w_w * withdrawn + c_a * load + c_x * cue


def eased_affect(affect: _Column, raised: _Column, tone: _Column, *, k_n: float, k_s: float) -> _Column:
    """N of the day. [dimensionless]"""
    return affect - k_n * raised - k_s * tanh(tone)
