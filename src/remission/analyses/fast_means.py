"""Analyses of means over all replicates at once. :mod:`remission.analyses.means` says the same by statsmodels."""

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import stdtr, stdtrit

from remission.analyses.basis import orthonormal_basis
from remission.analyses.estimate import Estimates, Status
from remission.analyses.means import analyze_difference
from remission.analyses.stacked import estimates_of, with_library

__all__ = ["analyze_differences"]


def analyze_differences(
    values: Float[np.ndarray, "replicate subject"],
    inside: Bool[np.ndarray, "replicate subject"],
    treated: Bool[np.ndarray, "replicate subject"],
    adjust: Float[np.ndarray, "replicate term subject"],
) -> Estimates:
    """:func:`~remission.analyses.means.analyze_difference` of each replicate.

    Parameters
    ----------
    values
        Any number where not ``inside``.
    inside
        Who is analyzed.
    """
    n = inside.sum(axis=1)
    basis = orthonormal_basis(inside, treated, adjust)
    outcome = np.where(inside, values, 0.0)[:, None, :]
    weights = outcome @ basis.columns.swapaxes(1, 2)
    rest = outcome - weights @ basis.columns
    # What is left of the outcome may still hold a rounding's worth of the basis.
    more = rest @ basis.columns.swapaxes(1, 2)
    rest, weights = rest - more @ basis.columns, weights + more
    freedom = n - basis.rank
    squares = (rest[:, 0, :] ** 2).sum(axis=1)
    spread = squares + (weights[:, 0, 1:] ** 2).sum(axis=1)
    varies = np.where(inside, values, -np.inf).max(axis=1) > np.where(inside, values, np.inf).min(axis=1)
    good = (n >= 4) & varies & basis.is_estimable & (freedom >= 1) & (squares > _SPREAD * spread)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = weights[:, 0, -1] / basis.left
        error = np.sqrt(squares / freedom) / basis.left
        half = stdtrit(freedom, 0.975) * error
        p_value = 2.0 * stdtr(freedom, -np.abs(estimate / error))
    found = estimates_of(good, Status.NO_VARIATION, estimate, estimate - half, estimate + half, p_value)
    return with_library(
        found,
        ~good,
        lambda one: analyze_difference(
            values[one][inside[one]], treated[one][inside[one]], adjust[one][:, inside[one]].T
        ),
    )


_SPREAD = 1e-12
"""Below this share of residual spread the library decides whether there is any."""
