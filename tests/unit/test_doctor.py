"""``remission doctor``: what works is said to work, each kind of fault is named, and nothing private is told."""

import getpass
import json
import os
import platform
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from remission import doctor
from remission.cli.app import run_app
from remission.doctor import Check, Verdict, examine, small_trial


def named(checks: list[Check], name: str) -> Check:
    (found,) = [check for check in checks if check.name == name]
    return found


def test_a_working_installation_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The first answer that support asks for; it must come as text, as JSON, and as an exit code."""
    monkeypatch.chdir(tmp_path)
    assert run_app(["doctor"]) == 0
    text = capsys.readouterr().out
    assert "This installation works" in text
    assert run_app(["doctor", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["is_well"] is True
    assert {check["verdict"] for check in found["checks"]} <= {"ok", "note"}
    names = "python, libraries, files, extras, processor, compiled code, temporary files, folder of runs, disk"
    names += ", random numbers, concentration, small trial"
    assert ", ".join(check["name"] for check in found["checks"]) == names
    assert list(tmp_path.iterdir()) == []
    assert run_app(["doctor", "--quick", "--quiet"]) == 0
    assert capsys.readouterr().out == ""


def test_nothing_private_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The answer is sent to strangers: no home folder, no name of the user or of the machine."""
    monkeypatch.chdir(tmp_path)
    words = " ".join(
        f"{check.found} {check.expected} {check.remedy}" for check in examine(Path("runs"), with_tests=False)
    )
    assert str(Path.home()) + "/" not in words
    assert platform.node() == "vm" or platform.node() not in words
    assert getpass.getuser() not in words.split()


@pytest.mark.parametrize("name", ["small_trial", "draw_words"])
def test_a_wrong_answer_fails(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A self-test that cannot fail qualifies nothing."""
    if name == "small_trial":
        monkeypatch.setattr(doctor, name, lambda: {**small_trial(), "use_days": "0"})
    else:
        monkeypatch.setattr("remission.streams._ROUNDS", 9)
    assert run_app(["doctor", "--quiet"]) == 1
    said = capsys.readouterr().out
    assert "FAIL" in said
    assert "Do not trust" in said


def test_a_library_that_is_missing_or_too_old_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A half-finished update shows here and not in the middle of a run."""
    monkeypatch.setattr(
        doctor, "installed_version", lambda name: {"numpy": "1.26.4", "pint": "not installed"}.get(name, "99.0")
    )
    check = named(examine(Path(), with_tests=False), "libraries")
    assert check.verdict is Verdict.FAIL
    assert check.found == "numpy 1.26.4, at least 2.2; pint not installed, at least 0.25"


@pytest.mark.parametrize("home", ["a file", "nothing that may be made"])
def test_a_cache_that_cannot_be_kept_is_noted(home: str, tmp_path: Path) -> None:
    """Then every start compiles anew, and the program seems slow for no reason."""
    (tmp_path / "file").write_text("no folder")
    place = tmp_path / "file" if home == "a file" else Path("/proc/none")
    environment = {**os.environ, "XDG_CACHE_HOME": str(place)}
    code = (
        "import json, pathlib; from remission.doctor import examine; "
        "print(json.dumps({c.name: [c.verdict, c.remedy] for c in examine(pathlib.Path('.'), with_tests=False)}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    verdict, remedy = json.loads(done.stdout)["compiled code"]
    assert verdict == "note"
    assert "XDG_CACHE_HOME" in remedy


@pytest.mark.parametrize("place", ["/proc", "/proc/none/runs", "file", "file/runs"])
def test_a_folder_that_cannot_be_written_fails(
    place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also for the administrator, whom permissions do not stop."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("mine")
    assert run_app(["doctor", "--quick", "--json", "--out", place]) == 1
    checks = {check["name"]: check for check in json.loads(capsys.readouterr().out)["checks"]}
    assert checks["folder of runs"]["verdict"] == "fail"
    assert checks["folder of runs"]["remedy"]
    assert (tmp_path / "file").read_text() == "mine"


def test_a_check_that_breaks_is_a_fault_and_the_others_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """A doctor who falls ill at the first sick patient helps nobody."""

    def broken() -> Check:
        raise RuntimeError(f"no {Path.home()}/x")

    monkeypatch.setattr(doctor, "_cache", broken)
    checks = examine(Path(), with_tests=False)
    (fault,) = [check for check in checks if check.verdict is Verdict.FAIL]
    assert fault.name == "broken"
    assert fault.found == "RuntimeError: no ~/x"
    assert len(checks) == 9


def test_a_full_disk_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that ends for want of space has cost its hours."""
    for free, verdict in ((10**6, "fail"), (5 * 10**8, "note"), (10**10, "ok")):
        usage = type("usage", (), {"free": free})
        monkeypatch.setattr("shutil.disk_usage", lambda place, usage=usage: usage)
        assert named(examine(Path(), with_tests=False), "disk").verdict == verdict


def test_the_stored_answers_are_those_of_this_code() -> None:
    """``make golden`` writes them again when numbers move for a reason."""
    path = files("remission.library").joinpath("self_test.toml")
    if os.environ.get("REMISSION_GOLDEN") == "rewrite":
        head = path.read_text("utf-8").splitlines()[0]
        lines = [head, *(f'{name} = "{value}"' for name, value in small_trial().items())]
        Path(str(path)).write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert tomllib.loads(path.read_text("utf-8")) == small_trial()
