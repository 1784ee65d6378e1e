"""An endpoint's days counted: what count regressions read."""

import numpy as np

from remission.endpoints.days import day_counts_of
from remission.records.endpoint import Endpoint
from remission.shapes import Float
from remission.trial.endpoints import endpoint_data
from remission.trial.observation import Observation


def day_counts(
    endpoint: Endpoint, seen: Observation, values: Float[np.ndarray, " subject"]
) -> tuple[Float[np.ndarray, " subject"], Float[np.ndarray, " subject"]]:
    """As :func:`~remission.endpoints.days.day_counts_of`, of simulated people."""
    return day_counts_of(endpoint, endpoint_data(seen), values)
