"""The course kernel against the NumPy reference, Numba one person at a time, and JAX; all on one core.

Each engine runs the batch size that suits it best among those tried. Agreement is checked first, on people on whom no
engine was adjusted: use days must be equal, amount and craving to rounding.
"""

from collections.abc import Callable
from functools import partial

from benchmarks.measure import pin_to_one_core, times_faster, write_results
from benchmarks.peers import numba_scalar
from benchmarks.problem import N_DAYS, TIMED_SEED, UNSEEN_SEED, Problem, course_problem, disagreement
from remission.patient.course import Course
from remission.patient.kernels import fast, reference

N_PEOPLE = 20_000
NUMPY_SIZES = (4_000, 8_000, 20_000)
JAX_SIZES = (1_000, 4_000, 20_000)
ROUNDING = 1e-12
REPEATS = 7


def run_fast(problem: Problem) -> Course:
    """Ours, one thread."""
    return fast.simulate_course(problem.people, problem.traits, problem.schedule, problem.parameters)


def run_reference(problem: Problem) -> Course:
    """The specification in NumPy."""
    return reference.simulate_course(problem.people, problem.traits, problem.schedule, problem.parameters)


def check(name: str, simulate: Callable[[Problem], Course]) -> None:
    """Stop when an engine answers another question."""
    problem = course_problem(2_000, seed=UNSEEN_SEED)
    days, gap = disagreement(simulate(problem), run_reference(problem))
    print(f"{name}: {days} of {2_000 * N_DAYS} use days differ, amount and craving to {gap:.1e}")
    if days or gap > ROUNDING:
        message = f"{name} does not agree with the reference; its time would mean nothing"
        raise RuntimeError(message)


def main() -> None:
    """Measure, print, write."""
    pin_to_one_core()
    from benchmarks.peers import jax_course  # after pinning: its threads take over the set of cores

    for name, engine in (
        ("fast", run_fast),
        ("numba scalar", numba_scalar.simulate_course),
        ("jax", jax_course.simulate_course),
    ):
        check(name, engine)

    problem = course_problem(N_PEOPLE, seed=TIMED_SEED)
    own_seconds = []

    def against(name: str, peer: Callable[[], object], n_people: int) -> float:
        ratio, own, theirs = times_faster(
            lambda: run_fast(problem), peer, repeats=REPEATS, work_of_ours=N_PEOPLE / n_people
        )
        own_seconds.append(own)
        print(f"{name}, {n_people} people: {n_people * N_DAYS / theirs / 1e6:.1f} million days/s, ratio {ratio:.2f}")
        return ratio

    numpy_problems = {n: course_problem(n, seed=TIMED_SEED) for n in NUMPY_SIZES}
    jax_courses = {n: jax_course.JaxCourse(course_problem(n, seed=TIMED_SEED)) for n in JAX_SIZES}
    found = {
        "course_vs_numpy": min(against("numpy", partial(run_reference, some), n) for n, some in numpy_problems.items()),
        "course_vs_numba_scalar": against("numba scalar", lambda: numba_scalar.simulate_course(problem), N_PEOPLE),
        "course_vs_jax64": min(against("jax", some, n) for n, some in jax_courses.items()),
    }
    write_results(**found, course_person_days_per_second=N_PEOPLE * N_DAYS / min(own_seconds))


if __name__ == "__main__":
    main()
