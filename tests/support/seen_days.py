"""Hand-made days of a few people, as endpoints read them."""

from typing import Any

import numpy as np

from remission.endpoints.data import EndpointData
from remission.records.endpoint import Endpoint

__all__ = ["endpoint", "seen_days"]


def seen_days(*lines: str, **changes: Any) -> EndpointData:
    """People from text, a sign a day: ``.`` clean, ``x`` use, ``X`` heavy use, ``?`` not seen."""
    signs = np.array([list(line) for line in lines])
    n, n_days = signs.shape
    used = (signs == "x") | (signs == "X")
    fields: dict[str, Any] = {
        "used": used,
        "seen": signs != "?",
        "amount": np.select([signs == "X", signs == "x", signs == "."], [10.0, 2.0, 0.0], np.nan),
        "end_day": np.full(n, n_days),
        "test_day": np.zeros(0, dtype=np.int64),
        "test_due": np.zeros((n, 0), dtype=bool),
        "test_kept": np.zeros((n, 0), dtype=bool),
        "test_positive": np.zeros((n, 0), dtype=bool),
        "craving_day": np.zeros(0, dtype=np.int64),
        "craving_vas": np.zeros((n, 0)),
        "days_in_study": np.full(n, n_days),
        "heavy_amount": 5.0,
    }
    tests = changes.pop("tests", None)
    if tests is not None:  # a text a person: a sign a day, + - o or blank
        marks = np.array([list(line) for line in tests])
        changes |= {
            "test_day": np.arange(marks.shape[1]),
            "test_due": marks != " ",
            "test_kept": (marks == "+") | (marks == "-"),
            "test_positive": marks == "+",
        }
    return EndpointData(**{**fields, **changes})


def endpoint(kind: str, first: int, last: int, missing: str = "observed", **fields: Any) -> Endpoint:
    """An endpoint of a kind."""
    window = {"first": first, "last": last}
    return Endpoint.create(id="e", label="e", kind=kind, window=window, missing=missing, **fields)
