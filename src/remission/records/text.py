"""Text types of the records: names that identify, and lines that people read."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from remission.errors import SpecError


def _one_line(value: Any) -> Any:
    """Text on one line: a label goes into tables and figures, and a file may fold it over several lines."""
    return " ".join(value.split()) if isinstance(value, str) else value


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    again = [name for index, name in enumerate(names) if name in names[:index]]
    if again:
        raise SpecError(
            where="value", got=f"{again[0]} again", allowed="each name once",
            remedy="Remove one; a name that counts twice would change the analysis or nothing.",
        )  # fmt: skip
    return names


EachOnce = AfterValidator(_each_once)
"""For a list of names, each of which is said once."""

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
