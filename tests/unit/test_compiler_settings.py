"""For which processor compiled code is made."""

import os
import subprocess
import sys

import pytest

from remission.numerics import compiled, machine_code


def test_processor_features_of_the_user_are_kept() -> None:
    """Whoever sets them compares machines; overruling them would compare nothing."""
    code = "import remission.numerics.compiled, numba; print(numba.config.CPU_FEATURES)"
    environment = {**os.environ, "NUMBA_CPU_FEATURES": "+sse2"}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    assert done.stdout.strip() == "+sse2"


def test_vectors_keep_their_full_width(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half-width vectors halve the speed without any other sign; other processors have no such setting."""
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    features = machine_code.features()
    assert features is not None
    assert features.endswith("-prefer-256-bit")
    assert "+prefer-256-bit" not in features
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert machine_code.features() is None


def test_a_processor_named_by_the_user_gets_no_features_of_this_one() -> None:
    """Code for another processor with this one's features would stop there with an illegal instruction."""
    assert compiled._features("generic", None) is None
    assert compiled._features("generic", "+sse2") == "+sse2"
    assert compiled._features(None, None) == machine_code.features()
