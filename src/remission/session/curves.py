"""The curves of one session that a clinic would see: concentrations, occupancy, experience, pressure, heart rate."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from remission.dosing import EvidenceFlag, infusions_per_weight
from remission.errors import SpecError
from remission.patient.pharmacology import Pharmacology
from remission.patient.sampling import (
    sample_acute_response,
    sample_covariates,
    sample_iiv,
    sample_venous_links,
)
from remission.pk import Concentrations, VenousLinks, individual_parameters
from remission.receptor import OccupancyBand, simulate_occupancy
from remission.records.analyte import Analyte, SamplingSite
from remission.records.population import Population
from remission.records.result import Result
from remission.records.treatment import Infusion
from remission.session.acute import simulate_acute_effects
from remission.session.blood import simulate_blood
from remission.session.effects import reference_peak_s_ket
from remission.shapes import Float
from remission.streams import People


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionCurves(Result):
    """One session over time, person by person.

    ``concentrations``: ketamine, S-ketamine and metabolites by site. [ng/mL] ``occupancy``: NMDA occupancy as a band.
    [0 to 1] ``vas``, ``cadss``: drug high [0 to 100] and CADSS total score. ``sbp_mmhg``, ``dbp_mmhg``: blood pressure.
    [mmHg] ``heart_rate_rise``: share by which heart rate is above its resting value. [dimensionless] ``flags``: what of
    the session lies outside the evidence.
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
        As in :func:`~remission.session.effects.simulate_session_effects`.
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
    metabolites = [one for one in pharmacology.pk.analytes if one in {Analyte.S_NK, Analyte.S_HNK}]
    concentrations = simulate_blood(people, events, t_h=t_h, venous=venous, metabolites=metabolites)
    ket, s_ket = (concentrations.select(one, site=SamplingSite.EFFECT) for one in (Analyte.KET, Analyte.S_KET))
    felt = simulate_acute_effects(
        ket,
        s_ket,
        pharmacology=pharmacology,
        reference_peak_ng_per_ml=reference_peak_s_ket(pharmacology),
        z_dissociation=z_dissociation,
        z_sbp=z_pressure[:, 0],
        z_dbp=z_pressure[:, 1],
        z_heart_rate=np.zeros(weight_kg.size) if z_heart_rate is None else z_heart_rate,
        dissociation_gain=dissociation_gain,
    )
    return SessionCurves(
        concentrations=concentrations,
        occupancy=simulate_occupancy(ket, binding=pharmacology.binding),
        vas=felt.vas,
        cadss=felt.cadss,
        sbp_mmhg=sbp0_mmhg[:, np.newaxis] + felt.sbp_rise_mmhg,
        dbp_mmhg=dbp0_mmhg[:, np.newaxis] + felt.dbp_rise_mmhg,
        heart_rate_rise=felt.heart_rate_rise,
        flags=events.flags,
    )


def sample_session_curves(
    infusion: Infusion,
    population: Population,
    *,
    n_people: int,
    seed: int,
    t_h: Float[np.ndarray, " time"],
    pharmacology: Pharmacology,
) -> SessionCurves:
    """Curves of one infusion into a vein in people of a trial; pressures are rises from 0. [h], [mmHg]"""
    assert infusion.dose_mg_per_kg is not None, "a plain infusion has a dose per body weight"
    people = People.of_replicates(seed=seed, first=0, count=1, n_subjects=n_people)
    response = sample_acute_response(people)
    return simulate_session_curves(
        dose_mg_per_kg=infusion.dose_mg_per_kg,
        duration_h=infusion.duration_h,
        t_h=t_h,
        weight_kg=sample_covariates(people, population).weight_kg,
        z_iiv=sample_iiv(people, n_iiv=pharmacology.n_iiv),
        z_pressure=np.stack([response.z_sbp, response.z_dbp], axis=1),
        sbp0_mmhg=np.zeros(n_people),
        dbp0_mmhg=np.zeros(n_people),
        pharmacology=pharmacology,
        z_dissociation=response.z_dissociation,
        venous=sample_venous_links(people, links=pharmacology.pk.links),
    )
