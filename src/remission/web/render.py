"""A record as a page: templates, texts and what every page has."""

import re
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
from remission.report.page import page_environment, read_asset, with_minus
from remission.web.assets import asset_address
from remission.web.citations import link_sources
from remission.web.language import LANGUAGES, language_of, load_text, path_in

_LINK = re.compile(r'<a (?![^>]*hreflang)(?=[^>]*href="/(?P<first>[a-z]*))')


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

    def link(target: str) -> str:
        plain = "/" if target == "/index" else target.partition("?")[0].partition("#")[0]
        known = (one for one in request.app.state.pages if language in one.languages)
        return path_in(target, language) if any(one.parts_of(plain) is not None for one in known) else target

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
            link=link,
        )
    )
    content = content if language == "en" else _mark_english(content, language)
    return HTMLResponse(link_sources(with_minus(content)), status_code=status)


def _mark_english(page: str, language: str) -> str:
    """A page whose links to pages in English say so; a reader learns it before the step."""
    return _LINK.sub(lambda found: found[0] if found["first"] == language else '<a hreflang="en" ', page)
