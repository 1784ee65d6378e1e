"""What the operator of the web app sets; names of hosts are read strictly: a wrong one would let in all or nobody."""

import ipaddress
import re
from pathlib import Path

from remission.errors import SpecError
from remission.evidence.care import Helpline
from remission.records.base import Record


class WebSettings(Record):
    """Settings of one server.

    ``country`` is that of the emergency numbers, two letters of ISO 3166; ``clinics_store`` the file that ``remission
    clinics load`` fills, None for the usual one. ``is_operator``: the pages that change it exist. ``demonstrates``:
    invented clinics are shown, marked so, where none is loaded. ``hosts``: names that are answered; others are refused,
    so that no foreign site can reach it by a name. ``is_clinician``: the planner offers volumes and an empty session
    log. ``n_replicates``: behind the pages of a trial. ``offered_by``, ``contact``: who offers the pages, and where to
    write of what is wrong with them; /about says it. ``helplines``: lines and finders of the operator's own.
    ``workbench``: folder of drafts, jobs and runs; the pages that
    design, run and analyze exist where there is one.
    """

    country: str = "US"
    clinics_store: Path | None = None
    is_operator: bool = False
    demonstrates: bool = False
    is_clinician: bool = False
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    n_replicates: int = 1000
    offered_by: str = ""
    contact: str = ""
    helplines: tuple[Helpline, ...] = ()
    workbench: Path | None = None


_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")


def read_host_name(text: str) -> str:
    """A host name as browsers send it; a SpecError for a star elsewhere than before it, a port, an address of a page.

    Letters outside ASCII become what browsers send for them (``xn--``).

    Examples
    --------
    >>> read_host_name("Care.Example."), read_host_name("bücher.example"), read_host_name("::1")
    ('care.example', 'xn--bcher-kva.example', '[::1]')
    """
    name = text.strip().rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return _read_name(text, name)
    if address.is_unspecified:
        raise _wrong(text, "This listens everywhere (--host), but nobody types it: give the names people will type.")
    return f"[{address}]" if address.version == 6 else str(address)


def _read_name(text: str, name: str) -> str:
    if name == "*":
        raise _wrong(text, "To answer to any name say --any-name; foreign sites can then reach this server by a name.")
    if "//" in name or "/" in name or "@" in name:
        raise _wrong(text, "Give the name alone, without https:// and without a path.")
    if re.fullmatch(r"[^:]+:[0-9]*", name):
        raise _wrong(text, f"Give it without the port, which is not compared: --name {name.partition(':')[0]}.")
    below = name.startswith("*.")
    try:
        plain = name.removeprefix("*.").encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise _wrong(text, "") from None
    labels = plain.split(".")
    is_number = labels[-1].isdigit()
    if len(plain) > 253 or is_number or not all(_LABEL.fullmatch(label) for label in labels):
        remedy = "A star may only stand first, with a dot after it: *.clinic.example." if "*" in name else ""
        raise _wrong(text, remedy)
    if below and len(labels) < 2:
        raise _wrong(text, "That would be every name of a whole country or kind: name your own domain after the star.")
    return f"*.{plain}" if below else plain


def _wrong(text: str, remedy: str) -> SpecError:
    return SpecError(
        where="--name",
        got=text or "nothing",
        allowed="a host name such as care.example, *.care.example, or an IP address",
        remedy=remedy,
    )
