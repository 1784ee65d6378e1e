"""Days without use and survival to the first use day, by arm, over everybody in all replicates."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes

from remission.report.chart import Chart, Table, told
from remission.report.look import INK, PAPER, QUIET, ArmStyle, arm_styles, canvas, finish
from remission.report.schedule_chart import usual_days
from remission.report.words import lowered
from remission.shapes import Float
from remission.trial.result import TrialResult


def abstinence_chart(result: TrialResult) -> Chart:
    """Share of person-days without use, week by week."""
    counts = result.counts
    free = 100.0 * (1.0 - counts.using / counts.people[:, None])
    edges = np.arange(0, free.shape[1], 7)
    weekly = np.stack([free[:, start : start + 7].mean(axis=1) for start in edges], axis=1)
    middle = edges + np.minimum(7, free.shape[1] - edges) / 2.0
    overall = free.mean(axis=1)
    with canvas(9.4, 4.3) as (figure, axes):
        _lines(axes, arm_styles(result.protocol), middle, weekly, "-o" if weekly.shape[1] <= 8 else "-")
        finish(axes, x="day", y="% of person-days without use, by week")
        _mark_days(axes, result)
        axes.set_ylim(0.0, 101.0)
        axes.set_xlim(0.0, free.shape[1] * 1.0)
    return Chart(
        name="abstinence",
        title=_by_arm(result, overall, "{label}: {value:.0f} of 100 days without use, simulated"),
        **told("abstinence"),
        figure=figure,
        table=_table(result, "week from day", "% of person-days without use", edges, weekly),
    )


def survival_chart(result: TrialResult) -> Chart:
    """Share of people without any use since day 0."""
    counts = result.counts
    share = 100.0 * counts.never_used / counts.people[:, None]
    days = np.arange(share.shape[1] + 1)
    steps = np.concatenate([np.full((share.shape[0], 1), 100.0), share], axis=1)
    with canvas(9.4, 4.3) as (figure, axes):
        _lines(axes, arm_styles(result.protocol), days, steps, "steps")
        finish(axes, x="day", y="% of people without any use since day 0")
        _mark_days(axes, result)
        axes.set_ylim(0.0, 101.0)
        axes.set_xlim(0.0, float(days[-1]))
    shown = [day for day in (1, 2, 7, 14, 30, 60, 90, 180, 270, 365) if day <= days[-1]]
    return Chart(
        name="survival",
        title=_by_arm(
            result,
            share[:, -1],
            f"{{label}}: {{value:.0f}} of 100 people without any use to day {share.shape[1] - 1}, simulated",
        ),
        **told("survival"),
        figure=figure,
        table=_table(result, "up to day", "% of people without use", np.array(shown), steps[:, shown]),
    )


def _lines(
    axes: Axes,
    styles: Sequence[ArmStyle],
    x: Float[np.ndarray, " point"] | np.ndarray,
    values: Float[np.ndarray, "arm point"],
    how: str,
) -> None:
    ends = []
    for style, row in zip(styles, values, strict=True):
        drawstyle = "steps-post" if how == "steps" else "default"
        marker = style.marker if how == "-o" else None
        axes.plot(
            x, row, color=style.color, linestyle=style.dash, drawstyle=drawstyle, marker=marker, markersize=4,
            label=style.label,
        )  # fmt: skip
        ends.append((float(row[-1]), style))
    _label_ends(axes, ends)


def _label_ends(axes: Axes, ends: list[tuple[float, ArmStyle]]) -> None:
    """Direct labels at the right end, moved apart where they would touch."""
    spacing = 5.2
    placed: list[float] = []
    for value, style in sorted(ends, key=lambda end: end[0]):
        y = max(value, placed[-1] + spacing) if placed else value
        placed.append(y)
        axes.annotate(
            style.label, (1.0, y), (7, 0), xycoords=("axes fraction", "data"), textcoords="offset points",
            color=style.color, fontsize=8.5, va="center", fontweight="bold",
        )  # fmt: skip


def _mark_days(axes: Axes, result: TrialResult) -> None:
    """Inpatient days hatched, fixed or earliest infusion days as ticks at the foot."""
    for stay in result.protocol.setting.inpatient:
        axes.axvspan(
            stay.first, stay.last + 1, facecolor="none", edgecolor=QUIET, hatch="///", alpha=0.35, linewidth=0.0
        )
        middle = (stay.first + stay.last + 1) / 2.0
        paper = {"facecolor": PAPER, "edgecolor": "none", "pad": 1.5}
        axes.annotate("inpatient", (middle, 30.0), fontsize=7.5, color=QUIET, rotation=90, ha="center", bbox=paper)
    drugs = [result.protocol.drugs[arm.drug] for arm in result.protocol.arms if arm.drug is not None]
    if not drugs:
        return
    days = usual_days(drugs[0])
    axes.plot(days, [1.5] * len(days), marker="^", color=INK, markersize=5, clip_on=False, linestyle="none")
    has_gaps = any(infusion.gap for infusion in drugs[0].infusions)
    note = ("infusion" if len(days) == 1 else "infusions") + (", usual days" if has_gaps else "")
    axes.annotate(note, (days[-1], 1.5), (7, 0), textcoords="offset points", fontsize=7.5, color=QUIET, va="center")


def _by_arm(result: TrialResult, values: Float[np.ndarray, " arm"], form: str) -> str:
    """First and last arm as the protocol has them: which is highest may be chance."""
    arms = result.protocol.arms
    first = form.format(label=arms[0].label, value=values[0])
    if len(arms) == 1:
        return first
    return f"{first.removesuffix(', simulated')}; {lowered(arms[-1].label)}: {values[-1]:.0f} (simulated)"


def _table(result: TrialResult, x: str, y: str, points: np.ndarray, values: Float[np.ndarray, "arm point"]) -> Table:
    return Table(
        columns=(x, *(f"{arm.label}, {y}" for arm in result.protocol.arms)),
        rows=[
            [str(int(point)), *(f"{value:.1f}" for value in column)]
            for point, column in zip(points, values.T, strict=True)
        ],
    )
