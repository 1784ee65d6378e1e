"""Leaving the study and missing a contact, from the same day's use that the outcome counts.

Equations::

    leave = 1 - exp(-d * (1 + f * y))
    miss = 1 - exp(-v * (1 + f * y))

Assumptions: a use day makes both more likely by the same factor. Evidence: d placeholder or derived by substance, v
assumed.
"""

import numpy as np

from remission.numerics.elementary import exp
from remission.shapes import Float

__all__ = ["leaving_probability"]

_Column = Float[np.ndarray, " subject"]


def leaving_probability(use: _Column, *, hazard_per_day: float, use_factor: float) -> _Column:
    """Chance of leaving (or of missing one contact) on a day with or without use. [probability]"""
    return 1.0 - exp(-hazard_per_day * (1.0 + use_factor * use))
