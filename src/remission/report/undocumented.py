"""The drawing library, loaded without the texts that only its own manual shows.

While Matplotlib loads, it writes the list of all settings into the help of every class and of many functions: a third
of that time. A command, which shows this to nobody, imports this module before any that draws; where it comes too late,
or the library has changed, nothing is saved and nothing is lost.
"""

from importlib import import_module
from typing import Any

from matplotlib import _docstring, artist


def _load() -> None:
    lists, classes = vars(_docstring).get("_ArtistKwdocLoader"), artist.Artist
    writes = "_update_set_signature_and_docstring"
    if lists is None or not hasattr(classes, writes):
        return
    nothing: Any = classmethod(lambda _: None)
    before = lists.__missing__, vars(classes)[writes]
    lists.__missing__ = lambda *_: ""
    setattr(classes, writes, nothing)
    try:
        for name in ("figure", "backends.backend_svg", "backends.backend_agg"):
            import_module(f"matplotlib.{name}")
    finally:
        lists.__missing__, _ = before
        setattr(classes, writes, before[1])


_load()
