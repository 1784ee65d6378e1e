"""Addresses as people type them, forms sent empty, heads, errors: never a dead end, never a needless computation."""

import re

import pytest
from fastapi.testclient import TestClient

from remission.web.app import create_app
from remission.web.desk import Desk
from remission.web.pages import planner
from remission.web.settings import WebSettings


@pytest.fixture(scope="module")
def client() -> TestClient:
    settings = WebSettings(hosts=("testserver",), n_replicates=6)
    return TestClient(create_app(settings), follow_redirects=False, raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("typed", "leads_to"),
    [
        ("/es/", "/es"),
        ("/en", "/"),
        ("/ES/Learn", "/es/learn"),
        ("/en/learn", "/learn"),
        ("/es/evidence", "/evidence"),
        ("/journey/", "/journey"),
        ("/Journey/Alcohol/", "/journey/alcohol"),
        ("/journey/heroin", "/journey/opioid"),
        ("/es/journey/Heroína", "/es/journey/opioid"),
        ("/journey/Crystal-Meth?country=GB", "/journey/methamphetamine?country=GB"),
        ("/journey/fentanyl.json", "/journey/opioid.json"),
        ("/journey/OxyContin", "/journey/opioid"),
        ("/journey/weed", "/journey/cannabis"),
        ("/journey/xanax", "/safety"),
        ("/trial/KARE", "/trial/kare"),
        ("/trial/kare/", "/trial/kare"),
    ],
)
def test_other_spellings_lead_to_the_page(client: TestClient, typed: str, leads_to: str) -> None:
    """A person in need types what they know; a list of accepted ids helps nobody."""
    answer = client.get(typed)
    assert (answer.status_code, answer.headers["location"]) == (307, leads_to)
    assert client.head(leads_to).status_code == 200


@pytest.mark.parametrize(
    "typed", ["/journey/sugar", "/nowhere", "/es/nada", "/learn/\\", "/%5C.json", "/JOURNEY/%0d%0a"]
)
def test_what_is_unknown_ends_with_ways_on(client: TestClient, typed: str) -> None:
    """An error page without a way on is the end for a reader who came for help."""
    answer = client.get(typed)
    for _ in range(3):
        answer = client.get(answer.headers["location"]) if answer.is_redirect else answer
    assert answer.status_code == 404
    if not typed.endswith(".json"):
        assert {"/safety", "/journey", "/clinics"} <= {
            one.removeprefix("/es") for one in re.findall(r'href="([^"]*)"', answer.text)
        }


def test_the_head_of_a_page_costs_nothing(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkers of links ask for heads; each would have started a simulation."""

    def refuse(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(planner, "_answer", refuse)
    monkeypatch.setattr(Desk, "ask", refuse)
    asked = "/planner?weight=70&age=40&preset=kare&people=10000"
    for address in (
        "/",
        "/learn/dose",
        "/trial/kare",
        asked,
        "/evidence/forest",
        "/safety",
        "/planner/print",
        "/limits.json",
    ):
        answer = client.head(address)
        assert (answer.status_code, answer.content) == (200, b""), address
    assert client.head("/learn/nothing").status_code == client.head("/nowhere").status_code == 404


def test_a_form_sent_empty_names_what_is_missing(client: TestClient) -> None:
    """Silence after a click looks like a broken page."""
    page = client.get("/planner?weight=&age=&dose=")
    assert page.status_code == 422
    for field in ("weight", "age", "dose"):
        assert f'id="{field}-fault">This is needed' in page.text
        assert f'href="#{field}"' in page.text
    search = client.get("/planner?weight=&age=x&find=dose&sbp_rise=20").text
    for field in ("weight", "minutes"):
        assert f'id="{field}-fault">This is needed' in search


def test_words_that_others_add_to_an_address_ask_nothing(client: TestClient) -> None:
    """A link from a newsletter carries utm_source; it was refused."""
    plain, tagged = client.get("/planner"), client.get("/planner?utm_source=x&fbclid=1")
    assert plain.status_code == tagged.status_code == 200
    assert plain.text == tagged.text


def test_more_people_than_a_server_can_bear_are_refused_at_their_field(client: TestClient) -> None:
    """One plan of 100,000 people took 2.6 GB from everybody else."""
    page = client.get("/planner?weight=70&age=40&preset=kare&people=100000")
    assert page.status_code == 422
    assert 'id="people-fault">At most 10000 people' in page.text
    long = client.get("/planner?weight=70&age=40&dose=0.1mg/kg&minutes=40&start=3000&people=10000")
    assert long.status_code == 422


def test_a_failure_of_ours_is_a_page_with_its_guards(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bare "Internal Server Error" helps nobody, and came without the policy."""

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(planner, "_answer", fail)
    answer = client.get("/planner?weight=70&age=40&preset=kare")
    assert answer.status_code == 500
    assert "content-security-policy" in answer.headers
    assert "/safety" in answer.text


def test_sources_are_links_and_a_trial_leads_everywhere(client: TestClient) -> None:
    """A number whose source cannot be opened cannot be checked."""
    study, forest, trial = (
        client.get(one).text
        for one in ("/evidence/grabski_2022_kare", "/evidence/forest?substance=alcohol", "/trial/kare")
    )
    for page in (study, forest, trial):
        assert 'href="https://doi.org/10.1176/appi.ajp.2021.21030277" rel="noopener noreferrer"' in page
    assert 'href="/trial/kare"' in study
    assert "/evidence/forest?" in study
    assert 'href="/trial/kare"' in forest
    assert 'href="/evidence/grabski_2022_kare"' in forest
    assert 'href="/evidence/grabski_2022_kare"' in trial
    assert "/evidence/forest?" in trial
    assert 'href="/planner"' in client.get("/").text


def test_every_record_has_its_page(client: TestClient) -> None:
    """A record may hold true and false; a check of numbers in files once took the page for a file and failed it."""
    for study in ("grabski_2022_kare", "dakwar_2019_cocaine", "alc_naltrexone_jama_nausea"):
        assert client.get(f"/evidence/{study}").status_code == client.get(f"/evidence/{study}.json").status_code == 200


@pytest.mark.parametrize("prefix", ["", "/es"])
def test_overdose_steps_are_whole_wherever_they_stand(client: TestClient, prefix: str) -> None:
    """Call, naloxone and stay leave out what keeps a person alive: breaths, the side, the second dose."""
    words = (
        ("emergency", "naloxone", "rescue breaths", "on the side", "second dose", "Stay")
        if not prefix
        else ("emergencia", "naloxona", "respiración de rescate", "de lado", "segunda dosis", "Quédese")
    )
    for address in ("/safety", "/journey/opioid", "/journey/alcohol"):
        page = client.get(prefix + address).text
        places = [page.find(word) for word in words]
        assert -1 not in places, (address, places)
