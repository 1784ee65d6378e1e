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

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from remission.dosing import EvidenceFlag, infusions_per_weight
from remission.library.products import list_products
from remission.patient.pharmacology import Pharmacology
from remission.pk import (
    PkModel,
    choose_product,
    effect_site_peak,
    individual_parameters,
    load_pk_model,
    saturated_hours,
    simulate_effect_site,
    species_modes,
)
from remission.receptor import saturation
from remission.records.analyte import Analyte
from remission.records.dose import Absorption, Dose, Route
from remission.records.result import Result
from remission.session.exposure import exposure_nodes, saturated_sum
from remission.shapes import Float
from remission.units import minutes_to_hours

# People computed together; their arrays then stay in the processor's cache. It changes no result.
_CHUNK = 2048
_FEW = 256
_PEAK_STEP_H = minutes_to_hours(1.0)


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
    people = individual_parameters(pharmacology.pk, weight_kg=weight_kg, z_iiv=z_iiv, with_metabolites=False)
    exposure, peak = np.zeros(weight_kg.size), np.zeros(weight_kg.size)
    settings = pharmacology.exposure
    if dose_mg_per_kg > 0.0:
        for start in range(0, weight_kg.size, _CHUNK):
            rows = slice(start, start + _CHUNK)
            some = people if weight_kg.size <= _CHUNK else people.take(rows)
            dose_mg, modes = events.dose_mg[rows, 0], species_modes(some)
            exposure[rows] = saturated_hours(
                some,
                dose_mg=dose_mg,
                duration_h=duration_h,
                s_fraction=events.s_fraction,
                horizon_h=settings.value("horizon_h"),
                c50_ng_per_ml=settings.value("c50_exposure_ng_per_ml"),
                modes=modes,
            )
            peak[rows] = effect_site_peak(
                some, dose_mg=dose_mg, duration_h=duration_h, s_fraction=events.s_fraction, analyte=Analyte.S_KET,
                modes=modes,
            )  # fmt: skip
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


def session_model(doses: Sequence[Dose], pharmacology: Pharmacology) -> PkModel:
    """The kinetic model of a session: the patient's own, or the one that alone holds the absorption of a product."""
    for dose in doses:
        fitting = list_products(dose.form, dose.route)
        named = [one for one in fitting if one.id == dose.product] or fitting
        own = {one.model for one in named}
        if named and None not in own and pharmacology.pk.id not in own:
            return load_pk_model(str(named[0].model))
    return pharmacology.pk


def simulate_effects_of_doses(
    doses: Sequence[Dose],
    *,
    weight_kg: Float[np.ndarray, " subject"],
    z_iiv: Float[np.ndarray, "subject iiv"],
    z_absorption: Float[np.ndarray, "subject 2"],
    pharmacology: Pharmacology,
) -> SessionEffects:
    """Exposure e and psychoactive score m of each person after doses of one session, by any route and of either form.

    S-ketamine counts as in the racemate: nanogram for nanogram in e, and alone in m. A dose whose time of the peak is
    sourced is absorbed at the rate of that time, as the planner has it; without one it must say its own.

    Parameters
    ----------
    doses
        In order of time, the first at 0 h.
    weight_kg
        Body weights. [kg]
    z_iiv
        Standard normals, columns as those of :func:`session_model`. [dimensionless]
    z_absorption
        Standard normals for the share that is absorbed and for its rate. [dimensionless]
    pharmacology
        From :func:`~remission.patient.pharmacology.load_pharmacology`.

    Raises
    ------
    SpecError
        A dose, a weight or what is known of an absorption is not enough; the message says which.
    """
    model, settings, effects = session_model(doses, pharmacology), pharmacology.exposure, pharmacology.effects
    known = [_with_rate(one, model) for one in doses]
    horizon_h = settings.value("horizon_h")
    nodes_h, weights_h = exposure_nodes([edge for one in known for edge in (one.start_h, one.end_h)], horizon_h)
    grid_h = np.arange(0.0, horizon_h + _PEAK_STEP_H, _PEAK_STEP_H)
    exposure, peak = np.zeros(weight_kg.size), np.zeros(weight_kg.size)
    for start in range(0, weight_kg.size, _FEW):
        rows = slice(start, start + _FEW)
        some: dict[str, Any] = {
            "weight_kg": weight_kg[rows], "z_iiv": z_iiv[rows], "z_absorption": z_absorption[rows],
        }  # fmt: skip
        at_nodes = simulate_effect_site(model, known, t_h=nodes_h, **some)[Analyte.KET]
        effect = saturation(at_nodes, c50_ng_per_ml=settings.value("c50_exposure_ng_per_ml"))
        exposure[rows] = saturated_sum(effect, weights_h)
        peak[rows] = _top(simulate_effect_site(model, known, t_h=grid_h, **some)[Analyte.S_KET])
    return SessionEffects(
        exposure=exposure / settings.value("exposure_reference_h"),
        psychoactive=saturation(
            peak, c50_ng_per_ml=effects.value("c50_high_ng_per_ml"), hill=effects.value("hill_high")
        ),
        peak_s_ket_ng_per_ml=peak,
        flags=(),
        n_extrapolated=0,
    )


def _with_rate(dose: Dose, model: PkModel) -> Dose:
    """The dose with the rate of the sourced time of its peak, where it states none and the model needs one."""
    if dose.absorption is not None or dose.route in {Route.IV_INFUSION, Route.IV_BOLUS}:
        return dose
    product = choose_product(model, dose, where="dose")
    if product is None or product.model is not None or product.tmax is None:
        return dose
    reason = "First order, with the time of the peak that is sourced."
    return dose.replace(product=product.id, absorption=Absorption(basis="tmax", reason=reason))


def _top(curves: Float[np.ndarray, "subject time"]) -> Float[np.ndarray, " subject"]:
    """The largest value of each curve, by the parabola through its largest point and the two beside it."""
    at = np.clip(curves.argmax(axis=1), 1, curves.shape[1] - 2)
    row = np.arange(curves.shape[0])
    left, middle, right = curves[row, at - 1], curves[row, at], curves[row, at + 1]
    bend = left - 2.0 * middle + right
    rise = np.where(bend < 0.0, (right - left) ** 2 / np.where(bend < 0.0, -8.0 * bend, 1.0), 0.0)
    return np.maximum(curves.max(axis=1), middle + rise)


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
