"""References by key: what stands behind the numbers of the library.

``references.bib`` is BibTeX, one ``field = {value}`` a line; this reader knows that form and refuses any other line.
"""

import re
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from remission.errors import LibraryError, check_known
from remission.records.parameter import ParameterSet

_ENTRY = re.compile(r"@(?P<kind>[a-z]+)\{(?P<key>[a-z0-9][a-z0-9_-]*),")
_FIELD = re.compile(r"(?P<name>[a-z]+) = \{(?P<value>.*)\},")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One entry of ``references.bib``. ``note`` says what of it was read."""

    key: str
    kind: str
    title: str
    author: str = ""
    journal: str = ""
    volume: str = ""
    number: str = ""
    pages: str = ""
    year: str = ""
    doi: str = ""
    url: str = ""
    note: str = ""

    @property
    def text(self) -> str:
        """One line for a list of sources: who, when, what, where."""
        who = self.author.replace(" and others", " et al.").replace(" and ", ", ")
        head = " ".join(part for part in (who, f"({self.year})" if self.year else "") if part)
        numbers = f"{self.volume}{f'({self.number})' if self.number else ''}{f':{self.pages}' if self.pages else ''}"
        where = " ".join(part for part in (self.journal, numbers) if part)
        link = f"https://doi.org/{self.doi}" if self.doi else self.url
        sentences = [part.rstrip(".") for part in (head, self.title, where) if part]
        return ". ".join([*sentences, link] if link else sentences).replace("\\_", "_") + ("" if link else ".")


def list_references() -> tuple[str, ...]:
    """Keys of all references, sorted."""
    return tuple(sorted(_references()))


def load_reference(key: str) -> Reference:
    """The reference with that key.

    Raises LibraryError: there is none; the message names the nearest.
    """
    known = _references()
    check_known(key, known, where="references.bib", error=LibraryError)
    return known[key]


def sources_of(*parameter_sets: ParameterSet) -> tuple[Reference, ...]:
    """The references behind some parameter sets, each once, sorted by key; assumptions of the project are left out."""
    keys = {parameter.source for parameter_set in parameter_sets for parameter in parameter_set.parameters}
    return tuple(load_reference(key) for key in sorted(keys - {"remission"}))


@cache
def _references() -> MappingProxyType[str, Reference]:
    text = (files("remission.library") / "references.bib").read_text(encoding="utf-8")
    found: dict[str, Reference] = {}
    kind, key = "", ""
    fields: dict[str, str] = {}
    for number, whole in enumerate(text.splitlines(), start=1):
        line = whole.strip()
        if not line or line.startswith("%"):
            continue
        entry, field = _ENTRY.fullmatch(line), _FIELD.fullmatch(line)
        if entry and not key:
            kind, key, fields = entry["kind"], entry["key"], {}
        elif field and key and field["name"] in Reference.__dataclass_fields__ and field["name"] not in fields:
            fields[field["name"]] = field["value"]
        elif line == "}" and key and "title" in fields and key not in found:
            found[key] = Reference(key=key, kind=kind, **fields)
            key = ""
        else:
            raise LibraryError(
                where=f"library/references.bib, line {number}",
                got=line,
                allowed="'@kind{key,', then 'field = {value},' lines with a title, then '}', each key once",
            )
    return MappingProxyType(found)
