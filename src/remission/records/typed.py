"""Numbers as people write them in a field: a decimal comma, both signs for micro, feet and inches, 120/80, 0:40.

A field knows which unit it wants, so a bare number is taken for that unit and every usual spelling of the unit is read.
What can be read in two ways is refused with both: ``1,000`` is a thousand or one. Conversions are exact factors.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite

from remission.errors import SpecError
from remission.records.packaged import packaged_toml

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_LONGEST = 80
_SIGNS = str.maketrans(
    {
        "\u00b5": "u", "\u03bc": "u", "\u2212": "-", "\u2013": "-", "\u2044": "/", "\u2215": "/", "\u00b7": " ",
        "\u2019": "'", "\u2018": "'", "\u2032": "'", "\u2033": '"', "\u201d": '"', "\u201c": '"', "\u00a0": " ",
        "\u2009": " ", "\u202f": " ", "\u2007": " ", "\u066b": ",", "\u207b": "-", "\u00b9": "1",
    }
)  # fmt: skip

_TIME_MIN, _WEIGHT_KG, _HEIGHT_CM, _PRESSURE_MMHG, _DRUG_MG, _PER_H = (
    {word: factor for factor, words in packaged_toml("words", "units.toml")[name] for word in words}
    for name in ("time_min", "weight_kg", "height_cm", "pressure_mmhg", "drug_mg", "per_h")
)
_SMALLER = {"ft": "in", "foot": "in", "feet": "in", "'": "in", "st": "lb", "stone": "lb", "h": "min", "m": "cm"}
_DRUG = "|".join(sorted(_DRUG_MG, key=len, reverse=True))
_KG = r"(?:/|\s+per\s+)\s*(?:kg|kilo|kilogram)(?:\s*(?:bw|body weight))?"
_DOSE = re.compile(
    rf"({_NUMBER})\s*({_DRUG})\s*({_KG})?"
    r"(?:\s*(?:/|per)\s*(h|hr|hour|min|minute)(?![a-z]))?"
    r"(?:\s*(?:/|,?\s*over|,?\s*in|,?\s*for|,?\s*during|,?\s*en)\s*([0-9].*))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedDose:
    """A dose as written: an amount, perhaps per body weight, perhaps a rate, perhaps with its length.

    amount_mg
        In mg, or mg for each kg, or either for each hour. [mg]
    """

    amount_mg: float
    is_per_kg: bool
    is_per_h: bool
    duration_min: float | None


def tidy(text: str, *, where: str) -> str:
    r"""A text in plain signs with decimal points.

    Raises SpecError: a number can be read in two ways: ``1,000``, ``1.000,5``.

    Examples
    --------
    >>> tidy("82,5\u00a0kg", where="weight"), tidy("12.5\u00b5g", where="dose"), tidy("12.5\u03bcg", where="dose")
    ('82.5 kg', '12.5ug', '12.5ug')
    """
    plain = " ".join(text[: _LONGEST + 1].translate(_SIGNS).split())
    if len(plain) > _LONGEST:
        raise SpecError(where=where, got=plain[:_LONGEST] + "...", allowed=f"at most {_LONGEST} signs")

    def point(found: re.Match[str]) -> str:
        number = found[0]
        whole, _, decimals = number.partition(",")
        is_plain = "," not in decimals and "." not in number and decimals
        if not is_plain or (len(decimals) == 3 and whole.lstrip("+-") not in {"", "0"}):
            thousands = number.replace(",", "").replace(".", "")
            raise SpecError(
                where=where,
                got=text,
                allowed="a number that can be read in one way only",
                remedy=f"Write {thousands} or {number.replace(',', '.')}: decimals after a point, none for thousands.",
            )
        return f"{whole or '0'}.{decimals}"

    return re.sub(r"[0-9.]*[0-9](?:,[0-9.,]*[0-9])+|(?<![0-9]),[0-9]+", point, plain)


def read_number(text: str, *, where: str, units: Mapping[str, float] | None = None, what: str = "a number") -> float:
    """A number, bare or with one of the units.

    Raises SpecError: it is none, or has another unit.

    Examples
    --------
    >>> read_number("72 bpm", where="pulse", units={"bpm": 1.0})
    72.0
    """
    known = {name.lower(): factor for name, factor in (units or {}).items()}
    names = "|".join(re.escape(name) for name in sorted(known, key=len, reverse=True))
    found = re.fullmatch(rf"({_NUMBER})\s*({names or '(?!)'})?", tidy(text, where=where).lower())
    value = float("nan") if found is None else _scaled(found[1], known[found[2]] if found[2] else 1.0)
    if not isfinite(value):
        raise SpecError(where=where, got=text, allowed=_allowed(what, units or {}))
    return value


def read_count(text: str, *, where: str, words: tuple[str, ...] = ()) -> int:
    """A whole number, as ``3`` or ``3 sessions``.

    Raises SpecError: it is none.
    """
    found = re.fullmatch(rf"([0-9]{{1,20}})\s*({'|'.join(map(re.escape, words)) or '(?!)'})?", tidy(text, where=where))
    if found is None:
        raise SpecError(where=where, got=text, allowed="a whole number")
    return int(found[1])


def read_weight_kg(text: str, *, where: str = "weight") -> float:
    """A body weight. [kg]

    Raises SpecError: it is none.

    Examples
    --------
    >>> [round(read_weight_kg(one), 3) for one in ("82", "82,5 kg", "180 lb", "12 st 8 lb")]
    [82.0, 82.5, 81.647, 79.832]
    """
    return _single(
        text, _WEIGHT_KG, bare="kg", where=where, allowed="a body weight such as 82 kg, 180 lb or 12 st 8 lb"
    )


def read_height_cm(text: str, *, where: str = "height") -> float:
    r"""A body height; a bare number is taken for what it can only be. [cm]

    Raises SpecError: it is none, or not that of an adult.

    Examples
    --------
    >>> [round(read_height_cm(one), 2) for one in ("178", "1,78 m", "5'10\"", "5 ft 10", "70 in", "1.78", "1m78")]
    [178.0, 178.0, 177.8, 177.8, 177.8, 178.0, 178.0]
    """
    allowed = "a height from 120 to 230 cm, as 178 cm, 1.78 m or 5 ft 10 in"
    plain = tidy(text, where=where)
    bare = "m" if re.fullmatch(_NUMBER, plain) and 1.2 <= float(plain) <= 2.3 else "cm"
    height = _single(text, _HEIGHT_CM, bare=bare, where=where, allowed=allowed)
    if 120.0 - 1e-9 <= height <= 230.0 + 1e-9:
        return height
    number = re.match(_NUMBER, plain)
    meant = ""
    for unit in ("cm", "m", "in"):
        if number and 120.0 <= float(number[0]) * _HEIGHT_CM[unit] <= 230.0:
            meant = f"Was {number[0]} {unit} meant?"
            break
    raise SpecError(where=where, got=text, allowed=allowed, remedy=meant)


def read_minutes(text: str, *, where: str = "minutes") -> float:
    """A length of time. [min]

    Raises SpecError: it is none; ``40:00`` may be minutes or hours.

    Examples
    --------
    >>> [read_minutes(one) for one in ("40", "40 min", "0:40", "1 h 10 min", "1h10", "1,5 h", "90 s")]
    [40.0, 40.0, 40.0, 70.0, 70.0, 90.0, 1.5]
    """
    plain = tidy(text, where=where)
    clock = re.fullmatch(r"([0-9]{1,2}):([0-5][0-9])(?::([0-5][0-9]))?", plain)
    if clock is not None:
        if int(clock[1]) >= 10 and clock[3] is None:
            raise SpecError(
                where=where, got=text, allowed="a length of time that can be read in one way only",
                remedy=f"Write {int(clock[1])} min or {int(clock[1])} h: h:mm is read as hours and minutes.",
            )  # fmt: skip
        return int(clock[1]) * 60.0 + int(clock[2]) + int(clock[3] or 0) / 60.0
    return _single(
        text, _TIME_MIN, bare="min", where=where, allowed="a length of time such as 40, 40 min, 0:40 or 1.5 h"
    )


def read_pressure_mmhg(text: str, *, where: str) -> tuple[float, float | None]:
    """A pressure, or both as ``120/80``: what stands first, and what stands second. [mmHg]

    Raises SpecError: it is none.

    Examples
    --------
    >>> read_pressure_mmhg("140 mm Hg", where="systolic"), read_pressure_mmhg("120/80", where="systolic")
    ((140.0, None), (120.0, 80.0))
    >>> read_pressure_mmhg("16 kPa", where="systolic")[0].__round__(1)
    120.0
    """
    plain = tidy(text, where=where).lower().replace("mm hg", "mmhg")
    found = re.fullmatch(
        rf"({_NUMBER})\s*(mmhg|torr|kpa)?(?:\s*(?:/|over|sobre)\s*({_NUMBER})\s*(mmhg|torr|kpa)?)?", plain
    )
    if found is None:
        raise SpecError(where=where, got=text, allowed="a pressure in mmHg, as 140, 140 mmHg or 120/80")
    unit = found[2] or found[4] or "mmhg"
    factor = _PRESSURE_MMHG[unit]
    first, second = float(found[1]), float(found[3]) if found[3] else None
    if second is not None and factor == 1.0 and 5.0 <= second < first <= 26.0:
        raise SpecError(
            where=where, got=text, allowed="a pressure in mmHg, as 120/80",
            remedy=f"Was {first * 10:g}/{second * 10:g} mmHg meant?",
        )  # fmt: skip
    return first * factor, None if second is None else second * (_PRESSURE_MMHG[found[4]] if found[4] else factor)


def read_rate_per_h(text: str, *, where: str) -> float:
    """A rate with its unit; nothing stands in for one that is not given. [1/h]

    Raises SpecError: it is none, or has no unit.

    Examples
    --------
    >>> read_rate_per_h("3/h", where="assume_ka"), read_rate_per_h("0,05 per minute", where="assume_ka")
    (3.0, 3.0)
    """
    plain = tidy(text, where=where).lower()
    found = re.fullmatch(rf"({_NUMBER})\s*1?\s*(?:/|per)\s*(h|hr|hour|min|minute)", plain)
    if found is None:
        found = re.fullmatch(rf"({_NUMBER})\s*(h|hr|min) ?\^?-1", plain)
    if found is None:
        meant = f"Was {plain}/h meant?" if re.fullmatch(_NUMBER, plain) else ""
        raise SpecError(where=where, got=text, allowed="a rate with its unit, as N/h or N/min", remedy=meant)
    return float(found[1]) * _PER_H[found[2]]


def read_share(text: str, *, where: str, is_bare_percent: bool = False) -> float:
    """A share of one from ``0.9``, ``90%`` or ``90 of 100``; a bare number above 1 is refused or read as percent.

    Raises SpecError: it is none.

    Examples
    --------
    >>> (
    ...     read_share("0,9", where="share"),
    ...     read_share("90%", where="share"),
    ...     read_share("90", where="share", is_bare_percent=True),
    ... )
    (0.9, 0.9, 0.9)
    """
    plain = tidy(text, where=where).lower()
    found = re.fullmatch(rf"({_NUMBER})\s*(%|percent|per cent|of 100|in 100|/\s*100)?", plain)
    value = float(found[1]) if found else -1.0
    if found and (found[2] or (is_bare_percent and value >= 2.0)):
        value /= 100.0
    if not 0.0 <= value <= 1.0:
        raise SpecError(where=where, got=text, allowed="a share of at most 1, as 0.9 or 90%")
    return value


def read_dose(text: str, *, where: str = "dose") -> TypedDose | None:
    r"""A dose with its unit: ``0.5 mg/kg``, ``35 mg``, ``12.5 ug/kg/min``, ``0.5mg/kg/40min``; None where it is none.

    Raises SpecError: a number can be read in two ways, or the length behind it is none.

    Examples
    --------
    >>> read_dose("0,5 mg/kg over 40 min")
    TypedDose(amount_mg=0.5, is_per_kg=True, is_per_h=False, duration_min=40.0)
    >>> read_dose("12.5\u03bcg/kg/min").amount_mg
    0.75
    >>> read_dose("0.5") is None
    True
    """
    plain = tidy(text, where=where)
    plain = re.sub(r"\s*(?:of )?(?:racemic )?ketamine$", "", plain, flags=re.IGNORECASE)
    # 0.5 mg kg-1 h-1, as papers write it.
    plain = re.sub(r"\s+(kg|h|hr|min)\s?\^?-1", r"/\1", plain)
    found = _DOSE.fullmatch(plain) or _DOSE.fullmatch(plain.lower())
    if found is None:
        return None
    number, unit, per_kg, per_time, length = found.groups()
    rate = _PER_H[per_time] if per_time else 1.0
    # One rounding of the whole factor keeps 12.5 ug/kg/min and 12.5 mcg/kg/min the same number as 0.75 mg/kg/h.
    return TypedDose(
        amount_mg=_scaled(number, _DRUG_MG[unit], rate),
        is_per_kg=per_kg is not None,
        is_per_h=per_time is not None,
        duration_min=None if length is None else read_minutes(length, where=where),
    )


def _scaled(number: str, *factors: float) -> float:
    """The number times the factors, rounded once; infinite where it is too large for a float."""
    value = Fraction(number)
    for factor in factors:
        value *= Fraction(repr(factor))
    try:
        return float(value)
    except OverflowError:
        return float("inf")


def _single(text: str, units: Mapping[str, float], *, bare: str, where: str, allowed: str) -> float:
    """A sum of parts that go down in size, ``5 ft 10 in``; the last unit may be left out."""
    plain = tidy(text, where=where)
    total, last, rest = 0.0, "", plain
    n_parts = 0
    while rest:
        part = re.match(rf"({_NUMBER})\s*([^0-9\s.+-]*)\s*", rest)
        unit = "" if part is None else part[2].removesuffix(".")
        unit = unit if unit in units else unit.lower()
        if part is None or (unit and unit not in units) or (n_parts and part[1][0] in "+-"):
            raise SpecError(where=where, got=text, allowed=allowed)
        if not unit:
            unit = _SMALLER.get(last, "") if n_parts else bare
        factor = units.get(unit, 1.0 if not n_parts and not unit else 0.0)
        value = _scaled(part[1], factor)
        if factor == 0.0 or (n_parts and (factor >= units[last] or value >= units[last])):
            raise SpecError(where=where, got=text, allowed=allowed)
        total, last, rest = total + value, unit, rest[part.end() :]
        n_parts += 1
    if not n_parts or total in {float("inf"), float("-inf")}:
        raise SpecError(where=where, got=text, allowed=allowed)
    return total


def _allowed(what: str, units: Mapping[str, float]) -> str:
    return f"{what}, bare or in {next(iter(units))}" if units else what
