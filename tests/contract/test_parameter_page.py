"""The page of numbers is the library's."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_numbers_is_current() -> None:
    """A number changed in the library and not on the page would mislead every reader of the docs."""
    spec = importlib.util.spec_from_file_location("parameter_page", ROOT / "validation" / "parameter_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    expected = module.page()
    actual = (ROOT / "docs" / "reference" / "parameters.md").read_text(encoding="utf-8")
    assert actual == expected, "run: make pages"
