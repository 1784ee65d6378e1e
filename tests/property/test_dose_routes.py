"""What holds for doses by every route and in every linear model."""

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

from remission.dosing import make_infusions
from remission.pk import (
    exposure_of_doses,
    individual_parameters,
    load_pk_model,
    simulate_concentrations,
    simulate_doses,
)
from remission.records.dose import Dose
from remission.units import format_quantity

REASON = "a test"
KA = {"ka_per_h": 1.3, "reason": REASON}
TMAX = {"basis": "tmax", "reason": REASON}

# Every way in that is offered: model, dose without its amount, analytes at the model's own site.
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "infusion": ("simons2022", {"route": "iv_infusion", "duration": "40 min"}),
    "bolus": ("simons2022", {"route": "iv_bolus"}),
    "muscle": ("simons2022", {"route": "im", "absorption": KA}),
    "skin": ("simons2022", {"route": "sc", "absorption": {**KA, "f": 0.8}}),
    "swallowed": ("simons2022", {"route": "oral", "absorption": TMAX}),
    "slow tablet": ("simons2022", {"route": "oral", "product": "oral-pr-hasan2021", "absorption": KA}),
    "S swallowed": ("simons2022", {"route": "oral", "form": "esketamine", "absorption": KA}),
    "wafer": ("simons2022", {"route": "sublingual", "absorption": TMAX}),
    "film": ("simons2022", {"route": "film", "form": "esketamine"}),
    "nose, racemate": ("simons2022", {"route": "intranasal", "product": "nasal-pmc9118341", "absorption": TMAX}),
    "rectal": ("simons2022", {"route": "rectal", "absorption": KA}),
    "venous infusion": ("clements1981", {"route": "iv_infusion", "duration": "40 min"}),
    "venous bolus": ("clements1981", {"route": "iv_bolus"}),
    "venous swallowed": ("clements1981", {"route": "oral", "absorption": TMAX}),
    "Hijazi": ("hijazi2003", {"route": "iv_bolus"}),
    "Domino": ("domino1984", {"route": "iv_bolus"}),
    "Noppers": ("noppers2011", {"route": "iv_infusion", "duration": "1 h", "form": "esketamine"}),
    "spray": ("perezruixo2021", {"route": "intranasal", "form": "esketamine"}),
    "solution": ("perezruixo2021", {"route": "oral", "form": "esketamine"}),
    "nasal model, infusion": ("perezruixo2021", {"route": "iv_infusion", "duration": "40 min", "form": "esketamine"}),
    "nasal model, bolus": ("perezruixo2021", {"route": "iv_bolus", "form": "esketamine"}),
}


def run(
    way: str, *amounts_mg: float, start_h: tuple[float, ...] = (0.0, 1.5), t_h: Any = None, z: float = 0.0
) -> np.ndarray:
    """Parent concentrations of two people, analytes by time."""
    name, words = WAYS[way]
    model = load_pk_model(name)
    doses = [
        Dose.create(**words, dose_mg=amount, start_h=start) for amount, start in zip(amounts_mg, start_h, strict=False)
    ]
    result = simulate_doses(
        model,
        doses,
        weight_kg=np.array([70.0, 61.0]),
        z_iiv=np.full((2, model.n_iiv), z),
        t_h=np.linspace(0.0, 12.0, 25) if t_h is None else np.asarray(t_h, dtype=float),
        analytes=model.species,
        sites=[model.plasma_site],
    )
    return result.conc_ng_per_ml


@pytest.mark.parametrize("way", WAYS)
def test_the_area_is_f_times_dose_over_clearance(way: str) -> None:
    """The one law that every linear route and model obeys: absorption shapes the curve and cannot change its area."""
    name, words = WAYS[way]
    model = load_pk_model(name)
    grid = np.concatenate([np.linspace(0.0, 0.5, 51), np.linspace(0.5, 4.5, 101)[1:], np.linspace(4.5, 124.5, 201)[1:]])
    found = np.zeros((2, len(model.species)))
    conc = run(way, 40.0, t_h=grid)
    for piece in (slice(0, 51), slice(50, 151), slice(150, None)):
        step = grid[piece][1] - grid[piece][0]
        values = conc[:, :, piece]
        found += (
            step
            / 3
            * (values[..., 0] + values[..., -1] + 4 * values[..., 1:-1:2].sum(-1) + 2 * values[..., 2:-1:2].sum(-1))
        )
    expected = exposure_of_doses(
        model, [Dose.create(**words, dose_mg=40.0)], weight_kg=np.array([70.0, 61.0]), z_iiv=np.zeros((2, model.n_iiv))
    )
    # Tolerance: Simpson's rule on the corner at the end of an infusion and on the first fast mode of a bolus.
    assert found == pytest.approx(expected.auc_ng_h_per_ml[:, : len(model.species)], rel=4e-3)


LINEAR = [way for way in WAYS if way != "spray"]


@pytest.mark.parametrize("way", LINEAR)
def test_doses_add_up_and_scale(way: str) -> None:
    """Linear kinetics: two doses are the sum of each, twice the dose is twice the concentration."""
    first, second = run(way, 30.0), run(way, 20.0, start_h=(1.5,))
    # Tolerance: rounding of the lattice of times on the steep start of a bolus.
    assert run(way, 30.0, 20.0) == pytest.approx(first + second, rel=1e-9, abs=1e-9)
    assert run(way, 60.0) == pytest.approx(2.0 * first, rel=1e-12, abs=1e-12)


def test_a_nasal_dose_beyond_the_first_spray_is_absorbed_less() -> None:
    """The one dose that is not linear: 56 mg give less than twice 28 mg, and two sprays at once are one of 56 mg."""
    one, two = run("spray", 28.0), run("spray", 56.0)
    assert np.all(two[..., 1:] < 2.0 * one[..., 1:])
    assert np.all(two[..., 1:] > one[..., 1:])
    assert run("spray", 28.0, 28.0, start_h=(0.0, 0.0)) == pytest.approx(two, rel=1e-12, abs=1e-12)
    # Two administrations half a day apart do not weaken each other.
    t_h = np.linspace(0.0, 11.0, 23)
    later = run("spray", 28.0, 28.0, start_h=(0.0, 12.0), t_h=t_h + 12.0)
    assert later - run("spray", 28.0, t_h=t_h + 12.0) == pytest.approx(run("spray", 28.0, t_h=t_h), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("way", WAYS)
def test_later_is_the_same_later(way: str) -> None:
    """Nothing in the model knows the time of day."""
    t_h = np.linspace(0.0, 9.0, 19)
    shifted = run(way, 30.0, start_h=(2.25,), t_h=t_h + 2.25)
    assert shifted == pytest.approx(run(way, 30.0, t_h=t_h), rel=1e-9, abs=1e-9)
    assert not run(way, 30.0, start_h=(20.0,)).any()


@pytest.mark.parametrize("way", WAYS)
def test_no_dose_is_nothing(way: str) -> None:
    """A saline arm is a world without ketamine, to the last bit, whatever the route."""
    assert not run(way, 0.0).any()
    assert not run(way).any()


@settings(max_examples=25, deadline=None)
@given(way=st.sampled_from(sorted(WAYS)), low=st.floats(0.5, 100.0), more=st.floats(1.01, 2.0), z=st.floats(-2.0, 2.0))
def test_more_gives_more_and_never_less_than_nothing(way: str, low: float, more: float, z: float) -> None:
    """A search over doses would exploit any dip."""
    small, large = run(way, low, z=z), run(way, low * more, z=z)
    assert np.all(small >= 0.0)
    assert np.all(large >= small)


@settings(max_examples=15, deadline=None)
@given(
    weight=st.lists(st.floats(31.0, 240.0), min_size=1, max_size=3),
    dose=st.floats(0.0, 1.0),
    minutes=st.floats(1.0, 120.0),
    rest=st.floats(0.0, 2.0),
)
@pytest.mark.parametrize("form", ["racemate", "esketamine"])
def test_infusions_alone_have_the_numbers_of_before(
    form: str, weight: list[float], dose: float, minutes: float, rest: float
) -> None:
    """A planner that moves to the new door must not see one digit change."""
    model, kg = load_pk_model(), np.array(weight)
    z = np.linspace(-1.0, 1.0, kg.size * 8).reshape(kg.size, 8)
    second = minutes / 60.0 + rest
    doses = [
        Dose.create(route="iv_infusion", dose_mg_per_kg=dose, duration_min=minutes, form=form),
        Dose.create(route="iv_infusion", dose_mg_per_kg=0.1, duration_min=30.0, start_h=second, form=form),
    ]
    asked: dict[str, Any] = {
        "t_h": np.array([0.1, 0.7, 2.0]),
        "analytes": ["ket", "s_ket", "r_ket"],
        "sites": ["arterial", "venous", "effect"],
    }
    events = make_infusions(
        np.stack([dose * kg, 0.1 * kg], axis=1),
        start_h=[0.0, second],
        duration_h=[minutes / 60.0, 0.5],
        form=doses[0].form,
    )
    people = individual_parameters(model, weight_kg=kg, z_iiv=z)
    before = simulate_concentrations(people, events, **asked)
    assert np.array_equal(
        simulate_doses(model, doses, weight_kg=kg, z_iiv=z, **asked).conc_ng_per_ml, before.conc_ng_per_ml
    )


def test_a_bolus_is_the_end_of_ever_shorter_infusions() -> None:
    """Two solvers meet: modes for the infusion, exponentials for the bolus, at every site and for every analyte."""
    model = load_pk_model()
    asked: dict[str, Any] = {
        "weight_kg": np.array([70.0, 61.0]),
        "z_iiv": np.linspace(-1.0, 1.0, 16).reshape(2, 8),
        "t_h": np.array([0.05, 0.1, 0.5, 2.0, 9.0]),
    }
    for words in (
        {"analytes": ("ket", "s_ket", "r_ket"), "sites": ("arterial", "venous", "effect")},
        {"analytes": ("s_nk", "s_hnk"), "sites": ("arterial",)},
    ):
        both = [
            simulate_doses(model, [Dose.create(dose_mg=25.0, **one)], **asked, **words).conc_ng_per_ml
            for one in ({"route": "iv_bolus"}, {"route": "iv_infusion", "duration_min": 1e-5})
        ]
        # Tolerance: half the length of the infusion, 1e-7 h, against the fastest mode, 38 per h.
        assert both[0] == pytest.approx(both[1], rel=2e-5)


@settings(max_examples=40)
@given(
    route=st.sampled_from(["iv_infusion", "iv_bolus", "im", "oral"]),
    amount=st.floats(0.0, 5.0),
    per_weight=st.booleans(),
    minutes=st.floats(0.1, 1440.0),
    start=st.floats(0.0, 168.0),
)
def test_a_dose_survives_text_and_back(
    route: str, amount: float, per_weight: bool, minutes: float, start: float
) -> None:
    """A dose that changes on its way through a file would be another dose."""
    unit = "mg/kg" if per_weight else "mg"
    words = {"duration": format_quantity(minutes, "min")} if route == "iv_infusion" else {}
    dose = Dose.create(route=route, dose=format_quantity(amount, unit), start_h=start, **words)
    assert (dose.dose_mg_per_kg if per_weight else dose.dose_mg) == amount
    assert Dose.from_dict(dose.to_dict()) == dose
    if route == "iv_infusion":
        assert dose.duration_min == minutes
