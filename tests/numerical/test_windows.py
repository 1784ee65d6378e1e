"""The most within a window: the limit of a dose must see what is split, and must not see what flows for days."""

import numpy as np
import pytest

from remission.numerics.windows import largest_in_window


def by_scan(amount: np.ndarray, start: np.ndarray, duration: np.ndarray, window: float) -> float:
    """The same by trying many windows: a second way that knows nothing of edges."""
    best = 0.0
    for low in np.unique(np.concatenate([np.linspace(-window, 30.0, 4000), start, start - window])):
        high = low + window
        total = 0.0
        for mg, begin, length in zip(amount, start, duration, strict=True):
            if length == 0.0:
                total += mg * bool(low <= begin <= high)
            else:
                total += mg * max(min(begin + length, high) - max(begin, low), 0.0) / length
        best = max(best, total)
    return best


@pytest.mark.parametrize("seed", range(6))
def test_the_largest_window_is_found(seed: int) -> None:
    """An edge that is forgotten lets a dose through that is too large."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 6))
    start, duration = rng.uniform(0.0, 12.0, n).round(2), rng.choice([0.0, 0.5, 7.0], n)
    amount = rng.uniform(0.0, 100.0, (2, n))
    found = largest_in_window(amount, start_h=start, duration_h=duration, window_h=4.0)
    for row, one in zip(amount, found, strict=True):
        expected = by_scan(row, start, duration, 4.0)
        assert expected * (1.0 - 1e-12) <= one <= expected * 1.02 + 1e-9


def test_what_is_split_counts_and_what_flows_for_days_does_not() -> None:
    """Two halves within an hour are the whole; 86 mg/kg over three days are 5 mg/kg in four hours."""
    halves = largest_in_window(
        np.array([[3.0, 3.0]]), start_h=np.array([0.0, 1.0]), duration_h=np.zeros(2), window_h=4.0
    )
    assert halves.tolist() == [6.0]
    days = largest_in_window(np.array([[72.0]]), start_h=np.zeros(1), duration_h=np.array([72.0]), window_h=4.0)
    assert days == pytest.approx([4.0])
