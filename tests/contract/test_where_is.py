"""The twelve answers to "where is ...": each file exists and holds the name that the table gives."""

import re

import pytest
from source_tree import ROOT

PAGE = ROOT / "docs" / "validation" / "where-is.md"
ROWS = re.findall(r"^\| (\d+) \| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(("number", "place"), ROWS, ids=[row[0] for row in ROWS])
def test_the_thing_is_still_there(number: str, place: str) -> None:
    """A map of a house that was rebuilt sends people to the wrong room."""
    words = re.findall(r"`([^`]+)`", place)
    files = [word for word in words if "." in word]
    folder = ROOT / "src" / "remission"
    first = folder / files[0]
    for name in files:
        assert (folder / name).is_file() or (first.parent / name).is_file(), name
    text = first.read_text(encoding="utf-8")
    for name in words:
        assert name in files or re.search(rf"\b{name}\b", text), name


def test_there_are_twelve() -> None:
    """A row that the pattern misses would be held by nobody."""
    assert [row[0] for row in ROWS] == [str(number) for number in range(1, 13)]
