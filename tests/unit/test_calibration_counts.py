"""Shares of people that enter a fit as counts: likelihood, error of emulators, weights of known values."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from scipy.special import expit, gammaln, logit
from scipy.stats import multivariate_normal, norm
from validation.inference import weighed
from validation.inference.basis import prior_draws

from remission.calibration.emulator import Emulator, judged_by_counts
from remission.calibration.fit import Results, TrialData, published_results
from remission.calibration.likelihood import log_of_counts, log_of_numbers
from remission.calibration.wave import Point, trial_targets
from remission.library.calibration_plan import load_calibration_plan
from remission.library.posteriors import plan_hash

PLAN = load_calibration_plan("posterior-2026-counts")
# Imported here, where it is installed: it sets the environment up when it is first loaded.
jax: Any = import_module("jax") if find_spec("jax") else None


def _log(value: list[float], counted: list[list[float]], found: list[float], corr: float, n_count: int) -> float:
    """Two numbers with errors of .3 and of the count's own at one half, an emulator without error."""
    people = np.array(counted[1])
    error = np.where(people > 0.0, 2.0 / np.sqrt(np.maximum(people, 1.0)), 0.3)
    return float(
        log_of_numbers(
            np, np.array(value), error, np.array(counted), np.array(found), np.zeros((2, 2)),
            np.array([[1.0, corr], [corr, 1.0]]), np.array([False] * (2 - n_count) + [True] * n_count),
        )
    )  # fmt: skip


def test_numbers_without_a_count_are_the_joint_normal() -> None:
    """What stood before must stand: the plan that is shipped reads its shares this way."""
    cov = np.array([[0.09, 0.045], [0.045, 0.09]])
    expected = multivariate_normal([0.2, -0.3], cov).logpdf([0.5, 0.1])
    assert _log([0.5, 0.1], [[0, 0], [0, 0]], [0.2, -0.3], 0.5, 0) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("p", "doubt"), [(0.02, 0.0), (0.3, 0.2), (0.97, 0.6)])
def test_chances_of_all_counts_add_up_to_one(p: float, doubt: float) -> None:
    """A density that does not would weigh trials by their size."""
    n = 27
    count = np.arange(n + 1.0)
    log = log_of_counts(np, count, np.full(n + 1, float(n)), np.full(n + 1, logit(p)), np.full(n + 1, doubt))
    choose = gammaln(n + 1.0) - gammaln(count + 1.0) - gammaln(n - count + 1.0)
    assert np.exp(log + choose).sum() == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("corr", [0.0, 0.6, -0.4])
def test_of_many_people_a_count_is_the_normal_logit_with_its_neighbor(corr: float) -> None:
    """The exact limit: with many people around one half both readings differ between two places by the same."""
    n, share = 4_000_000.0, 0.5002
    error = 2.0 / np.sqrt(n)
    cov = np.array([[0.09, corr * 0.3 * error], [corr * 0.3 * error, error**2]])
    counted = [[0.0, n * share], [0.0, n]]
    here, there = [0.1, 0.0], [0.4, 0.0012]
    got = _log([0.5, logit(share)], counted, here, corr, 1) - _log([0.5, logit(share)], counted, there, corr, 1)
    value = [0.5, logit(share)]
    expected = multivariate_normal(here, cov).logpdf(value) - multivariate_normal(there, cov).logpdf(value)
    assert got == pytest.approx(expected, rel=2e-3)


def test_nobody_counted_speaks_for_a_low_share_only() -> None:
    """The logit of half a person with a normal error called a share of one in a thousand unlikely, which it is not."""
    zero = [[0.0, 0.0], [26.0, 27.0]]
    likely, rare = (_log([0.0, 0.0], zero, [place, place], 0.0, 2) for place in (logit(0.02), logit(0.0001)))
    assert rare > likely
    assert _log([0.0, 0.0], zero, [logit(0.4)] * 2, 0.0, 2) < likely - 10.0


def _emulator(constant: float, n_values: int) -> Emulator:
    return Emulator(
        points=np.zeros((1, n_values)), lengths=np.ones((1, n_values)), weights=np.zeros((1, 1)),
        constants=np.array([constant]), error=np.array([0.9]), rms=np.zeros(1), r2=np.ones(1),
    )  # fmt: skip


@pytest.mark.parametrize("spread", [0.0, 0.5])
def test_counts_tell_an_emulators_error_from_chance(spread: float) -> None:
    """Where few are counted, chance alone scatters the logits by a half and more: none of it is the emulator's."""
    generator, n, size = np.random.default_rng(4), 300, 400
    at = logit(0.02) + spread * generator.normal(size=size)
    count = generator.binomial(n, expit(at))
    points = [
        Point(mean=np.array([logit(max(k, 0.5) / n)]), covariance=np.zeros((1, 1)), z=np.zeros(1), z_sd=np.ones(1),
              n_trials=12)
        for k in count
    ]  # fmt: skip
    found = judged_by_counts(_emulator(logit(0.02), 2), np.zeros((size, 2)), points, [n])
    assert found.error[0] == pytest.approx(spread, abs=0.12)
    same = judged_by_counts(_emulator(0.0, 2), np.zeros((size, 2)), points, [0])
    assert same.error[0] == 0.9


def test_a_plan_that_extends_another_says_the_rest_alike() -> None:
    """Two files that drift apart would be two fits under one claim; and a later rule must not rename the first."""
    first = load_calibration_plan("posterior-2026")
    assert plan_hash(first) == "f769b0c5dfdc94f4"
    assert first.replace(id=PLAN.id, shares="counts", over=first.id) == PLAN
    assert plan_hash(PLAN) != plan_hash(first)


def test_published_shares_are_counts_of_whole_people() -> None:
    """22.2 percent of 27 people are six, not 5.99."""
    found = {one.entry.protocol: published_results(one).counted.tolist() for one in trial_targets(PLAN)}
    assert found["krupitsky-2007"] == [[13.0, 6.0], [26.0, 27.0]]
    assert found["dakwar-2019"] == [[0.0, 0.0, 13.0, 3.0], [0.0, 0.0, 27.0, 28.0]]
    assert found["kare"] == [[0.0, 0.0], [0.0, 0.0]]


def test_weights_of_the_prior_are_the_posterior_of_a_number() -> None:
    """One trial whose number is its level, straight: the weighted level is normal with the known mean and spread."""
    plan = PLAN.replace(trial=tuple(one.replace(seen="always") for one in PLAN.trial if one.protocol == "kare"))
    target = next(one for one in trial_targets(plan))
    values = [value.name for value in plan.value]
    grid = np.linspace(-1.0, 1.0, 201)
    points = np.zeros((201, len(values)))
    points[:, values.index("level")] = grid
    # A sum of narrow bumps along the level, as near a straight line as makes no difference.
    lengths = np.full((4, len(values)), 1e3)
    lengths[:, values.index("level")] = 0.05
    bumps = np.exp(-0.5 * ((grid[:, None] - grid) / 0.05) ** 2) + 1e-8 * np.eye(201)
    weights = np.zeros((4, 201))
    weights[0] = np.linalg.solve(bumps, 2.0 * grid)
    made = Emulator(
        points=points, lengths=lengths, weights=weights, constants=np.zeros(4), error=np.zeros(4), rms=np.zeros(4),
        r2=np.ones(4),
    )  # fmt: skip
    one = TrialData(targets=target, emulator=made, correlation=np.eye(2))
    told = Results(
        value=np.array([0.6, 0.0]), error=np.array([0.5, 1.0]), verdict=np.zeros(0, dtype=np.int64),
        significant=np.array(1), counted=np.zeros((2, 2)),
    )  # fmt: skip
    cloud = weighed.cloud(plan, (one,), 512, 64, 8)
    true = {name: column[0] for name, column in prior_draws(plan, 1, np.random.default_rng(2)).items()}
    precision = 1.0 / 0.75**2 + 1.0 / 0.5**2
    mean, sd = (0.6 / 0.5**2) / precision, precision**-0.5
    for at in (mean - sd, mean, mean + sd):
        true["level"] = np.array([at])
        found, worth = weighed.places(plan, (one,), cloud, ["level.kare", "mean"], true, (told,), 1)
        assert found[0] == pytest.approx(norm.cdf(at, mean, sd), abs=0.03)
        assert worth > 400.0


@pytest.mark.skipif(jax is None, reason="JAX belongs to the extra calibrate")
def test_the_sampler_and_its_judges_read_counts_alike() -> None:
    """One function in two array libraries, with a gradient where nobody is counted."""
    jax.config.update("jax_enable_x64", True)
    rest = (np.array([[0.0, 3.0], [0.0, 28.0]]), np.diag([0.04, 0.09]), np.array([[1.0, 0.4], [0.4, 1.0]]))

    def log(xp: Any, found: Any, counted: np.ndarray) -> Any:
        return log_of_numbers(
            xp, np.array([0.5, 0.0]), np.array([0.3, 0.4]), counted, found, rest[1], rest[2], np.array([False, True])
        )  # fmt: skip

    found = np.array([[0.2, -1.0], [0.1, -9.0], [0.6, 2.0]])
    many = log(np, found, rest[0])
    for row, each in zip(found, many, strict=True):
        assert float(log(jax.numpy, jax.numpy.asarray(row), rest[0])) == pytest.approx(each, rel=1e-10)
    nobody = np.array([[0.0, 0.0], [0.0, 28.0]])
    slope = jax.grad(lambda row: log(jax.numpy, row, nobody))(jax.numpy.asarray(found[1]))
    assert np.isfinite(np.asarray(slope)).all()
