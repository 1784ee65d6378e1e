"""Tables of worlds by designs: a world is the chain, a law of the outcome, or people of diaries."""

from pathlib import Path

import pytest
from made_diaries import PROTOCOL, diaries

import remission as rm
from remission.cli.app import run_app
from remission.design.closed_forms import closed_power, split
from remission.errors import SpecError
from remission.exchange.canonical import write_diaries
from remission.protocol.file import parse_protocol, write_protocol
from remission.records.effect import EffectFile

BASE = PROTOCOL.replace("effect: {law: diary, use_odds_ratio: 0.5}\n", "")
TABLE = """
power: 0.8
replicates: 100
mcse: 0.01
truth: 1000
scenarios:
  - id: law
    effect: {law: difference, difference: 9, sd: 20}
  - id: days
    effect: {law: diary, use_odds_ratio: 0.4}
    diaries: days.parquet
designs:
  - id: plain
    n_subjects: 100
  - id: looked
    n_subjects: 100
    looks: [0.5, 1]
    boundary: "hwang-shih-decani:-4"
    futility: [{at: 0.5, below: 0.0}]
"""


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of worlds with the diaries beside it."""
    place = tmp_path_factory.mktemp("worlds")
    write_diaries([diaries()], place / "days.parquet")
    (place / "table.yaml").write_text(TABLE)
    (place / "trial.yaml").write_text(BASE)
    return place


def test_each_world_is_answered_in_its_own_way(desk: Path) -> None:
    """The law's power is that of the closed form; diaries have a truth, both have an error of type I and people."""
    found = rm.tabulate_scenarios(parse_protocol(BASE, name="base"), desk / "table.yaml")
    rows = {(row.scenario, row.design): row for row in found.rows}
    assert len(rows) == 4
    law = EffectFile.from_dict({"effect": {"law": "difference", "difference": 9, "sd": 20}}).effect
    plain = rows["law", "plain"]
    assert plain.power.value == pytest.approx(closed_power(law, split(100, 0.5), 0.05), abs=0.15)
    for row in rows.values():
        assert row.bias is not None
        assert row.coverage is not None
        assert row.type1_error is not None
        assert row.type1_error.value < 0.15
        assert row.truth is not None
    assert rows["law", "looked"].n.value < 100.0
    assert rows["days", "looked"].n.value < 100.0
    frame = found.to_frame()
    assert {"n", "n_mcse", "cost", "type1_error"} <= set(frame.columns)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "law: difference, difference: 9, sd: 20",
            "law: difference, difference: 9, sd: 0",
            r"table.yaml:8: scenarios\[0\].effect.sd",
        ),
        ("law: difference, difference: 9, sd: 20", "law: proportions, treatment: 0.5, control: 0.3", "effect.law"),
        ("diaries: days.parquet", "diaries: nights.parquet", "nights.parquet"),
        ("    diaries: days.parquet\n", "", "diaries"),
        ("hwang-shih-decani:-4", "hwang-shih", "boundary"),
    ],
)
def test_a_world_that_cannot_be_is_told_with_its_line(
    old: str, new: str, said: str, desk: Path, tmp_path: Path
) -> None:
    """A table is long: a fault must be found in the file, not in the program."""
    (tmp_path / "days.parquet").write_bytes((desk / "days.parquet").read_bytes())
    (tmp_path / "table.yaml").write_text(TABLE.replace(old, new))
    with pytest.raises(SpecError, match=said):
        rm.tabulate_scenarios(parse_protocol(BASE, name="base"), tmp_path / "table.yaml")


def test_set_works_with_a_table(desk: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """One value for all worlds, unless a world has its own; and it is in the command that is printed."""
    (tmp_path / "table.yaml").write_text("replicates: 20\nmcse: 0.1\ntype1_error: false\nscenarios:\n  - id: chain\n")
    words = ["design", str(desk / "trial.yaml"), "--scenarios", str(tmp_path / "table.yaml")]
    assert run_app([*words, "--set", "use_effect=0"]) == 0
    assert "--set use_effect=0" in capsys.readouterr().out
    assert run_app([*words, "--set", "use_efect=0"]) == 2


def test_a_protocol_with_an_effect_comes_back_from_its_file() -> None:
    """A report carries the protocol as a file: what it states must not be lost on the way."""
    protocol = parse_protocol(PROTOCOL, name="two-arms")
    assert parse_protocol(write_protocol(protocol), name="again") == protocol
