"""The one way to write a file: whole or not at all, never over another, nothing left behind."""

import errno
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from remission.errors import RunError, SpecError, WorkError
from remission.files import (
    check_folder,
    new_bytes,
    new_text,
    read_json,
    staged_folder,
    sweep,
    write_bytes,
    write_text,
)

HOST = platform.node()


def test_a_file_appears_whole_with_the_usual_mode(tmp_path: Path) -> None:
    """A reader sees the old state or the new one; the mode is that of any new file."""
    plain = tmp_path / "plain"
    plain.write_bytes(b"")
    with new_text(tmp_path / "new.txt") as stream:
        stream.write("a\nß\n")
        assert not (tmp_path / "new.txt").exists()
    assert (tmp_path / "new.txt").read_bytes() == "a\nß\n".encode()
    assert (tmp_path / "new.txt").stat().st_mode == plain.stat().st_mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new.txt", "plain"]


def write_then(path: Path, then: Callable[[], object], *, replace: bool = False) -> None:
    with new_bytes(path, replace=replace) as stream:
        stream.write(b"half")
        then()


def failing(error: BaseException) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left"), KeyboardInterrupt(), MemoryError()])
def test_a_failure_half_way_leaves_nothing(error: BaseException, tmp_path: Path) -> None:
    """A part of a diary under its final name reads as a whole one."""
    wanted = WorkError if isinstance(error, OSError) else type(error)
    with pytest.raises(wanted):
        write_then(tmp_path / "x.csv", failing(error))
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """Neither a file, nor a folder, nor a link that leads nowhere, nor a file that came meanwhile."""
    (tmp_path / "file").write_text("old", encoding="utf-8")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("file", "folder", "link"):
        with pytest.raises(SpecError, match="exists"):
            write_text(tmp_path / name, "new")
    with pytest.raises(SpecError, match="exists"):
        write_then(tmp_path / "late", lambda: (tmp_path / "late").write_text("came meanwhile", encoding="utf-8"))
    assert (tmp_path / "file").read_text(encoding="utf-8") == "old"
    assert (tmp_path / "late").read_text(encoding="utf-8") == "came meanwhile"
    assert not (tmp_path / "nowhere").exists()
    assert len(list(tmp_path.iterdir())) == 4


def test_a_replaced_file_keeps_its_mode_and_its_link(tmp_path: Path) -> None:
    """A link stays a link: what it leads to is replaced."""
    real = tmp_path / "real"
    real.write_text("old", encoding="utf-8")
    real.chmod(0o640)
    (tmp_path / "link").symlink_to(real)
    write_bytes(tmp_path / "link", b"new", replace=True)
    assert (tmp_path / "link").is_symlink()
    assert real.read_bytes() == b"new"
    assert real.stat().st_mode & 0o777 == 0o640
    with pytest.raises(WorkError):
        write_then(real, failing(OSError(errno.EIO, "Input/output error")), replace=True)
    assert real.read_bytes() == b"new"


@pytest.mark.parametrize("name", ["nowhere/x", "file/x", "x" * 300, "a\0b"])
def test_a_wrong_place_is_wrong_input(name: str, tmp_path: Path) -> None:
    """What the user can mend by another name is no failed work."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError) as caught:
        write_text(tmp_path / name, "x")
    assert not isinstance(caught.value, WorkError)
    with pytest.raises(RunError):
        check_folder(tmp_path / "file")


def test_only_what_a_dead_process_of_this_machine_left_is_swept(tmp_path: Path) -> None:
    """On a shared disk the folder of another machine, or of a living process, is somebody's work."""
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    pid = int(dead.stdout)
    kept = [
        f".staging-{HOST}-2-{pid}-abcdefgh",
        f".staging-{HOST}x-{pid}-abcdefgh",
        f".staging-2-{HOST}-{pid}-abcdefgh",
        f".staging-other-{pid}-abcdefgh",
        f".staging-{HOST}-{os.getpid()}-abcdefgh",
        f".staging-{HOST}-1-abcdefgh",
        ".staging-old",
        "staging",
    ]
    gone = [f".staging-{HOST}-{pid}-abcdefgh", f".staging-{HOST}-{pid}-12345678"]
    for name in [*kept, *gone]:
        (tmp_path / name).mkdir()
        (tmp_path / name / "data").write_text("half", encoding="utf-8")
    sweep(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(kept)


def test_what_a_living_process_holds_is_not_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number says nothing where two containers of one name share a disk: the lock does."""
    with staged_folder(tmp_path) as folder:
        monkeypatch.setattr("remission.files._lives", lambda process: False)
        sweep(tmp_path)
        assert folder.is_dir()
    with new_bytes(tmp_path / "x") as stream:
        stream.write(b"a")
        sweep(tmp_path)
    assert (tmp_path / "x").read_bytes() == b"a"


@pytest.mark.parametrize(
    "text", ["", "{", "[1]", "{" * 5000, '{"a":' * 3000 + "1" + "}" * 3000, '{"a": 1, "a": 2}', '{"a": NaN}',
             "\ufeff{}", '{"a": ' + "9" * 5000 + "}", "\0"]
)  # fmt: skip
def test_json_that_cannot_be_read_is_named(text: str, tmp_path: Path) -> None:
    """A cut or damaged record gives a sentence with its place."""
    path = tmp_path / "a.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RunError) as caught:
        read_json(path, allowed="a record")
    assert caught.value.where == str(path)


LIMITED = "import resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)); "


@pytest.mark.parametrize(
    "words",
    [["new", "x.yaml"], ["plan", "--weight", "82", "--age", "45", "--dose", "35mg", "--minutes", "40", "--people", "50",
                         "--out", "x.html"]],
    ids=["new", "plan"],
)  # fmt: skip
def test_a_full_disk_is_failed_work_and_leaves_no_part(words: list[str], tmp_path: Path) -> None:
    """A file limit stands for a full disk: exit code 1, a sentence, and an empty folder."""
    code = LIMITED + f"sys.argv[1:] = {words!r}; from remission.cli import main; main()"
    # Coverage of the command would need space for its own file.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COV")}
    ended = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False, env=environment
    )
    assert ended.returncode == 1, ended.stderr
    assert "File too large" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert list(tmp_path.iterdir()) == []
