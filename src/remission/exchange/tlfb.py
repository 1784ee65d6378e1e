"""Timeline follow-back tables: one row per person, substance and day, or a calendar with a column per day.

A cell that cannot be used is set aside with its place and reason; nothing is dropped without a word, nothing guessed.
"""

import csv
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remission.errors import SpecError
from remission.exchange.canonical import read_diaries
from remission.exchange.cells import ANSWERS, read_date_form, spelling
from remission.exchange.mapping import Mapping
from remission.exchange.own import (
    OWN,
    OWN_CALENDAR,
    day_rows,
    day_zero_words,
    extra_names,
    origin_word,
    restored,
    weekday_of_day_zero,
)
from remission.exchange.quality import Imported, QualityReport
from remission.exchange.rows import RowSource, anchors_in, arms_of, diaries_of_rows
from remission.exchange.tables import Table, is_parquet, plain, read_source, unreadable
from remission.files import new_text, spreadsheet_safe
from remission.records.diaries import SCORES, Diaries
from remission.records.packaged import packaged_toml

_DAY_NAME = re.compile(r"(?:(?:study[_ .]?)?day|d)?[_ .]?([+-]?[0-9]{1,9})", re.IGNORECASE)
_SUBSTANCE = "substance of the mapping"
_NAMES_OF_USE = {"use", "used", "suoccur", "use_yn", "anyuse", "any_use"}
_NAMES_OF_AMOUNT = {"amount", "amt", "quantity", "drinks", "standard_drinks", "n_drinks", "grams", "sudose"}
_CDISC = {"USUBJID", "SUTRT"}
_UNIT = "unit of the amount"


def read_tlfb(path: Path, mapping: Mapping | None = None) -> Imported:
    """The diaries of a table, one record a substance, with what was kept and set aside.

    ``path``: text with commas, semicolons, tabs or bars; a workbook; a SAS transport, SPSS or Stata file; a Parquet
    file of this program. ``mapping``: which column holds what. Without one the columns have their usual names, a table
    that this program exported is read as it was, and a CDISC table of substance use by the names of its standard.
    Raises SpecError: the file cannot be read as such a table, has no usable row, or is too large.
    """
    if is_parquet(path):
        return _read_parquet(path)
    if mapping is None:
        own = _read_without_mapping(path)
        if own is not None:
            return own
        mapping = Mapping()
    mapping.check()
    return _read_calendar(path, mapping) if mapping.layout == "calendar" else _read_rows(path, mapping)


def _read_parquet(path: Path) -> Imported:
    diaries = read_diaries(path)
    n = sum(int(one.assessed.sum()) for one in diaries)
    return Imported(diaries, QualityReport(n_rows=n, n_kept=n, set_aside=(), cautions=()))


def _read_without_mapping(path: Path) -> Imported | None:
    """A table that says itself what it is: an export, a file of My days, or a CDISC table of substance use."""
    try:
        columns = list(read_source(path, needed=[]).cells.columns)
    except SpecError:
        # The reader of rows says it, or finds the header farther below.
        return None
    if set(OWN) <= set(columns):
        group = "group" if "group" in columns else None
        mapping = Mapping(use="use", amount="amount", unit="unit", assessed="rows", group=group)
        return _read_rows(path, mapping, is_own=True)
    if set(OWN_CALENDAR) <= set(columns) and any(_DAY_NAME.fullmatch(name) for name in columns):
        return _read_own_calendar(path)
    if set(columns) >= set(packaged_toml("exchange", "my-days.toml")["columns"]):
        return _read_my_days(path)
    if set(columns) >= _CDISC:
        return _read_rows(path, cdisc_mapping(columns))
    return None


def _read_my_days(path: Path) -> Imported:
    """A file of My days: a day without a row, or without an answer, is not known; the unit follows the substance."""
    mapping = Mapping(when_is="date", use="use", amount="amount", unit=_UNIT, assessed="rows")
    return _read_rows(path, mapping, is_my_days=True)


def cdisc_mapping(columns: list[str]) -> Mapping:
    """The mapping of a table of substance use of the CDISC standard; its study days have no day 0."""
    has_dates = [name for name in ("SUDTC", "SUSTDTC") if name in columns]
    has_days = [name for name in ("SUDY", "SUSTDY") if name in columns]
    if not has_dates and not has_days:
        raise SpecError(
            where="the table of substance use", got="no SUDTC, SUSTDTC, SUDY or SUSTDY", allowed="one of them",
            remedy="Name your columns in a mapping file.",
        )  # fmt: skip
    by_day = bool(has_days)
    amounts = "SUDOSE" in columns and "SUDOSU" in columns
    return Mapping(
        person="USUBJID", substance="SUTRT", when=has_days[0] if by_day else has_dates[0],
        when_is="day" if by_day else "year-month-day time", first_study_day=1 if by_day else 0,
        use="SUOCCUR" if "SUOCCUR" in columns else None, amount="SUDOSE" if amounts else None,
        unit="SUDOSU" if amounts else None, assessed="rows",
    )  # fmt: skip


def _read_rows(path: Path, mapping: Mapping, *, is_own: bool = False, is_my_days: bool = False) -> Imported:
    """A row per person, substance and day."""
    in_table = mapping.anchor if mapping.anchor_file is None else None
    named = [mapping.when, mapping.amount, mapping.use, None if is_my_days else mapping.unit, in_table, mapping.group]
    needed = [
        mapping.person,
        *([] if mapping.one_substance else [mapping.substance]),
        *(name for name in named if name),
    ]
    source = read_source(
        path, needed=list(dict.fromkeys(needed)), encoding=mapping.encoding, decimal=mapping.decimal,
        sheet=mapping.sheet,
    )  # fmt: skip
    _check_codes(mapping, source.cells)
    table, columns = source.cells, [str(name) for name in source.cells.columns]
    notes: list[str] = []
    if is_my_days:
        table = table.assign(**{_UNIT: _units_of_my_days(table)})
    elif not is_own:
        mapping, notes = _column_of_answers(table, mapping)
    if mapping.one_substance:
        if mapping.substance in columns:
            raise SpecError(
                where="mapping, one_substance", got=f"a name, and a column {mapping.substance}",
                allowed="one of the two",
                remedy="Name the column with substance, or leave it out of the file.",
            )  # fmt: skip
        table = table.assign(**{_SUBSTANCE: mapping.one_substance})
        mapping = replace(mapping, substance=_SUBSTANCE)
    place = pd.DataFrame({"row": np.arange(len(table)) + source.first_row})
    about = RowSource(
        name=path.name, place=place, columns=columns, is_own=is_own, is_typed=source.is_typed,
        anchors=anchors_in(source, mapping, name=path.name), may_be_silent=is_my_days,
        scores={name: name for name in SCORES if name in columns} if is_my_days or is_own else {},
    )  # fmt: skip
    found = diaries_of_rows(table, mapping, about)
    if "origin" in columns:
        found = restored(found, table, mapping, is_own=is_own)
    return _with_notes(found, notes)


def _units_of_my_days(table: pd.DataFrame) -> "pd.Series[str]":
    """What the amount of each row counts, by its substance; a name that is not offered has a unit of its own."""
    units = packaged_toml("exchange", "my-days.toml")["units"]
    return plain(table["what"]).map(lambda name: units.get(spelling(str(name)).casefold(), "amount"))


def _check_codes(mapping: Mapping, cells: pd.DataFrame) -> None:
    """A column that only the missing codes name would be a slip without a word."""
    if isinstance(mapping.missing, dict):
        for name in mapping.missing:
            if name not in cells.columns:
                raise SpecError(
                    where="mapping, missing", got=name, allowed=f"columns: {', '.join(map(str, cells.columns[:30]))}"
                )


def _with_notes(found: Imported, notes: Sequence[str]) -> Imported:
    return replace(found, report=replace(found.report, cautions=(*notes, *found.report.cautions)))


def _column_of_answers(table: pd.DataFrame, mapping: Mapping) -> tuple[Mapping, list[str]]:
    """The mapping with the column that answers use or no-use in these very words, where none is named."""
    if mapping.use is not None:
        return mapping, []
    named = ("person", "substance", "when", "amount", "unit", "anchor", "group")
    read = {getattr(mapping, name) for name in named}
    others = [str(name) for name in table.columns if name not in read]
    said = [name for name in others if _says_use(table[name])]
    if len(said) > 1:
        raise unreadable(
            "mapping, use", f"several columns that answer use or no-use: {', '.join(said)}", "one of them",
            "Name it with use.",
        )  # fmt: skip
    if said:
        return replace(mapping, use=said[0]), [f"The column {said[0]} says use or no-use and is read as the answer."]
    unread = [name for name in others if name.casefold() in _NAMES_OF_USE]
    if unread and mapping.amount is None:
        note = f"The column {unread[0]} is not read, and every row counts as a day with use; if it says whether there "
        return mapping, [f"{note}was use, say use: {unread[0]}."]
    amounts = [name for name in others if name.casefold() in _NAMES_OF_AMOUNT]
    if amounts and mapping.amount is None:
        note = f"The column {amounts[0]} is not read, and every row counts as a day with use, 0 too; if it holds "
        return mapping, [f"{note}amounts, say amount: {amounts[0]} and their amount_unit in a mapping file."]
    return mapping, []


def _says_use(cells: "pd.Series[str]") -> bool:
    words = {str(word).casefold() for word in pd.unique(cells)} - {""}
    return bool(words) and words <= ANSWERS


def _days_of_calendar(source: Table, path: Path, mapping: Mapping) -> dict[str, str]:
    """The day of each column that says one, as a cell of the declared form would hold it."""
    form = None if mapping.when_is == "day" else read_date_form(mapping.when_is, where="mapping, when_is")
    pattern = None
    if mapping.day_columns is not None:
        before, _, after = mapping.day_columns.partition("{day}")
        pattern = re.compile(rf"{re.escape(before)}(.+){re.escape(after)}", re.IGNORECASE)
    days: dict[str, str] = {}
    seen: dict[object, str] = {}
    for column in map(str, source.cells.columns):
        if column in {mapping.person, mapping.anchor, mapping.group}:
            continue
        match = pattern.fullmatch(column) if pattern else None
        if pattern is not None and match is None:
            continue
        text = match[1] if match else column
        if form is None:
            named = re.fullmatch(r"([+-]?[0-9]{1,9})", text) if match else _DAY_NAME.fullmatch(text)
            day: object = None if named is None else int(named[1])
            text = "" if named is None else named[1]
        else:
            day = form.ordinal(text, is_typed=source.is_typed)
        if day is None:
            continue
        if day in seen or column in source.repeated:
            raise unreadable(
                f"{path.name}, row {source.first_row - 1}",
                f"two columns for one day: {seen.get(day, column)} and {column}",
                "one column for each day", "Delete or rename one of them.",
            )  # fmt: skip
        seen[day], days[column] = column, text
    if not days:
        raise unreadable(
            f"{path.name}, row {source.first_row - 1}",
            f"no column of a day among {len(source.cells.columns)} columns",
            "columns named by date in the form of when_is, as 2024-05-31, or by study day, as 12, day_12 or d12",
            "Say when_is: date or when_is: day in the mapping file, or how the columns are called with day_columns.",
        )
    return days


def _read_calendar(path: Path, mapping: Mapping, *, is_own: bool = False) -> Imported:
    """A row per person and a column per day; an empty cell is a day that nobody asked about."""
    in_table = mapping.anchor if mapping.anchor_file is None else None
    source = read_source(
        path, needed=[mapping.person, *(name for name in (in_table, mapping.group) if name)], encoding=mapping.encoding,
        decimal=mapping.decimal, sheet=mapping.sheet,
    )  # fmt: skip
    table = source.cells[(source.cells != "").any(axis=1)]
    days = _days_of_calendar(source, path, mapping)
    repeated = table[mapping.person][table[mapping.person].duplicated()]
    if len(repeated):
        raise unreadable(
            f"{path.name}, row {int(repeated.index[0]) + source.first_row}", f"{str(repeated.iloc[0])[:60]} again",
            "one row for each person",
        )  # fmt: skip
    row, column = np.indices((len(table), len(days)))
    cells = pd.DataFrame(
        {
            "who": table[mapping.person].to_numpy()[row.ravel()],
            _SUBSTANCE: mapping.one_substance,
            "when": np.array(list(days.values()), dtype=object)[column.ravel()],
            "cell": table[list(days)].to_numpy().ravel(),
        },
        dtype=str,
    )
    rows = table.index.to_numpy() + source.first_row
    place = pd.DataFrame({"row": rows[row.ravel()], "field": np.array(list(days), dtype=object)[column.ravel()]})
    asked = (cells["cell"] != "").to_numpy()
    codes = mapping.missing
    if isinstance(codes, dict):
        codes = tuple(dict.fromkeys(code for name in days for code in mapping.codes_of(name)))
    in_rows = replace(
        mapping, layout="rows", person="who", substance=_SUBSTANCE, when="when", assessed="rows", same_day=None,
        amount="cell" if mapping.amount_unit else None, use=None if mapping.amount_unit else "cell",
        missing={"cell": codes}, day_columns=None, group=None,
    )  # fmt: skip
    read = {mapping.person, mapping.anchor, mapping.group, *days}
    people = plain(table[mapping.person])
    notes: list[str] = []
    known = {"what", "unit", "origin", "weekday", "day_zero", "group"} if is_own else {"origin"}
    about = RowSource(
        name=path.name, place=place[asked].reset_index(drop=True), columns=[str(name) for name in source.cells.columns],
        ignored=[str(name) for name in source.cells.columns if name not in read and name not in known],
        is_own=is_own, is_typed=source.is_typed, anchors=anchors_in(source, mapping, name=path.name),
        people=[name for name in people if name],
        arms=None if mapping.group is None else arms_of(people, table[mapping.group], mapping, notes),
    )  # fmt: skip
    found = diaries_of_rows(cells[asked].reset_index(drop=True), in_rows, about)
    if "origin" in source.cells.columns:
        found = restored(found, table, mapping, is_own=is_own)
    return _with_notes(found, notes)


def _read_own_calendar(path: Path) -> Imported:
    """A calendar of this program: one substance, its unit and origin in columns, empty cells where nobody asked."""
    source = read_source(path, needed=list(OWN_CALENDAR))
    named = {column: set(source.cells[column]) for column in ("what", "unit")}
    if any(len(words) != 1 for words in named.values()):
        raise unreadable(path.name, "several substances or units", "a calendar of one", "Export one at a time.")
    what, unit = (plain(source.cells[column]).iloc[0] for column in ("what", "unit"))
    mapping = Mapping(
        layout="calendar", one_substance=what, amount_unit=unit or None,
        group="group" if "group" in source.cells else None,
    )  # fmt: skip
    found = _read_calendar(path, mapping, is_own=True)
    # The columns say which days the diaries have, whether or not anybody was asked on them.
    days = [int(text) for text in _days_of_calendar(source, path, mapping).values()]
    return replace(
        found,
        diaries=tuple(_padded(one, min(days), max(days)) for one in found.diaries),
        lost=tuple(
            replace(gone, placed=_wide(gone.placed, one, min(days), max(days)))
            for one, gone in zip(found.diaries, found.lost, strict=True)
        ),
    )


def _wide(grid: np.ndarray, one: Diaries, first: int, last: int, fill: Any = False) -> np.ndarray:
    """A grid of people and days with columns for all days from the first to the last."""
    after = last - one.first_day - grid.shape[1] + 1
    return np.pad(grid, ((0, 0), (one.first_day - first, after)), constant_values=fill)


def _padded(one: Diaries, first: int, last: int) -> Diaries:
    weekday = one.weekday_of_first_day
    return replace(
        one,
        first_day=first,
        assessed=_wide(one.assessed, one, first, last),
        used=_wide(one.used, one, first, last),
        amount=None if one.amount is None else _wide(one.amount, one, first, last, np.nan),
        weekday_of_first_day=np.where(weekday < 0, -1, (weekday + first - one.first_day) % 7),
    )


def write_tlfb(diaries: Sequence[Diaries], path: Path) -> None:
    """Write each assessed day as a row: who, what, when (day 0 is day 0), use, amount, unit and origin.

    Arms stand before the origin and weekdays and the meaning of day 0 after it, where they are known. A text that a
    spreadsheet would take for a formula gets an apostrophe. A file of that name is never replaced.

    Raises SpecError: the file exists. Raises RunError: the file cannot be written. Raises WorkError: the disk refused
    half-way.
    """
    before, after = extra_names(diaries)
    with new_text(path) as file:
        out = csv.writer(file)
        out.writerow(["who", "what", "when", "use", "amount", "unit", *before, "origin", *after])
        for one in diaries:
            person = [spreadsheet_safe(name) for name in one.person]
            what, unit = spreadsheet_safe(one.substance), spreadsheet_safe(one.amount_unit or "")
            out.writerows([person[row[0]], what, *row[1:4], unit, *row[4:]] for row in day_rows(one, before, after))


def write_calendar(diaries: Diaries, path: Path) -> None:
    """Write one substance's diaries as a calendar: a row per person, a column per day, an empty cell where unasked.

    Cells are amounts where the diaries have them, else 0 or 1; marks of craving and mood have no place there. A file of
    that name is never replaced.

    Raises SpecError: a day of use has no amount, or the amount 0, though others have one: no cell could say so; or the
    file exists. Raises RunError: the file cannot be written. Raises WorkError: the disk refused half-way.
    """
    if diaries.amount is not None and not bool((diaries.amount[diaries.used] > 0).all()):
        raise SpecError(
            where=f"diaries of {diaries.substance}", got="a day of use without an amount", allowed="amounts on all",
            remedy="Write rows instead of a calendar.",
        )  # fmt: skip
    cells = diaries.used.astype(int) if diaries.amount is None else np.where(diaries.used, diaries.amount, 0.0)
    before, after = extra_names([replace(diaries, scores={})])
    after = ["weekday_of_day_0" if name == "weekday" else name for name in after]
    with new_text(path) as file:
        out = csv.writer(file)
        days = [f"day_{day}" for day in diaries.study_day.tolist()]
        out.writerow(["who", *days, "what", "unit", *before, "origin", *after])
        ends = {"day_zero": day_zero_words(diaries)}
        same = [spreadsheet_safe(diaries.substance), spreadsheet_safe(diaries.amount_unit or "")]
        for i, (name, row, asked) in enumerate(
            zip(diaries.person, cells.tolist(), diaries.assessed.tolist(), strict=True)
        ):
            marks = [value if seen else "" for value, seen in zip(row, asked, strict=True)]
            arm = [spreadsheet_safe(diaries.group[i]) for _ in before]
            last = [ends["day_zero"] if extra == "day_zero" else weekday_of_day_zero(diaries, i) for extra in after]
            out.writerow([spreadsheet_safe(name), *marks, *same, *arm, origin_word(diaries), *last])
