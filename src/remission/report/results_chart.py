"""The trial's result over replicates with the published result marked: what one such trial would have said."""

from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from remission.numerics.digits import with_interval
from remission.patient.standing import standing_of_protocol
from remission.report.chart import Chart, Table
from remission.report.fixed_order import spaced_by_ratio
from remission.report.look import INK, PAPER, QUIET, drawing
from remission.report.numbers import interval_text, mean_text, published_text, simulated_text
from remission.trial.result import TrialResult
from remission.trial.summary import SummaryRow, TrialSummary

_COLOR = "#3d35a0"
_RATIO_UNITS = {"ratio"}


def results_chart(result: TrialResult, summary: TrialSummary) -> Chart:
    """One panel for each analysis; for a trial without analyses, one for each endpoint and arm."""
    rows = [row for row in summary.rows if row.kind == "analysis"] or list(summary.rows)
    n_columns = 1 if len(rows) == 1 else 2
    n_rows = -(-len(rows) // n_columns)
    with drawing():
        figure = Figure(figsize=(10.2, 2.05 * n_rows + 0.55), layout="constrained")
        panels = figure.subplots(n_rows, n_columns, squeeze=False).ravel()
        for axes, row in zip(panels, rows, strict=False):
            _panel(axes, row, _values(result, row))
        for axes in panels[len(rows) :]:
            axes.axis("off")
        engine: Any = figure.get_layout_engine()
        engine.set(w_pad=0.12, h_pad=0.08)
        figure.legend(handles=_handles(rows), loc="outside lower center", ncols=4)
    return Chart(
        name="results",
        title=_finding(rows),
        see=(
            f"Simulated: each of {result.n_replicates} replicates gives one result; the bars count them, the bar below "
            "spans 95% of them. Published: the diamond and its interval, where there is one."
        ),
        cannot=(
            " ".join(standing_of_protocol(result.protocol, result.parameter_set).lines)
            + " A diamond inside the bars shows at most that the model can produce the result."
        ),
        figure=figure,
        table=Table(
            columns=(
                "analysis",
                "statistic",
                "published",
                "simulated: mean (95% of replicates), Monte Carlo error",
                "failed",
            ),
            rows=[
                [row.label, f"{row.statistic}, {row.unit}", published_text(row), simulated_text(row), str(row.n_failed)]
                for row in rows
            ],
        ),
    )


def _finding(rows: list[SummaryRow]) -> str:
    first = rows[0]
    shown = interval_text(first)
    simulated = f"{mean_text(first)} simulated{f', {shown} in 95% of trials' if shown else ''} ({first.unit})"
    if first.verdict is not None:
        return f"{first.label}: {first.verdict.says} published, {simulated}"
    if first.published is None:
        return f"{first.label}: {simulated}"
    published = with_interval(first.published.value, first.published.ci_low, first.published.ci_high)
    return f"{first.label}: {published} published, {simulated}"


def _values(result: TrialResult, row: SummaryRow) -> np.ndarray:
    if row.kind == "analysis":
        values = result.estimates[row.id].estimate
    else:
        index = [arm.id for arm in result.protocol.arms].index(row.arm or "")
        values = result.arms[row.id].mean[:, index] * (100.0 if row.statistic == "share" else 1.0)
    return values[np.isfinite(values)]


def _panel(axes: Axes, row: SummaryRow, values: np.ndarray) -> None:
    is_ratio = row.unit in _RATIO_UNITS
    axes.set_title(fill(f"{row.label}, {row.arm}" if row.arm else row.label, 52), fontsize=9.0)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"{row.statistic}{'' if is_ratio else f', {row.unit}'}")
    published = row.published
    marks = (
        []
        if published is None
        else [v for v in (published.value, published.ci_low, published.ci_high) if v is not None]
    )
    if not values.size:
        axes.text(0.5, 0.5, "no replicate gave an estimate", transform=axes.transAxes, ha="center", color=QUIET)
        return
    low, high = np.quantile(values, [0.005, 0.995])
    low, high = min([low, *marks]), max([high, *marks])
    n_bins = int(np.clip(2.0 * np.sqrt(values.size), 8, 40))
    if is_ratio:
        axes.set_xscale("log")
        bins = spaced_by_ratio(max(low, 1e-3) / 1.1, high * 1.1, n_bins)
    else:
        margin = 0.05 * max(high - low, 1e-9)
        bins = np.linspace(low - margin, high + margin, n_bins)
    heights, _, _ = axes.hist(values, bins=bins.tolist(), color=_COLOR, alpha=0.30)
    n_beyond = int(np.count_nonzero((values < bins[0]) | (values > bins[-1])))
    if n_beyond:
        axes.text(0.995, 0.5, f"{n_beyond} beyond", transform=axes.transAxes, ha="right", color=QUIET, fontsize=7.0)
    top = float(np.max(heights)) or 1.0
    axes.set_ylim(-0.62 * top, 1.08 * top)
    axes.axhline(0.0, color=QUIET, linewidth=0.6)
    spans = [((row.simulated_low, row.simulated_high), 4.0 if row.sampling is None else 1.4)]
    spans += [] if row.sampling is None else [(row.sampling, 4.0)]
    for (first, last), width in spans:
        axes.plot(
            [max(first, bins[0]), min(last, bins[-1])], [-0.17 * top] * 2, color=_COLOR, linewidth=width, alpha=0.55
        )
    axes.plot([row.simulated_mean], [-0.17 * top], marker="|", markersize=11, markeredgewidth=2.2, color=_COLOR)
    none = 1.0 if is_ratio else 0.0
    if row.kind == "analysis" and bins[0] < none < bins[-1]:
        axes.axvline(none, color=INK, linewidth=0.8, linestyle=(0, (3, 2)))
        axes.annotate(
            "no effect", (none, 1.05 * top), (3, 0), textcoords="offset points", fontsize=7.0, color=QUIET, va="top",
            bbox={"facecolor": PAPER, "edgecolor": "none", "pad": 1.0},
        )  # fmt: skip
    if published is not None:
        if published.ci_low is not None and published.ci_high is not None:
            axes.plot([published.ci_low, published.ci_high], [-0.43 * top] * 2, color=INK, linewidth=1.1)
        is_first_hand = published.source_kind == "abstract or registry"
        axes.plot([published.value], [-0.43 * top], marker="D", markersize=6.5, color=INK,
                  markerfacecolor=INK if is_first_hand else "none", markeredgewidth=1.3)  # fmt: skip
    if is_ratio:
        ticks = [
            t for t in (0.1, 0.2, 0.3, 0.5, 0.7, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 50.0) if bins[0] <= t <= bins[-1]
        ]
        kept = ticks if len(ticks) <= 7 else ticks[::2]
        axes.set_xticks(kept, [f"{tick:g}" for tick in kept])
        axes.minorticks_off()


def _handles(rows: list[SummaryRow]) -> list[Line2D | Patch]:
    """What the marks mean; kinds of published numbers only where there are any."""
    kinds = {row.published.source_kind == "abstract or registry" for row in rows if row.published is not None}
    handles: list[Line2D | Patch] = [
        Patch(color=_COLOR, alpha=0.30, label="simulated: replicates"),
        Line2D([], [], color=_COLOR, linewidth=4.0, alpha=0.55, label="simulated: 95% of replicates, mean"),
    ]
    if True in kinds:
        handles.append(Line2D([], [], color=INK, marker="D", linewidth=1.1, label="published, abstract or registry"))
    if False in kinds:
        handles.append(
            Line2D([], [], color=INK, marker="D", markerfacecolor="none", linewidth=1.1, label="published, other kinds")
        )
    return handles
