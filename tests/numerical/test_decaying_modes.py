"""The kernel of decaying modes: no growth of errors, and bits that depend on nothing but the person."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from reference_kinetics import linked_response, plasma_response

from remission.errors import SpecError
from remission.numerics import cores, walks
from remission.numerics.decaying_modes import simulate_modes
from remission.pk.mammillary import Modes, mammillary_modes

GENERATOR = np.random.default_rng(12)
N = 300  # two whole blocks and a part
# Two groups of three modes and two links, one of them on a rate of the first group.
MODES = [
    mammillary_modes(
        cl_l_per_h=np.exp(GENERATOR.normal(4.5, 0.5, N)),
        v1_l=np.exp(GENERATOR.normal(2.5, 0.5, N)),
        q_l_per_h=np.exp(GENERATOR.normal(4.5, 0.7, (2, N))),
        v_l=np.exp(GENERATOR.normal(4.5, 0.7, (2, N))),
    )
    for _ in range(2)
]
RATE = np.stack([one.rate_per_h for one in MODES])
STRENGTH = np.stack([one.weight for one in MODES])
LINKS = np.stack([RATE[0, 1], np.exp(GENERATOR.normal(1.5, 0.5, N))])
READING = np.array([[[1.0, 0.0, 0.0], [0.0] * 3], [[0.0, 1.0, 0.0], [0.0] * 3], [[0.3, 0.0, 0.7], [0.3, 0.0, 0.7]]])
BREAKS = np.array([0.5, 1.0, 3.0, 3.25])
INPUTS = np.stack([np.ones(N), np.zeros(N), np.full(N, 4.0)])
TIMES = np.linspace(0.0, 20.0, 137)


def _simulate(rows: Any = slice(None), **changes: Any) -> np.ndarray:
    arguments: dict[str, Any] = {
        "link_rate": LINKS[:, rows], "reading": READING, "breaks": BREAKS, "inputs": INPUTS[:, rows], "times": TIMES,
    }  # fmt: skip
    return simulate_modes(RATE[:, :, rows], STRENGTH[:, :, rows], **(arguments | changes))


@pytest.mark.parametrize("n_threads", [2, 3, 7])
def test_no_bit_depends_on_threads(n_threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that changed with the machine's cores could not be repeated elsewhere."""
    monkeypatch.setattr(cores, "_BLOCKS_PER_CALL", 1)
    assert np.array_equal(_simulate(n_threads=n_threads), _simulate())


@pytest.mark.parametrize(
    "rows",
    [slice(7, 8), slice(100, 230), slice(None, None, -1), np.random.default_rng(1).permutation(N)],
    ids=["alone", "a part", "reversed", "shuffled"],
)
def test_no_bit_depends_on_the_others(rows: Any) -> None:
    """Chunks, blocks and order must not move anyone's curve."""
    assert np.array_equal(_simulate(rows), _simulate()[:, :, rows])


@pytest.mark.parametrize("size", [1, 3, 64, 1000])
def test_no_bit_depends_on_the_block(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block is a matter of the processor's cache; subjects before and after a block's edge are the same people."""
    whole = _simulate()
    edges = range(0, N, size)
    parts = [_simulate(slice(edge, edge + size)) for edge in edges]
    assert np.array_equal(np.concatenate(parts, axis=2), whole)


def _reference(times: np.ndarray, link: int | None, n: int = N) -> np.ndarray:
    """Plasma or a linked site of the first group for the first people, infusion by infusion."""
    modes = Modes(rate_per_h=RATE[0, :, :n], weight=STRENGTH[0, :, :n])
    total = np.zeros((times.size, n))
    for start, end, rate in ((0.5, 1.0, 1.0), (3.0, 3.25, 4.0)):
        at: dict[str, Any] = {"elapsed_h": times - start, "duration_h": end - start}
        if link is None:
            total = total + rate * plasma_response(modes, **at).T
        else:
            total = total + rate * linked_response(modes, kappa_per_h=LINKS[link, :n], **at).T
    return total


def _even(n: int) -> np.ndarray:
    return np.linspace(0.0, 60.0, n)


def _dyadic(n: int) -> np.ndarray:
    # All steps but those beside a break have the same length, to the bit.
    return np.arange(n) / 128.0


def _uneven(n: int) -> np.ndarray:
    return np.sort(np.random.default_rng(n).uniform(0.0, 60.0, n))


@pytest.mark.parametrize("n", [200, 10_000])
@pytest.mark.parametrize("grid", [_even, _dyadic, _uneven])
def test_errors_do_not_grow_with_the_number_of_times(grid: Callable[[int], np.ndarray], n: int) -> None:
    """Ten thousand products of one decay factor would lose three digits; a long curve is as good as a short one."""
    few, times = 6, grid(n)
    found = _simulate(slice(0, few), times=times)
    for row, link in ((0, None), (1, 0)):
        expected = _reference(times, link, few)
        present = expected > 1e-130
        gap = np.abs(found[row][present] / expected[present] - 1.0)
        # 8e-15 is measured, at 200 times as at 10,000; without renewal it is 4e-13 at 10,000.
        assert gap.max() < 2e-14
        assert np.all(found[row][~present] < 1e-129)


def test_a_value_depends_on_its_own_run_of_times_only() -> None:
    """Summaries compute a part of the times again; they get the same bits if they cut where a run begins."""
    first = int(np.searchsorted(TIMES, BREAKS[-1], side="right"))
    for start in (first, first + walks.RENEWED, first + 2 * walks.RENEWED):
        part = slice(start, start + walks.RENEWED)
        assert np.array_equal(_simulate(times=TIMES[part]), _simulate()[:, part])


def test_before_the_first_input_there_is_nothing() -> None:
    """An unfilled array shows whatever was in memory."""
    assert np.all(_simulate()[:, BREAKS[0] >= TIMES] == 0.0)
    assert np.all(_simulate(times=np.array([0.0, 0.1, 0.5])) == 0.0)
    assert _simulate(times=np.zeros(0)).shape == (3, 0, N)
    assert _simulate(slice(0, 0)).shape == (3, TIMES.size, 0)


def test_no_input_gives_exact_zeros() -> None:
    """An arm without a drug has no concentration, not a small one."""
    assert np.all(_simulate(inputs=np.zeros_like(INPUTS)) == 0.0)


def test_times_that_meet_and_times_on_breaks() -> None:
    """The end of an infusion is on every plan's grid, sometimes twice."""
    times = np.array([0.5, 1.0, 1.0, 1.0, 3.0, 3.25, 3.25, 9.0])
    found = _simulate(times=times)
    expected = _reference(times, None)
    assert found[0] == pytest.approx(expected, rel=1e-13)
    assert np.array_equal(found[:, 1], found[:, 3])


@pytest.mark.parametrize(
    "changes", [{"times": np.array([1.0, 0.5])}, {"breaks": BREAKS[::-1]}, {"breaks": BREAKS[:3]}], ids=str
)
def test_times_that_run_backwards_are_refused(changes: dict[str, np.ndarray]) -> None:
    """A walk over unsorted times would skip some of them without a word."""
    with pytest.raises(SpecError):
        _simulate(**changes)
