"""Processes of one machine; a killed one costs time and no byte."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial
from operator import length_hint
from pathlib import Path
from typing import Any

import pytest
from ended import all_end
from validation.small_trials import small_protocol

from remission.cli.execute import choose_workers
from remission.errors import SpecError, WorkError
from remission.numerics.cores import available_cores
from remission.runs import crew as crews
from remission.runs.crew import Crew, Processes, crew_of
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

    with Processes(2) as crew:
        result = run_chunks(open_work(tmp_path, plan, "x"), plan, on_progress=kill_one, crew=crew)
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
    # Without an exit code each worker ends with an error before its first chunk.
    monkeypatch.setattr(crews, "_begin_worker", os._exit)
    with pytest.raises(WorkError, match="died 3 times"), Processes(2) as crew:
        run_chunks(open_work(tmp_path, plan, "x"), plan, crew=crew)


def fails(_: int) -> int:
    """As a piece of work that finds something wrong."""
    raise WorkError(where="x", got="y", allowed="z")


def test_an_error_in_a_worker_is_the_run_s_error() -> None:
    """An error that stays in its worker would leave a run that never ends."""
    with pytest.raises(WorkError, match="x"), Processes(2) as crew:
        list(crew.in_order(fails, range(3)))


def test_one_worker_is_this_process() -> None:
    """Starting another process for nothing costs seconds."""
    assert type(crew_of(1)) is Crew
    assert crew_of(None).n_workers == available_cores() >= 1


def slowly(item: int) -> int:
    """The earlier the piece, the later it is done."""
    time.sleep(0.02 * (9 - item))
    return item


@pytest.mark.parametrize("crew", [Crew(), Processes(3)])
def test_one_loop_keeps_the_order_and_one_does_not(crew: Crew) -> None:
    """A design stops at the first piece that decides it: any other answer would depend on the machine."""
    left = iter(range(10))
    with crew:
        results = crew.in_order(slowly, left)
        assert next(results) == 0
        assert 10 - length_hint(left) <= crew.n_at_once, "memory does not grow with the work"
        assert [0, *results] == list(range(10))
        assert sorted(crew.as_done(slowly, range(10))) == list(range(10))


def test_a_slow_piece_holds_up_nobody_where_the_order_is_free() -> None:
    """A run keeps each piece as it comes; waiting for a slow one would lose the others at a kill."""
    with Processes(2) as crew:
        # Both have started, so that the quick piece does not wait for its process.
        assert list(crew.in_order(slowly, (9, 9))) == [9, 9]
        assert next(crew.as_done(slowly, (0, 9))) == 9


def dies_once(place: Path, item: int) -> int:
    """The first process that gets piece 3 is killed in it."""
    if item == 3 and not place.exists():
        place.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item * item


@pytest.mark.slow
def test_a_design_outlives_a_killed_worker_as_a_run_does(tmp_path: Path) -> None:
    """A design of hours ended with the first worker that the system killed; the order must be kept over the loss."""
    with Processes(2) as crew:
        assert list(crew.in_order(partial(dies_once, tmp_path / "died"), range(12))) == [i * i for i in range(12)]
        workers = set(crew._workers)
        assert workers
    assert all_end(workers), "a closed crew leaves no process behind"


@pytest.mark.parametrize(
    ("options", "word"),
    [
        ({"workers": 0}, "--workers"),
        ({"workers": 1000}, "--workers"),
        ({"workers": 2, "cluster": "tcp://127.0.0.1:1"}, "one way"),
    ],
)
def test_impossible_numbers_of_workers_are_refused(options: dict[str, Any], word: str) -> None:
    """Before any work is done."""
    with pytest.raises(SpecError, match=word):
        choose_workers(**{"cluster": None, "workers": None, **options})


def test_workers_that_began_to_load_do_the_work() -> None:
    """They are the ones that work, no further ones; what one of them cannot load is said by the work that needs it."""
    with Processes(2) as crew:
        crew.begin(("remission.errors", "remission.no_such_module"))
        started = {process.pid for process in multiprocessing.active_children()}
        assert set(crew.in_order(_who, range(4))) <= started
    with Crew() as alone:
        alone.begin(("remission.no_such_module",))
        assert list(alone.in_order(_who, [0])) == [os.getpid()]


COPIES = """
import sys, threading
from remission.runs import crew

loaded_here = []

def look(_):
    return len(loaded_here)

assert crew.can_copy(), "one thread"
loaded_here.append("before the workers began")
with crew.Processes(2) as some:
    some.begin(("remission.errors",))
    assert list(some.in_order(look, range(4))) == [1] * 4, "what this process has, a copy has"
    some.begin(("remission.errors",))
    assert len(some._workers) == 2
done = threading.Event()
other = threading.Thread(target=done.wait)
other.start()
assert not crew.can_copy(), "a thread that a copy would lack"
with crew.Processes(2) as some:
    some.begin(("remission.errors",))
    assert list(some.in_order(abs, [-1, 2])) == [1, 2]
    assert not any(type(one).__name__ == "ForkProcess" for one in some._workers)
done.set()
"""


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only where the system counts threads")
def test_workers_are_copies_only_of_a_process_with_one_thread() -> None:
    """A copy starts at once, but a lock that another thread holds at that moment stays locked in it for ever."""
    subprocess.run([sys.executable, "-c", COPIES], check=True, timeout=240)


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="only where the system counts threads")
def test_a_copy_that_dies_is_followed_by_fresh_workers(tmp_path: Path) -> None:
    """By then this process has threads, so that nothing is copied again; the order is kept over the loss."""
    root = str(Path(__file__).parents[2])
    code = (
        f"import sys; sys.path[:0] = [{root!r}, {root + '/tests/support'!r}]\n"
        "from functools import partial\nfrom pathlib import Path\n"
        "from remission.runs.crew import Processes\nfrom tests.unit.test_crew import dies_once\n"
        "with Processes(2) as crew:\n"
        "    crew.begin(())\n"
        "    copies = set(crew._workers)\n"
        f"    found = list(crew.in_order(partial(dies_once, Path({str(tmp_path / 'died')!r})), range(12)))\n"
        "    assert found == [i * i for i in range(12)]\n"
        "    fresh = crew._workers - copies\n"
        "    print(*sorted({type(one).__name__ for one in copies}), *sorted({type(one).__name__ for one in fresh}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr
    kinds = done.stdout.split()
    assert kinds[-1] == "SpawnProcess"
    assert len(kinds) == 1 or kinds[0] == "ForkProcess"


def _who(_: int) -> int:
    return os.getpid()
