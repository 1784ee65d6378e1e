"""The page that explains the chain names every folder of the package."""

import importlib
import inspect
import re

from source_tree import PACKAGE, ROOT


def test_every_folder_is_named_on_the_page_of_the_chain() -> None:
    """The folder tree is the table of contents of the model: a folder nobody explains is a hole in it."""
    page = (ROOT / "docs" / "explanation" / "chain.md").read_text("utf-8")
    entries = {entry.stem for entry in PACKAGE.iterdir() if not entry.name.startswith(("_", "py.typed"))}
    assert [name for name in sorted(entries) if f"`{name}`" not in page] == []


def test_every_name_of_the_walks_exists() -> None:
    """A walk past a door that was moved leads a reader into a wall."""
    page = (ROOT / "docs" / "explanation" / "chain.md").read_text("utf-8")
    named = re.findall(r"`((?:[a-z_0-9]+\.)+[A-Za-z_]+)`", page)
    assert len(named) > 35
    for name in dict.fromkeys(named):
        module, _, member = name.rpartition(".")
        assert hasattr(importlib.import_module(f"remission.{module}"), member), name


def test_each_step_gives_what_the_page_says() -> None:
    """A row names a function and its type: the hint in the code must be that type."""
    page = (ROOT / "docs" / "explanation" / "chain.md").read_text("utf-8")
    rows = re.findall(r"^\| [^|]+ \| `([a-z_0-9.]+)` \| `([A-Za-z_0-9.]+)` \|", page, re.MULTILINE)
    assert len(rows) > 12
    for function, kind in rows:
        module, _, name = function.rpartition(".")
        told = str(inspect.signature(getattr(importlib.import_module(f"remission.{module}"), name)).return_annotation)
        # Rows of a file become diaries inside what was imported.
        assert kind.rpartition(".")[2] in told or name == "diaries_of_rows", (function, told)
