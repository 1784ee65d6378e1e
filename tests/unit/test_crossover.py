"""Crossover: the difference within people, what it misses, and washout."""

from typing import Any

import numpy as np
import pytest
from validation.small_trials import small_protocol

from remission.analyses.means import analyze_within_people
from remission.errors import SpecError
from remission.protocol.record import Protocol
from remission.trial.crossover import crossover_truth
from remission.trial.simulate import plan_trial


def crossover(washout_days: int, **changes: Any) -> Protocol:
    """Two periods of 28 days each, the second after the washout."""
    second = washout_days
    arms = [
        {
            "id": f"{order[0]}-first",
            "label": f"{order[0]} first",
            "periods": [{"start": 0, "drug": order[0]}, {"start": second, "drug": order[1]}],
            "factors": {"drug": order[0]},
        }
        for order in (("ketamine", "saline"), ("saline", "ketamine"))
    ]
    window = {"kind": "percent_days_abstinent", "missing": "observed"}
    fields: dict[str, Any] = {
        "design": {"kind": "crossover", "washout_days": washout_days},
        "arms": arms,
        "therapies": {},
        "analyses": [],
        "setting": {"retention": "complete"},
        "follow_up_days": second + 28,
        "endpoints": [
            {"id": "one", "label": "First", "window": {"first": 0, "last": 27}, **window},
            {"id": "two", "label": "Second", "window": {"first": second, "last": second + 27}, **window},
        ],
    }
    return small_protocol(**{**fields, **changes})


def test_the_effect_within_people_is_the_textbook_one() -> None:
    """Half the difference of the sequences' differences, and its t interval, computed by hand for six people."""
    first = np.array([5.0, 7.0, 6.0, 2.0, 3.0, 1.0, np.nan])
    second = np.array([2.0, 3.0, 4.0, 4.0, 6.0, 5.0, 1.0])
    found = analyze_within_people(first, second, np.array([True, True, True, False, False, False, True]))
    assert found.estimate == pytest.approx(0.5 * (3.0 - (-3.0)))
    # Differences 3, 4, 2 and -2, -3, -4: variance 1 each, so the standard error of the half is sqrt(2 / 3) / 2.
    half_width = 2.7764451051977987 * np.sqrt(2.0 / 3.0) / 2.0
    assert found.high - found.estimate == pytest.approx(half_width, rel=1e-9)


def test_a_longer_washout_leaves_less_of_the_first_drug() -> None:
    """What washout is for; were it not so, the sequences would not be those of the schedule."""
    left = {days: crossover_truth(crossover(days), endpoints=("one", "two"), n_people=3000) for days in (28, 180)}
    for found in left.values():
        total = found.first_period.estimate + found.difference.estimate
        assert total == pytest.approx(found.within_people.estimate, abs=1e-9)
        assert found.first_period.estimate > 4.0 * found.first_period.mcse
    # The same people, so the first period is the same in both.
    assert left[28].first_period == left[180].first_period
    assert left[28].difference.estimate < -4.0 * left[28].difference.mcse
    assert left[180].difference.estimate > left[28].difference.estimate


@pytest.mark.parametrize(
    ("protocol", "endpoints", "place"),
    [
        (small_protocol(), ("pda", "pda"), "design"),
        (crossover(28), ("one", "three"), "endpoints[1]"),
        (crossover(28), ("two", "one"), "endpoints"),
        (
            crossover(
                28,
                endpoints=[
                    {"id": i, "label": i, "kind": "any_use", "missing": "observed", "window": {"first": a, "last": b}}
                    for i, a, b in (("one", 0, 20), ("two", 28, 55))
                ],
            ),
            ("one", "two"),
            "endpoints",
        ),
    ],
)
def test_what_is_no_crossover_is_refused(protocol: Protocol, endpoints: tuple[str, str], place: str) -> None:
    """A difference within people of two different things has no meaning."""
    with pytest.raises(SpecError) as caught:
        crossover_truth(protocol, endpoints=endpoints, n_people=100)
    assert caught.value.where == place


def test_a_crossover_is_not_analyzed_between_people() -> None:
    """Arms that are orders, compared between people, answer another question with a number that looks right."""
    analysis = {
        "id": "x", "label": "X", "endpoint": "one", "method": "mean_difference",
        "contrast": {"treatment": {"drug": "ketamine"}, "control": {"drug": "saline"}},
    }  # fmt: skip
    with pytest.raises(SpecError, match="a crossover trial with analyses"):
        plan_trial(crossover(28, analyses=[analysis]), n_replicates=1, seed=1)
    assert plan_trial(crossover(28), n_replicates=1, seed=1).chunks
