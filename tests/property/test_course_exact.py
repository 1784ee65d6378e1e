"""What must hold exactly for any parameters (the exact limits of the model)."""

from dataclasses import fields, replace

import numpy as np
import pytest
from effort import tries
from hypothesis import given, settings
from hypothesis import strategies as st
from validation.small_trials import course_schedule

from remission.numerics.elementary import exp, logistic
from remission.patient.course import Course, CourseSchedule
from remission.patient.kernels.reference import simulate_course
from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.patient.sampling import sample_traits
from remission.records.substance import Substance
from remission.streams import People

N_PEOPLE = 24
N_DAYS = 40

SUBSTANCES = st.sampled_from(list(Substance))
FACTORS = st.floats(min_value=0.25, max_value=4.0)


@st.composite
def random_parameters(draw: st.DrawFn) -> CourseParameters:
    """A substance's parameters with the tunable ones multiplied by random factors and shifted in level."""
    base = load_course_parameters(draw(SUBSTANCES))
    scaled = (
        "gamma",
        "k_g",
        "k_k",
        "k_n",
        "k_s",
        "k_c",
        "k_m",
        "w_m",
        "eta",
        "c_l",
        "beta_c",
        "sigma_x",
        "a_h",
        "d_h",
        "rho",
    )
    changes = {name: getattr(base, name) * draw(FACTORS) for name in scaled}
    changes["b0"] = base.b0 + draw(st.floats(min_value=-2.0, max_value=2.0))
    changes["l_m"] = draw(st.floats(min_value=0.0, max_value=1.0))
    return base.replace(**changes)


def run(parameters: CourseParameters, schedule: CourseSchedule, *, seed: int = 7, self_quit: bool = False) -> Course:
    people = People.of_replicates(seed=seed, first=0, count=1, n_subjects=schedule.weekday0.size)
    traits = sample_traits(people, parameters, clean_days=schedule.clean_days, self_quit=self_quit)
    return simulate_course(people, traits, schedule, parameters, record_states=True)


def assert_same(one: Course, other: Course) -> None:
    for field in fields(Course):
        first, second = getattr(one, field.name), getattr(other, field.name)
        if field.name == "states":
            for name in first:
                np.testing.assert_array_equal(first[name], second[name], err_msg=name)
        else:
            np.testing.assert_array_equal(first, second, err_msg=field.name)


@given(parameters=random_parameters(), seed=st.integers(min_value=0, max_value=2**64 - 1))
@settings(max_examples=tries(8, 25))
def test_a_dose_without_exposure_and_experience_is_the_saline_arm(parameters: CourseParameters, seed: int) -> None:
    """e = m = 0 must not differ from no infusion in a single bit, or arms differ by bookkeeping."""
    therapy = (0, 1, 8)
    dosed = course_schedule(
        N_PEOPLE, N_DAYS, infusion_days=(0, 7), exposure=0.0, psychoactive=0.0, session_days=therapy
    )
    plain = course_schedule(N_PEOPLE, N_DAYS, session_days=therapy)
    assert_same(run(parameters, dosed, seed=seed), run(parameters, plain, seed=seed))


@given(parameters=random_parameters())
@settings(max_examples=tries(8, 25))
def test_no_responsiveness_and_no_expectancy_is_the_saline_arm(parameters: CourseParameters) -> None:
    """With rho = 0 and k_M = 0 ketamine has no route left: any remaining difference would be an error of wiring."""
    deaf = parameters.replace(rho=0.0, k_m=0.0)
    dosed = course_schedule(N_PEOPLE, N_DAYS, infusion_days=(0, 7), exposure=1.4, psychoactive=0.7, session_days=(0, 8))
    plain = course_schedule(N_PEOPLE, N_DAYS, session_days=(0, 8))
    assert_same(run(deaf, dosed), run(deaf, plain))


@given(parameters=random_parameters())
@settings(max_examples=tries(8, 25))
def test_sessions_of_no_quality_without_drug_are_no_treatment(parameters: CourseParameters) -> None:
    """q = 0 and e = 0 is the untreated curve: attendance alone must teach nothing."""
    empty = course_schedule(N_PEOPLE, N_DAYS, session_days=(0, 1, 8, 15), quality=0.0)
    untreated = course_schedule(N_PEOPLE, N_DAYS)
    one, other = run(parameters, empty), run(parameters, untreated)
    np.testing.assert_array_equal(one.use, other.use)
    np.testing.assert_array_equal(one.vas, other.vas)


@given(parameters=random_parameters())
@settings(max_examples=tries(8, 25))
def test_blocked_access_means_no_use_and_affect_decays_to_its_baseline(parameters: CourseParameters) -> None:
    """An inpatient stay is no use by definition; without cues negative affect must come to rest at 0."""
    calm = parameters.replace(c_x=0.0)
    course = run(calm, course_schedule(N_PEOPLE, 400, blocked=range(400)), self_quit=True)
    assert course.use.sum() == 0
    assert np.abs(course.states["N"][:, -1]).max() < 1e-5
    assert np.all(np.diff(np.abs(course.states["A"]), axis=1) <= 0.0)


@given(parameters=random_parameters(), shift=st.integers(min_value=0, max_value=20))
@settings(max_examples=tries(8, 25))
def test_without_a_gate_skill_does_not_depend_on_when_the_infusion_is(parameters: CourseParameters, shift: int) -> None:
    """gamma = 0 and fixed attendance: the plasticity window must have no other way into learning."""
    closed = parameters.replace(gamma=0.0, miss_hazard_per_day=0.0, leave_hazard_per_day=0.0)
    early = course_schedule(
        N_PEOPLE, N_DAYS, infusion_days=(0,), exposure=1.0, psychoactive=0.6, session_days=(1, 5, 9)
    )
    late = course_schedule(
        N_PEOPLE, N_DAYS, infusion_days=(shift,), exposure=1.0, psychoactive=0.6, session_days=(1, 5, 9)
    )
    np.testing.assert_array_equal(run(closed, early).states["L"], run(closed, late).states["L"])


@pytest.mark.parametrize("substance", list(Substance))
def test_with_every_weight_at_zero_use_is_the_persons_own_tendency(substance: Substance) -> None:
    """beta_C = B = k_K = c_L = w_M = k_A = weekday = drift = 0 and lam = 1 leave p = logistic(b_i):
    exact uniforms decide each day.
    """
    base = load_course_parameters(substance)
    bare = base.replace(
        beta_c=0.0, b_in=0.0, k_k=0.0, c_l=0.0, w_m=0.0, k_a=0.0, wk=0.0, lam=1.0, sigma_d=0.0, sigma_7=0.0
    )
    people = People.of_replicates(seed=3, first=0, count=1, n_subjects=400)
    traits = sample_traits(people, bare, clean_days=0, self_quit=True)
    course = simulate_course(people, traits, course_schedule(400, 60), bare)
    from remission.streams import Stream, draw_uniforms

    chance = logistic(traits.tendency)
    expected = np.stack([draw_uniforms(people, Stream.DAY, day)[0] < chance for day in range(60)], axis=1)
    np.testing.assert_array_equal(expected, course.use > 0)


@given(parameters=random_parameters(), exposure=st.floats(min_value=0.0, max_value=3.0))
@settings(max_examples=tries(8, 25))
def test_states_keep_their_ranges(parameters: CourseParameters, exposure: float) -> None:
    """A, F, H, R, L, M in [0, 1]; G in [G_b, 1]; P and S at most the sum of rho*s*e."""
    schedule = course_schedule(
        N_PEOPLE, N_DAYS, infusion_days=(0, 3, 7), exposure=exposure, psychoactive=0.9, session_days=(0, 1, 2, 3)
    )
    people = People.of_replicates(seed=5, first=0, count=1, n_subjects=N_PEOPLE)
    traits = sample_traits(people, parameters, clean_days=schedule.clean_days, self_quit=True)
    states = simulate_course(people, traits, schedule, parameters, record_states=True).states
    for name in "AFHRLM":
        assert states[name].min() >= 0.0, name
        assert states[name].max() <= 1.0, name
    assert states["G"].min() >= parameters.g_b
    assert states["G"].max() <= 1.0
    ceiling = 3.0 * parameters.rho * traits.responsiveness[:, None] * exposure
    for name in "PS":
        assert np.all(states[name] <= ceiling * (1.0 + 1e-12)), name
        assert states[name].min() >= 0.0


def test_the_window_decays_at_its_time_constant() -> None:
    """The only closed-form trace of the day clock: P after one dose is rho*s*e*exp(-t/tau_P)."""
    parameters = load_course_parameters(Substance("alcohol"))
    schedule = course_schedule(N_PEOPLE, 30, infusion_days=(2,), exposure=1.0, psychoactive=0.5)
    people = People.of_replicates(seed=5, first=0, count=1, n_subjects=N_PEOPLE)
    traits = sample_traits(people, parameters.replace(leave_hazard_per_day=0.0), clean_days=0, self_quit=False)
    course = simulate_course(people, traits, schedule, parameters.replace(leave_hazard_per_day=0.0), record_states=True)
    day = np.arange(2, 30)
    expected = parameters.rho * traits.responsiveness[:, None] * exp(-(day - 2.0) / parameters.tau_p_day)
    np.testing.assert_allclose(course.states["P"][:, 2:], expected, rtol=1e-13)


@given(cut=st.integers(min_value=1, max_value=N_PEOPLE - 1))
@settings(max_examples=10)
def test_a_persons_course_does_not_depend_on_the_batch(cut: int) -> None:
    """Chunks, threads and machines may split people anywhere; nobody's days may change."""
    parameters = load_course_parameters(Substance("cocaine"))
    people = People.of_replicates(seed=9, first=4, count=1, n_subjects=N_PEOPLE)
    part = People(seed=9, replicate=people.replicate[cut:], subject=people.subject[cut:])
    whole_traits = sample_traits(people, parameters, clean_days=2, self_quit=False)
    part_traits = sample_traits(part, parameters, clean_days=2, self_quit=False)
    schedule = course_schedule(N_PEOPLE, N_DAYS)
    part_schedule = replace(course_schedule(N_PEOPLE - cut, N_DAYS), weekday0=schedule.weekday0[cut:])
    whole = simulate_course(people, whole_traits, schedule, parameters, record_states=True)
    alone = simulate_course(part, part_traits, part_schedule, parameters, record_states=True)
    np.testing.assert_array_equal(whole.use[cut:], alone.use)
    np.testing.assert_array_equal(whole.vas[cut:], alone.vas)
    for name, value in whole.states.items():
        np.testing.assert_array_equal(value[cut:], alone.states[name], err_msg=name)


@given(parameters=random_parameters())
@settings(max_examples=tries(4, 15))
def test_rewards_worth_nothing_are_no_treatment_and_teach_nothing(parameters: CourseParameters) -> None:
    """A visit with rewards must not pass as a skills session, whatever the worth of a session in its arm."""
    rewarded = replace(
        course_schedule(N_PEOPLE, N_DAYS, session_days=(0, 1, 8, 15), quality=1.0),
        incentive=np.zeros((N_PEOPLE, 4)),
        tau_incentive_day=60.0,
    )
    one, other = run(parameters, rewarded), run(parameters, course_schedule(N_PEOPLE, N_DAYS))
    np.testing.assert_array_equal(one.use, other.use)
    np.testing.assert_array_equal(one.vas, other.vas)


@given(parameters=random_parameters())
@settings(max_examples=tries(4, 15))
def test_rewards_act_while_given_and_fade_after(parameters: CourseParameters) -> None:
    """Without end they hold off all use; gone at once, the days after the last visit come as if there were none."""
    parameters = parameters.replace(lam=1.0, miss_hazard_per_day=0.0, leave_hazard_per_day=0.0)
    visits = course_schedule(N_PEOPLE, N_DAYS, session_days=tuple(range(10)))
    strong = np.full((N_PEOPLE, 10), 1e6)
    kept = run(parameters, replace(visits, incentive=strong, tau_incentive_day=1e6))
    assert kept.use.sum() == 0
    brief = run(parameters, replace(visits, incentive=strong, tau_incentive_day=0.01))
    assert brief.use[:, :10].sum() == 0
    free = run(parameters, course_schedule(N_PEOPLE, N_DAYS, blocked=range(10)))
    np.testing.assert_array_equal(brief.use[:, 10:], free.use[:, 10:])
