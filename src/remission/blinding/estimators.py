"""What analysts do about guesses, over many trials at once: each estimate with its error, from sums of small groups.

naive
    Treatment minus control, whatever anybody guessed.
within-guess
    The plain mean of the differences among those who guess the drug and among those who guess the control, by the last
    guess; within-early-guess by the first one.
correct-guess-rate-observed, correct-guess-rate-equal
    The difference if half of the guesses were right: right guesses and wrong ones keep their split between the arms as
    observed, or are split evenly. A bound and never the answer: where the drug causes the guess it takes a true effect
    away.
expectation-adjusted
    The difference adjusted for expectation before treatment.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from remission.blinding.trial import BelievedTrials
from remission.numerics.distributions import t_quantile
from remission.shapes import Float

_Column = Float[np.ndarray, " replicate"]
_Groups = Float[np.ndarray, "replicate guess arm"]

ESTIMATORS: Final = (
    "naive", "within-guess", "within-early-guess", "correct-guess-rate-observed", "correct-guess-rate-equal",
    "expectation-adjusted",
)  # fmt: skip
"""Names, in the order in which they are told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupStatistics:
    """A statistic of each arm within each answer: its size, value and variance; NaN where there is none.

    ``freedom``: degrees of freedom behind each variance, infinite where it is not estimated from a spread.
    """

    n: _Groups
    value: _Groups
    variance: _Groups
    freedom: _Groups


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimated:
    """Estimates of many trials, their standard errors and degrees of freedom; NaN where a trial has none."""

    value: _Column
    se: _Column
    freedom: _Column

    def bound(self, alpha: float) -> _Column:
        """How many standard errors the interval reaches to each side."""
        return _t_bounds(self.freedom, alpha)


def _t_bounds(freedom: _Column, alpha: float) -> _Column:
    """Student's bounds for many degrees of freedom: between few of them they are nearly straight in their inverse."""
    inverse = np.where(np.isfinite(freedom), 1.0 / np.maximum(freedom, 1.0), 0.0)
    low, high = float(inverse.min(initial=1.0)), float(inverse.max(initial=0.0))
    places = np.linspace(low, high, 33 if high > low else 1)
    known = t_quantile(1.0 / np.maximum(places, 1e-9), np.full(places.size, 1.0 - 0.5 * alpha))
    return np.interp(inverse, places, known)


def group_statistics(trials: BelievedTrials, asking: int, kind: str) -> GroupStatistics:
    """The statistic of each arm within each answer at an asking; ``kind`` is mean, share, hazard or rate."""
    n_replicates, n_subjects = trials.value.shape
    key = trials.answers[asking] * 2 + np.where(trials.treated, 0, 1)
    key = key + 6 * np.arange(n_replicates)[:, None]
    stays = trials.stays
    shape = (n_replicates, 3, 2)

    def sums(values: np.ndarray) -> _Groups:
        weights = np.where(stays, values, 0.0).ravel()
        return np.bincount(key.ravel(), weights=weights, minlength=6 * n_replicates).reshape(shape)

    n, total = sums(np.ones((n_replicates, n_subjects))), sums(trials.value)
    second = sums(trials.exposure) if kind == "hazard" else sums(trials.value**2)
    return statistics_of(kind, n, total, second)


def statistics_of(kind: str, n: _Groups, total: _Groups, second: _Groups) -> GroupStatistics:
    """Values and variances from counts, sums, and sums of squares, or of hazards the days watched."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        spread = np.maximum(second - n * mean**2, 0.0) / (n - 1.0)
        unknown = np.full(n.shape, np.inf)
        match kind:
            case "share":
                # Half a person on each side, so that a group without the outcome is not known for certain.
                moved = (total + 0.5) / (n + 1.0)
                value, variance, freedom = mean, moved * (1.0 - moved) / n, unknown
            case "hazard":
                value, variance, freedom = np.log(total / second), 1.0 / total, unknown
            case "rate":
                value, variance, freedom = np.log(mean), spread / (n * mean**2), n - 1.0
            case _:
                value, variance, freedom = mean, spread / n, n - 1.0
        good = np.isfinite(value) & np.isfinite(variance) & (n >= 2.0)
    return GroupStatistics(
        n=n, value=np.where(good, value, np.nan), variance=np.where(good, variance, np.nan), freedom=freedom
    )


def arm_statistics(trials: BelievedTrials, kind: str) -> GroupStatistics:
    """The statistic of each whole arm."""
    whole = BelievedTrials(
        treated=trials.treated, answers=(np.zeros_like(trials.answers[0]),), value=trials.value, stays=trials.stays,
        certainty_log_odds=trials.certainty_log_odds, exposure=trials.exposure, expectation=trials.expectation,
    )  # fmt: skip
    return group_statistics(whole, 0, kind)


def contrast(groups: GroupStatistics, weights: _Groups) -> Estimated:
    """A weighted sum of the statistics of groups, by Satterthwaite's degrees of freedom; weights are taken as known."""
    used = weights != 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.where(used, weights * groups.value, 0.0).sum(axis=(1, 2))
        parts = np.where(used, weights**2 * groups.variance, 0.0)
        variance = parts.sum(axis=(1, 2))
        freedom = variance**2 / np.where(used, parts**2 / groups.freedom, 0.0).sum(axis=(1, 2))
    good = np.isfinite(value) & (variance > 0.0)
    return Estimated(value=np.where(good, value, np.nan), se=np.where(good, np.sqrt(variance), np.nan),
                     freedom=np.where(good, np.nan_to_num(freedom, nan=np.inf, posinf=np.inf), 1.0))  # fmt: skip


def naive_weights(n: _Groups) -> _Groups:
    """Treatment minus control, of statistics of whole arms."""
    weights = np.zeros_like(n)
    weights[:, 0] = (1.0, -1.0)
    return weights


def within_weights(n: _Groups) -> _Groups:
    """Half of the difference in each guess group; who does not know is in neither."""
    weights = np.zeros_like(n)
    weights[:, :2] = (0.5, -0.5)
    return weights


def cgr_weights(n: _Groups, *, rate: float = 0.5, rule: str = "observed") -> _Groups:
    """Weights of the difference if a share ``rate`` of the guesses were right.

    Of four groups, arm by guess, right (and wrong) guesses keep their split between the arms as ``observed``, or are
    split ``equal``. With ``drug-arm`` only the drug's arm is changed and the control keeps its own share.
    """
    answered = n[:, :2]
    right = np.stack([answered[:, 0, 0], answered[:, 1, 1]], axis=1)
    wrong = np.stack([answered[:, 1, 0], answered[:, 0, 1]], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        if rule == "observed":
            right, wrong = (one / one.sum(axis=1, keepdims=True) for one in (right, wrong))
            right, wrong = rate * right, (1.0 - rate) * wrong
        else:
            shares = right / (right + wrong)
            right, wrong = np.full_like(shares, rate), np.full_like(shares, 1.0 - rate)
            if rule == "drug-arm":
                right[:, 1], wrong[:, 1] = shares[:, 1], 1.0 - shares[:, 1]
        whole = right + wrong
        right, wrong = right / whole, wrong / whole
    weights = np.zeros_like(n)
    weights[:, 0, 0], weights[:, 1, 0] = right[:, 0], wrong[:, 0]
    weights[:, 1, 1], weights[:, 0, 1] = -right[:, 1], -wrong[:, 1]
    return weights


def _adjusted(trials: BelievedTrials) -> Estimated:
    """Analysis of covariance with expectation before treatment, by sums within the arms."""
    sums = []
    for side in (trials.stays & trials.treated, trials.stays & ~trials.treated):
        n = side.sum(axis=1).astype(np.float64)
        x, y = (np.where(side, one, 0.0) for one in (trials.expectation, trials.value))
        with np.errstate(divide="ignore", invalid="ignore"):
            mx, my = x.sum(axis=1) / n, y.sum(axis=1) / n
        sums.append((n, mx, my, (x * x).sum(axis=1) - n * mx**2, (y * y).sum(axis=1) - n * my**2,
                     (x * y).sum(axis=1) - n * mx * my))  # fmt: skip
    (n, x1, y1, *_), (m, x0, y0, *_) = sums
    xx, yy, xy = (sums[0][k] + sums[1][k] for k in (3, 4, 5))
    with np.errstate(divide="ignore", invalid="ignore"):
        slope, freedom = xy / xx, n + m - 3.0
        se = np.sqrt(np.maximum(yy - slope * xy, 0.0) / freedom * (1.0 / n + 1.0 / m + (x1 - x0) ** 2 / xx))
        value = y1 - y0 - slope * (x1 - x0)
    good = np.isfinite(value) & (se > 0.0)
    return Estimated(value=np.where(good, value, np.nan), se=np.where(good, se, np.nan),
                     freedom=np.maximum(np.nan_to_num(freedom), 1.0))  # fmt: skip


def estimate_all(trials: BelievedTrials, kind: str) -> tuple[Mapping[str, Estimated], _Groups]:
    """Every estimator that the outcome allows, and the counts of the last answers.

    ``kind``: as of :func:`group_statistics`. Of hazards and rates nothing is adjusted for expectation.
    """
    last = group_statistics(trials, len(trials.answers) - 1, kind)
    early = last if len(trials.answers) == 1 else group_statistics(trials, 0, kind)
    arms = arm_statistics(trials, kind)
    made: dict[str, Callable[[], Estimated]] = {
        "naive": lambda: contrast(arms, naive_weights(arms.n)),
        "within-guess": lambda: contrast(last, within_weights(last.n)),
        "within-early-guess": lambda: contrast(early, within_weights(early.n)),
        "correct-guess-rate-observed": lambda: contrast(last, cgr_weights(last.n)),
        "correct-guess-rate-equal": lambda: contrast(last, cgr_weights(last.n, rule="equal")),
        "expectation-adjusted": lambda: _adjusted(trials),
    }
    if kind in {"hazard", "rate"}:
        del made["expectation-adjusted"]
    return MappingProxyType({name: made[name]() for name in ESTIMATORS if name in made}), last.n
