"""What every answer carries, and what is never done: no foreign script, no foreign request, no cookie, no log."""

from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "geolocation=(), camera=(), microphone=(), interest-cohort=()",
}
_SAFE = {"GET", "HEAD", "OPTIONS"}
_REFUSED = (
    b'{"type":"about:blank","title":"Forbidden","status":403,"detail":"Forms of other sites are refused.","faults":[]}'
)


class Guard:
    """Adds the headers to each answer and refuses what another site sends with the reader's browser."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless it comes from a page of another site and would change something."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if scope["method"] == "HEAD":
            # Answered as GET is, without the body; what takes seconds looks at ``is_head`` and is not computed.
            scope, send = {**scope, "method": "GET", "is_head": True}, _without_body(send)

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        if scope["method"] not in _SAFE and _is_foreign(scope):
            answer: MutableMapping[str, Any] = {
                "type": "http.response.start",
                "status": 403,
                "headers": [(b"content-type", b"application/problem+json")],
            }
            await guarded(answer)
            await send({"type": "http.response.body", "body": _REFUSED})
            return
        await self.app(scope, receive, guarded)


def _without_body(send: Send) -> Send:
    async def bare(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return bare


def _is_foreign(scope: Scope) -> bool:
    """Whether a browser says that the request comes from another site; programs say nothing and are no browser."""
    headers = {name.lower(): value.decode("latin-1") for name, value in scope["headers"]}
    site = headers.get(b"sec-fetch-site")
    if site is not None:
        return site not in {"same-origin", "none"}
    origin = headers.get(b"origin")
    return origin is not None and origin.rpartition("//")[2] != headers.get(b"host", "")
