"""One session in simulated people, person by person; the rest of the planner only counts what is here.

Every simulated person has the weight that was asked for and differs in kinetics, in how much they react, and, for an
infusion, in the link from artery to vein: the venous band holds the doubt about that link. Draws are addressed by seed
and number, so that two regimens meet the same people.

Exposure, as the days of the model receive it::

    e = (1 / E_ref) integral_0^24h C / (C + C50_e) dt      C = S + R ketamine at the effect site

by Gauss-Legendre panels that double from each start or end of an infusion.

Beside the people stand the typical curves of the published models, and the band of one measured value. With the model
``average`` a person's concentration in blood is ``C_i(t) * mean_m C_m(t) / C_default(t)``: people differ as in the
default around the average of the models. Effects are read on the default's concentrations, so an average has none.

Esketamine has models of its own: no effect is shown for it, because all of them were read after the racemate.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from typing import Literal

import numpy as np
from jaxtyping import Float

from remission.dosing import EvidenceFlag, infusions_per_weight
from remission.errors import LibraryError, SpecError, did_you_mean
from remission.library.loader import load_parameter_set
from remission.library.products import Product, list_products
from remission.numerics.quadrature import doubling_panels
from remission.patient.pharmacology import Pharmacology, load_pharmacology
from remission.patient.sampling import (
    AcuteResponse,
    sample_acute_response,
    sample_band_draws,
    sample_iiv,
    sample_venous_links,
)
from remission.patient.session import reference_peak_s_ket
from remission.pk import (
    DEFAULT_PK_MODEL,
    AveragedCurve,
    Concentrations,
    InteractionEffect,
    ModelSpread,
    PkIndividuals,
    PkModel,
    VenousLinks,
    average_models,
    individual_parameters,
    interaction_effect,
    list_pk_models,
    load_pk_model,
    measured_band,
    model_spread,
    simulate_concentrations,
    simulate_doses,
    simulate_venous_concentrations,
)
from remission.planner.request import AVERAGE, PlannedInfusion, PlanRequest
from remission.receptor import (
    heart_rate_range,
    saturation,
    simulate_cadss,
    simulate_heart_rate_rise,
    simulate_pressure_rise,
    simulate_vas,
)
from remission.records.analyte import Analyte, SamplingSite
from remission.records.dose import Absorption, Dose, DrugForm
from remission.records.dose import Route as DoseRoute
from remission.records.infusions import InfusionEvents
from remission.streams import People

__all__ = [
    "EFFECTS",
    "MeasuredCurve",
    "ModelsAtSite",
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
class MeasuredCurve:
    """The band of one measured value at a site in blood, wider than that of the people.

    quantiles_ng_per_ml
        5, 25, 50, 75 and 95% of measured values. [ng/mL]
    peak_low_ng_per_ml, peak_median_ng_per_ml, peak_high_ng_per_ml
        5, 50 and 95% of measured peaks. [ng/mL]
    """

    quantity: Quantity
    quantiles_ng_per_ml: Float[np.ndarray, "quantile time"]
    peak_low_ng_per_ml: float
    peak_median_ng_per_ml: float
    peak_high_ng_per_ml: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelsAtSite:
    """Published models beside each other at one site, for a typical person, and their average."""

    quantity: Quantity
    spread: ModelSpread
    average: AveragedCurve


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
    models
        Published models at each site of blood, where more than one has this dose and site.
    measured
        The band of one measured value at each site of blood.
    careful_peak_ng_per_ml
        Peak in blood that one in twenty pass under the highest model, where the curves are those of an average: what
        looks out for anesthesia is not softened by it. None otherwise. [ng/mL]
    """

    t_h: Float[np.ndarray, " time"]
    values: dict[Quantity, _BY_SUBJECT]
    studied: tuple[StudiedRange, ...]
    exposure: Float[np.ndarray, " subject"] | None
    heart_rate_ends: tuple[_BY_SUBJECT, _BY_SUBJECT] | None
    flags: tuple[EvidenceFlag, ...]
    is_extrapolated: bool
    models: tuple[ModelsAtSite, ...] = ()
    measured: tuple[MeasuredCurve, ...] = ()
    careful_peak_ng_per_ml: float | None = None

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
class _Takers:
    """The simulated people of one weight under one kinetic model."""

    people: People
    model: PkModel
    weight_kg: Float[np.ndarray, " subject"]
    z_iiv: Float[np.ndarray, "subject iiv"]
    interactions: InteractionEffect | None

    @property
    def flags(self) -> tuple[EvidenceFlag, ...]:
        return () if self.interactions is None else self.interactions.flags


@dataclass(frozen=True, slots=True, kw_only=True)
class _Crowd:
    """Takers with their pharmacology: how they react, and their links to vein and effect site."""

    takers: _Takers
    pharmacology: Pharmacology
    individuals: PkIndividuals
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
    takers = _takers(request)
    if request.has_concentrations_only:
        found = _absorbed(takers, request)
    else:
        crowd = _crowd(request, takers)
        found = _simulate(crowd, _events(crowd, request), is_whole=detail == "all")
    if detail != "all":
        return found
    models = _models(request, found)
    found = replace(found, models=models, measured=_measured(takers, request, found))
    return _averaged(request, found) if request.model == AVERAGE else found


def offered_series(request: PlanRequest) -> tuple[tuple[Analyte, SamplingSite], ...]:
    """Analytes and sites in blood that can be held beside a measured level, under the model and route of a request."""
    model = _model(request)
    parents: tuple[Analyte, ...] = (Analyte.KET, Analyte.S_KET, Analyte.R_KET)
    if request.is_esketamine:
        parents = (Analyte.S_KET,)
    if request.model == AVERAGE:
        parents = (Analyte.KET,)
    sites = [one for one in model.sites if one is not SamplingSite.EFFECT]
    if model.plasma_site is SamplingSite.ARTERIAL and SamplingSite.VENOUS not in sites:
        sites.append(SamplingSite.VENOUS)
    found: list[tuple[Analyte, SamplingSite]] = [(analyte, site) for analyte in parents for site in sites]
    if request.model != AVERAGE and request.route == "iv" and Analyte.S_NK in model.analytes:
        found.append((Analyte.S_NK, model.plasma_site))
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
    takers = _takers(request)
    if request.has_concentrations_only:
        return {
            (analyte, site): _doses_at(takers, request, t_h, (analyte,), (site,)).select(analyte, site=site)
            * _ratio(request, site, t_h)
            for analyte, site in series
        }
    crowd = _crowd(request, takers)
    events = _events(crowd, request)
    found = {}
    for analyte, site in series:
        if site is SamplingSite.VENOUS and takers.model.plasma_site is SamplingSite.ARTERIAL:
            result = simulate_venous_concentrations(
                crowd.individuals, events, t_h=t_h, venous=crowd.venous, analytes=(analyte,)
            )
        else:
            result = simulate_concentrations(crowd.individuals, events, t_h=t_h, analytes=(analyte,), sites=(site,))
        found[analyte, site] = result.select(analyte, site=site) * _ratio(request, site, t_h)
    return found


def _events(crowd: _Crowd, request: PlanRequest) -> InfusionEvents:
    try:
        return infusions_per_weight(
            [one.dose_mg_per_kg for one in request.infusions],
            start_h=[one.start_h for one in request.infusions],
            duration_h=[one.duration_h for one in request.infusions],
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
        flags=(*events.flags, *crowd.takers.flags, *_cautions(model)),
        is_extrapolated=crowd.is_extrapolated,
    )


def _cautions(model: PkModel) -> tuple[EvidenceFlag, ...]:
    """What a model says of itself, whoever takes it and however."""
    words, found = model.parameter_set.attributes, _no_spread(model)
    if "caution" not in words:
        return found
    return (
        *found,
        EvidenceFlag(
            where=f"model {model.id}", got=words["population"], evidence="the people and uses it was fitted to",
            consequence=f"{words['caution']}.",
        ),
    )  # fmt: skip


def _no_spread(model: PkModel) -> tuple[EvidenceFlag, ...]:
    if model.n_iiv:
        return ()
    return (
        EvidenceFlag(
            where=f"model {model.id}", got="no differences between people in its kinetics",
            evidence="a model that states variances",
            consequence="Everybody has the typical kinetics here: the ranges are too narrow, and shares too sure.",
        ),
    )  # fmt: skip


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


def _absorbed(takers: _Takers, request: PlanRequest) -> SimulatedSession:
    """Concentrations alone: after doses that are not infused, and after esketamine."""
    model = takers.model
    last_h = max(one.end_h for one in request.infusions)
    ends = [edge for one in request.infusions for edge in (one.start_h, one.end_h)]
    t_h = np.union1d(np.arange(0.0, last_h + _AFTER_ABSORBED_H + _STEP_H, _STEP_H), ends)
    parents: tuple[Analyte, ...] = (Analyte.S_KET,) if request.is_esketamine else (Analyte.KET, Analyte.S_KET)
    asked = parents
    if (
        request.route == "iv"
        and Analyte.S_NK in model.analytes
        and "caution_s_nk" not in model.parameter_set.attributes
    ):
        asked = (*parents, Analyte.S_NK)
    sites = [one for one in model.sites if one is not SamplingSite.EFFECT]
    found = _doses_at(takers, request, t_h, parents, model.sites)
    values = {
        Quantity(analyte.value, site.value, "ng/mL"): found.select(analyte, site=site)
        for analyte, site in (*((Analyte.S_KET, one) for one in sites if request.is_esketamine), *_SERIES)
        if site in model.sites and analyte in parents
    }
    flags = found.flags
    if len(asked) > len(parents):
        own = model.plasma_site
        more = _doses_at(takers, request, t_h, (Analyte.S_NK,), (own,))
        values[Quantity(Analyte.S_NK.value, own.value, "ng/mL")] = more.select(Analyte.S_NK, site=own)
        flags = (*flags, *(one for one in more.flags if one not in flags))
    individuals_flag = any(one.where == "weight_kg" for one in flags)
    return SimulatedSession(
        t_h=t_h,
        values=values,
        studied=(),
        exposure=None,
        heart_rate_ends=None,
        flags=(*(one for one in flags if one.where != "weight_kg"), *_no_spread(model)),
        is_extrapolated=individuals_flag,
    )


def _doses_at(
    takers: _Takers,
    request: PlanRequest,
    t_h: Float[np.ndarray, " time"],
    analytes: Sequence[Analyte],
    sites: Sequence[SamplingSite],
) -> Concentrations:
    model = takers.model
    try:
        return simulate_doses(
            model,
            _doses(request),
            weight_kg=takers.weight_kg,
            z_iiv=takers.z_iiv,
            t_h=t_h,
            analytes=analytes,
            sites=sites,
            interactions=takers.interactions,
            z_absorption=sample_band_draws(takers.people, model=model).z_absorption if request.route != "iv" else None,
            venous=sample_venous_links(takers.people, links=model.links) if _has_link(model, sites) else None,
        )
    except SpecError as error:
        raise SpecError.from_faults([_named(one) for one in error.faults]) from None


def _has_link(model: PkModel, sites: Sequence[SamplingSite]) -> bool:
    return model.plasma_site is SamplingSite.ARTERIAL and SamplingSite.VENOUS in sites


def _blood(request: PlanRequest, found: SimulatedSession) -> list[Quantity]:
    """The parent drug in blood, by site."""
    parent = "s_ket" if request.is_esketamine else "ket"
    return [one for one in found.values if one.name == parent and one.site in {"arterial", "venous"}]


def _spread_at(request: PlanRequest, site: SamplingSite, t_h: Float[np.ndarray, " time"]) -> ModelSpread | None:
    """Published models at a site; None where fewer than two have this dose there."""
    try:
        found = model_spread(
            _doses(request),
            weight_kg=request.weight_kg,
            t_h=t_h,
            site=site,
            analyte=Analyte.S_KET if request.is_esketamine else Analyte.KET,
        )
    except SpecError:
        # The people of the plan were simulated, so the doses are right: no two models have them.
        return None
    return found if len(found.models) > 1 else None


def _models(request: PlanRequest, found: SimulatedSession) -> tuple[ModelsAtSite, ...]:
    rows = []
    for quantity in _blood(request, found):
        spread = _spread_at(request, SamplingSite.parse(quantity.site), found.t_h)
        if spread is not None:
            rows.append(ModelsAtSite(quantity=quantity, spread=spread, average=_average(request, spread)))
    return tuple(rows)


def _average(request: PlanRequest, spread: ModelSpread) -> AveragedCurve:
    """The average with the weights of a request, of those models that are at this site."""
    if not request.weights:
        return average_models(spread)
    here = {name: weight for name, weight in request.weights if name in spread.models}
    if not any(here.values()):
        raise SpecError(
            where="weights", got=", ".join(name for name, _ in request.weights),
            allowed=f"a weight above 0 for a model of {spread.site} blood as well: {', '.join(spread.models)}",
        )  # fmt: skip
    return average_models(spread, weights=here)


def _measured(takers: _Takers, request: PlanRequest, found: SimulatedSession) -> tuple[MeasuredCurve, ...]:
    bands = []
    draws = sample_band_draws(takers.people, model=takers.model)
    for quantity in _blood(request, found):
        band = measured_band(
            takers.model,
            _doses(request),
            weight_kg=request.weight_kg,
            t_h=found.t_h,
            draws=draws,
            site=quantity.site,
            analyte=quantity.name,
            interactions=takers.interactions,
        )
        low, median, high = (float(one) for one in np.quantile(band.peak_ng_per_ml, (0.05, 0.5, 0.95)))
        bands.append(
            MeasuredCurve(
                quantity=quantity,
                quantiles_ng_per_ml=band.quantiles_ng_per_ml,
                peak_low_ng_per_ml=low,
                peak_median_ng_per_ml=median,
                peak_high_ng_per_ml=high,
            )
        )
    return tuple(bands)


def _ratio(request: PlanRequest, site: SamplingSite, t_h: Float[np.ndarray, " time"]) -> Float[np.ndarray, " time"]:
    """The average of the models over the default at a site; 1 where no average was asked for. [dimensionless]"""
    if request.model != AVERAGE:
        return np.ones_like(t_h)
    spread = _spread_at(request, site, t_h)
    default = load_pk_model().id
    if spread is None or default not in spread.models:
        raise SpecError(
            where="model",
            got=AVERAGE,
            allowed=f"one model, such as {DEFAULT_PK_MODEL}: no two published models have this dose at the {site} site",
        )
    own = spread.conc_ng_per_ml[spread.models.index(default)]
    # Before anything has arrived there is nothing to average.
    mean = _average(request, spread).conc_ng_per_ml
    return np.where(own > 0.0, mean / np.where(own > 0.0, own, 1.0), 1.0)


def _averaged(request: PlanRequest, found: SimulatedSession) -> SimulatedSession:
    """The session around the average of the models: blood alone."""
    careful = max(float(np.quantile(found.values[one].max(axis=1), 0.95)) for one in _blood(request, found))
    ratios = {one: _ratio(request, SamplingSite.parse(one.site), found.t_h) for one in _blood(request, found)}
    return replace(
        found,
        values={one: found.values[one] * ratio for one, ratio in ratios.items()},
        studied=(),
        exposure=None,
        heart_rate_ends=None,
        measured=(),
        careful_peak_ng_per_ml=careful,
    )


def _doses(request: PlanRequest) -> list[Dose]:
    return [_dose(request, one) for one in request.infusions]


def _dose(request: PlanRequest, one: PlannedInfusion) -> Dose:
    """A dose with the user's assumption, else with what the library knows; the core refuses where neither is.

    Before the distribution that the library states for a rate comes the time of a peak that was measured.
    """
    form = DrugForm.ESKETAMINE if request.is_esketamine else DrugForm.RACEMATE
    if request.route == "iv":
        return Dose.create(
            route=DoseRoute.IV_INFUSION,
            dose_mg_per_kg=one.dose_mg_per_kg,
            duration_min=one.duration_min,
            start_h=one.start_h,
            form=form,
        )
    ka, f = request.assumed_ka_per_h, request.assumed_f
    known = _products(request)
    absorption = None
    if ka is not None:
        absorption = Absorption(ka_per_h=ka, f=f, reason="None is sourced; assumed by whoever asked for this plan.")
    elif any(each.tmax is not None for each in known):
        absorption = Absorption(basis="tmax", f=f, reason="First order, with the time of the peak that is sourced.")
    elif any(each.ka is not None for each in known):
        absorption = Absorption(
            basis="library",
            f=f,
            reason="Nothing better is known; a distribution is less wrong than one guess, and it is no measurement.",
        )
    return Dose.create(
        route=request.route,
        dose_mg_per_kg=one.dose_mg_per_kg,
        start_h=one.start_h,
        product=request.product,
        absorption=absorption,
        form=form,
    )


def _products(request: PlanRequest) -> list[Product]:
    """The product of a request, by name or as the one that its route prefers."""
    form = DrugForm.ESKETAMINE if request.is_esketamine else DrugForm.RACEMATE
    known = [one for one in list_products() if one.form is form and one.route.value == request.route]
    if request.product is not None:
        return [one for one in known if one.id == request.product]
    preferred = [one for one in known if one.is_preferred]
    return preferred or (known if len(known) == 1 else [])


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


def _model(request: PlanRequest) -> PkModel:
    """The kinetic model of a request; for an average, the default that its people differ by."""
    name = DEFAULT_PK_MODEL if request.model == AVERAGE else request.model
    if not request.is_esketamine:
        return _pharmacology(name).pk
    known = list_pk_models()
    # A name may come from a page: a path that came from there would be read.
    if name not in known:
        raise SpecError(where="model", got=name, allowed=f"one of {', '.join(known)}", remedy=did_you_mean(name, known))
    model = load_pk_model(name)
    if Analyte.S_KET not in model.species:
        raise SpecError(
            where="model",
            got=name,
            allowed="a model of S-ketamine: "
            + ", ".join(one for one in known if Analyte.S_KET in load_pk_model(one).species),
            remedy="One that knows the racemate only says nothing of esketamine.",
        )
    return model


def _takers(request: PlanRequest) -> _Takers:
    model, n_people = _model(request), request.n_people
    people = People.of_replicates(seed=request.seed, first=0, count=1, n_subjects=n_people)
    moving = [one.id for one in request.taken if one.kind == "kinetic" and not one.is_refused]
    return _Takers(
        people=people,
        model=model,
        weight_kg=np.full(n_people, request.weight_kg),
        z_iiv=sample_iiv(people, n_iiv=model.n_iiv),
        interactions=interaction_effect(model, moving) if moving else None,
    )


def _crowd(request: PlanRequest, takers: _Takers) -> _Crowd:
    name = DEFAULT_PK_MODEL if request.model == AVERAGE else request.model
    people, interactions = takers.people, takers.interactions
    individuals = individual_parameters(takers.model, weight_kg=takers.weight_kg, z_iiv=takers.z_iiv)
    if interactions is not None:
        individuals = replace(individuals, cl_l_per_h=individuals.cl_l_per_h * interactions.cl_factor)
    return _Crowd(
        takers=takers,
        pharmacology=_pharmacology(name),
        individuals=individuals,
        response=sample_acute_response(people),
        venous=sample_venous_links(people, links=takers.model.links),
        reference_peak_ng_per_ml=_reference_peak(name),
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
