"""Many courses, streamed in pieces as the trial loop does: time and memory of a million, and cost per person-day.

``million_courses_seconds`` is kernel time on all cores, ``million_courses_peak_mb`` the peak of a process of its own,
everything included; ``linearity`` is the largest cost per person-day over the smallest, over people from ten thousand
to ten million (1 is perfect).
"""

import json
import os
import resource
import subprocess
import sys
import time

from benchmarks.measure import write_results
from benchmarks.problem import N_DAYS, TIMED_SEED, course_problem
from remission.patient.kernels import fast

PIECE = 16_384
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)


def stream(n_people: int) -> tuple[float, float]:
    """Seconds in the kernel and peak megabytes for courses of 180 days; the people of a piece are made once."""
    problem = course_problem(PIECE, seed=TIMED_SEED)
    n_threads = os.cpu_count() or 1

    def piece() -> int:
        course = fast.simulate_course(
            problem.people, problem.traits, problem.schedule, problem.parameters, n_threads=n_threads
        )
        return int(course.use.sum())

    piece()
    done, used = 0, 0.0
    while done < n_people:
        started = time.perf_counter()
        piece()
        used += time.perf_counter() - started
        done += PIECE
    return used * n_people / done, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main() -> None:
    """Measure each size in a new process, print, write."""
    found = {}
    for size in SIZES:
        done = subprocess.run([sys.executable, "-m", "benchmarks.streamed", str(size)], check=True, capture_output=True)
        found[size] = json.loads(done.stdout)
        per_day = 1e9 * found[size][0] / (size * N_DAYS)
        print(f"{size:>10} people: {found[size][0]:.2f} s, {per_day:.1f} ns a person-day, peak {found[size][1]:.0f} MB")
    costs = [found[size][0] / size for size in SIZES]
    write_results(
        million_courses_seconds=found[1_000_000][0],
        million_courses_peak_mb=found[1_000_000][1],
        linearity=max(costs) / min(costs),
    )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(stream(int(sys.argv[1]))))
    else:
        main()
