"""The one way to write a file, and the one way to read JSON back.

Whatever is written is written beside its place under a hidden name, put on the disk (``fsync``), and gets its name in
one step: a full disk, Ctrl-C or a kill leaves no part of a file under a final name. A failure removes the hidden one; a
kill leaves it, and :func:`sweep` takes it away later. Its name tells the machine and the process that write it, and the
process holds a lock on it, so that nobody takes what somebody else is writing on a shared disk.

A folder is staged in the same way: inside a staged folder files are written plainly, for the folder gets its name last.
"""

import errno
import io
import json
import os
import platform
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final
from urllib.parse import quote

from remission.errors import NameTakenError, RunError, SpecError, WorkError

try:
    import fcntl
except ImportError:  # not on every system; without locks nothing of others is swept
    fcntl = None  # type: ignore[assignment]  # a module elsewhere

MAX_JSON_BYTES: Final = 64_000_000
"""Largest JSON file that is read. [byte]"""
_DEEPEST_JSON: Final = 500
"""So many lists and objects may stand in each other."""

_STAGED: Final = re.compile(r"\.staging-(?P<host>.+)-(?P<process>[0-9]+)-(?P<mark>[A-Za-z0-9_]+)")
_WRONG_PLACE: Final = frozenset(
    getattr(errno, name)
    for name in (
        "ENOENT", "ENOTDIR", "EACCES", "EPERM", "EROFS", "ENAMETOOLONG", "EINVAL", "ELOOP", "EISDIR", "EEXIST", "ENXIO",
        "ENODEV", "EILSEQ", "EBUSY", "EXDEV",
    )
    if hasattr(errno, name)
)  # fmt: skip
_ATTEMPTS: Final = 100


# ---------------------------------------------------------------------------------------------------------------- files


def write_text(path: Path, text: str, *, replace: bool = False, where: str | None = None) -> None:
    """Write a text as UTF-8, line ends as they are, whole or not at all.

    A file of that name is refused, or with ``replace`` replaced, with its mode. ``where`` is the place in messages.

    Raises
    ------
    NameTakenError
        A file of that name is there.
    RunError
        Nothing can be written there: no such folder, no permission, a name that the disk refuses.
    WorkError
        The disk refused half-way; nothing stands under the name.
    """
    write_bytes(path, text.encode("utf-8"), replace=replace, where=where)


def write_bytes(path: Path, content: bytes, *, replace: bool = False, where: str | None = None) -> None:
    """Write bytes, whole or not at all; as :func:`write_text`."""
    with new_bytes(path, replace=replace, where=where) as stream:
        stream.write(content)


def copy_file(source: Path, path: Path) -> None:
    """Copy a file's bytes, as :func:`write_text`; a source that cannot be read is a SpecError."""
    try:
        content = source.read_bytes()
    except OSError as error:
        raise SpecError(
            where=str(source), got=error.strerror or str(error), allowed="a file that can be read"
        ) from None
    write_bytes(path, content)


@contextmanager
def new_text(path: Path, *, replace: bool = False, where: str | None = None) -> Iterator[IO[str]]:
    """A text stream, as :func:`new_bytes`: UTF-8, line ends as written."""
    with new_bytes(path, replace=replace, where=where) as binary:
        text = io.TextIOWrapper(binary, encoding="utf-8", newline="")
        try:
            yield text
            text.flush()
        finally:
            with suppress(ValueError, OSError):
                text.detach()


@contextmanager
def new_bytes(path: Path, *, replace: bool = False, where: str | None = None) -> Iterator[IO[bytes]]:
    """A binary stream whose content gets its name when the block ends well; as :func:`write_text` otherwise."""
    name = str(path) if where is None else where
    if _is_inside_staged(path):
        with _spoken(name, is_begun=True), path.open("xb" if not replace else "wb") as plain:
            yield plain
        return
    with _spoken(name, is_begun=False):
        target = _target(path, name, replace=replace)
        draft, stream = _draft(target)
    try:
        with _spoken(name, is_begun=True):
            yield stream
            stream.flush()
            if replace and target.exists():
                with suppress(OSError):
                    draft.chmod(target.stat().st_mode & 0o7777)
            os.fsync(stream.fileno())
        with _spoken(name, is_begun=False):
            stream.close()
            _name(draft, target, name, replace=replace)
            sync(target.parent)
    finally:
        with suppress(OSError):
            stream.close()
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _target(path: Path, name: str, *, replace: bool) -> Path:
    """Where the bytes go: behind a link when a file is replaced, else the name itself, which must be free."""
    if replace:
        target = Path(os.path.realpath(path)) if path.is_symlink() else path
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if target.exists() and not target.is_file():
            raise OSError(errno.EINVAL, "a device or a pipe")
        return target
    check_free(path, name)
    return path


def check_free(path: Path, where: str) -> None:
    """Refuse a name at which something is (NameTakenError) or that no disk takes (RunError), before any work."""
    with _spoken(where, is_begun=False):
        if os.path.lexists(path):
            raise NameTakenError(
                where=where, got=f"{path}, which exists", allowed="a file that does not exist yet",
                remedy="Choose a name that is free; nothing was overwritten.",
            )  # fmt: skip
        path.parent.stat()


def check_ending(path: Path, where: str, endings: tuple[str, ...]) -> None:
    """Refuse a name whose ending says another form than the one that is written."""
    if path.suffix not in endings:
        raise SpecError(where=where, got=path.name or str(path), allowed=f"a name that ends in {' or '.join(endings)}")


def _draft(target: Path) -> tuple[Path, IO[bytes]]:
    """A new hidden file beside ``target``, locked, with the mode that new files have."""
    for _ in range(_ATTEMPTS):
        draft = target.parent / _hidden_name()
        try:
            handle = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
        except FileExistsError:
            continue
        _lock(handle)
        return draft, os.fdopen(handle, "w+b")
    raise FileExistsError(errno.EEXIST, "no free hidden name")


def _name(draft: Path, target: Path, name: str, *, replace: bool) -> None:
    if replace:
        draft.replace(target)
        return
    try:
        # A link refuses a name that is taken, in one step; a rename would replace what came there meanwhile.
        os.link(draft, target)
    except FileExistsError:
        check_free(target, name)
        raise
    except OSError:
        check_free(target, name)
        draft.rename(target)


# -------------------------------------------------------------------------------------------------------------- folders


@contextmanager
def staged_folder(parent: Path) -> Iterator[Path]:
    """A hidden folder to fill; what is still there at the end is removed. :func:`move` gives it its name."""
    folder = parent / _hidden_name()
    folder.mkdir(mode=0o755)
    handle = _open_folder(folder)
    try:
        yield folder
    finally:
        if handle is not None:
            os.close(handle)
        remove_folder(folder)


def move(staged: Path, target: Path) -> None:
    """Put a staged folder with all its files on the disk and give it its name; OSError when that is taken."""
    for path in staged.rglob("*"):
        sync(path)
    sync(staged)
    staged.rename(target)
    sync(target.parent)


def replace_folder(staged: Path, target: Path) -> None:
    """Give a staged folder the name of one that is there; the older one goes last, and comes back where that fails."""
    with staged_folder(target.parent) as older:
        target.rename(older / target.name)
        try:
            move(staged, target)
        except OSError:
            (older / target.name).rename(target)
            raise


def move_into(staged: Path, target: Path, *, last: str) -> None:
    """Put the content of a staged folder on the disk and into an empty folder that must stay; ``last`` comes last."""
    for path in staged.rglob("*"):
        sync(path)
    for item in sorted(staged.iterdir(), key=lambda path: path.name == last):
        item.rename(target / item.name)
    sync(target)


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """A folder outside all results, removed at the end; for what is read once and thrown away."""
    import tempfile

    with _spoken("folder for temporary files", is_begun=True):
        place = Path(tempfile.mkdtemp(prefix="remission-"))
    try:
        yield place
    finally:
        remove_folder(place)


def make_folder(folder: Path) -> None:
    """Make a folder and those above it; one that is there is left alone."""
    with _spoken(str(folder), is_begun=False):
        folder.mkdir(parents=True, exist_ok=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder with all that is in it; one that is gone or refuses is left."""
    shutil.rmtree(folder, ignore_errors=True)


def check_folder(folder: Path, *, where: str | None = None) -> None:
    """Make a folder when missing, and refuse one that cannot be written to, before any work is done."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / _hidden_name()
        os.close(os.open(probe, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        probe.unlink()
    except (OSError, ValueError) as error:
        raise RunError(
            where=str(folder) if where is None else where,
            got=getattr(error, "strerror", None) or str(error),
            allowed="a folder that can be written to",
            remedy="Choose another with --out.",
        ) from None


def sweep(folder: Path) -> None:
    """Remove what killed processes of this machine left in a folder; all else is left alone.

    A hidden file or folder goes only when its name bears this machine's whole name, no process of that number lives,
    and nobody holds the lock on it.
    """
    host = _host()
    if fcntl is None or os.name != "posix" or not host:
        return
    with suppress(OSError):
        for path in list(folder.iterdir()):
            found = _STAGED.fullmatch(path.name)
            if found is None or found["host"] != host or _lives(int(found["process"])) or path.is_symlink():
                continue
            with suppress(OSError):
                handle = os.open(path, os.O_RDONLY)
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    if path.is_dir():
                        shutil.rmtree(path, ignore_errors=True)
                    else:
                        path.unlink(missing_ok=True)
                finally:
                    os.close(handle)


def sync(path: Path) -> None:
    """Ask the disk to keep what was written; file systems that cannot are left alone."""
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _host() -> str:
    return quote(platform.node()[:80], safe="")


def _hidden_name() -> str:
    return f".staging-{_host() or 'unknown'}-{os.getpid()}-{secrets.token_hex(4)}"


def _is_inside_staged(path: Path) -> bool:
    return any(_STAGED.fullmatch(part) for part in path.parts[:-1])


def _open_folder(folder: Path) -> int | None:
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return None
    _lock(handle)
    return handle


def _lock(handle: int) -> None:
    if fcntl is not None:
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


@contextmanager
def _spoken(where: str, *, is_begun: bool) -> Iterator[None]:
    """Turn errors of the disk into ours: a wrong place is wrong input, anything later is failed work."""
    try:
        yield
    except OSError as error:
        words = error.strerror or str(error)
        if error.errno in _WRONG_PLACE and not is_begun:
            raise RunError(
                where=where, got=words, allowed="a new file in a folder that exists and can be written to",
                remedy="Check the folder and the name.",
            ) from None  # fmt: skip
        raise WorkError(
            where=where, got=words, allowed="a disk with room that can be written to",
            remedy="Free space and start again; nothing stands under the name.",
        ) from None  # fmt: skip
    except ValueError as error:
        if is_begun or isinstance(error, SpecError):
            raise
        raise RunError(where=where, got=str(error), allowed="a name that a disk takes", remedy="Check it.") from None


# -------------------------------------------------------------------------------------------------------------- reading


def spreadsheet_safe(text: str) -> str:
    """The text, with an apostrophe before a sign that a spreadsheet would take for the start of a formula.

    Examples
    --------
    >>> spreadsheet_safe("=1+1"), spreadsheet_safe("Example")
    ("'=1+1", 'Example')
    """
    return f"'{text}" if text[:1] in {"=", "+", "-", "@", "\t", "\r"} else text


def refuse_pipes(path: Path, *, allowed: str, where: str | None = None) -> None:
    """Refuse what is there and is no file: a pipe would never end, or give its beginning once only.

    ``allowed`` says what the file should be. A path at which nothing is passes: the reader names it.
    """
    if path.exists() and not path.is_file():
        raise SpecError(
            where=str(path) if where is None else where,
            got="a folder" if path.is_dir() else "a device or a pipe",
            allowed=allowed,
            remedy="Name the file in it." if path.is_dir() else "Write it to a file, and name that.",
        )


def read_small_text(path: Path, *, allowed: str, largest_bytes: int) -> str:
    """The text of a small file in UTF-8, with or without a byte order mark; a larger one is refused whole, never cut.

    ``allowed`` says in messages what the file should be.

    Raises
    ------
    SpecError
        No such file, no regular file, too large, or not UTF-8.
    """

    def refuse(got: str, remedy: str) -> SpecError:
        return SpecError(where=str(path), got=got, allowed=allowed, remedy=remedy)

    try:
        refuse_pipes(path, allowed=allowed)
        with path.open("rb") as stream:
            content = stream.read(largest_bytes + 1)
    except OSError as error:
        raise refuse(error.strerror or "unreadable", "Check the path.") from None
    if len(content) > largest_bytes:
        raise refuse(f"more than {largest_bytes:,} bytes", "Split it, or leave out what is not needed.")
    try:
        return content.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise refuse(
            f"a byte that is not UTF-8 in line {line}", "Save it as UTF-8; a spreadsheet: as CSV (UTF-8)."
        ) from None


# ----------------------------------------------------------------------------------------------------------------- JSON


def read_json(path: Path, *, allowed: str, remedy: str = "") -> dict[str, Any]:
    """The object in a JSON file of at most ``MAX_JSON_BYTES``; ``allowed`` and ``remedy`` are for messages.

    Raises
    ------
    RunError
        There is no such file, or it holds no JSON object: too large, too deep, cut short, a key twice.
    """

    def refuse(got: str) -> RunError:
        return RunError(where=str(path), got=got, allowed=allowed, remedy=remedy)

    try:
        if not path.is_file():
            raise refuse("no file" if not path.exists() else "no regular file")
        size = path.stat().st_size
        if size > MAX_JSON_BYTES:
            raise refuse(f"{size / 1e6:.0f} MB")
        content = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_object, parse_constant=_constant)
    except RecursionError:
        raise refuse("lists or objects too deep to read") from None
    except (OSError, ValueError) as error:
        raise refuse(getattr(error, "strerror", None) or f"no readable JSON ({error})") from None
    if not isinstance(content, dict):
        raise refuse("no JSON object")
    if _is_too_deep(content):
        raise refuse("lists or objects too deep to read")
    return content


def _is_too_deep(content: Any) -> bool:
    """Whether lists and objects stand in each other more than ``_DEEPEST_JSON`` times.

    How deep Python itself reads differs between its versions; what reads the content afterwards would stop there.
    """
    level, depth = [content], 0
    while level and depth <= _DEEPEST_JSON:
        level = [
            child
            for parent in level
            if isinstance(parent, dict | list)
            for child in (parent.values() if isinstance(parent, dict) else parent)
        ]
        depth += 1
    return depth > _DEEPEST_JSON


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} twice")
    return content


def _constant(word: str) -> Any:
    raise ValueError(f"the number {word}")
