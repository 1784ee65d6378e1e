"""The page of endpoints is the catalogue's."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_the_page_of_endpoints_is_current() -> None:
    """A definition changed in the catalogue and not on the page would mislead whoever plans by the page."""
    spec = importlib.util.spec_from_file_location("endpoint_page", ROOT / "validation" / "endpoint_page.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    expected = module.page()
    actual = (ROOT / "docs" / "reference" / "endpoints.md").read_text(encoding="utf-8")
    assert actual == expected, "run: make pages"
