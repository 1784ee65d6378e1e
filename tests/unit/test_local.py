"""Threads and processes of one machine; a killed one costs time and no byte."""

import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from validation.small_trials import small_protocol

from remission.cli.execute import choose_workers
from remission.errors import SpecError, WorkError
from remission.runs import local
from remission.runs.local import available_cores, on_processes, on_threads
from remission.runs.piece import run_here
from remission.runs.work import open_work, run_chunks
from remission.trial.simulate import TrialPlan, plan_trial, simulate_trial


@pytest.fixture
def plan() -> TrialPlan:
    return plan_trial(small_protocol(), n_replicates=60, seed=3, chunk_replicates=4)


@pytest.mark.slow
def test_a_killed_worker_changes_no_number(plan: TrialPlan, tmp_path: Path) -> None:
    """The system kills the largest process when memory is short; the run must go on by itself."""
    killed: list[int] = []

    def kill_one(done: int, total: int) -> None:
        if not killed and done < total:
            (worker, *_) = (child for child in multiprocessing.active_children() if child.pid)
            assert worker.pid is not None
            killed.append(worker.pid)
            os.kill(worker.pid, signal.SIGKILL)

    result = run_chunks(open_work(tmp_path, plan, "x"), plan, on_progress=kill_one, do=on_processes(2))
    calm = simulate_trial(plan.protocol, n_replicates=60, seed=3)
    assert killed
    assert all(result.arms[name].mean.tobytes() == calm.arms[name].mean.tobytes() for name in calm.arms)
    assert all(
        result.estimates[name].estimate.tobytes() == calm.estimates[name].estimate.tobytes() for name in calm.estimates
    )


@pytest.mark.thorough
def test_workers_that_always_die_end_the_run_in_a_sentence(
    plan: TrialPlan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A machine without memory must not be tried for ever."""
    # The plan is no exit code: each worker ends with an error before its first chunk.
    monkeypatch.setattr(local, "_begin", os._exit)
    with pytest.raises(WorkError, match="died 3 times"):
        run_chunks(open_work(tmp_path, plan, "x"), plan, do=on_processes(2))


def test_an_error_in_a_thread_is_the_run_s_error(plan: TrialPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that stays in its thread would leave a run that never ends."""

    def fail(*_: object) -> None:
        raise WorkError(where="x", got="y", allowed="z")

    monkeypatch.setattr(local, "do_piece", fail)
    with pytest.raises(WorkError, match="x"):
        list(on_threads(2)(plan, plan.chunks))


def test_one_worker_is_this_process() -> None:
    """Starting another process for nothing costs seconds."""
    assert on_threads(1) is run_here
    assert on_processes(1) is run_here
    assert available_cores() >= 1


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"workers": 0}, "--workers"),
        ({"workers": 1000}, "--workers"),
        ({"threads": -1}, "--threads"),
        ({"workers": 2, "threads": 2}, "one way"),
        ({"workers": 2, "cluster": "tcp://127.0.0.1:1"}, "one way"),
    ],
)
def test_impossible_numbers_of_workers_are_refused(options: dict[str, int], word: str) -> None:
    """Before any work is done."""
    with pytest.raises(SpecError, match=word):
        choose_workers(**{"cluster": None, "workers": None, "threads": 1, **options})  # type: ignore[arg-type]
