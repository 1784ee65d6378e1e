"""What made a result: versions and code that belong to it, and facts of the day that do not.

Versions and hashes go into files that are equal for equal inputs; the date, the duration and the machine go into one
file of their own.
"""

import ctypes
import hashlib
import importlib
import os
import platform
import sys
from datetime import UTC, datetime
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from remission import __version__

LIBRARIES = ("matplotlib", "numba", "numpy", "pyarrow", "pydantic", "scipy")
"""Libraries whose version can move a result or its bytes; without the first a report has no figures."""

_CPU_FEATURES = ("avx", "avx2", "avx512f", "fma", "neon", "sve")
"""What decides which instructions the compiled kernel and the linear algebra are made of."""

_WRITES_FILES = {"report", "runs"}
_MOVES_NOTHING = {
    "blinding", "calibration", "cli", "clinics", "design", "doctor.py", "evidence", "exchange", "extras.py", "facts",
    "foresight", "study", "web",
}  # fmt: skip
_DATA = {"behavior", "medicines", "pharmacology", "protocols"}
"""Folders of the library that a simulation reads."""


def package_version() -> str:
    """Version of this program."""
    return __version__


def library_versions() -> dict[str, str]:
    """Versions of this program and of the libraries behind a result; Python's own moves no byte."""
    return {"remission": package_version(), **{name: installed_version(name) for name in LIBRARIES}}


def installed_version(name: str) -> str:
    """The version of a distribution, or ``not installed``."""
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def python_version() -> str:
    """Version of Python, as three numbers."""
    return ".".join(map(str, sys.version_info[:3]))


@cache
def source_hashes() -> dict[str, str]:
    """SHA-256 of the code and data that set the ``numbers``, and of the code that writes the ``files`` of a run.

    A version number says what the authors meant; these say what ran.
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
    """The machine: architecture, processor and what libraries make of it, cores, system, Python.

    Nothing of it changes a byte of a run on x86-64 (``docs/decisions/0023-processors.md``); it is written down so that
    a difference, should there be one, can be traced.
    """
    from llvmlite import binding

    from remission.numerics.machine_code import compiled_for

    features = binding.get_host_cpu_features()
    return {
        "architecture": platform.machine(),
        "cpu": binding.get_host_cpu_name(),
        "cpu_features": [name for name in _CPU_FEATURES if features.get(name)],
        "compiled_for": compiled_for(),
        "numpy_features": _numpy_features(),
        "blas_kernel": blas_kernel(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": python_version(),
    }


def blas_kernel() -> str | None:
    """The kernel that NumPy's OpenBLAS chose on this processor; none where NumPy has another BLAS."""
    for path in sorted((Path(np.__file__).parent.parent / "numpy.libs").glob("*openblas*")):
        library = ctypes.CDLL(str(path))
        for symbol in _KERNEL_SYMBOLS:
            try:
                ask = getattr(library, symbol)
            except AttributeError:
                continue
            ask.restype = ctypes.c_char_p
            return str(ask().decode())
    return None


_KERNEL_SYMBOLS = ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename", "openblas_get_corename")


def _numpy_features() -> list[str]:
    """Instruction sets beyond its baseline that NumPy's own loops use here."""
    core = importlib.import_module("numpy._core._multiarray_umath")
    known = getattr(core, "__cpu_features__", {})
    return [str(name) for name in getattr(core, "__cpu_dispatch__", ()) if known.get(name)]


def today() -> str:
    """The day in UTC, as in 2026-11-29."""
    return datetime.now(UTC).date().isoformat()


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
