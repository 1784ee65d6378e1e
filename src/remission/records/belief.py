"""What people of an arm feel, how they guess from it, what believing does, and worlds in which it is tried.

Units: an experience of 0 is none and 1 is that of a full dose. Weights of belief are in standard deviations of the
outcome, above 0 where belief makes it look or go better; those of chances are log odds. Every weight is 0 unless it is
stated. Times are in days from the first dose.
"""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from remission.errors import SpecError, did_you_mean
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.records.text import Sentence, Slug
from remission.units import parse_quantity

_Day = Annotated[float, Field(ge=0.0, le=36_500.0)]
_Chance = Annotated[float, Field(gt=0.0, lt=1.0)]
_Share = Annotated[float, Field(ge=0.0, le=1.0)]
_Odds = Annotated[float, Field(ge=-50.0, le=50.0)]
_Weight = Annotated[float, Field(ge=-10.0, le=10.0)]


def _quantity(unit: str) -> BeforeValidator:
    return BeforeValidator(lambda value: parse_quantity(value, unit) if isinstance(value, str) else value)


class Experience(Record):
    """What people of an arm feel: a stated distribution, or one infusion of ketamine through the chain.

    ``mean`` and ``sd`` of those who feel anything, who are the ``share`` of all; the others feel 0. With ``dose`` and
    ``duration`` instead, the psychoactive scores of simulated people. ``side_effect``: the share with a telltale
    effect of the body. ``open``: people are told what they have.
    """

    mean: Annotated[float, Field(ge=-10.0, le=10.0)] = 0.0
    sd: Annotated[float, Field(ge=0.0, le=10.0)] = 0.0
    share: _Share = 1.0
    dose_mg_per_kg: Annotated[float, _quantity("mg/kg"), Field(ge=0.0, le=5.0)] | None = Field(None, alias="dose")
    duration_min: Annotated[float, _quantity("min"), Field(gt=0.0, le=1440.0)] | None = Field(None, alias="duration")
    side_effect: _Share = 0.0
    open: bool = False

    def _faults(self) -> Iterator[SpecError]:
        if (self.dose_mg_per_kg is None) != (self.duration_min is None):
            yield SpecError(where="duration" if self.duration_min is None else "dose", got="nothing",
                            allowed="dose and duration together, such as 0.5 mg/kg and 40 min")  # fmt: skip
        if self.dose_mg_per_kg is not None and self.model_fields_set & {"mean", "sd", "share"}:
            yield SpecError(where="mean", got="given with a dose", allowed="a stated distribution, or a dose")


class Guessing(Record):
    """How a guess comes about: log odds of guessing the drug, which are straight in what is felt.

    unfelt, felt
        Chances of guessing the drug after an experience of 0 and of 1. Left out, people guess as well as what was felt
        tells the arms apart: the least favorable of what could be assumed.
    better
        Log odds for each standard deviation by which the outcome has improved when the guess is asked for: a guess that
        follows improvement, and is no cause of it.
    side_effect
        Log odds for a telltale side effect.
    expects
        Log odds for each standard deviation of expectation before treatment.
    unsure
        Log odds of either guess below which people answer that they do not know.
    rater_felt, therapist_felt
        The same for a rater and a therapist: log odds of guessing the drug, from even, for each unit of experience.
    """

    unfelt: _Chance | None = None
    felt: _Chance | None = None
    better: _Odds = 0.0
    side_effect: _Odds = 0.0
    expects: _Odds = 0.0
    unsure: Annotated[float, Field(ge=0.0, le=50.0)] = 0.0
    rater_felt: _Odds = 0.0
    therapist_felt: _Odds = 0.0

    def _faults(self) -> Iterator[SpecError]:
        if (self.unfelt is None) != (self.felt is None):
            name = "felt" if self.felt is None else "unfelt"
            yield SpecError(where=name, got="nothing", allowed="both chances, or neither")


class Believing(Record):
    """What belief does, each by itself, all 0 unless stated.

    report
        What believing to have had the drug adds to what is reported; half of it for who does not know.
    report_disappointed
        What believing to have had the control takes off what is reported: disappointment.
    behavior, behavior_disappointed
        The same of what people do, so that the outcome itself moves.
    attendance, attends, worth
        Log odds of attending each session that guessing control takes off; the share that is attended without; what
        full attendance is worth.
    leaving, leaves
        Log odds of leaving that guessing control adds; the share that leaves without.
    rater, therapist
        What a rater who guesses the drug adds to the score, and a therapist who does to the outcome itself.
    expectation
        What a standard deviation of expectation before treatment adds to the outcome of anybody.
    hope
        What it adds to the report of those who believe to have had the drug.
    """

    report: _Weight = 0.0
    report_disappointed: _Weight = 0.0
    behavior: _Weight = 0.0
    behavior_disappointed: _Weight = 0.0
    attendance: _Odds = 0.0
    attends: _Chance | None = None
    worth: _Weight = 0.0
    leaving: _Odds = 0.0
    leaves: _Chance | None = None
    rater: _Weight = 0.0
    therapist: _Weight = 0.0
    expectation: _Weight = 0.0
    hope: _Weight = 0.0

    def _faults(self) -> Iterator[SpecError]:
        for name, base in (("attendance", "attends"), ("leaving", "leaves")):
            if getattr(self, name) and getattr(self, base) is None:
                yield SpecError(where=base, got="nothing", allowed=f"the share without it, which {name} changes")

    @property
    def acts(self) -> bool:
        """Whether belief does anything at all."""
        return any(getattr(self, name) for name in type(self).model_fields if name not in {"attends", "leaves"})


class World(Record):
    """A state of the world.

    works
        The share of people in whom the drug does by itself what ``effect`` states.
    is_felt
        Whether the drug is told apart from the control by what is felt.
    belief
        ``all`` that is stated acts; ``report``: only what people believe of their arm, and only on what they report.
    """

    id: Slug
    label: Sentence | None = None
    works: _Share = 1.0
    is_felt: bool = True
    belief: Literal["all", "report"] = "all"


def named_in_library(table: str, what: str) -> BeforeValidator:
    """Items of a list by their name in the library, or a name with fields that differ.

    ``table``: of ``library/blinding.toml``. ``what``: an item of it, in words.
    """

    def read(value: Any) -> Any:
        known = packaged_toml("blinding.toml")[table]
        if not isinstance(value, list | tuple):
            return value
        found = []
        for place, one in enumerate(value):
            name = one if isinstance(one, str) else one.get("id") if isinstance(one, dict) else None
            if isinstance(one, str) and name not in known:
                raise SpecError(where=f"[{place}]", got=one, allowed=f"{what} of the library, or a block with an id",
                                remedy=did_you_mean(one, known, otherwise=f"Known: {', '.join(known)}."))  # fmt: skip
            if isinstance(name, str) and name in known:
                found.append({"id": name, **known[name], **(one if isinstance(one, dict) else {})})
            else:
                found.append(one)
        return found

    return BeforeValidator(read)


Worlds = Annotated[tuple[World, ...], named_in_library("worlds", "a world"), Field(min_length=1, max_length=20)]
"""Worlds by name or as blocks."""
WORLDS: Any = ("works-unfelt", "works-felt", "felt-inert", "expectancy-only", "mixed")
"""The worlds that are tried where nobody names others."""


class EffectBlinding(Record):
    """The blinding of a stated effect: what is felt under both arms, how people guess, and what believing does.

    ``asked``: days on which people are asked for their guess. ``outcome_day``: of the outcome.
    """

    drug: Experience
    control: Experience = Experience()
    guess: Guessing = Guessing()
    belief: Believing = Believing()
    asked: Annotated[tuple[_Day, ...], Field(min_length=1, max_length=10)] = (0.0, 1.0)
    outcome_day: Annotated[float, Field(gt=0.0, le=36_500.0)] = 1.0
    worlds: Worlds = Field(default=WORLDS, validate_default=True)
