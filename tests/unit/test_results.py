"""What a result says of itself, value by value: short at the prompt, plain when it leaves."""

from enum import Enum
from pathlib import Path

import numpy as np

from remission.records.result import few_lines, plain


class Side(Enum):
    """A name of one of two."""

    LEFT = "left"


def test_each_kind_of_value_has_a_short_text() -> None:
    """An array of a million numbers, a path or a table of names is one line, and what is missing in it is counted."""
    values = {
        "array": np.array([1.0, np.nan, 3.0]), "marks": np.array([True, False]), "words": np.array(["a", "b"]),
        "side": Side.LEFT, "path": Path("a") / "b", "table": {"x": 1, "y": 2}, "none": (), "share": 0.123456789,
    }  # fmt: skip
    text = few_lines("Thing", list(values.items()))
    for part in ("3 numbers, 1 to 3, 1 without a value", "2 marks, 1 set", "2 values", "left", "2: x, y", "0.123457"):
        assert part in text
    assert "none" in text
    assert str(Path("a") / "b") in text


def test_what_leaves_is_plain() -> None:
    """JSON knows neither a number that is none, nor a path."""
    found = plain({"a": np.array([1.0, np.nan]), "b": Side.LEFT, "c": {Path("x")}, "d": float("inf"), "e": (1, "y")})
    assert found == {"a": [1.0, None], "b": "left", "c": ["x"], "d": None, "e": [1, "y"]}
