"""Runs under way: killed, damaged, shared, and taken up again to the same bytes."""

import hashlib
import io
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from validation.small_trials import small_protocol

from remission.analyses.estimate import Status
from remission.cli import execute
from remission.errors import ProvenanceError, RunError, WorkError
from remission.protocol.file import write_protocol
from remission.runs.folder import read_run
from remission.runs.piece import pack
from remission.runs.store import ChunkStore
from remission.runs.work import discard_work, open_work, read_work, run_chunks, verify_work, work_folder
from remission.trial.result import TrialResult
from remission.trial.simulate import TrialPlan, plan_trial, simulate_trial

N_REPLICATES = 600
_CODES = [Status.OK, Status.NO_VARIATION, Status.SEPARATION]
"""As they were kept from the beginning."""


@pytest.fixture
def plan() -> TrialPlan:
    return plan_trial(small_protocol(), n_replicates=N_REPLICATES, seed=3)


def numbers(result: TrialResult) -> list[bytes]:
    arms = [getattr(v, f).tobytes() for v in result.arms.values() for f in ("mean", "sd", "n", "event_share")]
    estimates = [getattr(v, f).tobytes() for v in result.estimates.values() for f in ("estimate", "low", "high")]
    return [*arms, *estimates, result.counts.using.tobytes(), result.counts.never_used.tobytes()]


def test_a_run_taken_up_again_is_the_run_that_never_stopped(plan: TrialPlan, tmp_path: Path) -> None:
    """Stop after the second chunk, go on in a new store: every number equals the run in memory."""
    folder = open_work(tmp_path, plan, "remission run")

    def stop(done: int, total: int) -> None:
        if done >= 2 * plan.chunks[0].count:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_chunks(folder, plan, on_progress=stop)
    assert verify_work(folder, plan) == (2 * plan.chunks[0].count, N_REPLICATES)
    again, command = read_work(folder)
    assert command == "remission run"
    seen: list[int] = []
    result = run_chunks(folder, again, on_progress=lambda done, total: seen.append(done))
    assert seen[0] == 2 * plan.chunks[0].count
    assert numbers(result) == numbers(simulate_trial(small_protocol(), n_replicates=N_REPLICATES, seed=3))


def test_chunks_may_come_in_any_order(plan: TrialPlan) -> None:
    """Other machines finish when they finish."""
    results = [plan.run(chunk) for chunk in plan.chunks]
    assert numbers(plan.finish(results[::-1])) == numbers(plan.finish(results))


def test_a_damaged_chunk_is_named_and_never_used(plan: TrialPlan, tmp_path: Path) -> None:
    """One flipped bit in the store must not become a result."""
    folder = open_work(tmp_path, plan, "x")
    run_chunks(folder, plan)
    first = plan.chunks[1].first
    with closing(sqlite3.connect(folder / "chunks.sqlite")) as connection, connection:
        (payload,) = connection.execute("SELECT payload FROM chunk WHERE first = ?", (first,)).fetchone()
        broken = payload[:99] + bytes([payload[99] ^ 1]) + payload[100:]
        connection.execute("UPDATE chunk SET payload = ? WHERE first = ?", (broken, first))
    connection.close()
    for look in (verify_work, run_chunks):
        with pytest.raises(ProvenanceError, match=f"chunk {first}"):
            look(folder, plan)


def kept_instead(store: Path, first: int, payload: bytes) -> None:
    """Another content of a chunk, with the hash that it should have."""
    with closing(sqlite3.connect(store)) as connection, connection:
        row = (payload, hashlib.sha256(payload).hexdigest(), first)
        connection.execute("UPDATE chunk SET payload = ?, sha256 = ? WHERE first = ?", row)
    connection.close()


@pytest.mark.parametrize("keeps", [0, 1, 40, -1, 1_000_000])
def test_a_chunk_is_whole_or_is_not_used(plan: TrialPlan, tmp_path: Path, keeps: int) -> None:
    """Too short, too long or empty, with a hash that fits: named, and no other error."""
    folder = open_work(tmp_path, plan, "x")
    run_chunks(folder, plan)
    whole = pack(plan.run(plan.chunks[0]))
    kept_instead(folder / "chunks.sqlite", 0, whole[:keeps] if keeps < len(whole) else whole + b"0")
    with pytest.raises(ProvenanceError, match="chunk 0"):
        run_chunks(folder, plan)


@pytest.mark.parametrize(
    "payload",
    [
        b"[]\n", b"[1]\n", b"no json\n", b"\n", b"PK", b"{}\n", b'[["counts/people", "O", [1]]]\n12345678',
        b'[["counts/people", "f8", [-1]]]\n12345678', b'[["counts/people", "f8", [1e9]]]\n12345678',
        b'[[1, "f8", [1]]]\n12345678', b'[["elsewhere", "f8", [1]]]\n12345678',
        b'[["counts/people", "f8", [99999999999999999999]]]\n12345678',
    ],
)  # fmt: skip
def test_a_chunk_of_another_kind_is_not_used(plan: TrialPlan, tmp_path: Path, payload: bytes) -> None:
    """Whatever stands there, with a hash that fits: named, and no other error."""
    folder = open_work(tmp_path, plan, "x")
    run_chunks(folder, plan)
    kept_instead(folder / "chunks.sqlite", 0, payload)
    with pytest.raises(ProvenanceError, match="chunk 0"):
        run_chunks(folder, plan)


def test_chunks_that_an_earlier_form_kept_are_read(plan: TrialPlan, tmp_path: Path) -> None:
    """Schema 2 kept an archive of NumPy."""
    folder = open_work(tmp_path, plan, "x")
    expected = numbers(run_chunks(folder, plan))
    for chunk in plan.chunks[::2]:
        found = plan.run(chunk)
        arrays = {f"counts/{name}": getattr(found.counts, name) for name in ("people", "using", "never_used")}
        arrays["counts/in_study"] = found.counts.in_study
        for name, arm in found.arms.items():
            arrays |= {f"arms/{name}/{one}": getattr(arm, one) for one in ("mean", "sd", "n", "event_share")}
        for name, of in found.estimates.items():
            arrays |= {f"estimates/{name}/{one}": getattr(of, one) for one in ("estimate", "low", "high", "p_value")}
            codes = [_CODES.index(one) for one in of.status]
            arrays[f"estimates/{name}/status"] = np.array(codes, dtype=np.int8)
        stream = io.BytesIO()
        np.savez(stream, **arrays)
        kept_instead(folder / "chunks.sqlite", chunk.first, stream.getvalue())
    assert numbers(run_chunks(folder, plan)) == expected


def test_a_missing_chunk_is_named(plan: TrialPlan, tmp_path: Path) -> None:
    """Asked for what is not there, the store says so."""
    with ChunkStore(tmp_path / "chunks.sqlite") as store, pytest.raises(ProvenanceError, match="nothing"):
        store.load(plan.chunks[0])


def test_a_store_that_another_process_is_opening_is_waited_for(tmp_path: Path) -> None:
    """Two processes that start in the same moment both want to turn the log on; one of them has to wait."""
    path = tmp_path / "chunks.sqlite"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(1.0, other.execute, ["COMMIT"])
    timer.start()
    with ChunkStore(path) as store:
        assert store.finished() == set()
    timer.join()
    other.close()


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    """SQLite's own words, with the place and a remedy."""
    (tmp_path / "chunks.sqlite").write_text("no database, but long enough to look like a file with a header")
    with pytest.raises(RunError, match=r"chunks\.sqlite"):
        ChunkStore(tmp_path / "chunks.sqlite")


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"seed": 4}, ProvenanceError),
        ({"schema": 99}, RunError),
        ({"source_sha256": "0" * 64}, RunError),
        ({"version": "9.9.9"}, RunError),
    ],
)
def test_a_changed_plan_is_not_continued(
    change: dict[str, object], error: type[Exception], plan: TrialPlan, tmp_path: Path
) -> None:
    """Half a run with one seed and half with another would be a third trial."""
    folder = open_work(tmp_path, plan, "x")
    content = json.loads((folder / "plan.json").read_text(encoding="utf-8"))
    (folder / "plan.json").write_text(json.dumps({**content, **change}), encoding="utf-8")
    with pytest.raises(error):
        read_work(folder)


def test_a_folder_without_a_plan_is_refused(tmp_path: Path) -> None:
    """A typing error must not start anything."""
    with pytest.raises(RunError, match="unfinished"):
        read_work(tmp_path)


def command_of(folder: Path) -> list[str]:
    (folder / "small.yaml").write_text(write_protocol(small_protocol()), encoding="utf-8")
    return [sys.executable, "-m", "remission", "run", "small.yaml", "-n", str(N_REPLICATES), "--seed", "3", "--json"]


@pytest.mark.thorough
@pytest.mark.slow
def test_two_processes_on_one_run_do_not_harm_each_other(plan: TrialPlan, tmp_path: Path) -> None:
    """Started at the same moment on the same folder, both end well and one whole run stands there."""
    processes = [
        subprocess.Popen(command_of(tmp_path), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    answers = [process.communicate(timeout=120) for process in processes]
    assert [process.returncode for process in processes] == [0, 0], answers
    name = work_folder(tmp_path / "runs", plan).name.removesuffix(".unfinished")
    assert read_run(tmp_path / "runs" / name).summary["n_replicates"] == N_REPLICATES
    assert sorted(path.name for path in (tmp_path / "runs").iterdir()) == [name]


def test_the_slower_of_two_processes_takes_the_result_of_the_quicker(
    plan: TrialPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The quicker one finishes and removes the common work folder while the slower one still computes."""
    few = plan_trial(plan.protocol, n_replicates=4, seed=3)
    quicker = execute.execute(few, tmp_path, "x", quiet=True)

    def too_late(folder: Path, *_: object, **__: object) -> None:
        discard_work(folder)
        raise WorkError(where=str(folder), got="disk I/O error", allowed="a chunk store")

    monkeypatch.setattr("remission.runs.run.run_chunks", too_late)
    assert execute.execute(few, tmp_path, "x", quiet=True) == quicker
    shutil.rmtree(quicker["folder"])
    with pytest.raises(RunError, match="disk"):
        execute.execute(few, tmp_path, "x", quiet=True)


@pytest.mark.usefixtures("no_figures")
def test_a_run_is_found_under_its_name_on_any_day(
    plan: TrialPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with a day in it must not make the same command compute everything again after midnight."""
    few = plan_trial(plan.protocol, n_replicates=4, seed=3)
    other = plan_trial(plan.protocol, n_replicates=4, seed=4)

    def on(day: str) -> None:
        monkeypatch.setattr("remission.runs.identity.today", lambda: day)

    on("2026-11-29")
    begun = open_work(tmp_path, few, "x")
    assert re.fullmatch(r"small-2026-11-29-[0-9a-f]{8}\.unfinished", begun.name)
    on("2026-11-30")
    assert open_work(tmp_path, few, "x") == begun
    first = execute.execute(few, tmp_path, "x", quiet=True)
    assert Path(first["folder"]).name == begun.name.removesuffix(".unfinished")
    on("2027-01-01")
    assert execute.execute(few, tmp_path, "x", quiet=True) == first
    assert [path.name for path in tmp_path.iterdir()] == [Path(first["folder"]).name]
    assert work_folder(tmp_path, other).name.startswith("small-2027-01-01-")


@pytest.mark.usefixtures("no_figures")
def test_a_run_named_by_its_seed_is_taken_up_and_keeps_its_name(plan: TrialPlan, tmp_path: Path) -> None:
    """Names once held the seed where the day is; what was begun so is finished so, and no other seed's name fits."""
    few = plan_trial(plan.protocol, n_replicates=4, seed=3)
    begun = open_work(tmp_path, few, "x")
    protocol, digits = "small", begun.name.removesuffix(".unfinished")[-8:]
    old = begun.rename(tmp_path / f"{protocol}-3-{digits}.unfinished")
    assert work_folder(tmp_path, few) == old
    assert read_work(old)[0].seed == 3
    finished = execute.execute(few, tmp_path, "x", quiet=True)
    assert Path(finished["folder"]).name == f"{protocol}-3-{digits}"
    for wrong in (f"{protocol}-4-{digits}.unfinished", f"{protocol}-2026-11-29-00000000.unfinished", "mine"):
        folder = open_work(tmp_path / wrong, few, "x")
        with pytest.raises(ProvenanceError, match="does not belong"):
            read_work(folder.rename(tmp_path / wrong / wrong))
