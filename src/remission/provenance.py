"""What made a result: versions and code that belong to it, and facts of the day that do not.

Versions and hashes go into files that are equal for equal inputs; the date, the duration and the machine go into one
file of their own.
"""

import hashlib
import os
import platform
import sys
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

__all__ = [
    "LIBRARIES",
    "file_hash",
    "library_versions",
    "machine",
    "moment",
    "package_version",
    "source_hashes",
]

LIBRARIES = ("matplotlib", "numba", "numpy", "pyarrow", "pydantic", "scipy", "statsmodels")
"""Libraries whose version can move a result or its bytes."""

_CPU_FEATURES = ("avx", "avx2", "avx512f", "fma", "neon", "sve")
"""What decides which instructions the compiled kernel and the linear algebra are made of."""

_WRITES_FILES = {"report", "runs"}
_MOVES_NOTHING = {"calibration", "cli", "clinics", "design", "evidence", "exchange", "testing", "web"}
_DATA = {"behavior", "medicines", "pharmacology", "protocols"}
"""Folders of the library that a simulation reads."""


def package_version() -> str:
    """Version of this program."""
    return metadata.version("remission")


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries behind a result."""
    found = {name: metadata.version(name) for name in LIBRARIES}
    return {"python": ".".join(map(str, sys.version_info[:3])), "remission": package_version(), **found}


@cache
def source_hashes() -> dict[str, str]:
    """SHA-256 of the code and data that set the numbers, and of the code that writes the files of a run.

    Returns
    -------
    ``numbers`` and ``files``, 64 hexadecimal digits each. A version number says what the authors meant; these say what
    ran.
    """
    root = Path(__file__).parent
    digests = {"numbers": hashlib.sha256(), "files": hashlib.sha256()}
    for path in sorted(root.rglob("*"), key=lambda path: path.relative_to(root).as_posix()):
        name = path.relative_to(root)
        top = name.parts[0]
        is_other_data = top == "library" and len(name.parts) > 2 and name.parts[1] not in _DATA
        if top in _MOVES_NOTHING or is_other_data or "__pycache__" in name.parts or not path.is_file():
            continue
        digest = digests["files" if top in _WRITES_FILES else "numbers"]
        digest.update(f"{name.as_posix()}\0{file_hash(path)}\n".encode())
    return {name: digest.hexdigest() for name, digest in digests.items()}


def machine() -> dict[str, Any]:
    """The machine: architecture, processor, the features that its compiled code may use, cores, system."""
    from llvmlite import binding

    features = binding.get_host_cpu_features()
    return {
        "architecture": platform.machine(),
        "cpu": binding.get_host_cpu_name(),
        "cpu_features": [name for name in _CPU_FEATURES if features.get(name)],
        "cores": os.cpu_count(),
        "system": platform.platform(),
    }


def moment() -> dict[str, Any]:
    """When and on what: facts that differ between two equal runs."""
    return {"finished_at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine()}


def file_hash(path: Path) -> str:
    """SHA-256 of a file, as 64 hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
