"""Odds ratios over all replicates at once. :mod:`remission.analyses.odds` says the same by statsmodels.

The regression takes the steps of the library's iteratively reweighted least squares, from the same start to the same
rule of stopping, in an orthonormal basis of each design. A replicate in which the likelihood has no maximum, or nearly
so, goes to the library, whose status it gets.
"""

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import expit

from remission.analyses.basis import Basis, orthonormal_basis
from remission.analyses.estimate import Estimates, Status
from remission.analyses.odds import LARGEST_ERROR, analyze_odds
from remission.analyses.stacked import ratios_of, with_library

__all__ = ["analyze_many_odds"]

_Table = Float[np.ndarray, "replicate subject"]
_Flags = Bool[np.ndarray, "replicate subject"]
_STEPS = 100
_TOLERANCE = 1e-8
_TINY = float(np.finfo(np.float64).eps)


def analyze_many_odds(
    events: _Table, inside: _Flags, treated: _Flags, adjust: Float[np.ndarray, "replicate term subject"]
) -> Estimates:
    """:func:`~remission.analyses.odds.analyze_odds` of each replicate, with Wald's test.

    Parameters
    ----------
    events
        1 with the event, else 0; any number where not ``inside``.
    inside
        Who is analyzed.
    """
    outcome = np.where(inside, events, 0.0)
    sides = [inside & treated, inside & ~treated]
    n1, n0 = (side.sum(axis=1).astype(np.float64) for side in sides)
    enough = (n1 + n0 >= 4) & (n1 > 0) & (n0 > 0)
    if adjust.shape[1] == 0:
        a, c = ((outcome * side).sum(axis=1) for side in sides)
        table = np.stack([a, n1 - a, c, n0 - c])
        table = np.where(table == 0.0, 0.5, table)
        log_odds = np.log(table[0] * table[3] / (table[1] * table[2]))
        return ratios_of(enough, Status.NO_VARIATION, log_odds, np.sqrt((1.0 / table).sum(axis=0)))
    total = outcome.sum(axis=1)
    basis = orthonormal_basis(inside, treated, adjust)
    plain = enough & basis.is_estimable & (total > 0) & (total < n1 + n0)
    log_odds, error = _regress(outcome, inside, basis, plain)
    good = plain & (error <= LARGEST_ERROR)
    return with_library(
        ratios_of(good, Status.NO_VARIATION, log_odds, error),
        ~good,
        lambda one: analyze_odds(events[one][inside[one]], treated[one][inside[one]], adjust[one][:, inside[one]].T),
    )


def _regress(
    outcome: _Table, inside: _Flags, basis: Basis, plain: Bool[np.ndarray, " replicate"]
) -> tuple[Float[np.ndarray, " replicate"], Float[np.ndarray, " replicate"]]:
    """Log odds ratio and its error; NaN where the steps do not end well."""
    log_odds, error = np.full(plain.size, np.nan), np.full(plain.size, np.nan)
    going = np.flatnonzero(plain)
    columns, seen, y = basis.columns[going], inside[going], outcome[going]
    # A column that counts for nothing gets a row and a column of the unit matrix.
    filler = np.eye(columns.shape[1]) * ~basis.is_kept[going][:, None, :]
    p = (y + 0.5) / 2.0
    line, deviance = np.log(p / (1.0 - p)), np.full(going.size, np.inf)
    for _ in range(_STEPS):
        if going.size == 0:
            break
        weight = np.clip(p, _TINY, 1.0 - _TINY)
        weight = np.where(seen, weight * (1.0 - weight), 0.0)
        weighted = columns * weight[:, None, :]
        information = weighted @ columns.swapaxes(1, 2) + filler
        with np.errstate(divide="ignore", invalid="ignore"):
            working = np.where(seen, line + (y - p) / weight, 0.0)
        try:
            inverse = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            break
        effect = inverse @ (weighted @ working[:, :, None])
        line = (columns.swapaxes(1, 2) @ effect)[:, :, 0]
        p = expit(line)
        with np.errstate(divide="ignore"):
            log_likelihood = np.where(y > 0, np.log(p + 1e-20), np.log(1.0 - p + 1e-20)) * seen
        new = -2.0 * log_likelihood.sum(axis=1)
        foretold = (np.abs(p - y) <= 1e-8 + 1e-5 * y).all(axis=1, where=seen)
        done = np.abs(new - deviance) <= _TOLERANCE
        deviance = new
        ended = done & ~foretold
        left = basis.left[going[ended]]
        log_odds[going[ended]] = effect[ended, -1, 0] / left
        with np.errstate(invalid="ignore"):
            error[going[ended]] = np.sqrt(inverse[ended, -1, -1]) / left
        on = ~(done | foretold) & np.isfinite(new)
        going, columns, seen, y, filler = going[on], columns[on], seen[on], y[on], filler[on]
        p, line, deviance = p[on], line[on], deviance[on]
    return log_odds, error
