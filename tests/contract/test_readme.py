"""The first page that anyone reads."""

import re
from pathlib import Path

import pytest
from page_examples import PythonFences
from source_tree import ROOT
from sybil import Sybil

EXAMPLES = list(Sybil(parsers=[PythonFences()]).parse(ROOT / "README.md").examples())


def test_there_is_an_example() -> None:
    """A page without an example would pass the test below."""
    assert EXAMPLES


def test_the_examples_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first thing a newcomer does is to copy this block."""
    monkeypatch.chdir(tmp_path)
    for example in EXAMPLES:
        example.evaluate()


def test_pages_it_points_to_exist() -> None:
    """A dead link on the first page is the first impression."""
    targets = re.findall(r"\]\(([^)#]+?)(?:#[^)]*)?\)", (ROOT / "README.md").read_text("utf-8"))
    local = [target for target in targets if "://" not in target and not target.startswith("mailto:")]
    assert [target for target in local if not (ROOT / target).exists()] == []
