"""Random-effects meta-analysis of a few contrasts, with the correction that few contrasts need.

Equations, for k estimates y_i with variances v_i:

    Paule-Mandel   sum w_i (y_i - mu)^2 = k - 1 with w_i = 1 / (v_i + tau2), tau2 = 0 where that has no root above 0
    mean           mu = sum w_i y_i / sum w_i
    HKSJ           q = sum w_i (y_i - mu)^2 / (k - 1); se = sqrt(max(1, q) / sum w_i); interval mu +- t(k - 1) se
    prediction     mu +- t(k - 2) sqrt(tau2 + se^2)
    Q, I2          Q = sum (y_i - m)^2 / v_i with the fixed-effect mean m; I2 = max(0, 1 - (k - 1) / Q)

The factor max(1, q) is the modification of Knapp and Hartung: without it three contrasts that agree by chance give an
interval far too narrow. With it the interval is never narrower than the fixed-effect one.

States: estimates and variances on the scale of the measure (log for ratios). Assumptions: normal estimates with known
variances; exchangeable contrasts.

Sources: doi:10.1002/jrsm.1164 (estimators of tau2), doi:10.1186/1471-2288-14-25 (HKSJ),
doi:10.1186/s12874-015-0091-1 (modification), doi:10.1111/j.1467-985X.2008.00552.x (prediction interval).
"""

from dataclasses import dataclass

import numpy as np

from remission.errors import NumericalError, SpecError
from remission.shapes import Float


@dataclass(frozen=True, slots=True, kw_only=True)
class PooledEffect:
    """A pooled mean on the scale of its estimates.

    ``low`` and ``high`` are its 95% confidence interval, ``predicted_low`` and ``predicted_high`` the 95% prediction
    interval of a new trial; ``q`` is Cochran's Q; ``i2`` runs from 0 to 1 and says little below ten contrasts.
    """

    estimate: float
    low: float
    high: float
    predicted_low: float
    predicted_high: float
    tau2: float
    q: float
    i2: float
    n_contrasts: int


def pool_effects(
    estimates: Float[np.ndarray, " contrast"], standard_errors: Float[np.ndarray, " contrast"]
) -> PooledEffect:
    """The random-effects mean with its intervals.

    ``estimates``, ``standard_errors``: at least three, on the scale on which they are normal; standard errors > 0.
    Raises SpecError: fewer than three, an estimate that is not finite, or a standard error that is not positive and
    finite. Raises NumericalError: the estimate of tau2 did not converge.

    >>> import numpy as np
    >>> found = pool_effects(np.array([0.1, 0.3, 0.5]), np.array([0.1, 0.1, 0.1]))
    >>> round(found.estimate, 3), round(found.tau2, 3)
    (0.3, 0.03)
    """
    from scipy.special import stdtrit
    from statsmodels.stats.meta_analysis import combine_effects

    _check(estimates, standard_errors)
    k = estimates.size
    # Divided by their common scale, so that the solver's absolute tolerance means the same for days and for ratios.
    scale = float(np.median(standard_errors))
    y, variances = (estimates - estimates[0]) / scale, (standard_errors / scale) ** 2
    with np.errstate(divide="ignore"):
        found = combine_effects(y, variances, method_re="iterated", atol=1e-10, maxiter=500)
    tau2 = max(0.0, float(found.tau2))
    equation = float(np.sum((y - found.mean_effect_re) ** 2 / (variances + tau2))) - (k - 1)
    if tau2 > 0.0 and abs(equation) > 1e-6 * k:
        raise NumericalError(where="pooling", got=equation, allowed="a root of the Paule-Mandel equation")
    spread = np.sqrt(max(1.0, float(found.scale_hksj_re))) * float(found.sd_eff_w_re)
    half = stdtrit(k - 1, 0.975) * spread
    predicted_half = stdtrit(k - 2, 0.975) * np.sqrt(tau2 + spread**2)
    mean = float(found.mean_effect_re)
    low, high, predicted_low, predicted_high = (
        float(estimates[0] + scale * (mean + step)) for step in (-half, half, -predicted_half, predicted_half)
    )
    q = max(0.0, float(found.q))
    return PooledEffect(
        estimate=float(estimates[0] + scale * mean),
        low=low,
        high=high,
        predicted_low=predicted_low,
        predicted_high=predicted_high,
        tau2=tau2 * scale**2,
        q=q,
        i2=max(0.0, 1.0 - (k - 1) / q) if q > 0.0 else 0.0,
        n_contrasts=k,
    )


def _check(estimates: Float[np.ndarray, " contrast"], standard_errors: Float[np.ndarray, " contrast"]) -> None:
    if estimates.size < 3:
        raise SpecError(where="estimates", got=estimates.size, allowed="at least 3")
    if not np.isfinite(estimates).all():
        raise SpecError(where="estimates", got=estimates.tolist(), allowed="finite numbers")
    if not (np.isfinite(standard_errors).all() and (standard_errors > 0.0).all()):
        raise SpecError(where="standard_errors", got=standard_errors.tolist(), allowed="positive, finite numbers")
