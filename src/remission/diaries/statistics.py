"""Statistics of diaries, each a function of sums over people, so that resampling people costs one matrix product.

Every statistic looks only at days that were asked about: a transition is counted where both days were, a run where all
its days were. Intervals hold 95% of resamples of people with all their days (percentile bootstrap), because days of one
person are not independent.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.fft import irfft, next_fast_len, rfft

from remission.errors import SpecError
from remission.numerics.cores import available_cores
from remission.records.diaries import Diaries
from remission.records.packaged import packaged_toml
from remission.records.result import Result
from remission.records.seed import DEFAULT_SEED
from remission.shapes import Float

LAGS = tuple(range(1, 29))
"""Lags of the autocorrelation, days."""

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_RUN_DAYS = 60
_DAYS_A_WEEK = 7
_MOST_CELLS = 10_000_000


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
class Description(Result):
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

    def columns(self) -> dict[str, Any]:
        """One row a statistic."""
        names = [one.name for one in fields(Statistic)]
        return {name: [getattr(one, name) for one in self.everything] for name in names}

    @property
    def everything(self) -> tuple[Statistic, ...]:
        """All statistics in their order."""
        return (
            *self.statistics, *self.weeks, *self.lags, *self.weekdays, *self.clean_runs, *self.use_runs
        )  # fmt: skip


def describe(diaries: Diaries, *, n_resamples: int = 1000, seed: int = DEFAULT_SEED) -> Description:
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
    weekday = diaries.weekday_of_first_day[asked]
    groups = {
        "statistics": [*_level(seen, use), *_steps(seen, use), *_spread(seen, use), *_gaps(seen, use)],
        "weeks": _weeks(seen, use, diaries.first_day),
        "lags": _lags(seen, use),
        "weekdays": _weekdays(seen, use, weekday),
        "clean_runs": _runs(seen, use, inside=0.0, words="clean stretches", id="clean_run"),
        "use_runs": _runs(seen, use, inside=1.0, words="stretches of use", id="use_run"),
    }
    asks = [ask for group in groups.values() for ask in group]
    answers = iter(_answers(asks, n_people=len(seen), n_resamples=n_resamples, seed=seed))
    return Description(
        diaries=diaries, **{name: tuple(next(answers) for _ in group) for name, group in groups.items()}
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Descriptions(Result):
    """Descriptions of the diaries of several substances."""

    descriptions: tuple[Description, ...]

    def columns(self) -> dict[str, Any]:
        """One row a substance and statistic."""
        parts = [(one.diaries.substance, one.columns()) for one in self.descriptions]
        names = [one.name for one in fields(Statistic)]
        return {
            "substance": [substance for substance, part in parts for _ in part["id"]],
            **{name: [value for _, part in parts for value in part[name]] for name in names},
        }

    def __iter__(self) -> Iterator[Description]:
        return iter(self.descriptions)


def describe_all(diaries: Sequence[Diaries], *, n_resamples: int = 1000, seed: int = DEFAULT_SEED) -> Descriptions:
    """The description of each substance, computed side by side; arguments and errors as :func:`describe`."""
    with ThreadPoolExecutor(available_cores()) as pool:
        found = pool.map(lambda one: describe(one, n_resamples=n_resamples, seed=seed), diaries)
        return Descriptions(descriptions=tuple(found))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """A statistic before resampling: what each person adds to some sums, and its value from the sums."""

    sums: Sequence[Float[np.ndarray, " person"]]
    value: Callable[..., Float[np.ndarray, " resample"]]
    id: str
    label: str
    unit: str
    definition: str
    n: float


def _ask(
    id: str,
    sums: Sequence[np.ndarray],
    value: Callable[..., np.ndarray],
    n: float,
    *,
    family: str = "",
    **fields: Any,
) -> _Ask:
    """A statistic with the words of its id or family."""
    label, unit, definition = (text.format(**fields) for text in packaged_toml("words", "diaries.toml")[family or id])
    return _Ask(sums=sums, value=value, id=id, label=label, unit=unit, definition=definition, n=n)


def _share(id: str, hits: np.ndarray, of: np.ndarray, **fields: Any) -> _Ask:
    """Share of ``of`` that are ``hits``, numbers or marks of person by anything, pooled over people."""
    counts = [_per_person(hits), _per_person(of)]
    return _ask(id, counts, lambda h, n: h / n, float(counts[1].sum()), **fields)


def _per_person(marks: np.ndarray) -> Float[np.ndarray, " person"]:
    axes = tuple(range(1, marks.ndim))
    if marks.dtype == np.bool_:
        return np.asarray(np.count_nonzero(marks, axis=axes), dtype=np.float64)
    return np.asarray(marks.sum(axis=axes), dtype=np.float64)


def _answers(asks: Sequence[_Ask], *, n_people: int, n_resamples: int, seed: int) -> list[Statistic]:
    """All statistics from one product: how often each person comes in each resample, times what each adds."""
    each = np.stack([column for ask in asks for column in ask.sums], axis=1)
    totals = np.empty((n_resamples + 1, each.shape[1]))
    totals[0] = each.sum(axis=0)
    # In blocks, so that many resamples of many people do not fill the memory.
    n_rows = max(1, _MOST_CELLS // n_people)
    if n_resamples <= n_rows:
        totals[1:] = _one_block(n_people, n_resamples, seed) @ each
    else:
        rng = np.random.default_rng(seed)
        for first in range(1, n_resamples + 1, n_rows):
            last = min(first + n_rows, n_resamples + 1)
            totals[first:last] = rng.multinomial(n_people, np.full(n_people, 1.0 / n_people), size=last - first) @ each
    found, first = [], 0
    for ask in asks:
        with np.errstate(divide="ignore", invalid="ignore"):
            values = ask.value(*totals[:, first : first + len(ask.sums)].T)
        first += len(ask.sums)
        known = values[1:][np.isfinite(values[1:])]
        # Where half of the resamples cannot tell, the rest would be a choice.
        low, high = np.quantile(known, [0.025, 0.975]) if len(known) > n_resamples / 2 else (np.nan, np.nan)
        found.append(
            Statistic(
                **{name: getattr(ask, name) for name in ("id", "label", "unit", "definition")},
                value=float(values[0]) if np.isfinite(values[0]) else float("nan"),
                low=float(low),
                high=float(high),
                n=round(ask.n),
            )
        )
    return found


@lru_cache(maxsize=1)
def _one_block(n_people: int, n_resamples: int, seed: int) -> Float[np.ndarray, "resample person"]:
    """How often each person comes in each resample; kept, because substances of one source have the same people."""
    rng = np.random.default_rng(seed)
    counts = rng.multinomial(n_people, np.full(n_people, 1.0 / n_people), size=n_resamples).astype(np.float64)
    counts.flags.writeable = False
    return counts


def _level(seen: np.ndarray, use: np.ndarray) -> list[_Ask]:
    ever = (use.sum(axis=1) > 0).astype(np.float64)
    return [_share("use_share", use, seen), _share("ever_used", ever, np.ones_like(ever))]


def _steps(seen: np.ndarray, use: np.ndarray) -> list[_Ask]:
    asked, used = seen > 0.0, use > 0.0
    pair = asked[:, 1:] & asked[:, :-1]
    after_use, after_clean = pair & used[:, :-1], pair & ~used[:, :-1]
    return [
        _share("use_after_use", after_use & used[:, 1:], after_use),
        _share("use_after_clean", after_clean & used[:, 1:], after_clean),
    ]


def _spread(seen: np.ndarray, use: np.ndarray) -> list[_Ask]:
    """One-way analysis of variance of days within people, from sums that people contribute one by one."""
    n, y = seen.sum(axis=1), use.sum(axis=1)
    sums = [np.ones_like(n), n, n * n, y, y * y / n]

    def between_within(k: np.ndarray, n: np.ndarray, nn: np.ndarray, y: np.ndarray, yy: np.ndarray) -> tuple[
        np.ndarray, np.ndarray
    ]:  # fmt: skip
        within = (y - yy) / (n - k)
        between = ((yy - y * y / n) / (k - 1.0) - within) / ((n - nn / n) / (k - 1.0))
        return np.maximum(between, 0.0), within

    return [
        _ask("sd_between", sums, lambda *s: np.sqrt(between_within(*s)[0]), len(n)),
        _ask("sd_within", sums, lambda *s: np.sqrt(between_within(*s)[1]), float(n.sum())),
        _ask("icc", sums, lambda *s: between_within(*s)[0] / sum(between_within(*s)), len(n)),
    ]


def _gaps(seen: np.ndarray, use: np.ndarray) -> list[_Ask]:
    everybody, n_days = np.arange(len(seen)), seen.shape[1]
    first, last = np.argmax(seen > 0.0, axis=1), n_days - 1 - np.argmax(seen[:, ::-1] > 0.0, axis=1)
    window = (last - first + 1).astype(np.float64)
    # The last column cannot tell whether somebody would have gone on.
    ends = (last < n_days - 1).astype(np.float64)
    ends_use, days_use = ends * use[everybody, last], use[:, :-1].sum(axis=1)
    ends_clean, days_clean = ends - ends_use, seen[:, :-1].sum(axis=1) - days_use
    ends_each = [ends_use, days_use, ends_clean, days_clean]
    return [
        _share("missing_share", window - seen.sum(axis=1), window),
        _ask("end_after_use", ends_each, lambda a, b, c, d: (a / b) / (c / d), float(ends.sum())),
    ]


def _weeks(seen: np.ndarray, use: np.ndarray, first_day: int) -> list[_Ask]:
    week = (first_day + np.arange(seen.shape[1])) // _DAYS_A_WEEK
    return [
        _share(
            f"week_{w}", use[:, week == w], seen[:, week == w],
            family="week", week=w, first=w * _DAYS_A_WEEK, last=(w + 1) * _DAYS_A_WEEK - 1,
        )
        for w in np.unique(week)
        if seen[:, week == w].any()
    ]  # fmt: skip


def _lags(seen: np.ndarray, use: np.ndarray) -> list[_Ask]:
    """Sums of products of a series with itself, all lags at once by the Fourier transform."""
    off = seen * (use - (use.sum(axis=1) / seen.sum(axis=1))[:, None])
    square, count = (off * off).sum(axis=1), seen.sum(axis=1)
    # People who always did the same are never off their mean.
    varied = square > 0.0
    products = np.zeros((len(seen), max(LAGS) + 1))
    products[varied] = _with_itself(off[varied])
    pairs = np.rint(_with_itself(seen))
    return [
        _ask(
            f"lag_{lag}",
            [products[:, lag], pairs[:, lag], square, count],
            lambda product, n_pairs, square, n: (product / n_pairs) / (square / n),
            float(pairs[:, lag].sum()),
            family="lag",
            days=_days(lag),
        )
        for lag in LAGS
        if pairs[:, lag].sum() > 0
    ]


def _days(count: int) -> str:
    return f"{count} day{'s' if count > 1 else ''}"


def _with_itself(series: np.ndarray) -> np.ndarray:
    # Zeros after the end: the transform is of a circle, and the last days must not meet the first.
    size = next_fast_len(series.shape[1] + max(LAGS), real=True)
    return irfft(np.abs(rfft(series, n=size)) ** 2, n=size)[:, : max(LAGS) + 1]


def _weekdays(seen: np.ndarray, use: np.ndarray, first: np.ndarray) -> list[_Ask]:
    known = (first >= 0).astype(np.float64)[:, None] * seen
    if not known.any():
        return []
    weekday = (first[:, None] + np.arange(seen.shape[1])) % _DAYS_A_WEEK
    return [
        _share(
            name.lower(), known * use * (weekday == number), known * (weekday == number), family="weekday", weekday=name
        )
        for number, name in enumerate(_WEEKDAYS)
    ]


def _runs(seen: np.ndarray, use: np.ndarray, *, inside: float, words: str, id: str) -> list[_Ask]:
    """Kaplan-Meier over run lengths: a run that meets a day not asked about is censored there.

    A run counts from its first day only if the day before was asked about, so that its beginning is known. ``inside``
    is the use of a day within the run, 0 or 1.
    """
    n_people = len(seen)
    at_risk, ended = np.zeros((n_people, _RUN_DAYS)), np.zeros((n_people, _RUN_DAYS))
    # Whoever never used has no run with a known beginning.
    users = np.flatnonzero(use.any(axis=1))
    asked, within = seen[users].T > 0.0, (use[users] == inside).T
    length = np.zeros(len(users), dtype=int)
    for day in range(1, len(asked)):
        both = asked[day] & asked[day - 1]
        stays = both & within[day]
        # Runs under way yesterday are at risk of ending today if today was asked about.
        going = both & (length > 0) & (length <= _RUN_DAYS)
        over = going & ~stays
        at_risk[users[going], length[going] - 1] += 1.0
        ended[users[over], length[over] - 1] += 1.0
        length = np.where(stays & ~within[day - 1], 1, np.where(stays & (length > 0), length + 1, 0))
    return [
        _ask(
            f"{id}_over_{days}",
            [*ended.T[:days], *at_risk.T[:days]],
            lambda *s: np.prod(1.0 - np.stack(s[: len(s) // 2]) / np.stack(s[len(s) // 2 :]), axis=0),
            float(at_risk[:, days - 1].sum()),
            family="run",
            days=_days(days),
            stretches=words,
        )
        for days in (1, 2, 3, 5, 7, 10, 14, 21, 28, 42, 60)
        if at_risk[:, days - 1].sum() > 0
    ]
