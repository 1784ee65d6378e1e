"""Number types of the records: text with a unit at the edge, a plain float in one canonical unit inside.

``DoseMgPerKg`` accepts ``"0.5 mg/kg"`` (files, command line) or ``0.5`` (Python, where the field's name has the unit).
When records are read from a file the validation context sets ``units_required`` and a bare number is refused.
"""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, ValidationInfo, WithJsonSchema

from remission.errors import SpecError, UnitsError
from remission.units import format_quantity, hours_to_minutes, parse_quantity

__all__ = [
    "LONGEST_H",
    "LONGEST_SESSION_H",
    "MOST_MG",
    "MOST_MG_PER_KG",
    "WINDOW_H",
    "AgeSdY",
    "AgeY",
    "Day",
    "DoseMgPerKg",
    "DurationMin",
    "Flag",
    "Fraction",
    "ObservedDay",
    "LongDoseMgPerKg",
    "LongDurationMin",
    "WeightKg",
    "WeightSdKg",
]

_NUMBER = r"[0-9]*\.?[0-9]+([eE][+-]?[0-9]+)?"
_TIME = r"(s|sec|seconds?|min|minutes?|h|hr|hours?|days?)"
_DOSE = r"(mg/kg|ug/kg|mcg/kg|g/kg|mg/lb)"
_WEIGHT = r"(kg|kilograms?|lb|pounds?)"
_AGE = r"(years?|yr|y)"


def _parser(unit: str) -> Callable[[Any, ValidationInfo], Any]:
    def parse(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            return parse_quantity(value, unit)
        if isinstance(value, bool):
            raise UnitsError(where="value", got=value, allowed=f"a number in {unit}")
        if isinstance(value, int | float) and (info.context or {}).get("units_required"):
            raise UnitsError(
                where="value",
                got=value,
                allowed=f"a number with its unit, for example '{format_quantity(value, unit)}'",
                remedy="Write the unit after the number.",
            )
        return value

    return parse


def _writer(unit: str) -> PlainSerializer:
    def write(value: float, info: Any) -> Any:
        return format_quantity(value, unit) if (info.context or {}).get("with_units") else value

    return PlainSerializer(write)


def _within(unit: str, low: float, high: float, *, above: bool = False, remedy: str = "") -> AfterValidator:
    def check(value: float) -> float:
        if value > high or value < low or (above and value == low):
            bound = "more than" if above else "at least"
            raise SpecError(
                where="value",
                got=format_quantity(value, unit),
                allowed=f"{bound} {format_quantity(low, unit)} and at most {format_quantity(high, unit)}",
                remedy=remedy if value > high else "",
            )
        return value

    return AfterValidator(check)


def _in_file(units: str, example: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "pattern": rf"^{_NUMBER} *{units}$", "examples": [example]})


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

DoseMgPerKg = Annotated[
    float,
    _within("mg/kg", 0.0, MOST_MG_PER_KG, remedy="Was an amount in mg meant? 40 mg for 70 kg is 0.57 mg/kg."),
    BeforeValidator(_parser("mg/kg")),
    _writer("mg/kg"),
    _in_file(_DOSE, "0.5 mg/kg"),
]
"""Racemic free base per body weight. [mg/kg]; above 5 is refused as a slip of the unit."""

DurationMin = Annotated[
    float,
    _within(
        "min",
        0.0,
        hours_to_minutes(LONGEST_SESSION_H),
        above=True,
        remedy="A day is the longest; minutes are 'min', hours 'h'.",
    ),
    BeforeValidator(_parser("min")),
    _writer("min"),
    _in_file(_TIME, "40 min"),
]
"""Length of an infusion or a session. [min]; above 24 h is refused, an infusion above 2 h is outside all evidence."""

LongDoseMgPerKg = Annotated[
    float,
    _within("mg/kg", 0.0, 1000.0, remedy="Was an amount in mg meant? 40 mg for 70 kg is 0.57 mg/kg."),
    BeforeValidator(_parser("mg/kg")),
    _writer("mg/kg"),
    _in_file(_DOSE, "0.5 mg/kg"),
]
"""Free base per body weight of a dose that may flow for days. [mg/kg]; what is given within hours is checked there."""

LongDurationMin = Annotated[
    float,
    _within(
        "min",
        0.0,
        hours_to_minutes(LONGEST_H),
        above=True,
        remedy="A week is the longest; minutes are 'min', hours 'h'.",
    ),
    BeforeValidator(_parser("min")),
    _writer("min"),
    _in_file(_TIME, "40 min"),
]
"""Length of an infusion that may run for days. [min]"""

WeightKg = Annotated[
    float,
    _within("kg", 30.0, 250.0),
    BeforeValidator(_parser("kg")),
    _writer("kg"),
    _in_file(_WEIGHT, "78 kg"),
]
"""Body weight of an adult. [kg]"""

WeightSdKg = Annotated[
    float,
    _within("kg", 0.0, 60.0),
    BeforeValidator(_parser("kg")),
    _writer("kg"),
    _in_file(_WEIGHT, "15 kg"),
]
"""Standard deviation of body weight. [kg]"""

AgeY = Annotated[
    float,
    _within("year", 18.0, 90.0),
    BeforeValidator(_parser("year")),
    _writer("year"),
    _in_file(_AGE, "44 years"),
]
"""Age of an adult. [year]"""

AgeSdY = Annotated[
    float,
    _within("year", 0.0, 40.0),
    BeforeValidator(_parser("year")),
    _writer("year"),
    _in_file(_AGE, "10 years"),
]
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
                {"type": "string", "pattern": rf"^{_NUMBER} *(%|percent)?$"},
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
