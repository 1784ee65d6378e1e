"""Cascades against 50 digits, rates that meet included, and their bits."""

from typing import Any

import mpmath
import numpy as np
import pytest
from reference_kinetics import simulate_amounts

from remission.library.molecules import molar_mass_g_per_mol
from remission.numerics import cores
from remission.numerics.cascades import simulate_cascade
from remission.pk import individual_parameters, load_pk_model
from remission.pk.metabolites import METABOLITES, STATES, prepare_metabolites

mp = mpmath.mp.clone()
mp.dps = 50

# A chain with a branch that comes together again, as in the metabolites.
EDGES = [(0, 1), (0, 2), (1, 3), (2, 3), (3, 4), (4, 5), (4, 6), (5, 7), (6, 7)]
N = 140  # two whole blocks and a part
GENERATOR = np.random.default_rng(9)
RATE = np.concatenate([np.zeros((1, N)), 10.0 ** GENERATOR.uniform(-2.0, 2.5, (7, N))])
# A quarter each: all equal, all nearly equal, two and two equal.
RATE[2:, ::4] = RATE[1, ::4]
RATE[2:, 1::4] = RATE[1, 1::4] * (1.0 + 10.0 ** GENERATOR.uniform(-15.0, -6.0, (6, N // 4)))
RATE[4, 2::4], RATE[6, 2::4] = RATE[3, 2::4], RATE[5, 2::4]
FEEDS = {edge: 10.0 ** GENERATOR.uniform(-2.0, 2.0, N) for edge in EDGES}
READING = np.zeros((3, 8))
READING[0, 3], READING[1, 7], READING[2, [5, 6]] = 1.0, 1.0, (1.0, 2.0)
BREAKS = np.array([0.25, 1.0, 3.0, 3.5])
INPUTS = np.stack([np.ones(N), np.zeros(N), np.full(N, 4.0)])
TIMES = np.concatenate([[0.0, 0.26], np.linspace(0.5, 30.0, 60)])


def _simulate(rows: Any = slice(None), n_threads: int = 1) -> np.ndarray:
    feeds = {edge: feed[rows] for edge, feed in FEEDS.items()}
    return simulate_cascade(
        RATE[:, rows], feeds=feeds, reading=READING, breaks=BREAKS, inputs=INPUTS[:, rows], times=TIMES,
        n_threads=n_threads,
    )  # fmt: skip


def _exact(subject: int, time: float) -> np.ndarray:
    matrix = mp.zeros(8)
    for state in range(8):
        matrix[state, state] = -mp.mpf(RATE[state, subject])
    for (source, target), feed in FEEDS.items():
        matrix[target, source] = mp.mpf(feed[subject])
    states = mp.zeros(8, 1)
    for index, start in enumerate(BREAKS):
        end = min(time, BREAKS[index + 1] if index + 1 < len(BREAKS) else np.inf)
        if end > start:
            states[0] = mp.mpf(INPUTS[index, subject]) if index < len(INPUTS) else mp.mpf(0)
            states = mp.expm(matrix * (mp.mpf(end) - mp.mpf(start)), method="taylor") * states
    return np.array([float(sum(mp.mpf(f) * x for f, x in zip(row, states, strict=True))) for row in READING])


@pytest.mark.independent
def test_fifty_digits_agree_whether_or_not_rates_meet() -> None:
    """A chain of equal transit steps is where sums of exponentials lose every digit."""
    found, worst = _simulate(), 0.0
    for subject in range(4):
        for time in (1, 12, 61):
            exact = _exact(subject, float(TIMES[time]))
            present = exact > 1e-130
            worst = max(worst, np.max(np.abs(found[present, time, subject] / exact[present] - 1.0), initial=0.0))
    assert 0.0 < worst < 1e-13  # measured: 1e-15


@pytest.mark.independent
def test_metabolites_in_modes_are_those_of_the_whole_system() -> None:
    """The equations of the page are those of the matrix; the fast way must be the same system."""
    people = individual_parameters(
        load_pk_model(), weight_kg=GENERATOR.uniform(45.0, 130.0, 40), z_iiv=GENERATOR.normal(size=(40, 8))
    )
    breaks, t_h = np.array([0.0, 0.5, 2.0, 3.0]), np.array([0.02, 0.5, 1.0, 2.5, 6.0, 40.0])
    rate = np.stack([np.full(40, 2e4), np.zeros(40), np.full(40, 5e3)])
    found = prepare_metabolites(people, breaks_h=breaks, rate_ug_per_h=rate)(times=t_h)
    amounts = simulate_amounts(people, breaks_h=breaks, rate_ug_per_h=rate.T, t_h=t_h)
    metabolites = people.metabolites
    assert metabolites is not None
    centers = (("N1", people.v1_l), ("H1", metabolites.hnk_v1_l))
    for analyte, curve, (state, volume) in zip(METABOLITES, found, centers, strict=True):
        mass = molar_mass_g_per_mol(analyte) / molar_mass_g_per_mol("ket")
        expected = (amounts[:, STATES.index(state)] / volume[:, np.newaxis] * mass).T
        assert curve == pytest.approx(expected, rel=1e-9, abs=1e-12 * float(expected.max()))


@pytest.mark.parametrize("n_threads", [2, 3])
def test_no_bit_depends_on_threads(n_threads: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A result that changed with the machine's cores could not be repeated elsewhere."""
    monkeypatch.setattr(cores, "_BLOCKS_PER_CALL", 1)
    assert np.array_equal(_simulate(n_threads=n_threads), _simulate())


@pytest.mark.parametrize(
    "rows", [slice(7, 8), slice(50, 120), slice(None, None, -1)], ids=["alone", "part", "reversed"]
)
def test_no_bit_depends_on_the_others(rows: slice) -> None:
    """How often a matrix is squared differs between people; a fast neighbor must not add a squaring to anyone."""
    assert np.array_equal(_simulate(rows), _simulate()[:, :, rows])


def test_before_the_first_input_there_is_nothing() -> None:
    """An unfilled array shows whatever was in memory."""
    assert np.all(_simulate()[:, 0] == 0.0)
