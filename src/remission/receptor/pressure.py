"""Rise of blood pressure during a session. Interim.

Equation: ``rise = s_i C``, with C ketamine (S + R) at the effect site and a slope for each person::

    s_i = (mean rise + SD z_i) / C_ref

Mean and SD [mmHg] are those of one clinic series at its peak; C_ref is the peak effect-site concentration of the
default model in the reference session, so the law is derived, not estimated. The spread is taken as if it were all
between people and the law is normal, so the pressure of one person in twelve falls. It has no tolerance, no ceiling and
no effect of age or hypertension: do not use it above the doses of the series (about 0.5 mg/kg) without saying so.
"""

from typing import Final, Literal

import numpy as np
from jaxtyping import Float

from remission.records.parameter import ParameterSet

__all__ = ["PRESSURES", "simulate_pressure_rise"]

Pressure = Literal["sbp", "dbp"]

PRESSURES: Final[tuple[Pressure, ...]] = ("sbp", "dbp")
"""Systolic and diastolic pressure, in the order of the columns of ``z_pressure``."""


def simulate_pressure_rise(
    conc_ng_per_ml: Float[np.ndarray, "subject time"],
    *,
    z: Float[np.ndarray, " subject"],
    which: Pressure,
    effects: ParameterSet,
) -> Float[np.ndarray, "subject time"]:
    """Change of systolic (``sbp``) or diastolic (``dbp``) pressure from its baseline. [mmHg]

    Parameters
    ----------
    conc_ng_per_ml
        S and R ketamine together at the effect site. [ng/mL]
    z
        Standard normal of each person; 0 is the mean slope. [dimensionless]
    which
        Systolic or diastolic.
    effects
        The library's ``acute-effects`` or a changed copy.
    """
    mean, sd = effects.value(f"{which}_rise_mmhg"), effects.value(f"{which}_rise_sd_mmhg")
    slope_mmhg_per_ng_per_ml = (mean + sd * z) / effects.value("bp_reference_ng_per_ml")
    return slope_mmhg_per_ng_per_ml[:, np.newaxis] * conc_ng_per_ml
