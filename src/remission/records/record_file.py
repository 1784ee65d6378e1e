"""A record from a YAML file: the record, or every fault with its file, line and field."""

from collections.abc import Mapping
from typing import Any, Final, TypeVar

from pydantic import ValidationError

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.faults import Location, located_faults
from remission.records.yaml_tree import Tree

_MAX_FAULTS: Final = 50
_R = TypeVar("_R", bound=Record)


def record_of(model: type[_R], tree: Tree, *, context: Mapping[str, Any] | None = None) -> _R:
    """The record that a file says.

    ``context``: for the validators; quantities carry their unit, and an option that is not read is refused.
    Raises SpecError: the file is no such record; ``faults`` holds every fault, each with file, line and field.
    """
    try:
        # A file uses the short field names only: dose, never dose_mg_per_kg, because its unit stands in the value.
        found = model.model_validate(
            tree.data, context={"units_required": True, **(context or {})}, by_alias=True, by_name=False
        )
    except ValidationError as error:
        places = [(place, _in_file(tree, place, fault)) for place, fault in located_faults(error, model)]
        places.sort(key=lambda item: tree.line_of(item[0]))
        raise SpecError.from_faults(_limited([*tree.faults, *(fault for _, fault in places)], tree.name)) from None
    if tree.faults:
        raise SpecError.from_faults(tree.faults)
    return found


def _in_file(tree: Tree, location: Location, fault: SpecError) -> SpecError:
    """The same fault with its file and line, and with the text of the file as what came."""
    got = fault.got
    if location and got != location[-1]:
        got = tree.texts.get(location, got)
    if got is None or got == "":
        got = "nothing"
    return type(fault)(where=tree.place(location), got=got, allowed=fault.allowed, remedy=fault.remedy)


def _limited(faults: list[SpecError], name: str) -> list[SpecError]:
    if len(faults) <= _MAX_FAULTS:
        return faults
    rest = SpecError(where=name, got=f"{len(faults) - _MAX_FAULTS} more faults", allowed="a file without faults")
    return [*faults[:_MAX_FAULTS], rest]
