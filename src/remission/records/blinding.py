"""A trial and its blinding, of any drug: its arms, the law of its outcome, who is asked when."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from remission.errors import SpecError
from remission.numerics.elementary import log
from remission.records.base import Record
from remission.records.belief import WORLDS, Believing, Experience, Guessing, Worlds, named_in_library
from remission.records.effect import Allocation, Law, LawField, effect_sign
from remission.records.seed import DEFAULT_SEED
from remission.records.text import Note, Sentence, Slug, Title

_Chance = Annotated[float, Field(gt=0.0, lt=1.0)]
_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Day = Annotated[float, Field(ge=0.0, le=36_500.0)]


class ControlArm(Record):
    """A control arm.

    experience
        What is felt under it.
    matches
        Instead: the share of the drug's experience that it gives to everybody.
    effect_share
        The share of the drug's effect that it has itself; left out, 0, and of a dose of ketamine the share that its
        exposure is of the drug's.
    is_masked
        Nothing is felt under either arm, as in surgical anesthesia.
    compared_share
        The share of the trial's people who are in the comparison.
    expectation_below
        Only the share of candidates with the lowest expectation before treatment takes part.
    """

    id: Slug
    label: Sentence | None = None
    experience: Experience = Experience()
    matches: _Share | None = None
    effect_share: _Share | None = None
    is_masked: bool = False
    compared_share: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    expectation_below: Annotated[float, Field(gt=0.0, le=1.0)] = 1.0
    note: Note = ""


_FEWEST = 2
_FIRST: Any = ("inactive",)
_Controls = Annotated[
    tuple[ControlArm, ...], named_in_library("controls", "a control"), Field(min_length=1, max_length=30)
]


class BlindingTrial(Record):
    """A trial whose blinding is tried on the bench.

    people, allocation
        As in a file that states an effect.
    effect
        The law of the outcome and what the drug does to it by itself.
    drug
        What is felt under the drug.
    asked
        Days on which people are asked for their guess.
    outcome_day
        Day of the outcome; of its change, the share of the days that have gone has come when a guess is asked for.
    controls, worlds
        By name or as blocks.
    trials
        Simulated trials of each control in each world.
    """

    format: Literal["remission/blinding/1"] = "remission/blinding/1"
    id: Slug
    title: Title | None = None
    people: Annotated[int, Field(strict=True, ge=8, le=100_000)]
    allocation: Allocation = Allocation()
    effect: LawField
    alpha: _Chance = 0.05
    drug: Experience
    guess: Guessing = Guessing()
    belief: Believing = Believing()
    asked: Annotated[tuple[_Day, ...], Field(min_length=1, max_length=10)] = (0.0, 1.0)
    outcome_day: Annotated[float, Field(gt=0.0, le=36_500.0)] = 1.0
    controls: Annotated[
        tuple[ControlArm, ...], named_in_library("controls", "a control"), Field(min_length=1, max_length=30)
    ] = Field(default=_FIRST, validate_default=True)  # read by name
    worlds: Worlds = Field(default=WORLDS, validate_default=True)
    trials: Annotated[int, Field(strict=True, ge=20, le=100_000)] = 2000
    seed: Annotated[int, Field(strict=True, ge=0, lt=2**64)] = DEFAULT_SEED
    note: Note = ""

    def _faults(self) -> Iterator[SpecError]:
        if list(self.asked) != sorted(set(self.asked)):
            yield SpecError(where="asked", got=list(self.asked), allowed="rising days, each once")
        elif self.asked[-1] > self.outcome_day:
            yield SpecError(
                where="asked", got=self.asked[-1], allowed=f"no day after outcome_day ({self.outcome_day:g})",
                remedy="Set outcome_day to the day of the outcome.",
            )  # fmt: skip
        for name, items in (("controls", self.controls), ("worlds", self.worlds)):
            ids = [one.id for one in items]
            if len(set(ids)) < len(ids):
                yield SpecError(where=name, got=", ".join(ids), allowed="each id once")
        weights = self.allocation.treatment, self.allocation.control
        compared = min((one.compared_share for one in self.controls), default=1.0)
        if self.people * compared * min(weights) / sum(weights) < _FEWEST:
            yield SpecError(where="allocation", got=f"{weights[0]:g} to {weights[1]:g} of {self.people} people",
                            allowed="two people or more in each arm that is compared")  # fmt: skip
        law: Law = self.effect
        if getattr(law, "clusters", None) is not None:
            yield SpecError(where="effect.clusters", got="clusters", allowed="people who are allocated one by one")
        if law.goal != "superiority":
            yield SpecError(where="effect.goal", got=law.goal, allowed="superiority")
        if effect_sign(law) == 0:
            yield SpecError(where="effect.better", got="nothing", allowed="higher or lower, where the effect is none")
        if getattr(law, "baseline_correlation", 0.0):
            yield SpecError(where="effect.baseline_correlation", got=law.baseline_correlation,  # type: ignore[union-attr]  # of means alone
                            allowed="0 here", remedy="Give the SD that is left after the baseline.")  # fmt: skip

    @property
    def better(self) -> int:
        """1 where a higher outcome is the wished one, -1 where a lower one is."""
        return effect_sign(self.effect)

    @property
    def prior_log_odds(self) -> float:
        """Log odds of the drug as the trial allocates."""
        return float(log(np.array([self.allocation.treatment / self.allocation.control]))[0])
