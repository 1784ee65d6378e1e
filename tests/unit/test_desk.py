"""Trials that pages ask for: begun once, and never waited for in vain."""

import threading

import matplotlib as mpl
import pytest

from remission.errors import NumericalError
from remission.report.look import drawing
from remission.web import desk as desk_module
from remission.web.desk import Desk


def test_a_trial_is_begun_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten readers of one page must not start ten simulations."""
    begun: list[str] = []
    go = threading.Event()

    def simulate(protocol: object, **_: object) -> object:
        begun.append("one")
        go.wait(10.0)
        return object()

    monkeypatch.setattr(desk_module, "simulate_trial", simulate)
    desk = Desk(2)
    jobs = {id(desk.ask("kare")) for _ in range(10)}
    go.set()
    assert desk.ask("kare").ended.wait(10.0)
    assert len(jobs) == len(begun) == 1


@pytest.mark.parametrize("error", [NumericalError(where="x", got="y", allowed="z"), MemoryError("full")])
def test_a_failure_is_told_and_the_next_reader_begins_again(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that polls for ever tells nobody."""

    def simulate(protocol: object, **_: object) -> object:
        raise error

    monkeypatch.setattr(desk_module, "simulate_trial", simulate)
    desk = Desk(2)
    first = desk.ask("kare")
    assert first.ended.wait(10.0)
    assert first.failure
    assert desk.ask("kare") is not first


def test_two_threads_never_draw_with_each_others_settings() -> None:
    """Matplotlib's settings belong to the process; figures of two pages would come out mixed, and stay so."""
    before = dict(mpl.rcParams)
    inside: list[int] = []
    most: list[int] = []

    def draw() -> None:
        for _ in range(20):
            with drawing():
                inside.append(1)
                most.append(len(inside))
                inside.pop()

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert max(most) == 1
    assert dict(mpl.rcParams) == before
