"""Trials of a design: what ten thousand cost, and what of it is the analysis.

``design_10000_trials_minutes``: ``remission run`` on a trial of 300 people, 180 days and two arms, with an analysis of
covariance and a logistic regression, on two cores, report and tables included. ``design_10000_trials_core_minutes``:
the same in minutes of one core, which a busy machine lengthens less. ``design_analysis_vs_simulation``: time of
endpoints and analyses over that of simulating. ``design_analysis_vs_library``: endpoints and analyses by statsmodels,
one replicate at a time, over ours. ``design_peak_mb_growth``: growth of a process's peak memory from 500 to 2,000
trials.
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from validation.small_trials import small_protocol

from benchmarks.measure import times_faster, write_results
from remission.analyses.means import analyze_difference
from remission.analyses.odds import analyze_odds
from remission.protocol.file import write_protocol
from remission.protocol.record import Protocol
from remission.trial.batch import TrialBatch
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


def analyze_by_library(batch: TrialBatch, n_replicates: int) -> None:
    """The endpoints and analyses of a batch, by statsmodels, one replicate after the other."""
    shape = (n_replicates, -1)
    seen = batch.observation.seen
    used = (batch.observation.diary > 0) & seen
    percent = (100.0 * (1.0 - used.sum(axis=1) / np.maximum(seen.sum(axis=1), 1))).reshape(shape)
    event = (used.any(axis=1) * 1.0).reshape(shape)
    treated = (batch.arm == 0).reshape(shape)
    people = batch.covariates
    entry = np.stack([people.age_y, people.weight_kg, people.female.astype(np.float64)], axis=1).reshape(*shape, 3)
    for number in range(n_replicates):
        analyze_difference(percent[number], treated[number], entry[number])
        analyze_odds(event[number], treated[number], entry[number][:, [0, 2]])


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


def main() -> None:
    """Measure, print, write."""
    print(f"load average before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores; a busy machine takes longer")
    plan = plan_trial(design_protocol(), n_replicates=N_TRIALS, seed=1)
    batch = plan.simulate(CHUNK)
    ratio, simulating, analyzing = times_faster(
        lambda: plan.simulate(CHUNK), lambda: plan.analyze(CHUNK, batch), repeats=REPEATS
    )
    print(f"a chunk of {CHUNK.count} trials: {simulating:.3f} s to simulate, {analyzing:.4f} s to analyze")
    against_library, _, _ = times_faster(
        lambda: plan.analyze(CHUNK, batch), lambda: analyze_by_library(batch, CHUNK.count), repeats=REPEATS
    )
    # The peak of children is a running maximum, so the smaller run comes first.
    _, _, small = run_command(500)
    _, _, large = run_command(2_000)
    seconds, busy, _ = run_command(N_TRIALS)
    write_results(
        design_10000_trials_minutes=seconds / 60.0,
        design_10000_trials_core_minutes=busy / 60.0,
        design_analysis_vs_simulation=ratio,
        design_analysis_vs_library=against_library,
        design_peak_mb_growth=large - small,
        design_peak_mb=large,
    )


if __name__ == "__main__":
    main()
