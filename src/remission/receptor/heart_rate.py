"""Rise of heart rate during a session, as a share of the resting rate. Interim, and the weakest of the acute effects.

Equation, with C the concentration of S-ketamine at the effect site::

    rise = (1 + CV z_i) h_a [C / (C + K)] / [C_a / (C_a + K)]

Measured: the largest rise h_a of one study, +43.5% in eight healthy men, at the S-ketamine C_a of anaesthesia (1959
ng/mL), and that the rise depends on concentration. Assumed: the shape between nothing and there. K is taken from mean
pressure, the only other effect of the same circulation with two points; at the other end of its range the rise is
proportional to concentration, and at 0.5 mg/kg over 40 min 3% instead of 22%. So heart rate at trial doses is a band
between two shapes, :func:`heart_rate_range`, and no single curve. The spread between people is that of systolic
pressure, because none was read. R-ketamine has no weight: cardiac output rose with S and not with R (Kamp 2021).
"""

import numpy as np

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.receptor.saturation import saturation
from remission.records.parameter import ParameterSet
from remission.shapes import Float


def simulate_heart_rate_rise(
    conc_ng_per_ml: Float[np.ndarray, "subject time"],
    *,
    z: Float[np.ndarray, " subject"],
    response: ParameterSet | None = None,
) -> Float[np.ndarray, "subject time"]:
    """Change of heart rate as a share of the person's resting rate. [dimensionless]

    ``conc_ng_per_ml``: S-ketamine at the effect site, >= 0. [ng/mL] ``z``: standard normal of each person; 0 is the
    mean. [dimensionless] ``response``: the library's ``acute-response`` by default. Raises SpecError: ``z`` is not one
    finite number a row.
    """
    values = response or load_parameter_set("acute-response")
    if z.shape != conc_ng_per_ml.shape[:1] or not np.all(np.isfinite(z)):
        raise SpecError(where="z", got=f"shape {z.shape}", allowed=f"{conc_ng_per_ml.shape[0]} finite numbers")
    c50 = values.value("heart_rate_c50_s_ket_ng_per_ml")
    measured_at = np.array([values.value("anaesthesia_s_ket_ng_per_ml")])
    size = values.value("heart_rate_max_rise_fraction") / saturation(measured_at, c50_ng_per_ml=c50)
    person = 1.0 + values.value("heart_rate_rise_cv") * z
    return (size * person)[:, np.newaxis] * saturation(conc_ng_per_ml, c50_ng_per_ml=c50)


def heart_rate_range(
    conc_ng_per_ml: Float[np.ndarray, "subject time"], *, response: ParameterSet | None = None
) -> tuple[Float[np.ndarray, "subject time"], Float[np.ndarray, "subject time"]]:
    """Mean rise under the two ends of the assumed shape: proportional, and early plateau. [dimensionless]

    ``conc_ng_per_ml``: S-ketamine at the effect site, >= 0. [ng/mL] ``response``: the library's ``acute-response`` by
    default.
    """
    values = response or load_parameter_set("acute-response")
    shape = values["heart_rate_c50_s_ket_ng_per_ml"]
    nobody = np.zeros(conc_ng_per_ml.shape[0])
    late, early = (shape.value if end is None else end for end in (shape.high, shape.low))
    return (
        simulate_heart_rate_rise(
            conc_ng_per_ml, z=nobody, response=values.replace_values(heart_rate_c50_s_ket_ng_per_ml=late)
        ),
        simulate_heart_rate_rise(
            conc_ng_per_ml, z=nobody, response=values.replace_values(heart_rate_c50_s_ket_ng_per_ml=early)
        ),
    )
