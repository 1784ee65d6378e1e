"""A number with its unit, source and grade, and a named set of such numbers.

Every number a model reads is a :class:`Parameter` of the library: the value in the canonical unit the code computes
with, the value and unit as the source prints them, the source's key and a grade of evidence. A :class:`ParameterSet`
is what one model reads; its :attr:`~ParameterSet.content_hash` stands in the record of a run.
"""

import hashlib
import json
from collections.abc import Iterator
from enum import StrEnum
from functools import cached_property
from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints

from remission.errors import LibraryError, SpecError, did_you_mean, known_names
from remission.records.base import Record

ParameterId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]*$", max_length=80)]
SourceKey = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
Text = Annotated[str, StringConstraints(max_length=1000)]


MODEL_FORM = "model-form-2026"
"""The equations of the day, by name: every run carries it, and a set of values belongs to one form."""
DEFAULT_POSTERIOR = "posterior-2026-counts"
"""The posterior from which runs draw unless another is named; its plan, its trials and the set of its means bear the
same name. No other place names the default."""


class Grade(StrEnum):
    """How a number came to be known."""

    MEASURED = "measured"
    """Estimated from data by the source that is named."""
    DERIVED = "derived"
    """Computed from measured numbers; the note says how."""
    ASSUMED = "assumed"
    """Chosen for a stated reason; no data fix it."""
    PLACEHOLDER = "placeholder"
    """Stands in until something better is found; results that depend on it say so."""
    UNVERIFIED = "unverified"
    """Reported without a source that was read."""
    YOURS = "yours"
    """Of a model that the reader brought; nobody here has looked at it."""


class Parameter(Record):
    """One number of the library.

    Notes
    -----
    ``value`` is in ``unit``, the canonical unit of the code; ``"1"`` marks a dimensionless number.
    ``printed_value`` and ``printed_unit`` are the source's own when they differ. ``low`` and ``high`` are the published
    range or interval, in ``unit``.
    """

    id: ParameterId
    symbol: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    value: float
    unit: Annotated[str, StringConstraints(min_length=1, max_length=40)]
    printed_value: float | None = None
    printed_unit: Annotated[str, StringConstraints(min_length=1, max_length=40)] | None = None
    grade: Grade
    source: SourceKey
    note: Text = ""
    low: float | None = None
    high: float | None = None

    def _faults(self) -> Iterator[SpecError]:
        if (self.printed_value is None) != (self.printed_unit is None):
            allowed = "given together with printed_value, or neither"
            yield SpecError(where="printed_unit", got=self.printed_unit, allowed=allowed)
        elif self.low is not None and self.low > self.value:
            yield SpecError(where="low", got=self.low, allowed=f"at most the value, {self.value}")
        elif self.high is not None and self.high < self.value:
            yield SpecError(where="high", got=self.high, allowed=f"at least the value, {self.value}")


class ParameterSet(Record):
    """The numbers one model reads, under one name.

    Notes
    -----
    ``attributes`` are words about the set as a whole: sampling site, population, structure. Look a parameter up with
    ``parameter_set["cl_l_per_h"]``.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=64)]
    title: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    note: Annotated[str, StringConstraints(max_length=4000)] = ""
    attributes: dict[str, Text] = Field(default_factory=dict)
    parameters: Annotated[tuple[Parameter, ...], Field(min_length=1)]

    def _faults(self) -> Iterator[SpecError]:
        seen: set[str] = set()
        for index, parameter in enumerate(self.parameters):
            if parameter.id in seen:
                allowed = "an id used once in the set"
                yield SpecError(where=f"parameters[{index}].id", got=parameter.id, allowed=allowed)
            seen.add(parameter.id)

    def __hash__(self) -> int:
        """Hash of the content, so that equal sets share cached results."""
        return hash(self.content_hash)

    def __repr__(self) -> str:
        """Name, size and hash: the whole content would bury the message it stands in."""
        return f"ParameterSet({self.id!r}, {len(self.parameters)} parameters, {self.content_hash[:12]})"

    __str__ = __repr__

    def __contains__(self, parameter_id: str) -> bool:
        """Whether the set has a parameter with this id."""
        return parameter_id in self._by_id

    def __getitem__(self, parameter_id: str) -> Parameter:
        """The parameter with this id.

        Raises LibraryError: the set has none; the message names the nearest ids.
        """
        try:
            return self._by_id[parameter_id]
        except KeyError:
            raise LibraryError(
                where=f"parameter set '{self.id}'",
                got=parameter_id,
                allowed="the id of one of its parameters",
                remedy=did_you_mean(parameter_id, self.ids, otherwise=known_names(self.ids)),
            ) from None

    def get(self, parameter_id: str) -> Parameter | None:
        """The parameter with this id, or None."""
        return self._by_id.get(parameter_id)

    @cached_property
    def _by_id(self) -> dict[str, Parameter]:
        return {parameter.id: parameter for parameter in self.parameters}

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of the parameters, in the order of the file."""
        return tuple(parameter.id for parameter in self.parameters)

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 of the whole content, as 64 hexadecimal digits."""
        text = json.dumps(self.to_dict(), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
        return hashlib.sha256(text.encode("ascii")).hexdigest()

    def value(self, parameter_id: str) -> float:
        """The canonical value of one parameter, in its own unit.

        Raises LibraryError: the set has no such parameter.
        """
        return self[parameter_id].value

    def attribute(self, name: str) -> str:
        """One of the set's attributes.

        Raises LibraryError: the set does not state it.
        """
        if name not in self.attributes:
            raise LibraryError(
                where=f"parameter set '{self.id}'",
                got=name,
                allowed=f"one of its attributes: {', '.join(sorted(self.attributes)) or 'none'}",
            )
        return self.attributes[name]

    def replace_values(self, **values: float) -> Self:
        """A copy with some values changed, for sensitivity analyses and tuning.

        A changed parameter keeps its source and grade; its printed value is dropped and its range widened to hold the
        new value, and its note says what the library's value was. Ids with a dot are passed as ``**{"b0.alcohol":
        1.0}``.

        Raises LibraryError: an id is not in the set. Raises SpecError: a value is not a finite number.
        """
        for parameter_id in values:
            self[parameter_id]
        changed = []
        for parameter in self.parameters:
            if parameter.id not in values or values[parameter.id] == parameter.value:
                changed.append(parameter)
                continue
            value = values[parameter.id]
            changed.append(
                parameter.replace(
                    value=value,
                    printed_value=None,
                    printed_unit=None,
                    low=None if parameter.low is None else min(parameter.low, value),
                    high=None if parameter.high is None else max(parameter.high, value),
                    note=f"Changed from {parameter.value!r}. {parameter.note}".strip()[:1000],
                )
            )
        return self.replace(parameters=tuple(changed))


def columns_of_parameters(*sets: ParameterSet) -> dict[str, Any]:
    """Every number of some sets as the columns of a table, one row a number."""
    rows = [(one.id, parameter) for one in sets for parameter in one.parameters]
    names = ("id", "value", "unit", "grade", "source", "note")
    return {
        "parameter_set": [name for name, _ in rows],
        **{
            name: [str(value) if name == "grade" else value for value in (getattr(p, name) for _, p in rows)]
            for name in names
        },
    }
