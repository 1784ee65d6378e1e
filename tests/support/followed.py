"""A link pressed in a browser, and the page behind it awaited."""

from playwright.sync_api import Locator, Page


def follow(page: Page, link: Locator, *, timeout_ms: float = 60_000) -> None:
    """Press a link that leads to another address, and wait until the page there has loaded.

    A press alone ends before the other page is there, so that what is read next may still be of this one. A place on
    the same page is no other address.
    """
    before = page.url.partition("#")[0]
    link.click(no_wait_after=True)
    page.wait_for_url(lambda url: url.partition("#")[0] != before, timeout=timeout_ms)
