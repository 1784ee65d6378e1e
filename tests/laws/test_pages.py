"""Laws of the pages and of the lists of clinics, over random cases: spelling, order and language change no answer."""

import csv
import html
import io
import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote, urlencode

import numpy as np
import pytest
from fastapi.testclient import TestClient
from law_cases import law

from remission.clinics.files import read_clinics
from remission.clinics.geography import locate_zip
from remission.clinics.places import find_place
from remission.clinics.search import Wanted, find_clinics
from remission.errors import visible
from remission.evidence.care import countries
from remission.library.protocols import load_protocol
from remission.records.day_field import DayField, FieldGroup
from remission.web.app import create_app
from remission.web.language import LANGUAGES, load_text
from remission.web.pages import trials
from remission.web.pages.trials import trials_with_page
from remission.web.retold import retold
from remission.web.settings import WebSettings

TODAY = date(2026, 11, 1)
SUBSTANCES = tuple(load_text("en", "journey")["substances"])
PATIENT = ("/safety", "/journey", "/clinics", "/clinics/check", *(f"/journey/{one}" for one in SUBSTANCES))
STORY = ("/", *(f"/world/{number}" for number in range(1, 13)), "/learn", "/learn?closed=habit&closed=control")
BOTH = (*PATIENT, *STORY)
ENGLISH = ("/about", "/limits", "/evidence", "/evidence/grabski_2022_kare", "/trial", "/planner", "/api")
ZIPS = (("94025", "CA"), ("02118", "MA"), ("00901", "PR"), ("10001", "NY"), ("60614", "IL"), ("06610", "CT"))
CODES = ("DT", "OP", "RES", "METH", "BU", "NU", "MD", "MC", "SF", "SP")


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(WebSettings(hosts=("testserver",), n_replicates=6))) as one:
        yield one


@pytest.fixture(scope="module")
def card_of() -> Callable[[str, str], dict[str, Any]]:
    """The card of a trial as data; its people, whose days have no words, are one day each."""

    def card(name: str, language: str) -> dict[str, Any]:
        arms = load_protocol(name).arms
        groups = tuple(FieldGroup(id=one.id, label=one.label, kind="none", rows=("f1",)) for one in arms)
        field = DayField(what="use", origin="simulated", n_days=1, groups=groups)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(trials, "_people", lambda _: field)
            return dict(trials._card.__wrapped__(name, language).model_dump())

    return cache(card)


@pytest.fixture(scope="module")
def page_at(client: TestClient) -> Callable[[str], str]:
    """Each plain page is made once, so that a thousand cases stay cheap."""
    return cache(lambda address: str(client.get(address).text))


def _numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+(?:[.,]\d+)*", text))


def _shown(page: str) -> str:
    main = page.partition("<main")[2].partition("</main>")[0]
    return html.unescape(re.sub(r"<[^>]+>", " ", main))


def _pick(rng: np.random.Generator, choices: Any) -> Any:
    return choices[int(rng.integers(len(choices)))]


def _strings(data: Any) -> list[str]:
    if isinstance(data, dict):
        return [one for value in data.values() for one in _strings(value)]
    if isinstance(data, list):
        return [one for value in data for one in _strings(value)]
    return [data] if isinstance(data, str) else []


@law(seed=4101)
def test_the_language_changes_no_number(rng: np.random.Generator, page_at: Callable[[str], str]) -> None:
    """A number that differs between languages is wrong in one of them."""
    address, country = _pick(rng, BOTH), _pick(rng, countries())
    query = f"?country={country}" if address == "/safety" else ""
    english, spanish = (page_at(f"{prefix}{address}{query}") for prefix in ("", "/es"))
    ours, theirs = _numbers(_shown(english)), _numbers(_shown(spanish))
    assert ours == theirs, (address, set(ours) ^ set(theirs))


def _english_of(card: dict[str, Any], report: dict[str, Any] | None = None) -> list[str]:
    """What a card shows in words, without the names of groups in its picture of days."""
    shown = {name: card[name] for name in ("session", "design", "published", "why")}
    return _strings([shown, *(one["label"] for one in card["people"]["groups"])]) + _strings(report or [])


@law(seed=4110)
def test_a_card_says_the_same_in_each_language(
    rng: np.random.Generator, card_of: Callable[[str, str], dict[str, Any]]
) -> None:
    """Each sentence of a trial's card has its numbers in both languages, and none is left in English."""
    name = _pick(rng, trials_with_page())
    ours, theirs = (_english_of(card_of(name, language)) for language in LANGUAGES)
    at = int(rng.integers(len(ours)))
    assert len(ours) == len(theirs)
    assert _numbers(ours[at]) == _numbers(theirs[at]), (ours[at], theirs[at])
    stays = re.fullmatch(
        r"[^A-Za-z]*(?:\d.*)?|.*(?:Placebo|Midazolam|alcohol|cannabis)|explain-.*|.*[0-9a-f]{10}.*", ours[at]
    )
    assert ours[at] != theirs[at] or stays or "_" in ours[at], ours[at]
    assert not re.search(r"\b(?:the|of|and|with|on day|simulated)\b", theirs[at]), theirs[at]


_SAID = (
    "Days abstinent, ketamine v saline: {a} published, {b} simulated, {c}% of new trials {d} to {e} percentage points.",
    "Abstinent for the last two weeks, ketamine v midazolam: {a} simulated, {c}% of replicates {d} to {e}.",
    "Craving: no difference published, {b} simulated, 95% of new trials {d} to {e}; p < .05 in 0% for, in 9% against.",
    "Days abstinent over six months (ketamine with therapy): {a} simulated, {c}% of new trials {d} to {e} % of days.",
    (
        "The model says that the treatment helps: {b}% of its sets of values are in favor, {c}% of effects from {d} to "
        "{e} percentage points."
    ),
    (
        "The model cannot tell: {c}% of effects lie from {d} to {e} log ratio, on both sides of none. {b}% of its sets "
        "of values are in favor, which is no chance for one person."
    ),
    (
        "The model says that the treatment harms: {b}% of its sets of values are in favor, {c}% of effects from {d} to "
        "{e} cigarettes a day."
    ),
)


@law(seed=4111)
def test_a_sentence_made_from_numbers_is_retold_with_them(rng: np.random.Generator) -> None:
    """Helps, no clear difference, worse: whatever numbers come, the other language says the same of them."""
    values = rng.normal(0.0, 40.0, 5)
    digits = [f"{value:.{int(rng.integers(0, 4))}f}" for value in values]
    share = [str(int(one)) for one in rng.integers(0, 101, 2)]
    text = _pick(rng, _SAID).format(a=digits[0], b=share[0], c=share[1], d=digits[1], e=digits[2])
    said = retold(text, "es")
    assert said != text
    assert _numbers(said) == _numbers(text)
    assert not re.search(r"\b(?:the|of|simulated|published|against)\b", said), said
    kinds = {"helps": "ayuda", "harms": "daña", "cannot tell": "no puede decirlo"}
    assert [one for one in kinds if one in text and "model" in text] == [
        one for one, word in kinds.items() if word in said.partition(":")[0] and "modelo" in said
    ]


@law(seed=4102)
def test_unknown_words_of_an_address_change_no_page(
    rng: np.random.Generator, client: TestClient, page_at: Callable[[str], str]
) -> None:
    """What campaigns and mail programs add to an address is no question to us."""
    address = _pick(rng, (*BOTH, *ENGLISH))
    name = _pick(rng, ("utm_source", "utm_medium", "fbclid", "gclid", "ref", "mc_eid", "_hsenc"))
    added = urlencode({name: "".join(chr(int(one)) for one in rng.integers(32, 1200, 6))})
    assert client.get(f"{address}{'&' if '?' in address else '?'}{added}").text == page_at(address)


@law(seed=4103)
def test_a_link_on_any_page_is_answered(
    rng: np.random.Generator, client: TestClient, page_at: Callable[[str], str]
) -> None:
    """A dead link on a page of help is a dead end."""
    page = _pick(rng, (*BOTH, *(f"/es{one}" for one in BOTH), *ENGLISH, "/nowhere", "/journey/sugar"))
    links = sorted(set(re.findall(r'(?:href|src)="(/[^"]*)"', page_at(page))))
    chosen = html.unescape(_pick(rng, links)).partition("#")[0]
    assert client.head(chosen).status_code in {200, 202}, (page, chosen)


@law(seed=4104)
def test_spelling_of_an_address_changes_no_page(
    rng: np.random.Generator, client: TestClient, page_at: Callable[[str], str]
) -> None:
    """Capitals and a slash at the end are how people type."""
    address = _pick(rng, (*BOTH, *ENGLISH))
    place, mark, asked = address.partition("?")
    typed = "".join(letter.upper() if rng.random() < 0.4 else letter for letter in place)
    typed = typed + "/" if rng.random() < 0.5 and place != "/" else typed
    assert client.get(f"{typed}{mark}{asked}").text == page_at(address), typed


@law(seed=4105)
def test_page_and_record_hold_the_same_numbers(
    rng: np.random.Generator, client: TestClient, page_at: Callable[[str], str]
) -> None:
    """Who reads the page and who reads the data must not learn different things."""
    address = (
        f"{_pick(rng, ('', '/es'))}{_pick(rng, [one for one in PATIENT if '/journey/' in one or one == '/safety'])}"
    )
    country = _pick(rng, countries())
    query = f"?country={country}" if address.endswith("/safety") else ""
    record = client.get(f"{address}.json{query}")
    shown = _numbers(_shown(page_at(f"{address}{query}")))
    data = record.json()
    sentences = [
        one for one in _strings({name: value for name, value in data.items() if name != "others"}) if " " in one
    ]
    missing = {one for text in sentences for one in _numbers(text)} - set(shown)
    assert not missing, (address, missing)


def _rows(rng: np.random.Generator) -> list[dict[str, str]]:
    rows = []
    for number in range(int(rng.integers(2, 12))):
        code, state = _pick(rng, ZIPS)
        codes = [one for one in CODES if rng.random() < 0.5]
        rows.append(
            {
                "name1": f"Clínica {number % 5} Mayagüez", "city": "Town", "state": state, "zip": code,
                "street1": f"{int(rng.integers(1, 4))} Way", "phone": f"617-555-01{int(rng.integers(10, 99))}",
                "service_code_info": " ".join(codes),
            }
        )  # fmt: skip
    return rows


def _write(path: Path, rows: list[dict[str, str]], columns: list[str], encoding: str, end: str) -> Path:
    target = io.StringIO(newline="")
    writer = csv.DictWriter(target, columns, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    path.write_bytes(target.getvalue().encode(encoding))
    return path


@law(seed=4106)
def test_order_and_encoding_of_a_file_change_no_search(
    rng: np.random.Generator, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The same places in another order, with a byte-order mark or lost zeros, are the same places."""
    rows = _rows(rng)
    columns = list(rows[0])
    folder = tmp_path_factory.mktemp("lists")
    first = read_clinics(_write(folder / "a.csv", rows, columns, "utf-8", "\n"), source_date=TODAY, today=TODAY)
    mixed = [{**rows[int(one)]} for one in rng.permutation(len(rows))]
    for row in mixed:
        if rng.random() < 0.5:
            row["zip"] = str(int(row["zip"]))
    path = _write(
        folder / "b.csv", mixed, [columns[int(one)] for one in rng.permutation(len(columns))],
        _pick(rng, ("utf-8", "utf-8-sig")), _pick(rng, ("\n", "\r\n")),
    )  # fmt: skip
    second = read_clinics(path, source_date=TODAY, today=TODAY)
    code, _ = _pick(rng, ZIPS)
    wanted = Wanted(
        radius_mi=_pick(rng, (10, 50, 250)),
        medication=_pick(rng, ("", "methadone")),
        payment=_pick(rng, ("", "medicaid")),
    )
    found = [find_clinics(one.clinics, wanted, spot=locate_zip(code), today=TODAY) for one in (first, second)]
    assert found[0] == found[1]


@law(seed=4107)
def test_accents_and_capitals_find_the_same_town(rng: np.random.Generator) -> None:
    """The letters of a name are typed in many ways; the town is one."""
    name, plain = _pick(
        rng, (("Mayagüez", "Mayaguez"), ("Añasco", "Anasco"), ("Peñuelas", "Penuelas"), ("Canóvanas", "Canovanas"))
    )
    typed = "".join(letter.upper() if rng.random() < 0.5 else letter.lower() for letter in name)
    state = _pick(rng, (", PR", " pr", ", Puerto Rico", " PUERTO RICO"))
    assert find_place(typed + state) == find_place(f"{plain}, PR") is not None


@law(seed=4108)
def test_no_sign_of_a_name_reaches_a_terminal(rng: np.random.Generator) -> None:
    """Whatever stands in a file, what is printed is text, and what was text stays as it was."""
    name = "".join(chr(int(one)) for one in rng.integers(1, 0x2FFF, 30))
    shown = visible(name)
    assert shown.encode("utf-8", "strict")
    assert all(one.isprintable() or one.isspace() or not ("\x00" <= one <= "\x9f") for one in shown)
    assert not set(shown) & set("\n\r\t\a\x1b\x7f\x9b\u202e\u2066\u2028")
    words = "".join(letter for letter in name if letter.isalnum())
    assert visible(words) == words


_TYPED = (
    "", " ", "0", "-1", "1e308", "NaN", "inf", "82", "82 kg", "0.5 mg/kg", "40", "'; drop table x --", "null", "[]",
    "<script>x()</script>", "../../etc/passwd", "%00", "\u202e\u0000\ud7ff", "{{ 7*7 }}", "a" * 3000, "\u00f1and\u00fa",
    "2026-13-45", "alcohol", "US", "xx", "true", "99999999999999999999", "\U0001f600",
)  # fmt: skip
FULL = WebSettings(hosts=("testserver",), n_replicates=6, is_operator=True, is_clinician=True, demonstrates=True)


@pytest.fixture(scope="module")
def whole() -> Iterator[TestClient]:
    """The app with every page that there can be."""
    with TestClient(create_app(FULL)) as one:
        yield one


@cache
def _routes(app: Any) -> list[tuple[str, str, tuple[str, ...]]]:
    """Path, method and names of the query of every route of the app, pages and data alike."""
    found = []
    parts = [getattr(one, "original_router", SimpleNamespace(routes=[one])) for one in app.routes]
    for route in (one for part in parts for one in part.routes):
        names = tuple(sorted({one.alias for one in _asked(getattr(route, "dependant", None))}))
        found += [(route.path, method, names) for method in sorted(getattr(route, "methods", None) or ())]
    return found


def _asked(dependant: Any) -> Iterator[Any]:
    if dependant is not None:
        yield from dependant.query_params
        for one in dependant.dependencies:
            yield from _asked(one)


@law(seed=4109)
def test_no_address_of_any_route_fails(rng: np.random.Generator, whole: TestClient) -> None:
    """Whatever is put into the parts, the query or the form of an address: an answer, never a failure of ours."""
    path, method, names = _pick(
        rng, [one for one in _routes(whole.app) if not one[0].startswith(("/api/openapi", "/api/learn"))]
    )
    typed = re.sub(r"\{[^}]*\}", lambda _: quote(_pick(rng, _TYPED)[:200] or "x", safe=""), path)
    # What takes minutes is asked elsewhere; here no plan is whole.
    chosen = [name for name in names if rng.random() < 0.5 and name not in {"people", "wait"}]
    asked = [(name, _pick(rng, _TYPED)) for name in chosen] + [("no_such_name", "x")] * int(rng.integers(2))
    query = urlencode(asked, errors="replace")
    body = None if method in {"GET", "HEAD", "OPTIONS"} else urlencode(asked, errors="replace").encode()
    answer = whole.request(method, f"{typed}?{query}", follow_redirects=False, content=body)
    assert answer.status_code < 500, (method, typed, query)
