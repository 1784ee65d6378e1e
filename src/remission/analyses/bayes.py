"""Bayesian analyses with a stated prior: exact for means and for shares, Laplace's approximation for logistic models.

Means: y = (terms) b + delta treated + e, e normal with variance s^2. The prior of delta is normal around its center
with variance 4 s^2 / n0, which is what n0 people, half in each arm, would tell; everything else is flat,
p(b, s^2) ~ 1/s^2. This is the limit of the conjugate normal-inverse-gamma prior, and the posterior of delta is
Student's t.

Shares: beta priors of the two arms, which are independent; the posterior of the difference of two betas by quadrature.

Log odds: normal prior of the treatment's coefficient, flat for the rest; mode and curvature of the posterior.

The place of the p value holds twice the posterior probability that the effect lies on the other side of nothing, so
that a limit of 0.05 asks for a posterior probability above 0.975.
"""

from collections.abc import Callable
from functools import cache

import numpy as np

from remission.analyses.basis import basis_of_one
from remission.analyses.estimate import (
    Estimate,
    Status,
    failed_estimate,
    interval_estimate,
    is_too_small,
    ratio_estimate,
    refuse_gaps,
)
from remission.analyses.means import project
from remission.analyses.odds import logistic_fits
from remission.numerics.distributions import beta_cdf_lane, log_beta_lane
from remission.numerics.elementary import cos_sin_turns
from remission.numerics.lanes import exp_lane, log_lane
from remission.numerics.loops import loop
from remission.numerics.quadrature import gauss_legendre
from remission.shapes import Bool, Float

__all__ = ["analyze_difference_with_prior", "analyze_odds_with_prior", "analyze_shares_with_prior"]

_Values = Float[np.ndarray, " subject"]
_Treated = Bool[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]

_LEAST_SHARE = 1e-300


def analyze_difference_with_prior(
    values: _Values, treated: _Treated, adjust: _Design, *, center: float, worth_people: float
) -> Estimate:
    """Posterior mean of the adjusted difference of means, treated minus control, and its 95% credible interval.

    ``center``: prior mean of the difference, in the unit of the values. ``worth_people``: how many people the prior is
    worth; 0 is a flat prior.
    """
    refuse_gaps("values", values, np.ones(values.shape, dtype=np.bool_))
    if is_too_small(values, treated) or np.ptp(values) == 0.0:
        return failed_estimate(Status.NO_VARIATION)
    basis = basis_of_one(treated, adjust)
    if not basis.is_estimable[0]:
        return failed_estimate(Status.NOT_ESTIMABLE)
    # Beside the terms one coefficient is left: that of the treatment's column, `left` long, on which the outcome weighs
    # the last of its weights.
    weights, rest = project(np.asarray(values, dtype=np.float64)[None], basis)
    left, along = float(basis.left[0]), float(weights[0, -1])
    precision = worth_people / 4.0
    inner = left * left
    mean = (left * along + precision * center) / (inner + precision)
    # A prior that is worth somebody gives the difference back the degree of freedom that estimating it takes.
    freedom = treated.size - int(basis.rank[0]) + (worth_people > 0.0)
    miss, shift = along - left * mean, mean - center
    squares = float(rest[0]) + miss * miss + precision * shift * shift
    if freedom < 1 or squares <= 0.0:
        return failed_estimate(Status.NOT_ESTIMABLE)
    error = float(np.sqrt(squares / freedom / (inner + precision)))
    return interval_estimate(mean, error, freedom)


def analyze_shares_with_prior(
    events: _Values, treated: _Treated, *, prior_events: float, prior_others: float
) -> Estimate:
    """Posterior mean of the difference of shares, treated minus control, in percentage points, and its credible
    interval.

    ``events``: 1 with the event, else 0; without NaN. ``prior_events``, ``prior_others``: parameters of the beta prior
    of each arm's share; above 0. They count like people with and without the event.
    """
    refuse_gaps("events", events, np.ones(events.shape, dtype=np.bool_))
    if is_too_small(events, treated):
        return failed_estimate(Status.NO_VARIATION)
    shapes = []
    for side in (treated, ~treated):
        count = float(events[side].sum())
        shapes.append((prior_events + count, prior_others + float(side.sum()) - count))
    (a1, b1), (a0, b0) = shapes
    middle = a1 / (a1 + b1) - a0 / (a0 + b0)
    low, high = (
        _crossing(lambda x, p=p: _share_below(x, *shapes) - p, -1.0, 1.0)  # type: ignore[misc]  # a default of its own
        for p in (0.025, 0.975)
    )
    tail = _share_below(0.0, *shapes)
    return Estimate(
        estimate=100.0 * middle,
        low=100.0 * low,
        high=100.0 * high,
        p_value=2.0 * min(tail, 1.0 - tail),
        status=Status.OK,
    )


def _share_below(difference: float, treated: tuple[float, float], control: tuple[float, float]) -> float:
    """Posterior probability that treatment's share minus the control's is below a difference."""
    # Where the control's share is larger than 1 minus the difference, treatment's is below it for certain.
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    if high <= low:
        return float(difference > 0.0)
    return float(_mixed(difference, low, high, (*treated, *control), *_places()))


@loop
def _mixed(difference, low, high, shapes, nearness, slope):
    """The probability where the control's share lies between low and high, and all of it beyond high."""
    a1, b1, a0, b0 = shapes
    log_b1, log_b0 = log_beta_lane(a1, b1), log_beta_lane(a0, b0)
    total = 0.0
    for i in range(nearness.size):
        # In x = low + (high - low) (1 - cos(pi u)) / 2 both ends, where a density may be infinite, lie dense.
        share = low + (high - low) * nearness[i]
        line = (a0 - 1.0) * log_lane(max(share, _LEAST_SHARE)) + (b0 - 1.0) * log_lane(max(1.0 - share, _LEAST_SHARE))
        total += exp_lane(line - log_b0) * slope[i] * beta_cdf_lane(a1, b1, share + difference, log_b1)
    return total * (high - low) + 1.0 - beta_cdf_lane(a0, b0, high, log_b0)


@cache
def _places() -> tuple[Float[np.ndarray, " node"], Float[np.ndarray, " node"]]:
    """(1 - cos(pi u)) / 2 and its weights at 200 nodes u in (0, 1)."""
    u, weights = (np.array(part) for part in gauss_legendre(200))
    cosine, sine = cos_sin_turns(u / 2.0)
    return (1.0 - cosine) / 2.0, np.pi / 2.0 * sine * weights


def _crossing(away: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function crosses zero, within 1e-12: secants that keep a bracket, halved where they creep."""
    at_low, at_high = away(low), away(high)
    if at_low >= 0.0 or at_high <= 0.0:
        return low if at_low >= 0.0 else high
    middle, side, number = low, 0, 0
    while high - low > 1e-12:
        number += 1
        middle = (low * at_high - high * at_low) / (at_high - at_low)
        # Where secants have not arrived they creep; from then on halves do, in 41 more.
        if not low < middle < high or number > 100:
            middle = 0.5 * (low + high)
        found = away(middle)
        if found > 0.0:
            high, at_high = middle, found
            # Illinois: an end that stays counts for half.
            at_low = at_low * 0.5 if side > 0 else at_low
            side = 1
        else:
            low, at_low = middle, found
            at_high = at_high * 0.5 if side < 0 else at_high
            side = -1
        if abs(found) <= 1e-13:
            break
    return middle


def analyze_odds_with_prior(
    events: _Values, treated: _Treated, adjust: _Design, *, center: float, sd: float
) -> Estimate:
    """Posterior mode of the odds ratio, treated against control, and its credible interval by Laplace's approximation.

    A prior holds the treatment's coefficient where the data would let it run to infinity.

    ``events``: 1 with the event, else 0; without NaN. ``center``, ``sd``: of the normal prior of the log odds ratio.
    """
    refuse_gaps("events", events, np.ones(events.shape, dtype=np.bool_))
    if is_too_small(events, treated) or np.ptp(events) == 0.0:
        return failed_estimate(Status.NO_VARIATION)
    basis = basis_of_one(treated, adjust)
    if not basis.is_estimable[0]:
        return failed_estimate(Status.NOT_ESTIMABLE)
    everyone = np.ones((1, treated.size), dtype=np.bool_)
    log_odds, error, code, _ = logistic_fits(
        np.asarray(events, dtype=np.float64)[None],
        everyone,
        basis,
        basis.is_estimable,
        center=center,
        precision=1.0 / (sd * sd),
    )
    # A term that foretells the outcome flattens the likelihood until nothing can be solved.
    if code[0] != 0:
        return failed_estimate(Status.SEPARATION)
    return ratio_estimate(float(log_odds[0]), float(error[0]))
