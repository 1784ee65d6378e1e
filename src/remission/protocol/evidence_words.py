"""The words of the published trials, so that a protocol that names one is checked when it is read.

The records themselves, with their values and citations, are ``remission.library.published``; here only ids, and the
words by which an outcome is found, are read from its file of data.
"""

import json
from functools import cache
from importlib.resources import files
from types import MappingProxyType

__all__ = ["Words", "outcome_words"]

Words = tuple[str, str, str]
"""Arm or contrast, endpoint, statistic."""


@cache
def outcome_words() -> MappingProxyType[str, tuple[Words, ...]]:
    """The words of every outcome that has a value, by the id of its trial; a trial without one is there too."""
    content = json.loads(files("remission.library").joinpath("evidence.json").read_bytes())
    return MappingProxyType(
        {
            record["id"]: tuple(
                (str(item["arm_or_contrast"]), str(item["endpoint"]), str(item["statistic"]))
                for item in record["outcomes"]
                if item["value"] is not None
            )
            for record in content
        }
    )
