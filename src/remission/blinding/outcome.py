"""Outcomes of every law from one normal number a person, so that belief means the same in all of them.

A person's standing z is standard normal and points the wished way; what moves it is in standard deviations. Outcomes::

    difference, repeated:  y = s*(sd*z)
    proportions:           chance p = logistic(logit p_c + s*k*shift), the event by z
    hazard:                rate h_c*exp(s*k*shift), the time by z
    rate:                  mean days*r_c*exp(s*k*shift), the count by z

s is 1 where a higher outcome is wished, else -1. k is the standard deviation of the law's own scale: pi/sqrt(3) for log
odds, pi/sqrt(6) for log hazards, sqrt(1/mean + dispersion) for log rates.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import log, pi, sqrt

import numpy as np

from remission.numerics.counts import negative_binomial_quantile
from remission.numerics.distributions import normal_cdf
from remission.numerics.elementary import exp, logistic
from remission.numerics.elementary import log as each_log
from remission.records.effect import Difference, Hazard, Law, PerSide, Proportions, Rate, Repeated, effect_sign
from remission.shapes import Bool, Float

_Table = Float[np.ndarray, "replicate subject"]


def _logit(share: float) -> float:
    return log(share / (1.0 - share))


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeLaw:
    """The law of an outcome as the bench reads it.

    ``effect``: of the drug by itself, in standard deviations, above 0 where it is wished. ``scale``: of the estimate.
    ``is_linear``: whether estimates are plain means of outcomes.
    """

    law: Law
    sign: int
    effect: float
    unit_sd: float
    scale: str
    is_linear: bool
    draw: Callable[..., tuple[np.ndarray, np.ndarray]]

    def truth(self, works: float, control_share: float) -> float:
        """What the drug does by itself beyond a control, on the scale of the estimate.

        ``works``: the share of people in whom it works. ``control_share``: of its effect that the control has.
        """
        # No effect is 0 and not minus 0.
        return _truth(self, works, control_share) + 0.0


def outcome_of(law: Law) -> OutcomeLaw:
    """The law as the bench reads it."""
    sign = effect_sign(law)
    match law:
        case Difference():
            return _normal(law, sign, law.difference, law.sd)
        case Repeated():
            matrix = np.array(law.matrix)
            n = len(matrix)
            weights = np.full(n, 1.0 / n) if law.at == "mean" else np.eye(n)[-1]
            sd = sqrt(float(weights @ matrix @ weights))
            return _normal(law, sign, float(weights @ np.array(law.differences)), PerSide(treatment=sd, control=sd))
        case Proportions():
            unit = pi / sqrt(3.0)
            effect = sign * (_logit(law.treatment) - _logit(law.control)) / unit
            base = _logit(law.control)

            def events(z: _Table, shift: _Table, **_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
                happened = normal_cdf(-sign * z) < logistic(base + sign * unit * shift)
                return happened * 1.0, np.ones(z.shape)

            return OutcomeLaw(law=law, sign=sign, effect=effect, unit_sd=unit, scale="difference of shares",
                              is_linear=True, draw=events)  # fmt: skip
        case Hazard():
            return _hazard(law, sign)
        case Rate():
            mean = law.control_rate_per_day * law.days
            unit = sqrt(1.0 / mean + law.dispersion)

            def counts(z: _Table, shift: _Table, **_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
                means = mean * exp(sign * unit * shift)
                return negative_binomial_quantile(normal_cdf(sign * z), means, law.dispersion), np.ones(z.shape)

            return OutcomeLaw(law=law, sign=sign, effect=sign * log(law.rate_ratio) / unit, unit_sd=unit,
                              scale="log rate ratio", is_linear=False, draw=counts)  # fmt: skip


def _normal(law: Law, sign: int, difference: float, sd: PerSide) -> OutcomeLaw:
    def values(z: _Table, shift: _Table, *, treated: Bool[np.ndarray, " subject"], **_: np.ndarray) -> tuple[
        np.ndarray, np.ndarray
    ]:  # fmt: skip
        return sign * (np.where(treated, sd.treatment, sd.control) * z + sd.control * shift), np.ones(z.shape)

    return OutcomeLaw(law=law, sign=sign, effect=sign * difference / sd.control, unit_sd=sd.control,
                      scale="difference of means", is_linear=True, draw=values)  # fmt: skip


def _hazard(law: Hazard, sign: int) -> OutcomeLaw:
    unit = pi / sqrt(6.0)
    base = -log(1.0 - law.control_share) / law.by_day
    most = law.each_days or np.inf

    def times(z: _Table, shift: _Table, *, entry: _Table, **_: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        until = np.minimum(law.follow_up_days + law.accrual_days * (1.0 - entry), most)
        day = -each_log(normal_cdf(sign * z)) / (base * exp(sign * unit * shift))
        return (day <= until) * 1.0, np.minimum(day, until)

    return OutcomeLaw(law=law, sign=sign, effect=sign * log(law.hazard_ratio) / unit, unit_sd=unit,
                      scale="log hazard ratio", is_linear=False, draw=times)  # fmt: skip


def _truth(found: OutcomeLaw, works: float, control_share: float) -> float:
    law = found.law
    own = found.sign * found.unit_sd * found.effect
    if isinstance(law, Difference | Repeated):
        return works * (1.0 - control_share) * own
    if isinstance(law, Proportions):
        base = _logit(law.control)
        full, part = (float(logistic(np.array([base + share * own]))[0]) for share in (1.0, control_share))
        return works * (full - part)
    if isinstance(law, Rate):
        full, part = float(exp(np.array([own]))[0]), float(exp(np.array([control_share * own]))[0])
        return log((works * full + 1.0 - works) / (works * part + 1.0 - works))
    if works in {0.0, 1.0}:
        return works * (1.0 - control_share) * own
    # The rate of a mixture, as events over days of those who enter evenly.
    entry = (np.arange(400) + 0.5) / 400.0
    until = np.minimum(law.follow_up_days + law.accrual_days * (1.0 - entry), law.each_days or np.inf)
    base_rate = -log(1.0 - law.control_share) / law.by_day

    def rate(share: float) -> float:
        events = days = 0.0
        for weight, hazard in ((works, base_rate * float(np.exp(share * own))), (1.0 - works, base_rate)):
            had = float((1.0 - np.exp(-hazard * until)).mean())
            events, days = events + weight * had, days + weight * had / hazard
        return events / days

    return log(rate(1.0) / rate(control_share))
