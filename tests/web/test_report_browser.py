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
        title = figure.locator("h2, h3").inner_text()
        assert {svg.get_attribute("aria-label") for svg in figure.locator(".panel svg[role=img]").all()} == {title}
        assert "What it cannot show." in figure.inner_text()


def test_values_are_read_by_pointer_and_keys_and_saved_from_the_file_alone(report: Page, tmp_path: Path) -> None:
    """The report has no server behind it: its own script reads the figure and writes picture and table."""
    figure = report.locator("figure[id^=chart-]").last
    reading, panel = figure.locator(".figure-reading"), figure.locator(".panel")
    at_rest = reading.inner_text()
    panel.focus()
    report.keyboard.press("ArrowDown")
    first = [cell.text_content() for cell in figure.locator("details table tbody tr").first.locator("th, td").all()]
    assert all((cell or "").strip() in reading.inner_text() for cell in first)
    days = report.locator("#chart-abstinence .chart-wide svg")
    days.scroll_into_view_if_needed()
    days.hover()
    assert "day" in report.locator("#chart-abstinence .figure-reading").inner_text()
    assert report.locator("#chart-abstinence .figure-reading").inner_text() != at_rest
    for name, kind in (("Save as SVG", "<svg"), ("Save table as CSV", '"')):
        with report.expect_download() as waiting:
            figure.get_by_role("button", name=name).click()
        saved = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(saved)
        assert saved.read_text("utf-8").startswith(kind)
    report.locator(".fod").first.focus()
    report.keyboard.press("End")
    assert report.locator(".fod-read").inner_text().startswith("Person 1, day ")


def test_the_report_opens_with_its_picture(report: Page) -> None:
    """Words and a picture are seen before anything is scrolled; the long table is folded."""
    report.set_viewport_size({"width": 1440, "height": 900})
    frame = report.locator(".fod").first.bounding_box()
    assert frame is not None
    assert frame["y"] + frame["height"] <= 900
    assert not report.locator(".rest tbody tr").first.is_visible()


def test_the_printed_report_is_a_document(report: Page, tmp_path: Path) -> None:
    """Printed for a meeting it must fit pages and drop what cannot be clicked."""
    report.emulate_media(media="print")
    assert not report.locator("nav").is_visible()
    pdf = report.pdf(path=tmp_path / "report.pdf", format="A4")
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 50_000
