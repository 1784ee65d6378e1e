"""The six jobs from R: the script of the page for R users, run as such a user runs it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from source_tree import ROOT

SCRIPT = ROOT / "docs" / "how-to" / "six-jobs.R"
PAGE = ROOT / "docs" / "how-to" / "for-r-users.md"
r_is_here = pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not here")


def program(place: Path) -> str:
    """The command line as one word, as R calls it."""
    path = place / "remission"
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m remission "$@"\n')
    path.chmod(0o755)
    return str(path)


@r_is_here
@pytest.mark.slow
def test_the_six_jobs_run_from_r(tmp_path: Path) -> None:
    """Whoever copies the script gets through it, with base R alone."""
    words = ["Rscript", "--vanilla", str(SCRIPT), str(tmp_path / "out")]
    environment = {**os.environ, "REMISSION": program(tmp_path)}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line[:2] in {f"{n}." for n in range(1, 7)}] != []
    assert done.stdout.rstrip().endswith("Done.")


@r_is_here
def test_an_error_reaches_r_in_the_words_of_the_program(tmp_path: Path) -> None:
    """A failed command that R goes on after would leave last week's files to be read."""
    helper = SCRIPT.read_text("utf-8").split("place <- ", 1)[0]
    (tmp_path / "wrong.R").write_text(f'{helper}\nremission("show", "kares")\ncat("went on")\n')
    environment = {**os.environ, "REMISSION": program(tmp_path)}
    done = subprocess.run(
        ["Rscript", "--vanilla", str(tmp_path / "wrong.R")],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode != 0
    assert "kares" in done.stderr
    assert "went on" not in done.stdout


def has_package(name: str) -> bool:
    """Whether R is here and has a package."""
    if shutil.which("Rscript") is None:
        return False
    asked = f"quit(status = !requireNamespace('{name}', quietly = TRUE))"
    return subprocess.run(["Rscript", "--vanilla", "-e", asked], capture_output=True, check=False).returncode == 0


def reads_this_python() -> bool:
    """Whether the program by which reticulate looks at a Python runs on this one."""
    asked = "cat(system.file('config', 'config.py', package = 'reticulate'))"
    program = subprocess.run(["Rscript", "--vanilla", "-e", asked], capture_output=True, text=True, check=True).stdout
    looked = subprocess.run([sys.executable, program], capture_output=True, text=True, check=False)
    return "No module named 'imp'" not in looked.stderr


@pytest.mark.slow
def test_the_lines_of_reticulate_give_a_data_frame(tmp_path: Path) -> None:
    """The lines of the page as they stand: a table that R only passes on cannot be worked with."""
    if not has_package("reticulate"):
        pytest.skip("R's package reticulate is not here")
    if not reads_this_python():
        pytest.skip("R's package reticulate is older than this Python, which has no module imp any more")
    found = re.search(r"## With reticulate\n\n```text\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert found is not None
    script = tmp_path / "page.R"
    script.write_text(found[1] + 'stopifnot(is.data.frame(frame), nrow(frame) > 3, "pda-ketamine" %in% frame$id)\n')
    environment = {**os.environ, "RETICULATE_PYTHON": sys.executable}
    words = ["Rscript", "--vanilla", str(script)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr


def test_an_answer_is_read_as_a_list(tmp_path: Path) -> None:
    """The line of the page with jsonlite, on the answer of a command."""
    if not has_package("jsonlite"):
        pytest.skip("R's package jsonlite is not here")
    helper = SCRIPT.read_text("utf-8").split("place <- ", 1)[0]
    line = 'answer <- jsonlite::fromJSON(paste(remission("show", run, "--json"), collapse = "\\n"))'
    assert line.removeprefix("answer <- ") in PAGE.read_text("utf-8")
    (tmp_path / "list.R").write_text(
        f'{helper}\nrun <- "kare"\n{line}\nstopifnot(is.list(answer), length(answer) > 3)\n'
    )
    environment = {**os.environ, "REMISSION": program(tmp_path)}
    words = ["Rscript", "--vanilla", str(tmp_path / "list.R")]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stderr
