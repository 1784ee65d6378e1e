"""What people feel and show while the drug acts, from the concentrations at the effect site: curves and peaks."""

from dataclasses import dataclass, replace

import numpy as np

from remission.numerics.distinct import distinct
from remission.patient.pharmacology import Pharmacology
from remission.patient.sampling import AcuteResponse
from remission.pk import individual_parameters, simulate_concentrations
from remission.receptor import simulate_cadss, simulate_heart_rate_rise, simulate_pressure_rise, simulate_vas
from remission.records.analyte import Analyte, SamplingSite
from remission.records.infusions import InfusionEvents
from remission.session.effects import reference_peak_s_ket
from remission.shapes import Float
from remission.units import minutes_to_hours

_BY_SUBJECT = Float[np.ndarray, "subject time"]
_Subject = Float[np.ndarray, " subject"]

# The peak of an infusion comes within minutes of its end, where steps are short; what is later only falls.
_STEP_H = minutes_to_hours(1.0)
_PEAK_STEP_H = 1.0 / 300.0
_AFTER_H = 0.25
_FEW = 512


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AcutePeaks:
    """Highest systolic rise [mmHg] and CADSS total score of each person in a session, and while drug still flows."""

    sbp_rise_mmhg: _Subject
    cadss_points: _Subject
    flowing_sbp_rise_mmhg: _Subject
    flowing_cadss_points: _Subject


def simulate_acute_peaks(
    events: InfusionEvents,
    *,
    weight_kg: _Subject,
    z_iiv: Float[np.ndarray, "subject iiv"],
    response: AcuteResponse,
    pharmacology: Pharmacology,
) -> AcutePeaks:
    """The peaks of the curves that :func:`simulate_acute_effects` gives for the infusions of one session.

    ``events``: from :mod:`remission.dosing`, for the same people. ``weight_kg``: body weights. [kg] ``z_iiv``: standard
    normals, columns as ``pharmacology.pk.iiv_names``. [dimensionless] ``response``: how each person reacts.
    """
    end_h = float(events.end_h.max())
    peaks = [np.arange(end, end + _AFTER_H, _PEAK_STEP_H) for end in events.end_h]
    t_h = distinct(np.arange(0.0, end_h, _STEP_H), *peaks)
    flows = t_h <= end_h
    people = individual_parameters(pharmacology.pk, weight_kg=weight_kg, z_iiv=z_iiv)
    reference = reference_peak_s_ket(pharmacology)
    found = np.zeros((4, weight_kg.size))
    for start in range(0, weight_kg.size, _FEW):
        rows = slice(start, start + _FEW)
        some = replace(events, dose_mg=events.dose_mg[rows])
        blood = simulate_concentrations(
            people.take(rows), some, t_h=t_h, analytes=(Analyte.KET, Analyte.S_KET), sites=(SamplingSite.EFFECT,)
        )
        felt = simulate_acute_effects(
            *(blood.select(one, site=SamplingSite.EFFECT) for one in (Analyte.KET, Analyte.S_KET)),
            pharmacology=pharmacology,
            reference_peak_ng_per_ml=reference,
            z_sbp=response.z_sbp[rows],
            z_dbp=response.z_dbp[rows],
            z_heart_rate=response.z_heart_rate[rows],
            z_dissociation=response.z_dissociation[rows],
        )
        for row, curve in enumerate((felt.sbp_rise_mmhg, felt.cadss)):
            found[row, rows], found[row + 2, rows] = curve.max(axis=1), curve[:, flows].max(axis=1)
    return AcutePeaks(
        sbp_rise_mmhg=found[0], cadss_points=found[1], flowing_sbp_rise_mmhg=found[2], flowing_cadss_points=found[3]
    )


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
