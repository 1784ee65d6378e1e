"""The substances the program knows: one table (``library/substances.toml``, which says what its columns mean)."""

from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import Field

from remission.records.base import Record
from remission.records.packaged import packaged_rows

_When: TypeAlias = Literal["stopping", "self_quit", "ketamine", "medicine", "amounts"]


class SubstanceFacts(Record):
    """What is true of a substance: a row of the table."""

    name: str = ""
    disorder: str
    treatments: str
    has_medicine: bool
    amount_units: tuple[str, ...] = ()
    has_heavy: bool = False
    prior_only: bool
    cautions: Annotated[dict[_When, str], Field(default_factory=dict)]


SUBSTANCES: Final = packaged_rows(SubstanceFacts, "substances.toml")


class Substance(StrEnum):
    """A substance the program knows."""

    _ignore_ = "members substance"
    members = vars()
    for substance in SUBSTANCES:
        members[substance.upper()] = substance

    @property
    def facts(self) -> SubstanceFacts:
        """Its row of the table."""
        return SUBSTANCES[self.value]

    @property
    def plural(self) -> str:
        """What it is called in a sentence about its values."""
        return self.facts.name or self.value
