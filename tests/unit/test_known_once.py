"""What takes seconds is computed once for this very program: never for another, never from a damaged file."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remission.web import once
from remission.web.figure import Figure, FigureTable, figure_once
from remission.web.once import known_once
from remission.web.pages import learn


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty cache folder, for a process that asks for it anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    once._folders.cache_clear()
    yield tmp_path
    once._folders.cache_clear()


class Counted:
    """A computation that counts how often it is asked for."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, Any]:
        self.times += 1
        return {"number": 0.1 + 0.2, "words": ["größer", "\u2212"], "none": None}


def kept(home: Path) -> list[Path]:
    return sorted(home.rglob("*.json"))


def ask(computed: Counted, *asked: object) -> dict[str, Any]:
    return known_once("some", asked, computed, dict)


def test_it_is_computed_once_and_the_same_afterwards(home: Path) -> None:
    """Bits of numbers too; another question is another answer."""
    computed = Counted()
    first = ask(computed, "alcohol", 1)
    assert ask(computed, "alcohol", 1) == first == computed()
    assert computed.times == 2
    ask(computed, "alcohol", 2)
    ask(computed, "alcohol", "1")
    assert computed.times == 4
    assert len(kept(home)) == 3


@pytest.mark.parametrize("place", [0, 70, -1])
def test_a_damaged_file_counts_as_absent(home: Path, place: int) -> None:
    """One bit of the sum, of the content, of its end; and it is whole again afterwards."""
    computed = Counted()
    ask(computed)
    (file,) = kept(home)
    before = file.read_bytes()
    for damaged in (before[:place], b"", before[:20], bytes([*before[:-1], before[-1] ^ 1])):
        file.write_bytes(damaged)
        assert ask(computed) == Counted()()
        assert file.read_bytes() == before
    assert computed.times == 5


def test_another_program_has_a_folder_of_its_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any file of the package may hold what a page shows."""
    computed = Counted()
    ask(computed)
    monkeypatch.setattr(once, "_program", lambda: "0123456789abcdef")
    once._folders.cache_clear()
    ask(computed)
    assert computed.times == 2
    assert len({file.parent for file in kept(home)}) == 2


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_a_disk_that_refuses_costs_time_only(home: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """The reader gets the page."""

    def refuses(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    computed = Counted()
    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", refuses)
        assert ask(computed) == ask(computed) == Counted()()
    assert computed.times == 2
    assert kept(home) == []


def test_a_home_that_is_no_folder_costs_time_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is kept in a temporary folder of this user alone."""
    (home / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
    computed = Counted()
    assert ask(computed) == ask(computed)
    assert computed.times == 1


def test_a_package_that_cannot_be_read_costs_time_only(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who cannot say which program this is keeps nothing."""

    def refuses() -> str:
        raise PermissionError(errno.EACCES, "not yours")

    monkeypatch.setattr(once, "_program", refuses)
    computed = Counted()
    assert ask(computed) == ask(computed)
    assert computed.times == 2
    assert kept(home) == []


def test_a_replaced_link_keeps_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What somebody's own equation gives must not be shown as the model's."""
    monkeypatch.setattr("remission.patient.kernels.links.active_links", lambda: {"gate": abs})
    computed = Counted()
    ask(computed)
    ask(computed)
    assert computed.times == 2
    assert kept(home) == []


def test_a_figure_comes_back_whole(home: Path) -> None:
    """The picture is no part of its JSON on a page, and is kept all the same."""
    table = FigureTable(columns=("day", "share [%]"), rows=(("1", "50"),))
    drawn = Figure(name="a", title="b", see="c", cannot="d", table=table, svg="<svg>&amp;</svg>")

    def never() -> Figure:
        raise AssertionError("drawn again")

    for draw in (lambda: drawn, never):
        found = figure_once("one", ("x",), draw)
        assert found.to_dict() == drawn.to_dict()
        assert found.svg == "<svg>&amp;</svg>"
        assert hasattr(found.svg, "__html__")


def test_the_first_reader_of_a_link_waits_for_no_simulation(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After another start has shown it: the same page, and nothing simulated or drawn."""

    def forget() -> None:
        for one in (learn.load_story, learn.state_figure, learn.day_figure, learn.session_figure, learn._page,
                    learn._course):  # fmt: skip
            one.cache_clear()

    forget()
    first, course = learn._page("synapse", "cocaine"), learn._course("cocaine")
    forget()

    def never(*_: object) -> None:
        raise AssertionError("simulated for a reader")

    monkeypatch.setattr(learn, "Story", never)
    again = learn._page("synapse", "cocaine")
    assert again == first
    assert again.figure is not None
    assert first.figure is not None
    assert str(again.figure.svg) == str(first.figure.svg)
    assert str(again.day.svg) == str(first.day.svg)
    assert learn._course("cocaine") == course
    forget()
