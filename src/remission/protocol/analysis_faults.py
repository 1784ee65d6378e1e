"""Faults between an analysis and the rest of its protocol: what its options name, and whether they have a meaning.

Field paths are relative to the protocol.
"""

from collections.abc import Iterator, Sequence

from remission.errors import SpecError, did_you_mean, known_names
from remission.protocol.analysis_windows import analysis_windows, target_window
from remission.protocol.fields import ProtocolFields
from remission.records.analysis import Analysis
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS
from remission.records.treatment import Arm


def option_faults(protocol: ProtocolFields, index: int, analysis: Analysis) -> Iterator[SpecError]:
    """Faults of the options of one analysis; none where its endpoint does not exist, which is a fault of its own."""
    endpoint = next((item for item in protocol.endpoints if item.id == analysis.endpoint), None)
    if endpoint is None:
        return
    where = f"analyses[{index}]"
    of_endpoint = f"{endpoint.id}, in which 'missing' is '{endpoint.missing}'"
    length = len(endpoint.window)
    if analysis.tau_day is not None and analysis.tau_day > length:
        yield SpecError(
            where=f"{where}.tau_day",
            got=analysis.tau_day,
            allowed=f"at most {length}, the days of the endpoint's window: nobody is followed longer",
        )
    if analysis.period_days is not None and analysis.period_days >= length:
        yield SpecError(
            where=f"{where}.period_days",
            got=analysis.period_days,
            allowed=f"fewer than the {length} days of the endpoint's window, so that there are two periods",
        )
    by_visit = "visit_day" in analysis.facts.options
    if (analysis.period_days is not None or by_visit) and endpoint.missing != "observed":
        yield SpecError(
            where=f"{where}.endpoint",
            got=of_endpoint,
            allowed="an endpoint with 'missing: observed': elsewhere nothing is left to impute or to leave out",
            remedy="Add such an endpoint with the same window.",
        )
    if analysis.facts.counts_days and endpoint.missing not in {"observed", "use"}:
        yield SpecError(
            where=f"{where}.endpoint",
            got=of_endpoint,
            allowed="an endpoint with 'missing: observed' or 'missing: use', which count whole days",
        )
    yield from _empty_period_faults(protocol, where, analysis, endpoint)
    if by_visit:
        yield from _visit_faults(protocol, where, analysis, endpoint)
    yield from _baseline_faults(protocol, where, analysis, endpoint)


def _empty_period_faults(
    protocol: ProtocolFields, where: str, analysis: Analysis, endpoint: Endpoint
) -> Iterator[SpecError]:
    """A period without a visit that collects what the endpoint is made of is missing for everyone."""
    need, window = KINDS[endpoint.kind].needs, endpoint.window
    if analysis.period_days is None or need not in {"craving", "depression", "test"}:
        return
    days = [day for visit in protocol.visits if need in visit.collects for day in visit.days]
    for start in range(window.first, window.last + 1, analysis.period_days):
        end = min(start + analysis.period_days - 1, window.last)
        if not any(start <= day <= end for day in days):
            yield SpecError(
                where=f"{where}.period_days",
                got=analysis.period_days,
                allowed=f"periods that each have a visit with {need}; days {start} to {end} have none",
                remedy="Lengthen the periods, or add visits.",
            )
            return


def _visit_faults(protocol: ProtocolFields, where: str, analysis: Analysis, endpoint: Endpoint) -> Iterator[SpecError]:
    """Too few visits for repeated measures, and a day that none of them has."""
    need = KINDS[endpoint.kind].needs
    if analysis.period_days is None and need in {"diary", "test"}:
        yield SpecError(
            where=f"{where}.period_days",
            got="nothing",
            allowed=f"a length of periods: {endpoint.kind} is made of {need}s over days, and not of one visit",
            remedy="Add it, such as period_days: 28.",
        )
        return
    windows = analysis_windows(protocol, analysis, endpoint)
    if len(windows) < 2:
        yield SpecError(
            where=f"{where}.endpoint",
            got=f"{endpoint.id}, with {len(windows)} visits with {need} in its window",
            allowed="an endpoint with two visits or more",
            remedy="Add visits, or use mean_difference.",
        )
    elif analysis.visit_day is not None and target_window(analysis, windows) is None:
        days = ", ".join(str(one.first) for one in windows)
        yield SpecError(
            where=f"{where}.visit_day",
            got=analysis.visit_day,
            allowed=f"a day of a visit with {need} in the endpoint's window: {days}",
        )


def _baseline_faults(
    protocol: ProtocolFields, where: str, analysis: Analysis, endpoint: Endpoint
) -> Iterator[SpecError]:
    if analysis.baseline is None:
        return
    measure = next((item for item in protocol.endpoints if item.id == analysis.baseline), None)
    if measure is None:
        yield from unknown_name(f"{where}.baseline", analysis.baseline, [item.id for item in protocol.endpoints])
        return
    sides = (analysis.contrast.treatment, analysis.contrast.control)
    arms = [arm for arm in protocol.arms if any(side.items() <= arm.factors.items() for side in sides)]
    first = min((_first_treatment_day(protocol, arm) for arm in arms), default=protocol.follow_up_days)
    limit = min(first, endpoint.window.first)
    if measure.window.last >= limit:
        yield SpecError(
            where=f"{where}.baseline",
            got=f"{measure.id}, whose window ends on day {measure.window.last}",
            allowed=f"a measure that ends before day {limit}, when treatment or the endpoint's own window begins",
            remedy="What treatment can have changed is no baseline; begin treatment later, or leave it out.",
        )


def _first_treatment_day(protocol: ProtocolFields, arm: Arm) -> int:
    """The earliest day on which an arm can get anything; the end of follow-up when it gets nothing."""
    days = [protocol.follow_up_days]
    drug = protocol.drugs.get(arm.drug or "")
    days += [start + protocol.drugs[name].earliest_day(1) for start, name in arm.drug_starts if name in protocol.drugs]
    for session in (one for course in protocol.courses_of(arm) for one in course.sessions):
        if session.day is not None:
            days.append(session.day)
        elif drug is not None and session.infusion is not None:
            days.append(drug.earliest_day(session.infusion) + session.offset_days)
    return min([*days, 0] if arm.medicine is not None or arm.way_of_life else days)


def multiplicity_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    """Gates that name an analysis which the protocol lacks."""
    known = [analysis.id for analysis in protocol.analyses]
    for index, gate in enumerate(protocol.multiplicity.gates if protocol.multiplicity is not None else ()):
        for name in gate.analyses:
            yield from unknown_name(f"multiplicity.gates[{index}].analyses", name, known)


def unknown_name(
    where: str, name: str | None, known: Sequence[str], *, allowed: str = "one of the names defined in this file"
) -> Iterator[SpecError]:
    """The fault of a name that is given and not known."""
    if name is not None and name not in known:
        remedy = did_you_mean(name, known, otherwise=known_names(known))
        yield SpecError(where=where, got=name, allowed=allowed, remedy=remedy)
