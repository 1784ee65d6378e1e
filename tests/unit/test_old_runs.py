"""Runs of older formats open for ever; runs of newer ones are refused by name. The stored ones are of schema 1."""

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from remission.cli.app import run_app
from remission.door.runs import rebuild
from remission.errors import ProvenanceError, RunError
from remission.runs.folder import SCHEMA, read_run
from remission.runs.store import SCHEMA as STORE_SCHEMA
from remission.runs.store import ChunkStore
from remission.runs.work import read_work, run_chunks, verify_work
from remission.trial.simulate import simulate_trial

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


def test_a_run_of_schema_1_can_be_made_again(old: Path) -> None:
    """Its record names all that is needed; what differs, if anything, is named too."""
    found = rebuild(old / FINISHED)
    assert found.n_files == len(read_run(old / FINISHED).manifest["files"])
    # Another library may write other bytes, and the behavior values may move; then it must say so, not fail.
    assert all(difference.place for difference in (*found.differences, *found.made_of))


def test_work_of_schema_1_is_taken_up_again(old: Path) -> None:
    """Its one finished chunk is used, the others are done, and the next version of the store is written."""
    folder = old / UNFINISHED
    plan, command = read_work(folder)
    assert "small.yaml" in command
    assert verify_work(folder, plan) == (170, 400)
    seen: list[int] = []
    result = run_chunks(folder, plan, on_progress=lambda done, total: seen.append(done))
    assert seen[0] == 170
    calm = simulate_trial(plan.protocol, n_replicates=400, seed=4, parameters=plan.parameters)
    assert [v.mean.shape for v in result.arms.values()] == [v.mean.shape for v in calm.arms.values()]
    with sqlite3.connect(folder / "chunks.sqlite") as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (STORE_SCHEMA,)
    connection.close()


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
    with sqlite3.connect(tmp_path / "chunks.sqlite") as connection:
        connection.execute(f"PRAGMA user_version={STORE_SCHEMA + 1}")
    connection.close()
    with pytest.raises(RunError, match=rf"chunks\.sqlite.*schema {STORE_SCHEMA + 1}"):
        ChunkStore(tmp_path / "chunks.sqlite")


@pytest.mark.parametrize("keep", [0, 100, 4096, 30_000])
def test_a_truncated_store_is_named_and_never_used(keep: int, old: Path) -> None:
    """A copy that broke off: refused with the file's name, or empty and done again; never half a chunk used."""
    folder = old / UNFINISHED
    store = folder / "chunks.sqlite"
    store.write_bytes(store.read_bytes()[:keep])
    plan, _ = read_work(folder)
    if keep == 0:
        assert verify_work(folder, plan) == (0, 400)
        return
    with pytest.raises((RunError, ProvenanceError), match=r"chunks\.sqlite"):
        verify_work(folder, plan)
    assert run_app(["resume", str(folder)]) == 1
    assert not (old / UNFINISHED.removesuffix(".unfinished")).exists()
