"""The three spreads of the highest value in blood, side by side: people, published models, one measured value."""

import numpy as np

from remission.numerics.digits import digits, span
from remission.pk import DEFAULT_PK_MODEL, load_pk_model
from remission.planner import Plan
from remission.planner.request import AVERAGE
from remission.records.base import Record
from remission.records.parameter import Grade
from remission.report.words import WORDS, quantity_label


class BetweenRow(Record):
    """The spread of people beside that of published models and of measured values, at one site.

    people, measured
        5 to 95% of peaks; ``measured`` is empty under an average of models.
    models
        Lowest to highest peak of a typical person; empty where fewer than two models have it.
    names
        Each model with its peak and what it rests on beyond its source.
    """

    label: str
    people: str
    models: str
    measured: str
    average: str
    names: str
    unit: str


def between_rows(plan: Plan) -> tuple[BetweenRow, ...]:
    """A row for each site that a second model or measured values know."""
    models = {one.quantity: one for one in plan.models}
    measured = {one.quantity: one for one in plan.measured}
    rows = []
    for peak in plan.peaks:
        one, measure = models.get(peak.quantity), measured.get(peak.quantity)
        if one is None and measure is None:
            continue
        names = ranged = average = ""
        if one is not None:
            peaks, rests_on = one.spread.peak_ng_per_ml.tolist(), one.spread.rests_on
            ranged, average = span(min(peaks), max(peaks)), digits(float(one.average.conc_ng_per_ml.max()))
            names = "; ".join(
                f"{one.spread.models[index]} {digits(peaks[index])}"
                + (f" ({rests_on[index]})" if rests_on[index] else "")
                for index in np.argsort(one.spread.peak_ng_per_ml).tolist()
            )
        rows.append(
            BetweenRow(
                label=quantity_label(peak.quantity),
                people=span(peak.low, peak.high),
                models=ranged,
                measured="" if measure is None else span(measure.peak_low_ng_per_ml, measure.peak_high_ng_per_ml),
                average=average,
                names=names,
                unit=peak.quantity.unit,
            )
        )
    return tuple(rows)


def between_note(plan: Plan) -> str:
    """What the spreads are, and which model the plan stands on."""
    request, said = plan.request, WORDS["plan"]["sentences"]
    parts = []
    if request.model == AVERAGE:
        shares = "; ".join(
            f"{', '.join(f'{name} {digits(100.0 * one)}%' for name, one in at.average.weights.items() if one)} in "
            f"{at.quantity.site} blood"
            for at in plan.models
        )
        whose = said["own_weights"] if request.weights else "equal weights"
        parts.append(said["beside_average"].format(whose=whose, shares=shares, default=DEFAULT_PK_MODEL))
    if plan.models:
        parts.append(said["beside_models"])
        if any(one.kind == "kinetic" and not one.is_refused for one in request.taken):
            parts.append(said["beside_taken"])
        if request.model == DEFAULT_PK_MODEL:
            parts.append(said["beside_default"].format(default=DEFAULT_PK_MODEL))
    elif request.route != "iv" or request.is_esketamine:
        parts.append(said["beside_none"])
    if plan.measured:
        parts.append(said["beside_measured"])
    own = () if request.model == AVERAGE else load_pk_model(request.model).parameter_set.parameters
    if any(one.grade is Grade.YOURS for one in own):
        parts.append(said["beside_yours"].format(model=request.model))
    return " ".join(parts)
