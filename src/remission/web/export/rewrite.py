"""A page of the server as a page of a copy: relative links, its own strict policy, its date, no form without a server.

Addresses inside the site stand in attributes that begin with a slash: links, sources, and ``data-`` attributes for what
scripts ask for. Nothing else may name an address; :mod:`remission.web.export.check` looks for it.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from html import escape, unescape

from remission.errors import LibraryError
from remission.web.security import CONTENT_SECURITY_POLICY

_TAG = re.compile(r"<[a-zA-Z][^>]*>")
_ADDRESS = re.compile(r'\s(?P<name>[a-z][a-z-]*)="(?P<address>/(?!/)[^"]*)"')
_FORM = re.compile(r"<form\b[^>]*>.*?</form>", re.DOTALL)
_ASKED = re.compile(r'\s(?:hx-[a-z-]+|method|action|enctype)="[^"]*"')
_SERVER_ONLY = re.compile(
    r'<script [^>]*vendor/htmx[^>]*></script>|<meta name="htmx-config"[^>]*>'
    r"|<noscript><meta http-equiv[^>]*></noscript>"
    r"| ?<span [^>]*data-served[^>]*>[^<]*</span>"  # what a server is told: a copy has none
)
_POLICY = (
    CONTENT_SECURITY_POLICY.replace("form-action 'self'", "form-action 'none'")
    .replace("connect-src 'self'", "connect-src 'none'")
    .replace("; frame-ancestors 'none'", "")
)
"""As the server's, but that nothing is asked for or sent; a page cannot set the rule for frames itself."""


def addresses_in(page: str) -> Iterator[tuple[str, str]]:
    """Every address inside the site that a page names, with the name of its attribute."""
    for tag in _TAG.findall(_without_server(page, "")):
        for found in _ADDRESS.finditer(tag):
            yield found["name"], unescape(found["address"])


def copied_page(
    page: str, *, link: Callable[[str], str], words: Mapping[str, str], made: str, is_fresh: bool, note: str
) -> str:
    """The page as a file.

    Parameters
    ----------
    page
        HTML as the server gives it.
    link
        From an address inside the site to the name of its file, seen from this one.
    words
        Sentences of a copy in the page's language, ``text/<language>/copy.toml``.
    made
        Day of the copy, year-month-day.
    is_fresh
        Whether a browser must ask the host again before it shows an older one.
    note
        Who offers the copy, and when it was made.
    """
    page = _without_server(page, f'<p class="note" role="note">{escape(words["form"])}</p>')
    page = _TAG.sub(lambda tag: _ADDRESS.sub(lambda found: _linked(found, link), _plain(tag[0])), page)
    head = (
        f'<meta charset="utf-8">\n<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="referrer" content="no-referrer">\n<script src="{link("/static/copy.js")}"></script>'
    )
    lost = f'<p class="part-missing" id="part-missing" role="alert">{escape(words["missing"])} <span></span></p>'
    old = f'<p class="note" id="copy-old" role="note" hidden>{escape(words["old"])}</p>'
    page = page.replace('<meta charset="utf-8">', head, 1)
    page = page.replace("<html ", f'<html data-made="{made}"{" data-fresh" if is_fresh else ""} ', 1)
    page = re.sub(r"(<main\b[^>]*>)", rf"\1\n{lost}\n{old}", page, count=1)
    return page.replace("</footer>", f'<p class="copy-note">{escape(note)}</p>\n</footer>', 1)


def copied_script(text: str) -> str:
    """A module as a script with names of its own: browsers read no module from a file.

    Raises LibraryError: it imports another, which only a server can give.
    """
    if re.search(r"^\s*(?:import|export)\b", text, re.MULTILINE):
        raise LibraryError(
            where="a script of the pages", got="a module that imports another", allowed="one that stands alone"
        )
    return f'(async () => {{\n"use strict";\n{text}}})();\n'


def _without_server(page: str, note: str) -> str:
    """Forms that only a server answers become a sentence; what a script of the page answers keeps its fields."""

    def form(found: re.Match[str]) -> str:
        start = _TAG.match(found[0])
        assert start is not None, "a form begins with its tag"
        tag = start[0]
        if "data-here" not in tag and " action=" in tag:
            return note
        return found[0].replace(tag, tag.replace("<form", "<form data-copy", 1), 1)

    return _SERVER_ONLY.sub("", _FORM.sub(form, page))


def _plain(tag: str) -> str:
    tag = _ASKED.sub("", tag) if not tag.startswith("<meta") else tag
    return tag.replace(' type="module"', " defer")


def _linked(found: re.Match[str], link: Callable[[str], str]) -> str:
    return f' {found["name"]}="{escape(link(unescape(found["address"])))}"'
