"""What a plan is asked: one table, ``session_fields.toml``, for the command, the page's form and the Python door."""

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from types import MappingProxyType
from typing import Any, Final

from pydantic import Field

__all__ = ["FORM_FIELDS", "SESSION_FIELDS", "SessionField", "within"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionField:
    """One row of the table, whose head says what each column is; ``hint`` is None where the help is shown."""

    name: str
    kind: str = ""
    record: str = ""
    unit: str = ""
    units: dict[str, float] = field(default_factory=dict)
    what: str = "a number"
    words: list[str] = field(default_factory=list)
    low: float | None = None
    high: float | None = None
    above: float | None = None
    default: str = ""
    help: str = ""
    is_many: bool = False
    option: int = 0
    label: str = ""
    hint: str | None = None
    nothing: str = ""
    choices: list[list[str]] = field(default_factory=list)
    example: str = ""
    mode: str = "decimal"
    size: int = 8
    longest: int = 60
    most: int = 12


FORM_FIELDS: Final = MappingProxyType(
    {
        row["name"]: SessionField(**row)
        for row in tomllib.loads(
            files("remission.records").joinpath("session_fields.toml").read_text(encoding="utf-8")
        )["field"]
    }
)
"""Every field of the page by its name, in the order of its address."""

SESSION_FIELDS: Final = MappingProxyType({name: one for name, one in FORM_FIELDS.items() if one.option})
"""Fields of a plan: what the command, the door and the reader take."""


def within(name: str) -> Any:
    """The limits of a field, for the record that holds its value."""
    one = SESSION_FIELDS[name]
    return Field(gt=one.above, ge=one.low, le=one.high)
