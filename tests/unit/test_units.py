"""Units at the edge: what is read, what is refused, and that every refusal says what to do."""

import itertools
import subprocess
import sys
from fractions import Fraction

import pytest

from remission import units
from remission.errors import UnitsError
from remission.units import (
    SUFFIXES,
    convert,
    format_quantity,
    ng_per_ml_to_umol_per_l,
    parse_quantity,
    suffix_of,
    umol_per_l_to_ng_per_ml,
)


@pytest.mark.parametrize(
    ("text", "unit", "expected"),
    [
        ("40 min", "min", 40.0),
        ("40min", "min", 40.0),
        ("  40   minutes ", "min", 40.0),
        ("0.1 h", "min", 6.0),
        ("2 hours", "min", 120.0),
        ("90 s", "min", 1.5),
        ("0.5 mg/kg", "mg/kg", 0.5),
        ("500 ug/kg", "mg/kg", 0.5),
        ("500 \u00b5g / kg", "mg/kg", 0.5),
        ("500 \u03bcg/kg", "mg/kg", 0.5),
        ("0.5 mg per kg", "mg/kg", 0.5),
        ("0.0005 g/kg", "mg/kg", 0.5),
        ("0.5 mg kg^-1", "mg/kg", 0.5),
        ("180 lb", "kg", 81.6466266),
        ("44.07 years", "year", 44.07),
        ("2 weeks", "day", 14.0),
        ("150 ng/mL", "ng/mL", 150.0),
        ("0.15 mg/L", "ng/mL", 150.0),
        ("1.48 L/min", "L/h", 88.8),
        ("0.114 1/min", "1/h", 6.84),
        ("0.114 /min", "1/h", 6.84),
        ("35 %", "1", 0.35),
        ("35 percent", "1", 0.35),
        ("0.35", "1", 0.35),
        ("-40 min", "min", -40.0),
        ("1e-3 mg", "ug", 1.0),
    ],
)
def test_text_with_a_unit_becomes_the_canonical_number(text: str, unit: str, expected: float) -> None:
    """Files, command line and web meet the program here; conversions are exact but for one rounding."""
    assert expected == parse_quantity(text, unit)


@pytest.mark.parametrize(
    ("text", "unit", "remedy"),
    [
        ("40 m", "min", "minutes are 'min'"),
        ("40 M", "min", "minutes are 'min'"),
        ("40", "min", "40 min"),
        ("min", "min", "Begin with a number"),
        ("", "min", "Begin with a number"),
        ("nan min", "min", "finite"),
        ("-inf min", "min", "finite"),
        ("1e999 min", "min", "too large"),
        ("1e308 h", "min", "too large"),
        ("1e9999 min", "min", "not known"),
        ("1,5 mg/kg", "mg/kg", "point, not a comma"),
        ("40 mg", "mg/kg", "0.5 mg/kg"),
        ("0.5 mg/kg", "mg", "35 mg"),
        ("0.5 mg/g", "mg/kg", "measures something else"),
        ("0.5", "mg/kg", "Write the unit"),
        ("50 %", "mg/kg", "measures something else"),
        ("1 mg/g", "1", "measures something else"),
        ("20 degC", "min", "Temperatures"),
        ("6 months", "day", "write days"),
        ("70 KG", "kg", "Did you mean kg?"),
        ("70 kgg", "kg", "Did you mean kg"),
        ("3 mg^9", "mg", "cannot be read"),
        ("3 mg//kg", "mg/kg", "cannot be read"),
        ("3 mg; 4", "mg", "cannot be read"),
        ("0.3 umol/L", "ng/mL", "measures something else"),
        ("1" * 100 + " mg", "mg", "Begin with a number"),
    ],
)
def test_what_is_no_quantity_of_that_kind_is_refused_with_a_remedy(text: str, unit: str, remedy: str) -> None:
    """A guessed unit is a wrong dose; the message must let the writer correct it."""
    with pytest.raises(UnitsError) as caught:
        parse_quantity(text, unit, where="arms[0].dose")
    assert caught.value.where == "arms[0].dose"
    assert remedy in caught.value.remedy
    assert repr(text[:80]) == caught.value.got


def test_a_dose_per_body_weight_is_never_a_ratio() -> None:
    """With body weight as a mass, 0.5 mg/kg would be the pure number 5e-7 and pass for a share."""
    with pytest.raises(UnitsError):
        parse_quantity("0.5 mg/kg", "1")
    with pytest.raises(UnitsError):
        convert(1.0, "mg/kg", "1")
    with pytest.raises(UnitsError):
        convert(70.0, "kg", "mg")


def test_no_unit_has_an_offset_and_no_prefix_is_read_into_a_name() -> None:
    """Degrees Celsius, kilo-minutes or a Planck constant would convert to nonsense without a word."""
    for text in ("1 degC", "1 kmin", "1 mh", "1 planck_constant", "1 hbar", "1 e", "1 K"):
        with pytest.raises(UnitsError):
            parse_quantity(text, "min")
    assert convert(1.0, "h", "min") == 60.0


def test_an_unknown_wish_and_a_number_that_is_not_finite_are_refused() -> None:
    """A wrong unit in our own code must not pass silently either."""
    with pytest.raises(UnitsError) as caught:
        parse_quantity("1 min", "parsec")
    assert caught.value.where == "unit"
    for value in (float("nan"), float("inf")):
        with pytest.raises(UnitsError):
            convert(value, "h", "min")
        with pytest.raises(UnitsError):
            format_quantity(value, "min")
    with pytest.raises(UnitsError):
        convert(1e308, "h", "min")


@pytest.mark.parametrize(
    ("value", "unit", "expected"),
    [
        (40.0, "min", "40 min"),
        (0.8, "mg/kg", "0.8 mg/kg"),
        (1.0, "day", "1 day"),
        (7.0, "day", "7 days"),
        (44.07, "year", "44.07 years"),
        (0.35, "1", "0.35"),
        (1e22, "mg", "1e+22 mg"),
    ],
)
def test_a_quantity_is_written_as_short_as_it_can_be_read(value: float, unit: str, expected: str) -> None:
    """People read these in files, labels and messages."""
    assert expected == format_quantity(value, unit)


def test_each_concentration_is_crossed_by_one_function() -> None:
    """What passes between layers is converted in one place."""
    assert ng_per_ml_to_umol_per_l(475.4, molar_mass_g_per_mol=237.7) == 2.0
    assert umol_per_l_to_ng_per_ml(2.0, molar_mass_g_per_mol=237.7) == 475.4


def test_the_longest_ending_of_a_name_is_its_unit() -> None:
    """dose_mg_per_kg must not be read as kilograms: the table is searched from long to short."""
    assert suffix_of("occupancy") is None
    assert suffix_of("dose_mg_per_kg") == "mg_per_kg"
    assert sorted(SUFFIXES, key=len, reverse=True) == sorted(SUFFIXES, key=lambda name: -len(name))
    for index, name in enumerate(SUFFIXES):
        assert all(not name.endswith("_" + earlier) for earlier in list(SUFFIXES)[:index])
        assert name == suffix_of("x_" + name)


def test_a_text_in_the_canonical_unit_does_not_load_the_unit_library() -> None:
    """It takes half a second to load; reading a built-in protocol must not pay it."""
    code = "import sys, remission.units as u; u.parse_quantity('40 min', 'min'); sys.exit('pint' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_single_names_are_converted_as_the_unit_library_converts_them() -> None:
    """Hours become minutes without it: a second way to one number."""
    sizes, registry = units._sizes(), units._registry()
    assert sizes["h"] == ("second", Fraction(3600))
    assert "percent" not in sizes
    for (one, (base, size)), (other, (same, by)) in itertools.product(sizes.items(), sizes.items()):
        if base == same:
            assert registry.convert(Fraction(1), registry.parse_units(one), registry.parse_units(other)) == size / by


def test_all_trials_of_the_library_are_read_without_the_unit_library() -> None:
    """It was loaded for a single infusion that is written in hours, whenever the page of trials was first asked for."""
    code = (
        "import sys\n"
        "from remission.library.protocols import list_published\n"
        "assert len(list_published()) > 5\n"
        "sys.exit('pint' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
