"""Sentences of the library in another language: the same rule and the same numbers, word for word from a book.

The library writes English. ``text/<language>/retold.toml`` has each of its sentences, or the form of one: ``{n}``,
``{n1}`` are numbers, ``{w}`` a name and ``{l}`` a list of names, which stay as they are; any other slot is text that
stands in the book too.
So a number cannot differ. A sentence of which a word is not in the book stays English; tests hold that none is.
"""

import re
from collections.abc import Iterator
from functools import cache

from remission.web.language import load_text

_SLOT = re.compile(r"\{(\w+)\}")
_KINDS = {"n": r"[-\u2212+]?\d[\d.,]*(?:e[-+]?\d+)?|\d+%", "w": r"[^\s,;()]+", "l": r"[\w-]+(?:, [\w-]+)*"}
_Form = tuple[re.Pattern[str], str]


def retold(text: str, language: str) -> str:
    """A sentence in a language; itself in English, or where the book does not have it.

    Examples
    --------
    >>> retold("Ketamine into a vein: infusion 1: 0.5 mg/kg over 40 min on day 0.", "es")
    'Ketamina en una vena: infusión 1: 0.5 mg/kg en 40 min el día 0.'
    """
    return text if language == "en" else _retold(text, language) or text


@cache
def _retold(text: str, language: str) -> str | None:
    if not re.search(r"[^\W\d_]{2}", text):
        return text
    plain, forms = _book(language)
    if text in plain:
        return plain[text]
    if text[0].islower() and text.capitalize() in plain:
        said = plain[text.capitalize()]
        return said[0].lower() + said[1:]
    return next(_filled(text, forms, language), None)


def _filled(text: str, forms: tuple[_Form, ...], language: str) -> Iterator[str]:
    for pattern, form in forms:
        found = pattern.fullmatch(text)
        if found is not None:
            parts = {
                name: part if _kind(name) in _KINDS.values() else _retold(part, language)
                for name, part in found.groupdict().items()
            }
            if None not in parts.values():
                yield _SLOT.sub(lambda slot: str(parts[slot[1]]), form)  # noqa: B023 - used at once


@cache
def _book(language: str) -> tuple[dict[str, str], tuple[_Form, ...]]:
    """Whole sentences by their English, and forms in the order of the book."""
    said: dict[str, str] = dict(load_text(language, "retold"))
    forms = {english: other for english, other in said.items() if _SLOT.search(english)}
    plain = {english: other for english, other in said.items() if english not in forms}
    return plain, tuple((_pattern(english), other) for english, other in forms.items())


def _pattern(form: str) -> re.Pattern[str]:
    """What a form matches; a slot that is no number and no name holds as little as it can."""
    parts = _SLOT.split(form)
    slots = [f"(?P<{name}>{_kind(name)})" for name in parts[1::2]]
    words = [re.escape(part) for part in parts[::2]]
    return re.compile("".join(part for pair in zip(words, [*slots, ""], strict=True) for part in pair))


def _kind(name: str) -> str:
    kind = name.rstrip("0123456789")
    return _KINDS.get(kind, ".+?")
