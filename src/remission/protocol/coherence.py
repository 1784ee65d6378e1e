"""Faults between the parts of a protocol: names that do not exist, days outside the follow-up, endpoints without data.

Each check yields its faults, so that a reader sees all of them at once. Field paths are relative to the protocol.
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from remission.errors import SpecError, did_you_mean
from remission.protocol.analysis_faults import multiplicity_faults, option_faults, unknown_name
from remission.protocol.dose_faults import dose_faults
from remission.protocol.fields import ProtocolFields
from remission.protocol.layout import layout_faults
from remission.protocol.question import question_faults
from remission.records.analysis import BASELINE_COVARIATES, Analysis
from remission.records.comorbidity import CONDITIONS, condition_contrast, why_unread
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import KINDS
from remission.records.packaged import evidence_records, verdict_words
from remission.records.therapy_kinds import THERAPIES
from remission.records.treatment import Arm

_AT_VISITS: Final = frozenset({"craving", "depression", "test"})
"""What is known for a visit's day only, so that a window needs a visit."""


def coherence_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    """Every fault between the parts of a protocol whose parts are each valid."""
    for faults in (
        _name_faults, _comorbidity_faults, _covariate_faults, _allocation_faults, _people_faults, _day_faults,
        dose_faults, _session_faults, _measure_faults, _analysis_faults, _comparison_faults, multiplicity_faults,
        layout_faults, question_faults,
    ):  # fmt: skip
        yield from faults(protocol)


def _unknown(where: str, name: str | None, known: Sequence[str]) -> Iterator[SpecError]:
    return unknown_name(where, name, known, allowed=f"one of the names defined in this file ({len(known)})")


def _name_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    for field in ("arms", "visits", "endpoints", "analyses"):
        yield from _repeats(field, "id", [item.id for item in getattr(protocol, field)])
    yield from _repeats("arms", "label", [arm.label for arm in protocol.arms])
    for index, arm in enumerate(protocol.arms):
        yield from _unknown(f"arms[{index}].drug", arm.drug, list(protocol.drugs))
        yield from _unknown(f"arms[{index}].therapy", arm.therapy, list(protocol.therapies))
        yield from _unknown(f"arms[{index}].incentives", arm.incentives, list(protocol.therapies))
        yield from _unknown(f"arms[{index}].medicine", arm.medicine, list(protocol.medicines))
        for number, name in enumerate(arm.way_of_life):
            yield from _unknown(f"arms[{index}].way_of_life[{number}]", name, list(protocol.way_of_life))
        yield from _incentive_faults(protocol, index, arm)


def _incentive_faults(protocol: ProtocolFields, index: int, arm: Arm) -> Iterator[SpecError]:
    """Rewards beside a course of therapy: rewards, and not twice."""
    targets = [THERAPIES[protocol.therapies[name].kind].target for name in arm.contacts if name in protocol.therapies]
    if arm.incentives in protocol.therapies and targets[-1] != "incentive":
        yield SpecError(
            where=f"arms[{index}].incentives",
            got=f"{arm.incentives}, which is {protocol.therapies[arm.incentives].kind}",
            allowed="a course that gives rewards: kind contingency-management",
            remedy="Name such a course, or write it as therapy.",
        )
    elif targets == ["incentive", "incentive"]:
        yield SpecError(
            where=f"arms[{index}].incentives",
            got=arm.incentives,
            allowed="nothing here: the therapy of this arm gives rewards already",
            remedy="Remove one of the two.",
        )


def _repeats(field: str, key: str, names: Sequence[str]) -> Iterator[SpecError]:
    for index, name in enumerate(names):
        if name in names[:index]:
            yield SpecError(
                where=f"{field}[{index}].{key}",
                got=name,
                allowed=f"a {key} used once; {field}[{names.index(name)}] has it already",
                remedy="Rename one.",
            )


def _comorbidity_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    """Conditions that are named and whose prevalence nobody knows, or whose effect on use was not read."""
    stated = protocol.population.comorbidity
    read = [arm.id for arm in protocol.arms if set(arm.factors) & set(CONDITIONS)]
    for name in CONDITIONS:
        used = [
            *(["randomization.stratify_by"] if name in protocol.randomization.stratify_by else []),
            *(f"analyses[{i}].adjust" for i, plan in enumerate(protocol.analyses) if name in plan.adjust and not read),
            *(f"analyses[{i}].stratify_by" for i, plan in enumerate(protocol.analyses) if name in plan.stratify_by),
        ]
        condition = getattr(stated, name, None)
        where = f"population.comorbidity.{name}"
        if condition is not None:
            used.insert(0, f"{where}.prevalence")
        if protocol.prevalence(name) is None:
            for place in used:
                yield SpecError(
                    where=place,
                    got="nothing" if place.startswith(where) else name,
                    allowed=f"a prevalence of {name}: none was read for {protocol.substance}",
                    remedy=f"State {where}.prevalence, a share from 0 to 1.",
                )
        if condition is not None and condition.effect_share:
            contrast = condition_contrast(name, substance=protocol.substance)
            if contrast is None:
                yield SpecError(
                    where=f"{where}.effect_share",
                    got=condition.effect_share,
                    allowed=f"0: nothing of {name} on {protocol.substance} use was read that could act",
                    remedy=f"Leave the line out: {why_unread(name)}.",
                )


def _covariate_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    """Covariates and strata of a baseline that people do not have, or of amounts that are not modeled."""
    factors = {name for arm in protocol.arms for name in arm.factors}
    named = {f"analyses[{i}].{field}": getattr(plan, field) for i, plan in enumerate(protocol.analyses)
             for field in ("adjust", "stratify_by")}  # fmt: skip
    named["randomization.stratify_by"] = protocol.randomization.stratify_by
    for where, names in named.items():
        for name in [word for word in names if word in BASELINE_COVARIATES and word not in factors]:
            if protocol.population.baseline is None:
                yield SpecError(
                    where=where, got=name, allowed="a covariate of people with days before day 0; these have none",
                    remedy="Add 'population: {baseline: {days: 28}}', or remove it.",
                )  # fmt: skip
            elif name == "baseline-amount" and not protocol.substance.facts.amount_units:
                yield SpecError(
                    where=where, got=name, allowed=f"another covariate: no amount of {protocol.substance} is modeled",
                    remedy="Use baseline-use.",
                )  # fmt: skip


def _allocation_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    total = sum(arm.allocation for arm in protocol.arms)
    size = protocol.randomization.block_size
    if size is not None and size % total:
        allowed = f"a multiple of {total}, the summed allocation of the arms"
        yield SpecError(where="randomization.block_size", got=size, allowed=allowed)


def _people_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    """An opioid agonist in people who use no opioid, or under a medicine that takes it away."""
    if protocol.population.agonist is None:
        return
    if protocol.substance != "opioid":
        yield SpecError(
            where="population.agonist",
            got=protocol.population.agonist,
            allowed=f"nothing for {protocol.substance.value}: it is a treatment of opioid use",
            remedy="Remove it.",
        )
    for name, course in protocol.medicines.items():
        if course.medicine.startswith("naltrexone"):
            yield SpecError(
                where=f"medicines.{name}.medicine",
                got=course.medicine,
                allowed=f"no naltrexone in people on {protocol.population.agonist}: it brings on withdrawal at once",
                remedy="Remove one of the two.",
            )


def _planned_of_people(protocol: ProtocolFields) -> Iterator[tuple[str, int]]:
    if isinstance(protocol.population.quit_day, int):
        yield "population.quit_day", protocol.population.quit_day
    for name, medicine in protocol.medicines.items():
        yield f"medicines.{name}.start_day", medicine.start_day
        if medicine.stop_day is not None:
            yield f"medicines.{name}.stop_day", medicine.stop_day


def _planned_days(protocol: ProtocolFields) -> Iterator[tuple[str, int]]:
    """The latest day that each part of the protocol names or can reach."""
    yield from _planned_of_people(protocol)
    for name, drug in protocol.drugs.items():
        yield f"drugs.{name}.infusions", drug.last_day_latest
    for index, arm in enumerate(protocol.arms):
        for number, period in enumerate(arm.periods):
            if period.drug in protocol.drugs:
                end = period.start + protocol.drugs[period.drug].last_day_latest
                yield f"arms[{index}].periods[{number}].start", end
    for name, therapy in protocol.therapies.items():
        for index, session in enumerate(therapy.sessions):
            if session.day is not None:
                yield f"therapies.{name}.sessions[{index}].day", session.day
    for index, stay in enumerate(protocol.setting.inpatient):
        yield f"setting.inpatient[{index}].last", stay.last
    for index, visit in enumerate(protocol.visits):
        yield f"visits[{index}].days", max(visit.days)
    for index, endpoint in enumerate(protocol.endpoints):
        yield f"endpoints[{index}].window.last", endpoint.window.last
        if endpoint.baseline is not None:
            yield f"endpoints[{index}].baseline.last", endpoint.baseline.last


def _day_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    last = protocol.follow_up_days - 1
    for where, day in _planned_days(protocol):
        if day > last:
            yield SpecError(
                where=where,
                got=f"day {day}",
                allowed=f"at most {last}, the last day of follow-up",
                remedy="Move it, or lengthen follow_up_days.",
            )


def _session_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    """Sessions that follow an infusion which an arm does not have, or that can fall after the end."""
    for name, therapy in protocol.therapies.items():
        drugs = {arm.id: protocol.drugs.get(arm.drug or "") for arm in protocol.arms if name in arm.contacts}
        for number, session in enumerate(therapy.sessions):
            if session.infusion is None:
                continue
            where, offset = f"therapies.{name}.sessions[{number}]", session.offset_days
            without = [arm for arm, drug in drugs.items() if drug is None or len(drug.infusions) < session.infusion]
            if without:
                yield SpecError(
                    where=f"{where}.infusion",
                    got=session.infusion,
                    allowed=f"an infusion that every arm with this therapy has; not so in {', '.join(without)}",
                    remedy="Use a fixed day for sessions without an infusion.",
                )
                continue
            first_day = min((drug.earliest_day(session.infusion) for drug in drugs.values() if drug), default=0)
            if first_day + offset < 0:
                yield SpecError(
                    where=f"{where}.offset_days",
                    got=offset,
                    allowed=f"at least {-first_day}: day 0 is the first, the infusion can be on day {first_day}",
                    remedy="Put the infusion later, or the session nearer to it.",
                )
            last_day = max((drug.latest_day(session.infusion) for drug in drugs.values() if drug), default=0)
            if last_day + offset >= protocol.follow_up_days:
                yield SpecError(
                    where=f"{where}.offset_days",
                    got=offset,
                    allowed=f"a session by day {protocol.follow_up_days - 1} even after the longest gaps",
                    remedy="Shorten the gaps or the offset, or lengthen follow_up_days.",
                )


def _measure_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    collected: set[str] = {what for visit in protocol.visits for what in visit.collects}
    collected |= {"visit"} if protocol.visits else set()
    collected |= {"session"} if any(arm.drug_starts for arm in protocol.arms) else set()
    for index, visit in enumerate(protocol.visits):
        if list(visit.days) != sorted(set(visit.days)):
            allowed = "days in rising order, each once"
            yield SpecError(where=f"visits[{index}].days", got=list(visit.days), allowed=allowed)
    for index, endpoint in enumerate(protocol.endpoints):
        # The first fault of what it is made of: the others follow from it.
        yield from islice(_endpoint_faults(protocol, index, endpoint, collected), 1)
        yield from _meaning_faults(protocol, index, endpoint)
    if "test" in collected and protocol.test is None:
        yield SpecError(where="test", got="nothing", allowed="a test: a visit collects one", remedy="Describe it.")


def _endpoint_faults(
    protocol: ProtocolFields, index: int, endpoint: Endpoint, collected: set[str]
) -> Iterator[SpecError]:
    facts, window = KINDS[endpoint.kind], endpoint.window
    needs = [facts.needs, *(["test"] if endpoint.verification == "test" else [])]
    for measure in needs:
        if measure not in collected:
            yield SpecError(
                where=f"endpoints[{index}].kind",
                got=endpoint.kind,
                allowed="an endpoint of a trial with dosing sessions; no arm has a drug"
                if measure == "session"
                else f"an endpoint that the visits can feed; it needs '{measure}' and no visit collects it",
                remedy="Use another endpoint." if measure == "session" else f"Add '{measure}' to a visit's collects.",
            )
    windows = {"window": window, **({"baseline": endpoint.baseline} if endpoint.baseline else {})}
    for measure in needs if not facts.counts_diary_days else ():
        days = sorted({day for visit in protocol.visits if measure in visit.collects for day in visit.days})
        for name, span in windows.items():
            # Everybody is rated at entry; craving is asked then where there is a baseline.
            has_baseline = protocol.population.baseline is not None
            asked = {"depression": -1, "craving": -1 if has_baseline else 0}.get(measure, 0)
            is_entry = asked < 0 and span.first <= asked <= span.last
            if measure in _AT_VISITS and not is_entry and not any(span.first <= day <= span.last for day in days):
                yield SpecError(
                    where=f"endpoints[{index}].{name}",
                    got=f"days {span.first} to {span.last}",
                    allowed=f"a window with at least one visit that collects {measure}",
                    remedy=f"{measure.capitalize()} is collected on days {', '.join(map(str, days))}.",
                )
    counts_days = facts.needs == "diary" if facts.counts_diary_days is None else facts.counts_diary_days
    diaries = [day for visit in protocol.visits if "diary" in visit.collects for day in visit.days]
    if endpoint.missing == "use" and counts_days and max(diaries, default=-1) < window.last:
        # Everyone would fail: the days after the last diary count as use for all.
        yield SpecError(
            where=f"endpoints[{index}].window.last",
            got=f"day {window.last}",
            allowed="no day after the last diary, because 'missing: use' would count it as use for everyone",
            remedy="Add a diary visit at the end of the window, or shorten the window.",
        )


def _meaning_faults(protocol: ProtocolFields, index: int, endpoint: Endpoint) -> Iterator[SpecError]:
    """Endpoints that ask these people or this window for what they cannot have."""
    yield from _amount_faults(protocol, index, endpoint)
    yield from _measured_faults(protocol, index, endpoint)
    yield from _before_faults(protocol, index, endpoint)
    if endpoint.kind == "drinking_risk_reduction" and protocol.substance != "alcohol":
        yield SpecError(
            where=f"endpoints[{index}].kind",
            got=endpoint.kind,
            allowed=f"an endpoint of {protocol.substance.value}: risk levels are grams of ethanol a day",
            remedy="Use percent_days_abstinent or use_days.",
        )
    rule = endpoint.weekly
    n_weeks = -(-len(endpoint.window) // 7)
    if rule is not None and rule.last_week_named > n_weeks:
        yield SpecError(
            where=f"endpoints[{index}].window.last",
            got=f"{n_weeks} weeks from day {endpoint.window.first}",
            allowed=f"at least {rule.last_week_named} weeks, which the weekly rule names",
            remedy="Lengthen the window, or use an endpoint that needs fewer weeks.",
        )


def _amount_faults(protocol: ProtocolFields, index: int, endpoint: Endpoint) -> Iterator[SpecError]:
    """Amounts of a substance of which none is modeled, or without their unit."""
    facts, of = KINDS[endpoint.kind], protocol.substance.facts
    if (facts.needs_heavy and not of.has_heavy) or (facts.needs_amounts and not of.amount_units):
        what = "heavy day is defined" if of.amount_units else "amount is modeled"
        yield SpecError(
            where=f"endpoints[{index}].kind",
            got=endpoint.kind,
            allowed=f"an endpoint of days of use: no {what} for {protocol.substance.value}",
            remedy="Use percent_days_abstinent, use_days or change_in_use_days.",
        )
    elif "amount_unit" in facts.takes and endpoint.amount_unit not in of.amount_units:
        yield SpecError(
            where=f"endpoints[{index}].amount_unit",
            got=endpoint.amount_unit or "nothing",
            allowed=f"a unit of {protocol.substance.value}: {', '.join(of.amount_units)}",
            remedy=f"Write 'amount_unit: {of.amount_units[0]}'.",
        )


def _measured_faults(protocol: ProtocolFields, index: int, endpoint: Endpoint) -> Iterator[SpecError]:
    """Scores without a scale, pressures without a resting one, admissions of which nothing is said."""
    population, events = protocol.population, protocol.events
    if KINDS[endpoint.kind].needs == "depression" and population.depression_scale is None:
        yield SpecError(
            where="population.depression_scale",
            got="nothing",
            allowed=f"a scale with its scores at entry: endpoints[{index}] is {endpoint.kind}",
            remedy="Add 'depression_scale: {scale: MADRS, mean: 28 points, sd: 6 points}', with your numbers.",
        )
    rule = endpoint.session
    if rule is not None and rule.systolic_mmhg is not None and population.resting_systolic is None:
        yield SpecError(
            where="population.resting_systolic",
            got="nothing",
            allowed=f"the pressure at rest: endpoints[{index}] asks for a pressure above {rule.systolic_mmhg:g} mmHg",
            remedy="Add 'resting_systolic: {mean: 125 mmHg, sd: 12 mmHg}' with your numbers, or ask for systolic_rise.",
        )
    if endpoint.kind == "readmission" and (events is None or events.readmission is None):
        yield SpecError(
            where="events.readmission",
            got="nothing",
            allowed=f"what use leads to an admission, and how often: endpoints[{index}] counts them",
            remedy="Add 'events: {readmission: {use_days: 4, within_days: 7, chance: 0.4}}', with your numbers.",
        )


def _before_faults(protocol: ProtocolFields, index: int, endpoint: Endpoint) -> Iterator[SpecError]:
    """Days before day 0 that the trial does not have, or on which nothing of the kind can be known."""
    baseline = protocol.population.baseline
    first_day = -baseline.days if baseline is not None else 0
    spans = {"window": endpoint.window, **({"baseline": endpoint.baseline} if endpoint.baseline else {})}
    if KINDS[endpoint.kind].needs == "depression":
        first_day = -1  # the rating at entry
    for name, span in spans.items():
        if span.first < first_day:
            yield SpecError(
                where=f"endpoints[{index}].{name}.first",
                got=f"day {span.first}",
                allowed=f"day {first_day} or later: "
                + (f"the baseline has {-first_day} days" if first_day else "the protocol has no baseline"),
                remedy=f"Add days before day 0: 'population: {{baseline: {{days: {-span.first}}}}}'.",
            )
        elif span.first < 0 and KINDS[endpoint.kind].needs in {"visit", "test", "session"}:
            yield SpecError(
                where=f"endpoints[{index}].{name}.first",
                got=f"day {span.first}",
                allowed=f"day 0 or later: {KINDS[endpoint.kind].needs}s begin then",
            )


def _analysis_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    kinds = {endpoint.id: endpoint.kind for endpoint in reversed(protocol.endpoints)}
    for index, analysis in enumerate(protocol.analyses):
        yield from _unknown(f"analyses[{index}].endpoint", analysis.endpoint, [item.id for item in protocol.endpoints])
        kind, fitting = kinds.get(analysis.endpoint), analysis.facts.fits
        if kind is not None and kind not in fitting:
            yield SpecError(
                where=f"analyses[{index}].method",
                got=analysis.method,
                allowed=f"a method for {kind}; {analysis.method} fits {', '.join(sorted(fitting))}",
            )
        yield from _contrast_faults(protocol, index, analysis)
        yield from option_faults(protocol, index, analysis)
    if protocol.estimand is not None:
        names = [analysis.id for analysis in protocol.analyses]
        yield from _unknown("estimand.analysis", protocol.estimand.analysis, names)


def _contrast_faults(protocol: ProtocolFields, index: int, analysis: Analysis) -> Iterator[SpecError]:
    where = f"analyses[{index}].contrast"
    factors = sorted({name for arm in protocol.arms for name in arm.factors})
    sides = {}
    for side in ("treatment", "control"):
        wanted = getattr(analysis.contrast, side)
        sides[side] = [arm.id for arm in protocol.arms if wanted.items() <= arm.factors.items()]
        if not sides[side]:
            yield SpecError(
                where=f"{where}.{side}",
                got=", ".join(f"{name}: {level}" for name, level in wanted.items()),
                allowed="factor levels that at least one arm has",
                remedy=f"Factors of the arms: {', '.join(factors) or 'none'}.",
            )
    both = [arm for arm in sides["treatment"] if arm in sides["control"]]
    if both:
        yield SpecError(where=where, got=both, allowed="no arm on both sides of the contrast")
    compared = {*analysis.contrast.treatment, *analysis.contrast.control}
    for name in analysis.adjust:
        yield from _unknown(
            f"analyses[{index}].adjust",
            name,
            [*factors, "sex", "site", "age", "weight", *CONDITIONS, *BASELINE_COVARIATES],
        )
        if name in compared:
            yield SpecError(
                where=f"analyses[{index}].adjust",
                got=name,
                allowed="factors beside the contrast: the effect of a factor cannot be adjusted for itself",
                remedy="Remove it.",
            )


def _comparison_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    seen: list[tuple[str | None, str | None, str | None]] = []
    for index, comparison in enumerate(protocol.comparisons):
        where = f"comparisons[{index}]"
        yield from _unknown(f"{where}.analysis", comparison.analysis, [item.id for item in protocol.analyses])
        yield from _unknown(f"{where}.endpoint", comparison.endpoint, [item.id for item in protocol.endpoints])
        yield from _unknown(f"{where}.arm", comparison.arm, [arm.id for arm in protocol.arms])
        target = (comparison.analysis, comparison.endpoint, comparison.arm)
        if target in seen:
            yield SpecError(
                where=where,
                got=" of ".join(name for name in target if name),
                allowed=f"a simulated number compared once; comparisons[{seen.index(target)}] has it",
            )
        seen.append(target)
    if protocol.comparisons and protocol.evidence is None:
        yield SpecError(where="evidence", got="nothing", allowed="the id of the published trial to compare with")
    yield from _evidence_faults(protocol)


def _evidence_faults(protocol: ProtocolFields) -> Iterator[SpecError]:
    """A trial or an outcome of it that the registry does not hold: found here, not after the simulation."""
    if protocol.evidence is None:
        return
    known = evidence_records()
    if protocol.evidence not in known:
        yield SpecError(
            where="evidence",
            got=protocol.evidence,
            allowed=f"the id of one of the {len(known)} published trials",
            remedy=did_you_mean(protocol.evidence, known, otherwise="remission evidence list prints them."),
        )
        return
    words = [
        (item.arm_or_contrast, item.endpoint, item.statistic)
        for item in known[protocol.evidence].outcomes
        if item.value is not None
    ]
    # What is said without a number is a result of a contrast.
    said = [tuple(names[1:]) for names in verdict_words() if names[0] == protocol.evidence]
    for index, comparison in enumerate(protocol.comparisons):
        wanted = (comparison.arm_or_contrast, comparison.outcome, comparison.statistic)
        if wanted in said and comparison.analysis is not None:
            continue
        if words.count(wanted) != 1:
            yield SpecError(
                where=f"comparisons[{index}]",
                got=" | ".join(wanted),
                allowed=f"the words of exactly one outcome of {protocol.evidence} (arm or contrast | outcome | "
                f"statistic); {words.count(wanted)} have these",
                remedy=f"It has: {'; '.join(' | '.join(one) for one in words[:20])}." if words else "It has none.",
            )
