"""Disks that are full or may not be written, clocks that jump, two processes on one run."""

import os
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import log10
from pathlib import Path

from validation.torture.stage import Stage, fork, luck, wait_for


@dataclass
class Trouble:
    """A kind of trouble: how often it was made, what it met, what went wrong."""

    kind: str
    times: int = 0
    met: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def full_disk(stage: Stage, times: int, seed: int) -> Trouble:
    """No file may grow beyond a random size: the run ends with code 1 and a sentence, and goes on when it may."""
    found = Trouble("disk full, as a limit on the size of each file")
    calm = stage.root / "calm" / stage.name(stage.root / "calm")
    largest = max((calm / name).stat().st_size for name in stage.expected)
    out = stage.root / "full"
    for turn in range(times):
        limit = round(10 ** luck(seed, "full", turn).uniform(3.8, log10(largest)))
        _fail_then_finish(stage, out, found, lambda limit=limit: _limit(limit), {1})  # type: ignore[misc]
    return found


def full_file_system(stage: Stage, times: int, seed: int) -> Trouble:
    """The same on a real file system without room, where mounting is allowed."""
    found = Trouble("disk full, a small file system in memory")
    out = stage.root / "small-disk"
    for turn in range(times):
        kilobytes = luck(seed, "tmpfs", turn).randint(40, 3000)
        with _mounted(out, f"size={kilobytes}k") as is_mounted:
            if not is_mounted:
                found.met.append("mounting is not allowed on this machine: not done")
                return found
            _attempt(stage, out / "runs", found, None, {1, 2})
            _remount(out, "size=200m")
            _end(stage, out / "runs", found)
    return found


def read_only(stage: Stage) -> Trouble:
    """A run under way whose file system becomes read-only, and then may be written again."""
    found = Trouble("read-only folder")
    out = stage.root / "read-only"
    with _mounted(out, "size=200m") as is_mounted:
        if not is_mounted:
            found.met.append("mounting is not allowed on this machine: not done")
            return found
        pid = fork(stage.arguments(out / "runs"))
        time.sleep(0.7)
        os.kill(pid, 9)
        wait_for(pid)
        _remount(out, "ro")
        _attempt(stage, out / "runs", found, None, {2})
        _remount(out, "rw")
        _end(stage, out / "runs", found)
    return found


def clock_jumps(stage: Stage, times: int, seed: int) -> Trouble:
    """Killed, its files dated 2100, and taken up again under a clock that goes back a day in the middle."""
    found = Trouble("clock set back a day, files from the future")
    out = stage.root / "clock"
    for turn in range(times):
        pid = fork(stage.arguments(out))
        time.sleep(luck(seed, "clock", turn).uniform(0.2, 1.5))
        os.kill(pid, 9)
        wait_for(pid)
        for path in out.rglob("*"):
            os.utime(path, (4_102_444_800, 4_102_444_800))
        _attempt(stage, out, found, _turn_clock_back, {0})
        _end(stage, out, found)
    return found


def two_at_once(stage: Stage, times: int, seed: int) -> Trouble:
    """Two processes on one run, the second a moment later: both end well."""
    found = Trouble("two processes on one run")
    out = stage.root / "two"
    for turn in range(times):
        said = [stage.root / f"said-{index}" for index in range(2)]
        first = fork(stage.arguments(out), said=said[0])
        time.sleep(luck(seed, "two", turn).choice([0.0, 0.01, 0.3, 1.0]))
        codes = [wait_for(pid) for pid in (first, fork(stage.arguments(out), said=said[1]))]
        if codes != [0, 0]:
            found.wrong.append(f"turn {turn}: exit codes {codes}: {[path.read_text()[-300:] for path in said]}")
        found.times += 1
        _end(stage, out, found)
    return found


def _fail_then_finish(
    stage: Stage, out: Path, found: Trouble, before: Callable[[], None] | None, codes: set[int]
) -> None:
    _attempt(stage, out, found, before, codes)
    _end(stage, out, found)


def _attempt(stage: Stage, out: Path, found: Trouble, before: Callable[[], None] | None, codes: set[int]) -> None:
    """A run in trouble: it must end with one of ``codes``, in words, and leave no result unless it ends well."""
    said = stage.root / "said"
    code = wait_for(fork(stage.arguments(out), before, said))
    words = said.read_text(encoding="utf-8")
    found.times += 1
    if code not in codes or "Traceback" in words:
        found.wrong.append(f"exit code {code}: {words[-600:]}")
    elif code:
        found.met.append(words.strip().splitlines()[-1])
        if (out / stage.name(out)).exists():
            found.wrong.append("a finished run stands there after a failure")


def _end(stage: Stage, out: Path, found: Trouble) -> None:
    """Without the trouble the run ends with the same bytes."""
    said = stage.root / "said"
    code = wait_for(fork(stage.arguments(out), said=said))
    wrong = stage.differs(out) if code == 0 else f"exit code {code}: {said.read_text()[-600:]}"
    if wrong:
        found.wrong.append(wrong)
    shutil.rmtree(out, ignore_errors=True)


def _limit(size_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, size_bytes))


def _turn_clock_back() -> None:
    """From the third look on, this process sees a date of yesterday."""
    real, looks = time.time, [0]

    def turned() -> float:
        looks[0] += 1
        return real() - (86_400.0 if looks[0] > 2 else 0.0)

    time.time = turned


def _remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True)


@contextmanager
def _mounted(place: Path, options: str) -> Iterator[bool]:
    place.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)], check=False, capture_output=True
    )
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", str(place)], check=True)
