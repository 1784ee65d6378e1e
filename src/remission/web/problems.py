"""Errors as people and programs see them: a page that says what to do, or ``application/problem+json`` (RFC 9457)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from remission.errors import ProvenanceError, RemissionError, RunError
from remission.records.base import Record
from remission.web.render import render_page

__all__ = [
    "PROBLEM_RESPONSES",
    "Fault",
    "PageMissingError",
    "Problem",
    "add_problem_handlers",
    "fault_of",
    "problem_answer",
]

PROBLEM_TYPE = "application/problem+json"


class Fault(Record):
    """One thing that is wrong with a request: where, what came, what is allowed, what to do."""

    where: str
    got: str
    allowed: str
    remedy: str = ""


class Problem(Record):
    """An error, by RFC 9457, with every fault found."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    faults: tuple[Fault, ...] = ()


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {
        "description": HTTPStatus(status).phrase,
        "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
    for status in (400, 404, 422)
}


class PageMissingError(Exception):
    """There is no page of that name."""

    def __init__(self, *, what: str, got: str, known: Sequence[str]) -> None:
        super().__init__(what)
        self.fault = Fault(where=what, got=got[:80], allowed=f"one of: {', '.join(known)}" if known else "a known page")


def fault_of(error: RemissionError) -> Fault:
    """The four parts of one of our errors."""
    return Fault(where=error.where, got=str(error.got)[:200], allowed=error.allowed, remedy=error.remedy)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error in the reader's form: JSON for ``.json`` and ``/api``, a page for the rest."""

    @app.exception_handler(PageMissingError)
    def missing(request: Request, error: PageMissingError) -> Response:
        return _answer(request, 404, [error.fault])

    @app.exception_handler(RemissionError)
    def ours(request: Request, error: RemissionError) -> Response:
        return _answer(request, 500 if isinstance(error, RunError | ProvenanceError) else 422, [fault_of(error)])

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [
            Fault(
                where=".".join(str(part) for part in item["loc"][1:]) or "request",
                got=str(item.get("input"))[:80],
                allowed=item["msg"],
            )
            for item in error.errors()
        ]
        return _answer(request, 422, faults)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        return _answer(request, error.status_code, [], error.headers)


def problem_answer(status: int, faults: Sequence[Fault], headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem document."""
    problem = _problem(status, faults)
    return JSONResponse(problem.model_dump(), status_code=status, media_type=PROBLEM_TYPE, headers=headers)


def _problem(status: int, faults: Sequence[Fault]) -> Problem:
    phrase = HTTPStatus(status).phrase
    detail = f"{faults[0].where}: got {faults[0].got!r}; {faults[0].allowed}." if faults else phrase
    return Problem(title=phrase, status=status, detail=detail, faults=tuple(faults))


def _answer(
    request: Request, status: int, faults: Sequence[Fault], headers: Mapping[str, str] | None = None
) -> Response:
    path = request.url.path
    if path.endswith(".json") or path.startswith("/api/"):
        return problem_answer(status, faults, headers)
    answer = render_page(request, "problem.html.jinja", _problem(status, faults), status=status)
    answer.headers.update(headers or {})
    return answer
