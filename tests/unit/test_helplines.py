"""An operator's own helplines: shown whole, refused with their place, and nobody left without a number."""

from datetime import date
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from remission.cli.app import run_app
from remission.errors import SpecError
from remission.evidence.care import Helpline, contacts_of, countries
from remission.web.app import create_app
from remission.web.export.check import check_site
from remission.web.export.folder import write_site
from remission.web.helplines import read_helplines
from remission.web.settings import WebSettings

TODAY = date(2026, 11, 29)
HEAD = "country,kind,name,number,text,address,note,checked,name_es"
GERMANY = """DE,emergency,Germany,112 / 110,,,,2026-11-20,Alemania
DE,crisis,Example Line,0800 111 0 111,,,any hour,2026-11-20,
DE,drugs,Example House,+49 (0)30 / 12-345,,,,2025-12-21,Casa de ejemplo
DE,finder,Example List,,,https://list.example/de?a=1,,2026-11-21,
"""


def read(tmp_path: Path, rows: str, head: str = HEAD) -> tuple[Helpline, ...]:
    path = tmp_path / "lines.csv"
    path.write_text(f"{head}\n{rows}", encoding="utf-8")
    return read_helplines(path, today=TODAY)


def test_a_country_of_its_own_is_whole_in_both_languages(tmp_path: Path) -> None:
    """A reader in a country that the library does not know gets buttons that dial, and the days of the checks."""
    own = read(tmp_path, GERMANY)
    app = create_app(WebSettings(country="DE", helplines=own, hosts=("testserver",)))
    client = TestClient(app)
    for address, name in (("/safety", "Germany"), ("/es/family", "Alemania"), ("/es/clinics", "Alemania")):
        page = client.get(address).text
        assert name in page
        for link in ("tel:112", "tel:110", "tel:08001110111", "tel:+493012345"):
            assert f'href="{link}"' in page
        assert "2025-12-21" in page, "the day of each check stands beside it"
    assert "https://list.example/de?a=1" in client.get("/family").text
    assert "Casa de ejemplo" in client.get("/es/safety").text
    assert "Numbers to call were read in" not in client.get("/safety").text, "the library knows no number of Germany"
    assert "Germany" in client.get("/safety?country=GB").text
    assert "2025-12-21" in client.get("/about").text
    assert client.get("/diary").status_code == client.get("/journey/alcohol").status_code == 200


def test_lines_are_added_before_those_of_the_library_and_take_the_place_of_their_number(tmp_path: Path) -> None:
    """A county's line must not take the national one away, unless it is the same or is said to be gone."""
    before = contacts_of("US")
    own = read(
        tmp_path, "us,DRUGS,County,'+1 555 010 0200,,,,2026-11-29,\nUS,crisis,Lifeline here,9-8-8,,,,2026-11-01,\n"
        "US,gone,Text line,741 741,,,,2026-11-01,\n",
    )  # fmt: skip
    found = contacts_of("US", own=own)
    assert [one.name for one in found.lines][:2] == ["County", "Lifeline here"]
    assert [one.number for one in found.lines[2:]] == [
        one.number for one in before.lines if one.number not in {"988", "741741"}
    ]
    assert (found.emergency, found.finders, found.read) == (before.emergency, before.finders, before.read)
    assert contacts_of("GB", own=own) == contacts_of("GB")
    assert contacts_of("US") == before
    assert countries(own) == countries()


GOOD = "US,drugs,County,555-010-0200,,,,2026-11-20,\n"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("", "at least one helpline"),
        ("\n,,,,,,,,\n", "at least one helpline"),
        ("UK,drugs,A,123,,,,2026-11-20,\n", "line 2, country: got UK"),
        ("United States,drugs,A,123,,,,2026-11-20,\n", "line 2, country"),
        ("US,hotline,A,123,,,,2026-11-20,\n", "line 2, kind: got hotline"),
        ("US,drugs,,123,,,,2026-11-20,\n", "line 2, name: got nothing"),
        (f"US,drugs,{'A' * 121},123,,,,2026-11-20,\n", "121 letters"),
        ("US,drugs,A,1-800-662-HELP,,,,2026-11-20,\n", "line 2, number: got 1-800-662-HELP"),
        ("US,drugs,A,,,,,2026-11-20,\n", "line 2, number: got nothing"),
        ("US,drugs,A,8.0E+09,,,,2026-11-20,\n", "line 2, number"),
        ("US,drugs,A,12345678901234567,,,,2026-11-20,\n", "line 2, number"),
        ("US,drugs,A,123,,https://a.example,,2026-11-20,\n", "only a finder has an address"),
        ("US,finder,A,,,http://a.example,,2026-11-20,\n", "with https://"),
        ("US,finder,A,,,javascript:x(),,2026-11-20,\n", "with https://"),
        ("US,finder,A,,,https://user@a.example,,2026-11-20,\n", "with https://"),
        ("US,finder,A,123,,https://a.example,,2026-11-20,\n", "row of its own"),
        ("US,drugs,A,123,two words,,,2026-11-20,\n", "one word to send"),
        ("US,drugs,A,123,,,,20.11.2026,\n", "line 2, checked: got 20.11.2026"),
        ("US,drugs,A,123,,,,,\n", "line 2, checked: got nothing"),
        ("US,drugs,A,123,,,,2026-11-30,\n", "Call the number"),
        ("US,drugs,A,123,,,,2025-11-27,\n", "Call the number"),
        ("US,gone,A,555,,,,2026-11-20,\n", "a line of the library"),
        (f"{GOOD}US,crisis,B,555 010 0200,,,,2026-11-20,\n", "the same as line 2"),
        (f"{GOOD}US,drugs,B,123\n", "line 3, row: got 4 cells"),
        ("DE,drugs,A,123,,,,2026-11-20,\n", "no emergency number"),
        ("DE,emergency,Germany,112,,,,2026-11-20,\n", "nobody to call in a crisis"),
        ("CA,gone,A,988,,,,2026-11-20,\n", "nobody to call in a crisis"),
        (f"{GERMANY}DE,emergency,Germany,115,,,,2026-11-20,\n", "several emergency rows"),
    ],
)
def test_a_row_that_could_mislead_is_refused_at_its_place(tmp_path: Path, rows: str, said: str) -> None:
    """A wrong number on a page for somebody in need is worse than no page."""
    with pytest.raises(SpecError) as caught:
        read(tmp_path, rows)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "an empty file"),
        (b"\xff\xfeA\0", "UTF-16"),
        (f"{HEAD}\nUS,drugs,Caf\xe9,123,,,,2026-11-20,\n".encode("latin-1"), "line 2"),
        (HEAD.replace(",", ";").encode(), "separated by"),
        (b"country,kind,nmae,checked\n", "no column name"),
        (b"country,kind,name,checked,phone\n", "a column phone"),
        (b"country,kind,name,name,checked\n", "name twice"),
        (b"%PDF-1.4\0", "zero byte"),
        (f'{HEAD}\nUS,drugs,"A,123\n'.encode(), "line 2"),
    ],
)
def test_a_file_of_another_kind_is_refused_before_any_page(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    """The command ends with 2 and writes nothing; a list that is half read would drop somebody's line."""
    path = tmp_path / "lines.csv"
    path.write_bytes(content)
    for command in (["site", str(tmp_path / "out")], ["serve", "--port", "0"]):
        assert run_app([*command, "--helplines", str(path)]) == 2
        assert said in capsys.readouterr().err
    assert run_app(["site", str(tmp_path / "out"), "--helplines", str(tmp_path / "none.csv")]) == 2
    assert "no such file" in capsys.readouterr().err
    assert [one.name for one in tmp_path.iterdir()] == ["lines.csv"]


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    """Who mends a list must not find the second fault after the first."""
    with pytest.raises(SpecError) as caught:
        read(tmp_path, "XYZ,drugs,A,123,,,,2026-11-20,\nUS,drugs,,HELP,,,,yesterday,\n")
    assert [fault.where.rpartition(", ")[2] for fault in caught.value.faults] == [
        "country",
        "name",
        "number",
        "checked",
    ]


def test_a_copy_carries_them_everywhere(tmp_path: Path) -> None:
    """Also in the page for what is lost, which needs no other file."""
    settings = WebSettings(country="DE", helplines=read(tmp_path, GERMANY))
    write_site(tmp_path / "site", settings=settings, only=("clinics",), made=TODAY)
    assert check_site(tmp_path / "site").faults == ()
    for name in ("safety.html", "es/family.html", "404.html", "clinics.html"):
        page = (tmp_path / "site" / name).read_text("utf-8")
        assert "tel:110" in page
        assert "0800 111 0 111" in page
    assert (tmp_path / "site" / "safety_country-us.html").is_file()
