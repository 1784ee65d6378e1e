"""Where each address of the site lies in a copy, and how one file of it names another."""

import hashlib
import re
from collections.abc import Mapping
from posixpath import dirname, relpath
from urllib.parse import unquote_plus

_LONGEST = 80


class Places:
    """A file for each address, found once and kept; no two addresses share one, on any kind of disk."""

    def __init__(self) -> None:
        self._files: dict[str, str] = {}
        self._taken: dict[str, str] = {}
        self._whole: set[str] = set()

    @property
    def files(self) -> Mapping[str, str]:
        """File by address."""
        return self._files

    def file_of(self, address: str) -> str:
        """The file of an address without its part after ``#``.

        Examples
        --------
        >>> places = Places()
        >>> places.file_of("/"), places.file_of("/evidence?substance=alcohol"), places.file_of("/static/site.css?1f2e")
        ('index.html', 'evidence_substance-alcohol.html', 'static/site.css')
        """
        if address not in self._files:
            found = _file(address)
            if self._taken.setdefault(found.casefold(), address) != address:
                stem, dot, ending = found.rpartition(".")
                found = f"{stem}-{hashlib.sha256(address.encode()).hexdigest()[:8]}{dot}{ending}"
                self._taken[found.casefold()] = address
            self._files[address] = found
        return self._files[address]

    def lead(self, address: str, target: str, source: str) -> None:
        """Let an address that only leads to another have the file of that one."""
        self._files[address] = self.file_of(target) + (f"#{source}" if source else "")

    def keep_whole(self, address: str) -> None:
        """Let links lead to the top of a page: it stands in the place of one whose parts are not in the copy."""
        self._whole.add(address)

    def link(self, here: str, address: str) -> str:
        """The address as the file ``here`` names it, with its part after ``#`` where the page has parts."""
        plain, _, part = address.partition("#")
        target, _, led = self.file_of(plain).partition("#")
        mark = "" if plain in self._whole else part or led
        return relpath(target, dirname(here) or ".") + (f"#{mark}" if mark else "")


def _file(address: str) -> str:
    path, _, query = address.partition("?")
    if path.startswith("/static/"):
        return path[1:]
    stem, ending = path.strip("/") or "index", ".html"
    if stem.endswith(".json"):
        stem, ending = stem.removesuffix(".json"), ".json"
    if query:
        words = re.sub(r"[^a-z0-9]+", "-", unquote_plus(query).lower()).strip("-")
        if len(words) > _LONGEST:
            words = f"{words[:_LONGEST]}-{hashlib.sha256(query.encode()).hexdigest()[:8]}"
        stem = f"{stem}_{words}"
    return stem + ending
