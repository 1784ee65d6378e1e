"""A chart on a page: the finding, the picture, two sentences, the numbers."""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from typing import Any

from markupsafe import Markup
from pydantic import Field

from remission.records.base import Record
from remission.records.packaged import read_library_json
from remission.report.chart import Chart
from remission.report.inline import both_widths
from remission.web.once import known_once


class FigureTable(Record):
    """Rows of text under column names that carry units."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


class Figure(Record):
    """A chart. The JSON of a page has its numbers and sentences; the picture is drawn from them."""

    name: str
    title: str
    see: str
    cannot: str
    table: FigureTable
    svg: Any = Field(default="", exclude=True)


def figure_of(chart: Chart) -> Figure:
    """A chart of the report as part of a page."""
    table = FigureTable(
        columns=tuple(chart.table.columns), rows=tuple(tuple(map(str, row)) for row in chart.table.rows)
    )
    words = {name: getattr(chart, name) for name in ("name", "title", "see", "cannot")}
    return Figure(**words, table=table, svg=Markup(both_widths(chart)))  # noqa: S704 - drawn here


def digest_of(record: Record) -> str:
    """What a kept picture is known to be of."""
    return hashlib.sha256(json.dumps(record.to_dict(), sort_keys=True).encode()).hexdigest()


def kept_figure(name: str, *, of: Record) -> Figure | None:
    """A figure that ``make pages`` drew, where it is of this very record: to draw it takes a reader half a second."""
    kept = _kept().get(name)
    if kept is None or kept["of"] != digest_of(of):
        return None
    return Figure.from_dict({**kept["figure"], "svg": Markup(kept["svg"])})  # noqa: S704 - drawn by make pages


@cache
def _kept() -> dict[str, Any]:
    return read_library_json("pictures.json")


def figure_once(name: str, asked: tuple[object, ...], draw: Callable[[], Figure]) -> Figure:
    """A figure that follows from the program alone and takes seconds, drawn once for this very program.

    ``name``, ``asked``: which it is; ``draw`` makes it where nobody has. As :func:`known_once`.
    """

    def drawn() -> dict[str, Any]:
        figure = draw()
        return {"figure": figure.to_dict(), "svg": str(figure.svg)}

    def shown(found: dict[str, Any]) -> Figure:
        return Figure.from_dict({**found["figure"], "svg": Markup(found["svg"])})  # noqa: S704 - drawn by this program

    return known_once(name, asked, drawn, shown)
