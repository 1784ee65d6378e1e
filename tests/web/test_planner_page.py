"""The planner's pages: the same numbers as the library, faults at their fields, paper refused, nothing for patients."""

import html
import json
import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from fastapi.testclient import TestClient
from playwright.sync_api import Browser, Page, expect

from remission.library.sessions import load_checks
from remission.planner import plan_infusion, read_request
from remission.report.plan_sheet import plan_sheet
from remission.web.app import create_app
from remission.web.security import CONTENT_SECURITY_POLICY
from remission.web.settings import WebSettings

PERSON = {"weight": "82", "age": "45", "substance": "alcohol", "systolic": "150", "diastolic": "92", "people": "20"}
PLAN = {**PERSON, "dose": "0.5 mg/kg", "minutes": "40"}
ASKED = "weight=82&age=45&dose=0.5+mg/kg&minutes=40&people=20"


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(create_app(WebSettings(hosts=("testserver",))))


@pytest.fixture(scope="module")
def clinic() -> TestClient:
    return TestClient(create_app(WebSettings(hosts=("testserver",), is_clinician=True)))


def _words(page: str) -> str:
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", page)))


def test_page_and_record_say_what_the_library_says(client: TestClient) -> None:
    """A page with numbers of its own would be a second planner."""
    request = read_request({name: [text] for name, text in PLAN.items()})
    sheet = plan_sheet(plan_infusion(request))
    record = client.get("/planner.json", params=PLAN).json()
    assert record["sheet"] == sheet.to_dict()
    shown = _words(client.get("/planner", params=PLAN).text)
    for row in sheet.peaks:
        assert f"{row.label} {row.median} {row.band} {row.unit}" in shown
    for share in sheet.shares:
        assert f"{share.label} {share.share} {share.interval} {share.error}" in shown
    assert shown.count("Research simulation, not for patient care.") >= 1
    assert sheet.command in shown


def test_esketamine_is_compared_on_the_page(client: TestClient) -> None:
    """It has no curve of the racemate: the chart must take the first curve that both regimens have."""
    asked = {**PERSON, "drug": "esketamine", "dose": "0.25mg/kg/40min", "compare": "0.4 mg/kg over 40 min"}
    answer = client.get("/planner", params=asked)
    assert answer.status_code == 200
    words = _words(answer.text)
    assert "0.25 mg/kg over 40 min, esketamine beside 0.4 mg/kg over 40 min, esketamine" in words
    assert "S-ketamine, venous plasma" in words
    weighed = client.get("/planner.json", params={**PLAN, "weights": "kamp2020=3, noppers2011=1"}).json()
    assert weighed["numbers"]["request"]["weights"] == [["kamp2020", 3.0], ["noppers2011", 1.0]]
    for typed in ({}, {"model": "average"}):
        page = client.get("/planner", params={**PLAN, **typed, "weights": "kamp2020=3, noppers2011=1"}).text
        assert '<option value="average" selected>' in page
    wrong = client.get("/planner", params={**PLAN, "weights": "kamp=1"})
    assert wrong.status_code == 422
    assert 'id="weights-fault"' in wrong.text


def test_the_question_stands_in_the_address(client: TestClient) -> None:
    """A link must show the next reader the same plan and a filled form, with every step and check."""
    steps = {**PERSON, "dose": ["0.11 mg/kg", "0.6 mg/kg"], "minutes": ["2", "50"], "has": ["past-ketamine"]}
    page = client.get("/planner", params=steps).text
    assert 'name="dose" aria-label="Dose of step 2" value="0.6 mg/kg"' in page
    assert re.search(r'value="past-ketamine" checked', page)
    assert "0.11 mg/kg over 2 min, then 0.6 mg/kg over 50 min" in page
    link = html.unescape(re.findall(r'href="(/planner/print\?[^"]+)"', page)[0])
    assert "Research simulation, not for patient care." in client.get(link).text


def test_faults_stand_at_their_fields(client: TestClient) -> None:
    """Every fault at once, each at its field, and a problem document for programs."""
    wrong = {"weight": "82", "age": "12", "height": "178 m", "dose": "0.5mg", "minutes": "40"}
    answer = client.get("/planner", params=wrong)
    assert answer.status_code == 422
    for field, said in (("age", "children"), ("height", "178 cm meant"), ("dose", "0.5 mg/kg meant")):
        assert f'id="{field}-fault"' in answer.text
        assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text)
        assert said in _words(answer.text)
    problem = client.get("/planner.json", params=wrong)
    assert problem.status_code == 422
    assert problem.headers["content-type"] == "application/problem+json"
    assert {fault["where"] for fault in problem.json()["faults"]} == {"age", "height", "dose"}


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}"])
def test_what_is_typed_stays_text(client: TestClient, text: str) -> None:
    """The form shows again what came, and runs none of it."""
    page = client.get("/planner", params={**PLAN, "dose": text, "compare": text}).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert "49" not in re.findall(r'name="dose"[^>]*value="([^"]*)"', page)


def test_a_contraindication_blocks_paper_and_not_the_curves(client: TestClient) -> None:
    """The simulation may be looked at; nothing may be carried to a bedside."""
    asked = {**PLAN, "has": "aneurysm"}
    page = client.get("/planner", params=asked)
    assert page.status_code == 200
    assert "<figure" in page.text
    assert "No printed plan" in page.text
    assert "/planner/print?" not in page.text
    printed = client.get("/planner/print", params=asked)
    assert printed.status_code == 422
    assert "Aneurysm" in printed.text
    assert client.get("/planner/print.json", params=asked).status_code == 422


def test_each_blocking_check_blocks(clinic: TestClient) -> None:
    """One that is forgotten in one of the ways to paper would let it through."""
    for check in load_checks():
        if check.rule == "asked" and check.kind == "contraindication":
            asked = {**PLAN, "has": check.id, "vial": "50"}
            assert clinic.get("/planner/print.json", params=asked).status_code == 422
            assert clinic.get("/planner/log.json", params=asked).status_code == 422
            assert clinic.get("/planner.json", params=asked).status_code == 422


def test_clinician_mode_is_off_unless_turned_on(client: TestClient, clinic: TestClient) -> None:
    """Volumes are not for readers of a public page."""
    assert 'name="vial"' not in client.get("/planner").text
    assert client.get("/planner", params={**PLAN, "vial": "50"}).status_code == 422
    assert client.get("/planner/log", params={**PLAN, "vial": "50"}).status_code == 404
    record = clinic.get("/planner.json", params={**PLAN, "vial": "50"}).json()
    step = record["clinic"]["steps"][0]
    assert (step["label"], step["mg"], step["ml"], step["ml_per_h"]) == ("0.5 mg/kg over 40 min", "41.0", "0.82", "")
    log = _words(clinic.get("/planner/log", params={**PLAN, "vial": "50 mg/mL"}).text)
    for word in ("Drawn mg", "Given mg", "Wasted mg", "Lot", "Expiry", "Witness", "No name, number or date of birth"):
        assert word in log
    assert clinic.get("/planner/log", params={**PLAN, "vial": "5000"}).status_code == 422
    # Milliliters without whom they are for, or under another drug's name, would be given to somebody else.
    assert record["sheet"]["who"] in log
    assert "41.0 mg of racemic ketamine" in log
    flagged = {**PLAN, "vial": "25 mg/mL", "drug": "esketamine", "takes": "benzodiazepines"}
    other = _words(clinic.get("/planner/log", params=flagged).text)
    assert "mg of esketamine" in other
    assert "of racemic ketamine, in" not in other
    assert "Flags: " in other
    assert "Benzodiazepines" in other


@pytest.mark.parametrize("address", ["/journey", "/journey/alcohol", "/es/journey/opioid", "/safety", "/clinics"])
def test_no_patient_page_leads_here_but_by_the_door_for_professionals(clinic: TestClient, address: str) -> None:
    """A patient who finds a dose computed for their weight may take it: the door says whom it is for, and the page
    behind it says first what it is not for.
    """
    page = clinic.get(address).text
    assert "/planner" not in page[page.index("<main") : page.index("</main>")]
    doors = re.findall(r'<a [^>]*href="/planner"[^>]*>(.*?)</a>', page)
    assert len(doors) == 2, "the header and its menu on a phone"
    assert all("professional" in door or "profesional" in door for door in doors)
    planner = clinic.get("/planner").text
    assert planner.index("treating oneself") < planner.index("<form")
    assert '<a href="/journey">' in planner[planner.index("<main") : planner.index("<form")]


@pytest.mark.parametrize("address", ["/planner", f"/planner?{ASKED}", f"/planner/print?{ASKED}"])
def test_pages_keep_the_guards(client: TestClient, address: str) -> None:
    """No inline code, nothing from elsewhere, nothing kept by the browser."""
    answer = client.get(address)
    assert answer.headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert answer.headers["cache-control"] == "no-store"
    assert not re.search(r"<(script|style)(?![^>]*\bsrc=)[^>]*>[^<]", answer.text)
    assert not re.search(r'\s(style|on\w+)="', answer.text)
    clicked = r'<a href="https?://[^"]*" rel="noopener noreferrer">[^<]*</a>'
    away = set(re.findall(r"https?://[^\s\"'<)]+", re.sub(clicked, "", answer.text)))
    assert all(one.startswith("http://www.w3.org/") for one in away), away


def test_regimens_are_compared_and_limits_answered(client: TestClient) -> None:
    """Two regimens side by side, and a limit, with the same words as the command."""
    record = client.get("/planner.json", params={**PLAN, "compare": ["kare", "0.4mg/kg/60min"]}).json()
    assert [one["second"] for one in record["compared"]] == ["0.8 mg/kg over 40 min", "0.4 mg/kg over 60 min"]
    assert record["comparison"]["table"]["rows"]
    found = client.get("/planner.json", params={**PERSON, "minutes": "40", "find": "dose", "sbp_rise": "20"}).json()
    assert "mg/kg is the largest dose" in found["search"]["answer"]
    assert client.get("/planner", params={**PLAN, "compare": "nothing"}).status_code == 422
    assert client.get("/planner", params={**PERSON, "find": "dose"}).status_code == 422


@pytest.mark.browser
@pytest.mark.parametrize(
    "address",
    [
        f"/planner?{ASKED}&systolic=150&diastolic=92&compare=kare&vial=50", "/planner?age=12&dose=0.5mg",
        f"/planner/print?{ASKED}",
        *(
            pytest.param(address, marks=pytest.mark.thorough)
            for address in ("/planner", f"/planner?{ASKED}&has=aneurysm", f"/planner/log?{ASKED}&vial=50")
        ),
    ],
)  # fmt: skip
def test_no_violation_and_no_sideways_scroll(page: Page, site: str, address: str) -> None:
    """Contrast, names and landmarks by axe, everything opened; 320 px without chasing lines."""
    messages: list[str] = []
    page.on("console", lambda message: messages.append(message.text))
    page.goto(site + address)
    page.evaluate("for (const d of document.querySelectorAll('details')) d.open = true")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        found = Axe().run(page)
        assert found.violations_count == 0, found.generate_report()
    page.set_viewport_size({"width": 320, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert [text for text in messages if "422" not in text] == []


@pytest.mark.browser
def test_a_plan_prints_on_one_sheet(page: Page, site: str) -> None:
    """A second sheet gets lost; with every flag that there is, it must still be one."""
    flags = "".join(f"&has={one.id}" for one in load_checks() if one.rule == "asked" and one.kind == "flag")
    worst = "weight=210&age=75&height=178&dose=0.11mg/kg&minutes=2&dose=0.95mg/kg&minutes=150&people=20"
    # What is withheld is one long sentence: it must not squeeze the column beside it until that fills three sheets.
    withheld = "weight=82&age=45&drug=esketamine&dose=0.25mg/kg/40min&people=20"
    for address in (
        f"{ASKED}&systolic=150&diastolic=92",
        f"{worst}&hypertension=yes&systolic=150&diastolic=92{flags}",
        withheld,
        f"{ASKED}&weights=kamp2020=1",
    ):
        page.goto(f"{site}/planner/print?{address}")
        for paper in ("A4", "Letter"):
            assert len(re.findall(rb"/Type\s*/Page[^s]", page.pdf(format=paper))) == 1
        page.emulate_media(media="print")
        expect(page.locator(".stamp").first).to_be_visible()
        # A4 less its margins; a printer makes what is wider smaller, and then nobody can read it.
        page.set_viewport_size({"width": 725, "height": 1050})
        assert page.evaluate("document.documentElement.scrollWidth") <= 725


@pytest.mark.browser
def test_the_preview_is_the_typical_person_of_the_server(page: Page, site: str) -> None:
    """Two programs compute it; the numbers while typing must be those of the library."""
    from remission.library.loader import load_parameter_set

    page.goto(f"{site}/planner")
    page.locator("#weight").fill("70")
    page.locator("#dose").fill("0.5 mg/kg")
    page.locator("#minutes").fill("40")
    preview = page.locator("#preview")
    expect(preview).to_contain_text("35.0 mg, 0.50 mg/kg")
    # Typical adult in the reference session: 292 ng/mL in arterial plasma, as the documents print it.
    expect(preview).to_contain_text("highest 292 ng/mL in arterial plasma, 267 ng/mL at the effect site")
    mean = load_parameter_set("acute-effects").value("sbp_rise_mmhg")
    expect(preview).to_contain_text(f"systolic rise {mean:.0f} mmHg")
    page.locator("#minutes").fill("-4")
    expect(preview).to_be_hidden()
    # A length behind the dose, and rates, are what the server reads too; two lengths that differ are a question.
    page.locator("#minutes").fill("")
    for text in ("0.5mg/kg/40min", "0,5 mg/kg over 40 min", "35mg/40min"):
        page.locator("#dose").fill(text)
        expect(preview).to_contain_text("35.0 mg, 0.50 mg/kg; highest 292 ng/mL")
    page.locator("#minutes").fill("40")
    for text in ("0.75 mg/kg/h", "12.5 ug/kg/min", "52.5 mg/h"):
        page.locator("#dose").fill(text)
        expect(preview).to_contain_text("35.0 mg, 0.50 mg/kg; highest 292 ng/mL")
    page.locator("#dose").fill("0.5mg/kg/30min")
    expect(preview).to_be_hidden()
    page.locator("#dose").fill("35mg/40min")
    expect(preview).to_be_visible()
    # Racemic numbers beside another drug would be silently wrong.
    page.locator("#drug").select_option("esketamine")
    expect(preview).to_be_hidden()


@pytest.mark.browser
def test_back_brings_the_levels_and_opens_their_section(page: Page, site: str) -> None:
    """What was typed and is hidden in a closed section seems lost."""
    page.goto(f"{site}/planner")
    page.locator("details:has(#levels) > summary").click()
    page.locator("#levels").fill("90 min, ketamine, venous, 85 ng/mL")
    page.goto(f"{site}/limits")
    page.go_back()
    expect(page.locator("#levels")).to_be_visible()
    expect(page.locator("#levels")).to_have_value("90 min, ketamine, venous, 85 ng/mL")


@pytest.mark.browser
def test_by_keyboard_and_without_scripts(browser: Browser, site: str) -> None:
    """From an empty form to curves with Tab and Enter, and no script at all."""
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/planner")
    page.locator("#weight").focus()
    page.keyboard.type("82")
    page.keyboard.press("Tab")
    page.keyboard.type("45")
    page.locator("#dose").focus()
    page.keyboard.type("0.5 mg/kg")
    page.keyboard.press("Tab")
    page.keyboard.type("40")
    page.keyboard.press("Enter")
    page.wait_for_url("**/planner?*weight=82*")
    # Drawn twice, so that letters keep their size on a phone; one of them is shown, perhaps a picture a panel.
    assert page.locator("figure svg[role=img]:visible").count() == 1
    assert "41.0" in page.locator(".big").inner_text()
    context.close()


@pytest.mark.browser
def test_two_regimens_are_drawn_while_one_types(page: Page, site: str) -> None:
    """Form to curve without a click: a published regimen fills the fields, another stands beside, keys read values."""
    page.goto(f"{site}/planner")
    page.fill("#weight", "70")
    page.select_option("#preset", "kare")
    expect(page.locator("#dose")).to_have_value("0.8 mg/kg")
    expect(page.locator("#minutes")).to_have_value("40")
    expect(page.locator("#substance")).to_have_value("alcohol")
    expect(page.locator("#preset")).to_have_value("")
    expect(page.locator(".curve")).to_have_count(4)
    assert page.locator(".line.b").count() == 0
    page.fill("#compare", "0.11mg/kg/2min+0.6mg/kg/50min")
    expect(page.locator(".line.b")).to_have_count(4)
    expect(page.locator("#preview")).to_contain_text("B: 49.7 mg, 0.71 mg/kg")
    page.fill("#compare", "krupitsky-2002-high")  # into a muscle: no curve without an assumed rate
    expect(page.locator(".line.b")).to_have_count(0)
    page.focus("#minute")
    page.keyboard.press("Home")
    expect(page.locator(".reading").first).to_have_text("A 0 ng/mL")
    page.keyboard.press("ArrowRight")
    assert page.locator(".reading").first.inner_text() != "A 0 ng/mL"
    for width in (320, 390, 1440):
        page.set_viewport_size({"width": width, "height": 900})
        page.wait_for_timeout(200)
        sizes = page.evaluate("""() => [...document.querySelectorAll('.curve text')].map((one) => {
            const svg = one.ownerSVGElement, scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
            return parseFloat(getComputedStyle(one).fontSize) * scale;
        })""")
        assert min(sizes) >= 11
    page.goto(f"{site}/planner?{ASKED}", timeout=60_000)
    expect(page.locator(".curve .band")).to_have_count(4)
    assert "people of A" in page.locator(".reading").first.inner_text()


@pytest.mark.browser
def test_values_of_a_figure_by_pointer_keys_and_file(page: Page, site: str) -> None:
    """A chart whose numbers cannot be had is decoration."""
    page.goto(f"{site}/evidence/forest?substance=cocaine&endpoint=abstinence", timeout=60_000)
    figure = page.locator("figure").first
    panel, reading = figure.locator(".panel"), figure.locator(".figure-reading")
    panel.focus()
    page.keyboard.press("ArrowDown")
    first = figure.locator("tbody tr").first.locator("th").first.text_content() or "nothing"
    expect(reading).to_contain_text(first.strip())
    spot = json.loads(figure.locator("svg").first.get_attribute("data-axes") or "[]")[-1][0]
    scale = page.evaluate("""() => {
        const svg = document.querySelector('figure svg'), box = svg.getBoundingClientRect();
        return [box.left, box.top, box.width / svg.viewBox.baseVal.width];
    }""")
    page.mouse.move(scale[0] + scale[2] * (spot[0] + spot[1]) / 2, scale[1] + scale[2] * (spot[2] + spot[3]) / 2)
    expect(reading).to_have_text(re.compile(r"^[\d.]+ "))
    with page.expect_download() as table:
        figure.get_by_role("button", name="Save table as CSV").click()
    assert first.strip().split()[0] in table.value.path().read_text("utf-8")
    with page.expect_download() as drawing:
        figure.get_by_role("button", name="Save as SVG").click()
    assert drawing.value.path().read_text("utf-8").startswith("<svg")
