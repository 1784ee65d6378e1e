"""Decision records: numbered without gaps, each with its four parts."""

import re

import pytest
from source_tree import ROOT

RECORDS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))


def test_numbers_have_no_gap_and_no_double() -> None:
    """A decision is cited by its number."""
    assert [int(path.name[:4]) for path in RECORDS] == list(range(1, len(RECORDS) + 1))


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: str(path.stem))
def test_each_record_says_why_what_and_at_what_price(path: object) -> None:
    """A decision without its price is advertising; without context nobody can tell when it stops being right."""
    from pathlib import Path

    text = Path(str(path)).read_text("utf-8")
    assert re.search(rf"^# {Path(str(path)).name[:4]}\. \S", text)
    assert re.search(r"^Status: (proposed|accepted|superseded by \d{4})\.$", text, re.MULTILINE)
    for heading in ("## Context", "## Decision", "## Consequences"):
        assert f"\n{heading}\n" in text, heading
    good, bad = text.find("\nGood:\n"), text.find("\nBad:\n")
    assert 0 < good < bad
