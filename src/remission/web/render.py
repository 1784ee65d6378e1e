"""A record as a page: templates, texts and what every page has."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment
from markupsafe import Markup
from pydantic import BaseModel

from remission.errors import visible
from remission.records.session_fields import FORM_FIELDS
from remission.report.day_field import draw_days
from remission.report.page import page_environment, read_asset
from remission.web.assets import asset_address
from remission.web.citations import link_sources
from remission.web.language import LANGUAGES, language_of, load_text, path_in


@cache
def _environment() -> Environment:
    environment = page_environment("remission.web", trim_blocks=True, lstrip_blocks=True, finalize=_shown)
    environment.filters |= {"as_query": _as_query, "titles": _titles, "twice": _twice}
    mark = Markup(read_asset("mark.svg").strip())  # noqa: S704 - our own file
    environment.globals |= {"asset": asset_address, "mark": mark, "plan_fields": FORM_FIELDS, "draw_days": draw_days}
    return environment


def _shown(value: Any) -> Any:
    """Text from files and requests without signs that hide or turn what follows; our own pictures as they are."""
    return visible(value, keep="\n\t") if isinstance(value, str) and not isinstance(value, Markup) else value


def _as_query(fields: Mapping[str, Iterable[str]]) -> str:
    """Fields as the query of an address, without those that are empty."""
    return urlencode([(name, text) for name, texts in fields.items() for text in texts if text.strip()])


def _titles(entries: Iterable[Any]) -> list[tuple[str, str]]:
    return [(one.id, one.title) for one in entries]


def _twice(words: Iterable[str]) -> list[tuple[str, str]]:
    return [(word, word) for word in words]


def render_page(
    request: Request, template: str, page: BaseModel, *, text: str | None = None, status: int = 200
) -> HTMLResponse:
    """One page as HTML, from a file in ``templates/`` and the texts of its text file, when it has one.

    A template sees ``page`` (the record), ``t`` (texts of the page in its language), ``words`` and ``site`` (texts of
    the patient pages and of every page), ``language``, ``here`` (its English address), ``has_bench`` (whether designs
    can be made here), ``asset`` (address of a static
    file), ``link`` (address of a page in the reader's language) and ``draw_days`` (a field of days as a picture).
    """
    language = language_of(request)
    path = request.url.path
    here = path if language == "en" else path.removeprefix(f"/{language}") or "/"
    languages = getattr(request.state, "languages", ("en",))
    content = (
        _environment()
        .get_template(template)
        .render(
            page=page,
            t={} if text is None else load_text(language, text),
            words=load_text(language, "journey"),
            site=load_text(language, "site"),
            language=language,
            languages=[(code, LANGUAGES[code], path_in(here, code)) for code in languages],
            here=here,
            has_bench=request.app.state.bench is not None,
            link=lambda target: path_in(target, language) if target.split("/")[1] in _TRANSLATED else target,
        )
    )
    return HTMLResponse(link_sources(content), status_code=status)


_TRANSLATED = {"journey", "clinics", "safety", "family", "diary"}
"""Pages that exist in every language."""
