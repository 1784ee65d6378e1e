"""Whether a copy is whole and keeps to itself: every file, every link, every script, seen from the folder alone."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path
from posixpath import dirname, join, normpath
from urllib.parse import unquote

from pydantic import ValidationError

from remission.errors import SpecError
from remission.records.base import Record
from remission.web.export.folder import CONTENTS, MISSING, SiteContents

MOST_FIRST_BYTES = 2_000_000
"""Most that a first visit to a page may load: the page, its style, its scripts, its pictures. [byte]"""
_LOADS = {("script", "src"), ("link", "href"), ("img", "src"), ("source", "src")}
_DATA = {"application/json"}
_ABSOLUTE = re.compile(r"""(?:["'`(]\s*)(?:https?:|//|/[a-z])[^"'`)\s]*""")
_NAMED = re.compile(r"http://www\.w3\.org/")


class SiteCheck(Record):
    """What :func:`check_site` found; ``faults`` says file and fault, one a line. Weights are in bytes."""

    n_files: int
    n_links: int
    n_outside: int
    heaviest: str
    heaviest_bytes: int
    faults: tuple[str, ...]


class _Page(HTMLParser):
    """Names, links and loads of a page, and what a strict policy would refuse."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.names: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.held: list[str] = []
        self.faults: list[str] = []
        self.policy = ""
        self._is_script = False
        self.is_part = "<html" not in text
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.names |= {given[name] for name in ("id", "name") if name in given}
        if given.get("http-equiv") == "Content-Security-Policy":
            self.policy = given["content"]
        self._is_script = tag == "script" and "src" not in given and given.get("type") not in _DATA
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.faults.append(f"a style or handler inside <{tag}>")
        if tag == "form" and given.get("action"):
            self.faults.append("a form that needs a server")
        for name, value in given.items():
            if (tag, name) in _LOADS:
                self.loads.append(value)
            elif name in {"href", "src", "xlink:href"}:
                self.links.append(value)
            elif name.startswith("data-") and re.fullmatch(r"[^\s]*\.(?:json|html)", value):
                self.held.append(f"{value}.js")
            elif value.startswith("/"):
                self.faults.append(f"an absolute address: {name}={value[:80]}")

    def handle_data(self, data: str) -> None:
        if self._is_script and data.strip():
            self.faults.append("a script inside the page")


def check_site(folder: Path) -> SiteCheck:
    """Walk a copy of the site.

    Raises SpecError: the folder is no copy, or its list cannot be read.
    """
    contents = _contents(folder)
    here = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    pages = {name: _Page((folder / name).read_text("utf-8", "replace")) for name in here if name.endswith(".html")}
    faults = [*_of_files(folder, contents, here), *_of_scripts(folder, here)]
    weights = {"": 0}
    for name, page in sorted(pages.items()):
        loads, found = _of_links(name, page, here, pages)
        weights[name] = sum((folder / one).stat().st_size for one in (name, *loads))
        faults += [f"{name}: {fault}" for fault in (*page.faults, *found)]
    heaviest = max(weights, key=lambda name: weights[name])
    if weights[heaviest] > MOST_FIRST_BYTES:
        faults.append(f"{heaviest}: {weights[heaviest]} bytes for a first visit; expected at most {MOST_FIRST_BYTES}")
    links = [link for page in pages.values() for link in page.links]
    return SiteCheck(
        n_files=len(here), n_links=len(links), n_outside=sum(map(_is_outside, links)), heaviest=heaviest,
        heaviest_bytes=weights[heaviest], faults=tuple(faults),
    )  # fmt: skip


def _of_files(folder: Path, contents: SiteContents, here: set[str]) -> Iterator[str]:
    for name, (size, checksum) in contents.files.items():
        path = folder / name
        if not path.is_file():
            yield f"{name}: missing; copy the whole folder again"
        elif path.stat().st_size != size or sha256(path.read_bytes()).hexdigest() != checksum:
            yield f"{name}: not the file that was written; copy the whole folder again"
    for name in sorted(here - set(contents.files) - {CONTENTS}):
        yield f"{name}: not part of the copy"


def _of_scripts(folder: Path, here: set[str]) -> Iterator[str]:
    for name in sorted(here):
        if name.endswith((".css", ".js")) and not name.endswith((".json.js", ".html.js")):
            for found in absolute_addresses((folder / name).read_text("utf-8", "replace")):
                yield f"{name}: an absolute address {found}"


def absolute_addresses(text: str) -> list[str]:
    """Addresses in a script or a style sheet that hold on one server only, or lead to another; their beginnings."""
    return [found[0][:60] for found in _ABSOLUTE.finditer(_NAMED.sub("", text))]


def _of_links(name: str, page: _Page, here: set[str], pages: dict[str, _Page]) -> tuple[set[str], list[str]]:
    """What a first visit loads beside the page, and what is wrong with its links."""
    loads, faults = set(), []
    if "default-src 'none'" not in page.policy and not page.is_part and name != MISSING:
        faults.append("no strict policy")
    for link in (*page.links, *page.loads, *page.held):
        if _is_outside(link):
            if link in page.loads or not re.match(r"(?:https?|tel|sms|mailto):", link):
                faults.append(f"loads or leads to {link[:80]}")
            continue
        fault, target = _follow(name, link, here, pages)
        if fault:
            faults.append(fault)
        elif link in page.loads:
            loads.add(target)
    return loads, faults


def _is_outside(link: str) -> bool:
    return re.match(r"[a-z]+:", link) is not None


def _follow(name: str, link: str, here: set[str], pages: dict[str, _Page]) -> tuple[str, str]:
    """What is wrong with a link inside the copy, and the file it leads to."""
    if link.startswith("/"):
        return f"an absolute address {link[:80]}", ""
    plain, _, part = link.partition("#")
    target = normpath(join(dirname(name), unquote(plain.partition("?")[0]))) if plain else name
    if target.startswith(".."):
        return f"leads out of the folder: {link[:80]}", ""
    if target not in here:
        return f"leads nowhere: {link[:80]}", ""
    if part and target in pages and unquote(part) not in pages[target].names and "=" not in part:
        return f"leads to no part of the page: {link[:80]}", target
    return "", target


def _contents(folder: Path) -> SiteContents:
    place = folder / CONTENTS
    try:
        return SiteContents.model_validate(json.loads(place.read_text("utf-8")))
    except (OSError, ValueError, ValidationError) as error:
        got = getattr(error, "strerror", None) or "a list that cannot be read"
        raise SpecError(
            where=str(place), got=got, allowed="the list of a copy that remission site wrote",
            remedy="Name the folder of the copy, or write it again.",
        ) from None  # fmt: skip
