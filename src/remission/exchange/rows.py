"""Rows of person, substance and day sorted out: each is used or set aside; the used ones make diaries.

A row that is set aside makes its day unknown, whatever the rest of the file says: for its substance, or for all
substances of the person where the substance cannot be read; for everybody where the person cannot. Where the day cannot
be read, no day of that person without a readable row counts as asked about. A day of use stays one.
"""

import re
from collections.abc import Mapping as Names
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from remission.exchange.cells import (
    answer_of,
    forms_that_fit,
    is_no_name,
    is_nobody,
    is_nothing,
    is_total,
    number_of,
    per_value,
    read_date_form,
    spelling,
)
from remission.exchange.mapping import Mapping
from remission.exchange.quality import (
    Imported,
    Lost,
    QualityReport,
    SetAside,
    far_outside,
    identifying_columns,
    like_people,
    like_substances,
)
from remission.exchange.tables import Table, limit, plain, read_source, unreadable
from remission.records.diaries import MOST_SCORE, Diaries

if TYPE_CHECKING:
    from remission.exchange.cells import Cells

__all__ = ["Mapping", "RowSource", "anchors_in", "anchors_of", "arms_of", "diaries_of_rows"]

_SEPARATORS = re.compile(r"\w\s*[;|+&,]\s*\w")
_BETWEEN = re.compile(
    r"\s*[/\\;|+&,\n\u00b7\uff0c\u3001]\s*|\s+(?:and|with|plus|then|und|mit|et|avec|y|con|e|og|och|en)\s+",
    re.IGNORECASE,
)
_DAY = re.compile(r"([+-]?[0-9]{1,9})(?:\.0+)?")
_AGAIN = "the same person, substance and day again"
_NOWHERE = -1


@dataclass(frozen=True, kw_only=True)
class RowSource:
    """Where rows come from.

    name
        Of the file.
    place
        ``row`` of the file for each row of the table, and ``field`` where the cell stands in a column of another name.
    columns
        Names of the file's columns.
    ignored
        Those of them that are not read and of which the user should know.
    is_coded
        Substances come from a list of choices, so a comma in a name is part of the name.
    is_own
        The file is an export of this program: a row without an answer is a day not known, and names are as they are.
    may_be_silent
        A row without an answer and without an amount is a day not known, and nothing is wrong with it.
    is_typed
        The file keeps dates and numbers as such.
    no_code
        Rows whose substance is no code of the list of choices.
    anchors
        Day number of each person's day 0; None where it cannot be read.
    people
        People of the file who may have no row.
    arms
        Their arms, where the rows do not say them.
    scores
        Columns of marks of the days, by name of the mark.
    """

    name: str
    place: pd.DataFrame
    columns: Sequence[str]
    ignored: Sequence[str] = ()
    is_coded: bool = False
    is_own: bool = False
    may_be_silent: bool = False
    is_typed: bool = False
    no_code: np.ndarray | None = None
    anchors: Names[str, int | None] | None = None
    people: Sequence[str] = ()
    arms: Names[str, str] | None = None
    scores: Names[str, str] = field(default_factory=dict)


@dataclass
class _Verdicts:
    """Why each row is set aside, and by which cell; empty where it is used."""

    reason: np.ndarray
    column: np.ndarray
    got: dict[int, str] = field(default_factory=dict)

    def refuse(self, rows: np.ndarray, column: str, words: str) -> None:
        at = np.flatnonzero(rows) if rows.dtype == np.bool_ else rows
        new = at[self.reason[at] == ""]
        self.reason[new], self.column[new] = words, column


@dataclass(frozen=True)
class _Days:
    """Where each row lies: its day, the people's day 0 as a day number, and which rows have no readable day."""

    day: np.ndarray
    is_lost: np.ndarray
    ordinal: np.ndarray | None = None
    zero: np.ndarray | None = None


@dataclass(frozen=True)
class _Unknown:
    """Days of which a row says only that they are not known."""

    person: np.ndarray
    substance: np.ndarray
    day: np.ndarray
    unplaced: np.ndarray
    unplaced_substance: np.ndarray
    orphan_substance: np.ndarray
    orphan_day: np.ndarray


def diaries_of_rows(table: pd.DataFrame, mapping: Mapping, source: RowSource) -> Imported:
    """The diaries of rows, one record a substance, with what was kept and set aside.

    ``table``: cells as text, in the columns that ``mapping`` names; a substance without a column stands in one of the
    mapping's name. ``mapping``: which column says what. ``source``: where the rows come from.
    Raises SpecError: no usable row, dates in another form than declared, or too many people and days.
    """
    notes: list[str] = []
    n = len(table)
    verdicts = _Verdicts(np.full(n, "", dtype=object), np.full(n, "", dtype=object))
    person = _plain(table[mapping.person], mapping, mapping.person)
    cells = _plain(table[mapping.substance], mapping, mapping.substance)
    read = [name for name in (mapping.person, mapping.when, mapping.amount, mapping.use) if name]
    read += [] if mapping.one_substance else [mapping.substance]
    is_blank = (table[read] == "").all(axis=1).to_numpy()
    verdicts.refuse(is_blank, mapping.person, "an empty row")
    if not source.is_own:
        # A row of totals speaks of nobody's day; a row of somebody unknown does.
        totals = per_value(person, is_total, bool)
        if not mapping.one_substance:
            totals |= (person == "").to_numpy() & per_value(cells, is_total, bool)
        verdicts.refuse(totals, mapping.person, "a row of totals, not of a person")
        is_blank = is_blank | totals
        cells = cells.mask(totals, "")
        person = person.mask(per_value(person, is_nobody, bool), "")
    verdicts.refuse((person == "").to_numpy(), mapping.person, "no person")
    answer = _answers(table, mapping)
    names, substance, nothing = _substances(cells, answer, mapping, source, verdicts, notes)
    if len(names) > limit("substances"):
        raise unreadable(
            f"{source.name}, {mapping.substance}", f"{len(names)} substances", f"at most {limit('substances')}",
            "Name the column of the substance in the mapping.",
        )  # fmt: skip
    has_name = ((person != "") & ~is_blank).to_numpy()
    listed = [name for name in source.people if source.is_own or not (is_nobody(name) or is_total(name))]
    codes, people = pd.factorize(pd.concat([pd.Series(listed, dtype=str), person[has_name]]), sort=not source.is_own)
    who = np.full(n, _NOWHERE)
    who[has_name] = codes[len(listed) :]
    notes.extend(like_people(list(people)))
    days = _days(table[mapping.when], who, np.asarray(people), mapping, source, verdicts, notes)
    used, amount = _amounts(table, answer, nothing, mapping, source, verdicts)
    is_silent = np.zeros(n, dtype=bool)
    if mapping.use is not None:
        if source.is_own or source.may_be_silent:
            says = table[[name for name in (mapping.use, mapping.amount) if name]]
            is_silent = (verdicts.reason == "") & (says == "").all(axis=1).to_numpy()
        verdicts.refuse((answer < 0) & ~is_silent, mapping.use, "neither 0 nor 1, yes nor no")
    # What is set aside is the amount; the answer was read, and a day of use stays one.
    stays = (answer == 1) & (verdicts.column == mapping.amount) & (verdicts.reason != "") & ~nothing
    is_entry = ((verdicts.reason == "") & ~nothing & ~is_silent) | stays
    amount = np.where(stays, np.nan, amount)
    entries = pd.DataFrame({"p": who, "s": substance, "d": days.day, "used": used, "amount": amount})[is_entry]
    entries, refused = _one_entry_a_day(entries, table, mapping, source, verdicts, notes)
    if not len(entries) and not (nothing & (verdicts.reason == "")).any() and not is_silent.any():
        raise _no_usable_row(source, verdicts, table, mapping, days)
    unknown = _unknown(verdicts, who, substance, days, is_blank, refused, is_silent)
    says_none = (verdicts.reason == "") & nothing
    asked = pd.DataFrame({"p": who, "d": days.day})[says_none]
    units = _units(table, mapping, source, substance, verdicts, names)
    grids = _Grids(
        source=source, mapping=mapping, people=np.asarray(people), names=names, entries=entries, asked=asked,
        unknown=unknown, days=days, notes=notes,
    )  # fmt: skip
    diaries, lost = grids.build(units)
    if source.scores:
        kept = np.flatnonzero(((verdicts.reason == "") | stays) & (who >= 0) & (substance >= 0) & ~days.is_lost)
        at = pd.DataFrame({"p": who, "s": substance, "d": days.day - grids.first}).iloc[kept]
        marks = {name: _marks(table[column], name, source, notes) for name, column in source.scores.items()}
        diaries = tuple(_scored(one, at[at["s"] == names.index(one.substance)], marks) for one in diaries)
    _more_notes(notes, mapping, source, verdicts, entries, names, asked, grids)
    if source.arms is not None or mapping.group is not None:
        arms = source.arms if source.arms is not None else arms_of(person, table[mapping.group or ""], mapping, notes)
        diaries = tuple(replace(diary, group=tuple(arms.get(name, "") for name in diary.person)) for diary in diaries)
    report = QualityReport(
        n_rows=n, n_kept=int((verdicts.reason == "").sum()), set_aside=_aside(verdicts, table, source),
        cautions=tuple(notes),
    )  # fmt: skip
    return Imported(diaries, report, lost)


def _marks(cells: "Cells", name: str, source: RowSource, notes: list[str]) -> np.ndarray:
    """The marks of a column, NaN where there is none; what is no mark is left open and named, its day stays."""
    marks = per_value(plain(cells), lambda cell: number_of(cell, is_typed=source.is_typed), np.float64)
    wrong = (plain(cells) != "").to_numpy() & ~((marks >= 0.0) & (marks <= MOST_SCORE))
    if wrong.any():
        said = [f"{cells.iloc[i][:20]} (row {source.place['row'].iloc[i]})" for i in np.flatnonzero(wrong)[:5]]
        notes.append(f"{int(wrong.sum())} marks of {name} are not from 0 to {MOST_SCORE:g}: {', '.join(said)}.")
    return np.where(wrong, np.nan, marks)


def _scored(one: Diaries, at: pd.DataFrame, marks: Names[str, np.ndarray]) -> Diaries:
    """Diaries with the marks of their rows, those that anybody made."""
    scores = {}
    for name, values in marks.items():
        grid = np.full(one.assessed.shape, np.nan)
        grid[at["p"].to_numpy(), at["d"].to_numpy()] = values[at.index.to_numpy()]
        if np.isfinite(grid).any():
            scores[name] = grid
    return replace(one, scores=scores)


def _plain(cells: "Cells", mapping: Mapping, column: str) -> "Cells":
    """Cells without the apostrophe that an export puts before a formula sign, missing codes as empty cells."""
    answers = plain(cells)
    if mapping.codes_of(column):
        answers = answers.mask(pd.Series(per_value(answers, lambda cell: mapping.is_missing(cell, column), bool)), "")
    return answers


def _answers(table: pd.DataFrame, mapping: Mapping) -> np.ndarray:
    if mapping.use is None:
        return np.full(len(table), -1)
    return per_value(
        table[mapping.use], lambda cell: -1 if mapping.is_missing(cell, mapping.use) else answer_of(cell), np.int64
    )


def _substances(
    cells: "Cells", answer: np.ndarray, mapping: Mapping, source: RowSource, verdicts: _Verdicts,
    notes: list[str],
) -> tuple[list[str], np.ndarray, np.ndarray]:  # fmt: skip
    """Names of the substances, the place of each row's among them, and which rows say that none was used."""
    column = mapping.substance
    is_empty = (cells == "").to_numpy()
    no_code = np.zeros(len(cells), dtype=bool) if source.no_code is None else source.no_code
    nothing = np.zeros(len(cells), dtype=bool)
    if mapping.one_substance is None and not source.is_own:
        nothing = (per_value(cells, is_nothing, bool) & ~no_code) | (is_empty & (answer == 0))
    verdicts.refuse(nothing & (answer == 1), column, "use of no substance")
    verdicts.refuse(no_code, column, "no code of the field's choices")
    is_open = np.zeros(len(cells), dtype=bool)
    if not (source.is_own or mapping.one_substance):
        is_open = per_value(cells, is_no_name, bool) & ~no_code
    is_empty = is_empty | is_open
    verdicts.refuse(is_empty & ~nothing & ~no_code, column, "no substance")
    is_several = np.zeros(len(cells), dtype=bool)
    if not (source.is_own or mapping.one_substance):
        is_several = _several(cells, source) & ~nothing & ~is_open
        verdicts.refuse(is_several, column, "several substances in one cell")
    is_named = ~(is_empty | nothing | no_code | is_several)
    keys = cells if source.is_own else pd.Series(per_value(cells, spelling, object), dtype=str)
    codes, _ = pd.factorize(keys[is_named])
    place = np.full(len(cells), _NOWHERE)
    place[is_named] = codes
    texts = pd.DataFrame({"code": codes, "text": cells[is_named].to_numpy()}).value_counts().reset_index()
    # The most frequent spelling names the substance; of equally frequent ones the first by letters.
    texts = texts.sort_values(["code", "count", "text"], ascending=[True, False, True])
    names = [str(name) for name in texts.groupby("code")["text"].first()]
    for _, group in texts.groupby("code"):
        if len(group) > 1:
            notes.append(f"Read as one substance: {', '.join(repr(str(text)) for text in group['text'])}.")
    return names, place, nothing


def _several(cells: "Cells", source: RowSource) -> np.ndarray:
    """Cells that name several substances: by a sign between them, or because the parts are names of others."""
    names = {spelling(str(cell)) for cell in pd.unique(cells)} - {""}

    def is_several(cell: str) -> bool:
        if not source.is_coded and _SEPARATORS.search(cell):
            return True
        parts = [spelling(part) for part in _BETWEEN.split(cell) if part.strip()]
        known = [part in names for part in parts]
        # A choice of a list may name a class by two of its members.
        return len(parts) > 1 and (all(known) if source.is_coded else any(known))

    return per_value(cells, is_several, bool)


def anchors_of(person: "Cells", cells: "Cells", mapping: Mapping, *, is_typed: bool) -> dict[str, int | None]:
    """Day number of each person's day 0 from the filled cells of a column; None where they differ or are no date."""
    form = read_date_form(mapping.anchor_is or mapping.when_is, where="mapping, anchor_is")
    anchors: dict[str, int | None] = {}
    pairs = pd.DataFrame({"person": plain(person), "cell": cells})
    pairs = pairs[(pairs["cell"] != "") & (pairs["person"] != "")].drop_duplicates()
    for name, cell in zip(pairs["person"], pairs["cell"], strict=True):
        if mapping.is_missing(cell, mapping.anchor):
            continue
        day = form.ordinal(cell, is_typed=is_typed)
        anchors[name] = day if name not in anchors or anchors[name] == day else None
    return anchors


def anchors_in(source: Table, mapping: Mapping, *, name: str) -> dict[str, int | None] | None:
    """Each person's day 0, from a column of the table or from a second file; None where the mapping names none.

    ``source``: the table of the rows. ``mapping``: which column holds the date. ``name``: of the file of the rows.
    Raises SpecError: the second file cannot be read, or no cell is a date of the declared form.
    """
    if mapping.anchor is None:
        return None
    if mapping.anchor_file is None:
        cells, is_typed = source.cells, source.is_typed
    else:
        other_file = read_source(
            Path(mapping.anchor_file), needed=[mapping.person, mapping.anchor], encoding=mapping.encoding,
            decimal=mapping.decimal,
        )  # fmt: skip
        cells, is_typed = other_file.cells, other_file.is_typed
    anchors = anchors_of(cells[mapping.person], cells[mapping.anchor], mapping, is_typed=is_typed)
    if not any(anchors.values()):
        fits = [form for form in forms_that_fit(cells[mapping.anchor]) if form != "day"]
        raise unreadable(
            f"{Path(mapping.anchor_file or name).name}, {mapping.anchor}",
            "no date of any person's day 0", f"dates as {mapping.anchor_is or mapping.when_is}",
            f"Say anchor_is: {' or anchor_is: '.join(fits)}." if fits else "Check the column of the anchor.",
        )  # fmt: skip
    return anchors


def _days(
    cells: "Cells", who: np.ndarray, people: np.ndarray, mapping: Mapping, source: RowSource,
    verdicts: _Verdicts, notes: list[str],
) -> _Days:  # fmt: skip
    column = mapping.when
    if mapping.when_is == "day":
        day, is_lost = _study_days(cells, mapping, verdicts)
        is_far = np.abs(day) > limit("day")
        verdicts.refuse(is_far, column, f"more than {limit('day')} days from day 0")
        return _Days(np.where(is_far, 0, day), is_lost | is_far)
    form = read_date_form(mapping.when_is, where="mapping, when_is")

    def ordinal_of(cell: str) -> int:
        if mapping.is_missing(cell, column):
            return _NOWHERE
        day_number = form.ordinal(cell, is_typed=source.is_typed)
        return _NOWHERE if day_number is None else day_number

    ordinal = per_value(cells, ordinal_of, np.int64)
    is_lost = ordinal == _NOWHERE
    _check_form(cells[is_lost], int((~is_lost).sum()), mapping, source, notes)
    words = {"date": "no date as year-month-day"}.get(mapping.when_is, f"no date as {mapping.when_is}")
    verdicts.refuse(is_lost, column, words)
    zero = np.full(len(people), _NOWHERE)
    if source.anchors is not None:
        zero = np.array([source.anchors.get(str(name)) or _NOWHERE for name in people], dtype=np.int64)
        lacks = (who >= 0) & (zero[np.maximum(who, 0)] == _NOWHERE) if len(zero) else np.zeros(len(who), dtype=bool)
        verdicts.refuse(lacks, mapping.anchor or column, "no day 0 of the person")
        without = int((zero == _NOWHERE).sum())
        if without:
            notes.append(f"{without} people have no date of day 0, or several, in {mapping.anchor}: nothing is known.")
    else:
        lacks = np.zeros(len(who), dtype=bool)
        has = ~is_lost & (who >= 0)
        first = pd.Series(ordinal[has]).groupby(who[has]).min()
        zero[first.index.to_numpy(dtype=np.int64)] = first.to_numpy()
        if len(people) > 1:
            notes.append(
                "Day 0 is each person's first date. Where that is not the same moment for all, as the first dose or "
                "randomization, name its date with anchor."
            )
    start = zero[np.maximum(who, 0)] if len(zero) else np.zeros(len(who), dtype=np.int64)
    day = np.where(is_lost | lacks | (who < 0), 0, ordinal - start)
    is_far = np.abs(day) > limit("day")
    verdicts.refuse(is_far, column, f"more than {limit('day')} days from day 0")
    return _Days(np.where(is_far, 0, day), is_lost | lacks | is_far, ordinal, zero)


def _study_days(cells: "Cells", mapping: Mapping, verdicts: _Verdicts) -> tuple[np.ndarray, np.ndarray]:
    far = 10**10

    def day_of(cell: str) -> int:
        match = _DAY.fullmatch(cell)
        return far if match is None or mapping.is_missing(cell, mapping.when) else int(match[1])

    day = per_value(cells, day_of, np.int64)
    is_whole = day != far
    verdicts.refuse(~is_whole, mapping.when, "no whole study day")
    day = np.where(is_whole, day, 0)
    if mapping.first_study_day == 1:
        is_zero = is_whole & (day == 0)
        verdicts.refuse(is_zero, mapping.when, "day 0 in a file that counts from day 1")
        is_whole &= ~is_zero
        day = np.where(day <= 0, day, day - 1)
    return day, ~is_whole


def _check_form(lost: "Cells", n_read: int, mapping: Mapping, source: RowSource, notes: list[str]) -> None:
    """Refuse a file whose dates are in another form than declared: what still fits would be misread."""
    filled = lost[lost != ""]
    if not len(filled):
        return
    others = [form for form in forms_that_fit(filled) if form not in {mapping.when_is, "day"}]
    if others and len(filled) >= n_read:
        first = int(source.place["row"].loc[filled.index[0]])
        raise unreadable(
            f"{source.name}, row {first}, {mapping.when}",
            f"{filled.iloc[0][:60]}, and no usable row" if n_read == 0 else filled.iloc[0][:60],
            f"dates as {'year-month-day' if mapping.when_is == 'date' else mapping.when_is}, which when_is declares",
            f"Say which form it is: when_is: {' or when_is: '.join(others)}.",
        )
    if others:
        notes.append(
            f"{len(filled)} dates fit {' or '.join(others)} and not {mapping.when_is}; is the declared form right?"
        )


def _amounts(
    table: pd.DataFrame, answer: np.ndarray, nothing: np.ndarray, mapping: Mapping, source: RowSource,
    verdicts: _Verdicts,
) -> tuple[np.ndarray, np.ndarray]:  # fmt: skip
    """Whether each row reports use, and how much; NaN where it does not say."""
    by_answer = answer == 1 if mapping.use else np.ones(len(table), dtype=bool)
    if mapping.amount is None:
        return by_answer, np.full(len(table), np.nan)
    column, cells = mapping.amount, table[mapping.amount]
    amount = per_value(
        cells, lambda cell: number_of(cell, mapping.decimal, mapping.thousands, is_typed=source.is_typed), np.float64
    )
    is_code = np.zeros(len(table), dtype=bool)
    if mapping.codes_of(column):
        is_code = per_value(cells, lambda cell: cell != "" and mapping.is_missing(cell, column), bool)
    is_blank = (cells == "").to_numpy()
    verdicts.refuse(is_code, column, "a missing code")
    is_other = ~is_blank & np.isnan(amount)
    has_comma = is_other & cells.str.contains(r"[0-9],[0-9]").to_numpy(dtype=bool) & (mapping.decimal == "point")
    verdicts.refuse(has_comma, column, "no number; where the comma is meant as one, say decimal: comma")
    verdicts.refuse(is_other, column, "no number")
    verdicts.refuse(amount < 0, column, "a negative amount")
    verdicts.refuse(nothing & (amount > 0), column, "an amount of no substance")
    if mapping.use is not None:
        verdicts.refuse((answer == 0) & (amount > 0), mapping.use, "an amount on a day without use")
        # Use of the amount 0 contradicts itself: the use is reported, the amount is not.
        if not source.is_own:
            amount = np.where(by_answer & (amount == 0.0), np.nan, amount)
        return by_answer, np.where(by_answer, amount, 0.0)
    if mapping.empty_amount == "unknown":
        verdicts.refuse(is_blank & ~nothing, column, "no amount")
    return ~(amount == 0), amount


def _one_entry_a_day(
    entries: pd.DataFrame, table: pd.DataFrame, mapping: Mapping, source: RowSource, verdicts: _Verdicts,
    notes: list[str],
) -> tuple[pd.DataFrame, np.ndarray]:  # fmt: skip
    """One entry for each person, substance and day by the declared rule; and the rows that it refuses."""
    repeated = entries.duplicated(["p", "s", "d"], keep=False)
    refused = np.zeros(len(table), dtype=bool)
    if not repeated.any():
        return entries, refused
    singles, settled, told = entries[~repeated], [], []
    again, seen = entries.index[repeated], dict[tuple[str, ...], int]()
    cells = table.iloc[again].itertuples(index=False, name=None)
    copy_of = {place: seen.setdefault(row, place) for place, row in zip(again, cells, strict=True)}
    for _, group in entries[repeated].groupby(["p", "s", "d"], sort=True):
        places = group.index.to_numpy()
        said = _both(table, places, mapping, source)
        told.append(said)
        rule = mapping.same_day
        is_copy = rule is None and len({copy_of[row] for row in places}) == 1
        if rule == "refuse":
            refused[places] = True
            words = f"{_AGAIN}; the day is not known (same_day: refuse)"
        elif rule in {"first", "last"}:
            words = f"{_AGAIN}; the {rule} is kept (same_day: {rule})"
        elif is_copy:
            words = f"{_AGAIN}, a copy of the row"
        elif mapping.amount is None or not bool(group["used"].any()):
            words = _AGAIN
        else:
            words = f"{_AGAIN}; the amount of the day is not known unless same_day says what to do"
        kept = group.iloc[[-1 if rule == "last" else 0]].copy()
        if rule == "add" or (rule is None and not is_copy):
            kept["used"] = bool(group["used"].any())
            alike = group["amount"].nunique(dropna=False) == 1 and not bool(group["used"].any())
            kept["amount"] = (
                group["amount"].sum(skipna=False) if rule == "add" else group["amount"].iloc[0] if alike else np.nan
            )
        if rule != "refuse":
            settled.append(kept)
        if rule != "add":
            out = places if rule == "refuse" else np.setdiff1d(places, kept.index.to_numpy())
            verdicts.refuse(out, mapping.when, words)
            verdicts.got.update(dict.fromkeys(out.tolist(), said))
    if mapping.same_day == "add":
        notes.append(f"{len(told)} days have several entries, which were added: {'; '.join(told[:5])}.")
    return pd.concat([singles, *settled]), refused


def _both(table: pd.DataFrame, at: np.ndarray, mapping: Mapping, source: RowSource) -> str:
    """What several rows of one day say, and where they stand."""
    column = mapping.amount or mapping.use or mapping.when
    said = " and ".join(str(cell)[:20] or "nothing" for cell in table[column].iloc[at[:6]])
    return f"{said} (rows {', '.join(str(row) for row in source.place['row'].iloc[at[:6]])})"


def _no_usable_row(
    source: RowSource, verdicts: _Verdicts, table: pd.DataFrame, mapping: Mapping, days: _Days
) -> Exception:
    first = f"{verdicts.reason[0]} in row {source.place['row'].iloc[0]}" if len(verdicts.reason) else "no row"
    remedy = "Check the mapping."
    if len(table) and bool(days.is_lost.all()):
        fits = [form for form in forms_that_fit(table[mapping.when]) if form != mapping.when_is]
        if fits:
            remedy = f"Say which form the days have: when_is: {' or when_is: '.join(fits)}."
    elif any("decimal: comma" in str(reason) for reason in verdicts.reason):
        remedy = "Say decimal: comma in the mapping, or thousands: comma."
    return unreadable(source.name, f"no usable row; {first}", "at least one usable row", remedy)


def _unknown(
    verdicts: _Verdicts, who: np.ndarray, substance: np.ndarray, days: _Days, is_blank: np.ndarray,
    refused: np.ndarray, is_silent: np.ndarray,
) -> _Unknown:  # fmt: skip
    """Rows that were set aside as days that are not known: refused in ``_amounts`` and others, struck in ``_Grids``."""
    # A second entry that the rule passes over says nothing new of its day; one that is refused does.
    is_again = np.zeros(len(who), dtype=bool)
    for i in np.flatnonzero((verdicts.reason != "") & ~refused):
        is_again[i] = str(verdicts.reason[i]).startswith(_AGAIN)
    lost = ((verdicts.reason != "") & ~is_blank & ~is_again) | is_silent
    placed = lost & (who >= 0) & ~days.is_lost
    unplaced = lost & (who >= 0) & days.is_lost
    orphan = lost & (who < 0)
    where = days.day if days.ordinal is None else days.ordinal
    return _Unknown(
        person=who[placed], substance=substance[placed], day=days.day[placed], unplaced=who[unplaced],
        unplaced_substance=substance[unplaced], orphan_substance=substance[orphan],
        orphan_day=np.where(days.is_lost, np.iinfo(np.int64).min, where)[orphan],
    )  # fmt: skip


def _units(
    table: pd.DataFrame, mapping: Mapping, source: RowSource, substance: np.ndarray, verdicts: _Verdicts,
    names: list[str],
) -> list[str | None]:  # fmt: skip
    """The unit of each substance's amounts; None where it has none."""
    if mapping.unit is None:
        return [mapping.amount_unit if mapping.amount else None] * len(names)
    cells = plain(table[mapping.unit])
    unit_of: list[str | None] = []
    for code, name in enumerate(names):
        readable = (substance == code) & (verdicts.reason == "") & (cells != "").to_numpy()
        units = sorted(set(cells[readable]))
        if len(units) > 1:
            raise unreadable(
                f"{source.name}, {mapping.unit}", f"amounts of {name} in {' and in '.join(units[:4])}",
                "one unit for each substance", "Convert the amounts to one unit.",
            )  # fmt: skip
        unit_of.append(units[0] if units else None)
    return unit_of


class _Grids:
    """People times days for each substance: what was asked, what was used, what is not known."""

    def __init__(
        self, *, source: RowSource, mapping: Mapping, people: np.ndarray, names: list[str], entries: pd.DataFrame,
        asked: pd.DataFrame, unknown: _Unknown, days: _Days, notes: list[str],
    ) -> None:  # fmt: skip
        self.source, self.mapping, self.people, self.names = source, mapping, people, names
        self.entries, self.asked, self.unknown, self.days, self.notes = entries, asked, unknown, days, notes
        placed = np.concatenate([entries["d"].to_numpy(), asked["d"].to_numpy(), unknown.day]).astype(np.int64)
        self.first = int(placed.min())
        self.shape = (len(people), int(placed.max()) - self.first + 1)
        if self.shape[0] * self.shape[1] > limit("cells"):
            raise unreadable(
                source.name, f"{self.shape[0]} people times {self.shape[1]} days",
                f"at most {limit('cells')} person-days",
            )  # fmt: skip
        self.filled = 0
        self.zero_rows = int((~entries["used"].to_numpy(dtype=bool)).sum()) + len(asked)
        orphans = len(unknown.orphan_day)
        if orphans:
            notes.append(
                f"{orphans} rows do not say whose they are: on their days only people with a row of their own count as "
                "asked about."
            )
        if len(unknown.unplaced) and mapping.assessed == "span":
            notes.append(
                f"{len(np.unique(unknown.unplaced))} people have rows whose day cannot be read: of them only days with "
                "a readable row count as asked about."
            )

    def build(self, units: list[str | None]) -> tuple[tuple[Diaries, ...], tuple[Lost, ...]]:
        rows = pd.concat([self.entries[["p", "d"]], self.asked])
        within = self._within(rows)
        # The days from the first row to the last, read or not: what of them is not asked about is not known.
        lost = pd.DataFrame({"p": self.unknown.person, "d": self.unknown.day})
        reach = self._within(pd.concat([rows, lost])) if self.mapping.assessed == "span" and len(lost) else within
        if self.mapping.assessed == "span":
            within = within & ~self._silences(pd.concat([rows, lost]))
        counts = self.entries["s"].value_counts()
        order = list(range(len(self.names)))
        if not self.source.is_own:
            order.sort(key=lambda code: (-int(counts.get(code, 0)), self.names[code]))
        if not order and len(self.asked):
            raise unreadable(
                self.source.name, "days without use only, and no name of a substance", "a substance",
                "Name it with one_substance.",
            )  # fmt: skip
        nothing = np.zeros(self.shape, dtype=bool)
        nothing[self.asked["p"].to_numpy(), self.asked["d"].to_numpy() - self.first] = True
        records = [self._substance(code, units[code], within, nothing) for code in order]
        beyond = reach & ~within
        return tuple(diaries for diaries, _ in records), tuple(
            replace(lost_days, placed=(lost_days.placed | beyond) & ~diaries.assessed) for diaries, lost_days in records
        )

    def _within(self, rows: pd.DataFrame) -> np.ndarray:
        within = np.zeros(self.shape, dtype=bool)
        if len(rows):
            span = rows.groupby("p")["d"].agg(["min", "max"])
            who = span.index.to_numpy(dtype=np.int64)
            columns = self.first + np.arange(self.shape[1])
            within[who] = (columns >= span["min"].to_numpy()[:, None]) & (columns <= span["max"].to_numpy()[:, None])
        return within

    def _silences(self, rows: pd.DataFrame) -> np.ndarray:
        """Days between two rows of a person that lie farther apart than any interview looks back."""
        silent = np.zeros(self.shape, dtype=bool)
        rows = rows.drop_duplicates().sort_values(["p", "d"])
        who, day = rows["p"].to_numpy(dtype=np.int64), rows["d"].to_numpy(dtype=np.int64) - self.first
        for i in np.flatnonzero((who[1:] == who[:-1]) & (np.diff(day) > limit("silence"))):
            silent[who[i], day[i] + 1 : day[i + 1]] = True
        if silent.any():
            self.notes.append(
                f"{int(silent.any(axis=1).sum())} people have more than {limit('silence')} days in a row without a "
                "row: those days are not known, not clean. Is a date wrong?"
            )
        return silent

    def _substance(self, code: int, unit: str | None, within: np.ndarray, nothing: np.ndarray) -> tuple[Diaries, Lost]:
        mine = self.entries[(self.entries["s"] == code).to_numpy()]
        at = mine["p"].to_numpy(), mine["d"].to_numpy() - self.first
        has_row, used = nothing.copy(), np.zeros(self.shape, dtype=bool)
        has_row[at] = True
        used[at] = mine["used"].to_numpy(dtype=bool)
        if self.mapping.assessed == "rows":
            assessed = has_row.copy()
        else:
            assessed = within.copy()
            bare = self._bare(code)
            assessed[bare] = has_row[bare]
            self.filled += int((assessed & ~has_row).sum())
        gone = self._gone(code, has_row, within)
        assessed &= ~gone | used
        amounts = None
        if unit is not None:
            amounts = np.where(assessed, 0.0, np.nan)
            amounts[at] = mine["amount"].to_numpy()
            amounts[gone] = np.nan
        diaries = Diaries(
            substance=self.names[code], person=tuple(map(str, self.people)), first_day=self.first, assessed=assessed,
            used=used, amount=amounts, amount_unit=unit, weekday_of_first_day=self._weekdays(),
            group=("",) * self.shape[0], origin="observed", source=self.source.name, day_zero=self._day_zero(),
        )  # fmt: skip
        unknown = self.unknown
        mine_lost = unknown.unplaced[np.isin(unknown.unplaced_substance, [code, _NOWHERE])]
        return diaries, Lost(gone & ~assessed, np.bincount(mine_lost, minlength=self.shape[0]))

    def _bare(self, code: int) -> np.ndarray:
        """People of whom some day cannot be read."""
        unknown, is_bare = self.unknown, np.zeros(self.shape[0], dtype=bool)
        is_bare[unknown.unplaced[np.isin(unknown.unplaced_substance, [code, _NOWHERE])]] = True
        nowhere = unknown.orphan_day == np.iinfo(np.int64).min
        return is_bare | bool((nowhere & np.isin(unknown.orphan_substance, [code, _NOWHERE])).any())

    def _gone(self, code: int, has_row: np.ndarray, within: np.ndarray) -> np.ndarray:
        """Days that a row set aside makes unknown."""
        unknown, gone = self.unknown, np.zeros(self.shape, dtype=bool)
        mine = np.isin(unknown.substance, [code, _NOWHERE])
        gone[unknown.person[mine], unknown.day[mine] - self.first] = True
        orphans = unknown.orphan_day[np.isin(unknown.orphan_substance, [code, _NOWHERE])]
        for where in np.unique(orphans[orphans != np.iinfo(np.int64).min]):
            zero = self.days.zero if self.days.zero is not None else np.zeros(self.shape[0], dtype=np.int64)
            column = where - zero - self.first
            who = np.flatnonzero((column >= 0) & (column < self.shape[1]))
            who = who[(within & ~has_row)[who, column[who]]]
            gone[who, column[who]] = True
        return gone

    def _weekdays(self) -> np.ndarray:
        zero = self.days.zero
        if zero is None:
            return np.full(self.shape[0], -1)
        # Day number 1 of the calendar is a Monday.
        return np.where(zero == _NOWHERE, -1, (zero - 1 + self.first) % 7)

    def _day_zero(self) -> str:
        if self.source.anchors is not None:
            return f"the date in {self.mapping.anchor}"
        return "day 0 of the file" if self.mapping.when_is == "day" else "the first date of the person"


def arms_of(person: "Cells", cells: "Cells", mapping: Mapping, notes: list[str]) -> dict[str, str]:
    """Each person's arm, where a column says it and says one."""
    pairs = pd.DataFrame({"person": person, "arm": plain(cells)})
    pairs = pairs[(pairs["person"] != "") & (pairs["arm"] != "")].drop_duplicates()
    several = set(pairs["person"][pairs["person"].duplicated()])
    if several:
        notes.append(f"{len(several)} people have several arms in {mapping.group}: theirs is left open.")
    return {str(name): str(arm) for name, arm in zip(pairs["person"], pairs["arm"], strict=True) if name not in several}


def _more_notes(
    notes: list[str], mapping: Mapping, source: RowSource, verdicts: _Verdicts, entries: pd.DataFrame,
    names: list[str], asked: pd.DataFrame, grids: _Grids,
) -> None:  # fmt: skip
    read = {mapping.person, mapping.substance, mapping.when, mapping.amount, mapping.use, mapping.anchor, mapping.group}
    notes.extend(
        f"The column {name} may tell who somebody is; it is "
        + ("read: put a study number in its place." if name in read else "not read.")
        for name in identifying_columns(list(source.columns))
    )
    if source.ignored:
        notes.append(f"Not read, because the name is no day: {', '.join(source.ignored)}.")
    if not source.is_own:
        notes.extend(like_substances(names))
    if len(asked):
        notes.append(f"{len(asked)} rows say that nothing was used: their days are clean for every substance.")
    if mapping.amount:
        for code, name in enumerate(names):
            value = far_outside(entries["amount"][(entries["s"] == code).to_numpy()].to_numpy(dtype=np.float64))
            if value is not None:
                notes.append(
                    f"The amount {value:g} of {name} lies far outside the rest; if it is a code for 'not known', say "
                    f"so with missing: [{value:g}]."
                )
    blank = int((verdicts.reason == "no amount").sum())
    if blank:
        notes.append(
            f"{blank} rows have no amount, so their days are not known; where a row is written only for a day of use, "
            "say empty_amount: use."
        )
    if grids.filled and grids.zero_rows and mapping.assessed == "span" and not source.is_own:
        notes.append(
            f"{grids.filled} days without a row count as clean (assessed: span), though the file has rows for days "
            "without use; assessed: rows takes them as not known."
        )


def _aside(verdicts: _Verdicts, table: pd.DataFrame, source: RowSource) -> tuple[SetAside, ...]:
    rows = []
    for i in np.flatnonzero(verdicts.reason != ""):
        column = str(verdicts.column[i])
        got = verdicts.got.get(int(i)) or (str(table[column].iloc[i]) if column in table else "")
        rows.append(
            SetAside(
                row=int(source.place["row"].iloc[i]),
                field=str(source.place["field"].iloc[i]) if "field" in source.place else column,
                got=got[:60],
                reason=str(verdicts.reason[i]),
            )
        )
    return tuple(rows)
