"""The drawing library's measures of texts and ticks, each taken once.

Matplotlib lays out every tick label four times in a drawing, looks up its font each time, and finds the ticks of an
axis a dozen times. What comes out follows from the letters, the font, the angle and the alignment, and from who draws;
ticks follow from the ends of the axis and from the place of its panel.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib import _text_helpers, font_manager
from matplotlib.axis import Axis
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.ft2font import LoadFlags
from matplotlib.text import Text
from matplotlib.textpath import TextToPath

_MOST = 10_000
"""So many texts are remembered: a server draws for ever."""
_LAYOUTS: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()
_FONTS: dict[int, Any] = {}
_SIZES: dict[Any, Any] = {}
_GLYPHS: dict[Any, Any] = {}
_OF_VECTORS: dict[Any, Any] = {}


def _room_in(memory: dict[Any, Any]) -> dict[Any, Any]:
    if len(memory) >= _MOST:
        memory.clear()
    return memory


def _kept_layouts(lay_out: Any) -> Any:
    """The layout of a text, kept for the renderer that measured it; none of a text that is broken to fit.

    All that write SVG measure alike: by outlines.
    """

    def found(text: Any, renderer: Any) -> Any:
        if text.get_wrap():
            return lay_out(text, renderer)
        key = (
            text.get_text(), hash(text.get_fontproperties()), text.get_rotation(), text.get_rotation_mode(),
            text.get_horizontalalignment(), text.get_verticalalignment(), text._multialignment, text._linespacing,
            text.get_usetex(), text.get_parse_math(), text.get_figure(root=True).dpi,
        )  # fmt: skip
        is_outlines = isinstance(getattr(renderer, "renderer", renderer), RendererSVG)
        mine = _room_in(_OF_VECTORS if is_outlines else _LAYOUTS.setdefault(renderer, {}))
        if key not in mine:
            mine[key] = lay_out(text, renderer)
        return mine[key]

    return found


def _kept_fonts(find: Any) -> Any:
    def found(known: Any, font: Any, *more: Any, **named: Any) -> Any:
        if more or named:
            return find(known, font, *more, **named)
        key = hash(font)
        if key not in _FONTS:
            _FONTS[key] = find(known, font)
        return _FONTS[key]

    return found


def _kept_sizes(measure: Any) -> Any:
    """Width, height and descent of letters: outlines are measured at one size, and scaled to the one asked for."""

    def found(outlines: Any, letters: str, font: Any, ismath: Any) -> Any:
        if ismath:
            return measure(outlines, letters, font, ismath)
        key = letters, *font_manager.fontManager._find_fonts_by_props(font)
        if key not in _SIZES:
            plain = font.copy()
            plain.set_size(outlines.FONT_SCALE)
            _room_in(_SIZES)[key] = measure(outlines, letters, plain, ismath)
        scale = font.get_size_in_points() / outlines.FONT_SCALE
        width, height, descent = _SIZES[key]
        return width * scale, height * scale, descent * scale

    return found


def kept_glyphs(letters: str, font: Any, how: object, lay_out: Callable[[], Any]) -> Any:
    """Glyphs of some letters with their places, as ``lay_out`` found them the first time.

    ``how``: what they follow from besides: the size of the letters, or that they are outlines.
    """
    key = letters, font, how
    if key not in _GLYPHS:
        _room_in(_GLYPHS)[key] = lay_out()
    return _GLYPHS[key]


def _kept_outlines(lay_out: Any) -> Any:
    """Glyphs of outlines, which have one size; each is loaded again, for whoever asks for its path."""

    def found(letters: str, font: Any, *, features: Any = None, language: Any = None) -> Any:
        if features is not None or language is not None:
            yield from lay_out(letters, font, features=features, language=language)
            return
        for glyph in kept_glyphs(letters, font, "outlines", lambda: list(lay_out(letters, font))):
            glyph.ft_object.load_glyph(glyph.glyph_index, flags=LoadFlags.NO_HINTING)
            yield glyph

    return found


@contextmanager
def _instead(*places: tuple[Any, str, Any]) -> Iterator[None]:
    """The drawing library with some of its methods wrapped: owner, name and what makes the new one of the old."""
    before = [getattr(owner, name) for owner, name, _ in places]
    for (owner, name, keep), old in zip(places, before, strict=True):
        setattr(owner, name, keep(old))
    try:
        yield
    finally:
        for (owner, name, _), old in zip(places, before, strict=True):
            setattr(owner, name, old)


@contextmanager
def measured_once() -> Iterator[None]:
    """The drawing library with these memories; for one thread at a time, under the settings of our figures."""
    fonts: Any = type(font_manager.fontManager)
    with _instead(
        (Text, "_get_layout", _kept_layouts),
        (fonts, "_find_fonts_by_props", _kept_fonts),
        (TextToPath, "get_text_width_height_descent", _kept_sizes),
        (_text_helpers, "layout", _kept_outlines),
    ):
        yield


def _place(axis: Any) -> tuple[Any, ...]:
    """What ticks follow from, and where they lie, while nobody but the layout changes a figure."""
    axes = axis.axes
    return (
        *axes.bbox.bounds, *axes.viewLim.bounds, *axis.get_view_interval(), axis.get_inverted(),
        axes.get_figure(root=True).dpi,
    )  # fmt: skip


def _as_left(found: Any, now: Any) -> bool:
    return found is now or (len(found) == len(now) and bool(np.all(np.asarray(found) == np.asarray(now))))


@contextmanager
def ticks_once() -> Iterator[None]:
    """One drawing of a figure, in which ticks of an axis are found, and their labels measured, once for a place."""
    ticks: dict[Any, Any] = {}
    boxes: dict[Any, Any] = {}

    def kept_ticks(update: Any) -> Any:
        def found(axis: Any) -> Any:
            key, groups = (axis, *_place(axis)), (axis.major.formatter, axis.minor.formatter)
            if key in ticks:
                kept, left = ticks[key]
                # Panels that share an axis share what writes its numbers: it must not be left at those of another.
                if all(_as_left(one, group._locs) for one, group in zip(left, groups, strict=True)):
                    return list(kept)
            kept = update(axis)
            ticks[key] = kept, [group._locs for group in groups]
            return list(kept)

        return found

    def kept_boxes(measure: Any) -> Any:
        def found(axis: Any, of: Any, renderer: Any) -> Any:
            key = (axis, *_place(axis), *of)
            if key not in boxes:
                boxes[key] = measure(axis, of, renderer)
            return tuple(list(one) for one in boxes[key])

        return found

    with _instead((Axis, "_update_ticks", kept_ticks), (Axis, "_get_ticklabel_bboxes", kept_boxes)):
        yield
