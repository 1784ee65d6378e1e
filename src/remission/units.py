"""Units: the one door between text with a unit and a plain float in a canonical unit.

Canonical units: drug amount ug in mechanisms and mg in records, volume L, so concentration ug/L = ng/mL; body weight
kg; time of a session h, time of a course day. Inside the package a number is a plain float whose **name** ends in its
unit (``conc_ng_per_ml``); :data:`SUFFIXES` is the table of those endings.

The unit library (pint) is used here only, with a short list of units of our own (``units.toml``):

- Body weight is a dimension of its own, so ``mg/kg`` is a dose per body weight and never a ratio of two masses.
- Only the listed names exist: ``min`` is minutes and ``m`` is refused, ``h`` is hours and not a physical constant, and
  no prefix is read into a name.
- No unit has an offset (degrees Celsius), so every conversion is one exact rational factor.

Conversions are computed with fractions and rounded once, to the nearest float.
"""

import re
from fractions import Fraction
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final, TypeVar

import numpy as np
import numpy.typing as npt
import tomli

from remission.errors import UnitsError, did_you_mean

if TYPE_CHECKING:
    import pint

_Number = TypeVar("_Number", float, npt.NDArray[np.float64])

_WORDS: Final = tomli.loads(files("remission").joinpath("units.toml").read_text(encoding="utf-8"))
_DEFINITIONS: Final[list[str]] = _WORDS["definitions"].strip().splitlines()
_PLURAL: Final[dict[str, str]] = _WORDS["plural"]
_NAMES: Final = tuple(
    dict.fromkeys(
        name.strip()
        for line in _DEFINITIONS
        for index, name in enumerate(line.split("="))
        if index != 1 and "_of_" not in name
    )
)

_NUMBER: Final = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3}(?![0-9]))?"
_QUANTITY: Final = re.compile(rf"({_NUMBER})[ \t]*(.*)", re.DOTALL)
_UNIT: Final = re.compile(r"1?/?[A-Za-z]+(?:\^-?[1-3])?(?:[ */][A-Za-z]+(?:\^-?[1-3])?){0,5}")
_LONGEST: Final = 80


def parse_quantity(text: str, unit: str, *, where: str = "value") -> float:
    """The number that ``text`` means, in ``unit``.

    A text already in ``unit`` is read as its own nearest float; another unit of the same dimension is converted exactly
    and rounded once.

    Parameters
    ----------
    text
        A number and its unit, ``"40 min"``, ``"0.5 mg/kg"``. Decimal point, no thousands separators.
    unit
        The canonical unit asked for. ``"1"`` asks for a share and reads ``"0.35"`` and ``"35 %"``.
    where
        Field path for the error message.

    Raises
    ------
    UnitsError
        No number, no unit, an unknown unit, or a unit of another dimension.
    """
    target = _tidy(unit)
    stripped = text.strip()
    match = _QUANTITY.fullmatch(stripped) if len(stripped) <= _LONGEST else None
    if match is None:
        raise _refusal(text, target, where, remedy=_number_remedy(stripped))
    digits, given = match.group(1), _tidy(match.group(2))
    if not given:
        if target != "1":
            raise _refusal(text, target, where, remedy=f"Write the unit after the number: '{digits} {target}'.")
        given = "1"
    if given in {target, _PLURAL.get(target)}:
        value = float(digits)
    else:
        value = _rounded(Fraction(digits) * _factor(given, target, text=text, where=where))
    if not np.isfinite(value):
        raise _refusal(text, target, where, remedy="The number is too large.")
    return value


def format_quantity(value: float, unit: str) -> str:
    """The shortest text that :func:`parse_quantity` reads back as the same float, which must be finite.

    Examples
    --------
    >>> format_quantity(40.0, "min")
    '40 min'
    """
    number = float(value)
    if not np.isfinite(number):
        raise UnitsError(where="value", got=number, allowed="a finite number")
    digits = repr(number)
    digits = digits.removesuffix(".0")
    if unit == "1":
        return digits
    return f"{digits} {unit if number == 1.0 else _PLURAL.get(unit, unit)}"


def convert(value: float, from_unit: str, to_unit: str) -> float:
    """``value`` in another unit of the same dimension, exact but for one rounding; else a UnitsError."""
    number = float(value)
    source, target = _tidy(from_unit), _tidy(to_unit)
    if not np.isfinite(number):
        raise UnitsError(where="value", got=number, allowed="a finite number")
    shown = f"{number!r} {source}"
    result = _rounded(Fraction(number) * _factor(source, target, text=shown, where="value"))
    if not np.isfinite(result):
        raise UnitsError(where="value", got=shown, allowed=f"a number that stays finite in {target}")
    return result


def minutes_to_hours(t_min: _Number) -> _Number:
    """Minutes, as people write them, as hours of the session clock. [h]"""
    return t_min / 60.0


def hours_to_minutes(t_h: _Number) -> _Number:
    """Hours of the session clock as minutes, as people read them. [min]"""
    return t_h * 60.0


def ng_per_ml_to_umol_per_l(conc_ng_per_ml: _Number, *, molar_mass_g_per_mol: float) -> _Number:
    """Molar concentration from mass concentration: ng/mL = ug/L, and ug over g/mol is umol. [umol/L]"""
    return conc_ng_per_ml / molar_mass_g_per_mol


def umol_per_l_to_ng_per_ml(conc_umol_per_l: _Number, *, molar_mass_g_per_mol: float) -> _Number:
    """Mass concentration from molar concentration; the inverse of :func:`ng_per_ml_to_umol_per_l`. [ng/mL]"""
    return conc_umol_per_l * molar_mass_g_per_mol


SUFFIXES: Final = (
    "mmhg_per_ng_per_ml", "l_per_h_per_kg", "points", "mg_per_kg", "ug_per_kg", "mg_per_h", "ug_per_h", "ng_per_ml",
    "ng_h_per_ml", "umol_per_l", "g_per_mol", "l_per_h", "l_per_kg", "per_day", "per_min", "per_h", "mmhg", "days",
    "day", "min", "deg", "mi", "mg", "ug", "kg", "h", "l", "y", "s",
)  # fmt: skip
"""Units at the end of a name, the longer before the shorter: ``dose_mg_per_kg`` is no mass."""


def suffix_of(name: str) -> str | None:
    """The unit ending of a name as written in :data:`SUFFIXES`, or None for a dimensionless name.

    Examples
    --------
    >>> suffix_of("conc_ng_per_ml"), suffix_of("occupancy")
    ('ng_per_ml', None)
    """
    for suffix in SUFFIXES:
        if name == suffix or name.endswith("_" + suffix):
            return suffix
    return None


def _rounded(value: Fraction) -> float:
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _tidy(unit: str) -> str:
    text = unit.strip().replace("\u00b5", "u").replace("\u03bc", "u").replace("\u00b7", "*")
    text = re.sub(r"\s+per\s+", "/", text)
    text = re.sub(r"\s*([*/])\s*", r"\1", text)
    return text[:_LONGEST]


@lru_cache(maxsize=1)
def _registry() -> "pint.UnitRegistry[Any]":
    import pint  # half a second to import, so only when a unit has to be converted

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(None, non_int_type=Fraction)
    for line in _DEFINITIONS:
        registry.define(line)
    return registry


@lru_cache(maxsize=256)
def _unit_of(unit: str) -> "pint.Unit | None":
    import pint

    if unit == "1":
        return _registry().parse_units("")
    text = "percent" if unit == "%" else "1" + unit if unit.startswith("/") else unit
    if _UNIT.fullmatch(text) is None:
        return None
    try:
        return _registry().parse_units(text)
    except (pint.PintError, ValueError):
        return None


@lru_cache(maxsize=1)
def _sizes() -> dict[str, tuple[str, Fraction]]:
    """Of each single name, the unit of its dimension and how many of it one is: our own are numbers times a name."""
    found: dict[str, tuple[str, Fraction]] = {}
    for line in _DEFINITIONS:
        name, size, *others = (part.strip() for part in line.split("="))
        number, _, unit = (part.strip() for part in size.partition("*"))
        if size.startswith("["):
            one = name, Fraction(1)
        elif unit:
            one = found[unit][0], Fraction(number) * found[unit][1]
        else:
            continue
        found |= dict.fromkeys((name, *others), one)
    return found


def _factor(source: str, target: str, *, text: str, where: str) -> Fraction:
    # Minutes from hours need no unit library, which takes a tenth of a second to load.
    given, wanted = _sizes().get(source), _sizes().get(target)
    if given is not None and wanted is not None and given[0] == wanted[0]:
        return given[1] / wanted[1]
    to_unit = _unit_of(target)
    if to_unit is None:
        raise UnitsError(where="unit", got=target, allowed="a unit the program knows", remedy=_near(target))
    from_unit = _unit_of(source)
    if from_unit is None:
        raise _refusal(text, target, where, remedy=_near(source))
    # Two amounts in a ratio would pass for a plain share.
    is_ratio = target == "1" and source not in {"1", "%", "percent"}
    if is_ratio or from_unit.dimensionality != to_unit.dimensionality:
        raise _refusal(text, target, where, remedy=_dimension_remedy(source, target))
    factor = _registry().convert(Fraction(1), from_unit, to_unit)
    return Fraction(factor)


def _refusal(text: str, target: str, where: str, *, remedy: str) -> UnitsError:
    words, example = _WORDS["asked"].get(target, (f"a quantity in {target}", f"1 {target}"))
    return UnitsError(
        where=where, got=repr(text[:_LONGEST]), allowed=f"{words} with its unit, such as '{example}'", remedy=remedy
    )


def _number_remedy(text: str) -> str:
    if re.match(r"[+-]?\.?(nan|inf)", text, re.IGNORECASE):
        return "A number must be finite."
    return "Begin with a number."


def _near(unit: str) -> str:
    if unit.startswith(","):
        return "Write the decimals after a point, not a comma."
    for name in re.findall(r"[A-Za-z]+|%", unit):
        if name in _WORDS["mix_ups"]:
            return str(_WORDS["mix_ups"][name])
        if name not in _NAMES and name.removesuffix("s") not in _NAMES:
            return f"The unit '{name}' is not known here. {_meant(name)}".strip()
    return f"The unit '{unit}' cannot be read; write it like mg/kg or ng/mL."


def _meant(name: str) -> str:
    """What was meant where that is safe: a letter more or less is another unit, so only case and doubled letters."""
    plain = re.sub(r"(.)\1+", r"\1", name.lower())
    same = [known for known in _NAMES if re.sub(r"(.)\1+", r"\1", known.lower()) == plain]
    return f"Did you mean {' or '.join(same)}?" if same else did_you_mean(name, [one for one in _NAMES if len(one) > 4])


def _dimension_remedy(source: str, target: str) -> str:
    if target == "mg/kg" and source in {"mg", "milligram", "milligrams"}:
        return "The dose is per body weight here: 35 mg for 70 kg is '0.5 mg/kg'."
    if target == "mg" and source == "mg/kg":
        return "The amount is wanted here: 0.5 mg/kg for 70 kg is '35 mg'."
    return f"A value in '{source}' measures something else."
