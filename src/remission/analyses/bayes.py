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

import numpy as np
from jaxtyping import Bool, Float
from numpy.polynomial.legendre import leggauss
from scipy.optimize import brentq
from scipy.special import betainc, betaincc, betaln, expit, stdtr, stdtrit, xlog1py, xlogy

from remission.analyses.basis import independent_terms
from remission.analyses.estimate import Estimate, Status, failed_estimate, ratio_estimate
from remission.analyses.terms import design_columns, is_too_small

__all__ = ["analyze_difference_with_prior", "analyze_odds_with_prior", "analyze_shares_with_prior"]

_Values = Float[np.ndarray, " subject"]
_Treated = Bool[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]
_STEPS = 50


def analyze_difference_with_prior(
    values: _Values, treated: _Treated, adjust: _Design, *, center: float, worth_people: float
) -> Estimate:
    """Posterior mean of the adjusted difference of means, treated minus control, and its 95% credible interval.

    Parameters
    ----------
    center
        Prior mean of the difference, in the unit of the values.
    worth_people
        How many people the prior is worth; 0 is a flat prior.
    """
    if is_too_small(values, treated) or np.ptp(values) == 0.0:
        return failed_estimate(Status.NO_VARIATION)
    terms, is_estimable = independent_terms(treated, adjust)
    if not is_estimable:
        return failed_estimate(Status.NOT_ESTIMABLE)
    others = np.column_stack([np.ones(treated.size), terms])
    # What the terms explain is taken from both, so that one coefficient is left.
    both = np.column_stack([treated, values]).astype(np.float64)
    column, outcome = (both - others @ np.linalg.lstsq(others, both, rcond=None)[0]).T
    precision = worth_people / 4.0
    inner = float(column @ column)
    mean = (float(column @ outcome) + precision * center) / (inner + precision)
    # A prior that is worth somebody gives the difference back the degree of freedom that estimating it takes.
    freedom = treated.size - others.shape[1] - (worth_people == 0.0)
    rest = outcome - column * mean
    squares = float(rest @ rest) + precision * (mean - center) ** 2
    if freedom < 1 or squares <= 0.0:
        return failed_estimate(Status.NOT_ESTIMABLE)
    error = float(np.sqrt(squares / freedom / (inner + precision)))
    half = float(stdtrit(freedom, 0.975)) * error
    return Estimate(
        estimate=mean,
        low=mean - half,
        high=mean + half,
        p_value=2.0 * float(stdtr(freedom, -abs(mean / error))),
        status=Status.OK,
    )


def analyze_shares_with_prior(
    events: _Values, treated: _Treated, *, prior_events: float, prior_others: float
) -> Estimate:
    """Posterior mean of the difference of shares, treated minus control, in percentage points, and its credible
    interval.

    Parameters
    ----------
    events
        1 with the event, else 0; without NaN.
    prior_events, prior_others
        Parameters of the beta prior of each arm's share; above 0. They count like people with and without the event.
    """
    if is_too_small(events, treated):
        return failed_estimate(Status.NO_VARIATION)
    shapes = []
    for side in (treated, ~treated):
        count = float(events[side].sum())
        shapes.append((prior_events + count, prior_others + float(side.sum()) - count))
    (a1, b1), (a0, b0) = shapes
    middle = a1 / (a1 + b1) - a0 / (a0 + b0)
    low, high = (
        float(brentq(lambda x, p=p: _share_below(x, *shapes) - p, -1.0, 1.0, xtol=1e-10)) for p in (0.025, 0.975)
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
    (a1, b1), (a0, b0) = treated, control
    # Where the control's share is larger than 1 minus the difference, treatment's is below it for certain.
    low, high = max(0.0, -difference), min(1.0, 1.0 - difference)
    if high <= low:
        return float(difference > 0.0)
    # In x = low + (high - low) (1 - cos(pi u)) / 2 both ends, where a density may be infinite, lie dense.
    u = (_PLACES + 1.0) / 2.0
    share = low + (high - low) * (1.0 - np.cos(np.pi * u)) / 2.0
    density = np.exp(xlogy(a0 - 1.0, share) + xlog1py(b0 - 1.0, -share) - betaln(a0, b0))
    weight = density * (high - low) * np.pi * np.sin(np.pi * u) / 4.0 * _WEIGHTS
    inside = float(weight @ betainc(a1, b1, np.clip(share + difference, 0.0, 1.0)))
    return inside + float(betaincc(a0, b0, high))


_PLACES, _WEIGHTS = leggauss(200)


def analyze_odds_with_prior(
    events: _Values, treated: _Treated, adjust: _Design, *, center: float, sd: float
) -> Estimate:
    """Posterior mode of the odds ratio, treated against control, and its credible interval by Laplace's approximation.

    A prior holds the treatment's coefficient where the data would let it run to infinity.

    Parameters
    ----------
    events
        1 with the event, else 0; without NaN.
    center, sd
        Of the normal prior of the log odds ratio.
    """
    if is_too_small(events, treated) or np.ptp(events) == 0.0:
        return failed_estimate(Status.NO_VARIATION)
    terms, is_estimable = independent_terms(treated, adjust)
    if not is_estimable:
        return failed_estimate(Status.NOT_ESTIMABLE)
    design = design_columns(treated, (terms - terms.mean(axis=0)) / np.maximum(terms.std(axis=0), 1e-300))
    precision = np.zeros(design.shape[1])
    precision[1] = sd**-2.0
    aim = np.zeros_like(precision)
    aim[1] = center
    effect = aim.copy()
    for _ in range(_STEPS):
        chance = expit(design @ effect)
        curve = (design * (chance * (1.0 - chance))[:, None]).T @ design + np.diag(precision)
        slope = design.T @ (events - chance) - precision * (effect - aim)
        try:
            step = np.linalg.solve(curve, slope)
        except np.linalg.LinAlgError:
            return failed_estimate(Status.SEPARATION)
        # Far from the mode a whole step overshoots.
        effect = effect + step * min(1.0, 5.0 / float(np.abs(step).max(initial=1e-300)))
        if np.abs(step).max() < 1e-10:
            variance = float(np.linalg.inv(curve)[1, 1])
            return ratio_estimate(float(effect[1]), float(np.sqrt(variance)))
    return failed_estimate(Status.SEPARATION)
