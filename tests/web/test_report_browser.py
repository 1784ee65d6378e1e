"""The report in a real browser: every width, light and dark, by keyboard, without a violation."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from remission.library.protocols import load_protocol
from remission.report.write import write_report
from remission.trial.simulate import simulate_trial

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def addresses(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Reports of a trial with four arms and of one without drug."""
    found = {}
    for name in ("kare", "cold-turkey-opioid"):
        folder = tmp_path_factory.mktemp(name)
        protocol = load_protocol(name)
        protocol = protocol.replace(population=protocol.population.replace(n_subjects=40))
        result = simulate_trial(protocol, n_replicates=4, seed=4)
        write_report(result, folder, command="remission run", versions={"remission": "0"})
        found[name] = (folder / "report.html").as_uri()
    return found


@pytest.fixture(params=["kare", pytest.param("cold-turkey-opioid", marks=pytest.mark.thorough)])
def report(request: pytest.FixtureRequest, page: Page, addresses: dict[str, str]) -> Iterator[Page]:
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(addresses[request.param])
    yield page
    assert messages == []


@pytest.mark.parametrize(
    ("width", "scheme"),
    [
        pytest.param(width, scheme, marks=[] if (width, scheme) == (360, "dark") else [pytest.mark.thorough])
        for width in (1440, 768, 360)
        for scheme in ("light", "dark")
    ],
)
def test_no_violation_and_no_sideways_scroll(report: Page, width: int, scheme: str) -> None:
    """Contrast, names, order and landmarks by axe; the page never scrolls sideways, wide tables do so in a frame."""
    report.set_viewport_size({"width": width, "height": 900})
    report.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert report.evaluate("document.documentElement.scrollWidth") == width
    report.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    assert report.evaluate("document.documentElement.scrollWidth") == width
    found = Axe().run(report)
    assert found.violations_count == 0, found.generate_report()


def test_every_chart_opens_as_a_table_by_keyboard(report: Page) -> None:
    """A reader without sight or mouse gets the same numbers."""
    summaries = report.locator("figure details summary")
    count = summaries.count()
    assert count >= 4
    for index in range(count):
        summaries.nth(index).focus()
        report.keyboard.press("Enter")
    assert report.locator("figure details[open]").count() == count
    assert report.locator("figure details table tbody tr").count() > 4 * count


def test_each_picture_has_words(report: Page) -> None:
    """Each drawing names its finding, as its heading does."""
    for index in range(report.locator("figure").count()):
        figure = report.locator("figure").nth(index)
        assert figure.locator("svg").get_attribute("aria-label") == figure.locator("h3").inner_text()
        assert "What it cannot show." in figure.inner_text()


def test_the_printed_report_is_a_document(report: Page, tmp_path: Path) -> None:
    """Printed for a meeting it must fit pages and drop what cannot be clicked."""
    report.emulate_media(media="print")
    assert not report.locator("nav").is_visible()
    pdf = report.pdf(path=tmp_path / "report.pdf", format="A4")
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 50_000
