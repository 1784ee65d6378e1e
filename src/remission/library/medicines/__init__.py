"""Standard medicines: which have a sourced contrast on use, and why the others have none."""

from remission.errors import SpecError
from remission.records.packaged import packaged_toml
from remission.records.sourced_contrast import SourcedContrast

__all__ = ["list_medicines", "list_refusals", "load_medicine"]

_FILE = ("medicines", "medicines.toml")


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


def load_medicine(name: str, *, substance: str) -> SourcedContrast:
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
            return SourcedContrast(**item)
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
