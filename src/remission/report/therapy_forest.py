"""A forest plot of what was read of one kind of therapy, with what the program does with each number; never pooled."""

from collections.abc import Sequence
from math import fsum
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission.evidence.registry import EvidenceRegistry
from remission.evidence.therapies import TherapyReading, therapy_readings
from remission.records.therapy_kinds import THERAPIES
from remission.report.chart import Chart, Table
from remission.report.look import INK, PAPER, QUIET, RULE, SOFT_BREAK, drawing

THERAPY_COLUMNS = (
    "record", "substance", "contrast", "endpoint", "day", "n", "statistic", "value (interval)", "read in", "finds",
    "used here",
)  # fmt: skip
"""Columns of the table under the plot."""

_DASH = (0, (3.2, 2.2))


def therapy_forest(registry: EvidenceRegistry, *, kind: str) -> Chart:
    """The forest plot of a kind of therapy, with its table.

    Raises SpecError: there is no such kind, or nothing was read of it.
    """
    readings = therapy_readings(registry, kind=kind)
    words = [one for one in readings if one.scale == "words"]
    measures = dict.fromkeys(one.measure for one in readings if one.scale != "words")
    panels = [[one for one in readings if one.scale != "words" and one.measure == name] for name in measures]
    heights = [*([1.5 * len(words) + 1.0] if words else []), *(1.6 * len(rows) + 1.5 for rows in panels)]
    name = THERAPIES[kind].name
    n_null = sum(one.finds == "no difference" for one in readings)
    title = (
        f"{name[:1].upper()}{name[1:]}: {len(readings)} result{'' if len(readings) == 1 else 's'} read, "
        f"{n_null} of no difference; not pooled"
    )
    with drawing():
        figure = Figure(figsize=(10.2, 0.42 * fsum(heights) + 1.0), layout="constrained")
        axes = list(figure.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights}).ravel())
        if words:
            _draw_words(axes.pop(0), words)
        for one, rows in zip(axes, panels, strict=True):
            _draw(one, rows)
        figure.suptitle(fill(title, 100), x=0.01, ha="left", fontsize=11.0, fontweight="bold")
        figure.legend(handles=_handles(), loc="outside lower left", ncols=2)
    return Chart(
        name=f"forest-therapy-{kind}",
        title=title,
        see="Each row is one published contrast with what the program does with it; a ratio has a logarithmic axis.",
        cannot="Rows differ in people, comparator and follow-up, so their order is no ranking and no mean is drawn.",
        figure=figure,
        table=Table(columns=THERAPY_COLUMNS, rows=[_row(one) for one in readings]),
    )


def _row(one: TherapyReading) -> list[str]:
    return [
        one.record, one.substance, one.contrast, one.endpoint,
        "not given" if one.time_days is None else f"{one.time_days:g}", "not given" if one.n is None else str(one.n),
        one.unit if one.scale == "words" else one.measure, _value(one), one.source_kind, one.finds, one.used,
    ]  # fmt: skip


def _value(one: TherapyReading) -> str:
    if one.value is None:
        return "in words"
    interval = "no interval read" if one.low is None or one.high is None else f"{one.low:g} to {one.high:g}"
    return f"{one.value:g} ({interval})"


def _draw(axes: Axes, rows: Sequence[TherapyReading]) -> None:
    is_log = rows[0].scale == "log"
    none = 1.0 if is_log else 0.0
    axes.set_title(f"Contrasts, not pooled: {rows[0].measure}")
    if is_log:
        axes.set_xscale("log")
    numbers = [none]
    for number, one in enumerate(rows):
        y = len(rows) - 1 - number
        assert one.value is not None, "a row of a panel has a number"
        if one.low is not None and one.high is not None:
            style: Any = "-" if one.is_first_hand else _DASH
            axes.plot([one.low, one.high], [y, y], color=INK, linewidth=1.0, linestyle=style, zorder=2)
        axes.plot([one.value], [y], marker="D", markersize=6.0, color=INK, zorder=3,
                  markerfacecolor=INK if one.is_first_hand else PAPER, markeredgewidth=1.2)  # fmt: skip
        numbers += [end for end in (one.value, one.low, one.high) if end is not None]
        _label(axes, y, one, f"{_value(one)}\n{one.finds}{'' if one.is_first_hand else '  ' + one.source_kind}")
    low, high = min(numbers), max(numbers)
    if is_log:
        axes.set_xlim(low / 1.2, high * 1.2)
        ticks = [t for t in (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0) if low / 1.2 <= t <= high * 1.2]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    else:
        margin = 0.08 * (high - low or 1.0)
        axes.set_xlim(low - margin, high + margin)
    axes.axvline(none, color=RULE, linewidth=1.2, zorder=1)
    axes.annotate("no effect", (none, -0.68), (3, 0), textcoords="offset points", fontsize=7.0, color=QUIET)
    axes.set_ylim(-0.75, len(rows) - 0.25)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"{rows[0].measure}, no unit" if "points" not in rows[0].measure else rows[0].measure)


def _draw_words(axes: Axes, rows: Sequence[TherapyReading]) -> None:
    """Results without a common axis, each a row."""
    axes.set_title("In words, or a number that is no contrast")
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    for number, one in enumerate(rows):
        y = len(rows) - 1 - number
        said = one.finds if one.value is None else f"{one.unit}: {one.value:g}"
        axes.axhline(y, color=RULE, linewidth=0.8, zorder=1)
        axes.text(
            0.5, y, fill(said, 44), ha="center", va="center", fontsize=8.4, color=INK, zorder=3,
            bbox={"boxstyle": "square,pad=0.35", "facecolor": PAPER, "edgecolor": INK, "linewidth": 0.9,
                  "linestyle": "-" if one.is_first_hand else "--"},
        )  # fmt: skip
        _label(axes, y, one, "" if one.is_first_hand else one.source_kind)


def _label(axes: Axes, y: float, one: TherapyReading, right: str) -> None:
    day = "" if one.time_days is None else f", day {one.time_days:g}"
    people = "" if one.n is None else f", n = {one.n}"
    lines = (f"{one.record}: {one.contrast}", one.endpoint + day + people)
    left = "\n".join(fill(line, 62).replace("\n", SOFT_BREAK) for line in lines)
    for x, text, align in ((-0.02, left, "right"), (1.02, right, "left")):
        axes.text(x, y, text, transform=axes.get_yaxis_transform(), ha=align, va="center", fontsize=7.4,
                  linespacing=1.2)  # fmt: skip


def _handles() -> list[Line2D]:
    return [
        Line2D([], [], color=INK, marker="D", linewidth=1.0, label="abstract or registry, with interval"),
        Line2D([], [], color=INK, marker="D", markerfacecolor=PAPER, linestyle=_DASH, linewidth=1.0,
               label="secondary, press or derived, as the word says"),
    ]  # fmt: skip
