"""Laws of the form of a design: boxes and file are one."""

import numpy as np
import pytest
from law_cases import law

from remission.library.protocols import protocol_template
from remission.records.yaml_tree import read_tree
from remission.web.bench.edit import change_text, values_of

TEXT = protocol_template()
KNOWN = values_of(read_tree(TEXT, name="x"))
ODD = (
    "", "0", "-1", "1e9", "x", "a: b", "# no comment", "'", '"', "[1, 2", "{", "*a", "&a", "!t", "null", "true", "no",
    "\u00e9\u4e2d", "0.50", "12 mg", "- x", "|", ">-", "@", "`", "%", "?", ":", "1:30", "0x1F", "\u2028", "a" * 300,
)  # fmt: skip


@law(seed=23)
def test_what_is_typed_stands_in_the_file_and_nothing_else_moves(rng: np.random.Generator) -> None:
    """A box that changes another field, or the meaning of what was typed, would design another trial."""
    path = str(rng.choice([one for one in KNOWN if not one.endswith("]") and f"{one}[0]" not in KNOWN]))
    typed = str(rng.choice(ODD)) if rng.random() < 0.8 else str(rng.integers(10_000))
    try:
        found = values_of(read_tree(change_text(TEXT, {path: typed}), name="x"))
    except ValueError:
        # Signs that no file may hold are refused, and nothing is written.
        assert typed == "\u2028"
        return
    told = found.pop(path, "")
    # A box with nothing but blanks is an empty box.
    typed = typed if typed.strip() else ""
    plain = {"0.50": "0.5"}.get(typed, typed)
    assert told in {plain, typed} or (path in KNOWN and typed == "" and told == "")
    assert found == {one: text for one, text in KNOWN.items() if one != path}


@pytest.mark.parametrize(
    "path", ["drugs.ketamine.infusions[9].dose", "arms[0]", "nothing.at.all[3]", "[", "", "a" * 500, "drugs.*"]
)
def test_a_path_that_is_not_there_breaks_nothing(path: str) -> None:
    """A form of an older page names what somebody took out meanwhile."""
    found = values_of(read_tree(change_text(TEXT, {path: "1"}), name="x"))
    assert KNOWN.items() <= found.items()
