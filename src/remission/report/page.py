"""One way to fill a template: no template sees a name that is not given, and no text becomes markup by itself."""

import base64
import re
from collections.abc import Sequence
from functools import cache, partial
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from remission.errors import visible

if TYPE_CHECKING:
    from jinja2 import Environment


def page_environment(*packages: str, **options: Any) -> "Environment":
    """Templates of some packages, the first before the next, and of the reports."""
    from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined  # where a page is filled

    loaders = [PackageLoader(name) for name in (*packages, "remission.report")]
    environment = Environment(loader=ChoiceLoader(loaders), autoescape=True, undefined=StrictUndefined, **options)
    environment.filters["word_by_word"] = _word_by_word
    return environment


def _word_by_word(command: str) -> Markup:
    """A command that breaks between its words only: a browser would break ``--seed`` between its dashes."""
    return Markup(" ").join(
        Markup('<span class="whole">{}</span>').format(word) if "-" in word else word
        for word in visible(command).split(" ")
    )


_reports = cache(page_environment)
_parts = cache(partial(page_environment, trim_blocks=True, lstrip_blocks=True))


_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"


def fill_template(name: str, *styles: str, scripts: Sequence[str] = (), **content: Any) -> str:
    """A self-contained page as text, whole without scripts.

    ``name``: of the template. ``styles``: style sheets after the tokens, in their order; the template has them as
    ``css``, and our mark as ``mark``. ``scripts``: what runs in the page; the template has them as ``scripts``, and as
    ``policy`` what a browser may do, with the hash of each. ``content``: what else it shows.
    """
    css = "".join(read_asset(style) for style in ("tokens.css", *styles))
    texts = [read_asset(one) for one in scripts]
    sums = " ".join(f"'sha256-{base64.b64encode(sha256(one.encode()).digest()).decode()}'" for one in texts)
    page = (
        _reports()
        .get_template(name)
        .render(
            css=Markup(css),  # noqa: S704 - our own files
            scripts=[Markup(one) for one in texts],  # noqa: S704 - our own files
            policy=f"{_POLICY}; script-src {sums}" if sums else _POLICY,
            mark=Markup(read_asset("mark.svg").strip()),  # noqa: S704 - our own file
            **content,
        )
    )
    return with_minus(page)


_MINUS = re.compile(
    r"<(?P<kept>svg|code|pre|script|style|textarea|title)\b.*?</(?P=kept)>|<[^>]*>|(?<![\w.,:/)=+-])-(?=\.?\d)",
    re.DOTALL,
)


def with_minus(page: str) -> str:
    """A page of HTML whose negative numbers have a minus sign: the hyphen of data is easily read over.

    Pictures, code and what a reader types keep theirs, and so do JSON and CSV, which are not made from pages.

    Examples
    --------
    >>> with_minus('<td data-x="-1">-0.5 to 12</td><code>--to -3</code>')
    '<td data-x="-1">−0.5 to 12</td><code>--to -3</code>'
    """
    return _MINUS.sub(lambda found: "\u2212" if found[0] == "-" else found[0], page)


def draw_part(template: str, /, **content: Any) -> Markup:
    """A part of a page as markup, from a template of its own."""
    text = _parts().get_template(template).render(**content)
    return Markup(text)  # noqa: S704 - from our template, which escapes what it is given


def read_asset(name: str) -> str:
    """A style sheet or a drawing of the templates."""
    return files("remission.report").joinpath("templates", name).read_text(encoding="utf-8")
