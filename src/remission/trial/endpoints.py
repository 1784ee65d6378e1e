"""Endpoints: one number per person from the trial's observation, by the endpoint's own rule for what is missing."""

import numpy as np
from jaxtyping import Bool, Float

from remission.records.endpoint import Endpoint
from remission.trial.observation import Observation

__all__ = ["endpoint_values", "time_to_event"]

_Values = Float[np.ndarray, " subject"]


def endpoint_values(endpoint: Endpoint, seen: Observation, *, heavy_amount: float) -> _Values:
    """The endpoint of each person; NaN for a person without a value under the endpoint's rule.

    Parameters
    ----------
    endpoint
        What to compute; its unit is ``endpoint.unit``.
    seen
        The trial's data.
    heavy_amount
        An amount above which a day counts as heavy. [unit of the substance]
    """
    if endpoint.kind == "days_to_relapse_or_dropout":
        return time_to_event(endpoint, seen)[0]
    if endpoint.kind == "mean_craving":
        return _mean_craving(endpoint, seen)
    window = slice(endpoint.window.first, endpoint.window.last + 1)
    observed = seen.seen[:, window]
    used = (seen.diary[:, window] > 0) & observed
    if endpoint.kind == "percent_heavy_days":
        used = used & (seen.amount[:, window] > heavy_amount)
    if endpoint.missing == "use":
        used = used | ~observed
        observed = np.ones_like(observed)
    if endpoint.kind in {"percent_days_abstinent", "percent_heavy_days"}:
        days = observed.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            share = 100.0 * used.sum(axis=1) / days
        percent = 100.0 - share if endpoint.kind == "percent_days_abstinent" else share
        return np.where(days > 0, percent, np.nan)
    any_use = np.asarray(used.any(axis=1))
    known = np.asarray(observed.any(axis=1))
    if endpoint.kind in {"confirmed_relapse", "abstinent_window"}:
        any_use, known = _with_tests(endpoint, seen, any_use, known)
    value = ~any_use if endpoint.kind == "abstinent_window" else any_use
    return np.where(known, value * 1.0, np.nan)


def _with_tests(
    endpoint: Endpoint, seen: Observation, any_use: Bool[np.ndarray, " subject"], known: Bool[np.ndarray, " subject"]
) -> tuple[Bool[np.ndarray, " subject"], Bool[np.ndarray, " subject"]]:
    inside = (seen.test_day >= endpoint.window.first) & (seen.test_day <= endpoint.window.last)
    kept, positive = seen.test_kept[:, inside], seen.test_positive[:, inside]
    found = (positive & kept).any(axis=1)
    if endpoint.missing == "use":
        found = found | (~kept).any(axis=1)
    return any_use | found, known | kept.any(axis=1)


def _mean_craving(endpoint: Endpoint, seen: Observation) -> _Values:
    inside = (seen.craving_day >= endpoint.window.first) & (seen.craving_day <= endpoint.window.last)
    marks = seen.craving_vas[:, inside]
    given = np.isfinite(marks)
    count = given.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(given, marks, 0.0).sum(axis=1) / count
    return np.where(count > 0, mean, np.nan)


def time_to_event(endpoint: Endpoint, seen: Observation) -> tuple[_Values, Bool[np.ndarray, " subject"]]:
    """Days from the window's first day to the first reported use day or to leaving, and whether either came.

    The first day of the window is day 1; people without an event are censored at the window's end. Someone who left
    before the window began has an event on day 1. Where days lie ahead, people are censored at the last one that has
    been. [day]
    """
    first, last = endpoint.window.first, endpoint.window.last
    used = (seen.diary[:, first : last + 1] > 0) & seen.seen[:, first : last + 1]
    length = last - first + 1
    never = length + 1
    to_use = np.where(used.any(axis=1), used.argmax(axis=1) + 1, never)
    to_leaving = np.where(seen.days_in_study <= last, np.maximum(seen.days_in_study - first + 1, 1), never)
    time = np.minimum(to_use, to_leaving)
    followed = length if seen.until_day is None else np.clip(seen.until_day - first, 0, length)
    event = time <= followed
    return np.where(event, time, followed).astype(np.float64), event
