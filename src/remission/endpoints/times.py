"""Times to an event in days: first use, a heavy day, relapse, leaving."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from remission.endpoints.data import EndpointData, TimeFormula, no_formula
from remission.endpoints.days import days_of_use
from remission.endpoints.failures import first_failure
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import EndpointKind
from remission.shapes import Bool, Float

_Values = Float[np.ndarray, " subject"]
_Events = Bool[np.ndarray, " subject"]


def _day_times(endpoint: Endpoint, data: EndpointData) -> tuple[_Values, _Events]:
    """Days from the window's first day, which is day 1, to the event, and whether it came. [day]

    Without an event a person is censored: at the end of the window or of the planned follow-up; and when days that
    nobody saw are left out, at the last day seen. Someone who was never seen in the window has no time then.
    """
    if endpoint.kind == "days_to_relapse_or_dropout":
        return _use_or_leaving(endpoint, data)
    first, last = endpoint.window.first, endpoint.window.last
    length = np.clip(data.end_day - first, 0, last - first + 1)
    if endpoint.kind == "days_in_study":
        days = np.maximum(data.days_in_study - first, 0)
        left = days < length
        return np.minimum(days, length).astype(np.float64), left
    if endpoint.kind not in {"days_to_use", "days_to_heavy_day", "days_to_relapse"}:
        raise no_formula(endpoint)
    used, known = days_of_use(endpoint, data, heavy=endpoint.kind == "days_to_heavy_day")
    if endpoint.failure is not None:
        counts = used[:, endpoint.grace_days :]
        place = first_failure(endpoint.failure, counts)
        event, day = place < counts.shape[1], place + endpoint.grace_days + 1
    else:
        event, day = used.any(axis=1), used.argmax(axis=1) + 1
    censored = length
    if endpoint.missing == "observed":
        censored = known.shape[1] - known[:, ::-1].argmax(axis=1)
    time = np.where(event, day, censored).astype(np.float64)
    return np.where(known.any(axis=1), time, np.nan), event


def _use_or_leaving(endpoint: Endpoint, data: EndpointData) -> tuple[_Values, _Events]:
    """Days to the first reported use or to leaving; who left before the window began has an event on day 1."""
    first, last = endpoint.window.first, endpoint.window.last
    columns = data.columns(first, last)
    planned = data.planned(first, last)
    used = data.used[:, columns] & data.seen[:, columns] & planned
    length = np.clip(data.end_day - first, 0, last - first + 1)
    never = length + 1
    to_use = np.where(used.any(axis=1), used.argmax(axis=1) + 1, never)
    to_leaving = np.where(data.days_in_study < first + length, np.maximum(data.days_in_study - first + 1, 1), never)
    time = np.minimum(to_use, to_leaving)
    event = time < never
    return np.where(event, time, length).astype(np.float64), event


DAY_TIME_FORMULAS: Final[Mapping[EndpointKind, TimeFormula]] = {
    "days_to_relapse_or_dropout": _day_times,
    "days_in_study": _day_times,
    "days_to_use": _day_times,
    "days_to_heavy_day": _day_times,
    "days_to_relapse": _day_times,
}
