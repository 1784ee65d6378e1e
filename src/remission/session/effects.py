"""What one session hands to the clock of days, for each person.

Wiring, nothing else: :mod:`remission.dosing` makes the infusion, :mod:`remission.pk` the concentrations::

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
from remission.patient.pharmacology import Pharmacology
from remission.pk import effect_site_peak, individual_parameters, saturated_hours
from remission.receptor import saturation
from remission.records.analyte import Analyte
from remission.records.result import Result

__all__ = ["SessionEffects", "reference_peak_s_ket", "simulate_session_effects"]

# People computed together; their arrays then stay in the processor's cache. It changes no result.
_CHUNK = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEffects(Result):
    """What one session does to each person.

    ``exposure``: e; 1 for the typical adult in the reference session. [dimensionless, >= 0] ``psychoactive``: m.
    [dimensionless, 0 to 1] ``peak_s_ket_ng_per_ml``: peak S-ketamine at the effect site. [ng/mL] ``flags``: what of the
    session lies outside the evidence. ``n_extrapolated``: people whose weight lies outside those the kinetic model was
    fitted to.
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
