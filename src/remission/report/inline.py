"""A figure as SVG inside a page: no style attribute, so that a strict content policy and a dark screen both work."""

import io
import re
from html import escape
from typing import Any

from markupsafe import Markup

from remission.report.chart import Chart

_FONT = re.compile(r"font:\s*(?:(?P<style>italic|oblique)\s+)?(?:(?P<weight>bold|\d{3})\s+)?(?P<size>[\d.]+)px[^;]*;?")


def themed_svg(chart: Chart) -> str:
    """The chart as an SVG element whose colors and letters are the page's.

    Every style attribute becomes presentation attributes, which a style sheet can override (see ``site.css``); text
    stays text and takes the page's font.
    """
    import matplotlib as mpl

    from remission.report.look import drawing

    stream = io.StringIO()
    heading = chart.figure.get_suptitle()
    if heading:
        # The page has it as a heading.
        chart.figure.suptitle("")
    with drawing(), mpl.rc_context({"svg.fonttype": "none"}):
        chart.figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": "remission"})
    svg = re.sub(r"<style.*?</style>|<!--.*?-->", "", stream.getvalue(), flags=re.DOTALL)
    return inlined(re.sub(r' style="([^"]*)"', lambda found: _as_attributes(found[1]), svg), chart, _frames(chart))


def inlined(svg: str, chart: Chart, attributes: str = "") -> str:
    """A drawing for the middle of a page: its title as text alternative, ids of its own, as wide as its frame.

    ``attributes`` are further ones of the element, each with a space before it.
    """
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{chart.name}-", svg)
    for size in ("width", "height"):
        svg = re.sub(rf'(<svg [^>]*?) {size}="[^"]*"', r"\1", svg, count=1)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(chart.title)}"{attributes} ', 1)


def chart_parts(chart: Chart, svg: str) -> dict[str, Any]:
    """A chart with its drawing as the macro of the templates takes it."""
    names = ("name", "title", "see", "cannot", "table")
    return {**{name: getattr(chart, name) for name in names}, "svg": Markup(svg)}  # noqa: S704 - drawn here


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
