"""Endpoints of what only a simulated trial knows: sessions, ratings of depression, craving by its cue, admissions."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from remission.endpoints.craving import last_of, mean_of
from remission.endpoints.data import EndpointData, Formula, SessionsSeen
from remission.errors import SpecError
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import EndpointKind
from remission.records.population import DayRange
from remission.records.session_rule import SESSION_BOUNDS
from remission.shapes import Bool, Float

_Values = Float[np.ndarray, " subject"]
_Sessions = Bool[np.ndarray, "subject session"]


def cue_mark(cue_sd: float) -> str:
    """The name of marks under a cue of this size, in standard deviations."""
    return f"cue {cue_sd:g}"


def _without(endpoint: Endpoint, what: str) -> SpecError:
    return SpecError(
        where=f"endpoint {endpoint.id}",
        got=f"no {what}",
        allowed=f"{endpoint.kind} in a trial that is simulated with them",
        remedy="Use an endpoint of the diary.",
    )


def _marks(endpoint: Endpoint, data: EndpointData, name: str, first: int, last: int) -> Float[np.ndarray, "subject _"]:
    if name not in data.marks:
        raise _without(endpoint, "ratings of depression" if name == "depression" else "marks of craving by its cue")
    marks = data.marks[name]
    return marks.value[:, (marks.day >= first) & (marks.day <= last)]


def _craving(endpoint: Endpoint, data: EndpointData) -> _Values:
    name = "tonic" if endpoint.cue_sd is None else cue_mark(endpoint.cue_sd)
    return mean_of(_marks(endpoint, data, name, endpoint.window.first, endpoint.window.last))


def _score(endpoint: Endpoint, data: EndpointData) -> _Values:
    """Mean of the ratings; carried, the last one ever given stands where the window has none."""
    found = mean_of(_marks(endpoint, data, "depression", endpoint.window.first, endpoint.window.last))
    if endpoint.missing != "carried":
        return found
    earlier = last_of(_marks(endpoint, data, "depression", -(10**6), endpoint.window.first - 1))
    return np.where(np.isnan(found), earlier, found)


def _score_before(endpoint: Endpoint, data: EndpointData) -> _Values:
    baseline: DayRange | None = endpoint.baseline
    assert baseline is not None
    return mean_of(_marks(endpoint, data, "depression", baseline.first, baseline.last))


def _score_change(endpoint: Endpoint, data: EndpointData) -> _Values:
    return _score(endpoint, data) - _score_before(endpoint, data)


def _response(endpoint: Endpoint, data: EndpointData) -> _Values:
    """1 for a score at least so much below the baseline; under ``use`` who was not rated has not responded."""
    before, after = _score_before(endpoint, data), _score(endpoint, data)
    left = 1.0 - (endpoint.reduction_percent or 0.0) / 100.0
    fell = ((before > 0.0) & (after <= before * left)) * 1.0
    if endpoint.missing == "use":
        return np.where(np.isnan(before), np.nan, fell)
    return np.where(np.isnan(before) | np.isnan(after), np.nan, fell)


def _readmitted(endpoint: Endpoint, data: EndpointData) -> _Values:
    if data.admission_day is None:
        raise _without(endpoint, "admissions")
    return ((data.admission_day >= endpoint.window.first) & (data.admission_day <= endpoint.window.last)) * 1.0


def _events(endpoint: Endpoint, data: EndpointData) -> tuple[_Sessions, _Sessions]:
    """Sessions of the window that count, and those among which they are counted.

    A session of which a bound is not known counts where another is passed, and is left out otherwise.
    """
    sessions, rule = _planned(endpoint, data), endpoint.session
    inside = _inside(endpoint, sessions)
    if rule is None:
        return inside & ~sessions.given, inside
    values = sessions.flowing if rule.stopped else sessions.peak
    passed, known = np.zeros_like(inside), np.ones_like(inside)
    for name in SESSION_BOUNDS:
        bound = getattr(rule, name)
        if bound is not None:
            passed |= values[name] > bound
            known &= ~np.isnan(values[name])
    among = inside & sessions.given & (passed | known)
    return passed & among, among


def _planned(endpoint: Endpoint, data: EndpointData) -> SessionsSeen:
    if data.sessions is None:
        raise _without(endpoint, "dosing sessions")
    return data.sessions


def _inside(endpoint: Endpoint, sessions: SessionsSeen) -> _Sessions:
    return (sessions.day >= endpoint.window.first) & (sessions.day <= endpoint.window.last)


def _any_event(endpoint: Endpoint, data: EndpointData) -> _Values:
    found, among = _events(endpoint, data)
    return np.where(among.any(axis=1), found.any(axis=1) * 1.0, np.nan)


def _percent_of_events(endpoint: Endpoint, data: EndpointData) -> _Values:
    found, among = _events(endpoint, data)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(among.any(axis=1), 100.0 * found.sum(axis=1) / among.sum(axis=1), np.nan)


MEASURED_FORMULAS: Final[Mapping[EndpointKind, Formula]] = {
    "tonic_craving": _craving,
    "cue_craving": _craving,
    "depression_score": _score,
    "depression_change": _score_change,
    "depression_response": _response,
    "readmission": _readmitted,
    "any_session_event": _any_event,
    "percent_session_events": _percent_of_events,
    "any_session_missed": _any_event,
    "percent_sessions_missed": _percent_of_events,
}
"""Refused where the data have nothing of the kind; NaN for a person without a value."""
