"""Bounded work, memory and patience of the server; durations are measured by validation/web_load.py, never here."""

import functools
import gc
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi.testclient import TestClient

from remission.cli.app import run_app
from remission.errors import SpecError
from remission.web import patience, queue
from remission.web.app import create_app
from remission.web.pages import planner
from remission.web.server import bind
from remission.web.settings import WebSettings, read_host_name

FORMS = (
    "/static/{}.css", "/journey/{}", "/trial/{}", "/learn/{}", "/evidence/{}", "/clinics/state/{}", "/{}",
    "/safety?country={}", "/evidence?substance={}", "/evidence/forest?substance={}",
)  # fmt: skip
HALF = b"GET / HTTP/1.1\r\nHost: localhost\r\nX-A: "
HALF_BODY = b"POST /clinics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n12"
ASKED = "/planner?weight=70&age=40&preset=kare"


@pytest.fixture
def client() -> Iterator[TestClient]:
    with TestClient(create_app(WebSettings(hosts=("testserver",), n_replicates=6))) as one:
        yield one


def test_beyond_the_queue_a_question_is_put_off_and_help_is_not(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight large plans at once took 15.8 GB, and the page of emergency numbers waited behind them."""
    monkeypatch.setattr(queue, "AT_ONCE", {"usual": 4, "heavy": 1})
    monkeypatch.setattr(queue, "WAITING", {"usual": 9, "heavy": 1})
    go, begun = threading.Event(), threading.Semaphore(0)

    def slow(query: planner.PlannerQuery, is_clinician: bool) -> planner.PlannerPage:
        begun.release()
        go.wait(60)
        return planner._page(query, is_clinician)

    monkeypatch.setattr(planner, "_answer", slow)
    found: list[int] = []
    first = threading.Thread(target=lambda: found.append(client.get(ASKED).status_code))
    try:
        first.start()
        begun.acquire(timeout=60)
        # One works, and nobody more may wait.
        monkeypatch.setitem(queue.WAITING, "heavy", 0)
        busy = client.get(ASKED)
        assert busy.status_code == 503
        assert int(busy.headers["retry-after"]) > 0
        assert "/safety" in busy.text
        record = client.get(ASKED.replace("/planner", "/planner.json"))
        assert (record.status_code, record.headers["content-type"]) == (503, "application/problem+json")
        assert int(record.headers["retry-after"]) > 0
        for address in ("/safety", "/es/safety", "/", "/static/site.css", "/journey/opioid", "/planner"):
            assert client.get(address).status_code == 200
    finally:
        go.set()
        first.join(60)
    assert found == [200]


def _remembered() -> int:
    # By type: isinstance would ask dead weak proxies of other tests for their class.
    caches = [one for one in gc.get_objects() if type(one) is functools._lru_cache_wrapper]
    return sum(one.cache_info().currsize for one in caches if (one.__module__ or "").startswith("remission"))


def test_names_that_do_not_exist_are_not_remembered(client: TestClient) -> None:
    """3,000 made-up addresses left 150 MB behind for ever."""

    def ask(start: int) -> None:
        for number in range(start, start + 5):
            for form in FORMS:
                assert client.get(form.format(f"x{number}y")).status_code >= 400
            client.post("/clinics", data={"place": f"Nowhere {number}"})
            client.get(f"/planner?weight={number}&age=x")

    ask(0)
    before = _remembered()
    ask(100)
    assert _remembered() == before


@pytest.mark.parametrize("sent", [b"", HALF, HALF_BODY])
def test_a_client_that_sends_nothing_more_is_let_go(sent: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """400 half-open connections were kept for ever."""
    monkeypatch.setattr(patience, "LONGEST_S", {"head": 0.3, "body": 0.3, "answer": 0.3})
    monkeypatch.setattr(patience, "_LOOK_EVERY_S", 0.05)
    listener = bind("127.0.0.1", 0)
    app = create_app(WebSettings(n_replicates=6))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", http=patience.PatientProtocol, ws="none"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        with socket.create_connection(listener.getsockname(), timeout=60) as held:
            held.sendall(sent)
            try:
                while held.recv(1000):
                    pass
            except ConnectionResetError:
                pass
        with socket.create_connection(listener.getsockname(), timeout=60) as other:
            other.sendall(b"GET /safety HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert other.recv(20).startswith(b"HTTP/1.1 200")
    finally:
        server.should_exit = True
        thread.join(60)


@pytest.mark.parametrize(
    "name",
    ["a*b", "*", "*.", "*.com", "a.*.b", "care.example:8443", "https://care.example/", "0.0.0.0", "::", "", " ", "a b",
     "-a.example", "256.1.1.1", "a..b", "user@care.example", "[::1]:80", "x" * 64],
)  # fmt: skip
def test_a_host_name_that_would_let_in_all_or_nobody_is_refused(name: str) -> None:
    """``a*b`` failed each request after the start, and ``*`` turned the check off without a word."""
    with pytest.raises(SpecError):
        read_host_name(name)


def test_the_host_check_is_off_only_by_its_own_option(capsys: pytest.CaptureFixture[str]) -> None:
    """Who turns it off must know what it kept out."""
    assert run_app(["serve", "--port", "0", "--name", "*"]) == 2
    assert "--any-name" in capsys.readouterr().err
    assert run_app(["serve", "--port", "0", "--any-name", "--name", "care.example"]) == 2


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("Care.Example.", "care.example"),
        ("192.0.2.7", "192.0.2.7"),
        ("::1", "[::1]"),
        ("*.care.example", "*.care.example"),
        ("Bücher.example", "xn--bcher-kva.example"),
    ],
)
def test_names_are_compared_as_browsers_send_them(name: str, read: str) -> None:
    """A name with capitals or an umlaut was never matched, and each request refused."""
    assert read_host_name(name) == read
    host = read.replace("*.", "www.")
    app = create_app(WebSettings(hosts=(read,), n_replicates=6))
    assert TestClient(app).get("/limits", headers={"Host": f"{host}:8000"}).status_code == 200
    assert TestClient(app).get("/limits", headers={"Host": "other.example"}).status_code == 400
