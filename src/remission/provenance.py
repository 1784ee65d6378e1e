"""What made a result: versions that belong to it, and facts of the day that do not.

Versions and hashes go into files that are equal for equal inputs; the date, the duration and the machine go into one
file of their own.
"""

import hashlib
import platform
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

__all__ = ["LIBRARIES", "file_hash", "library_versions", "moment", "package_version"]

LIBRARIES = ("matplotlib", "numba", "numpy", "pyarrow", "pydantic", "scipy", "statsmodels")
"""Libraries whose version can move a result or its bytes."""


def package_version() -> str:
    """Version of this program."""
    return metadata.version("remission")


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries behind a result."""
    found = {name: metadata.version(name) for name in LIBRARIES}
    return {"python": ".".join(map(str, sys.version_info[:3])), "remission": package_version(), **found}


def moment() -> dict[str, str]:
    """When and on what: facts that differ between two equal runs."""
    return {
        "finished_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": platform.machine(),
        "system": platform.platform(),
    }


def file_hash(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
