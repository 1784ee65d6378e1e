"""Every text in a nest of lists and dictionaries, as records of pages and files of words are."""

from collections.abc import Iterator
from typing import Any

__all__ = ["strings_of"]


def strings_of(content: Any) -> Iterator[str]:
    """Texts in order; numbers and nothing are left out."""
    if isinstance(content, str):
        yield content
    elif isinstance(content, dict):
        for value in content.values():
            yield from strings_of(value)
    elif isinstance(content, list | tuple):
        for value in content:
            yield from strings_of(value)
