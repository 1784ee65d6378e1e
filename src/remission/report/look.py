"""The look: colors and lines by meaning, the same in every figure.

Published is an ink diamond with a thin interval; simulated is a coloured line or bar with a named band; assumed is
dashed and says so. Shape, dash and label carry the meaning too, color is the second carrier.
"""

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from math import fsum
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.text import Annotation, Text
from matplotlib.ticker import FixedFormatter, FixedLocator, MaxNLocator
from matplotlib.transforms import ScaledTranslation

from remission.files import write_bytes
from remission.protocol.record import Protocol
from remission.records.packaged import read_library_toml
from remission.report.arm_kinds import arm_kind
from remission.report.fixed_order import fixed_order
from remission.report.measured_once import measured_once
from remission.report.vector import pictures

LOOK = read_library_toml(files("remission.report").joinpath("look.toml"))
INK, QUIET, RULE, PAPER = (LOOK["colors"][name] for name in ("ink", "quiet", "rule", "paper"))
CIRCUITS: dict[str, str] = LOOK["circuits"]
DASHES: dict[str, Any] = {"solid": "-"} | {name: (0, tuple(lengths)) for name, lengths in LOOK["dashes"].items()}
_SETTINGS: dict[Any, Any] = {
    name: value.format(**LOOK["colors"]) if isinstance(value, str) else value
    for name, value in LOOK["settings"].items()
}

# Ketamine with therapy, ketamine, therapy, neither: in this order in every legend and table.
_KINDS = (
    ("#3d35a0", "-", "o"),
    ("#2a78b8", DASHES["long"], "s"),
    ("#13807a", DASHES["mixed"], "^"),
    ("#6a6f7a", (0, (1.4, 1.3)), "D"),
)


@dataclass(frozen=True, slots=True)
class ArmStyle:
    """How one arm is drawn."""

    label: str
    color: str
    dash: Any
    marker: str
    kind: int


def arm_styles(protocol: Protocol) -> list[ArmStyle]:
    """Styles of the arms, in the protocol's order; arms of one kind differ by lightness."""
    kinds = [arm_kind(arm, protocol) for arm in protocol.arms]
    styles = []
    for number, (arm, kind) in enumerate(zip(protocol.arms, kinds, strict=True)):
        color, dash, marker = _KINDS[kind]
        turn, count = kinds[:number].count(kind), kinds.count(kind)
        styles.append(ArmStyle(arm.label, _lighter(color, 0.6 * turn / max(count, 3)), dash, marker, kind))
    return styles


def _lighter(color: str, share: float) -> str:
    parts = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(part + (255 - part) * share):02x}" for part in parts)


LEAST_PX = 11.0
"""No letter of a figure on a page is smaller. [px]"""
LEAST_PT = 8.2
"""Smallest letters of a figure; with the widest figure they have 11 pixels in the width of a page. [pt]"""
NARROW_IN, NARROW_PT = 4.1, 11.3
"""Width and smallest letters of a figure laid out for a phone. [in], [pt]"""
_MOST_TICKS = 6
_LEAST_HIGH_IN, _FEW_PANELS = 1.9, 8
"""How high a panel is at least on a phone, where there are not many. [in]"""
SOFT_BREAK = " \n"
"""A line of words that goes on: on a phone it is broken elsewhere."""
_LINE, _LINE_IN = 42, 0.2
"""Letters in a line on a phone, and its height. [in]"""
_NEAR_END = 0.7
"""Where along an axis words go to the left of their place. [share]"""
_BELOW_IN = 0.4
"""Height of a row below the first one. [in]"""
_ONE_AT_A_TIME = threading.RLock()
"""Matplotlib's settings belong to the process: two threads that draw would take each other's."""


@contextmanager
def drawing() -> Iterator[None]:
    """Settings under which every figure is drawn; restored afterwards. Only one thread draws at a time."""
    with _ONE_AT_A_TIME, mpl.rc_context(_SETTINGS), fixed_order(), measured_once():
        yield


@contextmanager
def canvas(width: float, height: float) -> Iterator[tuple[Figure, Axes]]:
    """A figure with one pair of axes, drawn under these settings. [inch]"""
    with drawing():
        figure = Figure(figsize=(width, height), layout="constrained")
        yield figure, figure.subplots()


def finish(axes: Axes, *, x: str, y: str, title: str = "") -> None:
    """Labels, title and light horizontal rules."""
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    if title:
        axes.set_title(title)
    axes.grid(visible=True, axis="y")
    axes.set_axisbelow(True)


def _texts(artist: Artist) -> Iterator[Text]:
    """Every text in a part of a figure; ``findobj`` adds lists to lists, and takes three times as long."""
    for part in artist.get_children():
        if isinstance(part, Text):
            yield part
        yield from _texts(part)


def legible(figure: Figure, *, letters_pt: float = LEAST_PT) -> float:
    """Raise what is written smaller, and give the width at which nothing is below 11 pixels. [px]"""
    usual: Any = mpl.rcParams["xtick.labelsize"]
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        # Ticks may be made as late as in drawing.
        if (axis.get_tick_params() or {}).get("labelsize", usual) < letters_pt:
            axis.set_tick_params(labelsize=letters_pt)
    sizes = []
    for text in _texts(figure):
        if text.get_text().strip() and text.get_visible():
            if float(text.get_fontsize()) < letters_pt:
                text.set_fontsize(letters_pt)
            sizes.append(float(text.get_fontsize()))
    return LEAST_PX / min(sizes, default=LEAST_PT) * 72.0 * float(figure.get_size_inches()[0])


def narrow(figure: Figure) -> bool:
    """Lay a figure out for a phone: one panel a row, larger letters. False, and as it was, where it has no panel.

    Words beside a panel, as in a forest plot, go above their rows. What is drawn between panels is left out; a panel
    that has its heading there has it as its label, too.
    """
    panels = [axes for axes in figure.axes if axes.get_visible() and axes.axison]
    if not panels:
        return False
    height, least = float(figure.get_size_inches()[1]), _LEAST_HIGH_IN if len(panels) <= _FEW_PANELS else 1.1
    is_forest = any(map(_words_beside, panels))
    heights = [
        _words_above(axes)
        if _words_beside(axes)
        else max(least, min(3.0, height * axes.get_position().height), _rows_in(axes))
        for axes in panels
    ]
    for artist in (*figure.artists, *figure.texts):
        artist.set_visible(False)
    for axes in figure.axes:
        if axes not in panels:
            axes.set_visible(False)
    figure.set_layout_engine("constrained")
    rows = 0
    grid = GridSpec(len(panels), 1, figure=figure, height_ratios=heights)
    for index, axes in enumerate(panels):
        axes.set_subplotspec(grid[index, 0])
        title, heading = axes.get_title(loc="left") or axes.get_title(), str(axes.get_label())
        axes.set_title("")
        axes.set_title(fill(f"{heading}: {title}" if heading else title, 34), loc="left")
        axes.xaxis.label.set_visible(True)
        axes.set_xlabel("\n".join(fill(line, 36) for line in axes.get_xlabel().split("\n")))
        axes.set_ylabel(fill(axes.get_ylabel(), max(16, round(9.0 * heights[0]))))
        _thin_out(axes)
        rows += _legend_below(axes)
    for legend in list(figure.legends):
        words = [fill(text.get_text(), 36) for text in legend.get_texts()]
        handles = [one for one in legend.legend_handles if one is not None]
        figure.legend(handles=handles, labels=words, loc="outside lower left", ncols=1)
        legend.remove()
        rows += len(words)
    rows += sum(axes.get_title(loc="left").count("\n") + axes.get_xlabel().count("\n") for axes in panels)
    figure.set_size_inches(NARROW_IN, fsum(heights) + 0.75 * len(panels) + 0.21 * rows)
    legible(figure, letters_pt=NARROW_PT)
    if is_forest:
        _stack(figure, panels, heights)
    return True


def _stack(figure: Figure, panels: Sequence[Axes], heights: Sequence[float]) -> None:
    """Put panels below each other by the inch: letters above their rows do not shrink with a panel."""
    heads = [0.3 + 0.22 * axes.get_title(loc="left").count("\n") for axes in panels]
    feet = [0.65 + 0.22 * axes.get_xlabel().count("\n") if len(axes.get_xticks()) else 0.2 for axes in panels]
    rows = sum(text.get_text().count("\n") + 1 for legend in figure.legends for text in legend.get_texts())
    total = fsum(heads) + fsum(heights) + fsum(feet) + 0.27 * rows + 0.3
    figure.set_layout_engine("none")
    figure.set_size_inches(NARROW_IN, total)
    top = total
    for axes, head, height, foot in zip(panels, heads, heights, feet, strict=True):
        axes.set_position((0.02, (top - head - height) / total, 0.94, height / total))
        top -= head + height + foot


def _legend_below(axes: Axes) -> int:
    """Put the legend of a panel below it, with what stood at the ends of its lines; how many rows it has."""
    ends = [one for one in axes.texts if isinstance(one, Annotation) and one.xycoords == ("axes fraction", "data")]
    beyond = [one for one in ends if one.xy[0] >= 1.0]
    legend = axes.get_legend()
    if beyond:
        for one in beyond:
            one.set_visible(False)
        handles, words = axes.get_legend_handles_labels()
    elif legend is not None:
        handles = [one for one in legend.legend_handles if one is not None]
        words = [text.get_text() for text in legend.get_texts()]
    else:
        return 0
    below = axes.transAxes + ScaledTranslation(0.0, -0.48, axes.figure.dpi_scale_trans)
    axes.legend(
        handles, [fill(one, 36) for one in words], loc="upper left", bbox_to_anchor=(-0.05, 0.0), bbox_transform=below,
        borderaxespad=0.0,
    )  # fmt: skip
    return len(words)


def _words_beside(axes: Axes) -> dict[float, list[Text]]:
    """Words that a panel has outside of it, by the row they belong to, from left to right."""
    found: dict[float, list[Text]] = {}
    for text in sorted(axes.texts, key=lambda text: text.get_position()[0]):
        if text.get_text().strip() and text.get_transform() == axes.get_yaxis_transform():
            found.setdefault(text.get_position()[1], []).append(text)
    return found


def _words_above(axes: Axes) -> float:
    """Put words beside rows above them, each row as high as its words need; the height of the panel. [in]"""
    beside, foot = _words_beside(axes), 0.15
    for one in axes.texts:
        at = (
            axes.transAxes.inverted().transform(axes.transData.transform(one.xy))
            if isinstance(one, Annotation)
            else [0]
        )
        if at[0] > _NEAR_END:
            one.set(ha="right", position=(-3, 0))
    inside = {y: [one for one in axes.texts if one.get_position()[1] == y and one not in beside[y]] for y in beside}
    rows, places = sorted(beside), []
    for y in rows:
        boxes = [fill(one.get_text(), _LINE) for one in inside[y]]
        for one, words in zip(inside[y], boxes, strict=True):
            one.set_text(words)
        half = max([0.16, *(0.12 + 0.5 * _LINE_IN * len(words.splitlines()) for words in boxes)])
        first, *others = beside[y]
        lines = [line for one in beside[y] for line in one.get_text().replace(SOFT_BREAK, " ").splitlines()]
        folded = [fill(re.sub(r"\b(day|n|=) ", "\\1\u00a0", line), _LINE) for line in lines]
        for one in others:
            one.set_visible(False)
        first.set(text="\n".join(folded), x=0.0, ha="left", va="bottom")
        first.set_bbox({"facecolor": PAPER, "edgecolor": "none", "pad": 0.0})
        first.set_transform(axes.get_yaxis_transform() + ScaledTranslation(0.0, half, axes.figure.dpi_scale_trans))
        places.append(foot + half)
        foot += 2.0 * half + _LINE_IN * (1 + sum(line.count("\n") + 1 for line in folded))
    # A row is where its words leave it room; what is written below the first row stays there.
    ends = [rows[0] - 1.0, *rows, rows[-1] + 1.0], [places[0] - _BELOW_IN, *places, foot]
    axes.set_yscale("function", functions=(lambda y: np.interp(y, *ends), lambda place: np.interp(place, *ends[::-1])))
    axes.set_ylim(rows[0] - places[0] / _BELOW_IN, rows[-1] + 1.0)
    axes.set_yticks([])
    return foot


def _thin_out(axes: Axes) -> None:
    """Every second or third tick where there are too many for the width; names of rows in shorter lines."""
    locator = axes.xaxis.get_major_locator()
    if isinstance(locator, FixedLocator):
        ticks, words = list(axes.get_xticks()), [one.get_text() for one in axes.get_xticklabels()]
        step = -(-len(ticks) // _MOST_TICKS)
        if step > 1 and not has_names(axes.xaxis):
            axes.set_xticks(ticks[::step])
        elif step > 1:
            axes.set_xticks(ticks[::step], words[::step])
    elif isinstance(locator, MaxNLocator):
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=bool(getattr(locator, "_integer", False))))
    axes.tick_params(labelsize=NARROW_PT)
    if has_names(axes.yaxis):
        # Beside each other two panels share the names of their rows; below each other each has its own.
        axes.tick_params(axis="y", labelleft=True)
        axes.set_yticks(axes.get_yticks(), _names_of(axes))


def _names_of(axes: Axes) -> list[str]:
    """Names of rows in the lines that a phone has room for."""
    formatter = axes.yaxis.get_major_formatter()
    return [fill(formatter(place, at), 16) for at, place in enumerate(axes.get_yticks())]


def _rows_in(axes: Axes) -> float:
    """How high a panel must be for the names of its rows. [in]"""
    names = _names_of(axes) if has_names(axes.yaxis) else []
    return len(names) * (_LINE_IN * max((name.count("\n") + 1 for name in names), default=0) + 0.08)


def has_names(axis: Axis) -> bool:
    """Whether the ticks of an axis have words of their own, so that a place on it is no number."""
    formatter = axis.get_major_formatter()
    words = (formatter(place, at) for at, place in enumerate(axis.get_ticklocs()))
    is_fixed = isinstance(axis.get_major_locator(), FixedLocator)
    return isinstance(formatter, FixedFormatter) or (is_fixed and any(re.search(r"[^\W\d_]{2}", one) for one in words))


def named_in_order(svg: str) -> str:
    """The picture with clip paths and marks numbered as they come.

    Their names are hashes of unrounded numbers, and the layout engine's last bits follow the addresses of its objects.
    """
    names = dict.fromkeys(re.findall(r'id="([a-zA-Z]\w*?[0-9a-f]{10})"', svg))
    numbers = {name: f"part-{number}" for number, name in enumerate(names, 1)}
    return re.sub(r'(id="|href="#|url\(#)(\w+)', lambda one: one[1] + numbers.get(one[2], one[2]), svg)


def drawn_files(figure: Figure) -> tuple[dict[str, bytes], str]:
    """The figure as files, by their endings ``.svg`` and ``.png``, and as SVG for a page; the same gives the same."""
    with drawing():
        legible(figure)
        outlines, text, points = pictures(figure)
    return {".svg": named_in_order(outlines).encode("utf-8"), ".png": points}, text


def save_figure(figure: Figure, folder: Path, name: str) -> str:
    """Write ``name.svg`` and ``name.png``; the same figure gives the same bytes. The SVG for a page comes back."""
    content, text = drawn_files(figure)
    for ending, data in content.items():
        write_bytes(folder / f"{name}{ending}", data)
    return text
