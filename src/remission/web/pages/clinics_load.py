"""Loading clinics in the browser, only where the server was started for its operator."""

import re
from collections.abc import AsyncGenerator
from datetime import date
from pathlib import Path

from fastapi import HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from remission.clinics.clinic import RowFault
from remission.clinics.files import read_clinics
from remission.clinics.reading import MAX_BYTES
from remission.clinics.store import Loaded
from remission.errors import RemissionError
from remission.files import new_bytes, scratch_folder
from remission.records.base import Record
from remission.web.page import PageRouter
from remission.web.pages.clinics import store_of
from remission.web.problems import Fault, fault_of
from remission.web.render import render_page

__all__ = ["router"]

router = PageRouter()
_MOST_SHOWN = 200
_ENVELOPE_BYTES = 10_000


class LoadPage(Record):
    """What /clinics/load shows.

    outcome
        ``ask``: the empty form; ``checked``; ``loaded``; ``refused``: bad rows and no consent; ``failed``: see faults.
    """

    outcome: str
    store: str
    counts: dict[str, int]
    n_rows: int = 0
    n_good: int = 0
    n_bad: int = 0
    row_faults: tuple[RowFault, ...] = ()
    n_more_faults: int = 0
    notes: tuple[str, ...] = ()
    faults: tuple[Fault, ...] = ()
    loaded: Loaded | None = None
    status: int = 200


class _TooLargeError(Exception):
    """More bytes than a file may have."""


def _only_operator(request: Request) -> None:
    if not request.app.state.settings.is_operator:
        raise HTTPException(404)


def _answer(request: Request, page: LoadPage) -> HTMLResponse:
    answer = render_page(request, "clinics_load.html.jinja", page, text="clinics", status=page.status)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _failed(request: Request, fault: Fault, *, status: int = 422) -> HTMLResponse:
    return _answer(request, _page(request, "failed", faults=(fault,), status=status))


def _page(request: Request, outcome: str, **more: object) -> LoadPage:
    store = store_of(request)
    return LoadPage.from_dict({"outcome": outcome, "store": str(store.path), "counts": store.counts(), **more})


@router.page(
    "/clinics/load",
    template="clinics_load.html.jinja",
    text="clinics",
    keeps_nothing=True,
    copied="never",
    command="remission clinics load FILE",
)
def load_form(request: Request) -> LoadPage:
    """The form that loads clinics; it exists for the operator only."""
    _only_operator(request)
    return _page(request, "ask")


async def _limited(request: Request) -> AsyncGenerator[bytes, None]:
    """The body as it comes, up to the limit; the rest is read and dropped, so that the browser hears the answer."""
    size = 0
    is_too_large = False
    async for chunk in request.stream():
        size += len(chunk)
        is_too_large = is_too_large or size > MAX_BYTES + _ENVELOPE_BYTES
        if size > 10 * MAX_BYTES:
            break
        if not is_too_large:
            yield chunk
    if is_too_large:
        raise _TooLargeError


@router.routes.post("/clinics/load", include_in_schema=False, response_model=None)
async def load_file(request: Request) -> HTMLResponse:
    """Check a file, and load it where all rows are good or the operator agrees to keep the good ones."""
    _only_operator(request)
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return _failed(request, Fault(where="file", got="no file", allowed="a form with a file"))
    try:
        form = await MultiPartParser(request.headers, _limited(request), max_files=1, max_fields=8).parse()
    except _TooLargeError:
        fault = Fault(
            where="file",
            got="more than 50 MB",
            allowed="at most 50 MB",
            remedy="Split it, or use remission clinics load. Nothing was changed.",
        )
        return _failed(request, fault, status=413)
    except MultiPartException as error:
        return _failed(request, Fault(where="form", got=str(error)[:80], allowed="the form of this page"))
    try:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            fault = Fault(where="file", got="no file", allowed="a file of clinics", remedy="Choose a file first.")
            return _failed(request, fault)
        with scratch_folder() as folder:
            # The name is shown in messages and may hold the day of the file; it never leads to another place.
            path = folder / (re.sub(r"[^A-Za-z0-9._-]", "_", file.filename)[-100:].lstrip(".") or "file")
            with new_bytes(path) as target:
                while chunk := await file.read(1_000_000):
                    target.write(chunk)
            asked = {name: form.get(name) == "yes" for name in ("keep_good", "replace")}
            page = await run_in_threadpool(_load, request, path, only_check=form.get("action") == "check", **asked)
            return _answer(request, page)
    finally:
        await form.close()


def _load(request: Request, path: Path, *, keep_good: bool, replace: bool, only_check: bool) -> LoadPage:
    try:
        reading = read_clinics(path, today=date.today())  # noqa: DTZ011 - the operator's own calendar day
        is_loaded = not only_check and (keep_good or not reading.errors)
        loaded = store_of(request).save(reading, replace=replace) if is_loaded else None
    except RemissionError as error:
        faults = tuple(fault_of(part) for part in getattr(error, "faults", (error,)))
        return _page(request, "failed", faults=faults, status=422)
    return _page(
        request,
        "checked" if only_check else "loaded" if is_loaded else "refused",
        n_rows=reading.n_rows,
        n_good=len(reading.clinics),
        n_bad=reading.n_bad,
        row_faults=reading.faults[:_MOST_SHOWN],
        n_more_faults=max(0, len(reading.faults) - _MOST_SHOWN),
        notes=reading.notes,
        loaded=loaded,
        status=200 if is_loaded or only_check else 422,
    )
