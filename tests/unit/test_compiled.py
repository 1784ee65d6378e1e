"""Compiled code on disk: slower where it cannot be kept, said in a line, and never wrong."""

import errno
import logging
import os
import pickle
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from remission.kept import own_temporary
from remission.numerics import code_files
from remission.numerics.compiled import Pieces

# A function of the package that compiles in a second, called as two installations would.
CALL = "from remission.numerics.distributions import normal_cdf; import numpy as np; print(normal_cdf(np.zeros(1))[0])"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A cache folder of its own, empty, for a process that asks for it anew."""
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    for one in (code_files.places, code_files.say_compiling, code_files._say_not_kept):
        one.cache_clear()
    yield tmp_path
    for one in (code_files.places, code_files.say_compiling, code_files._say_not_kept):
        one.cache_clear()


def kept(home: Path) -> list[Path]:
    return sorted(home.rglob("*.nbc"))


def pieces(stamp: object = "source") -> Pieces:
    return Pieces("folder", "function", stamp)


def test_what_was_kept_is_read_again_and_by_nobody_with_another_key(home: Path) -> None:
    """A processor with fewer instructions that read this one's code would stop there, or worse."""
    one = pieces()
    one.save(("int64", "skylake"), b"code")
    assert one.load(("int64", "skylake")) == b"code"
    assert one.load(("int64", "nehalem")) is None
    assert one.load(("float64", "skylake")) is None
    assert pieces("other source").load(("int64", "skylake")) is None


def test_two_versions_on_one_cache_have_folders_of_their_own(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outermost file may be the same in both, and an equation in another file not."""
    before = code_files.find_places()
    monkeypatch.setattr(code_files, "source_key", lambda _: "0123456789abcdef")
    assert set(before).isdisjoint(code_files.find_places())


@pytest.mark.parametrize("harm", ["cut", "emptied", "a bit turned", "another's content"])
def test_a_damaged_file_counts_as_absent(home: Path, harm: str) -> None:
    """It is machine code: run as it is, it would give wrong numbers or take the process down."""
    one = pieces()
    one.save("a", {"code": bytes(500)})
    one.save("b", {"code": bytes(600)})
    path = home / "cache" / code_files.places()[0] / one._file("a")
    content = path.read_bytes()
    turned = bytes([*content[:200], content[200] ^ 1, *content[201:]])
    path.write_bytes({"cut": content[:-7], "emptied": b"", "a bit turned": turned}.get(harm, pickle.dumps("x")))
    assert one.load("a") is None
    one.save("a", {"code": bytes(500)})
    assert one.load("a") == {"code": bytes(500)}


def test_a_folder_that_cannot_be_written_is_read_and_the_rest_kept_elsewhere(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As in an image whose first run was made by who built it: its users must not wait a minute each time."""
    pieces().save("old", 1)
    (first,) = code_files.places()
    monkeypatch.setattr(os, "access", lambda *_: False)
    code_files.places.cache_clear()
    assert code_files.places()[0] == first
    assert pieces().load("old") == 1
    assert not caplog.records
    assert pieces().load("new") is None
    pieces().save("new", 2)
    assert pieces().load("new") == 2
    (said,) = caplog.messages
    assert "cannot be written" in said
    assert str(home / "temporary") in said
    assert "\n" not in said


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS])
def test_a_disk_that_refuses_costs_the_next_start_and_not_this_run(
    home: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, number: int
) -> None:
    """Full, over its quota, broken: what was compiled is in memory and right."""

    def full(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        pieces().save("a", 1)
        pieces().save("b", 2)
    assert not kept(home)
    (said,) = caplog.messages
    assert "could not be kept" in said
    assert "\n" not in said
    assert pieces().load("a") is None


def test_a_home_that_is_no_folder_costs_a_start(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only or absent home, as in many containers, must cost a start-up and not the run."""
    (home / "file").write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / "file"))
    assert code_files.find_places()[-1].is_relative_to(home / "temporary")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(home / "asked"))
    assert code_files.find_places()[-1].is_relative_to(home / "asked")


def test_nobody_else_can_write_where_compiled_code_lies(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies there is run: a folder that others can write to, or whose name somebody took, is left alone."""
    own = own_temporary()
    assert own.parent == home / "temporary"
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert code_files.find_places()[-1].is_relative_to(own)
    own.chmod(0o777)
    assert own_temporary() != own
    own.rmdir()
    own.write_text("taken")
    assert own_temporary() != own


def test_a_first_compilation_says_so_once(home: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A minute without a word is taken for a program that hangs."""
    with caplog.at_level(logging.WARNING):
        assert pieces().load("a") is None
        assert pieces().load("b") is None
    (said,) = caplog.messages
    assert "about a minute" in said
    assert str(home / "cache") in said


def test_a_function_is_compiled_once_for_two_processes(tmp_path: Path) -> None:
    """The line stands on standard error where nobody set anything up; the second start has nothing to say."""
    environment: dict[str, Any] = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("NUMBA_CACHE_DIR", None)
    said = []
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", CALL], capture_output=True, text=True, check=True, env=environment)
        assert done.stdout == "0.5\n"
        said.append(done.stderr)
    assert "Compiling equations for this processor, once" in said[0]
    assert said[1] == ""
    assert kept(tmp_path)


LOOPS = """
import numpy as np
from remission.numerics.compiled import njit

@njit(cache=True)
def small(x):
    if x > 3.0:
        raise ValueError("more than three")
    return 2.0 * x

@njit(cache=True)
def many(values):
    found = np.empty(values.size)
    for k in range(values.size):
        found[k] = small(values[k]) + np.sort(values[: k + 1])[0]
    return found, values.size

@njit(cache=True)
def raises(kind):
    if kind == 0:
        raise IndexError("no such day", kind)
    return np.full(3, kind).sum()

@njit
def made_later(values):
    return many(values)[0].sum() + raises(values.size)
"""

USED = """
import logging, sys
import numpy as np
from remission.numerics import compiled
compiled._Locator.from_function = classmethod(lambda cls, function, file: cls(function, file))
import loops
def told(call, *args):
    try:
        return call(*args)
    except Exception as error:
        return type(error).__name__, error.args
values = np.array([2.0, 1.0, 3.0])
print([told(loops.many, values), told(loops.many, 2 * values), told(loops.many, np.arange(9)[::3] / 9.0)])
print([told(loops.raises, 0), told(loops.raises, 5), told(loops.small, 4), told(loops.small, 2.5)])
print("numba.np.arraymath" in sys.modules)
print(told(loops.made_later, values))
print([told(loops.many, np.ones(1, np.float32)), told(loops.many, values)])
many = loops.many(np.linspace(0.0, 3.0, 1000))[0]
print(many.sum(), many.flags.owndata or many.base is not None, sys.getrefcount(many))
"""


def test_what_was_kept_does_what_was_compiled(tmp_path: Path) -> None:
    """Arrays made and let go, errors with their words, loops compiled later that take kept ones in; and quickly.

    Kept code is loaded without what compiles, so all that it asks for at work must be there nevertheless.
    """
    (tmp_path / "loops.py").write_text(LOOPS, encoding="utf-8")
    environment: dict[str, Any] = {
        **os.environ, "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": str(tmp_path)
    }  # fmt: skip
    environment.pop("NUMBA_CACHE_DIR", None)
    said = []
    for _ in range(2):
        done = subprocess.run(
            [sys.executable, "-c", USED], capture_output=True, text=True, check=False, env=environment
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.splitlines())
    fresh, again = said
    assert fresh.pop(2) == "True"
    assert again.pop(2) == "False", "what compiles was loaded for what was kept"
    assert again == fresh
    assert "('IndexError', ('no such day', 0))" in fresh[1]
    assert "('ValueError', ('more than three',))" in fresh[1]


def test_another_numba_reads_what_was_kept_in_its_own_way(tmp_path: Path) -> None:
    """A part of Numba that is not promised may change: slower then, and the same."""
    environment: dict[str, Any] = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    environment.pop("NUMBA_CACHE_DIR", None)
    other = (
        "from remission.numerics import compiled\n"
        "def fails(*_): raise TypeError('one argument more')\n"
        "compiled._rebuilt = fails\n"
    )
    said = []
    for before in ("", other):
        done = subprocess.run(
            [sys.executable, "-c", before + CALL], capture_output=True, text=True, check=False, env=environment
        )
        assert (done.returncode, done.stdout) == (0, "0.5\n"), done.stderr
        said.append(done.stderr)
    assert said[1] == "", "what was kept was compiled again"
