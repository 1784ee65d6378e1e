"""G, glutamatergic synaptic efficacy: lowered by the disorder to G_b, raised while the plasticity window is open.

Equations::

    G1 = G + (1 - G)*(1 - exp(-k_G*P))
    G' = G_b + (G1 - G_b)*(1 - 1/tau_G)

State: G in [G_b, 1]. [dimensionless]
Assumptions: saturating gain, return to G_b. Evidence: assumed; only products of k_G with the weights of G are seen
in data.
"""

import numpy as np
from jaxtyping import Float

from remission.numerics.elementary import exp

__all__ = ["update_glutamate"]

_Column = Float[np.ndarray, " subject"]


def update_glutamate(efficacy: _Column, window: _Column, *, k_g: float, g_b: float, tau_g: float) -> _Column:
    """G one day later. [dimensionless]"""
    raised = efficacy + (1.0 - efficacy) * (1.0 - exp(-k_g * window))
    return g_b + (raised - g_b) * (1.0 - 1.0 / tau_g)
