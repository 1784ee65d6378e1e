"""What people type at a form: lengths, pressures, heights and doses, and slips in them."""

from typing import Annotated

import pytest
from pydantic import BaseModel, Field, ValidationError

from remission.errors import SpecError
from remission.records.faults import located_faults
from remission.records.typed import read_height_cm, read_minutes, read_number, read_pressure_mmhg, tidy


@pytest.mark.parametrize(
    ("text", "meant"), [("178 m", "178 cm"), ("1.78 cm", "1.78 m"), ("70 cm", "70 in"), ("900 cm", ""), ("5 cm", "")]
)
def test_a_height_in_a_wrong_unit_is_doubted_and_only_then(text: str, meant: str) -> None:
    """A guess where nothing fits would send a tired reader to a second wrong number."""
    with pytest.raises(SpecError) as caught:
        read_height_cm(text, where="height")
    assert caught.value.remedy == (f"Was {meant} meant?" if meant else "")


@pytest.mark.parametrize("text", ["12 in 5 ft", "5 ft 10 ft", "5 ft 13 in", "5 ft -3 in", "178 parsec", ""])
def test_parts_of_a_length_go_down_in_size(text: str) -> None:
    """What does not reads as a slip, not as a sum."""
    with pytest.raises(SpecError, match="height"):
        read_height_cm(text, where="height")


@pytest.mark.parametrize("text", ["high", "120//80", "mmHg 120", "120/80/60", ""])
def test_what_is_no_pressure_is_refused(text: str) -> None:
    """A part of it taken for the whole would be a pressure that nobody measured."""
    with pytest.raises(SpecError, match="120/80"):
        read_pressure_mmhg(text, where="systolic")


def test_texts_and_numbers_without_end_are_refused_at_once() -> None:
    """A pasted page, or a number too large for a float, is no dose and costs no time."""
    with pytest.raises(SpecError, match="at most"):
        tidy("9" * 100_000, where="dose")
    assert tidy("9" * 80, where="dose") == "9" * 80
    for text in ("1e999", "9e308 h"):
        with pytest.raises(SpecError):
            read_minutes(text)
    with pytest.raises(SpecError):
        read_number("1e999", where="pulse", units={"/min": 1.0}, what="a heart rate")


class Rate(BaseModel):
    """A dose in a time."""

    mg_per_h: float


class Bolus(BaseModel):
    """A dose at once."""

    mg: float


class Given(BaseModel):
    """What may be of either kind, one in each place."""

    parts: dict[str, Rate | Bolus]
    more: tuple[Annotated[Rate | Bolus, Field(description="either")], ...] = ()
    one: Rate | Bolus | None = None


def test_the_place_of_a_fault_is_that_of_the_file() -> None:
    """A name of our own code in the place would be looked for in the file in vain."""
    with pytest.raises(ValidationError) as caught:
        Given.model_validate({"parts": {"Rate": {"mg_per_h": "x"}}, "more": [{"mg": "z"}, 3], "one": {"mg": "y"}})
    places = {place for place, _ in located_faults(caught.value, Given)}
    assert {("one", "mg"), ("parts", "Rate", "mg_per_h"), ("more", 0, "mg"), ("more", 1)} <= places
    assert not any("Bolus" in map(str, place) for place in places)
