"""Words of weekly test results: one sign a week from a calendar of tests, and what a rule makes of the signs.

Signs: ``+`` positive, ``-`` negative, ``*`` both in one week, ``o`` a test was due and none came, ``_`` none was due.
A word is a row of codes; people whose follow-up is shorter have ``NOTHING`` after their last week.
"""

from typing import Final

import numpy as np
from jaxtyping import Bool, Int

from remission.endpoints.data import EndpointData
from remission.errors import SpecError

__all__ = [
    "MISSING", "MIXED", "NEGATIVE", "NOTHING", "NOT_DUE", "POSITIVE", "SIGNS", "Words", "last_result", "parse_words",
    "spell_words", "weekly_words",
]  # fmt: skip

NEGATIVE, POSITIVE, MIXED, MISSING, NOT_DUE, NOTHING = 0, 1, 2, 3, 4, -1
SIGNS: Final = "-+*o_"
_DAYS_IN_WEEK = 7

Words = Int[np.ndarray, "subject _"]
"""One row a person; the number of weeks is not the same before and after weeks are cut or left out."""


def weekly_words(data: EndpointData, *, first: int, last: int) -> Words:
    """One code a week: blocks of seven days from day ``first``, to day ``last`` or the person's planned end."""
    n_weeks = -(-(last - first + 1) // _DAYS_IN_WEEK)
    inside = (data.test_day >= first) & (data.test_day <= last)
    day = data.test_day[inside]
    planned = day < data.end_day[:, None]
    kept = data.test_kept[:, inside] & planned
    positive = data.test_positive[:, inside] & kept
    due = data.test_due[:, inside] & planned
    of_week = np.eye(n_weeks, dtype=np.int64)[(day - first) // _DAYS_IN_WEEK]
    has_positive = positive @ of_week > 0
    has_negative = (kept & ~positive) @ of_week > 0
    word = np.where(due @ of_week > 0, MISSING, NOT_DUE)
    word = np.where(has_negative, NEGATIVE, word)
    word = np.where(has_positive, np.where(has_negative, MIXED, POSITIVE), word)
    starts = first + _DAYS_IN_WEEK * np.arange(n_weeks)
    return np.where(starts < data.end_day[:, None], word, NOTHING).astype(np.int8)


def spell_words(words: Words) -> tuple[str, ...]:
    """The words as text, one sign a week."""
    signs = np.array([*SIGNS, ""])  # NOTHING is -1, the last
    return tuple("".join(signs[row]) for row in words)


def parse_words(texts: "tuple[str, ...] | list[str]") -> Words:
    """Words from text.

    Raises
    ------
    SpecError
        A sign is none of the five.
    """
    length = max((len(text) for text in texts), default=0)
    words = np.full((len(texts), length), NOTHING, dtype=np.int8)
    for row, text in enumerate(texts):
        strange = [sign for sign in text if sign not in SIGNS]
        if strange:
            raise SpecError(where=f"words[{row}]", got=strange[0], allowed=f"the signs {' '.join(SIGNS)}")
        words[row, : len(text)] = [SIGNS.index(sign) for sign in text]
    return words


def last_result(words: Words) -> Int[np.ndarray, " subject"]:
    """The last week with any sign but a missed test, from 1; 0 for a word of missed tests only."""
    shown: Bool[np.ndarray, "subject _"] = (words != MISSING) & (words != NOTHING)
    place = words.shape[1] - shown[:, ::-1].argmax(axis=1)
    return np.where(shown.any(axis=1), place, 0)
