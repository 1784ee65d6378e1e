"""A forest plot of published numbers: one row each, how it was read always visible, pooled only where that is allowed.

Results in words come first, as rows of their own: "no difference" without a number is a result.
Ink diamond, filled, with its interval as a thin line: read in an abstract or registry. Open diamond with a dashed
line and the word: secondary, press, derived. One panel for each statistic, because numbers of different statistics have
no common axis; the line of no effect is drawn for contrasts only.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum
from pathlib import Path
from textwrap import fill
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from remission.errors import SpecError
from remission.evidence.classes import (
    Measure,
    comparison_of,
    design_of,
    is_difference,
    is_percent,
    measure_of,
    min_contrasts,
)
from remission.evidence.contrasts import ContrastGroup, find_endpoint, group_contrasts, outcomes_of
from remission.evidence.pooling import PooledEffect
from remission.evidence.registry import EvidenceRegistry
from remission.evidence.verdicts import NO_DIFFERENCE, Verdict, direction_of_outcome, verdicts_of
from remission.files import new_bytes
from remission.records.evidence import StudyOutcome, StudyRecord
from remission.report.chart import Chart, Table
from remission.report.evidence_text import pooled_text, value_text
from remission.report.look import INK, QUIET, RULE, SOFT_BREAK, drawing

FOREST_COLUMNS = (
    "study",
    "arm or contrast",
    "endpoint",
    "day",
    "n",
    "statistic",
    "value (interval)",
    "read in",
    "design",
    "direction",
)
"""Columns of the table under a forest plot."""

_PERCENT = "percent, 0 to 100"
_DASH = (0, (3.2, 2.2))
_BETTER = {"higher": "higher is better", "lower": "lower is better", "neither": ""}


@dataclass(frozen=True, slots=True)
class _Panel:
    """The rows that share an axis; ``measure`` is None where the rows cannot be combined."""

    label: str
    measure: Measure | None
    is_contrast: bool
    rows: tuple[tuple[StudyRecord, StudyOutcome], ...]
    groups: tuple[ContrastGroup, ...]

    @property
    def is_log(self) -> bool:
        return self.measure is not None and self.measure.scale == "log"


def forest_rows(registry: EvidenceRegistry, *, substance: str, endpoint: str) -> list[list[str]]:
    """The table under the plot: every result in words and every number, in the columns of :data:`FOREST_COLUMNS`.

    Raises SpecError: an unknown substance or endpoint.
    """
    in_words = [
        [
            one.study.id,
            one.contrast,
            one.endpoint,
            "not given" if one.time_days is None else f"{one.time_days:g}",
            "not given" if one.n is None else str(one.n),
            "in words",
            one.says,
            one.source_kind,
            design_of(one.study.id),
            one.direction,
        ]
        for one in verdicts_of(registry, substance=substance, endpoint=endpoint)
    ]
    return in_words + [
        [
            study.id,
            item.arm_or_contrast,
            item.endpoint,
            "not given" if item.time_days is None else f"{item.time_days:g}",
            "not given" if item.n is None else str(item.n),
            item.statistic,
            value_text(item),
            item.source_kind,
            design_of(study.id),
            direction_of_outcome(study, item),
        ]
        for study, item in outcomes_of(registry, substance=substance, endpoint=endpoint)
    ]


def forest_chart(registry: EvidenceRegistry, *, substance: str, endpoint: str) -> Chart:
    """The forest plot of a substance and a class of endpoints, with its table.

    Raises SpecError: an unknown substance or endpoint, or no result.
    """
    found = find_endpoint(endpoint)
    rows = outcomes_of(registry, substance=substance, endpoint=endpoint)
    words = verdicts_of(registry, substance=substance, endpoint=endpoint)
    if not rows and not words:
        raise SpecError(
            where=f"forest of {substance}, {endpoint}",
            got="no result",
            allowed="a substance and an endpoint that the registry has a result for",
            remedy=f"See remission evidence list --substance {substance}.",
        )
    groups = group_contrasts(registry, substance=substance, endpoint=endpoint)
    panels = _panels(rows, groups)
    heights = [len(panel.rows) + sum(group.pooled is not None for group in panel.groups) + 1.7 for panel in panels]
    if words:
        heights.insert(0, len(words) + 1.2)
    with drawing():
        figure = Figure(figsize=(10.2, 0.46 * fsum(heights) + 1.0), layout="constrained")
        axes = figure.subplots(len(heights), 1, squeeze=False, gridspec_kw={"height_ratios": heights}).ravel()
        if words:
            _draw_words(axes[0], words)
        for one, panel in zip(axes[len(heights) - len(panels) :], panels, strict=True):
            _draw(one, panel)
        engine: Any = figure.get_layout_engine()
        engine.set(h_pad=0.1, w_pad=0.06)
        title = _finding(substance, found.label, rows, groups, words)
        figure.suptitle(fill(title, 100), x=0.01, ha="left", fontsize=11.0, fontweight="bold")
        figure.legend(handles=_handles(groups), loc="outside lower left", ncols=4)
    return Chart(
        name=f"forest-{substance.replace(' ', '-')}-{endpoint}",
        title=title,
        see=(
            "Each row is one published result: filled diamond, read in an abstract or registry; open diamond with the "
            f"word, read elsewhere or derived.{_words_note(words)}{_better_note(found.better)}{_interval_note(rows)}"
        ),
        cannot=" ".join(
            [
                "Rows differ in people, treatment and follow-up, so their order is no ranking.",
                *(f"{group.comparison}, {group.measure}, {group.time_band}: {pooled_text(group)}" for group in groups),
            ]
        ),
        figure=figure,
        table=Table(columns=FOREST_COLUMNS, rows=forest_rows(registry, substance=substance, endpoint=endpoint)),
    )


def save_forest(chart: Chart, file: Path) -> None:
    """Write the figure as SVG or PNG, by the ending of the file.

    Raises SpecError: another ending; RunError: the file cannot be written; WorkError: the disk refused half-way.
    """
    kind = file.suffix.lower().removeprefix(".")
    if kind not in {"svg", "png"}:
        raise SpecError(where="--out", got=str(file), allowed="a name that ends in .svg or .png")
    facts = {"Date": None, "Creator": "remission"} if kind == "svg" else {"Software": "remission"}
    with drawing(), new_bytes(file, replace=True) as stream:
        chart.figure.savefig(stream, format=kind, dpi=144, metadata=facts)


def _panels(rows: Sequence[tuple[StudyRecord, StudyOutcome]], groups: Sequence[ContrastGroup]) -> list[_Panel]:
    """One panel for each statistic, contrasts apart from single arms; percentages of single arms together."""
    keys: dict[tuple[str, bool], list[tuple[StudyRecord, StudyOutcome]]] = {}
    for study, item in rows:
        percent = is_percent(statistic=item.statistic, endpoint=item.endpoint)
        is_contrast = comparison_of(item.arm_or_contrast) is not None and not percent
        measure = measure_of(item.statistic)
        label = _PERCENT if percent else measure.label if measure else item.statistic
        keys.setdefault((label, is_contrast), []).append((study, item))
    panels = [
        _Panel(
            label=label,
            measure=measure_of(kept[0][1].statistic),
            is_contrast=is_contrast,
            rows=tuple(kept),
            groups=tuple(group for group in groups if is_contrast and group.measure == label),
        )
        for (label, is_contrast), kept in keys.items()
    ]
    return sorted(panels, key=lambda panel: (panel.measure is None, not panel.is_contrast))


def _draw(axes: Axes, panel: _Panel) -> None:
    pooled = [(group, group.pooled) for group in panel.groups if group.pooled is not None]
    total = len(panel.rows) + len(pooled)
    what = _contrast_title(panel) if panel.is_contrast else "Single arms, no comparison"
    axes.set_title(fill(f"{what}: {panel.label}", 60))
    if panel.is_log:
        axes.set_xscale("log")
    for number, (study, item) in enumerate(panel.rows):
        _draw_row(axes, total - 1 - number, study, item)
    for number, (group, effect) in enumerate(pooled):
        _draw_pooled(axes, len(pooled) - 1 - number, group, effect)
    axes.set_ylim(-0.75, total - 0.25)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    _set_limits(axes, panel, [effect for _, effect in pooled])
    axes.set_xlabel(_unit_text(panel))


def _draw_words(axes: Axes, words: Sequence[Verdict]) -> None:
    """Results in words, each a row: no axis, because they have no number."""
    axes.set_title("Results in words, no number given")
    axes.set_xlim(0.0, 1.0)
    axes.set_ylim(-0.6, len(words) - 0.4)
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_visible(False)
    for number, one in enumerate(words):
        y = len(words) - 1 - number
        day = "" if one.time_days is None else f", day {one.time_days:g}"
        name = _folded(f"{one.study.id}: {one.contrast}")
        _write(axes, -0.02, y, f"{name}\n{fill(one.endpoint, 58)[:58]}{day}", align="right")
        edge: Any = "-" if one.is_first_hand else _DASH
        axes.axhline(y, color=RULE, linewidth=0.8, zorder=1)
        axes.text(
            0.5, y, one.text, ha="center", va="center", fontsize=8.4, color=INK, zorder=3,
            bbox={"boxstyle": "square,pad=0.35", "facecolor": "#fdfcf9", "edgecolor": INK, "linewidth": 0.9,
                  "linestyle": edge},
        )  # fmt: skip
        _write(axes, 1.02, y, one.direction + ("" if one.is_first_hand else f"  {one.source_kind}"), align="left")


def _contrast_title(panel: _Panel) -> str:
    if any(group.pooled is not None for group in panel.groups):
        return "Contrasts"
    most = max((len(group.used) for group in panel.groups), default=0)
    return f"Contrasts, not pooled ({most or 'none'} comparable, {min_contrasts()} needed)"


def _draw_row(axes: Axes, y: float, study: StudyRecord, item: StudyOutcome) -> None:
    assert item.value is not None
    is_first_hand = item.is_first_hand
    if item.ci_low is not None and item.ci_high is not None:
        style: Any = "-" if is_first_hand else _DASH
        axes.plot([item.ci_low, item.ci_high], [y, y], color=INK, linewidth=1.0, linestyle=style, zorder=2)
    axes.plot([item.value], [y], marker="D", markersize=6.0, color=INK, zorder=3,
              markerfacecolor=INK if is_first_hand else "#fdfcf9", markeredgewidth=1.2)  # fmt: skip
    day = "" if item.time_days is None else f", day {item.time_days:g}"
    people = "" if item.n is None else f", n = {item.n}"
    name = _folded(f"{study.id}: {item.arm_or_contrast}")
    _write(axes, -0.02, y, f"{name}\n{item.endpoint[:54]}{day}{people}", align="right")
    kind = "" if is_first_hand else f"  {item.source_kind}"
    direction = direction_of_outcome(study, item)
    below = f"\n{direction}" if direction else ""
    _write(axes, 1.02, y, f"{value_text(item)}{below}{kind}", align="left")


def _draw_pooled(axes: Axes, y: float, group: ContrastGroup, effect: PooledEffect) -> None:
    def shown(number: float) -> float:
        return math.exp(number) if group.scale == "log" else number

    mean, low, high = shown(effect.estimate), shown(effect.low), shown(effect.high)
    ends = [shown(effect.predicted_low), shown(effect.predicted_high)]
    axes.plot(ends, [y, y], color=QUIET, linewidth=1.0, linestyle=(0, (1.2, 1.6)))
    axes.fill([low, mean, high, mean], [y, y + 0.24, y, y - 0.24], color=QUIET)
    _write(axes, -0.02, y, f"pooled: {_folded(group.comparison)}\n{group.time_band}", align="right")
    _write(
        axes, 1.02, y, f"{mean:.3g} ({low:.3g} to {high:.3g})\nnew trial {ends[0]:.3g} to {ends[1]:.3g}", align="left"
    )


def _folded(name: str) -> str:
    return fill(name, 58).replace("\n", SOFT_BREAK)


def _write(axes: Axes, x: float, y: float, text: str, *, align: Any) -> None:
    axes.text(x, y, text, transform=axes.get_yaxis_transform(), ha=align, va="center", fontsize=7.6, linespacing=1.25)


def _set_limits(axes: Axes, panel: _Panel, pooled: list[PooledEffect]) -> None:
    numbers = [
        float(number)
        for _, item in panel.rows
        for number in (item.value, item.ci_low, item.ci_high)
        if number is not None
    ]
    for effect in pooled:
        ends = (effect.predicted_low, effect.predicted_high)
        numbers += [math.exp(end) if panel.is_log else end for end in ends]
    if not panel.is_log:
        numbers += [0.0, 100.0] if panel.label == _PERCENT else [0.0]
    none = 1.0 if panel.is_log else 0.0
    # A difference in a unit of its own has a line of no effect too, though it is never combined.
    has_line = panel.is_contrast and (panel.measure is not None or is_difference(panel.label))
    if panel.is_log:
        numbers.append(none)
    low, high = min(numbers), max(numbers)
    if panel.is_log:
        axes.set_xlim(low / 1.15, high * 1.15)
        ticks = [
            t for t in (0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0) if low / 1.15 <= t <= high * 1.15
        ]
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    else:
        margin = 0.05 * (high - low or abs(high) or 1.0)
        axes.set_xlim(low - margin, high + margin)
    if has_line:
        axes.axvline(none, color=RULE, linewidth=1.2, zorder=1)
        axes.annotate("no effect", (none, -0.68), (3, 0), textcoords="offset points", fontsize=7.0, color=QUIET)


def _unit_text(panel: _Panel) -> str:
    if panel.is_log:
        return f"{panel.label}, no unit, logarithmic axis"
    return "ratio as the source words it, no unit" if panel.label == "ratio" else panel.label


def _finding(
    substance: str,
    label: str,
    rows: Sequence[tuple[StudyRecord, StudyOutcome]],
    groups: Sequence[ContrastGroup],
    words: Sequence[Verdict],
) -> str:
    n_studies = len({study.id for study, _ in rows})
    n_pooled = sum(group.pooled is not None for group in groups)
    most = max((len(group.used) for group in groups), default=0)
    verdict = (
        f"{n_pooled} comparison{'' if n_pooled == 1 else 's'} pooled"
        if n_pooled
        else f"not pooled, {most or 'no'} comparable contrast{'s' if most > 1 else ''}, {min_contrasts()} needed"
    )
    numbers = (
        f"{len(rows)} number{'' if len(rows) == 1 else 's'} from {n_studies} source{'' if n_studies == 1 else 's'}"
    )
    n_null = sum(one.says == NO_DIFFERENCE for one in words)
    in_words = (
        f"{len(words)} result{'' if len(words) == 1 else 's'} in words, {n_null} of no difference; " if words else ""
    )
    return f"{label}, {substance}: {in_words}{numbers}; {verdict}"


def _words_note(words: Sequence[Verdict]) -> str:
    is_second_hand = any(not one.is_first_hand for one in words)
    dashed = " A dashed frame: read elsewhere, as the word says." if is_second_hand else ""
    return f" A frame holds a result that its source gives in words.{dashed}" if words else ""


def _better_note(better: str) -> str:
    return f" {_BETTER[better].capitalize()}." if _BETTER[better] else ""


def _interval_note(rows: Sequence[tuple[StudyRecord, StudyOutcome]]) -> str:
    is_ours = any(item.ci_method for _, item in rows)
    return " Wilson intervals of counts were computed here, they are not the papers'." if is_ours else ""


def _handles(groups: Sequence[ContrastGroup]) -> list[Line2D]:
    handles = [
        Line2D([], [], color=INK, marker="D", linewidth=1.0, label="abstract or registry, with interval"),
        Line2D([], [], color=INK, marker="D", markerfacecolor="#fdfcf9", linestyle=_DASH, linewidth=1.0,
               label="secondary, press or derived, as the word says"),
    ]  # fmt: skip
    if any(group.pooled is not None for group in groups):
        handles.append(
            Line2D([], [], color=QUIET, marker="d", linestyle=(0, (1.2, 1.6)), label="pooled, with prediction")
        )
    return handles
