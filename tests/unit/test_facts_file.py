"""The registered facts: what the file must say, and what of it is refused."""

import copy
import tomllib
from importlib.resources import files
from typing import Any

import pytest

from remission.errors import LibraryError, SpecError
from remission.library.facts import load_facts, read_facts

CONTENT = tomllib.loads(files("remission.library").joinpath("facts.toml").read_text("utf-8"))


def changed(**changes: Any) -> dict[str, Any]:
    """The file with the first measure changed."""
    content = copy.deepcopy(CONTENT)
    content["fact"][0]["measure"][0].update(changes)
    return content


def test_all_twenty_are_there() -> None:
    """A list with a hole would hide the fact that fails."""
    assert sorted({one.number for one in load_facts().fact if one.number}) == list(range(1, 21))


def test_press_memory_and_assumptions_never_score() -> None:
    """A number that nobody read in print can neither confirm nor refute a model."""
    for kind in ("press", "memory", "assumed"):
        assert not read_facts(changed(read_as=kind), name="x").fact[0].measure[0].scores
    assert read_facts(CONTENT, name="x").fact[0].measure[0].scores


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"tolerance": {"low": 2.0, "high": 1.0}}, "low at most high"),
        ({"tolerance": {}}, "low, high or both"),
        ({"role": "tuned"}, "role"),
        ({"record": "grabski_2022_karee"}, "a record of the evidence"),
        ({"args": {"scenario": "nowhere"}}, "the id of a scenario"),
        ({"id": "lapse-set.nicotine"}, "the id twice"),
        ({"colour": "red"}, "colour"),
        ({"tolerance": {"low": "one"}}, "low"),
    ],
)
def test_a_broken_fact_is_refused_with_its_place(changes: dict[str, Any], words: str) -> None:
    """A measure that nobody can reach, or that everybody does, must not pass as registered."""
    with pytest.raises(LibraryError, match=words):
        read_facts(changed(**changes), name="x.toml")


def test_an_unknown_fact_names_the_nearest() -> None:
    """A slip in an id is the most common wrong input."""
    with pytest.raises(SpecError, match="Did you mean one-lapse"):
        load_facts().find("one-laps")
    assert load_facts().find("lapse-set.nicotine").id == "one-lapse"
