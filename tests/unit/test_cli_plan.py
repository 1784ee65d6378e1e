"""``remission plan`` as somebody at a desk would type it."""

import json
import re
from pathlib import Path

import pytest

from remission.cli.app import run_app
from remission.planner import PlannedInfusion, PlanRequest, plan_infusion
from remission.report.plan_command import command_line

PERSON = ["plan", "--weight", "82", "--age", "45", "--people", "60"]
INFUSION = ["--dose", "0.5mg/kg", "--minutes", "40"]


def test_the_command_says_what_the_library_says(capsys: pytest.CaptureFixture[str]) -> None:
    """A second path to the same numbers would be a second truth."""
    assert run_app([*PERSON, *INFUSION, "--systolic", "150", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    plan = plan_infusion(
        PlanRequest(
            age_y=45.0,
            weight_kg=82.0,
            sbp0_mmhg=150.0,
            infusions=(PlannedInfusion(dose_mg_per_kg=0.5, duration_min=40.0),),
            n_people=60,
        )
    )
    assert found["total_mg"] == plan.total_mg == 41.0
    assert [one["values"] for one in found["curves"]] == [one.quantiles.tolist() for one in plan.curves]
    assert plan.p_sbp_above_limit is not None
    assert found["share_with_sbp_above_180_mmhg"]["share"] == plan.p_sbp_above_limit.share
    assert found["notice"] == "Research simulation, not for patient care."


def test_the_text_names_site_limits_and_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    """A concentration without its sampling site, or a share made up without a pressure, would mislead."""
    assert run_app([*PERSON, "--preset", "kare", "--hypertension", "--has", "aneurysm"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Research simulation, not for patient care.")
    for words in (
        "Ketamine, arterial plasma", "venous plasma (link assumed)", "S-norketamine", "CADSS", "Rise of heart rate",
        "not known without a systolic pressure", "  0.80 mg/kg", "Flag: Known hypertension",
        "CONTRAINDICATION, no plan is printed: Aneurysm", "Source: ", "naltrexone", "can kill", "Not given: Sex",
        "Ask about pain, urgency",
    ):  # fmt: skip
        assert words in shown


def test_the_command_of_a_plan_makes_it_again(capsys: pytest.CaptureFixture[str]) -> None:
    """What stands on paper must lead back to the same simulation."""
    request = PlanRequest.create(
        age="45 years", weight="82 kg", sex="female", substance="opioid", height_cm=170.0, sbp0_mmhg=130.0,
        dbp0_mmhg=80.0, has=["past-ketamine"], n_people=20, seed=7, n_sessions=2, spacing_days=7.0,
        infusions=[{"dose": 0.1 + 0.2, "duration": "2 min"}, {"dose": 0.3, "duration": "30 min", "start_h": 0.5}],
    )  # fmt: skip
    # Seed 0 is an answer; it must not turn into the default.
    muscle = PlanRequest.create(
        age="45 years", weight="82 kg", route="im", assumed_ka_per_h=0.1 + 0.2, assumed_f=0.9, product="im-quoted",
        infusions=[{"dose": 0.5}], n_people=20, seed=0,
    )  # fmt: skip
    for one in (request, muscle):
        words = command_line(one).split()
        assert run_app([*words[1:], "--json"]) == 0
        assert PlanRequest.from_dict(json.loads(capsys.readouterr().out)["request"]) == one


def test_regimens_are_compared_and_searched(capsys: pytest.CaptureFixture[str]) -> None:
    """The second regimen must stand beside the first, and a search must end in a number with its error."""
    assert run_app([*PERSON, *INFUSION, "--compare", "kare", "--compare", "0.4mg/kg/60min"]) == 0
    shown = capsys.readouterr().out
    assert "Second: 0.8 mg/kg over 40 min" in shown
    assert "Second: 0.4 mg/kg over 60 min" in shown
    assert "the difference is person by person" in shown
    assert run_app([*PERSON, "--minutes", "40", "--find", "dose", "--limit", "sbp-rise=20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert 0.05 <= found["cautious"] <= found["value"] <= found["lenient"] <= 0.8
    assert run_app([*PERSON, *INFUSION[:2], "--find", "duration", "--within-plasma", "krystal-1994"]) == 0
    assert "mg/kg/min" in capsys.readouterr().out


def test_the_library_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Names that can be typed must be findable."""
    assert run_app(["plan", "--list"]) == 0
    shown = capsys.readouterr().out
    assert "cocaine-071" in shown
    assert "aneurysm " in shown
    assert "krystal-1994" in shown


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--dose", "35mg/kg", "--minutes", "40"], "35 mg meant"),
        (["--dose", "35", "--minutes", "40"], "35 mg meant"),
        (["--dose", "0.5", "--minutes", "40"], "unit"),
        (["--dose", "0.5mg/kg"], "minutes"),
        (["--dose", "0.5mg/kg", "--minutes", "-4"], "more than 0 min"),
        (["--dose", "0.5mg/kg", "--minutes", "nan"], "minutes"),
        (["--preset", "karee"], "dakwar-2019"),
        (["--preset", "kare", *INFUSION], "Leave one"),
        (["--preset", "kare", "--model", "nobody"], "simons2022"),
        ([*INFUSION, "--compare", "nothing"], "compare"),
        ([*INFUSION, "--find", "dose"], "a limit"),
        ([*INFUSION, "--find", "dose", "--limit", "cadss=20"], "never a dissociation"),
        ([*INFUSION, "--find", "dose", "--within-plasma", "nowhere"], "krystal-1994"),
        ([*INFUSION, "--limit", "sbp-rise=20"], "find"),
        ([*INFUSION, "--share", "0.9"], "find"),
        ([*INFUSION, "--find", "dose", "--limit", "sbp-rise=20", "--compare", "kare"], "not both"),
        (["--dose", "1mg/kg", "--route", "rectal"], "a bioavailability is sourced, and no rate"),
        ([*INFUSION, "--find", "rate", "--limit", "sbp-rise=20"], "dose or duration"),
    ],
)
def test_slips_are_named(words: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each slip ends in a sentence with what is allowed, and in no number."""
    assert run_app([*PERSON, *words]) == 2
    shown = capsys.readouterr()
    assert named in shown.err
    assert not shown.out


def test_a_page_is_written_whole_or_not_at_all(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A self-contained page; blocked by a contraindication; an older page is never lost."""
    monkeypatch.chdir(tmp_path)
    plan = [*PERSON, *INFUSION, "--out", "plan.html"]
    assert run_app([*plan, "--has", "pregnancy"]) == 2
    assert "Pregnancy" in capsys.readouterr().err
    assert not (tmp_path / "plan.html").exists()
    assert run_app([*plan, "--clinician", "--vial", "50"]) == 0
    assert "0.82 mL" in capsys.readouterr().out
    page = (tmp_path / "plan.html").read_text("utf-8")
    assert page.count("Research simulation, not for patient care.") >= 2
    assert "Witness" in page
    assert "<script" not in page
    assert not re.search(r'(?:src|href)="(?!#)', page)
    assert run_app(plan) == 2
    assert "nothing was overwritten" in capsys.readouterr().err
    assert (tmp_path / "plan.html").read_text("utf-8") == page
    assert run_app([*PERSON, *INFUSION, "--out", "nowhere/plan.html"]) == 2
    assert run_app([*PERSON, *INFUSION, "--vial", "50"]) == 2
    assert run_app([*PERSON, *INFUSION, "--clinician", "--vial", "5000"]) == 2
