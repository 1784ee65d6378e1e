"""Depression and anxiety beside use: how common, how often together, and which contrast on use was read.

The tables are ``library/package/comorbidity-2026.toml`` (numbers with grades) and ``library/package/comorbidity.toml``.
"""

from collections.abc import Iterator
from dataclasses import fields
from typing import Annotated, Any, Final

from pydantic import BeforeValidator

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.records.parameter import ParameterSet
from remission.records.quantity import Fraction
from remission.records.sourced_contrast import SourcedContrast
from remission.units import parse_quantity

CONDITIONS: Final = ("depression", "anxiety")
"""Conditions in the order in which they are drawn."""

_TABLE = packaged_toml("package", "comorbidity.toml")
_FIELDS = {field.name for field in fields(SourcedContrast)}


def _as_block(value: Any) -> Any:
    """A share alone is the prevalence."""
    return {"prevalence": value} if isinstance(value, int | float | str) and not isinstance(value, bool) else value


def _within(value: Any) -> Any:
    """A share of people outside 0 to 1, with what was probably meant."""
    share = parse_quantity(value, "1") if isinstance(value, str) else value
    if isinstance(share, int | float) and not isinstance(share, bool) and not 0.0 <= share <= 1.0:
        raise SpecError(
            where="value", got=value, allowed="a share of the people, from 0 to 1",
            remedy="30 of 100 people are 0.3, or '30 %'.",
        )  # fmt: skip
    return value


class Condition(Record):
    """How common a condition is at entry, and how much of what was read of it acts on use.

    ``prevalence`` may be left out where one was measured; left out, ``effect_share`` is the
    library's weight: 0, because it is contested.
    """

    prevalence: Annotated[Fraction | None, BeforeValidator(_within)] = None
    effect_share: Fraction | None = None


class Comorbidity(Record):
    """Depression and anxiety of the people; what is left out is as measured, or unknown."""

    depression: Annotated[
        Condition | None, BeforeValidator(_as_block, json_schema_input_type=Condition | Fraction | None)
    ] = None
    anxiety: Annotated[
        Condition | None, BeforeValidator(_as_block, json_schema_input_type=Condition | Fraction | None)
    ] = None

    def _faults(self) -> Iterator[SpecError]:
        if self.depression is None and self.anxiety is None:
            yield SpecError(
                where="depression", got="nothing", allowed="depression, anxiety or both",
                remedy="Leave comorbidity out, or state one.",
            )  # fmt: skip


def comorbidity_numbers() -> ParameterSet:
    """Prevalences, the odds ratio of both, and default weights, each with its grade."""
    return ParameterSet.from_dict(packaged_toml("package", "comorbidity-2026.toml"))


_NUMBERS: Final = comorbidity_numbers()


def measured_prevalence(condition: str, *, substance: str) -> float | None:
    """The measured prevalence of a condition, or None where none was read. [share]

    Examples
    --------
    >>> measured_prevalence("anxiety", substance="opioid"), measured_prevalence("anxiety", substance="alcohol")
    (0.3458, None)
    """
    found = _NUMBERS.get(f"prevalence_{condition}.{substance}")
    return None if found is None else found.value


def default_weight(condition: str) -> float:
    """The share of what was read of a condition on use that acts where a protocol does not say. [share]"""
    return _NUMBERS.value(f"weight_{condition}")


def condition_contrast(condition: str, *, substance: str) -> SourcedContrast | None:
    """The contrast on use of a condition that was read as a number, or None."""
    for row in _TABLE["effect"]:
        if row["condition"] == condition and substance in row["substances"]:
            values = {key: value for key, value in row.items() if key in _FIELDS}
            return SourcedContrast(name=condition, substance=substance, **values)
    return None


def why_unread(condition: str) -> str:
    """Why nothing of a condition can act on use where no contrast was read."""
    return str(_TABLE["unread"][condition])


def conflicting_records(condition: str) -> tuple[str, ...]:
    """Ids of records that disagree on what a condition does to use."""
    return tuple(_TABLE["conflict"][condition])
