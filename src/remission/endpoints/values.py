"""The front of the layer: a person's number, a time with its event, and numbers by consecutive periods."""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from remission.endpoints.changes import CHANGE_FORMULAS
from remission.endpoints.craving import CRAVING_FORMULAS
from remission.endpoints.data import EndpointData, Formula, TimeFormula, no_formula
from remission.endpoints.days import DAY_FORMULAS
from remission.endpoints.drinking import DRINKING_FORMULAS
from remission.endpoints.measured import MEASURED_FORMULAS
from remission.endpoints.screens import SCREEN_FORMULAS
from remission.endpoints.times import DAY_TIME_FORMULAS
from remission.endpoints.weeks import WEEK_FORMULAS, WEEK_TIME_FORMULAS
from remission.errors import SpecError
from remission.records.analysis_methods import complete
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS, EndpointKind
from remission.records.population import DayRange
from remission.shapes import Bool, Float

FORMULAS: Final[Mapping[EndpointKind, Formula]] = {
    **DAY_FORMULAS,
    **CHANGE_FORMULAS,
    **CRAVING_FORMULAS,
    **SCREEN_FORMULAS,
    **DRINKING_FORMULAS,
    **MEASURED_FORMULAS,
    **WEEK_FORMULAS,
}
"""The formula of every kind that is a number of a person; each stands in the table of its file."""

TIME_FORMULAS: Final[Mapping[EndpointKind, TimeFormula]] = {**DAY_TIME_FORMULAS, **WEEK_TIME_FORMULAS}
"""The formula of every kind that is a time to an event."""

complete(FORMULAS, {kind: facts for kind, facts in KINDS.items() if facts.scale != "time"}, what="kinds of endpoints")
complete(TIME_FORMULAS, {kind: facts for kind, facts in KINDS.items() if facts.scale == "time"}, what="kinds of times")


def values_of(endpoint: Endpoint, data: EndpointData) -> Float[np.ndarray, " subject"]:
    """The endpoint of each person in ``endpoint.unit``; NaN for a person without a value under the endpoint's rule.

    Raises SpecError: the window lies outside of the data, or the data lack what the endpoint needs.
    """
    check_formula(endpoint)
    if endpoint.is_time_to_event:
        return times_of(endpoint, data)[0]
    if KINDS[endpoint.kind].needs == "test" or endpoint.verification == "test":
        _check_tests(endpoint, data)
    return FORMULAS[endpoint.kind](endpoint, data)


def check_formula(endpoint: Endpoint) -> None:
    """Refuse a kind that is declared and has no formula, before anything is simulated.

    Raises SpecError: there is none.
    """
    if endpoint.kind not in FORMULAS and endpoint.kind not in TIME_FORMULAS:
        raise no_formula(endpoint)


def times_of(
    endpoint: Endpoint, data: EndpointData
) -> tuple[Float[np.ndarray, " subject"], Bool[np.ndarray, " subject"]]:
    """Each person's time in ``endpoint.unit`` and whether the event ended it; without an event the time is censored.

    Raises SpecError: the endpoint is no time to an event, or as :func:`values_of`.
    """
    if not endpoint.is_time_to_event:
        raise SpecError(where=f"endpoint {endpoint.id}", got=endpoint.kind, allowed="a time to an event")
    if KINDS[endpoint.kind].needs == "test":
        _check_tests(endpoint, data)
    check_formula(endpoint)
    return TIME_FORMULAS[endpoint.kind](endpoint, data.so_far())


def _check_tests(endpoint: Endpoint, data: EndpointData) -> None:
    if not data.test_day.size:
        raise SpecError(
            where=f"endpoint {endpoint.id}", got="no biological test", allowed=f"{endpoint.kind} where tests were due"
        )


def period_values_of(
    endpoint: Endpoint, data: EndpointData, windows: Sequence[DayRange]
) -> Float[np.ndarray, "subject period"]:
    """The endpoint in parts of its window, NaN where nothing of a part was seen.

    What was not seen is left out whatever the endpoint's own rule is, for analyses that impute it.

    Raises SpecError: the kind has no meaning in a part of its window.
    """
    if not KINDS[endpoint.kind].by_period:
        raise SpecError(
            where=f"endpoint {endpoint.id}",
            got=endpoint.kind,
            allowed=f"by periods only {', '.join(sorted(kind for kind, facts in KINDS.items() if facts.by_period))}",
        )
    plain = endpoint.replace(definition=None, missing="observed", missing_weight=None)
    return np.stack([values_of(plain.replace(window=window), data) for window in windows], axis=1)
