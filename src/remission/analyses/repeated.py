"""The same outcome in one period after another: generalized estimating equations (statsmodels).

The mean has a level for each period and one difference between the arms; the working correlation is the one asked for,
and the standard error is the sandwich's, which holds if it is wrong. A period without a value is left out, which is
unbiased if values are missing completely at random.
"""

import warnings
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float
from scipy.special import ndtr, stdtr, stdtrit
from statsmodels.genmod.cov_struct import Autoregressive, Exchangeable, Independence
from statsmodels.genmod.generalized_estimating_equations import GEE

from remission.analyses.basis import independent_terms
from remission.analyses.estimate import Z95, Estimate, Status, failed_estimate
from remission.analyses.terms import is_too_small

__all__ = ["Correlation", "analyze_repeated"]

Correlation = Literal["independence", "exchangeable", "autoregressive"]
_STRUCTURES = {
    "independence": Independence,
    "exchangeable": Exchangeable,
    "autoregressive": lambda: Autoregressive(grid=True),
}


def analyze_repeated(
    values: Float[np.ndarray, "subject period"],
    treated: Bool[np.ndarray, " subject"],
    adjust: Float[np.ndarray, "subject term"],
    *,
    correlation: Correlation = "exchangeable",
    small_sample: bool = True,
) -> Estimate:
    """Difference of means over all periods, treated minus control.

    Parameters
    ----------
    values
        NaN where a period has none.
    correlation
        Working correlation of a person's periods.
    small_sample
        Whether the sandwich is corrected for few people (Mancl and DeRouen) and read with a t distribution of people
        minus terms; without it, a normal distribution.
    """
    known = np.isfinite(values)
    some = known.any(axis=1)
    values, known, treated, adjust = values[some], known[some], treated[some], adjust[some]
    if is_too_small(treated * 1.0, treated) or not _varies(values, treated):
        return failed_estimate(Status.NO_VARIATION)
    terms, is_estimable = independent_terms(treated, adjust)
    who, period = np.nonzero(known)
    periods = np.unique(period)
    freedom = treated.size - terms.shape[1] - 2
    if not is_estimable or freedom < 1:
        return failed_estimate(Status.NOT_ESTIMABLE)
    columns = [(period[:, None] == periods) * 1.0, treated[who][:, None] * 1.0, terms[who]]
    model = GEE(
        values[known],
        np.concatenate(columns, axis=1),
        groups=who,
        time=period.astype(np.float64)[:, None],
        cov_struct=_STRUCTURES[correlation](),
    )
    with warnings.catch_warnings():
        # What it warns of is read from its result, replicate by replicate.
        warnings.simplefilter("ignore")
        try:
            fit = model.fit(cov_type="bias_reduced" if small_sample else "robust")
        except np.linalg.LinAlgError:
            return failed_estimate(Status.NOT_CONVERGED)
    estimate, error = float(fit.params[periods.size]), float(fit.bse[periods.size])
    if not fit.converged or not np.isfinite(estimate) or not error > 0.0:
        return failed_estimate(Status.NOT_CONVERGED)
    z = abs(estimate / error)
    half = (float(stdtrit(freedom, 0.975)) if small_sample else Z95) * error
    p_value = 2.0 * float(stdtr(freedom, -z) if small_sample else ndtr(-z))
    return Estimate(estimate=estimate, low=estimate - half, high=estimate + half, p_value=p_value, status=Status.OK)


def _varies(values: Float[np.ndarray, "subject period"], treated: Bool[np.ndarray, " subject"]) -> bool:
    """Whether people of one side differ in any period; if not, there is no error to judge a difference by."""
    high, low = np.where(np.isnan(values), -np.inf, values), np.where(np.isnan(values), np.inf, values)
    return any(bool((high[side].max(axis=0) > low[side].min(axis=0)).any()) for side in (treated, ~treated))
