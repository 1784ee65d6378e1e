"""A figure as SVG and as pixels, drawn once.

Matplotlib's ``savefig`` draws a figure twice, once for its layout; and the picture of a file, that of a page and the
one in pixels differ only in how letters are written and in how large a point is. Here several pens follow one drawing.
"""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import matplotlib as mpl
import numpy as np
from matplotlib.backend_bases import GraphicsContextBase
from matplotlib.backends.backend_agg import FigureCanvasAgg, RendererAgg, get_hinting_flag
from matplotlib.backends.backend_svg import FigureCanvasSVG, RendererSVG
from matplotlib.figure import Figure
from matplotlib.ft2font import RenderMode
from matplotlib.transforms import Affine2D, Bbox
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from remission.report.measured_once import kept_glyphs, ticks_once

_OUTLINES, _TEXT = "path", "none"
_PT_PER_IN = 72.0
_PX_PER_IN = 144.0
_SOLID, _EFFORT = 255, 3
_ONE_16, _ONE_6 = 0x10000, 0x40
"""A whole in the font library's numbers of 16 and of 6 binary places."""
_DRAWN: Final = frozenset({
    "open_group", "close_group", "draw_path", "draw_markers", "draw_path_collection", "draw_gouraud_triangles",
    "draw_image", "finalize",
})  # fmt: skip
"""What every pen does; the rest is asked of the first."""


class _Vectors:
    """A pen that writes SVG, once for each kind of letters: as outlines or as text. All but letters is the same."""

    def __init__(self, letters: Sequence[str], width_pt: float, height_pt: float, dpi: float) -> None:
        self._letters, self._stream = letters, io.StringIO()
        self._parts: list[list[str]] = [[] for _ in letters]
        about = {"Date": None, "Creator": "remission"}
        self.renderer = RendererSVG(width_pt, height_pt, self._stream, image_dpi=dpi, metadata=about)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.renderer, name)

    def draw_text(self, *given: Any, **named: Any) -> None:
        """Letters, as each kind has them."""
        # What was begun before them is ended first.
        writer: Any = self.renderer.writer
        writer._XMLWriter__flush()
        before = self._taken()
        for kind, parts in zip(self._letters, self._parts, strict=True):
            mpl.rcParams["svg.fonttype"] = kind
            self.renderer.draw_text(*given, **named)
            parts.extend((before, self._taken()))

    def _taken(self) -> str:
        text = self._stream.getvalue()
        self._stream.seek(0)
        self._stream.truncate()
        return text

    def texts(self) -> list[str]:
        """What was written, for each kind of letters."""
        end = self._taken()
        return ["".join([*parts, end]) for parts in self._parts]


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

    def draw_text(
        self, gc: Any, x: float, y: float, letters: str, font: Any, angle: float, ismath: Any = False, mtext: Any = None
    ) -> None:
        agg, larger, place = self._agg, self._gc(gc), (x * self._times, y * self._times)
        is_plain = mtext is None or not (mtext.get_fontfeatures() or mtext.get_language())
        if ismath or not (is_plain and larger.get_antialiased()):
            agg.draw_text(larger, *place, letters, font, angle, ismath, mtext)
            return
        # As the renderer does, but letters that stood there before are laid out no more.
        size, face = font.get_size_in_points(), agg._prepare_font(font)
        glyphs = kept_glyphs(letters, face, size, lambda: face._layout(letters, flags=get_hinting_flag()))
        # The renderer finds the matrix of a turn anew for each letter.
        cos, sin = math.cos(math.radians(angle)), math.sin(math.radians(angle))
        turn = (_ONE_16 * np.array([[cos, -sin], [sin, cos]])).round().astype(int)
        flags, left, bottom = get_hinting_flag(), place[0], agg.height - place[1]
        for one in glyphs:
            own = one.ft_object
            own.set_size(size, agg.dpi)
            own._set_transform(
                turn,
                [
                    round(_ONE_6 * (left + one.x * cos - one.y * sin)),
                    round(_ONE_6 * (bottom + one.x * sin + one.y * cos)),
                ],
            )
            points = own._render_glyph(one.glyph_index, flags, RenderMode.NORMAL)
            ink = points.buffer
            agg._renderer.draw_text_image(ink, points.left, int(agg.height) - points.top + ink.shape[0], 0, larger)

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
    stream, about = io.BytesIO(), PngInfo()
    about.add_text("Software", "remission")
    points = np.asarray(agg.buffer_rgba())
    if (points[..., 3] == _SOLID).all():
        points = np.ascontiguousarray(points[..., :3])
    # More effort takes a third longer and saves a tenth of the file.
    Image.fromarray(points).save(
        stream, format="png", dpi=(_PX_PER_IN, _PX_PER_IN), pnginfo=about, compress_level=_EFFORT
    )
    return stream.getvalue()


def _size_pt(figure: Figure) -> tuple[float, float]:
    width, height = (_PT_PER_IN * float(side) for side in figure.get_size_inches())
    return width, height


def _written(figure: Figure, *letters: str, also: Sequence[_Pixels] = ()) -> list[str]:
    pen = _Vectors(letters, *_size_pt(figure), figure.dpi)
    renderer: Any = _Pens([pen, *also])
    with _drawn_by(figure, FigureCanvasSVG, dpi=_PT_PER_IN), mpl.rc_context():
        with ticks_once():
            figure.draw(renderer)
        renderer.finalize()
    return pen.texts()


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
