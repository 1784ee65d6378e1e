"""One figure a row: observed as ink diamonds with their interval, simulated as lines, the default with its band."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from remission.library.observations import ObservedSeries
from remission.records.analyte import SamplingSite
from remission.report.look import INK, QUIET, drawing, finish
from validation.pharmacology_rows.predict import DEFAULT, Prediction

__all__ = ["STYLES", "draw_row", "draw_structure", "save"]

STYLES = {
    "simons2022": ("#3d35a0", "Simons"),
    "noppers2011": ("#2a78b8", "Noppers"),
    "domino1984": ("#6a6f7a", "Domino"),
    "clements1981": ("#13807a", "Clements"),
    "hijazi2003": ("#9a6a10", "Hijazi"),
    "perezruixo2021": ("#8a3b74", "Perez-Ruixo"),
    "kamp2020": ("#b5532a", "Kamp (.75)"),
    "kamp2020-linear": ("#c98a5e", "Kamp (1)"),
    "fanta2015": ("#4f7a2b", "Fanta/Otto"),
}
"""Colour and short name of each model; a model without a place here is drawn in ink grey under its own name."""

_DASHES = {SamplingSite.ARTERIAL: "-", SamplingSite.VENOUS: (0, (4.0, 1.6)), SamplingSite.UNSTATED: (0, (1.4, 1.3))}
_NAMES = {
    "ket": "ketamine",
    "s_ket": "S-ketamine",
    "r_ket": "R-ketamine",
    "s_nk": "norketamine",
    "s_hnk": "hydroxynorketamine",
}
_SITES = {"unstated": "site not stated"}
_TAIL_H = 12.0
"""A row with a tail this long is drawn on a logarithmic axis."""


def draw_row(rows: Sequence[tuple[ObservedSeries, list[Prediction]]]) -> Figure:
    """The series of one row side by side, three a line."""
    n_columns = min(len(rows), 3)
    n_lines = -(-len(rows) // n_columns)
    is_wide = n_columns == 1
    height = 3.8 if any(predictions for _, predictions in rows) else 2.1
    with drawing():
        figure = Figure(figsize=(7.2 if is_wide else 3.9 * n_columns, height * n_lines), layout="constrained")
        panels = figure.subplots(n_lines, n_columns, squeeze=False).ravel()
        for axes in panels[len(rows) :]:
            axes.set_axis_off()
        for axes, (series, predictions) in zip(panels, rows, strict=False):
            if not predictions:
                _draw_level(axes, series)
            elif series.kind == "auc":
                _draw_areas(axes, series, predictions)
            else:
                _draw_curves(axes, series, predictions)
            axes.set_title(fill(f"{series.id[:3].upper()}  {series.title}", 74 if is_wide else 34))
        # One legend below all panels: inside, it would lie on the curves.
        found = {
            label: handle for axes in panels for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
        }
        figure.legend(
            list(found.values()), list(found), loc="outside lower center", ncols=3 if is_wide else 4, fontsize=7.5,
            handlelength=3.0,
        )  # fmt: skip
    return figure


def draw_structure(
    found: Mapping[str, tuple[float, float]], observed: Sequence[tuple[str, float, float, float]]
) -> Figure:
    """Clearance and volume of each model beside the interval of the meta-analysis."""
    with drawing():
        figure = Figure(figsize=(7.2, 2.9), layout="constrained")
        for column, (axes, (label, value, low, high)) in enumerate(
            zip(figure.subplots(1, 2, sharey=True), observed, strict=True)
        ):
            axes.hlines(-1.0, low, high, color=INK, linewidth=1.2)
            axes.plot([value], [-1.0], "D", color=INK, markersize=5.5)
            axes.axvspan(low, high, color=INK, alpha=0.06, linewidth=0.0)
            for place, (model_id, numbers) in enumerate(found.items()):
                color = STYLES.get(model_id, (QUIET, model_id))[0]
                axes.plot([numbers[column]], [place], "o", color=color, markersize=5.5)
            names = [STYLES.get(model_id, (QUIET, model_id))[1] for model_id in found]
            axes.set_yticks(range(-1, len(names)), ["18 studies, 95%", *names])
            axes.set_ylim(len(names) - 0.5, -1.6)
            axes.set_xlim(left=0.0)
            finish(axes, x=label, y="", title="V18  Typical adult, 70 kg" if column == 0 else "")
    return figure


def save(figure: Figure, path: Path) -> None:
    """Write the SVG; the same figure gives the same bytes."""
    with drawing():
        figure.savefig(path, metadata={"Date": None, "Creator": "remission"})


def _draw_curves(axes: Axes, series: ObservedSeries, predictions: Sequence[Prediction]) -> None:
    scale, unit = (60.0, "min") if predictions[0].curve_h[-1] <= 1.0 else (1.0, "h")
    labeled = False
    for one in predictions:
        color, name = STYLES.get(one.model_id, (QUIET, one.model_id))
        is_default = one.model_id == DEFAULT
        if one.low is not None and one.high is not None and is_default:
            label = None if labeled else "90% of simulated people"
            axes.fill_between(scale * one.curve_h, one.low, one.high, color=color, alpha=0.14, lw=0.0, label=label)
            labeled = True
        axes.plot(
            scale * one.curve_h, one.curve, color=color, linestyle=_DASHES[one.site],
            label=f"{name}, {_site(one.site)}", linewidth=1.9 if is_default else 1.1,
        )  # fmt: skip
    _observed(axes, series, scale, float(scale * predictions[0].curve_h[-1]))
    if series.t_h and series.t_h[-1] >= _TAIL_H:
        axes.set_yscale("log")
        axes.set_ylim(0.3 * min(series.values), 3.0 * max(series.values))
    else:
        axes.set_ylim(bottom=0.0)
    finish(axes, x=f"{unit} from the first dose", y=_quantity(series))


def _draw_areas(axes: Axes, series: ObservedSeries, predictions: Sequence[Prediction]) -> None:
    """An area is one number a model."""
    for place, one in enumerate(predictions):
        color, _ = STYLES.get(one.model_id, (QUIET, one.model_id))
        axes.plot(one.at_data, [place], "o", color=color, markersize=5.0)
    axes.axvline(series.values[0], color=INK, linewidth=0.9)
    axes.plot(series.values[0], -1.0, "D", color=INK, markersize=5.0)
    names = [f"{STYLES.get(one.model_id, (QUIET, one.model_id))[1]}, {_site(one.site)}" for one in predictions]
    axes.set_yticks(range(-1, len(names)), ["observed", *names])
    axes.set_ylim(len(names) - 0.5, -1.5)
    axes.set_xlim(0.0, 1.4 * max(series.values[0], *(float(one.at_data[0]) for one in predictions)))
    finish(axes, x=_quantity(series), y="")


def _observed(axes: Axes, series: ObservedSeries, scale: float, last: float) -> None:
    low, high = np.array(series.low), np.array(series.high)
    values = np.array(series.values)
    label = f"observed, {series.interval}" if series.interval else "observed"
    if not series.t_h:
        # A peak without a time is a level across the axis.
        axes.axhline(values[0], color=INK, linewidth=0.7, linestyle=(0, (1.0, 2.0)))
        if low.size:
            axes.vlines([0.97 * last], low, high, color=INK, linewidth=1.0)
        axes.plot([0.97 * last], [values[0]], "D", color=INK, markersize=5.0, label=label)
        return
    times = scale * np.array(series.t_h)
    if not values.size:
        is_shown = series.use == "shown"
        axes.vlines(times, low, high, color=INK, linewidth=1.2, linestyle=":" if is_shown else "-")
        axes.plot(
            times, (low + high) / 2.0, "D", color=INK, markerfacecolor="none" if is_shown else INK, markersize=6.0,
            linestyle="none", label=f"{label}; shown, not used" if is_shown else label,
        )  # fmt: skip
        return
    if low.size:
        axes.vlines(times, low, high, color=INK, linewidth=1.0)
    axes.plot(times, values, "D", color=INK, markersize=4.5, linestyle="none", label=label)


def _draw_level(axes: Axes, series: ObservedSeries) -> None:
    """A concentration without a regimen: the number, its interval, and why nothing is simulated."""
    ends = (series.low[0], series.high[0]) if series.low else ()
    if ends:
        axes.hlines(0.0, *ends, color=INK, linewidth=1.2, label=f"observed, {series.interval}")
    if series.values:
        axes.plot([series.values[0]], [0.0], "D", color=INK, markersize=6.0, label="observed")
    axes.set_xlim(0.0, 1.35 * max([*ends, *series.values]))
    axes.set_ylim(-1.0, 1.0)
    axes.set_yticks([])
    axes.text(
        0.5, 0.06, fill(series.not_predicted or "Not simulated.", 52), transform=axes.transAxes, ha="center",
        color=QUIET, fontsize=8.0,
    )  # fmt: skip
    finish(axes, x=_quantity(series), y="")


def _site(site: SamplingSite) -> str:
    return _SITES.get(site.value, site.value)


def _quantity(series: ObservedSeries) -> str:
    name = _NAMES[series.analyte.value]
    if series.analyte.value in {"s_nk", "s_hnk"}:
        name = f"{name} (data S + R, lines S)" if series.both_forms else f"S-{name}"
    return fill(f"{name}, {_site(series.sampling_site)}, {series.unit}", 44)
