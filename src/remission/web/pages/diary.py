"""My days: a private calendar of use, the eleven signs and the AUDIT. All of it happens in the browser."""

from functools import cache, partial
from typing import Annotated, Any

from fastapi import Depends, Request

from remission.evidence import care
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.web.language import LANGUAGES, language_of, load_text
from remission.web.page import PageRouter
from remission.web.pages.help import contacts_here

__all__ = ["router"]

router = PageRouter()
_page = partial(router.page, languages=tuple(LANGUAGES), keeps_nothing=True)


class Counted(Record):
    """A substance of the calendar: its word in the file, its name here and what an amount counts."""

    id: str
    name: str
    unit: str


class Level(Record):
    """What a score can mean and the next step with a person; ``low`` is the lowest score of it."""

    low: int
    name: str
    means: str
    step: str


class Answer(Record):
    """An answer and its points."""

    says: str
    points: int


class Question(Record):
    """A question of the AUDIT."""

    asks: str
    answers: tuple[Answer, ...]


class DiaryPage(Record):
    """What /diary shows before anybody types.

    columns
        Of the file that the page saves and ``remission import tlfb`` reads.
    most, scale
        Largest amount of a day; top of craving and mood.
    """

    substances: tuple[Counted, ...]
    columns: tuple[str, ...]
    most: float
    scale: int
    warnings: tuple[str, ...]
    lead: str
    scale_says: str
    signs: tuple[str, ...]
    sign_levels: tuple[Level, ...]
    questions: tuple[Question, ...]
    zones: tuple[Level, ...]
    audit_source: str
    audit_read: str
    contacts: care.Contacts


@_page("/diary", template="diary.html.jinja", text="diary", weight="quick")
def diary(request: Request, language: Annotated[str, Depends(language_of)]) -> DiaryPage:
    """A private calendar of days; nothing that is put in leaves the browser."""
    return _diary(language, contacts_here(request))


@cache
def _diary(language: str, contacts: care.Contacts) -> DiaryPage:
    t, journey = load_text(language, "diary"), load_text(language, "journey")
    file, audit = packaged_toml("exchange", "my-days.toml"), packaged_toml("care", "audit.toml")
    lows = (0, *(int(care.number_of(f"diagnosis_{name}").part(part)) for name, part in _SIGN_LEVELS))
    ends = (*(low - 1 for low in audit["zones"][1:]), _most_points(audit))
    return DiaryPage(
        substances=tuple(
            Counted(id=name, name=t["substances"][name], unit=t["units"][unit]) for name, unit in file["units"].items()
        ),
        columns=tuple(file["columns"]),
        most=file["most"],
        scale=file["scale"],
        warnings=tuple(journey["safety"][key] for key in ("stop", "stop_more", "sedatives", "tolerance")),
        lead=care.fill(t["signs_lead"]),
        scale_says=t["script"]["scale"].replace("{scale}", str(file["scale"])),
        signs=tuple(journey["diagnosis"]["signs"]),
        sign_levels=tuple(
            Level(low=low, name=care.fill(name), means=means, step=step)
            for low, (name, means, step) in zip(lows, t["signs"]["levels"], strict=True)
        ),
        questions=tuple(_question(entry, audit, language) for entry in audit["question"]),
        zones=tuple(
            Level(low=low, name=f"{low}–{end}", means=means, step=step)
            for low, end, (means, step) in zip(audit["zones"], ends, t["audit"]["zones"], strict=True)
        ),
        audit_source=audit["source"],
        audit_read=audit["read"],
        contacts=contacts,
    )


_SIGN_LEVELS = (("mild", "low"), ("moderate", "low"), ("severe", "value"))


def _most_points(audit: dict[str, Any]) -> int:
    return sum(max(audit["answers"][entry["answers"]]["points"]) for entry in audit["question"])


def _question(entry: dict[str, str], audit: dict[str, Any], language: str) -> Question:
    scale = audit["answers"][entry["answers"]]
    answers = zip(scale[language], scale["points"], strict=True)
    return Question(asks=entry[language], answers=tuple(Answer(says=says, points=points) for says, points in answers))
