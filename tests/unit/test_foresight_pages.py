"""Forecasts, explanations and the credibility file on the pages and in the documents: one source, nothing left out."""

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from validation.credibility_page import SOURCE
from validation.credibility_page import page as credibility
from validation.forecast_register import FOLDER
from validation.forecast_register import page as forecasts
from validation.posterior_page import left_out

from remission.evidence import load_evidence
from remission.library.calibration_plan import load_calibration_plan
from remission.library.explanations import load_explanations
from remission.library.posteriors import load_posterior
from remission.library.protocols import load_protocol
from remission.protocol.file import read_protocol
from remission.web.app import create_app
from remission.web.settings import WebSettings

ROOT = Path(__file__).resolve().parents[2]
TRIALS = tomllib.loads((FOLDER / "trials.toml").read_text("utf-8"))["trial"]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """The pages, without waiting for simulations."""
    with TestClient(create_app(WebSettings(hosts=("testserver",)))) as found:
        yield found


def test_every_trial_to_come_is_forecast_or_says_what_its_record_lacks() -> None:
    """A trial that is left out in silence is one on which the model need not be right."""
    expected = {one.id for one in load_evidence().studies if one.role == "prospective prediction target"}
    assert {row["record"] for row in TRIALS} == expected
    for row in TRIALS:
        assert row.get("forecasts") or row["lacks"], row["record"]
        # What a record lacks cannot be in a forecast without a condition.
        assert bool(row.get("lacks")) <= bool(row.get("conditions") or not row.get("forecasts")), row["record"]
        for name in row.get("forecasts", ()):
            content = json.loads((FOLDER / name).read_text("utf-8"))
            if content["format"] == "remission/forecast/2":
                assert content["conditions"] == row.get("conditions", [])
                assert content["record"] == row["record"]
                protocol = read_protocol(FOLDER / row["protocol"])
                assert content["protocol"]["content_hash"] == protocol.content_hash


def test_the_list_of_forecasts_is_written_from_the_files() -> None:
    """A list that was typed would say what somebody remembers."""
    assert (FOLDER / "index.md").read_text("utf-8") == forecasts(TRIALS)


def test_the_page_of_forecasts_shows_every_file_and_every_gap(client: TestClient) -> None:
    """The page is where a reader meets them; what would count against one stands beside it."""
    shown = client.get("/forecasts")
    assert shown.status_code == 200
    found = client.get("/forecasts.json").json()
    assert len(found["trials"]) + len(found["left_out"]) == len(TRIALS)
    cards = {card["file"]: card for trial in found["trials"] for card in trial["forecasts"]}
    for row in TRIALS:
        assert row["record"] in shown.text
        for name in row.get("forecasts", ()):
            content = json.loads((FOLDER / name).read_text("utf-8"))
            if content["format"] == "remission/forecast/2":
                assert len(cards[name]["against"]) == len(content["counts_against_it"])
                assert name in shown.text
    older = [line for trial in found["trials"] for line in trial["older"]]
    assert len(older) == 2
    assert " style=" not in shown.text


def test_the_front_of_validation_is_the_credibility_file_and_begins_with_trials_left_out(client: TestClient) -> None:
    """Whatever it says, how the model did on what it had not seen is what a reader must meet first."""
    text = client.get("/validation").text
    first = text.index("Trials left out")
    assert first < text.index("Question of interest") < text.index("Facts: how many came out how")
    assert text.count("not computable") == 1, "the table of facts stands once"
    for row in load_posterior().judged["left_out"]:
        assert row["protocol"] in text[first:]
    assert 'href="/forecasts"' in text
    assert client.get("/validation.json").json()["credibility"] == (ROOT / "docs/validation/credibility.md").read_text(
        "utf-8"
    )


def test_the_credibility_file_names_every_record_and_has_the_numbers_of_the_posterior() -> None:
    """A record that nobody names is one that nobody has to answer for."""
    told = tomllib.loads(SOURCE.read_text("utf-8"))
    named = [name for group in told["activity"] for name in group["records"]]
    there = {path.stem for path in (ROOT / "docs" / "validation").glob("*.md")} - {"credibility"}
    assert sorted(named) == sorted(there)
    written = (ROOT / "docs" / "validation" / "credibility.md").read_text("utf-8")
    plan = load_calibration_plan()
    for line in left_out(plan, load_posterior(plan.id)):
        assert line in written
    headings = [line for line in credibility().splitlines() if line.startswith("#")]
    assert headings == [line for line in written.splitlines() if line.startswith("#")]


def test_the_card_of_a_trial_says_what_carries_it(client: TestClient) -> None:
    """What was computed stands on the page with its range, and the command that makes it again."""
    known = load_explanations()
    assert {"kare", "dakwar-2019"} <= known.keys()
    for name, one in known.items():
        assert one.title == load_protocol(name).title
        assert one.posterior == load_posterior().plan
    found = client.get("/trial/kare?wait=0").text
    assert 'id="why"' in found
    assert known["kare"].says[0].split(":")[0] in found
    assert "remission explain kare" in found
    story = client.get("/learn").text
    assert "/trial/kare#why" in story
