"""Every Python block of the documents runs as a test, in an empty folder; the blocks of a page share their names."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from page_examples import PythonFences
from sybil import Sybil

_HOME = "_folder_before"


def _enter_empty_folder(namespace: dict[str, Any]) -> None:
    namespace[_HOME] = Path.cwd()
    os.chdir(tempfile.mkdtemp(prefix="remission-docs-"))


def _leave(namespace: dict[str, Any]) -> None:
    empty = Path.cwd()
    os.chdir(namespace[_HOME])
    shutil.rmtree(empty, ignore_errors=True)


pytest_collect_file = Sybil(
    parsers=[PythonFences()],
    pattern="**/*.md",
    excludes=["_build/**"],
    setup=_enter_empty_folder,
    teardown=_leave,
).pytest()
