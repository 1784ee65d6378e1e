"""A figure as SVG and as pixels, drawn once.

Matplotlib's ``savefig`` draws a figure twice, once for its layout; and the picture of a file, that of a page and the
one in pixels differ only in how letters are written and in how large a point is. Here several pens follow one drawing.
"""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import matplotlib as mpl
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.figure import Figure
from matplotlib.image import imsave
from matplotlib.transforms import Affine2D, Bbox

_OUTLINES, _TEXT = "path", "none"
_PT_PER_IN = 72.0
_PX_PER_IN = 144.0
_DRAWN: Final = frozenset({
    "open_group", "close_group", "draw_path", "draw_markers", "draw_path_collection", "draw_gouraud_triangles",
    "draw_image", "finalize",
})  # fmt: skip
"""What every pen does; the rest is asked of the first."""


class _Vectors:
    """A pen that writes SVG, its letters as outlines or as text."""

    def __init__(self, letters: str, width_pt: float, height_pt: float, dpi: float) -> None:
        self._letters, self._stream = letters, io.StringIO()
        about = {"Date": None, "Creator": "remission"}
        self.renderer = RendererSVG(width_pt, height_pt, self._stream, image_dpi=dpi, metadata=about)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.renderer, name)

    def draw_text(self, *given: Any, **named: Any) -> None:
        """Letters, as this pen has them."""
        mpl.rcParams["svg.fonttype"] = self._letters
        self.renderer.draw_text(*given, **named)

    def text(self) -> str:
        """What was written."""
        return self._stream.getvalue()


class _Enlarged(GraphicsContextBase):
    """How something is drawn, where a point is larger: its frame is, and widths are the renderer's own business."""

    def __init__(self, given: GraphicsContextBase, larger: Affine2D) -> None:
        super().__init__()
        self.copy_properties(given)
        self._larger = larger
        frame = given.get_clip_rectangle()
        if frame is not None:
            self.set_clip_rectangle(Bbox(larger.transform(frame.get_points())))

    def get_clip_path(self) -> tuple[Any, Any]:
        path, place = super().get_clip_path()
        return path, None if place is None else place + self._larger


class _Pixels:
    """A pen that follows a drawing of 72 points an inch with more pixels."""

    def __init__(self, width_pt: float, height_pt: float) -> None:
        self._times = _PX_PER_IN / _PT_PER_IN
        self._larger = Affine2D().scale(self._times)
        self._agg = RendererAgg(width_pt * self._times, height_pt * self._times, _PX_PER_IN)

    def draw_path(self, gc: Any, path: Any, transform: Any, *face: Any, **named: Any) -> None:
        self._agg.draw_path(self._gc(gc), path, transform + self._larger, *face, **named)

    def draw_markers(self, gc: Any, mark: Any, mark_trans: Any, path: Any, trans: Any, *face: Any) -> None:
        self._agg.draw_markers(self._gc(gc), mark, mark_trans + self._larger, path, trans + self._larger, *face)

    def draw_path_collection(self, gc: Any, master: Any, *what: Any, **named: Any) -> None:
        paths, transforms, offsets, place, *how = what
        self._agg.draw_path_collection(
            self._gc(gc), master + self._larger, paths, transforms, offsets, place + self._larger, *how, **named
        )

    def draw_text(self, gc: Any, x: float, y: float, *what: Any, **named: Any) -> None:
        self._agg.draw_text(self._gc(gc), x * self._times, y * self._times, *what, **named)

    def _gc(self, given: GraphicsContextBase) -> GraphicsContextBase:
        return _Enlarged(given, self._larger)

    def open_group(self, *_: Any, **__: Any) -> None:
        """Pixels have no groups."""

    close_group = finalize = open_group

    def png(self) -> bytes:
        """What was drawn."""
        return _png(self._agg)


class _Pens:
    """Some pens that draw the same; the first of them measures."""

    def __init__(self, pens: Sequence[Any]) -> None:
        self._pens = pens

    def __getattr__(self, name: str) -> Any:
        return partial(self._each, name) if name in _DRAWN else getattr(self._pens[0].renderer, name)

    def _each(self, name: str, *given: Any, **named: Any) -> None:
        for pen in self._pens:
            getattr(pen, name)(*given, **named)

    def draw_text(self, *given: Any, **named: Any) -> None:
        """Letters, as each pen has them."""
        self._each("draw_text", *given, **named)


def pictures(figure: Figure) -> tuple[str, str, bytes]:
    """The figure as SVG, letters as outlines and as text, and as PNG; it is laid out when it was not."""
    if any(axes.images for axes in figure.axes):
        # Pixels of a picture inside a picture are not simply enlarged.
        outlines, text = _written(figure, _OUTLINES, _TEXT)
        figure.set_layout_engine("none")
        return outlines, text, pixels(figure)
    points = _Pixels(*_size_pt(figure))
    outlines, text = _written(figure, _OUTLINES, _TEXT, also=(points,))
    return outlines, text, points.png()


def vector(figure: Figure) -> str:
    """The figure as SVG with letters as text; it is laid out when it was not."""
    (text,) = _written(figure, _TEXT)
    return text


def pixels(figure: Figure) -> bytes:
    """The figure as PNG, laid out as it is."""
    with _drawn_by(figure, FigureCanvasAgg, dpi=_PX_PER_IN) as canvas:
        canvas.draw()
        return _png(canvas.get_renderer())


def _png(agg: RendererAgg) -> bytes:
    stream = io.BytesIO()
    about = {"Software": "remission"}
    imsave(stream, agg.buffer_rgba(), format="png", origin="upper", dpi=_PX_PER_IN, metadata=about)
    return stream.getvalue()


def _size_pt(figure: Figure) -> tuple[float, float]:
    width, height = (_PT_PER_IN * float(side) for side in figure.get_size_inches())
    return width, height


def _written(figure: Figure, *letters: str, also: Sequence[_Pixels] = ()) -> list[str]:
    pens = [_Vectors(one, *_size_pt(figure), figure.dpi) for one in letters]
    renderer: Any = _Pens([*pens, *also])
    with _drawn_by(figure, FigureCanvasSVG, dpi=_PT_PER_IN), mpl.rc_context():
        figure.draw(renderer)
        renderer.finalize()
    return [pen.text() for pen in pens]


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
