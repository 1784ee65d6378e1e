"""A process beside this one: it saves time, it is never waited for in vain, and losing it costs no byte."""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from ended import all_end
from validation.small_trials import small_protocol

from remission.cli import beside
from remission.report.write import draw_charts, write_report
from remission.runs.crew import Beside
from remission.trial.simulate import simulate_trial

# Light enough for a process that a test starts.
LOADS = ("remission.errors",)


def where(item: int) -> tuple[int, int]:
    return item, os.getpid()


def loaded(crew: Beside) -> None:
    """Wait until the other process takes work."""
    assert crew.submit(where, 0).result()[1] != os.getpid()


def end_the_other(item: int, *, here: int) -> int:
    """The answer; whoever is not the first process dies of the third item."""
    if item == 2 and os.getpid() != here:
        os.kill(os.getpid(), signal.SIGKILL)
    return 10 * item


def test_both_processes_work() -> None:
    with Beside(LOADS) as crew:
        loaded(crew)
        found = list(crew.in_order(where, range(4)))
    assert [item for item, _ in found] == [0, 1, 2, 3]
    assert len({place for _, place in found}) == 2
    assert os.getpid() in {place for _, place in found}


def test_one_piece_does_not_wait_for_a_process_that_still_loads() -> None:
    """One replicate once would have waited for another process's imports."""
    with Beside(LOADS) as crew:
        ((_, place),) = crew.as_done(where, [0])
    assert place == os.getpid()


def slow_here(item: int, *, here: int) -> tuple[int, int]:
    """The first process takes as long for its only item as the other needs for all that is left."""
    if os.getpid() == here:
        time.sleep(1.0)
    return item, os.getpid()


def test_the_other_goes_on_while_this_one_is_in_a_long_piece() -> None:
    """It once stood still after its first item until this process had done its own."""
    with Beside(LOADS) as crew:
        loaded(crew)
        found = list(crew.in_order(partial(slow_here, here=os.getpid()), range(6)))
    assert [item for item, _ in found] == list(range(6))
    assert [place for _, place in found].count(os.getpid()) == 1


def test_the_other_begins_before_somebody_asks(tmp_path: Path) -> None:
    """Tables are written while the other already draws."""
    with Beside(LOADS) as crew:
        loaded(crew)
        results = crew.as_done(partial(touch, folder=tmp_path), range(2))
        for _ in range(600):
            if (tmp_path / "0").exists():
                break
            time.sleep(0.05)
        assert (tmp_path / "0").read_text() != str(os.getpid())
        assert sorted(results) == [0, 1]


def touch(item: int, *, folder: Path) -> int:
    (folder / str(item)).write_text(str(os.getpid()))
    return item


@pytest.mark.parametrize(
    ("words", "is_begun"),
    [
        ("run kare", True), ("run kare -n 1 --json", True), ("run kare --workers=2", False), ("run kare -w1", False),
        ("run --help", False), ("run kare --shares 3", False), ("plan --weight 80", False), ("", False),
    ],
)  # fmt: skip
def test_only_a_run_that_shares_its_work_no_other_way_begins_one(
    words: str, is_begun: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "_is_worth_it", lambda: True)
    before = set(multiprocessing.active_children())
    beside.begin(words.split())
    assert bool(set(multiprocessing.active_children()) - before) == is_begun
    beside.end()
    assert beside.taken() is None
    assert all_end(set(multiprocessing.active_children()) - before)


def test_a_lost_process_costs_nothing_but_time() -> None:
    work = partial(end_the_other, here=os.getpid())
    with Beside(LOADS) as crew:
        loaded(crew)
        # Given first, the third item dies with the other process, and is done here.
        assert sorted(crew.as_done(work, [2, 0, 1, 3])) == [0, 10, 20, 30]
        assert list(crew.in_order(work, [2, 1])) == [20, 10]


def test_an_error_in_the_other_process_is_the_errors_own() -> None:
    with Beside(LOADS) as crew:
        loaded(crew)
        with pytest.raises(ZeroDivisionError):
            list(crew.in_order(partial(divmod, 1), [0, 1, 2]))


def test_no_process_is_left() -> None:
    before = set(multiprocessing.active_children())
    with Beside(LOADS) as crew:
        list(crew.as_done(where, [0, 1]))
        (other,) = set(multiprocessing.active_children()) - before
    assert all_end([other])


def test_without_a_process_all_is_done_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that gives no more processes still has this one."""

    def refused(*_: object) -> None:
        raise OSError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(multiprocessing.get_context("spawn").Process, "start", refused)
    with Beside(LOADS) as crew:
        assert {place for _, place in crew.as_done(where, [0, 1, 2])} == {os.getpid()}


def test_who_draws_moves_no_byte(tmp_path: Path) -> None:
    result = simulate_trial(small_protocol(), n_replicates=3, seed=5)
    about = {"command": "remission run x", "versions": {"remission": "0"}}
    for name in ("alone", "beside"):
        (tmp_path / name).mkdir()
    write_report(result, tmp_path / "alone", **about)  # type: ignore[arg-type]  # its own two arguments
    with Beside(("remission.report.write",)) as crew:
        drawn = draw_charts(result, each=crew.as_done)
        write_report(result, tmp_path / "beside", **about, drawn=drawn)  # type: ignore[arg-type]
    alone, beside = (
        {one.relative_to(tmp_path / name): one.read_bytes() for one in (tmp_path / name).rglob("*") if one.is_file()}
        for name in ("alone", "beside")
    )
    assert len(alone) > 5
    assert alone == beside


def test_a_second_run_compiles_nothing(tmp_path: Path) -> None:
    """A function that Python called without a file of its own was compiled for a second in every run."""
    code = (
        "import sys\n"
        "from numba.core import event\n"
        "class Told(event.Listener):\n"
        "    def on_start(self, one): print('compiles', one.data['dispatcher'], file=sys.stderr)\n"
        "    def on_end(self, one): pass\n"
        "event.register('numba:compile', Told())\n"
        "sys.argv = ['remission', 'run', 'kare', '--replicates', '40', '--json', '--out', sys.argv[1]]\n"
        "from remission.cli import main\n"
        "main()\n"
    )
    said = []
    for name in ("first", "second"):
        words = [sys.executable, "-c", code, str(tmp_path / name)]
        done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == 0, done.stderr
        said = [line for line in done.stderr.splitlines() if line.startswith("compiles")]
    assert said == []
