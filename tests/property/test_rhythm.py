"""Drift and weekdays: off means off, and what they add has the spread and the memory that their values say."""

from dataclasses import replace

import numpy as np
import pytest
from validation.small_trials import course_schedule

from remission.patient.course import Course
from remission.patient.kernels.reference import simulate_course
from remission.patient.parameters import CourseParameters, load_course_parameters
from remission.patient.sampling import sample_traits
from remission.records.substance import Substance
from remission.streams import People
from remission.use.rhythm import drift_step, update_drift

SEED = 20_261_124


def course_of(parameters: CourseParameters, n_people: int, n_days: int) -> Course:
    """Untreated people, states recorded."""
    people = People.of_replicates(seed=SEED, first=0, count=1, n_subjects=n_people)
    traits = sample_traits(people, parameters, clean_days=0, self_quit=True)
    return simulate_course(people, traits, course_schedule(n_people, n_days), parameters, record_states=True)


def test_a_set_without_drift_and_weekdays_has_them_off() -> None:
    """The values of earlier runs must go on meaning what they meant."""
    old = load_course_parameters(Substance("alcohol"), parameter_set="episodes-2026")
    assert (old.sigma_d, old.sigma_7) == (0.0, 0.0)
    course = course_of(old, 50, 30)
    assert np.all(course.states["D"] == 0.0)
    shifted = course_of(old.replace(tau_d_day=3.0), 50, 30)
    np.testing.assert_array_equal(course.use, shifted.use)


@pytest.mark.parametrize("tau_day", [2.0, 30.0])
def test_drift_keeps_its_spread_and_forgets_at_its_rate(tau_day: float) -> None:
    """Stationary from the first day: its variance is sigma_D^2 on every day, its correlation exp(-lag/tau).

    20,000 people: a variance has a standard error of 1%, so six of them (false alarm below 1 in 10^8) are 6%.
    """
    base = load_course_parameters(Substance("alcohol")).replace(sigma_d=1.3, tau_d_day=tau_day)
    drift = course_of(base, 20_000, 21).states["D"]
    np.testing.assert_allclose(drift.var(axis=0), 1.3**2, rtol=0.06)
    np.testing.assert_allclose(drift.mean(axis=0), 0.0, atol=6 * 1.3 / 20_000**0.5)
    for lag in (1, 10, 20):
        found = np.corrcoef(drift[:, 0], drift[:, lag])[0, 1]
        assert abs(found - np.exp(-lag / tau_day)) < 6 / 20_000**0.5


def test_the_step_is_exact_for_uniform_draws() -> None:
    """keep^2*sigma^2 + step^2/12 = sigma^2, else the spread would grow or shrink with time."""
    keep = float(np.exp(-1.0 / 9.0))
    step = drift_step(sigma_d=2.0, keep_d=keep)
    assert keep**2 * 4.0 + step**2 / 12.0 == pytest.approx(4.0, rel=1e-14)
    middle = update_drift(np.array([1.0]), np.array([0.5]), keep_d=keep, step=step)
    assert middle[0] == keep


def test_weekdays_come_back_every_week() -> None:
    """With nothing else between days, use seven days apart is alike and use six days apart is not.

    4,000 people of 140 days: the standard error of a correlation is below .003.
    """
    base = load_course_parameters(Substance("alcohol"))
    bare = base.replace(
        beta_c=0.0, b_in=0.0, k_k=0.0, c_l=0.0, w_m=0.0, k_a=0.0, wk=0.0, lam=1.0, sigma_d=0.0, sigma_b=0.0, sigma_7=1.5
    )
    use = course_of(bare.replace(b0=-1.0), 4_000, 140).use.astype(float)
    centered = use - use.mean()

    def alike(lag: int) -> float:
        return float((centered[:, lag:] * centered[:, :-lag]).mean() / (centered**2).mean())

    assert alike(7) > 0.2
    assert abs(alike(7) - alike(14)) < 0.02
    assert abs(alike(6)) < 0.02


def test_weekdays_belong_to_the_calendar_not_to_the_course() -> None:
    """A person who begins on another weekday has the same Mondays."""
    parameters = load_course_parameters(Substance("alcohol"))
    bare = parameters.replace(
        beta_c=0.0, b_in=0.0, k_k=0.0, c_l=0.0, w_m=0.0, k_a=0.0, wk=0.0, lam=1.0, sigma_d=0.0, sigma_b=0.0, sigma_7=9.0
    )
    people = People.of_replicates(seed=SEED, first=0, count=1, n_subjects=40)
    traits = sample_traits(people, bare, clean_days=0, self_quit=True)
    schedule = course_schedule(40, 350)
    monday, thursday = (
        simulate_course(people, traits, replace(schedule, weekday0=np.full(40, first)), bare).use[:, :343]
        for first in (0, 3)
    )
    by_weekday = monday.reshape(40, 49, 7).mean(axis=1), thursday.reshape(40, 49, 7).mean(axis=1)
    np.testing.assert_allclose(by_weekday[0][:, [3, 4, 5, 6, 0, 1, 2]], by_weekday[1], atol=0.35)
    assert np.corrcoef(by_weekday[0].ravel(), by_weekday[1].ravel())[0, 1] < 0.5
