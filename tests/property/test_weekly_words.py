"""Every weekly definition of the catalogue against a second program that reads words sign by sign."""

import numpy as np
import pytest
from ctnote_by_hand import DEFINITIONS, TIMES
from hypothesis import given, settings
from hypothesis import strategies as st

from remission.endpoints.weeks import week_times_of_words, week_values_of_words
from remission.endpoints.words import parse_words, spell_words
from remission.library.endpoints import list_endpoints, load_endpoint
from remission.records.population import DayRange

WINDOW = DayRange(first=1, last=273)
WORDS = st.lists(st.text("+-o*", min_size=6, max_size=39), min_size=1, max_size=30)


def test_every_weekly_definition_has_a_second_program() -> None:
    """A definition that nobody programmed twice is a definition that nobody checked."""
    weekly = {one.id for one in list_endpoints() if one.group == "weekly"}
    assert weekly == {*DEFINITIONS, *TIMES}


@settings(max_examples=20)
@given(words=WORDS)
def test_values_are_those_of_the_second_program(words: list[str]) -> None:
    """Published definitions differ in one sign or one week, which only a whole second reading finds."""
    coded = parse_words(words)
    for name, reader in DEFINITIONS.items():
        found = week_values_of_words(load_endpoint(name).endpoint(WINDOW), coded)
        expected = [float(reader(word)) for word in words]
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-10, err_msg=f"{name} {words}")


@settings(max_examples=20)
@given(words=WORDS)
def test_times_are_those_of_the_second_program(words: list[str]) -> None:
    """A time is its number and its event, censored words among them."""
    coded = parse_words(words)
    for name, reader in TIMES.items():
        time, event = week_times_of_words(load_endpoint(name).endpoint(WINDOW), coded)
        expected = [reader(word) for word in words]
        assert list(zip(time.tolist(), event.astype(float).tolist(), strict=True)) == expected, name


@given(words=st.lists(st.text("+-o*_", max_size=40), max_size=5))
def test_words_read_back(words: list[str]) -> None:
    """Words of different lengths must not lend each other weeks."""
    assert spell_words(parse_words(words)) == tuple(words)


@pytest.mark.parametrize("text", ["+x", "O", "+ "])
def test_a_strange_sign_is_refused(text: str) -> None:
    """A zero for an o would count as something."""
    with pytest.raises(ValueError, match="signs"):
        parse_words([text])
