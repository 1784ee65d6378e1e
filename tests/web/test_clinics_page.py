"""Finding care: answers without a script, operators' uploads, privacy, words; and in Chromium on the device."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page
from reading_grade import english_grade

from remission.web.app import create_app
from remission.web.settings import WebSettings

DEMO = files("remission.library").joinpath("clinics", "demonstration.csv").read_bytes()


def client_of(folder: Path, **more: Any) -> TestClient:
    return TestClient(create_app(WebSettings(hosts=("testserver",), clinics_store=folder / "c.sqlite", **more)))


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    return client_of(tmp_path, is_operator=True)


def test_without_data_nothing_is_invented(client: TestClient) -> None:
    """The national list and the numbers come first; no command for a patient, nothing invented unless asked for."""
    page = client.get("/clinics").text
    assert 0 < page.index('href="https://findtreatment.gov/"') < page.index("1-800-662-4357") < page.index('id="none"')
    assert "<code>" not in page
    assert "demonstration" not in page
    assert "findtreatment.gov" in client.get("/es/clinics").text
    assert 'class="places"' not in page
    record = client.get("/clinics.json").json()
    assert (record["data"], record["n_clinics"]) == ("none", 0)
    rows = client.get("/clinics/rows?data=demonstration").text
    assert rows.count("<h3>") == rows.count("invented example, not a real clinic") == 10


def test_a_question_is_answered_without_a_script(client: TestClient) -> None:
    """Scripts may be off; the ZIP code then comes in a form's body and is in no address and no cache."""
    ask = {"data": "demonstration", "place": "94025", "radius": "50", "ketamine": "yes"}
    answer = client.post("/clinics", data=ask)
    assert answer.headers["cache-control"] == "no-store"
    assert "94025" not in str(answer.url)
    assert re.findall(r"<h3>(.*?)</h3>", answer.text) == ["Example Harbor Clinic", "Sample Infusion Rooms"]
    assert "self-declared" in answer.text
    assert "not recently checked" in answer.text
    old = client.post("/clinics", data={**ask, "ketamine": "", "with_old": "yes"}).text
    assert "Imaginary Valley Residence" in old
    assert "Nothing in the list fits." in client.post("/clinics", data={**ask, "place": "59001"}).text


def test_a_list_says_nothing_that_its_rows_do_not(client: TestClient) -> None:
    """A count that its page does not show, a word of our code, therapy with a drug that is not given, a dead number."""
    head, *rows = DEMO.decode().splitlines()
    names = head.split(",")
    first = dict(zip(names, rows[0].split(","), strict=True))
    told = [
        first
        | {"id": "a", "name": "Plain House", "ketamine_offered": "no", "ketamine_route": "", "payment": "by_barter"},
        first | {"id": "b", "name": "Drip House", "phone": "650-555-0102 ext. 7"},
        first | {"id": "c", "name": "Old House", "last_verified": "2020-01-15"},
    ]
    content = "\n".join([head, *(",".join(one[name] for name in names) for one in told)])
    assert client.post("/clinics/load", files={"file": ("list.csv", content.encode())}).status_code == 200
    assert [one["n"] for one in client.get("/clinics.json").json()["states"]] == [2]
    page = client.get("/clinics/state/CA").text
    assert re.findall(r"<h3>(.*?)</h3>", page) == ["Drip House", "Plain House"]
    drip, plain = page.split("<h3>")[1:3]
    assert "Therapy with ketamine" in drip
    assert "Therapy with ketamine" not in plain
    assert "by barter" in plain
    assert 'href="tel:+16505550100"' in plain
    assert "tel:" not in drip.partition("</li>")[0]


@pytest.mark.parametrize(
    ("place", "says"),
    [("", "Type a ZIP"), ("00501", "We do not know"), ("Springfield", "More than one state"), ("<b>x", "&lt;b&gt;x")],
)
def test_a_place_that_is_not_known_is_shown_where_it_happened(client: TestClient, place: str, says: str) -> None:
    """What was typed stays in the field, escaped, with the reason beside it."""
    answer = client.post("/clinics", data={"data": "demonstration", "place": place})
    assert answer.status_code == 422
    assert says in answer.text
    assert 'aria-invalid="true"' in answer.text
    assert "<b>x" not in answer.text


def test_a_file_with_a_bad_row_needs_consent(client: TestClient) -> None:
    """Operators see row, field and reason; nothing is loaded behind their back, and scripts in a name stay text."""
    content = DEMO.replace(b"94301", b"9430x").replace(b"Example Harbor", b"<script>alert(1)</script> Harbor")
    refused = client.post("/clinics/load", files={"file": ("list.csv", content)})
    assert refused.status_code == 422
    assert "postal_code" in refused.text
    assert client.get("/clinics.json").json()["n_clinics"] == 0
    kept = client.post("/clinics/load", files={"file": ("list.csv", content)}, data={"keep_good": "yes"})
    assert kept.status_code == 200
    assert client.get("/clinics.json").json()["n_clinics"] == 9
    page = client.get("/clinics/state/CA").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_uploads_are_limited_and_only_the_operators(client: TestClient, tmp_path: Path) -> None:
    """50 MB, the operator's own server, this site's own form: everything else is refused in words."""
    large = client.post("/clinics/load", files={"file": ("x.csv", b"a" * 50_100_000)})
    assert large.status_code == 413
    assert "at most 50 MB" in large.text
    foreign = client.post("/clinics/load", files={"file": ("x.csv", DEMO)}, headers={"Sec-Fetch-Site": "cross-site"})
    assert foreign.status_code == 403
    assert client.post("/clinics/load", data={"x": "y"}).status_code == 422
    for name in ("..", "../../x.csv", "a\\b.csv"):
        assert client.post("/clinics/load", files={"file": (name, b"id\n")}).status_code == 422
    assert client_of(tmp_path).get("/clinics/load").status_code == 404
    assert client_of(tmp_path).post("/clinics/load", files={"file": ("x.csv", DEMO)}).status_code == 404


def test_both_languages_have_the_same_keys() -> None:
    """A missing key is an error page for one half of the readers."""

    def shape(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: shape(item) for name, item in value.items()}
        return [shape(item) for item in value] if isinstance(value, list) else ""

    folder = files("remission.web").joinpath("text")
    texts = [tomllib.loads(folder.joinpath(code, "clinics.toml").read_text("utf-8")) for code in ("en", "es")]
    assert shape(texts[0]) == shape(texts[1])
    assert len(texts[0]["question"]) == 10


@pytest.mark.browser
@pytest.mark.parametrize("code", ["94025", "10001-1234", "94026", "96813", "00000"])
def test_the_browser_and_the_server_agree_and_the_zip_stays(page: Page, site: str, code: str) -> None:
    """The same question must have the same answer with and without scripts, and with scripts it is never sent."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(f"{request.method} {request.url} {request.post_data}"))
    page.goto(f"{site}/clinics")
    page.select_option("#radius", "250")
    page.fill("#place", code)
    page.keyboard.press("Enter")
    page.wait_for_selector("#results-title:focus, #place[aria-invalid]")
    seen = page.locator("#places h3, #places .distance").all_inner_texts()
    assert [one for one in sent if code[:5] in one or one.startswith("POST")] == []
    answer = page.request.post(f"{site}/clinics", form={"place": code, "radius": "250"}).text()
    said = re.findall(r'<h3>(.*?)</h3>|<p class="distance">(.*?)</p>', answer)
    assert seen == [name or length for name, length in said]
    assert bool(seen) == (code != "00000")
    assert Axe().run(page).violations_count == 0


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.thorough)])
def test_the_pages_have_no_violation_and_fit(page: Page, site: str, scheme: Any) -> None:
    """Readers with a screen reader, a small screen or a dark room come with the same question."""
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 800})
    for address in (
        "/clinics",
        "/es/clinics",
        "/clinics/state/CA",
        "/clinics/check",
        "/es/clinics/check",
        "/clinics/load",
    ):
        page.goto(site + address)
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
        assert page.evaluate("document.documentElement.scrollWidth") <= 320, address


@pytest.mark.browser
def test_the_form_works_without_scripts(browser: Browser, site: str) -> None:
    """By keyboard alone, with the ZIP code in no address."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/clinics")
    page.fill("#place", "94025")
    page.press("#place", "Enter")
    assert page.locator("#places > li").count() == 4
    assert "94025" not in page.url
    assert context.cookies() == []
    context.close()


def test_the_words_are_easy() -> None:
    """People look for care on a bad day: grade 8 or below, measured."""
    text = tomllib.loads(files("remission.web").joinpath("text", "en", "clinics.toml").read_text("utf-8"))
    asks = [f"{one['ask']} {one['why']}" for one in text["question"]]
    says = [text["established"], text["about"]["says"], *text["none"].values(), *text["fault"].values()]
    for part in (asks, says, [text["check"]["none"], *text["check"]["sign"], *text["check"]["register"]]):
        assert english_grade(" ".join(part)) <= 8
