"""Count regressions against likelihoods of SciPy, maximized anew, and against their limits."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import expit
from statsmodels.genmod.families import Binomial, Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from remission.analyses.counts import analyze_day_odds, analyze_rate
from remission.analyses.estimate import Estimate, Status

N = 160
TREATED = np.arange(N) % 2 == 0
NOTHING = np.zeros((N, 0))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(23)


def maximum(log_likelihood: Callable[[np.ndarray], float], n_parameters: int) -> tuple[np.ndarray, np.ndarray]:
    """Where a likelihood is highest, by a method without slopes, and its errors by second differences."""
    found = minimize(
        lambda x: -log_likelihood(x),
        np.full(n_parameters, 0.1),
        method="Nelder-Mead",
        options={"xatol": 1e-10, "fatol": 1e-12, "maxiter": 20_000, "maxfev": 20_000},
    )
    step, unit = 1e-4, np.eye(n_parameters)
    curve = np.array(
        [
            [
                sum(
                    s * t * log_likelihood(found.x + step * (s * unit[i] + t * unit[j]))
                    for s in (-1.0, 1.0)
                    for t in (-1.0, 1.0)
                )
                / (4.0 * step**2)
                for j in range(n_parameters)
            ]
            for i in range(n_parameters)
        ]
    )
    return found.x, np.sqrt(np.diag(np.linalg.inv(-curve)))


def test_rates_are_the_maximum_of_the_negative_binomial_likelihood(rng: np.random.Generator) -> None:
    """Counts of days scatter more than Poisson's; an interval that ignored it would be too narrow."""
    seen = rng.integers(10, 29, N).astype(float)
    mean = seen * 0.2 * np.where(TREATED, 0.6, 1.0)
    counts = rng.poisson(mean * rng.gamma(0.8, 1.0 / 0.8, N)).astype(float)
    found = analyze_rate(counts, seen, TREATED, NOTHING)

    def log_likelihood(x: np.ndarray) -> float:
        mu, size = seen * np.exp(x[0] + x[1] * TREATED), np.exp(-x[2])
        return float(stats.nbinom.logpmf(counts, size, size / (size + mu)).sum())

    best, errors = maximum(log_likelihood, 3)
    assert np.log(found.estimate) == pytest.approx(best[1], abs=1e-4)
    assert np.log(found.high / found.low) / (2 * 1.959964) == pytest.approx(errors[1], rel=2e-3)


def test_counts_without_extra_spread_are_poisson(rng: np.random.Generator) -> None:
    """There the negative binomial's alpha is 0 and its own solver runs into the wall."""
    seen = np.full(N, 28.0)
    counts = rng.binomial(28, np.where(TREATED, 0.3, 0.6)).astype(float)
    found = analyze_rate(counts, seen, TREATED, NOTHING)
    design = np.column_stack([np.ones(N), TREATED])
    plain = GLM(counts, design, family=Poisson(), exposure=seen).fit()
    assert np.log(found.estimate) == pytest.approx(plain.params[1], rel=1e-9)
    assert found.estimate == pytest.approx(counts[TREATED].mean() / counts[~TREATED].mean(), rel=1e-7)


def test_day_odds_are_the_maximum_of_the_beta_binomial_likelihood(rng: np.random.Generator) -> None:
    """No library has this regression, so the likelihood that it must maximize is the only judge."""
    seen = rng.integers(10, 29, N).astype(float)
    age = rng.normal(0.0, 1.0, N)
    chance = expit(-0.5 + 0.8 * TREATED + 0.4 * age)
    counts = rng.binomial(seen.astype(int), rng.beta(2.0 * chance, 2.0 * (1.0 - chance))).astype(float)
    found = analyze_day_odds(counts, seen, TREATED, 40.0 + 10.0 * age[:, None])

    def log_likelihood(x: np.ndarray) -> float:
        mu, size = expit(x[0] + x[1] * TREATED + x[2] * age), np.exp(x[3])
        return float(stats.betabinom.logpmf(counts, seen, mu * size, (1.0 - mu) * size).sum())

    best, errors = maximum(log_likelihood, 4)
    assert np.log(found.estimate) == pytest.approx(best[1], abs=1e-5)
    assert np.log(found.high / found.low) / (2 * 1.959964) == pytest.approx(errors[1], rel=1e-3)


def test_people_who_do_not_differ_give_the_binomial_regression(rng: np.random.Generator) -> None:
    """The limit of no spread between people: plain logistic regression of days."""
    seen = np.full(N, 28.0)
    counts = np.where(TREATED, 11.0, 8.0) + np.tile([0.0, 0.0, 1.0, 1.0], N // 4)
    found = analyze_day_odds(counts, seen, TREATED, NOTHING)
    design = np.column_stack([np.ones(N), TREATED])
    plain = GLM(np.column_stack([counts, seen - counts]), design, family=Binomial()).fit()
    assert np.log(found.estimate) == pytest.approx(plain.params[1], rel=1e-4)
    assert np.log(found.high / found.low) / (2 * 1.959964) == pytest.approx(plain.bse[1], rel=1e-3)


def test_all_or_nothing_days_are_people(rng: np.random.Generator) -> None:
    """The other limit: each person always or never, so that the odds are those of people."""
    counts = np.where(rng.uniform(size=N) < np.where(TREATED, 0.6, 0.4), 28.0, 0.0)
    found = analyze_day_odds(counts, np.full(N, 28.0), TREATED, NOTHING)
    odds = [counts[side].mean() / (28.0 - counts[side].mean()) for side in (TREATED, ~TREATED)]
    assert found.estimate == pytest.approx(odds[0] / odds[1], rel=0.02)


SEEN = np.full(N, 28.0)


@pytest.mark.parametrize("analyze", [analyze_rate, analyze_day_odds])
@pytest.mark.parametrize(
    ("counts", "treated", "adjust", "status"),
    [
        (np.full(N, 3.0), TREATED, NOTHING, Status.NO_VARIATION),
        (np.arange(N) % 5.0, np.ones(N, dtype=bool), NOTHING, Status.NO_VARIATION),
        (np.where(TREATED, 0.0, np.arange(N) % 5.0), TREATED, NOTHING, Status.SEPARATION),
        (np.arange(N) % 5.0, TREATED, TREATED[:, None] * 2.0, Status.NOT_ESTIMABLE),
    ],
    ids=["same for all", "one arm", "nothing in one arm", "adjusted for itself"],
)
def test_counts_that_cannot_be_analyzed_have_a_status(
    analyze: Callable[..., Estimate], counts: np.ndarray, treated: np.ndarray, adjust: np.ndarray, status: Status
) -> None:
    """A ratio of nothing is no number."""
    found = analyze(counts, SEEN, treated, adjust)
    assert found.status is status
    assert np.isnan(found.estimate)
