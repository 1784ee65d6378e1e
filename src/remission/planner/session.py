"""One session in simulated people, person by person; the rest of the planner only counts what is here.

Every simulated person has the weight that was asked for and differs in kinetics and in how much they react. Their draws
are addressed by seed and number, so that two regimens meet the same people.

Exposure, as the days of the model receive it::

    e = (1 / E_ref) integral_0^24h C / (C + C50_e) dt      C = S + R ketamine at the effect site

by Gauss-Legendre panels that double from each start or end of an infusion.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Float

from remission.dosing import EvidenceFlag, infusions_per_weight
from remission.errors import LibraryError, SpecError
from remission.numerics.quadrature import doubling_panels
from remission.patient.pharmacology import Pharmacology, load_pharmacology
from remission.patient.sampling import AcuteResponse, sample_acute_response, sample_iiv
from remission.patient.session import reference_peak_s_ket
from remission.pk import Concentrations, PkIndividuals, individual_parameters, simulate_concentrations
from remission.planner.request import PlanRequest
from remission.receptor import (
    heart_rate_range,
    saturation,
    simulate_cadss,
    simulate_heart_rate_rise,
    simulate_pressure_rise,
    simulate_vas,
)
from remission.records.analyte import Analyte, SamplingSite
from remission.records.infusions import InfusionEvents
from remission.streams import People

__all__ = ["EFFECTS", "Quantity", "SimulatedSession", "simulate_session"]

_AFTER_H = 4.0
_STEP_H = 1.0 / 16.0
_FIRST_PANEL_H = 0.05
_N_NODES = 6
_BY_SUBJECT = Float[np.ndarray, "subject time"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """Something with a curve; ``site`` is empty for an effect."""

    name: str
    site: str
    unit: str


EFFECTS = (
    Quantity("vas", "", "0 to 100"),
    Quantity("cadss", "", "points"),
    Quantity("sbp_rise", "", "mmHg"),
    Quantity("dbp_rise", "", "mmHg"),
    Quantity("heart_rate_rise", "", "%"),
)
"""Effects of an infusion into a vein, in the order in which they are shown."""

_SERIES = (
    (Analyte.KET, SamplingSite.ARTERIAL),
    (Analyte.KET, SamplingSite.VENOUS),
    (Analyte.KET, SamplingSite.EFFECT),
    (Analyte.S_KET, SamplingSite.EFFECT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSession:
    """What :func:`simulate_session` made: one row a person, one column a time.

    values
        Curves by quantity.
    exposure
        e of each person; 1 for the typical adult in the reference session.
    heart_rate_ends
        Mean rise of heart rate under the two ends of its assumed shape, as a share. [dimensionless]
    flags
        What of the doses lies outside the evidence.
    is_extrapolated
        Whether the weight lies outside those the kinetic model was fitted to.
    """

    t_h: Float[np.ndarray, " time"]
    values: dict[Quantity, _BY_SUBJECT]
    exposure: Float[np.ndarray, " subject"]
    heart_rate_ends: tuple[_BY_SUBJECT, _BY_SUBJECT] | None
    flags: tuple[EvidenceFlag, ...]
    is_extrapolated: bool

    def of(self, name: str, site: str = "") -> _BY_SUBJECT:
        """The curve of one quantity, person by person.

        Raises
        ------
        LookupError
            The session has no such quantity.
        """
        for quantity, values in self.values.items():
            if (quantity.name, quantity.site) == (name, site):
                return values
        msg = f"{name} {site}".strip()
        raise LookupError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crowd:
    """The simulated people of one weight under one model."""

    pharmacology: Pharmacology
    individuals: PkIndividuals
    response: AcuteResponse
    reference_peak_ng_per_ml: float
    is_extrapolated: bool


def simulate_session(request: PlanRequest, *, detail: Literal["all", "limits"] = "all") -> SimulatedSession:
    """The session of a request in its simulated people.

    Parameters
    ----------
    detail
        ``limits`` leaves out norketamine and ``exposure``, which no limit of a search looks at.

    Raises
    ------
    SpecError
        No such model, or one without both enantiomers; or the doses are not allowed.
    """
    crowd = _crowd(request.model, request.weight_kg, request.n_people, request.seed)
    events = infusions_per_weight(
        [one.dose_mg_per_kg for one in request.infusions],
        start_h=[one.start_h for one in request.infusions],
        duration_h=[(one.duration_min or 0.0) / 60.0 for one in request.infusions],
        weight_kg=crowd.individuals.weight_kg,
    )
    return _simulate(crowd, events, is_whole=detail == "all")


def _simulate(crowd: _Crowd, events: InfusionEvents, *, is_whole: bool) -> SimulatedSession:
    model, effects = crowd.pharmacology.pk, crowd.pharmacology.effects
    # The ends of infusions are on the grid: there the concentrations peak.
    t_h = np.union1d(np.arange(0.0, float(events.end_h.max()) + _AFTER_H, _STEP_H), [*events.start_h, *events.end_h])
    found = simulate_concentrations(
        crowd.individuals, events, t_h=t_h, analytes=(Analyte.KET, Analyte.S_KET), sites=model.sites
    )
    values = {
        Quantity(analyte.value, site.value, "ng/mL"): found.select(analyte, site=site)
        for analyte, site in _SERIES
        if site in model.sites
    }
    if is_whole and Analyte.S_NK in model.analytes:
        metabolite = simulate_concentrations(
            crowd.individuals, events, t_h=t_h, analytes=(Analyte.S_NK,), sites=(SamplingSite.ARTERIAL,)
        )
        norketamine = metabolite.select(Analyte.S_NK, site=SamplingSite.ARTERIAL)
        values[Quantity(Analyte.S_NK.value, SamplingSite.ARTERIAL.value, "ng/mL")] = norketamine
    ket, s_ket = (found.select(one, site=SamplingSite.EFFECT) for one in (Analyte.KET, Analyte.S_KET))
    response = crowd.response
    curves = (
        simulate_vas(s_ket, effects=effects, z=response.z_dissociation),
        simulate_cadss(
            s_ket, z=response.z_dissociation, reference_peak_ng_per_ml=crowd.reference_peak_ng_per_ml, effects=effects
        ),
        simulate_pressure_rise(ket, z=response.z_sbp, which="sbp", effects=effects),
        simulate_pressure_rise(ket, z=response.z_dbp, which="dbp", effects=effects),
        100.0 * simulate_heart_rate_rise(s_ket, z=response.z_heart_rate),
    )
    values |= dict(zip(EFFECTS, curves, strict=True))
    return SimulatedSession(
        t_h=t_h,
        values=values,
        exposure=_exposure(crowd, events) if is_whole else np.zeros(events.n_subject),
        heart_rate_ends=heart_rate_range(s_ket),
        flags=events.flags,
        is_extrapolated=crowd.is_extrapolated,
    )


@cache
def _pharmacology(model: str) -> Pharmacology:
    try:
        return load_pharmacology(model)
    except LibraryError as error:
        raise SpecError(where="model", got=error.got, allowed=error.allowed, remedy=error.remedy) from None


@cache
def _reference_peak(model: str) -> float:
    return reference_peak_s_ket(_pharmacology(model))


def _crowd(model: str, weight_kg: float, n_people: int, seed: int) -> _Crowd:
    pharmacology = _pharmacology(model)
    people = People.of_replicates(seed=seed, first=0, count=1, n_subjects=n_people)
    individuals = individual_parameters(
        pharmacology.pk, weight_kg=np.full(n_people, weight_kg), z_iiv=sample_iiv(people, n_iiv=pharmacology.n_iiv)
    )
    return _Crowd(
        pharmacology=pharmacology,
        individuals=individuals,
        response=sample_acute_response(people),
        reference_peak_ng_per_ml=_reference_peak(model),
        is_extrapolated=bool(individuals.is_extrapolated.any()),
    )


def _exposure(crowd: _Crowd, events: InfusionEvents) -> Float[np.ndarray, " subject"]:
    settings = crowd.pharmacology.exposure
    t_h, weight_h = _nodes([*events.start_h, *events.end_h], horizon_h=settings.value("horizon_h"))
    found: Concentrations = simulate_concentrations(
        crowd.individuals, events, t_h=t_h, analytes=(Analyte.KET,), sites=(SamplingSite.EFFECT,)
    )
    effect = saturation(found.conc_ng_per_ml[:, 0, :], c50_ng_per_ml=settings.value("c50_exposure_ng_per_ml"))
    return effect @ weight_h / settings.value("exposure_reference_h")


def _nodes(
    breaks_h: Sequence[float], *, horizon_h: float
) -> tuple[Float[np.ndarray, " node"], Float[np.ndarray, " node"]]:
    """Times and weights of an integral from 0 to the horizon; the curve has a corner at each break."""
    edges = sorted({0.0, horizon_h, *(one for one in breaks_h if one < horizon_h)})
    times, weights = [], []
    for begin, end in pairwise(edges):
        panels = doubling_panels(end - begin, longest_first=_FIRST_PANEL_H, n_nodes=_N_NODES)
        for panel in range(panels.n_panels):
            times.append(begin + panels.panel_nodes(panel))
            weights.append(np.array(panels.weights) * panels.panel_length(panel))
    return np.concatenate(times), np.concatenate(weights)
