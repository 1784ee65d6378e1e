"""Weights of the reader's own, answers under each published model, and esketamine beside itself."""

import numpy as np
import pytest

from remission.cli.app import run_app
from remission.errors import SpecError
from remission.planner import compare_regimens, plan_infusion, read_limit, read_regimen, read_request, search_regimen
from remission.planner.reading import read_weights
from remission.planner.session import simulate_session
from remission.report.clinic_sheet import clinic_sheet, read_dilution
from remission.report.plan_command import command_line
from remission.report.plan_compare import comparison_rows
from remission.report.plan_numbers import plan_numbers
from remission.report.plan_search import search_sheet
from remission.report.plan_sheet import plan_sheet
from tests.unit.test_planner_models import fields


def test_weights_are_those_of_the_average_at_each_site() -> None:
    """A weight that does nothing, or moves to another model, would be a lie with a name on it."""
    request = read_request(fields(weights="kamp2020=2, noppers2011=1"))
    plan = plan_infusion(request)
    for at in plan.models:
        peaks = dict(zip(at.spread.models, at.spread.conc_ng_per_ml, strict=True))
        expected = (2.0 * peaks["kamp2020"] + peaks["noppers2011"]) / 3.0
        np.testing.assert_allclose(at.average.conc_ng_per_ml, expected, rtol=1e-12)
    weights = plan_numbers(plan)["models"][0]["average"]["weights"]
    assert sum(weights.values()) == pytest.approx(1.0)
    assert "weights of your own" in plan_sheet(plan).between_note
    assert read_request(fields(weights="kamp2020=200; noppers2011=100")).model == "average"
    assert "--weights 'kamp2020=2, noppers2011=1'" in command_line(request)


def test_all_weight_on_one_model_is_that_model() -> None:
    """An exact limit: the average of one is the one."""
    session = simulate_session(read_request(fields(weights="domino1984=1, kamp2020=1")))
    venous = next(one for one in session.models if one.quantity.site == "venous")
    row = venous.spread.conc_ng_per_ml[venous.spread.models.index("kamp2020")]
    # Domino's site is not stated: in the vein the other keeps the whole weight.
    np.testing.assert_allclose(venous.average.conc_ng_per_ml, row, rtol=1e-12)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kamp=1", "Did you mean kamp2020"),
        ("kamp2020=-1", "0 or more"),
        ("kamp2020", "its weight"),
        ("kamp2020=0", "above 0"),
        ("kamp2020=1, kamp2020=2", "each model once"),
        ("kamp2020=60%, noppers2011=30%", "add up to 90"),
        ("kamp2020=60%, noppers2011=1", "all with %"),
        ("domino1984=1", "venous"),
        ("kamp2020=nan", "its weight"),
        ("kamp2020=1e999", "finite"),
        ("average=1", "a published model"),
    ],
)
def test_wrong_weights_are_refused_by_name(text: str, said: str) -> None:
    """Nothing stands in for a weight that was not understood."""
    with pytest.raises(SpecError, match=said):
        plan_infusion(read_request(fields(weights=text, people="20")))


def test_weights_are_read_in_the_ways_people_write_them() -> None:
    """Commas, semicolons, colons, decimal commas, percent."""
    wanted = (("kamp2020", 0.5), ("noppers2011", 1.5))
    for text in ("kamp2020=0.5, noppers2011=1.5", "kamp2020: 0,5; noppers2011: 1,5", "KAMP2020 0.5,noppers2011 1.5"):
        assert read_weights(text) == wanted
    assert read_weights("kamp2020=25%; noppers2011=75 %") == (("kamp2020", 25.0), ("noppers2011", 75.0))
    with pytest.raises(SpecError, match="average"):
        read_request(fields(weights="kamp2020=1", model="kamp2020"))


def test_a_search_says_its_answer_under_each_model() -> None:
    """Models a quarter apart make doses a quarter apart; one answer alone hides it."""
    request = read_request(fields(people="100"))
    found = search_regimen(request, target="dose", limits=[read_limit("sbp-rise=20")])
    assert found.under_models["simons2022"] == found.value
    assert set(found.under_models) == {"simons2022", "noppers2011", "kamp2020", "kamp2020-linear", "domino1984"}
    alone = search_regimen(request.replace(model="kamp2020"), target="dose", limits=[read_limit("sbp-rise=20")])
    assert alone.value == found.under_models["kamp2020"]
    assert found.value is not None
    assert all(value is not None and value >= found.value for value in found.under_models.values())
    assert "simons2022 is the most careful" in search_sheet(found).under_models


def test_a_model_of_the_vein_alone_searches_no_plasma_range(capsys: pytest.CaptureFixture[str]) -> None:
    """Where a model has no vein, a range of venous plasma is another quantity."""
    words = ["plan", "--weight", "82", "--age", "45", "--people", "20", "--minutes", "40", "--find", "dose"]
    assert run_app([*words, "--within-plasma", "kare", "--model", "domino1984"]) == 2
    assert "reaches the vein" in capsys.readouterr().err


def test_a_comparison_shows_the_difference_under_each_model() -> None:
    """The range of people says nothing of how far models disagree about a difference."""
    first = read_request(fields(people="50"))
    found = compare_regimens([first, read_regimen("0.8mg/kg/40min", beside=first)])
    by_model = next(one.by_model for one in found.differences[0].models if one.quantity.site == "arterial")
    # Every published model is linear in dose: the difference is 3/5 of the first peak.
    for name, value in by_model.items():
        at = next(one.spread for one in found.plans[0].models if one.quantity.site == "arterial")
        assert value == pytest.approx(0.6 * float(at.peak_ng_per_ml[at.models.index(name)]), rel=1e-9)
    assert any("published models" in row.label for row in comparison_rows(found, 0))


def test_esketamine_stands_beside_itself_and_nothing_else() -> None:
    """One drug, one model, the same people; a preset of the racemate is another drug."""
    first = read_request(fields(drug="esketamine", dose="0.25 mg/kg", people="50"))
    found = compare_regimens([first, read_regimen("0.5mg/kg/40min", beside=first)])
    ratio = found.plans[1].peaks[0].median / found.plans[0].peaks[0].median
    assert ratio == pytest.approx(2.0, rel=1e-9)
    for text, said in (("kare", "no published regimen gives esketamine"), ("56mg/intranasal", "same model")):
        with pytest.raises(SpecError, match=said):
            read_regimen(text, beside=first)


def test_volumes_of_an_infusion_of_esketamine_name_the_vial() -> None:
    """Drawn from a vial of the racemate the same volume is another dose."""
    request = read_request(fields(drug="esketamine", dose="20 mg", people="20"))
    mixture = read_dilution("50 mg in 50 mL", strength_mg_per_ml=25.0)
    sheet = clinic_sheet(request, strength_mg_per_ml=25.0, dilution=mixture)
    assert (sheet.steps[0].mg, sheet.steps[0].ml_per_h) == ("20.0", "30.0")
    assert "vial of esketamine" in sheet.cautions[0]
    spray = read_request({**fields(drug="esketamine", dose="56 mg", route="intranasal"), "minutes": []})
    with pytest.raises(SpecError, match="infused"):
        clinic_sheet(spray, strength_mg_per_ml=25.0)


@pytest.mark.parametrize("model", ["domino1984", "pk-2026"])
def test_a_model_without_differences_between_people_says_so(model: str) -> None:
    """A band of no width must not be read as certainty, nor end in a traceback."""
    plan = plan_infusion(read_request(fields(model=model, people="20")))
    flags = [one for one in plan.flags if "no differences between people" in one.got]
    assert len(flags) == (model == "domino1984")
