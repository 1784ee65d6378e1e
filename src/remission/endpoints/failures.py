"""When an abstinence has failed: days in a row, weeks in a row, or so many days within so many."""

import numpy as np

from remission.records.endpoint import FailureRule
from remission.shapes import Bool, Int

_DAYS_IN_WEEK = 7


def first_failure(rule: FailureRule, used: Bool[np.ndarray, "subject day"]) -> Int[np.ndarray, " subject"]:
    """The first column on which a rule is met, or on which the use that meets it began; the number of columns if never.

    The earliest of the rules that are given decides.
    """
    found = [np.full(used.shape[0], used.shape[1], dtype=np.int64)]
    at_start = rule.dated == "first-day"
    if rule.consecutive_days is not None:
        found.append(_within(used, rule.consecutive_days, rule.consecutive_days, at_start=at_start))
    if rule.use_days is not None and rule.within_days is not None:
        found.append(_within(used, rule.use_days, rule.within_days, at_start=at_start))
    if rule.consecutive_weeks is not None:
        found.append(_weeks(used, rule.consecutive_weeks, at_start=at_start))
    return np.minimum.reduce(found)


def first_day_within(
    used: Bool[np.ndarray, "subject day"], use_days: int, within_days: int
) -> Int[np.ndarray, " subject"]:
    """The first column up to which so many of so many columns in a row are used; the number of columns if never."""
    total = np.cumsum(used, axis=1, dtype=np.int64)
    before = np.zeros_like(total)
    before[:, within_days:] = total[:, :-within_days]
    met = (total - before) >= use_days
    return np.where(met.any(axis=1), met.argmax(axis=1), used.shape[1]).astype(np.int64)


def _within(
    used: Bool[np.ndarray, "subject day"], use_days: int, within_days: int, *, at_start: bool
) -> Int[np.ndarray, " subject"]:
    day, never = first_day_within(used, use_days, within_days), used.shape[1]
    if not at_start:
        return day
    # The first use day inside the days that end where the rule is met.
    column = np.arange(never)
    inside = used & (column > day[:, None] - within_days) & (column <= day[:, None])
    return np.where(day < never, inside.argmax(axis=1), never)


def _weeks(used: Bool[np.ndarray, "subject day"], n_weeks: int, *, at_start: bool) -> Int[np.ndarray, " subject"]:
    """Weeks are counted from the first column; the rule is met on the first use day of the last week in the row."""
    n, n_days = used.shape
    whole = -(-n_days // _DAYS_IN_WEEK)
    padded = np.zeros((n, whole * _DAYS_IN_WEEK), dtype=np.bool_)
    padded[:, :n_days] = used
    weeks = padded.reshape(n, whole, _DAYS_IN_WEEK)
    last = _within(np.asarray(weeks.any(axis=2)), n_weeks, n_weeks, at_start=at_start)
    in_week = weeks[np.arange(n), np.minimum(last, whole - 1)].argmax(axis=1)
    return np.where(last < whole, last * _DAYS_IN_WEEK + in_week, n_days)
