"""What a session hands to the clock of days: exact where the rest of the program relies on it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remission.errors import LibraryError, SpecError
from remission.patient.pharmacology import load_pharmacology
from remission.records.parameter import Grade
from remission.session.curves import SessionCurves, simulate_session_curves
from remission.session.effects import SessionEffects, simulate_session_effects

PHARMACOLOGY = load_pharmacology()
ADULT: dict[str, Any] = {"weight_kg": np.array([70.0]), "z_iiv": np.zeros((1, 8)), "pharmacology": PHARMACOLOGY}

doses = st.floats(0.01, 5.0)
durations = st.floats(0.02, 24.0)
seeds = st.integers(0, 2**32 - 1)


def _people(seed: int, n: int) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    return generator.uniform(40.0, 150.0, n), generator.normal(size=(n, 8))


def _effects(dose: float, duration: float, weight: np.ndarray, z: np.ndarray) -> SessionEffects:
    return simulate_session_effects(
        dose_mg_per_kg=dose, duration_h=duration, weight_kg=weight, z_iiv=z, pharmacology=PHARMACOLOGY
    )


@given(durations, seeds)
@settings(max_examples=20)
def test_no_dose_is_exactly_nothing(duration: float, seed: int) -> None:
    """The saline arm equals a world without ketamine bit for bit only if these are zero, and not minus zero."""
    effects = _effects(0.0, duration, *_people(seed, 3))
    for values in (effects.exposure, effects.psychoactive, effects.peak_s_ket_ng_per_ml):
        assert values.tobytes() == np.zeros(3).tobytes()


@given(doses, durations, seeds)
@settings(max_examples=40)
def test_a_person_does_not_know_the_batch(dose: float, duration: float, seed: int) -> None:
    """Same answer for any chunking: a person's numbers are their own, to the last bit."""
    weight, z = _people(seed, 9)
    together = _effects(dose, duration, weight, z)
    for index in (0, 4, 8):
        rows = slice(index, index + 1)
        alone = _effects(dose, duration, weight[rows], z[rows])
        assert alone.exposure[0] == together.exposure[index]
        assert alone.psychoactive[0] == together.psychoactive[index]


def test_a_person_does_not_know_the_chunk() -> None:
    """The border between two chunks of people must leave no trace."""
    weight, z = _people(1, 2050)
    together = _effects(0.5, 2 / 3, weight, z)
    turned = _effects(0.5, 2 / 3, weight[::-1].copy(), z[::-1].copy())
    assert np.array_equal(together.exposure, turned.exposure[::-1])
    assert np.array_equal(together.peak_s_ket_ng_per_ml, turned.peak_s_ket_ng_per_ml[::-1])


@given(doses, st.floats(1.01, 3.0), durations, seeds)
@settings(max_examples=40)
def test_more_drug_does_more(dose: float, factor: float, duration: float, seed: int) -> None:
    """Exposure saturates and never falls; the peak is proportional."""
    weight, z = _people(seed, 3)
    higher = min(dose * factor, 5.0)
    less, more = _effects(dose, duration, weight, z), _effects(higher, duration, weight, z)
    assert np.all(more.exposure >= less.exposure)
    assert np.all(more.exposure <= less.exposure * (higher / dose) * (1.0 + 1e-9))
    assert more.peak_s_ket_ng_per_ml == pytest.approx(less.peak_s_ket_ng_per_ml * (higher / dose), rel=1e-9)
    assert np.all((more.psychoactive > 0.0) & (more.psychoactive < 1.0))


@given(doses, st.floats(0.05, 10.0), seeds)
@settings(max_examples=30)
def test_a_slower_infusion_lowers_the_peak(dose: float, duration: float, seed: int) -> None:
    """The reason slow infusions are flagged."""
    weight, z = _people(seed, 3)
    fast, slow = _effects(dose, duration, weight, z), _effects(dose, 2.0 * duration, weight, z)
    assert np.all(slow.peak_s_ket_ng_per_ml < fast.peak_s_ket_ng_per_ml)


def test_the_reference_session_has_exposure_one() -> None:
    """The unit of e."""
    effects = simulate_session_effects(dose_mg_per_kg=0.5, duration_h=2 / 3, **ADULT)
    assert effects.exposure[0] == pytest.approx(1.0, abs=1e-9)
    assert effects.flags == ()
    assert effects.n_extrapolated == 0


@pytest.mark.parametrize(("dose", "expected"), [(0.8, 1.392), (0.05, 0.142)])
def test_exposure_at_the_doses_of_trials(dose: float, expected: float) -> None:
    """0.8 mg/kg is not 1.6 times 0.5, and a low-dose control is not inert."""
    effects = simulate_session_effects(dose_mg_per_kg=dose, duration_h=2 / 3, **ADULT)
    assert effects.exposure[0] == pytest.approx(expected, abs=5e-4)


@pytest.mark.parametrize(("hill", "expected"), [(1.0, 0.157), (3.0, 0.0064)])
def test_psychoactive_score_of_a_low_dose(hill: float, expected: float) -> None:
    """0.05 mg/kg is felt or not felt according to the assumed slope: the range must be shown."""
    arguments: dict[str, Any] = {**ADULT, "pharmacology": PHARMACOLOGY.replace_values(hill_high=hill)}
    effects = simulate_session_effects(dose_mg_per_kg=0.05, duration_h=2 / 3, **arguments)
    assert effects.psychoactive[0] == pytest.approx(expected, rel=5e-3)


def test_extrapolation_and_flags_are_counted() -> None:
    """A report must be able to say how many people lie outside the evidence."""
    effects = _effects(0.5, 3.0, np.array([50.0, 70.0, 130.0]), np.zeros((3, 8)))
    assert effects.n_extrapolated == 2
    assert len(effects.flags) == 1


@pytest.mark.parametrize(
    ("dose", "duration", "where"),
    [
        (-0.5, 1.0, "infusions[0].dose_mg"),
        (35.0, 1.0, "infusions[0].dose_mg_per_kg"),
        (0.5, 0.0, "infusions[0].duration_h"),
        (0.5, 200.0, "infusions[0].duration_h"),
    ],
)
def test_a_wrong_session_is_refused(dose: float, duration: float, where: str) -> None:
    """As for the infusions it is made of."""
    with pytest.raises(SpecError) as caught:
        simulate_session_effects(dose_mg_per_kg=dose, duration_h=duration, **ADULT)
    assert caught.value.where == where


def test_a_pharmacology_needs_an_effect_site_and_says_what_it_assumes_of_the_forms() -> None:
    """Constants of the racemate do not say how much S-ketamine is at the effect site: one law for both is assumed."""
    with pytest.raises(LibraryError):
        load_pharmacology("clements1981")
    racemate = load_pharmacology("domino1984").pk.parameter_set
    assert racemate["cl_ratio_r_ket"].grade is Grade.ASSUMED
    assert "assumed" in dict(racemate.attributes)["caution"]
    with pytest.raises(LibraryError) as caught:
        PHARMACOLOGY.replace_values(c50=1.0)
    assert "c50_high_ng_per_ml" in caught.value.remedy


def _curves(**changes: Any) -> SessionCurves:
    n = 3
    weight, z = _people(4, n)
    arguments: dict[str, Any] = {
        "dose_mg_per_kg": 0.5,
        "duration_h": 2 / 3,
        "t_h": np.linspace(0.0, 4.0, 49),
        "weight_kg": weight,
        "z_iiv": z,
        "z_pressure": np.zeros((n, 2)),
        "sbp0_mmhg": np.full(n, 120.0),
        "dbp0_mmhg": np.full(n, 75.0),
        "pharmacology": PHARMACOLOGY,
    }
    return simulate_session_curves(**{**arguments, **changes})


def test_curves_agree_with_the_effects_of_the_same_session() -> None:
    """The figure and the simulation must show the same drug."""
    weight, z = _people(4, 3)
    effects = _effects(0.5, 2 / 3, weight, z)
    t_h = np.concatenate([[0.0], 2 / 3 + np.linspace(0.0, 0.2, 2001)])
    curves = simulate_session_curves(
        dose_mg_per_kg=0.5, duration_h=2 / 3, t_h=t_h, weight_kg=weight, z_iiv=z, z_pressure=np.zeros((3, 2)),
        sbp0_mmhg=np.full(3, 120.0), dbp0_mmhg=np.full(3, 75.0), pharmacology=PHARMACOLOGY,
    )  # fmt: skip
    peak = curves.concentrations.select("s_ket", site="effect").max(axis=1)
    assert peak == pytest.approx(effects.peak_s_ket_ng_per_ml, rel=1e-6)
    assert curves.vas.max(axis=1) / 100.0 == pytest.approx(effects.psychoactive, rel=1e-6)
    ket = curves.concentrations.select("ket", site="effect").max(axis=1)
    assert curves.sbp_mmhg.max(axis=1) == pytest.approx(120.0 + 16.0 * ket / 267.0, rel=1e-12)
    assert curves.dbp_mmhg.max(axis=1) == pytest.approx(75.0 + 11.0 * ket / 267.0, rel=1e-12)
    assert curves.sbp_mmhg[:, 0].tolist() == [120.0, 120.0, 120.0]
    assert np.all(curves.occupancy.low <= curves.occupancy.high)
    assert curves.t_h is t_h


def test_curves_hold_every_series_a_figure_needs() -> None:
    """Ketamine at three sites and both metabolites in arterial plasma."""
    curves = _curves()
    labels = {(series.analyte.value, series.sampling_site.value) for series in curves.concentrations.series}
    assert labels == {
        *((analyte, site) for analyte in ("ket", "s_ket") for site in ("arterial", "venous", "effect")),
        ("s_nk", "arterial"),
        ("s_hnk", "arterial"),
    }


def test_the_typical_adult_has_the_published_mean_cadss() -> None:
    """7.7 points at about 0.5 mg/kg is the anchor of the scale."""
    curves = simulate_session_curves(
        dose_mg_per_kg=0.5, duration_h=2 / 3, t_h=2 / 3 + np.linspace(0.0, 0.1, 301), z_pressure=np.zeros((1, 2)),
        sbp0_mmhg=np.array([120.0]), dbp0_mmhg=np.array([75.0]), **ADULT,
    )  # fmt: skip
    assert curves.cadss.max() == pytest.approx(7.7, rel=1e-5)
    assert curves.vas.max() == pytest.approx(65.0, abs=0.1)


def test_the_alcohol_gain_is_off_unless_asked_for() -> None:
    """Its size is a placeholder; it must not act by default."""
    plain, reduced = _curves(), _curves(dissociation_gain=0.7)
    assert reduced.vas == pytest.approx(0.7 * plain.vas, rel=1e-12)


def test_pressure_needs_two_columns() -> None:
    """Systolic and diastolic slopes are drawn apart."""
    with pytest.raises(SpecError) as caught:
        _curves(z_pressure=np.zeros((3, 1)))
    assert caught.value.where == "z_pressure"
