"""The page of published trials lists what the library holds."""

import re
from pathlib import Path

from remission.library.protocols import list_published, load_protocol, published_left_out

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "published-trials.md").read_text(encoding="utf-8")


def test_the_page_lists_every_trial_and_every_reason() -> None:
    """A trial that is left out in silence would leave the page more favorable than the field."""
    shown, left_out = PAGE.split("\n## Records with an arm of ketamine")
    rows = re.findall(r"^\| `([\w-]+)` \| `(\w+)` \| (.*) \|$", shown, re.MULTILINE)
    protocols = {name: load_protocol(name) for name in list_published()}
    assert {row[0]: (row[1], row[2]) for row in rows} == {
        name: (one.evidence, one.title) for name, one in protocols.items()
    }
    assert dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", left_out, re.MULTILINE)) == dict(published_left_out())
