"""The Hill law of effects, of the same bits on every machine; the share of receptors is in ``occupancy``."""

import numpy as np

from remission.errors import SpecError
from remission.numerics.elementary import exp, log
from remission.shapes import Float


def saturation(
    conc_ng_per_ml: Float[np.ndarray, "..."], *, c50_ng_per_ml: float, hill: float = 1.0
) -> Float[np.ndarray, "..."]:
    """``C^n / (C^n + C50^n)``: 0 exactly at 0, rising to 1. [dimensionless, 0 to 1]

    ``conc_ng_per_ml``: concentration, >= 0. [ng/mL] ``c50_ng_per_ml``: concentration of half effect, > 0. [ng/mL]
    ``hill``: slope n, > 0. [dimensionless] Raises SpecError: ``c50_ng_per_ml`` or ``hill`` is not positive.
    """
    if not (c50_ng_per_ml > 0.0 and hill > 0.0):
        raise SpecError(where="c50_ng_per_ml, hill", got=(c50_ng_per_ml, hill), allowed="two positive numbers")
    if hill == 1.0:
        return conc_ng_per_ml / (conc_ng_per_ml + c50_ng_per_ml)
    ratio = conc_ng_per_ml / c50_ng_per_ml
    present = ratio > 0.0
    power = np.where(present, exp(hill * log(np.where(present, ratio, 1.0))), 0.0)
    return power / (power + 1.0)
