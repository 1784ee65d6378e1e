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
from dataclasses import replace
from typing import Literal

import numpy as np

from remission.dosing import infusions_per_weight
from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.numerics.distinct import distinct
from remission.patient.sampling import sample_band_draws, sample_venous_links
from remission.pk import (
    Concentrations,
    PkModel,
    simulate_concentrations,
    simulate_doses,
    simulate_venous_concentrations,
)
from remission.planner.between import average_ratio, averaged, measured_beside, models_beside
from remission.planner.crowd import Crowd, Takers, cautions_of, crowd_of, model_of, no_spread, takers_of
from remission.planner.doses import doses_of, named_fault
from remission.planner.request import AVERAGE, PlanRequest
from remission.planner.simulated import EFFECTS, Quantity, SimulatedSession, StudiedRange
from remission.receptor import heart_rate_range
from remission.records.analyte import Analyte, SamplingSite
from remission.records.infusions import InfusionEvents
from remission.session.acute import simulate_acute_effects
from remission.session.blood import simulate_blood
from remission.session.exposure import simulate_exposure
from remission.shapes import Float

_AFTER_H = 4.0
_AFTER_ABSORBED_H = 6.0
# Fine enough for the effect site after a bolus, whose peak comes minutes after its end.
_STEP_H = 1.0 / 32.0
_BySubject = Float[np.ndarray, "subject time"]

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


def simulate_session(request: PlanRequest, *, detail: Literal["all", "limits"] = "all") -> SimulatedSession:
    """The session of a request in its simulated people.

    ``detail``: ``limits`` leaves out norketamine and ``exposure``, which no limit of a search looks at. Raises
    SpecError: no such model, or one without both enantiomers; or the doses are not allowed.
    """
    takers = takers_of(request)
    if request.has_concentrations_only:
        found = _absorbed(takers, request)
    else:
        crowd = crowd_of(request, takers)
        found = _simulate(crowd, _events(crowd, request), is_whole=detail == "all")
    if detail != "all":
        return found
    models = models_beside(request, found)
    found = replace(found, models=models, measured=measured_beside(takers, request, found))
    return averaged(request, found) if request.model == AVERAGE else found


def offered_series(request: PlanRequest) -> tuple[tuple[Analyte, SamplingSite], ...]:
    """Analytes and sites in blood that can be held beside a measured level, under the model and route of a request."""
    model = model_of(request)
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
) -> dict[tuple[Analyte, SamplingSite], _BySubject]:
    """Concentrations of the simulated people of a request at times of one's own.

    ``t_h``: times of the session clock, >= 0, not falling. [h] ``series``: of :func:`offered_series`. Raises SpecError:
    as :func:`simulate_session`, or the model has no such series.
    """
    takers = takers_of(request)
    if request.has_concentrations_only:
        return {
            (analyte, site): _doses_at(takers, request, t_h, (analyte,), (site,)).select(analyte, site=site)
            * average_ratio(request, site, t_h)
            for analyte, site in series
        }
    crowd = crowd_of(request, takers)
    events = _events(crowd, request)
    found = {}
    for analyte, site in series:
        if site is SamplingSite.VENOUS and takers.model.plasma_site is SamplingSite.ARTERIAL:
            result = simulate_venous_concentrations(
                crowd.individuals, events, t_h=t_h, venous=crowd.venous, analytes=(analyte,)
            )
        else:
            result = simulate_concentrations(crowd.individuals, events, t_h=t_h, analytes=(analyte,), sites=(site,))
        found[analyte, site] = result.select(analyte, site=site) * average_ratio(request, site, t_h)
    return found


def _events(crowd: Crowd, request: PlanRequest) -> InfusionEvents:
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


def _simulate(crowd: Crowd, events: InfusionEvents, *, is_whole: bool) -> SimulatedSession:
    model, response = crowd.pharmacology.pk, crowd.response
    # The ends of infusions are on the grid: there the concentrations peak.
    t_h = distinct(np.arange(0.0, float(events.end_h.max()) + _AFTER_H, _STEP_H), events.start_h, events.end_h)
    has_vein = model.plasma_site is SamplingSite.ARTERIAL
    found = simulate_blood(
        crowd.individuals,
        events,
        t_h=t_h,
        venous=crowd.venous if has_vein else None,
        metabolites=(Analyte.S_NK,) if is_whole and Analyte.S_NK in model.analytes else (),
    )
    shown = [pair for pair in _SERIES if pair[1] in model.sites]
    if is_whole and Analyte.S_NK in model.analytes:
        shown.append((Analyte.S_NK, model.plasma_site))
    values = {Quantity(one.value, site.value, "ng/mL"): found.select(one, site=site) for one, site in shown}
    ket, s_ket = (found.select(one, site=SamplingSite.EFFECT) for one in (Analyte.KET, Analyte.S_KET))
    felt = simulate_acute_effects(
        ket,
        s_ket,
        pharmacology=crowd.pharmacology,
        reference_peak_ng_per_ml=crowd.reference_peak_ng_per_ml,
        z_sbp=response.z_sbp,
        z_dbp=response.z_dbp,
        z_heart_rate=response.z_heart_rate,
        z_dissociation=response.z_dissociation,
    )
    curves = (felt.vas, felt.cadss, felt.sbp_rise_mmhg, felt.dbp_rise_mmhg, 100.0 * felt.heart_rate_rise)
    studied = _studied({Analyte.KET: ket, Analyte.S_KET: s_ket})
    withheld = {name for one in studied if one.is_withheld for name in one.effects}
    values |= {one: curve for one, curve in zip(EFFECTS, curves, strict=True) if one.name not in withheld}
    return SimulatedSession(
        t_h=t_h,
        values=values,
        studied=studied,
        exposure=simulate_exposure(crowd.individuals, events, pharmacology=crowd.pharmacology) if is_whole else None,
        heart_rate_ends=None if "heart_rate_rise" in withheld else heart_rate_range(s_ket),
        flags=(*events.flags, *crowd.takers.flags, *cautions_of(model)),
        is_extrapolated=crowd.is_extrapolated,
    )


def _studied(site: dict[Analyte, _BySubject]) -> tuple[StudiedRange, ...]:
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


def _absorbed(takers: Takers, request: PlanRequest) -> SimulatedSession:
    """Concentrations alone: after doses that are not infused, and after esketamine."""
    model = takers.model
    last_h = max(one.end_h for one in request.infusions)
    ends = [edge for one in request.infusions for edge in (one.start_h, one.end_h)]
    t_h = distinct(np.arange(0.0, last_h + _AFTER_ABSORBED_H + _STEP_H, _STEP_H), np.array(ends))
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
        flags=(*(one for one in flags if one.where != "weight_kg"), *no_spread(model)),
        is_extrapolated=individuals_flag,
    )


def _doses_at(
    takers: Takers,
    request: PlanRequest,
    t_h: Float[np.ndarray, " time"],
    analytes: Sequence[Analyte],
    sites: Sequence[SamplingSite],
) -> Concentrations:
    model = takers.model
    try:
        return simulate_doses(
            model,
            doses_of(request),
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
        raise SpecError.from_faults([named_fault(one) for one in error.faults]) from None


def _has_link(model: PkModel, sites: Sequence[SamplingSite]) -> bool:
    return model.plasma_site is SamplingSite.ARTERIAL and SamplingSite.VENOUS in sites
