"""How long the server waits for a client, and how much it takes: nobody holds a connection by sending nothing."""

import asyncio

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST_S = {"head": 10.0, "body": 60.0, "answer": 60.0}
"""Seconds for a whole head of a request (or for nothing at all), for its body, and for taking the answer. [s]"""
MOST_HEADER_BYTES = 32_768
"""Longest head of a request; the longest question of the planner has about 10 kB."""
MOST_CONNECTIONS = 600
"""More connections at one time are answered 503; each costs a file handle, of which systems give 1,024."""
_LOOK_EVERY_S = 1.0


class PatientProtocol(H11Protocol):
    """HTTP/1.1 as uvicorn speaks it, with an end to patience: uvicorn itself limits only the time between requests."""

    _watch: asyncio.TimerHandle | None = None
    _phase: tuple[str, int] = ("", 0)
    _since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # narrower, as in the base
        """Begin to watch."""
        super().connection_made(transport)
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._watch is not None:
            self._watch.cancel()
        super().connection_lost(exc)

    def _look(self) -> None:
        now, phase = self.loop.time(), (self._waits_for(), id(self.cycle))
        if phase != self._phase:
            self._phase, self._since = phase, now
        longest_s = LONGEST_S.get(phase[0])
        if longest_s is not None and now - self._since >= longest_s:
            # Not close(): that would wait until the client took what was sent.
            self.transport.abort()
            return
        self._watch = self.loop.call_later(_LOOK_EVERY_S, self._look)

    def _waits_for(self) -> str:
        """What the client has to do next; nothing while the server computes."""
        if self.cycle is None or self.cycle.response_complete:
            return "head"
        if self.conn.their_state is h11.SEND_BODY:
            return "body"
        return "answer" if self.cycle.response_started else ""
