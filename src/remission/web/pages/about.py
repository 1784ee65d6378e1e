"""About, limits, and the door for programs."""

from typing import Any

from fastapi import Request

from remission.library.article import load_article
from remission.library.published import trial_citation
from remission.patient.standing import tuned_sentence
from remission.provenance import package_version
from remission.records.base import Record
from remission.report.document import LIMITS
from remission.web.page import PageRouter
from remission.web.pages.trials import simulated_records

__all__ = ["router"]

router = PageRouter()


class AboutPage(Record):
    """What /about shows."""

    version: str
    article: str
    article_date: str
    clinic: str
    trials: tuple[str, ...]
    tuned: str


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
def about() -> AboutPage:
    """What this is, what it is not, and where it comes from."""
    article = load_article()
    return AboutPage(
        version=package_version(),
        article=article.title,
        article_date=article.date.isoformat(),
        clinic=article.clinic,
        trials=tuple(str(trial_citation(name)) for name in simulated_records()),
        tuned=tuned_sentence(),
    )


@router.page("/limits", template="limits.html.jinja", weight="quick")
def limits() -> LimitsPage:
    """What the program cannot tell."""
    return LimitsPage(limits=LIMITS)


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
