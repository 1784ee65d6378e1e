"""The end of the command line: full or closed outputs, poor encodings, names that are no text, a missing folder."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from remission.cli.app import run_app

pytestmark = pytest.mark.usefixtures("no_figures")

RUN = [sys.executable, "-m", "remission"]


def test_a_full_output_is_failed_work_in_a_sentence() -> None:
    """A list on a full disk ended in a traceback."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        ended = subprocess.run([*RUN, "list"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert ended.returncode == 1
    assert ended.stderr.startswith("remission: standard output: got No space left on device;")
    assert ended.stderr.count("\n") == 1


def test_a_reader_that_goes_away_is_no_fault() -> None:
    """`remission list | head -1` is an everyday command."""
    with subprocess.Popen([*RUN, "evidence", "list"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as job:
        assert job.stdout is not None
        assert job.stderr is not None
        job.stdout.close()
        said = job.stderr.read()
        assert job.wait() == 0
    assert said == b""


@pytest.mark.parametrize(
    "words", [["endpoints", "show", "pda"], ["show", "kare"], ["evidence", "show", "grabski_2022_kare", "--json"]]
)
def test_any_encoding_takes_the_output(words: list[str]) -> None:
    """A diamond that a terminal cannot show is no reason to lose a result; in JSON the escape is the same character."""
    ended = subprocess.run(
        [*RUN, *words], env={**os.environ, "PYTHONIOENCODING": "ascii"}, capture_output=True, check=False
    )
    assert b"Traceback" not in ended.stderr
    assert max(ended.stdout, default=0) < 128


def test_a_working_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    """Python itself would say where in its own code it noticed."""
    gone = tmp_path / "gone"
    gone.mkdir()
    words = [sys.executable, "-m", "remission", "list"]
    code = f"import os; os.rmdir({str(gone)!r}); os.execv({sys.executable!r}, {words!r})"
    ended = subprocess.run([sys.executable, "-c", code], cwd=gone, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert "working folder: got No such file or directory" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    "words",
    [["new", "\udcff.yaml"], ["show", "\udcff"], ["run", "kare", "--out", "a/\udc80"], ["verify", "\udcff"],
     ["import", "tlfb", "x.csv", "--out", "\udcff.parquet"], ["serve", "--name", "\udcff"], ["new", "a\0b.yaml"]],
)  # fmt: skip
def test_a_word_that_is_no_text_is_refused_everywhere(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Names go into reports, JSON and shell commands, none of which can hold such a byte."""
    monkeypatch.chdir(tmp_path)
    assert run_app(words) == 2
    assert "command line, word" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [["show", ""], ["export", "", "x.csv"], ["export", "run", ""], ["run", "kare", "--out", ""],
     ["run", "kare", "--out="], ["verify", ""], ["new", ""]],
)  # fmt: skip
def test_an_empty_word_is_refused_everywhere(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An unset shell variable must not be read as the folder one stands in, and filled with results."""
    monkeypatch.chdir(tmp_path)
    assert run_app(words) == 2
    assert "command line, word" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [["show", "x" * 300 + ".yaml"], ["run", "x" * 300 + ".yaml"], ["describe", "x" * 300], ["verify", "x" * 300],
     ["export", "x" * 300, "x.csv"], ["import", "tlfb", "x" * 300], ["clinics", "check", "x" * 300 + ".csv"],
     ["design", "kare", "--scenarios", "x" * 300 + ".yaml"], ["export", "a", "/"], ["describe", "a", "--out", "a.pdf"]],
    ids=lambda words: " ".join(word[:9] for word in words),
)  # fmt: skip
def test_a_name_that_no_file_can_have_is_wrong_input(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is mended by typing another one, so the exit code is 2, and there is no traceback."""
    monkeypatch.chdir(tmp_path)
    assert run_app(words) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


PLAN = ["plan", "--weight", "82", "--age", "45", "--dose", "0.5mg/kg", "--minutes", "40", "--people", "20"]


@pytest.mark.parametrize(
    "words",
    [["describe", "X"], ["export", "X", "out.csv"], ["endpoints", "run", "X"], [*PLAN, "--levels", "X"],
     ["import", "tlfb", "X", "--dry-run"], ["import", "redcap", "X", "--dictionary", "X", "--dry-run"],
     ["clinics", "check", "X"], ["run", "./X"], ["design", "kare", "--prices", "./X"]],
    ids=lambda words: " ".join(word for word in words[:2]) + words[-2],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["device", "pipe"])
def test_a_pipe_is_refused_and_never_waited_for(
    words: list[str], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A shell gives <(command) as a pipe: looking at its beginning loses it, and waiting for more never ends."""
    monkeypatch.chdir(tmp_path)
    if kind == "pipe":
        os.mkfifo("X")
    name = "X" if kind == "pipe" else os.devnull
    assert (
        run_app([word.replace("./X", f"./{name}" if kind == "pipe" else name).replace("X", name) for word in words])
        == 2
    )
    assert "a device or a pipe" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--levels", "--model"])
def test_a_small_file_is_read_whole_or_refused(
    option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A table cut at a limit would be half the measurements, without a word."""
    monkeypatch.chdir(tmp_path)
    Path("x.toml").write_bytes(b"a" * 3_000_000)
    assert run_app([*PLAN, option, "x.toml"]) == 2
    assert "x.toml: got more than" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "code"),
    [("list >&-", 1), ("show nothing-of-this-name >&- 2>&-", 2), ("list <&- 2>&-", 0), ("new here.yaml >&-", 1)],
)
def test_a_closed_stream_is_no_traceback(command: str, code: int, tmp_path: Path) -> None:
    """Started so by some schedulers; a file of ours must not get the number of the output and its text."""
    ended = subprocess.run(
        f"exec {sys.executable} -m remission {command}", shell=True, cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert ended.returncode == code
    assert "Traceback" not in ended.stderr
    if code == 1:
        assert "standard output: got a closed output" in ended.stderr
    for path in tmp_path.iterdir():
        assert path.read_text(encoding="utf-8").startswith("# A protocol to start from")


def test_an_interrupt_while_the_program_is_loaded_shows_no_traceback() -> None:
    """Half a second of each command is loading; who presses Ctrl-C then wants an end, not forty lines."""
    interrupt = "import builtins; old = builtins.__import__\ndef load(name, *rest, **more):\n"
    interrupt += "    if name == 'remission.cli.app': raise KeyboardInterrupt\n    return old(name, *rest, **more)\n"
    done = subprocess.run(
        [sys.executable, "-c", f"{interrupt}import remission.cli as c\nbuiltins.__import__ = load\nc.main()"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (130, "Interrupted.\n")
