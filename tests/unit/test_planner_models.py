"""The planner beside published models, measured values, esketamine, and routes without a measured rate."""

import json

import numpy as np
import pytest

from remission.errors import SpecError
from remission.planner import plan_infusion, read_request
from remission.planner.request import PlanRequest
from remission.planner.session import simulate_session
from remission.report.plan_command import command_line
from remission.report.plan_numbers import plan_numbers
from remission.report.plan_sheet import plan_sheet
from remission.report.planner_chart import planner_chart

IV = {"weight": ["82"], "age": ["45"], "dose": ["0.5 mg/kg"], "minutes": ["40"], "people": ["300"]}


def fields(**more: str) -> dict[str, list[str]]:
    """The fields of an infusion with some changed; an empty text leaves one out."""
    return {**IV, **{name: [text] for name, text in more.items()}}


def test_models_stand_beside_people() -> None:
    """Five curves that differ by a quarter must not be shown as one."""
    plan = plan_infusion(read_request(IV))
    assert plan.request.model == "pk-2026"
    sites = {one.quantity.site: one for one in plan.models}
    arterial = dict(zip(sites["arterial"].spread.models, sites["arterial"].spread.peak_ng_per_ml, strict=True))
    known = {"domino1984": 240, "kamp2020": 259, "kamp2020-linear": 253, "noppers2011": 285, "simons2022": 301}
    assert {name: round(float(arterial[name])) for name in known} == known
    assert sites["venous"].spread.peak_ng_per_ml.min() < 170.0
    sheet = plan_sheet(plan)
    ends = [(one.spread.peak_ng_per_ml.min(), one.spread.peak_ng_per_ml.max()) for one in plan.models]
    assert [row.models for row in sheet.between] == [f"{low:.0f} to {high:.0f}" for low, high in ends]
    assert "simons2022 301" in sheet.between[0].names
    numbers = json.loads(json.dumps(plan_numbers(plan)))
    assert [one["site"] for one in numbers["models"]] == ["arterial", "venous"]
    assert abs(sum(numbers["models"][0]["average"]["weights"].values()) - 1.0) < 1e-12
    assert "published models" in planner_chart(plan).see


def test_a_measured_value_is_wider_than_people() -> None:
    """A reader who holds a laboratory value against the people's band would call most patients odd."""
    plan = plan_infusion(read_request(IV))
    for one in plan.measured:
        people = next(peak for peak in plan.peaks if peak.quantity == one.quantity)
        assert one.peak_low_ng_per_ml < people.low < people.high < one.peak_high_ng_per_ml
        own = next(curve for curve in plan.curves if (curve.name, curve.site) == ("ket", one.quantity.site))
        assert np.all(one.quantiles_ng_per_ml[-1][5:] > own.quantiles[-1][5:])
    assert len(plan.measured) == 2


def test_an_average_is_an_option_and_shows_no_effect() -> None:
    """Pressure was read on one model's concentrations: on an average it would be a number nobody measured."""
    plain, mean = (simulate_session(read_request(fields(model=one))) for one in ("", "average"))
    one = mean.models[0]
    ratio = one.average.conc_ng_per_ml[10] / one.spread.conc_ng_per_ml[one.spread.models.index("simons2022")][10]
    at = int(np.argmin(np.abs(plain.t_h - mean.t_h[10])))
    assert np.allclose(mean.of("ket", "arterial")[:, 10], ratio * plain.of("ket", "arterial")[:, at], rtol=1e-12)
    assert {one.name for one in mean.values} == {"ket"}
    sheet = plan_sheet(plan_infusion(read_request(fields(model="average", systolic="170/100"))))
    assert "no number" in sheet.withheld[0]
    assert sheet.shares == ()
    assert f"kamp2020-linear {100.0 * one.average.weights['kamp2020-linear']:.0f}%" in sheet.between_note
    assert "--model average" in sheet.command
    # What looks out for anesthesia is not softened by lower models.
    assert mean.careful_peak_ng_per_ml == pytest.approx(np.quantile(plain.of("ket", "arterial").max(axis=1), 0.95))


@pytest.mark.parametrize(("dose_mg", "peak"), [(28, 43.9), (56, 73.0), (84, 102.2)])
def test_the_spray_peaks_where_its_model_was_derived(dose_mg: int, peak: float) -> None:
    """The one approved product must be planned from its own model, not from the racemate."""
    request = read_request(
        {"weight": ["74"], "age": ["45"], "dose": [f"{dose_mg} mg"], "drug": ["Spravato"], "people": ["20"]}
    )
    assert (request.model, request.route, request.product) == ("perezruixo2021", "intranasal", "nasal-s-spray")
    from remission.pk import load_pk_model, simulate_doses
    from remission.planner.doses import doses_of

    model = load_pk_model(request.model)
    t_h = np.arange(0.0, 2.0, 1.0 / 240.0)
    curve = simulate_doses(
        model, doses_of(request), weight_kg=np.array([74.0]), z_iiv=np.zeros((1, model.n_iiv)), t_h=t_h,
        analytes=["s_ket"], sites=["venous"],
    ).select("s_ket", site="venous")[0]  # fmt: skip
    assert curve.max() == pytest.approx(peak, abs=0.1)
    assert 35.5 <= 60.0 * t_h[curve.argmax()] <= 40.5


def test_esketamine_says_what_is_wrong_in_its_source_and_shows_no_effect() -> None:
    """Pressure and dissociation were read after the racemate: a number here would be borrowed."""
    spray = plan_sheet(plan_infusion(read_request(fields(dose="84 mg", minutes="", product="nasal-s-spray"))))
    assert any("wrong unit" in one.consequence for one in spray.flags)
    assert [row.label for row in spray.peaks] == ["S-ketamine, venous plasma"]
    assert spray.facts[0].label == "Esketamine"
    title = planner_chart(plan_infusion(read_request(fields(dose="84 mg", minutes="", product="nasal-s-spray")))).title
    assert title.endswith("(S-ketamine, venous plasma)")
    assert spray.shares == ()
    assert "no number" in spray.withheld[0]
    infusion = plan_infusion(read_request(fields(drug="esketamine", dose="0.25 mg/kg")))
    assert infusion.request.model == "fanta2015"
    assert {(one.name, one.site) for one in infusion.curves} == {("s_ket", "venous"), ("s_nk", "venous")}
    assert "simons2022" in infusion.models[0].spread.models
    other = plan_infusion(read_request(fields(drug="esketamine", dose="0.25 mg/kg", model="pk-2026")))
    assert ("s_ket", "arterial") in {(one.name, one.site) for one in other.curves}
    assert other.exposure_median is None


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"dose": "84 mg", "minutes": "", "route": "intranasal"}, "dose"),
        ({"drug": "heroin"}, "drug"),
        ({"drug": "ketamine", "product": "spravato"}, "product"),
        ({"drug": "esketamine", "model": "kamp2020"}, "model"),
        ({"drug": "esketamine", "model": "../../secret.toml"}, "model"),
        ({"drug": "esketamine", "model": "average"}, "model"),
        ({"drug": "esketamine", "route": "rectal", "minutes": "", "dose": "20 mg"}, "route"),
        ({"drug": "esketamine", "preset": "kare", "dose": "", "minutes": ""}, "preset"),
    ],
)
def test_another_drug_is_refused_where_it_has_no_model(more: dict[str, str], where: str) -> None:
    """A slip of the drug is a twofold dose."""
    with pytest.raises(SpecError) as caught:
        plan_infusion(read_request(fields(**more)))
    assert where in {one.where for one in caught.value.faults}
    if more.get("route") == "intranasal":
        assert "--drug esketamine" in str(caught.value)


@pytest.mark.parametrize(
    "more", [{"route": "im"}, {"route": "sc"}, {"route": "sublingual", "product": "sublingual-lozenge"}]
)
def test_a_route_without_a_rate_takes_the_stated_distribution(more: dict[str, str]) -> None:
    """One guess as everybody's rate would make the least known route look the best known."""
    request = read_request(fields(minutes="", **more))
    plan = plan_infusion(request)
    flag = next(one for one in plan.flags if one.label == "Absorption")
    assert "a distribution that the library states" in flag.got
    assert "placeholder" in flag.got or "assumed" in flag.got
    guess = plan_infusion(request.replace(assumed_ka_per_h=3.0))
    wide, narrow = (
        np.log(one.peaks[0].high / one.peaks[0].low) for one in (plan, guess)
    )  # fmt: skip
    assert wide > narrow
    assert "--assume-ka" not in command_line(request)


def test_the_usual_model_is_the_frozen_one() -> None:
    """A run and a plan that name their default differently cannot be held beside each other."""
    request = PlanRequest.create(age_y=45, weight_kg=82, infusions=[{"dose": "0.5 mg/kg", "duration": "40 min"}])
    assert request.model == "pk-2026"
    assert "--model" not in command_line(request)
    assert "--model simons2022" in command_line(request.replace(model="simons2022"))
