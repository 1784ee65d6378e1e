"""Endpoints of single biological tests: share negative and number negative."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from remission.endpoints.data import EndpointData, Formula
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import EndpointKind
from remission.shapes import Float


def _negative_tests(endpoint: Endpoint, data: EndpointData) -> Float[np.ndarray, " subject"]:
    """The percentage or the number of negative tests in the window; NaN for a person without a value.

    Tests that were due and not given are left out, or count by the endpoint's rule.
    """
    upto = data.test_day <= endpoint.window.last
    day = data.test_day[upto]
    planned = (day < data.end_day[:, None]) & (day >= endpoint.window.first)
    kept, positive = data.test_kept[:, upto], data.test_positive[:, upto]
    missed = data.test_due[:, upto] & ~kept
    counted, negative = kept, kept & ~positive
    if endpoint.missing == "use":
        counted = kept | missed
    elif endpoint.missing == "carried":
        place = np.maximum.accumulate(np.where(kept, np.arange(day.size), -1), axis=1)
        carried = np.take_along_axis(negative, np.maximum(place, 0), axis=1) if day.size else negative
        counted = kept | (missed & (place >= 0))
        negative = np.where(kept, negative, carried & counted)
    n = (counted & planned).sum(axis=1)
    good = (negative & planned).sum(axis=1).astype(np.float64)
    if endpoint.missing == "weighted":
        lost = (missed & planned).sum(axis=1)
        good, n = good + (1.0 - (endpoint.missing_weight or 0.0)) * lost, n + lost
    if endpoint.kind == "negative_tests":
        return np.where(n > 0, good, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n > 0, 100.0 * good / n, np.nan)


SCREEN_FORMULAS: Final[Mapping[EndpointKind, Formula]] = {
    "percent_negative_tests": _negative_tests,
    "negative_tests": _negative_tests,
}
