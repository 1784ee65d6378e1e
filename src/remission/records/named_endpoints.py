"""The fields of named endpoints, so that a protocol can say a definition by its name.

The catalogue itself, with its citations, is ``remission.library.endpoints``; here only its files of data are read:
the common definitions, and packs of those of one field.
"""

from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from remission.records.packaged import packaged_toml

CATALOGUE_ONLY = ("id", "variable", "group", "citation", "grade", "source_note", "ctnote")
"""Keys of a catalogue entry that are about the definition and no fields of an endpoint."""


@cache
def named_endpoint_tables() -> MappingProxyType[str, dict[str, Any]]:
    """The catalogue's entries as they stand in its file and in its packs, by id."""
    packs = sorted(pack.name for pack in files("remission.library").joinpath("endpoint_packs").iterdir())
    places = [("endpoints.toml",), *(("endpoint_packs", name) for name in packs)]
    return MappingProxyType({entry["id"]: entry for place in places for entry in packaged_toml(*place)["endpoint"]})


def named_endpoint_ids() -> tuple[str, ...]:
    """Ids of the catalogue, in its order."""
    return tuple(named_endpoint_tables())


def named_endpoint_fields(name: str) -> dict[str, Any]:
    """Fields of an endpoint that a definition fixes, its label among them."""
    return {key: value for key, value in named_endpoint_tables()[name].items() if key not in CATALOGUE_ONLY}
