"""``remission evidence`` as a reader meets it: right input, wrong input, JSON, and no address anywhere."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from effort import tries

from remission.cli.app import run_app
from remission.evidence.classes import endpoint_classes
from remission.evidence.registry import load_evidence

Answer = tuple[int, str, str]
Ask = Callable[..., Answer]
REGISTRY = load_evidence()


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Ask:
    """Run one command line in an empty folder: exit code, standard output, standard error."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "240")

    def run(*arguments: str) -> Answer:
        code = run_app(["evidence", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    return run


def test_list_names_every_record_that_fits(ask: Ask) -> None:
    """Text and JSON tell the same."""
    code, out, err = ask("list", "--substance", "cocaine", "--design", "randomized")
    assert (code, err) == (0, "")
    code, text, _ = ask("list", "--substance", "cocaine", "--design", "randomized", "--json")
    ids = [record["id"] for record in json.loads(text)["records"]]
    assert "dakwar_2019_cocaine" in ids
    assert all(one in out for one in ids)
    assert f"{len(ids)} trials" in out


def test_established_treatments_are_listed_too(ask: Ask) -> None:
    """Ketamine never stands alone: what is established for the substance is one flag away, and named without it."""
    _, out, _ = ask("list", "--substance", "opioid")
    assert "established treatments fit too" in out
    code, text, _ = ask("list", "--care", "--substance", "opioid", "--json")
    expected = len(REGISTRY.filter(substance="opioid").care)
    assert code == 0
    assert expected == json.loads(text)["count"] > 20
    _, out, _ = ask("list", "--care", "--kind", "guideline")
    assert "[guideline]" in out


@pytest.mark.parametrize("record_id", [record.id for record in list(REGISTRY)[:: tries(4, 1)]])
def test_no_record_shows_an_address(ask: Ask, record_id: str) -> None:
    """Where a number was read may be a mirror; a reader gets the citation."""
    for arguments in (("show", record_id), ("show", record_id, "--json")):
        code, out, err = ask(*arguments)
        assert (code, err) == (0, "")
        assert record_id in out
        assert "http" not in out
        assert "www." not in out


def test_no_list_and_no_forest_shows_an_address(ask: Ask) -> None:
    """The same promise for everything printed in bulk."""
    answers = [ask("list", "--json"), ask("list", "--care", "--json")]
    for endpoint in set(endpoint_classes()) - {"other"}:
        answers.append(ask("forest", "--substance", "alcohol", "--endpoint", endpoint, "--json"))
        answers.append(ask("forest", "--substance", "mixed", "--endpoint", endpoint))
    assert sum(code == 0 for code, _, _ in answers) > 12
    assert not any("http" in out or "source_url" in out for _, out, _ in answers)


def test_show_tells_kinds_bias_conflicts_and_citation(ask: Ask) -> None:
    """The four things a reader needs before believing a number."""
    _, out, _ = ask("show", "grabski_2022_kare")
    for expected in (
        "doi:10.1176/appi.ajp.2021.21030277", "Functional unblinding", "[press]", "[derived]", "[secondary]",
        "Conflict: relapse within 6 months", "7 (7-21)",
    ):  # fmt: skip
        assert expected in out
    _, text, _ = ask("show", "grabski_2022_kare", "--json")
    data = json.loads(text)
    assert {item["source_kind"] for item in data["record"]["outcomes"]} == {
        "abstract or registry", "secondary", "press", "derived",
    }  # fmt: skip
    assert [one["source_kind"] for one in data["conflicts"][0]["statements"]] == ["secondary", "press", "secondary"]


def test_forest_refuses_to_pool_and_says_why(ask: Ask, tmp_path: Path) -> None:
    """Numbers side by side, each with its kind; no pooled number where contrasts are too few."""
    code, out, _ = ask("forest", "--substance", "alcohol", "--endpoint", "relapse", "--out", "relapse.svg")
    assert code == 0
    assert "Not pooled: 0 comparable contrasts, at least 3 needed" in out
    assert "[secondary]" in out
    assert "remission evidence show grabski_2022_kare" in out
    assert (tmp_path / "relapse.svg").read_text("utf-8").startswith("<?xml")
    _, text, _ = ask("forest", "--substance", "alcohol", "--endpoint", "days-abstinent", "--json")
    data = json.loads(text)
    assert all(group["pooled"] is None for group in data["pooling"])
    assert {row["read in"] for row in data["rows"]} == {"abstract or registry", "secondary", "press", "derived"}


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("show", "grabski_2022"), "grabski_2022_kare"),
        (("list", "--substance", "alkohol"), "alcohol"),
        (("list", "--kind", "rumor"), "press"),
        (("forest", "--substance", "alcohol", "--endpoint", "cure"), "days-abstinent"),
        (("forest", "--substance", "cannabis", "--endpoint", "harm"), "got no result"),
        (("forest", "--substance", "alcohol", "--endpoint", "relapse", "--out", "x.pdf"), ".svg or .png"),
        (("forest", "--substance", "alcohol", "--endpoint", "relapse", "--out", "absent/x.svg"), "can be written"),
        (("forest", "--substance", "alcohol"), "--endpoint"),
    ],
)
def test_wrong_input_is_exit_2_with_a_next_step(ask: Ask, arguments: tuple[str, ...], expected: str) -> None:
    """What came, what is allowed, and nothing written; with --json the error is JSON too."""
    code, _, err = ask(*arguments)
    assert code == 2
    assert expected in err
    code, out, _ = ask(*arguments, "--json")
    assert code == 2
    assert "error" in json.loads(out)
    assert list(Path.cwd().iterdir()) == []


def test_help_has_an_example_and_every_endpoint(ask: Ask) -> None:
    """The endpoint ids are ours: help is the only place a user can learn them."""
    for command in ("list", "show", "forest"):
        _, out, _ = ask(command, "--help")
        assert f"Example: remission evidence {command}" in " ".join(out.split())
    _, out, _ = ask("forest", "--help")
    words = out.replace(",", " ").replace(".", " ").split()
    assert set(endpoint_classes()) - {"other"} <= set(words)
