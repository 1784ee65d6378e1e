"""What stands for a missed test in a word: use, abstinence, the last result, the usual one, the neighbors, nothing."""

import numpy as np

from remission.endpoints.words import MISSING, MIXED, NEGATIVE, NOT_DUE, NOTHING, POSITIVE, Words
from remission.records.endpoint_kinds import MissingRule
from remission.records.weekly import WeeklyRule
from remission.shapes import Bool, Int

_Signs = Bool[np.ndarray, "subject _"]


def scheduled_words(words: Words, rule: WeeklyRule) -> Words:
    """The words as seen on the weeks of a schedule only; a word that ends before it has missed tests from there on."""
    if not rule.schedule:
        return words
    length = rule.to_week or rule.schedule[-1]
    seen = np.full((words.shape[0], length), MISSING, dtype=words.dtype)
    shared = min(length, words.shape[1])
    seen[:, :shared] = np.where(words[:, :shared] == NOTHING, MISSING, words[:, :shared])
    skipped = ~np.isin(np.arange(1, length + 1), rule.schedule)
    seen[:, skipped] = NOT_DUE
    return seen


def repaired_words(words: Words, missing: MissingRule, rule: WeeklyRule) -> Words:
    """The words after the rule for missed tests and mixed weeks, without the signs that are left out.

    Weeks on which no test was due are left out, unless a schedule carries the last result over them.
    """
    word = words.copy()
    lacks = word == MISSING
    if missing == "use":
        word[lacks] = POSITIVE
    elif missing == "abstinent":
        word[lacks] = NEGATIVE
    elif missing == "carried":
        word = _carry(word, over=lacks)
        word[word == MISSING] = NOT_DUE
    elif missing == "usual":
        word = np.where(lacks, _usual(word)[:, None], word)
    elif missing == "neighbors":
        word = _between_neighbors(word)
    elif missing == "observed":
        word[lacks] = NOT_DUE
    if rule.mixed == "use":
        word[word == MIXED] = POSITIVE
    if rule.schedule and rule.between == "carried":
        word = _carry(word, over=words == NOT_DUE)
    return _without(word, word == NOT_DUE)


def _carry(word: Words, *, over: _Signs) -> Words:
    place = np.maximum.accumulate(np.where(over, -1, np.arange(word.shape[1])), axis=1)
    return np.where(place >= 0, np.take_along_axis(word, np.maximum(place, 0), axis=1), word)


def _usual(word: Words) -> Int[np.ndarray, " subject"]:
    """The more frequent of use and abstinence, mixed weeks being use; use on a tie; nothing where nothing is known."""
    use = ((word == POSITIVE) | (word == MIXED)).sum(axis=1)
    clean = (word == NEGATIVE).sum(axis=1)
    return np.where(use + clean == 0, MISSING, np.where(clean > use, NEGATIVE, POSITIVE)).astype(word.dtype)


def _between_neighbors(word: Words) -> Words:
    """A missed week between two known ones takes their mean, rounded to use, mixed or none; up where it is between."""
    use = np.array([0.0, 1.0, 0.5, np.nan, np.nan, np.nan])[word]  # NOTHING is -1, the last
    mean = np.full(use.shape, np.nan)
    mean[:, 1:-1] = (use[:, :-2] + use[:, 2:]) / 2.0
    sign = np.where(mean >= 0.75, POSITIVE, np.where(mean >= 0.25, MIXED, NEGATIVE))
    return np.where((word == MISSING) & np.isfinite(mean), sign, word).astype(word.dtype)


def _without(word: Words, left_out: _Signs) -> Words:
    """Words without some signs, the rest moved together."""
    if not left_out.any():
        return word
    gone = left_out | (word == NOTHING)
    order = np.argsort(gone, axis=1, kind="stable")
    return np.where(np.take_along_axis(gone, order, axis=1), NOTHING, np.take_along_axis(word, order, axis=1))
