"""Pictures of an analysis of a file: people on their way, means by visit, and the estimates with their intervals."""

from math import fsum
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from remission.analyses.estimate import Status
from remission.report.chart import Chart, Table
from remission.report.look import INK, PAPER, QUIET, RULE, canvas, drawing, finish
from remission.report.study_words import estimate_text, flow_table, number_text
from remission.study.result import ArmFlow, StudyEstimate, StudyResult

_STYLES = (("#3d35a0", "-", "o"), ("#2a78b8", "--", "s"), ("#13807a", "-.", "^"), ("#6a6f7a", ":", "D"))
_COLUMN_IN = 2.6


def study_charts(result: StudyResult) -> list[Chart]:
    """The charts of a result in their order."""
    return [_flow(result), *([] if result.visits is None else [_means(result)]), _estimates(result)]


def _flow(result: StudyResult) -> Chart:
    n_arms = len(result.flow)
    lines = max(2 + len(one.events) + len(one.seen) + len(one.not_analyzed) for one in result.flow)
    width, height = max(8.0, _COLUMN_IN * n_arms), 2.9 + 0.2 * lines
    total = sum(one.randomized for one in result.flow)
    with drawing():
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, width)
        axes.set_ylim(0.0, height)
        axes.axis("off")
        _box(axes, width / 2.0, height - 0.35, [f"Randomized: {total}"])
        ends = [width * 0.5 / n_arms, width * (n_arms - 0.5) / n_arms]
        axes.plot([width / 2.0] * 2, [height - 0.55, height - 0.75], color=QUIET, linewidth=0.8)
        axes.plot(ends, [height - 0.75] * 2, color=QUIET, linewidth=0.8)
        for index, one in enumerate(result.flow):
            _column(axes, one, width * (index + 0.5) / n_arms, height - 0.75, _STYLES[index % len(_STYLES)][0])
    analyzed = sum(one.analyzed for one in result.flow)
    return Chart(
        name="flow",
        title=f"Of {total} people randomized, {analyzed} are in the first analysis",
        see="Boxes run down from randomization to the first analysis, one column an arm; all counts are of the file.",
        cannot="Who was screened and never randomized stands in no file, and neither does why somebody stayed away.",
        figure=figure,
        table=flow_table(result),
    )


def _column(axes: Axes, one: ArmFlow, middle: float, top: float, color: str) -> None:
    parts = [
        [*fill(one.label, 32).split("\n")[:2], f"randomized: {one.randomized}"],
        [f"{name}: {count}" for name, count in one.events.items()],
        [f"seen at {name}: {count}" for name, count in one.seen.items()],
        [f"analyzed: {one.analyzed}", *(f"{fill(reason, 34)}: {n}" for reason, n in one.not_analyzed.items())],
    ]
    lines = [[piece for line in part for piece in line.split("\n")] for part in parts if part]
    bottom = top - 0.15 - sum(0.2 + 0.185 * len(part) + 0.15 for part in lines)
    axes.plot([middle, middle], [top, bottom + 0.3], color=QUIET, linewidth=0.8, zorder=1)
    at = top - 0.15
    for number, part in enumerate(lines):
        half = (0.2 + 0.185 * len(part)) / 2.0
        _box(axes, middle, at - half, part, color=color if number == 0 else INK)
        at -= 2.0 * half + 0.15


def _box(axes: Axes, x: float, y: float, lines: list[str], *, color: str = INK) -> None:
    axes.text(
        x,
        y,
        "\n".join(lines),
        ha="center",
        va="center",
        fontsize=7.4,
        zorder=3,
        color=INK,
        linespacing=1.25,
        bbox={
            "boxstyle": "square,pad=0.45",
            "facecolor": PAPER,
            "edgecolor": RULE if color == INK else color,
            "linewidth": 1.0,
        },
    )


def _means(result: StudyResult) -> Chart:
    found = result.visits
    assert found is not None
    with canvas(9.4, 4.2) as (figure, axes):
        shift = 0.06 * max(float(np.diff(found.days).min()), 1.0)
        for index, arm in enumerate(result.plan.arms):
            color, dash, mark = _STYLES[index % len(_STYLES)]
            x = found.days + shift * (index - 0.5 * (len(result.plan.arms) - 1))
            gap = np.vstack([found.mean[index] - found.low[index], found.high[index] - found.mean[index]])
            axes.errorbar(
                x,
                found.mean[index],
                yerr=np.nan_to_num(gap),
                color=color,
                linestyle=dash,
                marker=mark,
                capsize=2.5,
                label=arm.label,
            )
        finish(axes, x="day (0 is randomization)", y=found.unit or found.measure)
        axes.set_xticks(found.days.tolist())
        axes.legend()
    rows = [
        [
            name,
            *(
                f"{number_text(found.mean[arm, place])} ({number_text(found.low[arm, place])} to "
                f"{number_text(found.high[arm, place])}), n = {found.n[arm, place]}"
                for arm in range(len(result.plan.arms))
            ),
        ]
        for place, name in enumerate(found.names)
    ]
    return Chart(
        name="means",
        title=f"{found.measure}, as it was seen",
        see="Means of those who were seen at each visit with 95% intervals, by arm.",
        cannot="People who were missed are not in these means; the analyses below say what they make of them.",
        figure=figure,
        table=Table(columns=["visit", *(arm.label for arm in result.plan.arms)], rows=rows),
    )


def _estimates(result: StudyResult) -> Chart:
    """Ratios on one pair of axes with a logarithmic scale, differences each in its unit on another."""
    groups: dict[tuple[bool, str], list[StudyEstimate]] = {}
    for one in result.estimates:
        groups.setdefault((one.analysis.is_ratio, one.unit), []).append(one)
    heights = [len(found) + 1.2 for found in groups.values()]
    with drawing():
        figure = Figure(figsize=(9.4, 0.5 * fsum(heights) + 0.6), layout="constrained")
        panels = figure.subplots(len(groups), 1, squeeze=False, gridspec_kw={"height_ratios": heights}).ravel()
        for axes, ((is_ratio, unit), found) in zip(panels, groups.items(), strict=True):
            _panel(axes, found, unit, is_ratio=is_ratio)
        engine: Any = figure.get_layout_engine()
        engine.set(w_pad=0.1, h_pad=0.08)
    first = result.primary
    return Chart(
        name="estimates",
        title=f"{first.analysis.label}: {estimate_text(first)}",
        see="Each row is an analysis: the mark is the estimate, the line its 95% interval, treatment against control.",
        cannot="Sensitivity analyses answer the same question under another assumption; their order is no ranking.",
        figure=figure,
        table=Table(
            columns=["analysis", "estimate (95% interval)", "p"],
            rows=[[one.analysis.label, estimate_text(one), number_text(one.p_value)] for one in result.estimates],
        ),
    )


def _panel(axes: Axes, found: list[StudyEstimate], unit: str, *, is_ratio: bool) -> None:
    none = 1.0 if is_ratio else 0.0
    if is_ratio:
        axes.set_xscale("log")
    for place, one in enumerate(reversed(found)):
        axes.text(
            -0.01,
            place,
            fill(one.analysis.label, 42),
            transform=axes.get_yaxis_transform(),
            ha="right",
            va="center",
            fontsize=7.6,
        )
        axes.text(
            1.01,
            place,
            estimate_text(one, with_unit=False),
            transform=axes.get_yaxis_transform(),
            va="center",
            fontsize=7.6,
        )
        if one.status is not Status.OK:
            continue
        axes.plot([one.low, one.high], [place, place], color=INK, linewidth=1.1)
        is_main = one.analysis.role == "primary"
        axes.plot(
            [one.estimate],
            [place],
            marker="D",
            markersize=6.5,
            color=INK,
            markerfacecolor=INK if is_main else PAPER,
            markeredgewidth=1.2,
        )
        if one.analysis.margin is not None:
            axes.plot([one.analysis.margin] * 2, [place - 0.3, place + 0.3], color=QUIET, linestyle=(0, (2, 2)))
    axes.axvline(none, color=RULE, linewidth=1.2, zorder=1)
    axes.set_ylim(-0.6, len(found) - 0.4)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    if is_ratio:
        low, high = axes.get_xlim()
        ticks = [
            t for t in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0) if low <= t <= high
        ]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    axes.set_xlabel(f"{unit}{', logarithmic axis' if is_ratio else ', treatment minus control'}")
