"""A link pressed in a browser, and the page behind it awaited."""

from playwright.sync_api import Locator, Page


def follow(page: Page, link: Locator, *, timeout_ms: float = 60_000) -> None:
    """Press a link that leads to another page, and wait until that page has loaded.

    A press alone ends before the other page is there, so that what is read next may still be of this one.
    """
    with page.expect_navigation(timeout=timeout_ms):
        link.click(no_wait_after=True)
