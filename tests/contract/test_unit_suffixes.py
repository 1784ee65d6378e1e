"""A number carries its unit in its name, or stands in the table of names without unit (names_without_unit.toml).

Looked at: float fields of records and result classes, and float arguments of public functions and methods.
"""

import dataclasses
import inspect
import re
import tomllib
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from jaxtyping import AbstractArray
from pydantic import BaseModel
from source_tree import module_names, public_names

from remission.units import suffix_of

TABLE: dict[str, dict[str, str]] = tomllib.loads(Path(__file__).with_name("names_without_unit.toml").read_text("utf-8"))
MISREAD = TABLE.pop("ends-like-a-unit")
SYMBOL = re.compile(r"(?:[abcdklwz]|tau|keep|gamma|rho|sigma)_[hlsy]")
NO_UNIT = {name for group in TABLE.values() for name in group}


def is_float(hint: Any) -> bool:
    """Whether a hint is a float, an array of floats, or offers one of them."""
    if hint is float:
        return True
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return any("float" in dtype for dtype in hint.dtypes)
    origin = typing.get_origin(hint)
    if origin is typing.Annotated:
        return is_float(typing.get_args(hint)[0])
    return origin in {typing.Union, types.UnionType} and any(map(is_float, typing.get_args(hint)))


def hints_of(function: Callable[..., Any]) -> dict[str, Any]:
    plain = inspect.unwrap(function)
    try:
        hints = typing.get_type_hints(plain, include_extras=True)
    except NameError:  # a hint imported for the type checker only; none of these is a float
        hints = dict(plain.__annotations__)
    return {name: hint for name, hint in hints.items() if name != "return"}


def numbers_of(item: Any) -> Iterator[str]:
    """Names of the float fields and arguments of a function or class."""
    if not inspect.isclass(item):
        yield from (name for name, hint in hints_of(item).items() if is_float(hint))
        return
    if issubclass(item, BaseModel):
        yield from (name for name, field in item.model_fields.items() if is_float(field.annotation))
    elif dataclasses.is_dataclass(item):
        hints = typing.get_type_hints(item, include_extras=True)
        yield from (field.name for field in dataclasses.fields(item) if is_float(hints[field.name]))
    for attribute, value in vars(item).items():
        function = value.__func__ if isinstance(value, classmethod | staticmethod) else value
        if inspect.isfunction(function) and not attribute.startswith("_"):
            yield from (name for name, hint in hints_of(function).items() if is_float(hint))


def all_numbers() -> Iterator[tuple[str, str]]:
    for module in module_names():
        for public, item in public_names(module):
            yield from ((name, public) for name in numbers_of(item))


@pytest.mark.parametrize("module", module_names())
def test_numbers_name_their_unit(module: str) -> None:
    """mg for mg/kg, hours for days, ng/mL for umol/L: each gives plausible results, and no other test would notice."""
    bare = [
        f"{public}: {name}"
        for public, item in public_names(module)
        for name in numbers_of(item)
        # What a base class excuses is the same field in a record made of it.
        if suffix_of(name) is None
        and not {name, *(f"{owner.__name__}.{name}" for owner in getattr(item, "__mro__", (item,)))} & NO_UNIT
    ]
    assert bare == [], "give the name a unit of remission.units.SUFFIXES, or a place in names_without_unit.toml"


def test_the_table_has_no_name_that_is_gone() -> None:
    """A stale entry would excuse the next number of that name, whatever it means."""
    used = {key for name, public in all_numbers() for key in (name, f"{public}.{name}")}
    assert NO_UNIT - used == set()


def test_symbols_that_end_like_a_unit_are_known() -> None:
    """a_h is the rate a_H and no time: each such name is listed, and none of them is a quantity with that unit."""
    symbols = {name for name, _ in all_numbers() if SYMBOL.fullmatch(name)}
    assert symbols == set(MISREAD)


def test_the_lint_sees_a_number_without_unit() -> None:
    """A lint that looks past floats passes everything."""

    def plain(dose: float, conc_ng_per_ml: float, day: int) -> None:
        del dose, conc_ng_per_ml, day

    assert list(numbers_of(plain)) == ["dose", "conc_ng_per_ml"]
