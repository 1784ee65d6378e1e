"""Parameters and parameter sets keep their promises."""

import pytest

from remission.errors import LibraryError, SpecError
from remission.records.parameter import Grade, Parameter, ParameterSet


def _parameter(**changes: object) -> Parameter:
    fields: dict[str, object] = {
        "id": "cl_l_per_h",
        "symbol": "CL",
        "value": 60.0,
        "unit": "L/h",
        "grade": "measured",
        "source": "remission",
    }
    return Parameter.from_dict({**fields, **changes})


def _set(*parameters: Parameter) -> ParameterSet:
    return ParameterSet.create(id="toy", title="Toy", parameters=parameters)


def test_a_parameter_cannot_be_changed() -> None:
    """A number that moves after it was recorded makes the record a lie."""
    with pytest.raises(ValueError, match="frozen"):
        _parameter().value = 1.0  # type: ignore[misc] # the assignment that must fail


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"value": float("nan")}, "parameter.value"),
        ({"grade": "certain"}, "parameter.grade"),
        ({"printed_value": 1.0}, "parameter.printed_unit"),
        ({"low": 70.0}, "parameter.low"),
        ({"high": 50.0}, "parameter.high"),
        ({"surce": "typo"}, "parameter.surce"),
    ],
)
def test_a_wrong_parameter_names_its_field(changes: dict[str, object], where: str) -> None:
    """An author of a library file must find the fault without reading code."""
    with pytest.raises(SpecError) as caught:
        _parameter(**changes)
    assert where in [fault.where for fault in caught.value.faults]


def test_a_set_refuses_one_id_twice() -> None:
    """With two values under one id, which of them ran would be luck."""
    with pytest.raises(SpecError) as caught:
        _set(_parameter(), _parameter(value=1.0))
    assert caught.value.where.endswith("parameters[1].id")


def test_an_unknown_id_lists_the_nearest() -> None:
    """A misspelt id is the commonest slip of a sensitivity analysis."""
    with pytest.raises(LibraryError) as caught:
        _set(_parameter())["cl_l_h"]
    assert "cl_l_per_h" in caught.value.remedy


def test_the_hash_follows_the_content() -> None:
    """The record of a run names its numbers by this hash."""
    first, second = _set(_parameter()), _set(_parameter())
    assert first.content_hash == second.content_hash
    assert first.content_hash != first.replace_values(cl_l_per_h=61.0).content_hash
    assert first.content_hash != _set(_parameter(note="Another note.")).content_hash


def test_equal_sets_are_one_key_and_show_themselves_briefly() -> None:
    """Cached results are found by content, and an error that holds a set stays readable."""
    first, second = _set(_parameter()), _set(_parameter())
    assert {first: "found"}[second] == "found"
    assert repr(first) == f"ParameterSet('toy', 1 parameters, {first.content_hash[:12]})"


def test_replaced_values_keep_their_history() -> None:
    """A changed number must not pass for the library's."""
    original = _set(_parameter(printed_value=1.0, printed_unit="L/min", low=50.0, high=70.0))
    changed = original.replace_values(cl_l_per_h=80.0)["cl_l_per_h"]
    assert (changed.value, changed.low, changed.high, changed.printed_value) == (80.0, 50.0, 80.0, None)
    assert "60.0" in changed.note
    assert original["cl_l_per_h"].value == 60.0
    assert original.replace_values(cl_l_per_h=60.0) == original


def test_a_set_survives_the_trip_through_plain_data() -> None:
    """Records of runs are stored as plain data and read back."""
    original = _set(_parameter(grade=Grade.ASSUMED), _parameter(id="x.alcohol", unit="1"))
    assert ParameterSet.from_dict(original.to_dict()) == original
    assert "x.alcohol" in original
    assert "y" not in original


def test_a_missing_attribute_is_named() -> None:
    """A model file without its sampling site must not be read as arterial by default."""
    with pytest.raises(LibraryError) as caught:
        _set(_parameter()).attribute("sampling_site")
    assert caught.value.got == "sampling_site"
