"""Endpoints of reported craving: mean, last mark, change from a baseline."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from remission.endpoints.data import EndpointData, Formula
from remission.errors import SpecError
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import EndpointKind
from remission.records.population import DayRange
from remission.shapes import Float

_Values = Float[np.ndarray, " subject"]


def _mean_craving(endpoint: Endpoint, data: EndpointData) -> _Values:
    return mean_of(_marks(endpoint, data, endpoint.window.first, endpoint.window.last))


def _last_craving(endpoint: Endpoint, data: EndpointData) -> _Values:
    # Carried: the last mark ever given up to the window's end; otherwise the last one of the window.
    first = data.first_day if endpoint.missing == "carried" else endpoint.window.first
    return last_of(_marks(endpoint, data, first, endpoint.window.last))


def _craving_change(endpoint: Endpoint, data: EndpointData) -> _Values:
    baseline: DayRange | None = endpoint.baseline
    assert baseline is not None
    return _mean_craving(endpoint, data) - mean_of(_marks(endpoint, data, baseline.first, baseline.last))


CRAVING_FORMULAS: Final[Mapping[EndpointKind, Formula]] = {
    "mean_craving": _mean_craving,
    "last_craving": _last_craving,
    "craving_change": _craving_change,
}
"""Marks of craving; NaN for a person without a mark where one is needed, refused where nobody was asked. [0 to 100]"""


def _marks(endpoint: Endpoint, data: EndpointData, first: int, last: int) -> Float[np.ndarray, "subject report"]:
    if not data.craving_day.size:
        raise SpecError(
            where=f"endpoint {endpoint.id}", got="no mark of craving", allowed=f"{endpoint.kind} where craving is asked"
        )
    return data.craving_vas[:, (data.craving_day >= first) & (data.craving_day <= last)]


def mean_of(marks: Float[np.ndarray, "subject report"]) -> _Values:
    """Mean of each person's marks; NaN without one."""
    given = np.isfinite(marks)
    count = given.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(given, marks, 0.0).sum(axis=1) / count
    return np.where(count > 0, mean, np.nan)


def last_of(marks: Float[np.ndarray, "subject report"]) -> _Values:
    """Each person's last mark; NaN without one."""
    given = np.isfinite(marks)
    if not given.shape[1]:
        return np.full(given.shape[0], np.nan)
    place = given.shape[1] - 1 - given[:, ::-1].argmax(axis=1)
    return np.where(given.any(axis=1), marks[np.arange(marks.shape[0]), place], np.nan)
