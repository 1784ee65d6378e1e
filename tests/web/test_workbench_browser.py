"""The workbench in a real browser: an example by keys to a report, over a killed server, and two tabs on one draft."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

pytest.importorskip("sqlalchemy")
pytestmark = [pytest.mark.browser, pytest.mark.slow]

LONG_MS = 400_000


class Server:
    """A server with a workbench, which can be killed and started again on the same folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.start()

    def start(self) -> None:
        words = [sys.executable, "-m", "remission", "serve", "--port", "0", "--workbench", str(self.folder)]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        self.process.stdout.readline()
        found = re.search(r"http\S+", self.process.stdout.readline())
        assert found
        self.entry = found[0]
        self.address = self.entry.partition("/workbench")[0]

    def kill(self) -> None:
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    one = Server(tmp_path_factory.mktemp("desk") / "bench")
    yield one
    one.kill()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport={"width": 1440, "height": 900}) as one:
        one.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        yield one


def until(is_so: Callable[[], object], longest_s: float = 400.0) -> None:
    end = time.monotonic() + longest_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def check(page: Page) -> None:
    """No violation, with everything opened, and nothing that scrolls sideways on a phone."""
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    page.set_viewport_size({"width": 1440, "height": 900})


def begin(page: Page, server: Server, example: str = "template") -> None:
    page.goto(server.entry)
    page.locator(f"button[value={example}]").click()
    expect(page.locator("#sentence")).to_be_visible()


def test_an_example_by_keys_over_a_killed_server_to_a_report(context: BrowserContext, server: Server) -> None:
    """What a statistician does in an afternoon, with the server killed in the middle."""
    page = context.new_page()
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    begin(page, server)
    check(page)
    people = page.locator("#p-population-n_subjects")
    people.fill("24")
    people.press("Tab")
    expect(page.locator("#text")).to_have_value(re.compile("n_subjects: 24"))
    second = page.locator("svg.schedule.wide .inf").nth(1)
    second.focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator("#text")).to_have_value(re.compile("mode: 8"))
    assert page.evaluate("document.activeElement.getAttribute('aria-valuetext')") == "day 8"
    page.locator("#step-analysis").evaluate("one => { one.open = true; }")
    for name, value in (("replicates", "20000"), ("mcse", "0.0005")):
        page.locator(f"#o-{name}").fill(value)
        page.locator(f"#o-{name}").press("Tab")
        expect(page.locator("#command")).to_contain_text(f"--{name} {value}")
    page.locator("h2").first.click()
    page.keyboard.press("r")
    expect(page.locator("#results .small-chart").first).to_be_visible(timeout=LONG_MS)
    check(page)
    page.keyboard.press("c")
    resume = page.locator("[data-act=resume]")
    expect(resume).to_be_visible()
    resume.click()
    # Killed at work: the next server goes on by itself, and has another address and token.
    journal = next(server.folder.glob("jobs/*")) / "report.unfinished" / "journal.jsonl"
    until(lambda: journal.is_file() and journal.stat().st_size > 0)
    draft = page.url.partition("?")[2]
    server.kill()
    server.start()
    page.goto(server.entry)
    page.goto(f"{server.address}/design?{draft}")
    expect(page.locator("[data-act=cancel]")).to_be_visible(timeout=LONG_MS)
    page.locator("[data-act=cancel]").click()
    # A shorter one, to its end; then another, and both beside each other.
    for n in ("24", "28"):
        people.fill(n)
        people.press("Tab")
        page.locator("#step-analysis").evaluate("one => { one.open = true; }")
        page.locator("#o-replicates").fill("12")
        page.locator("#o-replicates").press("Tab")
        expect(page.locator("#command")).to_contain_text("--replicates 12 ")
        expect(page.locator("#text")).to_have_value(re.compile(f"n_subjects: {n}"))
        page.locator("#run").click()
        expect(page.locator("#results .verdictline")).to_contain_text(f"{n} people", timeout=LONG_MS)
    page.locator("#beside").select_option(index=2)
    page.locator("#results .sizes button").last.evaluate("one => one.form")
    page.locator("form:has(#beside) button").click()
    expect(page.locator("#results")).to_contain_text("Two designs: A this one, B job")
    check(page)
    page.get_by_role("link", name="Report").click()
    expect(page.locator("h1")).to_contain_text("Ketamine or saline")
    assert [text for text in messages if "ERR_CONNECTION" not in text and "sandbox" not in text] == []


def test_two_tabs_and_no_scripts(context: BrowserContext, browser: Browser, server: Server) -> None:
    """The second tab keeps what the first changed; without scripts every box has a button that does the same."""
    page = context.new_page()
    begin(page, server)
    other = context.new_page()
    other.goto(page.url)
    page.locator("#p-population-n_subjects").fill("60")
    page.locator("#p-population-n_subjects").press("Tab")
    expect(page.locator("#text")).to_have_value(re.compile("n_subjects: 60"))
    other.locator("#p-population-clean_days").fill("9")
    other.locator("#p-population-clean_days").press("Tab")
    expect(other.get_by_text("Open what you typed")).to_be_visible()
    other.get_by_text("Open what you typed").click()
    expect(other.locator("#text")).to_have_value(re.compile("clean_days: 9"))
    plain = browser.new_context(java_script_enabled=False)
    bare = plain.new_page()
    bare.goto(server.entry)
    bare.goto(page.url)
    bare.locator("#p-population-n_subjects").fill("none")
    bare.locator("#p-population-n_subjects").press("Enter")
    expect(bare.locator("#p-population-n_subjects-fault")).to_contain_text("a whole number")
    expect(bare.locator("#p-population-n_subjects")).to_have_value("none")
    expect(bare.locator("#text")).to_have_value(re.compile("n_subjects: none"))
    plain.close()


def test_who_types_faster_than_the_server_answers_loses_nothing(context: BrowserContext, server: Server) -> None:
    """Boxes, a choice and the table of worlds, all changed while the first is still on its way."""
    page = context.new_page()
    begin(page, server)

    def slowly(route: Route) -> None:
        time.sleep(0.4)
        route.continue_()

    page.route("**/design", slowly)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    page.locator("[name='o:vary']").fill("n=60,96")
    page.locator("[name='o:power']").fill("0.8")
    page.locator("#worlds").fill("scenarios: typed")
    page.locator("#same_days").uncheck()
    page.locator("[name='o:seed']").fill("7")
    page.keyboard.press("Tab")
    expect(page.locator("#command")).to_contain_text("--seed 7")
    for words in ("--vary n=60,96", "--power 0.8"):
        expect(page.locator("#command")).to_contain_text(words)
    assert not page.locator("#same_days").is_checked()
    assert page.locator("#worlds").input_value() == "scenarios: typed"
    page.close()


def test_a_file_of_ones_own(context: BrowserContext, server: Server, tmp_path: Path) -> None:
    """A table in, a plan by boxes with its preview, numbers out."""
    table = tmp_path / "trial.csv"
    rows = [f"p{n},{('new', 'old')[n % 2]},{20 + n % 7 + 3 * (n % 2)}" for n in range(24)]
    table.write_text("\n".join(["id,group,drinks", *rows]), "utf-8")
    page = context.new_page()
    page.goto(server.entry)
    page.goto(f"{server.address}/analyze")
    check(page)
    page.locator("#file").set_input_files(table)
    page.get_by_role("button", name="Read it").click()
    expect(page.locator("#said")).to_contain_text("24 people")
    check(page)
    page.get_by_role("button", name="Analyze", exact=True).click()
    expect(page.locator(".verdictline")).to_be_visible(timeout=LONG_MS)
    check(page)
    assert "trial.csv" not in page.locator("dl").inner_text()
