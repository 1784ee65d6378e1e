"""Power of a stated effect in closed form, or by an integral over one variable: no simulation.

Every law gives, for a true effect and a null value, how far the estimate lies from the null on average and its standard
deviation as the test computes it and as it is. A test statistic is normal, or Student's t where the variance is
estimated from few people. What is approximated is said by :func:`cautions`.

Sources: power of a t test from its noncentral distribution; shares by the test of pooled variance; hazards by the
expected score and information of the (generalized) log-rank test (Lachin and Foulkes 1986, Lakatos 1988); rates by the
delta method of a ratio of totals; visits by the expected information of a linear mixed model over patterns of leaving;
clusters by the variance of their means. ``validation/closed_forms.py`` compares them with R.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import erfc, exp, expm1, inf, lgamma, log, log1p, sqrt
from statistics import NormalDist
from typing import Final

import numpy as np

from remission.records.effect import Difference, Hazard, Law, Leaving, Proportions, Rate, Repeated

_NODES: Final = 400
_ROOT_HALF: Final = sqrt(0.5)


@dataclass(frozen=True, slots=True)
class Split:
    """People of the treatment side and of the control side."""

    treatment: int
    control: int

    @property
    def people(self) -> int:
        """Both sides together."""
        return self.treatment + self.control


def split(people: int, treatment_share: float) -> Split:
    """So many people, allocated as evenly with a share as whole people allow."""
    treated = int(people * treatment_share + 0.5)
    return Split(treated, people - treated)


@dataclass(frozen=True, slots=True)
class _Statistic:
    """Mean and standard deviations of estimate minus null: ``under_null`` as the test computes it, and the true one."""

    shift: float
    under_null: float
    sd: float
    freedom: float = inf


def normal_quantile(share: float) -> float:
    """The standard normal's quantile. [dimensionless]"""
    return NormalDist().inv_cdf(share)


def _upper(z: float) -> float:
    return 0.5 * erfc(z * _ROOT_HALF)


_upper_each = np.frompyfunc(_upper, 1, 1)


def _uppers(z: np.ndarray) -> np.ndarray:
    return np.asarray(_upper_each(z), dtype=np.float64)


@lru_cache(maxsize=4096)
def _scales(freedom: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of the root of a chi-squared over its degrees of freedom.

    In its logarithm the density is smooth and falls on both sides, so that the trapezoidal rule is as good as any.
    """
    spread = 1.0 / sqrt(2.0 * freedom)
    y = np.linspace(-max(10.0 * spread, 40.0 / freedom), log1p(10.0 * spread), _NODES)
    constant = log(2.0) + 0.5 * freedom * log(0.5 * freedom) - lgamma(0.5 * freedom)
    density = np.exp(constant + freedom * y - 0.5 * freedom * np.exp(2.0 * y))
    weights = density * (y[1] - y[0])
    return np.exp(y), weights / weights.sum()


def _above(bound: float, freedom: float, shift: float = 0.0) -> float:
    """Chance that a t statistic with noncentrality ``shift`` exceeds a bound."""
    if not freedom < 1e6:
        return _upper(bound - shift)
    scale, weight = _scales(freedom)
    return float(weight @ _uppers(bound * scale - shift))


@lru_cache(maxsize=4096)
def t_bound(level: float, freedom: float = inf) -> float:
    """The bound that a statistic without an effect exceeds with chance ``level``, one-sided."""
    bound = normal_quantile(1.0 - level)
    if not freedom < 1e6:
        return bound
    low, high = bound, max(2.0 * bound, 1.0)
    while _above(high, freedom) > level:
        low, high = high, 2.0 * high
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if _above(middle, freedom) > level else (low, middle)
        if high - low < 1e-12 * high:
            break
    return 0.5 * (low + high)


def test_level(law: Law, alpha: float) -> float:
    """The one-sided error of each test of a law: ``alpha``, or half of it where alpha is two-sided. [share]"""
    return alpha / law.sides


test_level.__test__ = False  # type: ignore[attr-defined]  # a name that test runners would collect


def no_effect(law: Law) -> float:
    """The value of no effect on the scale of the law's effect."""
    return 1.0 if law.is_ratio else 0.0


def effect_of(law: Law) -> float:
    """The stated effect: difference or ratio, treatment against control; of visits that which is tested."""
    match law:
        case Difference():
            return law.difference
        case Proportions():
            return law.treatment - law.control
        case Hazard():
            return law.hazard_ratio
        case Rate():
            return law.rate_ratio
        case Repeated():
            return law.differences[-1] if law.at == "last" else sum(law.differences) / len(law.differences)


def with_effect(law: Law, effect: float) -> Law:
    """The law with another effect; the course over visits keeps its shape, or is level where there was none.

    Raises ``SpecError``: such an effect cannot be.
    """
    match law:
        case Difference():
            return law.replace(difference=effect)
        case Proportions():
            return law.replace(treatment=law.control + effect)
        case Hazard():
            return law.replace(hazard_ratio=effect)
        case Rate():
            return law.replace(rate_ratio=effect)
        case Repeated():
            now = effect_of(law)
            shape = [one / now for one in law.differences] if now else [1.0] * len(law.differences)
            return law.replace(differences=[effect * one for one in shape])


def nulls_to_pass(law: Law) -> tuple[tuple[float, int], ...]:
    """Null values that a test must lie beyond, all of them, with the side: 1 above, -1 below; of two-sided superiority
    either side is enough.
    """
    none = no_effect(law)
    if law.goal == "equivalence":
        assert law.margin is not None, "checked when it was read"
        return ((1.0 / law.margin if law.is_ratio else -law.margin, 1), (law.margin, -1))
    if law.goal == "non-inferiority":
        assert law.margin is not None, "checked when it was read"
        return ((law.margin, 1 if law.better == "higher" else -1),)
    if law.sides == 2:
        return ((none, 1), (none, -1))
    is_up = effect_of(law) >= none if law.better is None else law.better == "higher"
    return ((none, 1 if is_up else -1),)


def closed_power(law: Law, people: Split, alpha: float) -> float:
    """The chance that the trial reaches its goal; of two-sided superiority that it rejects, on either side.

    ``people``: randomized to each side. ``alpha``: error of the test, over as many sides as the law has.
    """
    if min(people.treatment, people.control) < 2:
        return float("nan")
    level = test_level(law, alpha)
    parts = []
    for null, side in nulls_to_pass(law):
        found = _statistic(law, people, null)
        if not found.freedom >= 1.0:
            return float("nan")
        bound = t_bound(level, found.freedom) * found.under_null / found.sd
        parts.append((bound, found.freedom, side * found.shift / found.sd, found.sd))
    if law.goal == "superiority":
        return sum(_above(bound, freedom, shift) for bound, freedom, shift, _ in parts)
    if len(parts) == 1:
        return _above(*parts[0][:3])
    (low, freedom, up, _), (high, _, down, _) = parts
    if not freedom < 1e6:
        return max(0.0, _upper(low - up) + _upper(high - down) - 1.0)
    scale, weight = _scales(freedom)
    inside = _uppers(low * scale - up) + _uppers(high * scale - down) - 1.0
    return float(weight @ np.maximum(inside, 0.0))


def wished_side(law: Law) -> int:
    """1 where an effect above the null is wished, -1 where one below is."""
    if law.goal == "superiority" and law.sides == 2:
        if law.better is not None:
            return 1 if law.better == "higher" else -1
        return 1 if effect_of(law) >= no_effect(law) else -1
    return nulls_to_pass(law)[0][1]


def to_analysis(law: Law, effect: float) -> float:
    """An effect on the scale of the analysis: the logarithm of a ratio."""
    return log(effect) if law.is_ratio else effect


def end_of(law: Law, people: Split) -> tuple[float, float]:
    """Standard error of the estimate at the end, on the scale of the analysis, and the mean of the statistic there,
    above zero where the stated effect is wished.
    """
    null = nulls_to_pass(law)[0][0]
    found = _statistic(law, people, null)
    if not found.freedom >= 1.0:
        return float("nan"), float("nan")
    error = 1.0 / found.under_null if isinstance(law, Hazard) else found.sd
    return error, wished_side(law) * found.shift / found.sd


def share_staying(leaving: Leaving | None, side: str, day: float | None = None) -> float:
    """The share of a side that is there on a day; without a day, on the day of the statement."""
    if leaving is None:
        return 1.0
    share: float = getattr(leaving.share, side)
    return 1.0 - share if day is None else exp(log1p(-share) * day / leaving.by_day)


def _rates_of_leaving(leaving: Leaving | None) -> tuple[float, float]:
    if leaving is None:
        return 0.0, 0.0
    return (-log1p(-leaving.share.treatment) / leaving.by_day, -log1p(-leaving.share.control) / leaving.by_day)


def _statistic(law: Law, people: Split, null: float) -> _Statistic:
    match law:
        case Difference():
            return _means(law, people, null)
        case Proportions():
            return _shares(law, people, null)
        case Hazard():
            return _hazards(law, people, null)
        case Rate():
            return _rates(law, people, null)
        case Repeated():
            return _visits(law, people, null)


def _seen(law: Law, people: Split) -> tuple[float, float]:
    return (
        people.treatment * share_staying(law.leaving, "treatment"),
        people.control * share_staying(law.leaving, "control"),
    )


def _clustered(law: Difference | Proportions, people: Split, null: float, variances: tuple[float, float]) -> _Statistic:
    """Means of whole clusters, compared by a t test; people beyond the last whole cluster do not count."""
    assert law.clusters is not None, "asked by the caller"
    size, icc = law.clusters.size, law.clusters.icc
    counts = (people.treatment // size, people.control // size)
    if min(counts) < 2:
        return _Statistic(0.0, 1.0, 1.0, 0.0)
    stay = (share_staying(law.leaving, "treatment"), share_staying(law.leaving, "control"))
    # The mean of 1/m over the people who stay, m at least 1, is above one over the mean of m: that is taken.
    each = [v * (icc + (1.0 - icc) * _mean_inverse(size, s)) for v, s in zip(variances, stay, strict=True)]
    sd = sqrt(each[0] / counts[0] + each[1] / counts[1])
    return _Statistic(effect_of(law) - null, sd, sd, _freedom(each, counts))


def _mean_inverse(size: int, stay: float) -> float:
    """The mean of 1/m, m people who stay of a cluster in which anybody does."""
    if stay == 1.0:
        return 1.0 / size
    m = np.arange(1, size + 1)
    logs = np.array([lgamma(size + 1) - lgamma(k + 1) - lgamma(size - k + 1) for k in m.tolist()])
    chance = np.exp(logs + m * log(stay) + (size - m) * log1p(-stay))
    return float((chance / m).sum() / chance.sum())


def _freedom(variances: list[float] | tuple[float, float], counts: tuple[float, float]) -> float:
    """Of a t test: both samples less two where their variances are one, else by Welch and Satterthwaite."""
    if variances[0] == variances[1]:
        return counts[0] + counts[1] - 2.0
    parts = [v / n for v, n in zip(variances, counts, strict=True)]
    return sum(parts) ** 2 / sum(p * p / max(n - 1.0, 1e-9) for p, n in zip(parts, counts, strict=True))


def _means(law: Difference, people: Split, null: float) -> _Statistic:
    variances = (law.sd.treatment**2, law.sd.control**2)
    if law.clusters is not None:
        return _clustered(law, people, null, variances)
    seen = _seen(law, people)
    if min(seen) <= 1.0:
        return _Statistic(0.0, 1.0, 1.0, 0.0)
    sd, freedom = sqrt(variances[0] / seen[0] + variances[1] / seen[1]), _freedom(variances, seen)
    if law.baseline_correlation:
        freedom -= 1.0
        # Chance imbalance of the baseline costs about one person's worth: exact for a normal baseline.
        sd *= sqrt((1.0 - law.baseline_correlation**2) * (1.0 + 1.0 / max(sum(seen) - 4.0, 1.0)))
    return _Statistic(law.difference - null, sd, sd, freedom)


def _shares(law: Proportions, people: Split, null: float) -> _Statistic:
    variances = (law.treatment * (1.0 - law.treatment), law.control * (1.0 - law.control))
    if law.clusters is not None:
        return _clustered(law, people, null, variances)
    n, m = _seen(law, people)
    sd = sqrt(variances[0] / n + variances[1] / m)
    if law.goal != "superiority":
        return _Statistic(effect_of(law) - null, sd, sd)
    pooled = (n * law.treatment + m * law.control) / (n + m)
    return _Statistic(effect_of(law) - null, sqrt(pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)), sd)


def _hazard_of_control(law: Hazard) -> float:
    return -log1p(-law.control_share) / law.by_day


@lru_cache(maxsize=1)
def _legendre() -> tuple[np.ndarray, np.ndarray]:
    return np.polynomial.legendre.leggauss(120)


def _watched(law: Hazard) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Days since entry, the weights of an integral over them, and the share who may be watched that long."""
    end = law.accrual_days + law.follow_up_days
    end = end if law.each_days is None else min(end, law.each_days)
    breaks = sorted({0.0, end, min(law.follow_up_days, end)})
    nodes, weights = _legendre()
    day = np.concatenate([a + (b - a) * (nodes + 1.0) / 2.0 for a, b in pairwise(breaks)])
    weight = np.concatenate([(b - a) * weights / 2.0 for a, b in pairwise(breaks)])
    if law.accrual_days == 0.0:
        return day, weight, np.ones_like(day)
    return day, weight, np.clip((law.accrual_days + law.follow_up_days - day) / law.accrual_days, 0.0, 1.0)


def _course(law: Hazard, people: Split) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """At each day people at risk on both sides, and the events expected there."""
    day, weight, watched = _watched(law)
    control = _hazard_of_control(law)
    hazards, leaves = (law.hazard_ratio * control, control), _rates_of_leaving(law.leaving)
    risk = [
        n * np.exp(-(h + leave) * day) * watched
        for n, h, leave in zip((people.treatment, people.control), hazards, leaves, strict=True)
    ]
    return risk[0], risk[1], hazards[0] * risk[0] * weight, hazards[1] * risk[1] * weight


def expected_events(law: Hazard, people: Split) -> float:
    """Events expected on both sides together."""
    *_, treated, control = _course(law, people)
    return float(treated.sum() + control.sum())


def _hazards(law: Hazard, people: Split, null: float) -> _Statistic:
    """Of the score of the hazard ratio at its null value; at 1 this is the log-rank test."""
    treated, control, events, others = _course(law, people)
    share = null * treated / np.maximum(null * treated + control, 1e-300)
    score = float((events * (1.0 - share) - others * share).sum())
    information = float(((events + others) * share * (1.0 - share)).sum())
    spread = float((events * (1.0 - share) ** 2 + others * share**2).sum())
    return _Statistic(score, sqrt(max(information, 1e-300)), sqrt(max(spread, 1e-300)))


def _rates(law: Rate, people: Split, null: float) -> _Statistic:
    rates = (law.rate_ratio * law.control_rate_per_day, law.control_rate_per_day)
    variance = 0.0
    sides = zip(rates, (people.treatment, people.control), _rates_of_leaving(law.leaving), strict=True)
    for rate, n, leave in sides:
        mean, square = _exposure(law.days, leave)
        variance += 1.0 / (n * rate * mean) + law.dispersion * square / (n * mean * mean)
    sd = sqrt(variance)
    return _Statistic(log(law.rate_ratio) - log(null), sd, sd)


def _exposure(days: float, leave: float) -> tuple[float, float]:
    """Mean of the days under watch and of their square."""
    x = leave * days
    if x < 1e-6:
        return days, days * days
    return -expm1(-x) / leave, 2.0 * (-expm1(-x) - x * exp(-x)) / (leave * leave)


def _visits(law: Repeated, people: Split, null: float) -> _Statistic:
    weights = np.zeros(len(law.visit_days))
    weights[-1] = 1.0
    if law.at == "mean":
        weights[:] = 1.0 / len(weights)
    variance = 0.0
    for side, n in (("treatment", people.treatment), ("control", people.control)):
        variance += float(weights @ np.linalg.solve(_information(law, side), weights)) / n
    sd = sqrt(variance)
    last = law.visit_days[-1]
    seen = [n * share_staying(law.leaving, side, last) for side, n in
            (("treatment", people.treatment), ("control", people.control))]  # fmt: skip
    return _Statistic(effect_of(law) - null, sd, sd, sum(seen) - 2.0 if min(seen) > 1.0 else 0.0)


def _information(law: Repeated, side: str) -> np.ndarray:
    """Of the means at the visits, for one person: over those who left before each visit, and those who stayed."""
    m = len(law.visit_days)
    there = [share_staying(law.leaving, side, day) for day in law.visit_days] + [0.0]
    whole, total = np.array(law.matrix), np.zeros((m, m))
    for k in range(1, m + 1):
        total[:k, :k] += (there[k - 1] - there[k]) * np.linalg.inv(whole[:k, :k])
    return total


def cautions(law: Law, people: Split) -> tuple[str, ...]:
    """Where the closed form is an approximation that may be poor for so few people; the simulation then decides."""
    found = []
    n = people
    if isinstance(law, Proportions) and law.clusters is None:
        shares = [x for p in (law.treatment, law.control) for x in (p, 1.0 - p)]
        seen = [s for s in _seen(law, people) for _ in (0, 1)]
        fewest = min(p * s for p, s in zip(shares, seen, strict=True))
        if fewest < _FEW:
            found.append(f"Only {fewest:.1f} people with, or without, the outcome are expected on one side: the normal "
                         "approximation is poor there.")  # fmt: skip
    if isinstance(law, Hazard) and (events := expected_events(law, people)) < 4 * _FEW:
        found.append(f"Only {events:.0f} events are expected: the normal approximation is poor there.")
    if isinstance(law, Rate) and min(n.treatment, n.control) < 6 * _FEW:
        found.append("The variance of a ratio of rates is estimated from fewer than 30 people on a side.")
    if isinstance(law, Difference | Proportions) and law.clusters is not None:
        counts = min(n.treatment // law.clusters.size, n.control // law.clusters.size)
        if counts < _FEW:
            found.append(f"Only {counts} whole clusters on one side.")
    if isinstance(law, Repeated) and min(n.treatment, n.control) < 3 * len(law.visit_days):
        found.append("Few people for so many visits: the covariance is hardly known.")
    if law.leaving is not None:
        found.append("People who leave are taken to be like those who stay: leaving that follows the outcome adds bias "
                     "that no number here shows.")  # fmt: skip
    return tuple(found)


_FEW: Final = 5
