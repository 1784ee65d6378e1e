"""Summaries of a population are those of its curves, computed piece by piece."""

import tracemalloc
from typing import Any

import numpy as np
import pytest

from remission.dosing import make_infusions
from remission.errors import SpecError
from remission.pk import individual_parameters, load_pk_model, simulate_concentrations, summaries, summarize_population

N = 400
GENERATOR = np.random.default_rng(17)
PEOPLE = individual_parameters(
    load_pk_model(), weight_kg=GENERATOR.uniform(45.0, 130.0, N), z_iiv=GENERATOR.normal(size=(N, 8))
)
EVENTS = make_infusions(
    np.outer(PEOPLE.weight_kg, [0.5, 0.8, 0.3]), start_h=[0.5, 2.0, 9.0], duration_h=[2 / 3, 1.0, 0.01]
)
ASKED: tuple[dict[str, Any], ...] = (
    {"analytes": ("ket", "s_ket"), "sites": ("effect", "arterial", "venous")},
    {"analytes": ("s_hnk", "ket", "s_nk"), "sites": ("arterial",)},
)


@pytest.mark.parametrize("asked", ASKED, ids=["ketamine", "metabolites"])
@pytest.mark.parametrize("most", [1, 40_000, 10**9])
def test_the_summary_is_that_of_the_curves(asked: dict[str, Any], most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quantile that depended on how many times fit into memory would differ between machines."""
    monkeypatch.setattr(summaries, "_MOST_NUMBERS", most)
    t_h = np.sort(np.concatenate([np.linspace(0.0, 30.0, 171), EVENTS.end_h, [1.0, 1.0]]))
    parts = summaries._parts(EVENTS, t_h, most=max(1, most // (N * 3)))
    assert (len(parts) == 1) == (most == 10**9)
    found = summarize_population(PEOPLE, EVENTS, t_h=t_h, **asked)
    curves = simulate_concentrations(PEOPLE, EVENTS, t_h=t_h, **asked)
    assert found.series == curves.series
    expected = np.quantile(curves.conc_ng_per_ml, found.p_quantiles, axis=0).swapaxes(0, 1)
    assert np.array_equal(found.quantiles_ng_per_ml, expected)
    assert np.array_equal(found.peak_ng_per_ml, curves.conc_ng_per_ml.max(axis=2))


def test_memory_does_not_grow_with_the_times(monkeypatch: pytest.MonkeyPatch) -> None:
    """Long curves of many people are what the function is for."""
    monkeypatch.setattr(summaries, "_MOST_NUMBERS", 100_000)
    peaks = []
    for n in (200, 1_600):
        t_h = np.linspace(0.0, 30.0, n)
        summarize_population(PEOPLE, EVENTS, t_h=t_h)
        tracemalloc.start()
        summarize_population(PEOPLE, EVENTS, t_h=t_h)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    # The list of steps grows, by some 0.4 kB a time; curves would by 3.2 kB.
    assert peaks[1] - peaks[0] < 0.2 * 1_400 * N * 8


@pytest.mark.parametrize(
    "changes", [{"p_quantiles": (0.5, 1.5)}, {"p_quantiles": (float("nan"),)}, {"sites": ("nowhere",)}], ids=str
)
def test_what_cannot_be_is_refused(changes: dict[str, Any]) -> None:
    """A quantile in percent is an easy slip."""
    with pytest.raises(SpecError):
        summarize_population(PEOPLE, EVENTS, t_h=np.array([1.0]), **changes)


def test_nobody_has_no_quantiles() -> None:
    """An empty group must be named, not answered with not-a-number."""
    nobody, none = PEOPLE.take(slice(0, 0)), make_infusions(np.zeros((0, 1)), start_h=[0.0], duration_h=[1.0])
    with pytest.raises(SpecError, match="nobody"):
        summarize_population(nobody, none, t_h=np.array([1.0]))
