"""The design report in a real browser: wide and narrow, dark, by table, printed."""

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from remission.cli.app import run_app

pytestmark = pytest.mark.browser


def test_the_report_is_whole_in_a_browser(page: Page, tmp_path: Path) -> None:
    """No violation, no sideways scroll, each chart with its sentences and a table, and a document when printed."""
    options = [
        "--vary",
        "n=40,80",
        "--replicates",
        "6",
        "--looks",
        "0.5,1",
        "--assurance",
        "2",
        "--prices",
        "us",
        "--json",
    ]
    assert run_app(["design", "kare", *options, "--report", str(tmp_path / "out")]) == 0
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto((tmp_path / "out" / "report.html").as_uri())
    for width, scheme in ((1440, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        assert page.evaluate("document.documentElement.scrollWidth") == width
        page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    figures = page.locator("figure")
    assert figures.count() >= 8
    for index in range(figures.count()):
        figure = figures.nth(index)
        title = figure.locator("h2, h3").inner_text()
        assert {svg.get_attribute("aria-label") for svg in figure.locator(".panel svg[role=img]").all()} == {title}
        assert "What to see." in figure.inner_text()
        assert "What it cannot show." in figure.inner_text()
        assert figure.locator("details table tbody tr").count() >= 1
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible()
    assert page.pdf(format="A4").startswith(b"%PDF")
    assert messages == []
