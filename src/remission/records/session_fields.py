"""What a plan is asked: the name, unit and help of every field, once for the command line and for the page."""

from typing import Final

from remission.records.base import Record
from remission.records.packaged import packaged_rows

__all__ = ["SESSION_FIELDS", "SessionField"]


class SessionField(Record):
    """One field: a row of ``library/session-fields.toml``, which says what its columns mean."""

    unit: str = ""
    help: str
    is_many: bool = False


SESSION_FIELDS: Final = packaged_rows(SessionField, "session-fields.toml")
"""Every field by its name, in the order of the form."""
