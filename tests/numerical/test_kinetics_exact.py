"""A thousand random people and regimens against three other ways to the same answer.

Nearly equal rates, an effect site on an eigenvalue, one and two peripheral compartments, boluses of seconds, infusions
that overlap, gaps of days. What SciPy and PyTCI compute carries the rounding of a matrix exponential, which is small
against the largest concentration so far and not against the present one; their comparisons allow for it. The
comparison with 50 digits does not.
"""

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from effort import tries
from kinetic_cases import KINDS, Case, concentrations_of, draw_cases
from PyTCI.models.base import Three
from scipy import linalg

mp = mpmath.mp.clone()
mp.dps = 50

N_CASES = tries(200, 1_000)
N_EXACT = tries(12, 40)
CASES = draw_cases(N_CASES, seed=20_261_127)
# Required is 1e-9 of the value; 1e-13 of the largest value so far is what rounding does to a matrix exponential.
RELATIVE, OF_LARGEST = 1e-9, 1e-13
# Measured: 4e-15.
RELATIVE_EXACT = 1e-13


@cache
def _ours(index: int) -> np.ndarray:
    return concentrations_of(CASES[index])


def _matrix(case: Case) -> np.ndarray:
    """Plasma, two peripheral amounts over V1, effect site, and the input as a fifth state. [1/h]"""
    k = case.rates_per_h
    matrix = np.zeros((5, 5))
    matrix[0] = [-k["k10"] - k["k12"] - k["k13"], k["k21"], k["k31"], 0.0, 1.0 / case.v1_l]
    matrix[1, :2], matrix[2, [0, 2]] = [k["k12"], -k["k21"]], [k["k13"], -k["k31"]]
    matrix[3, [0, 3]] = [case.ke0_per_h, -case.ke0_per_h]
    return matrix


def _at_times(case: Case, states: Iterator[np.ndarray]) -> np.ndarray:
    """Plasma and effect site at the case's times, from the states at the ends of its segments."""
    now, found = 0.0, []
    times = iter(case.t_h)
    wanted = next(times)
    for (length, _), state in zip(case.segments, states, strict=True):
        now += length
        if abs(now - wanted) <= 1e-12 * now:
            found.append(state[[0, 3]])
            wanted = next(times, np.inf)
    assert len(found) == len(case.t_h)
    return np.array(found).T


def _scipy_states(case: Case) -> Iterator[np.ndarray]:
    segments = case.segments
    steps = linalg.expm(_matrix(case) * np.array([length for length, _ in segments])[:, np.newaxis, np.newaxis])
    state = np.zeros(5)
    for (_, rate), step in zip(segments, steps, strict=True):
        state[4] = rate
        state = step @ state
        yield state


def _pytci_states(case: Case) -> Iterator[np.ndarray]:
    peer = Three()
    peer.v1, peer.keo = case.v1_l, case.ke0_per_h / 60.0
    for name, value in case.rates_per_h.items():
        setattr(peer, name, value / 60.0)
    peer.setup()
    peer.set_integrator("exact")
    for length, rate in case.segments:
        # Its exponential can round an empty compartment to just below 0, which it then refuses.
        peer.x1, peer.x2, peer.x3, peer.xeo = (max(x, 0.0) for x in (peer.x1, peer.x2, peer.x3, peer.xeo))
        peer.giveoverseconds(rate / 3600.0, length * 3600.0)
        yield np.array([peer.x1, peer.x2, peer.x3, peer.xeo])


@pytest.mark.independent
@pytest.mark.parametrize("other", [_scipy_states, _pytci_states], ids=["SciPy", "PyTCI"])
def test_random_courses_agree(other: object) -> None:
    """The whole path from infusions to curves, against other people's code and on no case chosen by hand."""
    assert {case.kind for case in CASES} == set(KINDS)
    worst = {}
    for index, case in enumerate(CASES):
        theirs = _at_times(case, other(case))  # type: ignore[operator]
        largest = np.maximum.accumulate(theirs, axis=1)
        excess = np.abs(_ours(index) - theirs) / (RELATIVE * theirs + OF_LARGEST * largest)
        worst[case] = float(np.max(excess))
    assert max(worst.values()) < 1.0, max(worst, key=worst.__getitem__)


def _exact(case: Case) -> np.ndarray:
    """50 digits: numbers are taken as they are in binary, times as they are given."""
    matrix = mp.matrix(5, 5)
    v1 = mp.mpf(case.v1_l)
    matrix[0, 0], matrix[0, 4] = -mp.mpf(case.cl_l_per_h) / v1, 1 / v1
    for row, (q, v) in enumerate(zip(case.q_l_per_h, case.v_l, strict=True), start=1):
        matrix[0, 0] -= mp.mpf(q) / v1
        matrix[row, 0], matrix[0, row] = mp.mpf(q) / v1, mp.mpf(q) / mp.mpf(v)
        matrix[row, row] = -mp.mpf(q) / mp.mpf(v)
    matrix[3, 0], matrix[3, 3] = mp.mpf(case.ke0_per_h), -mp.mpf(case.ke0_per_h)
    starts = [(mp.mpf(start), mp.mpf(start + length), mp.mpf(1000.0 * mg) / mp.mpf(length))
              for mg, start, length in case.infusions]  # fmt: skip
    edges = sorted({mp.mpf(0), *map(mp.mpf, case.t_h), *(edge for one in starts for edge in one[:2])})
    state, found, wanted = mp.matrix(5, 1), [], set(map(mp.mpf, case.t_h))
    for begin, end in pairwise(edges):
        state[4] = sum((rate for start, stop, rate in starts if start <= begin < stop), mp.mpf(0))
        state = mp.expm(matrix * (end - begin), method="taylor") * state
        if end in wanted:
            found.append([float(state[0]), float(state[3])])
    return np.array(found).T


@pytest.mark.independent
def test_fifty_digits_agree_to_rounding() -> None:
    """Relative error of every value, however small beside the peak: nothing cancels and nothing adds up."""
    chosen = np.random.default_rng(6).choice(N_CASES, N_EXACT, replace=False)
    worst = {}
    for index in chosen.tolist():
        exact = _exact(CASES[index])
        present = exact > 1e-130
        worst[index] = float(np.max(np.abs(_ours(index)[present] / exact[present] - 1.0)))
    assert max(worst.values()) < RELATIVE_EXACT, CASES[max(worst, key=worst.__getitem__)]
