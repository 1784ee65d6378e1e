"""The field of days: a row is a person, a column a day, each day without use, with use, or not known.

One shape for a diary, a trial by arm, an imported file and a forecast. A row is written as runs, ``f12u3n1``: twelve
days without use (free), three with use, one that nobody knows. As JSON it is the same, see ``docs/reference``.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.diaries import Diaries
from remission.shapes import Bool, Int

GroupKind = Literal["both", "drug", "therapy", "medicine", "none", "ink"]
"""How a group is coloured: ketamine with therapy, ketamine, therapy, a standard medicine, neither; ink is reported."""

_LETTERS = "fun"
_RUN = re.compile(r"([fun])([1-9]\d*)")
_ROW = re.compile(r"(?:[fun][1-9]\d*)+")
_NAMES: Mapping[str, int] = {"f": 0, "u": 1, "n": 2}


class FieldGroup(Record):
    """Rows that belong together, an arm for example; ``people`` are their names, or empty.

    ``mean_range``: lowest and highest mean of days without use where the same was simulated with other values. [day]
    """

    id: str
    label: str
    kind: GroupKind
    rows: tuple[str, ...]
    people: tuple[str, ...] = ()
    mean_range: tuple[float, float] | None = None


class DayMark(Record):
    """Something that happens on a day: a session, a visit."""

    day: int
    label: str


class DayField(Record):
    """Days of people, as they are drawn and as JSON.

    format
        Name and version of this shape.
    what
        What is used or not, in words that can follow "without": "alcohol".
    origin
        Whether the days were reported, simulated, or made up to show something.
    first_day, n_days
        Day of the first column, and how many columns there are.
    groups
        At least one; every row has runs that add up to ``n_days``.
    marks
        Days that are pointed at.
    day_labels
        A name for each column, a date for example; empty: its number.
    note
        What was left out or chosen to draw it; empty: nothing.
    """

    format: Literal["field-of-days/1"] = "field-of-days/1"
    what: str
    origin: Literal["reported", "simulated", "invented"]
    first_day: int = 0
    n_days: Annotated[int, Field(ge=1, le=36_600)]
    groups: Annotated[tuple[FieldGroup, ...], Field(min_length=1)]
    marks: tuple[DayMark, ...] = ()
    day_labels: tuple[str, ...] = ()
    note: str = ""

    def _faults(self) -> Iterable[SpecError]:
        if len(self.day_labels) not in {0, self.n_days}:
            yield SpecError(where="day_labels", got=len(self.day_labels), allowed=f"none, or {self.n_days}")
        for group in self.groups:
            if len(group.people) not in {0, len(group.rows)}:
                yield SpecError(
                    where=f"groups, {group.id}, people", got=len(group.people), allowed=f"none, or {len(group.rows)}"
                )
            for number, row in enumerate(group.rows):
                days = sum(int(count) for _, count in _RUN.findall(row)) if _ROW.fullmatch(row) else None
                if days != self.n_days:
                    yield SpecError(
                        where=f"groups, {group.id}, row {number}", got=row[:40],
                        allowed=f"runs of f, u and n that add up to {self.n_days} days, for example f{self.n_days}",
                    )  # fmt: skip

    def states(self, group: int) -> Int[np.ndarray, "person day"]:
        """Days of a group: 0 without use, 1 with use, 2 not known."""
        rows = self.groups[group].rows
        found = np.empty((len(rows), self.n_days), dtype=np.int64)
        for number, row in enumerate(rows):
            runs = _RUN.findall(row)
            found[number] = np.repeat([_NAMES[letter] for letter, _ in runs], [int(count) for _, count in runs])
        return found


def field_of_states(
    *,
    what: str,
    origin: Literal["reported", "simulated", "invented"],
    known: Bool[np.ndarray, "person day"],
    used: Bool[np.ndarray, "person day"],
    groups: Iterable[tuple[str, str, GroupKind, Iterable[int]]],
    first_day: int = 0,
    marks: Mapping[int, str] | None = None,
    people: tuple[str, ...] = (),
    most_rows: int = 100,
) -> DayField:
    """A field from arrays, each group with most days without use first.

    Parameters
    ----------
    what, origin, first_day
        As in :class:`DayField`.
    known, used
        Whether the day is known, and whether it had use.
    groups
        Name, label, kind and places of the people of each group; a group without people is left out.
    marks
        Words for days that are pointed at.
    people
        Names of the people, in the order of the arrays.
    most_rows
        A larger group is drawn by so many of its people, evenly from most to fewest days without use; the note says so.

    Raises
    ------
    SpecError
        There is nobody, or no day.
    """
    states = np.where(known, used.astype(np.int64), 2)
    drawn, cut = [], []
    for name, label, kind, places in groups:
        mine = np.asarray(list(places), dtype=np.int64)
        free, with_use = (states[mine] == 0).sum(axis=1), (states[mine] == 1).sum(axis=1)
        order = mine[np.lexsort((np.arange(mine.size), with_use, -free))]
        if order.size > most_rows:
            cut.append(f"{label}: {most_rows} of {order.size} people")
            order = order[((2 * np.arange(most_rows) + 1) * order.size) // (2 * most_rows)]
        if order.size:
            drawn.append(
                FieldGroup(
                    id=name,
                    label=label,
                    kind=kind,
                    rows=tuple(_runs(states[row]) for row in order),
                    people=tuple(people[row] for row in order) if people else (),
                )
            )
    return DayField.create(
        what=what,
        origin=origin,
        first_day=first_day,
        n_days=known.shape[1],
        groups=tuple(drawn),
        marks=tuple(DayMark(day=day, label=label) for day, label in sorted((marks or {}).items())),
        note=f"Drawn evenly from most to fewest days without use. {'; '.join(cut)}." if cut else "",
    )


def field_of_diaries(diaries: Diaries, *, most_rows: int = 100) -> DayField:
    """The field of some diaries by group, a day that nobody asked about not known; reported days are drawn in ink."""
    found = dict.fromkeys(diaries.group)
    kind: GroupKind = "ink" if diaries.origin == "observed" else "none"
    return field_of_states(
        what=diaries.substance,
        origin="reported" if diaries.origin == "observed" else "simulated",
        known=diaries.assessed,
        used=diaries.used,
        groups=[
            (name or "all", name or "Everybody", kind, [k for k, one in enumerate(diaries.group) if one == name])
            for name in found
        ],
        first_day=diaries.first_day,
        people=diaries.person,
        most_rows=most_rows,
    )


def _runs(row: Int[np.ndarray, " day"]) -> str:
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    lengths = np.diff(starts, append=row.size)
    return "".join(f"{_LETTERS[row[start]]}{length}" for start, length in zip(starts, lengths, strict=True))
