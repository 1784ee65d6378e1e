"""The computations that a registered measure names: each takes a sample of people and gives one number.

What each means is said, measure by measure, in ``library/facts.toml``. Days are counted from 0 and both limits of a
window belong to it; shares of people and of days are in percent, other shares are not.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from scipy.optimize import minimize

from remission.endpoints.failures import first_day_within
from remission.facts.scenarios import UNTREATED, Lives
from remission.shapes import Bool, Float, Int

_Window = list[int]
_BLOCK_DAYS, _HALF_BLOCK = 28, 14


@dataclass(frozen=True)
class Sample:
    """Some of the people of a scenario, for whom a measure is computed."""

    lives: Lives
    chosen: Bool[np.ndarray, " person"]

    def use(self, arm: str, first: int = 0, last: int | None = None) -> Bool[np.ndarray, "subject day"]:
        """Use days in a window; to the end without ``last``.

        Raises
        ------
        IndexError
            The scenario is shorter.
        """
        if last is not None and not 0 <= first <= last < self.lives.scenario.days:
            msg = f"days {first} to {last} of {self.lives.scenario.days}"
            raise IndexError(msg)
        return self.lives.course(arm).use[self.chosen, first : None if last is None else last + 1] > 0

    def mean(self, what: str, arm: str, n_days: int | None = None) -> Float[np.ndarray, " day"]:
        """Mean of a state, or of craving where ``what`` is vas, on each day."""
        if what == "vas":
            return self.lives.course(arm).vas[self.chosen].mean(axis=0)
        return self.states(arm, n_days or self.lives.scenario.days, what)[0].mean(axis=0)

    def states(self, arm: str, n_days: int, *names: str) -> list[Float[np.ndarray, "subject day"]]:
        """States of each person on the first days."""
        course = self.lives.course(arm, states_until=n_days)
        return [course.states[name][self.chosen] for name in names]


def _share_with_use(s: Sample, *, first: int, last: int, arm: str = UNTREATED) -> float:
    return 100.0 * float(s.use(arm, first, last).any(axis=1).mean())


def _share_without_use(s: Sample, *, first: int, last: int, arm: str = UNTREATED) -> float:
    return 100.0 - _share_with_use(s, first=first, last=last, arm=arm)


def _share_using_often(s: Sample, *, first: int, last: int, least: int, arm: str = UNTREATED) -> float:
    return 100.0 * float((s.use(arm, first, last).sum(axis=1) >= least).mean())


def _share_relapsed(s: Sample, *, last: int, run: int, arm: str = UNTREATED) -> float:
    return 100.0 * float((first_day_within(s.use(arm, 0, last), run, run) <= last).mean())


def _share_not_heavy(s: Sample, *, last: int, use_days: int, within: int, arm: str = UNTREATED) -> float:
    return 100.0 * float((first_day_within(s.use(arm, 0, last), use_days, within) > last).mean())


def _share_of_lapsers(
    s: Sample, *, last: int, after: int, use_days: int, within: int, arm: str = UNTREATED
) -> float:  # fmt: skip
    use = s.use(arm, 0, last + after)
    lapse = first_day_within(use, 1, 1)
    met = first_day_within(use, use_days, within)
    lapsed = lapse <= last
    return 100.0 * float((met <= lapse + after)[lapsed].mean())


def _days_abstinent(s: Sample, *, first: int, last: int, arm: str = UNTREATED) -> float:
    return 100.0 * (1.0 - float(s.use(arm, first, last).mean()))


def _days_difference(s: Sample, *, arm: str, control: str, first: int, last: int) -> float:
    one, other = (_days_abstinent(s, first=first, last=last, arm=name) for name in (arm, control))
    return one - other


def _difference_ratio(s: Sample, *, arm: str, control: str, late: _Window, early: _Window) -> float:
    over = [_days_difference(s, arm=arm, control=control, first=a, last=b) for a, b in (late, early)]
    return over[0] / over[1]


def _gain_share(s: Sample, *, arm: str, full: str, control: str, first: int, last: int) -> float:
    part, whole = (_days_difference(s, arm=name, control=control, first=first, last=last) for name in (arm, full))
    return part / whole


def _interaction(s: Sample, *, both: str, one: str, other: str, neither: str, first: int, last: int) -> float:
    with_both, with_one = ((both, other), (one, neither))
    return _days_difference(s, arm=with_both[0], control=with_both[1], first=first, last=last) - _days_difference(
        s, arm=with_one[0], control=with_one[1], first=first, last=last
    )


def _odds_of_clean_day(s: Sample, *, arm: str, control: str, first: int, last: int) -> float:
    one, other = (_days_abstinent(s, first=first, last=last, arm=name) / 100.0 for name in (arm, control))
    return one / (1.0 - one) / (other / (1.0 - other))


def _hazard_ratio_late(s: Sample, *, early: _Window, late: _Window, arm: str = UNTREATED) -> float:
    first_use = first_day_within(s.use(arm), 1, 1)

    def hazard(first: int, last: int) -> float:
        events = ((first_use >= first) & (first_use <= last)).sum()
        at_risk = sum((first_use >= day).sum() for day in range(first, last + 1))
        return float(events / at_risk)

    return hazard(*late) / hazard(*early)


def _log_logistic_advantage(s: Sample, *, days: int, arm: str = UNTREATED) -> float:
    """Fits to the day of first use, which lies between its beginning and its end, censored after ``days``."""
    first_use = first_day_within(s.use(arm, 0, days - 1), 1, 1)
    count = np.bincount(first_use, minlength=days + 1)
    time = np.arange(days + 1.0)

    def aic(survival: Callable[[Any], Any], n_values: int) -> float:
        def misfit(x: Any) -> float:
            left = survival(x)
            chance = np.append(left[:-1] - left[1:], left[-1])
            return -float((count * np.log(np.maximum(chance, 1e-300))).sum())

        found = minimize(misfit, np.array([-4.0, -0.5])[:n_values], method="Nelder-Mead", options={"maxiter": 2000})
        return 2.0 * n_values + 2.0 * float(found.fun)

    log_logistic = aic(lambda x: 1.0 / (1.0 + (np.exp(x[0]) * time) ** np.exp(x[1])), 2)
    others = (
        aic(lambda x: np.exp(-np.exp(x[0]) * time), 1),
        aic(lambda x: np.exp(-((np.exp(x[0]) * time) ** np.exp(x[1]))), 2),
    )
    return 1000.0 * (log_logistic - min(others)) / first_use.size


def _stay_gap(s: Sample, *, first: int, last: int, arm: str = UNTREATED) -> float:
    use = s.use(arm, first, last)
    blocks = use.reshape(len(use), -1, _BLOCK_DAYS).sum(axis=2)
    kind = (blocks > 0).astype(int) + (blocks >= _HALF_BLOCK)
    now, then = kind[:, :-1], kind[:, 1:]
    none, some, most = (float((then == one)[now == one].mean()) for one in range(3))
    return min(none, most) - some


def _lapse_ratio_set(s: Sample, *, days: _Window, clean: int, arm: str = UNTREATED) -> float:
    after = np.zeros(2)
    for day in days:
        eligible, lapsed, kept_clean = s.lives.next_day(arm, day, clean)
        counted = eligible & s.chosen
        after += lapsed[counted].sum(), kept_clean[counted].sum()
    return float(after[0] / after[1])


def _lapse_ratio_observed(s: Sample, *, first: int, last: int, clean: int, arm: str = UNTREATED) -> float:
    """Mantel-Haenszel over people; who has days of one kind only adds nothing."""
    use = s.use(arm, first, last)
    n_days = use.shape[1]
    before = np.cumsum(np.pad(use, ((0, 0), (1, 0))), axis=1)
    # Column t: the sum over the days before t; eligible days have none in the last ``clean``.
    eligible = np.zeros((len(use), n_days - 1), dtype=bool)
    eligible[:, clean:] = (before[:, clean : n_days - 1] - before[:, : n_days - 1 - clean]) == 0
    lapsed, following = eligible & use[:, :-1], use[:, 1:]
    kept_clean = eligible & ~use[:, :-1]
    n1, n0 = lapsed.sum(axis=1), kept_clean.sum(axis=1)
    a1, a0 = (lapsed & following).sum(axis=1), (kept_clean & following).sum(axis=1)
    total = np.maximum(n1 + n0, 1)
    return float((a1 * n0 / total).sum() / (a0 * n1 / total).sum())


def _craving_odds_ratio(s: Sample, *, first: int, last: int, arm: str = UNTREATED) -> float:
    """Newton's steps for one slope and an intercept of each person, who are taken out of the matrix one by one."""
    reports = s.lives.reports(arm, first, last)[s.chosen]
    use = s.use(arm, first, last)
    y = use[:, 1:].astype(np.float64)
    spread = reports.std(axis=1, ddof=1)
    told = (y.mean(axis=1) > 0.0) & (y.mean(axis=1) < 1.0) & (spread > 0.0)
    y, x = y[told], ((reports - reports.mean(axis=1, keepdims=True)) / np.maximum(spread, 1e-9)[:, None])[told, :-1]
    mean = y.mean(axis=1, keepdims=True)
    level, slope = np.log(mean / (1.0 - mean)), 0.0
    for _ in range(50):
        chance = 1.0 / (1.0 + np.exp(-level - slope * x))
        weight, miss = chance * (1.0 - chance), y - chance
        own, cross = weight.sum(axis=1), (weight * x).sum(axis=1)
        pull = miss.sum(axis=1)
        step = float(
            ((miss * x).sum() - (cross * pull / own).sum()) / ((weight * x * x).sum() - (cross**2 / own).sum())
        )
        level, slope = level + ((pull - cross * step) / own)[:, None], slope + step
        if abs(step) < 1e-6:
            break
    return float(np.exp(slope))


def _share_through_craving(s: Sample, *, first: int, last: int, arm: str = UNTREATED) -> float:
    cue, craving = (one[:, first:last] for one in s.states(arm, last + 1, "x", "z"))
    y, x, z = (
        one - one.mean(axis=1, keepdims=True)
        for one in (s.use(arm, first + 1, last).astype(np.float64), cue, craving)
    )  # fmt: skip
    xx, zz, xz, xy, zy = ((a * b).sum() for a, b in ((x, x), (z, z), (x, z), (x, y), (z, y)))
    beside = (xy * zz - zy * xz) / (xx * zz - xz * xz)
    return 1.0 - float(beside / (xy / xx))


def _state_peak_day(s: Sample, *, state: str, arm: str = UNTREATED) -> float:
    return float(s.mean(state, arm).argmax())


def _state_left(s: Sample, *, state: str, day: int, arm: str = UNTREATED) -> float:
    mean = s.mean(state, arm)
    return float((mean[day] - mean[0]) / (mean.max() - mean[0]))


def _state_rise(s: Sample, *, state: str, last: int, arm: str = UNTREATED) -> float:
    mean = s.mean(state, arm)
    return float((mean.max() - mean[0]) / (mean[0] - mean[last]))


def _state_remaining(s: Sample, *, state: str, day: int, end: int, arm: str = UNTREATED) -> float:
    mean = s.mean(state, arm)
    return float((mean[day] - mean[end]) / (mean.max() - mean[end]))


def _deficit_recovered(s: Sample, *, state: str, day: int, arm: str = UNTREATED) -> float:
    mean = s.mean(state, arm)
    return float((mean[day] - mean[0]) / (1.0 - mean[0]))


def _vas_share(s: Sample, *, day: int, arm: str = UNTREATED) -> float:
    mean = s.mean("vas", arm)
    return float(mean[day] / mean[0])


def _vas_difference(s: Sample, *, arm: str, control: str, day: int) -> float:
    return float(s.mean("vas", arm)[day] - s.mean("vas", control)[day])


def _effect(s: Sample, what: str, arm: str, control: str) -> Float[np.ndarray, " day"]:
    return s.mean(what, arm) - s.mean(what, control)


def _effect_peak_day(s: Sample, *, what: str, arm: str, control: str) -> float:
    return float(_effect(s, what, arm, control).argmin())


def _effect_left(s: Sample, *, what: str, arm: str, control: str, day: int, of: int) -> float:
    effect = _effect(s, what, arm, control)
    return float(effect[day] / effect[of])


def _diary_statistic(s: Sample, *, name: str, first: int, last: int, arm: str = UNTREATED) -> float:
    """By the definitions of ``library/diaries/ctn0094.toml``."""
    use = s.use(arm, first, last)
    share = use.mean(axis=1)
    before, after = use[:, :-1], use[:, 1:]
    if name.startswith("after_"):
        return float(after[before if name == "after_use" else ~before].mean())
    if name in {"use_run_mean", "single_use"}:
        runs = _inner_runs(use)
        return float(runs.mean() if name == "use_run_mean" else (runs == 1).mean())
    if name in {"mean", "sd_between", "none"}:
        return float({"mean": share.mean, "sd_between": share.std, "none": (share == 0.0).mean}[name]())
    lag, off = int(name.removeprefix("lag_")), use - share[:, None]
    return float((off[:, lag:] * off[:, :-lag]).mean() / (off**2).mean())


def _inner_runs(use: Bool[np.ndarray, "subject day"]) -> Int[np.ndarray, " run"]:
    """Lengths of the stretches of use that begin and end inside the window."""
    edge = np.diff(use.astype(np.int8), axis=1)
    begins, ends = np.argwhere(edge == 1), np.argwhere(edge == -1)
    # The first end of a person who began before the window, and the last beginning of one who goes on, have no partner.
    ends = ends[~_first_of(ends) | ~use[ends[:, 0], 0]]
    begins = begins[~_first_of(begins[::-1])[::-1] | ~use[begins[:, 0], -1]]
    return np.asarray(ends[:, 1] - begins[:, 1])


def _first_of(rows: Int[np.ndarray, "edge 2"]) -> Bool[np.ndarray, " edge"]:
    """Whether a row is the first of its person."""
    return np.append(True, rows[1:, 0] != rows[:-1, 0])[: len(rows)]


COMPUTATIONS: Final[Mapping[str, Callable[..., float]]] = MappingProxyType(
    {
        one.__name__[1:]: one
        for one in (
            _share_with_use, _share_without_use, _share_using_often, _share_relapsed, _share_not_heavy,
            _share_of_lapsers, _days_abstinent, _days_difference, _difference_ratio, _gain_share, _interaction,
            _odds_of_clean_day, _hazard_ratio_late, _log_logistic_advantage, _stay_gap, _lapse_ratio_set,
            _lapse_ratio_observed, _craving_odds_ratio, _share_through_craving, _state_peak_day, _state_left,
            _state_rise, _state_remaining, _deficit_recovered, _vas_share, _vas_difference, _effect_peak_day,
            _effect_left, _diary_statistic,
        )
    }
)  # fmt: skip
"""By the names that the registered measures use."""
