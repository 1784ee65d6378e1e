"""What may be given: within hours, over days, at the same time, and to each person of a call."""

import numpy as np
import pytest

from remission.dosing import infusions_per_weight
from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.pk import exposure_of_doses, load_pk_model, simulate_doses
from remission.records import quantity
from remission.records.dose import Dose, rate_steps

MODEL = load_pk_model()
T_H = np.array([0.25, 0.5, 1.0, 2.0, 6.0])


def run(*doses: Dose, weight_kg: tuple[float, ...] = (70.0,), **more: object) -> np.ndarray:
    weight = np.array(weight_kg)
    found = simulate_doses(
        MODEL,
        doses,
        weight_kg=weight,
        z_iiv=np.zeros((weight.size, 8)),
        t_h=T_H,
        **more,  # type: ignore[arg-type]
    )
    return found.select("ket", site="arterial")


def infusion(dose: str, duration: str = "40 min", start_h: float = 0.0) -> Dose:
    return Dose.create(route="iv_infusion", dose=dose, duration=duration, start_h=start_h)


def test_the_largest_dose_is_for_hours() -> None:
    """1.2 mg/kg/h for three days is given in intensive care; the same at once, in two halves or as ten, is a slip."""
    days = infusion("86 mg/kg", "72 h")
    assert run(days)[0, -1] > 400.0
    muscle = Dose.create(route="im", dose="3 mg/kg", start_h=2.0, absorption={"ka_per_h": 5.0, "reason": "x"})
    for doses in (
        [infusion("3 mg/kg"), infusion("3 mg/kg", start_h=1.0)],
        [Dose.create(route="iv_bolus", dose="100 mg", start_h=0.1 * index) for index in range(10)],
        [infusion("3 mg/kg"), muscle],
    ):
        with pytest.raises(SpecError) as caught:
            run(*doses)
        assert "within 4 h" in str(caught.value)
    with pytest.raises(SpecError):
        infusion("30 mg/kg", "8 h")
    with pytest.raises(SpecError):
        infusions_per_weight([3.0, 3.0], start_h=[0.0, 1.0], duration_h=[0.5, 0.5], weight_kg=np.array([70.0]))
    infusions_per_weight([3.0, 3.0], start_h=[0.0, 12.0], duration_h=[0.5, 0.5], weight_kg=np.array([70.0]))


def test_the_limits_of_the_record_are_those_of_the_library() -> None:
    """Two places hold them, because records read no library."""
    limits = load_parameter_set("dosing-limits")
    assert limits.value("max_dose_mg_per_kg") == quantity.MOST_MG_PER_KG
    assert limits.value("dose_window_h") == quantity.WINDOW_H
    assert limits.value("max_duration_h") == quantity.LONGEST_H


def test_each_person_gets_their_own_amount() -> None:
    """A trial table has a column of mg; one call must give what a call for each person gives."""
    doses = [infusion("1 mg"), infusion("1 mg", start_h=1.0)]
    own = np.array([[20.0, 10.0], [35.0, 0.0], [56.0, 5.0]])
    together = run(*doses, weight_kg=(60.0, 70.0, 90.0), dose_mg=own)
    for row, (weight, (first, second)) in enumerate(zip((60.0, 70.0, 90.0), own.tolist(), strict=True)):
        alone = run(infusion(f"{first} mg"), infusion(f"{second} mg", start_h=1.0), weight_kg=(weight,))
        assert together[row] == pytest.approx(alone[0], rel=1e-12)
    area = exposure_of_doses(
        MODEL,
        doses,
        weight_kg=np.array([70.0, 70.0]),
        z_iiv=np.zeros((2, 8)),
        dose_mg=np.array([[10.0, 0.0], [20.0, 20.0]]),
    ).select("ket")
    assert area[1] == pytest.approx(4.0 * area[0])


@pytest.mark.parametrize("own", [np.ones((1, 2)), np.array([[-1.0]]), np.array([[np.nan]])])
def test_amounts_that_fit_nobody_are_refused(own: np.ndarray) -> None:
    """A column too many would shift every later dose by one."""
    with pytest.raises(SpecError) as caught:
        run(infusion("35 mg"), dose_mg=own)
    assert caught.value.where == "dose_mg"


def test_infusions_that_overlap_add_up_where_it_is_said() -> None:
    """Two lines, or a bolus on a running infusion: the sum of both, and refused unless it is meant."""
    first, second = infusion("35 mg"), infusion("14 mg", "30 min", start_h=0.25)
    bolus = Dose.create(route="iv_bolus", dose="7 mg", start_h=0.3)
    with pytest.raises(SpecError) as caught:
        run(first, second)
    assert "overlap" in str(caught.value)
    total = run(first) + run(second) + run(bolus)
    assert run(first, second, bolus, overlap=True) == pytest.approx(total, rel=1e-10)
    assert run(first, bolus) == pytest.approx(run(first) + run(bolus), rel=1e-10)


def test_a_change_of_rate_is_the_sum_of_its_pieces() -> None:
    """A pump that is turned up in the middle gives the rates before and after, and a pause gives nothing."""
    doses = rate_steps([("0 min", "30 mg/h"), ("10 min", "0 mg/h"), ("20 min", "60 mg/h")], end="40 min")
    assert [one.dose_mg for one in doses] == pytest.approx([5.0, 20.0])
    assert [one.start_h for one in doses] == pytest.approx([0.0, 1.0 / 3.0])
    constant = rate_steps([("0 min", "52.5 mg/h"), ("15 min", "52.5 mg/h")], end="40 min")
    assert run(*constant) == pytest.approx(run(infusion("35 mg")), rel=1e-10)


@pytest.mark.parametrize(
    ("steps", "end", "where"),
    [
        ([], "40 min", "steps"),
        ([("-5 min", "30 mg/h")], "40 min", "steps[0]"),
        ([("10 min", "30 mg/h"), ("5 min", "20 mg/h")], "40 min", "steps[1]"),
        ([("0 min", "-30 mg/h")], "40 min", "steps[0]"),
        ([("0 min", "30 mg/h"), ("50 min", "20 mg/h")], "40 min", "end"),
    ],
)
def test_changes_that_cannot_be_are_refused(steps: list[tuple[str, str]], end: str, where: str) -> None:
    """A rate change before the start would give a negative time, and a dose of nothing."""
    with pytest.raises(SpecError) as caught:
        rate_steps(steps, end=end)
    assert where in str(caught.value)
