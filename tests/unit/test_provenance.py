"""The birth certificate of a result."""

import hashlib
from datetime import datetime
from pathlib import Path

from remission import __version__
from remission.provenance import LIBRARIES, file_hash, library_versions, moment, package_version


def test_versions_that_move_a_result_are_named() -> None:
    """Without them a result that differs on another machine cannot be explained."""
    versions = library_versions()
    assert set(versions) == {"python", "remission", *LIBRARIES}
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
    assert found["machine"]
