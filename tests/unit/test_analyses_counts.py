"""Count regressions: estimates and errors against statsmodels, tests against a t test, and the size they hold."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from statsmodels.genmod.families import Binomial, Poisson
from statsmodels.genmod.generalized_linear_model import GLM
from statsmodels.regression.linear_model import OLS

from remission.analyses.counts import analyze_day_odds, analyze_rate, analyze_robust_rate
from remission.analyses.estimate import Estimate, Status

N = 160
TREATED = np.arange(N) % 2 == 0
NOTHING = np.zeros((N, 0))
DAYS = 28
SEEN = np.full(N, float(DAYS))
BOTH = pytest.mark.parametrize("analyze", [analyze_rate, analyze_day_odds])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(23)


def library_model(analyze: object, counts: np.ndarray, seen: np.ndarray, design: np.ndarray, **more: object) -> GLM:
    """The same mean in the library."""
    if analyze is analyze_rate:
        return GLM(counts, design, family=Poisson(), exposure=seen, **more)
    return GLM(np.column_stack([counts, seen - counts]), design, family=Binomial(), **more)


@BOTH
def test_many_people_agree_with_the_sandwich_of_statsmodels(
    analyze: Callable[..., Estimate], rng: np.random.Generator
) -> None:
    """Where people are many, score and Wald are one; one factor of the variance is not exact for unequal days."""
    n = 4000
    treated, seen, age = np.arange(n) % 2 == 0, rng.integers(10, 29, n).astype(float), rng.normal(0.0, 1.0, n)
    chance = 1.0 / (1.0 + np.exp(0.5 - 0.4 * age))
    counts = rng.binomial(seen.astype(int), rng.beta(2.0 * chance, 2.0 * (1.0 - chance))).astype(float)
    found = analyze(counts, seen, treated, 40.0 + 10.0 * age[:, None])
    design = np.column_stack([np.ones(n), treated, age])
    fit = library_model(analyze, counts, seen, design).fit(cov_type="HC0")
    assert np.log(found.estimate) == pytest.approx(fit.params[1], abs=1e-8)
    assert np.log(found.high / found.low) / (2 * 1.959964) == pytest.approx(fit.bse[1], rel=0.06)
    assert found.p_value == pytest.approx(fit.pvalues[1], abs=0.02)


@BOTH
def test_the_p_value_is_that_of_a_regression_of_residuals(
    analyze: Callable[..., Estimate], rng: np.random.Generator
) -> None:
    """The test by its definition, in another library: the null model first, then least squares on what it left."""
    seen, age = rng.integers(10, 29, N).astype(float), rng.normal(0.0, 1.0, N)
    chance = 1.0 / (1.0 + np.exp(1.0 - 0.8 * age - 0.5 * TREATED))
    counts = rng.binomial(seen.astype(int), rng.beta(chance, 1.0 - chance)).astype(float)
    found = analyze(counts, seen, TREATED, age[:, None])
    others = np.column_stack([np.ones(N), age])
    mean = np.asarray(library_model(analyze, counts, seen, others).fit().fittedvalues)
    if analyze is analyze_day_odds:
        mean = mean * seen
    again = OLS(counts - mean, np.column_stack([others, TREATED])).fit()
    assert found.p_value == pytest.approx(again.pvalues[2], rel=1e-6)


@BOTH
def test_equal_days_give_the_t_test(analyze: Callable[..., Estimate], rng: np.random.Generator) -> None:
    """The exact limit, with few people, few of whom use at all."""
    counts = (rng.binomial(DAYS, 0.4, N) * (rng.uniform(size=N) < 0.3)).astype(float)
    found = analyze(counts, SEEN, TREATED, NOTHING)
    assert found.p_value == pytest.approx(stats.ttest_ind(counts[TREATED], counts[~TREATED]).pvalue, rel=1e-9)
    means = [counts[side].mean() for side in (TREATED, ~TREATED)]
    if analyze is analyze_day_odds:
        means = [mean / (DAYS - mean) for mean in means]
    assert found.estimate == pytest.approx(means[0] / means[1], rel=1e-9)


@BOTH
@pytest.mark.parametrize("share", [0.05, 0.3, 0.95])
def test_the_interval_never_contradicts_the_p_value(
    analyze: Callable[..., Estimate], share: float, rng: np.random.Generator
) -> None:
    """One test, read twice: also where hardly anybody uses and one end lies far away."""
    n = 16
    treated, nothing, days = np.arange(n) % 4 == 0, np.zeros((n, 0)), np.full(n, float(DAYS))
    counted = 0
    for _ in range(60):
        chance = rng.beta(0.3 * share, 0.3 * (1.0 - share), n) if share < 0.5 else np.full(n, share)
        found = analyze(rng.binomial(DAYS, chance).astype(float), days, treated, nothing)
        if found.status is Status.OK:
            counted += 1
            assert 0.0 < found.low <= found.estimate <= found.high < np.inf
            assert (found.p_value < 0.05) == (not found.low <= 1.0 <= found.high)
    assert counted > 10


def _between_people(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.binomial(DAYS, rng.beta(0.4, 0.6, n))


def _many_without(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.binomial(DAYS, 0.6, n) * (rng.uniform(size=n) < 0.6)


def _alike(rng: np.random.Generator, n: int) -> np.ndarray:
    return rng.integers(11, 14, n)


SIZE_TRIALS = 2000
FALSE_ALARM = 1e-4


@BOTH
@pytest.mark.parametrize("draw", [_between_people, _many_without, _alike], ids=["beta", "many zeros", "alike"])
@pytest.mark.parametrize(("n", "n_treated"), [pytest.param(24, 12, marks=pytest.mark.thorough), (60, 15)])
def test_no_effect_is_rejected_at_its_size(
    analyze: Callable[..., Estimate], draw: Callable[..., np.ndarray], n: int, n_treated: int
) -> None:
    """Between .040 and .060 for spreads above and below any law, all trials counted, failed ones as not rejected.

    The exact binomial test of 2,000 trials gives a false alarm in 1 of 10,000 cells whose size is on the border; a
    negative binomial (.000 to .010) and a beta-binomial (.070) are far outside.
    """
    rng = np.random.default_rng((2026, n))
    treated, nothing, days = np.arange(n) < n_treated, np.zeros((n, 0)), np.full(n, float(DAYS))
    p_values = [analyze(draw(rng, n).astype(float), days, treated, nothing).p_value for _ in range(SIZE_TRIALS)]
    rejected = int(np.sum(np.array(p_values) < 0.05))
    assert stats.binom.sf(rejected - 1, SIZE_TRIALS, 0.06) > FALSE_ALARM
    assert stats.binom.cdf(rejected, SIZE_TRIALS, 0.04) > FALSE_ALARM


@BOTH
@pytest.mark.parametrize(
    ("counts", "treated", "adjust", "status"),
    [
        (np.full(N, 3.0), TREATED, NOTHING, Status.NO_VARIATION),
        (np.where(TREATED, 3.0, 5.0), TREATED, NOTHING, Status.NO_VARIATION),
        (np.arange(N) % 5.0, np.ones(N, dtype=bool), NOTHING, Status.NO_VARIATION),
        (np.where(TREATED, 0.0, np.arange(N) % 5.0), TREATED, NOTHING, Status.SEPARATION),
        (np.arange(N) % 5.0, TREATED, TREATED[:, None] * 2.0, Status.NOT_ESTIMABLE),
    ],
    ids=["same for all", "same within arms", "one arm", "nothing in one arm", "adjusted for itself"],
)
def test_counts_that_cannot_be_analyzed_have_a_status(
    analyze: Callable[..., Estimate], counts: np.ndarray, treated: np.ndarray, adjust: np.ndarray, status: Status
) -> None:
    """A ratio of nothing is no number."""
    found = analyze(counts, SEEN, treated, adjust)
    assert found.status is status
    assert np.isnan(found.estimate)


@BOTH
@pytest.mark.parametrize(("n", "n_treated"), [(24, 12), pytest.param(56, 28, marks=pytest.mark.thorough)])
def test_days_seen_that_differ_between_people_leave_the_size(
    analyze: Callable[..., Estimate], n: int, n_treated: int
) -> None:
    """Who left early was seen for few days: weights by those days rejected .07 where people differ in use."""
    rng = np.random.default_rng((2027, n))
    treated, nothing, p_values = np.arange(n) < n_treated, np.zeros((n, 0)), []
    for _ in range(SIZE_TRIALS):
        seen = np.where(rng.uniform(size=n) < 0.5, DAYS, rng.integers(1, 6, n))
        counts = rng.binomial(seen, rng.beta(0.4, 0.8, n)).astype(float)
        p_values.append(analyze(counts, seen.astype(float), treated, nothing).p_value)
    rejected = int(np.sum(np.array(p_values) < 0.05))
    assert stats.binom.sf(rejected - 1, SIZE_TRIALS, 0.06) > FALSE_ALARM
    assert stats.binom.cdf(rejected, SIZE_TRIALS, 0.04) > FALSE_ALARM


@pytest.mark.parametrize("analyze", [analyze_rate, analyze_day_odds, analyze_robust_rate])
@pytest.mark.parametrize("is_full", [False, True])
def test_a_site_without_any_day_says_nothing(
    analyze: Callable[..., Estimate], is_full: bool, rng: np.random.Generator
) -> None:
    """Its own coefficient runs to infinity; what is found is what is found without it, and no search that stopped."""
    treated, seen = np.arange(24) % 2 == 0, np.full(24, 28.0)
    site = np.arange(24) // 4 == 1
    counts = np.where(site, 28.0 * is_full, rng.integers(1, 20, 24)).astype(float)
    age = rng.normal(size=24)
    whole = analyze(counts, seen, treated, np.column_stack([age, site]))
    rest = analyze(counts[~site], seen[~site], treated[~site], age[~site, None])
    if is_full and analyze is not analyze_day_odds:
        # All days are no end of a rate.
        assert whole.status is Status.OK
        return
    for name in ("estimate", "low", "high", "p_value"):
        assert getattr(whole, name) == pytest.approx(getattr(rest, name), rel=1e-8)


@BOTH
def test_a_side_that_is_only_at_an_empty_site_has_no_ratio(analyze: Callable[..., Estimate]) -> None:
    """All but one of the treated were at a site where nobody had a day: what is left cannot tell the arms apart."""
    counts = np.array([0, 0, 0, 0, 5, 3, 8, 2, 6], dtype=float)
    treated = np.array([1, 1, 1, 0, 1, 0, 0, 0, 0], dtype=bool)
    site = np.array([1, 1, 1, 1, 0, 0, 0, 0, 0], dtype=float)[:, None]
    assert analyze(counts, np.full(9, 28.0), treated, site).status is Status.SEPARATION
