"""Analyses at their limits: a replicate that cannot be analyzed gives a status and no number."""

import numpy as np
from library_analyses import level_columns

from remission.analyses.estimate import Estimate, Status
from remission.analyses.hazards import analyze_hazard
from remission.analyses.means import analyze_difference, analyze_percent_lower
from remission.analyses.odds import analyze_odds

N = 12
TREATED = np.arange(N) < N // 2
NOBODY = np.zeros(N, dtype=np.bool_)
NO_COLUMNS = np.zeros((N, 0))
FACTOR = (np.arange(N) % 2 == 0).astype(np.float64)[:, None]
EVENTS = (np.arange(N) % 3 == 0).astype(np.float64)
DAYS = np.linspace(3.0, 40.0, N)


def assert_failed(found: Estimate, status: Status) -> None:
    assert found.status is status
    assert np.isnan([found.estimate, found.low, found.high, found.p_value]).all()


def test_one_arm_alone_cannot_be_compared() -> None:
    """Dropout can empty an arm of a small replicate; a number from the other arm alone would enter the average."""
    assert_failed(analyze_difference(DAYS, NOBODY, NO_COLUMNS), Status.NO_VARIATION)
    assert_failed(analyze_odds(EVENTS, NOBODY, NO_COLUMNS), Status.NO_VARIATION)
    assert_failed(analyze_hazard(DAYS, EVENTS > 0, NOBODY, NO_COLUMNS), Status.NO_VARIATION)
    assert_failed(analyze_percent_lower(DAYS, NOBODY), Status.NO_VARIATION)


def test_the_same_event_for_all_has_no_adjusted_odds() -> None:
    """The likelihood is flat; the solver would return where it happened to stop."""
    assert_failed(analyze_odds(np.ones(N), TREATED, FACTOR), Status.NO_VARIATION)


def test_a_craving_of_zero_has_no_ratio() -> None:
    """The log of a mean of zero would be minus infinity, and 100% lower a triumph."""
    assert_failed(analyze_percent_lower(np.where(TREATED, 0.0, 50.0), TREATED), Status.NO_VARIATION)


def test_equal_people_give_no_interval() -> None:
    """Without any spread the interval has width zero, as if the truth were known."""
    assert_failed(analyze_percent_lower(np.where(TREATED, 20.0, 50.0), TREATED), Status.NO_VARIATION)


def test_hazards_with_no_event_in_one_arm_are_separated() -> None:
    """The ratio is zero or infinite, which no average survives."""
    assert_failed(analyze_hazard(DAYS, TREATED, TREATED, NO_COLUMNS), Status.SEPARATION)


def test_a_factor_with_one_level_adjusts_for_nothing() -> None:
    """A replicate can miss a stratum; a constant column beside the intercept would make the design singular."""
    assert level_columns(np.full(N, 3)).shape == (N, 0)
    np.testing.assert_array_equal(level_columns(np.array([0, 2, 2, 0])), [[0.0], [1.0], [1.0], [0.0]])
