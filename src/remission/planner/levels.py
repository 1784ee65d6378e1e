"""Levels: a person's own measured concentrations, and where each falls among the simulated people.

A level is read from a table (CSV) or from lines of a form: time since the start of the first dose, analyte, site, value
and unit; a value may be below the limit of quantification. Each is held beside the same analyte at the same site and
time in the people of the plan, and nothing is fitted, corrected or advised: where a level falls says how this model's
people spread, and never what to give.
"""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from remission.errors import SpecError, UnitsError
from remission.library.molecules import molar_mass_g_per_mol
from remission.planner.request import PlanRequest
from remission.planner.session import concentrations_at, offered_series
from remission.records.analyte import Analyte, SamplingSite
from remission.records.packaged import packaged_toml
from remission.records.typed import read_minutes, tidy
from remission.shapes import Float
from remission.units import minutes_to_hours, parse_quantity

_Kind = TypeVar("_Kind")
_MOST_LEVELS = 200
_LONGEST = 100_000
_LATEST_H = 24.0
# A level this many times the highest simulated one, or this small a part of the lowest, is more likely another unit.
_ODD = 20.0
_WORDS = packaged_toml("words", "levels.toml")
_ANALYTES = {word: Analyte(name) for name, words in _WORDS["analytes"].items() for word in words}
_SITES = {word: SamplingSite(name) for name, words in _WORDS["sites"].items() for word in words}
_BELOW = re.compile(r"(?:<|below|blq|lloq|under)\s*(?:lloq)?\s*(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredLevel:
    """One measured concentration.

    ``line``: where it stood, from 1. ``t_h``: since the start of the first dose. [h] ``value_ng_per_ml``: as measured,
    or the limit of quantification where ``is_below``. [ng/mL]
    """

    line: int
    t_h: float
    analyte: Analyte
    site: SamplingSite
    value_ng_per_ml: float
    is_below: bool
    typed: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedLevel:
    """A level among the simulated people.

    ``clock_h``: its time on the clock of the session, on which the first dose may start late. [h] ``low_ng_per_ml``,
    ``median_ng_per_ml``, ``high_ng_per_ml``: quantiles 5, 50 and 95% of the people at that time. [ng/mL] ``n_below``,
    ``n_people``: simulated people below the level (below the limit, where it is below quantification), of how many.
    ``note``: a doubt about the level, as a unit that would fit better; empty otherwise.
    """

    level: MeasuredLevel
    clock_h: float
    low_ng_per_ml: float
    median_ng_per_ml: float
    high_ng_per_ml: float
    n_below: int
    n_people: int
    note: str

    @property
    def percentile(self) -> float:
        """Share of the simulated people below. [0 to 100]"""
        return 100.0 * self.n_below / self.n_people

    @property
    def words(self) -> str:
        """Where the level falls, in words."""
        if self.level.is_below:
            return f"below quantification, as {self.n_below} of {self.n_people} simulated people"
        if self.n_below == 0:
            return f"below all {self.n_people} simulated people"
        if self.n_below == self.n_people:
            return f"above all {self.n_people} simulated people"
        inside = self.low_ng_per_ml <= self.level.value_ng_per_ml <= self.high_ng_per_ml
        return f"above {self.percentile:.0f} of 100 simulated people, {'inside' if inside else 'outside'} the 90% range"


def read_levels(text: str, *, where: str = "levels") -> tuple[MeasuredLevel, ...]:
    r"""Levels from a table with a header, or from lines ``90 min, ketamine, venous, 85 ng/mL``.

    ``text``: columns apart by commas, semicolons or tabs; with semicolons or tabs a decimal comma is read. A value may
    be ``<5`` or ``below 5`` for one below the limit of quantification. Raises SpecError: a line cannot be read: every
    fault with its line, what came, what is expected and what to do.

    >>> found = read_levels("90 min, ketamine, venous, 85 ng/mL")[0]
    >>> found.t_h, found.analyte.value, found.site.value, found.value_ng_per_ml
    (1.5, 'ket', 'venous', 85.0)
    >>> read_levels("time_h;analyte;site;value;unit\n1,5;S-ketamine;arterial;0,2;umol/L")[0].value_ng_per_ml
    47.546
    """
    rows = _rows(text, where)
    names, first_unit = _header(rows[0][1]) if rows else (None, "")
    if names is not None:
        rows = rows[1:]
    if not rows:
        raise SpecError(where=where, got="no level", allowed="a line a level: 90 min, ketamine, venous, 85 ng/mL")
    if len(rows) > _MOST_LEVELS:
        raise SpecError(where=where, got=f"{len(rows)} levels", allowed=f"at most {_MOST_LEVELS} of one person")
    found: list[MeasuredLevel] = []
    faults: list[SpecError] = []
    for number, cells in rows:
        try:
            found.append(_level(number, _named(cells, names, number, where), first_unit, where))
        except SpecError as error:
            faults.extend(error.faults)
    if faults:
        raise SpecError.from_faults(faults)
    return tuple(found)


def place_levels(
    request: PlanRequest, levels: Sequence[MeasuredLevel], *, where: str = "levels"
) -> tuple[PlacedLevel, ...]:
    """Each level beside the simulated people of a request, at its own time, analyte and site.

    Raises SpecError: a level stands before the first dose or after the session's clock, or the model has no such
    analyte or site.
    """
    start_h = min(one.start_h for one in request.infusions)
    offered = offered_series(request)
    faults: list[SpecError] = []
    for one in levels:
        place = f"{where}, line {one.line}"
        if one.t_h <= 0.0:
            faults.append(
                SpecError(
                    where=place, got=one.typed,
                    allowed="a time after the start of the first dose, above 0 min",
                    remedy="What is in blood before it is of an earlier dose, which this plan does not know: leave it "
                    "out, or plan the earlier dose as well.",
                )
            )  # fmt: skip
        elif start_h + one.t_h > _LATEST_H:
            faults.append(
                SpecError(
                    where=place, got=one.typed, allowed=f"a time of the session's clock, up to {_LATEST_H:g} h",
                    remedy="Minutes are taken for a bare number; write h behind hours.",
                )
            )  # fmt: skip
        elif (one.analyte, one.site) not in offered:
            known = ", ".join(f"{_word(analyte)} {site.value}" for analyte, site in offered)
            faults.append(
                SpecError(
                    where=place, got=f"{_word(one.analyte)}, {one.site.value}", allowed=f"one of: {known}",
                    remedy="Another site or analyte is another quantity, and no factor turns one into the other.",
                )
            )  # fmt: skip
    if faults:
        raise SpecError.from_faults(faults)
    times = sorted({start_h + one.t_h for one in levels})
    values = concentrations_at(
        request, np.array(times), series=list(dict.fromkeys((one.analyte, one.site) for one in levels))
    )
    return tuple(
        _placed(one, values[one.analyte, one.site][:, times.index(start_h + one.t_h)], start_h + one.t_h)
        for one in levels
    )


def _placed(level: MeasuredLevel, people: Float[np.ndarray, " subject"], clock_h: float) -> PlacedLevel:
    low, median, high = (float(one) for one in np.quantile(people, (0.05, 0.5, 0.95)))
    value = level.value_ng_per_ml
    note = ""
    if not level.is_below and (value > _ODD * people.max() or value * _ODD < people.min()):
        size = value / median if value > median else median / value
        note = f"{size:.0f} times {'above' if value > median else 'below'} the middle: is the unit right?"
    return PlacedLevel(
        level=level,
        clock_h=clock_h,
        low_ng_per_ml=low,
        median_ng_per_ml=median,
        high_ng_per_ml=high,
        n_below=int(np.count_nonzero(people < value)),
        n_people=int(people.size),
        note=note,
    )


def _rows(text: str, where: str) -> list[tuple[int, list[str]]]:
    """Lines with their numbers, cut at the separator of the table."""
    if len(text) > _LONGEST:
        raise SpecError(where=where, got=f"{len(text)} signs", allowed=f"a table of at most {_LONGEST} signs")
    if "\x00" in text:
        raise SpecError(
            where=where, got="a file that is not text", allowed="a table as text, with commas or semicolons"
        )
    lines = [
        (number, line)
        for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    if not lines:
        return []
    mark = next((one for one in ("\t", ";") if one in lines[0][1]), ",")
    found = []
    for number, line in lines:
        try:
            cells = next(csv.reader(io.StringIO(line), delimiter=mark))
        except (csv.Error, StopIteration) as error:
            raise SpecError(
                where=f"{where}, line {number}", got=line[:60], allowed=f"a line of a table ({error})"
            ) from None
        found.append((number, [one.strip() for one in cells]))
    return found


def _header(cells: list[str]) -> tuple[list[str] | None, str]:
    """Our names of the columns, and the unit of a bare time; None where the first line is a level already."""
    words = [re.sub(r"[\s\[\]()]+", " ", one).strip().lower() for one in cells]
    found = [next((name for name, also in _WORDS["columns"].items() if one in also), "") for one in words]
    if not {"time", "value"} <= set(found):
        return None, ""
    time = words[found.index("time")]
    return found, "h" if time in {"hours", "h", "time_h", "time h"} else "min"


def _named(cells: list[str], names: list[str] | None, number: int, where: str) -> dict[str, str]:
    if names is None:
        names = ["time", "analyte", "site", "value", "unit"][: max(len(cells), 4)]
        if len(cells) not in {4, 5}:
            raise SpecError(
                where=f"{where}, line {number}", got=", ".join(cells)[:80],
                allowed="time, analyte, site, value with its unit: 90 min, ketamine, venous, 85 ng/mL",
                remedy="A decimal comma needs semicolons between the columns.",
            )  # fmt: skip
    if len(cells) > len(names):
        raise SpecError(
            where=f"{where}, line {number}", got=f"{len(cells)} columns", allowed=f"{len(names)}, as in the header",
            remedy="A decimal comma needs semicolons between the columns.",
        )  # fmt: skip
    return {name: cell for name, cell in zip(names, cells, strict=False) if name}


def _level(number: int, row: dict[str, str], time_unit: str, where: str) -> MeasuredLevel:
    place = f"{where}, line {number}"
    analyte = _one_of(row.get("analyte", ""), _ANALYTES, place, "ketamine, S-ketamine, R-ketamine or S-norketamine")
    site = _one_of(
        row.get("site", ""), _SITES, place, "venous or arterial",
        "They differ by a third during an infusion: say where the blood was drawn.",
    )  # fmt: skip
    value, is_below = _value(row, analyte, place)
    return MeasuredLevel(
        line=number, t_h=_time_h(row.get("time", ""), time_unit, place), analyte=analyte, site=site,
        value_ng_per_ml=value, is_below=is_below, typed=row.get("time", ""),
    )  # fmt: skip


def _time_h(text: str, unit: str, place: str) -> float:
    is_bare = re.fullmatch(r"[+-]?[0-9.,]+", text) is not None
    return minutes_to_hours(read_minutes(f"{text} {unit}" if is_bare and unit == "h" else text, where=place))


def _value(row: dict[str, str], analyte: Analyte, place: str) -> tuple[float, bool]:
    text, unit = tidy(row.get("value", ""), where=place), row.get("unit", "").strip()
    if unit[:1].isdigit():
        raise SpecError(
            where=place, got=f"{text},{unit}", allowed="a number and a unit",
            remedy="A decimal comma needs semicolons between the columns, or write a point.",
        )  # fmt: skip
    below = _BELOW.fullmatch(text)
    number = below[1].strip() if below else text
    if below and not number:
        raise SpecError(
            where=place, got=text, allowed="the limit of quantification, as <5 ng/mL",
            remedy="Below which limit? Without it nothing can be held beside the people; leave the line out.",
        )  # fmt: skip
    if re.fullmatch(r"[+-]?[0-9.]+(e[+-]?[0-9]+)?", number, re.IGNORECASE) and unit:
        number = f"{number} {unit}"
    if not re.search(r"[A-Za-z]", re.sub(r"[0-9.][eE][+-]?[0-9]", "", number)):
        raise SpecError(
            where=place, got=text or "nothing", allowed="a concentration with its unit, as 85 ng/mL",
            remedy="Nothing stands in for a unit: 85 ng/mL and 85 nmol/L are five to one.",
        )  # fmt: skip
    try:
        value = parse_quantity(number, "ng/mL", where=place)
    except UnitsError as by_mass:
        try:
            micromolar = parse_quantity(number, "umol/L", where=place)
        except UnitsError:
            raise SpecError(
                where=place, got=number, allowed="a concentration such as 85 ng/mL, 85 ug/L or 0.36 umol/L",
                remedy=by_mass.remedy,
            ) from None  # fmt: skip
        value = micromolar * molar_mass_g_per_mol(analyte)
    if not 0.0 <= value < 1e6 or (value == 0.0):
        raise SpecError(
            where=place, got=number, allowed="a concentration above 0 and below 1 mg/mL",
            remedy="Nothing found is below the limit of quantification: write <5 ng/mL with that limit."
            if value == 0.0
            else "",
        )  # fmt: skip
    return value, below is not None


def _one_of(text: str, known: dict[str, _Kind], place: str, allowed: str, remedy: str = "") -> _Kind:
    found = known.get(" ".join(text.lower().split()))
    if found is None:
        raise SpecError(where=place, got=text or "nothing", allowed=allowed, remedy=remedy)
    return found


def _word(analyte: Analyte) -> str:
    return {Analyte.KET: "ketamine", Analyte.S_KET: "S-ketamine", Analyte.R_KET: "R-ketamine"}.get(
        analyte, "S-norketamine"
    )
