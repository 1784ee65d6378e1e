"""Runs of older formats open for ever; runs of newer ones are refused by name. The stored ones are of schema 1."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from validation.small_trials import small_protocol

from remission.cli.app import run_app
from remission.door.runs import rebuild
from remission.errors import ProvenanceError, RunError
from remission.runs.folder import SCHEMA, read_run
from remission.runs.store import SCHEMA as STORE_SCHEMA
from remission.runs.store import ChunkStore
from remission.runs.work import open_work, read_work, verify_work
from remission.trial.simulate import plan_trial

pytestmark = pytest.mark.usefixtures("no_figures")

STORED = Path(__file__).with_name("data") / "schema-1"
FINISHED, UNFINISHED = "small-3-5c25cd6d", "small-4-a531d77d.unfinished"


@pytest.fixture
def old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the stored runs, seen by the version that made them."""
    shutil.copytree(STORED, tmp_path / "runs")
    for module in ("work", "identity"):
        monkeypatch.setattr(f"remission.runs.{module}.package_version", lambda: "0.1.0")
    return tmp_path / "runs"


def test_a_finished_run_of_schema_1_opens(old: Path) -> None:
    """A result that only its own version can read is lost with that version."""
    run = read_run(old / FINISHED)
    assert run.manifest["schema"] == 1 < SCHEMA
    assert run.summary["n_replicates"] == 2
    assert run_app(["show", str(old / FINISHED)]) == 0
    assert run_app(["verify", str(old / FINISHED)]) == 0


def test_a_run_of_an_earlier_form_is_made_again_by_its_own_version_only(old: Path) -> None:
    """Its values belong to other equations: numbers of today's under its name would be no copy of it."""
    with pytest.raises(RunError, match="another version"):
        rebuild(old / FINISHED)
    assert run_app(["rerun", str(old / FINISHED)]) in {1, 2}


def test_work_of_an_earlier_form_is_not_taken_up(old: Path) -> None:
    """Half a run of each form under one name; the chunks that are there stay as they are."""
    store = old / UNFINISHED / "chunks.sqlite"
    before = store.read_bytes()
    with pytest.raises(ProvenanceError, match="parameters"):
        read_work(old / UNFINISHED)
    assert run_app(["resume", str(old / UNFINISHED)]) in {1, 2}
    assert store.read_bytes() == before
    assert not (old / UNFINISHED.removesuffix(".unfinished")).exists()


def changed(path: Path, **values: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **values}), encoding="utf-8")


@pytest.mark.parametrize("schema", [SCHEMA + 1, 0, None, "2"])
def test_a_finished_run_of_another_schema_is_refused_by_name(schema: object, old: Path) -> None:
    """A newer format may mean something else by the same word."""
    changed(old / FINISHED / "manifest.json", schema=schema)
    with pytest.raises(RunError, match=f"schema {schema!r}.*newer version"):
        read_run(old / FINISHED)
    assert run_app(["show", str(old / FINISHED)]) == 2


def test_work_of_a_newer_schema_is_refused_by_name(old: Path) -> None:
    """Going on with it would write half a run of each."""
    changed(old / UNFINISHED / "plan.json", schema=99)
    with pytest.raises(RunError, match="schema 99"):
        read_work(old / UNFINISHED)
    assert run_app(["resume", str(old / UNFINISHED)]) == 2


def test_a_store_of_a_newer_schema_is_refused_by_name(tmp_path: Path) -> None:
    """SQLite itself would open it without a word."""
    with closing(sqlite3.connect(tmp_path / "chunks.sqlite")) as connection, connection:
        connection.execute(f"PRAGMA user_version={STORE_SCHEMA + 1}")
    connection.close()
    with pytest.raises(RunError, match=rf"chunks\.sqlite.*schema {STORE_SCHEMA + 1}"):
        ChunkStore(tmp_path / "chunks.sqlite")


@pytest.mark.parametrize("keep", [0, 100, 4096, 30_000])
def test_a_truncated_store_is_named_and_never_used(keep: int, old: Path, tmp_path: Path) -> None:
    """A copy that broke off: refused with the file's name, or empty and done again; never half a chunk used."""
    plan = plan_trial(small_protocol(), n_replicates=400, seed=4)
    folder = open_work(tmp_path / "mine", plan, "remission run small.yaml")
    shutil.copy(old / UNFINISHED / "chunks.sqlite", folder / "chunks.sqlite")
    store = folder / "chunks.sqlite"
    store.write_bytes(store.read_bytes()[:keep])
    if keep == 0:
        assert verify_work(folder, plan) == (0, 400)
        return
    with pytest.raises((RunError, ProvenanceError), match=r"chunks\.sqlite"):
        verify_work(folder, plan)
    assert run_app(["resume", str(folder)]) == 1
    assert not folder.with_name(folder.name.removesuffix(".unfinished")).exists()
