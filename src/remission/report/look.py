"""The look: colors and lines by meaning, the same in every figure.

Published is an ink diamond with a thin interval; simulated is a coloured line or bar with a named band; assumed is
dashed and says so. Shape, dash and label carry the meaning too, color is the second carrier.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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


def save_figure(figure: Figure, folder: Path, name: str) -> str:
    """Write ``name.svg`` and ``name.png`` and return the SVG's text; the same figure gives the same bytes."""
    vector, pixels = io.BytesIO(), io.BytesIO()
    with drawing():
        figure.savefig(vector, format="svg", metadata={"Date": None, "Creator": "remission"})
        # Laid out once: the second picture is the first one, and costs half.
        figure.set_layout_engine("none")
        figure.savefig(pixels, format="png", dpi=144, metadata={"Software": "remission"})
    write_bytes(folder / f"{name}.svg", vector.getvalue())
    write_bytes(folder / f"{name}.png", pixels.getvalue())
    return vector.getvalue().decode("utf-8")
