"""Built-in protocols: the published trials and the untreated course of each substance, as files like any other."""

import hashlib
import re
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from remission.errors import LibraryError, SpecError, check_known
from remission.library.loader import damaged
from remission.protocol.file import parse_protocol
from remission.protocol.record import Protocol
from remission.records.packaged import packaged_toml, read_library_json
from remission.records.record_file import record_of
from remission.records.substance import Substance
from remission.records.yaml_tree import Tree

_ENDING = ".yaml"


def list_protocols() -> tuple[str, ...]:
    """Names of the built-in protocols, sorted.

    Examples
    --------
    >>> "kare" in list_protocols()
    True
    """
    folder = files("remission.library").joinpath("protocols")
    return tuple(sorted(entry.name.removesuffix(_ENDING) for entry in folder.iterdir() if entry.name.endswith(_ENDING)))


@cache
def list_published() -> tuple[str, ...]:
    """Names of the built-in protocols of published trials, sorted.

    Examples
    --------
    >>> "combine-2006" in list_published()
    True
    """
    known = {name: load_protocol(name) for name in list_protocols()}
    # A natural course has a record beside it too, and compares no arms.
    return tuple(name for name, one in known.items() if one.evidence is not None and one.analyses)


def published_left_out() -> Mapping[str, str]:
    """Records of trials of ketamine that are no built-in protocol, each with the reason why not."""
    return MappingProxyType(packaged_toml("published-trials.toml")["left_out"])


@cache
def load_protocol(name: str) -> Protocol:
    """The built-in protocol of that name.

    Raises
    ------
    LibraryError
        There is none (the message lists the nearest names), or its file is damaged.

    Examples
    --------
    >>> load_protocol("kare").population.n_subjects
    96
    """
    text = protocol_text(name)
    kept = _read_before().get(name, {})
    try:
        if kept.get("of") == digest_of(text):
            with suppress(SpecError):  # what is wrong is said with its line
                return record_of(Protocol, Tree(name=name + _ENDING, data=kept["data"]))
        return parse_protocol(text, name=name + _ENDING)
    except SpecError as error:
        raise damaged(f"protocols/{name}{_ENDING}", error, "a valid protocol") from error


def digest_of(text: str) -> str:
    """What the plain data of a file are known to be of."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


@cache
def _read_before() -> Mapping[str, Mapping[str, Any]]:
    """What the files of protocols say, read beforehand by ``make pages``; all of them take a third of a second.

    A file that was changed since is read itself, and so is every file where there is none.
    """
    try:
        return MappingProxyType(read_library_json("protocols/as_read.json"))
    except LibraryError:
        return MappingProxyType({})


def substance_of(name: str) -> Substance:
    """The substance of a built-in protocol, from its own line: the rest of the file need not be read.

    Raises LibraryError: there is none of that name.

    Examples
    --------
    >>> substance_of("kare").value
    'alcohol'
    """
    return Substance(str(_line(name, "substance")))


def evidence_of(name: str) -> str | None:
    """The record of a built-in protocol's trial in the evidence, from its own line; None where it has none.

    Raises LibraryError: there is no protocol of that name.
    """
    return _line(name, "evidence")


def _line(name: str, field: str) -> str | None:
    found = re.search(rf"^{field}: *([\w-]+) *(#.*)?$", protocol_text(name), re.MULTILINE)
    return found[1] if found is not None else None


def protocol_text(name: str) -> str:
    """The file of a built-in protocol, with its comments: something to copy and change.

    Raises LibraryError: there is none of that name.
    """
    known = list_protocols()
    check_known(name, known, where="protocol", more="Name a file with its ending.", error=LibraryError)
    return _text("protocols", name + _ENDING)


def protocol_template() -> str:
    """A small commented protocol to start from."""
    return _text("protocol_template.yaml")


def _text(*path: str) -> str:
    try:
        return files("remission.library").joinpath(*path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise damaged("/".join(path), error, "a readable file") from None
