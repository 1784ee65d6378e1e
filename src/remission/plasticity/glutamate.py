"""G, glutamatergic synaptic efficacy in each circuit: lowered by the disorder to G_b, raised in the night after a dose.

Equations::

    decay:  G' = G_b + (G - G_b)*keep,  keep = 2**(-1/half-life)
    dose:   G' = G' + (1 - G')*(1 - exp(-k_G*P_in))
    h = (G - G_b)*per_rise,  per_rise = 1/((1 - G_b)*(1 - exp(-k_G)))

P_in = rho*s*f(e) is what the dose of the day brings. h is 1 on the day after one reference dose in a person of typical
responsiveness, so that the weight of h is the effect at 24 h; many doses give at most 1/(1 - exp(-k_G)).
States: G in [G_b, 1], one for each circuit: striatal (craving), amygdalar (mood), prefrontal (control). [dimensionless]
Assumptions: one rise, three half-lives, because effects on craving, mood and use were read to last differently.
Evidence: half-lives as in the parameter set; k_G assumed.
"""

from typing import overload

import numpy as np

from remission.numerics.elementary import exp
from remission.shapes import Float

__all__ = ["decay_efficacy", "doses_per_rise", "raise_efficacy", "raised_share"]

_Column = Float[np.ndarray, " subject"]


def decay_efficacy(efficacy: _Column, *, g_b: float, keep: float | _Column) -> _Column:
    """G one day later, without a dose. [dimensionless]"""
    return g_b + (efficacy - g_b) * keep


def raise_efficacy(efficacy: _Column, dose: _Column, *, k_g: float | _Column) -> _Column:
    """G in the night after a dose; a dose of 0 changes nothing, bit for bit. [dimensionless]"""
    return efficacy + (1.0 - efficacy) * (1.0 - exp(-k_g * dose))


@overload
def doses_per_rise(*, g_b: float, k_g: float) -> float: ...
@overload
def doses_per_rise(*, g_b: float, k_g: _Column) -> _Column: ...
def doses_per_rise(*, g_b: float, k_g: float | _Column) -> float | _Column:
    """How many reference doses a rise of 1 in G would be: the inverse of what one adds at rest. [dimensionless]"""
    if isinstance(k_g, np.ndarray):
        return 1.0 / ((1.0 - g_b) * (1.0 - exp(-k_g)))
    return 1.0 / ((1.0 - g_b) * (1.0 - float(exp(np.array([-k_g]))[0])))


def raised_share(efficacy: _Column, *, g_b: float, per_rise: float | _Column) -> _Column:
    """h: how far G is raised, in units of one reference dose. [dimensionless]"""
    return (efficacy - g_b) * per_rise
