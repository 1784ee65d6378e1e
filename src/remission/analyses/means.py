"""Means of two arms over all replicates at once: analysis of covariance by least squares; the ratio of means.

Every sum has a fixed order, so that an estimate has the same bits on every processor; a test holds it to statsmodels.
"""

import numpy as np

from remission.analyses.basis import Basis, orthonormal_basis
from remission.analyses.estimate import (
    Estimate,
    Estimates,
    Status,
    estimates_of,
    failed_estimate,
    is_too_small,
    log_of,
    of_one,
    ratio_estimate,
    refuse_gaps,
)
from remission.numerics.distributions import t_cdf, t_quantile
from remission.numerics.loops import loop
from remission.numerics.small_systems import sum_of_products
from remission.records.regression import Errors
from remission.shapes import Bool, Float

__all__ = ["analyze_difference", "analyze_differences", "analyze_percent_lower", "analyze_within_people", "project"]

_Values = Float[np.ndarray, " subject"]
_Treated = Bool[np.ndarray, " subject"]


def analyze_difference(
    values: _Values, treated: _Treated, adjust: Float[np.ndarray, "subject term"], *, errors: Errors = "equal-variance"
) -> Estimate:
    """:func:`analyze_differences` of one replicate, whose values have no NaN."""
    return of_one(analyze_differences, values, treated, adjust=adjust, errors=errors)


def analyze_differences(
    values: Float[np.ndarray, "replicate subject"],
    inside: Bool[np.ndarray, "replicate subject"],
    treated: Bool[np.ndarray, "replicate subject"],
    adjust: Float[np.ndarray, "replicate term subject"],
    *,
    errors: Errors = "equal-variance",
) -> Estimates:
    """Adjusted differences of means, treated minus control, by least squares with t intervals.

    ``values``: any number where not ``inside``. ``inside``: who is analyzed. ``adjust``: further columns of the design;
    with baseline values among them it is the analysis of covariance. ``errors``: one variance for everybody, or each
    person's own squared residual divided by the square of one minus the person's leverage (HC3 of MacKinnon and White,
    doi 10.1016/0304-4076(85)90158-7).
    """
    refuse_gaps("values", values, inside)
    n = inside.sum(axis=1)
    basis = orthonormal_basis(inside, treated, adjust)
    outcome = np.where(inside, values, 0.0)
    weights, squares = project(outcome, basis)
    freedom = n - basis.rank
    spread = squares + (weights[:, 1:] * weights[:, 1:]).sum(axis=1)
    high, low = np.where(inside, values, -np.inf).max(axis=1), np.where(inside, values, np.inf).min(axis=1)
    enough = (n >= 4) & (inside & treated).any(axis=1) & (inside & ~treated).any(axis=1) & (high > low)
    is_estimable = basis.is_estimable & (freedom >= 1)
    is_rounding = (squares <= _NO_SPREAD * spread) | (squares <= _ROUNDING * (outcome * outcome).sum(axis=1))
    freedom = np.maximum(freedom, 1).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        estimate = weights[:, -1] / basis.left
        if errors == "hc3":
            spare = 1.0 - (basis.columns * basis.columns).sum(axis=1)
            is_estimable &= (spare > _LEVERAGE).all(axis=1)
            rest = outcome - (weights[:, :, None] * basis.columns).sum(axis=1)
            pulls = basis.columns[:, -1] * rest / np.maximum(spare, _LEVERAGE)
            error = np.sqrt((pulls * pulls).sum(axis=1)) / basis.left
        else:
            error = np.sqrt(squares / freedom) / basis.left
        half = t_quantile(freedom, 0.975) * error
        p_value = 2.0 * t_cdf(freedom, -np.abs(estimate / error))
    status = np.full(n.size, Status.OK, dtype=object)
    status[is_rounding] = Status.NO_VARIATION
    status[~is_estimable] = Status.NOT_ESTIMABLE
    status[~enough] = Status.NO_VARIATION
    return estimates_of(status, estimate, estimate - half, estimate + half, p_value)


_NO_SPREAD = 1e-20
"""A residual sum of squares of a smaller share of the outcome's spread than this is rounding, and its interval would
have no width."""
_ROUNDING = 1e-29
"""The same as a share of the outcome's own sum of squares: numbers far from zero carry rounding of their size."""


_LEVERAGE = 1e-9
"""Of a person whom the terms fit by themselves there is no residual to learn a spread from."""


def project(
    outcome: Float[np.ndarray, "replicate subject"], basis: Basis
) -> tuple[Float[np.ndarray, "replicate term"], Float[np.ndarray, " replicate"]]:
    """Weights of the outcome on a basis, and the sum of squares that is left. ``outcome``: 0 for people outside."""
    weights, squares = np.zeros(basis.is_kept.shape), np.zeros(outcome.shape[0])
    _project(outcome, basis.columns, weights, squares)
    return weights, squares


@loop
def _project(outcome, columns, weights, squares):
    for r in range(outcome.shape[0]):
        rest = outcome[r].copy()
        # What is left of the outcome after one turn may still hold a rounding's worth of the basis.
        for _ in range(2):
            for j in range(columns.shape[1]):
                share = sum_of_products(rest, columns[r, j])
                weights[r, j] += share
                for i in range(rest.size):
                    rest[i] -= share * columns[r, j, i]
        squares[r] = sum_of_products(rest, rest)


def analyze_percent_lower(values: _Values, treated: _Treated) -> Estimate:
    """100 times one minus the ratio of means, treated against control; interval by the delta method on the log
    ratio.
    """
    refuse_gaps("values", values, np.ones(values.shape, dtype=np.bool_))
    if is_too_small(values, treated):
        return failed_estimate(Status.NO_VARIATION)
    sides = [values[treated], values[~treated]]
    means = [float(side.mean()) for side in sides]
    if min(means) <= 0.0 or min(side.size for side in sides) < 2:
        return failed_estimate(Status.NO_VARIATION)
    shares = [float(side.var(ddof=1)) / (side.size * mean * mean) for side, mean in zip(sides, means, strict=True)]
    ratio = ratio_estimate(log_of(means[0] / means[1]), float(np.sqrt(sum(shares))))
    return Estimate(
        estimate=100.0 * (1.0 - ratio.estimate),
        low=100.0 * (1.0 - ratio.high),
        high=100.0 * (1.0 - ratio.low),
        p_value=ratio.p_value,
        status=ratio.status,
    )


def analyze_within_people(first: _Values, second: _Values, treated: _Treated) -> Estimate:
    """The effect within people of two periods, with a t interval, free of the period's own effect.

    ``first``, ``second``: values of the two periods; people who lack one are left out. ``treated``: who has the
    treatment in the first period; it minus the other is the effect. What is left of it in the second period would hide
    a part of it.
    """
    known = np.isfinite(first) & np.isfinite(second)
    half = 0.5 * (first[known] - second[known])
    return analyze_difference(half, treated[known], np.zeros((half.size, 0)))
