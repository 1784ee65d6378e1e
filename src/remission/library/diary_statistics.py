"""What real diaries look like in numbers, with standard errors: data for calibration.

One TOML file each in ``diaries/``, written by ``python -m validation.realism``; the file names its version, its source,
the window of days and the code that made it.
"""

from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, StringConstraints

from remission.errors import LibraryError
from remission.records.base import Record
from remission.records.packaged import read_library_toml
from remission.records.parameter import Grade, SourceKey
from remission.records.substance import Substance

__all__ = ["DiaryStatistic", "DiaryStatistics", "load_diary_statistics"]


class DiaryStatistic(Record):
    """One number with its standard error and 95% limits over people, in the unit of its definition."""

    value: float
    standard_error: Annotated[float, Field(ge=0.0)]
    low: float
    high: float


class DiaryStatistics(Record):
    """The statistics of one substance in one source, over ``n_days`` from ``first_day`` since the start.

    ``definitions`` say how each number is computed, by the names of ``statistics``.
    """

    version: int
    source: SourceKey
    grade: Grade
    code: str
    population: str
    first_day: int
    n_days: Annotated[int, Field(ge=1)]
    substance: Substance
    name_in_source: Annotated[str, StringConstraints(min_length=1)]
    n_people: Annotated[int, Field(ge=2)]
    n_with_use_before: Annotated[int, Field(ge=2)]
    definitions: dict[str, str]
    statistics: dict[str, DiaryStatistic]


@cache
def load_diary_statistics(substance: Substance, *, source: str = "ctn0094") -> DiaryStatistics:
    """The statistics of one substance.

    Raises LibraryError: no file of that source, or none for the substance.

    Examples
    --------
    >>> found = load_diary_statistics(Substance.ALCOHOL)
    >>> found.n_people, round(found.statistics["lag_7"].value, 2)
    (544, 0.24)
    """
    folder = files("remission.library").joinpath("diaries")
    known = sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))
    if source not in known:
        raise LibraryError(where="library/diaries", got=source, allowed=", ".join(known))
    content = read_library_toml(folder / f"{source}.toml")
    parts = content.pop("substance")
    name = Substance(substance).value
    if name not in parts:
        raise LibraryError(where=f"diaries/{source}", got=name, allowed=", ".join(parts))
    numbers = parts[name]
    about = {key: numbers.pop(key) for key in ("name_in_source", "n_people", "n_with_use_before")}
    return DiaryStatistics(substance=Substance(name), statistics=numbers, **about, **content)
