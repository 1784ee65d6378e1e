"""Compiled code on disk: where it lies, what is believed of it, and a line that says when it is made.

A folder belongs to exactly one source, so two installations never read each other's code. The name of a file follows
from the signature, the processor and its instruction sets, so machines that share a home share no code by mistake. A
file begins with the sum of what follows: one that is damaged counts as absent. A folder that cannot be written to is
read, and what is new goes into a temporary one; what cannot be kept anywhere is compiled again at the next start.
Slower, never wrong.
"""

import hashlib
import logging
import os
import tempfile
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

from remission.errors import RemissionError
from remission.files import write_bytes
from remission.kept import cache_folders

_ABOVE = frozenset({
    "blinding", "calibration", "cli", "clinics", "design", "diaries", "doctor", "door", "evidence", "exchange", "facts",
    "foresight", "planner", "report", "runs", "study", "trial", "web",
})  # fmt: skip
"""What nothing compiled can import: the layers above it. A folder or file that is not named here counts."""
_SUM_BYTES = 32
# Without any setting a program shows what is logged as a warning on standard error, as it is.
_log = logging.getLogger(__name__)


def source_key(package: Path) -> str:
    """16 hexadecimal digits that follow from every source file which compiled code may hold.

    ``package``: the package's folder.
    """
    digest = hashlib.sha256(" ".join(map(version, ("numba", "llvmlite", "numpy"))).encode())
    waiting = [("", str(package))]
    while waiting:
        path, folder = waiting.pop()
        for entry in sorted(os.scandir(folder), key=lambda item: item.name):
            name = f"{path}{entry.name}"
            if entry.is_dir() and name not in _ABOVE and entry.name != "__pycache__":
                waiting.append((f"{name}/", entry.path))
            elif entry.name.endswith(".py") and name.removesuffix(".py") not in _ABOVE:
                digest.update(f"{name}\0".encode())
                digest.update(hashlib.sha256(Path(entry.path).read_bytes()).digest())
    return digest.hexdigest()[:16]


def find_places() -> tuple[Path, ...]:
    """Folders for compiled code that belong to exactly this source: all are read, the last is written to.

    Numba looks only at the file of the outermost function when it decides whether compiled code is stale; an equation
    changed in another file would go on with the old one.
    """
    above = os.environ.get("NUMBA_CACHE_DIR")
    return cache_folders(f"numba-{source_key(Path(__file__).parents[1])}", above=above)


places = cache(find_places)
"""The folders of this process."""


@cache
def say_compiling() -> None:
    """One line, before the first compilation of this process."""
    kept = places()[-1]
    is_first = not any(True for place in places() for _ in place.rglob("*.nbc"))
    how_long = "about a minute" if is_first else "some seconds"
    if len(places()) == 1 and not str(kept).startswith(tempfile.gettempdir()):
        where = f"later starts read the result from {kept}"
    else:
        where = f"the usual cache folder cannot be written to, so the result is kept in {kept}"
    _log.warning("Compiling equations for this processor, once: %s; %s.", how_long, where)


@cache
def _say_not_kept(why: str) -> None:
    _log.warning(
        "What was compiled could not be kept in %s (%s): the next start compiles it again. Free space, or set "
        "XDG_CACHE_HOME to a folder that can be written to.",
        places()[-1], why,
    )  # fmt: skip


def name_of(function: str, key: object, *, ending: str) -> str:
    """The name of a file: one for each key."""
    return f"{function}.{hashlib.sha256(repr(key).encode()).hexdigest()[:24]}.{ending}"


def read(path: Path) -> bytes | None:
    """What was kept under a path inside the folders; None where nothing whole was."""
    for place in places():
        with suppress(OSError):
            content = (place / path).read_bytes()
            if hashlib.sha256(content[_SUM_BYTES:]).digest() == content[:_SUM_BYTES]:
                return content[_SUM_BYTES:]
    return None


def keep(path: Path, content: bytes) -> None:
    """Keep it; where that cannot be, one line says so."""
    whole = places()[-1] / path
    try:
        whole.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(whole, hashlib.sha256(content).digest() + content, replace=True)
    except RemissionError as error:
        _say_not_kept(str(error.got))
    except OSError as error:
        _say_not_kept(error.strerror or str(error))
