"""Every Python block of the documents runs as a test, in an empty folder; the blocks of a page share their names."""

import os
import tempfile
from pathlib import Path
from typing import Any

from sybil import Sybil
from sybil.parsers.myst import PythonCodeBlockParser, SkipParser

_HOME = "_folder_before"


def _enter_empty_folder(namespace: dict[str, Any]) -> None:
    namespace[_HOME] = Path.cwd()
    os.chdir(tempfile.mkdtemp(prefix="remission-docs-"))


def _leave(namespace: dict[str, Any]) -> None:
    os.chdir(namespace[_HOME])


pytest_collect_file = Sybil(
    parsers=[PythonCodeBlockParser(), SkipParser()],
    pattern="**/*.md",
    excludes=["_build/**"],
    setup=_enter_empty_folder,
    teardown=_leave,
).pytest()
