"""The look: colors and lines by meaning, the same in every figure.

Published is an ink diamond with a thin interval; simulated is a coloured line or bar with a named band; assumed is
dashed and says so. Shape, dash and label carry the meaning too, color is the second carrier.
"""

import io
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from textwrap import fill
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.text import Annotation, Text
from matplotlib.ticker import AutoLocator, FixedFormatter, FixedLocator, MaxNLocator
from matplotlib.transforms import ScaledTranslation

from remission.files import write_bytes
from remission.protocol.record import Protocol
from remission.records.packaged import read_library_toml
from remission.report.arm_kinds import arm_kind
from remission.report.fixed_order import fixed_order

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
_ONE_AT_A_TIME = threading.RLock()
"""Matplotlib's settings belong to the process: two threads that draw would take each other's."""


@contextmanager
def drawing() -> Iterator[None]:
    """Settings under which every figure is drawn; restored afterwards. Only one thread draws at a time."""
    with _ONE_AT_A_TIME, mpl.rc_context(_SETTINGS), fixed_order():
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


def legible(figure: Figure, *, letters_pt: float = LEAST_PT) -> float:
    """Raise what is written smaller, and give the width at which nothing is below 11 pixels. [px]"""
    sizes = []
    for text in figure.findobj(Text):
        if text.get_text().strip() and text.get_visible():
            if float(text.get_fontsize()) < letters_pt:
                text.set_fontsize(letters_pt)
            sizes.append(float(text.get_fontsize()))
    return LEAST_PX / min(sizes, default=LEAST_PT) * 72.0 * float(figure.get_size_inches()[0])


def narrow(figure: Figure) -> bool:
    """Lay a figure out for a phone: one panel a row, larger letters. False, and as it was, where that cannot be.

    A panel whose words stand beside it, as in a forest plot, stays wide.
    """
    panels = [axes for axes in figure.axes if axes.get_visible() and axes.axison]
    if not panels or any(axes.get_subplotspec() is None for axes in panels) or any(map(_has_words_beside, panels)):
        return False
    height = float(figure.get_size_inches()[1])
    heights = [max(1.9, min(3.0, height * axes.get_position().height)) for axes in panels]
    for axes in figure.axes:
        if axes not in panels:
            axes.set_visible(False)
    figure.set_layout_engine("constrained")
    rows = 0
    grid = GridSpec(len(panels), 1, figure=figure, height_ratios=heights)
    for index, axes in enumerate(panels):
        axes.set_subplotspec(grid[index, 0])
        axes.set_title(fill(axes.get_title(loc="left") or axes.get_title(), 34), loc="left")
        axes.set_xlabel(fill(axes.get_xlabel(), 36))
        axes.set_ylabel(fill(axes.get_ylabel(), max(16, round(9.0 * heights[0]))))
        _thin_out(axes)
        rows += _legend_below(axes)
    for legend in list(figure.legends):
        words = [fill(text.get_text(), 36) for text in legend.get_texts()]
        handles = [one for one in legend.legend_handles if one is not None]
        figure.legend(handles=handles, labels=words, loc="outside lower left", ncols=1)
        legend.remove()
        rows += len(words)
    figure.set_size_inches(NARROW_IN, sum(heights) + 0.75 * len(panels) + 0.21 * rows)
    legible(figure, letters_pt=NARROW_PT)
    return True


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


def _has_words_beside(axes: Axes) -> bool:
    """Whether a panel has words of its own outside of it."""
    return any(text.get_text().strip() and text.get_transform() == axes.get_yaxis_transform() for text in axes.texts)


def _thin_out(axes: Axes) -> None:
    """Every second or third tick where there are too many for the width; names of rows in shorter lines."""
    if isinstance(axes.xaxis.get_major_locator(), FixedLocator):
        ticks, words = list(axes.get_xticks()), [one.get_text() for one in axes.get_xticklabels()]
        step = -(-len(ticks) // _MOST_TICKS)
        if step > 1 and not isinstance(axes.xaxis.get_major_formatter(), FixedFormatter):
            axes.set_xticks(ticks[::step])
        elif step > 1:
            axes.set_xticks(ticks[::step], words[::step])
    elif isinstance(axes.xaxis.get_major_locator(), AutoLocator):
        axes.xaxis.set_major_locator(MaxNLocator(5))
    if isinstance(axes.yaxis.get_major_formatter(), FixedFormatter):
        axes.set_yticks(axes.get_yticks(), [fill(one.get_text(), 16) for one in axes.get_yticklabels()])


def named_in_order(svg: str) -> str:
    """The picture with clip paths and marks numbered as they come.

    Their names are hashes of unrounded numbers, and the layout engine's last bits follow the addresses of its objects.
    """
    names = dict.fromkeys(re.findall(r'id="([a-zA-Z]\w*?[0-9a-f]{10})"', svg))
    numbers = {name: f"part-{number}" for number, name in enumerate(names, 1)}
    return re.sub(r'(id="|href="#|url\(#)(\w+)', lambda one: one[1] + numbers.get(one[2], one[2]), svg)


def save_figure(figure: Figure, folder: Path, name: str) -> None:
    """Write ``name.svg`` and ``name.png``; the same figure gives the same bytes."""
    vector, pixels = io.BytesIO(), io.BytesIO()
    with drawing():
        legible(figure)
        figure.savefig(vector, format="svg", metadata={"Date": None, "Creator": "remission"})
        # Laid out once: the second picture is the first one, and costs half.
        figure.set_layout_engine("none")
        figure.savefig(pixels, format="png", dpi=144, metadata={"Software": "remission"})
    write_bytes(folder / f"{name}.svg", named_in_order(vector.getvalue().decode("utf-8")).encode("utf-8"))
    write_bytes(folder / f"{name}.png", pixels.getvalue())
