"""Guesses of a finished trial from a file: a table of people, or a YAML file that names one or has published groups."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remission.blinding.table import FinishedTrial, table_of_people, trial_of_groups
from remission.errors import SpecError, did_you_mean
from remission.exchange.cells import is_not_known, number_of
from remission.exchange.study_tables import read_study_table
from remission.records.guesses import ANSWERS, MOST_OUTCOME, GuessFile
from remission.records.record_file import record_of
from remission.records.yaml_tree import read_tree_file

_MOST_FAULTS = 20
_LAST_DAY = 36_500.0


def read_guesses(path: Path, changes: Mapping[str, Any] | None = None) -> FinishedTrial:
    """The finished trial of a file.

    ``changes``: fields of :class:`GuessFile` in the place of the file's, such as ``{"better": "lower"}``.
    Raises SpecError: the file cannot be read, or a cell is not what the file says; every fault, up to 20.
    """
    if path.suffix in {".yaml", ".yml"}:
        file = record_of(GuessFile, read_tree_file(path, what="a YAML file of guesses", example="groups:"))
        if changes:
            file = file.replace(**_merged(file.to_dict(), changes))
    else:
        file = GuessFile.from_dict(_merged({"data": path.name}, changes or {}))
    if file.data is None:
        return _checked(trial_of_groups(file))
    return _checked(_Reader(path.parent / file.data, file).read())


def read_guesses_of(fields: Mapping[str, Any]) -> FinishedTrial:
    """The finished trial of the fields of a file; its table is looked for in the working folder. Errors likewise."""
    file = GuessFile.from_dict(dict(fields))
    return _checked(trial_of_groups(file) if file.data is None else _Reader(Path(file.data), file).read())


def _merged(fields: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(fields)
    for name, value in changes.items():
        found[name] = {**found.get(name, {}), **value} if isinstance(value, dict) else value
    return found


def _checked(trial: FinishedTrial) -> FinishedTrial:
    for table in trial.tables:
        if not table.counts.sum(axis=0).all():
            missing = "control" if table.counts[:, 0].any() else "drug"
            day = f" on day {table.day:g}" if np.isfinite(table.day) else ""
            raise SpecError(where="guesses", got=f"nobody of the {missing} arm{day}", allowed="guesses of both arms",
                            remedy="Without both arms no guess can be told right from lucky.")  # fmt: skip
    return trial


class _Reader:
    def __init__(self, path: Path, file: GuessFile) -> None:
        self.path, self.file = path, file
        source = read_study_table(path, needed=[file.columns.arm, file.columns.guess])
        self.first_row, self.is_typed = source.first_row, source.is_typed
        cells = source.cells
        self._check_columns(list(map(str, cells.columns)))
        for name, word in file.where.items():
            if name not in cells.columns:
                raise SpecError(where=f"where.{name}", got=name, allowed=f"a column of {path.name}",
                                remedy=f"It has {', '.join(map(str, cells.columns[:20]))}.")  # fmt: skip
            cells = cells[cells[name] == word]
        if not len(cells):
            raise SpecError(where=path.name, got="no row that is meant", allowed="a row for each guess")
        self.rows = [int(row) + self.first_row for row in cells.index]
        self.cells = cells
        self.faults: list[SpecError] = []
        self.not_used: list[tuple[int, str]] = []

    def _check_columns(self, there: list[str]) -> None:
        """Refuse a column that was named and is not there, and one that is two things at once."""
        columns, role = self.file.columns, dict[str, str]()
        for name in type(columns).model_fields:
            column = getattr(columns, name)
            if name in columns.model_fields_set and column not in there:
                known = f"one of {', '.join(there[:20])}"
                raise SpecError(where=f"{self.path.name}, {name}", got=f"no column {column}", allowed=known,
                                remedy=did_you_mean(column, there))  # fmt: skip
            if column in there and role.setdefault(column, name) != name:
                raise SpecError(where=f"{self.path.name}, {name}", got=f"{column}, which is {role[column]} too",
                                allowed="a column of its own")  # fmt: skip

    def read(self) -> FinishedTrial:
        """Everybody of the table."""
        columns = self.file.columns
        arm = self._words(columns.arm, may_be_empty=False)
        answer = self._words(columns.guess, may_be_empty=True)
        outcome, certainty, expectation = (
            self._numbers(name) for name in (columns.outcome, columns.certainty, columns.expectation)
        )
        day = self._days()
        early = "nobody can guess before anything was felt"
        for value, low, high, name, words in (
            (certainty, 0.0, 100.0, columns.certainty, "a certainty from 0 to 100 percent"),
            (day, 0.0, _LAST_DAY, columns.time, f"a day from 0 to {_LAST_DAY:,.0f}: {early}"),
            (outcome, -MOST_OUTCOME, MOST_OUTCOME, columns.outcome, f"no more than {MOST_OUTCOME:g} either way"),
        ):
            for row in np.flatnonzero((value < low) | (value > high)).tolist():
                self._fault(row, name, f"{value[row]:g}{'%' if value is certainty else ''}", words)
        if 0.0 < np.nanmax(np.append(certainty, 0.0)) <= 1.0:
            row = int(np.nanargmax(certainty))
            self._fault(row, columns.certainty, f"{certainty[row]:g}, and none above 1", "percent, from 0 to 100",
                        "Multiply shares by 100.")  # fmt: skip
        if self.file.outcome == "share":
            for row in np.flatnonzero(np.isfinite(outcome) & (outcome != 0.0) & (outcome != 1.0)).tolist():
                self._fault(row, columns.outcome, f"{outcome[row]:g}", "1 for the outcome, 0 without it")
        if np.isnan(day).any() and np.isfinite(day).any():
            for row in np.flatnonzero(np.isnan(day)).tolist():
                self._fault(row, columns.time, "nothing", "the day of every asking, or of none")
        person, session = self._persons(day)
        SpecError.check(self.faults[:_MOST_FAULTS])
        end = self._end_of(session, arm, day, outcome)
        last = self.file.outcome_day
        if last is not None and np.isfinite(day).any() and np.nanmax(day) > last:
            raise SpecError(where="outcome_day", got=last, allowed=f"at least {np.nanmax(day):g}, the last asking")
        tables = []
        for one in sorted({-1.0 if np.isnan(value) else float(value) for value in day}):
            here = (np.isnan(day) if one < 0.0 else day == one) & (answer >= 0)
            if here.any():
                tables.append(table_of_people(arm[here], answer[here], end[here], certainty[here],
                                              np.nan if one < 0.0 else one,
                                              None if person is None else person[here]))  # fmt: skip
        if not tables:
            raise SpecError(where=columns.guess, got="no guess at all", allowed="guesses of both arms")
        _, first = np.unique(session, return_index=True)
        return FinishedTrial(
            file=self.file, tables=tuple(tables), arm=arm[first], outcome=end[first], expectation=expectation[first],
            person=None if person is None else person[first], knows_persons=columns.person in self.cells.columns,
            not_used=tuple(self.not_used),
        )  # fmt: skip

    def _fault(self, place: int, column: str, got: str, allowed: str, remedy: str = "") -> None:
        where = f"{self.path.name}, row {self.rows[place]}, {column}"
        self.faults.append(SpecError(where=where, got=got or "nothing", allowed=allowed, remedy=remedy))

    def _words(self, column: str, *, may_be_empty: bool) -> np.ndarray:
        """Arms as 0 and 1, answers as 0, 1 and 2; -1 for who was not asked."""
        words = self.file.words
        found = np.full(len(self.cells), -1)
        for place, cell in enumerate(self.cells[column].tolist()):
            said = words.of(cell)
            if said is not None and (may_be_empty or said != "unsure"):
                found[place] = ANSWERS.index(said)
            elif may_be_empty and (cell == "" or is_not_known(cell)):
                self.not_used.append((self.rows[place], "no guess: not asked, or not written down"))
            else:
                known = (*words.drug, *words.control, *(words.unsure if may_be_empty else ()))
                self._fault(place, column, cell, f"one of {', '.join(known)}",
                            "Say which words mean what: --drug WORD, --control WORD, --unsure WORD.")  # fmt: skip
        return found

    def _numbers(self, column: str) -> np.ndarray:
        """Numbers of a column; NaN where it has none, or where there is no such column."""
        if column not in self.cells.columns:
            return np.full(len(self.cells), np.nan)
        found = np.full(len(self.cells), np.nan)
        for place, cell in enumerate(self.cells[column].tolist()):
            if cell == "" or (is_not_known(cell) and not _is_number(cell)):
                continue
            found[place] = number_of(cell.removesuffix("%").strip(), is_typed=self.is_typed)
            if np.isnan(found[place]):
                self._fault(place, column, cell, "a number, or nothing")
        return found

    def _days(self) -> np.ndarray:
        """Day of each asking; NaN where the table has none."""
        column, times = self.file.columns.time, self.file.times
        if column not in self.cells.columns:
            return np.full(len(self.cells), np.nan)
        if not times:
            return self._numbers(column)
        found = np.full(len(self.cells), np.nan)
        for place, cell in enumerate(self.cells[column].tolist()):
            if cell in times:
                found[place] = times[cell]
            else:
                self._fault(place, column, cell, f"one of {', '.join(times)}")
        return found

    def _persons(self, day: np.ndarray) -> tuple[np.ndarray | None, np.ndarray]:
        """A number for each person where people have several sessions, and one for each session; else none, and one for
        each person; each row is one where the table does not say.
        """
        columns, cells = self.file.columns, self.cells
        sessions = columns.session in cells.columns and cells[columns.session].nunique() > 1
        if columns.person not in cells.columns:
            if sessions:
                raise SpecError(
                    where=f"{self.path.name}, {columns.session}", got="sessions, and no column of persons",
                    allowed="whose session each row is", remedy="Name it: --column person=COLUMN.",
                )  # fmt: skip
            return None, np.arange(len(cells))
        person, _ = pd.factorize(cells[columns.person])
        named = [columns.person, columns.session] if sessions else [columns.person]
        for name in named:
            for place, cell in enumerate(cells[name].tolist()):
                if cell == "" or is_not_known(cell):
                    self._fault(place, name, cell, "a person" if name == columns.person else "a session")
        session = cells.groupby(named, sort=False).ngroup().to_numpy() if sessions else person
        once, remedy = "each person once at each asking of a session", ""
        if not sessions:
            once = "each person once at each asking"
            remedy = "Where people have several sessions, name their column: --column session=COLUMN."
        seen: dict[tuple[int, float], int] = {}
        for place, who in enumerate(session.tolist()):
            key = (who, -1.0 if np.isnan(day[place]) else float(day[place]))
            if key in seen:
                again = f"{cells[columns.person].iloc[place]} again, first on row {self.rows[seen[key]]}"
                self._fault(place, columns.person, again, once, remedy)
            seen[key] = place
        repeats = sessions and int(session.max()) > int(person.max())
        return (np.asarray(person) if repeats else None), np.asarray(session)

    def _end_of(self, session: np.ndarray, arm: np.ndarray, day: np.ndarray, outcome: np.ndarray) -> np.ndarray:
        """The last outcome of each person or session, on every row of it."""
        if self.file.columns.person not in self.cells.columns:
            return outcome
        found = outcome.copy()
        for who in range(int(session.max()) + 1):
            rows = np.flatnonzero(session == who)
            if len(set(arm[rows].tolist())) > 1:
                self._fault(int(rows[-1]), self.file.columns.arm, "another arm than before", "one arm for each person, "
                            "or for each session of theirs")  # fmt: skip
            rows = rows[np.argsort(day[rows], kind="stable")]
            known = rows[np.isfinite(outcome[rows])]
            found[rows] = outcome[known[-1]] if known.size else np.nan
        SpecError.check(self.faults[:_MOST_FAULTS])
        return found


def _is_number(cell: str) -> bool:
    return bool(np.isfinite(number_of(cell.removesuffix("%").strip())))
