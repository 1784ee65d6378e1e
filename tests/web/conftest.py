"""The site on a loopback port of its own, started and stopped by the tests."""

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn

from remission.web.app import create_app
from remission.web.server import bind
from remission.web.settings import WebSettings


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """Address of a running site with few replicates behind its trials."""
    listener = bind("127.0.0.1", 0)
    app = create_app(WebSettings(n_replicates=6, is_operator=True, demonstrates=True, is_clinician=True))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", access_log=False, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10.0)
    listener.close()
