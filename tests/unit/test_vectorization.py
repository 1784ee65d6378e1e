"""The guard of the kernel's speed: loss of vectorization is silent, several times slower."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "support" / "packed_divides.py"
ON_X86 = platform.machine() in {"x86_64", "AMD64"}


def _divides(error_model: str, cache: Path) -> tuple[int, int]:
    """Packed and scalar divisions in freshly compiled machine code."""
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    asked = [sys.executable, str(PROGRAM), error_model]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, env=environment)
    packed, scalar = map(int, done.stdout.split())
    return packed, scalar


@pytest.mark.thorough
@pytest.mark.skipif(not ON_X86, reason="counts instructions of x86 processors")
def test_the_kernel_handles_several_people_with_each_instruction(tmp_path: Path) -> None:
    """Divisions that run person by person mean that the loop over people was not vectorized."""
    packed, scalar = _divides("numpy", tmp_path)
    assert packed >= 6
    assert scalar < packed


@pytest.mark.thorough
@pytest.mark.skipif(not ON_X86, reason="counts instructions of x86 processors")
def test_the_guard_sees_a_division_that_may_raise(tmp_path: Path) -> None:
    """Without the error model of NumPy each division carries a branch, and the guard above must fail."""
    packed, scalar = _divides("python", tmp_path)
    assert packed == 0
    assert scalar > 0
