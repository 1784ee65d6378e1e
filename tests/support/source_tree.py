"""The files and public names of the project, for tests that hold the house to its rules."""

import importlib
import inspect
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["PACKAGE", "ROOT", "module_names", "public_names", "tracked_files"]

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "remission"


@cache
def tracked_files() -> tuple[Path, ...]:
    """The files git knows, new ones included; in an unpacked archive all but hidden ones."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, capture_output=True, check=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        names = [path for path in ROOT.rglob("*") if not any(part.startswith(".") for part in path.parts)]
    else:
        names = [ROOT / name for name in listed.split("\0") if name]
    return tuple(path for path in sorted(names) if path.is_file())


@cache
def module_names() -> tuple[str, ...]:
    """Dotted names of all modules of the package."""
    names = []
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return tuple(names)


def public_names(module_name: str) -> Iterator[tuple[str, Any]]:
    """Functions and classes that a module defines itself and names without an underscore, or lists in ``__all__``."""
    module: ModuleType = importlib.import_module(module_name)
    for name in getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")]):
        item = getattr(module, name)
        own = getattr(item, "__module__", None) == module_name
        if own and (inspect.isclass(item) or inspect.isroutine(item)):
            yield name, item
