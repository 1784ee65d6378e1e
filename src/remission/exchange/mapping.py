"""What a table's columns hold and how its dates, numbers and gaps are written: the contract of an import."""

from dataclasses import dataclass, field, fields
from typing import Literal

from remission.errors import SpecError
from remission.exchange.cells import is_no_name, is_nothing, read_date_form, same_cell


@dataclass(frozen=True)
class Mapping:
    """Which column says what, and in which form.

    person, substance, when, amount
        Names of columns; without ``amount`` and ``use`` each row is a day with use.
    use
        Name of a column that answers whether there was use: 1 or 0, yes or no, Y or N, use or no-use.
    when_is
        ``day`` for a study day, or the form of a date: ``date`` for year-month-day, ``month/day/year``,
        ``day.month.year``, any of them followed by `` time``, ``serial`` or ``serial-1904`` for a spreadsheet's day
        number, ``iso-week``. Nothing is guessed.
    first_study_day
        Number that the file gives to day 0: 0, or 1 where it counts from day 1.
    amount_unit
        Unit of the amounts.
    unit
        Name of a column with the unit of each amount, in the place of ``amount_unit``.
    assessed
        ``rows``: only days with a row were asked about. ``span``: also the days between a person's first and last row.
    layout
        ``rows``: a row per person, substance and day. ``calendar``: a row per person and a column per day, whose cells
        are amounts if there is an ``amount_unit``, else answers; an empty cell is a day that nobody asked about.
    one_substance
        The substance of a table that has no column for it.
    missing
        Codes that stand for "not known": a list for all columns that are read but the person's, or lists by column.
    decimal, thousands
        Signs inside a number, in words.
    same_day
        What several entries of one person, substance and day mean: their sum, the ``first`` or ``last`` row, or
        ``refuse``, a day not known. When left out, any report of use makes a day of use, and amounts that differ make
        its amount unknown.
    empty_amount
        What a row without an amount says where no column answers whether there was use: nothing (``unknown``), or
        ``use`` of an unknown amount.
    anchor
        Name of a column with the date that is each person's day 0.
    anchor_file
        A second table that holds the person's column and the ``anchor``, in the place of the first.
    anchor_is
        Form of the anchor's date; that of ``when_is`` when left out.
    day_columns
        How the columns of a calendar's days are called, with {day} in the place of the day, as drinks_d{day}.
    group
        Name of a column with the arm of the person.
    sheet
        The sheet of a workbook.
    encoding
        Of a text file; UTF-8, or UTF-16 with its mark, when left out.
    """

    person: str = "who"
    substance: str = "what"
    when: str = "when"
    amount: str | None = None
    use: str | None = None
    when_is: str = "day"
    first_study_day: Literal[0, 1] = 0
    amount_unit: str | None = None
    assessed: Literal["rows", "span"] = "span"
    layout: Literal["rows", "calendar"] = "rows"
    one_substance: str | None = None
    unit: str | None = None
    missing: tuple[str, ...] | dict[str, tuple[str, ...]] = field(default=())
    decimal: Literal["point", "comma"] = "point"
    thousands: Literal["none", "point", "comma", "space", "apostrophe"] = "none"
    same_day: Literal["add", "first", "last", "refuse"] | None = None
    empty_amount: Literal["unknown", "use"] = "unknown"
    anchor: str | None = None
    anchor_file: str | None = None
    anchor_is: str | None = None
    day_columns: str | None = None
    group: str | None = None
    sheet: str | None = None
    encoding: str | None = None

    def _check_words(self) -> None:
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, str) and not value.strip():
                raise SpecError(
                    where=f"mapping, {one.name}", got="an empty word", allowed="a name, or the line left out"
                )

    def check(self) -> None:
        """Refuse what contradicts itself.

        Raises SpecError: an unknown form of dates, two signs for one, an anchor without dates, options of another
        layout.
        """
        self._check_words()
        if self.when_is != "day":
            read_date_form(self.when_is, where="mapping, when_is")
        if self.anchor_is is not None:
            read_date_form(self.anchor_is, where="mapping, anchor_is")
        if self.decimal == self.thousands:
            raise SpecError(where="mapping, thousands", got=self.thousands, allowed="another sign than the decimal one")
        if self.anchor is None and (self.anchor_file or self.anchor_is):
            raise SpecError(where="mapping, anchor", got="nothing", allowed="the column with the date of day 0")
        if self.anchor is not None and self.when_is == "day":
            raise SpecError(
                where="mapping, anchor",
                got="study days",
                allowed="dates",
                remedy="Study days have their day 0 already.",
            )
        name = self.one_substance
        if name is not None and (not name.strip() or is_nothing(name.strip()) or is_no_name(name.strip())):
            raise SpecError(
                where="mapping, one_substance", got=name or "nothing", allowed="the name of a substance",
                remedy="A column of substances is named with substance.",
            )  # fmt: skip
        if self.unit and self.amount_unit:
            raise SpecError(where="mapping, unit", got="a column and amount_unit", allowed="one of the two")
        if self.layout == "rows":
            if (self.amount is None) != (self.amount_unit is None and self.unit is None):
                raise SpecError(
                    where="mapping, amount_unit", got="one of two", allowed="amount and amount_unit, or neither",
                    remedy="Or name the column of units with unit.",
                )  # fmt: skip
            if self.day_columns is not None:
                raise SpecError(where="mapping, day_columns", got="a name", allowed="a name only with layout: calendar")
        self._check_calendar()
        named = [self.person, self.when, self.amount, self.use, *([] if self.one_substance else [self.substance])]
        twice = {name for name in named if name is not None and named.count(name) > 1}
        if self.layout == "rows" and twice:
            raise SpecError(where="mapping", got=f"{min(twice)} twice", allowed="another column for each")

    def _check_calendar(self) -> None:
        if self.layout != "calendar":
            return
        if not self.one_substance:
            raise SpecError(
                where="mapping, one_substance", got="nothing", allowed="the name of the one substance of a calendar"
            )
        if self.amount or self.use or self.unit:
            raise SpecError(
                where="mapping", got="a column of amounts or of use", allowed="neither: a calendar's cells hold them",
                remedy="Give amount_unit if the cells are amounts; without it they are answers.",
            )  # fmt: skip
        if self.day_columns is not None and self.day_columns.count("{day}") != 1:
            raise SpecError(where="mapping, day_columns", got=self.day_columns, allowed="a name with {day} once in it")

    def codes_of(self, column: str | None) -> tuple[str, ...]:
        """The missing codes of a column."""
        if isinstance(self.missing, dict):
            return self.missing.get(column or "", ())
        return () if column == self.person else self.missing

    def is_missing(self, cell: str, column: str | None) -> bool:
        """Whether a cell holds a missing code of its column."""
        return any(same_cell(cell, code) for code in self.codes_of(column))
