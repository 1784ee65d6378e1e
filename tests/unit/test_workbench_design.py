"""The form of a design and of an analysis: one validation, nothing lost, and nothing of anybody in addresses."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest
from fastapi.testclient import TestClient
from made_diaries import PROTOCOL, diaries

pytest.importorskip("sqlalchemy")

from remission.blinding.finished import analyze_finished
from remission.cli.app import run_app
from remission.exchange.canonical import write_diaries
from remission.exchange.guesses import read_guesses
from remission.exchange.study_guess import guess_plan
from remission.library.protocols import list_protocols, load_protocol, protocol_template, protocol_text
from remission.records.yaml_tree import read_tree
from remission.report.page import with_minus
from remission.web.app import create_app
from remission.web.bench.check import check_design
from remission.web.bench.edit import add_item, change_text, remove_item, values_of
from remission.web.bench.entry import Bench
from remission.web.bench.results import read_found
from remission.web.bench.state import state_of
from remission.web.bench.store import Job
from remission.web.settings import WebSettings

BOMB = "a: &a [x, x, x, x]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b, *b]\n"
PEOPLE = ("ann", "ben", "cid", "dee", "eva", "fay")
TABLE = "id,group,sex,drinks\n" + "".join(f"{who},{('new', 'old')[n % 2]},f,{n}\n" for n, who in enumerate(PEOPLE))


@contextmanager
def full_disk(client: TestClient) -> Iterator[None]:
    """A database that takes no page more."""
    import sqlalchemy

    def full(connection: "sqlalchemy.Connection") -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    engine = bench(client).store._engine
    sqlalchemy.event.listen(engine, "begin", full)
    yield
    sqlalchemy.event.remove(engine, "begin", full)


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    app = create_app(WebSettings(hosts=("testserver",), workbench=tmp_path_factory.mktemp("bench")))
    with TestClient(app, follow_redirects=False) as one:
        one.get(f"/workbench?token={app.state.bench.token}")
        # Forms are looked at here; test_workbench.py runs jobs.
        app.state.bench.foreman.close()
        yield one


def bench(client: TestClient) -> Bench:
    found: Bench = client.app.state.bench  # type: ignore[attr-defined]  # our own app
    return found


def post(client: TestClient, address: str, **fields: str) -> "httpx.Response":
    return client.post(address, data={"mark": bench(client).mark, **fields})


def begin(client: TestClient, **fields: str) -> str:
    answer = post(client, "/design/new", **(fields or {"example": "template"}))
    assert answer.status_code == 303
    return str(answer.headers["location"]).partition("draft=")[2]


def page(client: TestClient, draft: str, more: str = "") -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/design.json?draft={draft}{more}").json()
    return found


def save(client: TestClient, draft: str, **fields: str) -> "httpx.Response":
    return post(
        client, "/design", **{"draft": draft, "revision": str(page(client, draft)["revision"]), "do": "save", **fields}
    )


def test_every_example_is_a_design_that_can_run() -> None:
    """The gallery must not lead to a page of errors, and its sentence must be whole."""
    for name in list_protocols():
        if load_protocol(name).analyses:
            state, checked = state_of(protocol_text(name), {})
            assert not state.faults, name
            assert checked.words[:2] == ("design", "protocol.yaml")
            assert {word for kind, word in state.words if kind == "box"} <= set(state.boxes)
            assert len(state.arms) == len(load_protocol(name).arms)
            assert state.person_days > 0


def test_a_change_keeps_comments_and_everything_else() -> None:
    """A file that comes back without its comments is somebody else's."""
    text = protocol_template()
    found = change_text(text, {"population.n_subjects": "77", "drugs.ketamine.infusions[*].dose": "0.7 mg/kg"})
    before, after = values_of(read_tree(text, name="x")), values_of(read_tree(found, name="x"))
    moved = {path for path in after if after[path] != before.get(path)}
    assert moved == {"population.n_subjects", *(f"drugs.ketamine.infusions[{n}].dose" for n in range(3))}
    assert re.findall("#.*", found) == re.findall("#.*", text)
    assert change_text(text, {"population.n_subjects": " 120 "}) == text, "nothing was changed"
    more = add_item(text, "drugs.ketamine.infusions")
    assert remove_item(more, "drugs.ketamine.infusions[3]").count("0.5 mg/kg") == text.count("0.5 mg/kg")
    first = values_of(read_tree(remove_item(text, "drugs.ketamine.infusions[0]"), name="x"))
    assert first["drugs.ketamine.infusions[0].day"] == "0", "the first infusion has a day and no gap"


@pytest.mark.parametrize(
    ("asked", "option"),
    [
        ({"alpha": "2"}, "--alpha"), ({"replicates": "0"}, "--replicates"), ({"replicates": "1_0"}, "--replicates"),
        ({"vary": "n=9:4"}, "--vary"), ({"power": "90"}, "--power"), ({"seed": "-1"}, "--seed"),
        ({"looks": "half"}, "--looks"), ({"spending": "pocock"}, "--spending"), ({"analysis": "none"}, "--analysis"),
        ({"whose": "evidence", "draws": "1"}, "--assurance"), ({"budget": "5"}, "--budget"), ({"mcse": "x"}, "--mcse"),
    ],
)  # fmt: skip
def test_options_are_refused_where_the_command_refuses_them(
    asked: dict[str, str], option: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Two validations would drift apart: what the page refuses the command refuses, by the same name."""
    found = check_design(protocol_template(), asked)
    assert found.faults[0].where.startswith(option)
    assert not found.words
    state, _ = state_of(protocol_template(), asked)
    assert sum(bool(box.fault) for box in state.boxes.values()) == 1, "it stands beside its box"
    path = tmp_path / "a.yaml"
    path.write_text(protocol_template(), "utf-8")
    words = [
        part
        for name, one in asked.items()
        if name != "whose"
        for part in ("--assurance" if name == "draws" else f"--{name}", one)
    ]
    capsys.readouterr()
    assert run_app(["design", str(path), *words]) == 2
    assert option.removeprefix("--").split("-")[0] in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["", "-5", "many", "1e9", "12.5", "\u202e99", "[", "*a", "0x10", "007", "null"])
def test_a_wrong_field_is_shown_at_its_box_and_kept(client: TestClient, typed: str) -> None:
    """What was typed must still be there to be mended, and the draft with it."""
    draft = begin(client)
    assert save(client, draft, **{"p:population.n_subjects": typed}).status_code == 303
    found = page(client, draft)["state"]
    box = found["boxes"]["p:population.n_subjects"]
    assert box["fault"]
    assert box["value"] == typed or typed in {"", "null"}
    assert found["command"] == ""
    assert client.get(f"/design?draft={draft}").status_code == 200
    assert save(client, draft, do="run").status_code == 422
    assert save(client, draft, **{"p:population.n_subjects": "60"}).status_code == 303
    assert page(client, draft)["state"]["faults"] == []


@pytest.mark.parametrize(
    "text", [BOMB, "a: [", "- a list", "\t", "x: !!python/object:os.system {}", "a: 1\na: 2", "[" * 3000]
)
def test_a_file_that_is_no_protocol_is_kept_and_mended(client: TestClient, text: str) -> None:
    """A YAML bomb or a slip of a bracket must neither fill the memory nor take the text away."""
    draft = begin(client)
    assert save(client, draft, text=text).status_code in {303, 422}
    found = page(client, draft)
    assert found["text"].strip() == text.strip()
    assert found["state"]["faults"]
    shown = client.get(f"/design?draft={draft}")
    assert shown.status_code == 200
    assert save(client, draft, do="run").status_code == 422
    assert save(client, draft, text=protocol_template()).status_code == 303
    assert page(client, draft)["state"]["faults"] == []


def test_a_pasted_file_has_no_signs_of_the_browser(client: TestClient) -> None:
    """Lines of a box come with carriage returns; kept, they would stand at the end of every line of the file."""
    text = protocol_template()
    for end in ("\r\n", "\r"):
        assert page(client, begin(client, text=text.replace("\n", end)))["text"] == text


def test_two_tabs_keep_both(client: TestClient) -> None:
    """The second tab must not take away what the first one changed, nor lose its own."""
    draft = begin(client)
    one = str(page(client, draft)["revision"])
    assert save(client, draft, **{"p:population.n_subjects": "60"}).status_code == 303
    second = post(client, "/design", draft=draft, revision=one, do="save", **{"p:population.n_subjects": "90"})
    assert second.status_code == 409
    other = re.search(r"draft=([0-9a-f]+)\">Open what you typed", second.text)
    assert other
    assert page(client, draft)["state"]["boxes"]["p:population.n_subjects"]["value"] == "60"
    assert page(client, other[1])["state"]["boxes"]["p:population.n_subjects"]["value"] == "90"


def test_arms_keep_their_days_together_unless_asked(client: TestClient) -> None:
    """Infusions on other days by arm would tell everybody which arm they are in."""
    draft = begin(client)
    path = "p:drugs.{}.infusions[1].gap.mode"
    save(client, draft, **{path.format("ketamine"): "8", "whose": "chain", "same_days": "yes"})
    assert page(client, draft)["state"]["boxes"][path.format("saline")]["value"] == "8"
    save(client, draft, **{path.format("ketamine"): "9", "whose": "chain"})
    assert page(client, draft)["state"]["boxes"][path.format("saline")]["value"] == "8"


def test_an_effect_of_ones_own_needs_its_numbers(client: TestClient) -> None:
    """A number that the page made up would be taken for the reader's."""
    draft = begin(client)
    save(client, draft, whose="mine")
    found = page(client, draft)["state"]
    assert found["boxes"]["p:effect.difference"]["fault"].startswith("This is needed")
    save(client, draft, whose="mine", **{"p:effect.difference": "6", "p:effect.sd": "25"})
    found = page(client, draft)["state"]
    assert (found["faults"], found["whose"]) == ([], "mine")
    save(client, draft, whose="chain")
    assert "effect:" not in page(client, draft)["text"]
    save(client, draft, whose="mine")
    assert page(client, draft)["state"]["boxes"]["p:effect.sd"]["value"] == "25"


def test_diaries_and_prices_of_ones_own_are_kept_with_a_draft(client: TestClient, tmp_path: Path) -> None:
    """They reach the command as files of the job, are told apart by what is in them, and go with the draft."""
    write_diaries((diaries(40),), tmp_path / "own.parquet")
    content = (tmp_path / "own.parquet").read_bytes()
    draft = begin(client, text=PROTOCOL)
    fault = page(client, draft)["state"]["faults"][0]
    assert fault["where"] == "diaries"
    assert "of your own" in fault["remedy"]

    def keep(data: bytes, prices: str = "", **more: str) -> "httpx.Response":
        files = {"diaries": ("mrs-smith.parquet", data)} if data else None
        fields = {"mark": bench(client).mark, "draft": draft, "prices": prices, **more}
        return client.post("/design/own", data=fields, files=files)

    assert keep(b"no parquet").status_code == 422
    assert keep(content, "base: us\n").status_code == 303
    found = page(client, draft)
    assert found["prices"] == "base: us\n"
    said = [fault["where"] + fault["got"] for fault in found["state"]["faults"]]
    assert not any("diaries" in one for one in said), said
    assert "--diaries data/diaries-" in found["state"]["command"]
    assert "smith" not in json.dumps(found)
    assert save(client, draft, whose="mine", **{"o:prices": "own"}).status_code == 303
    priced = page(client, draft)["state"]
    assert "--prices data/prices-" in priced["command"] or any(one["where"] != "--prices" for one in priced["faults"])
    assert keep(b"", "").status_code == 303
    assert any(one["where"] == "--prices" for one in page(client, draft)["state"]["faults"])
    assert save(client, draft, whose="mine", **{"o:prices": ""}).status_code == 303
    assert save(client, draft, do="run").status_code == 303
    job = bench(client).store.jobs()[0]
    name = job.words[job.words.index("--diaries") + 1]
    assert (bench(client).store.job_folder(job.id) / name).read_bytes() == content
    assert client.get(f"/run/{job.id}/file/{name}").status_code == 404
    assert keep(b"", without="yes").status_code == 303
    assert any("diaries" in one["where"] for one in page(client, draft)["state"]["faults"])
    assert save(client, draft, do="drop").status_code == 303
    assert not (bench(client).store.folder / "data" / draft).exists()


def test_results_of_an_earlier_state_say_so(client: TestClient) -> None:
    """A power beside a protocol that has changed since would be quoted for it."""
    draft = begin(client)
    job = save(client, draft, do="run").headers["location"].partition("job=")[2]
    assert page(client, draft)["stale"] is None
    save(client, draft, **{"p:population.n_subjects": "60"})
    stale = page(client, draft)["stale"]["lines"]
    assert any("120" in line for line in stale)
    assert any("60" in line for line in stale)
    store = bench(client).store
    assert (store.job_folder(job) / "protocol.yaml").read_text("utf-8") == protocol_template()
    found = store.job(job)
    assert found is not None
    assert found.words[:2] == ("design", "protocol.yaml")


def test_a_draft_opens_with_what_was_run_last(client: TestClient) -> None:
    """After a run of the trial the design before it would be taken for what was just computed."""
    draft = begin(client)
    first = save(client, draft, do="run").headers["location"].partition("job=")[2]
    assert page(client, draft)["job"]["id"] == first
    second = save(client, draft, do="simulate").headers["location"].rpartition("/")[2]
    assert page(client, draft)["job"]["id"] == second
    assert page(client, draft)["stale"] is None
    save(client, draft, **{"p:population.n_subjects": "60"})
    assert any("60" in line for line in page(client, draft)["stale"]["lines"])


def test_worlds_are_checked_line_by_line(client: TestClient) -> None:
    """A table of scenarios runs for an hour; a slip in its last line must be found before."""
    draft = begin(client)
    assert (
        save(
            client, draft, worlds="scenarios: [{id: a, parameters: {no_such: 1}}]\ndesigns: [{id: b}]", do="worlds"
        ).status_code
        == 422
    )
    good = "replicates: 10\nscenarios:\n  - id: as-modeled\ndesigns:\n  - id: as-it-is\n"
    answer = save(client, draft, worlds=good, do="worlds")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/run/")


@pytest.mark.parametrize("stale", [False, True])
def test_what_was_typed_stays_where_the_disk_refuses_it(client: TestClient, stale: bool) -> None:
    """An answer without the text, on a page that takes the place of the form, would lose it."""
    draft, plan = begin(client), str(upload(client, "people.csv", TABLE.encode()).headers["location"])[-12:]
    revision = {"revision": "0"} if stale else {}
    long = "# kept only here" + 2 * ("\n# " + "x" * 90_000)
    with full_disk(client):
        text = f"{page(client, draft)['text']}\n{long}"
        answer = save(client, draft, text=text, **revision)
        assert answer.status_code == 507
        assert "kept only here" in answer.text
        assert "Free space" in answer.text
        found = client.get(f"/analyze.json?plan={plan}").json()
        fields = {"draft": plan, "revision": str(found["revision"]), "do": "save", "text": f"{found['text']}{long}"}
        answer = post(client, "/analyze", **fields)
        assert answer.status_code == 507
        assert "kept only here" in answer.text
    assert "kept only here" not in page(client, draft)["text"]
    assert save(client, draft, text=text).status_code == 303
    assert post(client, "/analyze", draft=plan, do="drop").status_code == 303, "the next test finds no file"


def test_an_analysis_says_who_is_missing_and_what_each_arm_shows(tmp_path: Path) -> None:
    """A difference alone does not say which way it goes, and who was not analyzed stood in the file only."""
    rows = [f"{n},{('new', 'old')[n % 2]},{'' if n in {3, 8} else n % 7}" for n in range(40)]
    table = tmp_path / "table.csv"
    table.write_text("\n".join(["id,arm,drinks", *rows, ""]), "utf-8")
    (tmp_path / "plan.yaml").write_text(guess_plan(table)[0], "utf-8")
    words = ("analyze", str(table), "--plan", str(tmp_path / "plan.yaml"), "--out", str(tmp_path / "report"))
    assert run_app(list(words)) == 0
    found = read_found(Job(id="a", number=1, kind="analyze", title="A", words=words, state="done"), tmp_path)
    assert found is not None
    said = " ".join(found.lines)
    assert "2 of 40 people are not analyzed" in said
    assert "does not show that the arms are alike" in said
    (_, estimates), (_, arms) = found.tables
    assert estimates.columns[2] == "treatment / control analyzed"
    assert [row[1] for row in arms.rows] == ["new", "old"]


def upload(client: TestClient, name: str, content: bytes) -> "httpx.Response":
    return client.post("/analyze/new", data={"mark": bench(client).mark}, files={"file": (name, content)})


def test_a_file_of_people_leaves_no_trace_in_addresses_or_logs(client: TestClient) -> None:
    """Names of files and cells of tables are data of people."""
    answer = upload(client, "mrs-smith-relapse.csv", TABLE.encode())
    assert answer.status_code == 303
    address = str(answer.headers["location"])
    assert "smith" not in address
    plan = address.partition("plan=")[2]
    found = client.get(f"/analyze.json?plan={plan}").json()
    assert found["reading"]["n_people"] == 6
    assert found["checks"], "what was guessed is said"
    shown = client.get(address)
    assert shown.headers["cache-control"] == "no-store"
    text = found["text"].replace("better: lower", "better: higher")
    fields = {"draft": plan, "revision": str(found["revision"])}
    assert post(client, "/analyze", **fields, text=text, do="run").status_code == 303
    job = bench(client).store.jobs()[0]
    for told in (job.title, " ".join(job.words), job.log, json.dumps(job.facts), urlsplit(address).query):
        assert "smith" not in told
        assert not any(name in told for name in ("ann", "ben,"))
    assert client.get(f"/run/{job.id}/file/data/data.csv").status_code == 404
    assert f"/analyze?plan={plan}" in client.get(f"/run/{job.id}").text
    stale = post(client, "/analyze", **fields, text=text + "# more\n", do="save")
    assert stale.status_code == 409
    assert "# more" in stale.text
    assert post(client, "/analyze", draft=plan, do="drop").status_code == 303
    assert not (bench(client).store.folder / "data" / plan).exists()


@pytest.mark.parametrize(
    ("name", "content", "status"),
    [("", b"", 422), ("a.csv", b"", 422), ("a.exe", b"x", 422), ("a.csv", b"\x00\xff" * 50, 422),
     ("a.csv", b"id\n", 422), ("a.xlsx", b"PK\x03\x04 no workbook", 422), ("a.csv", b"x" * 50_200_000, 413)],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_and_not_kept(
    client: TestClient, name: str, content: bytes, status: int
) -> None:
    """An upload that fails must not stay on the disk, and must be told in words."""
    before = [one.id for one in bench(client).store.drafts(most=500)]
    answer = upload(client, name, content)
    assert answer.status_code == status
    assert [one.id for one in bench(client).store.drafts(most=500)] == before
    data = bench(client).store.folder / "data"
    assert not data.exists() or not any(data.iterdir())


GUESSED = "arm,guess,y,who\n" + "".join(
    f"{'MD' if n % 2 else 'PL'},{'MD' if n % 3 else 'PL'},{n % 7 + n % 2},p{n}\n" for n in range(80)
)


def test_guesses_of_a_finished_trial_are_read_once_and_not_kept(client: TestClient, tmp_path: Path) -> None:
    """The page says what the command says, keeps nothing, and shows a fault at its box."""
    fields = {"words.drug": "MD", "words.control": "PL", "columns.outcome": "y", "columns.person": "who"}

    def sent(name: str = "mrs-smith.csv", text: str = GUESSED, **more: str) -> "httpx.Response":
        return client.post("/blinding/guesses", data={"mark": bench(client).mark, **fields, **more},
                           files={"file": (name, text.encode())})  # fmt: skip

    folder = bench(client).store.folder
    before = sorted(one for one in folder.rglob("*") if one != folder / "data")
    found = sent()
    assert found.status_code == 200
    (tmp_path / "guesses.csv").write_text(GUESSED, "utf-8")
    told = analyze_finished(read_guesses(tmp_path / "guesses.csv", {
        "words": {"drug": ["MD"], "control": ["PL"]}, "columns": {"outcome": "y", "person": "who"}}))  # fmt: skip
    for line in told.verdict:
        assert with_minus(escape(line, quote=False).replace("'", "&#39;")) in found.text
    assert "--column person=who" in re.sub("<[^>]+>", "", found.text)
    assert "smith" not in found.text
    assert sorted(one for one in folder.rglob("*") if one != folder / "data") == before
    for more, said in (({"columns.outcome": "nope"}, "no column nope"), ({"outcome_day": "soon"}, "a number"),
                       ({"where": "x"}, "a column of"), ({"words.drug": "PL"}, "another word")):  # fmt: skip
        wrong = sent(**more)
        assert wrong.status_code == 422
        assert said in wrong.text
    assert 'aria-invalid="true"' in sent(**{"columns.outcome": "nope"}).text
    # Rows with one and the same fault are told once, in the words of the page.
    often = sent(**{"words.drug": "MDX"})
    assert often.text.count("expected one of") < 4
    assert "more row" in often.text
    assert "--drug" not in often.text
    assert sent(name="a.exe").status_code == 422
    assert sent(text="").status_code == 422
    assert client.post("/blinding/guesses", data=fields).status_code == 403


def test_a_plan_with_a_fault_is_shown_at_its_box(client: TestClient) -> None:
    """The plan is checked by the reader of the command, and with the file beside it."""
    plan = str(upload(client, "a.csv", TABLE.encode()).headers["location"]).partition("plan=")[2]
    found = client.get(f"/analyze.json?plan={plan}").json()
    fields = {"draft": plan, "revision": str(found["revision"]), "p:data.person": "nobody", "do": "run"}
    assert post(client, "/analyze", **fields).status_code == 422
    shown = client.get(f"/analyze.json?plan={plan}").json()
    boxes = {box["name"]: box for step in shown["steps"] for box in step["fields"]}
    assert boxes["p:data.person"]["fault"] or shown["others"]
    assert shown["reading"] is None


def test_nobody_sees_a_design_without_the_token(client: TestClient) -> None:
    """Every address of the bench asks for it, also those that only take forms."""
    draft = begin(client)
    stranger = TestClient(client.app, follow_redirects=False)
    for address in ("/design", f"/design?draft={draft}", "/analyze", "/runs", "/design.json"):
        assert stranger.get(address).status_code == 403, address
    for address in ("/design", "/design/new", "/analyze", "/analyze/new"):
        assert stranger.post(address, data={"draft": draft}).status_code == 403, address
        assert client.post(address, data={"draft": draft}).status_code == 403, "a form without its mark"
    assert client.get("/design?draft=nothing").status_code == 404
    assert client.get("/analyze?plan=nothing").status_code == 404


@pytest.mark.parametrize("box", ["text", "p:title", "o:replicates", "worlds"])
def test_a_box_with_a_megabyte_is_refused_at_once_and_the_others_are_kept(client: TestClient, box: str) -> None:
    """The file was read eight times a page, each time letter by letter: half a minute for one answer."""
    draft = begin(client, example="template")
    before = page(client, draft)
    answer = save(client, draft, **{"p:population.n_subjects": "31", box: "!" + "k" * 900_000, "do": "run"})
    assert answer.status_code == 422
    assert "900,001 characters" in answer.text
    assert len(answer.content) < 400_000
    after = page(client, draft)
    # A form of boxes keeps the others; what was refused stands nowhere, and nothing runs.
    assert "n_subjects: 31" in after["text"]
    assert "kkk" not in after["text"]
    assert abs(len(after["text"]) - len(before["text"])) < 10
    assert not after["jobs"]
    # A place that no file has, made up by hand, took the server down with it.
    for path in ("a." * 40 + "x", "a." * 3000 + "x"):
        answer = save(client, draft, **{f"p:{path}": "1"})
        assert (answer.status_code, "There is a problem" in answer.text) == (422, True)
    answer = post(client, "/design/new", text="a: !" + "k" * 900_000)
    assert (answer.status_code, "900,004 characters" in answer.text) == (422, True)
