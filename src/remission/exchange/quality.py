"""What an import read, what it set aside and why."""

import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from remission.records.diaries import Diaries

__all__ = ["Imported", "QualityReport", "SetAside", "identifying_columns"]

_IDENTIFYING = re.compile(
    r"(^|[_ .-])((first|last|full|sur|patient|given|family)?[_ ]?name|ssn|dob|birth\w*|mrn|e?-?mail|phone|address|zip)"
    r"($|[_ .-])",
    re.IGNORECASE,
)


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
class Imported:
    """Diaries of a file with the report of their import.

    diaries
        One record a substance.
    report
        What was kept and what was set aside.
    """

    diaries: tuple[Diaries, ...]
    report: QualityReport

    def to_dict(self) -> dict[str, Any]:
        """Report, totals of each substance and everybody's window as plain values, for JSON."""
        everybody = self._windows()
        totals = [
            {
                "substance": one.substance,
                "people": len(one.person),
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
        found: list[tuple[Diaries, list[dict[str, Any]]]] = []
        for one in self.diaries:
            same = next(
                (
                    windows
                    for other, windows in found
                    if other.person == one.person
                    and other.first_day == one.first_day
                    and np.array_equal(other.assessed, one.assessed)
                ),
                None,
            )
            found.append((one, _windows_of(one) if same is None else same))
        return [windows for _, windows in found]


def _windows_of(diaries: Diaries) -> list[dict[str, Any]]:
    """First and last asked day of each person, days missing between them and the longest gap."""
    found = []
    for person, row in zip(diaries.person, diaries.assessed, strict=True):
        asked = np.flatnonzero(row)
        if asked.size == 0:
            continue
        apart = np.diff(asked) - 1
        found.append(
            {
                "person": person,
                "first_day": int(asked[0]) + diaries.first_day,
                "last_day": int(asked[-1]) + diaries.first_day,
                "asked_days": int(asked.size),
                "missing_days": int(apart.sum()),
                "longest_gap_days": int(apart.max(initial=0)),
            }
        )
    return found


def identifying_columns(names: list[str]) -> list[str]:
    """Columns whose name says that they tell who somebody is.

    Examples
    --------
    >>> identifying_columns(["who", "last_name", "dob", "when"])
    ['last_name', 'dob']
    """
    return [name for name in names if _IDENTIFYING.search(name)]
