"""How long a run takes to end after Ctrl-C, with each way of sharing its work."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from validation.torture.stage import Stage, descendants, luck, start, wait_until

LIMIT_S = 2.0


@dataclass
class Interrupts:
    """Seconds from the signal to the end of the process, by way of working."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)


def interrupt(stage: Stage, times: int, seed: int) -> Interrupts:
    """Ctrl-C at random moments of a run that would last minutes."""
    found = Interrupts()
    with cluster(stage.root) as address:
        ways = {
            "in the process": [],
            "two workers": ["--workers", "2"],
            "Dask scheduler with two workers": ["--cluster", address],
        }
        for way, options in ways.items():
            found.seconds[way] = [_once(stage, way, options, turn, seed, found) for turn in range(times)]
    return found


def _once(stage: Stage, way: str, options: list[str], turn: int, seed: int, found: Interrupts) -> float:
    out, said = stage.root / "interrupted" / way.replace(" ", "-") / str(turn), stage.root / "said"
    out.mkdir(parents=True)
    arguments = ["run", "kare", "-n", "20000", "--out", str(out), "--diaries", "--yes"]
    process = start([*arguments, *(options or ["--workers", "1"])], stage.root, said)
    wait_until(lambda: any(out.glob("*.unfinished/chunks.sqlite")), 120.0, 0.01)
    time.sleep(luck(seed, "interrupt", way, turn).uniform(0.0, 8.0))
    started = time.monotonic()
    # The terminal sends it to every process of the foreground, workers too.
    os.killpg(process.pid, signal.SIGINT)
    code = process.wait()
    seconds = time.monotonic() - started
    words = said.read_text(encoding="utf-8")
    if code != 130 or "remission resume" not in words or "Traceback" in words:
        found.wrong.append(f"{way}: exit code {code}: {words[-3000:]}")
    if seconds > LIMIT_S:
        found.wrong.append(f"{way}: {seconds:.2f} s")
    if not wait_until(lambda: not descendants(process.pid), 5.0, 0.05):
        found.wrong.append(f"{way}: processes were left behind")
    return seconds


@contextlib.contextmanager
def cluster(root: Path) -> Iterator[str]:
    """The address of a Dask scheduler with two workers on this machine."""
    note = root / "scheduler.json"
    quiet = {"cwd": root, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    def begin(kind: str, *options: str) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", f"distributed.cli.dask_{kind}", "--host", "127.0.0.1", "--no-dashboard"]
        return subprocess.Popen([*command, *options], **quiet)  # type: ignore[call-overload] # three plain options

    processes = [begin("scheduler", "--port", "0", "--scheduler-file", str(note))]
    try:
        wait_until(lambda: note.exists() and bool(note.read_text().strip()), 60.0, 0.05)
        address = str(json.loads(note.read_text())["address"])
        processes += [begin("worker", "--nthreads", "1", "--no-nanny", address) for _ in range(2)]
        time.sleep(5.0)
        yield address
    finally:
        for process in processes[::-1]:
            process.kill()
            process.wait()
