"""``remission design`` as a trialist would type it."""

import json
import re
from importlib.resources import files
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from remission.cli.app import run_app
from remission.design.prices import Prices, cost_course, count_affordable
from remission.design.variants import around
from remission.door.design import design_trial
from remission.errors import SpecError
from remission.library.protocols import load_protocol
from remission.protocol.file import write_protocol

SMALL = ["design", "kare", "--vary", "n=40,48", "--replicates", "8", "--json"]
PRICES = "currency: X\ndrug: 1\nstaff: 2\nroom: 3\nmonitoring: 4\ntherapy: 5\nonce: 6\nbudget: 710\n"


def test_a_table_of_sizes_and_its_cost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole path from options to numbers: a wrong session count would give a wrong price."""
    prices = tmp_path / "prices.yaml"
    prices.write_text(PRICES)
    assert run_app([*SMALL, "--prices", str(prices), "--looks", "0.5,1", "--assurance", "2"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert {row["n_subjects"] for row in found["characteristics"]} == {40, 48}
    # 3 infusions at 1 + 2 + 3 + 4, 7 therapy sessions at 5, 6 once; placebo infusions are no care.
    assert [one["amount"] for one in found["cost"]["courses"]] == [71.0, 71.0, 41.0, 41.0]
    assert found["cost"]["people_for_budget"]["ketamine-therapy"] == 10
    assert found["looks"]["z"][0] > found["looks"]["z"][1]
    assert 0.0 <= found["assurance"]["probability"]["value"] <= 1.0


def test_under_the_null_bias_and_coverage_are_reported(capsys: pytest.CaptureFixture[str]) -> None:
    """Only where the truth is known may bias be claimed."""
    assert run_app([*SMALL, "--null"]) == 0
    row = json.loads(capsys.readouterr().out)["characteristics"][0]
    assert abs(row["bias"]["value"]) < 5.0 * row["bias"]["mcse"]
    assert row["coverage"]["value"] > 0.5


def test_looks_are_simulated_and_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Boundaries alone say nothing about a trial: what stops, how many people and which estimate do."""
    options = ["design", "kare", "--vary", "n=40", "--replicates", "12", "--looks", "0.5,1", "--futility", "0.25:0"]
    assert run_app(options) == 0
    shown = capsys.readouterr().out
    assert "look at 0.25 (no success, futility below 0)" in shown
    assert "expected number of people" in shown
    assert run_app([*options, "--json"]) == 0
    row = json.loads(capsys.readouterr().out)["characteristics"][0]["sequential"]
    assert [look["n_analysed"]["value"] for look in row["looks"]] == [10.0, 20.0, 40.0]
    assert row["looks"][0]["z"] is None
    assert row["n"]["value"] <= 40.0


def test_a_power_alone_is_searched_around_the_protocols_size(capsys: pytest.CaptureFixture[str]) -> None:
    """Who gives a power asks for a size; where it was looked for must be said, and be in the command."""
    assert run_app(["design", "kare", "-n", "2", "--power", "0.8", "--json"]) == 0
    shown = capsys.readouterr()
    assert "No --vary was given: the smallest size is searched with --vary n=24:384." in shown.err
    found = json.loads(shown.out)
    assert (found["search"]["low"], found["search"]["high"]) == (24, 384)
    assert "--vary n=24:384 --power 0.8" in found["command"]
    few = load_protocol("kare").replace(population=load_protocol("kare").population.replace(n_subjects=12))
    assert (around(few).sizes[0], around(few).sizes[-1]) == (4, 48)


def test_a_changed_value_is_used_everywhere_and_said(capsys: pytest.CaptureFixture[str]) -> None:
    """An effect of a changed drug beside nulls and a truth of the library's would compare two worlds."""
    asked = ["design", "kare", "--vary", "n=96", "-n", "8", "--json"]
    found: list[dict[str, Any]] = []
    for change in ([], ["--set", "rho=0"]):
        assert run_app([*asked, *change]) == 0
        found.append(json.loads(capsys.readouterr().out))
    usual, changed = found
    assert "changes" not in usual
    assert changed["changes"] == {"rho": 0.0}
    assert "--set rho=0" in changed["command"]
    assert changed["characteristics"][0]["estimate"]["value"] != usual["characteristics"][0]["estimate"]["value"]
    given: Any = {"parameters": {"rho": 0.0}, "n_subjects": [96]}
    study = design_trial(load_protocol("kare"), max_replicates=8, **given)
    assert study.rows[0].estimate.value == changed["characteristics"][0]["estimate"]["value"]


def test_diaries_that_exist_take_no_change(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The option means a simulation; where none is run, the way to one is named."""
    assert run_app(["describe", str(tmp_path), "--set", "rho=0"]) == 2
    assert "--set: got rho=0; expected nothing here" in (said := capsys.readouterr().err)
    assert "remission run PROTOCOL --set rho=0 --diaries" in said


def test_older_names_of_options_work_and_are_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """Scripts hold them; a reader of the help needs one name for one thing."""
    assert run_app([*SMALL, "--null"]) == 0
    assert "--type1-error" in json.loads(capsys.readouterr().out)["command"]
    assert run_app(["design", "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--type1-error" in shown
    assert "--true-effect" in shown
    assert "--null" not in shown
    assert "--truth" not in shown


@pytest.mark.parametrize(
    ("options", "place"),
    [
        (["--power", "1.2"], "--power"),
        (["--alpha", "nan"], "--alpha"),
        (["--vary", "n=-5"], "--vary"),
        (["--vary", "n=400:60"], "--vary"),
        (["--looks", "a"], "--looks"),
        (["--looks", "0.5"], "rising numbers"),
        (["--looks", "0.5,1", "--spending", "pocok"], "--spending"),
        (["--spending", "pocok"], "--spending"),
        (["--futility", "0.5"], "--futility"),
        (["--futility", "1:0"], "--futility"),
        (["--workers", "0"], "--workers"),
        (["--replicates", "0"], "--replicates"),
        (["--replicates", "1000000"], "person-days"),
        (["--analysis", "nothing"], "analysis"),
        (["--assurance", "-3"], "--assurance"),
        (["--prices", "no-such-file.yaml"], "--prices: got no-such-file.yaml, no such file; expected a YAML file with"),
        (["--prices", "uss"], "--prices: got uss, no such file; expected a YAML file with prices, or one of uk, us."),
        (["--prices", "."], "--prices: got ., a directory; expected a YAML file"),
        (["--set", "rho"], "--set rho: got nothing; expected name=number"),
        (["--set", "rho=0", "--set", "rho=1"], "--set rho=1: got rho again; expected each parameter once"),
        (["--set", "gama=0"], "got 0.0; expected the name of a course parameter. Did you mean gamma?"),
        (["--set", "rho=0", "--assurance", "4"], "--set: got changed values, together with draws of them"),
        (["--truth", "x"], "--truth: got x; expected a whole number."),
        (["--true-effect", "7"], "--true-effect: got 7; expected a whole number from 100"),
        (["--truth", "700", "--true-effect", "800"], "--true-effect: got given 2 times"),
        (["--null", "--power", "0.8"], "given together with --type1-error"),
    ],
)
def test_bad_input_is_refused_with_its_place(
    options: list[str], place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Hours of simulation must not precede the news that an option was wrong."""
    assert run_app(["design", "kare", *options]) == 2
    assert place in capsys.readouterr().err


def test_a_free_course_has_no_number_of_people() -> None:
    """A division by zero would be a traceback."""
    with pytest.raises(SpecError):
        count_affordable(100.0, 0.0)


def test_bias_is_against_the_truth_of_the_same_people(capsys: pytest.CaptureFixture[str]) -> None:
    """A truth on another scale, or of another analysis, would make every bias wrong.

    The error of the bias of 60 trials is some .7 points; the known bias is below 1, so five errors are wide.
    """
    options = ["design", "kare", "--replicates", "60", "--truth", "3000", "--json"]
    assert run_app(options) == 0
    found = json.loads(capsys.readouterr().out)
    (truth,) = found["truths"].values()
    row = next(one for one in found["characteristics"] if one["bias"] is not None)
    assert row["bias"]["value"] == pytest.approx(row["estimate"]["value"] - truth)
    assert abs(row["bias"]["value"] - 0.9) < 5.0 * row["bias"]["mcse"]
    assert "--true-effect 3000" in found["command"]
    assert run_app(["design", "kare", "--truth", "7"]) == 2


def test_the_order_of_a_crossover_has_no_price() -> None:
    """An arm with periods names no drug; counted as it stands its course would cost nothing."""
    protocol = load_protocol("kare")
    arm = protocol.arms[0]
    crossed = SimpleNamespace(arms=[SimpleNamespace(id=arm.id, label=arm.label, periods=((0, "ketamine"),))])
    prices = Prices(currency="X", drug=1.0, staff=0.0, room=0.0, monitoring=0.0, therapy=0.0, once=0.0)
    with pytest.raises(SpecError, match="crossover"):
        cost_course(crossed, prices)  # type: ignore[arg-type]  # what the check reads of a protocol


def test_sides_of_a_contrast_are_priced_by_their_factors(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A protocol may name its factors and levels as it likes; the price of a day belongs to the arms they mean."""
    text = files("remission.library").joinpath("protocols", "kare.yaml").read_text("utf-8")
    renamed = re.sub(r"\bdrug: (ketamine|saline)(?=[,}])", r"medicine: \1-arm", text)
    renamed = re.sub(r"adjust: \[drug\]", "adjust: [medicine]", renamed)
    assert renamed != text
    own, prices = tmp_path / "own.yaml", tmp_path / "prices.yaml"
    own.write_text(renamed, "utf-8")
    prices.write_text(PRICES)
    days = []
    for name in ("kare", str(own)):
        assert run_app(["design", name, "--replicates", "8", "--prices", str(prices), "--json"]) == 0
        days.append(json.loads(capsys.readouterr().out)["cost"]["abstinent_day"]["amount"])
    assert days[0] == pytest.approx(days[1])


def test_power_after_the_procedure_is_shown_and_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Behind a gate an analysis succeeds less often than its own p value says, and a report must not fail on it."""
    kare = load_protocol("kare")
    gates = [
        {"id": "one", "analyses": ["pda-therapy"]},
        {"id": "two", "analyses": ["pda-ketamine", "relapse-ketamine"], "after": "one"},
    ]
    (tmp_path / "gated.yaml").write_text(write_protocol(kare.replace(multiplicity={"gates": gates})), encoding="utf-8")
    options = ["design", str(tmp_path / "gated.yaml"), "--replicates", "20", "--workers", "1"]
    assert run_app([*options, "--report", str(tmp_path / "out")]) == 0
    assert "after the procedure of multiplicity" in capsys.readouterr().out
    rows = {
        row["analysis"]: row for row in json.loads((tmp_path / "out" / "design.json").read_text())["characteristics"]
    }
    gate, inside = rows["pda-therapy"], rows["pda-ketamine"]
    assert gate["after_procedure"]["value"] == gate["rejected"]["value"]
    assert inside["after_procedure"]["value"] < inside["rejected"]["value"]
    assert inside["after_procedure"]["value"] <= gate["rejected"]["value"]
    assert rows["any-use-ketamine"]["after_procedure"] is None
    assert "after the procedure" in (tmp_path / "out" / "report.html").read_text("utf-8")
    methods = (tmp_path / "out" / "methods.md").read_text("utf-8")
    assert "## Further analyses" in methods
    assert "(relapse-ketamine): odds ratio" in methods
