"""Who is in the trial, how they come in, where they are kept, and how they are allocated."""

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.comorbidity import Comorbidity
from remission.records.grown import GrownRecord
from remission.records.mood import DepressionScale, RestingPressure
from remission.records.quantity import AgeSdY, AgeY, Day, Flag, Fraction, ObservedDay, WeightKg, WeightSdKg
from remission.records.text import EachOnce

Stratum: TypeAlias = Literal["sex", "site", "depression", "anxiety", "baseline-use", "baseline-severity"]
"""What a clinic knows at entry, by which people can be told apart."""


class AgeDistribution(Record):
    """Age at entry: normal, cut at ``low`` and ``high``. [year]"""

    mean_y: Annotated[AgeY, Field(alias="mean")]
    sd_y: Annotated[AgeSdY, Field(alias="sd")]
    low_y: Annotated[AgeY, Field(alias="low")]
    high_y: Annotated[AgeY, Field(alias="high")]

    def _faults(self) -> Iterator[SpecError]:
        if not self.low_y <= self.mean_y <= self.high_y:
            allowed = f"between low ({self.low_y}) and high ({self.high_y})"
            yield SpecError(where="mean", got=self.mean_y, allowed=allowed)


class WeightDistribution(Record):
    """Body weight at entry: normal, cut at ``low`` and ``high``. [kg]"""

    mean_kg: Annotated[WeightKg, Field(alias="mean")]
    sd_kg: Annotated[WeightSdKg, Field(alias="sd")]
    low_kg: Annotated[WeightKg, Field(alias="low")]
    high_kg: Annotated[WeightKg, Field(alias="high")]

    def _faults(self) -> Iterator[SpecError]:
        if not self.low_kg <= self.mean_kg <= self.high_kg:
            allowed = f"between low ({self.low_kg}) and high ({self.high_kg})"
            yield SpecError(where="mean", got=self.mean_kg, allowed=allowed)


class Baseline(Record):
    """Days of diary before day 0, in which people use as they do."""

    days: Annotated[int, Field(strict=True, ge=1, le=365)]


class Population(GrownRecord):
    """The people of one replicate.

    ``clean_days`` are forced clean days before day 0; ``self_quit`` marks people who stop by themselves on day 0, in a
    share of whom the attempt fails at once (a failed start). ``comorbidity`` says how many have depression
    or anxiety. People with a ``baseline`` still use when they enter: ``quit_day`` is the day on which they stop, or
    ``none``, and ``goal`` what they are after. ``agonist`` is the opioid agonist that everybody takes throughout, as a
    background and no arm. ``depression_scale`` is what depression is rated on, ``resting_systolic`` the pressure
    before a session.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset(
        {"comorbidity", "baseline", "quit_day", "goal", "agonist", "depression_scale", "resting_systolic"}
    )

    n_subjects: Annotated[int, Field(strict=True, ge=1, le=100_000)]
    age: AgeDistribution
    weight: WeightDistribution
    female_fraction: Fraction
    clean_days: Annotated[int, Field(strict=True, ge=0, le=365)]
    self_quit: Flag = False
    day0_on: Literal["any-day", "weekday"] = "any-day"
    comorbidity: Comorbidity | None = None
    depression_scale: DepressionScale | None = None
    resting_systolic: RestingPressure | None = None
    baseline: Baseline | None = None
    quit_day: Day | Literal["none"] | None = None
    goal: Literal["stop", "reduce", "none"] | None = None
    agonist: Literal["buprenorphine", "methadone"] | None = None

    def _faults(self) -> Iterator[SpecError]:
        for name in ("quit_day", "goal") if self.baseline is None else ():
            if getattr(self, name) is not None:
                yield SpecError(
                    where=name, got=getattr(self, name),
                    allowed="nothing without a baseline: people then have stopped before day 0, or stop on it",
                    remedy="Add 'baseline: {days: 28}', or remove this line.",
                )  # fmt: skip
        if self.baseline is not None and self.self_quit:
            allowed = "false with a baseline: quit_day says when people stop"
            yield SpecError(where="self_quit", got=True, allowed=allowed, remedy="Write 'quit_day: 0' instead.")
        if self.goal == "none" and isinstance(self.quit_day, int):
            allowed = "none for people whose goal is none"
            yield SpecError(where="quit_day", got=self.quit_day, allowed=allowed, remedy="Write 'quit_day: none'.")
        if self.baseline is not None and self.clean_days > self.baseline.days:
            allowed = f"at most the {self.baseline.days} days of the baseline, of which they are the last"
            yield SpecError(where="clean_days", got=self.clean_days, allowed=allowed)


class DayRange(Record):
    """Days ``first`` to ``last``, both included. [day]"""

    first: Day
    last: Day

    def _faults(self) -> Iterator[SpecError]:
        if self.last < self.first:
            yield SpecError(where="last", got=self.last, allowed=f"not before first ({self.first})")

    def __len__(self) -> int:
        """Number of days."""
        return self.last - self.first + 1


class ObservedDays(DayRange):
    """Days of data, which may begin before day 0. [day]"""

    first: ObservedDay
    last: ObservedDay


class Setting(Record):
    """Where people are and how they are followed.

    ``inpatient`` are days with access to the substance blocked. ``retention``: ``modeled`` lets people leave and miss
    visits as the model says; ``complete`` follows everyone to the end, for a natural course that is no trial.
    """

    inpatient: tuple[DayRange, ...] = ()
    n_sites: Annotated[int, Field(strict=True, ge=1, le=500)] = 1
    retention: Literal["modeled", "complete"] = "modeled"


class Randomization(GrownRecord):
    """How arms are allocated, in order of enrolment.

    permuted-blocks
        Blocks of ``block_size`` within the strata of ``stratify_by``; a multiple of the summed allocation.
    minimization
        With chance ``p_best_arm`` the arm that keeps the arms most alike in size and in each factor of
        ``stratify_by``, otherwise another one (Pocock and Simon's method, with ranges).
    """

    added_fields: ClassVar[frozenset[str]] = frozenset({"p_best_arm"})

    method: Literal["permuted-blocks", "minimization"] = "permuted-blocks"
    block_size: Annotated[int, Field(strict=True, ge=1, le=100_000)] | None = None
    p_best_arm: Fraction | None = None
    stratify_by: Annotated[tuple[Stratum, ...], EachOnce] = ()

    def _faults(self) -> Iterator[SpecError]:
        needed, other = ("block_size", "p_best_arm")
        if self.method == "minimization":
            needed, other = other, needed
        if getattr(self, needed) is None:
            allowed = f"a number: {self.method} needs it"
            yield SpecError(where=needed, got="nothing", allowed=allowed, remedy="Add it.")
        if getattr(self, other) is not None:
            yield SpecError(where=other, got=getattr(self, other), allowed=f"nothing here for {self.method}")


class Recruitment(Record):
    """People who are screened per day, growing in a straight line to the full rate, and how many of them fail.

    ``screened_per_day`` is the full rate over all sites, reached after ``ramp_days``. ``screening_failure`` is the
    share of screened people who are not eligible or refuse; those who enter are the population as described.
    """

    screened_per_day: Annotated[float, Field(gt=0.0, le=1000.0)]
    ramp_days: Annotated[int, Field(strict=True, ge=0, le=1825)] = 0
    screening_failure: Fraction = 0.0

    def _faults(self) -> Iterator[SpecError]:
        if self.screening_failure == 1.0:
            yield SpecError(where="screening_failure", got=1.0, allowed="less than 1: with 1 nobody ever enters")
