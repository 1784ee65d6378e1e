"""What stands beside the people of a plan: published models, their average, and the band of one measured value."""

from dataclasses import replace

import numpy as np

from remission.errors import SpecError
from remission.patient.sampling import sample_band_draws
from remission.pk import (
    DEFAULT_PK_MODEL,
    AveragedCurve,
    ModelSpread,
    average_models,
    load_pk_model,
    measured_band,
    model_spread,
)
from remission.planner.crowd import Takers
from remission.planner.doses import doses_of
from remission.planner.request import AVERAGE, PlanRequest
from remission.planner.simulated import MeasuredCurve, ModelsAtSite, Quantity, SimulatedSession
from remission.records.analyte import Analyte, SamplingSite
from remission.shapes import Float

_Times = Float[np.ndarray, " time"]


def _blood(request: PlanRequest, found: SimulatedSession) -> list[Quantity]:
    """The parent drug in blood, by site."""
    parent = "s_ket" if request.is_esketamine else "ket"
    return [one for one in found.values if one.name == parent and one.site in {"arterial", "venous"}]


def _spread_at(request: PlanRequest, site: SamplingSite, t_h: Float[np.ndarray, " time"]) -> ModelSpread | None:
    """Published models at a site; None where fewer than two have this dose there."""
    try:
        found = model_spread(
            doses_of(request),
            weight_kg=request.weight_kg,
            t_h=t_h,
            site=site,
            analyte=Analyte.S_KET if request.is_esketamine else Analyte.KET,
        )
    except SpecError:
        # The people of the plan were simulated, so the doses are right: no two models have them.
        return None
    return found if len(found.models) > 1 else None


def models_beside(request: PlanRequest, found: SimulatedSession) -> tuple[ModelsAtSite, ...]:
    """Published models at each site of blood, where more than one has this dose there."""
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


def measured_beside(takers: Takers, request: PlanRequest, found: SimulatedSession) -> tuple[MeasuredCurve, ...]:
    """The band of one measured value at each site of blood."""
    bands = []
    draws = sample_band_draws(takers.people, model=takers.model)
    for quantity in _blood(request, found):
        band = measured_band(
            takers.model,
            doses_of(request),
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


def average_ratio(request: PlanRequest, site: SamplingSite, t_h: _Times) -> _Times:
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


def averaged(request: PlanRequest, found: SimulatedSession) -> SimulatedSession:
    """The session around the average of the models: blood alone."""
    careful = max(float(np.quantile(found.values[one].max(axis=1), 0.95)) for one in _blood(request, found))
    ratios = {one: average_ratio(request, SamplingSite.parse(one.site), found.t_h) for one in _blood(request, found)}
    return replace(
        found,
        values={one: found.values[one] * ratio for one, ratio in ratios.items()},
        studied=(),
        exposure=None,
        heart_rate_ends=None,
        measured=(),
        careful_peak_ng_per_ml=careful,
    )
