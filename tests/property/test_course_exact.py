"""What must hold exactly for any parameters (the exact limits of the model)."""

from dataclasses import fields, replace

import numpy as np
import pytest
from effort import tries
from hypothesis import given, settings
from hypothesis import strategies as st
from validation.small_trials import course_schedule

from remission.numerics.elementary import exp, logistic
from remission.patient.course import Course, CourseSchedule, Entry
from remission.patient.kernels.reference import simulate_course
from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.patient.sampling import sample_traits
from remission.plasticity.dose_response import dose_effect
from remission.records.substance import Substance
from remission.streams import People, Stream, draw_uniforms

N_PEOPLE = 24
N_DAYS = 40
STOPPING = Entry(self_quit=True)

SUBSTANCES = st.sampled_from(list(Substance))
FACTORS = st.floats(min_value=0.25, max_value=4.0)


@st.composite
def random_parameters(draw: st.DrawFn) -> CourseParameters:
    """A substance's parameters with the tunable ones multiplied by random factors and shifted in level."""
    base = load_course_parameters(draw(SUBSTANCES))
    scaled = (
        "tau_p_day", "k_g", "use_effect", "craving_share", "k_n", "k_c", "slope", "e_half", "w_m", "eta", "c_l",
        "beta_c", "sigma_x", "a_h", "d_h", "rho", "omega", "kappa", "sigma_k", "w7",
    )  # fmt: skip
    changes = {name: getattr(base, name) * draw(FACTORS) for name in scaled}
    changes["craving_share"] = min(1.0, changes["craving_share"])
    # What is off in the shipped set must hold its limits when it is on, too.
    changes |= {name: draw(st.floats(min_value=-1.0, max_value=1.0)) for name in ("gamma", "k_s", "use_effect")}
    changes |= {name: draw(st.floats(min_value=0.0, max_value=1.0)) for name in ("k_m", "l_m", "attempt_per_day")}
    changes["l1"] = base.l1 + draw(st.floats(min_value=-2.0, max_value=2.0))
    return base.replace(**changes)


def run(parameters: CourseParameters, schedule: CourseSchedule, *, seed: int = 7) -> Course:
    people = People.of_replicates(seed=seed, first=0, count=1, n_subjects=schedule.weekday0.size)
    traits = sample_traits(people, parameters, entry=schedule.entry)
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
    course = run(calm, course_schedule(N_PEOPLE, 400, blocked=range(400), entry=STOPPING))
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
def test_with_every_weight_at_zero_use_of_the_abstinent_is_one_coin(substance: Substance) -> None:
    """No weight, no spread, no move: p = logistic(l0), and exact uniforms decide each day."""
    base = load_course_parameters(substance)
    bare = base.replace(
        beta_c=0.0, use_effect=0.0, c_l=0.0, w_m=0.0, k_a=0.0, wk=0.0, w7=0.0, sigma_l=0.0, onset_per_day=1e-6,
        sigma_k=0.0, sigma_t=0.0, kappa=0.0, omega=0.0, l0=-1.0,
    )  # fmt: skip
    people = People.of_replicates(seed=3, first=0, count=1, n_subjects=400)
    traits = sample_traits(people, bare, entry=Entry())
    course = simulate_course(people, traits, course_schedule(400, 60), bare)
    draws = np.stack([draw_uniforms(people, Stream.DAY, day)[0] for day in range(60)], axis=1)
    np.testing.assert_array_equal(draws < logistic(np.array([-1.0])), course.use > 0)


@given(parameters=random_parameters(), n_baseline=st.integers(min_value=1, max_value=30))
@settings(max_examples=tries(6, 20))
def test_days_before_day_0_move_no_draw_after_it(parameters: CourseParameters, n_baseline: int) -> None:
    """With blocked days everybody comes to the same states: then only draws could tell the baselines apart."""
    forgetful = parameters.replace(
        w7=0.0, beta_c=0.0, w_m=0.0, k_a=0.0, c_l=0.0, success=1.0, sigma_x=0.0, attempt_per_day=0.0
    )
    with_baseline = Entry(n_baseline=n_baseline, quit_day=0)
    one = run(forgetful, course_schedule(N_PEOPLE, N_DAYS, entry=with_baseline))
    other = run(forgetful, course_schedule(N_PEOPLE, N_DAYS, entry=Entry()))
    assert one.baseline_use.shape == (N_PEOPLE, n_baseline)
    np.testing.assert_array_equal(one.use, other.use)


@given(parameters=random_parameters(), waits=st.integers(min_value=1, max_value=20))
@settings(max_examples=tries(6, 20))
def test_whoever_waited_comes_abstinent_after_a_baseline_of_use(parameters: CourseParameters, waits: int) -> None:
    """Clean days before day 0 mean that everybody has stopped; the days before them are still shown."""
    course = run(parameters, course_schedule(N_PEOPLE, N_DAYS, entry=Entry(n_baseline=28, clean_days=waits)))
    assert np.all(course.states["E"][:, 0] == 0.0)
    assert course.baseline_use.shape == course.baseline_vas.shape == (N_PEOPLE, 28)
    assert course.baseline_use.mean() > course.use[:, 0].mean()


@given(parameters=random_parameters())
@settings(max_examples=tries(6, 20))
def test_without_a_goal_nobody_has_a_better_year(parameters: CourseParameters) -> None:
    """Use goes on at least as often in who tries nothing as in who means to use less, and as in who stops."""
    parameters = parameters.replace(attempt_per_day=0.0)
    days = {
        goal: run(parameters, course_schedule(200, 90, entry=Entry(n_baseline=14, quit_day=None, goal=goal))).use.mean()
        for goal in ("none", "reduce", "stop")
    }
    assert days["none"] >= days["reduce"] >= days["stop"]


@given(parameters=random_parameters(), exposure=st.floats(min_value=0.0, max_value=3.0))
@settings(max_examples=tries(8, 25))
def test_states_keep_their_ranges(parameters: CourseParameters, exposure: float) -> None:
    """A, F, H, R, L, M in [0, 1]; G in [G_b, 1]; E 0, 1 or 2; P and S at most the sum of rho*s*f(e)."""
    schedule = course_schedule(
        N_PEOPLE, N_DAYS, infusion_days=(0, 3, 7), exposure=exposure, psychoactive=0.9, session_days=(0, 1, 2, 3),
        entry=STOPPING,
    )  # fmt: skip
    people = People.of_replicates(seed=5, first=0, count=1, n_subjects=N_PEOPLE)
    traits = sample_traits(people, parameters, entry=schedule.entry)
    states = simulate_course(people, traits, schedule, parameters, record_states=True).states
    for name in "AFHRLM":
        assert states[name].min() >= 0.0, name
        assert states[name].max() <= 1.0, name
    for name in ("Gc", "Gn", "Gk"):
        assert states[name].min() >= parameters.g_b, name
        assert states[name].max() <= 1.0, name
    assert set(np.unique(states["E"]).tolist()) <= {0.0, 1.0, 2.0}
    slope, e_half = np.array([[parameters.slope]]), np.array([[parameters.e_half]])
    effect = float(dose_effect(np.array([[exposure]]), slope=slope, e_half=e_half)[0, 0])
    ceiling = 3.0 * parameters.rho * traits.responsiveness[:, None] * effect
    for name in "PS":
        assert np.all(states[name] <= ceiling * (1.0 + 1e-12)), name
        assert states[name].min() >= 0.0


def test_the_window_decays_at_its_time_constant() -> None:
    """A closed-form trace of the day clock: P after one reference dose is rho*s*exp(-t/tau_P)."""
    parameters = load_course_parameters(Substance("alcohol"))
    schedule = course_schedule(N_PEOPLE, 30, infusion_days=(2,), exposure=1.0, psychoactive=0.5)
    people = People.of_replicates(seed=5, first=0, count=1, n_subjects=N_PEOPLE)
    traits = sample_traits(people, parameters.replace(leave_hazard_per_day=0.0), entry=Entry())
    course = simulate_course(people, traits, schedule, parameters.replace(leave_hazard_per_day=0.0), record_states=True)
    day = np.arange(2, 30)
    expected = parameters.rho * traits.responsiveness[:, None] * exp(-(day - 2.0) / parameters.tau_p_day)
    np.testing.assert_allclose(course.states["P"][:, 2:], expected, rtol=1e-13)


@pytest.mark.parametrize("share", [0.0, 0.4, 1.0])
def test_pieces_are_what_they_say(share: float) -> None:
    """The mean fall in log odds on days 1 to 14, craving and mood at 24 h, half-lives: exactly as set, in a typical
    person who had one reference dose and no change of use.
    """
    base = load_course_parameters(Substance("alcohol"))
    parameters = base.replace(
        use_effect=0.8, craving_share=share, s_log_sd=0.0, k_c=0.7, k_n=0.5, leave_hazard_per_day=0
    )
    closed = range(N_DAYS)
    dosed = course_schedule(N_PEOPLE, N_DAYS, infusion_days=(0,), exposure=1.0, blocked=closed)
    with_dose, without = (
        run(parameters, one).states for one in (dosed, course_schedule(N_PEOPLE, N_DAYS, blocked=closed))
    )
    fall = {name: without[name] - with_dose[name] for name in ("u", "z", "N")}
    np.testing.assert_allclose(fall["u"][:, 1:15].mean(axis=1), 0.8, rtol=1e-12)
    for name, at_24_h, half_day in (("z", 0.7, parameters.half_craving_day), ("N", 0.5, parameters.half_mood_day)):
        np.testing.assert_allclose(fall[name][:, 0], 0.0, atol=1e-12)
        np.testing.assert_allclose(fall[name][:, 1], at_24_h, rtol=1e-12)
        np.testing.assert_allclose(fall[name][:, 8], at_24_h * 2.0 ** (-7.0 / half_day), rtol=1e-9)
    if share in {0.0, 1.0}:
        half_day = parameters.half_craving_day if share else parameters.half_use_day
        np.testing.assert_allclose(fall["u"][:, 8] / fall["u"][:, 1], 2.0 ** (-7.0 / half_day), rtol=1e-9)


@given(cut=st.integers(min_value=1, max_value=N_PEOPLE - 1))
@settings(max_examples=10)
def test_a_persons_course_does_not_depend_on_the_batch(cut: int) -> None:
    """Chunks, threads and machines may split people anywhere; nobody's days may change."""
    parameters = load_course_parameters(Substance("cocaine"))
    people = People.of_replicates(seed=9, first=4, count=1, n_subjects=N_PEOPLE)
    part = People(seed=9, replicate=people.replicate[cut:], subject=people.subject[cut:])
    whole_traits = sample_traits(people, parameters, entry=Entry(clean_days=2))
    part_traits = sample_traits(part, parameters, entry=Entry(clean_days=2))
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
    parameters = parameters.replace(chi=1.0, omega=1.0, miss_hazard_per_day=0.0, leave_hazard_per_day=0.0)
    visits = course_schedule(N_PEOPLE, N_DAYS, session_days=tuple(range(10)))
    strong = np.full((N_PEOPLE, 10), 1e6)
    kept = run(parameters, replace(visits, incentive=strong, tau_incentive_day=1e6))
    assert kept.use.sum() == 0
    brief = run(parameters, replace(visits, incentive=strong, tau_incentive_day=0.01))
    assert brief.use[:, :10].sum() == 0
    free = run(parameters, course_schedule(N_PEOPLE, N_DAYS, blocked=range(10)))
    np.testing.assert_array_equal(brief.use[:, 10:], free.use[:, 10:])
