"""Number types of the records: text with a unit at the edge, a plain float in one canonical unit inside.

``DoseMgPerKg`` accepts ``"0.5 mg/kg"`` (files, command line) or ``0.5`` (Python, where the field name carries the unit).
When records are read from a file the validation context sets ``units_required`` and a bare number is refused.
"""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, ValidationInfo

from remission.errors import UnitsError
from remission.units import format_quantity, parse_quantity

__all__ = ["AgeY", "Day", "DoseMgPerKg", "DurationMin", "Fraction", "WeightKg"]


def _parser(unit: str) -> Callable[[Any, ValidationInfo], Any]:
    def parse(value: Any, info: ValidationInfo) -> Any:
        if isinstance(value, str):
            return parse_quantity(value, unit)
        if isinstance(value, int | float) and not isinstance(value, bool) and (info.context or {}).get("units_required"):
            raise UnitsError(
                where="value",
                got=value,
                allowed=f"a number with its unit, for example '{value} {unit}'",
                remedy="Write the unit after the number.",
            )
        return value

    return parse


def _writer(unit: str) -> PlainSerializer:
    def write(value: float, info: Any) -> Any:
        return format_quantity(value, unit) if (info.context or {}).get("with_units") else value

    return PlainSerializer(write)


DoseMgPerKg = Annotated[float, BeforeValidator(_parser("mg/kg")), Field(ge=0.0, le=5.0), _writer("mg/kg")]
"""Racemic free base per body weight. [mg/kg]; above 5 is refused: no addiction trial and no anaesthetic label goes there."""

DurationMin = Annotated[float, BeforeValidator(_parser("min")), Field(gt=0.0, le=1440.0), _writer("min")]
"""Length of an infusion or a session. [min]; above 24 h is refused, above 2 h is outside all evidence."""

WeightKg = Annotated[float, BeforeValidator(_parser("kg")), Field(ge=30.0, le=250.0), _writer("kg")]
"""Body weight of an adult. [kg]"""

AgeY = Annotated[float, BeforeValidator(_parser("year")), Field(ge=18.0, le=90.0), _writer("year")]
"""Age of an adult. [year]"""

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
"""A share between 0 and 1. [dimensionless]"""

Day = Annotated[int, Field(strict=True, ge=0, le=1825)]
"""A study day; 0 is the first planned contact. [day]"""
