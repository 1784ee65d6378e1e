"""Timeline follow-back tables: one row per person, substance and day.

A row that cannot be used is set aside with its place and reason; nothing is dropped without a word and nothing guessed.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from remission.errors import RunError, SpecError
from remission.exchange.quality import Imported, QualityReport, SetAside, identifying_columns
from remission.exchange.tables import limit, read_table, unreadable
from remission.records.diaries import Diaries

__all__ = ["Mapping", "read_tlfb", "write_tlfb"]

_SEPARATORS = r"\w\s*[;|+&,]\s*\w"


@dataclass(frozen=True)
class Mapping:
    """Which column says what.

    Attributes
    ----------
    person, substance, when, amount
        Names of columns; without ``amount`` and ``use`` each row is a day with use.
    use
        Name of a column that holds 1 on a day with use and 0 on a day without.
    when_is
        ``day`` for a study day; ``date`` for year-month-day, where day 0 is the person's first date.
    first_study_day
        Number that the file gives to day 0: 0, or 1 where it counts from day 1.
    amount_unit
        Unit of the amounts.
    assessed
        ``rows``: only days with a row were asked about. ``span``: also the days between a person's first and last row.
    """

    person: str = "who"
    substance: str = "what"
    when: str = "when"
    amount: str | None = None
    use: str | None = None
    when_is: Literal["day", "date"] = "day"
    first_study_day: Literal[0, 1] = 0
    amount_unit: str | None = None
    assessed: Literal["rows", "span"] = "span"


def read_tlfb(path: Path, mapping: Mapping) -> Imported:
    """The diaries of a table, one record a substance, with what was kept and set aside.

    Raises
    ------
    SpecError
        The file cannot be read as such a table, has no usable row, or is too large.
    """
    if (mapping.amount is None) != (mapping.amount_unit is None):
        raise SpecError(where="mapping, amount_unit", got="one of two", allowed="amount and amount_unit, or neither")
    needed = [mapping.person, mapping.substance, mapping.when] + [
        name for name in (mapping.amount, mapping.use) if name
    ]
    table = read_table(path, needed=needed)
    for column in (mapping.person, mapping.substance):
        # The apostrophe that an export puts before a formula sign belongs to the spreadsheet.
        table[column] = table[column].str.replace(r"^'(?=[=+@-])", "", regex=True)
    reason = pd.Series("", index=table.index)
    field = pd.Series("", index=table.index)

    def refuse(rows: "pd.Series[bool]", column: str, words: str) -> None:
        new = rows & (reason == "")
        reason[new], field[new] = words, column

    refuse(table[mapping.person] == "", mapping.person, "no person")
    refuse(table[mapping.substance] == "", mapping.substance, "no substance")
    refuse(table[mapping.substance].str.contains(_SEPARATORS), mapping.substance, "several substances in one cell")
    if mapping.when_is == "day":
        whole = table[mapping.when].str.fullmatch(r"[+-]?[0-9]{1,9}")
        refuse(~whole, mapping.when, "no whole study day")
        day = pd.to_numeric(table[mapping.when].where(whole, "0")).astype(np.int64)
        if mapping.first_study_day == 1:
            refuse(day == 0, mapping.when, "day 0 in a file that counts from day 1")
            day = day.where(day < 0, day - 1)
        weekday = None
    else:
        is_date = table[mapping.when].str.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
        date = pd.to_datetime(table[mapping.when].where(is_date), format="%Y-%m-%d", errors="coerce")
        refuse(date.isna(), mapping.when, "no date as year-month-day")
        first_date = date[reason == ""].groupby(table[mapping.person]).min()
        day_zero = date.where(reason == "").groupby(table[mapping.person]).transform("min")
        day = (date - day_zero).dt.days.fillna(0).astype(np.int64)
        weekday = first_date.dt.day_of_week
    refuse(day.abs() > limit("day"), mapping.when, f"more than {limit('day')} days from day 0")
    amount = None
    if mapping.amount:
        amount = pd.to_numeric(table[mapping.amount].replace("", "nan"), errors="coerce").astype(float)
        is_blank = table[mapping.amount] == ""
        refuse(~is_blank & ~np.isfinite(amount), mapping.amount, "no number")
        refuse(amount < 0, mapping.amount, "a negative amount")
    if mapping.use:
        refuse(~table[mapping.use].isin(["0", "1"]), mapping.use, "neither 0 nor 1")
        if amount is not None:
            refuse((table[mapping.use] == "0") & (amount > 0), mapping.use, "an amount on a day without use")
    key = [table[mapping.person], table[mapping.substance], day]
    keys = pd.concat(key, axis=1, keys=["person", "substance", "day"])
    refuse(keys.where(reason == "").dropna().duplicated().reindex(keys.index, fill_value=False),
           mapping.when, "the same person, substance and day again")  # fmt: skip
    kept = reason == ""
    if not kept.any():
        first = f"{reason.iloc[0]} in row 2" if len(reason) else "no row"
        raise unreadable(path.name, f"no usable row; {first}", "at least one usable row", "Check the mapping.")
    keys = keys[kept]
    is_use = None if mapping.use is None else table[mapping.use][kept] == "1"
    used_amount = None if amount is None else amount[kept]
    suspects = identifying_columns(list(table.columns))
    notes = tuple(f"The column {name} may tell who somebody is; it is not read." for name in suspects)
    bad = np.flatnonzero(~kept)
    aside = tuple(
        SetAside(row=int(i) + 2, field=field.iloc[i], got=table[field.iloc[i]].iloc[i][:60], reason=reason.iloc[i])
        for i in bad
    )
    report = QualityReport(n_rows=len(table), n_kept=int(kept.sum()), set_aside=aside, warnings=notes)
    return Imported(_grids(path, mapping, keys, used_amount, is_use, weekday), report)


def _grids(
    path: Path,
    mapping: Mapping,
    keys: pd.DataFrame,
    amount: "pd.Series[float] | None",
    is_use: "pd.Series[bool] | None",
    weekday: "pd.Series[int] | None",
) -> tuple[Diaries, ...]:
    codes, people = pd.factorize(keys["person"], sort=True)
    day = keys["day"].to_numpy()
    first_day = int(day.min())
    shape = (len(people), int(day.max()) - first_day + 1)
    if shape[0] * shape[1] > limit("cells"):
        raise unreadable(path.name, f"{shape[0]} people times {shape[1]} days", f"at most {limit('cells')} person-days")
    span = keys["day"].groupby(codes).agg(["min", "max"])
    columns = first_day + np.arange(shape[1])
    within = (columns >= span["min"].to_numpy()[:, None]) & (columns <= span["max"].to_numpy()[:, None])
    starts = np.full(shape[0], -1)
    if weekday is not None:
        starts = (weekday.reindex(people).to_numpy(np.int64) + first_day) % 7
    found = []
    for substance in keys["substance"].value_counts().index:
        mine = (keys["substance"] == substance).to_numpy()
        at = codes[mine], day[mine] - first_day
        has_row = np.zeros(shape, dtype=bool)
        has_row[at] = True
        assessed = has_row if mapping.assessed == "rows" else within
        used, amounts = has_row, None
        if amount is not None:
            amounts = np.where(assessed, 0.0, np.nan)
            amounts[at] = amount.to_numpy()[mine]
            # A row without an amount reports use of an unknown amount.
            used = has_row & ~(amounts == 0)
        if is_use is not None:
            used = np.zeros(shape, dtype=bool)
            used[at] = is_use.to_numpy()[mine]
        found.append(
            Diaries(
                substance=str(substance), person=tuple(map(str, people)), first_day=first_day, assessed=assessed,
                used=used, amount=amounts, amount_unit=mapping.amount_unit, weekday_of_first_day=starts,
                group=("",) * shape[0], origin="observed", source=path.name,
                day_zero="the first date of the person" if mapping.when_is == "date" else "day 0 of the file",
            )
        )  # fmt: skip
    return tuple(found)


def write_tlfb(diaries: Sequence[Diaries], path: Path) -> None:
    """Write each assessed day as a row: who, what, when (day 0 is day 0), use, amount, unit and origin.

    A text that a spreadsheet would take for a formula gets an apostrophe. A file of that name is never replaced.

    Raises
    ------
    RunError
        The file exists or cannot be written.
    """
    try:
        with path.open("x", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["who", "what", "when", "use", "amount", "unit", "origin"])
            for one in diaries:
                person = [_plain(name) for name in one.person]
                what, unit = _plain(one.substance), _plain(one.amount_unit or "")
                origin = "synthetic" if one.origin == "simulated" else "observed"
                who, at = np.nonzero(one.assessed)
                use = one.used[who, at].astype(int).tolist()
                known = [math.nan] * len(use) if one.amount is None else one.amount[who, at].tolist()
                amounts = ["" if math.isnan(much) else much for much in known]
                out.writerows(
                    (person[i], what, day, flag, much, unit, origin)
                    for i, day, flag, much in zip(who.tolist(), one.study_day[at].tolist(), use, amounts, strict=True)
                )
    except OSError as error:
        raise RunError(where=str(path), got=error.strerror or "an error", allowed="a new file in a folder") from None


def _plain(text: str) -> str:
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text
