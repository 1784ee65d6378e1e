"""Imputation against exact conditional means, complete data, Rubin's rules by hand and the law of the posterior."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from remission.analyses.completed import analyze_imputed_counts, analyze_imputed_events
from remission.analyses.estimate import Estimate, Status
from remission.analyses.imputation import (
    Assumption,
    Chain,
    _Holes,
    _NoRankError,
    analyze_imputed,
    assumed_means,
    impute_periods,
    pool_estimates,
)
from remission.analyses.means import analyze_difference
from remission.streams import People

MEANS = np.array([[50.0, 52.0, 55.0, 56.0], [60.0, 66.0, 70.0, 71.0]])
"""Control, then treatment, of four periods."""
COVARIANCE = 100.0 * 0.7 ** np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
WEIGHT = np.full(4, 0.25)
ASSUMPTIONS: tuple[Assumption, ...] = (
    "missing-at-random",
    "jump-to-reference",
    "copy-reference",
    "copy-increments",
)


def make(n: int, *, seed: int) -> tuple[np.ndarray, np.ndarray, People]:
    rng = np.random.default_rng(seed)
    treated = np.arange(n) % 2 == 0
    values = MEANS[treated.astype(int)] + rng.multivariate_normal(np.zeros(4), COVARIANCE, n)
    return values, treated, People.of_replicates(seed=seed, first=3, count=1, n_subjects=n)


def with_dropout(values: np.ndarray, *, seed: int) -> np.ndarray:
    """The lower the last value, the likelier the end: missing at random, and far from completely at random."""
    rng, table = np.random.default_rng(seed + 1), values.copy()
    gone = np.zeros(len(table), dtype=bool)
    for period in range(1, table.shape[1]):
        gone |= rng.uniform(size=len(table)) < 1.0 / (1.0 + np.exp((values[:, period - 1] - 50.0) / 8.0))
        table[gone, period] = np.nan
    return table


@pytest.mark.parametrize("assumption", ASSUMPTIONS)
def test_imputed_values_have_the_exact_conditional_mean(assumption: Assumption) -> None:
    """6,000 people, so that parameters are known nearly exactly: what is drawn must have the mean of the formula.

    The formula is written out here a second time, person by person, from the definition of each assumption.
    """
    values, treated, people = make(6000, seed=1)
    last = np.where(np.arange(6000) % 3 == 0, 1, 3)
    table = np.where(np.arange(4) <= last[:, None], values, np.nan)
    found = impute_periods(table, treated, np.zeros((6000, 0)), people, assumption=assumption, n_imputations=5)
    assert not isinstance(found, Status)
    who = treated & (last == 1)
    reference, own = MEANS
    mean = {
        "missing-at-random": own,
        "jump-to-reference": np.array([own[0], own[1], reference[2], reference[3]]),
        "copy-reference": reference,
        "copy-increments": np.array(
            [own[0], own[1], own[1] + reference[2] - reference[1], own[1] + reference[3] - reference[1]]
        ),
    }[assumption]
    slope = COVARIANCE[2:, :2] @ np.linalg.inv(COVARIANCE[:2, :2])
    expected = mean[2:] + (values[who][:, :2] - mean[:2]) @ slope.T
    rest = COVARIANCE[2:, 2:] - slope @ COVARIANCE[:2, 2:]
    away = found[:, who, 2:] - expected
    # 4 errors of the drawn values, and of the means and slopes that 6,000 people leave uncertain.
    assert np.abs(away.mean(axis=(0, 1))).max() < 4.0 * np.sqrt(100.0 / 500.0)
    np.testing.assert_allclose(np.cov(away.reshape(-1, 2).T), rest, rtol=0.1)
    np.testing.assert_array_equal(found[:, last == 3], np.broadcast_to(values[last == 3], found[:, last == 3].shape))


def test_what_each_assumption_says_of_a_persons_means() -> None:
    """By hand: a person of each kind, last seen in the second period, and one never seen."""
    own, control = np.tile(MEANS[1], (3, 1)), np.tile(MEANS[0], (3, 1))
    treated, last = np.array([True, True, False]), np.array([1, -1, 1])

    def means(assumption: Assumption) -> np.ndarray:
        return assumed_means(own, control, treated, last, assumption=assumption)

    for assumption in ASSUMPTIONS:
        np.testing.assert_array_equal(means(assumption)[2], own[2])
    np.testing.assert_array_equal(means("missing-at-random"), own)
    np.testing.assert_array_equal(means("jump-to-reference")[:2], [[60, 66, 55, 56], [50, 52, 55, 56]])
    np.testing.assert_array_equal(means("copy-reference")[:2], [[50, 52, 55, 56], [50, 52, 55, 56]])
    np.testing.assert_array_equal(means("copy-increments")[:2], [[60, 66, 69, 70], [50, 52, 55, 56]])


@pytest.mark.stat
def test_imputation_at_random_finds_what_complete_data_would_have_found() -> None:
    """10 trials: bias against complete data within 4 Monte Carlo errors, where leaving the missing out is biased."""
    gaps, naive = [], []
    for number in range(10):
        values, treated, people = make(240, seed=100 + number)
        table = with_dropout(values, seed=number)
        whole = analyze_difference(values @ WEIGHT, treated, np.zeros((240, 0))).estimate
        found = analyze_imputed(
            table, treated, np.zeros((240, 0)), people,
            assumption="missing-at-random", n_imputations=2, weight=WEIGHT,
        )  # fmt: skip
        assert found.status is Status.OK
        gaps.append(found.estimate - whole)
        naive.append(np.nanmean(table[treated], axis=0).mean() - np.nanmean(table[~treated], axis=0).mean() - whole)
    assert abs(np.mean(gaps)) < 4.0 * np.std(gaps) / np.sqrt(10)
    assert abs(np.mean(naive)) > 4.0 * np.std(naive) / np.sqrt(10)


def test_the_more_the_missing_follow_the_control_side_the_smaller_the_effect() -> None:
    """The order that the assumptions have in a trial where the effect grows: a check that reads like a result."""
    values, treated, people = make(400, seed=7)
    table = with_dropout(values, seed=7)
    effects = {
        assumption: analyze_imputed(
            table, treated, np.zeros((400, 0)), people, assumption=assumption, n_imputations=3, weight=WEIGHT
        ).estimate
        for assumption in ASSUMPTIONS
    }
    assert effects["jump-to-reference"] < effects["copy-increments"] < effects["missing-at-random"]
    assert effects["copy-reference"] < effects["missing-at-random"]


def test_rubins_rules_by_hand() -> None:
    """Estimates 1, 2, 3 with errors of 1: total variance 1 + 4/3, and Barnard and Rubin's degrees of freedom."""
    found = pool_estimates(np.array([1.0, 2.0, 3.0]), np.ones(3), freedom=50)
    share = (4.0 / 3.0) / (7.0 / 3.0)
    seen = 51.0 / 53.0 * 50.0 * (1.0 - share)
    df = 1.0 / (share**2 / 2.0 + 1.0 / seen)
    from scipy import stats

    assert found.estimate == pytest.approx(2.0)
    assert found.high - found.estimate == pytest.approx(stats.t.ppf(0.975, df) * np.sqrt(7.0 / 3.0))
    assert found.p_value == pytest.approx(2.0 * stats.t.sf(2.0 / np.sqrt(7.0 / 3.0), df))


def test_nothing_missing_is_the_plain_analysis() -> None:
    """Imputing nothing must change nothing, degrees of freedom but for their correction."""
    values, treated, people = make(60, seed=5)
    terms = np.random.default_rng(0).normal(size=(60, 2))
    found = analyze_imputed(values, treated, terms, people, assumption="copy-reference", n_imputations=3, weight=WEIGHT)
    plain = analyze_difference(values @ WEIGHT, treated, terms)
    assert found.estimate == pytest.approx(plain.estimate, rel=1e-10)
    assert found.high == pytest.approx(plain.high, rel=0.01)


def test_draws_have_addresses() -> None:
    """The same person's draws in a longer trial, and whole replicates in any chunk: bits, not just laws."""
    values, treated, people = make(80, seed=9)
    table = with_dropout(values, seed=9)

    def run(who: People) -> Estimate:
        return analyze_imputed(
            table, treated, np.zeros((80, 0)), who, assumption="jump-to-reference", n_imputations=2, weight=WEIGHT
        )

    assert run(people) == run(people)
    assert run(people).estimate != run(replace(people, replicate=people.replicate + np.uint64(1))).estimate
    assert run(people).estimate != run(replace(people, seed=10)).estimate


def test_parameters_follow_their_posterior() -> None:
    """500 draws given complete data: the inverse Wishart's mean is the residual products over n - q - t - 1, the means
    scatter around least squares with the covariance times (Z'Z)^-1. All within 4 Monte Carlo errors.
    """
    values, treated, people = make(40, seed=21)
    design = np.column_stack([~treated, treated]).astype(float)
    chain = Chain(people, 4, 2)
    drawn = [chain.parameters(values, design) for _ in range(500)]
    means, covariances = (np.stack(part) for part in zip(*drawn, strict=True))
    fitted = np.stack([values[~treated].mean(axis=0), values[treated].mean(axis=0)])
    rest = values - fitted[treated.astype(int)]
    expected = rest.T @ rest / (40 - 2 - 4 - 1)
    assert (np.abs(covariances.mean(axis=0) - expected) < 4.0 * covariances.std(axis=0) / np.sqrt(500)).all()
    assert (np.abs(means.mean(axis=0) - fitted) < 4.0 * means.std(axis=0) / np.sqrt(500)).all()
    # 20 people in each arm, so the mean of an arm has a twentieth of the covariance; the arms are independent.
    np.testing.assert_allclose(np.cov(means[:, 1].T), expected / 20.0, rtol=0.35)
    crossed = np.corrcoef(means[:, 0, 0], means[:, 1, 0])[0, 1]
    assert abs(crossed) < 4.0 / np.sqrt(500)


def test_tables_that_cannot_be_imputed_have_a_status() -> None:
    """A period that nobody of a side was seen in has no mean; fewer people than periods have no covariance."""
    values, treated, people = make(40, seed=3)

    def status(table: np.ndarray, side: np.ndarray, terms: np.ndarray, who: People) -> Status:
        return analyze_imputed(
            table, side, terms, who, assumption="missing-at-random", n_imputations=2, weight=WEIGHT
        ).status

    nothing = np.zeros((40, 0))
    unseen = values.copy()
    unseen[treated, 3] = np.nan
    assert status(unseen, treated, nothing, people) is Status.NOT_ESTIMABLE
    assert status(values, np.ones(40, dtype=bool), nothing, people) is Status.NO_VARIATION
    assert status(values, treated, treated[:, None] * 1.0, people) is Status.NOT_ESTIMABLE
    few = People(seed=1, replicate=people.replicate[:7], subject=people.subject[:7])
    assert status(values[:7], treated[:7], nothing[:7], few) is Status.NOT_ESTIMABLE
    assert status(np.full((40, 4), 100.0), treated, nothing, people) is Status.NO_VARIATION
    assert status(np.tile(values[:, [0]], (1, 4)), treated, nothing, people) is not Status.OK
    # Two periods apart by less than the arithmetic can tell: a covariance that is singular to rounding.
    nearly = values.copy()
    nearly[:, 1] = nearly[:, 0] * (1.0 + 1e-12)
    nearly[::3, 3] = np.nan
    assert status(nearly, treated, nothing, people) is not Status.OK
    zero = pool_estimates(np.array([1.0, 1.0]), np.zeros(2), freedom=5)
    assert zero.status is Status.NO_VARIATION


def test_periods_seldom_seen_together_have_no_covariance() -> None:
    """Too few people were seen at both: with q columns and t periods it takes q + t + 2, whatever the draws."""
    values, treated, people = make(60, seed=4)

    def statuses(n_together: int) -> set[Status]:
        table = values.copy()
        table[: 30 - n_together, 1], table[30:, 3] = np.nan, np.nan
        return {
            analyze_imputed(
                table, treated, np.zeros((60, 0)), replace(people, seed=seed), assumption="copy-reference",
                n_imputations=2, weight=WEIGHT,
            ).status
            for seed in range(10)
        }  # fmt: skip

    assert statuses(7) == {Status.NOT_ESTIMABLE}
    assert statuses(8) == {Status.OK}


def test_two_periods_that_do_not_vary_where_both_were_seen_are_no_copies() -> None:
    """Where both were seen the second is one number; elsewhere it varies."""
    values, treated, people = make(60, seed=4)
    values[:40, 1], values[40:, 0] = 50.0, np.nan
    found = analyze_imputed(
        values, treated, np.zeros((60, 0)), people, assumption="copy-reference", n_imputations=2, weight=WEIGHT
    )
    assert found.status is Status.OK
    assert found.low < found.estimate < found.high


@pytest.mark.parametrize("place", range(40, 50))
def test_a_status_after_imputation_hangs_on_the_data_alone(place: int) -> None:
    """Few people with gaps: events, counts and visits have a number under every seed or under none."""
    generator = np.random.default_rng(place)
    n = int(generator.integers(8, 20))
    treated, terms = np.arange(n) % 2 == 1, generator.normal(size=(n, int(generator.integers(0, 3))))
    events, counts = (generator.random(n) < 0.3).astype(float), generator.poisson(0.7, n).astype(float)
    visits = generator.normal(size=(n, 3))
    for table in (events, counts, visits):
        table[generator.random(table.shape) < 0.25] = np.nan
    address = np.arange(n, dtype=np.uint64)
    for assumption in ("missing-at-random", "jump-to-reference"):
        found: list[set[Status]] = [set(), set(), set()]
        for seed in range(6):
            people = People(seed=seed, replicate=np.zeros(n, dtype=np.uint64), subject=address)
            rule: dict[str, Any] = {"assumption": assumption, "n_imputations": 3}
            found[0].add(analyze_imputed_events(events, treated, terms, people, **rule).status)
            found[1].add(analyze_imputed_counts(counts, np.full(n, 28.0), treated, terms, people, **rule).status)
            found[2].add(analyze_imputed(visits, treated, terms, people, **rule, weight=np.eye(3)[-1]).status)
        assert [len(one) for one in found] == [1, 1, 1], (assumption, found)


def test_a_period_that_is_the_sum_of_two_others_is_found_out() -> None:
    """No pair of periods shows it; imputed from the rest, values would have no bound."""
    values, treated, people = make(60, seed=5)
    values[:, 3] = values[:, 0] + values[:, 1]
    values[::4, 3] = np.nan
    found = analyze_imputed(
        values, treated, np.zeros((60, 0)), people, assumption="missing-at-random", n_imputations=2, weight=WEIGHT
    )
    assert found.status is Status.NOT_ESTIMABLE
    holes = _Holes.of(np.isfinite(values))
    with pytest.raises(_NoRankError):
        holes.fill(values, np.zeros_like(values), np.ones((4, 4)), np.zeros_like(values))


def test_periods_that_repeat_each_other_have_no_posterior() -> None:
    """A draw of a covariance that is singular would be a draw of nothing."""
    values, treated, people = make(60, seed=5)
    chain = Chain(people, n_periods=4, n_columns=2)
    design = np.column_stack([np.ones(60), treated])
    with pytest.raises(_NoRankError):
        chain.parameters(values[:, [0, 1, 0, 1]], design)
