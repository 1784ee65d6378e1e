"""A figure as SVG inside a page: no style attribute, so that a strict content policy and a dark screen both work."""

import json
import re
from dataclasses import replace
from html import escape, unescape
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from remission.report.chart import Chart

CHART_SCRIPTS = ("charts.js", "tables.js")
"""What a page with figures runs: values where one points, rows by keys, the picture and the table as files; tables
that fit a phone."""
_DEFS = re.compile(r"<defs>.*?</defs>", re.DOTALL)
_USUAL_PX = 912
"""What most drawings need, so that their smallest letters have 11 pixels. [px]"""
_LEAST_PANELS = 2
_ROOM_PT = 7.0
"""At most so much above and below each panel that is a picture of its own. [pt]"""
_FONT = re.compile(r"font:\s*(?:(?P<style>italic|oblique)\s+)?(?:(?P<weight>bold|\d{3})\s+)?(?P<size>[\d.]+)px[^;]*;?")


def themed_svg(chart: Chart) -> str:
    """The chart as an SVG element whose colors and letters are the page's.

    Every style attribute becomes presentation attributes, which a style sheet can override (see ``site.css``); text
    stays text and takes the page's font.
    """
    heading = chart.figure.get_suptitle()
    if heading:
        # The page has it as a heading.
        chart.figure.suptitle("")
    svg = _plain(chart.drawn) if chart.drawn and not heading else _drawn(chart.figure)
    return inlined(svg, chart, _frames(chart) + _axes(chart))


def both_widths(chart: Chart) -> str:
    """The chart for a page twice, wide and for a phone; style sheets show one. The figure is laid out anew."""
    from remission.report.look import drawing, narrow

    wide = themed_svg(chart)
    with drawing():
        is_narrow = bool(chart.phone) or narrow(chart.figure)
    if not is_narrow:
        return wide
    if chart.phone:
        small = "".join(_on_phone(chart, number, figure) for number, figure in enumerate(chart.phone))
    else:
        other = replace(chart, name=f"{chart.name}-narrow")
        small = by_panel(inlined(_drawn(other.figure, is_legible=True), other, _axes(other)))
    return f'<div class="chart-wide{_breadth(wide)}">{wide}</div><div class="chart-narrow">{small}</div>'


def _on_phone(chart: Chart, number: int, figure: Any) -> str:
    """One of several figures for a phone; the first is across the others where they stand side by side."""
    other = replace(chart, name=f"{chart.name}-narrow-{number}", figure=figure)
    is_head = number == 0 and len(chart.phone) > 1
    svg = inlined(_drawn(figure), other, _axes(other) + (' class="chart-head"' if is_head else ""))
    return svg if number == 0 else _unnamed(svg)


def _unnamed(svg: str) -> str:
    """Named once: the pictures are one chart."""
    return re.sub(r'<svg role="img" aria-label="[^"]*"', '<svg aria-hidden="true"', svg)


def _breadth(svg: str) -> str:
    """A class for a drawing that needs more room than most, so that its frame knows when to show the other."""
    own = re.findall(r'<svg [^>]*?\bwidth="(\d+)"', svg)
    return " chart-broad" if own and int(own[0]) > _USUAL_PX else ""


def by_panel(svg: str) -> str:
    """A drawing of panels below each other as one picture for each, so that a tablet shows two side by side.

    Nothing is written twice: each picture holds its own panel and looks at the height where it lies. Panels that share
    one axis, or whose words lie between each other, stay one picture.
    """
    opened = re.search(r'<g id="[^"]*figure_1">', svg)
    if opened is None:
        return svg
    body, closing, tail = svg[opened.end() :].rpartition("\n </g>")
    first, *parts = re.split(r'\n  (?=<g id=")', body)
    panels = [part for part in parts if _is_panel(part)]
    # A panel of words has no ticks at all; one with ticks on its side alone has its axis below another panel.
    if len(panels) < _LEAST_PANELS or any("xtick_" not in part and "ytick_" in part for part in panels):
        return svg
    view = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert view is not None
    ends = [_lies(part) for part in panels]
    below = [part for part in parts if "legend_" in part[:80]]
    ends += [_lies(part) for part in below]
    if any(high < low for (_, low), (high, _) in pairwise(ends)):
        return svg
    # The same room above and below each, so that those side by side stand at one height.
    room = max(0.0, min(_ROOM_PT, ends[0][0], float(view[2]) - ends[-1][1]))
    cuts = [(high - room, low + room) for high, low in ends]
    behind = [part for part in parts if part not in panels and part not in below]
    found = []
    for number, (part, (top, bottom)) in enumerate(zip([*panels, *below], cuts, strict=True)):
        head = svg[: opened.end()].replace(view[0], f'viewBox="0 {top:.1f} {view[1]} {bottom - top:.1f}"')
        if number:
            head = _unnamed(head).replace('figure_1">', f'figure_1-{number}">')
        for told in re.findall(r' data-axes="[^"]*"', head):
            head = head.replace(told, _axes_in(told.partition('"')[2][:-1], top, bottom))
        inside = "".join(f"\n  {one}" for one in ([*behind, part] if not number else [part]))
        ending = tail if number == len(ends) - 1 else "\n</svg>\n"
        found.append(head + first + inside + closing + ending)
    return "".join(found)


def _axes_in(axes: str, top: float, bottom: float) -> str:
    """What is told of the axes in one part of a picture."""
    here = [one for one in json.loads(unescape(axes)) if top <= one[0][2] <= bottom]
    return f' data-axes="{escape(json.dumps(here))}"'


def _is_panel(part: str) -> bool:
    return re.match(r'<g id="[^"]*axes_\d+"', part) is not None


def _lies(part: str) -> tuple[float, float]:
    """From where to where a part of a drawing reaches from top to bottom, by its letters and its lines. [pt]"""
    drawn = re.sub(r"<path[^>]*clip-path[^>]*>", "", _DEFS.sub("", part))
    heights = [float(one) for one in re.findall(r"(?:\bM|\bL) [-\d.]+ ([-\d.]+)", drawn)]
    for letters, place in re.findall(r'<text [^>]*?font-size="([\d.]+)px"([^>]*)>', part):
        found = re.search(r'translate\([-\d.]+ ([-\d.]+)\)|\by="([-\d.]+)"', place)
        if found and "rotate(-90" not in place:
            line = float(found[1] or found[2])
            heights += [line - float(letters), line + 0.3 * float(letters)]
    return min(heights), max(heights)


def _drawn(figure: Any, *, is_legible: bool = False) -> str:
    from remission.report.look import drawing, legible
    from remission.report.vector import vector

    with drawing():
        if not is_legible:
            legible(figure)
        return _plain(vector(figure))


def _plain(svg: str) -> str:
    """A drawing without styles."""
    from remission.report.look import named_in_order

    svg = re.sub(r"<style.*?</style>|<!--.*?-->", "", named_in_order(svg), flags=re.DOTALL)
    svg = re.sub(r' style="([^"]*)"', lambda found: _as_attributes(found[1]), svg)
    # A mark is drawn by reference, where the rules of a page for colors in a panel do not reach: its color stands
    # on the reference alone.
    return _DEFS.sub(lambda found: re.sub(r' (?:stroke|fill)="#\w+"', "", found[0]), svg)


def inlined(svg: str, chart: Chart, attributes: str = "") -> str:
    """A drawing for the middle of a page: its title as text alternative, ids of its own, as wide as its frame.

    ``attributes`` are further ones of the element, each with a space before it.
    """
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{chart.name}-", svg)
    for size in ("width", "height"):
        svg = re.sub(rf'(<svg [^>]*?) {size}="[^"]*"', r"\1", svg, count=1)
    from remission.report.look import LEAST_PT, LEAST_PX

    # Where its frame is narrower it scrolls inside it: its smallest letters stay as large as others on the page.
    letters_pt = min(map(float, re.findall(r'<text [^>]*font-size="([\d.]+)px"', svg)), default=LEAST_PT)
    width = f' width="{LEAST_PX / letters_pt * 72.0 * float(chart.figure.get_size_inches()[0]):.0f}"'
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(chart.title)}"{width}{attributes} ', 1)


def chart_parts(chart: Chart) -> dict[str, Any]:
    """A chart with its two drawings as the macro of the templates takes it; the figure is laid out anew."""
    names = ("name", "title", "see", "cannot", "table")
    return {**{name: getattr(chart, name) for name in names}, "svg": Markup(both_widths(chart))}  # noqa: S704 - drawn here


def _frames(chart: Chart) -> str:
    """Where each pair of axes lies in the picture, in its own units: left, right, top, bottom, last day."""
    if chart.last_day is None:
        return ""
    width, height = 72.0 * chart.figure.get_size_inches()
    boxes = [axes.get_position() for axes in chart.figure.axes]
    frames = [
        [round(float(v), 1) for v in (box.x0 * width, box.x1 * width, (1 - box.y1) * height, (1 - box.y0) * height)]
        for box in boxes
    ]
    return f' data-frames="{[[*frame, chart.last_day] for frame in frames]}"'


def _axes(chart: Chart) -> str:
    """Each pair of plain axes for those who point at it: its place in the picture, its ends, its words."""
    width, height = (72.0 * side for side in chart.figure.get_size_inches())
    found = []
    for axes in chart.figure.axes:
        if not axes.get_visible() or not axes.axison:
            continue
        box = axes.get_position()
        place = (box.x0 * width, box.x1 * width, (1 - box.y1) * height, (1 - box.y0) * height)
        sides = [
            # Six digits, as the picture has: the last bits of a limit follow the processor.
            [*(float(f"{one:.6g}") for one in limits), scale, " ".join(label.split())]
            for limits, scale, label in (
                (axes.get_xlim(), axes.get_xscale(), axes.get_xlabel()),
                (axes.get_ylim(), "names" if _is_named(axes) else axes.get_yscale(), axes.get_ylabel()),
            )
        ]
        found.append([[round(float(one), 1) for one in place], *sides])
    return f' data-axes="{escape(json.dumps(found))}"'


def _is_named(axes: Any) -> bool:
    """Whether rows of a panel have names, so that a height is no number."""
    from matplotlib.ticker import NullFormatter

    from remission.report.look import has_names

    return (
        has_names(axes.yaxis)
        or isinstance(axes.yaxis.get_major_formatter(), NullFormatter)
        or not len(axes.get_yticks())
    )


def _as_attributes(style: str) -> str:
    style = style.replace("&quot;", "'")
    parts = []
    font = _FONT.search(style)
    if font:
        parts.append(("font-size", font["size"]))
        if font["weight"]:
            parts.append(("font-weight", font["weight"]))
        style = style.replace(font[0], "")
    for entry in style.split(";"):
        name, colon, value = entry.partition(":")
        if colon and name.strip() != "font-family":
            parts.append((name.strip(), value.strip()))
    return "".join(f' {name}="{value}"' for name, value in parts)
