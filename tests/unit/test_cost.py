"""What a run will cost, how long is left, and how Ctrl-C ends it."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from validation.small_trials import small_protocol

from remission.cli import run
from remission.cli.app import run_app
from remission.cli.progress import Pace, _lines, ends_soon
from remission.errors import LibraryError, ProvenanceError, RemissionError, RunError, SpecError, WorkError
from remission.numerics.digits import duration
from remission.protocol.file import write_protocol
from remission.runs.cost import estimate_cost
from remission.trial.simulate import plan_trial

pytestmark = pytest.mark.usefixtures("no_figures")


def ticks(*moments: float) -> Iterator[float]:
    return iter(moments)


def test_time_left_follows_what_was_really_done() -> None:
    """Replicates that were on disk before are no speed: a resumed run once promised to end at once."""
    clock = ticks(100.0, 110.0, 120.0)
    pace = Pace(lambda: next(clock))
    assert pace.left_s(900, 1000) is None
    assert pace.left_s(910, 1000) == pytest.approx(90.0)
    assert pace.left_s(950, 1000) == pytest.approx(20.0)


def test_a_clock_set_back_does_not_touch_the_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers set their clocks in the middle of the night."""
    monkeypatch.setattr(time, "time", lambda: 0.0)
    pace = Pace()
    assert pace.left_s(1, 10) is None
    time.sleep(0.01)
    left_s = pace.left_s(2, 10)
    assert left_s is not None
    assert left_s > 0.0


def test_a_log_file_gets_a_line_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Thousands of lines hide the one that matters; none leaves the reader alone."""
    now = [0.0]
    update = _lines("A trial", lambda: now[0])
    for done, moment in ((1, 0.0), (2, 10.0), (3, 40.0), (4, 45.0)):
        now[0] = moment
        update(done, 10)
    assert capsys.readouterr().err.splitlines() == ["A trial: 3 of 10 replicates, 2 min left"]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.2, "1 s"), (42.4, "42 s"), (99.6, "2 min"), (3000.0, "50 min"), (9000.0, "2.5 h")]
)
def test_durations_read_like_a_person_says_them(seconds: float, words: str) -> None:
    """A count of seconds in the thousands is no answer."""
    assert duration(seconds) == words


def test_the_cost_of_twice_the_run_is_twice_the_cost() -> None:
    """People and days are exact; seconds and bytes follow the timed piece."""
    few, many = (plan_trial(small_protocol(), n_replicates=n, seed=3, with_diaries=True) for n in (170, 1700))
    small, large = (estimate_cost(plan, clock=ticks(0.0, 2.0).__next__) for plan in (few, many))
    assert (small.n_people, small.n_person_days) == (170 * 24, 170 * 24 * 28)
    assert (large.n_people, large.n_person_days) == (1700 * 24, 1700 * 24 * 28)
    assert [small.expected_s, large.expected_s] == pytest.approx([2.0, 20.0])
    assert large.disk_bytes == pytest.approx(10 * small.disk_bytes, rel=1e-6)
    bare = estimate_cost(plan_trial(small_protocol(), n_replicates=170, seed=3))
    assert 0 < bare.disk_bytes < small.disk_bytes


@pytest.fixture
def small_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(write_protocol(small_protocol()), encoding="utf-8")
    return "small.yaml"


def test_a_large_run_says_its_cost_first(
    small_file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody should find out after an hour that it takes a day."""
    monkeypatch.setattr(run, "_SHOWN_PERSON_DAYS", 1)
    assert run_app(["run", small_file, "-n", "2"]) == 0
    assert "48 people, 1,344 person-days; about 1 s on one core; up to" in capsys.readouterr().err


def test_a_run_larger_than_the_disk_is_refused(
    small_file: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A disk that fills up at the end has cost the whole time."""
    monkeypatch.setattr(run, "_SHOWN_PERSON_DAYS", 1)
    monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
    assert run_app(["run", small_file, "-n", "2", "--diaries"]) == 2
    assert "--diaries" in capsys.readouterr().err
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("kind", "code"),
    [(WorkError, 1), (ProvenanceError, 1), (LibraryError, 1), (RunError, 2), (SpecError, 2)],
)
def test_the_exit_code_follows_the_kind_of_error(
    kind: type[RemissionError], code: int, small_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A script that resumes after 1 would loop for ever on a wrong input, and give up on a disk that was full."""

    def fail(*_: object, **__: object) -> None:
        raise kind(where="x", got="y", allowed="z")

    monkeypatch.setattr("remission.runs.run.write_run", fail)
    assert run_app(["run", small_file, "-n", "2"]) == code


LIMITED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, {size}))
from remission.cli.app import run_app
sys.exit(run_app(["run", "small.yaml", "-n", "40", "--diaries"]))
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "size", [pytest.param(9_000, marks=pytest.mark.thorough), 60_000, pytest.param(250_000, marks=pytest.mark.thorough)]
)
def test_a_full_disk_is_failed_work_and_the_run_goes_on_later(size: int, small_file: str, tmp_path: Path) -> None:
    """In the store, in a table, in the report: exit code 1, a sentence, no half result; with room it ends well."""
    command = [sys.executable, "-c", LIMITED.format(size=size)]
    # Coverage of the command would need space for its own file.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE")}
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "space" in done.stderr or "can be written" in done.stderr
    assert all(path.name.endswith(".unfinished") for path in (tmp_path / "runs").iterdir())
    assert run_app(["run", small_file, "-n", "40", "--diaries"]) == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert run_app(["verify", str(folder)]) == 0


STUBBORN = """
import signal, time
signal.signal(signal.SIGINT, lambda *_: None)
from remission.cli.progress import ends_soon
with ends_soon("Go on with: x"):
    print("ready", flush=True)
    while True:
        time.sleep(60)
"""


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_ends_a_process_that_does_not_listen(times: int) -> None:
    """A compiled loop or a busy library keeps Python from hearing the signal; the run ends all the same, in words."""
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        for _ in range(times):
            process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "Go on with: x\n")


@pytest.mark.parametrize("ends", [None, ValueError, SystemExit])
def test_work_that_ends_or_fails_watches_for_ctrl_c_no_longer(ends: type[BaseException] | None) -> None:
    """A session that asks a thousand times must not keep a thread, a pipe and a signal for each refusal."""
    before = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(before)
    threads = threading.active_count()
    with contextlib.suppress(ValueError, SystemExit), ends_soon("Go on with: x"):
        if ends:
            raise ends
    assert signal.set_wakeup_fd(before) == before
    until = time.monotonic() + 20
    while threading.active_count() > threads and time.monotonic() < until:
        time.sleep(0.01)
    assert threading.active_count() == threads


def test_the_moment_is_a_fact_of_the_day_only(small_file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run dated tomorrow has the bytes of one dated yesterday."""

    class Turned(datetime):
        @classmethod
        def now(cls, tz: object = None) -> "Turned":
            return cls(1999, 1, 1, tzinfo=UTC)

    assert run_app(["run", small_file, "-n", "2", "--out", "today"]) == 0
    monkeypatch.setattr("remission.provenance.datetime", Turned)
    monkeypatch.setattr(time, "time", lambda: 915_148_800.0)
    assert run_app(["run", small_file, "-n", "2", "--out", "before"]) == 0
    (today,), (before,) = ((tmp_path / name).iterdir() for name in ("today", "before"))
    assert "1999" in (before / "run.json").read_text("utf-8")
    assert (today / "manifest.json").read_bytes() == (before / "manifest.json").read_bytes()
