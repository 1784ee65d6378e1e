"""Looks at simulated trials: what exists at a time, when a trial stops, and what that does to N and estimates."""

from typing import Any

import numpy as np
import pytest
from scipy.stats import norm
from validation.small_trials import small_protocol

from remission.analyses.estimate import Estimates, Status
from remission.design.looks import LookSums, LookTally, look_at, summarize_looks, tally_looks
from remission.design.operating import characterize, simulate_design
from remission.design.sequential import crossing_probabilities
from remission.design.stops import plan_stops
from remission.endpoints.values import times_of
from remission.errors import SpecError
from remission.protocol.record import Protocol
from remission.trial.datacut import ABSENT, complete_day, cut_batch
from remission.trial.endpoints import endpoint_data
from remission.trial.recruitment import simulate_recruitment
from remission.trial.simulate import plan_trial


def trial(n: int, **changes: Any) -> Protocol:
    people = {**small_protocol().population.to_dict(), "n_subjects": n}
    return small_protocol(population=people, **changes)


def columns(*looks: Estimates) -> np.ndarray:
    """What was found at each look; one person entered and was analyzed, on day 1."""
    ones = [np.ones(looks[0].estimate.size)] * 3
    return np.stack([np.stack([one.estimate, one.low, one.high, one.p_value, *ones]) for one in looks])


def test_a_look_at_half_of_the_people_is_the_trial_of_half_the_size() -> None:
    """People's draws have addresses: were somebody else's days counted at a look, the two would differ."""
    plan = plan_trial(trial(48), n_replicates=20, seed=3)
    chunk = plan.chunks[0]
    rule = plan_stops([0.5, 1.0], futility={})
    tally = look_at(plan, "pda-ketamine", rule, chunk, plan.simulate(chunk))
    half = plan_trial(trial(24), n_replicates=20, seed=3)
    found = half.run(half.chunks[0]).estimates["pda-ketamine"]
    alone = tally_looks(
        plan_stops([1.0], futility={}), plan.protocol.analyses[0], plan.protocol.endpoints[0], columns(found)
    )
    # With the boundary of an early look nothing else can stop these trials, so compare the counts at that boundary.
    z = -np.sign(found.estimate) * norm.ppf(found.p_value / 2.0)
    assert tally.at[0].success.hits == int((z >= rule.z[0]).sum())
    assert tally.at[0].analyzed.center == 24.0
    assert alone.estimate.center == pytest.approx(found.estimate.mean())


def test_one_look_at_the_end_is_the_ordinary_trial() -> None:
    """The machinery of looks may change nothing where nothing is looked at."""
    protocol = trial(24, recruitment={"screened_per_day": 2.0})
    run = simulate_design(
        protocol, max_replicates=60, mcse=0.5, seed=1, rule=plan_stops([1.0], futility={}), truths={"pda-ketamine": 5.0}
    )
    row = characterize(protocol, run)[0]
    assert row.sequential is not None
    assert row.sequential.rejected == row.rejected
    assert row.sequential.estimate == row.estimate
    assert row.sequential.bias == row.bias
    assert row.sequential.shift.value == 0.0
    assert row.sequential.n.value == 24.0
    days = simulate_recruitment(protocol, n_replicates=60, seed=1).duration_day
    assert row.sequential.duration_day is not None
    assert row.sequential.duration_day.value == pytest.approx(days.mean())


def test_only_days_and_people_that_exist_are_analyzed() -> None:
    """A visit that lies ahead must not fill in days, and a day that has not been is not a day of use."""
    protocol = trial(24)
    plan = plan_trial(protocol, n_replicates=3, seed=2)
    batch = plan.simulate(plan.chunks[0])
    endpoints = {endpoint.id: endpoint for endpoint in protocol.endpoints}
    elapsed = np.random.default_rng(4).integers(-3, 40, size=len(batch.people))
    assert complete_day(protocol, endpoints["pda"]) == 28

    cut = cut_batch(protocol, endpoints["pda"], batch, elapsed)
    assert np.array_equal(cut.arm == ABSENT, elapsed < 28)
    visits = np.array([6, 13, 20, 27])
    for person, days in enumerate(elapsed.tolist()):
        kept = [day for index, day in enumerate(visits) if day < days and batch.observation.diary_kept[person, index]]
        assert cut.observation.seen[person].sum() == (max(kept) + 1 if kept else 0)
        assert not cut.observation.test_kept[person, visits >= days].any()

    at_risk = cut_batch(protocol, endpoints["time"], batch, elapsed)
    time, event = times_of(endpoints["time"], endpoint_data(at_risk.observation))
    whole, happened = times_of(endpoints["time"], endpoint_data(batch.observation))
    been = np.array([max([day + 1 for day in visits if day < days], default=0) for days in elapsed.tolist()])
    been = np.where(elapsed >= 28, 28, been)
    here = at_risk.arm != ABSENT
    assert np.array_equal(here, been > 0)
    assert np.array_equal(event[here], (happened & (whole <= been))[here])
    assert np.array_equal(time[here], np.where(happened & (whole <= been), whole, been)[here])


def test_a_look_in_the_calendar_counts_those_who_have_entered_and_finished() -> None:
    """Expected N and duration are what a look saves; people under way are enrolled and not yet analyzed."""
    protocol = trial(24, recruitment={"screened_per_day": 0.4, "ramp_days": 20, "screening_failure": 0.2})
    plan = plan_trial(protocol, n_replicates=30, seed=8)
    chunk = plan.chunks[0]
    rule = plan_stops([1.0], futility={0.5: 10.0})
    found = summarize_looks(rule, look_at(plan, "pda-ketamine", rule, chunk, plan.simulate(chunk)), truth=None)
    entry = simulate_recruitment(protocol, n_replicates=30, seed=8).entry_day
    day = entry[:, 11] + 28
    look = found.looks[0]
    assert look.day is not None
    assert found.duration_day is not None
    assert look.day.value == pytest.approx(day.mean())
    assert look.n_enrolled.value == pytest.approx((entry <= day[:, None]).sum(axis=1).mean())
    assert look.n_analysed.value == 12.0
    # Nobody's statistic is 10: every trial with an estimate stops there for futility.
    assert look.futility.value > 0.9
    assert found.n.value < 24.0
    assert found.duration_day.value < (entry[:, -1] + 28).mean()


def test_the_later_chunks_have_their_own_calendar() -> None:
    """Entry days of the first replicates for all chunks would make trials look alike that are not."""
    protocol = trial(24, recruitment={"screened_per_day": 1.0})
    all_days = simulate_recruitment(protocol, n_replicates=5, seed=8).entry_day
    later = simulate_recruitment(protocol, n_replicates=2, seed=8, first_replicate=3).entry_day
    assert np.array_equal(all_days[3:], later)


def test_simulated_crossings_are_those_of_the_recursion() -> None:
    """Normal data with known drift: stops for success, harm and futility, against the integral.

    Nine shares, each within 4.5 standard errors: a false alarm in 16,000 suites.
    """
    n, drift = 40_000, 1.8
    rule = plan_stops([0.4, 0.7, 1.0], futility={0.4: 0.2})
    steps = np.diff([0.0, *rule.fractions])
    score = np.cumsum(
        drift * steps + np.sqrt(steps) * np.random.default_rng(7).standard_normal((n, 3)), axis=1
    )  # fmt: skip
    z = score / np.sqrt(rule.fractions)
    found = [
        Estimates(
            estimate=z[:, look], low=z[:, look] - 1.0, high=z[:, look] + 1.0, p_value=2.0 * norm.sf(np.abs(z[:, look])),
            status=(Status.OK,) * n,
        )
        for look in range(3)
    ]  # fmt: skip
    protocol = small_protocol()
    tally = tally_looks(rule, protocol.analyses[0], protocol.endpoints[0], columns(*found))
    upper, lower = crossing_probabilities(rule.z, rule.fractions, drift=drift, futility_look=0, futility_z=0.2)
    floor = norm.cdf(0.2 - drift * np.sqrt(0.4)) - lower[0]
    for look in range(3):
        at = tally.at[look]
        expected = (upper[look], lower[look], floor if look == 0 else 0.0)
        for share, value in zip((at.success, at.harm, at.futility), expected, strict=True):
            assert abs(share.hits / n - value) < 4.5 * np.sqrt(value * (1.0 - value) / n) + 1.0 / n


@pytest.mark.parametrize(
    ("analysis", "endpoint"), [("pda-ketamine", "pda"), ("relapse-ketamine", "relapse"), ("time-ketamine", "time")]
)
def test_the_statistic_is_positive_where_ketamine_does_better(analysis: str, endpoint: str) -> None:
    """A sign the wrong way round would stop good trials for futility. The model's drug helps; most trials show it."""
    plan = plan_trial(trial(96), n_replicates=20, seed=5)
    chunk = plan.chunks[0]
    rule = plan_stops([1.0], futility={0.9: 0.0})
    tally = look_at(plan, analysis, rule, chunk, plan.simulate(chunk))
    assert tally.at[0].futility.hits < 8


@pytest.mark.parametrize(
    ("method", "endpoint", "more"),
    [
        ("log_rank", "time", {}),
        ("restricted_mean_difference", "time", {"tau_day": 28}),
        ("rate_ratio", "uses", {}),
        ("day_odds_ratio", "pda", {}),
        ("repeated_difference", "pda", {"period_days": 14}),
        ("mmrm", "pda", {"period_days": 14}),
        ("hazard_ratio", "time", {"stratify_by": ["sex"]}),
    ],
)
def test_every_method_is_looked_at_without_further_code(method: str, endpoint: str, more: dict[str, Any]) -> None:
    """An analysis that counts people who are not there yet, or the wrong way round, fails here."""
    small = small_protocol()
    uses = {"id": "uses", "label": "Days of use", "kind": "use_days", "missing": "observed",
            "window": {"first": 0, "last": 27}}  # fmt: skip
    analysis = {**small.analyses[0].to_dict(), "endpoint": endpoint, "method": method, **more}
    protocol = trial(96, endpoints=[*small.endpoints, uses], analyses=[analysis])
    plan = plan_trial(protocol, n_replicates=20, seed=5)
    chunk = plan.chunks[0]
    rule = plan_stops([0.5, 1.0], futility={0.9: 0.0})
    tally = look_at(plan, analysis["id"], rule, chunk, plan.simulate(chunk))
    half = plan_trial(trial(48, endpoints=protocol.endpoints, analyses=[analysis]), n_replicates=20, seed=5)
    found = half.run(half.chunks[0]).estimates[analysis["id"]]
    z = np.abs(norm.isf(found.p_value / 2.0))
    assert tally.at[0].success.hits + tally.at[0].harm.hits == int((z >= rule.z[0]).sum())
    assert tally.at[1].futility.hits < 8


@pytest.mark.parametrize("futility", [{1.0: 0.0}, {0.0: 0.0}, {0.5: float("nan")}, {0.5: 99.0}])
def test_a_futility_rule_that_cannot_be_is_refused(futility: dict[float, float]) -> None:
    """A rule at the end, or without a number, would do nothing and look as if it did."""
    with pytest.raises(SpecError, match="futility"):
        plan_stops([1.0], futility=futility)


def test_what_is_reported_after_a_stop_covers_as_it_says() -> None:
    """Trials that stop at an extreme estimate: the plain interval covers too little, the stage-wise one does not."""
    rng, effect, n = np.random.default_rng(8), 2.8, 4000
    rule = plan_stops([0.5, 1.0], futility={}, boundary="pocock")
    first = effect * 0.5 + np.sqrt(0.5) * rng.standard_normal(n)
    second = first + effect * 0.5 + np.sqrt(0.5) * rng.standard_normal(n)
    score = np.stack([first / np.sqrt(0.5), second])
    stops = np.abs(score[0]) >= rule.z[0]
    error = np.where(stops, 1.0 / np.sqrt(0.5), 1.0)
    z = np.where(stops, score[0], score[1])
    tally = LookTally(at=[LookSums(), LookSums()])
    tally.stops.append(np.stack([np.where(stops, 0.0, 1.0), z, z * error, error]))
    tally.bounds.append(np.stack([z * error - 1.96 * error, z * error + 1.96 * error]))
    found = summarize_looks(rule, tally, truth=effect)
    assert found.coverage is not None
    assert found.adjusted_coverage is not None
    assert found.adjusted_bias is not None
    assert found.adjusted_coverage.value == pytest.approx(0.95, abs=0.012)
    assert abs(found.adjusted_coverage.value - 0.95) <= abs(found.coverage.value - 0.95) + 0.003
    plain = float((z * error).mean() - effect)
    assert abs(found.adjusted_bias.value) < abs(plain)
