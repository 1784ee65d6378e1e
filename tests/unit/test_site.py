"""The pages in process: HTML and record say the same, errors say what to do, and nothing leaves or stays."""

import hashlib
import html
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from page_strings import strings_of

from remission.library.article import load_article
from remission.web.app import create_app
from remission.web.language import load_text
from remission.web.security import CONTENT_SECURITY_POLICY
from remission.web.settings import WebSettings

READING = ("/", "/world/3", "/learn", "/learn/prefrontal",
           "/evidence", "/evidence/grabski_2022_kare", "/evidence/forest",
           "/evidence/therapy/contingency-management", "/trial",
           "/about", "/limits", "/api", "/clinics", "/clinics/check", "/journey",
           "/journey/alcohol", "/safety")  # fmt: skip


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(WebSettings(hosts=("testserver",), n_replicates=6)))


# An identifier as a link; nothing is asked of it before a reader clicks, and then it is not told from where.
OUT = r'<a (?:class="button" )?href="https?://[^"]*" rel="noopener noreferrer">([^<]*)</a>'


def _words(page: str) -> str:
    page = re.sub(OUT, r"\1", page)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


@pytest.mark.parametrize("address", READING)
def test_a_page_shows_its_record(client: TestClient, address: str) -> None:
    """Programs and people must get the same: each sentence of the record stands on the page."""
    page = client.get(address)
    record = client.get(f"{'/index' if address == '/' else address}.json")
    assert page.status_code == record.status_code == 200
    assert record.headers["content-type"] == "application/json"
    # A page has a minus sign where data have a hyphen.
    shown = _words(page.text).replace("\u2212", "-")
    sentences = [one for one in strings_of(record.json()) if len(one) > 40 and one.endswith(".")]
    # The whole record of a study holds more than is laid out.
    if not sentences:
        # Pages whose words are in the template: their names and titles must come from the record all the same.
        sentences = [one for one in strings_of(record.json()) if len(one) > 12 and " " in one]
    assert sentences
    hidden = set(strings_of(record.json().get("record", {}))) if isinstance(record.json(), dict) else set()
    for one in sentences:
        if one not in hidden:
            assert re.sub(r"\s+", " ", one).replace("\u2212", "-") in shown


@pytest.mark.parametrize(
    "address", [*READING, "/trial/kare?wait=5", "/planner?weight=80&age=45&dose=0.5mg/kg&minutes=40"]
)
def test_a_negative_number_has_a_minus(client: TestClient, address: str) -> None:
    """A hyphen before a number is read over, and half of the pages had one and half the other."""
    page = client.get(address).text
    for kept in ("svg", "code", "pre", "script", "style", "textarea", "title", "select"):
        page = re.sub(rf"<{kept}\b.*?</{kept}>", " ", page, flags=re.DOTALL)
    assert not re.findall(r"(?:^|[\s(\u201c])-\.?\d[^\s<]*", re.sub(r"<[^>]*>", " ", page))
    assert "\u22120 " not in page


@pytest.mark.parametrize("address", [*READING, "/nowhere", "/static/site.css", "/evidence.json", "/trial/kare"])
def test_every_answer_carries_the_guards(client: TestClient, address: str) -> None:
    """A page without its policy can be made to load or send anything; a cookie would follow the reader."""
    headers = client.get(address).headers
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in headers
    assert "unsafe" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("address", READING)
def test_a_page_needs_nothing_from_elsewhere_and_no_inline_code(client: TestClient, address: str) -> None:
    """Inline code would not run under the policy; a foreign address would tell somebody who reads."""
    page = client.get(address).text
    assert not re.search(r"<(script|style)(?![^>]*\bsrc=)[^>]*>[^<]", page)
    assert not re.search(r'\s(style|on\w+)="', page)
    # Namespaces of SVG are names; nothing else may point away but what a reader clicks.
    away = set(re.findall(r"https?://[^\s\"'<)]+", re.sub(OUT, "", page)))
    assert all(one.startswith("http://www.w3.org/") for one in away), away
    assert not re.search(r"<link[^>]*(prefetch|preconnect|dns-prefetch|prerender)", page)


@pytest.mark.parametrize("address", ["/journey", "/journey/opioid", "/es/journey/opioid", "/safety"])
def test_patient_pages_are_not_kept(client: TestClient, address: str) -> None:
    """A shared computer must not show the next person what was read."""
    assert client.get(address).headers["cache-control"] == "no-store"


def test_an_unknown_page_says_what_there_is(client: TestClient) -> None:
    """A dead end helps nobody; programs get a problem document."""
    for address in ("/learn/spleen", "/journey/tea", "/trial/none", "/evidence/none"):
        page, record = client.get(address), client.get(f"{address}.json")
        assert page.status_code == record.status_code == 404
        assert "There is no such page" in page.text
        assert record.headers["content-type"] == "application/problem+json"
        fault = record.json()["faults"][0]
        assert fault["got"] in address
        assert fault["allowed"]


def test_a_wrong_filter_is_named_and_the_page_stays(client: TestClient) -> None:
    """The reader keeps the table and learns which filter was wrong."""
    answer = client.get("/evidence?substance=alcohl")
    assert answer.status_code == 422
    assert "expected one of" in answer.text
    assert "Did you mean alcohol?" in answer.text
    assert answer.text.count("<tr>") > 100
    problem = client.get("/evidence.json?substance=alcohl")
    assert problem.status_code == 422
    assert problem.headers["content-type"] == "application/problem+json"
    assert client.get("/evidence?substance=alcohol&design=randomized").status_code == 200


def test_filters_leave_what_fits(client: TestClient) -> None:
    """The count must be that of the registry, not of the page."""
    from remission.evidence.registry import load_evidence

    answer = client.get("/evidence.json?substance=opioid&interval=true").json()
    found = load_evidence().filter(substance="opioid", has_interval=True)
    assert [row["id"] for row in answer["studies"]] == [study.id for study in found.studies]
    assert [row["id"] for row in answer["care"]] == [record.id for record in found.care]


def test_kinds_of_sources_survive(client: TestClient) -> None:
    """Press must never look like a paper."""
    page = client.get("/evidence/grabski_2022_kare").text
    assert page.count("press</span>") >= 3
    record = client.get("/evidence/forest.json?substance=alcohol&endpoint=days-abstinent").json()
    assert {"press", "secondary", "abstract or registry"} <= {row[7] for row in record["figure"]["table"]["rows"]}
    assert any("Not pooled" in line for line in record["pooling"])


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "\u202e"])
def test_script_in_an_address_stays_text(client: TestClient, text: str) -> None:
    """What comes from outside is shown, never run."""
    for answer in (client.get(f"/evidence/{text}"), client.get("/evidence", params={"substance": text})):
        assert answer.status_code in {404, 422}
        assert "<script>alert" not in answer.text
        assert "<img src=x" not in answer.text
        assert "got “49”" not in answer.text


@pytest.mark.parametrize("path", ["../app.py", "%2e%2e/app.py", "vendor/vendor.toml", "vendor", "nothing.css", ""])
def test_only_static_files_are_served(client: TestClient, path: str) -> None:
    """The program's own files must not be readable through the folder of pictures."""
    assert client.get(f"/static/{path}").status_code == 404


def test_static_files_have_their_hash_in_the_address(client: TestClient) -> None:
    """A new version must not be hidden behind an old copy in the browser."""
    address = re.findall(r'href="(/static/site\.css\?[0-9a-f]{12})"', client.get("/").text)[0]
    answer = client.get(address)
    assert answer.headers["content-type"].startswith("text/css")
    assert "immutable" in answer.headers["cache-control"]


def test_forms_of_other_sites_are_refused(client: TestClient) -> None:
    """A foreign page must not change anything through the reader's browser."""
    for headers in ({"origin": "http://evil.example"}, {"sec-fetch-site": "cross-site"}):
        answer = client.post("/evidence", headers=headers)
        assert answer.status_code == 403
        assert answer.headers["content-type"] == "application/problem+json"
    assert client.post("/evidence", headers={"sec-fetch-site": "same-origin"}).status_code == 405


def test_other_host_names_are_refused(client: TestClient) -> None:
    """Otherwise a foreign name that points here could read the pages."""
    assert client.get("/", headers={"host": "evil.example"}).status_code == 400


def test_vendored_files_are_those_of_the_list() -> None:
    """A changed file of others would run with our name on it."""
    folder = files("remission.web").joinpath("static", "vendor")
    listed = tomllib.loads(folder.joinpath("vendor.toml").read_text("utf-8"))["file"]
    assert {entry["name"] for entry in listed} | {"vendor.toml"} == {entry.name for entry in folder.iterdir()}
    notice = (Path(__file__).parents[2] / "NOTICE").read_text("utf-8")
    for entry in listed:
        assert hashlib.sha256(folder.joinpath(entry["name"]).read_bytes()).hexdigest() == entry["sha256"]
        assert f"{entry['package']} {entry['version']}" in notice


def test_a_trial_reports_how_far_it_is_and_then_its_report(client: TestClient) -> None:
    """A first reader waits some seconds and must see that something happens."""
    first = client.get("/trial/dakwar-2019.json?wait=0").json()
    assert first["total"] == 6
    page = client.get("/trial/dakwar-2019.json?wait=2")
    for _ in range(30):
        if page.json()["report"]:
            break
        assert page.status_code == 202
        page = client.get("/trial/dakwar-2019.json?wait=2")
    report = page.json()["report"]
    assert report["command"] == "remission run dakwar-2019 --replicates 6 --seed 20260101"
    shown = client.get("/trial/dakwar-2019?wait=2").text
    assert report["finding"] in html.unescape(shown)
    # One more on the card: what carries the effect.
    assert shown.count("<figure") == len(report["charts"]) + 1 >= 6
    # By the data: this trial tuned the values, and says so by name.
    assert "tuned by hand on the control group of the cocaine trial" in shown


def test_each_claim_of_the_article_has_a_place_and_a_verdict(client: TestClient) -> None:
    """A claim without what evidence says would be advertising."""
    steps = {step["id"] for step in load_text("en", "learn")["steps"]}
    shown = _words(client.get("/learn").text)
    assert len(load_article().claim) == 13
    for claim in load_article().claim:
        assert claim.step in steps
        assert claim.claim in shown
        assert claim.evidence in shown


@pytest.mark.parametrize("step", [step["id"] for step in load_text("en", "learn")["steps"]])
@pytest.mark.parametrize("substance", ["alcohol", pytest.param("cocaine", marks=pytest.mark.thorough)])
def test_each_link_warns_before_it_shows_stopping_alone(client: TestClient, step: str, substance: str) -> None:
    """Curves of people who stop alone stand on every link; the warning must come first."""
    page = client.get(f"/learn/{step}?substance={substance}").text
    warning = page.index("Stopping alcohol or sedatives suddenly can be fatal")
    assert warning < page.index("<figure")
    assert "hypothesis" in page


def test_the_drawing_gets_what_the_model_computed(client: TestClient) -> None:
    """Curves on the page are those of a simulated trial, not drawn by hand."""
    from remission.web.pages.learn import load_story

    course = client.get("/api/learn/course.json").json()
    story = load_story("alcohol")
    assert course["arms"] == list(story.arms)
    assert course["mean"]["L"][0][30] == pytest.approx(story.result.states.mean["L"][0, 30], abs=5e-4)
    assert len(course["without_use"][0]) == 180
    with_therapy, without = course["mean"]["L"][2][40], course["mean"]["L"][3][40]
    assert with_therapy > without
    assert max(course["mean"]["P"][4]) == 0.0
