"""The question of a trial: the five attributes of ICH E9(R1), and what is done about each intercurrent event."""

from typing import ClassVar, Literal, get_args

from pydantic import Field

from remission.records.grown import GrownRecord
from remission.records.text import Sentence, Slug

EventKind = Literal["relapse", "rescue-medicine", "dropout", "incarceration", "unblinding"]
"""Events after randomization that change what an outcome means, or whether it exists."""

Strategy = Literal["treatment-policy", "hypothetical", "composite", "while-on-treatment"]
"""The strategies of ICH E9(R1) that can be computed for these events."""

EVENTS: tuple[EventKind, ...] = get_args(EventKind)


class Estimand(GrownRecord):
    """The five attributes of ICH E9(R1) and the analysis that estimates it.

    ``strategies`` says for each event, in a form that can be computed, what ``intercurrent_events`` says in words;
    an event that it leaves out is handled by treatment policy, and dropout by composite when the endpoint counts
    what is missing as use.

    treatment-policy
        The outcome counts whatever happened.
    hypothetical
        The outcome as it would have been, had the event never happened.
    composite
        The event is a failure: days from it on count as use.
    while-on-treatment
        Days before the event count, no later ones.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset({"strategies"})

    treatment: Sentence
    population: Sentence
    variable: Sentence
    intercurrent_events: Sentence
    summary: Sentence
    analysis: Slug
    strategies: dict[EventKind, Strategy] = Field(default_factory=dict)
