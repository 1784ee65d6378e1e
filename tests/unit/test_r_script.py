"""The six jobs from R: the script of the page for R users, run as such a user runs it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from source_tree import ROOT

SCRIPT = ROOT / "docs" / "how-to" / "six-jobs.R"
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
