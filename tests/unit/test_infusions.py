"""Infusions: what is refused, what is flagged, what is passed on."""

import numpy as np
import pytest

from remission.dosing import DrugForm, Overlap, infusions_per_weight, make_infusions
from remission.errors import SpecError

WEIGHT = np.array([60.0, 80.0])


def test_doses_follow_weight_and_split_half_and_half() -> None:
    """The dose in mg is what every curve hangs on."""
    events = infusions_per_weight([0.5], start_h=[0.0], duration_h=[2 / 3], weight_kg=WEIGHT)
    assert events.dose_mg.tolist() == [[30.0], [40.0]]
    assert events.s_fraction == 0.5
    assert events.flags == ()
    esketamine = infusions_per_weight(
        [0.5], start_h=[0.0], duration_h=[2 / 3], weight_kg=WEIGHT, form=DrugForm.ESKETAMINE
    )
    assert esketamine.s_fraction == 1.0


@pytest.mark.parametrize(
    ("dose", "start", "duration", "where"),
    [
        (-1.0, 0.0, 1.0, "infusions[0].dose_mg"),
        (float("nan"), 0.0, 1.0, "infusions[0].dose_mg"),
        (float("inf"), 0.0, 1.0, "infusions[0].dose_mg"),
        (1.0, -0.1, 1.0, "infusions[0].start_h"),
        (1.0, float("nan"), 1.0, "infusions[0].start_h"),
        (1.0, 0.0, 0.0, "infusions[0].duration_h"),
        (1.0, 0.0, -2.0, "infusions[0].duration_h"),
        (1.0, 0.0, float("inf"), "infusions[0].duration_h"),
        (1.0, 0.0, 168.1, "infusions[0].duration_h"),
        (1.0, 0.0, 400.0, "infusions[0].duration_h"),
    ],
)
def test_impossible_infusions_are_refused(dose: float, start: float, duration: float, where: str) -> None:
    """A negative dose or an infusion of weeks is a slip; days are given in intensive care."""
    with pytest.raises(SpecError) as caught:
        make_infusions(np.array([[dose]]), start_h=[start], duration_h=[duration])
    assert [fault.where for fault in caught.value.faults] == [where]


def test_all_faults_are_listed_at_once() -> None:
    """Fixing one fault a run is a waste of an afternoon."""
    with pytest.raises(SpecError) as caught:
        make_infusions(np.array([[-1.0, 1.0]]), start_h=[0.0, -1.0], duration_h=[0.0, 1.0])
    assert [fault.where for fault in caught.value.faults] == [
        "infusions[0].duration_h",
        "infusions[0].dose_mg",
        "infusions[1].start_h",
    ]


def test_a_dose_in_mg_where_mg_per_kg_is_meant_is_refused() -> None:
    """35 mg/kg would be a lethal reading of 35 mg."""
    with pytest.raises(SpecError) as caught:
        infusions_per_weight([35.0], start_h=[0.0], duration_h=[1.0], weight_kg=WEIGHT)
    assert "0.5 mg/kg" in caught.value.remedy


@pytest.mark.parametrize("weight", [5.0, 700.0, float("nan")])
def test_a_weight_no_adult_has_is_refused(weight: float) -> None:
    """5 kg or a weight in grams must not reach the allometry."""
    with pytest.raises(SpecError) as caught:
        infusions_per_weight([0.5], start_h=[0.0], duration_h=[1.0], weight_kg=np.array([70.0, weight]))
    assert caught.value.where == "weight_kg[1]"


def test_shapes_must_agree() -> None:
    """A missing duration must not be filled in by broadcasting."""
    with pytest.raises(SpecError):
        make_infusions(np.array([[1.0, 1.0]]), start_h=[0.0, 1.0], duration_h=[0.5])


def test_overlap_is_refused_unless_asked_for() -> None:
    """Two infusions in one vein at once are usually a wrong start time."""
    dose = np.array([[1.0, 1.0]])
    with pytest.raises(SpecError) as caught:
        make_infusions(dose, start_h=[0.0, 0.5], duration_h=[1.0, 1.0])
    assert caught.value.where == "infusions[1].start_h"
    both = make_infusions(dose, start_h=[0.0, 0.5], duration_h=[1.0, 1.0], overlap=Overlap.SUPERPOSE)
    assert both.end_h.tolist() == [1.0, 1.5]


def test_a_long_infusion_hides_no_overlap_behind_a_short_one() -> None:
    """The end that matters is the latest so far, not that of the infusion just before."""
    with pytest.raises(SpecError):
        make_infusions(np.ones((1, 3)), start_h=[0.0, 0.1, 1.0], duration_h=[2.0, 0.1, 0.5])


def test_infusions_are_sorted_by_start() -> None:
    """Doses must travel with their times."""
    events = make_infusions(np.array([[2.0, 1.0]]), start_h=[3.0, 0.0], duration_h=[0.5, 1.0])
    assert events.start_h.tolist() == [0.0, 3.0]
    assert events.duration_h.tolist() == [1.0, 0.5]
    assert events.dose_mg.tolist() == [[1.0, 2.0]]


def test_over_two_hours_is_flagged_outside_all_evidence() -> None:
    """A slow infusion keeps exposure and loses the psychoactive peak: an optimizer would find it."""
    assert make_infusions(np.array([[1.0]]), start_h=[0.0], duration_h=[2.0]).flags == ()
    (flag,) = make_infusions(np.array([[1.0]]), start_h=[0.0], duration_h=[2.1]).flags
    assert flag.where == "infusions[0].duration_h"
    assert "2 h" in flag.text


def test_infusions_end_to_end_count_as_one() -> None:
    """Cutting a slow infusion in three does not bring it back into the evidence."""
    chain = make_infusions(np.ones((1, 3)), start_h=[0.0, 1.0, 2.0], duration_h=[1.0, 1.0, 1.0])
    assert [flag.got for flag in chain.flags] == ["3 h without a break"]
    apart = make_infusions(np.ones((1, 3)), start_h=[0.0, 2.0, 4.0], duration_h=[1.0, 1.0, 1.0])
    assert apart.flags == ()
