"""Posterior distributions of a difference of means or of shares."""

from math import sqrt

import numpy as np
from scipy import stats
from scipy.integrate import quad
from scipy.optimize import brentq

from validation.second.basics import Array, Found, NoEstimateError, by_t, check_sides, design


def posterior_difference(outcome: Array, treated: Array, terms: Array, *, center: float, worth: float) -> Found:
    """Normal model; the prior of the difference counts for ``worth`` people.

    The prior is an observation more in the least squares: sqrt(k) delta = sqrt(k) center, k a quarter of the people.
    """
    check_sides(treated)
    if np.ptp(outcome) == 0.0:
        raise NoEstimateError("no_variation")
    columns = design(terms, treated)
    n_people, n_columns = columns.shape
    k = worth / 4.0
    more = np.zeros(n_columns)
    more[-1] = sqrt(k)
    rows = np.vstack([columns, more])
    values = np.append(outcome, sqrt(k) * center)
    freedom = n_people - n_columns + (worth > 0.0)
    if freedom < 1:
        raise NoEstimateError("not_estimable")
    basis, triangle = np.linalg.qr(rows)
    inverse = np.linalg.inv(triangle)
    coefficients = inverse @ (basis.T @ values)
    left = values - rows @ coefficients
    variance = float(left @ left) / freedom * float(inverse[-1] @ inverse[-1])
    return by_t(float(coefficients[-1]), sqrt(variance), freedom)


def posterior_share_difference(outcome: Array, treated: Array, *, events: float, others: float) -> Found:
    """Two independent beta distributions; the distribution of their difference by quadrature."""
    check_sides(treated)
    one, two = (
        stats.beta(events + outcome[treated == side].sum(), others + (1.0 - outcome[treated == side]).sum())
        for side in (1.0, 0.0)
    )

    def below(difference: float) -> float:
        ends = (max(0.0, -difference), min(1.0, 1.0 - difference))
        if ends[0] >= ends[1]:
            return 0.0 if difference < 0.0 else 1.0
        middle = [point for point in (*two.ppf([0.001, 0.1, 0.5, 0.9, 0.999]),) if ends[0] < point < ends[1]]
        inner = quad(
            lambda share: two.pdf(share) * one.cdf(share + difference), *ends, points=middle, epsabs=1e-13, limit=400
        )[0]
        return float(inner + two.sf(ends[1]))

    estimate = float(one.mean() - two.mean())

    def quantile(share: float) -> float:
        return float(brentq(lambda difference: below(difference) - share, -1.0, 1.0, xtol=1e-12))

    low, high = quantile(0.025), quantile(0.975)
    at_zero = below(0.0)
    return Found("ok", 100 * estimate, 100 * low, 100 * high, 2.0 * min(at_zero, 1.0 - at_zero))
