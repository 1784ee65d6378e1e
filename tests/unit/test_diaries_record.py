"""Diaries whose arrays contradict each other are no diaries."""

import numpy as np
import pytest

from remission.errors import SpecError
from remission.records.diaries import Diaries


def made(**changes: object) -> Diaries:
    days = np.ones((2, 3), dtype=bool)
    given: dict[str, object] = {
        "substance": "alcohol", "person": ("a", "b"), "first_day": -1, "assessed": days, "used": days,
        "amount": np.ones((2, 3)), "amount_unit": "g", "weekday_of_first_day": np.full(2, -1), "group": ("", ""),
        "origin": "observed", "source": "a test", "day_zero": "a day",
    }  # fmt: skip
    return Diaries(**{**given, **changes})  # type: ignore[arg-type]  # wrong kinds are the point


def test_days_are_counted_from_the_first_column() -> None:
    """A calendar shifted by a day makes a lapse of a detoxification."""
    assert made().study_day.tolist() == [-1, 0, 1]
    assert made(amount=None, amount_unit=None).amount is None


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"person": ("a", "a")}, "person"),
        ({"used": np.ones((2, 4), dtype=bool)}, "used"),
        ({"assessed": np.zeros((2, 3), dtype=bool)}, "used"),
        ({"weekday_of_first_day": np.full(3, -1)}, "weekday_of_first_day"),
        ({"group": ("",)}, "group"),
        ({"amount_unit": None}, "amount_unit"),
        ({"amount": np.ones((2, 2))}, "amount"),
        ({"amount": np.full((2, 3), -1.0)}, "amount"),
    ],
)
def test_contradictions_are_named(changes: dict[str, object], where: str) -> None:
    """Use on a day that nobody asked about, a person twice, amounts without a unit: each with its place."""
    with pytest.raises(SpecError, match=f"diaries, {where}"):
        made(**changes)
