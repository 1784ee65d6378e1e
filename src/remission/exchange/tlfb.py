"""Timeline follow-back tables: one row per person, substance and day, or a calendar with a column per day.

A cell that cannot be used is set aside with its place and reason; nothing is dropped without a word, nothing guessed.
"""

import csv
import math
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from remission.errors import SpecError
from remission.exchange.quality import Imported
from remission.exchange.rows import Mapping, diaries_of_rows
from remission.exchange.tables import read_table, spreadsheet_safe, unreadable
from remission.files import new_text
from remission.records.diaries import Diaries

__all__ = ["read_tlfb", "write_calendar", "write_tlfb"]

_DAY_NAME = re.compile(r"[A-Za-z_ .]*?([+-]?[0-9]{1,9})")
_DATE_NAME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def read_tlfb(path: Path, mapping: Mapping) -> Imported:
    """The diaries of a table, one record a substance, with what was kept and set aside.

    Raises
    ------
    SpecError
        The file cannot be read as such a table, has no usable row, or is too large.
    """
    if mapping.layout == "calendar":
        return _read_calendar(path, mapping)
    if mapping.one_substance is not None:
        raise SpecError(where="mapping, one_substance", got="a name", allowed="a name only with layout: calendar")
    if (mapping.amount is None) != (mapping.amount_unit is None):
        raise SpecError(where="mapping, amount_unit", got="one of two", allowed="amount and amount_unit, or neither")
    needed = [mapping.person, mapping.substance, mapping.when] + [
        name for name in (mapping.amount, mapping.use) if name
    ]
    table = read_table(path, needed=needed)
    place = pd.DataFrame({"row": np.arange(len(table)) + 2})
    return diaries_of_rows(table, mapping, source=path.name, place=place, columns=list(table.columns))


def _read_calendar(path: Path, mapping: Mapping) -> Imported:
    """A row per person and a column per day; an empty cell is a day that nobody asked about."""
    if not mapping.one_substance:
        raise SpecError(
            where="mapping, one_substance", got="nothing", allowed="the name of the one substance of a calendar"
        )
    if mapping.amount or mapping.use:
        raise SpecError(
            where="mapping", got="a column of amounts or of use", allowed="neither: a calendar's cells hold them",
            remedy="Give amount_unit if the cells are amounts; without it they are 0 or 1.",
        )  # fmt: skip
    table = read_table(path, needed=[mapping.person])
    name = _DATE_NAME if mapping.when_is == "date" else _DAY_NAME
    days = [column for column in table.columns if column != mapping.person and name.fullmatch(column)]
    if not days:
        raise unreadable(
            f"{path.name}, row 1",
            f"no column of a day among: {', '.join(table.columns)}",
            "columns named by date, as 2024-05-31, or by study day, as 12, day_12 or d12",
            "Say when_is: date or when_is: day in the mapping file.",
        )
    repeated = table[mapping.person][table[mapping.person].duplicated()]
    if len(repeated):
        raise unreadable(
            f"{path.name}, row {int(repeated.index[0]) + 2}", f"{repeated.iloc[0]} again", "one row for each person"
        )
    when = [day if mapping.when_is == "date" else _DAY_NAME.fullmatch(day)[1] for day in days]  # type: ignore[index]  # chosen above because they match
    row, column = np.indices((len(table), len(days)))
    cells = pd.DataFrame(
        {
            "who": table[mapping.person].to_numpy()[row.ravel()],
            "what": mapping.one_substance,
            "when": np.array(when, dtype=object)[column.ravel()],
            "cell": table[days].to_numpy().ravel(),
        }
    )
    place = pd.DataFrame({"row": row.ravel() + 2, "field": np.array(days, dtype=object)[column.ravel()]})
    asked = (cells["cell"] != "").to_numpy()
    in_rows = replace(
        mapping, layout="rows", person="who", substance="what", when="when", assessed="rows", one_substance=None,
        amount="cell" if mapping.amount_unit else None, use=None if mapping.amount_unit else "cell",
    )  # fmt: skip
    return diaries_of_rows(
        cells[asked].reset_index(drop=True), in_rows, source=path.name, place=place[asked].reset_index(drop=True),
        columns=list(table.columns), ignored=[c for c in table.columns if c != mapping.person and c not in days],
    )  # fmt: skip


def write_tlfb(diaries: Sequence[Diaries], path: Path) -> None:
    """Write each assessed day as a row: who, what, when (day 0 is day 0), use, amount, unit and origin.

    A text that a spreadsheet would take for a formula gets an apostrophe. A file of that name is never replaced.

    Raises
    ------
    SpecError
        The file exists.
    RunError
        The file cannot be written.
    WorkError
        The disk refused half-way.
    """
    with new_text(path) as file:
        out = csv.writer(file)
        out.writerow(["who", "what", "when", "use", "amount", "unit", "origin"])
        for one in diaries:
            person = [spreadsheet_safe(name) for name in one.person]
            what, unit = spreadsheet_safe(one.substance), spreadsheet_safe(one.amount_unit or "")
            origin = "synthetic" if one.origin == "simulated" else "observed"
            who, at = np.nonzero(one.assessed)
            use = one.used[who, at].astype(int).tolist()
            known = [math.nan] * len(use) if one.amount is None else one.amount[who, at].tolist()
            amounts = ["" if math.isnan(much) else much for much in known]
            out.writerows(
                (person[i], what, day, flag, much, unit, origin)
                for i, day, flag, much in zip(who.tolist(), one.study_day[at].tolist(), use, amounts, strict=True)
            )


def write_calendar(diaries: Diaries, path: Path) -> None:
    """Write one substance's diaries as a calendar: a row per person, a column per day, an empty cell where unasked.

    Cells are amounts where the diaries have them, else 0 or 1. A file of that name is never replaced.

    Raises
    ------
    SpecError
        A day of use has no amount though others have one: no cell could say so.
    SpecError
        The file exists.
    RunError
        The file cannot be written.
    WorkError
        The disk refused half-way.
    """
    if diaries.amount is not None and bool(np.isnan(diaries.amount[diaries.used]).any()):
        raise SpecError(
            where=f"diaries of {diaries.substance}", got="a day of use without an amount", allowed="amounts on all",
            remedy="Write rows instead of a calendar.",
        )  # fmt: skip
    cells = diaries.used.astype(int) if diaries.amount is None else diaries.amount
    with new_text(path) as file:
        out = csv.writer(file)
        out.writerow(["who", *(f"day_{day}" for day in diaries.study_day.tolist()), "origin"])
        origin = "synthetic" if diaries.origin == "simulated" else "observed"
        for name, row, asked in zip(diaries.person, cells.tolist(), diaries.assessed.tolist(), strict=True):
            marks = [value if seen else "" for value, seen in zip(row, asked, strict=True)]
            out.writerow([spreadsheet_safe(name), *marks, origin])
