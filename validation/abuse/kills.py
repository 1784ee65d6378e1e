"""Kills at random moments of every command that writes: no part of a file may stand under a final name."""

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from remission.cli.app import run_app

RUN = [sys.executable, "-m", "remission"]


@dataclass(frozen=True)
class Job:
    """A command that writes, and what must hold of its folder at any moment."""

    name: str
    words: list[str]
    problem: Callable[[Path], str]
    start: Callable[[Path], None]


def _run_problem(place: Path) -> str:
    for folder in place.glob("runs/*"):
        is_final = not folder.name.endswith(".unfinished") and not folder.name.startswith(".")
        if is_final and run_app(["verify", str(folder)]) != 0:
            return f"{folder.name} is not whole"
    return ""


def _file_problem(name: str, reference: bytes) -> Callable[[Path], str]:
    def problem(place: Path) -> str:
        path = place / name
        return f"{name} is a part" if path.exists() and path.read_bytes() != reference else ""

    return problem


def _report_problem(place: Path) -> str:
    folder = place / "report"
    if not folder.exists():
        return ""
    needed = ("report.html", "design.json", "protocol.yaml", "rerun.sh", "figures", "tables")
    missing = [name for name in needed if not (folder / name).exists()]
    return f"report without {missing[0]}" if missing else ""


def jobs(place: Path, finished: Path) -> list[Job]:
    """The commands, with what they give when nobody kills them."""
    diary = place / "diary.csv"
    rows = [f"{p},Alcohol,{d},{(p * 7 + d) % 3}" for p in range(300) for d in range(100)]
    diary.write_text("\n".join(["who,what,when,amount", *rows]) + "\n", encoding="utf-8")
    mapping = place / "mapping.yaml"
    mapping.write_text("amount: amount\namount_unit: drink\n", encoding="utf-8")
    imports = ["import", "tlfb", str(diary), "--mapping", str(mapping), "--out", "x.parquet"]
    exports = ["export", str(finished), "x.csv"]
    whole = {}
    for name, words in (("x.parquet", imports), ("x.csv", exports)):
        done = subprocess.run([*RUN, *words], cwd=place, check=False, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(words)} failed: {done.stdout}{done.stderr}")
        whole[name] = (place / name).read_bytes()
        (place / name).unlink()

    def begin(folder: Path) -> None:
        job = subprocess.Popen(
            [*RUN, "run", "kare", "-n", "300", "--seed", "3", "--workers", "1", "--out", "runs"],
            cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        while job.poll() is None and not list(folder.glob("runs/*.unfinished/chunks.sqlite")):
            time.sleep(0.05)
        job.send_signal(signal.SIGKILL)
        job.wait()

    def nothing(folder: Path) -> None:
        """Nothing has to be there."""

    return [
        Job("run", ["run", "kare", "-n", "40", "--seed", "1", "--out", "runs"], _run_problem, nothing),
        Job("design", ["design", "kare", "-n", "40", "--report", "report", "--yes"], _report_problem, nothing),
        Job("export", exports, _file_problem("x.csv", whole["x.csv"]), nothing),
        Job("import", imports, _file_problem("x.parquet", whole["x.parquet"]), nothing),
        Job("resume", ["resume"], _run_problem, begin),
    ]


def kill(place: Path, finished: Path, rng: random.Random, count: int) -> tuple[int, list[str]]:
    """Kill until ``count`` have hit; how many did, and what was wrong."""
    # What the command lines left behind must not be in the way.
    place = place / "kills"
    place.mkdir()
    known = jobs(place, finished)
    longest: dict[str, float] = {}
    hits, wrong = 0, []
    number = 0
    while hits < count:
        job = known[number % len(known)]
        number += 1
        folder = place / "killed"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        job.start(folder)
        words = list(job.words)
        if job.name == "resume":
            words += [str(path) for path in folder.glob("runs/*.unfinished")][:1]
        started = time.monotonic()
        process = subprocess.Popen([*RUN, *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if job.name not in longest:
            process.wait()
            longest[job.name] = time.monotonic() - started
        else:
            # Most of the writing is in the last third.
            time.sleep(rng.uniform(0.3, 1.0) * longest[job.name])
            process.send_signal(signal.SIGKILL)
            hits += process.wait() == -signal.SIGKILL
        problem = job.problem(folder)
        if problem:
            wrong.append(f"kill {number}, {job.name}: {problem}")
    return hits, wrong
