"""What an import read, what it set aside and why."""

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

import numpy as np

from remission.exchange.cells import looks
from remission.records.diaries import Diaries
from remission.records.result import Result
from remission.shapes import Bool, Float, Int

_IDENTIFYING = re.compile(
    r"(^|[_ .-])((first|last|full|sur|patient|given|family|middle|maiden)?[_ ]?name|ssn|dob|birth\w*|mrn|e?-?mail|phone"
    r"|mobile|address|street|zip|postcode|postal_?code|initials|passport|survey_identifier|ip_?address|username)"
    r"($|[_ .-])",
    re.IGNORECASE,
)
# A name of something else than a person.
_OTHER_NAME = re.compile(
    r"(^|[_ .-])(event|instrument|form|field|variable|file|drug|substance|medication|medicine|product|brand|arm|group"
    r"|site|study|trial|project|domain|unit|visit|test|lab)[_ .-]?names?$",
    re.IGNORECASE,
)
_CODES = {float(digit * n) for digit in "789" for n in (2, 3, 4, 5)} | {98.0, 998.0, 9998.0, 997.0, 9997.0}
# How far above all others a code stands, and any value that repeats.
_TIMES_CODE, _TIMES_ANY = 3.0, 10.0


@dataclass(frozen=True)
class SetAside:
    """A row that was not used: where it stands, the cell and the reason.

    row
        Row of the file, the header being row 1.
    field, got, reason
        Column, the text in it, and what is wrong with it.
    """

    row: int
    field: str
    got: str
    reason: str


@dataclass(frozen=True)
class QualityReport:
    """Counts and faults of one import; kept rows and rows set aside add up to all rows.

    n_rows, n_kept
        Rows below the header, and those used.
    set_aside
        Every other row.
    cautions
        Sentences on what may be wrong though the rows were used.
    """

    n_rows: int
    n_kept: int
    set_aside: tuple[SetAside, ...]
    cautions: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, for JSON."""
        return {
            "rows": self.n_rows,
            "kept": self.n_kept,
            "set_aside": [vars(one) for one in self.set_aside],
            "reasons": dict(Counter(one.reason for one in self.set_aside)),
            "warnings": list(self.cautions),
        }


@dataclass(frozen=True)
class Lost:
    """Days of one substance of which only rows that were set aside speak.

    placed
        Which days of whom.
    unplaced
        Of each person, how many such rows have no readable day.
    """

    placed: Bool[np.ndarray, "person day"]
    unplaced: Int[np.ndarray, " person"]


@dataclass(frozen=True)
class Imported(Result):
    """Diaries of a file with the report of their import.

    diaries
        One record a substance.
    report
        What was kept and what was set aside.
    lost
        What rows set aside leave unknown, one a substance; empty where the reader sets none aside that do.
    """

    diaries: tuple[Diaries, ...]
    report: QualityReport
    lost: tuple[Lost, ...] = ()

    def columns(self) -> dict[str, Any]:
        """One row a day that was asked about, of every substance."""
        parts = [(one.substance, one.columns()) for one in self.diaries]
        names = ("person", "group", "study_day", "used")
        return {
            "substance": [substance for substance, part in parts for _ in part["person"]],
            **{name: [value for _, part in parts for value in part[name]] for name in names},
        }

    def to_dict(self) -> dict[str, Any]:
        """Report, totals of each substance and everybody's window as plain values, for JSON."""
        everybody = self._windows()
        totals = [
            {
                "substance": one.substance,
                "people": len(one.person),
                "people_not_known": int((~one.assessed.any(axis=1)).sum()),
                "assessed_days": int(one.assessed.sum()),
                "use_days": int(one.used.sum()),
                "first_day": one.first_day,
                "last_day": one.first_day + one.assessed.shape[1] - 1,
                "missing_days": sum(window["missing_days"] for window in windows),
                "people_with_gaps": sum(window["missing_days"] > 0 for window in windows),
            }
            for one, windows in zip(self.diaries, everybody, strict=True)
        ]
        # Substances of one source mostly share their windows, which are then listed once.
        listed: list[dict[str, Any]] = []
        for one, windows in zip(self.diaries, everybody, strict=True):
            same = next((entry for entry in listed if entry["people"] is windows), None)
            if same is None:
                listed.append({"substances": [one.substance], "people": windows})
            else:
                same["substances"].append(one.substance)
        return {**self.report.to_dict(), "totals": totals, "windows": listed}

    def _windows(self) -> list[list[dict[str, Any]]]:
        """Everybody's window for each substance; equal ones are one and the same list."""
        found: list[tuple[Diaries, Lost | None, list[dict[str, Any]]]] = []
        for place, one in enumerate(self.diaries):
            lost = self.lost[place] if self.lost else None
            same = next((w for other, gone, w in found if _same_days(one, other) and _same_lost(lost, gone)), None)
            found.append((one, lost, _windows_of(one, lost) if same is None else same))
        return [windows for _, _, windows in found]


def _same_days(one: Diaries, other: Diaries) -> bool:
    return (
        one.person == other.person and one.first_day == other.first_day and np.array_equal(one.assessed, other.assessed)
    )


def _same_lost(one: Lost | None, other: Lost | None) -> bool:
    if one is None or other is None:
        return one is other
    return np.array_equal(one.placed, other.placed) and np.array_equal(one.unplaced, other.unplaced)


def _windows_of(diaries: Diaries, lost: Lost | None) -> list[dict[str, Any]]:
    """First and last asked day of each person, days not known from the first to the last row, and the longest gap.

    A row without a readable day is one day not known at least.
    """
    asked = diaries.assessed
    placed = np.zeros_like(asked) if lost is None else lost.placed
    unplaced = np.zeros(len(asked), dtype=np.int64) if lost is None else lost.unplaced
    first_asked, last_asked, n_asked = _ends(asked)
    first, last, n_rows = _ends(asked | placed) if placed.any() else (first_asked, last_asked, n_asked)
    longest = _longest_gaps(asked, first, last)
    found = []
    for i in np.flatnonzero((n_rows > 0) | (unplaced > 0)):
        span = int(last[i] - first[i] + 1) if n_rows[i] else 0
        found.append(
            {
                "person": diaries.person[i],
                "first_day": int(first_asked[i]) + diaries.first_day if n_asked[i] else None,
                "last_day": int(last_asked[i]) + diaries.first_day if n_asked[i] else None,
                "asked_days": int(n_asked[i]),
                "missing_days": max(span - int(n_asked[i]), int(unplaced[i])),
                "longest_gap_days": int(longest[i]) if n_rows[i] else 0,
            }
        )
    return found


def _ends(days: Bool[np.ndarray, "person day"]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each person's first and last column, and how many there are."""
    if not days.shape[1]:
        return (np.zeros(len(days), dtype=np.int64),) * 3
    return days.argmax(axis=1), days.shape[1] - 1 - days[:, ::-1].argmax(axis=1), np.count_nonzero(days, axis=1)


def _longest_gaps(
    asked: Bool[np.ndarray, "person day"], first: np.ndarray, last: np.ndarray
) -> Int[np.ndarray, " person"]:
    """The longest stretch of each person without an asked day, from the first column to the last."""
    n, who = len(asked), np.arange(len(asked))
    row, column = np.nonzero(asked)
    row, column = np.concatenate([who, row, who]), np.concatenate([first - 1, column, last + 1])
    # Sorted by person and day, neighbors of one person are the ends of a gap.
    order = np.argsort(row, kind="stable")
    row, column = row[order], column[order]
    gaps = np.where(row[1:] == row[:-1], np.diff(column) - 1, 0)
    longest = np.zeros(n, dtype=np.int64)
    np.maximum.at(longest, row[1:], gaps)
    return longest


def far_outside(amounts: Float[np.ndarray, " entry"]) -> float | None:
    """The amount that may be a code for "not known": it repeats far above all others, or is one that people use so.

    Examples
    --------
    >>> import numpy as np
    >>> far_outside(np.array([4.0, 999.0, 2.0, 999.0, 3.0])), far_outside(np.array([4.0, 9.0, 9.0]))
    (999.0, None)
    """
    values, counts = np.unique(amounts[np.isfinite(amounts)], return_counts=True)
    for place in range(len(values) - 1, 0, -1):
        below, value = float(values[place - 1]), float(values[place])
        if value in _CODES and value > _TIMES_CODE * below:
            return value
        # A value at half of the days is what people take, whatever the others are.
        is_rare = below > 0.0 and counts[place:].sum() <= counts[:place].sum()
        if is_rare and value >= 10.0 and value > _TIMES_ANY * below and counts[place:].max() > 1:
            return float(values[place:][np.argmax(counts[place:])])
    return None


def like_people(people: list[str]) -> list[str]:
    """Cautions on people whose identifiers differ in nothing but case, spaces, zeros in front or look-alike letters."""
    seen: dict[str, str] = {}
    notes = []
    for name in map(str, people):
        key = re.sub(r"(?<![0-9])0+(?=[0-9])", "", re.sub(r"[\s_-]+", "", looks(name)))
        if key in seen:
            notes.append(f"{seen[key]!r} and {name!r} are read as two people; are they one?")
        seen.setdefault(key, name)
    return notes


def like_substances(names: list[str]) -> list[str]:
    """Cautions on substances that differ by a letter or two: each would be clean on the days of the other."""
    notes = []
    for place, name in enumerate(names):
        near = [other for other in names[:place] if min(len(name), len(other)) > 4 and _is_near(name, other)]
        notes += [f"{other!r} and {name!r} are read as two substances; are they one?" for other in near]
    return notes[:10]


def _is_near(one: str, other: str) -> bool:
    return SequenceMatcher(None, looks(one), looks(other), autojunk=False).ratio() > 0.88


def identifying_columns(names: list[str]) -> list[str]:
    """Columns whose name says that they tell who somebody is.

    Examples
    --------
    >>> identifying_columns(["who", "last_name", "dob", "when"])
    ['last_name', 'dob']
    """
    return [name for name in names if _IDENTIFYING.search(name) and not _OTHER_NAME.search(name)]
