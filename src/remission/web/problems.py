"""Errors as people and programs see them: a page that says what to do, or ``application/problem+json`` (RFC 9457)."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match

from remission.errors import ProvenanceError, RemissionError, RunError, WorkError
from remission.records.base import Record
from remission.web.bench.entry import NotEnteredError, WrongFormError
from remission.web.language import LANGUAGES, language_of, path_in
from remission.web.queue import BusyError
from remission.web.render import render_page
from remission.web.retold import retold
from remission.web.security import HEADERS

__all__ = [
    "Fault", "PROBLEM_RESPONSES", "PageMissingError", "PageMovedError", "Problem", "add_problem_handlers",
    "fault_of", "problem_answer",
]  # fmt: skip

_MOST_WAYS = 60
_NAME = re.compile(r"[A-Za-z0-9_-]+")
PROBLEM_TYPE = "application/problem+json"


class Fault(Record):
    """One thing that is wrong with a request: where, what came, what is allowed, what to do."""

    where: str
    got: str
    allowed: str
    remedy: str = ""


_NO_TOKEN = Fault(
    where="the workbench", got="no token", allowed="the address with the token",
    remedy="Open the address that remission serve --workbench printed when it was started; it is new each time.",
)  # fmt: skip


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
    for status in (400, 403, 404, 422, 503)
}


class Way(Record):
    """A page to go on with."""

    address: str
    name: str


class ProblemPage(Problem):
    """An error as a page: never the end of the way."""

    ways: tuple[Way, ...] = ()


class PageMovedError(Exception):
    """The page stands under another address."""

    def __init__(self, address: str) -> None:
        super().__init__(address)
        self.address = address


class PageMissingError(Exception):
    """There is no page of that name."""

    def __init__(self, *, what: str, got: str, known: Sequence[str]) -> None:
        super().__init__(what)
        self.known = tuple(known)
        self.fault = Fault(where=what, got=got[:80], allowed=f"one of: {', '.join(known)}" if known else "a known page")


def fault_of(error: RemissionError) -> Fault:
    """The four parts of one of our errors."""
    return Fault(where=error.where, got=str(error.got)[:200], allowed=error.allowed, remedy=error.remedy)


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error in the reader's form: JSON for ``.json`` and ``/api``, a page for the rest."""

    @app.exception_handler(PageMovedError)
    def moved(request: Request, error: PageMovedError) -> Response:
        del request
        return RedirectResponse(error.address, headers={"Cache-Control": "no-store"})

    @app.exception_handler(PageMissingError)
    def missing(request: Request, error: PageMissingError) -> Response:
        other = _other_address(request)
        if other is not None:
            return RedirectResponse(other, headers={"Cache-Control": "no-store"})
        return _answer(request, 404, [error.fault], near=error.known)

    @app.exception_handler(RemissionError)
    def ours(request: Request, error: RemissionError) -> Response:
        return _answer(request, _status(error), [fault_of(error)])

    @app.exception_handler(NotEnteredError)
    def not_entered(request: Request, error: NotEnteredError) -> Response:
        del error
        return _answer(request, 403, [_NO_TOKEN])

    @app.exception_handler(WrongFormError)
    def wrong_form(request: Request, error: WrongFormError) -> Response:
        return _answer(request, 413 if "MB" in str(error.fault.allowed) else 403, [fault_of(error.fault)])

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> Response:
        faults = [
            Fault(
                where=".".join(str(part) for part in item["loc"][1:]) or "request",
                got=str(item.get("input"))[:80],
                allowed=_allowed(item),
            )
            for item in error.errors()
        ]
        return _answer(request, 422, faults)

    @app.exception_handler(BusyError)
    def busy(request: Request, error: BusyError) -> Response:
        fault = Fault(
            where="this server",
            got="more questions than it can compute at once",
            allowed="a question a little later",
            remedy=f"Nothing is lost: ask again in {error.retry_after_s} seconds.",
        )
        return _answer(request, 503, [fault], {"Retry-After": str(error.retry_after_s), "Cache-Control": "no-store"})

    @app.exception_handler(Exception)
    def failed(request: Request, error: Exception) -> Response:
        del error  # the server's own log has it
        # Made outside of what adds the headers to all other answers.
        return _answer(request, 500, [], HEADERS)

    @app.exception_handler(HTTPException)
    def http(request: Request, error: HTTPException) -> Response:
        other = _other_address(request) if error.status_code == HTTPStatus.NOT_FOUND else None
        if other is not None:
            return RedirectResponse(other, headers={"Cache-Control": "no-store"})
        return _answer(request, error.status_code, [], error.headers)


_NUMBERS = {"float": "a number", "int": "a whole number", "bool": "true or false"}
_BOUNDS = {"greater_than_equal": ("ge", "{} or more"), "less_than_equal": ("le", "{} or less"),
           "string_too_long": ("max_length", "at most {} characters")}  # fmt: skip


def _allowed(item: Mapping[str, Any]) -> str:
    """What a field takes, in words that a reader knows and that the book of another language can hold."""
    kind, about = item["type"], item.get("ctx", {})
    if kind == "literal_error":
        names = re.findall("'([^']*)'", about["expected"])
        return f"one of: {', '.join(names)}"
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return words.format(f"{about[name]:g}")
    return _NUMBERS.get(kind.partition("_")[0], item["msg"]) if kind.endswith("_parsing") else str(item["msg"])


def _in_language(faults: Sequence[Fault], language: str, *, is_ours: bool) -> list[Fault]:
    """Faults in the reader's language; what came is quoted as it came, unless it is a sentence of ours."""
    names = ("where", "allowed", "remedy", *(("got",) if is_ours else ()))
    return [one.model_copy(update={name: retold(getattr(one, name), language) for name in names}) for one in faults]


def _status(error: RemissionError) -> int:
    if isinstance(error, WorkError):
        return HTTPStatus.INSUFFICIENT_STORAGE
    return 500 if isinstance(error, RunError | ProvenanceError) else 422


def problem_answer(status: int, faults: Sequence[Fault], headers: Mapping[str, str] | None = None) -> JSONResponse:
    """A problem document."""
    problem = _problem(status, faults)
    return JSONResponse(problem.model_dump(), status_code=status, media_type=PROBLEM_TYPE, headers=headers)


def _problem(status: int, faults: Sequence[Fault]) -> Problem:
    phrase = HTTPStatus(status).phrase
    detail = f"{faults[0].where}: got {faults[0].got!r}; expected {faults[0].allowed}." if faults else phrase
    return Problem(title=phrase, status=status, detail=detail, faults=tuple(faults))


def _answer(
    request: Request,
    status: int,
    faults: Sequence[Fault],
    headers: Mapping[str, str] | None = None,
    *,
    near: Sequence[str] = (),
) -> Response:
    path = request.url.path
    if path.endswith(".json") or path.startswith("/api/"):
        return problem_answer(status, faults, headers)
    folder = path.rpartition("/")[0]
    ways = tuple(Way(address=f"{folder}/{name}", name=name) for name in near[:_MOST_WAYS] if _NAME.fullmatch(name))
    said = _in_language(faults, language_of(request), is_ours=status == HTTPStatus.SERVICE_UNAVAILABLE)
    page = ProblemPage(**_problem(status, said).model_dump(), ways=ways)
    answer = render_page(request, "problem.html.jinja", page, status=status)
    answer.headers.update(headers or {})
    return answer


def _other_address(request: Request) -> str | None:
    """The page that an unknown address means, with its question; None when there is none.

    Only spelling is mended; what names something else is answered by the page that is asked.
    """
    path: str = request.scope["path"]
    if request.method not in {"GET", "HEAD"} or re.match("/(static|api)/+[^/]", path):
        return None
    plain = re.sub(r"/{2,}", "/", path.lower()).rstrip("/") or "/"
    first, _, rest = plain[1:].partition("/")
    found = [plain]
    if first in LANGUAGES:
        # The English page only where there is none in the language: what is missing there is said in it.
        found = [path_in(f"/{rest}", first), *(() if _is_page(request, path) else (f"/{rest}",))]
    for one in found:
        if one != path and _is_page(request, one):
            return quote(one) + (f"?{request.url.query}" if request.url.query else "")
    return None


def _is_page(request: Request, path: str) -> bool:
    scope = {**request.scope, "path": path, "method": "GET"}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)
