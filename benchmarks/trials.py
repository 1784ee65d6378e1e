"""Finished trials: what a person-day costs on one core, what a second process adds, and what others take.

``finished_trial_ns``: processor time of simulating and analyzing trials of 300 people, 180 days and two arms, with an
analysis of covariance and a logistic regression, a person-day; ``_2bcf5bc``: of that commit's program.
``finished_trial_two_workers``: time of one over time of two, by the clock, on an idle machine.
``finished_trial_two_ideal``: the same of two programs that share nothing, and so what this machine has to give.
``analyses_vs_statsmodels``: the two analyses by statsmodels, one trial at a time, over ours of all trials at once.
``t_tests_vs_r``: R's ``t.test``, trial by trial, over ours. Values are equal before times are compared.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import statsmodels.api as sm

from benchmarks.design import design_protocol
from benchmarks.measure import seconds_of, times_faster, write_results
from remission.analyses.means import analyze_differences
from remission.analyses.odds import analyze_many_odds
from remission.runs.crew import Crew, Processes
from remission.runs.piece import do_piece
from remission.trial.batch import TrialBatch
from remission.trial.simulate import plan_trial

N_CHUNKS = 8
SHARED_CHUNKS = 32
REPEATS = 5
R_SCRIPT = Path(__file__).parent / "peers" / "t_tests.R"
_CLOSE = 1e-8


def own_nanoseconds() -> float:
    """Processor time of a person-day of a finished trial: median of a few rounds, after one that compiles."""
    plan = plan_trial(design_protocol(), n_replicates=10_000, seed=1)
    chunks = plan.chunks[:N_CHUNKS]
    days = plan.protocol.follow_up_days * plan.protocol.population.n_subjects * sum(chunk.count for chunk in chunks)
    found = []
    for _ in range(REPEATS + 1):
        started = time.process_time()
        for chunk in chunks:
            do_piece(plan, chunk)
        found.append((time.process_time() - started) / days * 1e9)
    return statistics.median(found[1:])


def earlier_nanoseconds(tree: Path) -> float:
    """The same of another state of the program, in a process of its own."""
    ask = "from benchmarks.trials import own_nanoseconds; print(own_nanoseconds())"
    env = {**os.environ, "PYTHONPATH": str(tree.resolve() / "src")}
    told = subprocess.run([sys.executable, "-c", ask], check=True, capture_output=True, text=True, env=env)
    return float(told.stdout)


def gain(two: Callable[[], Crew]) -> float:
    """Time of this process alone over that of two, which have begun before: median of turns."""
    plan = plan_trial(design_protocol(), n_replicates=10_000, seed=1)
    work, chunks = partial(do_piece, plan), plan.chunks[:SHARED_CHUNKS]

    def through(crew: Crew) -> float:
        return seconds_of(lambda: [None for _ in crew.in_order(work, chunks)])

    with Crew() as alone, two() as both:
        list(both.in_order(work, chunks[:8]))
        through(alone)
        return statistics.median(through(alone) / through(both) for _ in range(REPEATS))


def work_when_told() -> None:
    """Seconds that the shared chunks take this process, for each line that comes, as a line."""
    plan = plan_trial(design_protocol(), n_replicates=10_000, seed=1)
    chunks = plan.chunks[:SHARED_CHUNKS]

    def work() -> None:
        for chunk in chunks:
            do_piece(plan, chunk)

    work()
    print("ready", flush=True)
    for _ in sys.stdin:
        print(seconds_of(work), flush=True)


def ideal_gain() -> float:
    """What two programs do at the same time over what one does alone: median of turns."""
    ask = [sys.executable, "-c", "from benchmarks.trials import work_when_told; work_when_told()"]
    pair = [subprocess.Popen(ask, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]

    def told(who: list[subprocess.Popen[str]]) -> float:
        for one in who:
            assert one.stdin is not None
            print(file=one.stdin, flush=True)
        return max(float(said(one)) for one in who)

    def said(one: subprocess.Popen[str]) -> str:
        assert one.stdout is not None
        return one.stdout.readline()

    try:
        assert [said(one).strip() for one in pair] == ["ready", "ready"], "a process ended before it was ready"
        return statistics.median(2.0 * told(pair[:1]) / told(pair) for _ in range(REPEATS))
    finally:
        for one in pair:
            one.kill()
            one.communicate()


def analyses_against_statsmodels() -> float:
    """The same two analyses of the same people: ours of 13 trials at once, statsmodels trial by trial."""
    plan = plan_trial(design_protocol(), n_replicates=13, seed=1)
    (chunk,) = plan.chunks
    percent, event, treated, entry = _columns(plan.simulate(chunk), chunk.count)
    inside = np.isfinite(percent)
    adjust = np.ascontiguousarray(entry.swapaxes(1, 2))

    def ours() -> tuple[np.ndarray, np.ndarray]:
        mean = analyze_differences(percent, inside, treated, adjust)
        odds = analyze_many_odds(event, inside, treated, np.ascontiguousarray(adjust[:, [0, 2]]))
        return mean.estimate, odds.estimate

    def theirs() -> tuple[np.ndarray, np.ndarray]:
        found = []
        for number in range(chunk.count):
            columns = np.column_stack([np.ones(inside.shape[1]), entry[number], treated[number]])[inside[number]]
            mean = sm.OLS(percent[number][inside[number]], columns).fit()
            odds = sm.Logit(event[number][inside[number]], columns[:, [0, 1, 3, 4]]).fit(disp=0)
            # Intervals and p values are part of the work.
            mean.conf_int(), odds.conf_int(), mean.pvalues, odds.pvalues
            found.append((mean.params[-1], np.exp(odds.params[-1])))
        return np.array([one for one, _ in found]), np.array([one for _, one in found])

    _check("statsmodels", ours(), theirs())
    return times_faster(ours, theirs, repeats=REPEATS)[0]


def _columns(batch: TrialBatch, n_replicates: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Percent of days abstinent, any use, who is treated, and age, weight and sex; a row a trial."""
    shape = (n_replicates, -1)
    seen = batch.observation.seen
    used = (batch.observation.diary > 0) & seen
    with np.errstate(invalid="ignore"):
        percent = (100.0 * (1.0 - used.sum(axis=1) / seen.sum(axis=1))).reshape(shape)
    people = batch.covariates
    entry = np.stack([people.age_y, people.weight_kg, people.female.astype(np.float64)], axis=1).reshape(*shape, 3)
    return percent, (used.any(axis=1) * 1.0).reshape(shape), (batch.arm == 0).reshape(shape), entry


def t_tests_against_r(n_trials: int = 1000, n_people: int = 300) -> float | None:
    """Two means of equal variance compared in many made-up trials; None where there is no R."""
    program = shutil.which("Rscript")
    if program is None:
        return None
    values = np.random.default_rng(4).normal(size=(n_trials, n_people))
    inside = np.ones(values.shape, dtype=np.bool_)
    treated, nothing = np.tile(np.arange(n_people) % 2 == 0, (n_trials, 1)), np.zeros((n_trials, 0, n_people))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "values.csv"
        np.savetxt(path, values, delimiter=",", fmt="%.17g")
        told = subprocess.run(
            [program, "--vanilla", str(R_SCRIPT), str(path), str(REPEATS)], check=True, capture_output=True, text=True
        ).stdout.split()
    seconds, p_value = float(told[0]), np.array(told[1:], dtype=np.float64)
    _check("R", (analyze_differences(values, inside, treated, nothing).p_value,), (p_value,))
    own = []
    for _ in range(REPEATS):
        started = time.process_time()
        analyze_differences(values, inside, treated, nothing)
        own.append(time.process_time() - started)
    return seconds / statistics.median(own)


def _check(name: str, ours: tuple[np.ndarray, ...], theirs: tuple[np.ndarray, ...]) -> None:
    gap = max(float(np.max(np.abs(one - other))) for one, other in zip(ours, theirs, strict=True))
    print(f"{name}: largest difference {gap:.1e}")
    if not gap < _CLOSE:
        message = f"{name} does not agree; its time would mean nothing"
        raise RuntimeError(message)


def main() -> None:
    """Measure, print, write."""
    print(
        f"load average before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores; a busy core spoils the gains of two"
    )
    if len(sys.argv) > 1:
        write_results(finished_trial_ns_2bcf5bc=earlier_nanoseconds(Path(sys.argv[1])))
    write_results(finished_trial_ns=own_nanoseconds())
    write_results(finished_trial_two_workers=gain(partial(Processes, 2)), finished_trial_two_ideal=ideal_gain())
    found = {"analyses_vs_statsmodels": analyses_against_statsmodels()}
    by_r = t_tests_against_r()
    write_results(**found, **({} if by_r is None else {"t_tests_vs_r": by_r}))


if __name__ == "__main__":
    main()
