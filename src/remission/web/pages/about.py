"""About, limits, and the door for programs."""

from typing import Any

from fastapi import Request

from remission.library.article import load_article
from remission.library.published import trial_citation
from remission.patient.standing import tuned_sentence
from remission.provenance import package_version
from remission.records.base import Record
from remission.report.document import trial_limits
from remission.web.language import load_text
from remission.web.page import PageRouter
from remission.web.pages.help import contacts_here
from remission.web.pages.trials import simulated_records

__all__ = ["router"]

router = PageRouter()


class AboutTrial(Record):
    """A trial of the article: its page, its record, how it is cited."""

    id: str
    record: str
    citation: str


class AboutPage(Record):
    """What /about shows. ``reviewed``: what was last read through, and when."""

    version: str
    article: str
    article_date: str
    clinic: str
    trials: tuple[AboutTrial, ...]
    tuned: str
    reviewed: tuple[tuple[str, str], ...]
    offered_by: str
    contact: str


class LimitsPage(Record):
    """What /limits shows."""

    limits: tuple[str, ...]


class Operation(Record):
    """One address for programs."""

    method: str
    path: str
    summary: str
    parameters: tuple[str, ...]
    answers: str


class ApiPage(Record):
    """What /api shows: the OpenAPI document in short."""

    operations: tuple[Operation, ...]
    openapi: str


@router.page("/about", template="about.html.jinja", weight="quick")
def about(request: Request) -> AboutPage:
    """What this is, what it is not, where it comes from, and how to reach it."""
    article, settings = load_article(), request.app.state.settings
    return AboutPage(
        version=package_version(),
        article=article.title,
        article_date=article.date.isoformat(),
        clinic=article.clinic,
        trials=tuple(
            AboutTrial(id=name, record=record, citation=str(trial_citation(record)))
            for record, name in simulated_records().items()
        ),
        tuned=tuned_sentence(),
        reviewed=(
            ("Numbers to call", contacts_here(request).oldest.isoformat()),
            *load_text("en", "about")["reviewed"].items(),
        ),
        offered_by=settings.offered_by,
        contact=settings.contact,
    )


@router.page("/limits", template="limits.html.jinja", weight="quick")
def limits() -> LimitsPage:
    """What the program cannot tell."""
    return LimitsPage(limits=trial_limits())


@router.page("/api", template="api.html.jinja", copied="never")
def api(request: Request) -> ApiPage:
    """Addresses for programs."""
    document: dict[str, Any] = request.app.openapi()
    return ApiPage(
        operations=tuple(
            Operation(
                method=method.upper(),
                path=path,
                summary=entry.get("summary", ""),
                parameters=tuple(item["name"] for item in entry.get("parameters", ())),
                answers=", ".join(sorted(entry["responses"])),
            )
            for path, entries in sorted(document["paths"].items())
            for method, entry in entries.items()
        ),
        openapi="/api/openapi.json",
    )
