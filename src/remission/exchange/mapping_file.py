"""A mapping file: YAML in, a mapping or every fault with its line out."""

from dataclasses import replace
from pathlib import Path
from typing import Any, get_type_hints

from pydantic import TypeAdapter, ValidationError

from remission.errors import SpecError, did_you_mean
from remission.exchange.mapping import Mapping
from remission.records.faults import located_faults, refuse_booleans
from remission.records.yaml_tree import Tree, read_tree_file


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file.

    ``path``: a YAML file with fields of :class:`~remission.exchange.rows.Mapping`, of at most 1 MB.
    Raises SpecError: the file cannot be read or is not a valid mapping; ``faults`` holds every fault with file, line
    and field.
    """
    names = ", ".join(Mapping.__dataclass_fields__)
    tree = read_tree_file(path, what=f"a YAML file with some of: {names}", example="person: id")
    faults = list(tree.faults)
    hints = get_type_hints(Mapping, include_extras=True)
    values = _as_text(tree, faults)
    for name, value in values.items():
        if name not in hints:
            remedy = did_you_mean(name, hints, otherwise=f"Keys here: {names}.")
            faults.append(SpecError(where=tree.place((name,)), got=name, allowed="a known key", remedy=remedy))
            continue
        try:
            refuse_booleans(hints[name], value)
        except SpecError as error:
            faults.append(_at(tree.place((name,)), error))
    try:
        mapping = TypeAdapter(Mapping).validate_python(values)
    except ValidationError as error:
        located = located_faults(error, Mapping)
        faults += [_at(tree.place(place), fault, tree.texts.get(place, fault.got)) for place, fault in located]
        raise SpecError.from_faults(faults) from None
    SpecError.check(faults)
    if mapping.anchor_file is not None:
        # A file is named as seen from the mapping that names it.
        mapping = replace(mapping, anchor_file=str(path.parent / mapping.anchor_file))
    try:
        mapping.check()
    except SpecError as error:
        name = error.where.removeprefix("mapping").lstrip(", ")
        where = tree.place((name,)) if name in tree.data else f"{path}: {name}" if name else str(path)
        raise _at(where, error) from None
    return mapping


def _at(where: str, fault: SpecError, got: object = None) -> SpecError:
    return SpecError(where=where, got=fault.got if got is None else got, allowed=fault.allowed, remedy=fault.remedy)


def _as_text(tree: Tree, faults: list[SpecError]) -> dict[Any, Any]:
    """The values with codes and names as text: 999 is a code as it stands, and 5 a name."""
    values = dict(tree.data)
    if "missing" in values:
        try:
            values["missing"] = _codes(values["missing"], tree.place(("missing",)))
        except SpecError as error:
            faults.append(error)
            del values["missing"]
    for name in ("one_substance", "amount_unit"):
        if isinstance(values.get(name), int | float) and not isinstance(values[name], bool):
            values[name] = str(values[name])
    return values


def _codes(value: Any, place: str) -> Any:
    """A code, a list of codes, or lists by column, as text."""
    if isinstance(value, dict):
        return {str(name): _codes(codes, place) for name, codes in value.items()}
    listed = value if isinstance(value, list) else [value]
    for code in listed:
        if not isinstance(code, str | int | float) or isinstance(code, bool):
            raise SpecError(where=place, got=code, allowed="codes, as [999, -99, NA], or lists of codes by column")
    return tuple(str(code).strip() for code in listed)
