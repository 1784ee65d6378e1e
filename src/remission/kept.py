"""Folders in the user's cache: what takes long and follows from the program alone is kept there, never anything asked.

A folder belongs to one state of the program by its name. One that cannot be written to is read where this user, or who
set up the machine, filled it; what is new then goes into a temporary folder of this user alone.
"""

import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path


def cache_folders(name: str, *, above: str | None = None) -> tuple[Path, ...]:
    """The folders of a name: all are read, the last is written to.

    ``above``: where they lie, None: ``XDG_CACHE_HOME``, or ``.cache`` in the user's home. A last one that is not there
    is made by whoever writes into it.
    """
    try:
        root = above or os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        wished = Path(root) / "remission" / name
        with suppress(OSError):
            wished.mkdir(parents=True, exist_ok=True)
        if os.access(wished, os.W_OK):
            return (wished,)
        return (*([wished] if _is_read(wished) else []), own_temporary() / name)
    except (OSError, RuntimeError):
        return (own_temporary() / name,)  # no home, or a name that no disk takes


def _user() -> int | None:
    return os.getuid() if hasattr(os, "getuid") else None


def _is_read(folder: Path) -> bool:
    """Whether a folder that cannot be written to holds what this user, or who set up the machine, put there."""
    return folder.is_dir() and folder.stat().st_uid in {_user(), 0}


def own_temporary() -> Path:
    """A folder for temporary files that nobody else can write to, since what lies in it is run or shown."""
    user = _user()
    folder = Path(tempfile.gettempdir()) / f"remission-{'cache' if user is None else user}"
    with suppress(OSError):
        folder.mkdir(mode=0o700, exist_ok=True)
        facts = folder.lstat()
        if stat.S_ISDIR(facts.st_mode) and (user is None or (facts.st_uid == user and not facts.st_mode & 0o022)):
            return folder
    return Path(tempfile.mkdtemp(prefix="remission-"))
