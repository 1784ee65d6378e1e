"""Statistics of diaries, each a function of sums over people, so that resampling people costs one matrix product.

Every statistic looks only at days that were asked about: a transition is counted where both days were, a run where all
its days were. Intervals hold 95% of resamples of people with all their days (percentile bootstrap), because days of one
person are not independent.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from remission.errors import SpecError
from remission.records.diaries import Diaries

__all__ = ["LAGS", "Description", "Statistic", "describe"]

LAGS = tuple(range(1, 29))
"""Lags of the autocorrelation, days."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_RUN_DAYS = 60
_DAYS_A_WEEK = 7

_Sums = Float[np.ndarray, "resample sum"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One number of a description.

    id, label, unit, definition
        Name, words, unit and how it is computed.
    value, low, high
        The value and the range that holds 95% of resamples of people; NaN where the diaries cannot tell.
    n
        Days, pairs of days, runs or people that it rests on.
    """

    id: str
    label: str
    unit: str
    definition: str
    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Description:
    """What diaries of one substance look like.

    diaries
        What is described.
    statistics
        Single numbers.
    weeks
        Share of asked days with use in each week, week 0 beginning on day 0.
    lags
        Autocorrelation at :data:`LAGS`.
    weekdays
        Share of asked days with use by weekday; empty where no weekday is known.
    clean_runs, use_runs
        Share of clean stretches (of stretches of use) that last longer than 1, 2, ... days.
    """

    diaries: Diaries
    statistics: tuple[Statistic, ...]
    weeks: tuple[Statistic, ...]
    lags: tuple[Statistic, ...]
    weekdays: tuple[Statistic, ...]
    clean_runs: tuple[Statistic, ...]
    use_runs: tuple[Statistic, ...]

    @property
    def everything(self) -> tuple[Statistic, ...]:
        """All statistics in their order."""
        return (
            *self.statistics, *self.weeks, *self.lags, *self.weekdays, *self.clean_runs, *self.use_runs
        )  # fmt: skip


def describe(diaries: Diaries, *, n_resamples: int = 1000, seed: int = 0) -> Description:
    """Describe the diaries of one substance.

    Parameters
    ----------
    diaries
        Real or simulated ones.
    n_resamples
        Resamples of people for the intervals.
    seed
        Of the resampling.

    Raises
    ------
    SpecError
        No day was asked about, or fewer than two people were.
    """
    asked = diaries.assessed.any(axis=1)
    if asked.sum() < 2:
        raise SpecError(
            where=f"diaries of {diaries.substance}", got=f"{int(asked.sum())} people with a day that was asked about",
            allowed="two or more",
        )  # fmt: skip
    seen = diaries.assessed[asked].astype(np.float64)
    use = diaries.used[asked].astype(np.float64)
    sheet = _Sheet(n_people=len(seen), n_resamples=n_resamples, seed=seed)
    weekday = diaries.weekday_of_first_day[asked]
    return Description(
        diaries=diaries,
        statistics=(*_level(sheet, seen, use), *_steps(sheet, seen, use), *_spread(sheet, seen, use),
                    *_gaps(sheet, seen, use)),
        weeks=tuple(_weeks(sheet, seen, use, diaries.first_day)),
        lags=tuple(_lags(sheet, seen, use)),
        weekdays=tuple(_weekdays(sheet, seen, use, weekday)),
        clean_runs=tuple(_runs(sheet, seen, 1.0 - use, "clean stretch", "clean_run")),
        use_runs=tuple(_runs(sheet, seen, use, "stretch of use", "use_run")),
    )  # fmt: skip


class _Sheet:
    """Resamples of people, as how often each comes in each of them; the first row is the people as they are."""

    def __init__(self, *, n_people: int, n_resamples: int, seed: int) -> None:
        rng = np.random.default_rng(seed)
        drawn = rng.multinomial(n_people, np.full(n_people, 1.0 / n_people), size=n_resamples)
        self._times = np.concatenate([np.ones((1, n_people)), drawn])

    def statistic(
        self,
        sums: list[Float[np.ndarray, " person"]],
        value: Callable[..., Float[np.ndarray, " resample"]],
        *,
        id: str,
        label: str,
        unit: str,
        definition: str,
        n: float,
    ) -> Statistic:
        """``value`` of the sums over each resample's people."""
        totals = self._times @ np.stack(sums, axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = value(*totals.T)
        known = found[1:][np.isfinite(found[1:])]
        low, high = np.quantile(known, [0.025, 0.975]) if len(known) > len(found) / 2 else (np.nan, np.nan)
        first = float(found[0]) if np.isfinite(found[0]) else float("nan")
        return Statistic(
            id=id, label=label, unit=unit, definition=definition, value=first, low=float(low), high=float(high),
            n=round(n),
        )  # fmt: skip

    def share(
        self, hits: Float[np.ndarray, "person *more"], of: Float[np.ndarray, "person *more"], **words: str
    ) -> Statistic:
        """Share of ``of`` that are ``hits``, pooled over people."""
        axes = tuple(range(1, hits.ndim))
        return self.statistic(
            [hits.sum(axis=axes), of.sum(axis=axes)], lambda h, n: h / n, unit="share", n=float(of.sum()), **words
        )  # fmt: skip


def _level(sheet: _Sheet, seen: np.ndarray, use: np.ndarray) -> list[Statistic]:
    ever = (use.sum(axis=1) > 0).astype(np.float64)
    return [
        sheet.share(use, seen, id="use_share", label="days with use", definition="use days over asked days, pooled"),
        sheet.share(
            ever, np.ones_like(ever), id="ever_used", label="people with any use",
            definition="people with a use day over people with an asked day",
        ),
    ]  # fmt: skip


def _steps(sheet: _Sheet, seen: np.ndarray, use: np.ndarray) -> list[Statistic]:
    pair = seen[:, 1:] * seen[:, :-1]
    after_use, after_clean = pair * use[:, :-1], pair * (1.0 - use[:, :-1])
    return [
        sheet.share(
            after_use * use[:, 1:], after_use, id="use_after_use", label="use on the day after use",
            definition="use days over asked days whose day before had use",
        ),
        sheet.share(
            after_clean * use[:, 1:], after_clean, id="use_after_clean", label="use on the day after a clean day",
            definition="use days over asked days whose day before was clean",
        ),
    ]  # fmt: skip


def _spread(sheet: _Sheet, seen: np.ndarray, use: np.ndarray) -> list[Statistic]:
    """One-way analysis of variance of days within people, from sums that people contribute one by one."""
    n, y = seen.sum(axis=1), use.sum(axis=1)
    sums = [np.ones_like(n), n, n * n, y, y * y / n]

    def between_within(k: np.ndarray, n: np.ndarray, nn: np.ndarray, y: np.ndarray, yy: np.ndarray) -> tuple[
        np.ndarray, np.ndarray
    ]:  # fmt: skip
        within = (y - yy) / (n - k)
        between = ((yy - y * y / n) / (k - 1.0) - within) / ((n - nn / n) / (k - 1.0))
        return np.maximum(between, 0.0), within

    words = "variance components of the daily 0 or 1, one-way analysis of variance with people as groups"
    return [
        sheet.statistic(
            sums, lambda *s: np.sqrt(between_within(*s)[0]), id="sd_between", label="spread between people",
            unit="share of days", definition=f"{words}: root of the part between people", n=len(n),
        ),
        sheet.statistic(
            sums, lambda *s: np.sqrt(between_within(*s)[1]), id="sd_within", label="spread within people",
            unit="share of days", definition=f"{words}: root of the part within people", n=float(n.sum()),
        ),
        sheet.statistic(
            sums, lambda *s: between_within(*s)[0] / sum(between_within(*s)), id="icc",
            label="part of the variance that lies between people", unit="share",
            definition=f"{words}: between over between plus within", n=len(n),
        ),
    ]  # fmt: skip


def _gaps(sheet: _Sheet, seen: np.ndarray, use: np.ndarray) -> list[Statistic]:
    started = np.cumsum(seen, axis=1) > 0
    going_on = np.cumsum(seen[:, ::-1], axis=1)[:, ::-1] > 0
    window = (started & going_on).astype(np.float64)
    # The last column cannot tell whether somebody would have gone on.
    at_risk, ends = seen[:, :-1], seen[:, :-1] * ~going_on[:, 1:]
    y = use[:, :-1]
    ends_use, days_use = (ends * y).sum(axis=1), (at_risk * y).sum(axis=1)
    ends_clean, days_clean = (ends * (1.0 - y)).sum(axis=1), (at_risk * (1.0 - y)).sum(axis=1)
    return [
        sheet.share(
            window - seen, window, id="missing_share", label="days missing between the first and the last asked day",
            definition="days not asked about over all days between a person's first and last asked day",
        ),
        sheet.statistic(
            [ends_use, days_use, ends_clean, days_clean], lambda a, b, c, d: (a / b) / (c / d), id="end_after_use",
            label="diary ends on a day with use, against a clean day", unit="ratio",
            definition="share of use days that are the person's last asked day, over the same share of clean days",
            n=float(ends.sum()),
        ),
    ]  # fmt: skip


def _weeks(sheet: _Sheet, seen: np.ndarray, use: np.ndarray, first_day: int) -> list[Statistic]:
    week = (first_day + np.arange(seen.shape[1])) // _DAYS_A_WEEK
    return [
        sheet.share(
            use[:, week == w], seen[:, week == w], id=f"week_{w}", label=f"week {w}",
            definition=f"use days over asked days, days {w * _DAYS_A_WEEK} to {(w + 1) * _DAYS_A_WEEK - 1}",
        )
        for w in np.unique(week)
        if seen[:, week == w].any()
    ]  # fmt: skip


def _lags(sheet: _Sheet, seen: np.ndarray, use: np.ndarray) -> list[Statistic]:
    off = seen * (use - (use.sum(axis=1) / seen.sum(axis=1))[:, None])
    square, count = (off * off).sum(axis=1), seen.sum(axis=1)
    found = []
    for lag in LAGS:
        if lag >= seen.shape[1]:
            break
        pairs = seen[:, lag:] * seen[:, :-lag]
        if pairs.sum() == 0:
            continue
        found.append(
            sheet.statistic(
                [(off[:, lag:] * off[:, :-lag]).sum(axis=1), pairs.sum(axis=1), square, count],
                lambda product, n_pairs, square, n: (product / n_pairs) / (square / n),
                id=f"lag_{lag}",
                label=f"{lag} day{'s' if lag > 1 else ''} apart",
                unit="correlation",
                definition="autocorrelation of use within people, each person's own mean taken away, pooled",
                n=float(pairs.sum()),
            )
        )
    return found


def _weekdays(sheet: _Sheet, seen: np.ndarray, use: np.ndarray, first: np.ndarray) -> list[Statistic]:
    known = (first >= 0).astype(np.float64)[:, None] * seen
    if not known.any():
        return []
    weekday = (first[:, None] + np.arange(seen.shape[1])) % _DAYS_A_WEEK
    return [
        sheet.share(
            known * use * (weekday == number), known * (weekday == number), id=name.lower(), label=name,
            definition=f"use days over asked days that are a {name}",
        )
        for number, name in enumerate(_WEEKDAYS)
    ]  # fmt: skip


def _runs(sheet: _Sheet, seen: np.ndarray, inside: np.ndarray, words: str, id: str) -> list[Statistic]:
    """Kaplan-Meier over run lengths: a run that meets a day not asked about is censored there.

    A run counts from its first day only if the day before was asked about, so that its beginning is known.
    """
    n_people, n_days = seen.shape
    length = np.zeros(n_people)
    at_risk, ended = np.zeros((n_people, _RUN_DAYS)), np.zeros((n_people, _RUN_DAYS))
    people = np.arange(n_people)
    for day in range(1, n_days):
        both = (seen[:, day] * seen[:, day - 1]) > 0
        stays = both & (inside[:, day] > 0)
        # Runs under way yesterday are at risk of ending today if today was asked about.
        going = both & (length > 0) & (length <= _RUN_DAYS)
        at_risk[people[going], length[going].astype(int) - 1] += 1.0
        over = going & ~stays
        ended[people[over], length[over].astype(int) - 1] += 1.0
        begins = stays & (inside[:, day - 1] == 0)
        length = np.where(begins, 1.0, np.where(stays & (length > 0), length + 1.0, 0.0))
    return [
        sheet.statistic(
            [ended[:, d] for d in range(days)] + [at_risk[:, d] for d in range(days)],
            lambda *s: np.prod(1.0 - np.stack(s[: len(s) // 2]) / np.stack(s[len(s) // 2 :]), axis=0),
            id=f"{id}_over_{days}", label=f"longer than {days} day{'s' if days > 1 else ''}", unit="share",
            definition=f"share of {words}es that last longer, those cut off by a day not asked about censored there",
            n=float(at_risk[:, days - 1].sum()),
        )
        for days in (1, 2, 3, 5, 7, 10, 14, 21, 28, 42, 60)
        if at_risk[:, days - 1].sum() > 0
    ]  # fmt: skip
