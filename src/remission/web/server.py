"""Serving the app on one socket, without a log of who asked for what."""

import socket
import sys
import threading

import uvicorn
from fastapi import FastAPI

from remission.errors import SpecError
from remission.web.pages import learn, planner
from remission.web.patience import MOST_CONNECTIONS, MOST_HEADER_BYTES, PatientProtocol


def bind(host: str, port: int) -> socket.socket:
    """A listening socket, for port 0 a free one; a SpecError where this machine cannot listen there."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(512)
    except (OSError, OverflowError) as error:
        listener.close()
        raise SpecError(
            where=f"{host}:{port}",
            got=getattr(error, "strerror", None) or str(error),
            allowed="an address of this machine with a free port",
            remedy="Choose another with --port, for example --port 8001.",
        ) from None
    return listener


_FIRST_PAGES_S = 3.0
"""So long nothing is computed that nobody asked for. [s]"""


def _warm() -> None:
    planner.warm()
    learn.warm()


def serve(app: FastAPI, listener: socket.socket) -> None:
    """Answer until interrupted. Nothing of a request is logged: what a reader chose is the reader's."""
    # The loop gets its turn soon though others compute: Python's 5 ms, times some threads, hold up the page of help.
    sys.setswitchinterval(0.0005)
    # What takes seconds is computed while the first reader still reads the first page, which has the processor first.
    warming = threading.Timer(_FIRST_PAGES_S, _warm)
    warming.daemon = True
    warming.start()
    config = uvicorn.Config(
        app,
        access_log=False,
        # Damaged requests are the sender's: a line for each would fill the disk, and tell who asked.
        log_level="error",
        server_header=False,
        date_header=False,
        http=PatientProtocol,
        ws="none",
        h11_max_incomplete_event_size=MOST_HEADER_BYTES,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_keep_alive=5,
    )
    try:
        uvicorn.Server(config).run(sockets=[listener])
    finally:
        if app.state.bench is not None:
            app.state.bench.foreman.close()
