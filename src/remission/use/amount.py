"""The amount taken on a use day, in the substance's own unit.

Equation::

    log a = mu_a + gamma_a*z + sigma_a*eps

No source for the parameters has been found: every result that needs an amount (heavy days) is graded assumed.
"""

import numpy as np
from jaxtyping import Float

from remission.numerics.elementary import exp

__all__ = ["amount_used"]

_Column = Float[np.ndarray, " subject"]


def amount_used(
    use: _Column, strength: _Column, noise: _Column, *, mu_a: float, gamma_a: float, sigma_a: float
) -> _Column:
    """Amount today: 0 on a clean day, log-normal on a use day. [unit of the substance]"""
    return use * exp(mu_a + gamma_a * strength + sigma_a * noise)
