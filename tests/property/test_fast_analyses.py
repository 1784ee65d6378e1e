"""Analyses of many replicates at once equal the library, replicate by replicate, on plain and on nasty data."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from library_analyses import analyze_difference, analyze_hazard, analyze_log_rank, analyze_odds

from remission.analyses.estimate import Estimate, Estimates, Status
from remission.analyses.hazards import analyze_hazards, analyze_log_ranks
from remission.analyses.means import analyze_differences
from remission.analyses.odds import analyze_many_odds

NUMBERS = ("estimate", "low", "high", "p_value")


@dataclass(frozen=True, kw_only=True)
class Case:
    """Replicates of one size; ``rate`` is the share of people with the event."""

    n_replicates: int
    n_subjects: int
    n_terms: int
    rate: float

    def make(self) -> dict[str, np.ndarray]:
        """Some people outside, few distinct times, adjustments that repeat, vanish, or are the treatment itself."""
        rng = np.random.default_rng(self.n_subjects)
        shape = (self.n_replicates, self.n_subjects)
        treated, inside = rng.uniform(size=shape) < 0.5, rng.uniform(size=shape) < 0.85
        adjust = (rng.uniform(size=(self.n_replicates, self.n_terms, self.n_subjects)) < 0.3) * 1.0
        if self.n_terms:
            adjust[:, 0] = rng.normal(50.0, 10.0, shape)
        if self.n_terms > 2:
            adjust[::5, 1] = adjust[::5, 2]
            adjust[1::5, 1] = 0.0
            adjust[2, 2] = treated[2]
        treated[3], inside[4], inside[5, 3:] = True, False, False
        values = np.where(inside, rng.normal(70.0, 20.0, shape) + 5.0 * treated, np.nan)
        values[6] = np.where(inside[6], 3.0, np.nan)
        events = np.where(inside, rng.uniform(size=shape) < self.rate * (1.0 + treated), np.nan)
        events[7] = np.where(inside[7], treated[7], np.nan)
        days = np.ceil(rng.exponential(20.0 + 10.0 * treated)).clip(max=30.0)
        event = (days < 30.0) & (rng.uniform(size=shape) < 2.0 * self.rate)
        event[8] &= treated[8]
        days[9] = np.where(treated[9], 5.0, 25.0)
        strata = rng.integers(0, 3, shape)
        return {
            "inside": inside,
            "treated": treated,
            "adjust": adjust,
            "values": values,
            "events": events,
            "days": days,
            "event": event,
            "strata": strata,
        }


CASES = [
    Case(n_replicates=12, n_subjects=300, n_terms=0, rate=0.3),
    Case(n_replicates=16, n_subjects=200, n_terms=4, rate=0.2),
    Case(n_replicates=40, n_subjects=14, n_terms=3, rate=0.3),
    Case(n_replicates=25, n_subjects=30, n_terms=5, rate=0.1),
    Case(n_replicates=15, n_subjects=50, n_terms=2, rate=0.49),
]

METHODS: dict[str, tuple[Callable[..., Estimates], Callable[..., Estimate], tuple[str, ...], str]] = {
    "difference": (analyze_differences, analyze_difference, ("values",), "adjust"),
    "odds": (analyze_many_odds, analyze_odds, ("events",), "adjust"),
    "hazard": (analyze_hazards, analyze_hazard, ("days", "event"), "adjust"),
    "log-rank": (analyze_log_ranks, analyze_log_rank, ("days", "event"), "strata"),
}


def run_fast(method: str, data: dict[str, np.ndarray]) -> Estimates:
    fast, _, outcome, beside = METHODS[method]
    return fast(*(data[name] for name in outcome), data["inside"], data["treated"], data[beside])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.n_subjects} people, {case.n_terms} terms")
def test_every_replicate_has_the_numbers_and_the_status_of_the_library(case: Case, method: str) -> None:
    """The trial loop uses the fast form; a difference would be a wrong result of every trial."""
    data = case.make()
    found = run_fast(method, data)
    _, one, outcome, beside = METHODS[method]
    seen = set()
    for number in range(case.n_replicates):
        who = data["inside"][number]
        last = data[beside][number][..., who]
        single = one(
            *(data[name][number][who] for name in (*outcome, "treated")), last.T if beside == "adjust" else last
        )
        if single.status is Status.NOT_CONVERGED:
            # Its whole steps overshoot where the partial likelihood runs to infinity in some direction.
            assert method == "hazard"
            assert found.status[number] is not Status.NO_VARIATION
            continue
        seen.add(single.status)
        assert found.status[number] is single.status
        numbers = [getattr(found, name)[number] for name in NUMBERS]
        np.testing.assert_allclose(numbers, [getattr(single, name) for name in NUMBERS], rtol=1e-6, atol=1e-12)
    assert {Status.OK, Status.NO_VARIATION} <= seen
    if method == "odds" and case.n_terms > 2:
        assert {Status.SEPARATION, Status.NOT_ESTIMABLE} <= seen


@pytest.mark.parametrize("method", METHODS)
def test_a_replicate_has_the_same_bits_alone_and_among_others(method: str) -> None:
    """Chunks are cut differently from run to run; their bytes must not be."""
    data = CASES[1].make()
    whole = run_fast(method, data)
    for number in range(0, CASES[1].n_replicates, 3):
        alone = run_fast(method, {name: table[[number]] for name, table in data.items()})
        for name in NUMBERS:
            np.testing.assert_array_equal(getattr(alone, name), getattr(whole, name)[[number]])


def test_terms_of_any_scale_change_nothing() -> None:
    """Age in years or in seconds: a solver without an orthonormal basis loses the second."""
    data = CASES[1].make()
    for method in ("difference", "odds", "hazard"):
        plain = run_fast(method, data)
        scaled = run_fast(method, {**data, "adjust": data["adjust"] * 3e7 + 1e9})
        np.testing.assert_allclose(scaled.estimate, plain.estimate, rtol=1e-6)
