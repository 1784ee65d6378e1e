"""Stated effects: closed forms against R's printed numbers and against simulation, sizes, money, wrong input."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import remission as rm
from remission.cli.app import run_app
from remission.design.closed_forms import Split, closed_power, split
from remission.design.law_trials import reject_share, simulate_law
from remission.design.operating import Characteristics
from remission.design.stated import detectable_effect
from remission.errors import SpecError
from remission.numerics.tallies import Measure
from remission.records.effect import EffectFile, Law

EFFECT: dict[str, Any] = {"law": "difference", "difference": -8.0, "sd": 20.0}


def law_of(**fields: Any) -> Law:
    return EffectFile.from_dict({"effect": fields}).effect


@pytest.mark.parametrize(
    ("law", "people", "alpha", "power"),
    [
        # R 4.2: power.t.test(n=20, delta=1, sd=1, strict=TRUE); (n=15, delta=6, sd=10, sig.level=.025, one.sided);
        # power.prop.test(n=50, p1=.5, p2=.75, strict=TRUE).
        (law_of(law="difference", difference=1, sd=1), Split(20, 20), 0.05, 0.868953027725),
        (law_of(law="difference", difference=6, sd=10, sides=1), Split(15, 15), 0.025, 0.354550252676),
        (law_of(law="proportions", treatment=0.75, control=0.5), Split(50, 50), 0.05, 0.740167193454),
    ],
)
def test_closed_forms_are_those_of_r(law: Law, people: Split, alpha: float, power: float) -> None:
    """R's functions are what a statistician checks a tool by; validation/closed_forms.py compares 360 more cases."""
    assert closed_power(law, people, alpha) == pytest.approx(power, abs=1e-9)


WATCHED = {"control_share": 0.5, "by_day": 90, "accrual_days": 100, "follow_up_days": 100}
LEFT = {"share": {"treatment": 0.3, "control": 0.1}, "by_day": 60}


@pytest.mark.parametrize(
    ("law", "people", "share"),
    [
        (law_of(law="difference", difference=6, sd=12, leaving=LEFT), 120, 0.5),
        (law_of(law="difference", difference=6, sd={"treatment": 8, "control": 16}), 120, 17 / 40),
        (law_of(law="difference", difference=5, sd=12, baseline_correlation=0.6), 120, 0.5),
        (law_of(law="difference", difference=-1, sd=10, goal="non-inferiority", margin=-5, better="higher"), 160, 0.5),
        (law_of(law="difference", difference=0, sd=10, goal="equivalence", margin=5), 160, 0.5),
        (law_of(law="difference", difference=5, sd=10, clusters={"size": 8, "icc": 0.1}), 240, 0.5),
        (law_of(law="proportions", treatment=0.5, control=0.3, sides=1), 160, 2 / 3),
        (law_of(law="hazard", hazard_ratio=0.6, leaving=LEFT, **WATCHED), 200, 0.5),
        (law_of(law="hazard", hazard_ratio=1, goal="non-inferiority", margin=1.6, better="lower", **WATCHED), 300, 0.5),
        (law_of(law="rate", rate_ratio=0.7, control_rate_per_day=0.1, dispersion=0.8, days=90, leaving=LEFT), 240, 0.5),
    ],
)  # fmt: skip
def test_simulation_and_closed_form_agree(law: Law, people: int, share: float) -> None:
    """Two ways to one number: a slip in either would show; and without an effect the error is the one asked for."""
    found = simulate_law(law, people, share, alpha=0.05, n_replicates=1500, seed=11)
    closed = closed_power(law, split(people, share), 0.05)
    assert found.power.value == pytest.approx(closed, abs=4.0 * found.power.mcse + 0.01)
    for name, reached in found.nulls.items():
        assert reached.value == pytest.approx(0.05 if law.goal == "superiority" else 0.025, abs=0.018), name
    assert abs(found.bias.value) < 4.0 * found.bias.mcse + 0.005
    assert found.coverage.value == pytest.approx(0.95 if law.sides == 2 else 0.9, abs=0.025)


def test_repeated_measures_agree_with_the_mixed_model() -> None:
    """The closed form knows the covariance, the test estimates it: for 60 people a side the cost is small."""
    law = law_of(law="repeated", visit_days=[7, 28], differences=[2, 6], sd=10, correlation=0.5,
                 leaving={"share": 0.3, "by_day": 28})  # fmt: skip
    found = simulate_law(law, 120, 0.5, alpha=0.05, n_replicates=300, seed=5)
    assert found.power.value == pytest.approx(closed_power(law, Split(60, 60), 0.05), abs=0.08)
    assert found.nulls["no effect"].value < 0.1


def test_people_of_a_smaller_trial_are_the_first_of_a_larger_one() -> None:
    """Common random numbers: without them the search for a size would wander by its own noise."""
    law = law_of(**EFFECT)
    shares = [
        reject_share(law, n, 0.5, alpha=0.05, n_replicates=600, seed=3, against=2.0).measure.value
        for n in (100, 110, 120, 130, 140)
    ]
    assert shares == sorted(shares)


def test_the_smallest_trial_is_the_smallest() -> None:
    """One person fewer must not have the power; the simulated search must find it within its interval."""
    study = rm.design_effect({"effect": EFFECT, "allocation": {"treatment": 17, "control": 23}}, power=0.9)
    n = study.smallest_n
    assert n is not None
    law, share = study.plan.law, 17 / 40
    assert closed_power(law, split(n, share), 0.05) >= 0.9 > closed_power(law, split(n - 1, share), 0.05)
    search = study.content["smallest"]["search"]
    assert search["interval"][0] - 8 <= n <= search["interval"][1] + 8


@pytest.mark.parametrize(
    "law",
    [
        law_of(**EFFECT),
        law_of(law="proportions", treatment=0.3, control=0.5),
        law_of(law="hazard", hazard_ratio=0.7, **WATCHED),
        law_of(law="difference", difference=0, sd=10, goal="non-inferiority", margin=-5, better="higher"),
    ],
)
def test_the_detectable_effect_has_the_power(law: Law) -> None:
    """The answer put back must give the power asked for, on the side of the stated effect."""
    from remission.design.closed_forms import effect_of, no_effect, with_effect

    found = detectable_effect(law, Split(80, 80), 0.9, 0.05)
    assert found is not None
    assert closed_power(with_effect(law, found), Split(80, 80), 0.05) == pytest.approx(0.9, abs=1e-6)
    if law.goal == "superiority":
        assert (found < no_effect(law)) == (effect_of(law) < no_effect(law))


def test_a_budget_pays_for_whole_people() -> None:
    """One person more would cost too much, and the trial that is planned must cost no more than there is."""
    costs = {"treatment": 900.0, "control": 300.0, "once": 10_000.0}
    study = rm.design_effect({"effect": EFFECT, "costs": costs}, budget=50_000, is_simulated=False)
    row = study.content["sizes"][0]
    assert row["cost"] <= 50_000 < row["cost"] + 900.0
    assert row["people"] == row["treatment"] + row["control"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"sd": 0}, "sd: got 0; expected a standard deviation above 0"),
        ({"sd": {"treatment": 3}}, "treatment: and control:"),
        ({"law": "proportions", "treatment": 1.2, "control": 0.5}, "less than 1"),
        ({"law": "hazard", "hazard_ratio": 0, **WATCHED}, "hazard_ratio: got 0; expected more than 0"),
        ({"clusters": {"size": 5, "icc": 1.2}}, "icc: got 1.2"),
        ({"leaving": {"share": 1.2, "by_day": 30}}, "leaving.share: got 1.2; expected a share from 0 to below 1"),
        ({"goal": "non-inferiority", "margin": 5, "better": "higher"}, "Turn its sign"),
        ({"goal": "non-inferiority", "margin": -5}, "better"),
        ({"goal": "equivalence", "margin": -5}, "margin"),
        ({"goal": "superiority", "margin": 5}, "Leave it out"),
        ({"law": "hazard", "hazard_ratio": 1, "goal": "non-inferiority", "margin": 0.8, "better": "lower", **WATCHED},
         "margin: got 0.8, where lower is better; expected a number above 1"),
        ({"law": "repeated", "visit_days": [1, 2], "differences": [1, 2], "covariance": [[1, 2], [2, 1]]},
         "not positive definite"),
        ({"law": "repeated", "visit_days": [2, 1], "differences": [1, 2], "sd": 3, "correlation": 0.5}, "rising"),
        ({"law": "repeated", "visit_days": [1, 2, 3], "differences": [1, 2, 3], "sd": 3, "correlation": -0.6},
         "not positive definite"),
        ({"law": "differense"}, "difference"),
        ({"sides": 3}, "sides"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(change: dict[str, Any], said: str) -> None:
    """A margin of the wrong sign or a variance of 0 would give a number, and it would mean nothing."""
    base = EFFECT if "law" not in change or change["law"] == "differense" else {}
    with pytest.raises(SpecError, match=said.replace("(", r"\(")):
        EffectFile.from_dict({"people": 100, "effect": {**base, **change}})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"alpha": 0}, "alpha"),
        ({"alpha": 1}, "alpha"),
        ({"budget": 100}, "costs"),
        ({"power": 1}, "power"),
        ({"detectable": True}, "power"),
        ({"n_subjects": 2}, "n_subjects"),
    ],
)
def test_wrong_questions_are_refused(arguments: dict[str, Any], said: str) -> None:
    """The same at the door of Python: alpha 0 has no test, a budget without costs no people."""
    with pytest.raises(SpecError, match=said):
        rm.design_effect({"people": 100, "effect": EFFECT}, **arguments)


def test_allocation_and_budget_of_nobody_are_refused() -> None:
    """Nobody on a side, or money for less than a person, is no trial."""
    with pytest.raises(SpecError, match=r"allocation\.treatment"):
        rm.design_effect({"people": 100, "effect": EFFECT, "allocation": {"treatment": 0, "control": 1}})
    costs = {"treatment": 900.0, "control": 300.0}
    with pytest.raises(SpecError, match="four people"):
        rm.design_effect({"effect": EFFECT, "costs": costs}, budget=500)


FILE = "format: remission/effect/1\nid: craving\npeople: 120\neffect:\n  law: difference\n  difference: -8\n  sd: 20\n"


def test_the_command_answers_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a statistician types first: the file, the power, a changed assumption."""
    path = tmp_path / "effect.yaml"
    path.write_text(FILE)
    words = ["design", str(path), "--power", "0.9", "--set", "sd=25", "--set", "goal=superiority", "--json"]
    assert run_app([*words, "--replicates", "0"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["effect"]["effect"]["sd"] == {"treatment": 25.0, "control": 25.0}
    assert found["smallest"]["at"]["power"] >= 0.9
    assert "--set sd=25" in found["command"]
    assert run_app(["design", str(path), "--replicates", "200"]) == 0
    said = capsys.readouterr().out
    assert "in closed form" in said
    assert "reached no effect" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--alpha", "0"], "--alpha"),
        (["--set", "sd=-1"], "sd"),
        (["--set", "dispersion=1"], "dispersion"),
        (["--set", "sd"], "name=value"),
        (["--evidence", "none"], "--evidence"),
        (["--looks", "1,0.5"], "--looks"),
        (["--detectable"], "--power"),
    ],
)
def test_the_command_refuses_with_code_2(
    words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Wrong input is told by option, not by a traceback."""
    path = tmp_path / "effect.yaml"
    path.write_text(FILE)
    assert run_app(["design", str(path), *words]) == 2
    assert said in capsys.readouterr().err


def test_a_fault_in_a_file_has_its_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A file is mended where it is wrong."""
    path = tmp_path / "effect.yaml"
    path.write_text(FILE.replace("sd: 20", "sd: zero"))
    assert run_app(["design", str(path)]) == 2
    assert f"{path}:7: effect.sd" in capsys.readouterr().err


def test_the_closed_form_needs_no_compiler_and_no_tables(tmp_path: Path) -> None:
    """An answer in a fraction of a second: what takes a second to load must not be loaded for it."""
    path = tmp_path / "effect.yaml"
    path.write_text(FILE)
    script = (
        "import sys\nfrom remission.cli.app import run_app\n"
        f"code = run_app(['design', {str(path)!r}, '--power', '0.9', '--replicates', '0'])\n"
        "heavy = {'numba', 'pandas', 'scipy', 'pyarrow', 'matplotlib'} & set(sys.modules)\n"
        "sys.exit(code or (9 if heavy else 0))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


def test_the_detectable_effect_of_simulated_trials() -> None:
    """Where errors and spread are one, it is the textbook's: both quantiles times the standard error."""
    measure = Measure(value=2.0 * 1.959963984540054 * 3.0, mcse=0.0)
    row = Characteristics(
        analysis="a", label="A", scale="difference", n_subjects=60, n_replicates=100, n_failed=0, rejected=measure,
        estimate=measure, estimate_sd=3.0, width=measure, truth=None, bias=None, coverage=None,
    )  # fmt: skip
    assert row.detectable(0.9, 0.05) == pytest.approx((1.959963984540054 + 1.2815515655446004) * 3.0)
    assert row.detectable(0.8, 0.01) > row.detectable(0.8, 0.05)


def test_a_protocol_needs_the_power_of_its_detectable_effect(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a power there is no such effect; with looks the test is not the one at the end."""
    assert run_app(["design", "kare", "--detectable"]) == 2
    assert "--power" in capsys.readouterr().err
    assert run_app(["design", "kare", "--detectable", "--power", "0.8", "--looks", "0.5,1"]) == 2
    assert "--looks" in capsys.readouterr().err
