"""One dosing session: from a dose to what the clock of days receives, and to the curves a clinic would see.

Wiring, nothing else: :mod:`remission.dosing` makes the infusion, :mod:`remission.pk` the concentrations,
:mod:`remission.receptor` the effects. Handed to the clock of days, for each person::

    e = (1 / E_ref) integral_0^24h C / (C + C50_e) dt      C = S + R ketamine at the effect site
    m = Cs^n / (Cs^n + C50^n)                              Cs = peak S-ketamine at the effect site

E_ref is the same integral for the typical 70 kg adult at 0.5 mg/kg over 40 min, fixed in the library. Without a dose
both are exactly 0. Both are exact functions of a person's own parameters: they do not depend on who else is in the
batch, nor on the processor.

Assumptions: C50_e is assumed, no estimate exists; the session clock runs 24 h, so what a dose does later is left out
(under 1% of e).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from remission.dosing import EvidenceFlag, infusions_per_weight
from remission.errors import SpecError
from remission.patient.pharmacology import Pharmacology
from remission.pk import (
    Concentrations,
    VenousLinks,
    effect_site_peak,
    individual_parameters,
    saturated_hours,
    simulate_concentrations,
    simulate_venous_concentrations,
)
from remission.receptor import (
    PRESSURES,
    OccupancyBand,
    saturation,
    simulate_cadss,
    simulate_heart_rate_rise,
    simulate_occupancy,
    simulate_pressure_rise,
    simulate_vas,
)
from remission.records.analyte import Analyte, SamplingSite
from remission.records.result import Result

__all__ = [
    "SessionCurves",
    "SessionEffects",
    "reference_peak_s_ket",
    "simulate_session_curves",
    "simulate_session_effects",
]

# People computed together; their arrays then stay in the processor's cache. It changes no result.
_CHUNK = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEffects(Result):
    """What one session does to each person.

    exposure
        e; 1 for the typical adult in the reference session. [dimensionless, >= 0]
    psychoactive
        m. [dimensionless, 0 to 1]
    peak_s_ket_ng_per_ml
        Peak S-ketamine at the effect site. [ng/mL]
    flags
        What of the session lies outside the evidence.
    n_extrapolated
        People whose weight lies outside those the kinetic model was fitted to.
    """

    exposure: Float[np.ndarray, " subject"]
    psychoactive: Float[np.ndarray, " subject"]
    peak_s_ket_ng_per_ml: Float[np.ndarray, " subject"]
    flags: tuple[EvidenceFlag, ...]
    n_extrapolated: int

    def columns(self) -> dict[str, Any]:
        """One row a person."""
        return {name: getattr(self, name) for name in ("exposure", "psychoactive", "peak_s_ket_ng_per_ml")}


def simulate_session_effects(
    *,
    dose_mg_per_kg: float,
    duration_h: float,
    weight_kg: Float[np.ndarray, " subject"],
    z_iiv: Float[np.ndarray, "subject iiv"],
    pharmacology: Pharmacology,
) -> SessionEffects:
    """Exposure e and psychoactive score m of each person after one infusion of racemic ketamine.

    Parameters
    ----------
    dose_mg_per_kg
        Racemic free base. [mg/kg, 0 to 5]
    duration_h
        Length of the infusion. [h, > 0 and at most 24]
    weight_kg
        Body weights. [kg]
    z_iiv
        Standard normals, columns as ``pharmacology.pk.iiv_names``. [dimensionless]
    pharmacology
        From :func:`~remission.patient.pharmacology.load_pharmacology`.

    Raises
    ------
    SpecError
        A dose, duration or weight is not allowed; the message says which.

    Examples
    --------
    >>> from remission.patient.pharmacology import load_pharmacology
    >>> effects = simulate_session_effects(
    ...     dose_mg_per_kg=0.8,
    ...     duration_h=2 / 3,
    ...     weight_kg=np.array([70.0]),
    ...     z_iiv=np.zeros((1, 8)),
    ...     pharmacology=load_pharmacology(),
    ... )
    >>> effects.exposure.round(2).tolist(), effects.psychoactive.round(2).tolist()
    ([1.39], [0.75])
    """
    events = infusions_per_weight([dose_mg_per_kg], start_h=[0.0], duration_h=[duration_h], weight_kg=weight_kg)
    people = individual_parameters(pharmacology.pk, weight_kg=weight_kg, z_iiv=z_iiv)
    exposure, peak = np.zeros(weight_kg.size), np.zeros(weight_kg.size)
    settings = pharmacology.exposure
    if dose_mg_per_kg > 0.0:
        for start in range(0, weight_kg.size, _CHUNK):
            rows = slice(start, start + _CHUNK)
            some, dose_mg = people.take(rows), events.dose_mg[rows, 0]
            exposure[rows] = saturated_hours(
                some,
                dose_mg=dose_mg,
                duration_h=duration_h,
                s_fraction=events.s_fraction,
                horizon_h=settings.value("horizon_h"),
                c50_ng_per_ml=settings.value("c50_exposure_ng_per_ml"),
            )
            peak[rows] = effect_site_peak(
                some, dose_mg=dose_mg, duration_h=duration_h, s_fraction=events.s_fraction, analyte=Analyte.S_KET
            )
    effects = pharmacology.effects
    return SessionEffects(
        exposure=exposure / settings.value("exposure_reference_h"),
        psychoactive=saturation(
            peak, c50_ng_per_ml=effects.value("c50_high_ng_per_ml"), hill=effects.value("hill_high")
        ),
        peak_s_ket_ng_per_ml=peak,
        flags=events.flags,
        n_extrapolated=int(np.count_nonzero(people.is_extrapolated)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCurves(Result):
    """One session over time, person by person.

    concentrations
        Ketamine, S-ketamine and metabolites by site. [ng/mL]
    occupancy
        NMDA occupancy as a band. [0 to 1]
    vas, cadss
        Drug high [0 to 100] and CADSS total score.
    sbp_mmhg, dbp_mmhg
        Blood pressure. [mmHg]
    heart_rate_rise
        Share by which heart rate is above its resting value. [dimensionless]
    flags
        What of the session lies outside the evidence.
    """

    concentrations: Concentrations
    occupancy: OccupancyBand
    vas: Float[np.ndarray, "subject time"]
    cadss: Float[np.ndarray, "subject time"]
    sbp_mmhg: Float[np.ndarray, "subject time"]
    dbp_mmhg: Float[np.ndarray, "subject time"]
    heart_rate_rise: Float[np.ndarray, "subject time"]
    flags: tuple[EvidenceFlag, ...]

    def columns(self) -> dict[str, Any]:
        """One row a person and time."""
        subject, time = (part.ravel() for part in np.indices(self.vas.shape))
        names = ("vas", "cadss", "sbp_mmhg", "dbp_mmhg", "heart_rate_rise")
        return {"subject": subject, "t_h": self.t_h[time], **{name: getattr(self, name).ravel() for name in names}}

    @property
    def t_h(self) -> Float[np.ndarray, " time"]:
        """Times of the session clock. [h]"""
        return self.concentrations.t_h


def simulate_session_curves(
    *,
    dose_mg_per_kg: float,
    duration_h: float,
    t_h: Float[np.ndarray, " time"],
    weight_kg: Float[np.ndarray, " subject"],
    z_iiv: Float[np.ndarray, "subject iiv"],
    z_pressure: Float[np.ndarray, "subject pressure"],
    sbp0_mmhg: Float[np.ndarray, " subject"],
    dbp0_mmhg: Float[np.ndarray, " subject"],
    pharmacology: Pharmacology,
    dissociation_gain: float = 1.0,
    z_dissociation: Float[np.ndarray, " subject"] | None = None,
    z_heart_rate: Float[np.ndarray, " subject"] | None = None,
    venous: VenousLinks | None = None,
) -> SessionCurves:
    """Concentrations and acute effects of one infusion over time, for figures and planning.

    Parameters
    ----------
    dose_mg_per_kg, duration_h, weight_kg, z_iiv, pharmacology
        As in :func:`simulate_session_effects`.
    t_h
        Times. [h]
    z_pressure
        Standard normals for the slopes of systolic and diastolic pressure, two columns. [dimensionless]
    sbp0_mmhg, dbp0_mmhg
        Blood pressure before the session. [mmHg]

    Other Parameters
    ----------------
    dissociation_gain
        Factor on dissociation, 0 to 1; the library's ``dissociation_gain_alcohol`` is a placeholder for detoxified
        alcohol patients. [dimensionless]
    z_dissociation
        Standard normals for drug high and CADSS; None gives everybody the typical C50 and the mean CADSS.
        [dimensionless]
    z_heart_rate
        Standard normals for the rise of heart rate; None gives everybody the mean. [dimensionless]
    venous
        A link to the arm vein for each person; None gives everybody the default one.

    Raises
    ------
    SpecError
        An input is not allowed; the message says which.
    """
    if z_pressure.shape != (weight_kg.size, 2):
        raise SpecError(
            where="z_pressure", got=f"shape {z_pressure.shape}", allowed=f"({weight_kg.size}, 2): systolic, diastolic"
        )
    events = infusions_per_weight([dose_mg_per_kg], start_h=[0.0], duration_h=[duration_h], weight_kg=weight_kg)
    people = individual_parameters(pharmacology.pk, weight_kg=weight_kg, z_iiv=z_iiv)
    model, effects = pharmacology.pk, pharmacology.effects
    parents = (Analyte.KET, Analyte.S_KET)
    sites = [site for site in model.sites if venous is None or site is not SamplingSite.VENOUS]
    found = [simulate_concentrations(people, events, t_h=t_h, analytes=parents, sites=sites)]
    if venous is not None:
        found.append(simulate_venous_concentrations(people, events, t_h=t_h, venous=venous, analytes=parents))
    metabolites = [analyte for analyte in model.analytes if analyte in {Analyte.S_NK, Analyte.S_HNK}]
    if metabolites:
        found.append(
            simulate_concentrations(people, events, t_h=t_h, analytes=metabolites, sites=(SamplingSite.ARTERIAL,))
        )
    concentrations = Concentrations(
        t_h=t_h,
        series=tuple(series for one in found for series in one.series),
        conc_ng_per_ml=np.concatenate([one.conc_ng_per_ml for one in found], axis=1),
    )
    ket = concentrations.select(Analyte.KET, site=SamplingSite.EFFECT)
    s_ket = concentrations.select(Analyte.S_KET, site=SamplingSite.EFFECT)
    sbp, dbp = (
        simulate_pressure_rise(ket, z=z, which=which, effects=effects)
        for which, z in zip(PRESSURES, z_pressure.T, strict=True)
    )
    return SessionCurves(
        concentrations=concentrations,
        occupancy=simulate_occupancy(ket, binding=pharmacology.binding),
        vas=simulate_vas(s_ket, effects=effects, gain=dissociation_gain, z=z_dissociation),
        cadss=simulate_cadss(
            s_ket,
            z=z_dissociation,
            reference_peak_ng_per_ml=reference_peak_s_ket(pharmacology),
            effects=effects,
            gain=dissociation_gain,
        ),
        sbp_mmhg=sbp0_mmhg[:, np.newaxis] + sbp,
        dbp_mmhg=dbp0_mmhg[:, np.newaxis] + dbp,
        heart_rate_rise=simulate_heart_rate_rise(
            s_ket, z=np.zeros(weight_kg.size) if z_heart_rate is None else z_heart_rate
        ),
        flags=events.flags,
    )


def reference_peak_s_ket(pharmacology: Pharmacology) -> float:
    """Peak effect-site S-ketamine of the typical adult in the reference session, to which CADSS is tied. [ng/mL]"""
    reference = pharmacology.exposure
    effects = simulate_session_effects(
        dose_mg_per_kg=reference.value("reference_dose_mg_per_kg"),
        duration_h=reference.value("reference_duration_h"),
        weight_kg=np.array([reference.value("reference_weight_kg")]),
        z_iiv=np.zeros((1, pharmacology.n_iiv)),
        pharmacology=pharmacology,
    )
    return float(effects.peak_s_ket_ng_per_ml[0])
