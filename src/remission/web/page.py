"""A page: one function makes a record of everything that is shown; the same record answers as HTML and as JSON.

``/evidence`` is the page, ``/evidence.json`` the record. Only the JSON addresses stand in the OpenAPI document, typed
by the record.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar, get_type_hints

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from remission.web.language import path_in
from remission.web.problems import PROBLEM_RESPONSES, Fault, problem_answer
from remission.web.render import render_page

__all__ = ["PageRouter"]

_View = TypeVar("_View", bound=Callable[..., BaseModel])


class PageRouter:
    """Pages of one module; ``routes`` is what the app includes."""

    def __init__(self) -> None:
        self.routes = APIRouter()

    def page(
        self,
        path: str,
        *,
        template: str,
        text: str | None = None,
        languages: Sequence[str] = ("en",),
        keeps_nothing: bool = False,
    ) -> Callable[[_View], _View]:
        """Register a function that makes a page.

        Parameters
        ----------
        path
            English address, for example ``/evidence/{study_id}``; other languages get a prefix.
        template, text
            As for :func:`remission.web.render.render_page`.
        languages
            Languages in which the page exists.
        keeps_nothing
            Whether browsers must not keep the page either (patient pages).

        Notes
        -----
        The function's parameters are FastAPI's; its return annotation is a frozen pydantic model, whose field
        ``status``, if it has one, is the answer's status.
        """

        def register(view: _View) -> _View:
            model = get_type_hints(view)["return"]
            headers = {"Cache-Control": "no-store" if keeps_nothing else "no-cache"}

            def as_html(request: Request, record: Annotated[Any, Depends(view)]) -> Response:
                request.state.languages = tuple(languages)
                answer = render_page(request, template, record, text=text, status=getattr(record, "status", 200))
                answer.headers.update(headers)
                return answer

            def as_json(response: Response, record: Annotated[Any, Depends(view)]) -> Any:
                fault = getattr(record, "fault", None)
                faults = getattr(record, "faults", ()) or ([fault] if isinstance(fault, Fault) else [])
                if faults:
                    # A page shows faults where they happened; a program gets a problem.
                    return problem_answer(record.status, faults)
                response.headers.update(headers)
                response.status_code = getattr(record, "status", 200)
                return record

            for language in languages:
                address = path_in(path, language)
                name = f"{view.__name__}_{language}"
                # The record first: a page with a name in its address would take the name with its ending.
                self.routes.add_api_route(
                    (address if address != "/" else "/index") + ".json",
                    as_json,
                    response_model=model,
                    responses=PROBLEM_RESPONSES,
                    name=f"{name}_json",
                    operation_id=f"{name}_json",
                    summary=(view.__doc__ or "").strip().split("\n")[0],
                )
                self.routes.add_api_route(address, as_html, include_in_schema=False, name=name)
            return view

        return register
