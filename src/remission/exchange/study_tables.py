"""The file of a trial, read as a plan says. A cell that is not what the plan says it is stops the analysis, with its
place; a cell that says "not known" is missing; a row that nobody can use is listed with the reason.
"""

import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from remission.endpoints.data import EndpointData
from remission.errors import SpecError, did_you_mean, known_names
from remission.exchange.cells import (
    answer_of,
    forms_that_fit,
    is_nobody,
    is_not_known,
    is_total,
    number_of,
    read_date_form,
    same_cell,
)
from remission.exchange.endpoint_tables import data_of_diaries
from remission.exchange.formats import cell_text
from remission.exchange.mapping_file import read_mapping
from remission.exchange.quality import far_outside, like_people
from remission.exchange.simulated import diaries_of_run
from remission.exchange.tables import Table, is_parquet, plain, read_source
from remission.exchange.tlfb import read_tlfb
from remission.records.diaries import Diaries
from remission.records.study_plan import Measure, StudyPlan, one_name
from remission.study.data import NotUsed, StudyData, Taken

_MOST_FAULTS = 20


def read_study(path: Path, plan: StudyPlan, *, folder: Path) -> StudyData:
    """Everybody whom a file and its people_file have as randomized.

    ``folder``: from which the plan names its other files.
    Raises SpecError: a file cannot be read, or it is not what the plan says; every fault is listed, up to 20.
    """
    return _Reader(plan=plan, folder=folder, path=path).read()


def read_study_table(path: Path, plan: StudyPlan | None = None, *, needed: list[str] | None = None) -> Table:
    """The cells of any table that is read here, as text; a Parquet table too."""
    data = None if plan is None else plan.data
    if is_parquet(path):
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            frame = pq.read_table(path).to_pandas()
        except (pa.ArrowException, OSError, ValueError):
            raise SpecError(where=path.name, got="a Parquet file that cannot be read", allowed="a whole file") from None
        sign = "point" if data is None else data.decimal
        cells = pd.DataFrame(
            {
                str(name): pd.Series([cell_text(one, sign) for one in frame[name].tolist()], dtype=str)
                for name in frame.columns
            }
        )
        return Table(cells, first_row=2, is_typed=True)
    if data is None:
        return read_source(path, needed=needed or [])
    return read_source(path, needed=needed or [], encoding=data.encoding, decimal=data.decimal, sheet=data.sheet)


@dataclass
class _Reader:
    plan: StudyPlan
    folder: Path
    path: Path
    faults: list[SpecError] = field(default_factory=list)
    not_used: list[NotUsed] = field(default_factory=list)
    cautions: list[str] = field(default_factory=list)
    files: dict[str, str] = field(default_factory=dict)

    def read(self) -> StudyData:
        """The people of the file."""
        data = self.plan.data
        if data.layout == "diaries":
            return self._diaries()
        sheet = self._sheet(self.path, where="the file")
        if data.layout == "people":
            return self._finish(self._people(sheet), n_rows=len(sheet.table))
        people = None if data.people_file is None else self._sheet(self.folder / data.people_file, where="people_file")
        return self._visits(sheet, people)

    def _sheet(self, path: Path, *, where: str) -> "_Sheet":
        source = read_study_table(path, self.plan, needed=[self.plan.data.person])
        self.files[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        table = source.cells[(source.cells != "").any(axis=1)]
        if not len(table):
            raise SpecError(where=path.name, got=f"{where} without a row", allowed="a row for each person")
        return _Sheet(path.name, table, source, self)

    # ------------------------------------------------------------------------------------------------------- layouts

    def _people(self, sheet: "_Sheet", *, is_second: bool = False) -> "_People":
        """A row a person: everybody who has an arm."""
        plan, data = self.plan, self.plan.data
        wanted: list[str | None] = [one.column for one in plan.covariates]
        wanted += [one.day_column if is_second else one.column or one.day_column for one in plan.intercurrent_events]
        columns = [data.arm, data.randomized, data.baseline_measured, *wanted]
        if not is_second:
            columns += [name for one in plan.measures for name in _columns_of(one)]
        sheet.need([name for name in columns if name], self)
        SpecError.check(self.faults)
        people = _People()
        for row, name in sheet.people(self):
            arm = self._arm(sheet, row, name) if data.arm else None
            if data.arm and arm is None:
                continue
            if name in people.place:
                first = people.rows[people.place[name]]
                other = people.arms[people.place[name]]
                got = f"{name} again, first on row {sheet.line(first)}"
                if other != arm and arm is not None and other is not None:
                    before = f"{plan.arms[other].label} on row {sheet.line(first)}"
                    got = f"{name} in two arms: {before}, {plan.arms[arm].label} here"
                self.fault(
                    f"{sheet.name}, row {sheet.line(row)}, {data.person}",
                    got,
                    "each person once",
                    "With several rows a person, say layout: visits; else remove rows that are not meant.",
                )
                continue
            people.add(name, row, arm)
        self.cautions += like_people(list(people.place))
        people.sheet = sheet
        return people

    def _visits(self, sheet: "_Sheet", second: "_Sheet | None") -> StudyData:
        """A row for each visit of a person; who they are stands beside it or in a second table."""
        plan, data = self.plan, self.plan.data
        assert data.visit is not None
        here = [data.visit, *(name for one in plan.measures for name in _columns_of(one))]
        here += [one.column for one in plan.intercurrent_events if one.column]
        if second is None:
            here += [data.arm or "", *(one.column for one in plan.covariates)]
            here += [one.day_column for one in plan.intercurrent_events if one.day_column]
        sheet.need([name for name in here if name], self)
        SpecError.check(self.faults)
        people = _People() if second is None else self._people(second, is_second=True)
        placed = self._placed(sheet, people, is_whole=second is not None)
        SpecError.check(self.faults)
        if second is None:
            people.sheet = sheet
            people.all_rows = {place: [] for place in range(len(people.rows))}
            for who, _, row in sorted(placed, key=lambda one: one[2]):
                people.all_rows[who].append(row)
        taken = {one.id: self._taken_at_visits(one, sheet, placed, len(people.rows)) for one in plan.measures}
        flags = {}
        for event in plan.intercurrent_events:
            if event.column is not None:
                day = np.full(len(people.rows), np.nan)
                for who, visit, row in placed:
                    if self._answer(sheet, row, event.column) == 1:
                        day[who] = np.fmin(day[who], float(data.visits[visit].day))
                flags[event.id] = day
        return self._finish(people, n_rows=len(sheet.table), taken=taken, event_day=flags)

    def _placed(self, sheet: "_Sheet", people: "_People", *, is_whole: bool) -> list[tuple[int, int, int]]:
        """Place of the person, of the visit, and row of each row that is used. ``is_whole``: everybody is known."""
        data = self.plan.data
        assert data.visit is not None
        at: dict[tuple[int, int], int] = {}
        unplanned: dict[str, int] = {}
        for row, name in sheet.people(self):
            who = people.place.get(name) if is_whole else self._who(sheet, row, name, people)
            if who is None:
                if is_whole:
                    reason = "not among the randomized people of the people_file"
                    self.set_aside(sheet.line(row), name, data.person, name, reason)
                continue
            word = sheet.cell(row, data.visit)
            visit = next((k for k, one in enumerate(data.visits) if _is_word(word, one.name)), None)
            if visit is None:
                unplanned[word] = unplanned.get(word, 0) + 1
                self.set_aside(sheet.line(row), name, data.visit, word, "a visit that the plan does not name")
            elif (who, visit) in at:
                self.fault(
                    f"{sheet.name}, row {sheet.line(row)}, {data.visit}",
                    f"{data.visits[visit].name} of {name} again, first on row {sheet.line(at[who, visit])}",
                    "each visit of a person once",
                    "Keep the row that is meant; nothing is averaged.",
                )
            else:
                at[who, visit] = row
        for word, count in unplanned.items():
            self.cautions.append(f"{count} rows of visit {word!r} are not used: the plan does not name it.")
        return [(who, visit, row) for (who, visit), row in at.items()]

    def _who(self, sheet: "_Sheet", row: int, name: str, people: "_People") -> int | None:
        """The place of a person whose arm stands on every row; None where no arm does, or another one."""
        plan, column = self.plan, self.plan.data.arm
        arm = self._arm(sheet, row, name)
        if arm is None:
            return None
        if name not in people.place:
            people.add(name, row, arm)
        place = people.place[name]
        other = people.arms[place]
        if other != arm and other is not None:
            before = f"{plan.arms[other].label} on row {sheet.line(people.rows[place])}"
            self.fault(
                f"{sheet.name}, row {sheet.line(row)}, {column}",
                f"{name} in two arms: {before}, {plan.arms[arm].label} here",
                "one arm for each person",
                "Write the arm to which the person was randomized on every row.",
            )
            return None
        return place

    def _taken_at_visits(
        self, one: Measure, sheet: "_Sheet", placed: list[tuple[int, int, int]], n_people: int
    ) -> Taken:
        visits = self.plan.data.visits
        assert one.column is not None
        cells = self._cells(one, sheet, one.column, [row for _, _, row in placed])
        whole = np.full((n_people, len(visits)), np.nan)
        for (who, visit, _), value in zip(placed, cells, strict=True):
            whole[who, visit] = value
        chosen = whole[:, [visits.index(visit) for visit in self.plan.visits_of(one)]]
        self._check_attended(one, chosen)
        return Taken(value=chosen, exposure=np.full(n_people, one.exposure_days or 1.0))

    def _diaries(self) -> StudyData:
        """Days of everybody; who was randomized to what stands in the people_file, or in the group of the diaries."""
        plan, data = self.plan, self.plan.data
        diaries = self._read_diaries()
        if data.people_file is not None:
            people = self._people(self._sheet(self.folder / data.people_file, where="people_file"))
            if data.arm is None:
                self._arms_of_groups(people, dict(zip(diaries.person, diaries.group, strict=True)))
        else:
            people = _People()
            for name in diaries.person:
                people.add(name, len(people.rows), None)
            named = [*plan.covariates, *plan.measures, *plan.intercurrent_events, *([1] if data.randomized else [])]
            if named or data.arm:
                raise SpecError(
                    where="data.people_file",
                    got="nothing",
                    allowed="a table with a row a person: the plan names columns, and diaries have none",
                )
            self._arms_of_groups(people, dict(zip(diaries.person, diaries.group, strict=True)))
        SpecError.check(self.faults)
        self.not_used += [
            NotUsed(row=0, person=name, where="diaries", got=name, reason="diaries of somebody who was not randomized")
            for name in diaries.person
            if name not in people.place
        ]
        days = _days_of(diaries, list(people.place), heavy_amount=data.heavy_amount)
        lacking = [name for name in people.place if name not in set(diaries.person)]
        if lacking:
            self.cautions.append(f"{len(lacking)} randomized people have no diary; no day of them was seen.")
        found = self._finish(people, n_rows=int(diaries.assessed.sum()))
        is_simulated = diaries.origin == "simulated"
        return replace(found, diaries=days, replicate=data.replicate, is_simulated=is_simulated)

    def _read_diaries(self) -> Diaries:
        data = self.plan.data
        if self.path.is_dir():
            several: tuple[Diaries, ...] = (diaries_of_run(self.path, replicate=data.replicate),)
        else:
            mapping = None if data.mapping is None else read_mapping(self.folder / data.mapping)
            found = read_tlfb(self.path, mapping)
            self.files[self.path.name] = hashlib.sha256(self.path.read_bytes()).hexdigest()
            self.cautions += found.report.cautions
            self.not_used += [
                NotUsed(row=one.row, person="", where=one.field, got=one.got, reason=one.reason)
                for one in found.report.set_aside
            ]
            several = found.diaries
        chosen = [one for one in several if data.substance in {None, one.substance}]
        if len(chosen) != 1:
            names = ", ".join(one.substance for one in several)
            raise SpecError(
                where="data.substance", got=data.substance or "nothing", allowed=f"one of the file: {names or 'none'}"
            )
        return chosen[0]

    def _arms_of_groups(self, people: "_People", group: dict[str, str]) -> None:
        kept = _People(sheet=people.sheet)
        for name, place in people.place.items():
            word = group.get(name, "")
            arm = self._arm_of(word)
            if arm is None:
                reason = "no arm: not randomized" if not word else "a group that is no arm of the plan"
                self.set_aside(0, name, "group", word, reason)
                if word:
                    self.fault("group of the diaries", word, self._arm_words(), self._arm_remedy())
                continue
            kept.add(name, people.rows[place], arm)
        people.place, people.rows, people.arms = kept.place, kept.rows, kept.arms

    # --------------------------------------------------------------------------------------------------------- parts

    def _finish(
        self,
        people: "_People",
        *,
        n_rows: int,
        taken: dict[str, Taken] | None = None,
        event_day: dict[str, np.ndarray] | None = None,
    ) -> StudyData:
        """Covariates, measures of people, events and dates of everybody; then every fault at once."""
        plan, n = self.plan, len(people.rows)
        SpecError.check(self.faults)
        if n == 0:
            raise SpecError(where=self.path.name, got="nobody with an arm", allowed="people who were randomized")
        arm = np.array(people.arms, dtype=np.int64)
        numbers, levels = {}, {}
        for one in plan.covariates:
            cells = [self.known_cell(people.text(place, one.column, self), one.column) for place in range(n)]
            if one.kind == "number":
                numbers[one.id] = np.array(
                    [
                        math.nan if cell is None else self._number(people, place, one.column, cell)
                        for place, cell in enumerate(cells)
                    ]
                )
            else:
                names = tuple(sorted({" ".join(cell.split()) for cell in cells if cell is not None}))
                folded = {one_name(name) for name in names}
                if len(folded) < len(names):
                    said = ", ".join(
                        sorted(name for name in names if sum(one_name(o) == one_name(name) for o in names) > 1)
                    )
                    self.fault(
                        f"{people.name}, {one.column}",
                        said,
                        "one spelling of each level",
                        "Two spellings would be two levels; write one of them.",
                    )
                levels[one.id] = (
                    np.array([-1 if cell is None else names.index(" ".join(cell.split())) for cell in cells]),
                    names,
                )
        if taken is None:
            taken = {one.id: self._taken(one, people) for one in plan.measures}
        happened, days = {}, dict(event_day or {})
        for event in plan.intercurrent_events:
            if event.id in days:
                happened[event.id] = np.isfinite(days[event.id])
            elif event.day_column is not None:
                cells = [
                    self.known_cell(people.text(place, event.day_column, self), event.day_column) for place in range(n)
                ]
                days[event.id] = np.array(
                    [
                        math.nan if cell is None else self._number(people, place, event.day_column, cell)
                        for place, cell in enumerate(cells)
                    ]
                )
                happened[event.id] = np.isfinite(days[event.id])
                for place in np.flatnonzero(days[event.id] < 0.0).tolist():
                    self.fault(
                        f"{people.name}, row {people.line(place)}, {event.day_column}",
                        f"day {days[event.id][place]:g}",
                        "a day from 0, that of randomization, on",
                        "What came before randomization is no intercurrent event.",
                    )
            else:
                assert event.column is not None
                answers = [self._answer_of_person(people, place, event.column) for place in range(n)]
                days[event.id] = np.full(n, np.nan)
                happened[event.id] = np.array(answers) == 1
        self._check_dates(people)
        SpecError.check(self.faults)
        for index, one_arm in enumerate(plan.arms):
            if not (arm == index).any():
                raise SpecError(
                    where=f"arms[{index}]",
                    got=f"nobody in {one_arm.label}",
                    allowed="people in every arm of the plan",
                    remedy="Check the words of the arm (values), or leave it out.",
                )
        return StudyData(
            person=tuple(people.place),
            arm=arm,
            numbers=numbers,
            levels=levels,
            measures=taken,
            happened=happened,
            event_day=days,
            n_rows=n_rows,
            not_used=tuple(self.not_used),
            cautions=tuple(dict.fromkeys(self.cautions)),
            files=self.files,
        )

    def _taken(self, one: Measure, people: "_People") -> Taken:
        assert people.sheet is not None
        sheet, rows = people.sheet, people.rows
        if one.columns:
            visits = [visit.name for visit in self.plan.visits_of(one)]
            column_of = {one_name(name): column for name, column in one.columns.items()}
            value = np.stack([self._cells(one, sheet, column_of[one_name(name)], rows) for name in visits], axis=1)
            self._check_attended(one, value)
            return Taken(value=value, exposure=self._exposure(one, sheet, rows))
        assert one.column is not None
        value = self._cells(one, sheet, one.column, rows)
        if not np.isfinite(value).any():
            self.fault(f"{sheet.name}, {one.column}", "no value of anybody", "a column with values")
        event = None
        if one.event_column is not None:
            answers = np.array([self._answer(sheet, row, one.event_column, one) for row in rows])
            lost = np.isfinite(value) & (answers < 0)
            if lost.any():
                row = rows[int(np.flatnonzero(lost)[0])]
                self.fault(
                    f"{sheet.name}, row {sheet.line(row)}, {one.event_column}",
                    "nothing",
                    "whether the event came, of everybody with a time",
                    "Say no where the time was cut off.",
                )
            event = answers == 1
        exposure = self._exposure(one, sheet, rows)
        if any(item.endpoint == one.id and item.method == "day_odds_ratio" for item in self.plan.analyses):
            assert exposure is not None
            for place in np.flatnonzero((value > exposure) | (exposure != np.floor(exposure))).tolist():
                if math.isfinite(exposure[place]):
                    self.fault(
                        f"{sheet.name}, row {sheet.line(rows[place])}, {one.column}",
                        f"{value[place]:g} of {exposure[place]:g} days",
                        "no more days than were counted, and whole ones",
                        "An odds ratio of a day needs the days among which each was counted.",
                    )
        return Taken(value=value[:, None], event=event, exposure=exposure)

    def _exposure(self, one: Measure, sheet: "_Sheet", rows: list[int]) -> np.ndarray | None:
        if one.measure != "count":
            return None
        if one.exposure is None:
            return np.full(len(rows), one.exposure_days or 1.0)
        found = np.array([self._cell_number(sheet, row, one.exposure) for row in rows])
        for row, value in zip(rows, found, strict=True):
            if value <= 0.0:
                self.fault(
                    f"{sheet.name}, row {sheet.line(row)}, {one.exposure}",
                    f"{value:g}",
                    "a number above 0",
                    "Leave the cell empty where nothing was counted.",
                )
        return found

    def _cells(self, one: Measure, sheet: "_Sheet", column: str, rows: list[int]) -> np.ndarray:
        """The values of a column on some rows; what is no value of the measure is a fault."""
        if one.measure == "binary":
            answers = np.array([self._answer(sheet, row, column, one) for row in rows], dtype=np.float64)
            return np.where(answers < 0.0, np.nan, answers)
        found = np.array([self._cell_number(sheet, row, column) for row in rows], dtype=np.float64)
        low = 0.0 if one.measure in {"count", "time", "percent"} and one.low is None else one.low
        high = 100.0 if one.measure == "percent" and one.high is None else one.high
        for row, value in zip(rows, found, strict=True):
            place = f"{sheet.name}, row {sheet.line(row)}, {column}"
            if (low is not None and value < low) or (high is not None and value > high):
                ends = " to ".join(f"{end:g}" for end in (low, high) if end is not None)
                allowed = (
                    f"{ends}, the range of {one.id}"
                    if high is not None and low is not None
                    else f"{'at least' if low is not None else 'at most'} {ends}"
                )
                self.fault(place, f"{value:g}", allowed, "Mend the cell, or declare the code under missing.")
            elif one.measure == "count" and value != np.floor(value) and math.isfinite(value):
                self.fault(place, f"{value:g}", "a whole number: it is a count", "State it as a mean if it is none.")
            elif one.measure == "time" and value == 0.0:
                self.fault(place, "0", "a time above 0", "Count the first day as day 1; nobody is at risk for no time.")
        code = far_outside(found)
        if code is not None and high is None:
            self.cautions.append(
                f"{column}: {code:g} stands {int((found == code).sum())} times far above all others; if it is a code "
                f"for 'not known', declare it: missing: [{code:g}]."
            )
        return found

    def _check_attended(self, one: Measure, value: np.ndarray) -> None:
        for place, visit in enumerate(self.plan.visits_of(one)):
            if not np.isfinite(value[:, place]).any():
                self.fault(
                    f"data.visits, {visit.name}",
                    f"no {one.id} of anybody",
                    "a visit that somebody attended",
                    "Check its name, or leave the visit out of the measure.",
                )

    def _check_dates(self, people: "_People") -> None:
        data = self.plan.data
        if data.randomized is None or data.baseline_measured is None or people.sheet is None:
            return
        form = read_date_form(data.date_form, where="data.date_form")
        sheet = people.sheet
        days = {}
        for column in (data.randomized, data.baseline_measured):
            sheet.need([column], self)
            if column not in sheet.table:
                return
            cells = [self.known_cell(people.text(place, column, self), column) for place in range(len(people.rows))]
            days[column] = [
                None if cell is None else form.ordinal(cell, is_typed=sheet.source.is_typed) for cell in cells
            ]
            for place, (cell, day) in enumerate(zip(cells, days[column], strict=True)):
                if cell is not None and day is None:
                    fits = forms_that_fit(pd.Series([one for one in cells if one is not None]))
                    hint = (
                        f"All fit {' or '.join(fits)}: write it as date_form."
                        if fits
                        else "Write all dates in one form."
                    )
                    self.fault(
                        f"{sheet.name}, row {sheet.line(people.rows[place])}, {column}",
                        cell,
                        f"a date as {form.words}",
                        hint,
                    )
        for place, name in enumerate(people.place):
            first, measured = days[data.randomized][place], days[data.baseline_measured][place]
            if first is not None and measured is not None and measured > first:
                self.fault(
                    f"{sheet.name}, row {sheet.line(people.rows[place])}, {data.baseline_measured}",
                    f"{name} measured {measured - first} days after randomization",
                    "a baseline before randomization",
                    "Such a measure may be an effect of the treatment: correct the date, or empty the baseline.",
                )

    # --------------------------------------------------------------------------------------------------------- cells

    def _arm(self, sheet: "_Sheet", row: int, name: str) -> int | None:
        column = self.plan.data.arm
        assert column is not None
        word = sheet.cell(row, column)
        if self.known_cell(word, column) is None:
            self.set_aside(sheet.line(row), name, column, word, "no arm: not randomized")
            return None
        found = self._arm_of(word)
        if found is None:
            self.fault(f"{sheet.name}, row {sheet.line(row)}, {column}", word, self._arm_words(), self._arm_remedy())
        elif word != " ".join(word.split()) or sheet.spellings.setdefault((column, found), word) != word:
            self.cautions.append(
                f"{column}: {word!r} is read as {self.plan.arms[found].label}, as other spellings are."
            )
        return found

    def _arm_of(self, word: str) -> int | None:
        name = one_name(word)
        return next(
            (
                index
                for index, arm in enumerate(self.plan.arms)
                if name in arm.words or any(same_cell(word, one) for one in arm.words)
            ),
            None,
        )

    def _arm_words(self) -> str:
        return f"a word of one of the arms: {', '.join(word for arm in self.plan.arms for word in arm.words)}"

    def _arm_remedy(self) -> str:
        return "Add it to the values of its arm, or add the arm."

    def known_cell(self, cell: str, column: str) -> str | None:
        """The cell, or None where it says that nothing is known."""
        codes = self.plan.data.missing
        listed = codes.get(column, ()) if isinstance(codes, dict) else codes
        if cell == "" or any(same_cell(cell, code) for code in listed):
            return None
        is_word = is_not_known(cell) and not any(sign.isdigit() for sign in cell)
        return None if is_word else cell

    def _cell_number(self, sheet: "_Sheet", row: int, column: str) -> float:
        cell = self.known_cell(sheet.cell(row, column), column)
        return math.nan if cell is None else self._parsed(sheet, row, column, cell)

    def _number(self, people: "_People", place: int, column: str, cell: str) -> float:
        assert people.sheet is not None
        return self._parsed(people.sheet, people.rows[place], column, cell)

    def _parsed(self, sheet: "_Sheet", row: int, column: str, cell: str) -> float:
        data = self.plan.data
        value = number_of(cell, data.decimal, data.thousands, is_typed=sheet.source.is_typed)
        if math.isnan(value):
            self.fault(
                f"{sheet.name}, row {sheet.line(row)}, {column}",
                cell,
                "a number, or a declared code for not known",
                self._written_otherwise(cell) or f"Mend the cell, or declare the code: missing: [{cell}].",
            )
        return value

    def _written_otherwise(self, cell: str) -> str:
        """What to say of a cell that is a number by other signs than those of the plan."""
        data = self.plan.data
        signs = [
            (decimal, thousands)
            for decimal in ("point", "comma")
            for thousands in ("none", "point", "comma", "space", "apostrophe")
            if decimal != thousands and not math.isnan(number_of(cell, decimal, thousands))
        ]
        if not signs or (data.decimal, data.thousands) in signs:
            return ""
        words = [
            f"decimal: {decimal}" + ("" if thousands == "none" else f", thousands: {thousands}")
            for decimal, thousands in signs
            if thousands == "none" or (decimal, "none") not in signs
        ]
        return f"Say under data how numbers are written, if they are: {' or '.join(words)}."

    def _answer(self, sheet: "_Sheet", row: int, column: str, one: Measure | None = None) -> int:
        """1, 0, or -1 where nothing is known."""
        cell = self.known_cell(sheet.cell(row, column), column)
        if cell is None:
            return -1
        if one is not None and one.event:
            for words, answer in ((one.event, 1), (one.no_event, 0)):
                if any(_is_word(cell, word) for word in words):
                    return answer
            allowed = f"one of {', '.join((*one.event, *one.no_event))}"
        else:
            answer = answer_of(cell)
            if answer >= 0:
                return answer
            number = number_of(cell, is_typed=True)
            if number in {0.0, 1.0}:
                return int(number)
            allowed = "yes or no, 1 or 0"
        self.fault(
            f"{sheet.name}, row {sheet.line(row)}, {column}",
            cell,
            allowed,
            "Say with event and no_event what the words mean, or declare a code under missing.",
        )
        return -1

    def _answer_of_person(self, people: "_People", place: int, column: str) -> int:
        assert people.sheet is not None
        rows = people.all_rows.get(place, [people.rows[place]])
        return max(self._answer(people.sheet, row, column) for row in rows)

    def fault(self, where: str, got: str, allowed: str, remedy: str = "") -> None:
        """One more fault; when there are many, all of them are raised at once."""
        self.faults.append(SpecError(where=where, got=got, allowed=allowed, remedy=remedy))
        if len(self.faults) >= _MOST_FAULTS:
            more = SpecError(where=where, got="perhaps more of this kind", allowed="a file without faults")
            self.faults.append(more)
            raise SpecError.from_faults(self.faults)

    def set_aside(self, row: int, person: str, where: str, got: str, reason: str) -> None:
        """One more row that nobody can use."""
        self.not_used.append(NotUsed(row=row, person=person, where=where, got=got[:60], reason=reason))


@dataclass
class _Sheet:
    """A table with the place of each row in its file."""

    name: str
    table: pd.DataFrame
    source: Table
    reader: _Reader
    spellings: dict[tuple[str, int], str] = field(default_factory=dict)
    _columns: dict[str, list[str]] = field(default_factory=dict)

    def need(self, columns: Iterable[str], reader: _Reader) -> None:
        """A fault for each column that is not there, or there twice."""
        known = [str(name) for name in self.table.columns]
        for name in dict.fromkeys(columns):
            if name not in known:
                remedy = did_you_mean(name, known, otherwise=known_names(known, most=12))
                place = f"{self.name}, row {self.source.first_row - 1}"
                reader.fault(place, f"no column {name}", "a column of that name", remedy)
            elif name in self.source.repeated:
                reader.fault(
                    f"{self.name}, row {self.source.first_row - 1}", f"the column {name} twice", "each column once"
                )

    def line(self, row: int) -> int:
        """Row of the file."""
        return int(self.table.index[row]) + self.source.first_row

    def cell(self, row: int, column: str) -> str:
        """The text of a cell."""
        if column not in self._columns:
            self._columns[column] = [str(one) for one in plain(self.table[column])]
        return self._columns[column][row]

    def people(self, reader: _Reader) -> Iterable[tuple[int, str]]:
        """Rows that name somebody; others are set aside."""
        column = reader.plan.data.person
        for row in range(len(self.table)):
            name = self.cell(row, column).strip()
            if not name or is_nobody(name) or is_total(name):
                reader.set_aside(self.line(row), name, column, name, "nobody is named")
                continue
            yield row, name


@dataclass
class _People:
    """Who is randomized: place by name, the row that names each, and the arm."""

    place: dict[str, int] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    arms: list[int | None] = field(default_factory=list)
    all_rows: dict[int, list[int]] = field(default_factory=dict)
    sheet: _Sheet | None = None

    def add(self, name: str, row: int, arm: int | None) -> None:
        """One more person."""
        self.place[name] = len(self.rows)
        self.rows.append(row)
        self.arms.append(arm)

    @property
    def name(self) -> str:
        """Of the file that names them."""
        return "" if self.sheet is None else self.sheet.name

    def line(self, place: int) -> int:
        """The row of the file that names a person."""
        assert self.sheet is not None
        return self.sheet.line(self.rows[place])

    def text(self, place: int, column: str, reader: _Reader) -> str:
        """What the rows of a person say in a column; a contradiction between them is a fault."""
        assert self.sheet is not None
        rows = self.all_rows.get(place)
        if rows is None:
            return self.sheet.cell(self.rows[place], column)
        said: dict[str, tuple[str, int]] = {}
        for row in rows:
            cell = reader.known_cell(self.sheet.cell(row, column), column)
            if cell is not None:
                said.setdefault(one_name(cell), (cell, row))
        if len(said) > 1:
            (one, _), (other, row) = list(said.values())[:2]
            reader.fault(
                f"{self.name}, row {self.sheet.line(row)}, {column}",
                f"{other}, and {one} on an earlier row",
                "one value for each person",
                "A covariate is of the time before treatment: write it the same on every row.",
            )
        return next(iter(said.values()))[0] if said else ""


def _columns_of(one: Measure) -> list[str]:
    named = (one.column, *one.columns.values(), one.event_column, one.exposure)
    return [name for name in named if name is not None]


def _is_word(cell: str, word: str) -> bool:
    return one_name(cell) == one_name(word) or same_cell(cell, word)


def _days_of(diaries: Diaries, people: list[str], *, heavy_amount: float | None) -> EndpointData:
    """Days of the randomized people, in their order; who has no diary has no day seen."""
    place = {name: number for number, name in enumerate(diaries.person)}
    at = np.array([place.get(name, -1) for name in people], dtype=np.int64)
    has: np.ndarray = at >= 0

    def picked(grid: np.ndarray, fill: Any) -> np.ndarray:
        return np.where(has[:, None], grid[at], fill)

    assessed = picked(diaries.assessed, False).astype(np.bool_)
    whole = Diaries(
        substance=diaries.substance,
        person=tuple(people),
        first_day=diaries.first_day,
        assessed=assessed,
        used=picked(diaries.used, False).astype(np.bool_) & assessed,
        amount=None if diaries.amount is None else picked(diaries.amount, np.nan),
        amount_unit=diaries.amount_unit,
        weekday_of_first_day=np.full(len(people), -1),
        group=("",) * len(people),
        origin=diaries.origin,
        source=diaries.source,
        day_zero=diaries.day_zero,
    )
    return data_of_diaries(whole, heavy_amount=heavy_amount)
