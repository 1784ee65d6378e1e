"""x, the day's cues and stress: an autoregressive trace around 0.

Equation::

    x' = phi*x + sigma_x*sqrt(1 - phi**2)*eps

State: x, standard deviation sigma_x. [dimensionless]
Assumptions: first-order, normal. Evidence: assumed; sigma_x is tuned on spreads of use.
"""

from math import sqrt

import numpy as np

from remission.shapes import Float

__all__ = ["update_cue"]

_Column = Float[np.ndarray, " subject"]


def update_cue(cue: _Column, noise: _Column, *, phi: float, sigma_x: float) -> _Column:
    """x of the next day from today's x and a standard normal ``noise``. [dimensionless]"""
    return phi * cue + sigma_x * sqrt(1.0 - phi * phi) * noise
