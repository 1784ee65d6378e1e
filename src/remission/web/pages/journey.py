"""What to expect: a page to decide with, for each substance; established treatments always stand beside ketamine."""

from collections.abc import Mapping, Sequence
from functools import cache, partial
from typing import Any

from fastapi import Request

from remission.evidence import care
from remission.evidence.registry import citation_of, load_evidence
from remission.records.base import Record
from remission.records.evidence import CareRecord, StudyRecord
from remission.web.language import LANGUAGES, load_text, path_in
from remission.web.page import PageRouter
from remission.web.pages.help import Choice, Country, Language, contacts_here, country_of, others_of, overdose_steps
from remission.web.pages.sessions import Counted, counted_in
from remission.web.problems import Fault, PageMissingError, PageMovedError

__all__ = ["router"]

router = PageRouter()
_page = partial(router.page, languages=tuple(LANGUAGES), keeps_nothing=True)


class JourneyStart(Record):
    """What /journey shows."""

    title: str
    choose: str
    lead: str
    choices: tuple[Choice, ...]


class Icons(Record):
    """People per 100 with and without a treatment, or without any, who had the outcome that one hopes for.

    ``treated`` is None where only people without treatment were counted.
    """

    record: str
    says: str
    treated: int | None
    control: int
    treated_low: int | None
    treated_high: int | None
    control_low: int | None
    control_high: int | None
    n: int | None
    source: str
    kind: str


class Source(Record):
    """An evidence record behind an option, and how it was read."""

    id: str
    name: str
    kind: str


class OptionCard(Record):
    """One option; ``strength`` says what kind of studies it rests on, ``no_icons`` why nothing is drawn.

    ``counts`` are counts of people on other outcomes than the one that is drawn.
    """

    id: str
    name: str
    kind: str
    status: str
    what: str
    found: tuple[str, ...]
    strength: str
    icons: tuple[Icons, ...]
    no_icons: str
    counts: tuple[str, ...]
    harm: str
    access: str
    sources: tuple[Source, ...]
    other_sources: tuple[str, ...]


class Pair(Record):
    """A heading and what it says."""

    name: str
    text: str


class Fact(Record):
    """A number of a section that holds for every substance: what it counts, where it was read, when, how firm."""

    number: str
    unit: str
    source: str
    kind: str
    read: str
    grade: str


class JourneyPage(Record):
    """What /journey/{substance} shows, in order; ``fault`` is a country without numbers to call."""

    substance: str
    heading: str
    contacts: care.Contacts
    others: tuple[Choice, ...]
    safety: tuple[str, ...]
    overdose_title: str
    overdose: tuple[str, ...]
    signs: tuple[str, ...]
    diagnosis: tuple[str, ...]
    goals: tuple[Pair, ...]
    outcome: str
    options: tuple[OptionCard, ...]
    sessions: tuple[Pair, ...]
    life: tuple[Pair, ...]
    risks_lead: str
    risks: tuple[Pair, ...]
    risks_more: tuple[str, ...]
    cost_lead: str
    cost: tuple[Pair, ...]
    fund: tuple[Pair, ...]
    counted: tuple[Counted, ...]
    check: tuple[str, ...]
    signs_of_a_bad_clinic: tuple[str, ...]
    values: tuple[str, ...]
    questions: tuple[str, ...]
    facts: tuple[Fact, ...]
    fault: Fault | None = None
    status: int = 200


@_page("/journey", template="journey_start.html.jinja", text="journey", weight="quick")
def journey(language: Language) -> JourneyStart:
    """Choose a substance."""
    t = load_text(language, "journey")
    return JourneyStart(
        title=t["title"],
        choose=t["choose"],
        lead=t["choose_lead"],
        choices=tuple(Choice(id=key, name=name) for key, name in t["substances"].items()),
    )


@_page("/journey/{substance}", template="journey.html.jinja", text="journey")
def journey_of(request: Request, substance: str, language: Language, country: Country = "") -> JourneyPage:
    """Options for one substance side by side, what happens, risks, cost, questions."""
    known = load_text("en", "journey")["substances"]
    if substance not in known:
        meant = care.substance_named(substance)
        if meant is None:
            raise PageMissingError(what="substance", got=substance, known=tuple(known))
        address = path_in("/safety" if meant == "sedative" else f"/journey/{meant}", language)
        ending = ".json" if request.url.path.endswith(".json") else ""
        raise PageMovedError(f"{address}{ending}" + (f"?{request.url.query}" if request.url.query else ""))
    chosen, fault = country_of(request, country)
    page = _journey(substance, language, contacts_here(request, chosen), others_of(request, chosen))
    return page.model_copy(update={"fault": fault, "status": 422}) if fault else page


_ALCOHOL_FIRST = ("stop", "stop_more", "sedatives", "tolerance", "naloxone", "street")
_FIRST = {"opioid": ("tolerance", "naloxone", "street", "stop", "stop_more", "sedatives")}


@cache
def _journey(substance: str, language: str, contacts: care.Contacts, others: tuple[Choice, ...]) -> JourneyPage:
    t = load_text(language, "journey")
    first, *rest = _FIRST.get(substance, _ALCOHOL_FIRST)
    ill = substance if substance in {"alcohol", "opioid"} else "other"
    return JourneyPage(
        substance=substance,
        heading=t["heading"].replace("{substance}", t["substances"][substance]),
        contacts=contacts,
        others=others,
        safety=tuple(t["safety"][key] for key in (first, "call", f"ill_{ill}", *rest, "ill_ketamine", "never")),
        overdose_title=load_text(language, "safety")["overdose"],
        overdose=overdose_steps(language),
        signs=tuple(t["diagnosis"]["signs"]),
        diagnosis=tuple(care.fill(t["diagnosis"][key]) for key in ("count", "medicine", "who", "forms", "why")),
        goals=tuple(
            Pair(name=t["goal"][key], text=t["goal"][f"{key}_text"]) for key in ("stop", "less", "unsure", "other")
        ),
        outcome=t["how_many"].replace("{outcome}", care.fill(t["common"][substance])),
        options=tuple(_card(option, t) for option in care.load_options() if option.substance == substance),
        sessions=_pairs(t["sessions"]["steps"]),
        life=_pairs(t["life"][substance]),
        risks_lead=care.fill(t["risks"]["lead"]),
        risks=_pairs(t["risks"]["items"]),
        risks_more=(t["risks"]["who_not"], care.fill(t["risks"]["status"])),
        cost_lead=care.fill(t["cost"]["lead"]),
        cost=_pairs(t["cost"]["items"]),
        fund=_pairs(t["cost"]["fund"]),
        counted=counted_in(substance, language),
        check=tuple(one["ask"] for one in load_text(language, "clinics")["question"]),
        signs_of_a_bad_clinic=tuple(load_text(language, "clinics")["check"]["sign"]),
        values=tuple(t["values"]["items"]),
        questions=tuple(t["questions"]["items"]),
        facts=_facts(t, substance),
    )


def _pairs(items: Sequence[Sequence[str]]) -> tuple[Pair, ...]:
    return tuple(Pair(name=care.fill(name), text=care.fill(text)) for name, text in items)


def _card(option: care.Option, t: Mapping[str, Any]) -> OptionCard:
    words = t["option"][option.id]
    names = (*option.icons, *([option.alone] if option.alone else []))
    icons = tuple(_icons(name, t, option) for name in names)
    return OptionCard(
        id=option.id,
        name=words["name"],
        kind=option.kind,
        status="" if option.approved == "talking" else t[f"status_{option.approved}"],
        what=care.fill(words["what"]),
        found=tuple(care.fill(line) for line in words["found"]),
        strength=t["strength"][option.strength],
        icons=icons,
        no_icons="" if icons else t["unknown" if option.strength == "none" else "no_count"],
        counts=tuple(_count(name, t) for name in option.counts),
        harm=care.fill(words["harm"]),
        access=words["access"],
        sources=_sources(option.sources, t),
        other_sources=option.other_sources,
    )


def _sources(ids: Sequence[str], t: Mapping[str, Any]) -> tuple[Source, ...]:
    """Each work once, though several of its numbers may be used."""
    registry = load_evidence()
    found = {
        citation_of(registry[key]): Source(id=key, name=citation_of(registry[key]), kind=_kinds(registry[key], t))
        for key in reversed(ids)
    }
    return tuple(reversed(found.values()))


def _kinds(record: StudyRecord | CareRecord, t: Mapping[str, Any]) -> str:
    """How a record was read; a trial may have been read in several ways."""
    if isinstance(record, CareRecord):
        return str(t["kinds"][record.source_kind])
    return "; ".join(dict.fromkeys(t["kinds"][outcome.source_kind] for outcome in record.outcomes))


def _icons(name: str, t: Mapping[str, Any], option: care.Option) -> Icons:
    number = care.number_of(name)
    found = {part: getattr(number, part) for part in _PEOPLE}
    if name == option.alone:
        found |= dict.fromkeys(("treated", "treated_low", "treated_high"))
        if number.control is None:
            found |= {"control": number.value, "control_low": number.low, "control_high": number.high}
    if option.turned:
        turned = {part: None if count is None else 100.0 - count for part, count in found.items()}
        swapped = {"low": "high", "high": "low"}
        found = {part: turned["_".join(swapped.get(word, word) for word in part.split("_"))] for part in _PEOPLE}
    # Only both groups on one endpoint may be drawn as people; a test holds every entry of the library to it.
    assert found["control"] is not None
    people: dict[str, Any] = {part: None if count is None else round(count) for part, count in found.items()}
    return Icons(
        record=name,
        says=care.fill(t["common"][option.substance] if name == option.alone else t["icon"][name]),
        n=number.n,
        source=number.source,
        kind=t["kinds"][number.kind],
        **people,
    )


def _count(name: str, t: Mapping[str, Any]) -> str:
    """A count of people on another outcome, in words."""
    number = care.number_of(name)
    people = {part: round(number.part(part)) for part in ("treated", "control")}
    return str(t["count"]).format(says=care.fill(t["icon"][name]), **people)


_PEOPLE = ("treated", "treated_low", "treated_high", "control", "control_low", "control_high")


def _facts(t: Mapping[str, Any], substance: str) -> tuple[Fact, ...]:
    """Numbers of the sections that belong to no option."""
    text = repr([*(t[name] for name in ("diagnosis", "sessions", "risks", "cost")), t["life"][substance]])
    in_life = set(care.slots_of(repr(t["life"][substance])))
    facts = []
    for number in map(care.number_of, care.slots_of(text)):
        value, unit = _life_number(number, text) if number.id in in_life else (_span(number), number.unit)
        grade = t["grades"][number.grade] if number.grade else ""
        kind = t["kinds"][number.kind]
        facts.append(Fact(number=value, unit=unit, source=number.source, kind=kind, read=number.read, grade=grade))
    return tuple(facts)


def _life_number(number: care.PatientNumber, text: str) -> tuple[str, str]:
    """What a sentence on way of life takes from a number: people of 100, or how many were studied."""
    part = "more" if f"{{{number.id}.more}}" in text else "n"
    return care.fill(f"{{{number.id}.{part}}}"), "of 100 people" if part == "more" else "people studied"


def _span(number: care.PatientNumber) -> str:
    parts = ("value",) if number.value is not None else ("low", "high")
    return "–".join(care.fill(f"{{{number.id}.{part}}}") for part in parts)
