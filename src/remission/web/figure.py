"""A chart on a page: the finding, the picture, two sentences, the numbers."""

from typing import Any

from markupsafe import Markup
from pydantic import Field

from remission.records.base import Record
from remission.report.chart import Chart
from remission.report.inline import both_widths


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
