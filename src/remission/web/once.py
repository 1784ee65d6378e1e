"""What follows from the program alone and takes seconds, computed once and kept in the user's cache.

A folder belongs to exactly this program: every file of the package and the versions of what computes and draws. A file
that is damaged counts as absent; where nothing can be kept it is computed again after the next start. Nothing that a
reader typed or chose is kept, and nothing of a chain with a link of somebody's own.
"""

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from remission.errors import RemissionError
from remission.files import make_folder, write_bytes
from remission.kept import cache_folders
from remission.provenance import library_versions

_T = TypeVar("_T")


def known_once(
    name: str, asked: tuple[object, ...], compute: Callable[[], dict[str, Any]], use: Callable[[dict[str, Any]], _T]
) -> _T:
    """What was computed, here or before another start, as ``use`` makes it of its JSON.

    ``name``: a word for the file; ``asked``: what the result follows from besides the program, as texts and numbers.
    """
    from remission.patient.kernels.links import active_links

    if active_links():
        return use(json.loads(json.dumps(compute())))
    which = hashlib.sha256(repr(asked).encode()).hexdigest()[:16]
    for folder in _folders():
        with suppress(OSError, ValueError, KeyError, TypeError, RemissionError):
            told, content = (folder / f"{name}-{which}.json").read_bytes().split(b"\n", 1)
            if told.decode() == hashlib.sha256(content).hexdigest():
                return use(json.loads(content))
    found = compute()
    content = json.dumps(found, ensure_ascii=False).encode()
    with suppress(OSError, RemissionError):
        for folder in _folders()[-1:]:
            make_folder(folder)
            whole = hashlib.sha256(content).hexdigest().encode() + b"\n" + content
            write_bytes(folder / f"{name}-{which}.json", whole, replace=True)
    # As it is read later, so that the first reader sees the same.
    return use(json.loads(content))


@cache
def _folders() -> tuple[Path, ...]:
    try:
        return cache_folders(f"pages-{_program()}")
    except OSError:  # a file of the package that this user may not read
        return ()


@cache
def _program() -> str:
    """16 hexadecimal digits that follow from every file of the package, and from who computes and draws."""
    root, digest = Path(__file__).parents[1], hashlib.sha256(repr(library_versions()).encode())
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(one for one in folders if one != "__pycache__")
        for name in sorted(names):
            path = Path(folder, name)
            content = path.read_bytes()
            digest.update(f"{path.relative_to(root).as_posix()}\0{len(content)}\n".encode())
            digest.update(content)
    return digest.hexdigest()[:16]
