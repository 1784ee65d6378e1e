"""The pages for people who use, and for those who love them, in a real browser: a month of diary, help in two taps."""

import datetime as dt
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from followed import follow
from playwright.sync_api import Page, expect

from remission.cli.app import run_app
from remission.exchange.tlfb import read_tlfb
from remission.web.assets import _content as asset_content

pytestmark = pytest.mark.browser

HEAD = "who,what,when,use,amount,craving,mood"


@pytest.fixture
def quiet(page: Page) -> Iterator[Page]:
    """A page whose console stays empty."""
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    assert messages == []
    assert page.context.cookies() == []


def last_month(page: Page) -> str:
    """Go to the month before this one, which has no day ahead; its first day is chosen."""
    page.locator("#earlier").click()
    first = page.locator("#grid button").first
    first.click()
    return str(first.get_attribute("data-day"))


def test_a_month_by_keyboard_comes_back_from_the_import(
    quiet: Page, site: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a person types, a clinic must read: every day, every amount, and nothing where nothing was known."""
    quiet.goto(f"{site}/diary")
    quiet.wait_for_load_state("networkidle")
    asked: list[str] = []
    quiet.on("request", lambda request: asked.append(request.url))
    first = last_month(quiet)
    typed = "400368x2000571xu0100043u000019"
    quiet.keyboard.type(typed)
    # Back to the first day by keyboard: an amount with a comma, a craving and a mood.
    quiet.locator(f"#grid button[data-day='{first}']").focus()
    quiet.keyboard.press("Enter")
    quiet.keyboard.press("Tab")
    assert quiet.evaluate("document.activeElement.id") == "amount"
    quiet.keyboard.press("Control+a")
    quiet.keyboard.type("2,5")
    quiet.locator("#craving").select_option("7")
    quiet.locator("#mood").select_option("3")
    quiet.locator("#what").select_option("nicotine")
    quiet.locator(f"#grid button[data-day='{first}']").focus()
    quiet.keyboard.type("9")
    quiet.locator("#code").fill("P-017")
    with quiet.expect_download() as waiting:
        quiet.locator("#save").press("Enter")
    path = tmp_path / "my-days.csv"
    waiting.value.save_as(path)
    assert asked == []
    assert quiet.evaluate("localStorage.length + sessionStorage.length + history.length") <= 2
    assert quiet.url == f"{site}/diary"

    day_0 = dt.date.fromisoformat(first)
    known = {day: sign for day, sign in enumerate(typed) if sign != "x"}
    use = {day: sign != "0" for day, sign in known.items()}
    amounts = {day: np.nan if sign == "u" else float(sign) for day, sign in known.items()} | {0: 2.5}
    alcohol, nicotine = read_tlfb(path).diaries
    assert alcohol.person == nicotine.person == ("P-017",)
    days = alcohol.study_day.tolist()
    seen, used = (dict(zip(days, row[0].tolist(), strict=True)) for row in (alcohol.assessed, alcohol.used))
    assert {day: used[day] for day in days if seen[day]} == use
    assert alcohol.amount is not None
    for day, amount in amounts.items():
        np.testing.assert_equal(alcohol.amount[0, day - alcohol.first_day], amount)
    assert alcohol.weekday_of_first_day.tolist() == [day_0.weekday()]
    assert nicotine.used.sum() == nicotine.assessed.sum() == 1
    marks = {name: grid[0, -alcohol.first_day] for name, grid in alcohol.scores.items()}
    assert marks == {"craving": 7.0, "mood": 3.0}
    assert run_app(["import", "tlfb", str(path), "--dry-run", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["rows"], told["kept"]) == (len(use) + 1, len(use) + 1)

    # The file opens again, equal: erased, read, and saved with the same bytes.
    quiet.locator("#erase").click()
    quiet.locator("#erase").click()
    assert quiet.locator(".dcell.with, .dcell.without").count() == 0
    quiet.locator("#open").set_input_files(path)
    expect(quiet.locator("#told")).to_contain_text(str(len(use) + 1))
    with quiet.expect_download() as waiting:
        quiet.locator("#save").click()
    again = tmp_path / "again.csv"
    waiting.value.save_as(again)
    assert again.read_bytes() == path.read_bytes()


def test_what_does_not_fit_is_shown_where_it_is_and_loses_nothing(quiet: Page, site: str, tmp_path: Path) -> None:
    """Pasted words, a foreign file, a damaged one, one that says otherwise, a slip on the way out."""
    quiet.goto(f"{site}/diary")
    first = last_month(quiet)
    quiet.keyboard.type("40")
    quiet.locator(f"#grid button[data-day='{first}']").click()
    quiet.locator("#amount").fill("two beers")
    expect(quiet.locator("#amount-fault")).to_contain_text("two beers")
    quiet.locator("#later").click()
    quiet.locator("#earlier").click()
    quiet.locator(f"#grid button[data-day='{first}']").click()
    assert quiet.locator("#amount").input_value() == "two beers"
    assert quiet.locator(f"[data-day='{first}'] b").inner_text() == "4"
    quiet.locator("#amount").fill("4")
    for name, content, says in (
        ("photo.csv", b"\x89PNG\r\n\x1a\n\0\0", "no file of My days"),
        ("other.csv", b"date,drinks\n2026-01-01,3\n", "date,drinks"),
        ("two.csv", f"{HEAD}\na,alcohol,{first},1,1,,\nb,alcohol,{first},1,1,,\n".encode(), "2 people"),
        ("none.csv", f"{HEAD}\n".encode(), "no day"),
    ):
        path = tmp_path / name
        path.write_bytes(content)
        quiet.locator("#open").set_input_files(path)
        expect(quiet.locator("#told .error")).to_contain_text(says)
        assert quiet.locator(".dcell.with").count() == 1
    second = (dt.date.fromisoformat(first) + dt.timedelta(days=9)).isoformat()
    damaged = tmp_path / "damaged.csv"
    damaged.write_text(
        f"{HEAD}\nme,alcohol,{first},1,6,,\nme,alcohol,{second},0,0,2,3\nme,alcohol,2026-13-45,1,2,,\nme,alcohol,2999-01-01,1,2,,\n"
        f"me,alcohol,{second},1,two,,\nme,gold,{second},1,2,,\nme,alcohol,{second},1,2\nme,alcohol,{second},1,2,11,\n",
        encoding="utf-8",
    )  # fmt: skip
    quiet.locator("#open").set_input_files(damaged)
    expect(quiet.locator("#told")).to_contain_text("6 lines cannot be read")
    expect(quiet.locator("#told")).to_contain_text("Line 4")
    quiet.get_by_role("button", name="Take the 2 good lines").click()
    # The first day is 4 here and 6 in the file: nobody decides but the reader.
    expect(quiet.locator("#told")).to_contain_text("here 4 drinks, in the file 6 drinks")
    assert quiet.locator(f"[data-day='{first}'] b").inner_text() == "4"
    quiet.get_by_role("button", name="Keep what is here").click()
    assert quiet.locator(f"[data-day='{first}'] b").inner_text() == "4"
    assert quiet.locator(f"[data-day='{second}'].without").count() == 1
    asked: list[str] = []
    quiet.once("dialog", lambda dialog: asked.append(dialog.type))
    quiet.goto(f"{site}/safety")
    assert asked == ["beforeunload"]
    quiet.go_back()
    assert quiet.locator(".dcell.with, .dcell.without").count() == 0


def test_two_tabs_are_told_of_each_other(quiet: Page, site: str) -> None:
    """Who types in one and saves the other would lose a week without a word."""
    quiet.goto(f"{site}/diary")
    assert quiet.locator("#tabs").is_hidden()
    other = quiet.context.new_page()
    other.goto(f"{site}/diary")
    expect(quiet.locator("#tabs")).to_be_visible()
    expect(other.locator("#tabs")).to_be_visible()


def test_the_diary_works_from_a_folder(quiet: Page, site: str, tmp_path: Path) -> None:
    """Who trusts no server saves the page; it must count and save there too, with the same rules for its contents."""
    text = quiet.request.get(f"{site}/es/diary").text()
    for name in sorted(set(re.findall(r"/static/([\w./-]+)", text))):
        content = asset_content(name)
        assert content is not None
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content[0])
        text = text.replace(f"/static/{name}?{content[1]}", name)
    (tmp_path / "diary.html").write_text(text, encoding="utf-8")
    quiet.goto((tmp_path / "diary.html").as_uri())
    last_month(quiet)
    quiet.keyboard.type("03")
    assert quiet.locator(".dcell.without").count() == 1
    with quiet.expect_download() as waiting:
        quiet.locator("#save").click()
    path = tmp_path / "out.csv"
    shutil.copy(waiting.value.path(), path)
    assert read_tlfb(path).diaries[0].used.sum() == 1


def test_scores_speak_and_pass_the_check_of_every_state(quiet: Page, site: str) -> None:
    """Both lists answered, a fault on the page: words for the score, and still no violation, on a phone in the dark."""
    quiet.set_viewport_size({"width": 320, "height": 800})
    quiet.emulate_media(color_scheme="dark")
    quiet.goto(f"{site}/diary")
    last_month(quiet)
    quiet.keyboard.type("40")
    quiet.locator("#amount").fill("many")
    assert quiet.locator("#withdrawal-flag").is_hidden()
    # Who has not answered yet is not told that it is no disorder.
    assert quiet.locator("#signs-score").inner_text() == "–"
    assert quiet.locator("#signs-levels").is_hidden()
    assert quiet.locator("#signs-open").is_visible()
    for box in quiet.locator("#signs-form input").all():
        box.check()
    assert quiet.locator("#signs-score").inner_text() == "11"
    assert quiet.locator("#signs-levels [data-low='6']").is_visible()
    assert quiet.locator("#withdrawal-flag").is_visible()
    questions = quiet.locator("#audit-form fieldset").all()
    questions[0].locator("input").first.check()
    for question in questions[-2:]:
        question.locator("input").first.check()
    assert quiet.locator("#audit-score").inner_text() == "0"
    for question in questions:
        question.locator("input").last.check()
    assert quiet.locator("#audit-score").inner_text() == "40"
    assert quiet.locator("#audit-levels [data-low='20']").is_visible()
    assert quiet.evaluate("document.documentElement.scrollWidth") <= 320
    found = Axe().run(quiet)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("width", [390, 1440])
def test_a_relative_reaches_a_telephone_in_two_taps(quiet: Page, site: str, width: int) -> None:
    """Somebody does not wake up: from the first page one tap, and the number to press is on the screen."""
    quiet.set_viewport_size({"width": width, "height": 844})
    quiet.goto(site)
    follow(quiet, quiet.locator("header a[href='/family']"))
    number = quiet.locator("a[href='tel:911']").first
    frame = number.bounding_box()
    assert frame is not None
    assert frame["y"] + frame["height"] <= 844
    assert frame["height"] >= 44
    expect(quiet.locator("h1")).to_have_text("Someone you love drinks or uses too much")
    found = Axe().run(quiet)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("address", ["/clinics/check", "/es/clinics/check"])
def test_the_card_to_check_a_clinic_is_one_sheet(quiet: Page, site: str, address: str) -> None:
    """It is taken to a visit or read on the telephone; a second sheet is left at home."""
    quiet.goto(site + address)
    assert len(re.findall(rb"/Type\s*/Page[^s]", quiet.pdf(format="A4"))) == 1
    assert len(re.findall(rb"/Type\s*/Page[^s]", quiet.pdf(format="Letter"))) == 1


@pytest.mark.parametrize(("width", "scheme"), [(390, "dark"), (1440, "light")])
def test_a_journey_goes_step_by_step(quiet: Page, site: str, width: int, scheme: str) -> None:
    """Twenty-eight screens one after the other are read by nobody; Back goes a step back, and every step passes axe."""
    quiet.set_viewport_size({"width": width, "height": 844})
    quiet.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    quiet.goto(f"{site}/journey/alcohol")
    steps = [one.get_attribute("id") for one in quiet.locator("[data-step]").all()]
    for at, step in enumerate(steps):
        # A press on a place of the same page ends before the page has heard of it.
        expect(quiet.locator(f"#{step}")).to_be_visible()
        shown = [one.get_attribute("id") for one in quiet.locator("[data-step]").all() if one.is_visible()]
        assert shown == [step]
        if scheme == "dark":
            found = Axe().run(quiet)
            assert found.violations_count == 0, found.generate_report()
        assert quiet.evaluate("document.documentElement.scrollWidth") <= width
        if at + 1 < len(steps):
            quiet.locator(f"#{step} .turn a").last.click()
    quiet.go_back()
    expect(quiet.locator(f"#{steps[-2]}")).to_be_visible()
    expect(quiet.locator(f".thread a[href='#{steps[-2]}']")).to_have_attribute("aria-current", "step")
