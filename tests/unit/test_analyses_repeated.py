"""Generalized estimating equations against least squares with clusters and closed forms."""

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from remission.analyses.estimate import Status
from remission.analyses.repeated import analyze_repeated

N = 60
TREATED = np.arange(N) % 2 == 0
NOTHING = np.zeros((N, 0))


@pytest.fixture
def values() -> np.ndarray:
    rng = np.random.default_rng(2)
    table = rng.normal(60.0, 15.0, (N, 1)) + rng.normal(0.0, 10.0, (N, 4)) + 8.0 * TREATED[:, None]
    return table + np.array([0.0, 5.0, 7.0, 8.0])


def test_independence_is_least_squares_with_clusters(values: np.ndarray) -> None:
    """The plain sandwich: statsmodels' other door to it must give the same."""
    values[5, 1:], values[9, 2] = np.nan, np.nan
    found = analyze_repeated(values, TREATED, NOTHING, correlation="independence", small_sample=False)
    who, period = np.nonzero(np.isfinite(values))
    design = np.column_stack([(period[:, None] == np.arange(4)) * 1.0, TREATED[who]])
    fit = OLS(values[who, period], design).fit(
        cov_type="cluster", cov_kwds={"groups": who, "use_correction": False}, use_t=False
    )
    assert found.estimate == pytest.approx(fit.params[4], rel=1e-8)
    assert (found.high - found.low) / (2 * 1.959963984540054) == pytest.approx(fit.bse[4], rel=1e-8)
    assert found.p_value == pytest.approx(fit.pvalues[4], rel=1e-6)


def test_complete_data_give_the_difference_of_peoples_means(values: np.ndarray) -> None:
    """With every period seen, all working correlations agree on the estimate."""
    means = values.mean(axis=1)
    for correlation in ("independence", "exchangeable"):
        found = analyze_repeated(values, TREATED, NOTHING, correlation=correlation)
        assert found.estimate == pytest.approx(means[TREATED].mean() - means[~TREATED].mean(), rel=1e-8)
    other = analyze_repeated(values, TREATED, NOTHING, correlation="autoregressive")
    # Periods at the ends count for more there, so it agrees only within its own error.
    assert other.low < means[TREATED].mean() - means[~TREATED].mean() < other.high


def test_the_correction_for_few_people_is_that_of_mancl_and_derouen(values: np.ndarray) -> None:
    """Each person's residual is divided by one minus their leverage; here, for people's means, by 1 - 2/n."""
    few, treated = values[:10], TREATED[:10]
    plain = analyze_repeated(few, treated, NOTHING[:10], correlation="independence", small_sample=False)
    corrected = analyze_repeated(few, treated, NOTHING[:10], correlation="independence")
    error = [(plain.high - plain.low) / (2 * 1.959963984540054), (corrected.high - corrected.low) / (2 * 2.306004)]
    assert error[1] / error[0] == pytest.approx(1.0 / (1.0 - 2.0 / 10.0), rel=1e-5)
    assert corrected.p_value > plain.p_value


def test_tables_that_cannot_be_analyzed_have_a_status(values: np.ndarray) -> None:
    """No number where nothing varies, one side is unseen, or the adjustment is the treatment."""
    assert analyze_repeated(np.full((N, 4), 3.0), TREATED, NOTHING).status is Status.NO_VARIATION
    assert analyze_repeated(np.where(TREATED[:, None], values, np.nan), TREATED, NOTHING).status is Status.NO_VARIATION
    assert analyze_repeated(values, TREATED, TREATED[:, None] * 1.0).status is Status.NOT_ESTIMABLE
    assert analyze_repeated(values[:4], TREATED[:4], np.eye(4)[:, :2]).status is Status.NOT_ESTIMABLE
    flat = np.where(TREATED[:, None], 60.0, 50.0) + np.zeros((N, 4))
    assert analyze_repeated(flat, TREATED, NOTHING).status is Status.NO_VARIATION


def test_a_term_that_periods_say_already_has_a_status(values: np.ndarray) -> None:
    """People seen at two times only, and who they are told by the time: apart as people, the same as values."""
    early = np.arange(N) % 3 == 0
    seen = np.where(early[:, None] == (np.arange(4) < 2)[None, :], values, np.nan)
    assert analyze_repeated(seen, TREATED, early[:, None] * 1.0).status is Status.NOT_ESTIMABLE
    assert analyze_repeated(seen, TREATED, NOTHING).status is Status.OK
