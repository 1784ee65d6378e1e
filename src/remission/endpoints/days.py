"""Endpoints of days: shares, counts, runs and abstinence, by the endpoint's own rule for days that nobody saw.

What such a day counts as is decided in :func:`days_of_use` (``use``, ``carried``, else left out), in
``_share_or_count`` (``weighted``) and in ``_abstinence`` (``complete``); tests and weeks have ``repairs``, times
``times``. The rule of an endpoint that names none is ``KindFacts.default_missing``.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from remission.endpoints.data import EndpointData, Formula
from remission.endpoints.failures import first_failure
from remission.errors import SpecError
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import EndpointKind
from remission.shapes import Bool, Float, Int

__all__ = ["DAY_FORMULAS", "day_counts_of", "days_of_use", "longest_run"]

_Values = Float[np.ndarray, " subject"]
_Days = Bool[np.ndarray, "subject day"]


def days_of_use(endpoint: Endpoint, data: EndpointData, *, heavy: bool = False) -> tuple[_Days, _Days]:
    """Days of the window with use (heavy use) and days with an answer, after the rule for what is missing.

    Under ``observed`` and ``weighted`` days that nobody saw have no answer. Days after a person's planned follow-up
    never have one.
    """
    first, last = endpoint.window.first, endpoint.window.last
    columns = data.columns(first, last)
    used, seen = _seen(endpoint, data, columns, heavy=heavy)
    if data.is_planned(last) and endpoint.missing not in {"use", "carried"}:
        return used, seen  # the usual case, in fewer turns over all days
    planned = data.planned(first, last)
    used, seen = used & planned, seen & planned
    if endpoint.missing == "use":
        return (used | ~seen) & planned, planned
    if endpoint.missing == "carried":
        return _carried(endpoint, data, heavy=heavy)
    return used, seen


def day_counts_of(endpoint: Endpoint, data: EndpointData, values: _Values) -> tuple[_Values, _Values]:
    """Days that the endpoint counts, and the days among which it counts them, of each person. [day]

    ``values``: the endpoint, in days or in percent of days.
    """
    _, answered = days_of_use(endpoint, data)
    among = np.full(values.size, len(endpoint.window)) if endpoint.missing == "weighted" else answered.sum(axis=1)
    days = among.astype(np.float64)
    return (values if endpoint.scale == "count" else np.round(values / 100.0 * days)), days


def _seen(endpoint: Endpoint, data: EndpointData, columns: slice, *, heavy: bool) -> tuple[_Days, _Days]:
    """Days with use (heavy use) and days with an answer; a use day of unknown amount is no answer about heavy use."""
    seen = data.seen[:, columns]
    used = data.used[:, columns] & seen
    if heavy:
        amount = amounts_of(endpoint, data)[:, columns]
        seen = seen & ~np.isnan(amount)
        used = used & (amount > _heavy_amount(endpoint, data))
    return used, seen


def amounts_of(endpoint: Endpoint, data: EndpointData) -> Float[np.ndarray, "subject day"]:
    """The amounts, refused where none are known: a use day says nothing about how much.

    Raises SpecError: the data have no amounts.
    """
    if data.amount is None:
        raise SpecError(
            where=f"endpoint {endpoint.id}",
            got="days without amounts",
            allowed=f"{endpoint.kind} only where amounts are known",
            remedy="Use an endpoint of days of use, or data with amounts.",
        )
    return data.amount


def _heavy_amount(endpoint: Endpoint, data: EndpointData) -> float:
    if data.heavy_amount is None:
        raise SpecError(
            where=f"endpoint {endpoint.id}",
            got="no bound of a heavy day",
            allowed="the amount above which a day is heavy, in the unit of the amounts",
            remedy="Give it with --heavy-amount.",
        )
    return data.heavy_amount


def _carried(endpoint: Endpoint, data: EndpointData, *, heavy: bool) -> tuple[_Days, _Days]:
    """The last day seen, in or before the window, stands for those after it that nobody saw."""
    last = endpoint.window.last
    columns = data.columns(data.first_day, last)
    used, seen = _seen(endpoint, data, columns, heavy=heavy)
    place = np.maximum.accumulate(np.where(seen, np.arange(seen.shape[1]), -1), axis=1)
    filled = np.take_along_axis(used, np.maximum(place, 0), axis=1) & (place >= 0)
    inside = slice(endpoint.window.first - data.first_day, None)
    planned = data.planned(endpoint.window.first, last)
    known = (place[:, inside] >= 0) & planned
    return filled[:, inside] & known, known


def longest_run(wished: _Days, known: _Days) -> _Values:
    """The longest run of wished days; days without an answer are left out, so they neither end nor lengthen a run."""
    total = np.cumsum(wished, axis=1)
    broken = np.maximum.accumulate(np.where(known & ~wished, total, 0), axis=1)
    return (total - broken).max(axis=1, initial=0).astype(np.float64)


def _share_or_count(endpoint: Endpoint, data: EndpointData) -> _Values:
    used, known = days_of_use(endpoint, data, heavy=endpoint.kind == "percent_heavy_days")
    count, days = _number_of(used), _number_of(known)
    if endpoint.missing == "weighted":
        planned = _number_of(data.planned(endpoint.window.first, endpoint.window.last))
        count = count + (endpoint.missing_weight or 0.0) * (planned - days)
        days = planned
    if endpoint.kind == "use_days":
        return np.where(days > 0, count, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        share = 100.0 * count / days
    percent = 100.0 - share if endpoint.kind == "percent_days_abstinent" else share
    return np.where(days > 0, percent, np.nan)


def _number_of(days: _Days) -> Int[np.ndarray, " subject"]:
    """How many days each person has; NumPy counts in small numbers five times faster."""
    return days.view(np.uint8).sum(axis=1, dtype=np.uint16).astype(np.int64)


def _longest_abstinence(endpoint: Endpoint, data: EndpointData) -> _Values:
    used, known = days_of_use(endpoint, data)
    return np.where(known.any(axis=1), longest_run(known & ~used, known), np.nan)


def _completed(endpoint: Endpoint, data: EndpointData) -> _Values:
    return (data.days_in_study > np.minimum(endpoint.window.last, data.end_day - 1)) * 1.0


def _abstinence(endpoint: Endpoint, data: EndpointData) -> _Values:
    kind = endpoint.kind
    used, known = days_of_use(endpoint, data, heavy=kind == "any_heavy_day")
    if kind == "prolonged_abstinence" and endpoint.failure is not None:
        counts = used[:, endpoint.grace_days :]
        failed, answered = first_failure(endpoint.failure, counts) < counts.shape[1], known[:, endpoint.grace_days :]
    else:
        if endpoint.grace_days or endpoint.length_days is not None or not data.is_planned(endpoint.window.last):
            inside = _days_that_count(endpoint, data, np.arange(endpoint.window.first, endpoint.window.last + 1))
            used, known = used & inside, known & inside
        failed, answered = np.asarray(used.any(axis=1)), known
    is_known = np.asarray(answered.any(axis=1))
    if endpoint.missing == "complete":
        counted = _days_that_count(endpoint, data, np.arange(endpoint.window.first, endpoint.window.last + 1))
        is_known = ~(counted & ~known).any(axis=1)
    if kind in {"confirmed_relapse", "abstinent_window"} or endpoint.verification == "test":
        failed, is_known = _with_tests(endpoint, data, failed, is_known)
    value = failed if kind in {"any_use", "any_heavy_day", "confirmed_relapse"} else ~failed
    return np.where(is_known, value * 1.0, np.nan)


def _days_that_count(endpoint: Endpoint, data: EndpointData, day: Int[np.ndarray, " day"]) -> _Days:
    """Which of some days belong to each person's window: after the grace period, and its last days for a prevalence."""
    end = np.minimum(data.end_day, endpoint.window.last + 1)
    first = np.full(end.shape, endpoint.window.first + endpoint.grace_days)
    if endpoint.length_days is not None:
        first = np.maximum(first, end - endpoint.length_days)
    return ((day[:, None] >= first) & (day[:, None] < end)).T


def _with_tests(
    endpoint: Endpoint, data: EndpointData, failed: Bool[np.ndarray, " subject"], known: Bool[np.ndarray, " subject"]
) -> tuple[Bool[np.ndarray, " subject"], Bool[np.ndarray, " subject"]]:
    inside = _days_that_count(endpoint, data, data.test_day)
    kept, positive, due = data.test_kept & inside, data.test_positive, data.test_due & inside
    found = (positive & kept).any(axis=1)
    if endpoint.missing == "use":
        found = found | (due & ~kept).any(axis=1)
    if endpoint.missing == "complete":
        return failed | found, known & ~(due & ~kept).any(axis=1)
    return failed | found, known | kept.any(axis=1)


DAY_FORMULAS: Final[Mapping[EndpointKind, Formula]] = {
    "percent_days_abstinent": _share_or_count,
    "percent_heavy_days": _share_or_count,
    "use_days": _share_or_count,
    "longest_abstinence": _longest_abstinence,
    "completed": _completed,
    "any_use": _abstinence,
    "any_heavy_day": _abstinence,
    "confirmed_relapse": _abstinence,
    "abstinent_window": _abstinence,
    "continuous_abstinence": _abstinence,
    "point_prevalence_abstinence": _abstinence,
    "prolonged_abstinence": _abstinence,
}
"""Percentages, counts and abstinences of the days of the window; NaN for a person without a value."""
