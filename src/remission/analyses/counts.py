"""Counts of days: negative-binomial regression (statsmodels), and beta-binomial regression by SciPy's likelihood.

Negative binomial: counts with mean mu and variance mu + alpha mu^2, log mu = terms + log of the days seen. Where counts
vary no more than Poisson counts do, alpha is 0 and the fit is Poisson's, which is then the maximum of the likelihood.

Beta-binomial: each person's own chance of such a day is Beta(mu s, (1 - mu) s), logit mu = terms. No library has this
regression; its likelihood is that of ``scipy.stats.betabinom``, to which a test holds it, and it is maximized here.
"""

import warnings

import numpy as np
from jaxtyping import Bool, Float
from scipy.optimize import approx_fprime, minimize
from scipy.special import betaln, digamma, expit
from statsmodels.discrete.discrete_model import NegativeBinomial
from statsmodels.genmod.families import Poisson
from statsmodels.genmod.generalized_linear_model import GLM

from remission.analyses.basis import independent_terms
from remission.analyses.estimate import Estimate, Status, failed_estimate, ratio_estimate
from remission.analyses.odds import LARGEST_ERROR
from remission.analyses.terms import design_columns, is_too_small

__all__ = ["analyze_day_odds", "analyze_rate"]

_Values = Float[np.ndarray, " subject"]
_Treated = Bool[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]
_STEPS = 200
_LOG_SIZE = (-6.0, 12.0)
"""Range of log s: from people who are all or nothing to people who do not differ."""


def analyze_rate(counts: _Values, seen_day: _Values, treated: _Treated, adjust: _Design) -> Estimate:
    """Ratio of daily rates, treated against control, by negative-binomial regression with Wald intervals.

    Parameters
    ----------
    counts
        Whole numbers, 0 or more.
    seen_day
        Days in which they were counted, above 0. [day]
    """
    fault, terms = _checked(counts, treated, adjust)
    if fault is not None:
        return failed_estimate(fault)
    if not counts[treated].any() or not counts[~treated].any():
        return failed_estimate(Status.SEPARATION)
    design = design_columns(treated, terms)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        plain = GLM(counts, design, family=Poisson(), exposure=seen_day).fit()
        if not plain.converged:
            return failed_estimate(Status.NOT_CONVERGED)
        fit, error = plain, float(plain.bse[1])
        # The slope of the likelihood in alpha at 0: below it, there is nothing beyond Poisson's variance.
        if np.sum((counts - plain.mu) ** 2 - counts) > 0.0:
            model = NegativeBinomial(counts, design, exposure=seen_day)
            start = np.append(plain.params, 0.5)
            fit = model.fit(start_params=start, method="bfgs", maxiter=_STEPS, gtol=_GENTLE, disp=False)
            if not fit.mle_retvals["converged"]:
                return failed_estimate(Status.NOT_CONVERGED)
            error = float(fit.bse[1])
    if error > LARGEST_ERROR:
        return failed_estimate(Status.SEPARATION)
    return ratio_estimate(float(fit.params[1]), error)


_GENTLE = 1e-6
"""Slope of the mean log likelihood at which the search ends."""


def analyze_day_odds(counts: _Values, seen_day: _Values, treated: _Treated, adjust: _Design) -> Estimate:
    """Odds ratio of such a day, treated against control, by beta-binomial regression with Wald intervals.

    Parameters
    ----------
    counts
        Whole numbers, 0 to ``seen_day``.
    seen_day
        Whole number of days in which they were counted, above 0. [day]
    """
    fault, terms = _checked(counts / seen_day, treated, adjust)
    if fault is not None:
        return failed_estimate(fault)
    for side in (treated, ~treated):
        if not 0.0 < counts[side].sum() < seen_day[side].sum():
            return failed_estimate(Status.SEPARATION)
    design = design_columns(treated, terms)
    scale = np.maximum(np.abs(design).max(axis=0), 1e-300)

    def slope(theta: Float[np.ndarray, " parameter"]) -> Float[np.ndarray, " parameter"]:
        return _beta_binomial(theta, counts, seen_day, design / scale)[1]

    start = np.zeros(design.shape[1] + 1)
    found = minimize(
        lambda theta: _beta_binomial(theta, counts, seen_day, design / scale),
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-50.0, 50.0)] * design.shape[1] + [_LOG_SIZE],
        options={"maxiter": 10 * _STEPS, "ftol": 1e-15, "gtol": 1e-9},
    )
    at_end = found.x[-1] >= _LOG_SIZE[1] - 1e-6 or found.x[-1] <= _LOG_SIZE[0] + 1e-6
    free = slice(0, -1) if at_end else slice(None)
    curve = approx_fprime(found.x, slope, 1e-6)[free, free]
    rest = slope(found.x)[free]
    try:
        # Newton's last step: the search ends where the likelihood is flat to rounding, which is short of its top.
        inverse = np.linalg.inv((curve + curve.T) / 2.0)
    except np.linalg.LinAlgError:
        return failed_estimate(Status.NOT_CONVERGED)
    variance = float(inverse[1, 1])
    if not np.isfinite(variance) or variance <= 0.0 or np.abs(inverse @ rest).max() > _NEAR:
        return failed_estimate(Status.NOT_CONVERGED)
    log_odds, error = (found.x[free] - inverse @ rest)[1] / scale[1], np.sqrt(variance) / scale[1]
    if error > LARGEST_ERROR:
        return failed_estimate(Status.SEPARATION)
    return ratio_estimate(float(log_odds), float(error))


_NEAR = 0.01
"""A last step longer than this says that the search had not arrived."""


def _checked(values: _Values, treated: _Treated, adjust: _Design) -> tuple[Status | None, _Design]:
    if is_too_small(values, treated) or np.ptp(values) == 0.0:
        return Status.NO_VARIATION, adjust
    terms, is_estimable = independent_terms(treated, adjust)
    return (None if is_estimable else Status.NOT_ESTIMABLE), terms


def _beta_binomial(
    theta: Float[np.ndarray, " parameter"], counts: _Values, seen_day: _Values, design: _Design
) -> tuple[float, Float[np.ndarray, " parameter"]]:
    """Minus the log likelihood, without its constant, and its slope."""
    chance, size = expit(design @ theta[:-1]), np.exp(theta[-1])
    chance = np.clip(chance, 1e-12, 1.0 - 1e-12)
    a, b, rest = chance * size, (1.0 - chance) * size, seen_day - counts
    value = np.sum(betaln(counts + a, rest + b) - betaln(a, b))
    both = digamma(size) - digamma(seen_day + size)
    by_a, by_b = digamma(counts + a) - digamma(a) + both, digamma(rest + b) - digamma(b) + both
    by_line = (by_a - by_b) * size * chance * (1.0 - chance)
    return -float(value), -np.append(by_line @ design, np.sum(by_a * a + by_b * b))
