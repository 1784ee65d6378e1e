"""Random values through every converter and back."""

import math

from hypothesis import given
from hypothesis import strategies as st

from remission.errors import UnitsError
from remission.units import (
    convert,
    format_quantity,
    ng_per_ml_to_umol_per_l,
    parse_quantity,
    umol_per_l_to_ng_per_ml,
)

FINITE = st.floats(allow_nan=False, allow_infinity=False)
USUAL = st.floats(min_value=1e-12, max_value=1e12)
UNITS = st.sampled_from(
    ["mg/kg", "mg", "ug", "kg", "min", "h", "day", "year", "ng/mL", "umol/L", "L", "L/h", "1/h", "g/mol", "mmHg", "1"]
)
PAIRS = st.sampled_from(
    [
        ("min", "h"),
        ("h", "day"),
        ("mg/kg", "ug/kg"),
        ("kg", "lb"),
        ("ng/mL", "mg/L"),
        ("L/h", "mL/min"),
        ("1/h", "1/min"),
    ]
)


@given(value=FINITE, unit=UNITS)
def test_written_text_reads_back_as_the_same_float(value: float, unit: str) -> None:
    """A stored protocol must mean what it meant, to the last bit."""
    assert value == parse_quantity(format_quantity(value, unit), unit)


@given(value=USUAL, pair=PAIRS)
def test_conversion_there_and_back_loses_two_roundings_at_most(value: float, pair: tuple[str, str]) -> None:
    """Each way is an exact factor and one rounding to the nearest float, so the relative error is below 2 * 2**-53."""
    there = convert(value, *pair)
    back = convert(there, pair[1], pair[0])
    assert abs(back - value) <= 2.0 * 2.0**-52 * value


@given(value=USUAL, pair=PAIRS)
def test_parsing_and_converting_agree(value: float, pair: tuple[str, str]) -> None:
    """There is one factor between two units, whichever door is used."""
    assert math.isclose(convert(value, *pair), parse_quantity(f"{value!r} {pair[0]}", pair[1]), rel_tol=2.0**-52)


@given(value=USUAL, molar_mass=st.floats(min_value=1.0, max_value=1000.0))
def test_the_crossing_and_its_inverse_cancel(value: float, molar_mass: float) -> None:
    """Mass and molar concentration: one rounding each way."""
    there = ng_per_ml_to_umol_per_l(value, molar_mass_g_per_mol=molar_mass)
    assert math.isclose(value, umol_per_l_to_ng_per_ml(there, molar_mass_g_per_mol=molar_mass), rel_tol=2.0**-51)


@given(text=st.text(max_size=60), unit=UNITS)
def test_any_text_gives_a_finite_number_or_a_units_error(text: str, unit: str) -> None:
    """Nothing a person can type makes another kind of error."""
    try:
        value = parse_quantity(text, unit)
    except UnitsError:
        return
    assert math.isfinite(value)


@given(
    number=st.from_regex(r"[+-]?[0-9]{0,3}\.?[0-9]{0,3}(e[+-]?[0-9]{1,4})?", fullmatch=True),
    unit=st.from_regex(r"[ a-zA-Z%/*^1-9-]{0,12}", fullmatch=True),
    wanted=UNITS,
)
def test_near_misses_give_a_finite_number_or_a_units_error(number: str, unit: str, wanted: str) -> None:
    """The same, close to what is right: expressions the unit library could stumble over."""
    try:
        value = parse_quantity(f"{number} {unit}", wanted)
    except UnitsError:
        return
    assert math.isfinite(value)
