"""Journeys from the first page to what somebody came for, each as that person would go; phone and desktop."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from followed import follow
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
WIDTHS = (390, 1440)
_COMPILES_MS = 240_000.0
"""A first simulation on a machine compiles the kernels."""


def marks(person: int, day: int) -> str:
    """A cell of the amount: half drinks with a comma, or a code for not known."""
    return "k.A." if (day + person) % 9 == 4 else f"{(day * person) % 5},5"


MESSY = (
    "Visit;Patient;Datum;Drinks;Note\n"
    + "".join(
        f"{1 + day // 7};P{person:02d};{1 + day:02d}.03.2026;{marks(person, day)};x\n"
        for person in range(1, 13)
        for day in range(28)
        if (day + person) % 11
    )
    + "Summe;;;99;\n"
)


@pytest.fixture
def quiet(page: Page) -> Iterator[Page]:
    """A page whose console stays empty and that asks nobody but its own host before a link is followed."""
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    yield page
    assert messages == []


def door(page: Page, name: str) -> int:
    """Through a door of the header, which is a menu on a phone; how many times one presses."""
    menu = page.locator("details.menu > summary")
    if menu.is_visible():
        menu.click()
        follow(page, page.locator("details.menu a", has_text=name))
        return 2
    follow(page, page.locator("nav.doors a", has_text=name))
    return 1


def without_violation(page: Page) -> None:
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", WIDTHS)
def test_a_clinician_reaches_a_curve_in_ten_seconds_and_a_printed_sheet(quiet: Page, site: str, width: int) -> None:
    """Between two patients there are ten seconds; the sheet is what goes to the committee."""
    quiet.set_viewport_size({"width": width, "height": 844})
    quiet.goto(site)
    steps = door(quiet, "Plan a session")
    for name, typed in (("weight", "82"), ("dose", "0.5 mg/kg"), ("minutes", "40")):
        quiet.locator(f"#{name}").fill(typed)
        steps += 1
    # Nothing is pressed: a curve stands there as soon as the last field is typed, with no question to the server.
    expect(quiet.locator(".curve").first).to_be_visible()
    assert steps <= 5
    quiet.locator("#age").fill("45")
    quiet.keyboard.press("Enter")
    sheet = quiet.get_by_role("link", name="One sheet to print")
    sheet.wait_for(timeout=_COMPILES_MS)
    without_violation(quiet)
    follow(quiet, sheet)
    expect(quiet.locator(".stamp").first).to_be_visible()
    assert len(re.findall(rb"/Type\s*/Page[^s]", quiet.pdf(format="A4"))) == 1


@pytest.mark.parametrize("width", WIDTHS)
def test_the_card_of_a_trial_leads_through_its_five_views(quiet: Page, site: str, width: int) -> None:
    """People, session, design, evidence, truth: each view is reached from the card and leads on to its own page."""
    quiet.set_viewport_size({"width": width, "height": 844})
    quiet.goto(f"{site}/trial")
    kare = quiet.locator("main h2 a, main h3 a").filter(has_text="KARE").first
    follow(quiet, kare, timeout_ms=_COMPILES_MS)
    card = quiet.url.partition("#")[0]
    assert card.endswith("/trial/kare")
    for view in ("people", "session", "design", "evidence", "truth"):
        quiet.locator(f".views a[href='#{view}']").click()
        expect(quiet).to_have_url(re.compile(f"#{view}$"))
        place = quiet.locator(f"#{view}").bounding_box()
        assert place is not None
        assert -1 <= place["y"] < 844
    for view, leads in (("people", "/learn"), ("session", "/planner"), ("evidence", "/evidence/")):
        follow(quiet, quiet.locator(f"section[aria-labelledby={view}] p a").first, timeout_ms=_COMPILES_MS)
        expect(quiet).to_have_url(re.compile(leads))
        assert quiet.locator("h1").is_visible()
        quiet.goto(card, timeout=_COMPILES_MS)


def test_a_messy_file_of_a_clinic_becomes_its_page(quiet: Page, site: str, tmp_path: Path) -> None:
    """From the door to figures: semicolons, decimal commas, dates with points, a code for not known, a row of sums."""
    path = tmp_path / "our diary (final).csv"
    path.write_text(MESSY, encoding="utf-8")
    quiet.goto(site)
    door(quiet, "Plan a session")
    follow(quiet, quiet.locator("main a[href='/planner/clinic']").first)
    quiet.locator("#file").set_input_files(path)
    quiet.get_by_role("button", name="Show its columns").click()
    expect(quiet.locator("section:has(> #preview)")).to_contain_text("P01")
    for name, chosen in (("person", "Patient"), ("when", "Datum"), ("amount", "Drinks")):
        quiet.locator(f"#m_{name}").select_option(chosen)
    quiet.locator("#m_when_is").select_option("day.month.year")
    quiet.locator("#m_decimal").select_option("comma")
    for name, typed in (("one_substance", "alcohol"), ("amount_unit", "standard drinks"), ("missing", "k.A.")):
        quiet.locator(f"#m_{name}").fill(typed)
    quiet.get_by_role("button", name="Make the page").click()
    page = quiet.locator("section[aria-labelledby=page]")
    expect(page).to_contain_text("Alcohol: 12 people", timeout=60_000)
    expect(page).to_contain_text("rows were set aside")
    assert page.locator("figure").count() >= 3
    without_violation(quiet)
