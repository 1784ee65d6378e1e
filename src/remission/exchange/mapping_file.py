"""A mapping file: YAML in, a mapping or every fault with its line out."""

from pathlib import Path
from typing import get_type_hints

from pydantic import TypeAdapter, ValidationError

from remission.errors import SpecError, did_you_mean
from remission.exchange.rows import Mapping
from remission.records.faults import located_faults, refuse_booleans
from remission.records.yaml_tree import read_tree_file

__all__ = ["read_mapping"]


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file.

    Parameters
    ----------
    path
        A YAML file with fields of :class:`~remission.exchange.rows.Mapping`, of at most 1 MB.

    Raises
    ------
    SpecError
        The file cannot be read or is not a valid mapping; ``faults`` holds every fault with file, line and field.
    """
    names = ", ".join(Mapping.__dataclass_fields__)
    tree = read_tree_file(path, what=f"a YAML file with some of: {names}", example="person: id")
    faults = list(tree.faults)
    hints = get_type_hints(Mapping, include_extras=True)
    for name, value in tree.data.items():
        if name not in hints:
            remedy = did_you_mean(name, hints, otherwise=f"Keys here: {names}.")
            faults.append(SpecError(where=tree.place((name,)), got=name, allowed="a known key", remedy=remedy))
            continue
        try:
            refuse_booleans(hints[name], value)
        except SpecError as error:
            faults.append(
                SpecError(where=tree.place((name,)), got=error.got, allowed=error.allowed, remedy=error.remedy)
            )
    try:
        mapping = TypeAdapter(Mapping).validate_python(tree.data)
    except ValidationError as error:
        faults += [
            SpecError(
                where=tree.place(place),
                got=tree.texts.get(place, fault.got),
                allowed=fault.allowed,
                remedy=fault.remedy,
            )
            for place, fault in located_faults(error, Mapping)
        ]
        raise SpecError.from_faults(faults) from None
    if faults:
        raise SpecError.from_faults(faults)
    return mapping
