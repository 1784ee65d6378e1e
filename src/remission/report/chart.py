"""A chart of the report: a figure that says its finding, two sentences, and the same data as a table."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from remission.report.words import WORDS


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Rows of text or numbers under column names that carry units."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One chart.

    name
        File name without ending.
    title
        The finding, in words with numbers.
    see, cannot
        One sentence on what to see, one on what the chart cannot show.
    figure
        A figure of matplotlib, which may not be installed: the hint must not need it.
    last_day
        Where every x axis runs from day 0 to this day, so that a page can point at a day; None elsewhere.
    phone
        The same drawn for a phone, one figure below the other, where it is no row of panels that
        :func:`remission.report.look.narrow` lays out.
    drawn
        The figure as SVG with letters as text, where it was drawn already.
    """

    name: str
    title: str
    see: str
    cannot: str
    figure: Any
    table: Table
    last_day: int | None = None
    phone: Sequence[Any] = ()
    drawn: str = ""

    def save(self, folder: Path) -> Self:
        """The chart with its drawing for a page, after the figure was written as ``name.svg`` and ``name.png``."""
        from remission.report.look import save_figure

        return replace(self, drawn=save_figure(self.figure, folder, self.name))


def told(chart: str, **fields: object) -> dict[str, Any]:
    """What to see in a chart and what it cannot show, from ``library/words/report.toml``."""
    return {part: text.format(**fields) for part, text in WORDS["charts"][chart].items()}
