"""Effects of the other trials on one scale: random effects of ketamine on use, and what they say of a trial not seen.

A trial speaks by the z of its first analysis, positive where the drug helps, or by a verdict in words. On the scale of
standardized differences, with n_1 and n_0 people on the two sides::

    error = sqrt(1/n_1 + 1/n_0)          z*error ~ normal(theta, error),  theta ~ normal(mean, tau)
    no difference: P(|Z| < z_alpha)      favors ketamine: P(Z > z_alpha)
    mean ~ normal(0, .5)                 tau ~ half-normal(.5)

It knows sizes and results of the others and nothing of dose, substance, time or people. ``make calibrate`` writes the
trials and the stacking weight (``library/calibration/NAME-trials.json``).
"""

import math
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np

from remission.errors import SpecError
from remission.numerics.special_functions import logsumexp, ndtr, ndtri
from remission.records.base import Record
from remission.records.packaged import read_library_json
from remission.records.parameter import DEFAULT_POSTERIOR
from remission.shapes import Float

ALPHA = 0.05
_MEAN = np.linspace(-2.0, 2.0, 201)
_TAU = np.linspace(0.005, 2.0, 100)
_PRIOR_SD = 0.5
_SHARES = (np.arange(499) + 0.5) / 499.0

_Part = Float[np.ndarray, " part"]


class Seen(Record):
    """What a trial published of its first analysis: a z, or a verdict in words. ``error``: sqrt(1/n_1 + 1/n_0)."""

    protocol: str
    z: float | None
    says: Literal["no difference", "favors ketamine", "favors control"] | None
    error: float


class OtherTrials(Record):
    """The trials behind a posterior as the baseline sees them, and how far the chain is trusted beside it.

    ``stacking_weight``: of the chain, from trials left out; ``sum_log_scores`` of the three, the same trials.
    """

    plan: str
    plan_hash: str
    stacking_weight: float
    sum_log_scores: dict[str, float]
    trials: tuple[Seen, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Law:
    """A mixture of normals: parts with ``center``, ``spread`` and ``weight``; weights add up to one."""

    center: _Part
    spread: _Part
    weight: _Part

    @property
    def mean(self) -> float:
        """Its mean."""
        return _total(self.weight * self.center)

    @property
    def sd(self) -> float:
        """Its standard deviation."""
        return math.sqrt(_total(self.weight * ((self.center - self.mean) ** 2 + self.spread**2)))

    def below(self, value: float) -> float:
        """Its share below a value."""
        return _total(self.weight * ndtr((value - self.center) / self.spread))

    def log_density(self, value: float) -> float:
        """Logarithm of its density."""
        return float(logsumexp(_log_density(value, self.center, self.spread), b=self.weight))

    def quantiles(self, shares: _Part) -> _Part:
        """The values with these shares below them."""
        # Parts that weigh nothing cost as much as the others.
        kept = self.weight > 1e-5 * self.weight.max()
        lines = self.mean + self.sd * np.linspace(-12.0, 12.0, 1201)
        share = ndtr((lines[:, None] - self.center[kept]) / self.spread[kept]) @ self.weight[kept]
        return np.interp(shares, share / self.weight[kept].sum(), lines)

    def scaled(self, factor: float) -> "Law":
        """The law of the variable times a factor of either sign."""
        return Law(center=self.center * factor, spread=self.spread * abs(factor), weight=self.weight)

    def few(self) -> "Law":
        """Nearly the same law of 499 parts of equal weight and spread, for a file."""
        if len(self.center) <= len(_SHARES):
            return self
        spread = float(self.spread.min())
        # The parts take over what is wider than the narrowest of them.
        rest = Law(center=self.center, spread=np.sqrt(np.maximum(self.spread**2 - spread**2, 1e-12)),
                   weight=self.weight)  # fmt: skip
        n = len(_SHARES)
        return Law(center=rest.quantiles(_SHARES), spread=np.full(n, spread), weight=np.full(n, 1.0 / n))


def mixed(first: Law, second: Law, weight: float) -> Law:
    """The first with this weight, the second with the rest; a part without weight is left out."""
    parts = [(one, share) for one, share in ((first, weight), (second, 1.0 - weight)) if share > 0.0]
    center, spread = (np.concatenate([getattr(one, name) for one, _ in parts]) for name in ("center", "spread"))
    return Law(center=center, spread=spread, weight=np.concatenate([share * one.weight for one, share in parts]))


def _total(parts: _Part) -> float:
    """Their exact sum, rounded once; a list of Python's numbers is gone through sooner than an array."""
    return math.fsum(parts.tolist())


@cache
def load_other_trials(name: str = DEFAULT_POSTERIOR) -> OtherTrials:
    """The trials behind the posterior that the program carries."""
    return OtherTrials.from_dict(read_library_json(f"calibration/{name}-trials.json"))


def effects_of(trials: tuple[Seen, ...] | list[Seen], *, alpha: float = ALPHA) -> Law:
    """The standardized effect of a trial not seen, positive where the drug helps; without trials that of the prior."""
    mean, tau = (one.ravel() for one in np.meshgrid(_MEAN, _TAU, indexing="ij"))
    log = _log_density(mean, 0.0, _PRIOR_SD) + _log_half_density(tau, _PRIOR_SD)
    z_alpha = z_of(alpha)
    for one in trials:
        spread = np.hypot(tau, one.error)
        if one.z is not None:
            log = log + _log_density(one.z * one.error, mean, spread)
        else:
            edge = z_alpha * one.error
            up, down = ndtr(-((edge - mean) / spread)), ndtr((-edge - mean) / spread)
            chance = {"no difference": 1.0 - up - down, "favors control": down}.get(one.says or "", up)
            log = log + np.log(np.maximum(chance, 1e-12))
    return Law(center=mean, spread=tau, weight=np.exp(log - logsumexp(log)))


@cache
def effects_of_others() -> Law:
    """The standardized effect of a trial not seen, by all trials behind the posterior that the program carries."""
    return effects_of(load_other_trials().trials)


# As scipy.stats has them, to the bit; loading that takes longer than a design's first answer.
def _log_density(value: Any, center: Any, spread: Any) -> Any:
    away = (value - center) / spread
    return (-(away**2) / 2.0 - np.log(np.sqrt(2.0 * np.pi))) - np.log(spread)


def _log_half_density(value: Any, spread: float) -> Any:
    """Of the size of a normal number around 0."""
    size = value / spread
    return (0.5 * np.log(2.0 / np.pi) - size * size / 2.0) - np.log(spread)


def z_of_new_trial(effects: Law, error: float) -> Law:
    """The z that a trial of this error finds. Raises SpecError: the error is not positive and finite."""
    if not (np.isfinite(error) and error > 0.0):
        raise SpecError(where="error", got=error, allowed="a positive number")
    return Law(center=effects.center / error, spread=np.hypot(effects.spread, error) / error, weight=effects.weight)


def z_of(alpha: float) -> float:
    """The size of z that a two-sided error asks for."""
    return -float(ndtri(alpha / 2.0))


def verdict_chances(z: Law, alpha: float = ALPHA) -> dict[str, float]:
    """How often a trial says that the drug helps, that nothing can be told, that it harms."""
    edge = z_of(alpha)
    harms, helps = z.below(-edge), 1.0 - z.below(edge)
    return {"helps": helps, "no difference": max(0.0, 1.0 - helps - harms), "harms": harms}
