"""Quantiles over people and each person's peak, without keeping everybody's curves."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from remission.errors import SpecError
from remission.numerics.cores import available_cores
from remission.numerics.walks import walk_over
from remission.pk.concentrations import Series
from remission.pk.curves import breaks_and_rates, prepare_curves
from remission.pk.individuals import PkIndividuals
from remission.pk.simulate import checked_series
from remission.records.analyte import Analyte, SamplingSite
from remission.records.infusions import InfusionEvents
from remission.shapes import Float

_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
# Numbers kept at a time, 64 MB; more does not make it faster.
_MOST_NUMBERS = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PopulationSummary:
    """Concentrations of a population.

    ``t_h``: times of the session clock. [h] ``series``: analyte and sampling site of each series. ``p_quantiles``:
    which quantiles. [0 to 1] ``quantiles_ng_per_ml``: over people, at each time. [ng/mL] ``peak_ng_per_ml``: the
    largest value of each person at the given times. [ng/mL]
    """

    t_h: Float[np.ndarray, " time"]
    series: tuple[Series, ...]
    p_quantiles: tuple[float, ...]
    quantiles_ng_per_ml: Float[np.ndarray, "series quantile time"]
    peak_ng_per_ml: Float[np.ndarray, "subject series"]


def summarize_population(
    individuals: PkIndividuals,
    events: InfusionEvents,
    *,
    t_h: Float[np.ndarray, " time"],
    analytes: Sequence[Analyte | str] = ("ket",),
    sites: Sequence[SamplingSite | str] = ("arterial",),
    p_quantiles: Sequence[float] = _QUANTILES,
) -> PopulationSummary:
    """Quantiles and peaks of :func:`~remission.pk.simulate.simulate_concentrations`, equal to the last bit.

    All people are carried through a few times at once, and only those are kept: 100,000 people need the same memory for
    200 times as for 10,000.

    ``individuals``, ``events``, ``t_h``, ``analytes``, ``sites``: as for
    :func:`~remission.pk.simulate.simulate_concentrations`; at least one person. ``p_quantiles``: which quantiles,
    linear between people. [0 to 1] Raises SpecError: as :func:`~remission.pk.simulate.simulate_concentrations`, or
    there is nobody, or a quantile is outside [0, 1].
    """
    wanted = checked_series(individuals, events, analytes, sites, t_h)
    asked = tuple(float(p) for p in p_quantiles)
    if not all(0.0 <= p <= 1.0 for p in asked):
        raise SpecError(where="p_quantiles", got=asked, allowed="numbers from 0 to 1")
    n = individuals.n_subject
    if n == 0:
        raise SpecError(where="individuals", got="nobody", allowed="at least one person")
    curves = prepare_curves(individuals, events, wanted)
    quantiles = np.empty((len(wanted), len(asked), t_h.size))
    peak = np.zeros((len(wanted), n))
    with ThreadPoolExecutor(available_cores()) as pool:
        for part in _parts(events, t_h, most=max(1, _MOST_NUMBERS // (n * len(wanted)))):
            conc = curves(t_h[part])
            np.maximum(peak, conc.max(axis=1), out=peak)
            # One time after another: sorting people in place needs no copy, and the threads share the times.
            rows = conc.swapaxes(0, 1)
            for index, found in enumerate(pool.map(lambda row: _quantiles(row, asked), rows), start=part.start):
                quantiles[:, :, index] = found
    return PopulationSummary(
        t_h=t_h, series=wanted, p_quantiles=asked, quantiles_ng_per_ml=quantiles, peak_ng_per_ml=peak.T
    )


def _quantiles(
    conc: Float[np.ndarray, "series subject"], p_quantiles: tuple[float, ...]
) -> Float[np.ndarray, "series quantile"]:
    return np.quantile(conc, p_quantiles, axis=1, overwrite_input=True).T


def _parts(events: InfusionEvents, t_h: Float[np.ndarray, " time"], *, most: int) -> list[slice]:
    """Slices of times that begin where a run of the walk begins, so that no bit changes; about ``most`` times each."""
    breaks, rates = breaks_and_rates(events)
    runs = [*walk_over(t_h, breaks=breaks, n_intervals=len(rates)).runs, t_h.size]
    cuts = [0]
    for begin, end in pairwise(runs):
        if end - cuts[-1] > most and begin > cuts[-1]:
            cuts.append(begin)
    return [slice(*pair) for pair in zip(cuts, [*cuts[1:], t_h.size], strict=True)]
