"""What people feel and show while the drug acts, from the concentrations at the effect site."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from remission.patient.pharmacology import Pharmacology
from remission.receptor import simulate_cadss, simulate_heart_rate_rise, simulate_pressure_rise, simulate_vas

__all__ = ["AcuteCurves", "simulate_acute_effects"]

_BY_SUBJECT = Float[np.ndarray, "subject time"]
_Subject = Float[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AcuteCurves:
    """Acute effects over time, person by person.

    ``vas``, ``cadss``: drug high [0 to 100] and CADSS total score. ``sbp_rise_mmhg``, ``dbp_rise_mmhg``: rise of
    systolic and diastolic pressure. [mmHg] ``heart_rate_rise``: share by which heart rate is above its resting value.
    [dimensionless]
    """

    vas: _BY_SUBJECT
    cadss: _BY_SUBJECT
    sbp_rise_mmhg: _BY_SUBJECT
    dbp_rise_mmhg: _BY_SUBJECT
    heart_rate_rise: _BY_SUBJECT


def simulate_acute_effects(
    ket_ng_per_ml: _BY_SUBJECT,
    s_ket_ng_per_ml: _BY_SUBJECT,
    *,
    pharmacology: Pharmacology,
    reference_peak_ng_per_ml: float,
    z_sbp: _Subject,
    z_dbp: _Subject,
    z_heart_rate: _Subject,
    z_dissociation: _Subject | None,
    dissociation_gain: float = 1.0,
) -> AcuteCurves:
    """Acute effects of concentrations at the effect site.

    ``ket_ng_per_ml``, ``s_ket_ng_per_ml``: at the effect site. [ng/mL] ``reference_peak_ng_per_ml``: from
    :func:`~remission.session.effects.reference_peak_s_ket`. [ng/mL] ``z_sbp``, ``z_dbp``, ``z_heart_rate``,
    ``z_dissociation``: standard normals of how each person reacts; without those of dissociation everybody has the
    typical C50 and the mean CADSS. [dimensionless] ``dissociation_gain``: factor on dissociation, 0 to 1.
    [dimensionless]
    """
    effects = pharmacology.effects
    return AcuteCurves(
        vas=simulate_vas(s_ket_ng_per_ml, effects=effects, gain=dissociation_gain, z=z_dissociation),
        cadss=simulate_cadss(
            s_ket_ng_per_ml,
            z=z_dissociation,
            reference_peak_ng_per_ml=reference_peak_ng_per_ml,
            effects=effects,
            gain=dissociation_gain,
        ),
        sbp_rise_mmhg=simulate_pressure_rise(ket_ng_per_ml, z=z_sbp, which="sbp", effects=effects),
        dbp_rise_mmhg=simulate_pressure_rise(ket_ng_per_ml, z=z_dbp, which="dbp", effects=effects),
        heart_rate_rise=simulate_heart_rate_rise(s_ket_ng_per_ml, z=z_heart_rate),
    )
