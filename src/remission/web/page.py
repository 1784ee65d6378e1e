"""A page: one function makes a record of everything that is shown; the same record answers as HTML and as JSON.

``/evidence`` is the page, ``/evidence.json`` the record. Only the JSON addresses stand in the OpenAPI document, typed
by the record.
"""

import inspect
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus
from typing import Annotated, Any, Literal, TypeVar, get_type_hints

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel
from starlette.routing import compile_path

from remission.web.language import path_in
from remission.web.problems import PROBLEM_RESPONSES, Fault, problem_answer
from remission.web.queue import Weight, run_in_turn
from remission.web.render import render_page

_View = TypeVar("_View", bound=Callable[..., BaseModel | Awaitable[BaseModel]])


Copied = Literal["always", "asked", "never"]
"""Whether a copy of the site has a page: always, where somebody asked for it by name (minutes of computing), never."""


@dataclass(frozen=True, slots=True)
class PageEntry:
    """A page in the table of pages: what a copy of the site is made from.

    path, languages
        Its English address, and the languages it exists in.
    keeps_nothing
        As it was registered.
    copied, command
        Whether a copy has it, and the command that makes the same without a server.
    """

    path: str
    languages: tuple[str, ...]
    keeps_nothing: bool
    copied: Copied
    command: str

    def parts_of(self, path: str) -> dict[str, str] | None:
        """What an English address of this page holds by name; None for an address of another page."""
        found = _pattern(self.path).fullmatch(path)
        return None if found is None else found.groupdict()


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return compile_path(path)[0]


class PageRouter:
    """Pages of one module; ``routes`` is what the app includes, ``pages`` the table of them."""

    def __init__(self) -> None:
        self.routes = APIRouter()
        self.pages: list[PageEntry] = []

    def page(
        self,
        path: str,
        *,
        template: str,
        text: str | None = None,
        languages: Sequence[str] = ("en",),
        keeps_nothing: bool = False,
        weight: Weight = "usual",
        check: Callable[..., None] | None = None,
        copied: Copied = "always",
        command: str = "remission serve",
    ) -> Callable[[_View], _View]:
        """Register a function that makes a page.

        Parameters
        ----------
        path
            English address, for example ``/evidence/{study_id}``; other languages get a prefix.
        template, text
            As for :func:`remission.web.render.render_page`.
        keeps_nothing
            Whether browsers must not keep the page either (patient pages).
        weight
            How long it takes, see :mod:`remission.web.queue`; a heavy page is not made where only its head is asked.
            A function that is ``async`` takes its turns itself.
        check
            Called with the function's parameters before it waits; raises what makes them wrong at once.
        copied, command
            As in :class:`PageEntry`; ``{names}`` of the address may stand in the command.

        Notes
        -----
        The function's parameters are FastAPI's; it returns a frozen pydantic model, whose field ``status``, if there is
        one, is the answer's status.
        """
        self.pages.append(PageEntry(path, tuple(languages), keeps_nothing, copied, command))

        def register(view: _View) -> _View:
            model = get_type_hints(view)["return"]
            # Built now and once: the first readers come in several threads.
            model.model_rebuild()
            asked = _in_turn(view, weight, check)
            drawn: Weight = "quick" if weight == "quick" else "usual"
            headers = {"Cache-Control": "no-store" if keeps_nothing else "no-cache"}

            async def as_html(request: Request, record: Annotated[Any, Depends(asked)]) -> Response:
                if record is None:
                    return Response(media_type="text/html; charset=utf-8", headers=headers)
                request.state.languages = tuple(languages)
                status = getattr(record, "status", 200)
                answer = await run_in_turn(
                    drawn, lambda: render_page(request, template, record, text=text, status=status)
                )
                answer.headers.update(headers)
                return answer

            async def as_json(record: Annotated[Any, Depends(asked)]) -> Response:
                if record is None:
                    return Response(media_type="application/json", headers=headers)
                fault = getattr(record, "fault", None)
                faults = getattr(record, "faults", ()) or ([fault] if isinstance(fault, Fault) else [])
                status = getattr(record, "status", 200)
                if faults and status >= HTTPStatus.BAD_REQUEST:
                    # A page shows faults where they happened; a program gets a problem.
                    return problem_answer(status, faults)
                return Response(
                    await run_in_turn(drawn, partial(record.model_dump_json, by_alias=True)),
                    status_code=status,
                    media_type="application/json",
                    headers=headers,
                )

            for language in languages:
                address = path_in(path, language)
                name = f"{view.__name__}_{language}"
                # The record first: a page with a name in its address would take the name with its ending.
                self.routes.add_api_route(
                    f"{path_in('/index' if path == '/' else path, language)}.json",
                    as_json,
                    response_model=model,
                    responses=PROBLEM_RESPONSES,
                    name=f"{name}_json",
                    operation_id=f"{name}_json",
                    summary=(view.__doc__ or "").strip().split("\n")[0].replace("``", ""),
                )
                self.routes.add_api_route(address, as_html, include_in_schema=False, name=name)
            return view

        return register


def _in_turn(view: Callable[..., Any], weight: Weight, check: Callable[..., None] | None) -> Callable[..., Any]:
    """A view as FastAPI calls it: never in the common threads, where a few slow readers would keep all others out."""
    signature = inspect.signature(view, eval_str=True)
    takes_request = any(one.annotation is Request for one in signature.parameters.values())

    async def turn(request: Request, **values: Any) -> Any:
        if check is not None:
            check(**values)
        if weight == "heavy" and request.scope.get("is_head"):
            return None
        call = partial(view, **({"request": request} if takes_request else {}), **values)
        return await call() if inspect.iscoroutinefunction(view) else await run_in_turn(weight, call)

    own = [one for one in signature.parameters.values() if one.annotation is not Request]
    first = inspect.Parameter("request", inspect.Parameter.KEYWORD_ONLY, annotation=Request)
    turn.__signature__ = signature.replace(  # type: ignore[attr-defined]  # read by FastAPI
        parameters=[first, *(one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in own)],
        return_annotation=inspect.Signature.empty,
    )
    return turn
