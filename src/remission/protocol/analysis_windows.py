"""Parts of an endpoint's window that an analysis reads one by one: periods, or the days of visits."""

from remission.protocol.fields import ProtocolFields
from remission.records.analysis import Analysis
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS
from remission.records.population import DayRange


def analysis_windows(protocol: ProtocolFields, analysis: Analysis, endpoint: Endpoint) -> tuple[DayRange, ...]:
    """Periods of ``period_days``, the last one shorter when the window is no multiple; without it, each day of a visit
    that collects what the endpoint is made of.
    """
    window, first, last = endpoint.window, endpoint.window.first, endpoint.window.last
    length = analysis.period_days
    if length is not None:
        starts = range(first, last + 1, length)
        return tuple(window.replace(first=start, last=min(start + length - 1, last)) for start in starts)
    need = KINDS[endpoint.kind].needs
    days = {day for visit in protocol.visits if need in visit.collects for day in visit.days}
    return tuple(window.replace(first=day, last=day) for day in sorted(days) if first <= day <= last)


def target_window(analysis: Analysis, windows: tuple[DayRange, ...]) -> int | None:
    """Which of the windows the estimate is of; ``None``: of all of them, or it has no such day."""
    if analysis.mean_over_visits or not windows:
        return None
    if analysis.visit_day is None:
        return len(windows) - 1
    day = analysis.visit_day
    return next((place for place, window in enumerate(windows) if window.first <= day <= window.last), None)


def target_endpoint(protocol: ProtocolFields, analysis: Analysis, endpoint: Endpoint) -> Endpoint:
    """The endpoint that an analysis estimates a contrast of: its own, or its part at one visit."""
    if "visit_day" not in analysis.facts.options:
        return endpoint
    windows = analysis_windows(protocol, analysis, endpoint)
    place = target_window(analysis, windows)
    return endpoint if place is None else endpoint.replace(definition=None, window=windows[place])
