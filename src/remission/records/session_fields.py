"""What a plan is asked: one table for the command line, the page's form and the Python door."""

from types import MappingProxyType
from typing import Any, Final

from pydantic import Field

from remission.records.base import Record
from remission.records.packaged import packaged_toml


class SessionField(Record):
    """A row of ``library/session-fields.toml``, which says what each column is; ``hint`` is None for the help."""

    name: str
    kind: str = ""
    record: str = ""
    unit: str = ""
    units: dict[str, float] | None = None
    what: str = "a number"
    words: tuple[str, ...] = ()
    low: int | float | None = None
    high: int | float | None = None
    above: float | None = None
    default: str = ""
    help: str = ""
    is_many: bool = False
    option: int = 0
    label: str = ""
    hint: str | None = None
    nothing: str = ""
    choices: tuple[tuple[str, str], ...] = ()
    example: str = ""
    mode: str = "decimal"
    size: int = 8
    longest: int = 60
    most: int = 12


FORM_FIELDS: Final = MappingProxyType(
    {name: SessionField.from_dict({"name": name, **row}) for name, row in packaged_toml("session-fields.toml").items()}
)
"""Every field of the page by its name, in the order of its address."""

SESSION_FIELDS: Final = MappingProxyType({name: one for name, one in FORM_FIELDS.items() if one.option})
"""Fields of a plan: what the command, the door and the reader take."""


def within(name: str) -> Any:
    """The limits of a field, for the record that holds its value."""
    one = SESSION_FIELDS[name]
    return Field(gt=one.above, ge=one.low, le=one.high)
