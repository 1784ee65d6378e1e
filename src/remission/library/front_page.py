"""The answer of the first page: which of three sentences the numbers choose, and the possible worlds behind them.

Sentences and rule are data (``front-page.toml``), written before the worlds were computed; the worlds are a file that
``make worlds`` writes (``front-page.json``), so that a visit costs no simulation.
"""

from functools import cache
from typing import Annotated, Any, Literal

from pydantic import Field

from remission.library.protocols import load_protocol
from remission.library.published import PublishedOutcome, published_outcome
from remission.records.base import Record
from remission.records.packaged import packaged_toml, read_library_json

Version = Literal["helps", "no_difference", "worse"]


class Rule(Record):
    """Thresholds of the difference, in days of the trial's length, and what makes the worlds speak at all."""

    level: float
    helps_above: float
    worse_below: float
    fewest_effective_draws: float


class Interval(Record):
    """A difference in days with its interval; more than 0 is better."""

    value: float
    low: float
    high: float


class WorldGroup(Record):
    """Days of a hundred simulated people in one world: runs, see :mod:`remission.records.day_field`."""

    id: str
    days: float
    rows: tuple[str, ...]


class World(Record):
    """One set of the model's values: what ketamine adds in it, and the people. [day]"""

    effect: float
    groups: tuple[WorldGroup, ...]


class FromDraws(Record):
    """How a file of ``make worlds`` was made: draws of a posterior for a new trial, and what that was fitted to."""

    made: str
    seed: int
    model_form: str
    parameter_hash: str
    protocol: str
    protocol_hash: str
    posterior: str
    evidence: tuple[str, ...]
    n_draws: int
    n_effective: float
    n_people: int
    n_days: int


class Worlds(FromDraws):
    """Worlds of equal weight in the order of their effect.

    ``order``: in which they are shown, the middle one first. ``effect``: over all draws.
    """

    effect: Interval
    order: tuple[int, ...]
    worlds: Annotated[tuple[World, ...], Field(min_length=1)]


@cache
def load_worlds() -> Worlds:
    """The possible worlds of the first page."""
    return Worlds.from_dict(read_library_json("front-page.json"))


@cache
def load_rule() -> Rule:
    """The rule by which numbers choose the sentence."""
    return Rule.from_dict(packaged_toml("front-page.toml")["rule"])


def load_sentences(language: str) -> dict[str, Any]:
    """The three sentences, why each is said, and the titles, in a language."""
    said = packaged_toml("front-page.toml")
    return {name: (said if language == "en" else said[language])[name] for name in ("sentences", "titles")}


@cache
def published_difference() -> PublishedOutcome:
    """The published difference that the first page asks about."""
    asked = packaged_toml("front-page.toml")["question"]
    protocol = load_protocol(asked["protocol"])
    there = next(one for one in protocol.comparisons if one.analysis == asked["analysis"])
    return published_outcome(
        str(protocol.evidence), arm_or_contrast=there.arm_or_contrast, endpoint=there.outcome, statistic=there.statistic
    )


def published_interval(n_days: int) -> Interval | None:
    """The published difference as days in so many; nothing where no interval was published."""
    one = published_difference()
    if one.ci_low is None or one.ci_high is None:
        return None
    return Interval(value=one.value * n_days / 100, low=one.ci_low * n_days / 100, high=one.ci_high * n_days / 100)


def simulated_interval(worlds: Worlds, rule: Rule) -> Interval | None:
    """The difference over the worlds; nothing where a few draws would speak for all."""
    return worlds.effect if worlds.n_effective >= rule.fewest_effective_draws else None


def choose_version(published: Interval | None, simulated: Interval | None, rule: Rule) -> Version:
    """The sentence that the numbers choose; of two intervals the less favourable one decides.

    Examples
    --------
    >>> rule = Rule(level=0.95, helps_above=0.0, worse_below=0.0, fewest_effective_draws=25.0)
    >>> choose_version(Interval(value=5, low=1, high=9), Interval(value=3, low=-1, high=7), rule)
    'no_difference'
    """
    found = (published, simulated)
    if any(one is not None and one.high < rule.worse_below for one in found):
        return "worse"
    if all(one is not None and one.low > rule.helps_above for one in found):
        return "helps"
    return "no_difference"
