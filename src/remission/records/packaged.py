"""Data files of the package's library: plain data, tables whose rows are records, and the records of evidence."""

import json
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

import tomli

from remission.errors import LibraryError, SpecError
from remission.records.base import Record

if TYPE_CHECKING:
    from remission.records.evidence import StudyRecord

_R = TypeVar("_R", bound=Record)


def read_library_toml(resource: Traversable) -> dict[str, Any]:
    """The content of one TOML file; a LibraryError where it cannot be read or is not valid TOML."""
    try:
        return tomli.loads(resource.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomli.TOMLDecodeError) as error:
        raise _damaged(resource.name, error, "TOML") from None


def read_library_json(name: str) -> Any:
    """The content of one JSON file of the library; a LibraryError where it cannot be read or is not valid JSON."""
    try:
        return json.loads(files("remission.library").joinpath(name).read_bytes())
    except (OSError, ValueError) as error:
        raise _damaged(name, error, "JSON") from None


def _damaged(name: str, error: Exception, form: str) -> LibraryError:
    return LibraryError(
        where=f"library/{name}", got=str(error), allowed=f"a readable {form} file",
        remedy="Install the package again; a file of its library is damaged.",
    )  # fmt: skip


@cache
def packaged_toml(*place: str) -> dict[str, Any]:
    """The content of a TOML file of the library, read once; nobody changes it."""
    return read_library_toml(files("remission.library").joinpath(*place))


def packaged_rows(kind: type[_R], *place: str) -> Mapping[str, _R]:
    """The tables of a TOML file of the library as records by name, in the order of the file."""
    return MappingProxyType({name: kind.from_dict(row) for name, row in packaged_toml(*place).items()})


@cache
def verdict_words() -> Mapping[tuple[str, str, str, str], str]:
    """What records say without a number: by record, arm or contrast, endpoint and statistic."""
    rows = packaged_toml("evidence-classes.toml")["verdict"]
    return MappingProxyType({tuple(row["statement"]): row["says"] for row in rows if "statement" in row})


def packaged_records(kind: type[_R], name: str) -> Iterator[_R]:
    """The records of a JSON file of the library, in its order; a LibraryError where one does not fit its type."""
    for item in read_library_json(name):
        try:
            yield kind.from_dict(item)
        except SpecError as error:
            where, allowed = f"library/{name}, {item.get('id')}", "a record that fits its type"
            raise LibraryError(where=where, got=str(error), allowed=allowed) from error


@cache
def evidence_records() -> "Mapping[str, StudyRecord]":
    """Every trial, review and natural-history source of ``evidence.json`` by id, in its order."""
    from remission.records.evidence import StudyRecord

    return MappingProxyType({record.id: record for record in packaged_records(StudyRecord, "evidence.json")})
