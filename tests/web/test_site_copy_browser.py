"""A copy of the site opened from a disk, as somebody opens a stick: everything works, nothing is asked of anybody."""

import re
import threading
from datetime import date
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from followed import follow
from playwright.sync_api import Page, expect

from remission.clinics.files import read_clinics
from remission.clinics.store import ClinicStore
from remission.library import clinics as clinic_library
from remission.web.export.folder import write_site
from remission.web.pages.home import page_of_world
from remission.web.settings import WebSettings

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("stick")
    source = Path(str(clinic_library.__file__)).with_name("demonstration.csv")
    ClinicStore(place / "clinics.sqlite").save(read_clinics(source, today=date.max))
    settings = WebSettings(clinics_store=place / "clinics.sqlite")
    write_site(place / "a b", settings=settings, only=("clinics", "planner"), made=date(2020, 1, 1))
    return place / "a b"


@pytest.fixture
def asked(page: Page) -> list[str]:
    """What a page asks for beyond files of its own, and what it complains of."""
    found: list[str] = []
    page.on("request", lambda one: None if one.url.startswith("file:") else found.append(one.url))
    page.on("console", lambda one: found.append(one.text))
    page.on("pageerror", lambda one: found.append(str(one)))
    return found


def test_care_is_found_from_a_stick(page: Page, copy: Path, asked: list[str]) -> None:
    """The reader has no network, and the ZIP code stays where it was typed."""
    page.goto((copy / "es" / "clinics.html").as_uri())
    page.fill("#place", "94025")
    page.locator("form.ask button").click()
    expect(page.locator("#places li").first).to_contain_text("Example Harbor Clinic")
    assert "94025" not in page.url
    page.fill("#place", "Menlo Park, CA")
    page.locator("form.ask button").click()
    expect(page.locator("#place-fault")).to_contain_text("solo conoce códigos postales")
    assert "Menlo" not in page.url
    page.goto((copy / "index.html").as_uri())
    follow(page, page.locator(".help a").first)
    expect(page.locator("a[href^='tel:']").first).to_be_attached()
    expect(page).to_have_url(re.compile("/safety.html$"))
    expect(page.locator("#copy-old")).to_be_visible()
    assert asked == []


def test_the_first_page_is_read_in_both_languages_from_a_stick(page: Page, copy: Path, asked: list[str]) -> None:
    """From the first page to the other language, to another world and to help, with no server behind it."""
    page.goto((copy / "index.html").as_uri())
    follow(page, page.locator(".languages a"))
    expect(page).to_have_url(re.compile("/es.html$"))
    for number in (2, 3):
        page.locator("#again").click()
        expect(page.locator("#which")).to_have_text(page_of_world(number, "es").world)
        expect(page).to_have_url(re.compile(f"/es/world/{number}.html"))
    follow(page, page.locator(".help a").first)
    expect(page).to_have_url(re.compile("/es/safety.html$"))
    assert asked == []


def test_the_first_page_works_on_a_plain_host(page: Page, copy: Path) -> None:
    """A host that only hands out files: no script asks it for what it cannot answer, and none fails."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(copy))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as host:
        threading.Thread(target=host.serve_forever, daemon=True).start()
        wrong: list[str] = []
        page.on("pageerror", lambda one: wrong.append(str(one)))
        page.on("response", lambda one: wrong.append(one.url) if one.status >= 400 else None)
        page.goto(f"http://127.0.0.1:{host.server_port}/index.html")
        follow(page, page.locator(".languages a"))
        for number in (2, 3):
            page.locator("#again").click()
            expect(page.locator("#which")).to_have_text(page_of_world(number, "es").world)
            expect(page).to_have_url(re.compile(f"/es/world/{number}.html"))
        page.goto(f"http://127.0.0.1:{host.server_port}/planner.html")
        page.fill("#weight", "82")
        page.fill("#dose", "0.5 mg/kg")
        page.fill("#minutes", "40")
        expect(page.locator(".curve")).to_have_count(4)
        host.shutdown()
    assert wrong == []


def test_curves_are_drawn_from_a_stick(page: Page, copy: Path, asked: list[str]) -> None:
    """The kernel is on the page; only the people need a computer with the program."""
    page.goto((copy / "planner.html").as_uri())
    page.fill("#weight", "82")
    page.fill("#dose", "0.5 mg/kg")
    page.fill("#minutes", "40")
    expect(page.locator(".curve")).to_have_count(4)
    page.keyboard.press("Enter")
    expect(page.locator("#dose")).to_have_value("0.5 mg/kg")
    assert asked == []


@pytest.mark.parametrize(
    ("name", "kept_share", "said"),
    [
        ("static/kinetics.js", None, "kinetics.js"),
        ("static/kinetics.js", 0.5, "script"),
        ("static/planner.css", None, "planner.css"),
        ("static/site.css", None, "Copy the whole folder again"),
        ("static/copy.js", None, "Copy the whole folder again"),
        ("static/copy.js", 0.5, "Copy the whole folder again"),
        ("planner.html", 0.7, "planner.html"),
    ],
)
def test_a_lost_part_is_named(
    page: Page, page_faults: list[str], copy: Path, name: str, kept_share: float | None, said: str
) -> None:
    """A folder copied by half, or a file cut off: the page says so where it is read, and what can be read stays."""
    lost = copy / name
    kept = lost.read_bytes()
    lost.unlink()
    if kept_share is not None:
        lost.write_bytes(kept[: int(kept_share * len(kept))])
    try:
        page.goto((copy / "planner.html").as_uri())
        expect(page.locator("#part-missing")).to_be_visible()
        expect(page.locator("#part-missing")).to_contain_text(said)
        expect(page.locator("h1")).to_be_visible()
        page_faults.clear()  # the half of a script that is left fails, as it must
    finally:
        lost.write_bytes(kept)
    page.goto((copy / "planner.html").as_uri())
    expect(page.locator("#part-missing")).to_be_hidden()
