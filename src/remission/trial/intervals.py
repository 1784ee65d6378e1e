"""Three intervals of a simulated number: sampling, parameters, a new trial.

Each replicate has a draw of its own, so replicates vary by chance, by what is not known of the values, and by what
trials differ in. *Sampling*: what another trial of this size would give at one set of values, from the standard errors
of the replicates themselves. *Parameters*: what is not known of the mean trial, from a regression of the replicates on
the values that all trials share, less what chance alone would put there, and never less than what chance could hide in
so many replicates. *A new trial*: the replicates as they are.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from remission.numerics.small_systems import fit
from remission.patient.drawn import TrialDraws
from remission.shapes import Bool, Float

__all__ = ["Spread", "split_spread"]

_FEWEST_PER_COLUMN = 4
_Z95 = 1.959963984540054
_LEAST = 1e-10
_HIDDEN = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """95% intervals on the scale of the numbers; ``parameters`` is None where too few replicates tell of it."""

    sampling: tuple[float, float]
    parameters: tuple[float, float] | None


def split_spread(
    values: Float[np.ndarray, " replicate"],
    errors: Float[np.ndarray, " replicate"],
    draws: TrialDraws,
) -> Spread | None:
    """The intervals of a number, from its value and its standard error in each replicate.

    ``values``, ``errors``: on a scale on which they add up, NaN where there is none. ``draws``: of the same replicates.
    None where fewer than two replicates have both.
    """
    good = np.isfinite(values) & np.isfinite(errors)
    if good.sum() < 2:
        return None
    y = values[good]
    center, half = float(y.mean()), _Z95 * float(np.sqrt((errors[good] * errors[good]).mean()))
    shared = _columns(draws.shared, good)
    both = np.concatenate([shared, _columns(draws.own, good)])
    parameters = None
    if len(both) and y.size >= _FEWEST_PER_COLUMN * (len(both) + 1):
        weights = _least_squares(both, y - y.mean())
        if weights is not None:
            left = y - y.mean()
            for weight, column in zip(weights, both, strict=True):
                left = left - weight * column
            noise = float((left * left).sum()) / (y.size - len(both) - 1)
            told = np.zeros(y.size)
            for weight, column in zip(weights[: len(shared)], shared, strict=True):
                told = told + weight * column
            variance = float((told * told).mean())
            # Chance alone gives each column its share of the noise. What chance could hide is not called nothing: a
            # share of p columns varies by the root of 2 / p of itself, and twice that is what cannot be told from none.
            share = noise * len(shared) / y.size
            kept = max(variance - share, share * _HIDDEN * np.sqrt(2.0 / max(len(shared), 1)))
            told = told * (np.sqrt(kept / variance) if variance > 0.0 else 0.0)
            low, high = np.quantile(told, [0.025, 0.975])
            parameters = (center + float(low), center + float(high))
    return Spread(sampling=(center - half, center + half), parameters=parameters)


def _columns(
    values: Mapping[str, Float[np.ndarray, " replicate"]], good: Bool[np.ndarray, " replicate"]
) -> Float[np.ndarray, "column replicate"]:
    """The columns that vary, in units of their own spread."""
    found = []
    for column in values.values():
        kept = column[good]
        spread = kept.std()
        if spread > _LEAST:
            found.append((kept - kept.mean()) / spread)
    return np.stack(found) if found else np.zeros((0, int(good.sum())))


def _least_squares(
    columns: Float[np.ndarray, "column replicate"], y: Float[np.ndarray, " replicate"]
) -> Float[np.ndarray, " column"] | None:
    """Weights of the columns, in sums of one order; None where two columns say the same."""
    weights, is_found = np.empty(len(columns)), np.empty(1, dtype=np.bool_)
    fit(columns, y, _LEAST, weights, is_found)
    return weights if is_found[0] else None
