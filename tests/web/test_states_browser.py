"""Pages in states that a link does not reach, each as it is zoomed, printed, read in the dark or on a small phone."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from site_pages import PAGES

pytestmark = pytest.mark.browser
MODES = {"zoomed": (720, "light", "screen"), "phone": (320, "dark", "screen"), "printed": (720, "light", "print")}
"""Width, scheme and medium; 720 is a screen of 1440 at 200%."""
PLAN = "weight=82&age=45&dose=0.5+mg%2Fkg&minutes=40&people=20"
TABLE = "Patient;Visit;Drinks\n" + "".join(f"A{n};{day:02d}.03.2026;{n}\n" for n in (1, 2) for day in range(1, 15))


def check_modes(page: Page) -> None:
    """No violation in any mode with everything opened, and nothing that scrolls sideways."""
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    for name, (width, scheme, medium) in MODES.items():
        page.set_viewport_size({"width": width, "height": 450})
        page.emulate_media(
            color_scheme="dark" if scheme == "dark" else "light", media="print" if medium == "print" else "screen"
        )
        found = Axe().run(page)
        assert found.violations_count == 0, f"{name}: {found.generate_report()}"
        if medium == "screen":
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name


def at(address: str) -> Callable[[Page, str, Path], None]:
    def go(page: Page, site: str, _: Path) -> None:
        page.goto(site + address, timeout=240_000)

    return go


def empty_plan(page: Page, site: str, _: Path) -> None:
    page.goto(f"{site}/planner")
    page.locator("form.plan button[type=submit]").click()
    expect(page.locator(".error-summary")).to_be_visible()


def columns(page: Page, site: str, folder: Path) -> None:
    path = folder / "days.csv"
    path.write_text(TABLE, encoding="utf-8")
    page.goto(f"{site}/planner/clinic")
    page.locator("#file").set_input_files(path)
    page.get_by_role("button", name="Show its columns").click()
    expect(page.locator("#preview")).to_be_visible()


def own_page(page: Page, site: str, folder: Path) -> None:
    columns(page, site, folder)
    for name, chosen in (("person", "Patient"), ("when", "Visit"), ("amount", "Drinks"), ("when_is", "day.month.year")):
        page.locator(f"#m_{name}").select_option(chosen)
    for name, typed in (("one_substance", "alcohol"), ("amount_unit", "standard drinks")):
        page.locator(f"#m_{name}").fill(typed)
    page.get_by_role("button", name="Make the page").click()
    expect(page.locator("section[aria-labelledby=page] figure").first).to_be_visible(timeout=60_000)


def wrong_columns(page: Page, site: str, folder: Path) -> None:
    columns(page, site, folder)
    page.get_by_role("button", name="Make the page").click()
    expect(page.locator(".error-summary")).to_be_visible()
    # What was chosen, and the file, are still there.
    expect(page.locator("#m_person")).to_be_visible()


def no_table(page: Page, site: str, folder: Path) -> None:
    path = folder / "days.csv"
    path.write_bytes(bytes(range(256)) * 20)
    page.goto(f"{site}/planner/clinic")
    page.locator("#file").set_input_files(path)
    page.get_by_role("button", name="Show its columns").click()
    expect(page.locator(".error-summary")).to_be_visible()


def begun_diary(page: Page, site: str, _: Path) -> None:
    page.goto(f"{site}/diary")
    page.locator("#grid button[aria-current=date]").click()
    page.locator("#amount").fill("three or four")
    expect(page.locator("#amount-fault")).to_contain_text("three or four")


def erased_diary(page: Page, site: str, folder: Path) -> None:
    begun_diary(page, site, folder)
    page.locator("#erase").click()
    page.locator("#erase").click()
    expect(page.locator("#amount-fault")).to_be_empty()


def damaged_diary(page: Page, site: str, folder: Path) -> None:
    path = folder / "my-days.csv"
    path.write_text('who,what,when,use,amount,craving,mood\nme,alcohol,2026-13-45,1,"3\n\x00', encoding="utf-8")
    begun_diary(page, site, folder)
    page.locator("#open").set_input_files(path)
    expect(page.locator("#told .error")).to_be_visible()
    # What was typed before is still there.
    assert page.locator("#amount").input_value() == "three or four"


STATES: dict[str, Callable[[Page, str, Path], None]] = {
    "no field filled": empty_plan,
    "each field wrong": at(
        "/planner?weight=eighty&age=12&height=2&dose=a+lot&minutes=-4&compare=nothing&systolic=9&vial=x"
    ),
    "two regimens beside one": at(f"/planner?{PLAN}&compare=kare&compare=0.4mg%2Fkg%2F60min"),
    "a cost that is no number": at("/planner/clinic?sessions=three&drug=-2&nurse_hours=1e400"),
    "columns to choose": columns,
    "columns chosen wrong": wrong_columns,
    "a clinic's page": own_page,
    "a file that is no table": no_table,
    "an amount in words": begun_diary,
    "an erased diary": erased_diary,
    "a damaged diary": damaged_diary,
    "a filter that is not known": at("/evidence?substance=alcohl&design=nothing"),
    "a place that is not known": at("/es/clinics?place=zzzz&radius=9999"),
    "a country without numbers": at("/es/safety?country=XX"),
    "a page that is not there": at("/es/nada"),
    "a world that is not there": at("/es/world/99"),
}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[] if name in {"columns chosen wrong", "a damaged diary"} else [pytest.mark.thorough])
        for name in STATES
    ],
)
def test_a_state_in_every_mode(page: Page, site: str, tmp_path: Path, name: str) -> None:
    """Faults and results are read by the people who zoom, too; each is checked where it happened."""
    STATES[name](page, site, tmp_path)
    check_modes(page)


@pytest.mark.thorough
@pytest.mark.parametrize("address", PAGES)
def test_a_page_in_every_mode(page: Page, site: str, address: str) -> None:
    """At 200%, on 320 pixels in the dark, and as it is printed."""
    page.goto(site + address, timeout=240_000)
    check_modes(page)


@pytest.mark.thorough
@pytest.mark.parametrize("address", PAGES)
def test_a_page_without_scripts(browser: Browser, site: str, address: str) -> None:
    """Whoever has no scripts gets every heading and every word, and no button that does nothing."""
    with browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 800}) as context:
        page = context.new_page()
        page.goto(site + address, timeout=240_000)
        assert page.locator("h1").count() == 1
        assert page.locator("main").inner_text().strip()
        for button in page.locator("main button:visible").all():
            assert button.evaluate("one => one.type === 'submit' && Boolean(one.form)"), button.inner_text()
