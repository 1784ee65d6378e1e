"""Faults between an analysis and the rest of its protocol: what its options name, and whether they have a meaning.

Field paths are relative to the protocol.
"""

from collections.abc import Sequence

from remission.errors import SpecError, did_you_mean, known_names
from remission.protocol.fields import ProtocolFields
from remission.records.analysis import Analysis
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS
from remission.records.treatment import Arm

__all__ = ["multiplicity_faults", "option_faults"]


def option_faults(protocol: ProtocolFields, index: int, analysis: Analysis) -> list[SpecError]:
    """Faults of the options of one analysis; none where its endpoint does not exist, which is a fault of its own."""
    endpoint = next((item for item in protocol.endpoints if item.id == analysis.endpoint), None)
    if endpoint is None:
        return []
    where = f"analyses[{index}]"
    faults = []
    length = len(endpoint.window)
    if analysis.tau_day is not None and analysis.tau_day > length:
        faults.append(
            SpecError(
                where=f"{where}.tau_day",
                got=analysis.tau_day,
                allowed=f"at most {length}, the days of the endpoint's window: nobody is followed longer",
            )
        )
    if analysis.period_days is not None:
        if analysis.period_days >= length:
            faults.append(
                SpecError(
                    where=f"{where}.period_days",
                    got=analysis.period_days,
                    allowed=f"fewer than the {length} days of the endpoint's window, so that there are two periods",
                )
            )
        if endpoint.missing != "observed":
            faults.append(
                SpecError(
                    where=f"{where}.endpoint",
                    got=f"{endpoint.id}, in which 'missing' is '{endpoint.missing}'",
                    allowed="an endpoint with 'missing: observed': elsewhere nothing is left to impute",
                    remedy="Add such an endpoint with the same window.",
                )
            )
    if analysis.facts.counts_days and endpoint.missing not in {"observed", "use"}:
        faults.append(
            SpecError(
                where=f"{where}.endpoint",
                got=f"{endpoint.id}, in which 'missing' is '{endpoint.missing}'",
                allowed="an endpoint with 'missing: observed' or 'missing: use', which count whole days",
            )
        )
    return [
        *faults,
        *_empty_period_faults(protocol, where, analysis, endpoint),
        *_baseline_faults(protocol, where, analysis, endpoint),
    ]


def _empty_period_faults(
    protocol: ProtocolFields, where: str, analysis: Analysis, endpoint: Endpoint
) -> list[SpecError]:
    """A period without a visit that collects what the endpoint is made of is missing for everyone."""
    need = KINDS[endpoint.kind].needs
    if analysis.period_days is None or need not in {"craving", "test"}:
        return []
    days = [day for visit in protocol.visits if need in visit.collects for day in visit.days]
    starts = range(endpoint.window.first, endpoint.window.last + 1, analysis.period_days)
    ends = [min(start + analysis.period_days - 1, endpoint.window.last) for start in starts]
    empty = [
        f"{start} to {end}"
        for start, end in zip(starts, ends, strict=True)
        if not any(start <= day <= end for day in days)
    ]
    if not empty:
        return []
    return [
        SpecError(
            where=f"{where}.period_days",
            got=analysis.period_days,
            allowed=f"periods that each have a visit with {need}; days {empty[0]} have none",
            remedy="Lengthen the periods, or add visits.",
        )
    ]


def _baseline_faults(protocol: ProtocolFields, where: str, analysis: Analysis, endpoint: Endpoint) -> list[SpecError]:
    if analysis.baseline is None:
        return []
    measure = next((item for item in protocol.endpoints if item.id == analysis.baseline), None)
    if measure is None:
        return _unknown(f"{where}.baseline", analysis.baseline, [item.id for item in protocol.endpoints])
    sides = (analysis.contrast.treatment, analysis.contrast.control)
    arms = [arm for arm in protocol.arms if any(side.items() <= arm.factors.items() for side in sides)]
    first = min((_first_treatment_day(protocol, arm) for arm in arms), default=protocol.follow_up_days)
    limit = min(first, endpoint.window.first)
    if measure.window.last < limit:
        return []
    return [
        SpecError(
            where=f"{where}.baseline",
            got=f"{measure.id}, whose window ends on day {measure.window.last}",
            allowed=f"a measure that ends before day {limit}, when treatment or the endpoint's own window begins",
            remedy="What treatment can have changed is no baseline; begin treatment later, or leave it out.",
        )
    ]


def _first_treatment_day(protocol: ProtocolFields, arm: "Arm") -> int:
    """The earliest day on which an arm can get anything; the end of follow-up when it gets nothing."""
    days = [protocol.follow_up_days]
    drug = protocol.drugs.get(arm.drug or "")
    if drug is not None:
        days.append(drug.earliest_day(1))
    days += [
        period.start + protocol.drugs[period.drug].earliest_day(1)
        for period in arm.periods
        if period.drug in protocol.drugs
    ]
    therapy = protocol.therapies.get(arm.therapy or "")
    for session in therapy.sessions if therapy is not None else ():
        if session.day is not None:
            days.append(session.day)
        elif drug is not None and session.infusion is not None:
            days.append(drug.earliest_day(session.infusion) + session.offset_days)
    if arm.medicine is not None:
        days.append(0)
    return min(days)


def multiplicity_faults(protocol: ProtocolFields) -> list[SpecError]:
    """Gates that name an analysis which the protocol lacks."""
    if protocol.multiplicity is None:
        return []
    known = [analysis.id for analysis in protocol.analyses]
    return [
        fault
        for index, gate in enumerate(protocol.multiplicity.gates)
        for name in gate.analyses
        for fault in _unknown(f"multiplicity.gates[{index}].analyses", name, known)
    ]


def _unknown(where: str, name: str, known: Sequence[str]) -> list[SpecError]:
    if name in known:
        return []
    remedy = did_you_mean(name, known, otherwise=known_names(known))
    return [SpecError(where=where, got=name, allowed="one of the names defined in this file", remedy=remedy)]
