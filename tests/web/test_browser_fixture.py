"""The browser fixture itself: a guard that guards nothing would pass every page."""

import pytest
from playwright.sync_api import Error, Page

pytestmark = pytest.mark.browser


def test_a_local_page_is_drawn(page: Page) -> None:
    """If the browser cannot show plain text, no other browser test means anything."""
    page.set_content("<h1>remission</h1>")
    assert page.locator("h1").inner_text() == "remission"


def test_other_machines_cannot_be_reached(page: Page, page_faults: list[str]) -> None:
    """A page that needs the network fails at a reader who is offline; the address is reserved for examples."""
    with pytest.raises(Error):
        page.goto("http://example.invalid/")
    assert page_faults == ["the page asked for http://example.invalid/"]
    page_faults.clear()


def test_errors_of_a_page_are_noticed(page: Page, page_faults: list[str]) -> None:
    """A script that fails leaves a page that looks finished."""
    page.set_content("<script>undefined_name()</script>")
    assert len(page_faults) == 1
    page_faults.clear()
