"""Is it true?: record, simulation, forest and paper lead to each other; what was checked is shown with what failed."""

import html
import re

import pytest
from fastapi.testclient import TestClient

from remission.evidence.matrix import COLUMNS, evidence_matrix
from remission.evidence.registry import load_evidence
from remission.web.app import create_app
from remission.web.settings import WebSettings


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(WebSettings(hosts=("testserver",), contact="https://example.org/write")))


def test_each_cell_leads_to_its_own_records(client: TestClient) -> None:
    """A count that cannot be opened is a claim."""
    page = client.get("/evidence").text
    for row in evidence_matrix(load_evidence()):
        for cell in row.cells:
            if cell is not None:
                assert f'href="/evidence?treatment={row.id}&amp;substance={cell.substance}#found"' in page
    record = client.get("/evidence.json", params={"treatment": "ketamine", "substance": "cocaine"}).json()
    shown = {one["id"] for part in ("studies", "care") for one in record[part]}
    found = next(row for row in evidence_matrix(load_evidence()) if row.id == "ketamine").cells[
        COLUMNS.index("cocaine")
    ]
    assert found is not None
    assert shown == set(found.records)
    assert client.get("/evidence", params={"treatment": "prayer"}).status_code == 404


def test_record_simulation_forest_and_paper_are_linked(client: TestClient) -> None:
    """From each of the four a reader reaches the others."""
    study = client.get("/evidence/grabski_2022_kare").text
    forest = client.get("/evidence/forest?substance=alcohol&endpoint=days-abstinent").text
    trial = client.get("/trial/kare?wait=0").text
    paper, simulation, record = (
        "https://doi.org/10.1176/appi.ajp.2021.21030277",
        "/trial/kare",
        "/evidence/grabski_2022_kare",
    )
    side = "/evidence/forest?substance=alcohol&amp;endpoint=days-abstinent"
    for page, links in (
        (study, (paper, simulation, side)),
        (forest, (paper, simulation, record)),
        (trial, (paper, record, side)),
    ):
        for link in links:
            assert f'href="{link}' in page


def test_every_record_of_a_check_is_shown_whole(client: TestClient) -> None:
    """What failed stands in the record; a page that showed only a summary would hide it."""
    index = client.get("/validation")
    assert index.status_code == 200
    names = re.findall(r'href="/validation/([a-z-]+)"', index.text)
    assert {"facts", "realism", "forecast-more-kare"} <= set(names)
    for name in dict.fromkeys(names):
        page = client.get(f"/validation/{name}").text
        source = client.get(f"/validation/{name}.json").json()["text"]
        words = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))
        for heading in re.findall(r"^## ([^`\n\[*]+)$", source, re.MULTILINE):
            assert heading.strip() in words
        assert page.count("<tr>") >= len(re.findall(r"^\|[ :|-]+\|$", source, re.MULTILINE))
        assert " style=" not in page
        body = page.split("<main", 1)[1]
        assert 'href="/safety"' in body
        assert "no number here is a chance or a dose for a person" in words
        # The word stands in lists that are never edited; who reads it is told what it means.
        assert ("judges nobody" in words) == bool(re.search(r"(?<![\w-])[Cc]lean(?![\w-])", source))
    assert client.get("/validation/no-such").status_code == 404


def test_about_says_when_and_how_to_reach(client: TestClient) -> None:
    """A number that is wrong must find its way back."""
    page = client.get("/about").text
    assert 'href="https://example.org/write"' in page
    assert len(re.findall(r"<dd>20\d\d-\d\d-\d\d</dd>", page)) >= 3
    silent = TestClient(create_app(WebSettings(hosts=("testserver",)))).get("/about").text
    assert "given no address" in silent
    for contact in ("javascript:alert(1)", '"><b>'):
        page = TestClient(create_app(WebSettings(hosts=("testserver",), contact=contact))).get("/about").text
        assert 'href="javascript' not in page
        assert "<b>" not in page
