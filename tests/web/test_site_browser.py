"""The site in a real browser: every page and state at every width, light and dark, by keyboard, without scripts."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from followed import follow
from playwright.sync_api import Browser, Page, expect
from site_pages import PAGES

pytestmark = pytest.mark.browser


@pytest.fixture
def quiet(page: Page) -> Iterator[Page]:
    """A page whose console must stay empty: a blocked script, style or request speaks there."""
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    yield page
    refused = ("404 (Not Found)", "422 (Unprocessable", "413 (")
    assert [text for text in messages if not any(word in text for word in refused)] == []
    assert page.context.cookies() == []


# A page of each kind in one scheme here, all in both by make thorough; the colors are the same few on all pages.
OF_EACH_KIND = ("/", "/learn", "/journey/alcohol", "/es/clinics/check", "/evidence/grabski_2022_kare", "/trial")


@pytest.mark.parametrize(
    ("address", "scheme"),
    [
        pytest.param(
            address, scheme, marks=[] if address in OF_EACH_KIND and (at + dark) % 2 == 0 else [pytest.mark.thorough]
        )
        for at, address in enumerate(PAGES)
        for dark, scheme in enumerate(("light", "dark"))
    ],
)
def test_no_violation(quiet: Page, site: str, address: str, scheme: str) -> None:
    """Contrast, names, order and landmarks by axe, with everything opened that can be opened."""
    quiet.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    quiet.goto(site + address)
    quiet.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    found = Axe().run(quiet)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize(
    "width", [*(pytest.param(width, marks=pytest.mark.thorough) for width in (1440, 768, 360)), 320]
)
def test_no_page_scrolls_sideways(quiet: Page, site: str, width: int) -> None:
    """A reader who zooms or has a small screen must not chase lines; wide tables scroll in a frame of their own."""
    quiet.set_viewport_size({"width": width, "height": 900})
    for address in PAGES:
        quiet.goto(site + address)
        quiet.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        assert quiet.evaluate("document.documentElement.scrollWidth") <= width, address


def test_the_chain_unfolds(quiet: Page, site: str) -> None:
    """A day and a treatment move the levels, the words and the line in the charts, and stay in the address."""
    # The first visit computes the course.
    quiet.goto(f"{site}/learn/prefrontal", timeout=120_000)
    slider = quiet.locator("#on-day")
    slider.wait_for(state="visible")
    before = quiet.locator(".across .level[data-state=N]").get_attribute("width")
    slider.fill("90")
    quiet.select_option("#arm", label="Saline with education")
    assert "Saline with education, day 90" in quiet.locator("#reading").inner_text()
    assert quiet.locator(".across .level[data-state=N]").get_attribute("width") != before
    assert quiet.locator("figure line.cursor").count() == 4
    expect(quiet).to_have_url(re.compile("#day=90&arm=3$"))
    follow(quiet, quiet.locator(".across a[data-step=craving]"))
    quiet.locator("#on-day").wait_for(state="visible")
    expect(quiet.locator("#on-day")).to_have_value("90")
    expect(quiet.locator("#step-title")).to_contain_text("8. Craving")
    quiet.go_back()
    expect(quiet.locator("#step-title")).to_contain_text("Prefrontal")


def test_the_chain_runs_downwards_on_a_phone(quiet: Page, site: str) -> None:
    """Read from left to right it was wider than the page; both drawings have the same levels and one is seen."""
    quiet.goto(f"{site}/learn/day", timeout=120_000)
    expect(quiet.locator("#unfold")).to_be_visible(timeout=60_000)
    quiet.locator("#on-day").fill("30")
    for width, seen, hidden in ((390, "down", "across"), (1440, "across", "down")):
        quiet.set_viewport_size({"width": width, "height": 800})
        expect(quiet.locator(f".{hidden} .node.chosen")).to_be_hidden()
        expect(quiet.locator(f".{seen} .node.chosen")).to_be_visible()
    for state in ("P", "K", "N", "H", "z", "use"):
        shares = []
        for one in ("across", "down"):
            bar = quiet.locator(f".{one} .level[data-state={state}]")
            place = float(bar.get_attribute("x") or 0) - float(bar.get_attribute("data-left") or 0)
            whole = float(bar.get_attribute("data-width") or 1)
            shares.append((place + float(bar.get_attribute("width") or 0)) / whole)
        # A dot is as wide in both, so that its end is not at quite the same share.
        assert shares[0] == pytest.approx(shares[1], abs=0.05), state


def test_bars_begin_at_zero(quiet: Page, site: str) -> None:
    """A bar from the lowest to the highest mean showed .85 and .58 as everything and next to nothing."""
    # The first visit computes the course.
    quiet.goto(f"{site}/learn/dose", timeout=120_000)
    quiet.locator("#on-day").wait_for(state="visible")
    course = quiet.request.get(f"{site}/api/learn/course.json").json()
    for arm, day in ((0, 0), (0, 155), (3, 155), (len(course["arms"]) - 1, 90)):
        quiet.locator("#on-day").fill(str(day))
        quiet.locator("#arm").select_option(index=arm)
        for state in ("P", "N", "H"):
            drawn = float(quiet.locator(f".across .level[data-state={state}]").get_attribute("width") or 0)
            value, top = course["mean"][state][arm][day], max(1.0, course["high"][state])
            assert abs(drawn - long_of(quiet, state) * value / top) < 0.06
    # Craving and control may fall below zero, and then are a dot and a tick, no bar.
    below = [state for state in ("z", "K") if course["low"][state] < 0]
    for state in below:
        assert quiet.locator(f".across .level[data-state={state}]").get_attribute("width") == "7"
    assert below, "neither falls below zero, so nothing was tried"
    assert quiet.locator(".across .zero").count() == len(below)


def long_of(page: Page, state: str) -> float:
    """The full length of a bar."""
    return float(page.locator(f".across .level[data-state={state}]").get_attribute("data-width") or 0)


def test_a_planner_form_comes_back(quiet: Page, site: str) -> None:
    """Who goes back or reloads must not type everything again; an empty form says what it needs."""
    quiet.goto(f"{site}/planner")
    quiet.locator("#age").fill("45")
    quiet.locator("#hypertension").check()
    quiet.reload()
    expect(quiet.locator("#age")).to_have_value("45")
    expect(quiet.locator("#hypertension")).to_be_checked()
    quiet.locator("form.plan button[type=submit]").click()
    expect(quiet.locator("#weight-fault")).to_contain_text("This is needed")
    expect(quiet.locator("#age")).to_have_value("45")
    quiet.go_back()
    expect(quiet.locator("#age")).to_have_value("45")


def test_the_chain_plays_and_pauses(quiet: Page, site: str) -> None:
    """What moves must be stoppable."""
    quiet.goto(f"{site}/learn/dose")
    quiet.locator("#play").click()
    expect(quiet.locator("#day-out")).not_to_have_text("0")
    quiet.locator("#play").click()
    day = quiet.locator("#on-day").input_value()
    quiet.wait_for_timeout(200)
    assert quiet.locator("#on-day").input_value() == day


def test_less_motion_is_respected(quiet: Page, site: str) -> None:
    """A reader whom motion makes ill gets the end at once."""
    quiet.emulate_media(reduced_motion="reduce")
    quiet.goto(f"{site}/learn/dose")
    quiet.locator("#play").click()
    expect(quiet.locator("#on-day")).to_have_value("179")


def test_evidence_is_filtered_in_place(quiet: Page, site: str) -> None:
    """A filter changes the table and the address without a new page."""
    quiet.goto(f"{site}/evidence")
    quiet.evaluate("window.stayed = true")
    everything = quiet.locator("#found [role=status]").inner_text()
    quiet.select_option("#substance", "cocaine")
    expect(quiet.locator("#found [role=status]")).not_to_have_text(everything)
    expect(quiet).to_have_url(re.compile("substance=cocaine"))
    assert quiet.evaluate("window.stayed") is True
    assert quiet.locator("#studies tbody tr").first.inner_text()


def test_journey_by_keyboard_alone(quiet: Page, site: str) -> None:
    """From the first page to a ticked question with Tab, Enter and Space."""
    quiet.goto(f"{site}/journey")
    quiet.keyboard.press("Tab")
    assert quiet.evaluate("document.activeElement.textContent") == "Skip to the content"
    quiet.keyboard.press("Enter")
    for _ in range(12):
        quiet.keyboard.press("Tab")
        if quiet.evaluate("document.activeElement.textContent") == "Opioids":
            break
    quiet.keyboard.press("Enter")
    quiet.wait_for_url("**/journey/opioid")
    # One step at a time: the goals stand on the second.
    quiet.locator("#step-safety .turn a").focus()
    quiet.keyboard.press("Enter")
    expect(quiet.locator("#goal")).to_be_focused()
    goal = quiet.locator("input[name=goal]").first
    goal.focus()
    quiet.keyboard.press("Space")
    expect(quiet.locator(".goal-text:visible")).to_have_count(1)
    quiet.locator(".thread a[href='#step-ask']").focus()
    quiet.keyboard.press("Enter")
    # The page hears of it after the key; then it shows the step and moves the focus to its heading.
    expect(quiet.locator("#step-ask h2").first).to_be_focused()
    box = quiet.locator("#questions ~ label input").first
    box.focus()
    quiet.keyboard.press("Space")
    assert box.is_checked()


def test_what_is_chosen_on_a_patient_page_goes_nowhere(quiet: Page, site: str) -> None:
    """No request, no storage, no change of the address."""
    quiet.goto(f"{site}/journey/alcohol")
    quiet.wait_for_load_state("networkidle")
    asked: list[str] = []
    # At each step the browser draws the mark of the tab again, which it has.
    quiet.on("request", lambda request: asked.append(request.url) if "mark.svg" not in request.url else None)
    for step, fields in (("want", "input[type=radio]"), ("ask", "input[type=radio], input[type=checkbox]")):
        quiet.locator(f".thread a[href='#step-{step}']").click()
        expect(quiet.locator(f"#step-{step} h2").first).to_be_focused()
        for field in quiet.locator(f"#step-{step}").locator(fields).all()[:12]:
            field.check()
    quiet.locator("#own").fill("my own words")
    quiet.locator(".thread a[href='#step-cost']").click()
    expect(quiet.locator("#step-cost h2").first).to_be_focused()
    for name, typed in (("price", "4"), ("many", "3,5"), ("days", "5")):
        quiet.locator(f"#use-{name}").fill(typed)
    assert "70 a week" in quiet.locator("#use-says").inner_text()
    quiet.locator("#use-days").fill("every day")
    assert "number" in quiet.locator("#use-days-fault").inner_text()
    assert quiet.locator("#use-days").input_value() == "every day"
    assert quiet.locator("#use-says").inner_text() == ""
    assert asked == []
    # The address says which step is shown, and nothing that was chosen or typed.
    assert quiet.url == f"{site}/journey/alcohol#step-cost"
    assert quiet.evaluate("localStorage.length + sessionStorage.length") == 0


def test_icons_are_counted_people(quiet: Page, site: str) -> None:
    """Filled circles must be as many as the number beside them."""
    quiet.goto(f"{site}/journey/nicotine#step-options")
    assert quiet.locator(".people:not(.unseen)").count() >= 7
    for figure in quiet.locator(".people:not(.unseen)").all():
        count = int(figure.locator("strong").inner_text())
        assert figure.locator("circle.yes").count() == count
        assert figure.locator("circle").count() == 100


# The longest page on the shorter sheet, and the other sheet once.
SHORTEST_PAPER = (("/es/journey/alcohol", "Letter"), ("/journey/nicotine", "A4"))


@pytest.mark.parametrize(
    ("address", "paper"),
    [
        pytest.param(address, paper, marks=[] if (address, paper) in SHORTEST_PAPER else [pytest.mark.thorough])
        for address in ("/journey/alcohol", "/journey/nicotine", "/es/journey/alcohol")
        for paper in ("A4", "Letter")
    ],
)
def test_a_journey_prints_on_two_pages(quiet: Page, site: str, address: str, paper: str) -> None:
    """Options, warnings, marks and questions fit on one sheet, back and front, or nobody brings it."""
    quiet.goto(f"{site}{address}#step-want")
    quiet.locator("input[name=goal]").first.check()
    printed = quiet.pdf(format=paper)
    assert len(re.findall(rb"/Type\s*/Page[^s]", printed)) == 2


def test_a_printed_journey_is_a_document(quiet: Page, site: str, tmp_path: Path) -> None:
    """It goes to the clinic on paper."""
    quiet.goto(f"{site}/journey/cocaine")
    quiet.emulate_media(media="print")
    assert quiet.locator(".top nav:visible").count() == 0
    assert quiet.pdf(path=tmp_path / "journey.pdf", format="A4").startswith(b"%PDF")


@pytest.mark.parametrize("address", PAGES[:-1])
def test_pages_read_without_scripts(browser: Browser, site: str, address: str) -> None:
    """Scripts only add: the text, the charts and the tables are there without."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site + address)
    assert page.locator("h1").count() == 1
    assert len(page.locator("main").inner_text()) > 200
    if "/learn" in address:
        assert page.locator("figure svg").count() >= 1
        assert not page.locator("#unfold").is_visible()
    if "/journey/" in address:
        assert page.locator(".goal-text").first.is_visible()
        assert all(step.is_visible() for step in page.locator("[data-step]").all())
    context.close()


def test_a_trial_page_goes_on_by_itself(quiet: Page, site: str) -> None:
    """The reader sees progress and then the report, without loading the page again."""
    quiet.goto(f"{site}/trial/kare")
    quiet.locator("h3#results").wait_for(timeout=60_000)
    assert quiet.locator("figure").count() >= 5
    found = Axe().run(quiet)
    assert found.violations_count == 0, found.generate_report()


def test_a_search_for_care_survives_the_back_button(quiet: Page, site: str) -> None:
    """Who looks at a place's page and comes back must not begin again from nothing."""
    quiet.goto(f"{site}/clinics")
    quiet.locator("#place").fill("94025")
    quiet.get_by_role("button", name="Find places").click()
    expect(quiet.locator("main")).to_contain_text("about")
    quiet.goto(f"{site}/clinics/check")
    quiet.go_back()
    expect(quiet.locator("#place")).to_be_visible()
    assert "94025" not in quiet.url


def test_a_search_for_care_works_without_a_connection(quiet: Page, site: str) -> None:
    """Once the lists are on the device a second search needs nobody."""
    quiet.goto(f"{site}/clinics")
    quiet.locator("#place").fill("94025")
    quiet.get_by_role("button", name="Find places").click()
    expect(quiet.locator("main")).to_contain_text("about")
    refuse: Any = lambda route: route.abort()  # noqa: E731 - a handler of one expression
    quiet.context.route("**/*", refuse)
    quiet.locator("#place").fill("99950")
    quiet.get_by_role("button", name="Find places").click()
    expect(quiet.locator("main")).to_contain_text("rough")


def test_a_file_that_is_too_large_is_refused_where_it_was_chosen(quiet: Page, site: str, tmp_path: Path) -> None:
    """50 MB end with a sentence at the field, in the real browser, and the page is still there."""
    large = tmp_path / "large.csv"
    with large.open("wb") as stream:
        stream.truncate(51_000_000)
    quiet.goto(f"{site}/clinics/load")
    quiet.locator("input[type=file]").set_input_files(large)
    quiet.locator("main form button").first.click()
    expect(quiet.locator("main .error, main [role=alert]").first).to_be_visible(timeout=30_000)
    expect(quiet.locator("input[type=file]")).to_be_visible()


def test_a_lost_connection_loses_nothing(page: Page, site: str) -> None:
    """A page that was read stays readable and usable when the server is gone."""
    # The browser itself may write a refused request on the console at any moment: scripts must not fail.
    failures: list[str] = []
    page.on("pageerror", lambda failure: failures.append(str(failure)))
    page.goto(f"{site}/learn/craving")
    page.locator("#on-day").wait_for(state="visible")
    refuse: Any = lambda route: route.abort()  # noqa: E731 - a handler of one expression
    page.context.route("**/*", refuse)
    page.locator("#on-day").fill("30")
    assert "day 30" in page.locator("#reading").inner_text()
    assert failures == []


@pytest.mark.parametrize("width", [390, 768])
@pytest.mark.parametrize("address", ["/evidence/grabski_2022_kare", "/validation", "/planner", "/learn/receptor"])
def test_a_table_fits_a_phone_and_a_tablet(page: Page, site: str, address: str, width: int) -> None:
    """Columns beyond the edge are not seen: rows become lists, each cell with its head."""
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(site + address, timeout=240_000)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    page.wait_for_timeout(200)
    wide = """all => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map((one) => one.ariaLabel)"""
    assert page.locator(".scroll:has(> table)").evaluate_all(wide) == []
    if address.startswith("/evidence"):
        cell = page.locator("table.stacked td[data-label]").first
        assert cell.evaluate("one => getComputedStyle(one, '::before').content") != "none"
    page.set_viewport_size({"width": 1440, "height": 800})
    expect(page.locator("table.stacked")).to_have_count(0)
