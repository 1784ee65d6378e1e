"""A figure as SVG and as pixels, each drawn once.

Matplotlib's ``savefig`` draws a figure twice, once for its layout; and the picture of a file and that of a page differ
only in how letters are written, outlines or text. Here two pens follow one drawing.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.figure import Figure

_OUTLINES, _TEXT = "path", "none"
_DRAWN: Final = frozenset({
    "open_group", "close_group", "draw_path", "draw_markers", "draw_path_collection", "draw_gouraud_triangles",
    "draw_image", "finalize",
})  # fmt: skip
"""What every pen does; the rest is asked of the first."""


class _Pens:
    """Some renderers that draw the same and write letters each in its way."""

    def __init__(self, pens: dict[str, RendererSVG]) -> None:
        self._pens = pens
        self._first = next(iter(pens.values()))

    def __getattr__(self, name: str) -> Any:
        return partial(self._each, name) if name in _DRAWN else getattr(self._first, name)

    def _each(self, name: str, *given: Any, **named: Any) -> None:
        for pen in self._pens.values():
            getattr(pen, name)(*given, **named)

    def draw_text(self, *given: Any, **named: Any) -> None:
        """Letters, as each pen has them."""
        for letters, pen in self._pens.items():
            mpl.rcParams["svg.fonttype"] = letters
            pen.draw_text(*given, **named)


def vectors(figure: Figure) -> tuple[str, str]:
    """The figure as SVG, letters as outlines and as text; it is laid out when it was not."""
    outlines, text = _drawn(figure, _OUTLINES, _TEXT)
    return outlines, text


def vector(figure: Figure) -> str:
    """The figure as SVG with letters as text; it is laid out when it was not."""
    (text,) = _drawn(figure, _TEXT)
    return text


def pixels(figure: Figure) -> bytes:
    """The figure as PNG, laid out as it is."""
    stream = io.BytesIO()
    with _drawn_by(figure, FigureCanvasAgg, dpi=144.0) as canvas:
        canvas.print_png(stream, metadata={"Software": "remission"})
    return stream.getvalue()


def _drawn(figure: Figure, *letters: str) -> list[str]:
    width, height = (72.0 * float(side) for side in figure.get_size_inches())
    streams = {one: io.StringIO() for one in letters}
    about = {"Date": None, "Creator": "remission"}
    pens = {
        one: RendererSVG(width, height, stream, image_dpi=figure.dpi, metadata=about) for one, stream in streams.items()
    }
    renderer: Any = _Pens(pens)
    with _drawn_by(figure, FigureCanvasSVG, dpi=72.0), mpl.rc_context():
        figure.draw(renderer)
        renderer.finalize()
    return [stream.getvalue() for stream in streams.values()]


@contextmanager
def _drawn_by(figure: Figure, kind: type, *, dpi: float) -> Iterator[Any]:
    """The figure on a canvas of another kind, which its layout asks for measures; as it was afterwards."""
    before, before_dpi = figure.canvas, figure.dpi
    try:
        canvas = kind(figure)
        figure.dpi = dpi
        yield canvas
    finally:
        figure.dpi = before_dpi
        figure.set_canvas(before)
