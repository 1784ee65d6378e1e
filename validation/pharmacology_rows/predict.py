"""What each model of the library predicts for a published row, at the site of the row, or why it does not.

A model that follows one substance only is given the substance asked for as if it were its own ("one law"): Noppers'
S-ketamine for R, the racemate of Domino or Clements for either form. A row whose site is not stated is predicted in the
artery and in the vein. After other routes than a vein the rate of absorption is the one that peaks at the sourced time
in venous blood, because no rate is sourced; a model with a product of its own uses that.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from remission.dosing import make_infusions
from remission.errors import SpecError
from remission.library.loader import list_parameter_sets, load_parameter_set
from remission.library.molecules import molar_mass_g_per_mol, racemate_s_fraction
from remission.library.observations import ObservedSeries
from remission.library.products import list_products
from remission.pk import (
    PkIndividuals,
    PkModel,
    draw_venous_links,
    individual_parameters,
    load_pk_model,
    simulate_concentrations,
    simulate_doses,
    simulate_venous_concentrations,
)
from remission.records.analyte import Analyte, SamplingSite
from remission.records.dose import Absorption, Dose, DrugForm, Route
from remission.records.infusions import InfusionEvents
from remission.units import ng_per_ml_to_umol_per_l

__all__ = ["DEFAULT", "N_PEOPLE", "SEED", "Prediction", "Refusal", "clearance_and_volume", "model_names", "predict_row"]

DEFAULT = "simons2022"
"""The model that is drawn with a band."""
SEED = 20260101
N_PEOPLE = 400
_N_CURVE = 181
_AUC_H = 96.0
_METABOLITES = (Analyte.S_NK, Analyte.S_HNK)
_VENOUS_ONLY = "a model of venous plasma; the row is arterial"
_TMAX = "Rows of routes are predicted with the rate that peaks at the sourced time, for no rate is sourced."


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One model at one site, in the unit of the row.

    ``at_data`` belongs to the row's values; ``low`` and ``high`` are the 90% band of simulated people, of the default
    model only.
    """

    model_id: str
    site: SamplingSite
    note: str
    at_data: np.ndarray
    curve_h: np.ndarray
    curve: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None

    def errors_percent(self, series: ObservedSeries) -> np.ndarray:
        """(observed - predicted) / predicted. [percent]"""
        return 100.0 * (np.array(series.values) / self.at_data - 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A model that makes no prediction for a row, and why."""

    model_id: str
    reason: str


def model_names() -> list[str]:
    """Every kinetic model of the library, the default first."""
    names = [name for name in list_parameter_sets() if "species" in load_parameter_set(name).attributes]
    return sorted(names, key=lambda one: (one != DEFAULT, one))


def clearance_and_volume(model_id: str) -> tuple[float, float]:
    """CL and Vss of the typical 70 kg adult, by areas under a short infusion of the model's own form. [L/h], [L]

    ``CL = dose / AUC`` and ``Vss = CL (AUMC / AUC - T / 2)``, the same for every structure.
    """
    model = load_pk_model(model_id)
    form = DrugForm.RACEMATE if Analyte.R_KET in model.species or Analyte.KET in model.species else DrugForm.ESKETAMINE
    analyte = Analyte.KET if model.species == (Analyte.KET,) else Analyte.S_KET
    share = racemate_s_fraction() if form is DrugForm.RACEMATE and analyte is Analyte.S_KET else 1.0
    # Steps of powers of two; after 192 h less than 0.1% of any model is left.
    t_h = np.concatenate([np.arange(0.0, 0.5, 2.0**-10), np.arange(0.5, 8.0, 2.0**-6), np.arange(8.0, 192.0, 2.0**-2)])
    dose = Dose.create(route=Route.IV_INFUSION, dose_mg=35.0, form=form, duration=15.0)
    conc = simulate_doses(
        model, [dose], weight_kg=np.array([70.0]), z_iiv=np.zeros((1, model.n_iiv)), t_h=t_h, analytes=(analyte,),
        sites=(model.plasma_site,),
    ).select(analyte, site=model.plasma_site)[0]  # fmt: skip
    area, moment = np.trapezoid(conc, t_h), np.trapezoid(conc * t_h, t_h)
    clearance = 1000.0 * 35.0 * share / area
    return float(clearance), float(clearance * (moment / area - 0.125))


def predict_row(
    series: ObservedSeries, *, bands: bool, models: Sequence[PkModel] | None = None
) -> tuple[list[Prediction], list[Refusal]]:
    """Every model of the library, or those given, on one row; bands are for figures and take most of the time."""
    names = model_names() if models is None else [one.id for one in models]
    known = {name: load_pk_model(name) for name in names} if models is None else {one.id: one for one in models}
    if series.not_predicted:
        return [], [Refusal(model_id=name, reason=series.not_predicted) for name in names]
    predictions: list[Prediction] = []
    refusals: list[Refusal] = []
    for name in names:
        try:
            predictions += _predict(series, known[name], bands=bands)
        except _NotPredictedError as found:
            refusals.append(Refusal(model_id=name, reason=str(found)))
        except SpecError as error:
            refusals.append(Refusal(model_id=name, reason=f"refused: {error.got}; offered: {error.allowed}"))
    return predictions, refusals


class _NotPredictedError(Exception):
    """A reason, in words."""


def _predict(series: ObservedSeries, model: PkModel, *, bands: bool) -> Iterator[Prediction]:
    for site in _sites(series, model):
        yield _predict_at(series, model, site, bands=bands)


def _predict_at(series: ObservedSeries, model: PkModel, site: SamplingSite, *, bands: bool) -> Prediction:
    analyte, form, share, note = _substance(series, model)
    if site is SamplingSite.UNSTATED and series.sampling_site is not SamplingSite.UNSTATED:
        note = "; ".join(filter(None, (note, "site of the model not stated")))
    # Without figures the curve itself is needed only where its top is asked for.
    times = np.union1d(_grid(series), np.array(series.t_h)) if bands or series.kind == "cmax" else np.array(series.t_h)

    def run(n_people: int, t_h: np.ndarray) -> np.ndarray:
        return _concentrations(series, model, site, analyte, form, share, t_h=t_h, n_people=n_people)

    typical = run(1, times)[0]
    has_band = bands and model.id == DEFAULT
    band = np.quantile(run(_n_people(series), times), [0.05, 0.95], axis=0) if has_band else None
    if series.kind == "cmax":
        at_data = np.array([typical.max()])
    elif series.kind == "auc":
        # Steps of powers of two, fine where the curve is steep: the trapezoids miss less than 0.1%.
        pieces = ((0.0, 0.25, 2.0**-10), (0.25, 8.0, 2.0**-5), (8.0, _AUC_H, 0.5))
        t_h = np.concatenate([np.arange(*piece) for piece in pieces])
        at_data = np.array([np.trapezoid(run(1, t_h)[0], t_h)])
    else:
        at_data = typical[np.searchsorted(times, np.array(series.t_h))]
    return Prediction(
        model_id=model.id,
        site=site,
        note=note,
        at_data=at_data,
        curve_h=times,
        curve=typical,
        low=None if band is None else band[0],
        high=None if band is None else band[1],
    )


def _n_people(series: ObservedSeries) -> int:
    """Metabolites cost a matrix exponential a person."""
    return N_PEOPLE // 4 if series.analyte in _METABOLITES else N_PEOPLE


def _sites(series: ObservedSeries, model: PkModel) -> tuple[SamplingSite, ...]:
    own, asked = model.plasma_site, series.sampling_site
    if series.analyte in _METABOLITES:
        if series.analyte not in model.analytes:
            raise _NotPredictedError("no such metabolite in this model")
        if own is SamplingSite.VENOUS and asked is SamplingSite.ARTERIAL:
            raise _NotPredictedError(_VENOUS_ONLY)
        return (own,)
    if own is SamplingSite.UNSTATED:
        return (own,)
    if own is SamplingSite.ARTERIAL:
        both = (SamplingSite.ARTERIAL, SamplingSite.VENOUS)
        return both if asked is SamplingSite.UNSTATED else (asked,)
    if asked is SamplingSite.ARTERIAL:
        raise _NotPredictedError(_VENOUS_ONLY)
    return (own,)


def _substance(series: ObservedSeries, model: PkModel) -> tuple[Analyte, DrugForm, float, str]:
    """What to ask the model for, in which form, what share of the dose to give, and the note."""
    if len(model.species) > 1:
        return series.analyte, series.form, 1.0, ""
    (own,) = model.species
    form = DrugForm.ESKETAMINE if own is Analyte.S_KET else DrugForm.RACEMATE
    if series.analyte is own and series.form is form:
        return own, form, 1.0, ""
    s_share = 1.0 if series.form is DrugForm.ESKETAMINE else racemate_s_fraction()
    if series.analyte in _METABOLITES:
        return series.analyte, form, s_share, "S alone"
    share = {Analyte.KET: 1.0, Analyte.S_KET: s_share, Analyte.R_KET: 1.0 - s_share}[series.analyte]
    return own, form, share, "one law for every form"


def _grid(series: ObservedSeries) -> np.ndarray:
    """Times of the curve, and the ends of infusions.

    Steps are powers of two of an hour: equal steps of metabolites then share one matrix exponential.
    """
    ends = [one.start_h + one.duration_h for one in series.infusions] or [0.0]
    reach = max(ends) if series.kind == "series" else min(4.0 * max(ends), max(ends) + 4.0)
    end = max(reach, *(1.1 * t for t in series.t_h), 8.0 if series.kind == "cmax" else 0.0)
    step = 2.0 ** np.round(np.log2(end / _N_CURVE))
    return np.union1d(np.arange(0.0, end, step), ends)


def _concentrations(
    series: ObservedSeries,
    model: PkModel,
    site: SamplingSite,
    analyte: Analyte,
    form: DrugForm,
    share: float,
    *,
    t_h: np.ndarray,
    n_people: int,
) -> np.ndarray:
    generator = np.random.default_rng(SEED)
    z = np.zeros((1, model.n_iiv)) if n_people == 1 else generator.normal(size=(n_people, model.n_iiv))
    weight_kg = np.full(n_people, series.weight_kg)
    if series.doses or model.parameter_set.attribute("structure") != "mammillary":
        simulated = simulate_doses(
            model, _doses(series, model, form, share), weight_kg=weight_kg, z_iiv=z, t_h=t_h, analytes=(analyte,),
            sites=(site,),
        )  # fmt: skip
        found = simulated.select(analyte, site=site)
    else:
        people = individual_parameters(model, weight_kg=weight_kg, z_iiv=z)
        dose_mg = np.tile([share * one.dose_mg for one in series.infusions], (n_people, 1))
        events = make_infusions(
            dose_mg,
            start_h=[one.start_h for one in series.infusions],
            duration_h=[one.duration_h for one in series.infusions],
            form=form,
        )
        found = _at_site(people, events, site, analyte, t_h=t_h, doubt=generator.normal(size=(n_people, 2)))
    if series.unit == "umol/L":
        return ng_per_ml_to_umol_per_l(found, molar_mass_g_per_mol=molar_mass_g_per_mol(series.analyte))
    return found


def _doses(series: ObservedSeries, model: PkModel, form: DrugForm, share: float) -> list[Dose]:
    """The doses of a row as the model can take them: its own product where it has one, else the row's."""
    infused = [
        Dose.create(
            route=Route.IV_INFUSION, dose_mg=share * one.dose_mg, start_h=one.start_h, form=form,
            duration=60.0 * one.duration_h,
        )
        for one in series.infusions
    ]  # fmt: skip
    has_own = any(one.model == model.id and one.form is form for one in list_products())
    absorbed = [
        Dose(
            route=one.route,
            dose_mg=share * one.dose_mg,
            start_h=one.start_h,
            form=form,
            product=None if has_own else one.product,
            absorption=None if has_own else Absorption(basis="tmax", f=one.f, reason=_TMAX),
        )
        for one in series.doses
    ]
    return [*infused, *absorbed]


def _at_site(
    people: PkIndividuals,
    events: InfusionEvents,
    site: SamplingSite,
    analyte: Analyte,
    *,
    t_h: np.ndarray,
    doubt: np.ndarray,
) -> np.ndarray:
    if site is SamplingSite.VENOUS and people.model.plasma_site is SamplingSite.ARTERIAL and people.n_subject > 1:
        links = draw_venous_links(doubt, links=people.model.links)
        found = simulate_venous_concentrations(people, events, t_h=t_h, venous=links, analytes=(analyte,))
    else:
        found = simulate_concentrations(people, events, t_h=t_h, analytes=(analyte,), sites=(site,))
    return found.select(analyte, site=site)
