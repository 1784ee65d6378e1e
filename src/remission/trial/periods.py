"""Lengths of an endpoint's periods, and its days counted: what imputation and count regressions read."""

import numpy as np
from jaxtyping import Float

from remission.endpoints.days import days_of_use
from remission.records.endpoint import Endpoint
from remission.trial.endpoints import endpoint_data
from remission.trial.observation import Observation

__all__ = ["day_counts", "period_lengths"]


def period_lengths(endpoint: Endpoint, period_days: int) -> Float[np.ndarray, " period"]:
    """Days of each period of the endpoint's window; the last one is shorter when the window is no multiple. [day]"""
    starts = np.arange(endpoint.window.first, endpoint.window.last + 1, period_days)
    return np.minimum(starts + period_days, endpoint.window.last + 1) - starts.astype(np.float64)


def day_counts(
    endpoint: Endpoint, seen: Observation, values: Float[np.ndarray, " subject"]
) -> tuple[Float[np.ndarray, " subject"], Float[np.ndarray, " subject"]]:
    """Days that the endpoint counts, and the days among which it counts them, of each person. [day]

    ``values``: the endpoint, in days or in percent of days.
    """
    _, answered = days_of_use(endpoint, endpoint_data(seen))
    among = np.full(values.size, len(endpoint.window)) if endpoint.missing == "weighted" else answered.sum(axis=1)
    days = among.astype(np.float64)
    return (values if endpoint.scale == "count" else np.round(values / 100.0 * days)), days
