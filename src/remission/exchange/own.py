"""What makes an export of this program readable as it was: the columns that say what rows alone do not.

Columns that would say nothing are left out. A row with an empty answer is a day not known; such rows are written only
where people or days would be lost without them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from remission.exchange.mapping import Mapping
from remission.exchange.quality import Imported
from remission.exchange.tables import plain, unreadable
from remission.files import spreadsheet_safe
from remission.records.diaries import SCORES, Diaries

OWN = ("who", "what", "when", "use", "amount", "unit", "origin")
"""Columns of an export in rows."""
OWN_CALENDAR = ("who", "what", "unit", "origin")
"""Columns of an export as a calendar, beside its days."""

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_USUAL_ZERO = {"observed": "day 0 of the file", "simulated": "the day of the first dose"}
_ORIGINS = {"observed": "observed", "synthetic": "simulated"}


def origin_word(one: Diaries) -> str:
    """How an export calls the origin of diaries."""
    return "synthetic" if one.origin == "simulated" else "observed"


def day_zero_words(one: Diaries) -> str:
    """What day 0 is, where that is not what a reader of the export would take it for."""
    return "" if one.day_zero == _USUAL_ZERO[one.origin] else spreadsheet_safe(one.day_zero)


def has_weekdays(one: Diaries) -> bool:
    """Whether somebody's weekdays are known."""
    return bool((one.weekday_of_first_day >= 0).any())


def weekday_of_day_zero(one: Diaries, person: int) -> str:
    """Weekday of a person's day 0; empty where unknown."""
    first = int(one.weekday_of_first_day[person])
    return "" if first < 0 else _WEEKDAYS[(first - one.first_day) % 7]


def extra_names(diaries: Sequence[Diaries]) -> tuple[list[str], list[str]]:
    """Names of the further columns before and after the origin."""
    before = ["group"] if any(any(one.group) for one in diaries) else []
    after = ["weekday"] if any(has_weekdays(one) for one in diaries) else []
    after += ["day_zero"] if any(day_zero_words(one) for one in diaries) else []
    return before, [*after, *(name for name in SCORES if any(name in one.scores for one in diaries))]


def day_rows(one: Diaries, before: Sequence[str], after: Sequence[str]) -> Iterator[list[Any]]:
    """Person, day, answer, amount, further columns, origin, further columns: a row for each day asked about.

    A person of whom nothing is known, the first and last day where nobody was asked, and a day that has only a mark of
    craving or mood, have one row without an answer.
    """
    shown = one.assessed.copy()
    for marks in one.scores.values():
        shown |= np.isfinite(marks)
    if shown.size:
        shown[~shown.any(axis=1), 0] = True
        for column in (0, -1):
            shown[0, column] |= not shown[:, column].any()
    who, at = np.nonzero(shown)
    amount = np.full(len(who), np.nan) if one.amount is None else one.amount[who, at]
    seen, used = one.assessed[who, at].tolist(), one.used[who, at].astype(int).tolist()
    amounts = [
        "" if unknown else much for much, unknown in zip(amount.tolist(), np.isnan(amount).tolist(), strict=True)
    ]
    weekdays = (one.weekday_of_first_day[who] + at) % 7
    named = [
        "" if first < 0 else _WEEKDAYS[day]
        for first, day in zip(one.weekday_of_first_day[who].tolist(), weekdays.tolist(), strict=True)
    ]
    group = [spreadsheet_safe(arm) for arm in one.group]
    origin, zero = origin_word(one), day_zero_words(one)
    scores = {name: marks[who, at].tolist() for name, marks in one.scores.items()}
    for row_number, (i, day, is_seen, use, much, weekday) in enumerate(
        zip(who.tolist(), one.study_day[at].tolist(), seen, used, amounts, named, strict=True)
    ):
        row: list[Any] = [i, day, use if is_seen else "", much if is_seen else ""]
        row += [group[i] for _ in before] + [origin]
        more = {"weekday": weekday, "day_zero": zero}
        more |= {name: "" if np.isnan(marks[row_number]) else marks[row_number] for name, marks in scores.items()}
        row += [more.get(name, "") for name in after]
        yield row


def restored(found: Imported, table: pd.DataFrame, mapping: Mapping, *, is_own: bool, prefix: str = "") -> Imported:
    """Imported diaries with the origin that their file names; of an own export with weekdays and day 0 as well.

    ``table``: cells of the file. ``mapping``: names of the columns of the person and of the day. ``is_own``: the file
    is an export of this program. ``prefix``: what stands before the names of its columns.
    Raises SpecError: some rows are synthetic and others observed.
    """
    said = set(table[f"{prefix}origin"]) - {""}
    if not said or not said <= set(_ORIGINS):
        return found
    if len(said) > 1:
        raise unreadable(
            f"{prefix}origin", "synthetic rows beside observed ones", "one origin in a file",
            "Import them from two files.",
        )  # fmt: skip
    origin = _ORIGINS[said.pop()]
    changes: dict[str, Any] = {"origin": origin}
    if origin == "simulated":
        changes["source"] = f"simulated: {found.diaries[0].source}"
    if is_own:
        changes["day_zero"] = _USUAL_ZERO[origin]
        words = set(table[f"{prefix}day_zero"]) - {""} if f"{prefix}day_zero" in table else set()
        if len(words) == 1:
            changes["day_zero"] = words.pop().removeprefix("'")
    diaries = tuple(replace(one, **changes) for one in found.diaries)
    if is_own:
        zero = _weekdays(table, mapping, prefix)
        diaries = tuple(_with_weekdays(one, zero) for one in diaries)
    return replace(found, diaries=diaries)


def _weekdays(table: pd.DataFrame, mapping: Mapping, prefix: str) -> dict[str, int]:
    """Weekday of day 0 of each person whose rows say it."""
    if f"{prefix}weekday" in table:
        days = pd.to_numeric(table[mapping.when], errors="coerce").fillna(0).astype(np.int64)
        column = table[f"{prefix}weekday"]
    elif "weekday_of_day_0" in table:
        days, column = pd.Series(0, index=table.index), table["weekday_of_day_0"]
    else:
        return {}
    rows = pd.DataFrame({"who": plain(table[mapping.person]), "w": column, "d": days})
    rows = rows[rows["w"].isin(_WEEKDAYS)].drop_duplicates("who")
    return {
        str(name): (_WEEKDAYS.index(str(word)) - int(day)) % 7
        for name, word, day in zip(rows["who"], rows["w"], rows["d"], strict=True)
    }


def _with_weekdays(one: Diaries, zero: dict[str, int]) -> Diaries:
    if not zero:
        return one
    first = [(zero[name] + one.first_day) % 7 if name in zero else -1 for name in one.person]
    return replace(one, weekday_of_first_day=np.array(first, dtype=np.int64))
