"""Who may use the workbench, and what its forms may send: a token in a cookie, a mark in each form, a limit to bytes.

The cookie is set by the address that ``remission serve --workbench`` prints, and is sent to this server only. A form of
another page has no mark, and nothing that it sends is done.
"""

import hashlib
import hmac
import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser

from remission.errors import SpecError
from remission.extras import need_extra
from remission.web.bench.foreman import Foreman
from remission.web.bench.store import Store

_MOST_TEXT = 2_500_000
MOST_FILE = 50_000_000
"""Largest file that is taken. [byte]"""
_MOST_FIELDS = 2_000


class NotEnteredError(Exception):
    """The reader has not come in by the address with the token."""


class WrongFormError(Exception):
    """A form that this page did not give, is too large, or cannot be read."""

    def __init__(self, fault: SpecError) -> None:
        super().__init__(str(fault))
        self.fault = fault


@dataclass(frozen=True)
class Bench:
    """The workbench of one server: what it keeps, who works, and the token of its readers."""

    store: Store
    foreman: Foreman
    token: str

    @property
    def cookie(self) -> str:
        """Name of the cookie; cookies do not know ports, and another server may run beside this one."""
        return f"workbench-{hashlib.sha256(str(self.store.folder.resolve()).encode()).hexdigest()[:10]}"

    @property
    def mark(self) -> str:
        """What every form carries along."""
        return hmac.new(self.token.encode(), b"form", "sha256").hexdigest()[:32]

    def is_token(self, text: str) -> bool:
        """Whether a text is the token, compared without telling how much of it is right."""
        return hmac.compare_digest(text.encode(), self.token.encode())


def open_bench(folder: Path) -> Bench:
    """The workbench in a folder, with a fresh token.

    Raises RunError: another server works there, or it cannot be written.
    """
    need_extra("web", where="--workbench")
    store = Store(folder)
    return Bench(store=store, foreman=Foreman(store), token=secrets.token_urlsafe(32))


def bench_of(request: Request) -> Bench:
    """The workbench, for a reader who has come in.

    Raises HTTPException: this server has none (404); NotEnteredError: the reader has no token.
    """
    bench = bench_there(request)
    if not bench.is_token(request.cookies.get(bench.cookie, "")):
        raise NotEnteredError
    return bench


def bench_there(request: Request) -> Bench:
    """The workbench of this server, whoever asks; HTTPException (404) where it has none."""
    bench: Bench | None = request.app.state.bench
    if bench is None:
        raise HTTPException(404)
    return bench


async def read_form(request: Request, *, most: int = _MOST_TEXT) -> FormData:
    """What a form of ours sends, of at most so many bytes.

    Raises WrongFormError: it is larger, cannot be read, or has not the mark of this server.
    """
    bench = bench_of(request)
    kind = request.headers.get("content-type", "")
    try:
        if kind.startswith("multipart/form-data"):
            form = await MultiPartParser(
                request.headers, _limited(request, most), max_files=1, max_fields=_MOST_FIELDS, max_part_size=_MOST_TEXT
            ).parse()
        else:
            body = b"".join([part async for part in _limited(request, min(most, _MOST_TEXT))])
            pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
            form = FormData([*pairs])
    except _TooLargeError:
        raise WrongFormError(
            SpecError(
                where="form",
                got=f"more than {most / 1e6:.0f} MB",
                allowed=f"at most {most / 1e6:.0f} MB",
                remedy="Nothing was kept.",
            )
        ) from None
    except (MultiPartException, ValueError) as error:
        raise WrongFormError(
            SpecError(where="form", got=str(error)[:80] or "nothing", allowed="a form of this page")
        ) from None
    if not hmac.compare_digest(str(form.get("mark", "")).encode(), bench.mark.encode()):
        await form.close()
        raise WrongFormError(
            SpecError(
                where="form",
                got="a form that this server did not give",
                allowed="a form of a page of this server",
                remedy="The server was started again: load the page again, then send it.",
            )
        )
    return form


async def file_of(form: FormData, name: str = "file") -> tuple[str, bytes] | None:
    """Name and content of an uploaded file; ``None`` where none was chosen."""
    found = form.get(name)
    if not isinstance(found, UploadFile) or not found.filename:
        return None
    return found.filename, await found.read(MOST_FILE + 1)


class _TooLargeError(Exception):
    """More bytes than a form may have."""


async def _limited(request: Request, most: int) -> AsyncGenerator[bytes, None]:
    """The body as it comes; beyond the limit it is read and dropped, so that the browser hears the answer."""
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > 4 * most:
            break
        if size <= most:
            yield chunk
    if size > most:
        raise _TooLargeError


__all__ = [
    "Bench",
    "MOST_FILE",
    "NotEnteredError",
    "WrongFormError",
    "bench_of",
    "bench_there",
    "file_of",
    "open_bench",
    "read_form",
]
