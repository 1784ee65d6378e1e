"""What a function of the program gives back: a few lines at the prompt, a table, JSON and a picture when asked for.

A result is a frozen dataclass of its own; this base reads its fields and adds no state.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from html import escape
from importlib import import_module
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from pydantic import BaseModel

from remission.extras import telling_extras

if TYPE_CHECKING:
    import pandas as pd

_MOST_LINES: Final = 14
_MOST_SIGNS: Final = 100


class Result(ABC):
    """Base of the results: short to look at, whole when taken out.

    Notes
    -----
    A result says its own table in ``columns``; without one the class cannot be made.
    """

    __slots__ = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # A dataclass writes a repr that prints every number, unless the class itself has one.
        cls.__repr__ = Result.__repr__  # type: ignore[method-assign]  # as said above

    @abstractmethod
    def columns(self) -> Mapping[str, Any]:
        """The columns of the table by name, all of one length; units stand in the names."""

    def _facts(self) -> list[tuple[str, Any]]:
        """Name and value of each field."""
        return [(one.name, getattr(self, one.name)) for one in fields(self)]  # type: ignore[arg-type]  # a dataclass

    def __repr__(self) -> str:
        return few_lines(type(self).__name__, self._facts())

    def _repr_html_(self) -> str:
        """The same as a small table, for notebooks; above it the field of days, where the result has days."""
        picture = import_module("remission.report.day_field").picture_of(self)  # found by name, as in ``plot``
        rows = "".join(
            f"<tr><th>{escape(name)}</th><td>{escape(short_text(value))}</td></tr>" for name, value in self._facts()
        )
        return f"{picture}<table><caption>{type(self).__name__}</caption>{rows}</table>"

    def to_frame(self) -> "pd.DataFrame":
        """The result as a table, with units in the names of its columns.

        Raises MissingExtraError: the library of tables is not installed.
        """
        with telling_extras("to_frame"):
            import pandas as pd
        return pd.DataFrame(dict(self.columns()))

    def to_json(self) -> str:
        """Every field as one JSON object; a number that does not exist is null, because JSON has no NaN."""
        return json.dumps(plain(self), ensure_ascii=False, allow_nan=False)

    def plot(self) -> Any:
        """The result as a figure of matplotlib.

        Raises MissingExtraError: the plotting library is not installed. Raises SpecError: nothing is drawn of such a
        result.
        """
        # Drawing is a layer above every result; it is found by name, at the moment when somebody asks for it.
        with telling_extras("plot"):
            return import_module("remission.report.plots").draw_result(self)


def few_lines(head: str, facts: Sequence[tuple[str, Any]]) -> str:
    """A head and one short line for each of some named values, 15 lines at most."""
    left_out = len(facts) - _MOST_LINES
    shown = [(name, short_text(value)) for name, value in (facts[: _MOST_LINES - 1] if left_out > 0 else facts)]
    if left_out > 0:
        shown.append(("...", f"{left_out + 1} more"))
    width = max((len(name) for name, _ in shown), default=0)
    return "\n".join([head, *(f"  {name:<{width}}  {text}" for name, text in shown)])


def short_text(value: object) -> str:
    """A value in one short line, whatever its size.

    Examples
    --------
    >>> short_text(np.zeros((2, 3))), short_text({"a": 1.0, "b": 2.0}), short_text(("x",))
    ('2 x 3 numbers, 0 to 0', '2: a, b', '1: x')
    """
    text = _short(value)
    text = " ".join(text.split())
    return text if len(text) <= _MOST_SIGNS else f"{text[: _MOST_SIGNS - 3]}..."


def _short(value: object) -> str:
    if isinstance(value, np.ndarray):
        return _array_text(value)
    if isinstance(value, bool | int | str | None):
        return str(value)
    if isinstance(value, float | np.floating):
        return f"{float(value):.6g}"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping):
        return f"{len(value)}: {', '.join(str(name) for name in list(value)[:8])}"
    if isinstance(value, list | tuple | set | frozenset):
        names = dict.fromkeys(_name(one) for one in list(value)[:8])
        return f"{len(value)}: {', '.join(names)}" if value else "none"
    return _name(value)


def _array_text(value: np.ndarray) -> str:
    size = " x ".join(str(n) for n in value.shape) or "1"
    if value.dtype == np.bool_:
        return f"{size} marks, {int(value.sum())} set"
    if not np.issubdtype(value.dtype, np.number) or np.issubdtype(value.dtype, np.complexfloating):
        return f"{size} values"
    known = value[np.isfinite(value)]
    without = value.size - known.size
    span = f", {known.min():.4g} to {known.max():.4g}" if known.size else ""
    return f"{size} numbers{span}{f', {without} without a value' if without else ''}"


def _name(value: object) -> str:
    """The word by which a part is known."""
    if isinstance(value, str | int | float | Enum):
        return _short(value)
    for name in ("id", "name", "label"):
        found = getattr(value, name, None)
        if isinstance(found, str):
            return found
    if isinstance(value, tuple):
        return "-".join(_name(one) for one in value)
    return type(value).__name__


def plain(value: Any) -> Any:
    """Values as JSON knows them: text, numbers, lists, objects and null.

    Examples
    --------
    >>> plain({"mean": np.array([1.0, np.nan])})
    {'mean': [1.0, None]}
    """
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="json"))
    if is_dataclass(value) and not isinstance(value, type):
        return {one.name: plain(getattr(value, one.name)) for one in fields(value)}
    if isinstance(value, Mapping):
        return {str(plain(name)): plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, str | bool | int | float | None):
        return value if not isinstance(value, float) or isfinite(value) else None
    if isinstance(value, Sequence | set | frozenset):
        return [plain(item) for item in value]
    return str(value)
