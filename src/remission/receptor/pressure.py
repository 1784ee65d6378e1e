"""Rise of blood pressure during a session. Interim.

Equations, with C ketamine (S + R) at the effect site and a size for each person::

    rise = s_i C                                        proportional
    rise = s_i min(C, C_max)                            held, the default
    rise = s_i C_ref [C / (C + K)] / [C_ref / (C_ref + K)]    plateau
    s_i  = (mean rise + SD z_i) / C_ref
    C_max = C_ref h MAP_0 / [(sbp + 2 dbp) / 3]         h MAP_0: the rise of mean pressure measured in anaesthesia

Mean and SD [mmHg] are those of one clinic series at its peak; C_ref is the peak effect-site concentration of the
default model in the reference session, so the law is derived, not estimated. The spread is taken as if it were all
between people and the law is normal, so the pressure of one person in twelve falls. It has no tolerance and no effect
of age or hypertension.

The proportional law has no ceiling: at the concentrations of anaesthesia it gives ten times the rise that was measured
there. Held, it stops at that rise, which it reaches at 531 ng/mL, the concentration of 1.0 mg/kg over 40 minutes. The
plateau passes through the clinic series and through that study of anaesthesia; below the reference it gives more, above
it less. All agree at the reference session. The default errs on the side of more pressure between the two studies.

Systolic and diastolic rises of a person hang together; :func:`correlated_pressure_z` makes the second z from the first.
"""

from enum import StrEnum
from typing import Final, Literal

import numpy as np

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.receptor.saturation import saturation
from remission.records.parameter import ParameterSet
from remission.shapes import Float

Pressure = Literal["sbp", "dbp"]

PRESSURES: Final[tuple[Pressure, ...]] = ("sbp", "dbp")
"""Systolic and diastolic pressure, in the order of the columns of ``z_pressure``."""

_Subject = Float[np.ndarray, " subject"]


class PressureLaw(StrEnum):
    """How the rise grows with concentration; both agree at the reference session."""

    PROPORTIONAL = "proportional"
    """Without a ceiling."""
    HELD = "held"
    """Proportional up to the rise measured in anaesthesia, and held there."""
    PLATEAU = "plateau"
    """Through the clinic series and through the rise measured in anaesthesia."""


def simulate_pressure_rise(
    conc_ng_per_ml: Float[np.ndarray, "subject time"],
    *,
    z: _Subject,
    which: Pressure,
    effects: ParameterSet,
    law: PressureLaw = PressureLaw.HELD,
    response: ParameterSet | None = None,
) -> Float[np.ndarray, "subject time"]:
    """Change of systolic (``sbp``) or diastolic (``dbp``) pressure from its baseline. [mmHg]

    ``conc_ng_per_ml``: S and R ketamine together at the effect site. [ng/mL] ``z``: standard normal of each person; 0
    is the mean slope. [dimensionless] ``which``: systolic or diastolic. ``effects``: the library's ``acute-effects`` or
    a changed copy. ``law``: shape of the rise. ``response``: the library's ``acute-response`` by default; the
    proportional law does not read it.
    """
    mean, sd = effects.value(f"{which}_rise_mmhg"), effects.value(f"{which}_rise_sd_mmhg")
    reference = effects.value("bp_reference_ng_per_ml")
    slope_mmhg_per_ng_per_ml = (mean + sd * z) / reference
    if law is PressureLaw.PROPORTIONAL:
        return slope_mmhg_per_ng_per_ml[:, np.newaxis] * conc_ng_per_ml
    values = response or load_parameter_set("acute-response")
    if law is PressureLaw.HELD:
        most = held_from_ng_per_ml(effects=effects, response=values)
        return slope_mmhg_per_ng_per_ml[:, np.newaxis] * np.minimum(conc_ng_per_ml, most)
    c50 = values.value("pressure_c50_ng_per_ml")
    at_reference = saturation(np.array([reference]), c50_ng_per_ml=c50)
    shape = saturation(conc_ng_per_ml, c50_ng_per_ml=c50) * (reference / at_reference)
    return slope_mmhg_per_ng_per_ml[:, np.newaxis] * shape


def held_from_ng_per_ml(*, effects: ParameterSet, response: ParameterSet | None = None) -> float:
    """Concentration from which the mean rise is that measured in anaesthesia, and grows no more. [ng/mL]

    ``effects``: the library's ``acute-effects`` or a changed copy. ``response``: the library's ``acute-response`` by
    default.
    """
    values = response or load_parameter_set("acute-response")
    mean_rise = (effects.value("sbp_rise_mmhg") + 2.0 * effects.value("dbp_rise_mmhg")) / 3.0
    measured = values.value("map_max_rise_fraction") * values.value("map_rest_mmhg")
    return effects.value("bp_reference_ng_per_ml") * measured / mean_rise


def correlated_pressure_z(z_sbp: _Subject, z_other: _Subject, *, response: ParameterSet | None = None) -> _Subject:
    """Standard normals of the diastolic rise, from those of the systolic rise and independent ones. [dimensionless]

    ``z_dbp = rho z_sbp + sqrt(1 - rho^2) z_other``; each rise alone keeps its mean and SD.

    ``z_sbp``, ``z_other``: independent standard normals of each person. [dimensionless] ``response``: the library's
    ``acute-response`` by default. Raises SpecError: the correlation is outside -1 to 1.
    """
    rho = (response or load_parameter_set("acute-response")).value("pressure_correlation")
    if not -1.0 <= rho <= 1.0:
        raise SpecError(where="pressure_correlation", got=rho, allowed="a correlation, -1 to 1")
    return rho * z_sbp + np.sqrt(1.0 - rho * rho) * z_other
