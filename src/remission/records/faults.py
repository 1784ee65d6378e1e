"""Faults of a record as the package's own errors: field path, what came, what is allowed, what to do."""

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from types import MappingProxyType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel, BeforeValidator, Tag, ValidationError, WrapValidator

from remission.errors import SpecError, did_you_mean
from remission.records.quantity import Quantity

Location = tuple[int | str, ...]
"""Where a field is: names and list positions from the root of the record."""

_PLAIN: Final = MappingProxyType(
    {
        "string_type": ("text", "Put quotes around it if it is meant as text."),
        "int_type": ("a whole number", ""),
        "int_from_float": ("a whole number", ""),
        "int_parsing": ("a whole number", ""),
        "float_type": ("a number", ""),
        "float_parsing": ("a number", ""),
        "finite_number": ("a finite number", ""),
        "bool_type": ("true or false", "Write true or false, without quotes."),
        "tuple_type": ("a list", "Write each item on a line that begins with '- ', or all between [ and ]."),
        "dict_type": ("a block of names and values", "Write 'name: value' lines below it."),
        "model_type": ("a block of fields", "Write 'field: value' lines below it."),
        "model_attributes_type": ("a block of fields", "Write 'field: value' lines below it."),
        "string_pattern_mismatch": ("a name of a-z, 0-9, '-' and '_' that begins with a letter or a digit", ""),
    }
)


def located_faults(error: ValidationError, model: type[Any]) -> list[tuple[Location, SpecError]]:
    """Every fault of a validation with its location; ``where`` of each error is the path without the root's name.

    ``error``: what the validation raised. ``model``: the record or dataclass that was validated; gives the known names
    for a misspelt one.
    """
    found: list[tuple[Location, SpecError]] = []
    items = error.errors(include_url=False)
    places = [item["loc"] for item in items]
    for item in items:
        if item["type"] == "too_short" and any(_is_below(place, item["loc"]) for place in places):
            continue  # a list whose items are wrong counts as empty there: only the items are at fault
        location = _without_tags(tuple(part for part in item["loc"] if part != "[key]"), model)
        cause = item.get("ctx", {}).get("error")
        if isinstance(cause, SpecError):
            for inner in cause.faults:
                place = location if inner.where in {"", "value"} else location + parse_path(inner.where)
                found.append((place, _moved(inner, place)))
            continue
        found.append((location, _fault(item, location, model)))
    return _merged(found)


def _without_tags(location: Location, model: type[Any]) -> Location:
    """The location in the record: where a field may be of several kinds, pydantic names the kind that it tried."""
    kind: Any = model
    kept: list[int | str] = []
    for part in location:
        kinds = _kinds(kind)
        if len(kinds) > 1:
            kind = next((one for one in kinds if _is_called(one, str(part))), None)
            continue
        kept.append(part)
        kind = _inner(kinds[0], part)
    return tuple(kept)


def _kinds(kind: Any) -> list[Any]:
    """What a field may be, without None and without what is only said about it."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if not _is_union(kind):
        return [kind]
    kinds = [one for one in get_args(kind) if one is not type(None)]
    return _kinds(kinds[0]) if len(kinds) == 1 else kinds


def _is_called(kind: Any, part: str) -> bool:
    """Whether pydantic calls a kind so in a location: by its tag, or by its name."""
    if get_origin(kind) is Annotated:
        return any(isinstance(one, Tag) and one.tag == part for one in get_args(kind)[1:])
    return isinstance(kind, type) and kind.__name__ in part


def _is_union(kind: Any) -> bool:
    return get_origin(kind) in {Union, UnionType}


def _merged(found: list[tuple[Location, SpecError]]) -> list[tuple[Location, SpecError]]:
    """One fault a place, which allows what each kind of the field would have allowed; faults inside it come first."""
    places: dict[Location, list[SpecError]] = {}
    for place, fault in found:
        places.setdefault(place, []).append(fault)
    merged = []
    for place, here in places.items():
        faults = here
        kinds = list(dict.fromkeys(fault.allowed.removeprefix("one of ") for fault in faults))
        if len(kinds) > 1 and len({str(fault.got) for fault in faults}) == 1:
            if any(_is_below(other, place) for other in places):
                continue
            first = faults[0]
            remedy = next((fault.remedy for fault in faults if fault.remedy), "")
            faults = [SpecError(where=field_path(place), got=first.got, allowed=" or ".join(kinds), remedy=remedy)]
        merged += [(place, _moved(fault, place)) for fault in faults]
    return merged


def faults_of(error: ValidationError, model: type[BaseModel], *, root: str) -> list[SpecError]:
    """Every fault of a validation as a ``SpecError`` with a dotted field path that begins at ``root``."""
    return [_moved(fault, (root, *location)) for location, fault in located_faults(error, model)]


def field_path(location: Location) -> str:
    """A location as text: ``arms[1].drug``."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def parse_path(path: str) -> Location:
    """The location that :func:`field_path` wrote."""
    return tuple(int(index) if index else name for name, index in re.findall(r"([^.\[\]]+)|\[(\d+)\]", path))


def known_fields(model: type[Any], location: Location = ()) -> list[str]:
    """The field names a file may use in the record at ``location`` below ``model``; empty when there is no record."""
    kind: Any = model
    for part in location:
        kind = _inner(kind, part)
    found = _record_in(kind)
    if found is None:
        return [field.name for field in fields(kind)] if is_dataclass(kind) else []
    unwritten = getattr(found, "unwritten_fields", ())
    return [field.alias or name for name, field in found.model_fields.items() if name not in unwritten]


def refuse_booleans(kind: Any, value: Any) -> None:
    """Refuse ``true`` and ``false`` where the type holds none: a reader in between would take them for 1 and 0.

    ``kind``: type of the field. Records in it look after their own fields. ``value``: what came, before it is
    validated.
    Raises SpecError: there is one; ``where`` is its place below the field.
    """
    if isinstance(value, Mapping | list | tuple):
        if _holds(kind, or_record=True):
            return
    elif not isinstance(value, bool) or _holds(kind, or_record=False):
        return
    waiting: list[tuple[Location, Any]] = [((), value)]
    for place, item in waiting:
        if isinstance(item, bool):
            raise SpecError(
                where=field_path(place), got="true" if item else "false", allowed="a number or text",
                remedy="Write the number, or put quotes around a text.",
            )  # fmt: skip
        if isinstance(item, Mapping):
            waiting += [((*place, str(name)), one) for name, one in item.items()]
        elif isinstance(item, list | tuple):
            waiting += [((*place, index), one) for index, one in enumerate(item)]


def _holds(kind: Any, *, or_record: bool) -> bool:
    """Whether a type takes a boolean, or is one that is not looked into."""
    if kind is bool or kind is object or kind is Any:
        return True
    if _is_record(kind):
        return or_record
    if get_origin(kind) is Literal:
        return any(isinstance(one, bool) for one in get_args(kind))
    if get_origin(kind) is Annotated:
        # A quantity has a validator of its own, which names the unit.
        own = any(isinstance(one, BeforeValidator | WrapValidator | Quantity) for one in kind.__metadata__)
        return own or _holds(get_args(kind)[0], or_record=or_record)
    arguments = get_args(kind)
    if not arguments:
        return kind is not None and not isinstance(kind, type)  # Any, or a name that is not resolved yet
    return any(_holds(one, or_record=or_record) for one in arguments if one is not Ellipsis)


def _is_record(kind: Any) -> bool:
    return isinstance(kind, type) and (issubclass(kind, BaseModel) or is_dataclass(kind))


def _inner(kind: Any, part: int | str) -> Any:
    record = _record_in(kind)
    if record is not None and isinstance(part, str):
        for name, field in record.model_fields.items():
            if part in {name, field.alias}:
                return field.annotation
    arguments = get_args(kind)
    return arguments[-1] if arguments and arguments[-1] is not Ellipsis else arguments[0] if arguments else None


def _record_in(kind: Any) -> type[BaseModel] | None:
    """The record class itself, or the one in a union or annotation of it; a list or dictionary of records has none."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return kind
    if getattr(kind, "__origin__", None) in {tuple, dict}:
        return None
    for argument in get_args(kind):
        if isinstance(argument, type) and issubclass(argument, BaseModel):
            return argument
    return None


def _fault(item: Mapping[str, Any], location: Location, model: type[Any]) -> SpecError:
    kind, context = item["type"], item.get("ctx", {})
    where, got, remedy = field_path(location), item["input"], ""
    if kind == "extra_forbidden":
        known = known_fields(model, location[:-1])
        got = str(location[-1])
        allowed = "a known key"
        # A file's key is the Python name without its unit: dose of dose_mg_per_kg.
        short = [item for item in known if got.startswith(f"{item}_")]
        otherwise = f"Did you mean {short[0]}?" if short else f"Keys here: {', '.join(known)}."
        remedy = did_you_mean(got, known, otherwise=otherwise)
    elif kind == "missing":
        got, allowed, remedy = "nothing", "a value", "Add it: this field is required."
    elif kind in {"literal_error", "enum"}:
        names = re.findall(r"'([^']*)'", context["expected"])
        allowed = f"one of {', '.join(names)}"
        remedy = did_you_mean(got, names)
    elif kind in {"too_short", "too_long", "string_too_short", "string_too_long"}:
        allowed = _length(context, unit="character" if isinstance(got, str) else "item")
        got = "nothing" if not got else got if isinstance(got, str) else f"{context.get('actual_length')} items"
    elif kind in {"greater_than_equal", "less_than_equal", "greater_than", "less_than"}:
        words = {"ge": "at least", "le": "at most", "gt": "more than", "lt": "less than"}
        allowed = " and ".join(f"{words[name]} {limit}" for name, limit in context.items())
    elif kind in _PLAIN:
        allowed, remedy = _PLAIN[kind]
    else:
        message = item["msg"].removeprefix("Value error, ")
        allowed = message[:1].lower() + message[1:]
    return SpecError(where=where, got=got, allowed=allowed, remedy=remedy)


def _is_below(place: Location, above: Location) -> bool:
    return len(place) > len(above) and place[: len(above)] == above


def _length(context: Mapping[str, Any], *, unit: str) -> str:
    words, count = (
        ("at least", context["min_length"]) if "min_length" in context else ("at most", context["max_length"])
    )
    return f"{words} {count} {unit}" if count == 1 else f"{words} {count} {unit}s"


def _moved(fault: SpecError, location: Location) -> SpecError:
    return type(fault)(where=field_path(location), got=fault.got, allowed=fault.allowed, remedy=fault.remedy)
