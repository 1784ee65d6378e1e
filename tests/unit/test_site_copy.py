"""A copy of the site: whole or not at all, nothing that leads out of it, and what is lost is named."""

import dataclasses
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from remission import web
from remission.cli.app import run_app
from remission.clinics.files import read_clinics
from remission.clinics.store import ClinicStore
from remission.errors import SpecError, WorkError
from remission.library import clinics as clinic_library
from remission.web.app import create_app
from remission.web.export import folder as export
from remission.web.export.check import MOST_FIRST_BYTES, absolute_addresses, check_site
from remission.web.export.places import Places
from remission.web.export.rewrite import copied_script
from remission.web.language import LANGUAGES, load_text
from remission.web.settings import WebSettings

STATIC = Path(str(web.__file__)).with_name("static")
DAY = date(2026, 11, 29)
SMALL: dict[str, Any] = {"settings": WebSettings(), "only": ("clinics",), "made": DAY}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages for patients and the planner, with places of care that are invented."""
    place = tmp_path_factory.mktemp("site")
    source = Path(str(clinic_library.__file__)).with_name("demonstration.csv")
    ClinicStore(place / "clinics.sqlite").save(read_clinics(source, today=date.max))
    settings = WebSettings(clinics_store=place / "clinics.sqlite", offered_by="Example <b>House</b>")
    export.write_site(
        place / "a folder",
        settings=settings,
        only=("journey", "clinics", "planner"),
        made=DAY,
    )
    return place / "a folder"


@pytest.fixture(scope="module")
def smallest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("small") / "site"
    export.write_site(place, **SMALL)
    return place


@pytest.fixture
def small(smallest: Path, tmp_path: Path) -> Path:
    """The smallest copy, to be damaged."""
    return Path(shutil.copytree(smallest, tmp_path / "site"))


def test_every_link_ends_inside_or_is_a_choice(copy: Path) -> None:
    """One address with a slash before it works on the server and nowhere else."""
    found = check_site(copy)
    assert found.faults == ()
    assert found.n_links > 3000
    assert found.heaviest_bytes < MOST_FIRST_BYTES


def test_every_page_of_the_table_is_there(copy: Path) -> None:
    """A page that somebody adds must be copied without a second list; others say which command makes them."""
    names = {path.relative_to(copy).as_posix() for path in copy.rglob("*.html")}
    places = Places()
    for one in create_app().state.pages:
        if "{" not in one.path and one.copied == "always":
            assert places.file_of(one.path) in names
    for patient in ("es/safety.html", "es/clinics/check.html", "journey/alcohol.html", "clinics/state/ca.html"):
        assert (copy / patient).is_file() or (copy / patient.replace("ca.", "CA.")).is_file()
    assert "remission serve" in (copy / "evidence.html").read_text("utf-8")


def test_a_link_into_a_page_that_is_left_out_leads_to_its_top() -> None:
    """What stands in its place has none of its parts; a copy without trials had such links."""
    places = Places()
    assert places.link("learn.html", "/trial/kare#why") == "trial/kare.html#why"
    places.keep_whole("/trial/kare")
    assert places.link("learn.html", "/trial/kare#why") == "trial/kare.html"


def test_every_page_says_its_command_whatever_its_address_says() -> None:
    """A page that somebody adds with a name that stands in its query and not in its path must not end a whole copy."""
    for one in create_app().state.pages:
        assert "{" not in export.command_of(one, {})
        assert "kare" in export.command_of(
            dataclasses.replace(one, command="remission show {trial}"), {"trial": "kare"}
        )
        assert (
            export.command_of(dataclasses.replace(one, command="remission show {trial}"), {}) == "remission show TRIAL"
        )


def test_a_page_carries_its_day_and_who_offers_it(copy: Path) -> None:
    """Numbers to call grow old in a copy; the name is text and never markup."""
    for name in ("safety.html", "es/safety.html", "journey/alcohol.html"):
        page = (copy / name).read_text("utf-8")
        assert page.count("2026-11-29") >= 2
        assert "data-fresh" in page
        assert "Example &lt;b&gt;House&lt;/b&gt;" in page
        assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
        assert "serviceWorker" not in page
    assert "serviceWorker" not in (copy / "static" / "copy.js").read_text("utf-8")
    missing = (copy / "404.html").read_text("utf-8")
    assert "988" in missing
    assert "<link" not in missing, "it is shown at any depth, where no other file can be named"
    for language in LANGUAGES:
        assert load_text(language, "journey")["safety"]["now"] in missing, "a number says when to call it"
        words = load_text(language, "clinics")
        page = (copy / ("" if language == "en" else language) / "clinics.html").read_text("utf-8")
        for told in (words["ask"]["device_town"], words["ask"]["sent"], words["states"]["tells"]):
            assert told not in page, "a copy sends nothing, and nothing hears of it"
        assert words["ask"]["device"] in page
    assert "HOME" in missing


def test_same_pages_same_bytes(tmp_path: Path) -> None:
    """A copy under version control must not change on every build."""
    both = [export.write_site(tmp_path / name, **SMALL) for name in ("one", "two")]
    assert both[0] == both[1]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("safety.html", None, "safety.html: missing"),
        ("static/site.css", None, "static/site.css: missing"),
        ("safety.html", "<html><a href='/clinics'>", "an absolute address /clinics"),
        ("safety.html", "<html><a href='nowhere.html'>", "leads nowhere"),
        ("safety.html", "<html><a href='../../x.html'>", "leads out of the folder"),
        ("safety.html", "<html><a href='clinics.html#no-such'>", "leads to no part"),
        ("safety.html", "<html><img src='https://a.example/x.png'>", "loads or leads to https"),
        ("safety.html", "<html><a href='javascript:x()'>", "loads or leads to javascript"),
        ("safety.html", "<html><p onclick='x()' style='a'>", "a style or handler"),
        ("safety.html", "<html><script>x()</script>", "a script inside the page"),
        ("safety.html", "<html><form action='x'></form>", "a form that needs a server"),
        ("safety.html", "<html>", "no strict policy"),
        ("static/copy.js", "fetch('/api/x')", "an absolute address"),
        ("static/site.css", "a { background: url(//a.example/x) }", "an absolute address"),
        ("more.html", "<html>", "not part of the copy"),
    ],
)
def test_the_check_sees_each_fault(small: Path, name: str, content: str | None, said: str) -> None:
    """A folder copied by half, or changed by a host, must not pass; a check that sees nothing passes for ever."""
    if content is None:
        (small / name).unlink()
    else:
        (small / name).write_text(content, encoding="utf-8")
    assert any(said in fault for fault in check_site(small).faults)


def test_a_folder_with_something_in_it_is_left_alone(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither somebody's files nor an earlier copy may be lost, not even when the new one fails half-way."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years", encoding="utf-8")
    for replace in (False, True):
        with pytest.raises(SpecError, match="something else"):
            export.write_site(tmp_path / "mine", **SMALL, replace=replace)
    with pytest.raises(SpecError, match="earlier copy"):
        export.write_site(small, **SMALL)
    before = {path: path.read_bytes() for path in small.rglob("*") if path.is_file()}

    def full(*args: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("remission.files.move", full)
        with pytest.raises(WorkError, match="No space left"):
            export.write_site(small, **SMALL, replace=True)
    assert {path: path.read_bytes() for path in small.rglob("*") if path.is_file()} == before
    export.write_site(small, **{**SMALL, "made": date(2026, 12, 1)}, replace=True)
    assert "2026-12-01" in (small / "safety.html").read_text("utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "site"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--only", "journy"], "--only: got journy; expected one of"),
        (["--only", "runs"], "--only: got runs; expected one of"),
        (["--trials", "karre"], "expected one of"),
        (["--country", "XX"], "expected one of"),
        (["--clinics", "nowhere.csv"], "no such file"),
        (["--name", "x" * 200], "at most 120"),
        (["--check"], "the list of a copy"),
        (["--replicates", "0"], "at least 1"),
    ],
)
def test_wrong_input_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    """Each option with its own word, before any page is made."""
    assert run_app(["site", str(tmp_path / "out"), *options]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_no_two_addresses_share_a_file() -> None:
    """A stick does not tell capitals apart, and two filters may differ in signs only."""
    places = Places()
    addresses = [
        "/a?x=1&y=2",
        "/a?x=1-y-2",
        "/A?x=1&y=2",
        "/a_x-1-y-2",
        "/",
        "/index",
        "/index.json",
        "/es",
        f"/a?{'x' * 300}",
    ]
    names = [places.file_of(one).casefold() for one in addresses]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) < 120
    assert places.link("es/journey/alcohol.html", "/safety#overdose") == "../../safety.html#overdose"


def test_a_module_that_imports_is_refused() -> None:
    """Browsers read no module from a file: the page would be dead on a stick and alive on the server."""
    with pytest.raises(Exception, match="imports another"):
        copied_script('import { a } from "./b.js";\n')
    assert copied_script("const form = 1;\n").startswith("(async () => {")


@pytest.mark.parametrize("place", sorted(STATIC.rglob("*.[cj]s*")), ids=lambda place: place.name)
def test_no_script_or_style_names_an_address(place: Path) -> None:
    """What a script asks for stands in a data- attribute of its page: only there can a copy put another name."""
    if place.parent.name != "vendor":
        assert absolute_addresses(place.read_text("utf-8")) == []
    if place.suffix == ".js" and place.parent.name != "vendor":
        copied_script(place.read_text("utf-8"))
