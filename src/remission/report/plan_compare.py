"""Two regimens in the same people: each quantity of both, and the difference person by person."""

from collections.abc import Sequence

from remission.numerics.digits import band, digits, signed, span
from remission.planner import Comparison, Plan
from remission.planner.compare import Difference
from remission.records.base import Record
from remission.report.words import quantity_label, share_label


class ComparisonRow(Record):
    """One quantity of two regimens, and the difference in the same people."""

    label: str
    first: str
    second: str
    difference: str
    unit: str


def comparison_rows(comparison: Comparison, number: int) -> tuple[ComparisonRow, ...]:
    """The first regimen beside a later one; ``number`` counts the later ones from 0."""
    pair, beside = (comparison.plans[0], comparison.plans[number + 1]), comparison.differences[number]
    total = (pair[0].total_mg, pair[1].total_mg)
    rows = [_row("Total", [digits(one) for one in total], signed(total[1] - total[0]), "mg")]
    if beside.exposure is not None:
        more = beside.exposure
        rows.append(_row(quantity_label("exposure"), [_exposure(plan) for plan in pair], _difference(more), ""))
    for one in beside.peaks:
        peaks = [next(peak for peak in plan.peaks if peak.quantity == one.quantity) for plan in pair]
        bands = [band(peak.median, peak.low, peak.high) for peak in peaks]
        rows.append(_row(quantity_label(one.quantity), bands, _difference(one), one.quantity.unit))
    for model in beside.models:
        spreads = [next(at.spread for at in plan.models if at.quantity == model.quantity) for plan in pair]
        ends = []
        for spread in spreads:
            peak_of = dict(zip(spread.models, spread.peak_ng_per_ml.tolist(), strict=True))
            peaks_shown = [peak_of[name] for name in model.by_model]
            ends.append(span(min(peaks_shown), max(peaks_shown)))
        label = f"{quantity_label(model.quantity)}, published models (typical person)"
        differences = model.by_model.values()
        rows.append(_row(label, ends, f"{signed(min(differences))} to {signed(max(differences))}", model.quantity.unit))
    for name, share in beside.shares.items():
        shares = [f"{100.0 * getattr(plan, f'p_{name}_limit').share:.1f}" for plan in pair]
        error = f"{100.0 * share.difference:+.1f}, error {100.0 * share.standard_error:.2f}"
        rows.append(_row(share_label(pair[0], name), shares, error, "% of people"))
    return tuple(rows)


def _row(label: str, both: Sequence[str], difference: str, unit: str) -> ComparisonRow:
    return ComparisonRow(label=label, first=both[0], second=both[1], difference=difference, unit=unit)


def _difference(one: Difference) -> str:
    return f"{signed(one.median)} ({signed(one.low)} to {signed(one.high)})"


def _exposure(plan: Plan) -> str:
    if plan.exposure_median is None or plan.exposure_low is None or plan.exposure_high is None:
        return ""
    return band(plan.exposure_median, plan.exposure_low, plan.exposure_high)
