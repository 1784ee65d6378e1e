"""Charts of a plan: one session by site and effect, or several regimens on the same axes."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from remission.numerics.digits import band, digits
from remission.planner import Curve, PlacedLevel, Plan
from remission.records.analyte import Analyte
from remission.report.chart import Chart, Table, told
from remission.report.look import DASHES, INK, LOOK, drawing, finish
from remission.report.words import lowered, quantity_label
from remission.units import hours_to_minutes

_REGIMEN_COLORS = ("#3d35a0", "#2a78b8", "#13807a", "#6a6f7a")
_X = "minutes from the start"


class _Line(NamedTuple):
    name: str
    site: str
    label: str
    color: str
    dash: Any


class _Panel(NamedTuple):
    id: str
    title: str
    unit: str
    lines: tuple[_Line, ...]


_PANELS = [
    _Panel(
        one["id"],
        one["title"],
        one["unit"],
        tuple(_Line(name, site, label, color, DASHES[dash]) for name, site, label, color, dash in one["lines"]),
    )
    for one in LOOK["panels"]
]
_PLASMA, _SITE, _PRESSURE = (one for one in _PANELS if one.id in {"plasma", "site", "pressure"})


def planner_chart(
    plan: Plan, *, medium: Literal["page", "paper"] = "page", levels: Sequence[PlacedLevel] = ()
) -> Chart:
    """Six panels of one session; without effects, the concentrations alone. On paper they are lower.

    ``levels``: measured concentrations, drawn with the range of the simulated people at their own time and site.
    """
    curves = {(one.name, one.site): one for one in plan.curves}
    panels = [one for one in _PANELS if any((line.name, line.site) in curves for line in one.lines)]
    minutes = hours_to_minutes(plan.t_h)
    with drawing():
        figure, frames = _frames(len(panels), row_in=2.75 if medium == "page" else 1.75)
        for axes, panel in zip(frames, panels, strict=True):
            lines = [line for line in panel.lines if (line.name, line.site) in curves]
            before = {"sbp_rise": plan.request.sbp0_mmhg, "dbp_rise": plan.request.dbp0_mmhg}
            is_level = panel is _PRESSURE and None not in before.values()
            for line in lines:
                _draw(
                    axes, minutes, curves[line.name, line.site], line, (before[line.name] or 0.0) if is_level else 0.0
                )
            _draw_apart(axes, plan, lines)
            unit = "mmHg" if is_level else panel.unit
            finish(axes, x=_X, y=unit, title=panel.title)
            if is_level:
                for limit in (plan.limits.sbp_mmhg, plan.limits.dbp_mmhg):
                    axes.axhline(limit, color=INK, linewidth=0.7, linestyle=(0, (1, 2)))
            else:
                axes.set_ylim(bottom=0.0)
            _draw_levels(axes, panel, levels)
            if len(lines) > 1 or panel is _PLASMA or (levels and panel in {_PLASMA, _SITE}):
                axes.legend(loc="center right" if is_level else "upper right")
            _clock(axes, plan, minutes, last_min=_last_min(panel, levels))
    peak = next(one for one in plan.peaks if one.quantity.site in {"arterial", "venous", ""})
    name = quantity_label(peak.quantity)
    return Chart(
        name="plan",
        title=(
            f"{plan.regimen}: half of the simulated people pass {digits(peak.median)} {peak.quantity.unit} "
            f"({lowered(name)})"
        ),
        see=(
            f"Simulated: median (line) and 90% of {plan.request.n_people} simulated people (band). "
            + ("Dashed edges: 90% of single measured values. " if plan.measured else "")
            + ("Bracket: highest values of a typical person under published models. " if plan.models else "")
            + "Infusions are shaded; dotted lines are the limits that are counted."
        ),
        cannot=(
            "No band knows how wrong its model is: pressure stands on one clinic's mean, heart rate on an assumed "
            "shape, the venous curve on a provisional link."
            if plan.infused_min
            else "No band knows how wrong its model is: the shape follows from the absorption that the flags name."
        ),
        figure=figure,
        table=_table(plan),
    )


def comparison_chart(plans: Sequence[Plan]) -> Chart:
    """Several regimens in the same people: the first quantity of each panel that all of them have."""
    known = set.intersection(*({(one.name, one.site) for one in plan.curves} for plan in plans))
    shared = [
        (panel, line)
        for panel in _PANELS
        if (line := next((one for one in panel.lines if (one.name, one.site) in known), None)) is not None
    ]
    with drawing():
        figure, frames = _frames(len(shared), row_in=2.75)
        for axes, (panel, line) in zip(frames, shared, strict=True):
            for number, plan in enumerate(plans):
                curve = next(one for one in plan.curves if (one.name, one.site) == (line.name, line.site))
                look = line._replace(
                    label=f"{'ABCD'[number % 4]}: {plan.regimen}",
                    color=_REGIMEN_COLORS[number % 4],
                    dash=tuple(DASHES.values())[number % 4],
                )
                _draw(axes, hours_to_minutes(plan.t_h), curve, look, 0.0)
            finish(axes, x=_X, y=f"{line.label}, {panel.unit}", title=panel.title)
            axes.set_ylim(bottom=0.0)
            axes.set_xlim(left=0.0)
        frames[0].legend(loc="upper right", fontsize=7.0)
    return Chart(
        name="compare",
        title=f"{' against '.join(plan.regimen for plan in plans)}, in the same simulated people",
        **told("compare", n_people=plans[0].request.n_people),
        figure=figure,
        table=_comparison_table(plans, [line for _, line in shared]),
    )


def _frames(count: int, *, row_in: float) -> tuple[Figure, list[Axes]]:
    """Axes three in a row. Margins are fixed: a layout that is solved costs as much as the drawing."""
    n_columns = min(3, count)
    n_rows = -(-count // n_columns)
    height = row_in * n_rows + 0.1
    figure = Figure(figsize=(10.6, height))
    figure.subplots_adjust(
        left=0.055, right=0.99, top=1.0 - 0.3 / height, bottom=0.5 / height, wspace=0.24, hspace=0.85 / (row_in - 0.85)
    )
    found = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
    for axes in found[count:]:
        axes.set_visible(False)
    return figure, list(found[:count])


def _draw(axes: Axes, minutes: np.ndarray, curve: Curve, line: _Line, before: float) -> None:
    low, middle, high = (before + curve.quantiles[k] for k in (0, 2, 4))
    axes.fill_between(minutes, low, high, color=line.color, alpha=0.13, linewidth=0.0)
    axes.plot(minutes, middle, color=line.color, linestyle=line.dash, label=line.label)


def _draw_apart(axes: Axes, plan: Plan, lines: Sequence[_Line]) -> None:
    """What one measured value may be as dashed edges, and how far published models lie apart as a bracket."""
    for line in lines:
        for measure in plan.measured:
            if (measure.quantity.name, measure.quantity.site) == (line.name, line.site):
                for edge in (0, -1):
                    axes.plot(
                        hours_to_minutes(plan.t_h), measure.quantiles_ng_per_ml[edge], color=line.color, linewidth=0.7,
                        linestyle=(0, (5, 3)), alpha=0.8,
                    )  # fmt: skip
        for one in plan.models:
            if (one.quantity.name, one.quantity.site) == (line.name, line.site):
                peaks = one.spread.peak_ng_per_ml
                axes.errorbar(
                    [hours_to_minutes(float(np.median(one.spread.peak_h)))], [peaks.min()],
                    yerr=[[0.0], [peaks.max() - peaks.min()]], color=line.color, capsize=4.0, linewidth=1.4, fmt="none",
                )  # fmt: skip


def _of_panel(panel: _Panel, levels: Sequence[PlacedLevel]) -> list[PlacedLevel]:
    """Levels of a panel: metabolites beside the effect site, everything else with plasma."""
    if panel not in {_PLASMA, _SITE}:
        return []
    return [one for one in levels if (one.level.analyte is Analyte.S_NK) == (panel is _SITE)]


def _last_min(panel: _Panel, levels: Sequence[PlacedLevel]) -> float:
    return max((hours_to_minutes(one.clock_h) + 10.0 for one in _of_panel(panel, levels)), default=0.0)


def _draw_levels(axes: Axes, panel: _Panel, levels: Sequence[PlacedLevel]) -> None:
    """Each level as a mark, with the range of the people as a bar beside it; below quantification as a triangle."""
    said = set()
    for one in _of_panel(panel, levels):
        level, at = one.level, hours_to_minutes(one.clock_h)
        color = {"arterial": "#3d35a0", "venous": "#6a6f7a"}[level.site.value]
        axes.vlines(at, one.low_ng_per_ml, one.high_ng_per_ml, color=color, linewidth=4.0, alpha=0.35)
        name = f"measured, {level.site.value}" + (" (below the limit)" if level.is_below else "")
        axes.plot(
            [at], [level.value_ng_per_ml], linestyle="none", color=INK, markersize=5.5,
            markerfacecolor="none" if level.is_below else INK,
            marker="v" if level.is_below else "o" if level.site.value == "venous" else "D",
            label=None if name in said else name,
        )  # fmt: skip
        said.add(name)


def _clock(axes: Axes, plan: Plan, minutes: np.ndarray, *, last_min: float = 0.0) -> None:
    for one in plan.request.infusions:
        start = hours_to_minutes(one.start_h)
        if one.duration_min is not None:
            axes.axvspan(start, start + one.duration_min, color=INK, alpha=0.05, linewidth=0.0)
    last = max(float(minutes[-1]), last_min)
    axes.set_xlim(0.0, last)
    axes.set_xticks(np.arange(0.0, last + 1.0, 60.0 * np.ceil(last / 600.0)))


def _rows(plan: Plan) -> list[int]:
    """Every quarter of an hour, and the ends of infusions."""
    wanted = np.arange(0.0, plan.t_h[-1] + 1e-9, 0.25)
    ends = [one.end_h for one in plan.request.infusions]
    return sorted({int(np.abs(plan.t_h - t).argmin()) for t in (*wanted, *ends)})


def _cell(curve: Curve, index: int) -> str:
    return band(*(float(curve.quantiles[k, index]) for k in (2, 0, 4)))


def _table(plan: Plan) -> Table:
    names = [f"{quantity_label(peak.quantity)} ({peak.quantity.unit})" for peak in plan.peaks]
    return Table(
        columns=("minutes", *names),
        rows=[[f"{hours_to_minutes(plan.t_h[i]):.0f}", *(_cell(one, i) for one in plan.curves)] for i in _rows(plan)],
    )


def _comparison_table(plans: Sequence[Plan], shown: Sequence[_Line]) -> Table:
    rows = []
    for plan in plans:
        curves = {(one.name, one.site): one for one in plan.curves}
        for i in _rows(plan):
            cells = [_cell(curves[line.name, line.site], i) for line in shown]
            rows.append([plan.regimen, f"{hours_to_minutes(plan.t_h[i]):.0f}", *cells])
    return Table(columns=("regimen", "minutes", *(f"{line.label}" for line in shown)), rows=rows)
