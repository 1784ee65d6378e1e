"""The birth certificate of a result."""

import ctypes
import hashlib
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest

from remission import __version__, provenance
from remission.provenance import LIBRARIES, file_hash, library_versions, machine, moment, package_version, source_hashes


def test_versions_that_move_a_result_are_named() -> None:
    """Without them a result that differs on another machine cannot be explained."""
    versions = library_versions()
    assert set(versions) == {"remission", *LIBRARIES}
    assert all(version[0].isdigit() for version in versions.values())
    assert package_version() == __version__ == versions["remission"]


def test_the_hash_is_of_the_whole_file(tmp_path: Path) -> None:
    """A hash of the first block would call a damaged file whole."""
    data = bytes(range(256)) * 10_000
    path = tmp_path / "data"
    path.write_bytes(data)
    assert file_hash(path) == hashlib.sha256(data).hexdigest()
    path.write_bytes(data[:-1] + b"x")
    assert file_hash(path) != hashlib.sha256(data).hexdigest()


def test_the_moment_has_a_time_zone() -> None:
    """Runs of different places are put in order by it."""
    found = moment()
    assert datetime.fromisoformat(found["finished_at"]).tzinfo is not None
    assert found["machine"] == machine()


def test_the_machine_names_what_its_compiled_code_may_use() -> None:
    """Two processors may round one sum in two ways; without their names a difference stays a riddle."""
    found = machine()
    assert found["architecture"]
    assert found["cpu"]
    assert found["cores"] >= 1
    assert set(found["cpu_features"]) <= set(provenance._CPU_FEATURES)


def test_the_hashes_tell_code_that_sets_numbers_from_code_that_writes_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A change of a page must not stop a run under way; a change of an equation must."""
    monkeypatch.setattr(provenance, "__file__", str(tmp_path / "provenance.py"))

    def after(name: str) -> tuple[str, str]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name, encoding="utf-8")
        found = source_hashes.__wrapped__()
        return found["numbers"], found["files"]

    numbers, files = after("use/craving.py")
    assert after("web/page.py") == (numbers, files)
    assert after("use/__pycache__/craving.pyc") == (numbers, files)
    assert after("library/care/options.toml") == (numbers, files)
    assert after("report/look.py")[0] == numbers
    assert after("report/look.py")[1] != files
    assert after("library/behavior/set.toml")[0] != numbers


def test_the_kernel_is_asked_of_whatever_blas_numpy_brings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Builds of OpenBLAS name the question in three ways, and a NumPy without it must not fail a run."""

    class SecondName:
        scipy_openblas_get_corename = staticmethod(lambda: b"Zen")

    folder = tmp_path / "numpy.libs"
    folder.mkdir()
    (folder / "libscipy_openblas64_.so").touch()
    monkeypatch.setattr(np, "__file__", str(tmp_path / "numpy" / "__init__.py"))
    monkeypatch.setattr(ctypes, "CDLL", lambda path: SecondName)
    assert provenance.blas_kernel() == "Zen"
    monkeypatch.setattr(ctypes, "CDLL", lambda path: object())
    assert provenance.blas_kernel() is None


def test_a_library_that_is_absent_is_said_to_be() -> None:
    """An extra that was never installed has no version, and a record of a run must be written all the same."""
    from remission.provenance import installed_version

    assert installed_version("numpy")[0].isdigit()
    assert installed_version("no-such-distribution") == "not installed"
