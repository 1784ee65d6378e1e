"""Endpoints of reported craving: mean, last mark, change from a baseline."""

import numpy as np
from jaxtyping import Float

from remission.endpoints.data import EndpointData
from remission.endpoints.no_formula import no_formula
from remission.errors import SpecError
from remission.records.endpoint import Endpoint
from remission.records.population import DayRange

__all__ = ["craving_values"]

_Values = Float[np.ndarray, " subject"]


def craving_values(endpoint: Endpoint, data: EndpointData) -> _Values:
    """The endpoint of each person; NaN for a person without a mark where one is needed. [VAS 0 to 100]

    Raises
    ------
    SpecError
        Nobody was asked for a mark.
    """
    if not data.craving_day.size:
        raise SpecError(
            where=f"endpoint {endpoint.id}", got="no mark of craving", allowed=f"{endpoint.kind} where craving is asked"
        )
    if endpoint.kind == "last_craving":
        # Carried: the last mark ever given up to the window's end; otherwise the last one of the window.
        first = data.first_day if endpoint.missing == "carried" else endpoint.window.first
        return _last(_marks(data, first, endpoint.window.last))
    mean = _mean(_marks(data, endpoint.window.first, endpoint.window.last))
    if endpoint.kind == "craving_change":
        baseline: DayRange | None = endpoint.baseline
        assert baseline is not None
        return mean - _mean(_marks(data, baseline.first, baseline.last))
    if endpoint.kind == "mean_craving":
        return mean
    raise no_formula(endpoint)


def _marks(data: EndpointData, first: int, last: int) -> Float[np.ndarray, "subject report"]:
    return data.craving_vas[:, (data.craving_day >= first) & (data.craving_day <= last)]


def _mean(marks: Float[np.ndarray, "subject report"]) -> _Values:
    given = np.isfinite(marks)
    count = given.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(given, marks, 0.0).sum(axis=1) / count
    return np.where(count > 0, mean, np.nan)


def _last(marks: Float[np.ndarray, "subject report"]) -> _Values:
    given = np.isfinite(marks)
    if not given.shape[1]:
        return np.full(given.shape[0], np.nan)
    place = given.shape[1] - 1 - given[:, ::-1].argmax(axis=1)
    return np.where(given.any(axis=1), marks[np.arange(marks.shape[0]), place], np.nan)
