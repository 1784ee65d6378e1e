"""Faults between the parts of a protocol: names that do not exist, days outside the follow-up, endpoints without data.

Each check returns its faults, so that a reader sees all of them at once. Field paths are relative to the protocol.
"""

from collections.abc import Sequence
from typing import Final

from remission.errors import SpecError, did_you_mean, known_names
from remission.protocol.analysis_faults import multiplicity_faults, option_faults
from remission.protocol.evidence_words import outcome_words
from remission.protocol.fields import ProtocolFields
from remission.protocol.layout import layout_faults
from remission.protocol.question import question_faults
from remission.records.analysis import Analysis
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS

__all__ = ["NEEDED_DATA", "coherence_faults"]

NEEDED_DATA: Final = {kind: facts.needs for kind, facts in KINDS.items()}
"""What a visit must collect for an endpoint of each kind."""

_AT_VISITS: Final = frozenset({"craving", "test"})
"""What is known for a visit's day only, so that a window needs a visit."""


def coherence_faults(protocol: ProtocolFields) -> list[SpecError]:
    """Every fault between the parts of a protocol whose parts are each valid."""
    return [
        *_name_faults(protocol),
        *_allocation_faults(protocol),
        *_day_faults(protocol),
        *_session_faults(protocol),
        *_measure_faults(protocol),
        *_analysis_faults(protocol),
        *_comparison_faults(protocol),
        *multiplicity_faults(protocol),
        *layout_faults(protocol),
        *question_faults(protocol),
    ]


def _name_faults(protocol: ProtocolFields) -> list[SpecError]:
    faults = []
    for field in ("arms", "visits", "endpoints", "analyses"):
        faults += _repeats(field, "id", [item.id for item in getattr(protocol, field)])
    faults += _repeats("arms", "label", [arm.label for arm in protocol.arms])
    for index, arm in enumerate(protocol.arms):
        faults += _unknown(f"arms[{index}].drug", arm.drug, list(protocol.drugs))
        faults += _unknown(f"arms[{index}].therapy", arm.therapy, list(protocol.therapies))
        faults += _unknown(f"arms[{index}].medicine", arm.medicine, list(protocol.medicines))
    return faults


def _repeats(field: str, key: str, names: Sequence[str]) -> list[SpecError]:
    return [
        SpecError(
            where=f"{field}[{index}].{key}",
            got=name,
            allowed=f"a {key} used once; {field}[{names.index(name)}] has it already",
            remedy="Rename one.",
        )
        for index, name in enumerate(names)
        if name in names[:index]
    ]


def _allocation_faults(protocol: ProtocolFields) -> list[SpecError]:
    total = sum(arm.allocation for arm in protocol.arms)
    size = protocol.randomization.block_size
    if size is None or size % total == 0:
        return []
    return [
        SpecError(
            where="randomization.block_size",
            got=size,
            allowed=f"a multiple of {total}, the summed allocation of the arms",
        )
    ]


def _day_faults(protocol: ProtocolFields) -> list[SpecError]:
    last = protocol.follow_up_days - 1
    days: list[tuple[str, int]] = []
    for name, drug in protocol.drugs.items():
        days.append((f"drugs.{name}.infusions", drug.last_day_latest))
    for index, arm in enumerate(protocol.arms):
        for number, period in enumerate(arm.periods):
            if period.drug in protocol.drugs:
                end = period.start + protocol.drugs[period.drug].last_day_latest
                days.append((f"arms[{index}].periods[{number}].start", end))
    for name, therapy in protocol.therapies.items():
        for index, session in enumerate(therapy.sessions):
            if session.day is not None:
                days.append((f"therapies.{name}.sessions[{index}].day", session.day))
    for index, stay in enumerate(protocol.setting.inpatient):
        days.append((f"setting.inpatient[{index}].last", stay.last))
    for index, visit in enumerate(protocol.visits):
        days.append((f"visits[{index}].days", max(visit.days)))
    for index, endpoint in enumerate(protocol.endpoints):
        days.append((f"endpoints[{index}].window.last", endpoint.window.last))
        if endpoint.baseline is not None:
            days.append((f"endpoints[{index}].baseline.last", endpoint.baseline.last))
    return [
        SpecError(
            where=where,
            got=f"day {day}",
            allowed=f"at most {last}, the last day of follow-up",
            remedy="Move it, or lengthen follow_up_days.",
        )
        for where, day in days
        if day > last
    ]


def _session_faults(protocol: ProtocolFields) -> list[SpecError]:
    """Sessions that follow an infusion which an arm does not have, or that can fall after the end."""
    faults = []
    for name, therapy in protocol.therapies.items():
        drugs = {arm.id: protocol.drugs.get(arm.drug or "") for arm in protocol.arms if arm.therapy == name}
        for number, session in enumerate(therapy.sessions):
            if session.infusion is None:
                continue
            where = f"therapies.{name}.sessions[{number}]"
            without = [arm for arm, drug in drugs.items() if drug is None or len(drug.infusions) < session.infusion]
            if without:
                faults.append(
                    SpecError(
                        where=f"{where}.infusion",
                        got=session.infusion,
                        allowed=f"an infusion that every arm with this therapy has; not so in {', '.join(without)}",
                        remedy="Use a fixed day for sessions without an infusion.",
                    )
                )
                continue
            first_day = min((drug.earliest_day(session.infusion) for drug in drugs.values() if drug), default=0)
            if first_day + session.offset_days < 0:
                faults.append(
                    SpecError(
                        where=f"{where}.offset_days",
                        got=session.offset_days,
                        allowed=f"at least {-first_day}: day 0 is the first, the infusion can be on day {first_day}",
                        remedy="Put the infusion later, or the session nearer to it.",
                    )
                )
            last_day = max((drug.latest_day(session.infusion) for drug in drugs.values() if drug), default=0)
            if last_day + session.offset_days >= protocol.follow_up_days:
                faults.append(
                    SpecError(
                        where=f"{where}.offset_days",
                        got=session.offset_days,
                        allowed=f"a session by day {protocol.follow_up_days - 1} even after the longest gaps",
                        remedy="Shorten the gaps or the offset, or lengthen follow_up_days.",
                    )
                )
    return faults


def _measure_faults(protocol: ProtocolFields) -> list[SpecError]:
    faults = []
    collected: set[str] = {what for visit in protocol.visits for what in visit.collects}
    collected |= {"visit"} if protocol.visits else set()
    for index, visit in enumerate(protocol.visits):
        if list(visit.days) != sorted(set(visit.days)):
            faults.append(
                SpecError(
                    where=f"visits[{index}].days", got=list(visit.days), allowed="days in rising order, each once"
                )
            )
    for index, endpoint in enumerate(protocol.endpoints):
        faults += _endpoint_faults(protocol, index, endpoint, collected)
        faults += _meaning_faults(protocol, index, endpoint)
    if "test" in collected and protocol.test is None:
        faults.append(
            SpecError(where="test", got="nothing", allowed="a test: a visit collects one", remedy="Describe it.")
        )
    return faults


def _endpoint_faults(protocol: ProtocolFields, index: int, endpoint: Endpoint, collected: set[str]) -> list[SpecError]:
    need, window = NEEDED_DATA[endpoint.kind], endpoint.window
    needs = [need, *(["test"] if endpoint.verification == "test" else [])]
    for what in needs:
        if what not in collected:
            return [
                SpecError(
                    where=f"endpoints[{index}].kind",
                    got=endpoint.kind,
                    allowed=f"an endpoint that the visits can feed; it needs '{what}' and no visit collects it",
                    remedy=f"Add '{what}' to a visit's collects.",
                )
            ]
    for what in needs:
        days = sorted({day for visit in protocol.visits if what in visit.collects for day in visit.days})
        windows = {"window": window, **({"baseline": endpoint.baseline} if endpoint.baseline else {})}
        for name, span in windows.items():
            if (
                what in _AT_VISITS
                and endpoint.kind != "confirmed_relapse"
                and not any(span.first <= day <= span.last for day in days)
            ):
                return [
                    SpecError(
                        where=f"endpoints[{index}].{name}",
                        got=f"days {span.first} to {span.last}",
                        allowed=f"a window with at least one visit that collects {what}",
                        remedy=f"{what.capitalize()} is collected on days {', '.join(map(str, days))}.",
                    )
                ]
    facts = KINDS[endpoint.kind]
    counts_days = facts.needs == "diary" and endpoint.kind != "days_to_relapse_or_dropout"
    counts_days = counts_days or endpoint.kind == "confirmed_relapse"
    diaries = [day for visit in protocol.visits if "diary" in visit.collects for day in visit.days]
    if endpoint.missing == "use" and counts_days and max(diaries, default=-1) < window.last:
        # Everyone would fail: the days after the last diary count as use for all.
        return [
            SpecError(
                where=f"endpoints[{index}].window.last",
                got=f"day {window.last}",
                allowed="no day after the last diary, because 'missing: use' would count it as use for everyone",
                remedy="Add a diary visit at the end of the window, or shorten the window.",
            )
        ]
    return []


def _meaning_faults(protocol: ProtocolFields, index: int, endpoint: Endpoint) -> list[SpecError]:
    """Endpoints that ask these people or this window for what they cannot have."""
    faults = []
    if endpoint.kind == "drinking_risk_reduction" and protocol.substance != "alcohol":
        faults.append(
            SpecError(
                where=f"endpoints[{index}].kind",
                got=endpoint.kind,
                allowed=f"an endpoint of {protocol.substance.value}: risk levels are grams of ethanol a day",
                remedy="Use percent_days_abstinent or use_days.",
            )
        )
    rule = endpoint.weekly
    n_weeks = -(-len(endpoint.window) // 7)
    if rule is not None and rule.last_week_named > n_weeks:
        faults.append(
            SpecError(
                where=f"endpoints[{index}].window.last",
                got=f"{n_weeks} weeks from day {endpoint.window.first}",
                allowed=f"at least {rule.last_week_named} weeks, which the weekly rule names",
                remedy="Lengthen the window, or use an endpoint that needs fewer weeks.",
            )
        )
    return faults


def _analysis_faults(protocol: ProtocolFields) -> list[SpecError]:
    faults = []
    for index, analysis in enumerate(protocol.analyses):
        faults += _unknown(
            f"analyses[{index}].endpoint", analysis.endpoint, [endpoint.id for endpoint in protocol.endpoints]
        )
        faults += _method_faults(protocol, index, analysis)
        faults += _contrast_faults(protocol, index, analysis)
        faults += option_faults(protocol, index, analysis)
    if protocol.estimand is not None:
        names = [analysis.id for analysis in protocol.analyses]
        faults += _unknown("estimand.analysis", protocol.estimand.analysis, names)
    return faults


def _method_faults(protocol: ProtocolFields, index: int, analysis: Analysis) -> list[SpecError]:
    kind = next((item.kind for item in protocol.endpoints if item.id == analysis.endpoint), None)
    fitting = analysis.facts.fits
    if kind is None or kind in fitting:
        return []
    return [
        SpecError(
            where=f"analyses[{index}].method",
            got=analysis.method,
            allowed=f"a method for {kind}; {analysis.method} fits {', '.join(sorted(fitting))}",
        )
    ]


def _contrast_faults(protocol: ProtocolFields, index: int, analysis: Analysis) -> list[SpecError]:
    faults = []
    where = f"analyses[{index}].contrast"
    factors = sorted({name for arm in protocol.arms for name in arm.factors})
    sides = {}
    for side in ("treatment", "control"):
        wanted = getattr(analysis.contrast, side)
        sides[side] = [arm.id for arm in protocol.arms if wanted.items() <= arm.factors.items()]
        if not sides[side]:
            faults.append(
                SpecError(
                    where=f"{where}.{side}",
                    got=", ".join(f"{name}: {level}" for name, level in wanted.items()),
                    allowed="factor levels that at least one arm has",
                    remedy=f"Factors of the arms: {', '.join(factors) or 'none'}.",
                )
            )
    both = [arm for arm in sides["treatment"] if arm in sides["control"]]
    if both:
        faults.append(SpecError(where=where, got=both, allowed="no arm on both sides of the contrast"))
    compared = {*analysis.contrast.treatment, *analysis.contrast.control}
    for name in analysis.adjust:
        faults += _unknown(f"analyses[{index}].adjust", name, [*factors, "sex", "site", "age", "weight"])
        if name in compared:
            faults.append(
                SpecError(
                    where=f"analyses[{index}].adjust",
                    got=name,
                    allowed="factors beside the contrast: the effect of a factor cannot be adjusted for itself",
                    remedy="Remove it.",
                )
            )
    return faults


def _comparison_faults(protocol: ProtocolFields) -> list[SpecError]:
    faults = []
    seen: list[tuple[str | None, str | None, str | None]] = []
    for index, comparison in enumerate(protocol.comparisons):
        where = f"comparisons[{index}]"
        faults += _unknown(f"{where}.analysis", comparison.analysis, [item.id for item in protocol.analyses])
        faults += _unknown(f"{where}.endpoint", comparison.endpoint, [item.id for item in protocol.endpoints])
        faults += _unknown(f"{where}.arm", comparison.arm, [arm.id for arm in protocol.arms])
        target = (comparison.analysis, comparison.endpoint, comparison.arm)
        if target in seen:
            faults.append(
                SpecError(
                    where=where,
                    got=" of ".join(name for name in target if name),
                    allowed=f"a simulated number compared once; comparisons[{seen.index(target)}] has it",
                )
            )
        seen.append(target)
    if protocol.comparisons and protocol.evidence is None:
        faults.append(
            SpecError(where="evidence", got="nothing", allowed="the id of the published trial to compare with")
        )
    return faults + _evidence_faults(protocol)


def _evidence_faults(protocol: ProtocolFields) -> list[SpecError]:
    """A trial or an outcome of it that the registry does not hold: found here, not after the simulation."""
    if protocol.evidence is None:
        return []
    known = outcome_words()
    if protocol.evidence not in known:
        return [
            SpecError(
                where="evidence",
                got=protocol.evidence,
                allowed=f"the id of one of the {len(known)} published trials",
                remedy=did_you_mean(protocol.evidence, known, otherwise="remission evidence list prints them."),
            )
        ]
    faults = []
    words = known[protocol.evidence]
    for index, comparison in enumerate(protocol.comparisons):
        wanted = (comparison.arm_or_contrast, comparison.outcome, comparison.statistic)
        if words.count(wanted) != 1:
            faults.append(
                SpecError(
                    where=f"comparisons[{index}]",
                    got=" | ".join(wanted),
                    allowed=f"the words of exactly one outcome of {protocol.evidence} (arm or contrast | outcome | "
                    f"statistic); {words.count(wanted)} have these",
                    remedy=f"It has: {'; '.join(' | '.join(one) for one in words[:20])}." if words else "It has none.",
                )
            )
    return faults


def _unknown(where: str, name: str | None, known: Sequence[str]) -> list[SpecError]:
    if name is None or name in known:
        return []
    return [
        SpecError(
            where=where,
            got=name,
            allowed=f"one of the names defined in this file ({len(known)})",
            remedy=did_you_mean(name, known, otherwise=known_names(known)),
        )
    ]
