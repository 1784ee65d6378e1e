"""Worlds by name, fitted to the guesses and outcomes of a finished trial.

Each world has the numbers that its name leaves free, the others are 0::

    works-unfelt      the same log odds in both arms, guesses that follow improvement, an effect
    works-felt        log odds of each arm, guesses that follow improvement, an effect
    felt-inert        log odds of each arm, guesses that follow improvement, belief that moves reports
    expectancy-only   log odds of each arm, belief that moves reports
    mixed             log odds of each arm, an effect, belief that moves reports

A guess follows improvement upward only: nobody is taken to guess the control because they got better. Answers of the
person, as in :mod:`remission.blinding.belief`; the outcome is integrated over 400 places of its distribution. Fitted by
weighted least squares of the shares of answers, the means of all groups and the spread within arms, each over its
standard error; the sum of squares says whether the world can be told from the data. Where people have several sessions
these distances hang together through the people: they are then weighed by the covariance that the people give, drawn
towards independence by as many parts as there are distances to a person (lone people say little of how pairs go
together).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf, log, pi, sqrt
from typing import Final

import numpy as np

from remission.blinding.estimators import Estimated, contrast, naive_weights
from remission.blinding.indices import error_of_persons
from remission.blinding.table import ByPerson, FinishedTrial, GuessTable
from remission.numerics.distributions import gamma_quantile, normal_quantile
from remission.numerics.elementary import logistic
from remission.numerics.intervals import Z95
from remission.shapes import Float

WORLDS: Final = {
    "works-unfelt": ("better", "effect"),
    "works-felt": ("gap", "better", "effect"),
    "felt-inert": ("gap", "better", "report"),
    "expectancy-only": ("gap", "report"),
    "mixed": ("gap", "effect", "report"),
}
"""Free numbers of each world, beside the level of answers, the mean of the control and the spread."""

_N_PLACES = 400
_ONE_NUMBER = 3.841458820694124
"""95% of a chi-squared of one degree of freedom."""
_LOGIT_SD = pi / sqrt(3.0)
_Cells = Float[np.ndarray, "guess arm"]
_Column = Float[np.ndarray, " person"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FittedWorld:
    """A world fitted to a finished trial.

    ``level``, ``gap``: log odds of guessing the drug under the control, and what the drug's arm adds. ``better``: log
    odds for a standard deviation of improvement. ``unsure``: log odds below which people do not know. ``effect``,
    ``report``: of the drug by itself and of believing to have had it, in standard deviations, above 0 where wished.
    ``center``, ``sd``: of the control, in the unit of the outcome; of a share its log odds, and 1.
    ``truth``, ``truth_se``: what the drug does by itself, in the unit of the outcome. ``shares``, ``means``: of answers
    and outcomes as the world has them. ``chi_squared``, ``freedom``: distance to the data. ``inside``, ``told``: how
    many shares and means of the data's 95% intervals hold what the world says, and of how many. ``fits``: not further
    from the data than the nearest world by what one number may gain by chance.
    """

    name: str
    level: float
    gap: float
    better: float
    unsure: float
    effect: float
    report: float
    center: float
    sd: float
    truth: float
    truth_se: float
    shares: _Cells
    means: _Cells
    chi_squared: float
    freedom: int
    inside: int
    told: int
    fits: bool = True

    @property
    def is_near(self) -> bool:
        """Whether the data themselves do not speak against the world, at 5%."""
        return self.chi_squared <= float(2.0 * gamma_quantile(0.5 * max(self.freedom, 1), 0.95))

    @property
    def low(self) -> float:
        """Lower end of the 95% interval of what the drug does by itself, if the world is this one."""
        return self.truth - Z95 * self.truth_se

    @property
    def high(self) -> float:
        """Upper end."""
        return self.truth + Z95 * self.truth_se


@dataclass(frozen=True, slots=True)
class _Numbers:
    level: float = 0.0
    unsure: float = 0.0
    center: float = 0.0
    log_sd: float = 0.0
    gap: float = 0.0
    better: float = 0.0
    effect: float = 0.0
    report: float = 0.0


def seen_at(trial: FinishedTrial) -> float:
    """Of the change of the outcome, the share that had come by the last asking; all where no day says otherwise."""
    day, end = trial.last.day, trial.file.outcome_day
    return 1.0 if end is None or not np.isfinite(day) else min(day / end, 1.0)


def fit_worlds(trial: FinishedTrial) -> tuple[FittedWorld, ...]:
    """Every world by name, fitted to the last guesses and the outcome; none where the outcome is not known.

    Worlds that need two answers of each arm are fitted to as many as there are.
    """
    if not (trial.last.has_outcome and 0.0 < spread_of(trial) < inf):
        return ()
    found = [_fit(name, trial) for name in WORLDS]
    # Against the nearest world and not for itself: a misfit that all share excludes none of them.
    nearest = min(one.chi_squared for one in found)
    return tuple(replace(one, fits=one.chi_squared <= nearest + _ONE_NUMBER) for one in found)


def _fit(name: str, trial: FinishedTrial) -> FittedWorld:
    from scipy.optimize import least_squares

    table, is_share = trial.last, trial.file.outcome == "share"
    sign = 1 if trial.file.better == "higher" else -1
    free = ["level", "center", *WORLDS[name]]
    if table.counts[2].any():
        free.append("unsure")
    if not is_share:
        free.append("log_sd")
    target = _Target(table, sign, seen_at(trial), is_share)
    best = None
    for start in ({}, {"report": 0.5, "effect": 0.2, "better": 0.2}, {"better": 1.5, "effect": 0.5}):
        first = target.start() | start
        lower = [{"better": 0.0, "unsure": 0.0}.get(one, -40.0) for one in free]
        upper = [40.0] * len(free)
        x0 = np.clip([first[one] for one in free], np.array(lower) + 1e-9, 40.0)
        found = least_squares(
            lambda x: target.residuals(_numbers(free, x)), x0, bounds=(lower, upper), x_scale="jac", diff_step=1e-5,
            max_nfev=400,
        )  # fmt: skip
        if best is None or found.cost < best.cost - 1e-9:
            best = found
    assert best is not None
    numbers = _numbers(free, best.x)
    truth, slope = target.truth(numbers), np.zeros(len(free))
    for place in range(len(free)):
        moved = best.x.copy()
        moved[place] += 1e-5
        slope[place] = (target.truth(_numbers(free, moved)) - truth) / 1e-5
    covariance = np.linalg.pinv(best.jac.T @ best.jac)
    shares, means = target.predicted(numbers)
    inside, told = target.inside(shares, means)
    sd = target.scale * float(np.exp(numbers.log_sd)) if not is_share else 1.0
    return FittedWorld(
        name=name, level=numbers.level, gap=numbers.gap, better=numbers.better, unsure=numbers.unsure,
        effect=numbers.effect, report=numbers.report, sd=sd, truth=truth,
        center=numbers.center if is_share else target.middle + target.scale * numbers.center,
        truth_se=sqrt(max(float(slope @ covariance @ slope), 0.0)), shares=shares, means=means,
        chi_squared=float(2.0 * best.cost), freedom=max(target.n_residuals - len(free), 0), inside=inside, told=told,
    )  # fmt: skip


def _numbers(free: list[str], x: np.ndarray) -> _Numbers:
    return _Numbers(**dict(zip(free, x.tolist(), strict=True)))


class _Target:
    """The data of a table as a fit reads them."""

    def __init__(self, table: GuessTable, sign: int, seen: float, is_share: bool) -> None:
        self.table, self.sign, self.seen, self.is_share = table, sign, seen, is_share
        arms = table.arms("share" if is_share else "mean")
        self.n_arm = table.counts.sum(axis=0)
        self.observed = table.counts / self.n_arm
        spread = np.sqrt(arms.variance[0, 0] * arms.n[0, 0])
        pooled = float(np.sqrt((arms.n[0, 0] * spread**2).sum() / arms.n[0, 0].sum()))
        self.middle, self.scale = (0.0, 1.0) if is_share else (float(arms.value[0, 0, 1]), pooled or 1.0)
        self.n_spread = float(arms.n[0, 0].sum())
        rows = 3 if table.counts[2].any() else 2
        self.rows = rows
        self.used = (table.known[:rows] >= 2.0) & np.isfinite(table.mean[:rows])
        with np.errstate(invalid="ignore"):
            moved = (table.known * np.nan_to_num(table.mean) + 0.5) / (table.known + 1.0)
            # Few people who happen to agree are not known exactly: drawn to everybody's spread by two people's worth.
            inside = np.maximum(table.known - 1.0, 0.0) * np.nan_to_num(table.sd) ** 2
            drawn = np.sqrt((inside + 2.0 * self.scale**2) / np.maximum(table.known + 1.0, 2.0))
            own = np.sqrt(moved * (1.0 - moved)) if is_share else drawn
            self.error = own / np.sqrt(np.maximum(table.known, 1.0))
        z = normal_quantile((np.arange(_N_PLACES) + 0.5) / _N_PLACES)
        self.z = np.asarray(z)
        self.n_residuals = 2 * (rows - 1) + int(self.used.sum()) + (0 if is_share else 1)
        self.weigh: np.ndarray | None = None
        self.wider, self.lone = np.ones((3, 2)), np.tile(self.n_arm, (3, 1))
        if table.persons is not None:
            self._hang_together(table, table.persons, pooled)

    def _hang_together(self, table: GuessTable, persons: ByPerson, sd: float) -> None:
        """Errors of sessions: ``weigh`` the distances so that they no longer go together through the people.

        ``wider``: the error of each mean over that of sessions of strangers. ``lone``: how many strangers would know
        each share as well.
        """
        counts, moved = persons.counts, []
        for arm in (0, 1):
            own = counts[:, :, arm]
            if self.rows == 3:
                moved.append(_share_moved(own[:, :2].sum(axis=1), own.sum(axis=1)))
            moved.append(_share_moved(own[:, 0], own[:, :2].sum(axis=1)))
        of_means = table.mean_influence()[:, : self.rows] / self.error[: self.rows]
        moved += list(of_means[:, self.used].T)
        if not self.is_share:
            known, total, square = (one.sum(axis=1) for one in (persons.known, persons.total, persons.square))
            mean = total.sum(axis=0) / known.sum(axis=0)
            excess = (square - 2.0 * mean * total + known * mean**2).sum(axis=1) - known.sum(axis=1) * sd**2
            moved.append(excess / (self.n_spread * sd**2) * sqrt(0.5 * self.n_spread))
        each = np.stack(moved, axis=1)
        together = each.T @ each * persons.n / max(persons.n - 1, 1)
        alone = np.where(np.diag(together) > 0.0, np.diag(together), 1.0)
        together *= max(0.0, 1.0 - self.n_residuals / persons.n)
        np.fill_diagonal(together, alone)
        self.weigh = np.linalg.inv(np.linalg.cholesky(together))
        n_means = int(self.used.sum())
        self.wider[: self.rows][self.used] = np.sqrt(alone[2 * (self.rows - 1) :][:n_means])
        for arm in (0, 1):
            for row in range(3):
                asked = counts[:, :, arm].sum(axis=1)
                wider = error_of_persons(_share_moved(counts[:, row, arm], asked), asked)
                self.lone[row, arm] /= wider**2 if wider > 0.0 else 1.0

    def start(self) -> dict[str, float]:
        """Where a search begins."""
        share = [(self.table.counts[0, arm] + 0.5) / (self.table.counts[:2, arm].sum() + 1.0) for arm in (0, 1)]
        odds = [log(one / (1.0 - one)) for one in share]
        center = 0.0
        if self.is_share:
            known = self.table.known[:, 1]
            rate = (float((known * np.nan_to_num(self.table.mean[:, 1])).sum()) + 0.5) / (float(known.sum()) + 1.0)
            center = log(rate / (1.0 - rate))
        return {"level": odds[1], "gap": odds[0] - odds[1], "unsure": 0.5, "center": center, "log_sd": 0.0,
                "better": 0.0, "effect": 0.0, "report": 0.0}  # fmt: skip

    def truth(self, now: _Numbers) -> float:
        """What the drug does by itself, in the unit of the outcome."""
        if not self.is_share:
            return self.sign * now.effect * self.scale * float(np.exp(now.log_sd))
        moved = np.array([now.center + self.sign * _LOGIT_SD * now.effect, now.center])
        rates = logistic(moved)
        return float(rates[0] - rates[1])

    def predicted(self, now: _Numbers) -> tuple[_Cells, _Cells]:
        """Shares of answers in each arm, and means of the outcome in each group."""
        shares, means, _ = self._predict(now)
        return shares, means

    def _predict(self, now: _Numbers) -> tuple[_Cells, _Cells, float]:
        shares, means = np.zeros((3, 2)), np.full((3, 2), np.nan)
        spread = 0.0
        for arm in (0, 1):
            shift = now.effect if arm == 0 else 0.0
            odds = now.level + (now.gap if arm == 0 else 0.0) + now.better * self.seen * (self.z + shift)
            drug, control = logistic(odds - now.unsure), logistic(-odds - now.unsure)
            answers = np.stack([drug, control, np.maximum(1.0 - drug - control, 0.0)])
            shares[:, arm] = answers.mean(axis=1)
            # Half of the belief for who does not know.
            moved = shift + now.report * np.array([1.0, 0.0, 0.5])[:, None]
            if self.is_share:
                means[:, arm] = self._events(answers, moved[:, 0], now.center)
                continue
            values = self.sign * (self.z + moved)
            total = answers.mean(axis=1)
            means[:, arm] = (answers * values).mean(axis=1) / np.maximum(total, 1e-12)
            mean = float((answers * values).mean(axis=1).sum())
            second = float((answers * values**2).mean(axis=1).sum())
            spread += self.n_arm[arm] / self.n_arm.sum() * (second - mean**2)
        if self.is_share:
            return shares, means, 1.0
        sd = self.scale * float(np.exp(now.log_sd))
        return shares, self.middle + self.scale * now.center + sd * means, sd * sqrt(max(spread, 1e-12))

    def _events(self, answers: np.ndarray, moved: np.ndarray, center: float) -> np.ndarray:
        """Shares with the outcome of each answer: those whose standing lies beyond a bound, straight between places."""
        chance = logistic(center + self.sign * _LOGIT_SD * moved)
        cumulated = np.concatenate([np.zeros((3, 1)), np.cumsum(answers, axis=1)], axis=1) / _N_PLACES
        places = np.arange(_N_PLACES + 1) / _N_PLACES
        found = np.zeros(3)
        for row in range(3):
            bound = 1.0 - chance[row] if self.sign > 0 else chance[row]
            below = np.interp(bound, places, cumulated[row])
            hit = cumulated[row, -1] - below if self.sign > 0 else below
            found[row] = hit / max(cumulated[row, -1], 1e-12)
        return found

    def residuals(self, now: _Numbers) -> np.ndarray:
        """Distances from the data, each over its standard error."""
        shares, means, spread = self._predict(now)
        found = []
        for arm in (0, 1):
            n, known = self.n_arm[arm], 1.0 - self.observed[2, arm]
            if self.rows == 3:
                found.append(_distance(known, 1.0 - shares[2, arm], n))
            answered = self.table.counts[:2, arm].sum()
            right = shares[0, arm] / max(shares[:2, arm].sum(), 1e-12)
            seen = self.table.counts[0, arm] / answered if answered else right
            found.append(_distance(seen, right, max(answered, 1.0)))
        gaps = (self.table.mean - means)[: self.rows] / self.error[: self.rows]
        found += gaps[self.used].tolist()
        if not self.is_share:
            found.append(log(self.scale / spread) * sqrt(2.0 * max(self.n_spread - 2.0, 1.0)))
        distances = np.nan_to_num(np.array(found), nan=1e3, posinf=1e3, neginf=-1e3)
        return distances if self.weigh is None else self.weigh @ distances

    def inside(self, shares: _Cells, means: _Cells) -> tuple[int, int]:
        """How many predicted shares and means lie in the 95% interval of the data, and of how many."""
        from remission.numerics.intervals import share_interval

        held = told = 0
        for arm in (0, 1):
            for row in range(self.rows):
                n = max(1, round(float(self.lone[row, arm])))
                low, high = share_interval(round(float(self.observed[row, arm]) * n), n)
                held, told = held + (low <= shares[row, arm] <= high), told + 1
                if self.used[row, arm]:
                    reach = Z95 * self.error[row, arm] * self.wider[row, arm]
                    held, told = held + (abs(self.table.mean[row, arm] - means[row, arm]) <= reach), told + 1
        return int(held), told


def _distance(observed: float, predicted: float, n: float) -> float:
    """Of a share from what a world says, by the root of both: stable where a share is near 0 or 1."""
    return float(2.0 * sqrt(n) * (np.arcsin(sqrt(min(observed, 1.0))) - np.arcsin(sqrt(min(max(predicted, 0.0), 1.0)))))


def _share_moved(hit: _Column, asked: _Column) -> _Column:
    """What each person moves a share by, in the errors that strangers would give it."""
    n, share = float(asked.sum()), float(hit.sum() + 0.5) / float(asked.sum() + 1.0)
    if n == 0.0:
        return np.zeros_like(asked)
    return (hit - asked * float(hit.sum()) / n) / sqrt(n * share * (1.0 - share))


def contrast_of(
    table: GuessTable, kind: str, weigh: Callable[[np.ndarray], np.ndarray], *, whole_arms: bool = False
) -> Estimated:
    """A weighted sum of the means of groups, or of whole arms; of sessions with the error that their people give.

    Degrees of freedom of sessions: the people of the smallest group, less one.
    """
    groups = table.arms(kind) if whole_arms else table.statistics(kind)
    weights = weigh(groups.n)
    found = contrast(groups, weights)
    if table.persons is None or not np.isfinite(found.value[0]):
        return found
    moved = np.where(weights[0] != 0.0, weights[0], 0.0) * table.mean_influence(whole_arms=whole_arms)
    known = table.persons.known
    tells = (known.sum(axis=1, keepdims=True) if whole_arms else known) > 0.0
    used = weights[0, : tells.shape[1]] != 0.0
    se = error_of_persons(moved.sum(axis=(1, 2)), 1.0 * np.any(tells[:, used], axis=1))
    fewest = float(tells.sum(axis=0)[used].min())
    return Estimated(value=found.value, se=np.array([se]), freedom=np.array([max(fewest - 1.0, 1.0)]))


def naive_effect(trial: FinishedTrial) -> tuple[float, float]:
    """Treatment minus control of the finished trial and its standard error; NaN where there is none."""
    kind = "share" if trial.file.outcome == "share" else "mean"
    found = contrast_of(trial.last, kind, naive_weights, whole_arms=True)
    return float(found.value[0]), float(found.se[0])


def spread_of(trial: FinishedTrial) -> float:
    """Standard deviation within arms, in the unit of the outcome; infinite where there is none."""
    arms = trial.last.arms("share" if trial.file.outcome == "share" else "mean")
    n = arms.n[0, 0]
    found = float(np.sqrt((n * n * arms.variance[0, 0]).sum() / n.sum()))
    return found if found > 0.0 else inf
