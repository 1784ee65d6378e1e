"""One session in simulated people, person by person; the rest of the planner only counts what is here.

Every simulated person has the weight that was asked for and differs in kinetics, in how much they react, and, for an
infusion, in the link from artery to vein: the venous band holds the doubt about that link. Draws are addressed by seed
and number, so that two regimens meet the same people.

Exposure, as the days of the model receive it::

    e = (1 / E_ref) integral_0^24h C / (C + C50_e) dt      C = S + R ketamine at the effect site

by Gauss-Legendre panels that double from each start or end of an infusion.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Float

from remission.dosing import EvidenceFlag, infusions_per_weight
from remission.errors import LibraryError, SpecError
from remission.library.loader import load_parameter_set
from remission.numerics.quadrature import doubling_panels
from remission.patient.pharmacology import Pharmacology, load_pharmacology
from remission.patient.sampling import AcuteResponse, sample_acute_response, sample_iiv, sample_venous_links
from remission.patient.session import reference_peak_s_ket
from remission.pk import (
    Concentrations,
    InteractionEffect,
    PkIndividuals,
    VenousLinks,
    individual_parameters,
    interaction_effect,
    simulate_concentrations,
    simulate_doses,
    simulate_venous_concentrations,
)
from remission.planner.request import PlannedInfusion, PlanRequest, Route, list_absorbed
from remission.receptor import (
    heart_rate_range,
    saturation,
    simulate_cadss,
    simulate_heart_rate_rise,
    simulate_pressure_rise,
    simulate_vas,
)
from remission.records.analyte import Analyte, SamplingSite
from remission.records.dose import Absorption, Dose
from remission.records.infusions import InfusionEvents
from remission.streams import People

__all__ = [
    "EFFECTS",
    "Quantity",
    "SimulatedSession",
    "StudiedRange",
    "concentrations_at",
    "offered_series",
    "simulate_session",
]

_AFTER_H = 4.0
_AFTER_ABSORBED_H = 6.0
# Fine enough for the effect site after a bolus, whose peak comes minutes after its end.
_STEP_H = 1.0 / 32.0
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

# Where each effect was studied: the parameter, and whose concentration at the effect site it is.
_STUDIED = (
    (("vas",), "studied_vas_s_ket_ng_per_ml", Analyte.S_KET),
    (("cadss",), "studied_cadss_s_ket_ng_per_ml", Analyte.S_KET),
    (("sbp_rise", "dbp_rise"), "studied_pressure_ng_per_ml", Analyte.KET),
    (("heart_rate_rise",), "anaesthesia_s_ket_ng_per_ml", Analyte.S_KET),
)

_SERIES = (
    (Analyte.KET, SamplingSite.ARTERIAL),
    (Analyte.KET, SamplingSite.VENOUS),
    (Analyte.KET, SamplingSite.EFFECT),
    (Analyte.S_KET, SamplingSite.EFFECT),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class StudiedRange:
    """Up to where effects were studied, and how many people of a session pass it.

    most_ng_per_ml
        Highest concentration at the effect site. [ng/mL]
    share_beyond
        Share of the simulated people whose peak lies above it. [0 to 1]
    """

    effects: tuple[str, ...]
    analyte: str
    most_ng_per_ml: float
    share_beyond: float

    @property
    def is_withheld(self) -> bool:
        """Whether no number is shown: half of the people or more lie beyond what was studied."""
        return self.share_beyond >= 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedSession:
    """What :func:`simulate_session` made: one row a person, one column a time.

    values
        Curves by quantity; an effect beyond its studied range has none.
    studied
        Studied range of each effect, and who passes it; empty where effects are not simulated.
    exposure
        e of each person; 1 for the typical adult in the reference session; None where effects are not simulated.
    heart_rate_ends
        Mean rise of heart rate under the two ends of its assumed shape, as a share. [dimensionless]
    flags
        What of the doses lies outside the evidence.
    is_extrapolated
        Whether the weight lies outside those the kinetic model was fitted to.
    """

    t_h: Float[np.ndarray, " time"]
    values: dict[Quantity, _BY_SUBJECT]
    studied: tuple[StudiedRange, ...]
    exposure: Float[np.ndarray, " subject"] | None
    heart_rate_ends: tuple[_BY_SUBJECT, _BY_SUBJECT] | None
    flags: tuple[EvidenceFlag, ...]
    is_extrapolated: bool

    @property
    def n_people(self) -> int:
        """Simulated people."""
        return int(next(iter(self.values.values())).shape[0])

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
    z_iiv: Float[np.ndarray, "subject iiv"]
    interactions: InteractionEffect | None
    flags: tuple[EvidenceFlag, ...]
    response: AcuteResponse
    venous: VenousLinks
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
    crowd = _crowd(request)
    if request.route != "iv":
        return _absorbed(crowd, request)
    events = _events(crowd, request)
    return _simulate(crowd, events, is_whole=detail == "all")


def offered_series(request: PlanRequest) -> tuple[tuple[Analyte, SamplingSite], ...]:
    """Analytes and sites in blood that can be held beside a measured level, under the model and route of a request."""
    model = _crowd(request.replace(n_people=20)).pharmacology.pk
    parents = (Analyte.KET, Analyte.S_KET, Analyte.R_KET)
    sites = [one for one in model.sites if one is not SamplingSite.EFFECT]
    if model.plasma_site is SamplingSite.ARTERIAL and SamplingSite.VENOUS not in sites:
        sites.append(SamplingSite.VENOUS)
    found = [(analyte, site) for analyte in parents for site in sites]
    if request.route == "iv" and Analyte.S_NK in model.analytes:
        found.append((Analyte.S_NK, SamplingSite.ARTERIAL))
    return tuple(found)


def concentrations_at(
    request: PlanRequest, t_h: Float[np.ndarray, " time"], *, series: Sequence[tuple[Analyte, SamplingSite]]
) -> dict[tuple[Analyte, SamplingSite], _BY_SUBJECT]:
    """Concentrations of the simulated people of a request at times of one's own.

    Parameters
    ----------
    t_h
        Times of the session clock, >= 0, not falling. [h]
    series
        Of :func:`offered_series`.

    Raises
    ------
    SpecError
        As :func:`simulate_session`, or the model has no such series.
    """
    crowd = _crowd(request)
    model = crowd.pharmacology.pk
    found = {}
    for analyte, site in series:
        if request.route != "iv":
            result = _doses_at(crowd, request, t_h, (analyte,), (site,))
        elif site is SamplingSite.VENOUS and model.plasma_site is SamplingSite.ARTERIAL:
            result = simulate_venous_concentrations(
                crowd.individuals, _events(crowd, request), t_h=t_h, venous=crowd.venous, analytes=(analyte,)
            )
        else:
            result = simulate_concentrations(
                crowd.individuals, _events(crowd, request), t_h=t_h, analytes=(analyte,), sites=(site,)
            )
        found[analyte, site] = result.select(analyte, site=site)
    return found


def _events(crowd: _Crowd, request: PlanRequest) -> InfusionEvents:
    try:
        return infusions_per_weight(
            [one.dose_mg_per_kg for one in request.infusions],
            start_h=[one.start_h for one in request.infusions],
            duration_h=[(one.duration_min or 0.0) / 60.0 for one in request.infusions],
            weight_kg=crowd.individuals.weight_kg,
        )
    except SpecError as error:
        # Too much within some hours, by all doses together.
        raise SpecError.from_faults(
            [SpecError(where="dose", got=one.got, allowed=one.allowed, remedy=one.remedy) for one in error.faults]
        ) from None


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
    if model.plasma_site is SamplingSite.ARTERIAL:
        vein = simulate_venous_concentrations(crowd.individuals, events, t_h=t_h, venous=crowd.venous)
        values[Quantity("ket", "venous", "ng/mL")] = vein.select(Analyte.KET, site=SamplingSite.VENOUS)
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
    studied = _studied({Analyte.KET: ket, Analyte.S_KET: s_ket})
    withheld = {name for one in studied if one.is_withheld for name in one.effects}
    values |= {one: curve for one, curve in zip(EFFECTS, curves, strict=True) if one.name not in withheld}
    return SimulatedSession(
        t_h=t_h,
        values=values,
        studied=studied,
        exposure=_exposure(crowd, events) if is_whole else None,
        heart_rate_ends=None if "heart_rate_rise" in withheld else heart_rate_range(s_ket),
        flags=(*events.flags, *crowd.flags),
        is_extrapolated=crowd.is_extrapolated,
    )


def _studied(site: dict[Analyte, _BY_SUBJECT]) -> tuple[StudiedRange, ...]:
    response = load_parameter_set("acute-response")
    found = []
    for effects, name, analyte in _STUDIED:
        most = response.value(name)
        beyond = site[analyte].max(axis=1) > most
        found.append(
            StudiedRange(
                effects=effects, analyte=analyte.value, most_ng_per_ml=most, share_beyond=float(np.mean(beyond))
            )
        )
    return tuple(found)


def _absorbed(crowd: _Crowd, request: PlanRequest) -> SimulatedSession:
    """Concentrations after doses that are not infused; no effect was measured after them in the models here."""
    model = crowd.pharmacology.pk
    last_h = max(one.start_h for one in request.infusions)
    t_h = np.arange(0.0, last_h + _AFTER_ABSORBED_H + _STEP_H, _STEP_H)
    found = _doses_at(crowd, request, t_h, (Analyte.KET, Analyte.S_KET), model.sites)
    return SimulatedSession(
        t_h=t_h,
        values={
            Quantity(analyte.value, site.value, "ng/mL"): found.select(analyte, site=site)
            for analyte, site in _SERIES
            if site in model.sites
        },
        studied=(),
        exposure=None,
        heart_rate_ends=None,
        flags=tuple(one for one in found.flags if one.where != "weight_kg"),
        is_extrapolated=crowd.is_extrapolated,
    )


def _doses_at(
    crowd: _Crowd,
    request: PlanRequest,
    t_h: Float[np.ndarray, " time"],
    analytes: Sequence[Analyte],
    sites: Sequence[SamplingSite],
) -> Concentrations:
    try:
        return simulate_doses(
            crowd.pharmacology.pk,
            [_dose(request, one) for one in request.infusions],
            weight_kg=crowd.individuals.weight_kg,
            z_iiv=crowd.z_iiv,
            t_h=t_h,
            analytes=analytes,
            sites=sites,
            interactions=crowd.interactions,
        )
    except SpecError as error:
        raise SpecError.from_faults([_named(one) for one in error.faults]) from None


def _dose(request: PlanRequest, one: PlannedInfusion) -> Dose:
    """A dose with the user's assumption, or with the sourced time of its peak; the core refuses where neither is."""
    ka, f, product = request.assumed_ka_per_h, request.assumed_f, request.product
    absorption = None
    if ka is not None:
        absorption = Absorption(ka_per_h=ka, f=f, reason="None is sourced; assumed by whoever asked for this plan.")
    elif _has_peak(request.route, product):
        absorption = Absorption(basis="tmax", f=f, reason="First order, with the time of the peak that is sourced.")
    return Dose.create(
        route=request.route,
        dose_mg_per_kg=one.dose_mg_per_kg,
        start_h=one.start_h,
        product=product,
        absorption=absorption,
    )


def _has_peak(route: Route, product: str | None) -> bool:
    known = [one for one in list_absorbed() if one.route.value == route]
    return any(one.tmax is not None for one in known if one.id == product or (product is None and one.is_preferred))


_ABSORPTION = {
    "f": (
        "assume_f",
        "Give the share that is assumed to arrive as a number from 0 to 1; it is named beside the curves.",
    ),
    "absorption": ("assume_ka", "Give the rate that is assumed, with /h; it is named beside the curves."),
    "basis": ("assume_ka", "Give the rate that is assumed, with /h; it is named beside the curves."),
}


def _named(fault: SpecError) -> SpecError:
    """A fault of a dose in the planner's words, with the route's own reason."""
    place = fault.where.rpartition(".")[2]
    where, remedy = _ABSORPTION.get(place, (place, fault.remedy))
    return SpecError(where=where, got=fault.got, allowed=fault.allowed, remedy=remedy)


@cache
def _pharmacology(model: str) -> Pharmacology:
    try:
        return load_pharmacology(model)
    except LibraryError as error:
        raise SpecError(where="model", got=error.got, allowed=error.allowed, remedy=error.remedy) from None


@cache
def _reference_peak(model: str) -> float:
    return reference_peak_s_ket(_pharmacology(model))


def _crowd(request: PlanRequest) -> _Crowd:
    pharmacology = _pharmacology(request.model)
    n_people = request.n_people
    people = People.of_replicates(seed=request.seed, first=0, count=1, n_subjects=n_people)
    z_iiv = sample_iiv(people, n_iiv=pharmacology.n_iiv)
    individuals = individual_parameters(pharmacology.pk, weight_kg=np.full(n_people, request.weight_kg), z_iiv=z_iiv)
    moving = [one.id for one in request.taken if one.kind == "kinetic" and not one.is_refused]
    interactions = interaction_effect(pharmacology.pk, moving) if moving else None
    if interactions is not None:
        individuals = replace(individuals, cl_l_per_h=individuals.cl_l_per_h * interactions.cl_factor)
    return _Crowd(
        pharmacology=pharmacology,
        individuals=individuals,
        z_iiv=z_iiv,
        interactions=interactions,
        flags=() if interactions is None else interactions.flags,
        response=sample_acute_response(people),
        venous=sample_venous_links(people, links=pharmacology.pk.links),
        reference_peak_ng_per_ml=_reference_peak(request.model),
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
