"""Kills without warning, each at a chosen kind of moment and a random instant within it."""

import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from validation.torture.stage import Stage, descendants, ended, fork, luck, start, wait_for, wait_until


@dataclass
class Kills:
    """What came of them."""

    by_moment: Counter[str] = field(default_factory=Counter)
    runs: int = 0
    wrong: list[str] = field(default_factory=list)


def _grew(path: Path) -> Callable[[], bool]:
    """Whether a file grew since this was made."""

    def size() -> int:
        try:
            return path.stat().st_size
        except OSError:
            return -1

    before = size()
    return lambda: size() > before


def _exists(out: Path, pattern: str) -> Callable[[], bool]:
    return lambda: any(out.glob(pattern))


def moments(out: Path, name: str) -> dict[str, tuple[Callable[[], bool], float]]:
    """For each kind of moment: its sign, and the seconds after it within which the kill falls."""
    work = out / f"{name}.unfinished"
    return {
        "first steps": (lambda: True, 0.03),
        "a chunk in the making": (_exists(out, "*.unfinished/chunks.sqlite"), 0.4),
        "the commit of a chunk": (_grew(work / "chunks.sqlite-wal"), 0.004),
        "export of tables": (_exists(out, ".staging-*"), 0.02),
        "export of diaries": (_exists(out, ".staging-*/diaries.parquet"), 0.25),
        "export of the report": (_exists(out, ".staging-*/figures"), 1.2),
        "sealing": (_exists(out, ".staging-*/manifest.json"), 0.01),
    }


def kill_often(stage: Stage, n_kills: int, seed: int, say: Callable[[str], None]) -> Kills:
    """Kill runs until ``n_kills`` have hit; each is taken up again, and the bytes are compared when it is finished."""
    found, attempt = Kills(), 0
    out = stage.root / "killed"
    kinds = list(moments(out, stage.name(out)))
    left_in_run = 0
    while found.by_moment.total() < n_kills:
        chance = luck(seed, "kill", attempt)
        attempt += 1
        if left_in_run == 0:
            left_in_run = chance.randint(1, 5)
        kind = kinds[attempt % len(kinds)]
        sign, within_s = moments(out, stage.name(out))[kind]
        pid = fork(stage.arguments(out))
        wait_until(lambda pid=pid, sign=sign: sign() or ended(pid), 120.0)  # type: ignore[misc]
        time.sleep(chance.uniform(0.0, within_s))
        os.kill(pid, signal.SIGKILL)
        code = wait_for(pid)
        if code == -signal.SIGKILL:
            found.by_moment[kind] += 1
            left_in_run -= 1
        elif code != 0:
            found.wrong.append(f"attempt {attempt}: exit code {code}")
        if left_in_run == 0 or code == 0:
            left_in_run = 0
            _finish(stage, out, found, f"attempt {attempt}", pid_of=lambda: fork(stage.arguments(out)))
            say(f"{found.by_moment.total()} kills, {found.runs} runs, {len(found.wrong)} wrong")
    return found


def kill_with_workers(stage: Stage, n_kills: int, seed: int) -> Kills:
    """Kill the main process of a run with two workers, in a process as from a shell; no worker may outlive it."""
    found = Kills()
    out = stage.root / "workers"
    for turn in range(n_kills):
        process = start(stage.arguments(out, "--workers", "2"), stage.root)
        wait_until(_exists(out, "*.unfinished/plan.json"), 60.0)
        time.sleep(luck(seed, "workers", turn).uniform(0.0, 6.0))
        process.kill()
        if process.wait() == -signal.SIGKILL:
            found.by_moment["two workers at work"] += 1
        if not wait_until(lambda session=process.pid: not descendants(session), 10.0, 0.05):  # type: ignore[misc]
            found.wrong.append(f"turn {turn}: workers outlived the run: {descendants(process.pid)}")
    _finish(stage, out, found, "with workers", pid_of=lambda: fork(stage.arguments(out)))
    return found


def kill_a_worker(stage: Stage, n_kills: int, seed: int) -> Kills:
    """Kill one of two workers; the run must go on by itself and end with the same bytes."""
    found = Kills()
    out = stage.root / "one-worker"
    for turn in range(n_kills):
        process = start(stage.arguments(out, "--workers", "2"), stage.root)
        # Two workers and the process that tracks what they share.
        wait_until(lambda session=process.pid: len(descendants(session)) >= 3, 60.0, 0.01)  # type: ignore[misc]
        time.sleep(luck(seed, "one-worker", turn).uniform(0.5, 4.0))
        mine = [pid for pid in descendants(process.pid) if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        if mine:
            os.kill(luck(seed, "which", turn).choice(sorted(mine)), signal.SIGKILL)
            found.by_moment["one of two workers"] += 1
        code = process.wait()
        found.runs += 1
        wrong = stage.differs(out) if code == 0 else f"exit code {code}"
        if wrong:
            found.wrong.append(f"turn {turn}: {wrong}")
        shutil.rmtree(out, ignore_errors=True)
    return found


def _finish(stage: Stage, out: Path, found: Kills, where: str, *, pid_of: Callable[[], int]) -> None:
    """Let a run end, compare its bytes, and clear the place for the next."""
    code = wait_for(pid_of())
    found.runs += 1
    wrong = stage.differs(out) if code == 0 else f"exit code {code}"
    if wrong:
        found.wrong.append(f"{where}: {wrong}")
    shutil.rmtree(out, ignore_errors=True)
