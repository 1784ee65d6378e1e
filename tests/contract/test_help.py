"""The help: panels by question, each command in one place, verbs first, and every example runs."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from remission.cli import panels
from remission.cli.app import app_of, run_app
from remission.library.protocols import load_protocol
from remission.runs.shares import Share, do_share
from remission.runs.work import open_work
from remission.trial.simulate import plan_trial

COMMAND: Any = typer.main.get_command(app_of())


def commands(group: Any = COMMAND, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def example_of(command: Any) -> str:
    found = re.findall(r"^Example: (remission .*(?:\n .*)*)", command.help or "", re.MULTILINE)
    return found[0] if len(found) == 1 else ""


ALL = list(commands())


def test_every_command_has_one_place() -> None:
    """A command that no panel names would be a secret."""
    placed = [name for names in panels._PANELS.values() for name in names]
    assert sorted(placed) == sorted(name for name, one in COMMAND.commands.items() if not one.hidden)


def test_the_first_page_is_the_promise_and_the_panels_whole(capsys: pytest.CaptureFixture[str]) -> None:
    """What a newcomer reads first: why, then what, no sentence cut off, on 80 columns."""
    assert run_app(["--help"]) == 0
    page = capsys.readouterr().out
    assert " ".join(page.split()).startswith(f"Usage: remission [OPTIONS] COMMAND [ARGS]... {panels.PROMISE}")
    places = [page.index(f"\n{panel}:\n") for panel in panels._PANELS]
    assert places == sorted(places)
    listed = page[places[0] :]
    assert re.findall(r"\w\.\.\.", listed) == []
    assert max(map(len, page.splitlines())) <= 80


@pytest.mark.parametrize(("path", "command"), ALL, ids=[" ".join(path) for path, _ in ALL])
def test_help_begins_with_a_verb_and_has_an_example(path: tuple[str, ...], command: Any) -> None:
    """One voice; and an example is what most people read."""
    assert example_of(command).startswith(f"remission {' '.join(path)}"), "one example, of this command"
    assert re.match(r"[A-Z][a-z]+ ", command.help)
    assert not re.match(r"(A|An|The|Use|Power|Named|Published) ", command.help)
    for option in command.params:
        assert option.help, option.name


_GUESSED = [("drug", "drug"), ("drug", "control"), ("placebo", "drug"), ("placebo", "placebo")]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a reader follows the help: a run, one under way, and diaries."""
    place = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        patch.setattr("remission.report.write.has_extra", lambda name: False)
        assert run_app(["run", "kare", "--replicates", "2", "--diaries"]) == 0
        assert run_app(["export", str(next((place / "runs").iterdir())), "diary.csv"]) == 0
        assert run_app(["import", "tlfb", "diary.csv", "--out", "diary.parquet"]) == 0
        assert run_app(["new", "plan.yaml", "--plan", "diary.parquet"]) == 0
        assert run_app(["export", "diary.parquet", "kare-cdisc", "--as", "cdisc"]) == 0
        guesses = [f"{arm},{guess},{n % 7}" for n in range(40) for arm, guess in [_GUESSED[n % 4]]]
        (place / "guesses.csv").write_text("\n".join(["arm,guess,outcome", *guesses]), encoding="utf-8")
    # One that resume finishes, one for a share, one that merge finishes; each with its only piece done.
    for seed in (5, 6, 7):
        plan = plan_trial(load_protocol("kare"), n_replicates=1, seed=seed)
        folder = open_work(place / "runs", plan, f"remission run kare --replicates 1 --seed {seed}")
        do_share(folder, plan, Share(1, 1))
    return place


FEWER = {"run": 10, "design": 10}
"""Simulated trials in the test, where the example takes as many as a reader wants."""
# What these need is in test_help_with_data.py; a server is below; a calibration takes half an hour: make calibrate.
ELSEWHERE = {
    "import ctn0094",
    "import redcap",
    "endpoints run",
    "endpoints words",
    "clinics load",
    "clinics check",
    "serve",
    "calibrate",
}


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(
    ("path", "command"), [one for one in ALL if " ".join(one[0]) not in ELSEWHERE],
    ids=[" ".join(path) for path, _ in ALL if " ".join(path) not in ELSEWHERE],
)  # fmt: skip
def test_the_example_runs(
    path: tuple[str, ...], command: Any, desk: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first thing a reader copies; names of runs are those that are there."""
    monkeypatch.chdir(desk)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    words = shlex.split(example_of(command))[1:]
    runs = sorted(str(item.relative_to(desk)) for item in (desk / "runs").iterdir())
    under_way = [name for name in runs if name.endswith(".unfinished")]
    finished = [name for name in runs if (desk / name / "diaries.parquet").exists()]
    words = [
        word if not word.startswith("runs/") else under_way[0] if word.endswith(".unfinished") else finished[0]
        for word in words
    ]
    for word, before in zip(words[1:], words, strict=False):
        if before in {"--out", "OUT"}:
            Path(word).unlink(missing_ok=True)
    if path[0] in FEWER:
        words = re.sub(r" --replicates \d+|$", f" --replicates {FEWER[path[0]]}", " ".join(words), count=1).split()
    assert run_app(words) == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "kare", "--outt", "x"], "run: got --outt; expected an option that it has. Did you mean --out? See"),
        (["run", "kare", "-n", "x"], "-n: got x; expected a whole number. See remission run --help."),
        (["serve", "--port=99999"], "--port: got 99999; expected at most 65535. See remission serve --help."),
        (["evidence", "shw"], "evidence: got shw; expected one of its commands. Did you mean show? See"),
        (["dance"], "command: got dance; expected one of its commands. Known: run,"),
        (["run"], "run: got no PROTOCOL; expected built-in protocols"),
    ],
    ids=lambda item: " ".join(item) if isinstance(item, list) else "",
)
def test_a_wrong_word_says_what_came_what_is_expected_and_what_to_do(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """As every other error; the words of the library behind would be another language."""
    assert run_app(words) == 2
    assert f"remission: {said}" in capsys.readouterr().err


def test_no_word_at_all_gives_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """And not a complaint with the help inside."""
    assert run_app([]) == 2
    assert capsys.readouterr().err.startswith("Usage: remission")


def test_serve_answers_as_its_example_says(tmp_path: Path) -> None:
    """The one example that does not end by itself."""
    words = [sys.executable, "-m", "remission", "serve", "--port", "0"]
    with subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            assert "Remission is at http://127.0.0.1:" in server.stdout.readline()
        finally:
            server.kill()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["design", "kare", "--power", "0_9"], "--power: got 0_9; expected a number in digits"),
        (["run", "kare", "-n", "1_0"], "--replicates: got 1_0; expected a number in digits"),
        (["describe", "x", "--resamples=1_00"], "--resamples: got 1_00; expected a number in digits"),
        (["run", "kare", "--set", "gamma=1_0"], "--set gamma=1_0: got 1_0; expected name=number"),
        (["export", "runs", "x.csv/"], "got x.csv/; expected the name of a file"),
        (
            ["evidence", "forest", "--substance", "alcohol", "--endpoint", "abstinence", "--out", "f.svg/"],
            "got f.svg/;",
        ),
    ],
    ids=lambda item: " ".join(item)[:40] if isinstance(item, list) else "",
)
def test_what_the_language_would_take_in_silence_is_refused(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Python reads 0_9 as nine and a path loses the stroke at its end: both answered another question."""
    monkeypatch.chdir(tmp_path)
    assert run_app(words) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def numbers_of(command: Any) -> Iterator[Any]:
    """The options that take a whole number or a number."""
    for option in command.params:
        wanted = str(getattr(getattr(option, "type_descriptor", None), "annotation", ""))
        if option.param_type_name == "option" and ("int" in wanted or "float" in wanted) and not option.is_flag:
            yield option


NOTHING_THERE = {("rerun",), ("resume",), ("work",), ("merge",), ("export",)}
"""Commands that look at the folder they are given before anything else."""


@pytest.mark.parametrize(
    ("path", "command"),
    [(path, command) for path, command in ALL if any(numbers_of(command)) and path not in NOTHING_THERE],
    ids=lambda item: " ".join(item) if isinstance(item, tuple) else "",
)
def test_a_number_that_cannot_be_is_refused_by_the_name_of_its_option(
    path: tuple[str, ...], command: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    """Not by the name of a record or of a library inside, and before any work."""
    monkeypatch.chdir(tmp_path)
    given = ["kare"] if any(one.param_type_name == "argument" for one in command.params) else []
    given += ["--out", "here"] if path == ("calibrate",) else []
    for option in numbers_of(command):
        assert run_app([*path, *given, option.opts[0], "-7"]) == 2, option.opts
        last = capsys.readouterr().err.strip().splitlines()[-1]
        assert any(f"{name}: got" in last for name in option.opts), last
    assert list(tmp_path.iterdir()) == []
