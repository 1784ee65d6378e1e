"""Laws of kinetics that hold for every model, regimen and person."""

import numpy as np
import pytest
from law_cases import law

from remission.dosing import Overlap, make_infusions
from remission.pk import (
    exposure_of_doses,
    individual_parameters,
    load_pk_model,
    simulate_concentrations,
    simulate_doses,
)
from remission.records.dose import Dose, Route

MODELS = [
    load_pk_model(name)
    for name in ("pk-2026", "kamp2020", "kamp2020-linear", "fanta2015", "noppers2011", "domino1984", "clements1981")
]
T_H = np.array([0.1, 0.4, 1.0, 2.5, 8.0, 20.0])


class Case:
    """A model, a person and a regimen, drawn."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.model = MODELS[int(rng.integers(len(MODELS)))]
        self.weight = np.array([float(rng.uniform(45.0, 140.0))])
        self.z = rng.normal(size=(1, self.model.n_iiv))
        n = int(rng.integers(1, 4))
        self.start = np.sort(rng.uniform(0.0, 3.0, n))
        self.duration = rng.uniform(0.02, 1.5, n)
        self.dose = rng.uniform(1.0, 40.0, n)
        self.site = self.model.sites[int(rng.integers(len(self.model.sites)))]
        self.people = individual_parameters(self.model, weight_kg=self.weight, z_iiv=self.z)

    def curve(self, dose: np.ndarray, start: np.ndarray, duration: np.ndarray, t_h: np.ndarray = T_H) -> np.ndarray:
        events = make_infusions(dose[np.newaxis], start_h=start, duration_h=duration, overlap=Overlap.SUPERPOSE)
        found = simulate_concentrations(
            self.people, events, t_h=t_h, analytes=self.model.species[:1], sites=(self.site,)
        )
        return found.conc_ng_per_ml[0, 0]


@law(seed=7101)
def test_twice_the_dose_is_twice_the_concentration(rng: np.random.Generator) -> None:
    """Linear kinetics: a factor on every dose is a factor on every concentration."""
    case, factor = Case(rng), float(rng.uniform(0.1, 4.0))
    plain = case.curve(case.dose, case.start, case.duration)
    assert case.curve(factor * case.dose, case.start, case.duration) == pytest.approx(factor * plain, rel=1e-9)


@law(seed=7102)
def test_infusions_add_up(rng: np.random.Generator) -> None:
    """Superposition: the regimen is the sum of its doses, overlapping or not."""
    case = Case(rng)
    parts = [
        case.curve(case.dose[index : index + 1], case.start[index : index + 1], case.duration[index : index + 1])
        for index in range(case.dose.size)
    ]
    assert case.curve(case.dose, case.start, case.duration) == pytest.approx(sum(parts), rel=1e-8, abs=1e-12)


@law(seed=7103)
def test_a_higher_dose_never_lowers_a_concentration(rng: np.random.Generator) -> None:
    """More of any one dose, at any site and time, is never less."""
    case = Case(rng)
    more = case.dose.copy()
    more[int(rng.integers(more.size))] *= float(rng.uniform(1.0, 3.0))
    plain = case.curve(case.dose, case.start, case.duration)
    assert np.all(case.curve(more, case.start, case.duration) >= plain * (1.0 - 1e-9))


@law(seed=7104)
def test_splitting_an_infusion_changes_nothing(rng: np.random.Generator) -> None:
    """Two infusions end to end at one rate are one infusion."""
    case = Case(rng)
    share = float(rng.uniform(0.05, 0.95))
    dose, start, duration = case.dose[:1], case.start[:1], case.duration[:1]
    cut = np.array([share, 1.0 - share])
    split = case.curve(dose * cut, start + np.array([0.0, share]) * duration, duration * cut)
    assert split == pytest.approx(case.curve(dose, start, duration), rel=1e-7, abs=1e-12)


@law(seed=7105)
def test_area_is_dose_over_clearance(rng: np.random.Generator) -> None:
    """Mass balance: what entered must leave by clearance, whatever the regimen; the tail is closed by its last rate."""
    case = Case(rng)
    plasma = case.model.plasma_site
    t_h = np.concatenate([np.arange(0.0, 6.0, 2.0**-6), np.arange(6.0, 400.0, 2.0**-1)])
    t_h = np.union1d(t_h, np.concatenate([case.start, case.start + case.duration]))
    events = make_infusions(
        case.dose[np.newaxis], start_h=case.start, duration_h=case.duration, overlap=Overlap.SUPERPOSE
    )
    species = case.model.species[0]
    found = simulate_concentrations(case.people, events, t_h=t_h, analytes=(species,), sites=(plasma,))
    share = 1.0 if species.value == "ket" else events.s_fraction
    expected = 1000.0 * share * case.dose.sum() / case.people.cl_l_per_h[0, 0]
    assert np.trapezoid(found.conc_ng_per_ml[0, 0], t_h) == pytest.approx(expected, rel=0.02)


@law(seed=7106)
def test_a_later_regimen_is_the_same_curve_later(rng: np.random.Generator) -> None:
    """Nothing depends on the clock."""
    case, shift = Case(rng), float(rng.integers(1, 96)) / 4.0
    later = case.curve(case.dose, case.start + shift, case.duration, T_H + shift)
    assert later == pytest.approx(case.curve(case.dose, case.start, case.duration), rel=1e-7, abs=1e-12)


@law(seed=7107)
def test_the_order_in_which_doses_are_written_changes_nothing(rng: np.random.Generator) -> None:
    """A regimen is a set of doses in time."""
    case = Case(rng)
    order = rng.permutation(case.dose.size)
    shuffled = case.curve(case.dose[order], case.start[order], case.duration[order])
    assert shuffled == pytest.approx(case.curve(case.dose, case.start, case.duration), rel=1e-12)


@law(seed=7108)
def test_a_dose_per_weight_gives_the_heavier_person_no_less_in_proportional_models(rng: np.random.Generator) -> None:
    """Where everything grows with weight a dose per weight gives everyone one curve; with smaller exponents more."""
    case = Case(rng)
    values = case.model.parameter_set
    heavier = case.weight * float(rng.uniform(1.05, 1.6))
    if heavier[0] > 240.0:
        return
    other = individual_parameters(case.model, weight_kg=heavier, z_iiv=case.z)
    light = np.atleast_1d(case.people.cl_l_per_h[0] / case.weight)
    heavy = np.atleast_1d(other.cl_l_per_h[0] / heavier)
    if values.value("exponent_clearance") == 1.0:
        assert heavy == pytest.approx(light, rel=1e-12)
    else:
        assert heavy < light


@law(seed=7109)
def test_the_area_after_absorption_is_f_dose_over_clearance(rng: np.random.Generator) -> None:
    """How fast it is absorbed moves the peak and never the area."""
    model = MODELS[0]
    f = float(rng.uniform(0.05, 1.0))
    areas = []
    for ka in rng.uniform(0.3, 20.0, 2):
        dose = Dose.create(
            route=Route.ORAL, dose_mg=50.0, absorption={"ka_per_h": float(ka), "f": f, "reason": "drawn"}
        )
        found = exposure_of_doses(model, [dose], weight_kg=np.array([70.0]), z_iiv=np.zeros((1, 8)))
        areas.append(found.select("s_ket")[0])
    assert areas == pytest.approx([1000.0 * f * 25.0 / 88.8] * 2, rel=1e-9)


@law(seed=7110)
def test_amounts_for_each_person_are_calls_for_each_person(rng: np.random.Generator) -> None:
    """A column of amounts, one a person, gives what each person's own call gives."""
    model = MODELS[0]
    weight, own = rng.uniform(50.0, 110.0, 3), rng.uniform(0.0, 60.0, (3, 2))
    doses = [
        Dose.create(route="iv_infusion", dose="1 mg", duration="40 min"),
        Dose.create(route="iv_infusion", dose="1 mg", duration="20 min", start_h=2.0),
    ]
    t_h = np.array([0.5, 2.2, 5.0])
    together = simulate_doses(model, doses, weight_kg=weight, z_iiv=np.zeros((3, 8)), t_h=t_h, dose_mg=own)
    for row in range(3):
        alone = simulate_doses(
            model, doses, weight_kg=weight[row : row + 1], z_iiv=np.zeros((1, 8)), t_h=t_h, dose_mg=own[row : row + 1]
        )
        assert together.conc_ng_per_ml[row] == pytest.approx(alone.conc_ng_per_ml[0], rel=1e-12)
