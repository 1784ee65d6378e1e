"""A copy of the site: every page that a link reaches, asked of the app itself, written as one folder or not at all."""

import asyncio
import json
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from fastapi import FastAPI, Request

from remission.errors import SpecError, WorkError
from remission.evidence.care import Contacts, contacts_of
from remission.files import (
    check_folder,
    make_folder,
    move,
    replace_folder,
    staged_folder,
    sweep,
    write_bytes,
    write_text,
)
from remission.provenance import package_version
from remission.records.base import Record
from remission.web.app import create_app
from remission.web.export.places import Places
from remission.web.export.rewrite import addresses_in, copied_page, copied_script
from remission.web.language import LANGUAGES, load_text, path_in
from remission.web.page import PageEntry
from remission.web.render import render_page
from remission.web.settings import WebSettings

CONTENTS = "contents.json"
_ALWAYS = {"", "world", "safety", "family", "diary", "about", "limits"}
"""First parts of addresses that no copy leaves out: the front and its worlds, whom to call, own days, what this is."""
_MOST_PAGES = 5000
_PATIENCE = 3000
"""How often a page that is still computed is asked for; it waits nearly half a second itself."""
MISSING = "404.html"


class SiteContents(Record):
    """What a copy holds, ``contents.json``: when and with what it was made, for whom, size and sum of every file."""

    made: date
    version: str
    name: str
    n_pages: int
    n_bytes: int
    files: dict[str, tuple[int, str]]


class AbsentPage(Record):
    """A page that a copy does not hold."""

    command: str


class LostPart(Record):
    """What stands in one language where a page is not there."""

    language: str
    words: dict[str, str]
    now: str
    contacts: Contacts


class LostPage(Record):
    """What a host shows for a page that is not there."""

    parts: tuple[LostPart, ...]


class _Answer(NamedTuple):
    status: int
    kind: str
    location: str
    body: bytes


def check_target(folder: Path, *, replace: bool) -> None:
    """Refuse a folder that holds something else than a copy, and a copy unless it may be replaced; before any work.

    Raises SpecError: it is not empty, or a file; RunError: nothing can be written there.
    """
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise SpecError(where=str(folder), got="a file or a link", allowed="a new or an empty folder")
    if folder.is_dir() and any(folder.iterdir()):
        is_copy = (folder / CONTENTS).is_file()
        if not (replace and is_copy):
            raise SpecError(
                where=str(folder),
                got="an earlier copy of the site" if is_copy else "a folder that holds something else",
                allowed="a new or an empty folder" + (", or --replace" if is_copy else ""),
                remedy="Nothing was overwritten.",
            )
    nearest = folder.absolute()
    while not nearest.exists():
        nearest = nearest.parent
    check_folder(nearest if nearest != folder.absolute() else nearest.parent, where=str(folder))


def write_site(
    folder: Path,
    *,
    settings: WebSettings,
    only: Sequence[str] = (),
    trials: Sequence[str] = (),
    made: date,
    replace: bool = False,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> SiteContents:
    """Write the site into a folder, whole or not at all.

    Parameters
    ----------
    folder
        New or empty; an earlier copy is replaced with ``replace``, and stays until the new one is whole.
    settings
        Country, store of clinics, replicates and who offers the pages, as for a server.
    only
        Sections, the first parts of addresses; none: all. Whom to call is always there.
    trials
        Published trials that are simulated for the copy; the pages of others say which command does it.
    made
        Day that the pages carry.
    on_progress
        Called with pages done and pages known so far.

    Raises
    ------
    SpecError
        The folder holds something, or a section is unknown.
    WorkError
        A page leads to one that is not there, or the disk refused.
    """
    check_target(folder, replace=replace)
    app = create_app(settings)
    known = sorted({_section(one.path) for one in app.state.pages if one.copied != "never"} - _ALWAYS)
    for one in only:
        if one not in known:
            raise SpecError(where="only", got=one, allowed=f"one of {', '.join(known)}")
    crawl = _Crawl(app, only=set(only) | _ALWAYS if only else set(), trials=trials, made=made)
    # A thread of its own: whoever calls may have a loop that runs, as notebooks do.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: asyncio.run(crawl.run(on_progress))).result()
    make_folder(folder.absolute().parent)
    sweep(folder.absolute().parent)
    try:
        with staged_folder(folder.absolute().parent) as staged:
            contents = crawl.write(staged)
            (replace_folder if folder.exists() else move)(staged, folder.absolute())
    except OSError as error:
        raise WorkError(
            where=str(folder), got=error.strerror or str(error), allowed="a folder with room that can be written to",
            remedy="Free space and start again; no half of a copy stands under its name.",
        ) from None  # fmt: skip
    return contents


class _Crawl:
    """Asks the app for every address that is linked, from the table of pages on, and rewrites what it gave."""

    def __init__(self, app: FastAPI, *, only: set[str], trials: Sequence[str], made: date) -> None:
        self.app, self.only, self.trials, self.made = app, only, set(trials), made
        self.name = app.state.settings.offered_by
        self.places = Places()
        self.pages: list[PageEntry] = app.state.pages
        self._found: dict[str, _Answer] = {}
        self._held: set[str] = set()
        self._modules: set[str] = set()

    async def run(self, on_progress: Callable[[int, int], None]) -> None:
        """Ask for all that is linked."""
        roots = [path_in(one.path, code) for one in self.pages if "{" not in one.path for code in one.languages]
        queue, known = deque(roots), set(roots)
        queue.append("/static/copy.js")
        while queue:
            address = queue.popleft()
            answer = await self._ask(address)
            while answer.location:
                plain, _, part = _inside(answer.location).partition("#")
                self.places.lead(address, plain, part)
                address, answer = plain, await self._ask(plain)
            self._found[address] = answer
            self.places.file_of(address)
            if answer.kind == "text/html":
                for attribute, target in addresses_in(answer.body.decode("utf-8")):
                    plain = target.partition("#")[0]
                    if attribute.startswith("data-"):
                        self._held.add(plain)
                    if plain not in known:
                        known.add(plain)
                        queue.append(plain)
                self._modules |= set(re.findall(r'<script src="([^"]+)" type="module"', answer.body.decode("utf-8")))
            if len(known) > _MOST_PAGES:
                raise WorkError(
                    where="remission site",
                    got=f"more than {_MOST_PAGES} pages",
                    allowed="fewer",
                    remedy="Choose sections with --only.",
                )
            on_progress(len(self._found), len(known) + 1)

    async def _ask(self, address: str) -> _Answer:
        entry, values, language = self._entry(address)
        if entry is not None and not self._is_copied(entry, values):
            self.places.keep_whole(address)
            return self._absent(entry, values, language, address)
        answer = await _request(self.app, address)
        for _ in range(_PATIENCE):
            if answer.status != 202:
                break
            answer = await _request(self.app, address)
        if answer.status not in {200, 307, 308}:
            raise WorkError(
                where=f"page {address}", got=f"answer {answer.status}", allowed="a page that every link reaches",
                remedy="This is a defect of the pages; nothing was written.",
            )  # fmt: skip
        return answer

    def _entry(self, address: str) -> tuple[PageEntry | None, dict[str, str], str]:
        """The row of the table to which an address belongs, with what its name holds, and its language."""
        path = unquote(urlsplit(address).path).removesuffix(".json")
        first = path.split("/")[1]
        language = first if first in LANGUAGES and first != "en" else "en"
        plain = path if language == "en" else path.removeprefix(f"/{language}") or "/"
        for entry in self.pages:
            values = entry.parts_of("/" if plain == "/index" else plain)
            if values is not None and language in entry.languages:
                return entry, values, language
        return None, {}, language

    def _is_copied(self, entry: PageEntry, values: dict[str, str]) -> bool:
        if entry.copied == "never" or (self.only and _section(entry.path) not in self.only):
            return False
        return entry.copied == "always" or bool(self.trials & set(values.values()))

    def _absent(self, entry: PageEntry, values: dict[str, str], language: str, address: str) -> _Answer:
        command = command_of(entry, values)
        if address.partition("?")[0].endswith(".json"):
            return _Answer(200, "application/json", "", json.dumps({"absent": command}).encode())
        request = self._asked(path_in(entry.path, language))
        page = render_page(request, "not_in_copy.html.jinja", AbsentPage(command=command), text="copy")
        return _Answer(200, "text/html", "", bytes(page.body))

    def write(self, folder: Path) -> SiteContents:
        """Write every page, what scripts ask for, and the list of it all, into a staged folder."""
        written: dict[str, bytes] = {}
        for address, answer in self._found.items():
            name = self.places.file_of(address)
            written[name] = self._content(address, name, answer)
            if address in self._held:
                written[f"{name}.js"] = f"holdData({json.dumps(written[name].decode())});\n".encode()
        written[MISSING] = self._missing()
        for name, content in written.items():
            make_folder((folder / name).parent)
            write_bytes(folder / name, content)
        contents = SiteContents(
            made=self.made,
            version=package_version(),
            name=self.name,
            n_pages=sum(name.endswith(".html") for name in written),
            n_bytes=sum(map(len, written.values())),
            files={name: (len(content), sha256(content).hexdigest()) for name, content in sorted(written.items())},
        )
        write_text(folder / CONTENTS, contents.model_dump_json(indent=1) + "\n")
        return contents

    def _content(self, address: str, name: str, answer: _Answer) -> bytes:
        if answer.kind != "text/html":
            return copied_script(answer.body.decode()).encode() if address in self._modules else answer.body
        entry, _, language = self._entry(address)
        words = load_text(language, "copy")
        note = words["made"].format(date=self.made.isoformat(), version=package_version())
        return copied_page(
            answer.body.decode("utf-8"),
            link=lambda target: self.places.link(name, target),
            words=words,
            made=self.made.isoformat(),
            is_fresh=entry is not None and entry.keeps_nothing,
            note=f"{words['offered'].format(name=self.name)} {note}" if self.name else note,
        ).encode()

    def _missing(self) -> bytes:
        """What a host shows for a page that is not there: it may lie in any folder, so it needs no other file."""
        settings = self.app.state.settings
        parts = tuple(
            LostPart(
                language=one,
                words=dict(load_text(one, "copy")),
                now=load_text(one, "journey")["safety"]["now"],
                contacts=contacts_of(settings.country, one, settings.helplines),
            )
            for one in LANGUAGES
        )
        return bytes(render_page(self._asked("/404"), "lost_in_copy.html.jinja", LostPage(parts=parts)).body)

    def _asked(self, path: str) -> Request:
        """A request for a page that the app does not have itself."""
        return Request(
            {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b"", "app": self.app}
        )


class _Names(dict[str, str]):
    """What an address says, by name; a name that it does not say stays, in capitals, for the reader to fill."""

    def __missing__(self, name: str) -> str:
        return name.upper()


def command_of(entry: PageEntry, values: Mapping[str, str]) -> str:
    """The command that makes a page without a server, with what its address says."""
    return entry.command.format_map(_Names(values))


def _section(path: str) -> str:
    return path.split("/")[1]


def _inside(location: str) -> str:
    parts = urlsplit(location)
    return parts._replace(scheme="", netloc="").geturl()


async def _request(app: FastAPI, address: str) -> _Answer:
    """One answer of the app, without a network."""
    parts = urlsplit(address)
    scope: dict[str, Any] = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": unquote(parts.path), "raw_path": parts.path.encode(), "query_string": parts.query.encode(),
        "root_path": "", "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("localhost", 80),
    }  # fmt: skip
    status, headers, body = 500, {}, bytearray()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status, headers
        if message["type"] == "http.response.start":
            status = message["status"]
            headers = {name.decode().lower(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            body.extend(message.get("body", b""))

    await app(scope, receive, send)
    return _Answer(status, headers.get("content-type", "").partition(";")[0], headers.get("location", ""), bytes(body))
