"""One person and one session, by the records a clinic would fill in."""

from typing import Any

import numpy as np
import pytest

from remission.errors import SpecError
from remission.records.regimen import Regimen
from remission.records.subject import Subject
from remission.session.person import simulate_person

PERSON = Subject.create(age="45 years", weight="82 kg", sex="female", substance="alcohol")
T_H = np.linspace(0.0, 6.0, 25)


def arterial(regimen: Regimen, person: Subject = PERSON) -> np.ndarray:
    return simulate_person(person, regimen, t_h=T_H).select("ket", site="arterial")


def test_two_doses_are_the_sum_of_one_and_one_later() -> None:
    """The regimen's own clock must reach the kinetics: superposition over its doses."""
    first = {"dose_mg_per_kg": 0.1, "duration_min": 5.0}
    second = {"start_h": 1.0, "dose_mg_per_kg": 0.4, "duration_min": 40.0}
    both, one, other = (arterial(Regimen.create(doses=doses)) for doses in ([first, second], [first], [second]))
    np.testing.assert_allclose(both, one + other, rtol=1e-12, atol=1e-12)


def test_weight_moves_the_peak_and_sex_does_not() -> None:
    """Dose per kg with allometric clearance gives heavier people more; no sex effect is in the default model."""
    regimen = Regimen.create(doses=[{"dose": "0.5 mg/kg", "duration": "40 min"}])
    heavy = PERSON.replace(weight_kg=120.0)
    assert arterial(regimen, heavy).max() > arterial(regimen).max()
    np.testing.assert_array_equal(arterial(regimen, PERSON.replace(sex="male")), arterial(regimen))


@pytest.mark.parametrize(
    ("field", "value"),
    [("age", "12 years"), ("weight", "5 kg"), ("sex", "x"), ("substance", "sugar")],
)
def test_a_wrong_person_is_refused_with_the_field(field: str, value: str) -> None:
    """Each fault names its field; all are reported at once."""
    good = {"age": "45 years", "weight": "82 kg", "sex": "female", "substance": "alcohol"}
    with pytest.raises(SpecError, match=field):
        Subject.create(**{**good, field: value})
    with pytest.raises(SpecError) as found:
        Subject.create(age="12 years", weight="5 kg", sex="x", substance="sugar")
    assert len(found.value.faults) == 4


def test_a_wrong_regimen_is_refused() -> None:
    """No dose, a negative dose, an unknown form, and two infusions at the same time."""
    dose = {"dose": "0.5 mg/kg", "duration": "40 min"}
    cases: list[dict[str, Any]] = [
        {"doses": []},
        {"doses": [{**dose, "dose": "-1 mg/kg"}]},
        {"doses": [dose], "form": "powder"},
    ]
    for wrong in cases:
        with pytest.raises(SpecError):
            Regimen.create(**wrong)
    with pytest.raises(SpecError):
        arterial(Regimen.create(doses=[dose, dose]))
