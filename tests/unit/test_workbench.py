"""The workbench: what it keeps, who may use it, and jobs that survive whatever happens to their server."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

pytest.importorskip("sqlalchemy")

from remission.cli.app import run_app
from remission.errors import RunError, WorkError
from remission.library.protocols import protocol_template
from remission.web.app import create_app
from remission.web.bench import entry
from remission.web.bench.foreman import Foreman
from remission.web.bench.store import Store, fresh_id
from remission.web.settings import WebSettings

SMALL = protocol_template().replace("n_subjects: 120", "n_subjects: 24")
DESIGN = ("design", "protocol.yaml", "--replicates", "12", "--report", "report", "--yes", "--json")


def until(is_so: Callable[[], object], longest_s: float = 400.0) -> None:
    """Wait for something that another process does; the time is a limit and measures nothing."""
    end = time.monotonic() + longest_s
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def add(store: Store, words: tuple[str, ...] = DESIGN, kind: str = "design", protocol: str = SMALL) -> str:
    job_id = fresh_id()
    folder = store.job_folder(job_id)
    folder.mkdir()
    (folder / "protocol.yaml").write_text(protocol, "utf-8")
    store.add_job(kind=kind, title="A design", words=words, facts={}, job_id=job_id)
    return job_id


def state(store: Store, job_id: str) -> str:
    found = store.job(job_id)
    assert found is not None
    return found.state


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """A reader who has come in, of a server with a workbench."""
    folder = tmp_path_factory.mktemp("bench")
    app = create_app(WebSettings(hosts=("testserver",), workbench=folder))
    with TestClient(app, follow_redirects=False) as one:
        answer = one.get(f"/workbench?token={app.state.bench.token}")
        assert answer.status_code == 303
        yield one
    app.state.bench.foreman.close()


def bench(client: TestClient) -> entry.Bench:
    found: entry.Bench = client.app.state.bench  # type: ignore[attr-defined]  # our own app
    return found


def send(client: TestClient, address: str, **fields: str) -> int:
    return client.post(address, data={"mark": bench(client).mark, **fields}).status_code


def test_without_a_workbench_there_is_none() -> None:
    """A server for readers must not let them start simulations."""
    with TestClient(create_app(WebSettings(hosts=("testserver",)))) as one:
        for address in ("/runs", "/runs.json", "/run/abc", "/run/abc/file/x", "/workbench?token=x"):
            assert one.get(address).status_code == 404, address
        assert one.post("/run/abc/cancel", data={}).status_code == 404
        assert 'href="/trial"' in one.get("/").text
        assert 'href="/runs"' not in one.get("/").text


def test_nobody_comes_in_without_the_token(client: TestClient) -> None:
    """Another user of the machine, or a page of another site, reaches the port as well."""
    stranger = TestClient(client.app, follow_redirects=False)
    for address in ("/runs", "/run/abc", "/run/abc/file/protocol.yaml", "/workbench"):
        assert stranger.get(address).status_code == 403, address
    assert stranger.get("/runs.json").json()["faults"][0]["where"] == "the workbench"
    assert stranger.get("/workbench?token=guess").status_code == 403
    assert not stranger.cookies
    answer = stranger.get(f"/workbench?token={bench(client).token}")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert "token" not in answer.headers["location"]


def test_a_form_of_another_page_does_nothing(client: TestClient) -> None:
    """A reader's browser sends the cookie with a form of a foreign page; the mark it cannot know."""
    store = bench(client).store
    job_id = add(store, ("no-such-command",))
    store.move_job(job_id, "canceled", of=("waiting", "running", "failed"))
    for data in ({}, {"mark": "0" * 32}):
        assert client.post(f"/run/{job_id}/remove", data=data).status_code == 403
    foreign = {"Sec-Fetch-Site": "cross-site"}
    own = {"mark": bench(client).mark}
    assert client.post(f"/run/{job_id}/remove", data=own, headers=foreign).status_code == 403
    assert client.post(f"/run/{job_id}/remove", data={**own, "x": "y" * 3_000_000}).status_code == 413
    assert client.post(f"/run/{job_id}/remove", content=b"\xff=%", headers={"content-type": "x/y"}).status_code == 403
    assert store.job(job_id) is not None
    assert send(client, f"/run/{job_id}/remove") == 303
    assert store.job(job_id) is None
    assert not store.job_folder(job_id).exists()


def test_two_tabs_do_not_overwrite_each_other(tmp_path: Path) -> None:
    """The second of two changes that were made from one state is told, and nothing is lost."""
    store = Store(tmp_path)
    draft = store.add_draft(title="One", protocol="id: one", asked={"alpha": "0.05"})
    first = store.change_draft(draft, title="Two", protocol="id: two", asked={})
    assert first is not None
    assert store.change_draft(draft, title="Three", protocol="id: three", asked={}) is None
    assert store.draft(draft.id) == first
    assert Store(tmp_path).draft(draft.id) == first, "another server reads what this one kept"
    assert oct(tmp_path.stat().st_mode)[-3:] == "700"


def test_a_folder_of_a_newer_version_or_another_server_is_refused(tmp_path: Path) -> None:
    """Two servers would do each job twice; an older program would misread a newer file."""
    store = Store(tmp_path)
    foreman = Foreman(store)
    with pytest.raises(RunError, match="another server"):
        Foreman(Store(tmp_path))
    foreman.close()
    import sqlite3

    with closing(sqlite3.connect(tmp_path / "workbench.sqlite")) as found, found:
        found.execute("PRAGMA user_version = 99")
    with pytest.raises(RunError, match="version 99"):
        Store(tmp_path)


def test_a_full_disk_is_told_and_keeps_what_was_there(tmp_path: Path) -> None:
    """SQLite's own error names no file and no remedy."""
    store = Store(tmp_path)
    kept = store.add_draft(title="One", protocol="id: one", asked={})
    import sqlalchemy

    def full(connection: "sqlalchemy.Connection") -> None:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")

    sqlalchemy.event.listen(store._engine, "begin", full)
    with pytest.raises(WorkError, match="full"):
        store.add_draft(title="Two", protocol="x" * 500_000, asked={})
    sqlalchemy.event.remove(store._engine, "begin", full)
    assert [one.id for one in store.drafts()] == [kept.id]
    # What SQLite needs for reading is there before the disk is full: then nobody can make it.
    assert (tmp_path / "workbench.sqlite-shm").is_file()


def typed(capsys: pytest.CaptureFixture[str], folder: Path, *options: str) -> dict[str, Any]:
    """The first characteristics that the command gives where somebody types it."""
    protocol = folder / "typed.yaml"
    protocol.write_text(SMALL, "utf-8")
    capsys.readouterr()
    assert run_app(["design", str(protocol), *options, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)["characteristics"][0]
    return found


def test_a_job_runs_and_gives_what_the_command_gives(
    client: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page is a face of the command: its numbers are the command's to the last digit."""
    store = bench(client).store
    job_id = add(store)
    bench(client).foreman.wake()
    until(lambda: state(store, job_id) in {"done", "failed"})
    page = client.get(f"/run/{job_id}.json").json()
    assert (page["job"]["state"], page["faults"]) == ("done", [])
    told = typed(capsys, tmp_path, "--replicates", "12")
    kept = json.loads((store.job_folder(job_id) / "report" / "design.json").read_text("utf-8"))["characteristics"][0]
    assert kept == told
    assert page["found"]["points"][0]["value"] == told["rejected"]["value"]
    shown = client.get(f"/run/{job_id}").text
    assert "What 12 trials of 24 people would report" in shown
    report = client.get(f"/run/{job_id}/file/report/report.html")
    assert "sandbox" in report.headers["content-security-policy"]
    assert client.get(f"/run/{job_id}/file/report/tables/estimates.parquet").content[:4] == b"PAR1"
    for wrong in (
        "%2e%2e/%2e%2e/workbench.sqlite",
        "report/%2e%2e/%2e%2e/x",
        "data/people.csv",
        "",
        "%00",
    ):
        assert client.get(f"/run/{job_id}/file/{wrong}").status_code in {404, 405}, wrong
    other = add(store)
    until(lambda: state(store, other) == "done")
    compared = client.get(f"/runs.json?job={job_id}&job={other}").json()["compared"]
    assert {row[3] for row in compared["rows"]} == {"equal"}
    assert client.get(f"/runs?job={job_id}").status_code == 422
    # Somebody removes the folder underneath.
    import shutil

    shutil.rmtree(store.job_folder(other))
    gone = client.get(f"/run/{other}")
    assert gone.status_code == 200
    assert "start the job again" in gone.text
    assert client.get("/runs").status_code == 200
    store.move_job(other, "canceled", of=("done",))
    assert send(client, f"/run/{other}/resume") == 422


def test_a_run_made_elsewhere_is_read_and_its_days_are_scored_again(
    client: TestClient, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scored over any days from what the run kept, counted here by hand; nothing of such a run is changed."""
    import pyarrow.parquet as pq

    (tmp_path / "small.yaml").write_text(SMALL, "utf-8")
    runs = bench(client).store.folder / "runs"
    words = ["run", str(tmp_path / "small.yaml"), "--replicates", "2", "--diaries", "--out", str(runs), "--json"]
    assert run_app(words) == 0
    name = Path(json.loads(capsys.readouterr().out)["runs"][0]["folder"]).name
    before = {path: path.read_bytes() for path in (runs / name).rglob("*") if path.is_file()}
    assert name in client.get("/runs.json").json()["folders"]
    assert f"/run/at-{name}" in client.get("/runs").text
    page = client.get(f"/run/at-{name}.json?first=3&last=40&replicate=1").json()
    assert page["faults"] == []
    assert page["found"]["headline"] == "2 replicates of 24 people"
    assert any(fact[0] == "seed" for fact in page["facts"])
    days = pq.read_table(runs / name / "diaries.parquet").to_pandas()
    days = days[(days["replicate"] == 1) & days["day"].between(3, 40) & days["observed"]]
    used = days.groupby(["arm", "subject"], observed=True)["reported_use"].sum().groupby("arm", observed=True)
    row = next(one for one in page["scored"]["rows"] if one[0] == "Days of use")
    for arm, cell in zip(page["scored"]["columns"][1:], row[1:], strict=True):
        assert cell.split(" ")[0] == f"{used.mean()[arm]:.3g}"
    shown = client.get(f"/run/at-{name}?first=3&last=40&replicate=1")
    assert "only read here" in shown.text
    assert "Days of use" in shown.text
    for wrong in ("first=40&last=3", "first=0&last=3000", "first=0&last=20&replicate=7"):
        assert "There is a problem" in client.get(f"/run/at-{name}?{wrong}").text, wrong
    assert client.get(f"/run/at-{name}?first=0&last=99999").status_code == 422
    for action in ("remove", "cancel", "resume"):
        assert send(client, f"/run/at-{name}/{action}") == 404
    assert client.get(f"/run/at-{name}/file/report/diaries.parquet").content[:4] == b"PAR1"
    for no in ("at-..", "at-%2e%2e", "at-nothing", "at-"):
        assert client.get(f"/run/{no}").status_code == 404
    assert {path: path.read_bytes() for path in before} == before
    (runs / name / "summary.json").write_text("{", "utf-8")
    assert "There is a problem" in client.get(f"/run/at-{name}").text


def test_a_wrong_command_ends_with_the_words_of_the_command_line(client: TestClient) -> None:
    """What a page says must be what the shell says: one validation."""
    store = bench(client).store
    job_id = add(store, ("design", "protocol.yaml", "--replicates", "0", "--json"))
    bench(client).foreman.wake()
    until(lambda: state(store, job_id) == "failed")
    fault = client.get(f"/run/{job_id}.json").json()["faults"][0]
    assert (fault["where"], fault["got"]) == ("--replicates", "0")


def test_a_job_is_canceled_and_goes_on(client: TestClient) -> None:
    """Cancel must end the process, and what it kept must stay."""
    store, foreman = bench(client).store, bench(client).foreman
    job_id = add(
        store,
        (
            "design",
            "protocol.yaml",
            "--replicates",
            "1500",
            "--mcse",
            "0.0001",
            "--report",
            "report",
            "--yes",
            "--json",
        ),
    )
    foreman.wake()
    journal = store.job_folder(job_id) / "report.unfinished" / "journal.jsonl"
    until(lambda: journal.is_file() and journal.stat().st_size > 0)
    progress = foreman.progress(job_id)
    assert progress is not None
    assert progress.points
    assert send(client, f"/run/{job_id}/cancel") == 303
    until(lambda: foreman.progress(job_id) is None)
    assert state(store, job_id) == "canceled"
    kept = journal.read_bytes()
    assert send(client, f"/run/{job_id}/resume") == 303
    until(lambda: journal.stat().st_size > len(kept) or state(store, job_id) == "done")
    assert journal.read_bytes().startswith(kept[: kept.rfind(b"\n")])
    assert send(client, f"/run/{job_id}/cancel") == 303


def test_nothing_is_lost_when_the_server_is_killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Kill -9 in the middle of a job: its process ends too, and the next server takes it up where it was."""
    words = [sys.executable, "-m", "remission", "serve", "--port", "0", "--workbench", str(tmp_path / "bench")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            server.stdout.readline()
            found = re.search(r"/workbench\?token=\S+", server.stdout.readline())
            assert found, "the address to come in by"
            store = Store(tmp_path / "bench")
            job_id = add(
                store,
                (
                    "design",
                    "protocol.yaml",
                    "--replicates",
                    "150",
                    "--mcse",
                    "0.0001",
                    "--report",
                    "report",
                    "--yes",
                    "--json",
                ),
            )
            journal = store.job_folder(job_id) / "report.unfinished" / "journal.jsonl"
            until(lambda: journal.is_file() and journal.stat().st_size > 0)
        finally:
            os.kill(server.pid, signal.SIGKILL)
    kept = journal.read_bytes() if journal.is_file() else b""
    time.sleep(1.0)
    left = journal.stat().st_size if journal.is_file() else 0
    time.sleep(0.5)
    assert (journal.stat().st_size if journal.is_file() else 0) == left, "its process works on without a server"
    assert state(store, job_id) == "running"
    foreman = Foreman(store)
    try:
        until(lambda: state(store, job_id) == "done")
    finally:
        foreman.close()
    job = store.job(job_id)
    assert job is not None
    assert job.attempts == 2
    assert "taken up" in job.log
    told = typed(capsys, tmp_path, "--replicates", "150", "--mcse", "0.0001")
    done = json.loads((store.job_folder(job_id) / "report" / "design.json").read_text("utf-8"))
    assert done["characteristics"][0] == told
    assert kept or left


def test_a_job_that_ends_its_server_is_not_begun_for_ever(tmp_path: Path) -> None:
    """A job too large for the memory would take every next server with it."""
    store = Store(tmp_path)
    job_id = add(store)
    for _ in range(3):
        assert store.claim() is not None
        store.take_up_again()
    assert state(store, job_id) == "failed"


def test_the_end_of_a_job_is_told_while_the_disk_is_full(tmp_path: Path) -> None:
    """A job that filled the disk was shown as running for ever: its end could not be written."""
    import sqlalchemy

    store = Store(tmp_path)
    first, second = add(store), add(store)
    assert store.claim() is not None

    def full(connection: "sqlalchemy.Connection") -> None:
        connection.exec_driver_sql("PRAGMA query_only = 1")

    sqlalchemy.event.listen(store._engine, "begin", full)
    fault = {"where": "out", "got": "no room", "allowed": "a disk with room", "remedy": "Free space, then resume."}
    assert store.move_job(first, "failed", of=("running",), failure=(fault,))
    assert not store.move_job(first, "canceled", of=("waiting", "running"))
    found = store.job(first)
    assert found is not None
    assert (found.state, found.failure, bool(found.ended_at)) == ("failed", (fault,), True)
    assert [one.state for one in store.jobs()] == ["waiting", "failed"]
    # Nothing else is begun, and a resume is refused, until the disk has room.
    for refused in (store.claim, lambda: store.move_job(first, "waiting", of=("failed",))):
        with pytest.raises(WorkError):
            refused()
    sqlalchemy.event.remove(store._engine, "begin", full)
    claimed = store.claim()
    assert claimed is not None
    assert claimed.id == second
    assert [one.state for one in Store(tmp_path).jobs()] == ["running", "failed"]
    assert store.move_job(first, "waiting", of=("failed",))
    assert state(store, first) == "waiting"


def test_processes_that_die_at_once_are_not_started_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """One was started at every line of progress; jobs wait, the reason is told once, and all goes on by itself."""
    from remission.web.bench import foreman as module

    starts = []

    def dying(folder: Path) -> "subprocess.Popen[str]":
        starts.append(folder)
        return subprocess.Popen(
            [sys.executable, "-c", "import sys; sys.exit('no memory')"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    whole = module._start
    monkeypatch.setattr(module, "_start", dying)
    monkeypatch.setattr(module, "_IDLE_S", 0.05)
    store = Store(tmp_path)
    job_id = add(store, ("design", "protocol.yaml", "--replicates", "0", "--json"))
    foreman = Foreman(store)
    try:
        until(lambda: foreman._deaths >= 3)
        for _ in range(200):
            with suppress(RunError):
                foreman._prepare()
        assert len(starts) < 10
        assert foreman.trouble is not None
        assert "no memory" in str(foreman.trouble)
        assert state(store, job_id) == "waiting"
        assert len(caplog.records) == 1
        monkeypatch.setattr(module, "_start", whole)
        until(lambda: state(store, job_id) == "failed")
        assert foreman.trouble is None
    finally:
        foreman.close()
