"""The flow of people through a simulated trial, as a CONSORT diagram: medians and ranges over simulated trials."""

from collections.abc import Iterator, Sequence
from math import fsum
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from remission.design.flow import STEPS, ParticipantFlow
from remission.protocol.record import Protocol
from remission.report.chart import Chart, Table
from remission.report.look import INK, NARROW_IN, NARROW_PT, PAPER, QUIET, RULE, arm_styles, drawing
from remission.shapes import Int

_SHORT = {
    "received_all": "had {sessions}",
    "received_part": "had some",
    "received_none": "had none",
    "left_using": "left on a day with use",
    "left_clean": "left on a day without use",
    "in_custody": "in custody at some time",
    "followed": "followed to the end",
    "analyzed": "analyzed",
    "not_analyzed": "no value",
}
_GROUPS = (
    ("Treatment", ("received_all", "received_part", "received_none")),
    ("Follow-up", ("left_using", "left_clean", "in_custody", "followed")),
    ("Primary analysis", ("analyzed", "not_analyzed")),
)
_COLUMN_IN = 2.45


def count_text(counts: Int[np.ndarray, " replicate"]) -> str:
    """Median over trials with the lowest and the highest; one number where all trials have the same."""
    low, high, middle = int(counts.min()), int(counts.max()), float(np.median(counts))
    return f"{low}" if low == high else f"{middle:g} ({low} to {high})"


def flow_chart(protocol: Protocol, flow: ParticipantFlow) -> Chart:
    """The diagram: screened, not eligible, randomized, then a column an arm."""
    n_arms = len(flow.arms)
    width = max(9.4, _COLUMN_IN * n_arms)
    with drawing():
        height = 5.25 if flow.recruitment is None else 6.4
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, width)
        axes.set_ylim(0.0, height)
        axes.axis("off")
        _head(axes, flow, width)
        for index, style in enumerate(arm_styles(protocol)):
            middle = width * (index + 0.5) / n_arms
            _column(axes, protocol, flow, index, middle, style.color)
    left = flow.steps["left_using"] + flow.steps["left_clean"]
    total = flow.steps["allocated"].sum(axis=1)
    return Chart(
        name="flow",
        title=(
            f"Of {count_text(total)} people randomized, {count_text(left.sum(axis=1))} leave before the end, simulated"
        ),
        see=(
            f"Simulated: the median of {flow.n_replicates} trials, in brackets the lowest and the highest of them. "
            "Boxes run down from screening to the analysis, one column an arm."
        ),
        cannot=(
            "Why somebody leaves is known to the model only as use or no use on that day; withdrawal by a doctor, "
            "moving away and death are not simulated."
            + (
                ""
                if flow.recruitment is not None
                else " The protocol says nothing of recruitment: screening is left out."
            )
        ),
        figure=figure,
        phone=_phone(protocol, flow),
        table=_table(protocol, flow),
    )


def _phone(protocol: Protocol, flow: ParticipantFlow) -> tuple[Figure, ...]:
    """The same for a phone: first who came in, then a picture an arm, so that a tablet shows two side by side."""
    allocated = flow.steps["allocated"].sum(axis=1)
    head: list[tuple[list[str], str]] = []
    if flow.recruitment is not None:
        screened = flow.recruitment.n_screened
        head.append(([f"Screened: {count_text(screened)}"], INK))
        head.append(([f"Not eligible or declined: {count_text(screened - allocated)}"], RULE))
    head.append(([f"Randomized: {count_text(allocated)}"], INK))
    arms: list[list[tuple[list[str], str]]] = []
    for index, style in enumerate(arm_styles(protocol)):
        label = [*fill(style.label, 36).split("\n"), _line(flow, index, "allocated", "allocated")]
        arms.append([(label, style.color), *((lines, RULE) for lines in _groups(protocol, flow, index))])
    return tuple(_boxes(boxes) for boxes in (head, *arms))


def _boxes(boxes: Sequence[tuple[list[str], str]]) -> Figure:
    """Boxes below each other, a line from each to the next."""
    heights = [0.2 + 0.22 * len(lines) for lines, _ in boxes]
    gap, edge_in = 0.14, 0.08
    whole = fsum(heights) + gap * (len(boxes) - 1) + 2.0 * edge_in
    with drawing():
        figure = Figure(figsize=(NARROW_IN, whole))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_xlim(0.0, NARROW_IN)
        axes.set_ylim(0.0, whole)
        axes.axis("off")
        top = whole - edge_in
        for number, ((lines, edge), height) in enumerate(zip(boxes, heights, strict=True)):
            if number:
                axes.plot([NARROW_IN / 2.0] * 2, [top, top - gap], color=QUIET, linewidth=0.8, zorder=1)
                top -= gap
            _box(
                axes, NARROW_IN / 2.0, top - height / 2.0, NARROW_IN - 0.2, lines, bold=edge != RULE,
                color=INK if edge == RULE else edge, has_heading=edge == RULE and len(lines) > 1, line_in=0.22,
                letters_pt=NARROW_PT,
            )  # fmt: skip
            top -= height
    return figure


def _head(axes: Axes, flow: ParticipantFlow, width: float) -> None:
    middle = width / 2.0
    randomized = f"Randomized: {count_text(flow.steps['allocated'].sum(axis=1))}"
    if flow.recruitment is not None:
        screened = flow.recruitment.n_screened
        failed = screened - flow.steps["allocated"].sum(axis=1)
        _box(axes, middle, 5.95, 2.6, [f"Screened: {count_text(screened)}"], bold=True)
        _box(axes, middle + 3.0, 5.45, 2.7, [f"Not eligible or declined: {count_text(failed)}"])
        axes.plot([middle, middle], [5.75, 5.1], color=QUIET, linewidth=0.8)
        axes.plot([middle, middle + 1.65], [5.45, 5.45], color=QUIET, linewidth=0.8)
    _box(axes, middle, 4.9, 2.6, [randomized], bold=True)
    n_arms = len(flow.arms)
    ends = [width * 0.5 / n_arms, width * (n_arms - 0.5) / n_arms]
    axes.plot([middle, middle], [4.7, 4.45], color=QUIET, linewidth=0.8)
    axes.plot(ends, [4.45, 4.45], color=QUIET, linewidth=0.8)


def _column(axes: Axes, protocol: Protocol, flow: ParticipantFlow, index: int, middle: float, color: str) -> None:
    arm = protocol.arms[index]
    top = 3.85
    axes.plot([middle, middle], [4.45, 0.3], color=QUIET, linewidth=0.8, zorder=1)
    label = fill(arm.label, 30).split("\n")[:2]
    _box(
        axes,
        middle,
        top,
        _COLUMN_IN - 0.25,
        [*label, _line(flow, index, "allocated", "allocated")],
        bold=True,
        color=color,
    )
    top -= 1.05
    for lines in _groups(protocol, flow, index):
        _box(axes, middle, top, _COLUMN_IN - 0.25, lines, has_heading=True)
        top -= 1.2


def _groups(protocol: Protocol, flow: ParticipantFlow, index: int) -> Iterator[list[str]]:
    """What happens to the people of an arm: a heading and its lines, box by box."""
    for title, names in _GROUPS:
        lines = [_line(flow, index, name, _SHORT[name].format(sessions=_planned(protocol, index)))
                 for name in names if name in flow.shown_steps]  # fmt: skip
        if title == "Treatment" and not flow.has_treatment[index]:
            lines = ["none planned"]
        if title == "Primary analysis" and not flow.in_contrast[index]:
            lines = ["not in this contrast"]
        if lines:
            yield [title, *lines]


def _planned(protocol: Protocol, index: int) -> str:
    arm = protocol.arms[index]
    if arm.drug_starts:
        count, noun = sum(len(protocol.drugs[name].infusions) for _, name in arm.drug_starts), "infusion"
    else:
        count, noun = sum(len(course.sessions) for course in protocol.courses_of(arm)), "session"
    return f"the {noun}" if count == 1 else f"all {count} {noun}s"


def _line(flow: ParticipantFlow, index: int, name: str, words: str) -> str:
    return f"{words}: {count_text(flow.steps[name][:, index])}"


def _box(
    axes: Axes,
    x: float,
    y: float,
    width: float,
    lines: list[str],
    *,
    bold: bool = False,
    color: str = INK,
    has_heading: bool = False,
    line_in: float = 0.185,
    letters_pt: float = 7.4,
) -> None:
    """A box centered at a point, its lines below each other; a heading is quiet."""
    height = 0.2 + line_in * len(lines)
    axes.add_patch(
        Rectangle(
            (x - width / 2.0, y - height / 2.0),
            width,
            height,
            facecolor=PAPER,
            edgecolor=RULE if color == INK else color,
            linewidth=1.0,
            zorder=2,
        )
    )
    for number, line in enumerate(lines):
        at = y + height / 2.0 - 0.015 - line_in * (number + 1)
        is_heading = has_heading and number == 0
        axes.text(
            x, at, line, ha="center", va="center", fontsize=letters_pt, zorder=3,
            color=QUIET if is_heading else INK, fontweight="bold" if bold and number == 0 else "normal",
        )  # fmt: skip


def _table(protocol: Protocol, flow: ParticipantFlow) -> Table:
    rows: list[list[str]] = []
    blank = [""] * len(flow.arms)
    total = flow.steps["allocated"].sum(axis=1)
    if flow.recruitment is not None:
        screened = flow.recruitment.n_screened
        rows += [
            ["Screened", count_text(screened), *blank],
            ["Not eligible or declined", count_text(screened - total), *blank],
        ]
    rows.append(["Randomized", count_text(total), *blank])
    for name in flow.shown_steps:
        counts = flow.steps[name]
        cells = []
        for index in range(len(flow.arms)):
            is_out = name.endswith("analyzed") and not flow.in_contrast[index]
            is_untreated = name.startswith("received") and not flow.has_treatment[index]
            cells.append(
                "not in this contrast" if is_out else "none planned" if is_untreated else count_text(counts[:, index])
            )
        rows.append([STEPS[name], count_text(counts.sum(axis=1)), *cells])
    return Table(
        columns=("people, median (lowest to highest of trials)", "all arms", *(arm.label for arm in protocol.arms)),
        rows=rows,
    )
