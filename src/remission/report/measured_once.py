"""The drawing library's measures of texts, each taken once.

Matplotlib lays out every tick label four times in a drawing, and looks up its font each time. What comes out follows
from the letters, the font, the angle and the alignment, and from who draws.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from matplotlib import font_manager
from matplotlib.text import Text

_LAYOUTS: WeakKeyDictionary[Any, dict[Any, Any]] = WeakKeyDictionary()
_FONTS: dict[int, Any] = {}


def _kept_layouts(lay_out: Any) -> Any:
    """The layout of a text, kept for the renderer that measured it; none of a text that is broken to fit."""

    def found(text: Any, renderer: Any) -> Any:
        if text.get_wrap():
            return lay_out(text, renderer)
        key = (
            text.get_text(), hash(text.get_fontproperties()), text.get_rotation(), text.get_rotation_mode(),
            text.get_horizontalalignment(), text.get_verticalalignment(), text._multialignment, text._linespacing,
            text.get_usetex(), text.get_parse_math(), text.get_figure(root=True).dpi,
        )  # fmt: skip
        mine = _LAYOUTS.setdefault(renderer, {})
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


@contextmanager
def measured_once() -> Iterator[None]:
    """The drawing library with these memories; for one thread at a time, under the settings of our figures."""
    fonts: Any = type(font_manager.fontManager)
    texts: Any = Text
    places = (texts, "_get_layout", _kept_layouts), (fonts, "_find_fonts_by_props", _kept_fonts)
    before = [getattr(owner, name) for owner, name, _ in places]
    for (owner, name, keep), old in zip(places, before, strict=True):
        setattr(owner, name, keep(old))
    try:
        yield
    finally:
        for (owner, name, _), old in zip(places, before, strict=True):
            setattr(owner, name, old)
