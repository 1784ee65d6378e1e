"""Files served as they are: style sheets, scripts, pictures. Each address carries its content's hash."""

import hashlib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, HTTPException, Response

__all__ = ["asset_address", "router"]

router = APIRouter(include_in_schema=False)

_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "json": "application/json",
    "svg": "image/svg+xml",
}
_A_YEAR_S = 31_536_000


def _find(name: str) -> Traversable | None:
    """A file of ``static/``, or a style sheet or a script of the reports, which pages share."""
    if name in {"tokens.css", "report.css", "plan.css", "field.css", "charts.js", "tables.js", "field.js"}:
        return files("remission.report").joinpath("templates", name)
    place: Traversable = files("remission.web").joinpath("static")
    for part in name.split("/"):
        # Every part must be the name of an entry, so no address leads out of the folder.
        found = [entry for entry in place.iterdir() if entry.name == part] if place.is_dir() else []
        if not found:
            return None
        place = found[0]
    return place if place.is_file() else None


def _content(name: str) -> tuple[bytes, str] | None:
    """Content and hash of a file; only names that exist are remembered, so that others cost no memory."""
    found = _find(name)
    return None if found is None else _read(name)


@cache
def _read(name: str) -> tuple[bytes, str]:
    found = _find(name)
    assert found is not None, "asked for when it is there"
    content = found.read_bytes()
    return content, hashlib.sha256(content).hexdigest()[:12]


def asset_address(name: str) -> str:
    """The address of a file under ``static/``; a LookupError where a template names one wrongly."""
    found = _content(name)
    if found is None:
        msg = f"no static file {name!r}"
        raise LookupError(msg)
    return f"/static/{name}?{found[1]}"


@router.get("/static/{name:path}")
async def asset(name: str) -> Response:
    """One file."""
    kind = _TYPES.get(name.rpartition(".")[2])
    found = _content(name) if kind else None
    if found is None:
        raise HTTPException(404)
    return Response(
        found[0],
        media_type=kind,
        headers={"Cache-Control": f"public, max-age={_A_YEAR_S}, immutable", "ETag": f'"{found[1]}"'},
    )


@router.get("/favicon.ico")
async def favicon() -> Response:
    """The mark."""
    return await asset("mark.svg")
