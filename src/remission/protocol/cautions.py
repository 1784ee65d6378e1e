"""Cautions of a protocol: true statements a reader needs beside its results. Data, not warnings.

The limits below are facts of the evidence registry; a test holds them to it.
"""

from typing import Final

from remission.protocol.fields import ProtocolFields
from remission.records.dose import DrugForm
from remission.records.endpoint_kinds import KINDS
from remission.records.packaged import evidence_records, packaged_toml
from remission.records.therapy_kinds import THERAPIES, WAYS_OF_LIFE, therapy_worth
from remission.records.treatment import DrugCourse, Infusion, Session
from remission.units import format_quantity, hours_to_minutes

__all__ = [
    "HIGHEST_STUDIED_IM_MG_PER_KG",
    "HIGHEST_STUDIED_MG_PER_KG",
    "LONGEST_STUDIED_MIN",
    "MOST_INFUSIONS_STUDIED",
    "OVERDOSE_STEPS",
    "cautions_of",
]

HIGHEST_STUDIED_MG_PER_KG: Final = 0.8
"""Highest dose of an intravenous infusion of racemic ketamine in an addiction trial of the registry. [mg/kg]"""

LONGEST_STUDIED_MIN: Final = 120.0
"""Infusions above this are outside all evidence (``docs/explanation/model.md``). [min]"""

_OUTSIDE_VEIN: Final = frozenset({"im", "sc", "oral", "sublingual", "intranasal", "rectal"})

HIGHEST_STUDIED_IM_MG_PER_KG: Final = 2.5
"""Highest dose into a muscle in an addiction study of the registry. [mg/kg]"""

MOST_INFUSIONS_STUDIED: Final = 4
"""Most intravenous infusions per person in an addiction trial of the registry."""

OVERDOSE_STEPS: Final[tuple[dict[str, str], ...]] = tuple(packaged_toml("words", "overdose.toml")["steps"])
"""What to do in an opioid overdose, step after step: ``brief`` inside a sentence, and by language for a page."""

*_FIRST_STEPS, _LAST_STEP = (step["brief"] for step in OVERDOSE_STEPS)


def cautions_of(protocol: ProtocolFields) -> tuple[str, ...]:
    """Cautions in order of weight: harm to people first, then distance from the evidence, then traps of the design."""
    return (
        *_harms(protocol),
        *_own_model(protocol),
        *_treatment(protocol),
        *_beside(protocol),
        *_measurement(protocol),
    )


def _harms(protocol: ProtocolFields) -> list[str]:
    cautions = protocol.substance.facts.cautions
    found = [cautions["self_quit"]] if protocol.population.self_quit and "self_quit" in cautions else []
    if "stopping" in cautions:
        found.append(cautions["stopping"].format(overdose_steps=f"{', '.join(_FIRST_STEPS)}, and {_LAST_STEP}"))
    return found


def _own_model(protocol: ProtocolFields) -> list[str]:
    model = protocol.pk_model
    if model is None:
        return []
    named = f"{model.file}, sha256 {model.sha256[:12]}"
    return [f"The kinetic model is yours, not checked by us: {named}. Exposure, and all that follows, rests on it."]


def _treatment(protocol: ProtocolFields) -> list[str]:
    found = []
    used = {name for arm in protocol.arms for _, name in arm.drug_starts}
    ketamine = {name: c for name, c in protocol.drugs.items() if c.is_ketamine and name in used}
    if ketamine and protocol.substance.facts.prior_only:
        found.append(
            f"Ketamine in {protocol.substance} use is prior only: no published trial informs its size in this program."
        )
    if any(infused_mg_per_kg(one) for c in ketamine.values() for one in c.infusions) and (
        "ketamine" in protocol.substance.facts.cautions
    ):
        found.append(protocol.substance.facts.cautions["ketamine"])
    for name, course in ketamine.items():
        for number, infusion in enumerate(course.infusions, start=1):
            found += _infusion(f"Drug course '{name}', infusion {number}", infusion)
        found += _of_course(name, course)
        n_infused = sum(infused_mg_per_kg(one) > 0.0 for one in course.infusions)
        if n_infused > MOST_INFUSIONS_STUDIED:
            found.append(
                f"Drug course '{name}' has {n_infused} infusions; no addiction trial in the registry "
                f"infused more than {MOST_INFUSIONS_STUDIED}."
            )
    return found


def _of_course(name: str, course: DrugCourse) -> list[str]:
    """What of a course is assumed or left out: unfelt doses, absorption, the form, the brain after the nose."""
    sessions = [session for infusion in course.infusions for _, session in infusion.sessions]
    parts = [part for session in sessions for _, part in session.parts]
    found = []
    if any(session.under_anesthesia for session in sessions):
        found.append(
            f"Drug course '{name}' is given under anesthesia: nothing of it is felt, so its psychoactive score is 0 "
            "and nobody dissociates; that its exposure acts as in people who are awake is assumed, and the anesthetic "
            "has no effect here."
        )
    if course.drug == "esketamine":
        found.append(
            f"Drug course '{name}' is S-ketamine, which counts here nanogram for nanogram as in the racemate; whether "
            "one form does more for use is not known, and all effects were read after the racemate."
        )
    if any(part.absorption is not None for part in parts):
        reasons = dict.fromkeys(part.absorption.reason for part in parts if part.absorption is not None)
        found.append(f"Drug course '{name}': the absorption is assumed. {' '.join(reasons)}")
    if any(
        part.absorption is None and part.route in _OUTSIDE_VEIN and course.form is DrugForm.RACEMATE for part in parts
    ):
        found.append(
            f"Drug course '{name}': how fast the dose is absorbed is derived from the time of a peak in a few people, "
            "and how much of it arrives differs between people and studies."
        )
    if any(infusion.adapt for infusion in course.infusions):
        found.append(
            f"Drug course '{name}' adapts to what people report: who hides use, or misses the visit, gets the planned "
            "dose."
        )
    return found


def _infusion(where: str, infusion: Infusion) -> list[str]:
    found = []
    for _, session in infusion.sessions:
        dose, parts = infused_mg_per_kg(session), [part for _, part in session.parts]
        duration = hours_to_minutes(session.duration_h)
        if duration > LONGEST_STUDIED_MIN:
            found.append(f"{where}: {format_quantity(duration, 'min')} is outside all evidence, which ends at 2 h.")
        if dose > HIGHEST_STUDIED_MG_PER_KG and not session.under_anesthesia:
            found.append(
                f"{where}: {format_quantity(dose, 'mg/kg')} is above the highest infused dose of an addiction trial, "
                f"{format_quantity(HIGHEST_STUDIED_MG_PER_KG, 'mg/kg')}."
            )
        muscle = sum(part.dose_mg_per_kg or 0.0 for part in parts if part.route == "im")
        if muscle > HIGHEST_STUDIED_IM_MG_PER_KG:
            found.append(
                f"{where}: {format_quantity(muscle, 'mg/kg')} is above the highest dose into a muscle of an addiction "
                f"trial, {format_quantity(HIGHEST_STUDIED_IM_MG_PER_KG, 'mg/kg')}."
            )
        if dose > 2.0 * HIGHEST_STUDIED_MG_PER_KG:
            found.append(
                f"{where}: is {format_quantity(dose, 'mg/kg')} per body weight what is meant? For 70 kg it is "
                f"{dose * 70.0:.0f} mg, an anesthetic dose."
            )
    return found


def infused_mg_per_kg(session: Session) -> float:
    """All that goes into a vein in a session, mg for the 70 kg of the model's reference adult. [mg/kg]"""
    veins = [part for _, part in session.parts if part.route in {"intravenous", "iv_bolus"}]
    return sum((part.dose_mg_per_kg or 0.0) + (part.dose_mg or 0.0) / 70.0 for part in veins)


def _beside(protocol: ProtocolFields) -> list[str]:
    """Medicines, events, missing data and blinding: what of them is assumed or left out."""
    found = []
    given = {protocol.medicines[arm.medicine].medicine for arm in protocol.arms if arm.medicine in protocol.medicines}
    if given:
        found.append(
            f"The effect of {' and '.join(sorted(given))} adds to ketamine and therapy on the log-odds scale, which is "
            "assumed; a large trial of naltrexone with therapy found less than the sum."
        )
    found += _therapies(protocol)
    if given and "medicine" in protocol.substance.facts.cautions:
        found.append(protocol.substance.facts.cautions["medicine"])
    if any(name.startswith("naltrexone") for name in given) and any(
        course.is_ketamine for course in protocol.drugs.values()
    ):
        found.append(
            "Naltrexone was reported to weaken an effect of ketamine in 12 people, which is disputed; nothing of it is "
            "simulated."
        )
    if protocol.events is not None and protocol.events.rescue_medicine is not None:
        found.append("Rescue medicine is counted, and no effect of it on use is simulated.")
    if protocol.missingness is not None:
        found.append("How strongly leaving and missed visits follow use is assumed: compare several strengths.")
    if protocol.blinding is not None:
        found.append("Guesses of the arm, and what believing does, are assumed: compare several strengths.")
    found += _unread(protocol)
    if protocol.design is not None and protocol.design.kind == "crossover":
        found.append("What ketamine changes can outlast a washout; then the difference within people says too little.")
    return found


def _therapies(protocol: ProtocolFields) -> list[str]:
    """Kinds of therapy of which nothing was read, how rewards fade, and ways of life that are made to act."""
    unread = [
        name
        for name, course in protocol.therapies.items()
        if course.quality is None and not therapy_worth(course.kind, substance=protocol.substance).record
    ]
    found = []
    if unread:
        found.append(
            f"Of {', '.join(unread)} nothing was read that the days of the model can be held to: a session is worth "
            "what a session of education is, assumed."
        )
    if any(THERAPIES[course.kind].target == "incentive" for course in protocol.therapies.values()):
        found.append(
            "How the effect of rewards fades is contested: gone at six months in one review, an odds ratio of 1.22 "
            "after 24 weeks in another. Rewards let go within days here, and a part of the effect still lasts."
        )
    found += [
        f"{WAYS_OF_LIFE[way.kind].name.capitalize()} acts on use here by {way.effect_share:g} of what was read, which "
        "was not replicated."
        for way in protocol.way_of_life.values()
        if way.effect_share
    ]
    return found


def _unread(protocol: ProtocolFields) -> list[str]:
    """What the file says and nothing reads: courses that no arm has, sites where there is one."""
    used: dict[str, set[str | None]] = {
        "drugs": {arm.drug for arm in protocol.arms} | {part.drug for arm in protocol.arms for part in arm.periods},
        "therapies": {*(name for arm in protocol.arms for name in arm.contacts)},
        "medicines": {arm.medicine for arm in protocol.arms},
        "way_of_life": {*(name for arm in protocol.arms for name in arm.way_of_life)},
    }
    found = [
        f"No arm has {name} of {field}: it does nothing here."
        for field, names in used.items()
        for name in getattr(protocol, field)
        if name not in names
    ]
    by_site = [
        *(["the randomization"] if "site" in protocol.randomization.stratify_by else []),
        *(item.id for item in protocol.analyses if "site" in {*item.adjust, *item.stratify_by}),
    ]
    if by_site and protocol.setting.n_sites == 1:
        found.append(f"There is one site (setting.n_sites), so that site does nothing in {' and '.join(by_site)}.")
    return found


def _measured(protocol: ProtocolFields) -> list[str]:
    """What endpoints of sessions, ratings, cues and admissions rest on, with the registry's counts beside sessions."""
    words = packaged_toml("words", "protocol.toml")["cautions"]
    named = {one.kind: KINDS[one.kind].needs for one in protocol.endpoints}
    found = [text for name, text in words.items() if name in {*named, *named.values()}]
    counts = [
        f"{record}: {item.endpoint}, {item.arm_or_contrast}, {item.value:g} ({item.statistic})"
        for record, one in evidence_records().items()
        for item in one.outcomes
        if item.value is not None and any(word in item.endpoint for word in _TOLERATED)
    ]
    if "session" in named.values() and counts:
        found.append(f"Published counts of what was tolerated: {'; '.join(counts)}.")
    return found


_TOLERATED: Final = ("dissociation", "adverse events", "hypertension")


def _measurement(protocol: ProtocolFields) -> list[str]:
    found = []
    arms = protocol.arms
    unused = [name for name in protocol.drugs if name not in {item for arm in arms for _, item in arm.drug_starts}]
    unused += [name for name in protocol.medicines if name not in {arm.medicine for arm in arms}]
    unused += [name for name in protocol.therapies if name not in {one for arm in arms for one in arm.contacts}]
    if unused:
        found.append(f"No arm receives {', '.join(unused)}.")
    if any(analysis.facts.counts_days for analysis in protocol.analyses):
        found.append(
            "Rates and odds of days are quasi-Poisson and quasi-binomial regressions with a score test; until November "
            "2026 they were a negative binomial and a beta-binomial, which did not hold their error on days that have "
            "an upper end."
        )
    if any(KINDS[endpoint.kind].needs_amounts for endpoint in protocol.endpoints):
        found.append(protocol.substance.facts.cautions["amounts"])
    found += _measured(protocol)
    diaries = [day for visit in protocol.visits if "diary" in visit.collects for day in visit.days]
    last = max(diaries, default=protocol.follow_up_days)
    days = [one for one in protocol.endpoints if KINDS[one.kind].needs == "diary" or KINDS[one.kind].counts_diary_days]
    found += [
        f"Endpoint '{endpoint.id}' ends on day {endpoint.window.last}, but the last diary is on day {last}: the days "
        "between are never observed."
        for endpoint in days
        if last < endpoint.window.last
    ]
    if protocol.population.n_subjects < (protocol.randomization.block_size or 0):
        found.append("There are fewer people than one randomization block, so arms can stay empty.")
    return found
