"""Number types of the records: text with a unit at the edge, a plain float in one canonical unit inside.

``DoseMgPerKg`` accepts ``"0.5 mg/kg"`` (files, command line) or ``0.5`` (Python, where the field's name has the unit).
When records are read from a file the validation context sets ``units_required`` and a bare number is refused.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    ValidationInfo,
    WithJsonSchema,
)

from remission.errors import SpecError, UnitsError
from remission.units import format_quantity, hours_to_minutes, parse_quantity

NUMBER = r"[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?"
"""How a file writes a number, as a pattern."""
_TIME = r"(s|sec|seconds?|min|minutes?|h|hr|hours?|days?)"
_DOSE = r"(mg/kg|ug/kg|mcg/kg|g/kg|mg/lb)"
_PER_WEIGHT = re.compile(rf"{NUMBER} *{_DOSE}")
_WEIGHT = r"(kg|kilograms?|lb|pounds?)"
_AGE = r"(years?|yr|y)"


@dataclass(frozen=True)
class Quantity:
    """A number in one unit: how it is read, between which bounds, and what a file may write, with an example."""

    unit: str
    low: float
    high: float
    written: str
    example: str
    above: bool = False
    remedy: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> Any:
        file = {"type": "string", "pattern": rf"^{NUMBER} *{self.written}$", "examples": [self.example]}
        read, write = (AfterValidator(self._within), BeforeValidator(self._parse)), PlainSerializer(self._write)
        return handler.generate_schema(Annotated[source, *read, write, WithJsonSchema(file)])

    def _parse(self, value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            return parse_quantity(value, self.unit)
        if isinstance(value, bool):
            raise UnitsError(where="value", got=value, allowed=f"a number in {self.unit}")
        if isinstance(value, int | float) and (info.context or {}).get("units_required"):
            allowed = f"a number with its unit, for example '{format_quantity(value, self.unit)}'"
            raise UnitsError(where="value", got=value, allowed=allowed, remedy="Write the unit after the number.")
        return value

    def _write(self, value: float, info: Any) -> Any:
        return format_quantity(value, self.unit) if (info.context or {}).get("with_units") else value

    def _within(self, value: float) -> float:
        if value > self.high or value < self.low or (self.above and value == self.low):
            bound, low = "more than" if self.above else "at least", format_quantity(self.low, self.unit)
            raise SpecError(
                where="value",
                got=format_quantity(value, self.unit),
                allowed=f"{bound} {low} and at most {format_quantity(self.high, self.unit)}",
                remedy=self.remedy if value > self.high else "",
            )
        return value


# As dosing-limits of the library has them, which records do not read; a test holds both together.
MOST_MG_PER_KG = 5.0
"""Largest dose of what is given within :data:`WINDOW_H`. [mg/kg]"""
MOST_MG = 2000.0
"""The same in mg, for anybody. [mg]"""
WINDOW_H = 4.0
"""Doses within so many hours count together. [h]"""
LONGEST_H = 168.0
"""Longest infusion. [h]"""
LONGEST_SESSION_H = 24.0
"""Longest infusion of a session of days. [h]"""

_MG_MEANT = "Was an amount in mg meant? 40 mg for 70 kg is 0.57 mg/kg."

DoseMgPerKg = Annotated[float, Quantity("mg/kg", 0.0, MOST_MG_PER_KG, _DOSE, "0.5 mg/kg", remedy=_MG_MEANT)]
"""Racemic free base per body weight. [mg/kg]; above 5 is refused as a slip of the unit."""


def is_per_weight(text: str) -> bool:
    """Whether a text is plainly a dose per body weight, which is known without the unit library."""
    return _PER_WEIGHT.fullmatch(text) is not None


def read_fixed_dose(text: str) -> float:
    """An amount for everybody, whatever they weigh. [mg]

    Raises UnitsError: it is no mass; SpecError: it is below 0 or above the largest dose.
    """
    amount = parse_quantity(text, "mg")
    if not 0.0 <= amount <= MOST_MG:
        allowed = f"at least 0 mg and at most {MOST_MG:g} mg"
        raise SpecError(where="dose", got=text, allowed=allowed, remedy="Was another unit meant?")
    return amount


StartMin = Annotated[float, Quantity("min", 0.0, hours_to_minutes(LONGEST_SESSION_H), _TIME, "2 min")]
"""Time after the start of a session. [min]"""

DurationMin = Annotated[
    float,
    Quantity(
        "min", 0.0, hours_to_minutes(LONGEST_SESSION_H), _TIME, "40 min", above=True,
        remedy="A day is the longest; minutes are 'min', hours 'h'.",
    ),
]  # fmt: skip
"""Length of an infusion or a session. [min]; above 24 h is refused, an infusion above 2 h is outside all evidence."""

LongDoseMgPerKg = Annotated[float, Quantity("mg/kg", 0.0, 1000.0, _DOSE, "0.5 mg/kg", remedy=_MG_MEANT)]
"""Free base per body weight of a dose that may flow for days. [mg/kg]; what is given within hours is checked there."""

LongDurationMin = Annotated[
    float,
    Quantity(
        "min", 0.0, hours_to_minutes(LONGEST_H), _TIME, "40 min", above=True,
        remedy="A week is the longest; minutes are 'min', hours 'h'.",
    ),
]  # fmt: skip
"""Length of an infusion that may run for days. [min]"""

WeightKg = Annotated[float, Quantity("kg", 30.0, 250.0, _WEIGHT, "78 kg")]
"""Body weight of an adult. [kg]"""

WeightSdKg = Annotated[float, Quantity("kg", 0.0, 60.0, _WEIGHT, "15 kg")]
"""Standard deviation of body weight. [kg]"""

AgeY = Annotated[float, Quantity("year", 18.0, 90.0, _AGE, "44 years")]
"""Age of an adult. [year]"""

AgeSdY = Annotated[float, Quantity("year", 0.0, 40.0, _AGE, "10 years")]
"""Standard deviation of age. [year]"""


def _share(value: Any) -> Any:
    if isinstance(value, str):
        return parse_quantity(value, "1")
    if isinstance(value, bool):
        raise UnitsError(where="value", got=value, allowed="a number from 0 to 1")
    return value


Fraction = Annotated[
    float,
    Field(ge=0.0, le=1.0),
    BeforeValidator(_share),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "number", "minimum": 0, "maximum": 1},
                {"type": "string", "pattern": rf"^{NUMBER} *(%|percent)?$"},
            ]
        }
    ),
]
"""A share between 0 and 1, or a text such as ``"36 %"``. [dimensionless]"""

Day = Annotated[int, Field(strict=True, ge=0, le=1825)]
ObservedDay = Annotated[int, Field(strict=True, ge=-1825, le=1825)]
"""A study day; 0 is the first planned contact. [day]"""

Flag = Annotated[bool, Field(strict=True)]
"""``true`` or ``false``; words such as ``no`` are text and refused."""
