"""A protocol in plain words: what will be run, as understood, to be read before running."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter
from textwrap import fill, indent

from remission.protocol.cautions import cautions_of
from remission.protocol.endpoint_explanation import explain_endpoint
from remission.protocol.fields import ProtocolFields
from remission.records.analysis import PRIOR_NUMBERS, Analysis
from remission.records.comorbidity import CONDITIONS, condition_contrast, conflicting_records, why_unread
from remission.records.dose import Absorption
from remission.records.intercurrent import UseRule
from remission.records.packaged import packaged_toml
from remission.records.population import Population
from remission.records.therapy_kinds import (
    THERAPIES,
    WAYS_OF_LIFE,
    TherapyWorth,
    readings_of,
    therapy_worth,
    way_contrast,
    way_numbers,
)
from remission.records.treatment import Arm, DrugCourse, Infusion, PartDose, Session, TherapyCourse, WayOfLife
from remission.units import format_quantity

_WORDS = packaged_toml("words", "protocol.toml")
_DRUGS, _MEASURES, _ROUTES, _GOALS = (_WORDS[name] for name in ("drugs", "measures", "routes", "goals"))


def explain_protocol(protocol: ProtocolFields) -> str:
    """The whole protocol as text of at most 100 characters a line; every field that changes a result is in it."""
    folded = []
    for line in explain_unfolded(protocol).split("\n"):
        depth = _depth(line)
        words = fill(line.strip(), width=98 - depth, subsequent_indent="  " if depth else "")
        folded.append(indent(words, " " * depth))
    return "\n".join(folded)


def explain_unfolded(protocol: ProtocolFields) -> str:
    """The same with each line whole, for a page, which has a width of its own."""
    beside = [f"{len(protocol.comparisons)} numbers of the evidence record {protocol.evidence}."]
    parts = [
        _whole(f"{protocol.title} ({protocol.id})"),
        _section("People", _people(protocol)),
        _section("Follow-up", _follow_up(protocol)),
        _section("Arms", [line for arm in protocol.arms for line in explain_arm(protocol, arm)]),
        _section("Visits", explain_visits(protocol)),
        _section("Endpoints", [explain_endpoint(endpoint) for endpoint in protocol.endpoints]),
        _section("Analyses", [explain_analysis(analysis) for analysis in protocol.analyses]),
        _section("Multiplicity", explain_multiplicity(protocol)),
        _section("Primary question", _estimand(protocol)),
        _section("What can happen", _happenings(protocol)),
        _section("Published results beside", beside if protocol.comparisons else []),
        _section("Assumptions", protocol.assumptions),
        _section("Cautions", cautions_of(protocol)),
    ]
    return "\n".join(part for part in parts if part)


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([f"{title}:", *(f"  {_whole(line)}" for line in lines)]) if lines else ""


def _whole(line: str) -> str:
    """One line, also where a file has several."""
    return line.rstrip().replace("\n", " ")


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def _people(protocol: ProtocolFields) -> list[str]:
    population = protocol.population
    age, weight = population.age, population.weight
    start = (
        "stop by themselves on day 0"
        if population.self_quit
        else f"{_days(population.clean_days)} without use before day 0"
    )
    if population.baseline is not None and not population.clean_days:
        start = "who use when they enter"
    weekday = " (a weekday)" if population.day0_on == "weekday" else ""
    years = f"{format_quantity(age.mean_y, 'year')} (SD {age.sd_y:g}, {age.low_y:g} to {age.high_y:g})"
    kilograms = (
        f"{format_quantity(weight.mean_kg, 'kg')} (SD {weight.sd_kg:g}, {weight.low_kg:g} to {weight.high_kg:g})"
    )
    return [
        f"{population.n_subjects} with {protocol.substance} use disorder, {start}{weekday}.",
        f"Age {years}; weight {kilograms}; {100.0 * population.female_fraction:.1f}% women.",
        *_before(population),
        *_conditions(protocol),
    ]


def _conditions(protocol: ProtocolFields) -> list[str]:
    """Who has depression or anxiety, where the file states it or uses it, and what it does to use here."""
    named = {name for one in protocol.analyses for name in (*one.adjust, *one.stratify_by)}
    named |= set(protocol.randomization.stratify_by)
    lines = []
    for name in CONDITIONS:
        condition, share = getattr(protocol.population.comorbidity, name, None), protocol.prevalence(name)
        if share is None or (condition is None and name not in named):
            continue
        is_stated = condition is not None and condition.prevalence is not None
        source = "stated in this file" if is_stated else f"measured, ctn_prev_has_{_CTN[name]}"
        contrast = condition_contrast(name, substance=protocol.substance)
        acts, part = "no effect on use here", protocol.effect_share(name)
        if part and contrast is not None:
            acts = (
                f"{part:g} of the effect on use that was read ({_MEASURES[contrast.measure]} "
                f"{contrast.contrast:g}, {contrast.interval}, {contrast.record}, {contrast.grade})"
            )
        against = conflicting_records(name)
        contested = f"; sources disagree: {', '.join(against)}" if against else f"; {why_unread(name)}"
        lines.append(f"{_capital(name)} in {100.0 * share:.1f}% ({source}); {acts}{contested}.")
    return lines


_CTN = {"depression": "major_dep", "anxiety": "anx_pan"}


def _before(population: Population) -> list[str]:
    """What people did before day 0 and are after, and the agonist they take; nothing where the file is silent."""
    lines = []
    if population.baseline is not None:
        quits = population.quit_day
        stop = f"they stop on day {quits}" if isinstance(quits, int) else "nobody has a day of stopping"
        goal = f"; {_GOALS[population.goal]}" if population.goal is not None else ""
        lines.append(f"{_days(population.baseline.days)} of diary before day 0; {stop}{goal}.")
    if population.agonist is not None:
        lines.append(f"Everybody takes {population.agonist} throughout, in every arm.")
    return lines


def _follow_up(protocol: ProtocolFields) -> list[str]:
    lines = [f"{_days(protocol.follow_up_days)}: day 0 to day {protocol.follow_up_days - 1}."]
    lines += [f"Inpatient, access blocked, on days {stay.first} to {stay.last}." for stay in protocol.setting.inpatient]
    if protocol.setting.retention == "complete":
        lines.append("Everyone is followed to the end.")
    else:
        lines.append("People can leave and miss visits.")
    blocks = protocol.randomization
    if len(protocol.arms) > 1:
        strata = f", within {' and '.join(blocks.stratify_by)}" if blocks.stratify_by else ""
        sites = f", {protocol.setting.n_sites} sites" if protocol.setting.n_sites > 1 else ""
        if blocks.method == "minimization":
            factors = " and ".join(["size", *blocks.stratify_by])
            lines.append(f"Allocated by minimization of {factors}, best arm with chance {blocks.p_best_arm:g}{sites}.")
        else:
            lines.append(f"Randomized in permuted blocks of {blocks.block_size}{strata}{sites}.")
    return [*lines, *_layout(protocol)]


def explain_arm(protocol: ProtocolFields, arm: "Arm", *, with_model: bool = True) -> list[str]:
    """What one arm gets: its name, then a sentence each for drugs, therapy and medicine, set in.

    ``with_model``: also what the model takes them for, as the worth of a therapy and how a dose is absorbed.
    """
    share = f", allocation {arm.allocation}" if any(item.allocation != 1 for item in protocol.arms) else ""
    factors = ", ".join(f"{name} {level}" for name, level in arm.factors.items())
    lines = [f"{arm.label} ({arm.id}{share}){': ' + factors if factors else ''}"]
    lines += [
        f"  {f'From day {start}: ' if arm.periods else ''}{_drug(protocol.drugs[name], with_model)}"
        for start, name in arm.drug_starts
    ]
    if not arm.drug_starts and arm.medicine is None:
        lines.append("  No drug.")
    lines += [f"  {_therapy(protocol, course, with_model)}" for course in protocol.courses_of(arm)] or ["  No therapy."]
    if arm.medicine is not None:
        course = protocol.medicines[arm.medicine]
        share = "" if course.effect_share == 1.0 else f", {course.effect_share:g} of its sourced effect"
        end = "the end" if course.stop_day is None else f"day {course.stop_day - 1}"
        lines.append(f"  {course.medicine.capitalize().replace('-', ' ')} from day {course.start_day} to {end}{share}.")
    return lines + [f"  {explain_way_of_life(protocol, protocol.way_of_life[name])}" for name in arm.way_of_life]


def _drug(course: "DrugCourse", with_model: bool) -> str:
    numbered = enumerate((_infusion(item, with_model) for item in course.infusions), start=1)
    parts = [part for item in course.infusions for _, session in item.sessions for _, part in session.parts]
    is_vein = all(part.route in {"intravenous", "iv_bolus"} for part in parts)
    noun, told = "infusion" if all(part.route == "intravenous" for part in parts) else "dose", []
    # Infusions in a row with the same words are told once.
    for words, same in groupby(numbered, key=itemgetter(1)):
        numbers = [str(number) for number, _ in same]
        told.append(f"{noun}{'s' if len(numbers) > 1 else ''} {' and '.join(numbers)}: {words}")
    score = f" Psychoactive score {course.psychoactive:g} a session." if course.psychoactive and with_model else ""
    name = _DRUGS[course.drug]
    return f"{name[0].upper()}{name[1:]}{' into a vein' if is_vein else ''}: {'; '.join(told)}.{score}"


def _infusion(infusion: "Infusion", with_model: bool) -> str:
    what = _session(infusion, with_model)
    rule = infusion.adapt
    if infusion.gap is None:
        when = f"{what} on day {infusion.day}"
    else:
        gap = infusion.gap
        when = f"{what}, {gap.low} to {gap.high} days (most often {gap.mode}) after the one before"
    if rule is None:
        return when
    return (
        f"{when}, but {_session(rule, with_model)} for people who report {_days(rule.use_days)} of use or more in the "
        f"{_days(rule.within_days)} to the visit of day {rule.visit}"
    )


def _session(session: "Session", with_model: bool) -> str:
    """What is given on one day: its doses after each other, and whether it is felt."""
    told = []
    for _, part in session.parts:
        words = part.amount_text
        if part.duration_min is not None:
            words += f" over {format_quantity(part.duration_min, 'min')}"
        elif part.route != "intravenous":
            words += f" {_ROUTES[part.route]}"
        if part.product is not None and with_model:
            words += f" as {part.product}"
        if part.absorption is not None and with_model:
            words += f" ({_absorption(part.absorption)})"
        start_min = (part.start_min or 0.0) if isinstance(part, PartDose) else 0.0
        told.append(f"at {format_quantity(start_min, 'min')} {words}" if start_min else words)
    return f"{', then '.join(told)}{', under anesthesia' if session.under_anesthesia else ''}"


def _absorption(stated: "Absorption") -> str:
    rate = {"tmax": "rate by the time of the peak", "library": "rate as the library states it"}.get(stated.basis)
    share = "" if stated.f is None else f", {100.0 * stated.f:g}% arrives"
    return f"{rate or f'rate {stated.ka_per_h:g} per hour assumed'}{share}"


def _therapy(protocol: ProtocolFields, course: "TherapyCourse", with_model: bool) -> str:
    days = [
        f"day {item.day}" if item.infusion is None else f"infusion {item.infusion}" + _offset(item.offset_days)
        for item in course.sessions
    ]
    worth = f", {explain_worth(course, protocol.substance)}" if with_model else ""
    return (
        f"{_capital(THERAPIES[course.kind].name)}{worth}: {len(course.sessions)} "
        f"sessions of {format_quantity(course.session_min, 'min')} on {', '.join(days)}."
    )


def explain_worth(course: "TherapyCourse", substance: str) -> str:
    """What a session of a course is worth, by which contrast, with its grade; what was read beside it."""
    worth, kind = therapy_worth(course.kind, substance=substance), THERAPIES[course.kind]
    if kind.target == "incentive" and worth.contrast is not None:
        share = worth.quality if course.quality is None else course.quality
        part = {0.0: "none of the effect that was read", 1.0: "the effect that was read"}
        what = part.get(share, f"{share:g} of the effect that was read")
        given = "" if course.quality is None else ", a share given in this file"
        return f"{what}{given} ({_contrast(worth)}), fading with {kind.tau_incentive_day:g} days after the last reward"
    readings = ", ".join(dict.fromkeys(one.record for one in readings_of(course.kind)))
    if course.quality is not None:
        read = _contrast(worth) if worth.contrast is not None else readings
        return f"quality {course.quality:g}, given in this file, assumed" + (
            f" (read of its kind: {read})" if read else ""
        )
    if worth.contrast is None:
        beside = f"; read, and no worth set by it: {readings}" if readings else ""
        return f"quality {worth.quality:g}, assumed, what a session of education is worth{beside}"
    return f"worth as read ({_contrast(worth)})"


def _contrast(worth: TherapyWorth) -> str:
    contrast = worth.contrast
    assert contrast is not None, "asked where a contrast was read"
    like = f"as {THERAPIES[worth.like].name}, " if worth.like else ""
    number = f"{_MEASURES[contrast.measure]} {contrast.contrast:g}, {contrast.interval}"
    return f"{like}{number}, {contrast.record}, {worth.grade}"


def explain_way_of_life(protocol: ProtocolFields, way: "WayOfLife") -> str:
    """What a way of life does and does not do here, with the records whose numbers are shown beside it."""
    kind = WAYS_OF_LIFE[way.kind]
    contrast = way_contrast(way.kind, substance=protocol.substance)
    acts = f"{kind.use} [{kind.grade}]"
    if way.effect_share and contrast is not None:
        acts = (
            f"{way.effect_share:g} of the effect on use that was read ({_MEASURES[contrast.measure]} "
            f"{contrast.contrast:g}, {contrast.interval}, {contrast.record}, {contrast.grade}; contested)"
        )
    return (
        f"{_capital(kind.name)} from day 0 to the end: {acts}. Read, not simulated: {'; '.join(way_numbers(way.kind))}."
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _offset(days: int) -> str:
    return f" {'+' if days > 0 else '-'} {_days(abs(days))}" if days else ""


def explain_visits(protocol: ProtocolFields) -> list[str]:
    """What is collected when, and what the biological test finds, a sentence each."""
    lines = [
        f"{visit.id}: {', '.join(visit.collects)} on days {', '.join(map(str, visit.days))}."
        for visit in protocol.visits
    ]
    test = protocol.test
    if test is not None:
        lines.append(
            f"{test.kind.capitalize()} test: finds use within {_days(test.detection_days)}, "
            f"sensitivity {test.sensitivity:g}, specificity {test.specificity:g}."
        )
    return lines


def explain_analysis(analysis: "Analysis") -> str:
    """An analysis in one sentence: what is compared, by which method, with which options."""
    sides = [
        " and ".join(f"{name} {level}" for name, level in side.items())
        for side in (analysis.contrast.treatment, analysis.contrast.control)
    ]
    adjusted = f", adjusted for {' and '.join(analysis.adjust)}" if analysis.adjust else ""
    what = f"{analysis.facts.words} of {analysis.endpoint}"
    options = "".join(f"; {text}" for text in _options(analysis))
    return f"{analysis.label} ({analysis.id}): {what}, {sides[0]} against {sides[1]}{adjusted}{options}."


def _options(analysis: "Analysis") -> list[str]:
    """What sets an analysis apart from others of its method."""
    found = []
    if analysis.baseline is not None:
        found.append(f"with {analysis.baseline} as the measure before treatment")
    if analysis.test != "wald":
        found.append(f"{analysis.test} test")
    if analysis.errors == "hc3":
        found.append("standard errors robust to unequal variances (HC3)")
    if analysis.stratify_by:
        found.append(f"within strata of {' and '.join(analysis.stratify_by)}")
    if analysis.tau_day is not None:
        found.append(f"up to {analysis.tau_day} days")
    if analysis.period_days is not None:
        found.append(f"periods of {analysis.period_days} days")
    if "visit_day" in analysis.facts.options:
        of_day = "last visit" if analysis.visit_day is None else f"visit of day {analysis.visit_day}"
        found.append("mean over visits" if analysis.mean_over_visits else of_day)
        by_side = ", one for each side" if analysis.covariance_by_side else ""
        found.append(f"{analysis.covariance} covariance{by_side}, restricted likelihood")
        found.append(f"degrees of freedom by {_FREEDOM[analysis.degrees_of_freedom]}")
    if "correlation" in analysis.facts.options:
        corrected = "corrected for few people" if analysis.small_sample else "for many people"
        found.append(f"{analysis.correlation} working correlation, standard errors {corrected}")
    if analysis.imputation is not None:
        found.append(f"{analysis.imputation.n_imputations} imputations, {analysis.imputation.assumption}")
    prior = analysis.prior
    if prior is not None:
        given = {name: getattr(prior, name) for name in PRIOR_NUMBERS}
        told = [f"{name.replace('_', ' ')} {value:g}" for name, value in given.items() if value is not None]
        found.append(f"prior with {', '.join(told)} ({prior.grade.value}: {prior.source})")
    return found


_FREEDOM = {
    "kenward-roger": "Kenward and Roger",
    "kenward-roger-linear": "Kenward and Roger without second derivatives",
    "satterthwaite": "Satterthwaite",
}


def explain_multiplicity(protocol: ProtocolFields) -> list[str]:
    """How several questions share one error rate, a sentence each; nothing when the protocol does not say."""
    if protocol.multiplicity is None:
        return []
    lines = []
    for gate in protocol.multiplicity.in_order:
        after = f", after {gate.after}" if gate.after else ""
        lines.append(f"Gate {gate.id}{after}: {' and '.join(gate.analyses)} by {gate.test.capitalize()}.")
        if gate.hands_on == "rejected":
            lines.append(f"Gate {gate.id} hands on the share of alpha of its rejected hypotheses.")
    return lines


def _happenings(protocol: ProtocolFields) -> list[str]:
    """What can happen beside the treatment, a sentence each; nothing when the protocol names nothing."""
    lines = []
    events, missing, blinding = protocol.events, protocol.missingness, protocol.blinding
    if events is not None and events.relapse is not None:
        lines.append(f"Relapse is {_rule(events.relapse)}.")
    if events is not None and events.rescue_medicine is not None:
        lines.append(f"Rescue medicine is given after {_rule(events.rescue_medicine)}; no effect of it is simulated.")
    if events is not None and events.incarceration is not None:
        custody = events.incarceration
        lines.append(f"Custody of {custody.length_days} days with hazard {custody.hazard_per_day:g} per day.")
    if missing is not None:
        lines.append(
            f"Leaving and missed visits follow use: strength {missing.observed:g} of the week last seen, "
            f"{missing.latent:g} of the unseen week."
        )
    if blinding is not None:
        lines.append(
            f"Guesses of the active drug: {blinding.guess_unfelt:g} when nothing was felt, {blinding.guess_felt:g} "
            f"after a full effect; expectancy {blinding.expectancy_use:g} on the log odds of use, "
            f"{blinding.expectancy_report:g} on reports."
        )
        if blinding.guess_better:
            gain, day = blinding.guess_better, blinding.guess_day
            lines.append(
                f"A guess follows craving, too: {gain:g} on the log odds for a fall of 100 points by day {day}."
            )
    return lines


def _layout(protocol: ProtocolFields) -> list[str]:
    """The design and the recruitment, a sentence each; nothing when the protocol names neither."""
    lines = []
    design, recruitment = protocol.design, protocol.recruitment
    if design is not None:
        washout = f", washout {design.washout_days} days" if design.washout_days else ""
        lines.append(f"Design: {design.kind}{washout}.")
    if recruitment is not None:
        lines.append(
            f"Recruitment: {recruitment.screened_per_day:g} screened per day after a ramp of {recruitment.ramp_days} "
            f"days, of whom {100.0 * recruitment.screening_failure:g}% fail screening."
        )
    return lines


def _rule(rule: UseRule) -> str:
    days = "1 day" if rule.use_days == 1 else f"{rule.use_days} days"
    return f"{days} of use" if rule.within_days == rule.use_days == 1 else f"{days} of use within {rule.within_days}"


def _estimand(protocol: ProtocolFields) -> list[str]:
    estimand = protocol.estimand
    if estimand is None:
        return []
    return [
        f"Treatment: {estimand.treatment}",
        f"Population: {estimand.population}",
        f"Variable: {estimand.variable}",
        f"Intercurrent events: {estimand.intercurrent_events}",
        f"Summary: {estimand.summary} (analysis {estimand.analysis})",
        *(f"{event.capitalize()}: {strategy}." for event, strategy in estimand.strategies.items()),
        *(["This trial is confirmatory."] if protocol.purpose == "confirmatory" else []),
    ]


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"
