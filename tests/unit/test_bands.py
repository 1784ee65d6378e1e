"""Between models and between measured values: the spread of both stands beside a curve, and holds what was measured."""

import numpy as np
import pytest
from scipy import stats

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.patient.sampling import sample_band_draws
from remission.pk import (
    average_models,
    individual_parameters,
    load_pk_model,
    measured_band,
    model_spread,
    with_band_spread,
)
from remission.pk.spread import published_models
from remission.records.dose import Dose
from remission.streams import People

MODEL = load_pk_model()
PEOPLE = People.of_replicates(seed=1, first=0, count=1, n_subjects=2000)
T_H = np.union1d(np.arange(0.0, 3.0, 1.0 / 16.0), [0.5, 2 / 3])
INFUSION = Dose.create(route="iv_infusion", dose="0.5 mg/kg", duration="40 min")


def test_the_band_holds_the_spread_that_was_measured() -> None:
    """Fifteen people had 29.9 (SD 8.5) ng/mL; a band of '90%' that holds 45% of them is falsely narrow."""
    known = load_parameter_set("points-2026")
    dose = Dose.create(route="iv_infusion", dose="5 mg", duration="30 min")
    band = measured_band(MODEL, [dose], weight_kg=70.0, t_h=T_H, draws=sample_band_draws(PEOPLE, model=MODEL))
    low, high = np.quantile(band.peak_ng_per_ml, [0.05, 0.95])
    measured = stats.norm(29.9, 8.5)
    coverage = measured.cdf(high) - measured.cdf(low)
    assert 0.85 <= coverage <= 0.97
    assert known.value("cmax_cv_5mg") <= band.peak_cv <= 0.45
    narrow = np.quantile(band.peak_ng_per_ml, 0.5) * np.exp(1.645 * 0.11 * np.array([-1.0, 1.0]))
    assert measured.cdf(narrow[1]) - measured.cdf(narrow[0]) < 0.5


def test_clearance_varies_at_least_as_the_measured_area() -> None:
    """The area depends on clearance alone, so its measured CV must be in the people."""
    wide = with_band_spread(MODEL)
    z = sample_band_draws(PEOPLE, model=MODEL).z_iiv
    people = individual_parameters(wide, weight_kg=np.full(2000, 70.0), z_iiv=z)
    area = 1.0 / people.cl_l_per_h[0]
    assert area.std() / area.mean() == pytest.approx(load_parameter_set("points-2026").value("auc_cv_5mg"), rel=0.06)
    assert with_band_spread(load_pk_model("kamp2020")).n_iiv == 2
    fanta = with_band_spread(load_pk_model("fanta2015")).parameter_set
    plain = load_pk_model("fanta2015").parameter_set
    for one in (fanta, plain):
        size = (one.value("omega2_v1") * one.value("omega2_cl")) ** 0.5
        assert one.value("cov.v1.cl") / size == pytest.approx(0.4829, abs=1e-3)


def test_absorption_is_drawn_between_people() -> None:
    """One guess for everybody gives a band without the half of the doubt that matters most."""
    muscle = Dose.create(route="im", dose="0.5 mg/kg", absorption={"basis": "library", "reason": "stated"})
    draws = sample_band_draws(People.of_replicates(seed=1, first=0, count=1, n_subjects=64), model=MODEL)
    still = type(draws)(
        z_iiv=draws.z_iiv, z_link=draws.z_link, z_absorption=0.0 * draws.z_absorption, z_residual=draws.z_residual,
        z_study=draws.z_study,
    )  # fmt: skip
    t_h = np.arange(0.0, 1.0, 1.0 / 16.0)
    common = {"weight_kg": 70.0, "t_h": t_h, "site": "arterial"}
    both = [measured_band(MODEL, [muscle], draws=one, **common) for one in (draws, still)]  # type: ignore[arg-type]
    assert both[0].peak_cv > both[1].peak_cv
    with pytest.raises(SpecError, match="blood is drawn"):
        measured_band(MODEL, [muscle], weight_kg=70.0, t_h=t_h, draws=draws, site="effect")


def test_published_models_stand_beside_each_other() -> None:
    """82 kg, 0.5 mg/kg over 40 min; the numbers were worked out elsewhere, and ours is the highest."""
    artery = model_spread([INFUSION], weight_kg=82.0, t_h=T_H)
    vein = model_spread([INFUSION], weight_kg=82.0, t_h=T_H, site="venous")
    known = {"domino1984": 240, "kamp2020": 259, "kamp2020-linear": 253, "noppers2011": 285, "simons2022": 300}
    peaks = dict(zip(artery.models, artery.peak_ng_per_ml, strict=True))
    assert {name: peaks[name] for name in known} == pytest.approx(known, abs=1.0)
    # A model that the library gains stands beside them, or is left out with its reason.
    assert {*artery.models, *artery.left_out} == {*published_models()}
    found = dict(zip(vein.models, vein.peak_ng_per_ml, strict=True))
    assert {name: found[name] for name in ("clements1981", "fanta2015", "simons2022")} == pytest.approx(
        {"clements1981": 177, "fanta2015": 165, "simons2022": 209}, abs=1.0
    )
    assert "fanta2015" in artery.left_out
    assert "domino1984" in vein.left_out
    assert f"{min(peaks.values()):.0f} to {max(peaks.values()):.0f}" in artery.text
    assert np.all(artery.low_ng_per_ml <= artery.high_ng_per_ml)


def test_an_average_says_its_weights() -> None:
    """Two readings of one model must not count as two; weights are the caller's, or equal and said."""
    spread = model_spread([INFUSION], weight_kg=82.0, t_h=T_H)
    equal = average_models(spread)
    assert equal.weights_are_equal
    assert equal.weights["kamp2020"] + equal.weights["kamp2020-linear"] == pytest.approx(equal.weights["simons2022"])
    one = average_models(spread, weights={"simons2022": 3.0})
    assert one.conc_ng_per_ml == pytest.approx(spread.conc_ng_per_ml[spread.models.index("simons2022")])
    assert not one.weights_are_equal
    for wrong in ({"simon": 1.0}, {"simons2022": -1.0}, {"simons2022": 0.0}, {"simons2022": float("nan")}):
        with pytest.raises(SpecError):
            average_models(spread, weights=wrong)


def test_a_spread_refuses_what_no_model_gives() -> None:
    """A fault of the doses is the caller's, not a model's."""
    with pytest.raises(SpecError):
        model_spread([INFUSION], weight_kg=82.0, t_h=T_H, models=["kamp2021"])
    with pytest.raises(SpecError):
        model_spread([INFUSION], weight_kg=82.0, t_h=T_H, site="effect")
    with pytest.raises(SpecError):
        model_spread([INFUSION], weight_kg=8.0, t_h=T_H)
    with pytest.raises(SpecError):
        model_spread([INFUSION], weight_kg=82.0, t_h=T_H, models=["fanta2015"])
