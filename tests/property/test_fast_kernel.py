"""The compiled kernel is the reference kernel, bit for bit."""

from dataclasses import fields, replace

import numpy as np
import pytest
from effort import tries
from hypothesis import given, settings
from hypothesis import strategies as st

from remission.errors import NumericalError
from remission.numerics import elementary, lanes
from remission.numerics.loops import made_loop
from remission.patient.course import STATES, Course, CourseSchedule, DrawnValues, Entry
from remission.patient.kernels import fast, reference
from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.patient.sampling import sample_traits
from remission.records.substance import Substance
from remission.streams import People, Stream, draw_words

_SWITCHED = (
    "leave_hazard_per_day", "gamma", "k_s", "k_n", "k_m", "attempt_per_day", "i_max", "wk", "k_heavy", "k_light",
    "sigma_heavy",
)  # fmt: skip
FACTOR = st.floats(min_value=0.3, max_value=3.0)
ENTRIES = st.builds(
    Entry,
    n_baseline=st.sampled_from([0, 1, 9, 28]),
    clean_days=st.sampled_from([0, 0, 3, 60]),
    self_quit=st.booleans(),
    quit_day=st.sampled_from([None, 0, 5]),
    goal=st.sampled_from(["stop", "reduce", "none"]),
)


@st.composite
def cases(draw: st.DrawFn) -> tuple[People, CourseSchedule, Substance, dict[str, float]]:
    """A batch of any size with its own infusions and sessions per person, and a substance with shaken parameters."""
    n = draw(st.integers(min_value=1, max_value=300))
    n_days = draw(st.integers(min_value=1, max_value=45))
    rng = np.random.default_rng(draw(st.integers(min_value=0, max_value=2**32)))
    blocked = rng.uniform(size=n_days) < draw(st.sampled_from([0.0, 0.2]))
    entry = draw(ENTRIES)
    taken = rng.integers(-1, n_days, size=n)
    schedule = CourseSchedule(
        infusion_day=rng.integers(-1, n_days, size=(n, 3)),
        exposure=rng.uniform(0.0, 2.0, size=(n, 3)),
        psychoactive=rng.uniform(0.0, 1.0, size=(n, 3)),
        session_day=rng.integers(-1, n_days, size=(n, 5)),
        quality=rng.uniform(0.0, 1.0, size=n),
        weekday0=rng.integers(0, 7, size=n),
        blocked=blocked,
        entry=entry,
        incentive=draw(
            st.sampled_from([None, np.where(rng.uniform(size=(n, 5)) < 0.5, -1.0, rng.uniform(size=(n, 5)))])
        ),
        belief=draw(st.sampled_from([None, rng.normal(size=n)])),
        tau_incentive_day=draw(st.sampled_from([1.0, 60.0])),
        **({"medicine": rng.normal(size=n), "medicine_first": taken, "medicine_last": taken + 9} if n % 2 else {}),
    )
    seed = draw(st.integers(min_value=0, max_value=2**64 - 1))
    first = draw(st.integers(min_value=0, max_value=2**31))
    names = ("use_effect", "k_c", "k_g", "w_m", "eta", "a_h", "beta_c", "sigma_x", "sigma_k", "w7", "nu", "kappa")
    factors = {name: draw(FACTOR) for name in names}
    factors["leave_hazard_per_day"] = draw(st.sampled_from([0.0, 0.01]))
    factors["drawn"] = draw(st.sampled_from([0.0, 1.0]))
    factors["gamma"] = draw(st.sampled_from([0.0, -0.4, 0.7]))
    factors["k_s"] = draw(st.sampled_from([0.0, 0.4]))
    factors["k_n"] = draw(st.sampled_from([0.0, 0.7]))
    factors["k_m"] = draw(st.sampled_from([0.0, 0.5]))
    factors["attempt_per_day"] = draw(st.sampled_from([0.0, 0.1]))
    factors["i_max"] = draw(st.sampled_from([1.0, 1.6]))
    factors["wk"] = draw(st.sampled_from([0.0, 0.5]))
    factors["k_heavy"] = draw(st.sampled_from([0.0, 2.4]))
    factors["k_light"] = draw(st.sampled_from([0.0, 1.3]))
    factors["sigma_heavy"] = draw(st.sampled_from([0.0, 2.0]))
    people = People.of_replicates(seed=seed, first=first, count=1, n_subjects=n)
    return people, schedule, draw(st.sampled_from(list(Substance))), factors


def _drawn(parameters: CourseParameters, n: int) -> DrawnValues:
    rng = np.random.default_rng(n)
    names = [one.name for one in fields(DrawnValues)]
    return DrawnValues(**{name: getattr(parameters, name) * rng.uniform(0.5, 1.5, n) for name in names})


@given(case=cases(), n_threads=st.integers(min_value=1, max_value=3))
@settings(max_examples=tries(15, 40))
def test_fast_equals_reference(
    case: tuple[People, CourseSchedule, Substance, dict[str, float]], n_threads: int
) -> None:
    """The reference is the specification: one different bit is a different trial."""
    people, schedule, substance, factors = case
    base = load_course_parameters(substance)
    is_drawn = factors.pop("drawn") > 0.0
    given = {name: factors.pop(name) for name in _SWITCHED}
    changed = {name: getattr(base, name) * factor for name, factor in factors.items()}
    parameters = base.replace(**given, **changed)
    traits = sample_traits(people, parameters, entry=schedule.entry)
    if is_drawn:
        traits = replace(traits, drawn=_drawn(parameters, len(people)))
    expected = reference.simulate_course(people, traits, schedule, parameters, record_states=True)
    found = fast.simulate_course(people, traits, schedule, parameters, n_threads=n_threads)
    recorded = fast.simulate_course(people, traits, schedule, parameters, n_threads=n_threads, record_states=True)
    for name in (one.name for one in fields(Course) if one.name != "states"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
        np.testing.assert_array_equal(getattr(recorded, name), getattr(expected, name), err_msg=name)
    assert found.states == {}
    assert list(recorded.states) == list(expected.states) == list(STATES)
    for name, values in expected.states.items():
        np.testing.assert_array_equal(recorded.states[name], values, err_msg=name)


def test_what_nobody_reads_changes_nothing_else() -> None:
    """A trial without amounts and craving is simulated without them; its people must be the same people."""
    parameters = load_course_parameters(Substance("alcohol")).replace(k_heavy=2.4, sigma_heavy=2.0)
    people = People.of_replicates(seed=5, first=0, count=1, n_subjects=300)
    rng = np.random.default_rng(2)
    schedule = CourseSchedule(
        infusion_day=np.tile([0, 7, 14], (300, 1)), exposure=rng.uniform(0.0, 2.0, (300, 3)),
        psychoactive=np.zeros((300, 3)), session_day=np.tile([1, 8], (300, 1)), quality=np.ones(300),
        weekday0=np.zeros(300, dtype=np.int64), blocked=np.zeros(40, dtype=np.bool_), entry=Entry(n_baseline=9),
    )  # fmt: skip
    traits = sample_traits(people, parameters, entry=schedule.entry)
    whole = fast.simulate_course(people, traits, schedule, parameters)
    read = {"amount": ("amount", "baseline_amount"), "vas": ("vas", "baseline_vas")}
    for left_out in (("amount",), ("vas",), ("amount", "vas")):
        found = fast.simulate_course(
            people, traits, schedule, parameters,
            with_amounts="amount" not in left_out, with_craving="vas" not in left_out,
        )  # fmt: skip
        gone = {name for one in left_out for name in read[one]}
        for name in (one.name for one in fields(Course) if one.name != "states"):
            column = getattr(found, name)
            assert column.shape == getattr(whole, name).shape
            if name in gone:
                assert np.isnan(column).all()
            else:
                np.testing.assert_array_equal(column, getattr(whole, name), err_msg=name)


def test_a_craving_that_is_no_number_is_told_although_nobody_reads_it() -> None:
    """Who has such a craving never uses, and a trial would count that person as abstinent."""
    parameters = load_course_parameters(Substance("alcohol"))
    people = People.of_replicates(seed=5, first=0, count=1, n_subjects=3)
    schedule = CourseSchedule(
        infusion_day=np.full((3, 1), -1), exposure=np.zeros((3, 1)), psychoactive=np.zeros((3, 1)),
        session_day=np.full((3, 1), -1), quality=np.zeros(3), weekday0=np.zeros(3, dtype=np.int64),
        blocked=np.zeros(5, dtype=np.bool_),
    )  # fmt: skip
    traits = sample_traits(people, parameters, entry=schedule.entry)
    broken = replace(traits, cue0=np.array([0.0, np.nan, 0.0]))
    with pytest.raises(NumericalError, match="person 1"):
        fast.simulate_course(people, broken, schedule, parameters, with_craving=False)


def test_values_drawn_alike_are_the_parameters() -> None:
    """A draw that says what the parameters say must change nothing, or a posterior would be another model."""
    parameters = load_course_parameters(Substance("alcohol"))
    n = 300
    people = People.of_replicates(seed=3, first=0, count=1, n_subjects=n)
    rng = np.random.default_rng(1)
    schedule = CourseSchedule(
        infusion_day=np.tile([0, 7, 14], (n, 1)), exposure=rng.uniform(0.0, 2.0, (n, 3)),
        psychoactive=np.zeros((n, 3)), session_day=np.tile([1, 8], (n, 1)), quality=np.ones(n),
        weekday0=np.zeros(n, dtype=np.int64), blocked=np.zeros(40, dtype=np.bool_),
    )  # fmt: skip
    traits = sample_traits(people, parameters, entry=schedule.entry)
    same = DrawnValues(**{one.name: np.full(n, getattr(parameters, one.name)) for one in fields(DrawnValues)})
    for kernel in (fast.simulate_course, reference.simulate_course):
        plain = kernel(people, traits, schedule, parameters)
        drawn = kernel(people, replace(traits, drawn=same), schedule, parameters)
        for name in (one.name for one in fields(Course) if one.name != "states"):
            np.testing.assert_array_equal(getattr(drawn, name), getattr(plain, name), err_msg=name)


def test_one_number_functions_have_the_bits_of_the_array_functions() -> None:
    """exp, log, sine and cosine are the only places where two implementations could drift apart."""
    rng = np.random.default_rng(4)
    x = np.concatenate([rng.uniform(-40.0, 40.0, 20_000), [-800.0, -700.0, 0.0, 700.0, 800.0]])
    positive = np.exp(rng.uniform(-22.0, 5.0, 20_000))
    turns = rng.uniform(0.0, 1.0, 20_000)
    cosine, sine = elementary.cos_sin_turns(turns)
    pairs = [
        (lanes.exp_lane, x, elementary.exp(x)),
        (lanes.tanh_lane, x, elementary.tanh(x)),
        (lanes.logistic_lane, x, elementary.logistic(x)),
        (lanes.log_lane, positive, elementary.log(positive)),
        (lanes.cos_turns_lane, turns, cosine),
        (lanes.sin_turns_lane, turns, sine),
    ]
    for function, argument, expected in pairs:

        @made_loop
        def each(values, function=function):  # type: ignore[no-untyped-def]
            out = np.empty_like(values)
            for i in range(values.size):
                out[i] = function(values[i])
            return out

        np.testing.assert_array_equal(each(argument, function), expected)


@given(
    seed=st.integers(min_value=0, max_value=2**64 - 1),
    subject=st.integers(min_value=0, max_value=2**32 - 1),
    replicate=st.integers(min_value=0, max_value=2**32 - 1),
    index=st.integers(min_value=0, max_value=2**32 - 1),
)
def test_compiled_draws_are_the_same_draws(seed: int, subject: int, replicate: int, index: int) -> None:
    """One address, one draw, in both kernels."""
    person = People(
        seed=seed, replicate=np.array([replicate], dtype=np.uint64), subject=np.array([subject], dtype=np.uint64)
    )
    expected = [int(word[0]) for word in draw_words(person, Stream.DAY, index)]
    counter = [np.uint64(value) for value in (subject, replicate, index, int(Stream.DAY))]
    assert list(_philox(*counter, np.uint64(seed & 0xFFFFFFFF), np.uint64(seed >> 32))) == expected


@made_loop
def _philox(c0, c1, c2, c3, k0, k1):  # type: ignore[no-untyped-def]
    return lanes.philox_lane(c0, c1, c2, c3, k0, k1)
