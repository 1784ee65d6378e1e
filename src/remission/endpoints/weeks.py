"""Endpoints of weekly words: shares, counts, runs, times, an index and lists of criteria.

The definitions are those that CTNote collected from published trials; its functions (count matches, find a run, find a
span, weigh weeks) are said here once more, for all people at a time.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from remission.endpoints.data import EndpointData, Formula, TimeFormula, no_formula
from remission.endpoints.days import longest_run
from remission.endpoints.repairs import repaired_words, scheduled_words
from remission.endpoints.words import (
    MISSING,
    MIXED,
    NEGATIVE,
    NOT_DUE,
    NOTHING,
    POSITIVE,
    Words,
    last_result,
    weekly_words,
)
from remission.records.endpoint import Endpoint
from remission.records.endpoint_kinds import EndpointKind
from remission.records.weekly import WeekCriterion, WeeklyRule
from remission.shapes import Bool, Float

_Values = Float[np.ndarray, " subject"]
_Events = Bool[np.ndarray, " subject"]
_MOST_INDEX = 120.0
_PENALTY_AT_END = 5.0


def _week_values(endpoint: Endpoint, data: EndpointData) -> _Values:
    """The endpoint of each person's word in the window; NaN for a person without a value."""
    return week_values_of_words(endpoint, _words(endpoint, data))


def _week_times(endpoint: Endpoint, data: EndpointData) -> tuple[_Values, _Events]:
    """Weeks to the event, and whether it came; see :func:`week_times_of_words`. [week]"""
    return week_times_of_words(endpoint, _words(endpoint, data))


def _words(endpoint: Endpoint, data: EndpointData) -> Words:
    return weekly_words(data, first=endpoint.window.first, last=endpoint.window.last)


def week_values_of_words(endpoint: Endpoint, words: Words) -> _Values:
    """The endpoint of each word."""
    rule = endpoint.weekly or WeeklyRule()
    if endpoint.is_time_to_event:
        return week_times_of_words(endpoint, words)[0]
    if endpoint.kind == "weekly_use_index":
        value = _use_index(endpoint, rule, words)
    else:
        value = _of_signs(endpoint, rule, words)
    if rule.least_weeks is not None:
        value = np.where(last_result(words) < rule.least_weeks, _extreme(endpoint, is_best=False), value)
    return value


def week_times_of_words(endpoint: Endpoint, words: Words) -> tuple[_Values, _Events]:
    """Weeks to the first span with enough weeks of use (or of missed tests), and whether there is one. [week]

    The time is the number of the span's first week, plus the weeks of it that need not be use; without an event it is
    that of the last span. A word shorter than the span has no time.
    """
    rule = endpoint.weekly or WeeklyRule()
    use_weeks, within = rule.use_weeks or 1, rule.within_weeks or 1
    if endpoint.kind == "weeks_to_missing":
        signs, wanted = _cut(words, rule), MISSING
    elif endpoint.kind == "weeks_to_positive":
        signs, wanted = _signs(endpoint, rule, words), POSITIVE
    else:
        raise no_formula(endpoint)
    length = (signs != NOTHING).sum(axis=1)
    n_spans = signs.shape[1] - within + 1
    if n_spans < 1:
        return np.full(words.shape[0], np.nan), np.zeros(words.shape[0], dtype=np.bool_)
    total = np.cumsum(np.pad(signs == wanted, ((0, 0), (1, 0))), axis=1)
    met = (total[:, within:] - total[:, :-within]) >= use_weeks
    met &= np.arange(n_spans) <= (length - within)[:, None]
    event = met.any(axis=1)
    span = np.where(event, met.argmax(axis=1) + 1, length - within + 1)
    time = span + (within - use_weeks) + (rule.from_week - 1)
    return np.where(length >= within, time, np.nan).astype(np.float64), event


def _signs(endpoint: Endpoint, rule: WeeklyRule, words: Words) -> Words:
    """The signs that count: seen by the schedule, repaired, cut to the weeks of the rule."""
    word = words
    if rule.extent == "attended":
        word = np.where(np.arange(words.shape[1]) < last_result(words)[:, None], words, NOTHING)
    return _cut(repaired_words(scheduled_words(word, rule), endpoint.missing, rule), rule)


def _cut(words: Words, rule: WeeklyRule) -> Words:
    return words[:, rule.from_week - 1 : rule.to_week]


def _of_signs(endpoint: Endpoint, rule: WeeklyRule, words: Words) -> _Values:
    if endpoint.kind == "weekly_criteria":
        repaired = repaired_words(scheduled_words(words, rule), endpoint.missing, rule)
        held = [_holds(item, repaired) for item in rule.criteria]
        value = np.logical_and.reduce(held) * 1.0
        length = (repaired != NOTHING).sum(axis=1)
    else:
        signs = _signs(endpoint, rule, words)
        length = (signs != NOTHING).sum(axis=1)
        value = _number(endpoint, rule, signs, length)
    unseen = np.nan if rule.if_unseen == "none" else _extreme(endpoint, is_best=rule.if_unseen == "best")
    return np.where(length > 0, value, unseen)


def _extreme(endpoint: Endpoint, *, is_best: bool) -> float:
    """The best or the worst value of a kind; a count has no best one."""
    highest = {"percent": 100.0, "binary": 1.0, "mean": _MOST_INDEX}.get(endpoint.scale, np.nan)
    return highest if is_best == endpoint.higher_is_better else 0.0


def _number(endpoint: Endpoint, rule: WeeklyRule, signs: Words, length: np.ndarray) -> _Values:
    negative = (signs == NEGATIVE).sum(axis=1) + 0.5 * (signs == MIXED).sum(axis=1)
    if endpoint.kind == "percent_negative_weeks":
        with np.errstate(invalid="ignore", divide="ignore"):
            return 100.0 * negative / length
    if endpoint.kind == "negative_weeks":
        return negative
    if endpoint.kind not in {"longest_negative_weeks", "negative_weeks_in_a_row", "positive_weeks_in_a_row"}:
        raise no_formula(endpoint)
    wished = POSITIVE if endpoint.kind == "positive_weeks_in_a_row" else NEGATIVE
    longest = longest_run(signs == wished, signs != NOTHING)
    return longest if endpoint.kind == "longest_negative_weeks" else (longest >= (rule.run_weeks or 1)) * 1.0


def _holds(item: WeekCriterion, repaired: Words) -> _Events:
    """Whether a criterion holds for each repaired word."""
    length = (repaired != NOTHING).sum(axis=1)
    first, last = (place if place > 0 else length + place + 1 for place in (item.first, item.last))
    week = np.arange(1, repaired.shape[1] + 1)
    inside = (week >= np.broadcast_to(first, length.shape)[:, None]) & (
        week <= np.broadcast_to(last, length.shape)[:, None]
    )
    inside &= repaired != NOTHING
    count = inside.sum(axis=1)
    negative = (inside & (repaired == NEGATIVE)).sum(axis=1) + 0.5 * (inside & (repaired == MIXED)).sum(axis=1)
    positive = (inside & (repaired == POSITIVE)).sum(axis=1) + 0.5 * (inside & (repaired == MIXED)).sum(axis=1)
    missed = (inside & (repaired == MISSING)).sum(axis=1)
    holds = np.ones(length.shape, dtype=np.bool_)
    if item.whole == "required":
        holds &= count == np.broadcast_to(last, length.shape) - np.broadcast_to(first, length.shape) + 1
    if item.least_negative is not None:
        holds &= negative >= item.least_negative
    if item.least_negative_share is not None:
        with np.errstate(invalid="ignore", divide="ignore"):
            share = np.where(count > 0, negative / count, 0.0)
        holds &= share >= item.least_negative_share
    if item.most_positive is not None:
        holds &= positive <= item.most_positive
    if item.most_missing is not None:
        holds &= missed <= item.most_missing
    return holds


def _use_index(endpoint: Endpoint, rule: WeeklyRule, words: Words) -> _Values:
    """120 minus the weighted use of the weeks as a share of the worst possible, times 120."""
    word = words[:, : rule.to_week]
    if rule.short_word == "again" and rule.penalty and not isinstance(rule.penalty, str):
        word = _again(words, len(rule.penalty))
    length = (word != NOTHING).sum(axis=1)
    week = np.arange(word.shape[1])
    if isinstance(rule.penalty, str):
        step = (_PENALTY_AT_END - 1.0) / np.maximum(length - 1, 1)
        penalty = 1.0 + week * step[:, None]
    elif rule.penalty:
        penalty = np.broadcast_to(
            np.pad(rule.penalty, (0, max(0, week.size - len(rule.penalty))), mode="edge")[: week.size], word.shape
        )
    else:
        penalty = np.ones(word.shape)
    missing_weight = endpoint.missing_weight or 0.0
    weight = np.array([0.0, rule.positive_weight, rule.mixed_weight, missing_weight, 0.0, 0.0])[word]
    uses = (word == POSITIVE) | (word == MIXED)
    counted = (word != NOTHING) & (word != NOT_DUE)
    worst = np.where(counted, np.maximum(rule.positive_weight * penalty, missing_weight), 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        index = _MOST_INDEX * (weight * np.where(uses, penalty, 1.0)).sum(axis=1) / worst.sum(axis=1)
    return np.where(counted.any(axis=1), _MOST_INDEX - index, np.nan)


def _again(words: Words, length: int) -> Words:
    """Words of exactly this length: longer ones cut, shorter ones begun again from their first week."""
    have = np.maximum((words != NOTHING).sum(axis=1), 1)
    place = np.arange(length) % have[:, None]
    return np.take_along_axis(words, np.minimum(place, words.shape[1] - 1), axis=1)


WEEK_FORMULAS: Final[Mapping[EndpointKind, Formula]] = {
    "percent_negative_weeks": _week_values,
    "negative_weeks": _week_values,
    "longest_negative_weeks": _week_values,
    "negative_weeks_in_a_row": _week_values,
    "positive_weeks_in_a_row": _week_values,
    "weekly_use_index": _week_values,
    "weekly_criteria": _week_values,
}


WEEK_TIME_FORMULAS: Final[Mapping[EndpointKind, TimeFormula]] = {
    "weeks_to_positive": _week_times,
    "weeks_to_missing": _week_times,
}
