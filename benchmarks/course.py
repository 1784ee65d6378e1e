"""The course kernel against the NumPy reference, Numba one person at a time, and JAX; all on one core.

Each engine runs the batch size that suits it best among those tried. Agreement is checked first, on people on whom no
engine was adjusted: use days must be equal, amount and craving as near as odds are computed.
"""

import os
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from multiprocessing import get_context
from unittest.mock import patch

from benchmarks.measure import pin_to_one_core, times_faster, write_results
from benchmarks.problem import N_DAYS, TIMED_SEED, UNSEEN_SEED, Problem, course_problem, disagreement
from remission import streams
from remission.numerics import elementary
from remission.patient.course import Course
from remission.patient.kernels import fast, reference

BATCH = 4_096
BATCHES = 5
"""Ours runs as the trial loop runs a short run: chunk after chunk of this many people."""
N_PEOPLE = BATCH * BATCHES
NUMPY_SIZES = (4_000, 8_000, 20_000)
SCALAR_SIZES = (4_000, 20_000)
JAX_SIZES = (1_000, 4_000, 20_000)
SHORT_ODDS = 1e-10
"""As far as a peer may be from ours, relative: our chances, and a mark of craving is one, take odds to this
(:func:`remission.numerics.elementary.logistic`), a peer's library to rounding."""
REPEATS = 7


def run_fast(problem: Problem) -> Course:
    """Ours, one thread."""
    return fast.simulate_course(problem.people, problem.traits, problem.schedule, problem.parameters)


def run_batches(problem: Problem) -> None:
    """Chunk after chunk, each let go before the next, as the trial loop does.

    Kept together they are memory that the system hands out anew each time, a fifth of the time.
    """
    for _ in range(BATCHES):
        run_fast(problem)


def run_reference(problem: Problem) -> Course:
    """The specification in NumPy and nothing else.

    The program draws, and takes exponentials of many numbers, in compiled loops where the compiler is loaded; a peer
    that was half compiled would be no measure of NumPy.
    """
    with (
        patch.object(streams, "_is_compiled", lambda _: False),
        patch.object(elementary, "_MANY", sys.maxsize),
    ):
        return reference.simulate_course(problem.people, problem.traits, problem.schedule, problem.parameters)


def run_scalar(problem: Problem) -> Course:
    """The peer in Numba."""
    from benchmarks.peers import numba_scalar

    return numba_scalar.simulate_course(problem)


def time_scalar(n_people: int) -> None:
    """The peer in Numba on its own people, nothing sent back."""
    run_scalar(_scalar_problem(n_people))


@cache
def _scalar_problem(n_people: int) -> Problem:
    return course_problem(n_people, seed=TIMED_SEED)


def check(name: str, simulate: Callable[[Problem], Course]) -> None:
    """Stop when an engine answers another question."""
    problem = course_problem(2_000, seed=UNSEEN_SEED)
    days, gap = disagreement(simulate(problem), run_reference(problem))
    print(f"{name}: {days} of {2_000 * N_DAYS} use days differ, amount and craving to {gap:.1e}")
    if days or gap > SHORT_ODDS:
        message = f"{name} does not agree with the reference; its time would mean nothing"
        raise RuntimeError(message)


def main() -> None:
    """Measure, print, write."""
    pin_to_one_core()
    print(f"load average before: {os.getloadavg()[0]:.1f} of {os.cpu_count()} cores")
    problem = course_problem(BATCH, seed=TIMED_SEED)
    own_seconds = []

    def against(name: str, n_people: int, peer: Callable[[], object]) -> float:
        ratio, own, theirs = times_faster(
            lambda: run_batches(problem), peer, repeats=REPEATS, work_of_ours=N_PEOPLE / n_people
        )
        own_seconds.append(own)
        print(f"{name}, {n_people} people: {n_people * N_DAYS / theirs / 1e6:.1f} million days/s, ratio {ratio:.2f}")
        return ratio

    def least(name: str, sizes: tuple[int, ...], prepare: Callable[[Problem], Callable[[], object]]) -> float:
        return min(against(name, n, prepare(course_problem(n, seed=TIMED_SEED))) for n in sizes)

    check("fast", run_fast)
    found = {"course_vs_numpy": least("numpy", NUMPY_SIZES, lambda some: partial(run_reference, some))}
    # In a process of its own: the compiler settings that suit our kernel hold for a whole process and slow this peer.
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as elsewhere:
        check("numba scalar", lambda some: elsewhere.submit(run_scalar, some).result())
        found["course_vs_numba_scalar"] = least(
            "numba scalar",
            SCALAR_SIZES,
            lambda some: lambda: elsewhere.submit(time_scalar, len(some.people)).result(),
        )
    # Last, because its threads stay: they share the core with whatever runs after them. After pinning, which they obey.
    from benchmarks.peers import jax_course

    check("jax", jax_course.simulate_course)
    found["course_vs_jax64"] = least("jax", JAX_SIZES, jax_course.JaxCourse)
    write_results(**found, course_person_days_per_second=N_PEOPLE * N_DAYS / min(own_seconds))


if __name__ == "__main__":
    main()
