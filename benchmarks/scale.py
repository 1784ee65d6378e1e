"""A second thread's worth, and the memory of a person: ``threads_1_to_2`` (2 is ideal) and ``bytes_per_person``."""

import os
import resource
import statistics
import subprocess
import sys

from benchmarks.measure import seconds_of, write_results
from benchmarks.problem import TIMED_SEED, course_problem
from remission.patient.kernels import fast

CHUNK = 8_192
CHUNKS = 5
"""Chunk after chunk, as trials run: a larger piece of memory goes back to the system after each call, and asking for it
again costs a tenth of the time and does not speed up with threads."""
REPEATS = 9


def peak_bytes(n_people: int) -> int:
    """Peak memory of a new process that runs ``n_people`` courses of 180 days."""
    asked = [sys.executable, "-m", "benchmarks.scale", str(n_people)]
    return int(subprocess.run(asked, check=True, capture_output=True, text=True).stdout)


def run(n_people: int, n_threads: int = 1) -> None:
    """Simulate and forget."""
    problem = course_problem(n_people, seed=TIMED_SEED)
    fast.simulate_course(problem.people, problem.traits, problem.schedule, problem.parameters, n_threads=n_threads)


def main() -> None:
    """Measure, print, write."""
    problem = course_problem(CHUNK, seed=TIMED_SEED)

    def with_threads(count: int) -> None:
        for _ in range(CHUNKS):
            fast.simulate_course(problem.people, problem.traits, problem.schedule, problem.parameters, n_threads=count)

    print(f"load average before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores; a busy core spoils threads_1_to_2")
    with_threads(2)
    pairs = [(seconds_of(lambda: with_threads(1)), seconds_of(lambda: with_threads(2))) for _ in range(REPEATS)]
    # Both large enough that arrays, and not the compiler, make the peak.
    small, large = peak_bytes(100_000), peak_bytes(200_000)
    write_results(
        threads_1_to_2=statistics.median(one / two for one, two in pairs), bytes_per_person=(large - small) / 100_000
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        run(int(sys.argv[1]))
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
    else:
        main()
