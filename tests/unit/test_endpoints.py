"""Endpoints by hand-made diaries whose right answers can be counted on fingers."""

import numpy as np
import pytest

from remission.endpoints.values import times_of, values_of
from remission.records.endpoint import Endpoint
from remission.trial.endpoints import endpoint_data
from remission.trial.observation import Observation


def observation(
    diary: list[list[int]],
    *,
    seen: list[list[int]] | None = None,
    amount: list[list[float]] | None = None,
    tests: dict[int, list[int | None]] | None = None,
    craving: dict[int, list[float]] | None = None,
    days_in_study: list[int] | None = None,
) -> Observation:
    """What the trial saw; a test of None was missed."""
    days = np.array(diary, dtype=np.int8)
    n, length = days.shape
    tests, craving = tests or {}, craving or {}
    columns = [tests[day] for day in sorted(tests)]
    return Observation(
        diary=days,
        amount=np.array(amount, dtype=float) if amount else days * 10.0,
        seen=np.array(seen, dtype=bool) if seen else np.ones((n, length), dtype=bool),
        test_day=np.array(sorted(tests), dtype=np.int64),
        test_kept=np.array([[r is not None for r in c] for c in columns], dtype=bool).reshape(len(columns), n).T,
        test_positive=np.array([[bool(r) for r in c] for c in columns], dtype=bool).reshape(len(columns), n).T,
        craving_day=np.array(sorted(craving), dtype=np.int64),
        craving_vas=np.array([craving[day] for day in sorted(craving)], dtype=float).reshape(len(craving), n).T,
        days_in_study=np.array(days_in_study or [length] * n, dtype=np.int64),
    )


def endpoint(kind: str, first: int, last: int, missing: str = "observed") -> Endpoint:
    return Endpoint.create(id="e", label="e", kind=kind, window={"first": first, "last": last}, missing=missing)


def values(item: Endpoint, seen: Observation, heavy_amount: float = 5.0) -> list[float]:
    return values_of(item, endpoint_data(seen, heavy_amount=heavy_amount)).tolist()


def test_days_abstinent_count_the_window_only() -> None:
    """Days outside the window belong to another endpoint."""
    seen = observation([[1, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 1]])
    assert values(endpoint("percent_days_abstinent", 1, 4), seen) == [50.0, 100.0]


def test_unseen_days_are_left_out_or_counted_as_use() -> None:
    """The two rules for what is missing must differ by exactly the unseen days; nobody seen gives no number."""
    seen = observation([[0, 1, 0, 0], [0, 0, 0, 0]], seen=[[1, 1, 0, 0], [0, 0, 0, 0]])
    observed = values(endpoint("percent_days_abstinent", 0, 3), seen)
    assert observed[0] == 50.0
    assert np.isnan(observed[1])
    assert values(endpoint("percent_days_abstinent", 0, 3, "use"), seen) == [25.0, 0.0]


def test_heavy_days_are_above_the_bound() -> None:
    """A day at the bound is not heavy; an unseen amount cannot be heavy under the observed rule."""
    seen = observation([[1, 1, 1, 0]], amount=[[5.0, 5.1, 9.0, 0.0]], seen=[[1, 1, 0, 1]])
    assert values(endpoint("percent_heavy_days", 0, 3), seen) == [pytest.approx(100.0 / 3.0)]


def test_relapse_is_confirmed_by_diary_or_test() -> None:
    """A positive test counts against a clean diary; a negative one does not clear a use day."""
    seen = observation([[0, 0], [1, 0], [0, 0]], tests={1: [1, 0, 0]})
    assert values(endpoint("confirmed_relapse", 0, 1), seen) == [1.0, 1.0, 0.0]
    assert values(endpoint("any_use", 0, 1), seen) == [0.0, 1.0, 0.0]


def test_a_missed_test_is_positive_only_under_the_use_rule() -> None:
    """Missing counted as use is the trial's rule, not the truth."""
    seen = observation([[0, 0], [0, 0]], tests={1: [None, 0]})
    assert values(endpoint("abstinent_window", 0, 1, "use"), seen) == [0.0, 1.0]
    assert values(endpoint("abstinent_window", 0, 1), seen) == [1.0, 1.0]


def test_craving_is_the_mean_of_the_marks_given() -> None:
    """A missed mark is no mark of zero."""
    seen = observation([[0] * 5, [0] * 5], craving={1: [20.0, np.nan], 3: [np.nan, np.nan], 4: [40.0, np.nan]})
    first, second = values(endpoint("mean_craving", 1, 4), seen)
    assert first == 30.0
    assert np.isnan(second)


def test_time_runs_to_the_first_use_or_leaving_or_the_end() -> None:
    """Day 1 is the window's first day; people without an event are censored at its length."""
    seen = observation(
        [[1, 0, 0, 1, 0], [0, 0, 0, 0, 0], [0, 0, 0, 0, 0], [0, 1, 0, 0, 0]],
        seen=[[1] * 5, [1] * 5, [1, 1, 0, 0, 0], [1, 0, 0, 0, 0]],
        days_in_study=[5, 5, 3, 1],
    )
    time, event = times_of(endpoint("days_to_relapse_or_dropout", 1, 4, "use"), endpoint_data(seen))
    assert time.tolist() == [3.0, 4.0, 3.0, 1.0]
    assert event.tolist() == [True, False, True, True]
