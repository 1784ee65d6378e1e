"""Standard medicines: which have a sourced contrast on use, and why the others have none."""

from dataclasses import dataclass

from remission.errors import SpecError
from remission.records.packaged import packaged_toml

__all__ = ["MedicineContrast", "list_medicines", "list_refusals", "load_medicine"]

_FILE = ("medicines", "medicines.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class MedicineContrast:
    """A sourced contrast of a medicine against placebo, which the daily model is made to show.

    measure
        ``odds-of-clean-day``: odds ratio of a day without use. ``ratio-of-never-used``: ratio of people without any
        use from day 0 on. ``odds-of-clean-window``: odds ratio of people without any use from ``first_day`` on.
        ``fewer-use-days-in-30``: days of use that are fewer, in 30.
    contrast, low, high
        The ratio or difference and its 95% interval, where one was read.
    first_day, days, clean_days
        First day that counts, days in all, and clean days before day 0. [day]
    self_quit
        Whether people stop by themselves on day 0.
    source_kind
        How it was read, as in the evidence registry.
    """

    name: str
    substance: str
    measure: str
    contrast: float
    days: int
    clean_days: int
    source: str
    source_kind: str
    grade: str
    note: str
    first_day: int = 0
    self_quit: bool = False
    low: float | None = None
    high: float | None = None


def list_medicines() -> tuple[tuple[str, str], ...]:
    """Medicine and substance of every sourced contrast, sorted.

    Examples
    --------
    >>> ("naltrexone", "alcohol") in list_medicines()
    True
    """
    return tuple(sorted((item["name"], item["substance"]) for item in packaged_toml(*_FILE)["medicine"]))


def list_refusals() -> tuple[tuple[str, str, str], ...]:
    """Medicine, substance and reason of every medicine whose contrasts the daily model cannot be held to.

    Examples
    --------
    >>> [name for name, substance, _ in list_refusals() if substance == "opioid"][:2]
    ['buprenorphine', 'methadone']
    """
    return tuple(sorted((item["name"], item["substance"], item["reason"]) for item in packaged_toml(*_FILE)["refused"]))


def load_medicine(name: str, *, substance: str) -> MedicineContrast:
    """The sourced contrast of a medicine for a substance.

    Raises SpecError: there is none; the message says why.

    Examples
    --------
    >>> load_medicine("naltrexone", substance="alcohol").contrast
    1.35
    """
    content = packaged_toml(*_FILE)
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
