"""An endpoint's days counted: what count regressions read."""

import numpy as np
from jaxtyping import Float

from remission.endpoints.days import days_of_use
from remission.records.endpoint import Endpoint
from remission.trial.endpoints import endpoint_data
from remission.trial.observation import Observation


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
