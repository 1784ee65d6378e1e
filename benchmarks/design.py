"""Trials of a design: what ten thousand cost, and what of it is the analysis.

``design_10000_trials_minutes``: ``remission run`` on a trial of 300 people, 180 days and two arms, with an analysis of
covariance and a logistic regression, on two cores, report and tables included. ``design_10000_trials_core_minutes``:
the same in minutes of one core, which a busy machine lengthens less. ``design_analysis_vs_simulation``: time of
endpoints and analyses over that of simulating. ``design_peak_mb_growth``: growth of a process's peak memory from 500 to
2,000 trials. ``design_search_first_seconds``, ``design_curve_first_seconds``: from the start of a command of sizes to
its first band on a terminal; ``..._end_seconds``: to its end. The first searches a size that its range does not hold,
the second is a curve of assurance; ``design_size_...`` finds a size to 5 people.
"""

import os
import pty
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from validation.small_trials import small_protocol

from benchmarks.measure import times_faster, write_results
from remission.protocol.file import write_protocol
from remission.protocol.record import Protocol
from remission.trial.chunk import Chunk
from remission.trial.simulate import plan_trial

N_TRIALS = 10_000
CHUNK = Chunk(first=0, count=13)
REPEATS = 5


def design_protocol() -> Protocol:
    """Two arms of 150 people, one infusion, weekly visits for 180 days, two analyses adjusted for entry values."""
    plain = small_protocol().to_dict()
    window = {"first": 0, "last": 179}
    contrast = {"treatment": {"drug": "ketamine"}, "control": {"drug": "saline"}}
    visits = [{"id": "weekly", "days": [*range(6, 179, 7), 179], "collects": ["diary", "test"]}]
    pda, use = (
        {"id": name, "label": name, "kind": kind, "window": window, "missing": "observed"}
        for name, kind in (("pda", "percent_days_abstinent"), ("use", "any_use"))
    )
    analyses = [
        {"id": f"{endpoint}-{method}", "label": method, "endpoint": endpoint, "method": method, "contrast": contrast,
         "adjust": adjust}
        for endpoint, method, adjust in (
            ("pda", "mean_difference", ["age", "weight", "sex"]), ("use", "odds_ratio", ["age", "sex"]),
        )
    ]  # fmt: skip
    population = {**plain["population"], "n_subjects": 300}
    changes = {"follow_up_days": 180, "population": population, "visits": visits, "endpoints": [pda, use]}
    return Protocol.create(**{**plain, **changes, "analyses": analyses})


def run_command(n_trials: int) -> tuple[float, float, float]:
    """Seconds on the clock, seconds of processors, and peak megabytes of the largest process, with two workers."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "design.yaml"
        path.write_text(write_protocol(design_protocol()), encoding="utf-8")
        command = [sys.executable, "-m", "remission", "run", str(path), "--replicates", str(n_trials), "--workers", "2"]
        started = time.perf_counter()
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    busy = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return seconds, busy, after.ru_maxrss / 1024.0


SEARCH = ("design", "kare", "--vary", "n=60:400", "--power", "0.9")
SIZE = ("design", "kare", "--power", "0.8")
CURVE = ("design", "kare", "--vary", "n=60,120,180,240,300")


def first_and_end(*words: str) -> tuple[float, float]:
    """Median seconds from the start of a command to its first band, which only a terminal gets, and to its end."""
    found = []
    for _ in range(REPEATS + 1):
        reader, terminal = pty.openpty()
        with tempfile.TemporaryDirectory() as folder, os.fdopen(reader, errors="replace") as said:
            started, first = time.perf_counter(), None
            process = subprocess.Popen(
                [sys.executable, "-m", "remission", *words], cwd=folder, stdout=subprocess.DEVNULL, stderr=terminal,
                env={**os.environ, "PYTHONPATH": str(Path("src").resolve())},
            )  # fmt: skip
            os.close(terminal)
            # Reading on, so that nobody waits for the terminal; at the end of the command it gives an error.
            with suppress(OSError):
                for line in said:
                    if first is None and "First look" in line:
                        first = time.perf_counter() - started
            if process.wait() or first is None:
                message = f"remission {' '.join(words)} failed, or told no first band"
                raise RuntimeError(message)
            found.append((first, time.perf_counter() - started))
    firsts, ends = zip(*found[1:], strict=True)
    return statistics.median(firsts), statistics.median(ends)


def main() -> None:
    """Measure, print, write."""
    for name, words in (("search", SEARCH), ("curve", CURVE), ("size", SIZE)):
        first, end = first_and_end(*words)
        write_results(**{f"design_{name}_first_seconds": first, f"design_{name}_end_seconds": end})
    print(f"load average before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores; a busy machine takes longer")
    plan = plan_trial(design_protocol(), n_replicates=N_TRIALS, seed=1)
    batch = plan.simulate(CHUNK)
    ratio, simulating, analyzing = times_faster(
        lambda: plan.simulate(CHUNK), lambda: plan.analyze(CHUNK, batch), repeats=REPEATS
    )
    print(f"a chunk of {CHUNK.count} trials: {simulating:.3f} s to simulate, {analyzing:.4f} s to analyze")
    # The peak of children is a running maximum, so the smaller run comes first.
    _, _, small = run_command(500)
    _, _, large = run_command(2_000)
    seconds, busy, _ = run_command(N_TRIALS)
    write_results(
        design_10000_trials_minutes=seconds / 60.0,
        design_10000_trials_core_minutes=busy / 60.0,
        design_analysis_vs_simulation=ratio,
        design_peak_mb_growth=large - small,
        design_peak_mb=large,
    )


if __name__ == "__main__":
    main()
