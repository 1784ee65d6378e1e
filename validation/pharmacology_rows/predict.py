"""What each model of the library predicts for a published row, at the site of the row, or why it does not.

A model that follows one substance only is given the substance asked for as if it were its own ("one law"): Noppers'
S-ketamine for R, the racemate of Domino or Clements for either form. A row whose site is not stated is predicted in the
artery and in the vein.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from remission.dosing import make_infusions
from remission.errors import RemissionError
from remission.library.loader import list_parameter_sets, load_parameter_set
from remission.library.molecules import molar_mass_g_per_mol, racemate_s_fraction
from remission.library.observations import ObservedSeries
from remission.pk import (
    PkIndividuals,
    PkModel,
    draw_venous_links,
    individual_parameters,
    load_pk_model,
    simulate_concentrations,
    simulate_venous_concentrations,
)
from remission.records.analyte import Analyte, SamplingSite
from remission.records.infusions import DrugForm, InfusionEvents
from remission.units import ng_per_ml_to_umol_per_l

__all__ = ["N_PEOPLE", "SEED", "Prediction", "Refusal", "predict_row"]

SEED = 20260101
N_PEOPLE = 400
_N_CURVE = 181
_AUC_H = 96.0
_METABOLITES = (Analyte.S_NK, Analyte.S_HNK)
_NOT_IV = "route not simulated here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """One model at one site, in the unit of the row.

    ``at_data`` belongs to the row's values; ``low`` and ``high`` are the 90% band of simulated people, None for a model
    without published variability.
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


def predict_row(series: ObservedSeries, *, bands: bool) -> tuple[list[Prediction], list[Refusal]]:
    """Every model of the library on one row; bands are for figures and take most of the time."""
    names = [name for name in list_parameter_sets() if "species" in load_parameter_set(name).attributes]
    if series.not_predicted:
        return [], [Refusal(model_id=name, reason=series.not_predicted) for name in names]
    predictions: list[Prediction] = []
    refusals: list[Refusal] = []
    for name in sorted(names, key=lambda one: (one != "simons2022", one)):
        try:
            predictions += _predict(series, load_pk_model(name), bands=bands)
        except _NotPredictedError as found:
            refusals.append(Refusal(model_id=name, reason=str(found)))
        except RemissionError as error:
            refusals.append(Refusal(model_id=name, reason=str(error)))
    return predictions, refusals


class _NotPredictedError(Exception):
    """A reason, in words."""


def _predict(series: ObservedSeries, model: PkModel, *, bands: bool) -> Iterator[Prediction]:
    if series.doses:
        raise _NotPredictedError(_NOT_IV)
    if model.parameter_set.attribute("structure") != "mammillary":
        raise _NotPredictedError("a model of other routes")
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
    band = np.quantile(run(_n_people(series), times), [0.05, 0.95], axis=0) if bands and model.n_iiv else None
    if series.kind == "cmax":
        at_data = np.array([typical.max()])
    elif series.kind == "auc":
        t_h = np.union1d(np.geomspace(1e-3, _AUC_H, 1500), np.linspace(0.0, 0.2, 400))
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
            raise _NotPredictedError("no metabolites in this model")
        return (own,)
    if own is SamplingSite.UNSTATED:
        return (own,)
    if own is SamplingSite.ARTERIAL:
        both = (SamplingSite.ARTERIAL, SamplingSite.VENOUS)
        return both if asked is SamplingSite.UNSTATED else (asked,)
    if asked is SamplingSite.ARTERIAL:
        raise _NotPredictedError("a model of venous plasma; the row is arterial")
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
    share = {Analyte.KET: 1.0, Analyte.S_KET: s_share, Analyte.R_KET: 1.0 - s_share}[series.analyte]
    return own, form, share, "one law for every form"


def _grid(series: ObservedSeries) -> np.ndarray:
    """Times of the curve, and the ends of infusions.

    Steps are powers of two of an hour: equal steps of metabolites then share one matrix exponential.
    """
    ends = [one.start_h + one.duration_h for one in series.infusions]
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
    people = individual_parameters(model, weight_kg=np.full(n_people, series.weight_kg), z_iiv=z)
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
