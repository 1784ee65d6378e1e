"""Between-person differences of the acute effects, the plateau of pressure, and heart rate."""

import inspect

import numpy as np
import pytest
from scipy import optimize

from remission.dosing import make_infusions
from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.patient.pharmacology import load_pharmacology
from remission.patient.sampling import sample_acute_response
from remission.pk import individual_parameters, load_pk_model, simulate_concentrations
from remission.receptor import (
    PressureLaw,
    Responder,
    correlated_pressure_z,
    dissociation_gain,
    heart_rate_range,
    simulate_cadss,
    simulate_heart_rate_rise,
    simulate_pressure_rise,
    simulate_vas,
)
from remission.session.curves import simulate_session_curves
from remission.session.effects import reference_peak_s_ket
from remission.streams import People

EFFECTS = load_parameter_set("acute-effects")
RESPONSE = load_parameter_set("acute-response")
PEOPLE = People.of_replicates(seed=20260101, first=0, count=1, n_subjects=200_000)
DRAWN = sample_acute_response(PEOPLE)
# Four standard errors on each of eighteen numbers; the seed is fixed, a fresh one would fail falsely once in 900 runs.
ERRORS = 4.0


def _mean_and_sd_hold(values: np.ndarray, mean: float, sd: float) -> None:
    """The mean and the SD within four Monte Carlo errors, the second from the fourth moment."""
    n = values.size
    assert values.mean() == pytest.approx(mean, abs=ERRORS * sd / np.sqrt(n))
    error_of_variance = np.sqrt(np.var((values - mean) ** 2) / n)
    assert values.var() == pytest.approx(sd**2, abs=ERRORS * error_of_variance)


def test_cadss_has_the_published_mean_and_spread() -> None:
    """7.7 (SD 9.2): a spread set on the wrong scale, or a gain whose mean is not 1, moves one of the two."""
    conc = np.full((len(PEOPLE), 1), 132.0)
    score = simulate_cadss(conc, z=DRAWN.z_dissociation, reference_peak_ng_per_ml=132.0, effects=EFFECTS)
    _mean_and_sd_hold(score[:, 0], 7.7, 9.2)
    assert np.all(score >= 0.0)


@pytest.mark.parametrize(("which", "mean", "sd"), [("sbp", 16.0, 11.2), ("dbp", 11.0, 8.45)])
@pytest.mark.parametrize("law", list(PressureLaw))
def test_pressures_have_the_published_mean_and_spread(which: str, mean: float, sd: float, law: PressureLaw) -> None:
    """Each rise alone is the clinic's at the reference, under both shapes and with the correlation in place."""
    z = DRAWN.z_sbp if which == "sbp" else DRAWN.z_dbp
    conc = np.full((len(PEOPLE), 1), 267.0)
    rise = simulate_pressure_rise(conc, z=z, which=which, effects=EFFECTS, law=law)  # type: ignore[arg-type]
    _mean_and_sd_hold(rise[:, 0], mean, sd)


def test_what_belongs_together_is_correlated_and_the_rest_is_not() -> None:
    """A person whose systolic pressure soars has a soaring diastolic one; their dissociation is their own."""
    columns = np.stack([DRAWN.z_sbp, DRAWN.z_dbp, DRAWN.z_heart_rate, DRAWN.z_dissociation])
    expected = np.eye(4)
    expected[0, 1] = expected[1, 0] = RESPONSE.value("pressure_correlation")
    # An error of 0.0022 each; six pairs.
    assert np.corrcoef(columns) == pytest.approx(expected, abs=ERRORS / np.sqrt(len(PEOPLE)))


def test_without_a_dose_nobody_feels_anything() -> None:
    """Zero to the last bit for every person, however sensitive."""
    none, z = np.zeros((3, 2)), np.array([-3.0, 0.0, 3.0])
    assert not simulate_cadss(none, z=z, reference_peak_ng_per_ml=132.0, effects=EFFECTS).any()
    assert not simulate_vas(none, z=z, effects=EFFECTS).any()
    assert not simulate_heart_rate_rise(none, z=z).any()
    assert not simulate_pressure_rise(none, z=z, which="sbp", effects=EFFECTS, law=PressureLaw.PLATEAU).any()


def test_the_mean_person_is_the_law_without_people() -> None:
    """None is the mean, not the median: the median of a log-normal is 0.64 of it."""
    conc = np.array([[71.0, 132.0]])
    mean = simulate_cadss(conc, z=None, reference_peak_ng_per_ml=132.0, effects=EFFECTS)
    median = simulate_cadss(conc, z=np.zeros(1), reference_peak_ng_per_ml=132.0, effects=EFFECTS)
    assert mean[0, 1] == pytest.approx(7.7, rel=1e-14)
    assert median / mean == pytest.approx(1.0 / np.sqrt(1.0 + (9.2 / 7.7) ** 2), rel=1e-13)


def test_a_personal_c50_moves_the_drug_high_the_right_way() -> None:
    """z = 1 halves nothing and doubles nothing: C50 is divided by exp(0.5)."""
    vas = simulate_vas(np.full((3, 1), 71.0), z=np.array([-1.0, 0.0, 1.0]), effects=EFFECTS)[:, 0]
    expected = [100.0 * 71.0 / (71.0 + 71.0 * np.exp(-0.5 * z)) for z in (-1.0, 0.0, 1.0)]
    assert vas == pytest.approx(expected, rel=1e-13)


def test_detoxified_alcohol_patients_feel_less_only_when_asked_for() -> None:
    """A placeholder that acts unasked would be a finding nobody made."""
    assert dissociation_gain(Responder.USUAL, effects=EFFECTS) == 1.0
    gain = dissociation_gain(Responder.DETOXIFIED_ALCOHOL, effects=EFFECTS)
    assert gain == EFFECTS.value("dissociation_gain_alcohol")
    conc = np.array([[132.0]])
    full, less = (
        simulate_cadss(conc, z=np.ones(1), reference_peak_ng_per_ml=132.0, effects=EFFECTS, gain=one)
        for one in (1.0, gain)
    )
    assert less == pytest.approx(gain * full, rel=1e-14)


@pytest.mark.parametrize("z", [np.zeros(3), np.array([np.nan, 0.0])])
def test_a_z_that_does_not_fit_is_refused(z: np.ndarray) -> None:
    """Broadcasting would give two people a third one's reaction."""
    conc = np.ones((2, 4))
    # Without the checks of shapes that run in tests only.
    cadss, vas = inspect.unwrap(simulate_cadss), inspect.unwrap(simulate_vas)
    heart_rate = inspect.unwrap(simulate_heart_rate_rise)
    with pytest.raises(SpecError):
        cadss(conc, z=z, reference_peak_ng_per_ml=132.0, effects=EFFECTS)
    with pytest.raises(SpecError):
        vas(conc, z=z, effects=EFFECTS)
    with pytest.raises(SpecError):
        heart_rate(conc, z=z)


@pytest.mark.parametrize(("rest", "end"), [("value", "value"), ("low", "low"), ("high", "high")])
def test_the_plateau_is_that_of_the_two_studies(rest: str, end: str) -> None:
    """K of the library solves the two equations of its note, for the resting pressure taken and at its ends."""
    peak = reference_peak_s_ket(load_pharmacology())
    mean_rise = (EFFECTS.value("sbp_rise_mmhg") + 2.0 * EFFECTS.value("dbp_rise_mmhg")) / 3.0
    top = RESPONSE.value("map_max_rise_fraction") * getattr(RESPONSE["map_rest_mmhg"], rest)
    measured_at = RESPONSE.value("anaesthesia_s_ket_ng_per_ml")

    def gap(c50: float) -> float:
        return top / mean_rise - (measured_at / (measured_at + c50)) / (peak / (peak + c50))

    c50 = optimize.brentq(gap, 1.0, 1e4)
    # Printed to three digits.
    assert getattr(RESPONSE["pressure_c50_ng_per_ml"], end) == pytest.approx(2.0 * c50, abs=1.0)
    assert getattr(RESPONSE["heart_rate_c50_s_ket_ng_per_ml"], "low" if end == "low" else "value") == pytest.approx(
        c50 if end != "high" else 151.0, abs=0.6
    )


def test_laws_of_pressure_cross_at_the_reference() -> None:
    """More below, less above: choosing the plateau to look safe at low doses would be the wrong way round."""
    conc = np.array([[100.0, 267.0, 500.0, 3918.0]])
    proportional, held, plateau = (
        simulate_pressure_rise(conc, z=np.zeros(1), which="sbp", effects=EFFECTS, law=law)[0] for law in PressureLaw
    )
    # Held is the line up to the rise measured in anaesthesia, 25.2 mmHg of mean pressure, and no more after it.
    assert held[:3] == pytest.approx(proportional[:3], rel=1e-14)
    assert held[3] == pytest.approx(16.0 * 25.191 / ((16.0 + 22.0) / 3.0), rel=1e-3)
    assert plateau[0] > proportional[0]
    assert plateau[1] == pytest.approx(proportional[1], rel=1e-14)
    assert plateau[2] < proportional[2]
    # At the level of anaesthesia, twice the S-ketamine: a line would give 235 mmHg.
    assert proportional[3] > 200.0
    assert plateau[3] < 33.0


def test_heart_rate_is_the_measured_rise_at_the_measured_level() -> None:
    """The one point; and the two shapes must differ where trials are, or the range says nothing."""
    at = RESPONSE.value("anaesthesia_s_ket_ng_per_ml")
    assert simulate_heart_rate_rise(np.array([[at]]), z=np.zeros(1))[0, 0] == pytest.approx(0.435, rel=1e-14)
    low, high = heart_rate_range(np.array([[132.0, at]]))
    assert low[0, 0] == pytest.approx(0.435 * 132.0 / 1959.0, rel=0.1)
    assert high[0, 0] > 6.0 * low[0, 0]
    assert low[0, 1] == pytest.approx(high[0, 1], rel=1e-14)


def test_people_differ_in_heart_rate_as_assumed() -> None:
    """CV 0.7 around the mean, as systolic pressure."""
    rise = simulate_heart_rate_rise(np.full((len(PEOPLE), 1), 132.0), z=DRAWN.z_heart_rate)[:, 0]
    mean = simulate_heart_rate_rise(np.array([[132.0]]), z=np.zeros(1))[0, 0]
    _mean_and_sd_hold(rise, mean, 0.7 * mean)


@pytest.mark.parametrize("rho", [-1.1, 1.1])
def test_a_correlation_beyond_one_is_refused(rho: float) -> None:
    """Its square root would be NaN and every diastolic pressure with it."""
    with pytest.raises(SpecError):
        correlated_pressure_z(np.zeros(1), np.zeros(1), response=RESPONSE.replace_values(pressure_correlation=rho))


def test_curves_of_a_session_carry_the_people() -> None:
    """The wiring: z reaches CADSS, drug high and heart rate, and leaves concentrations alone."""
    arguments = {
        "dose_mg_per_kg": 0.5, "duration_h": 2 / 3, "t_h": np.array([2 / 3]), "weight_kg": np.full(2, 70.0),
        "z_iiv": np.zeros((2, 8)), "z_pressure": np.zeros((2, 2)), "sbp0_mmhg": np.full(2, 120.0),
        "dbp0_mmhg": np.full(2, 75.0), "pharmacology": load_pharmacology(),
    }  # fmt: skip
    z = np.array([0.0, 1.0])
    plain, drawn = (
        simulate_session_curves(**arguments),  # type: ignore[arg-type]
        simulate_session_curves(**arguments, z_dissociation=z, z_heart_rate=z),  # type: ignore[arg-type]
    )
    np.testing.assert_array_equal(plain.concentrations.conc_ng_per_ml, drawn.concentrations.conc_ng_per_ml)
    assert plain.cadss[0, 0] == plain.cadss[1, 0]
    assert drawn.cadss[1, 0] > plain.cadss[0, 0] > drawn.cadss[0, 0]
    assert drawn.vas[0, 0] == plain.vas[0, 0] < drawn.vas[1, 0]
    assert drawn.heart_rate_rise[:, 0] == pytest.approx(plain.heart_rate_rise[:, 0] * np.array([1.0, 1.7]))


def test_the_delay_of_the_effect_site_has_a_range() -> None:
    """Without delay the effect site is plasma; with the longest it peaks later and lower."""
    model = load_pk_model()
    t_h = np.linspace(0.0, 1.5, 91)
    events = make_infusions(np.array([[35.0]]), start_h=[0.0], duration_h=[2 / 3])
    found = []
    mean = model.links["effect_half_life_h"]
    for half_life_h in (0.001, mean.value, mean.high):
        assert half_life_h is not None
        changed = model.replace_values(effect_half_life_h=half_life_h)
        people = individual_parameters(changed, weight_kg=np.array([70.0]), z_iiv=np.zeros((1, 8)))
        found.append(simulate_concentrations(people, events, t_h=t_h, sites=("arterial", "effect")))
    none, usual, longest = (one.select("ket", site="effect")[0] for one in found)
    assert none == pytest.approx(found[0].select("ket", site="arterial")[0], rel=0.03, abs=10.0)
    assert none.max() > usual.max() > longest.max()
    assert none.argmax() <= usual.argmax() < longest.argmax()


@pytest.mark.parametrize("peak", [0.0, -1.0, float("nan"), float("inf")])
def test_a_score_tied_to_no_drug_is_refused(peak: float) -> None:
    """Division by the effect of nothing would give everybody an infinite score."""
    with pytest.raises(SpecError):
        simulate_cadss(np.ones((1, 1)), z=None, reference_peak_ng_per_ml=peak, effects=EFFECTS)
