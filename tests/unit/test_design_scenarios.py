"""A file of scenarios and designs: read strictly, laid over a protocol, simulated cell by cell."""

import json
import re
from pathlib import Path

import pytest
from source_tree import ROOT
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.design.operating import characterize, simulate_design
from remission.design.scenario_file import Cell, read_scenarios
from remission.design.table import run_table
from remission.design.variants import null_protocol
from remission.errors import SpecError
from remission.library.protocols import load_protocol
from remission.runs.crew import crew_of

TABLE = """\
format: remission/scenarios/1
power: 0.8
replicates: 8
scenarios:
  - id: as-modeled
  - id: hidden
    parameters: {p_hide: 0.3}
    changes:
      missingness: {observed: 0, latent: 4}
designs:
  - id: larger
    n_subjects: 40
    allocation: {ketamine-therapy: 2}
    n_infusions: 1
  - id: looks
    analysis: relapse-ketamine
    looks: [0.5, 1]
    futility: [{at: 0.5, below: 0.0}]
    changes:
      recruitment: {screened_per_day: 0.5}
      arms: {saline-therapy: {label: Salt water}}
"""


def cells_of(tmp_path: Path, text: str, protocol: str = "kare") -> tuple[Cell, ...]:
    file = tmp_path / "table.yaml"
    file.write_text(text)
    return read_scenarios(file, load_protocol(protocol))[1]


def test_changes_reach_the_trial_of_their_cell_and_no_other(tmp_path: Path) -> None:
    """A change that is lost, or that leaks into the next cell, gives a table of something else."""
    kare = load_protocol("kare")
    one, two, three, four = cells_of(tmp_path, TABLE)
    assert [cell.scenario.id for cell in (one, two, three, four)] == ["as-modeled"] * 2 + ["hidden"] * 2
    assert one.protocol.population.n_subjects == 40
    assert [arm.allocation for arm in one.protocol.arms] == [2, 1, 1, 1]
    assert one.protocol.randomization.block_size == 10
    assert one.protocol.missingness is None
    assert one.parameters.p_hide == 0.0
    assert two.protocol.recruitment is not None
    assert two.analysis == "relapse-ketamine"
    assert two.rule.futility_z == (0.0, None)
    assert three.parameters.p_hide == 0.3
    assert four.protocol.missingness is not None
    assert four.protocol.missingness.latent == 4.0
    assert four.protocol.arms[2].label == "Salt water"
    # Nothing else: the protocol without the changes is the library's.
    back = two.protocol.replace(recruitment=None, arms=kare.arms)
    assert back == kare


def test_an_infusion_that_is_left_out_leaves_its_sessions_where_they_were_planned(tmp_path: Path) -> None:
    """Fewer infusions must not take therapy away with them, or two things change at once."""
    kare = load_protocol("kare")
    first = cells_of(tmp_path, "designs: [{id: one, n_infusions: 1}, {id: five, n_infusions: 5}]")
    assert {len(drug.infusions) for drug in first[0].protocol.drugs.values()} == {1}
    days = [(item.infusion, item.day, item.offset_days) for item in first[0].protocol.therapies["mbrp"].sessions]
    assert days == [(1, None, 0), (1, None, 1), (None, 7, 0), (None, 8, 0), (None, 14, 0), (None, 15, 0), (None, 21, 0)]
    more = first[1].protocol.drugs["ketamine"].infusions
    assert len(more) == 5
    assert more[4].gap == kare.drugs["ketamine"].infusions[2].gap


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("power: 1.2", "table.yaml:1: power", "less than 1"),
        ("designs: [{id: a, n_subjects: -5}]", "designs[0].n_subjects", "at least 4"),
        ("scenarios:\n  - id: a\n    parameters: {gama: 0}", "table.yaml:2: scenarios[0].parameters.gama", "gamma"),
        ("scenarios: [{id: a, parameters: {p_hide: 3}}]", "scenarios[0].parameters.p_hide", "from 0 to 1"),
        ("scenarios: [{id: a}, {id: a}]", "scenarios[1].id", "once"),
        ("scenarois: []", "scenarois", "scenarios"),
        ("scenarios: []", "scenarios", "at least 1"),
        ("designs: [{id: a, allocation: {ketamin-therapy: 2}}]", "allocation", "ketamine-therapy"),
        ("designs: [{id: a, analysis: nothing}]", "designs[0]", "pda-ketamine"),
        ("designs: [{id: a, looks: [0.5]}]", "designs[0].looks", "rising"),
        ("designs: [{id: a, looks: [1, 0.5]}]", "designs[0].looks", "rising"),
        ("designs: [{id: a, changes: {drugs: {ketamine: {dose: 1}}}}]", "designs[0].changes", "key"),
        ("designs: [{id: a, changes: {arms: {nobody: {allocation: 2}}}}]", "arms.nobody", "one of"),
        ("scenarios: [{id: a, changes: {missingness: {latent: -1}}}]", "scenarios[0].changes.missingness.latent", "0"),
        ("scenarios: [{id: a, changes: {population: 5}}]", "scenarios[0].changes.population", "block"),
        ("designs: [{id: a, n_subjects: 9, changes: {drugs: {ketamine: 3}}}]", "designs[0].changes.drugs", "block"),
        ("designs: [{id: a, changes: {arms: null}}]", "designs[0]", "required"),
        ("scenarios: [{id: a, changes: {assumptions: {id: {a: 1}}}}]", "scenarios[0].changes.assumptions", "list"),
        ("truth: 7", "truth", "100"),
        ("- a", "table.yaml", "map"),
        ("replicates: 1e9", "replicates", "whole number"),
        ("a: &x 1", "table.yaml", ""),
    ],
)
def test_a_fault_of_the_file_is_told_with_its_place(tmp_path: Path, text: str, place: str, says: str) -> None:
    """Hours of simulation of the wrong thing, or a traceback: both begin with a slip in this file."""
    with pytest.raises(SpecError) as caught:
        cells_of(tmp_path, text)
    shown = str(caught.value)
    assert place in shown
    assert says in shown


def test_one_infusion_without_a_gap_cannot_be_repeated(tmp_path: Path) -> None:
    """There is no interval to repeat; one of our own would be a design that nobody asked for."""
    with pytest.raises(SpecError, match="no gap to repeat"):
        cells_of(tmp_path, "designs: [{id: a, n_infusions: 2}]", "dakwar-2019")


def test_the_table_is_the_simulation_of_its_cells(tmp_path: Path) -> None:
    """Power of one cell computed alone, and type I error of the same trial without an effect."""
    file = tmp_path / "table.yaml"
    file.write_text("replicates: 30\nmcse: 0.4\ntruth: 200\ndesigns: [{id: a, n_subjects: 40}]")
    table, cells = read_scenarios(file, small_protocol(), analysis="relapse-ketamine")
    (row,) = run_table(table, cells, seed=9)
    protocol = cells[0].protocol
    for null, found in ((False, row.power), (True, row.type1_error)):
        alone = null_protocol(protocol, "relapse-ketamine") if null else protocol
        run = simulate_design(alone, max_replicates=30, mcse=0.4, seed=9, analysis="relapse-ketamine")
        assert characterize(alone, run)[1].rejected == found
    assert row.truth is not None
    assert row.bias is not None
    assert row.n.value == 40.0


def test_two_workers_give_the_numbers_of_one() -> None:
    """Pieces come back in any order; sums and the trial at which it stops may not depend on it."""
    protocol = small_protocol()
    one = simulate_design(protocol, max_replicates=1000, mcse=0.04, seed=1)
    with crew_of(2) as crew:
        two = simulate_design(protocol, max_replicates=1000, mcse=0.04, seed=1, crew=crew)
    assert characterize(protocol, one) == characterize(protocol, two)


def test_the_command_prints_a_row_for_each_cell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The whole path, and both forms of what comes out."""
    file = tmp_path / "table.yaml"
    file.write_text(TABLE.replace("replicates: 8", "replicates: 4\ntype1_error: false"))
    assert run_app(["design", "kare", "--scenarios", str(file)]) == 0
    shown = capsys.readouterr().out
    assert sum(line.startswith("as-modeled ") for line in shown.splitlines()) == 2
    assert "log odds ratio" in shown
    file.write_text(
        TABLE.replace("replicates: 8", "replicates: 4")
        .replace("  - id: hidden", "  # - id: hidden")
        .replace("    parameters: {p_hide: 0.3}\n    changes:\n      missingness: {observed: 0, latent: 4}\n", "")
    )
    assert run_app(["design", "kare", "--scenarios", str(file), "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["n_subjects"] for row in rows] == [40, 96]
    assert rows[1]["duration_day"]["value"] > 180.0
    assert rows[0]["duration_day"] is None
    assert rows[1]["scale"] == "log odds ratio"
    assert rows[0]["type1_error"]["value"] >= 0.0


def test_without_an_effect_arms_are_given_what_their_counterparts_get() -> None:
    """A null of the wrong arms would make the type I error that of another question."""
    kare = load_protocol("kare")
    null = null_protocol(kare, "pda-ketamine")
    assert [arm.drug for arm in null.arms] == ["saline"] * 4
    assert [arm.therapy for arm in null.arms] == ["mbrp", "education"] * 2
    both = null_protocol(kare, "pda-extremes")
    assert [(arm.drug, arm.therapy) for arm in both.arms] == [
        ("saline", "education"), ("ketamine", "education"), ("saline", "mbrp"), ("saline", "education"),
    ]  # fmt: skip


def test_the_example_of_the_page_is_a_valid_file(tmp_path: Path) -> None:
    """People copy the example; a field that was renamed would meet them as a fault of theirs."""
    page = (ROOT / "docs" / "how-to" / "design-a-trial.md").read_text("utf-8")
    text, *_ = re.findall(r"```yaml\n(format: remission/scenarios/1\n.*?)```", page, re.DOTALL)
    cells = cells_of(tmp_path, text)
    assert len(cells) == 24
    assert cells[-1].parameters.onset_per_day == 0.03
    assert [len(cells[2].protocol.drugs["ketamine"].infusions), cells[1].rule.futility_z[0]] == [2, 0.0]


def test_a_design_does_not_reach_into_the_scenario_of_the_next_cell(tmp_path: Path) -> None:
    """Both may change one block: what a design lays over a scenario belongs to that cell alone."""
    one, two = cells_of(
        tmp_path,
        "scenarios: [{id: a, changes: {missingness: {observed: 1, latent: 2}}}]\n"
        "designs: [{id: a, changes: {missingness: {latent: 5}}}, {id: b}]\n",
    )
    assert one.protocol.missingness is not None
    assert two.protocol.missingness is not None
    assert (one.protocol.missingness.observed, one.protocol.missingness.latent) == (1.0, 5.0)
    assert two.protocol.missingness.latent == 2.0
