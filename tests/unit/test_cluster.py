"""Work handed to a real Dask scheduler and workers on this machine's loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from distributed import Client
from validation.small_trials import small_protocol

from remission.errors import RunError, WorkError
from remission.runs import cluster
from remission.runs.cluster import Cluster
from remission.runs.work import open_work, run_chunks
from remission.trial.result import TrialResult
from remission.trial.simulate import TrialPlan, plan_trial, simulate_trial

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),  # inside distributed
]


@pytest.fixture
def plan() -> TrialPlan:
    return plan_trial(small_protocol(), n_replicates=1500, seed=3)


def start(kind: str, *options: str, folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--host", "127.0.0.1", "--no-dashboard", *options]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """The address of a scheduler with two workers, and the processes, the scheduler first; all are ended afterwards."""
    note = tmp_path / "scheduler.json"
    processes = [start("scheduler", "--port", "0", "--scheduler-file", str(note), folder=tmp_path)]
    try:
        deadline = time.monotonic() + 60.0
        while not (note.exists() and note.read_text(encoding="utf-8").strip()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        address = json.loads(note.read_text(encoding="utf-8"))["address"]
        processes += [start("worker", "--nthreads", "1", "--no-nanny", address, folder=tmp_path) for _ in range(2)]
        connect: Any = Client
        with connect(address, timeout="60s", set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        yield address, processes
    finally:
        for process in processes[::-1]:
            process.kill()
            process.wait()


def numbers(result: TrialResult) -> list[bytes]:
    arms = [getattr(v, f).tobytes() for v in result.arms.values() for f in ("mean", "sd", "n", "event_share")]
    return [*arms, *(v.estimate.tobytes() for v in result.estimates.values()), result.counts.using.tobytes()]


def test_a_killed_worker_changes_no_number(
    plan: TrialPlan, scheduler: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    """Two workers, one of them killed after the first chunk: the bytes of a run in one process."""
    address, processes = scheduler
    seen: list[int] = []

    def kill_one(done: int, _total: int) -> None:
        if not seen:
            os.kill(processes[1].pid, signal.SIGKILL)
        seen.append(done)

    with Cluster(address) as crew:
        assert list(crew.in_order(abs, range(-30, 0))) == list(range(30, 0, -1)), "a design's order, on a cluster too"
        result = run_chunks(open_work(tmp_path, plan, "x"), plan, on_progress=kill_one, crew=crew)
    assert seen[-1] == plan.n_replicates
    assert numbers(result) == numbers(simulate_trial(plan.protocol, n_replicates=plan.n_replicates, seed=plan.seed))


def test_an_address_that_nobody_answers_is_named(
    plan: TrialPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong port must end in a sentence, and soon."""
    monkeypatch.setattr(cluster, "_ANSWER_WITHIN", "1s")
    with pytest.raises(RunError, match=r"127\.0\.0\.1:9"), Cluster("tcp://127.0.0.1:9") as crew:
        run_chunks(open_work(tmp_path, plan, "x"), plan, crew=crew)


@pytest.mark.parametrize("address", ["nonsense", "", "http://127.0.0.1:80", "tcp://127.0.0.1", "tcp://:x"])
def test_an_address_that_is_none_is_refused_before_any_work(address: str) -> None:
    """A slip of the fingers must not begin a run that then waits for nobody."""
    with pytest.raises(RunError, match="host and port"):
        Cluster(address)


@pytest.mark.thorough
def test_a_scheduler_that_goes_away_is_failed_work(
    plan: TrialPlan, scheduler: tuple[str, list[subprocess.Popen[bytes]]], tmp_path: Path
) -> None:
    """The run ends in a sentence, keeps what is done, and goes on without the cluster."""
    address, processes = scheduler

    def end_it(done: int, total: int) -> None:
        for process in processes:
            process.kill()

    folder = open_work(tmp_path, plan, "x")
    with pytest.raises(WorkError, match="--cluster"), Cluster(address) as crew:
        run_chunks(folder, plan, on_progress=end_it, crew=crew)
    result = run_chunks(folder, plan)
    assert numbers(result) == numbers(simulate_trial(plan.protocol, n_replicates=plan.n_replicates, seed=plan.seed))


class Waiting:
    """A queue whose one result comes after some looks, and a client that sees so many workers at each roll call."""

    def __init__(self, looks: int, workers: list[int]) -> None:
        self.looks, self.workers = looks, workers

    def is_empty(self) -> bool:
        return self.looks < 0

    def has_ready(self) -> bool:
        self.looks -= 1
        return self.looks < 0

    def __next__(self) -> tuple[None, str]:
        return None, "piece"

    def nthreads(self) -> dict[str, int]:
        return dict.fromkeys(map(str, range(self.workers.pop(0))), 1)


@pytest.mark.parametrize(("workers", "ends"), [([0, 0, 0, 0, 0, 0], False), ([0, 0, 1, 0, 0, 0], True)])
def test_workers_that_all_leave_are_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch, workers: list[int], ends: bool
) -> None:
    """A queue that ends at its time limit takes all workers at once; some come back in time, others never."""
    clock = iter(range(100))
    monkeypatch.setattr(cluster, "_WORKERS_BACK_WITHIN_S", 3.5)
    monkeypatch.setattr(cluster, "_ROLL_CALL_S", 0.5)
    monkeypatch.setattr(cluster, "_GLANCE_S", 0.0)
    # A clock of its own: threads of other tests look at the real one.
    monkeypatch.setattr(cluster, "time", SimpleNamespace(monotonic=lambda: float(next(clock)), sleep=time.sleep))
    waiting = Waiting(5, workers)
    if ends:
        assert list(cluster._as_they_come(waiting, waiting)) == [(None, "piece")]
    else:
        with pytest.raises(OSError, match=r"no worker for 3\.5 s"):
            list(cluster._as_they_come(waiting, waiting))


def test_workers_of_another_version_are_refused() -> None:
    """Another NumPy could move a number; then a cluster would not give the laptop's result."""
    here = cluster._identity()
    cluster._check_workers({"tcp://a": here}, "x")
    with pytest.raises(RunError, match="numpy"):
        cluster._check_workers({"tcp://a": here, "tcp://b": {**here, "numpy": "1.0"}}, "x")
    with pytest.raises(RunError, match="no worker"):
        cluster._check_workers({}, "x")
