"""A clinic file of any kind: which kind it is, what it holds, and the demonstration set."""

import csv
import re
from datetime import date
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Literal

from remission.clinics.clinic import Clinic
from remission.clinics.nppes import read_nppes
from remission.clinics.operator_csv import read_operator_csv
from remission.clinics.reading import Reading, is_zip
from remission.clinics.samhsa import is_findtreatment, read_findtreatment
from remission.errors import SpecError
from remission.files import refuse_pipes

Format = Literal["auto", "csv", "findtreatment", "nppes"]
FORMATS: tuple[Format, ...] = ("auto", "csv", "findtreatment", "nppes")


def read_clinics(path: Path, *, file_format: Format = "auto", source_date: date | None = None, today: date) -> Reading:
    """Read a file without changing anything.

    ``path``: operators' CSV, FindTreatment.gov JSON or CSV, NPPES CSV or zip. ``file_format``: ``auto`` tells them
    apart by what they begin with. ``source_date``: day of a public file; None for the day in its name, else the day on
    which the file was written. ``today``: day after which a date is in the future. Raises SpecError: no such file, or
    it cannot be read as that format.
    """
    refuse_pipes(path, allowed="a file of clinics")
    if not path.is_file():
        raise SpecError(where=str(path), got="no such file", allowed="a file of clinics")
    try:
        kind = _kind_of(path) if file_format == "auto" else file_format
        if kind == "csv":
            return read_operator_csv(path, today=today)
        day = source_date or _day_of(path)
        if day > today:
            raise SpecError(where="--source-date", got=day.isoformat(), allowed=f"a day not after {today.isoformat()}")
        if kind == "findtreatment":
            return read_findtreatment(path, source_date=day)
        return read_nppes(path, source_date=day)
    except OSError as error:
        raise SpecError(
            where=str(path), got=error.strerror or "unreadable", allowed="a file that can be read"
        ) from None


def _kind_of(path: Path) -> Format:
    if is_zip(path):
        return "nppes"
    with path.open("rb") as file:
        start = file.read(200_000).decode("utf-8-sig", errors="replace").lstrip()
    if start[:1] in {"{", "["}:
        return "findtreatment"
    try:
        header = {cell.strip().casefold() for cell in next(csv.reader(start.splitlines()), [])}
    except csv.Error:
        header = set()
    if "npi" in header and "entity type code" in header:
        return "nppes"
    return "findtreatment" if is_findtreatment(header) else "csv"


def _day_of(path: Path) -> date:
    # The last one: names of NPPES files carry the first and the last day of a span.
    for year, month, day in reversed(re.findall(r"(20\d\d)[_-]?(\d\d)[_-]?(\d\d)", path.name)):
        try:
            return date(int(year), int(month), int(day))
        except ValueError:
            continue
    return date.fromtimestamp(path.stat().st_mtime)  # noqa: DTZ012 - the operator's own calendar day


@cache
def load_demonstration() -> tuple[Clinic, ...]:
    """The invented clinics that show how the pages look; no such place exists."""
    source = files("remission.library").joinpath("clinics", "demonstration.csv")
    with as_file(source) as path:
        reading = read_operator_csv(path, today=date.max)
    return tuple(clinic.model_copy(update={"dataset": "demonstration"}) for clinic in reading.clinics)
