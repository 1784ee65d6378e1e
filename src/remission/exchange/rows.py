"""Rows of person, substance and day sorted out: each is used or set aside; the used ones make diaries."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from remission.exchange.quality import Imported, QualityReport, SetAside, identifying_columns
from remission.exchange.tables import limit, unreadable
from remission.records.diaries import Diaries

__all__ = ["Mapping", "diaries_of_rows"]

_SEPARATORS = r"\w\s*[;|+&,]\s*\w"


@dataclass(frozen=True)
class Mapping:
    """Which column says what.

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
    layout
        ``rows``: a row per person, substance and day. ``calendar``: a row per person and a column per day, whose cells
        are amounts if there is an ``amount_unit``, else 0 or 1; an empty cell is a day that nobody asked about.
    one_substance
        Substance of a calendar, or of a REDCap project without a field for it.
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
    layout: Literal["rows", "calendar"] = "rows"
    one_substance: str | None = None


def diaries_of_rows(
    table: pd.DataFrame,
    mapping: Mapping,
    *,
    source: str,
    place: pd.DataFrame,
    columns: Sequence[str],
    ignored: Sequence[str] = (),
    is_coded: bool = False,
) -> Imported:
    """The diaries of rows, one record a substance, with what was kept and set aside.

    Parameters
    ----------
    table
        Cells as text, in the columns that ``mapping`` names.
    mapping
        Which column says what.
    source
        Name of the file.
    place
        ``row`` of the file for each row of the table, and ``field`` where the cell stands in a column of another name.
    columns
        Names of the file's columns.
    ignored
        Those of them that are not read and of which the user should know.
    is_coded
        Substances come from a list of choices, so a comma in a name is part of the name.

    Raises
    ------
    SpecError
        No usable row, or too many people and days.
    """
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
    is_several = table[mapping.substance].str.contains(_SEPARATORS) & (not is_coded)
    refuse(is_several, mapping.substance, "several substances in one cell")
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
        first = f"{reason.iloc[0]} in row {place['row'].iloc[0]}" if len(reason) else "no row"
        raise unreadable(source, f"no usable row; {first}", "at least one usable row", "Check the mapping.")
    keys = keys[kept]
    is_use = None if mapping.use is None else table[mapping.use][kept] == "1"
    used_amount = None if amount is None else amount[kept]
    read = {mapping.person, mapping.substance, mapping.when, mapping.amount, mapping.use}
    notes = [
        f"The column {name} may tell who somebody is; it is "
        + ("read: put a study number in its place." if name in read else "not read.")
        for name in identifying_columns(list(columns))
    ]
    if ignored:
        notes.append(f"Not read, because the name is no day: {', '.join(ignored)}.")
    bad = np.flatnonzero(~kept)
    aside = tuple(
        SetAside(
            row=int(place["row"].iloc[i]),
            field=str(place["field"].iloc[i]) if "field" in place else field.iloc[i],
            got=table[field.iloc[i]].iloc[i][:60],
            reason=reason.iloc[i],
        )
        for i in bad
    )
    report = QualityReport(n_rows=len(table), n_kept=int(kept.sum()), set_aside=aside, cautions=tuple(notes))
    return Imported(_grids(source, mapping, keys, used_amount, is_use, weekday), report)


def _grids(
    source: str,
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
        raise unreadable(source, f"{shape[0]} people times {shape[1]} days", f"at most {limit('cells')} person-days")
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
                group=("",) * shape[0], origin="observed", source=source,
                day_zero="the first date of the person" if mapping.when_is == "date" else "day 0 of the file",
            )
        )  # fmt: skip
    return tuple(found)
