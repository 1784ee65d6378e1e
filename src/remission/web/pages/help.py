"""Help now: whom to call, what to know before stopping, and a page for those who love somebody who uses."""

from functools import partial
from typing import Annotated

from fastapi import Depends, Query, Request

from remission.errors import SpecError
from remission.evidence import care
from remission.protocol.cautions import OVERDOSE_STEPS
from remission.records.base import Record
from remission.web.language import LANGUAGES, language_of, load_text
from remission.web.page import PageRouter
from remission.web.problems import Fault, fault_of

__all__ = ["Choice", "Country", "Language", "contacts_here", "country_of", "others_of", "overdose_steps", "router"]

router = PageRouter()
_page = partial(router.page, languages=tuple(LANGUAGES), keeps_nothing=True, weight="quick")

Language = Annotated[str, Depends(language_of)]
Country = Annotated[str, Query(max_length=8, description="Whose numbers to call: two letters of ISO 3166.")]


class Choice(Record):
    """A substance or a country to choose."""

    id: str
    name: str


class SafetyPage(Record):
    """What /safety shows."""

    title: str
    lead: str
    contacts: care.Contacts
    others: tuple[Choice, ...]
    warnings: tuple[str, ...]
    ill: tuple[str, ...]
    call: str
    withdrawal: str
    overdose: tuple[str, ...]
    fault: Fault | None = None
    status: int = 200


class Line(Record):
    """Something to do, in bold, and how."""

    do: str
    how: str


class FamilyPage(Record):
    """What /family shows, in order; ``fault`` is a country without numbers to call."""

    contacts: care.Contacts
    others: tuple[Choice, ...]
    tonight: tuple[Line, ...]
    signs: tuple[str, ...]
    overdose: tuple[str, ...]
    after: tuple[str, ...]
    say: tuple[str, ...]
    not_say: tuple[str, ...]
    help: tuple[Line, ...]
    cannot: tuple[str, ...]
    can: tuple[str, ...]
    fault: Fault | None = None
    status: int = 200


@_page("/safety", template="safety.html.jinja", text="safety")
def safety(request: Request, language: Language, country: Country = "") -> SafetyPage:
    """Whom to call, and what to know before stopping."""
    chosen, fault = country_of(request, country)
    t, words = load_text(language, "safety"), load_text(language, "journey")["safety"]
    return SafetyPage(
        title=t["title"],
        lead=t["lead"],
        contacts=contacts_here(request, chosen),
        others=others_of(request, chosen),
        warnings=tuple(words[key] for key in ("stop", "stop_more", "sedatives", "tolerance", "naloxone", "street")),
        ill=tuple(words[f"ill_{kind}"] for kind in ("alcohol", "opioid", "other", "ketamine")),
        call=words["call"],
        withdrawal=care.fill(t["withdrawal_text"]),
        overdose=overdose_steps(language),
        fault=fault,
        status=422 if fault else 200,
    )


@_page("/family", template="family.html.jinja", text="family")
def family(request: Request, language: Language, country: Country = "") -> FamilyPage:
    """For family and friends: call, tonight, signs of danger, how to talk, where help is."""
    chosen, fault = country_of(request, country)
    t = load_text(language, "family")
    return FamilyPage(
        contacts=contacts_here(request, chosen),
        others=others_of(request, chosen),
        tonight=_lines(t["tonight"]["items"]),
        signs=tuple(t["signs"]["items"]),
        overdose=overdose_steps(language),
        after=tuple(care.fill(line) for line in t["signs"]["after"]),
        say=tuple(t["talk"]["say"]),
        not_say=tuple(t["talk"]["not_say"]),
        help=_lines(t["help"]["items"]),
        cannot=tuple(t["cannot"]["items"]),
        can=tuple(t["cannot"]["can"]),
        fault=fault,
        status=422 if fault else 200,
    )


def _lines(items: list[list[str]]) -> tuple[Line, ...]:
    return tuple(Line(do=do, how=how) for do, how in items)


def overdose_steps(language: str) -> tuple[str, ...]:
    """What to do in an opioid overdose, one step after the other; the same wherever overdose is spoken of."""
    return tuple(care.fill(step[language]) for step in OVERDOSE_STEPS)


def country_of(request: Request, asked: str) -> tuple[str, Fault | None]:
    """The country whose numbers are shown: the one asked for, else the operator's, with what was wrong."""
    usual: str = request.app.state.settings.country
    try:
        return contacts_here(request, asked.upper()).country, None
    except SpecError as error:
        return usual, fault_of(error)


def contacts_here(request: Request, country: str = "") -> care.Contacts:
    """Whom to call in a country, the operator's when none is named, with the operator's own lines.

    Raises SpecError: no numbers are on file for it.
    """
    settings = request.app.state.settings
    return care.contacts_of(country or settings.country, language_of(request), settings.helplines)


def others_of(request: Request, country: str) -> tuple[Choice, ...]:
    """The other countries with numbers to call."""
    known = care.countries(request.app.state.settings.helplines)
    return tuple(Choice(id=one, name=contacts_here(request, one).name) for one in known if one != country)
