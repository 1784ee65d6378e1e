"""Parameter sets by name: one TOML file each, somewhere below this folder.

A file is a parameter set when it has a ``parameters`` table; its name without the ending is the name of the set. A set
may take in others whole: ``includes`` names them, and no number may stand in two of them. ``over`` names a set whose
numbers it takes where it has none of its own.
"""

import re
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from types import MappingProxyType
from typing import Any

from remission.errors import LibraryError, SpecError, check_known
from remission.records.packaged import read_library_toml
from remission.records.parameter import ParameterSet

__all__ = ["damaged", "list_parameter_sets", "load_parameter_set", "read_library_toml"]

_REMEDY = "Install the package again; a file of its library is damaged."


def damaged(name: str, error: Exception, allowed: str, remedy: str = _REMEDY) -> LibraryError:
    """What is said of a file of the library that cannot be read or is not what it should be."""
    return LibraryError(where=f"library/{name}", got=str(error), allowed=allowed, remedy=remedy)


def list_parameter_sets() -> tuple[str, ...]:
    """Names of the parameter sets of the library, sorted.

    Examples
    --------
    >>> "simons2022" in list_parameter_sets()
    True
    """
    return tuple(sorted(_files()))


@cache
def parameter_sets_with(attribute: str) -> tuple[str, ...]:
    """Names of the parameter sets that have an attribute, sorted; those that have none are not parsed."""
    says = re.compile(rf"\b{re.escape(attribute)}\b")
    named = [name for name, place in sorted(_files().items()) if says.search(_text(place))]
    return tuple(name for name in named if attribute in load_parameter_set(name).attributes)


@cache
def load_parameter_set(name: str) -> ParameterSet:
    """The parameter set of that name.

    Raises
    ------
    LibraryError
        No set has that name (the message lists the nearest), or its file is damaged.

    Examples
    --------
    >>> clearance = load_parameter_set("simons2022")["cl_l_per_h"]
    >>> clearance.value, clearance.unit, clearance.printed_value, clearance.printed_unit
    (88.8, 'L/h', 1.48, 'L/min')
    """
    places = _places().get(name, ())
    if len(places) == 1 and _HAS_PARAMETERS.search(_text(places[0])):
        return _parse(name, read_library_toml(places[0]))
    known = _files()
    check_known(name, known, where="parameter set", names="names of the library", error=LibraryError)
    return _parse(name, read_library_toml(known[name]))


def _parse(name: str, content: dict[str, Any]) -> ParameterSet:
    if content.get("id") != name:
        raise LibraryError(where=f"library/{name}.toml", got=content.get("id"), allowed=f"id = '{name}', as the file")
    own = {key: value for key, value in content.items() if key not in {"includes", "over"}}
    others = [one.to_dict() for part in content.get("includes", ()) for one in load_parameter_set(part).parameters]
    if "over" in content:
        mine = {one["id"] for one in own["parameters"]}
        others += [one.to_dict() for one in load_parameter_set(content["over"]).parameters if one.id not in mine]
    try:
        return ParameterSet.from_dict({**own, "parameters": [*own["parameters"], *others]})
    except SpecError as error:
        raise damaged(f"{name}.toml", error, "a valid parameter set", "Correct the file.") from error


# To parse all of the library takes a sixth of a second; only what is asked for is parsed.
_HAS_PARAMETERS = re.compile(r"^(\[\[parameters\]\]|\[parameters\b|parameters *=)", re.MULTILINE)


def _text(entry: Traversable) -> str:
    try:
        return entry.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise damaged(entry.name, error, "a readable file") from None


@cache
def _places() -> dict[str, list[Traversable]]:
    """Where files of TOML of each name are; what is in them is not looked at."""
    found: dict[str, list[Traversable]] = {}
    pending: list[Traversable] = [files("remission.library")]
    while pending:
        for entry in pending.pop().iterdir():
            # Asking the disk what each of some hundred files is takes longer than to look at its name.
            if entry.name.endswith(".toml"):
                found.setdefault(entry.name.removesuffix(".toml"), []).append(entry)
            elif "." not in entry.name and entry.is_dir():
                pending.append(entry)
    return found


@cache
def _files() -> MappingProxyType[str, Traversable]:
    found: dict[str, Traversable] = {}
    for name, places in _places().items():
        mine = [one for one in places if _HAS_PARAMETERS.search(_text(one))]
        if len(mine) > 1:
            raise LibraryError(where="library", got=f"two files named {name}.toml", allowed="one of each name")
        if mine:
            found[name] = mine[0]
    return MappingProxyType(found)
