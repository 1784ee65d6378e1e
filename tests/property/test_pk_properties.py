"""Laws every linear kinetic model obeys, for people and regimens drawn at random."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_kinetics import simulate_amounts

from remission.dosing import Overlap, make_infusions
from remission.pk import PkIndividuals, individual_parameters, load_pk_model, simulate_concentrations
from remission.pk.metabolites import STATES, rate_matrix

MODEL = load_pk_model()
ALL = ("s_ket", "r_ket", "ket", "s_nk", "s_hnk")

weights = st.floats(40.0, 150.0)
normals = st.lists(st.floats(-2.5, 2.5), min_size=8, max_size=8)
doses = st.floats(0.1, 200.0)
durations = st.floats(0.02, 6.0)


def _person(weight: float, z: list[float]) -> PkIndividuals:
    return individual_parameters(MODEL, weight_kg=np.array([weight]), z_iiv=np.array([z]))


def _arterial(people: PkIndividuals, dose: float, start: float, duration: float, t_h: np.ndarray) -> np.ndarray:
    events = make_infusions(np.full((people.n_subject, 1), dose), start_h=[start], duration_h=[duration])
    return simulate_concentrations(people, events, t_h=t_h, analytes=ALL).conc_ng_per_ml


@given(weights, normals, doses, durations)
@settings(max_examples=25)
def test_auc_is_dose_over_clearance(weight: float, z: list[float], dose: float, duration: float) -> None:
    """The one number a pharmacologist checks first; it ties curve, dose and clearance together."""
    people = _person(weight, z)
    # To 200 h, 20 nodes on panels that grow with time; nothing measurable is left after them.
    x, w = np.polynomial.legendre.leggauss(20)
    edges = np.concatenate([np.linspace(0.0, duration, 9)[:-1], duration + 400.0 * np.linspace(0.0, 1.0, 121) ** 4])
    half = np.diff(edges)[:, np.newaxis] / 2.0
    nodes = (edges[:-1, np.newaxis] + half * (1.0 + x)).ravel()
    events = make_infusions(np.array([[dose]]), start_h=[0.0], duration_h=[duration])
    for site in ("arterial", "effect", "venous"):
        result = simulate_concentrations(people, events, t_h=nodes, analytes=("s_ket", "r_ket"), sites=(site,))
        auc = (result.conc_ng_per_ml[0] * (half * w).ravel()).sum(axis=1)
        expected = dose * 500.0 / people.cl_l_per_h[:, 0]
        assert auc == pytest.approx(expected, rel=1e-6)


@given(weights, normals, doses, durations, st.floats(0.1, 10.0))
@settings(max_examples=25)
def test_concentration_is_linear_in_dose(
    weight: float, z: list[float], dose: float, duration: float, factor: float
) -> None:
    """No saturable step exists in the model; one that crept in would show here."""
    people, t_h = _person(weight, z), np.array([0.1, 1.0, 7.0])
    once = _arterial(people, dose, 0.0, duration, t_h)
    more = _arterial(people, dose * factor, 0.0, duration, t_h)
    assert more == pytest.approx(factor * once, rel=1e-12, abs=1e-12 * factor * dose)


@given(weights, normals, st.lists(st.tuples(doses, st.floats(0.0, 10.0), durations), min_size=2, max_size=3))
@settings(max_examples=25)
def test_infusions_superpose(weight: float, z: list[float], infusions: list[tuple[float, float, float]]) -> None:
    """Several infusions are the sum of each alone, overlapping or not, for ketamine and its metabolites."""
    people, t_h = _person(weight, z), np.array([0.0, 0.3, 2.0, 9.0, 20.0])
    dose, start, duration = (np.array(column) for column in zip(*infusions, strict=True))
    events = make_infusions(dose[np.newaxis], start_h=start, duration_h=duration, overlap=Overlap.SUPERPOSE)
    together = simulate_concentrations(people, events, t_h=t_h, analytes=ALL).conc_ng_per_ml
    apart = sum(_arterial(people, *one, t_h=t_h) for one in zip(dose, start, duration, strict=True))
    # The full system is stepped from break to break, so its rounding differs; small against the largest value.
    assert together == pytest.approx(apart, rel=1e-9, abs=1e-10 * float(dose.sum()))


@given(weights, normals, doses, durations, st.floats(0.0, 15.0))
@settings(max_examples=25)
def test_a_later_infusion_gives_the_same_curve_later(
    weight: float, z: list[float], dose: float, duration: float, shift: float
) -> None:
    """Nothing in the body of the model knows the clock."""
    people, t_h = _person(weight, z), np.array([0.05, 0.5, 3.0, 12.0])
    early = _arterial(people, dose, 0.0, duration, t_h)
    late = _arterial(people, dose, shift, duration, t_h + shift)
    # Times are rounded when they are shifted: 15 h in 1e-16 against rates of up to about 500 per hour.
    assert late == pytest.approx(early, rel=1e-9, abs=1e-10 * dose)
    before = _arterial(people, dose, 16.0, duration, t_h)
    assert np.all(before == 0.0)


@given(weights, normals, doses, durations)
@settings(max_examples=25)
def test_mass_is_kept(weight: float, z: list[float], dose: float, duration: float) -> None:
    """What went in is in a compartment or has left: no term of the equations is missing or counted twice."""
    people = _person(weight, z)
    t_h = np.array([0.25 * duration, duration, duration + 1.0, duration + 30.0])
    amounts = simulate_amounts(
        people, breaks_h=np.array([0.0, duration]), rate_ug_per_h=np.array([[dose * 1000.0 / duration]]), t_h=t_h
    )
    given_so_far = dose * 1000.0 * np.minimum(t_h / duration, 1.0)
    assert amounts[0].sum(axis=0) == pytest.approx(given_so_far, rel=1e-10)
    assert np.all(amounts >= -1e-9 * dose * 1000.0)
    columns = rate_matrix(people)[0].sum(axis=0)
    assert columns == pytest.approx(np.zeros(len(STATES)), abs=1e-10 * np.abs(rate_matrix(people)).max())


@given(weights, normals, doses, durations)
@settings(max_examples=25)
def test_modes_and_full_system_agree_on_ketamine(weight: float, z: list[float], dose: float, duration: float) -> None:
    """Two ways through the same equations: one by modes, one by matrix exponentials."""
    people = _person(weight, z)
    t_h = np.array([0.5 * duration, duration, duration + 0.5, duration + 8.0])
    amounts = simulate_amounts(
        people, breaks_h=np.array([0.0, duration]), rate_ug_per_h=np.array([[dose * 500.0 / duration]]), t_h=t_h
    )
    modal = _arterial(people, dose, 0.0, duration, t_h)[0, 0]
    assert modal == pytest.approx(amounts[0, STATES.index("A1")] / people.v1_l[0], rel=1e-9)


@given(weights, normals, doses, durations)
@settings(max_examples=25)
def test_concentrations_are_never_negative(weight: float, z: list[float], dose: float, duration: float) -> None:
    """Rounding must not turn an almost empty site into a negative one."""
    people, t_h = _person(weight, z), np.array([0.0, 1e-9, 1e-3, duration, 24.0, 400.0])
    events = make_infusions(np.array([[dose]]), start_h=[0.0], duration_h=[duration])
    result = simulate_concentrations(
        people, events, t_h=t_h, analytes=("s_ket", "r_ket", "ket"), sites=("arterial", "effect", "venous")
    )
    assert np.all(result.conc_ng_per_ml >= 0.0)
    assert np.all(result.conc_ng_per_ml[:, :, 0] == 0.0)


def test_a_person_does_not_know_the_batch() -> None:
    """Chunks, arms and replicates must not move anyone's curve, to the last bit."""
    generator = np.random.default_rng(2)
    n = 150  # more than one chunk of the full system
    weight, z = generator.uniform(45.0, 120.0, n), generator.normal(size=(n, 8))
    people = individual_parameters(MODEL, weight_kg=weight, z_iiv=z)
    dose, t_h = 0.5 * weight[:, np.newaxis], np.array([0.1, 0.7, 3.0])

    def curves(rows: slice, analytes: tuple[str, ...], sites: tuple[str, ...]) -> np.ndarray:
        events = make_infusions(dose[rows], start_h=[0.0], duration_h=[2 / 3])
        return simulate_concentrations(
            people.take(rows), events, t_h=t_h, analytes=analytes, sites=sites
        ).conc_ng_per_ml

    for analytes, sites in ((("ket", "s_ket"), ("arterial", "venous", "effect")), (("s_nk", "s_hnk"), ("arterial",))):
        together = curves(slice(None), analytes, sites)
        for index in (0, 1, 127, 128, 149):
            assert np.array_equal(curves(slice(index, index + 1), analytes, sites)[0], together[index])
