"""Where compiled code is kept, and for which processor it is made."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from remission.errors import SpecError
from remission.numerics import lanes
from remission.streams import People


def test_the_cache_moves_when_home_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A read-only home, as in many containers, must cost a start-up and not the run."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    monkeypatch.setenv("XDG_CACHE_HOME", str(blocked))
    assert not lanes._cache_folder().startswith(str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert lanes._cache_folder().startswith(str(tmp_path))


def test_processor_features_of_the_user_are_kept() -> None:
    """Whoever sets them compares machines; overruling them would compare nothing."""
    code = "import remission.numerics.lanes, numba; print(numba.config.CPU_FEATURES)"
    environment = {**os.environ, "NUMBA_CPU_FEATURES": "+sse2"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "+sse2"


@pytest.mark.parametrize(("first", "n_subjects"), [(-1, 3), (2**32, 3), (0, 2**32 + 1)])
def test_addresses_that_do_not_fit_are_refused(first: int, n_subjects: int) -> None:
    """Cut to 32 bits, two replicates would share their luck without a word."""
    with pytest.raises(SpecError):
        People.of_replicates(seed=1, first=first, count=1, n_subjects=n_subjects)
