"""What is true of endpoints for all diaries: rules for the missing are ordered, windows nest, people do not mix."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seen_days import endpoint, seen_days

from remission.endpoints.values import times_of, values_of
from remission.exchange.endpoint_tables import data_of_diaries
from remission.records.diaries import Diaries
from remission.records.endpoint import Endpoint
from remission.trial.endpoints import endpoint_data
from remission.trial.observation import Observation

N_DAYS = 30
LINES = st.lists(st.text(".xX?", min_size=N_DAYS, max_size=N_DAYS), min_size=1, max_size=6)
WHOLE: dict[str, dict[str, Any]] = {
    "percent_days_abstinent": {},
    "percent_heavy_days": {},
    "use_days": {},
    "longest_abstinence": {},
    "any_use": {},
    "continuous_abstinence": {"grace_days": 3},
    "point_prevalence_abstinence": {"length_days": 7},
    "prolonged_abstinence": {"grace_days": 3, "failure": {"consecutive_days": 3, "consecutive_weeks": 2}},
}


def better(item: Endpoint, one: np.ndarray, other: np.ndarray) -> bool:
    """Whether one is at least as good as the other, where both have a value."""
    both = np.isfinite(one) & np.isfinite(other)
    sign = 1.0 if item.higher_is_better else -1.0
    return bool((sign * one[both] >= sign * other[both] - 1e-9).all())


@pytest.mark.parametrize("kind", list(WHOLE))
@settings(max_examples=20)
@given(lines=LINES)
def test_missing_as_use_is_never_better(kind: str, lines: list[str]) -> None:
    """The strict rule is the lower bound that trials report; left out and carried lie above it."""
    data = seen_days(*lines)
    strict = values_of(endpoint(kind, 2, N_DAYS - 1, "use", **WHOLE[kind]), data)
    for rule in ("observed", "carried"):
        item = endpoint(kind, 2, N_DAYS - 1, rule, **WHOLE[kind])
        assert better(item, values_of(item, data), strict)


@pytest.mark.parametrize("kind", list(WHOLE))
@settings(max_examples=20)
@given(lines=LINES)
def test_the_carried_value_lies_between_use_and_abstinence(kind: str, lines: list[str]) -> None:
    """Each carried day is one or the other, so nothing outside of the two bounds can come out."""
    data = seen_days(*("." + line[1:] for line in lines))  # the first day is seen, so everybody has a value
    item = endpoint(kind, 0, N_DAYS - 1, "carried", **WHOLE[kind])
    carried = values_of(item, data)
    clean = seen_days(*("." + line[1:].replace("?", ".") for line in lines))
    heavy = seen_days(*("." + line[1:].replace("?", "X") for line in lines))
    assert better(item, values_of(item, clean), carried)
    assert better(item, carried, values_of(item, heavy))


@settings(max_examples=20)
@given(lines=LINES, weight=st.floats(0.0, 1.0))
def test_a_weighted_missing_day_lies_between_use_and_abstinence(lines: list[str], weight: float) -> None:
    """At weight 1 it is the strict rule, at 0 the lenient one."""
    data = seen_days(*lines)
    item = endpoint("percent_days_abstinent", 0, N_DAYS - 1, "weighted", missing_weight=weight)
    found = values_of(item, data)
    strict = values_of(endpoint("percent_days_abstinent", 0, N_DAYS - 1, "use"), data)
    lenient = values_of(item, seen_days(*(line.replace("?", ".") for line in lines)))
    assert (strict - 1e-9 <= found).all()
    assert (found <= lenient + 1e-9).all()
    one = endpoint("percent_days_abstinent", 0, N_DAYS - 1, "weighted", missing_weight=1.0)
    np.testing.assert_allclose(values_of(one, data), strict)


@settings(max_examples=20)
@given(lines=LINES, first=st.integers(0, 10), more=st.integers(0, 10))
def test_abstinence_of_a_longer_window_is_abstinence_of_a_shorter_one(lines: list[str], first: int, more: int) -> None:
    """Who is abstinent for longer is abstinent for less; a longer last stretch cannot be easier."""
    data = seen_days(*lines)
    shorter = values_of(endpoint("continuous_abstinence", first + more, N_DAYS - 1, "use"), data)
    longer = values_of(endpoint("continuous_abstinence", first, N_DAYS - 1, "use"), data)
    assert (longer <= shorter).all()
    length = N_DAYS - first - more
    last = endpoint("point_prevalence_abstinence", first, N_DAYS - 1, "use", length_days=length)
    assert (longer <= values_of(last, data)).all()
    prolonged = endpoint("prolonged_abstinence", first, N_DAYS - 1, "use", failure={"consecutive_days": 3})
    assert (longer <= values_of(prolonged, data)).all()


@settings(max_examples=20)
@given(lines=LINES)
def test_an_earlier_event_is_never_later_than_a_harder_one(lines: list[str]) -> None:
    """A lapse is part of every relapse, a heavy day is a use day."""
    data = seen_days(*lines)
    lapse, _ = times_of(endpoint("days_to_use", 0, N_DAYS - 1, "use"), data)
    heavy, _ = times_of(endpoint("days_to_heavy_day", 0, N_DAYS - 1, "use"), data)
    relapse, _ = times_of(
        endpoint("days_to_relapse", 0, N_DAYS - 1, "use", failure={"use_days": 3, "within_days": 7}), data
    )
    assert (lapse <= heavy).all()
    assert (lapse <= relapse).all()


@pytest.mark.parametrize("kind", list(WHOLE))
@settings(max_examples=20)
@given(lines=LINES, seed=st.integers(0, 99))
def test_people_do_not_depend_on_each_other(kind: str, lines: list[str], seed: int) -> None:
    """Another order, or a person alone, gives the same numbers."""
    item = endpoint(kind, 2, N_DAYS - 1, "carried", **WHOLE[kind])
    data = seen_days(*lines)
    whole = values_of(item, data)
    order = np.random.default_rng(seed).permutation(len(lines))
    np.testing.assert_array_equal(values_of(item, data.of(order)), whole[order])
    np.testing.assert_array_equal(values_of(item, seen_days(lines[0])), whole[:1])


@pytest.mark.parametrize("kind", list(WHOLE))
@settings(max_examples=20)
@given(lines=LINES)
def test_real_and_simulated_people_share_every_number(kind: str, lines: list[str]) -> None:
    """The same days as a trial's observation and as imported diaries: one law for both."""
    days = seen_days(*lines)
    n = len(lines)
    none = np.zeros((n, 0))
    observation = Observation(
        diary=days.used.astype(np.int8),
        amount=np.nan_to_num(days.amount if days.amount is not None else none),
        seen=days.seen,
        test_day=np.zeros(0, dtype=np.int64),
        test_kept=none.astype(bool),
        test_positive=none.astype(bool),
        craving_day=np.zeros(0, dtype=np.int64),
        craving_vas=none,
        days_in_study=np.full(n, N_DAYS),
    )
    diaries = Diaries(
        substance="alcohol", person=tuple(map(str, range(n))), first_day=0, assessed=days.seen,
        used=days.used & days.seen, amount=days.amount, amount_unit="g", weekday_of_first_day=np.full(n, -1),
        group=("",) * n, origin="observed", source="a test", day_zero="day 0",
    )  # fmt: skip
    for rule in ("observed", "use", "carried"):
        item = endpoint(kind, 0, N_DAYS - 1, rule, **WHOLE[kind])
        np.testing.assert_array_equal(
            values_of(item, endpoint_data(observation, heavy_amount=5.0)),
            values_of(item, data_of_diaries(diaries, heavy_amount=5.0)),
        )
