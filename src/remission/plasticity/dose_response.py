"""f(e), what an exposure does: nothing at 0, 1 at the reference exposure, little below a threshold.

Equation::

    f = (1 + e_50**n) * e**n / (e**n + e_50**n)

e of one day is the sum of that day's doses. Assumptions: one curve for all effects. Evidence: assumed; trials with a
low-dose control tell of it.
"""

from typing import TypeAlias

import numpy as np

from remission.numerics.elementary import exp, log
from remission.shapes import Float, Int

__all__ = ["daily_exposure", "dose_effect"]

_Doses = Float[np.ndarray, "subject infusion"]
_Each: TypeAlias = Float[np.ndarray, "#subject 1"]


def dose_effect(exposure: _Doses, *, slope: _Each, e_half: _Each) -> _Doses:
    """f of each exposure; 0 gives 0 exactly. [dimensionless]

    ``slope``, ``e_half``: one number for everybody, or a column of people.
    """
    given = 1.0 * (exposure > 0.0)
    # ln(e/e_50); where nothing was given, any number that is finite.
    ratio = log((exposure + (1.0 - given)) / e_half)
    share = 1.0 / (1.0 + exp(-slope * ratio))
    reference = 1.0 / (1.0 + exp(slope * log(e_half)))
    return given * (share / reference)


def daily_exposure(exposure: _Doses, day: Int[np.ndarray, "subject infusion"]) -> _Doses:
    """Exposures with those of one day added up in its first slot, the others 0; one dose a day is left as it is."""
    total = exposure.copy()
    for later in range(1, total.shape[1]):
        for earlier in range(later):
            same = (day[:, later] == day[:, earlier]) & (day[:, later] >= 0)
            total[:, earlier] += np.where(same, total[:, later], 0.0)
            total[:, later] = np.where(same, 0.0, total[:, later])
    return total
