"""How the free texts of the evidence are grouped: substance, role, design, endpoint, comparison, time band.

The grouping is data, ``library/evidence-classes.toml``; it is our reading of the sources' words, and every text of the
registry stands in it (a test). A text that is missing there is an error, never a silent "other".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from remission.errors import LibraryError
from remission.records.packaged import packaged_toml

_FILE = "evidence-classes.toml"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointClass:
    """Endpoints that ask the same question in the same direction."""

    id: str
    label: str
    better: Literal["higher", "lower", "neither"]
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A statistic that can be combined, and the scale on which its estimate is taken as normal."""

    label: str
    scale: Literal["identity", "log"]


def min_contrasts() -> int:
    """Fewest comparable contrasts that are pooled."""
    return int(packaged_toml(_FILE)["min_contrasts"])


def substances_of(text: str) -> tuple[str, ...]:
    """Substances that a record's substance text is found under. Raises LibraryError: the text is not grouped."""
    return tuple(_lookup("substance", text))


def role_of(text: str) -> str:
    """First words of a role text, without what it adds. Raises LibraryError: the text is not grouped."""
    for word in packaged_toml(_FILE)["role"]["words"]:
        if text.startswith(word):
            return str(word)
    raise _missing("role", text)


def design_of(study_id: str) -> str:
    """Design of a record: randomized, crossover, controlled-not-randomized, uncontrolled, review, ...

    Raises LibraryError: the record is not grouped.
    """
    for name, ids in packaged_toml(_FILE)["design"].items():
        if study_id in ids:
            return str(name)
    raise _missing("design", study_id)


@cache
def endpoint_classes() -> Mapping[str, EndpointClass]:
    """The classes of endpoints by id."""
    return MappingProxyType(
        {
            name: EndpointClass(id=name, label=entry["label"], better=entry["better"], texts=tuple(entry["texts"]))
            for name, entry in packaged_toml(_FILE)["endpoint"].items()
        }
    )


def endpoint_of(text: str) -> EndpointClass:
    """The class of an endpoint text. Raises LibraryError: the text is not grouped."""
    for found in endpoint_classes().values():
        if text in found.texts:
            return found
    raise _missing("endpoint", text)


def measure_of(statistic: str) -> Measure | None:
    """The measure of a statistic text; None for one that cannot be combined."""
    entry = packaged_toml(_FILE)["measure"].get(statistic)
    return None if entry is None else Measure(label=entry["label"], scale=entry["scale"])


def is_percent(*, statistic: str, endpoint: str) -> bool:
    """Whether a number of one arm is a percentage, 0 to 100."""
    entry = packaged_toml(_FILE)["percent"]
    return statistic in entry["statistics"] or endpoint in entry["endpoints"]


def is_difference(statistic: str) -> bool:
    """Whether a statistic is a difference between arms, so that 0 is no effect."""
    measure = measure_of(statistic)
    return statistic in packaged_toml(_FILE)["difference"]["statistics"] or (
        measure is not None and measure.scale == "identity"
    )


def comparison_of(arm_or_contrast: str) -> str | None:
    """What a contrast compares; None for a single arm."""
    found = packaged_toml(_FILE)["comparison"].get(arm_or_contrast)
    return None if found is None else str(found)


def time_band_of(time_days: float | None) -> str | None:
    """The band of follow-up a day of the trial falls into; None where no day is given. [day]"""
    if time_days is None:
        return None
    return next(str(band["label"]) for band in packaged_toml(_FILE)["time_band"] if time_days <= band["last_day"])


def declared_conflicts() -> tuple[Mapping[str, Any], ...]:
    """The conflicts as the file lists them."""
    return tuple(packaged_toml(_FILE)["conflict"])


def declared_verdicts() -> tuple[Mapping[str, Any], ...]:
    """The results in words as the file lists them."""
    return tuple(packaged_toml(_FILE)["verdict"])


def _lookup(table: str, text: str) -> Any:
    found = packaged_toml(_FILE)[table].get(text)
    if found is None:
        raise _missing(table, text)
    return found


def _missing(table: str, text: str) -> LibraryError:
    return LibraryError(where=f"library/{_FILE}, {table}", got=text, allowed="a text that is listed there")
