"""First page and story in a real browser: worlds and links change in place, days are read by keys."""

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from remission.web.pages.home import page_of_world

pytestmark = pytest.mark.browser
ROWS = "DayField.rowsOf(document.querySelectorAll('.fod')[{}])"


def rows_of(page: Page, place: int) -> np.ndarray:
    """The days of a field as the script reads them from the drawing: 0 without use, 1 with use, 2 not known."""
    rows: list[str] = page.evaluate(ROWS.format(place))
    return np.array([["fun".index(letter) for letter in row] for row in rows])


def test_another_world_is_drawn_in_place(page: Page, site: str) -> None:
    """The button must bring the people of the next world and the number that belongs to them, without a new page."""
    page.goto(site)
    page.evaluate("window.stayed = true")
    for place in range(4):
        assert (rows_of(page, place) == page_of_world(1).people.states(place)).all()
    page.locator("#on-day").fill("20")
    again = page.locator("#again")
    again.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#which")).to_have_text(page_of_world(2).world)
    assert page.evaluate("window.stayed") is True
    assert page.url.endswith("/world/2#days")
    states = page_of_world(2).people.states(3)
    assert (rows_of(page, 3) == states).all()
    # The chosen day stays, and its count is of the new people.
    count = page.locator(".fod-count").nth(3).inner_text()
    assert count.startswith(f"{(states[:, 20] == 0).sum()} of 100")
    assert count.endswith("day 20")
    assert page.evaluate("document.activeElement.id") == "again"


def test_a_day_is_read_by_keys(page: Page, site: str) -> None:
    """Whoever uses no mouse must be able to read any day of any person."""
    page.goto(site)
    page.locator(".fod").nth(0).focus()
    for key in ("Home", "End", "ArrowLeft", "ArrowDown", "PageDown"):
        page.keyboard.press(key)
    state = page_of_world(1).people.states(0)[11, 178]
    said = page.locator(".fod-read").inner_text()
    assert said == f"Person 12, day 178: {('without use', 'with use', 'not known')[state]}."


def test_a_closed_link_redraws_the_days(page: Page, site: str) -> None:
    """A switch changes the drawing, the days and the range together."""
    page.goto(f"{site}/learn")
    before, said = rows_of(page, 1), page.locator("#said").inner_text()
    page.locator("#switch-control").click()
    expect(page.locator("#said")).not_to_have_text(said)
    expect(page.locator(".links .control.shut")).to_have_count(1)
    assert (rows_of(page, 1) != before).any()
    page.locator("#switch-control").click()
    expect(page.locator("#said")).to_have_text(said)
    assert (rows_of(page, 1) == before).all()


def test_home_and_story_are_whole_without_scripts(browser: Browser, site: str) -> None:
    """A reader without scripts gets the next world and a closed link by addresses."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(site)
    page.locator("#again").click()
    expect(page.locator("#which")).to_have_text(page_of_world(2).world)
    expect(page.locator("#on-day")).to_be_hidden()
    page.goto(f"{site}/learn")
    page.locator("#switch-habit").click()
    expect(page.locator(".links .habit.shut")).to_have_count(1)
    context.close()


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_the_answer_is_the_largest_thing_said(page: Page, site: str, width: int) -> None:
    """A reader who looks for five seconds takes away what is written largest."""
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(site)
    sizes, colors = (
        page.evaluate(f"Object.fromEntries(['h1', '.answer', '.lead', '.ask'].map(n => [n, {found}]))")
        for found in (
            "parseFloat(getComputedStyle(document.querySelector('.first ' + n)).fontSize)",
            "getComputedStyle(document.querySelector('.first ' + n)).color",
        )
    )
    assert sizes[".answer"] > 1.05 * max(sizes[name] for name in ("h1", ".lead", ".ask"))
    assert colors[".answer"] == colors[".lead"], "not as quiet as the question before it"
    assert colors[".answer"] != colors[".ask"]
