"""Seconds that people wait: commands, the server, the first use; and the processor's seconds by what they go into.

Each wait is a median over new processes, in turns with an earlier state of the program, so that a busy moment of the
machine meets both. ``python -m benchmarks.waits`` writes each figure when it is there, ``--page`` the page of them as
well. What fails, or does not end in ten minutes, is said, and the others go on. ``WAITS_REPEATS``: how often each is
measured, 5 unless told; ``WAITS_ONLY``: some of them by name, with blanks.
"""

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from types import FrameType

from benchmarks.measure import write_results

ROOT = Path(__file__).parents[1]
EARLIER = "2bcf5bc"
REPEATS = int(os.environ.get("WAITS_REPEATS", "5"))
ONLY = os.environ.get("WAITS_ONLY", "").split()
LONGEST_S = 600.0
"""So long one process is waited for. [s]"""
PLAN = ("plan", "--weight", "82", "--age", "45", "--dose", "0.5mg/kg", "--minutes", "40")
KARE = ("run", "kare", "--replicates")
DESIGN = ("design", "kare", "--vary", "n=60,120", "--replicates", "200", "--power", "0.9")
# What is named, the goal in seconds, and how it is measured.
COMMANDS = {
    "help": ("`remission --help`", 0.5, ("--help",)),
    "evidence_list": ("`remission evidence list`", 0.5, ("evidence", "list")),
    "evidence_show": ("`remission evidence show ID`", 0.5, ("evidence", "show", "dakwar_2019_cocaine")),
    "show": ("`remission show kare`", 0.5, ("show", "kare")),
    "plan": ("`remission plan`, 1,000 people", 0.5, PLAN),
    "run_kare_1_report": ("`remission run kare -n 1`, with its report", 2.5, (*KARE, "1")),
    "run_kare_1000_report": ("`remission run kare -n 1000`, with its report", 3.0, (*KARE, "1000")),
}
STEP = "learn/synapse"
TABLE = "Research software, not medical advice."
"""The last words of the table of a run."""
GROUPS: tuple[tuple[str, str], ...] = (
    # The first that any frame of the stack matches, from the top of the list.
    ("imports", r"<frozen importlib"),
    ("compiled code: read, or made", r"/numba/|/llvmlite/|numerics/(compiled|code_files)\.py"),
    ("figures and pages", r"/matplotlib/|/PIL/|/jinja2/|remission/report/|remission/web/figure\.py"),
    ("tables on the screen", r"/rich/|cli/table\.py|cli/design_show\.py"),
    ("analyses", r"remission/analyses/|trial/analyze\.py|remission/endpoints/"),
    ("simulation", r"trial/batch\.py|remission/patient/kernels/|remission/session/|remission/pk/|trial/chunk\.py"),
    ("files written", r"/pyarrow/|runs/tables\.py|runs/folder\.py|remission/files\.py|runs/store\.py|runs/work\.py"),
    ("protocols and library read", r"/ruamel/|tomllib|remission/protocol/|remission/library/|remission/records/"),
    ("routes of the server", r"/fastapi/|/starlette/|/pydantic/|/uvicorn/"),
)
OTHER = "all else"


def environment(tree: Path, **more: str) -> dict[str, str]:
    """That of a desk where byte code is kept, with the package of a tree."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "PYTHONPATH": str(tree / "src"), **more}


@contextmanager
def command(tree: Path, *words: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """A command line of a tree, started in an empty folder and ended at the end of the block, or after ten minutes."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        process = subprocess.Popen(
            [sys.executable, "-m", "remission", *words], cwd=folder, env=environment(tree, **more), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        limit = threading.Timer(LONGEST_S, process.kill)
        limit.daemon = True
        limit.start()
        try:
            yield process
        finally:
            limit.cancel()
            process.kill()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()


def seconds_to_end(tree: Path, *words: str) -> float:
    """From the start of a command to its end."""
    started = time.perf_counter()
    with command(tree, *words) as process:
        said, _ = process.communicate()
        assert process.returncode == 0, said
    return time.perf_counter() - started


def seconds_to_words(tree: Path, said: str, *words: str, **more: str) -> float:
    """From the start of a command until it says something."""
    started = time.perf_counter()
    with command(tree, *words, **more) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if said in line:
                return time.perf_counter() - started
    raise AssertionError(f"{words}: never said {said!r}")


def seconds_to_first_use(tree: Path) -> float:
    """From the start of a first trial without compiled code to the first line of any kind."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        return seconds_to_words(tree, "", *KARE, "1", XDG_CACHE_HOME=folder)


def seconds_to_page(tree: Path, path: str) -> tuple[float, float]:
    """From the start of the server to its first answer; and what a page takes that nobody asked for before."""
    started = time.perf_counter()
    with command(tree, "serve", "--port", "0", PYTHONUNBUFFERED="1") as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        address = next(iter(re.findall(r"http://\S+?/", said)), "")
        assert address, f"the server said {said!r}"
        fetch(address)
        ready = time.perf_counter() - started
        begun = time.perf_counter()
        fetch(address + path)
        return ready, time.perf_counter() - begun


def fetch(address: str) -> None:
    """Ask until there is an answer."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(address, timeout=300) as answer:  # noqa: S310 - an address of this machine
                answer.read()
                return
        except ConnectionError:
            time.sleep(0.02)
        except urllib.error.URLError as error:
            if not isinstance(error.reason, ConnectionError):
                raise
            time.sleep(0.02)
    raise AssertionError(f"{address}: no answer")


def both_trials(tree: Path) -> float:
    """What ``make run`` does once all is installed; the earlier one ran one trial after the other."""
    if tree != ROOT:
        return sum(seconds_to_end(tree, "run", trial, "--replicates", "1000") for trial in ("kare", "dakwar-2019"))
    return seconds_to_end(tree, "run", "dakwar-2019", "kare", "--replicates", "1000")


Wait = tuple[str, float, Callable[[Path], float]]


def all_waits() -> dict[str, Wait]:
    """Every wait by its name: what it is, the goal in seconds, how it is measured."""
    found: dict[str, Wait] = {
        name: (what, goal, lambda tree, words=words: seconds_to_end(tree, *words))  # type: ignore[misc]  # bound here
        for name, (what, goal, words) in COMMANDS.items()
    }
    found["run_kare_1_table"] = (
        "`remission run kare -n 1`: the table on the screen", 1.0,
        lambda tree: seconds_to_words(tree, TABLE, *KARE, "1"),
    )  # fmt: skip
    found["first_use"] = ("first use, nothing compiled: the first line", 3.0, seconds_to_first_use)
    found["server_ready"] = (
        "`remission serve`: the first page answered",
        1.5,
        lambda tree: seconds_to_page(tree, "trial")[0],
    )
    found["learn_cold"] = ("/learn, asked for first", 0.3, lambda tree: seconds_to_page(tree, "learn")[1])
    found["learn_step_cold"] = (
        f"/{STEP}, asked for first", 0.3, lambda tree: seconds_to_page(tree, STEP)[1]
    )  # fmt: skip
    found["trial_cold"] = ("/trial, asked for first", 0.3, lambda tree: seconds_to_page(tree, "trial")[1])
    found["make_run"] = ("`make run` after installation", 5.0, both_trials)
    return found


def measure(earlier: Path | None) -> tuple[dict[str, float], dict[str, str]]:
    """Medians of every wait, here and in the earlier state, each written when it is there; and what failed, why."""
    trees = [("before", earlier)] if earlier is not None else []
    figures: dict[str, float] = {}
    failed: dict[str, str] = {}
    for name, (_, _, take) in all_waits().items():
        if ONLY and name not in ONLY:
            continue
        seen: dict[str, list[float]] = {"": [], **{kind: [] for kind, _ in trees}}
        load = os.getloadavg()[0]
        for turn in range(REPEATS + 1):
            for kind, tree in [*trees, ("", ROOT)]:
                try:
                    taken = take(tree)
                except (AssertionError, OSError) as error:
                    failed[f"{name}{kind and f', {kind}'}"] = str(error).strip()[-500:] or type(error).__name__
                    continue
                # The first turn fills the caches.
                if turn:
                    seen[kind].append(taken)
        found = {
            f"wait_{name}_seconds{f'_{kind}' if kind else ''}": statistics.median(values)
            for kind, values in seen.items()
            if values
        }
        print(f"{name}: load average {load:.2f}, medians of {[len(values) for values in seen.values()]}")
        write_results(**found)
        figures |= found
        sys.stdout.flush()
    return figures, failed


# ------------------------------------------------------------------------------------ where the processor's time goes


class Sampler:
    """Looks at the stack every other millisecond of processor time, and books the time since the last look."""

    def __init__(self) -> None:
        self.spent: dict[str, float] = defaultdict(float, {"interpreter": time.process_time()})
        self._last = time.process_time()
        self._known: dict[str, str | None] = {}

    def start(self) -> None:
        """Begin to look."""
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, 0.002, 0.002)

    def stop(self) -> None:
        """Look no more."""
        signal.setitimer(signal.ITIMER_PROF, 0.0)
        self._look(0, None)

    def _look(self, _: int, frame: FrameType | None) -> None:
        files = set()
        while frame is not None:
            files.add(frame.f_code.co_filename)
            frame = frame.f_back
        now = time.process_time()
        self.spent[self._group(files)] += now - self._last
        self._last = now

    @staticmethod
    def _group(files: set[str]) -> str:
        for name, pattern in GROUPS:
            if any(re.search(pattern, file) for file in files):
                return name
        return OTHER


def sampled(words: list[str], place: str) -> None:
    """Run a command of this process's package while looking at it; a server is left once it would answer."""
    sampler = Sampler()
    sampler.start()
    sys.argv = ["remission", *words]
    try:
        if words[0] == "serve":
            vars(import_module("remission.web.server"))["serve"] = lambda *_: None
        from remission.cli import main as run

        run()
    except SystemExit as stop:
        if stop.code:
            raise
    finally:
        sampler.stop()
        Path(place).write_text(json.dumps(sampler.spent), encoding="utf-8")


def profile_of(tree: Path, *words: str) -> dict[str, float]:
    """Processor seconds of a command by group: the median profile by its sum."""
    found = []
    for _ in range(REPEATS + 1):
        with tempfile.TemporaryDirectory() as folder:
            place = str(Path(folder) / "profile.json")
            code = (
                f"import sys; sys.path.append({str(ROOT)!r}); from benchmarks.waits import sampled; "
                f"sampled({list(words)!r}, {place!r})"
            )
            subprocess.run(
                [sys.executable, "-c", code], check=True, cwd=folder, env=environment(tree), stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL, timeout=LONGEST_S,
            )  # fmt: skip
            found.append(json.loads(Path(place).read_text(encoding="utf-8")))
    found = sorted(found[1:], key=lambda one: sum(one.values()))
    middle: dict[str, float] = found[len(found) // 2]
    return middle


PROFILED = {
    "run": ("`remission run kare --replicates 1`", (*KARE, "1")),
    "design": (f"`remission {' '.join(DESIGN)}`", DESIGN),
    "serve": ("`remission serve`, until it answers", ("serve", "--port", "0")),
}
PAGE = ROOT / "docs" / "explanation" / "waits.md"
HEAD = """# Waits: where the seconds go

Written by `make waits`; do not edit by hand.
"Before" is commit {earlier}, measured in turns with this one in new processes: medians of {repeats}.
What is compiled, and what is drawn once for a version, is in the cache, but for the first use.
The load average of the machine was {load:.1f} when it began{busy}.

| wait | before | now | goal |
|---|---|---|---|
{waits}

## Where the processor's time goes

Processor seconds of whole commands by what they go into, seen by looking at the stack every other millisecond.
A kind of work belongs to the first line that fits: what an import does counts as import.
Compiled loops that run beside Python count where they were called.
"""
END = """
## Why it is so

- A command loads what it needs, and no other command; a test names what each light command must not load.
- Loops that ask for nothing but memory while they run, such as all of a plan and of most trials, are called without
  loading what compiled them.
- Numba asks at its start for SciPy's linear algebra, and Arrow for pandas; neither is used, so neither is loaded.
- A run prints its table before it loads what draws.
- A figure is laid out and drawn once: the file, the pixels and the page take the same drawing.
  Its ticks are found, and its letters measured, once.
- Protocols of the library are read beforehand; a file that was changed is read itself.
- A run of some seconds has a process beside it, which starts before the first one loads anything, and then takes its
  part of pieces and charts; it draws while the first one writes tables, and nobody waits for it while it still loads.
  Where it cannot be had or is lost, the first one does all of it.
- A plan is sent to a worker once, not with each piece, and a piece comes back as the bytes that are kept.
- A step of /learn follows from the program alone: it is drawn once for a version and kept in the user's cache.
- Code compiled for a processor is kept in the user's cache and never shipped: it may stop another processor.
  A line says when it is made.
  A folder that cannot be written to, a full disk or a damaged file costs time and no number.
"""


def page(earlier: Path, figures: dict[str, float], load: float, failed: dict[str, str]) -> str:
    """The page of waits and profiles; a profile that fails is added to what failed."""
    rows = []
    for name, (what, goal, _) in all_waits().items():
        both = [figures.get(f"wait_{name}_seconds{kind}") for kind in ("_before", "")]
        before, now = ("not measured" if one is None else f"{one:.2f} s" for one in both)
        rows.append(f"| {what} | {before} | {now} | {goal:g} s |")
    busy = ", so every figure is too high" if load > 0.5 else ""
    text = [HEAD.format(earlier=EARLIER, repeats=REPEATS, load=load, busy=busy, waits="\n".join(rows))]
    for what, words in PROFILED.values():
        try:
            then, here = profile_of(earlier, *words), profile_of(ROOT, *words)
        except subprocess.SubprocessError as error:
            text.append(f"\n{what}: not measured.\n")
            failed[what] = str(error)
            continue
        names = [name for name in ("interpreter", *(one for one, _ in GROUPS), OTHER) if {name} & {*then, *here}]
        table = [f"| {name} | {then.get(name, 0.0):.2f} s | {here.get(name, 0.0):.2f} s |" for name in names]
        total = f"| **together** | {sum(then.values()):.2f} s | {sum(here.values()):.2f} s |"
        text.append("\n".join([f"\n{what}\n", "| processor time | before | now |", "|---|---|---|", *table, total, ""]))
    return "".join([*text, END])


def main() -> None:
    """Measure, print, write; the folder of the earlier state may be given, and ``--page``."""
    with_page = "--page" in sys.argv
    asked = [one for one in sys.argv[1:] if one != "--page"]
    earlier = Path(asked[0]).resolve() if asked else None
    load = os.getloadavg()[0]
    print(f"load average {load:.2f}")
    figures, failed = measure(earlier)
    if with_page and not ONLY:
        assert earlier is not None, "the page needs the folder of the earlier state"
        PAGE.write_text(page(earlier, figures, load, failed), encoding="utf-8")
    for name, why in failed.items():
        print(f"failed: {name}: {why}", file=sys.stderr)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
