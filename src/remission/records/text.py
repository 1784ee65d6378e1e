"""Text types of the records: names that identify, and lines that people read."""

from typing import Annotated, Any

from pydantic import BeforeValidator, StringConstraints

__all__ = ["Label", "Note", "Sentence", "Slug", "Title"]


def _one_line(value: Any) -> Any:
    """Text on one line: a label goes into tables and figures, and a file may fold it over several lines."""
    return " ".join(value.split()) if isinstance(value, str) else value


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
"""A name that other parts refer to: a-z, 0-9, ``-`` and ``_``."""

Label = Annotated[str, BeforeValidator(_one_line), StringConstraints(min_length=1, max_length=80)]
"""A short name for people, in tables and figures."""

Title = Annotated[str, BeforeValidator(_one_line), StringConstraints(min_length=1, max_length=300)]
"""The title of a trial."""

Sentence = Annotated[str, BeforeValidator(_one_line), StringConstraints(min_length=1, max_length=600)]
"""A sentence or two."""

Note = Annotated[str, BeforeValidator(_one_line), StringConstraints(max_length=600)]
"""A sentence or two, or nothing."""
