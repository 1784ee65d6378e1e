"""Other spellings of an address: capitals, a slash at the end, a language that a page does not have."""

import re
from urllib.parse import quote

from fastapi import Request
from starlette.routing import Match

from remission.web.language import LANGUAGES, path_in

__all__ = ["other_address"]


def other_address(request: Request) -> str | None:
    """The page that an unknown address means, with its question; None when there is none.

    Only spelling is mended; what names something else is answered by the page that is asked.
    """
    path: str = request.scope["path"]
    if request.method not in {"GET", "HEAD"} or re.match("/(static|api)/+[^/]", path):
        return None
    plain = re.sub(r"/{2,}", "/", path.lower()).rstrip("/") or "/"
    first, _, rest = plain[1:].partition("/")
    found = [plain]
    if first in LANGUAGES:
        # The first page is English; patients' pages begin with the choice of a substance.
        found = [path_in(f"/{rest}", first), f"/{rest}"] if rest else [path_in("/journey", first)]
    for one in found:
        if one != path and _is_page(request, one):
            return quote(one) + (f"?{request.url.query}" if request.url.query else "")
    return None


def _is_page(request: Request, path: str) -> bool:
    scope = {**request.scope, "path": path, "method": "GET"}
    return any(route.matches(scope)[0] is Match.FULL for route in request.app.router.routes)
