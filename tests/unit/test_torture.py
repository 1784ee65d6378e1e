"""A short torture; the whole one is ``make torture``, and its result is docs/validation/torture.md."""

import subprocess
import sys

import pytest
from effort import tries
from source_tree import ROOT

KILLS = tries(3, 20)


@pytest.mark.slow
def test_kills_change_no_byte() -> None:
    """Kills at start, in chunks, commits, tables, diaries, report and sealing, and a full disk."""
    # A process of its own: it forks, and a fork of a process with threads can stand still.
    command = [sys.executable, "-m", "validation.torture", "--kills", str(KILLS), "--seed", "7"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert f"**{KILLS} kills" in done.stdout
    assert "Nothing went wrong." in done.stdout
