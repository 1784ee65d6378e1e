"""The treatment package: drug sessions and therapy sessions as one schedule, and the arms that receive it."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    BeforeValidator,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    model_serializer,
    model_validator,
)

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.dose import Dose, Route, read_route
from remission.records.grown import GrownRecord
from remission.records.quantity import Day, DoseMgPerKg, DurationMin, Fraction
from remission.records.text import EachOnce, Label, Slug
from remission.records.therapy_kinds import TherapyName, WayName
from remission.units import minutes_to_hours

__all__ = [
    "MedicineCourse",
    "Arm",
    "DrugCourse",
    "Gap",
    "Infusion",
    "Period",
    "SessionDay",
    "TherapyCourse",
    "WayOfLife",
]


class Gap(Record):
    """Days from one infusion to the next: triangular between ``low`` and ``high`` with its peak at ``mode``."""

    low: Annotated[int, Field(strict=True, ge=1, le=365)]
    mode: Annotated[int, Field(strict=True, ge=1, le=365)]
    high: Annotated[int, Field(strict=True, ge=1, le=365)]

    def _faults(self) -> Iterator[SpecError]:
        if not self.low <= self.mode <= self.high:
            yield SpecError(where="mode", got=self.mode, allowed=f"low <= mode <= high ({self.low} to {self.high})")


def _vein(value: Any) -> Any:
    """The one route of a trial's drug course, in any usual words; another is refused by its name."""
    try:
        return "intravenous" if read_route(value) is Route.IV_INFUSION else value
    except SpecError:
        return value


class Infusion(Record):
    """One intravenous infusion, on a fixed ``day`` or a ``gap`` after the one before."""

    day: Day | None = None
    gap: Gap | None = None
    dose_mg_per_kg: Annotated[DoseMgPerKg, Field(alias="dose")]
    duration_min: Annotated[DurationMin, Field(alias="duration")]
    route: Annotated[Literal["intravenous"], BeforeValidator(_vein)] = "intravenous"

    @property
    def duration_h(self) -> float:
        """Its length. [h]"""
        return minutes_to_hours(self.duration_min)

    @property
    def dose(self) -> Dose:
        """What is given in its session."""
        return Dose(route=Route.IV_INFUSION, dose_mg_per_kg=self.dose_mg_per_kg, duration_min=self.duration_min)

    def _faults(self) -> Iterator[SpecError]:
        if (self.day is None) == (self.gap is None):
            remedy = "Give day, or gap after the previous."
            yield SpecError(where="day", got=self.day, allowed="exactly one of day and gap", remedy=remedy)


class DrugCourse(Record):
    """The drug of an arm and its infusions, in order of time.

    ``psychoactive`` is the psychoactive score (0 to 1) of one session of a control drug; ketamine's is computed
    from its concentration and must be left out.
    """

    drug: Literal["racemic-ketamine", "midazolam", "saline"]
    infusions: Annotated[tuple[Infusion, ...], Field(min_length=1, max_length=60)]
    psychoactive: Fraction = 0.0

    @model_serializer(mode="wrap")
    def _without_unread(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        """In a file, what is not read is not written; plain data keep it, because stored hashes are of them."""
        data: dict[str, Any] = handler(self)
        if (info.context or {}).get("with_units") and self.drug == "racemic-ketamine":
            data.pop("psychoactive", None)
        return data

    @model_validator(mode="after")
    def _sensible(self, info: ValidationInfo) -> Self:
        # Plain data always hold the field; in a file somebody wrote it, and 0 would be believed to act.
        # Files that the program itself stored before it was refused hold it too.
        context = info.context or {}
        is_said = bool(context.get("units_required")) and not context.get("stored")
        is_said = is_said and "psychoactive" in self.model_fields_set
        faults = list(self._infusion_faults())
        if self.drug == "racemic-ketamine" and (is_said or self.psychoactive != 0.0):
            faults.append(
                SpecError(
                    where="psychoactive",
                    got=self.psychoactive,
                    allowed="nothing here for ketamine: it is computed from the dose",
                    remedy="Remove this line; a control drug has a value of its own.",
                )
            )
        SpecError.check(faults)
        return self

    def _infusion_faults(self) -> Iterator[SpecError]:
        previous: int | None = None
        for index, infusion in enumerate(self.infusions):
            where, day, dose = f"infusions[{index}]", infusion.day, infusion.dose_mg_per_kg
            if index == 0 and day is None:
                allowed = "a day: the first infusion has none before it"
                yield SpecError(where="infusions[0].gap", got="a gap", allowed=allowed)
            if day is not None and previous is not None and day <= previous:
                yield SpecError(where=f"{where}.day", got=day, allowed=f"a day after {previous}: order by time")
            previous = day if day is not None else (previous or 0) + (infusion.gap.high if infusion.gap else 0)
            if self.drug == "racemic-ketamine" and dose == 0.0:
                yield SpecError(
                    where=f"{where}.dose",
                    got="0 mg/kg",
                    allowed="more than 0 mg/kg of ketamine",
                    remedy="Use drug: saline for an infusion without ketamine.",
                )
            if self.drug == "saline" and dose != 0.0:
                yield SpecError(
                    where=f"{where}.dose",
                    got=f"{dose:g} mg/kg",
                    allowed="0 mg/kg of saline: nothing of it is simulated",
                    remedy="Write 0 mg/kg, or name the drug that was meant.",
                )

    @property
    def last_day_latest(self) -> int:
        """The latest day on which the last infusion can fall. [day]"""
        return self.latest_day(len(self.infusions))

    def earliest_day(self, number: int) -> int:
        """The earliest day on which infusion ``number`` (from 1) can fall, with every gap at its shortest. [day]"""
        return self._day(number, "low")

    def latest_day(self, number: int) -> int:
        """The latest day on which infusion ``number`` (from 1) can fall, with every gap at its longest. [day]"""
        return self._day(number, "high")

    def _day(self, number: int, end: str) -> int:
        day = 0
        for infusion in self.infusions[:number]:
            day = infusion.day if infusion.day is not None else day + getattr(infusion.gap, end, 0)
        return day


class SessionDay(Record):
    """When a therapy session is held.

    Either on a fixed ``day``, or ``offset_days`` after infusion number ``infusion`` (from 1); a negative offset is a
    session of preparation before it.
    """

    day: Day | None = None
    infusion: Annotated[int, Field(strict=True, ge=1, le=60)] | None = None
    offset_days: Annotated[int, Field(strict=True, ge=-60, le=365)] = 0

    def _faults(self) -> Iterator[SpecError]:
        if (self.day is None) == (self.infusion is None):
            remedy = "Give day, or infusion with offset_days."
            yield SpecError(where="day", got=self.day, allowed="exactly one of day and infusion", remedy=remedy)
        elif self.day is not None and self.offset_days:
            yield SpecError(where="offset_days", got=self.offset_days, allowed="only together with infusion")


class TherapyCourse(GrownRecord):
    """A course of therapy sessions.

    ``quality`` is the share of a full skills session that a contact is worth; of a kind that gives rewards, the share
    of its sourced effect. Left out, it is what was read of the kind (``library/package/therapies.toml``).
    """

    added_fields: ClassVar[frozenset[str]] = frozenset({"quality"})

    kind: TherapyName
    quality: Fraction | None = None
    sessions: Annotated[tuple[SessionDay, ...], Field(min_length=1, max_length=200)]
    session_min: Annotated[DurationMin, Field(alias="session_length")]


class Period(Record):
    """A period of a crossover sequence: a drug course whose day 0 is day ``start`` of the trial."""

    start: Day
    drug: Slug


class Arm(GrownRecord):
    """One arm: a drug course, a therapy course and a medicine by name, its share of the allocation, its factor levels.

    ``incentives`` names a course of rewards beside ``therapy``. In a crossover trial ``periods`` names the drug courses
    in their order, in place of ``drug``.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset({"medicine", "periods", "incentives", "way_of_life"})

    id: Slug
    label: Label
    allocation: Annotated[int, Field(strict=True, ge=1, le=20)] = 1
    drug: Slug | None = None
    therapy: Slug | None = None
    incentives: Slug | None = None
    medicine: Slug | None = None
    way_of_life: Annotated[tuple[Slug, ...], EachOnce] = ()
    periods: tuple[Period, ...] = ()
    factors: dict[Slug, Slug] = Field(default_factory=dict)

    @property
    def contacts(self) -> tuple[str, ...]:
        """Names of the therapy courses of this arm: lessons, then rewards."""
        return tuple(name for name in (self.therapy, self.incentives) if name is not None)

    @property
    def drug_starts(self) -> tuple[tuple[int, str], ...]:
        """First day and name of each drug course, in order of time."""
        if self.drug is not None:
            return ((0, self.drug),)
        return tuple((period.start, period.drug) for period in self.periods)


class WayOfLife(Record):
    """What people do beside treatment, from day 0 to the end of follow-up.

    ``effect_share`` scales the contrast on use that was read, where one was: 0 by default, because none was replicated.
    """

    kind: WayName
    effect_share: Fraction = 0.0


class MedicineCourse(Record):
    """A medicine taken from day 0 to the end of follow-up.

    ``effect_share`` scales the sourced effect on the log-odds scale: 1 is the sourced contrast, 0 is an inert tablet.
    Adherence is not simulated: the sourced contrast is by intention to treat and holds it already.
    """

    medicine: Slug
    effect_share: Fraction = 1.0
