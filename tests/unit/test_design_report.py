"""The design report: true to the numbers, whole or absent, and made again by its own scripts."""

import csv
import json
import os
import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.design.flow import simulate_flow
from remission.library.protocols import load_protocol
from remission.library.references import load_reference
from remission.patient.parameters import load_course_parameters
from remission.protocol.file import write_protocol
from remission.report.chart import Table
from remission.report.design_folder import csv_text
from remission.trial.simulate import simulate_trial

RECRUITING = {"screened_per_day": 0.5, "ramp_days": 30, "screening_failure": 0.4}
OPTIONS = ["--vary", "n=24,40", "--replicates", "6", "--looks", "0.5,1", "--assurance", "2", "--power", "0.5"]


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with every part that a small trial can have."""
    place = tmp_path_factory.mktemp("design")
    protocol = small_protocol(
        recruitment=RECRUITING, events={"incarceration": {"hazard_per_day": 0.002, "length_days": 5}}
    )
    (place / "own.yaml").write_text(write_protocol(protocol), encoding="utf-8")
    assert run_app(["design", str(place / "own.yaml"), *OPTIONS, "--json", "--report", str(place / "out")]) == 0
    return place / "out"


def text_of(page: Path) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page.read_text("utf-8")))


def test_every_part_that_was_asked_for_is_there(report: Path) -> None:
    """A reader of the folder alone must have the page, the numbers, the protocol and the way to make it again."""
    names = {str(path.relative_to(report)) for path in report.rglob("*") if path.is_file()}
    charts = {"schedule", "flow", "recruitment", "power", "estimates", "looks", "stops", "assurance"}
    assert {f"figures/{name}.svg" for name in charts} <= names
    assert {f"tables/{name}.csv" for name in charts} <= names
    assert {"report.html", "design.json", "protocol.yaml", "rerun.sh", "rerun.py", "methods.md"} <= names
    page = (report / "report.html").read_text("utf-8")
    assert set(re.findall(r'<figure id="chart-(\w+)"', page)) == charts
    assert set(re.findall(r"<script[^>]*>", page)) == {"<script>"}, "its own scripts, which load nothing"
    assert not re.search(r"https?://", re.sub(r'xmlns(:\w+)?="[^"]+"', "", page))


def test_parts_that_were_not_asked_for_are_absent(tmp_path: Path) -> None:
    """An empty section reads as a result."""
    assert run_app(["design", "dakwar-2019", "--replicates", "3", "--json", "--report", str(tmp_path / "out")]) == 0
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    for part in ("looks", "assurance", "cost", "chart-power", "chart-recruitment"):
        assert f'id="{part}"' not in page
        assert f'href="#{part}"' not in page
    assert "published" in text_of(tmp_path / "out" / "report.html")


def run_script(path: Path) -> int:
    """The script as Python runs it, in this process: its exit code."""
    with pytest.raises(SystemExit) as left:
        runpy.run_path(str(path), run_name="__main__")
    return int(left.value.code or 0)


def test_both_scripts_make_the_same_numbers_again(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that does not run, or gives other numbers, is worse than none."""
    stored = json.loads((report / "design.json").read_text("utf-8"))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path}
    assert run_script(report / "rerun.py") == 0
    assert "The same numbers" in capsys.readouterr().out
    done = subprocess.run(["./rerun.sh"], cwd=report, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    again = json.loads((report / "again" / "design.json").read_text("utf-8"))
    for name in ("characteristics", "looks", "assurance", "smallest_n", "alpha"):
        assert stored[name] == again[name]


def test_a_changed_number_is_noticed_by_the_script(
    report: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A comparison that cannot fail compares nothing."""
    for name in ("rerun.py", "protocol.yaml", "design.json"):
        (tmp_path / name).write_bytes((report / name).read_bytes())
    stored = json.loads((tmp_path / "design.json").read_text("utf-8"))
    stored["characteristics"][0]["estimate"]["value"] += 1e-6
    (tmp_path / "design.json").write_text(json.dumps(stored), encoding="utf-8")
    assert run_script(tmp_path / "rerun.py") == 1
    assert "DIFFERS" in capsys.readouterr().out


def test_the_methods_name_sources_that_exist(report: Path) -> None:
    """A key without an entry would be an invented source."""
    methods = (report / "methods.md").read_text("utf-8")
    keys = set(re.findall(r"\[@(\w+)\]", methods))
    assert {"morris2019", "lan1983", "moher2010"} <= keys
    bibtex = (report / "references.bib").read_text("utf-8")
    for key in keys:
        assert load_reference(key).title
        assert f"{{{key}," in bibtex
    assert "40%" in methods  # of screened people fail
    assert "24 and 40 people" in methods
    assert "mg/kg over" in methods  # what each arm gets


def test_nothing_is_overwritten(report: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A report of last week must survive a command typed twice; and the refusal comes before the work."""
    before = (report / "report.html").read_bytes()
    assert run_app(["design", "kare", "--replicates", "1000", "--report", str(report)]) == 2
    assert "nothing was overwritten" in capsys.readouterr().err
    assert (report / "report.html").read_bytes() == before
    assert run_app(["design", "kare", "--report", str(report / "report.html" / "x")]) == 2


def test_the_flow_adds_up_to_the_people_of_the_trial() -> None:
    """Boxes that do not add up are the first thing a reader of a CONSORT diagram checks."""
    protocol = load_protocol("kare").replace(recruitment=RECRUITING)
    flow = simulate_flow(protocol, n_replicates=20, seed=5)
    steps = flow.steps
    assert (steps["allocated"].sum(axis=1) == 96).all()
    for parts in (("received_all", "received_part", "received_none"), ("left_using", "left_clean", "followed"),
                  ("analyzed", "not_analyzed")):  # fmt: skip
        np.testing.assert_array_equal(sum(steps[name] for name in parts), steps["allocated"])
    assert flow.recruitment is not None
    assert (flow.recruitment.n_screened >= 96).all()


def test_the_flow_is_of_the_same_people_as_the_trial() -> None:
    """Those who are left on the last day are the same count as in the trial's own courses."""
    protocol = load_protocol("kare")
    flow = simulate_flow(protocol, n_replicates=20, seed=5)
    result = simulate_trial(protocol, n_replicates=20, seed=5)
    np.testing.assert_array_equal(flow.steps["followed"].sum(axis=0), result.counts.in_study[:, -1])
    np.testing.assert_array_equal(flow.steps["analyzed"], result.arms["pda"].n)


def test_nobody_leaves_where_leaving_is_switched_off() -> None:
    """The diagram follows the protocol and the values, not a habit."""
    protocol = load_protocol("kare")
    flow = simulate_flow(protocol.replace(setting={"n_sites": 2, "retention": "complete"}), n_replicates=5, seed=5)
    assert flow.steps["left_using"].sum() == flow.steps["left_clean"].sum() == 0
    parameters = load_course_parameters(protocol.substance).replace(leave_hazard_per_day=0.05)
    many = simulate_flow(protocol, n_replicates=5, seed=5, parameters=parameters)
    assert many.steps["received_part"].sum() + many.steps["received_none"].sum() > 50


SCENARIOS = """format: remission/scenarios/1
power: 0.5
replicates: 6
mcse: 0.3
scenarios:
  - {id: as-written}
  - {id: no-effect, parameters: {rho: 0.0}}
designs:
  - {id: small, n_subjects: 24}
  - {id: large, n_subjects: 40, looks: [0.5, 1]}
"""


def test_a_table_of_scenarios_has_a_report_that_makes_itself_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which design holds in which world is what a funder asks; every cell must be on the page and come out again."""
    (tmp_path / "small.yaml").write_text(write_protocol(small_protocol()), encoding="utf-8")
    (tmp_path / "worlds.yaml").write_text(SCENARIOS, encoding="utf-8")
    options = ["--scenarios", str(tmp_path / "worlds.yaml"), "--json", "--report", str(tmp_path / "out")]
    assert run_app(["design", str(tmp_path / "small.yaml"), *options]) == 0
    text = text_of(tmp_path / "out" / "report.html")
    for word in ("as-written", "no-effect", "rho 0.0", "n subjects 40", "looks [0.5, 1.0]", "type I error"):
        assert word in text
    assert "--scenarios worlds.yaml --seed 20260101" in text
    rows = (tmp_path / "out" / "tables" / "results.csv").read_text("utf-8").splitlines()
    assert len(rows) == 5
    assert {"power", "power_mcse"} <= set(rows[0].split(","))
    capsys.readouterr()
    assert run_script(tmp_path / "out" / "rerun.py") == 0
    assert "The same numbers" in capsys.readouterr().out


def test_an_empty_folder_is_filled_and_not_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that stands under a mount, or is the present one, cannot be renamed away."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert run_app(["design", "dakwar-2019", "--replicates", "2", "--json", "--report", "."]) == 0
    assert Path("report.html").is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_plan_that_is_too_large_says_its_cost_and_leaves_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Days of work must not begin unasked, nor leave an empty folder that looks like a lost report."""
    assert run_app(["design", "kare", "--replicates", "1000000", "--report", str(tmp_path / "out")]) == 2
    told = capsys.readouterr().err
    assert "51,840,000,000 person-days" in told
    assert "--yes" in told
    assert list(tmp_path.iterdir()) == []


def test_a_trial_in_which_nothing_can_be_estimated_has_a_report(tmp_path: Path) -> None:
    """When every analysis fails the page must say so and not fail itself."""
    protocol = small_protocol()
    alone = protocol.replace(population=protocol.population.replace(n_subjects=4), randomization={"block_size": 4})
    (tmp_path / "four.yaml").write_text(write_protocol(alone), encoding="utf-8")
    options = ["--analysis", "relapse-ketamine", "--replicates", "3", "--prices", "us", "--json"]
    assert run_app(["design", str(tmp_path / "four.yaml"), *options, "--report", str(tmp_path / "out")]) == 0
    assert "failed" in text_of(tmp_path / "out" / "report.html")


def test_a_table_for_a_spreadsheet_holds_no_formula_and_keeps_its_numbers() -> None:
    """The label of an arm comes from whoever wrote the protocol, and is opened by whoever gets the report."""
    table = Table(
        columns=("arm", "difference"),
        rows=(("=cmd|' /C calc'!A0", "-1.5 (-3 to 0.2)"), ("@x", "-1.5"), ("-1+cmd|x", "+2%")),
    )
    rows = list(csv.reader(csv_text(table).splitlines()))[1:]
    assert [row[0] for row in rows] == ["'=cmd|' /C calc'!A0", "'@x", "'-1+cmd|x"]
    assert [row[1] for row in rows] == ["-1.5 (-3 to 0.2)", "-1.5", "+2%"]
