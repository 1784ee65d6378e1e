"""Analyses against closed forms and a second library."""

import numpy as np
import pandas as pd
import pytest
from library_analyses import level_columns
from lifelines import CoxPHFitter
from scipy import stats

from remission.analyses.estimate import Estimate, Status
from remission.analyses.hazards import analyze_hazard
from remission.analyses.means import analyze_difference, analyze_percent_lower
from remission.analyses.odds import analyze_odds

NOTHING = np.zeros((60, 0))
TREATED = np.arange(60) % 2 == 0


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(17)


def test_difference_without_adjustment_is_the_t_test(rng: np.random.Generator) -> None:
    """Least squares with one indicator is the equal-variance t test, to rounding."""
    values = rng.normal(70.0, 20.0, 60) + 10.0 * TREATED
    found = analyze_difference(values, TREATED, NOTHING)
    reference = stats.ttest_ind(values[TREATED], values[~TREATED])
    interval = reference.confidence_interval()
    assert found.estimate == pytest.approx(values[TREATED].mean() - values[~TREATED].mean(), rel=1e-12)
    assert found.low == pytest.approx(interval.low)
    assert found.high == pytest.approx(interval.high)
    assert found.p_value == pytest.approx(reference.pvalue)


def test_adjustment_removes_a_balanced_factor(rng: np.random.Generator) -> None:
    """Two-by-two with interaction-free truth: the adjusted interval is narrower, the estimate unmoved by balance."""
    factor = (np.arange(60) // 2) % 2
    values = rng.normal(0.0, 1.0, 60) + 30.0 * factor
    plain, adjusted = (analyze_difference(values, TREATED, design) for design in (NOTHING, level_columns(factor)))
    assert adjusted.estimate == pytest.approx(plain.estimate, abs=1e-9)
    assert adjusted.high - adjusted.low < 0.2 * (plain.high - plain.low)


def test_odds_ratio_of_a_table_by_hand() -> None:
    """13 of 27 against 3 of 28 (the cocaine trial's counts): the raw odds ratio is 13*25/(14*3) = 7.74."""
    events = np.concatenate([np.ones(13), np.zeros(14), np.ones(3), np.zeros(25)])
    treated = np.arange(55) < 27
    found = analyze_odds(events, treated, np.zeros((55, 0)))
    error = np.sqrt(1 / 13 + 1 / 14 + 1 / 3 + 1 / 25)
    assert found.estimate == pytest.approx(13 * 25 / (14 * 3))
    assert found.low == pytest.approx(13 * 25 / (14 * 3) * np.exp(-1.959963984540054 * error))


def test_logistic_regression_agrees_with_the_table(rng: np.random.Generator) -> None:
    """With an adjustment column that explains nothing the regression must find the table's odds ratio."""
    events = (rng.uniform(size=60) < 0.3 + 0.3 * TREATED) * 1.0
    table = analyze_odds(events, TREATED, NOTHING)
    regression = analyze_odds(events, TREATED, np.zeros((60, 1)) + rng.normal(size=(60, 1)) * 1e-9)
    assert regression.estimate == pytest.approx(table.estimate, rel=0.2)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pandas.errors.Pandas4Warning")  # inside lifelines
def test_hazard_ratio_equals_a_second_library(rng: np.random.Generator) -> None:
    """Cox regression with tied days: statsmodels (used) against lifelines (independent), to 1e-4 of the log ratio."""
    days = np.ceil(rng.exponential(12.0 + 12.0 * TREATED)).clip(max=30.0)
    event = days < 30.0
    found = analyze_hazard(days, event, TREATED, NOTHING)
    frame = pd.DataFrame({"days": days, "event": event, "treated": TREATED * 1.0})
    other = CoxPHFitter().fit(frame, "days", "event")
    assert np.log(found.estimate) == pytest.approx(float(other.params_.iloc[0]), abs=1e-4)
    width = np.log(found.high / found.low) / (2.0 * 1.959963984540054)
    assert width == pytest.approx(float(other.standard_errors_.iloc[0]), rel=1e-3)


def test_percent_lower_by_hand(rng: np.random.Generator) -> None:
    """Means of 20 and 50 are 60 percent lower, whatever the spread; the interval holds its coverage by simulation."""
    exact = analyze_percent_lower(np.where(TREATED, 20.0, 50.0) + np.tile([-1.0, -1.0, 1.0, 1.0], 15), TREATED)
    assert exact.estimate == pytest.approx(60.0)
    inside = 0
    for _ in range(400):
        values = rng.gamma(4.0, np.where(TREATED, 5.0, 10.0))
        found = analyze_percent_lower(values, TREATED)
        inside += found.low <= 50.0 <= found.high
    assert abs(inside / 400 - 0.95) < 4.0 * np.sqrt(0.95 * 0.05 / 400) + 0.01


@pytest.mark.parametrize(
    ("found", "status"),
    [
        (analyze_difference(np.full(60, 3.0), TREATED, NOTHING), Status.NO_VARIATION),
        (analyze_difference(np.arange(60.0), np.ones(60, dtype=bool), NOTHING), Status.NO_VARIATION),
        (analyze_odds(TREATED * 1.0, TREATED, np.ones((60, 1)) * np.arange(60)[:, None]), Status.SEPARATION),
        (analyze_odds(np.zeros(60), TREATED, np.arange(60.0)[:, None]), Status.NO_VARIATION),
        (analyze_hazard(np.ones(60), np.zeros(60, dtype=bool), TREATED, NOTHING), Status.NO_VARIATION),
        (analyze_hazard(np.arange(1.0, 61.0), TREATED, TREATED, NOTHING), Status.SEPARATION),
        (
            analyze_hazard(np.where(TREATED, 5.0, 90.0) + np.arange(60.0) / 9.0, TREATED | ~TREATED, TREATED, NOTHING),
            None,
        ),
        (analyze_percent_lower(np.where(TREATED, 0.0, 1.0), TREATED), Status.NO_VARIATION),
        (analyze_percent_lower(np.where(TREATED, 2.0, 1.0), TREATED), Status.NO_VARIATION),
        (analyze_percent_lower(np.arange(60.0), np.zeros(60, dtype=bool)), Status.NO_VARIATION),
        (analyze_odds(np.arange(60.0) % 2, np.ones(60, dtype=bool), NOTHING), Status.NO_VARIATION),
    ],
)
def test_a_failure_is_a_status_and_no_number(found: Estimate, status: Status | None) -> None:
    """A replicate that cannot be analysed is counted, not dropped and not a huge ratio.

    Where every event of one side precedes every event of the other the likelihood has no maximum; whether the solver
    runs out or away is its own affair, so None allows both.
    """
    assert found.status in ({Status.SEPARATION, Status.NOT_CONVERGED} if status is None else {status})
    assert np.isnan(found.estimate)
