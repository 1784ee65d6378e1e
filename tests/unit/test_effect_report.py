"""The report of a stated effect: from a file to a folder that makes itself again."""

import json
from pathlib import Path

import pytest

from remission.cli.app import run_app
from remission.design.effect_file import effect_text, is_effect_file, read_effect

FILE = """format: remission/effect/1
id: relapse
title: A relapse trial with a look
effect: {law: hazard, hazard_ratio: 0.65, control_share: 0.6, by_day: 90, follow_up_days: 180, each_days: 180}
looks: {at: [0.5, 1.0], beta_spending: "hwang-shih-decani:-4"}
"""


@pytest.fixture
def reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a report, written by the command."""
    monkeypatch.chdir(tmp_path)
    Path("relapse.yaml").write_text(FILE, encoding="utf-8")
    words = ["design", "relapse.yaml", "--power", "0.9", "--replicates", "200", "--set", "hazard_ratio=0.6"]
    assert run_app([*words, "--report", "report"]) == 0
    return tmp_path / "report"


def test_a_report_holds_what_was_asked_and_found(reported: Path) -> None:
    """Who is handed the folder must see the belief, the numbers and their limits, without the one who made it."""
    content = json.loads((reported / "design.json").read_text(encoding="utf-8"))
    page = (reported / "report.html").read_text(encoding="utf-8")
    assert f"{content['smallest']['people']} people have power 0.9" in page
    for words in ("hazard_ratio: 0.6", "The effect is a belief", "Looks of", "Whether the effect is as stated"):
        assert words in page, words
    assert len((reported / "tables" / "sizes.csv").read_text(encoding="utf-8").splitlines()) == 2
    assert {"power.svg", "power.png"} <= {path.name for path in (reported / "figures").iterdir()}
    assert "<script src" not in page


def test_a_report_makes_itself_again(reported: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Changes of the command line stand in the file beside it, so that the plain command gives the same numbers."""
    assert is_effect_file(str(reported / "effect.yaml"))
    effect = read_effect(reported / "effect.yaml")
    assert effect.effect.to_dict()["hazard_ratio"] == 0.6
    assert effect_text(effect) == (reported / "effect.yaml").read_text(encoding="utf-8")
    command = (reported / "rerun.sh").read_text(encoding="utf-8").splitlines()[-1].split("&& remission ")[1]
    monkeypatch.chdir(reported)
    assert run_app([*command.split(), "--report", str(tmp_path / "again")]) == 0
    one, two = (json.loads((folder / "design.json").read_text("utf-8")) for folder in (reported, tmp_path / "again"))
    assert one == two


def test_a_report_is_never_written_over(reported: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder that holds something stays as it is, and nothing is simulated first."""
    before = (reported / "report.html").read_bytes()
    assert run_app(["design", "relapse.yaml", "--power", "0.9", "--report", "report"]) == 2
    assert "a place where something is already" in capsys.readouterr().err
    assert (reported / "report.html").read_bytes() == before
