"""``remission plan`` as somebody at a desk would type it."""

import json

import pytest

from remission.cli.app import run_app
from remission.planner import PlannedInfusion, PlanRequest, plan_infusion
from remission.records.protocol import Substance

PERSON = ["plan", "--weight", "82", "--age", "45", "--sex", "male", "--substance", "alcohol", "--people", "200"]


def test_the_command_says_what_the_library_says(capsys: pytest.CaptureFixture[str]) -> None:
    """A second path to the same numbers would be a second truth."""
    assert run_app([*PERSON, "--dose", "0.5mg/kg", "--minutes", "40", "--systolic", "150", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    plan = plan_infusion(
        PlanRequest(
            age_y=45.0,
            weight_kg=82.0,
            sex="male",
            substance=Substance.ALCOHOL,
            sbp0_mmhg=150.0,
            infusions=(PlannedInfusion(dose_mg_per_kg=0.5, duration_min=40.0),),
            n_people=200,
        )
    )
    assert found["total_mg"] == plan.total_mg == 41.0
    assert [one["values"] for one in found["curves"]] == [one.quantiles.tolist() for one in plan.curves]
    assert plan.p_sbp_above_limit is not None
    assert found["share_with_sbp_above_180_mmhg"]["share"] == plan.p_sbp_above_limit.share
    assert found["notice"] == "Research simulation, not for patient care."


def test_the_text_names_site_limits_and_what_is_not_known(capsys: pytest.CaptureFixture[str]) -> None:
    """A concentration without its sampling site, or a share made up without a pressure, would mislead."""
    assert run_app([*PERSON, "--preset", "kare", "--hypertension"]) == 0
    shown = capsys.readouterr()
    assert shown.out.startswith("Research simulation, not for patient care.")
    assert "ketamine, arterial plasma" in shown.out
    assert "venous plasma (provisional link)" in shown.out
    assert "not known without --systolic" in shown.out
    assert "0.80 mg/kg" in shown.out
    assert "flag: hypertension" in shown.err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["--dose", "35mg", "--minutes", "40"], "per body weight"),
        (["--dose", "0.5", "--minutes", "40"], "unit"),
        (["--dose", "0.5mg/kg"], "--minutes"),
        (["--dose", "0.5mg/kg", "--minutes", "-4"], "more than 0 min"),
        (["--dose", "0.5mg/kg", "--minutes", "nan"], "finite"),
        (["--dose", "50mg/kg", "--minutes", "40"], "at most 5"),
        (["--preset", "karee"], "dakwar-2019, kare"),
        (["--preset", "kare", "--dose", "0.5mg/kg", "--minutes", "40"], "one of them"),
        (["--preset", "kare", "--systolic", "500"], "260"),
        (["--preset", "kare", "--model", "nobody"], "simons2022"),
        (["--preset", "kare", "--people", "3"], "20"),
    ],
)
def test_slips_are_named(words: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Each slip ends in a sentence with what is allowed, and in no number."""
    assert run_app([*PERSON, *words]) == 2
    shown = capsys.readouterr()
    assert named in shown.err
    assert not shown.out
