"""How the model was checked: the project's own records of it, whole, with what failed."""

import re
from functools import cache
from itertools import pairwise
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from pydantic import Field

from remission.records.base import Record
from remission.web.page import PageRouter
from remission.web.problems import PageMissingError
from remission.web.records_folder import records_folder

router = PageRouter()
_INDEX = "index.md"
"""The list of forecasts, which has a page of its own."""
_FRONT = "credibility"
"""The record that the front of the pages shows whole."""
_FIRST = (_FRONT, "posterior", "facts", "article-trials", "retuning", "realism", "forecast-more-kare")
"""What a reader asks first, in order; the others follow by name."""


_WORD_NOTE = "“Clean” in it means a day or a test without use, and judges nobody."
"""Lists that were registered are never edited, so their word is explained."""


class RecordLink(Record):
    """A record of a check: its title and what it says first."""

    id: str
    title: str
    says: str


_MADE = re.compile(
    r"(?:(?:^|(?<=[.;] ))(?:(?:Made|Written|Generated|This page is written) (?:by|on)\b[^.;]*(?:\.(?=\S)[^.;]*)*"
    r"|Draws [0-9a-f]{8,}\b[^.]*\.|make \w+\b[^;]*? writes this page|do not edit|[Ss]eed \d+[^.;]*)[.;]?(?: |$))+(\w?)"
)
"""What a record says of how it was made."""


class ValidationPage(Record):
    """What /validation shows: the credibility file, whole, and the records behind it.

    ``score`` is the table of registered facts, empty where there is none.
    """

    credibility: str
    records: tuple[RecordLink, ...]
    score_columns: tuple[str, ...]
    score: tuple[tuple[str, ...], ...]
    html: Any = Field(default="", exclude=True)


class RecordPage(Record):
    """What /validation/{name} shows; ``text`` is the record as it was written, in Markdown."""

    id: str
    title: str
    text: str
    word_note: str = Field(description="What a word of the files means that would judge a reader; may be empty.")
    html: Any = Field(default="", exclude=True)


@router.page("/validation", template="validation.html.jinja")
def validation() -> ValidationPage:
    """How the model was checked, and what it missed."""
    names = sorted(_sources(), key=lambda name: (_FIRST.index(name) if name in _FIRST else len(_FIRST), name))
    columns, rows = _score()
    return ValidationPage(
        credibility=_sources().get(_FRONT, ""),
        html=_html(_FRONT) if _FRONT in _sources() else "",
        records=tuple(RecordLink(id=name, title=_title(name), says=_says(name)) for name in names),
        score_columns=columns,
        score=rows,
    )


@router.page("/validation/{name}", template="validation_record.html.jinja")
def validation_record(name: str) -> RecordPage:
    """One record of a check, whole."""
    if name not in _sources():
        raise PageMissingError(what="record", got=name, known=tuple(_sources()))
    text = _sources()[name]
    note = _WORD_NOTE if re.search(r"(?<![\w-])[Cc]lean(?![\w-])", text) else ""
    return RecordPage(id=name, title=_title(name), text=text, word_note=note, html=_html(name))


@cache
def _sources() -> dict[str, str]:
    """Each record by its name, as Markdown."""
    return {
        ("forecast-" if folder == "forecasts" else "") + place.name.removesuffix(".md"): place.read_text("utf-8")
        for folder in ("validation", "forecasts")
        for place in sorted(records_folder(folder).iterdir(), key=lambda one: one.name)
        if place.name.endswith(".md") and place.name != _INDEX
    }


def _title(name: str) -> str:
    found = re.search(r"^# (.+)$", _sources()[name], re.MULTILINE)
    return found[1] if found else name


def _says(name: str) -> str:
    """The first paragraph that says what was checked, as plain words; how the page is made is no news to a reader."""
    tokens = _parser().parse(_sources()[name])
    found = (_plain(one) for before, one in pairwise(tokens) if before.type == "paragraph_open")
    told = (_MADE.sub(lambda one: one[1].upper(), " ".join(text.split())) for text in found)
    words = next(filter(None, told), "")
    return words if len(words) <= 280 else f"{words[:280].rsplit(' ', 1)[0]} ..."


def _plain(token: Token) -> str:
    return "".join(
        one.content if one.type in {"text", "code_inline"} else " "
        for one in token.children or ()
        if "link" not in one.type
    )


@cache
def _score() -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """The table of how many registered facts came out how, from the record itself."""
    found = re.search(r"^## How many came out how\n\n((?:\|.*\n)+)", _sources().get("facts", ""), re.MULTILINE)
    if not found:
        return (), ()
    rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in found[1].strip().splitlines()]
    return rows[0], tuple(rows[2:])


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).enable("table")


@cache
def _html(name: str) -> Markup:
    """A record as HTML: links between records lead to their pages, others and pictures become words."""
    parser = _parser()
    tokens = parser.parse(_sources()[name])
    # The page has the title as its heading.
    tokens = tokens[3:] if tokens and tokens[0].tag == "h1" else tokens
    for token in tokens:
        token.attrs.pop("style", None)
        if token.type == "inline":
            token.children = _inline(name, token.children or [])
    html = parser.renderer.render(tokens, parser.options, {})
    html = re.sub(r"<table>", '<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>', html)
    html = html.replace("</table>", "</table></div>").replace("<th>", '<th scope="col">')
    html = re.sub(r"<pre>", '<pre tabindex="0">', html)
    # An interval is one thing: a narrow column breaks before it, not inside.
    html = re.sub(r"\((-?[\d.]+%?) to (-?[\d.]+%?)\)", "(\\1\u00a0to\u00a0\\2)", html)
    return Markup(_numbered(html))  # noqa: S704 - raw HTML is off in the parser


def _numbered(html: str) -> str:
    """Each table with a name of its own, for those who go from region to region."""
    count = iter(range(1, html.count('aria-label="Table"') + 1))
    return re.sub('aria-label="Table"', lambda _: f'aria-label="Table {next(count)}"', html)


def _inline(name: str, children: list[Token]) -> list[Token]:
    kept, dropped = [], 0
    for token in children:
        if token.type == "image":
            kept.append(_text(f"[picture in the documents: {token.content}]"))
        elif token.type == "link_open":
            address = _address(name, str(token.attrs["href"]))
            if address:
                token.attrs["href"] = address
                kept.append(token)
            else:
                dropped += 1
        elif token.type == "link_close" and dropped:
            dropped -= 1
        else:
            kept.append(token)
    return kept


def _text(words: str) -> Token:
    return Token("text", "", 0, content=words)


def _address(name: str, target: str) -> str:
    """Where a link of a record leads on these pages; empty where the page is of the documents alone."""
    if target.startswith("https://"):
        return target
    plain, _, part = target.partition("#")
    if not plain and part:
        return ""
    if plain.endswith(f"forecasts/{_INDEX}"):
        return "/forecasts"
    other = plain.rpartition("/")[2].removesuffix(".md")
    if "forecasts/" in plain or (name.startswith("forecast-") and "/" not in plain):
        other = f"forecast-{other}"
    return f"/validation/{other}" if plain.endswith(".md") and other in _sources() else ""
