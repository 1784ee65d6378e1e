"""Standard medicines: which have a sourced contrast on use, and why the others have none."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from remission.errors import SpecError
from remission.library.loader import read_library_toml

__all__ = ["MedicineContrast", "list_medicines", "load_medicine"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicineContrast:
    """A sourced contrast of a medicine against placebo, which the daily model is made to show.

    measure
        ``odds-of-clean-day``: odds ratio of a day without use. ``ratio-of-never-used``: ratio of people without any
        use from day 0 on.
    contrast, low, high
        The ratio and its 95% interval, where one was read.
    days, clean_days
        Days it is counted over, and clean days before them. [day]
    """

    name: str
    substance: str
    measure: str
    contrast: float
    days: int
    clean_days: int
    source: str
    grade: str
    note: str
    low: float | None = None
    high: float | None = None


def list_medicines() -> tuple[tuple[str, str], ...]:
    """Medicine and substance of every sourced contrast, sorted.

    Examples
    --------
    >>> ("naltrexone", "alcohol") in list_medicines()
    True
    """
    return tuple(sorted((item["name"], item["substance"]) for item in _content()["medicine"]))


def load_medicine(name: str, *, substance: str) -> MedicineContrast:
    """The sourced contrast of a medicine for a substance.

    Raises
    ------
    SpecError
        There is none; the message says why.

    Examples
    --------
    >>> load_medicine("naltrexone", substance="alcohol").contrast
    1.35
    """
    content = _content()
    for item in content["medicine"]:
        if (item["name"], item["substance"]) == (name, substance):
            return MedicineContrast(**item)
    known = [medicine for medicine, other in list_medicines() if other == substance]
    reason = next(
        (item["reason"] for item in content["refused"] if (item["name"], item["substance"]) == (name, substance)),
        f"no contrast of it on {substance} use was read",
    )
    raise SpecError(
        where="medicine",
        got=name,
        allowed=f"a medicine with a sourced effect on {substance} use: {', '.join(known) or 'none'}",
        remedy=f"Leave {name} out: {reason}.",
    )


@cache
def _content() -> dict[str, Any]:
    return read_library_toml(files("remission.library").joinpath("medicines", "medicines.toml"))
