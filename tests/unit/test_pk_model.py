"""Models, people and concentrations: labels that cannot be forgotten, and inputs that are refused."""

import numpy as np
import pytest

from remission.dosing import DrugForm, infusions_per_weight, make_infusions
from remission.errors import LibraryError, SpecError
from remission.library.loader import list_parameter_sets, load_parameter_set
from remission.pk import (
    individual_parameters,
    list_pk_models,
    load_pk_model,
    simulate_concentrations,
    with_both_forms,
)
from remission.pk.model import is_pk_model
from remission.records.analyte import Analyte, SamplingSite

MODEL = load_pk_model()
WEIGHT = np.array([70.0, 100.0])
PEOPLE = individual_parameters(MODEL, weight_kg=WEIGHT, z_iiv=np.zeros((2, 8)))
EVENTS = infusions_per_weight([0.5], start_h=[0.0], duration_h=[2 / 3], weight_kg=WEIGHT)
T_H = np.array([0.5, 1.0])


def test_the_default_model_states_what_varies() -> None:
    """The columns of z must mean the same to the sampler and to the model."""
    assert MODEL.iiv_names == ("v1", "cl", "q3", "nk_cl", "nk_mtt", "hnk_v1", "hnk_cl", "hnk_q")
    assert MODEL.n_iiv == 8


def test_every_variance_acts_on_its_own_parameter() -> None:
    """A variance wired to the wrong parameter changes no mean and every spread."""
    one = individual_parameters(MODEL, weight_kg=WEIGHT, z_iiv=np.ones((2, 8)))
    values = MODEL.parameter_set

    def ratio(name: str) -> float:
        return float(np.exp(np.sqrt(values.value(f"omega2_{name}"))))

    assert one.v1_l[0] == pytest.approx(11.6 * ratio("v1"), rel=1e-14)
    assert one.cl_l_per_h[0, 0] == pytest.approx(88.8 * ratio("cl"), rel=1e-14)
    assert one.cl_l_per_h[1, 0] == pytest.approx(88.8 * 0.944 * ratio("cl"), rel=1e-14)
    assert one.q_l_per_h[:, 0] == pytest.approx([145.8, 72.6 * ratio("q3")], rel=1e-14)
    assert one.v_l[:, 0] == pytest.approx([39.0, 174.0], rel=1e-14)
    metabolites = one.metabolites
    assert metabolites is not None
    assert metabolites.nk_cl_l_per_h[0] == pytest.approx(60.0 * ratio("nk_cl"), rel=1e-14)
    assert metabolites.nk_mtt_h[0] == pytest.approx(0.335 * ratio("nk_mtt"), rel=1e-14)
    assert metabolites.hnk_v1_l[0] == pytest.approx(4.4 * ratio("hnk_v1"), rel=1e-14)
    assert metabolites.hnk_cl_l_per_h[0] == pytest.approx(55.98 * ratio("hnk_cl"), rel=1e-14)
    assert metabolites.hnk_q_l_per_h[0] == pytest.approx(102.0 * ratio("hnk_q"), rel=1e-14)
    assert metabolites.nk_v2_l[0] == 221.0


def test_allometry_scales_flows_and_volumes_apart() -> None:
    """With mg/kg dosing the exponents decide who is overdosed."""
    assert PEOPLE.cl_l_per_h[0] == pytest.approx([88.8, 88.8 * (100 / 70) ** 0.75], rel=1e-14)
    assert PEOPLE.v1_l == pytest.approx([11.6, 11.6 * 100 / 70], rel=1e-14)


def test_a_weight_outside_the_studied_is_marked() -> None:
    """Extrapolation is allowed and never silent."""
    people = individual_parameters(MODEL, weight_kg=np.array([50.0, 53.0, 93.0, 120.0]), z_iiv=np.zeros((4, 8)))
    assert people.is_extrapolated.tolist() == [True, False, False, True]


def test_the_effect_site_delay_is_its_half_life() -> None:
    """ke0 is ln 2 over 6.1 min."""
    assert PEOPLE.ke0_per_h[0] / 60.0 == pytest.approx(0.11363, abs=1e-5)


def test_a_concentration_without_a_site_is_an_error() -> None:
    """Arterial and venous ketamine differ by a third during an infusion."""
    result = simulate_concentrations(PEOPLE, EVENTS, t_h=T_H)
    with pytest.raises(SpecError) as caught:
        result.select("ket")
    assert caught.value.where == "site"
    with pytest.raises(SpecError):
        simulate_concentrations(PEOPLE, EVENTS, t_h=T_H, sites=())


def test_every_series_carries_its_labels() -> None:
    """A figure or a file takes its labels from here."""
    result = simulate_concentrations(
        PEOPLE, EVENTS, t_h=T_H, analytes=("ket", "s_ket"), sites=("arterial", "effect", "venous")
    )
    assert result.units == "ng/mL"
    assert result.conc_ng_per_ml.shape == (2, 6, 2)
    assert result.analytes == (Analyte.KET, Analyte.S_KET)
    assert result.sampling_sites == (SamplingSite.ARTERIAL, SamplingSite.EFFECT, SamplingSite.VENOUS)
    with pytest.raises(SpecError):
        result.select("r_ket", site="effect")


@pytest.mark.parametrize(
    ("analytes", "sites", "where"),
    [
        (("ketamine",), ("arterial",), "analyte"),
        (("ket",), ("artery",), "sampling_site"),
        (("ket",), ("unstated",), "sites"),
        (("s_nk",), ("effect",), "sites"),
        (("s_hnk",), ("venous",), "sites"),
        ("ket", ("arterial",), "analytes"),
        (("ket",), "arterial", "sites"),
    ],
)
def test_a_wrong_request_says_what_exists(analytes: tuple[str, ...], sites: tuple[str, ...], where: str) -> None:
    """Metabolites have no effect site in any source; a guess must not be returned for them."""
    with pytest.raises(SpecError) as caught:
        simulate_concentrations(PEOPLE, EVENTS, t_h=T_H, analytes=analytes, sites=sites)
    assert caught.value.where == where


@pytest.mark.parametrize("duration_h", [1e-300, 1e-12, 24.0])
def test_extreme_lengths_and_times_give_numbers(duration_h: float) -> None:
    """Times beyond every life and a bolus of no length must end in numbers, not in not-a-number."""
    events = make_infusions(np.array([[35.0], [50.0]]), start_h=[0.0], duration_h=[duration_h])
    t_h = np.sort([0.0, duration_h, 1.0, 1e5, 1e12])
    with np.errstate(all="raise"):
        parents = simulate_concentrations(PEOPLE, events, t_h=t_h, sites=("arterial", "venous", "effect"))
        metabolites = simulate_concentrations(PEOPLE, events, t_h=t_h, analytes=("s_nk", "s_hnk"))
    for conc in (parents.conc_ng_per_ml, metabolites.conc_ng_per_ml):
        assert np.all(np.isfinite(conc) & (conc >= 0.0))
        assert np.all(conc[:, :, t_h == 1.0] > 0.0)
        assert np.all(conc[:, :, -1] == 0.0)


def test_a_length_in_which_no_dose_can_flow_is_refused() -> None:
    """The rate would be infinite and every curve with it."""
    events = make_infusions(np.array([[35.0], [50.0]]), start_h=[0.0], duration_h=[1e-320])
    with pytest.raises(SpecError, match="bolus"):
        simulate_concentrations(PEOPLE, events, t_h=T_H)


@pytest.mark.parametrize("t_h", [[1.0, 0.5], [-0.1, 1.0], [0.0, float("nan")], [float("inf")], [1e13]])
def test_time_may_not_run_backwards(t_h: list[float]) -> None:
    """Times before the start or out of order are a slip of the caller."""
    with pytest.raises(SpecError) as caught:
        simulate_concentrations(PEOPLE, EVENTS, t_h=np.array(t_h))
    assert caught.value.where == "t_h"


def test_people_and_events_must_match() -> None:
    """One dose for two people must not be broadcast."""
    with pytest.raises(SpecError) as caught:
        simulate_concentrations(PEOPLE, make_infusions(np.ones((1, 1)), start_h=[0.0], duration_h=[1.0]), t_h=T_H)
    assert caught.value.where == "events.dose_mg"


def test_z_must_have_the_columns_of_the_model() -> None:
    """A missing column would leave a parameter without its spread."""
    with pytest.raises(SpecError) as caught:
        individual_parameters(MODEL, weight_kg=WEIGHT, z_iiv=np.zeros((2, 7)))
    assert caught.value.where == "z_iiv"
    with pytest.raises(SpecError):
        individual_parameters(MODEL, weight_kg=np.array([70.0, 5.0]), z_iiv=np.zeros((2, 8)))


def test_an_effect_site_without_delay_is_refused() -> None:
    """A half-life of zero has no rate constant."""
    with pytest.raises(SpecError) as caught:
        individual_parameters(MODEL.replace_values(effect_half_life_h=0.0), weight_kg=WEIGHT, z_iiv=np.zeros((2, 8)))
    assert caught.value.where == "effect_half_life_h"


def test_unknown_models_and_values_list_the_nearest() -> None:
    """A sensitivity analysis on a misspelt name would change nothing and say so nowhere."""
    with pytest.raises(LibraryError) as caught:
        load_pk_model("domino")
    assert "domino1984" in caught.value.remedy
    with pytest.raises(LibraryError):
        load_pk_model("nmda-binding")
    with pytest.raises(LibraryError) as caught:
        MODEL.replace_values(cl=90.0)
    assert "cl_l_per_h" in caught.value.remedy


def test_a_model_of_the_racemate_refuses_esketamine() -> None:
    """Constants of the racemate say nothing about one enantiomer."""
    domino = load_pk_model("domino1984")
    people = individual_parameters(domino, weight_kg=WEIGHT, z_iiv=np.zeros((2, 0)))
    events = make_infusions(np.full((2, 1), 35.0), start_h=[0.0], duration_h=[1.0], form=DrugForm.ESKETAMINE)
    with pytest.raises(SpecError) as caught:
        simulate_concentrations(people, events, t_h=T_H, sites=("unstated",))
    assert caught.value.where == "events.form"


@pytest.mark.parametrize(
    ("name", "sites"),
    [
        ("simons2022", {"arterial", "venous", "effect"}),
        ("noppers2011", {"arterial", "venous", "effect"}),
        ("clements1981", {"venous"}),
        ("domino1984", {"unstated", "effect"}),
    ],
)
def test_a_model_offers_only_the_sites_it_can_know(name: str, sites: set[str]) -> None:
    """A venous model has no arterial curve to feed an effect site from."""
    assert {site.value for site in load_pk_model(name).sites} == sites


def test_nobody_and_no_time_are_fine() -> None:
    """An empty arm or an empty grid must not be a special case for the caller."""
    nobody = individual_parameters(MODEL, weight_kg=np.zeros(0), z_iiv=np.zeros((0, 8)))
    none = make_infusions(np.zeros((0, 1)), start_h=[0.0], duration_h=[1.0])
    result = simulate_concentrations(nobody, none, t_h=T_H, analytes=("ket", "s_nk"))
    assert result.conc_ng_per_ml.shape == (0, 2, 2)
    assert simulate_concentrations(PEOPLE, EVENTS, t_h=np.zeros(0)).conc_ng_per_ml.shape == (2, 1, 0)


def test_esketamine_has_no_r_ketamine() -> None:
    """The split of the dose follows what is in the syringe."""
    events = make_infusions(np.full((2, 1), 35.0), start_h=[0.0], duration_h=[1.0], form=DrugForm.ESKETAMINE)
    result = simulate_concentrations(PEOPLE, events, t_h=T_H, analytes=("ket", "s_ket", "r_ket"))
    assert np.all(result.select("r_ket", site="arterial") == 0.0)
    assert np.array_equal(result.select("ket", site="arterial"), result.select("s_ket", site="arterial"))


def test_no_infusion_gives_nothing() -> None:
    """Saline has no ketamine in it."""
    none = make_infusions(np.zeros((2, 0)), start_h=[], duration_h=[])
    result = simulate_concentrations(PEOPLE, none, t_h=T_H, analytes=("ket", "s_nk"))
    assert np.all(result.conc_ng_per_ml == 0.0)


def test_the_default_is_frozen_by_its_numbers() -> None:
    """Exposure feeds every trial: a number that moves under the same name would move every result in silence."""
    assert load_pk_model().name == load_pk_model("pk-2026").name == "pk-2026"
    assert load_pk_model("simons2022").name == "simons2022"
    assert load_pk_model().replace_values(cl_l_per_h=88.8).name == "pk-2026"
    changed = load_pk_model().replace_values(cl_l_per_h=90.0)
    assert changed.name == "simons2022"
    assert changed.numbers_sha256 != load_pk_model().numbers_sha256


def test_a_frozen_model_with_other_numbers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hash in the file must be looked at, not only written down."""
    from remission.pk import model as module

    plain = load_parameter_set
    module._load_frozen.cache_clear()
    monkeypatch.setattr(
        "remission.pk.model.load_parameter_set",
        lambda name: plain(name).replace_values(v1_l=11.7) if name == "simons2022" else plain(name),
    )
    with pytest.raises(LibraryError, match="frozen"):
        load_pk_model()
    module._load_frozen.cache_clear()


def test_venous_norketamine_has_the_variances_and_scaling_of_its_source() -> None:
    """Correlated variability and flows that do not grow with weight: three ways to be wrong by a tenth."""
    model = load_pk_model("fanta2015")
    z = np.random.default_rng(1).normal(size=(40_000, model.n_iiv))
    people = individual_parameters(model, weight_kg=np.full(40_000, 70.0), z_iiv=z)
    assert people.metabolites is not None
    ket = np.cov(np.log(people.v1_l), np.log(people.cl_l_per_h[0]))
    nk = np.cov(np.log(people.metabolites.nk_v1_l), np.log(people.metabolites.nk_cl_l_per_h))
    assert ket == pytest.approx(np.array([[0.084177, 0.02261], [0.02261, 0.026048]]), rel=0.05)
    assert nk == pytest.approx(np.array([[0.040426, 0.04456], [0.04456, 0.10319]]), rel=0.05)
    heavy = individual_parameters(model, weight_kg=np.array([140.0]), z_iiv=np.zeros((1, 4)))
    assert heavy.v1_l == pytest.approx([266.0])
    assert heavy.v_l[:, 0] == pytest.approx([187.0, 98.8])
    assert heavy.q_l_per_h[:, 0] == pytest.approx([23.2, 157.0])
    assert heavy.cl_l_per_h[0] == pytest.approx([95.2 * 2.0**0.75])


def test_a_covariance_larger_than_its_variances_is_refused() -> None:
    """The square root of a negative number would draw people who are not."""
    model = load_pk_model("fanta2015").replace_values(**{"cov.v1.cl": 0.06})
    with pytest.raises(SpecError, match="positive definite"):
        individual_parameters(model, weight_kg=np.array([70.0]), z_iiv=np.zeros((1, 4)))


def test_models_stand_where_the_dossier_has_them() -> None:
    """82 kg, 0.5 mg/kg over 40 min: the spread between published models, each computed elsewhere."""
    found = {}
    for name, site in (
        ("simons2022", "arterial"), ("noppers2011", "arterial"), ("kamp2020", "arterial"),
        ("kamp2020-linear", "arterial"),
        ("domino1984", "unstated"), ("clements1981", "venous"), ("fanta2015", "venous"),
    ):  # fmt: skip
        model = load_pk_model(name)
        both = with_both_forms(model)
        people = individual_parameters(both, weight_kg=np.array([82.0]), z_iiv=np.zeros((1, both.n_iiv)))
        events = infusions_per_weight([0.5], start_h=[0.0], duration_h=[2 / 3], weight_kg=np.array([82.0]))
        conc = simulate_concentrations(people, events, t_h=np.array([2 / 3]), sites=(site,))
        found[name] = float(conc.conc_ng_per_ml[0, 0, 0])
    expected = {
        "simons2022": 300, "noppers2011": 285, "kamp2020": 259, "kamp2020-linear": 253, "domino1984": 240,
        "clements1981": 177, "fanta2015": 165,
    }  # fmt: skip
    assert found == pytest.approx(expected, abs=1.0)


def test_a_name_is_known_without_reading_every_model() -> None:
    """A first trial read the whole library of kinetics to see that its default is there."""
    assert all(is_pk_model(name) for name in list_pk_models())
    no_model = [name for name in list_parameter_sets() if name not in list_pk_models()]
    assert no_model
    assert not any(is_pk_model(name) for name in (*no_model, "no-such-model", "own.toml", "../simons2022"))
