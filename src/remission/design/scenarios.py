"""What a file of scenarios and designs says.

A scenario says what the world is like: values of the model, or changes of the protocol that nobody chooses. A design
says what a trialist chooses.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from remission.records.base import Record
from remission.records.effect import Boundary, Effect
from remission.records.text import Sentence, Slug

_Share = Annotated[float, Field(gt=0.0, lt=1.0)]


class Scenario(Record):
    """A state of the world: ``parameters`` of the model, and ``changes`` of the protocol in the words of its file.

    With ``effect`` the world is a law of the outcome, or people with an effect on their days; ``diaries`` is the file
    or folder of those people, from the folder of this file. Without one the chain makes people and effect.
    """

    id: Slug
    label: Sentence | None = None
    effect: Effect | None = None
    diaries: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    parameters: dict[str, float] = Field(default_factory=dict)
    changes: dict[str, Any] = Field(default_factory=dict)


class FutilityRule(Record):
    """A look at the share ``at`` of the information that stops when the statistic is ``below`` a number."""

    at: _Share
    below: Annotated[float, Field(ge=-10.0, le=10.0)]


class DesignChoice(Record):
    """What a trialist chooses; what is left out is as the protocol has it.

    ``allocation`` by arm: the block grows to the next size that it divides. ``n_infusions`` for every drug: the first
    ones, or further ones at the gap of the last; sessions that were tied to an infusion that is left out stay on
    their planned day. ``looks`` are shares of the people, the last one 1.
    """

    id: Slug
    label: Sentence | None = None
    n_subjects: Annotated[int, Field(strict=True, ge=4, le=100_000)] | None = None
    allocation: dict[Slug, Annotated[int, Field(strict=True, ge=1, le=20)]] = Field(default_factory=dict)
    n_infusions: Annotated[int, Field(strict=True, ge=1, le=60)] | None = None
    analysis: Slug | None = None
    looks: tuple[float, ...] = (1.0,)
    futility: tuple[FutilityRule, ...] = ()
    boundary: Boundary = "obrien-fleming"
    changes: dict[str, Any] = Field(default_factory=dict)


class ScenarioTable(Record):
    """Scenarios, designs, and how well every cell is to be known.

    ``power`` is a target: the table marks what reaches it. ``replicates`` are the most trials of a cell, ``mcse`` the
    Monte Carlo error of its power at which it stops; ``truth`` people give bias and coverage, 0: none.
    ``type1_error``: every cell is simulated again without an effect. ``prices``: ``us``, ``uk`` or a file, by which the
    people expected at the stop cost what complete courses cost at the highest prices.
    """

    format: Literal["remission/scenarios/1"] = "remission/scenarios/1"
    alpha: _Share = 0.05
    power: _Share | None = None
    replicates: Annotated[int, Field(strict=True, ge=2, le=1_000_000)] = 1000
    mcse: _Share = 0.01
    truth: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = 0
    type1_error: bool = True
    prices: Annotated[str, Field(min_length=1, max_length=400)] | None = None
    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1, max_length=100)] = (Scenario(id="as-written"),)
    designs: Annotated[tuple[DesignChoice, ...], Field(min_length=1, max_length=100)] = (
        DesignChoice(id="as-written"),
    )  # fmt: skip
