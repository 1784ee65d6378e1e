"""Words of weekly test results: one sign a week from a calendar of tests, and what a rule makes of the signs.

Signs: ``+`` positive, ``-`` negative, ``*`` both in one week, ``o`` a test was due and none came, ``_`` none was due.
A word is a row of codes; people whose follow-up is shorter have ``NOTHING`` after their last week.
"""

from typing import Final

import numpy as np

from remission.endpoints.data import EndpointData
from remission.errors import SpecError
from remission.shapes import Bool, Int

NEGATIVE, POSITIVE, MIXED, MISSING, NOT_DUE, NOTHING = 0, 1, 2, 3, 4, -1
SIGNS: Final = "-+*o_"
_DAYS_IN_WEEK = 7

Words = Int[np.ndarray, "subject _"]
"""One row a person; the number of weeks is not the same before and after weeks are cut or left out."""


def weekly_words(data: EndpointData, *, first: int, last: int) -> Words:
    """One code a week: blocks of seven days from day ``first``, to day ``last`` or the person's planned end."""
    n_weeks = -(-(last - first + 1) // _DAYS_IN_WEEK)
    words = np.full((len(data), n_weeks), NOTHING, dtype=np.int8)
    for week in range(n_weeks):
        start = first + _DAYS_IN_WEEK * week
        tests = np.flatnonzero((data.test_day >= start) & (data.test_day < min(start + _DAYS_IN_WEEK, last + 1)))
        planned = data.test_day[tests] < data.end_day[:, None]
        kept = data.test_kept[:, tests] & planned
        has_positive = (kept & data.test_positive[:, tests]).any(axis=1)
        has_negative = (kept & ~data.test_positive[:, tests]).any(axis=1)
        was_due = (data.test_due[:, tests] & planned).any(axis=1)
        sign = np.where(was_due, MISSING, NOT_DUE)
        sign = np.where(has_negative, NEGATIVE, sign)
        sign = np.where(has_positive, np.where(has_negative, MIXED, POSITIVE), sign)
        words[:, week] = np.where(start < data.end_day, sign, NOTHING)
    return words


def spell_words(words: Words) -> tuple[str, ...]:
    """The words as text, one sign a week."""
    signs = np.array([*SIGNS, ""])  # NOTHING is -1, the last
    return tuple("".join(signs[row]) for row in words)


def parse_words(texts: "tuple[str, ...] | list[str]") -> Words:
    """Words from text.

    Raises SpecError: a sign is none of the five.
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
