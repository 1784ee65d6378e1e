"""Occupancy, dissociation and blood pressure at known concentrations."""

import numpy as np
import pytest

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.receptor import cadss_per_vas, saturation, simulate_occupancy, simulate_pressure_rise, simulate_vas

EFFECTS = load_parameter_set("acute-effects")


@pytest.mark.parametrize("hill", [1.0, 1.7, 3.0])
def test_saturation_is_half_at_c50_and_zero_at_zero(hill: float) -> None:
    """No drug must mean no effect to the last bit: the saline arm depends on it."""
    effect = saturation(np.array([0.0, 71.0, 1e6]), c50_ng_per_ml=71.0, hill=hill)
    assert effect[0] == 0.0
    assert effect[1] == pytest.approx(0.5, rel=1e-15)
    assert 0.99 < effect[2] <= 1.0


def test_saturation_is_the_hill_law() -> None:
    """Against the law written with powers."""
    conc = np.geomspace(0.01, 1e4, 50)
    for hill in (1.0, 2.0, 3.0):
        expected = conc**hill / (conc**hill + 71.0**hill)
        assert saturation(conc, c50_ng_per_ml=71.0, hill=hill) == pytest.approx(expected, rel=2e-14)


@pytest.mark.parametrize(("c50", "hill"), [(0.0, 1.0), (71.0, 0.0), (-1.0, 1.0)])
def test_a_law_without_scale_is_refused(c50: float, hill: float) -> None:
    """C50 of zero would be full effect of nothing."""
    with pytest.raises(SpecError):
        saturation(np.array([1.0]), c50_ng_per_ml=c50, hill=hill)


def test_occupancy_is_a_band_over_published_constants() -> None:
    """At the arterial 292 ng/mL the dossier gives 58, 36, 12 and 85 percent for K .5, 1.2, 5 and .119 uM."""
    band = simulate_occupancy(np.array([[292.0, 185.0, 0.0]]))
    at = dict(zip(band.constants, band.occupancy[:, 0, :], strict=True))
    assert at["k_mid_um"][:2] == pytest.approx([0.58, 0.46], abs=0.006)
    assert at["k_2c_um"][:2] == pytest.approx([0.36, 0.26], abs=0.006)
    assert at["k_2ab_um"][:2] == pytest.approx([0.12, 0.08], abs=0.006)
    assert at["k_mk801_um"][:2] == pytest.approx([0.85, 0.78], abs=0.006)
    assert np.all(band.occupancy[:, 0, 2] == 0.0)


def test_the_band_holds_every_curve() -> None:
    """An envelope that a curve leaves is no envelope."""
    band = simulate_occupancy(np.linspace(0.0, 400.0, 41)[np.newaxis, :])
    assert np.all(band.low <= band.occupancy.min(axis=0))
    assert np.all(band.high >= band.occupancy.max(axis=0))
    assert np.all((band.low >= 0.0) & (band.high < 1.0))


def test_the_band_uses_the_range_of_the_unbound_fraction() -> None:
    """Weakest binding with the least unbound drug, strongest with the most: 6 to 85 percent at the reference peak."""
    total = 267.0 / 237.73
    band = simulate_occupancy(np.array([[267.0]]))
    assert band.low[0, 0] == pytest.approx(0.3 * total / (0.3 * total + 5.0), rel=1e-13)
    assert band.high[0, 0] == pytest.approx(0.6 * total / (0.6 * total + 0.119), rel=1e-13)


@pytest.mark.parametrize("conc", [-1.0, float("nan")])
def test_occupancy_of_an_impossible_concentration_is_refused(conc: float) -> None:
    """A negative concentration is a fault upstream."""
    with pytest.raises(SpecError):
        simulate_occupancy(np.array([[conc]]))


def test_drug_high_is_half_at_the_published_c50() -> None:
    """71 ng/mL of S-ketamine is the one measured number of this law."""
    vas = simulate_vas(np.array([0.0, 71.0]), effects=EFFECTS)
    assert vas.tolist() == [0.0, 50.0]
    assert simulate_vas(np.array([71.0]), effects=EFFECTS, gain=0.7).tolist() == [35.0]


@pytest.mark.parametrize("gain", [-0.1, 1.1, float("nan")])
def test_a_gain_beyond_one_is_refused(gain: float) -> None:
    """The option is for people who respond less."""
    with pytest.raises(SpecError):
        simulate_vas(np.array([71.0]), effects=EFFECTS, gain=gain)


@pytest.mark.parametrize("hill", [1.0, 3.0])
def test_cadss_is_anchored_for_every_slope(hill: float) -> None:
    """Changing the slope must not move the mean it is anchored to."""
    effects = EFFECTS.replace_values(hill_high=hill)
    peak = 132.0
    vas = simulate_vas(np.array([peak]), effects=effects)[0]
    assert cadss_per_vas(peak, effects=effects) * vas == pytest.approx(7.7, rel=1e-14)


def test_pressure_rises_by_the_clinic_mean_at_the_reference() -> None:
    """16 and 11 mmHg at 267 ng/mL; spread 70 and 77 percent of it."""
    conc = np.array([[267.0, 0.0], [267.0, 0.0]])
    z = np.array([0.0, 1.0])
    sbp = simulate_pressure_rise(conc, z=z, which="sbp", effects=EFFECTS)
    dbp = simulate_pressure_rise(conc, z=z, which="dbp", effects=EFFECTS)
    assert sbp == pytest.approx(np.array([[16.0, 0.0], [27.2, 0.0]]), rel=1e-14)
    assert dbp == pytest.approx(np.array([[11.0, 0.0], [19.45, 0.0]]), rel=1e-14)
    assert sbp[1, 0] / sbp[0, 0] - 1.0 == pytest.approx(0.70, abs=0.005)
    assert dbp[1, 0] / dbp[0, 0] - 1.0 == pytest.approx(0.77, abs=0.005)
