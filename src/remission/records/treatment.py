"""The treatment package: drug sessions and therapy sessions as one schedule, and the arms that receive it."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Final, Literal, Self

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationInfo,
    WithJsonSchema,
    model_serializer,
    model_validator,
)

from remission.errors import SpecError, UnitsError
from remission.records.base import Record
from remission.records.dose import Absorption, Dose, DrugForm, Route, check_doses, read_route
from remission.records.grown import GrownRecord
from remission.records.quantity import (
    MOST_MG,
    NUMBER,
    Day,
    DoseMgPerKg,
    DurationMin,
    Flag,
    Fraction,
    StartMin,
    is_per_weight,
    read_fixed_dose,
)
from remission.records.text import EachOnce, Label, Slug
from remission.records.therapy_kinds import TherapyName, WayName
from remission.units import format_quantity, minutes_to_hours


class Gap(Record):
    """Days from one infusion to the next: triangular between ``low`` and ``high`` with its peak at ``mode``."""

    low: Annotated[int, Field(strict=True, ge=1, le=365)]
    mode: Annotated[int, Field(strict=True, ge=1, le=365)]
    high: Annotated[int, Field(strict=True, ge=1, le=365)]

    def _faults(self) -> Iterator[SpecError]:
        if not self.low <= self.mode <= self.high:
            yield SpecError(where="mode", got=self.mode, allowed=f"low <= mode <= high ({self.low} to {self.high})")


def _route(value: Any) -> Any:
    """A route in any usual words; an infusion into a vein keeps the name that stored protocols have for it."""
    found = read_route("iv" if value == _VEIN else value)
    return _VEIN if found is Route.IV_INFUSION else getattr(found, "value", found)


_VEIN: Final = "intravenous"
_AMOUNT = {
    "type": "string",
    "pattern": rf"^{NUMBER} *(mg/kg|ug/kg|mcg/kg|g/kg|mg/lb|mg|g|ug|mcg)$",
    "examples": ["0.5 mg/kg", "60 mg"],
}


def _with_one_dose(schema: dict[str, Any]) -> None:
    """A file says dose once, per body weight or in mg; plain data have a field for each."""
    schema["properties"].pop("dose_mg", None)


class GivenDose(GrownRecord):
    """How much of the drug goes in, and how: per body weight or in mg, by a route, over a time where it is infused.

    ``product`` and ``absorption`` are for ketamine that does not go into a vein; ``absorption`` states what is assumed
    of the rate where none is sourced.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset({"dose_mg", "product", "absorption"})
    unwritten_fields: ClassVar[frozenset[str]] = frozenset({"dose_mg"})

    model_config = ConfigDict(json_schema_extra=_with_one_dose)

    dose_mg_per_kg: Annotated[DoseMgPerKg | None, Field(alias="dose"), WithJsonSchema(_AMOUNT)] = None
    dose_mg: Annotated[float | None, Field(ge=0.0, le=MOST_MG)] = None
    duration_min: Annotated[DurationMin | None, Field(alias="duration")] = None
    route: Annotated[
        Literal["intravenous", "iv_bolus", "im", "sc", "oral", "sublingual", "film", "intranasal", "rectal"],
        BeforeValidator(_route),
    ] = _VEIN
    product: Slug | None = None
    absorption: Absorption | None = None

    @model_validator(mode="before")
    @classmethod
    def _of_one_dose(cls, data: Any, info: ValidationInfo) -> Any:
        if not isinstance(data, dict):
            return data
        if "dose_mg" in data and (info.context or {}).get("units_required"):
            allowed = "dose, with its unit: 60 mg, or 0.5 mg/kg"
            raise SpecError(where="dose_mg", got="dose_mg", allowed=allowed)
        try:
            dose = data.get("dose")
            amount = read_fixed_dose(dose) if isinstance(dose, str) and not is_per_weight(dose) else None
        except UnitsError:
            amount = None  # it is per body weight, or wrong in a way that its own field says
        if amount is None:
            return data
        return {**{name: value for name, value in data.items() if name != "dose"}, "dose_mg": amount}

    @model_serializer(mode="wrap")
    def _without_unused(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        """In a file the dose is one field, with its unit."""
        data = self.without_unused(handler(self))
        if info.by_alias:
            data.pop("dose_mg", None)
            if self.dose_mg is not None:
                data["dose"] = format_quantity(self.dose_mg, "mg")
            if data.get("doses"):
                data.pop("route", None)
        return {name: data[name] for name in sorted(data, key=_written_order)}

    def dose(self, form: DrugForm, *, start_h: float = 0.0) -> Dose:
        """It as a dose of kinetics.

        Raises SpecError: it is none; each fault has its place.
        """
        route = Route.IV_INFUSION if self.route == _VEIN else self.route
        return Dose.create(
            route=route, dose_mg_per_kg=self.dose_mg_per_kg, dose_mg=self.dose_mg, duration_min=self.duration_min,
            start_h=start_h, form=form, product=self.product, absorption=self.absorption,
        )  # fmt: skip

    @property
    def amount(self) -> float | None:
        """Its number in its own unit, or none. [mg/kg] or [mg]"""
        return self.dose_mg if self.dose_mg_per_kg is None else self.dose_mg_per_kg

    @property
    def amount_text(self) -> str:
        """Its amount with its unit."""
        if self.dose_mg_per_kg is not None:
            return format_quantity(self.dose_mg_per_kg, "mg/kg")
        return format_quantity(self.dose_mg or 0.0, "mg")

    def _dose_faults(self) -> Iterator[SpecError]:
        try:
            self.dose(DrugForm.RACEMATE)
        except SpecError as error:
            for fault in error.faults:
                name = fault.where.removeprefix("dose.")
                remedy = "Write it with its unit: 0.5 mg/kg, or 60 mg for everybody." if name == "dose_mg" else ""
                where = {"duration_min": "duration", "dose_mg": "dose", "dose_mg_per_kg": "dose"}.get(name, name)
                allowed = "an amount with its unit" if name == "dose_mg" and self.amount is None else fault.allowed
                got = "nothing" if name == "dose_mg" and self.amount is None else fault.got
                yield SpecError(where=where, got=got, allowed=allowed, remedy=fault.remedy or remedy)


def _written_order(name: str) -> int:
    order = ("day", "gap", "start", "start_min", "visit", "use_days", "within_days", "dose", "duration", "route")
    return order.index(name) if name in order else len(order)


class PartDose(GivenDose):
    """One dose of a session with several, ``start`` after the first of them."""

    start_min: Annotated[StartMin | None, Field(alias="start")] = None

    @property
    def start_h(self) -> float:
        """When it begins after the start of the session. [h]"""
        return minutes_to_hours(self.start_min or 0.0)

    def _faults(self) -> Iterator[SpecError]:
        yield from self._dose_faults()


class Session(GivenDose):
    """What is given on one day: one dose, or several in ``doses``, such as a bolus and the infusion that follows it.

    ``under_anesthesia``: given while the person is unconscious, so that nothing of it is felt.
    """

    added_fields: ClassVar[frozenset[str]] = GivenDose.added_fields | {"doses", "under_anesthesia"}

    doses: Annotated[tuple[PartDose, ...], Field(max_length=20)] = ()
    under_anesthesia: Flag = False

    @property
    def parts(self) -> tuple[tuple[str, GivenDose], ...]:
        """Its doses, each with its place in the file."""
        if not self.doses:
            return (("", self),)
        return tuple((f"doses[{index}].", dose) for index, dose in enumerate(self.doses))

    @property
    def is_plain(self) -> bool:
        """Whether it is one infusion into a vein of somebody awake, per body weight."""
        is_one = not self.doses and self.route == _VEIN and self.dose_mg_per_kg is not None
        return is_one and not self.under_anesthesia

    def given(self, form: DrugForm) -> tuple[Dose, ...]:
        """Its doses on the clock of the session."""
        if not self.doses:
            return (self.dose(form),)
        return tuple(dose.dose(form, start_h=dose.start_h) for dose in self.doses)

    @property
    def duration_h(self) -> float:
        """From its start to the end of its last dose. [h]"""
        return max(dose.end_h for dose in self.given(DrugForm.RACEMATE))

    def _faults(self) -> Iterator[SpecError]:
        if not self.doses:
            yield from self._dose_faults()
            return
        for name in ("dose_mg_per_kg", "dose_mg", "duration_min", "route", "product", "absorption"):
            if name in self.model_fields_set and getattr(self, name) != type(self).model_fields[name].default:
                where = type(self).model_fields[name].alias or name
                yield SpecError(where=where, got=getattr(self, name), allowed="nothing beside doses: each has its own")
        try:
            check_doses(self.given(DrugForm.RACEMATE))
        except SpecError as error:
            for fault in error.faults:
                place = fault.where.replace("start_h", "start")
                yield SpecError(where=place, got=fault.got, allowed=fault.allowed, remedy=fault.remedy)


class AdaptedSession(Session):
    """What people get instead, who reported use before: at least ``use_days`` days of the last ``within_days``.

    It is decided at the kept ``visit`` by the diary of that visit, which reaches back from it; who missed the visit
    gets what is planned.
    """

    visit: Day
    use_days: Annotated[int, Field(strict=True, ge=1, le=365)] = 1
    within_days: Annotated[int, Field(strict=True, ge=1, le=365)]

    def _faults(self) -> Iterator[SpecError]:
        yield from super()._faults()
        if self.use_days > self.within_days:
            yield SpecError(where="use_days", got=self.use_days, allowed=f"at most within_days ({self.within_days})")


class Infusion(Session):
    """What is given on a fixed ``day`` or a ``gap`` after the one before: by infusion, or by any other route.

    ``adapt`` gives something else to those who went on using.
    """

    added_fields: ClassVar[frozenset[str]] = Session.added_fields | {"adapt"}

    day: Day | None = None
    gap: Gap | None = None
    adapt: AdaptedSession | None = None

    def _faults(self) -> Iterator[SpecError]:
        yield from super()._faults()
        if (self.day is None) == (self.gap is None):
            remedy = "Give day, or gap after the previous."
            yield SpecError(where="day", got=self.day, allowed="exactly one of day and gap", remedy=remedy)

    @property
    def sessions(self) -> tuple[tuple[str, Session], ...]:
        """What can be given, each with its place in the file: what is planned, and what others get instead."""
        return (("", self),) if self.adapt is None else (("", self), ("adapt.", self.adapt))


class DrugCourse(Record):
    """The drug of an arm and when it is given, in order of time.

    ``psychoactive`` is the psychoactive score (0 to 1) of one session of a control drug; ketamine's is computed
    from its concentration and must be left out. No control drug has an effect on use.
    """

    drug: Literal["racemic-ketamine", "esketamine", "midazolam", "lorazepam", "diphenhydramine", "saline"]
    infusions: Annotated[tuple[Infusion, ...], Field(min_length=1, max_length=60)]
    psychoactive: Fraction = 0.0

    @property
    def is_ketamine(self) -> bool:
        """Whether it is ketamine, as racemate or S-ketamine."""
        return self.drug in {"racemic-ketamine", "esketamine"}

    @property
    def form(self) -> DrugForm:
        """What is in the syringe, for ketamine."""
        return DrugForm.ESKETAMINE if self.drug == "esketamine" else DrugForm.RACEMATE

    @model_serializer(mode="wrap")
    def _without_unread(self, handler: SerializerFunctionWrapHandler, info: SerializationInfo) -> dict[str, Any]:
        """In a file, what is not read is not written; plain data keep it, because stored hashes are of them."""
        data: dict[str, Any] = handler(self)
        if (info.context or {}).get("with_units") and self.is_ketamine:
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
        if self.is_ketamine and (is_said or self.psychoactive != 0.0):
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
            where, day = f"infusions[{index}]", infusion.day
            if index == 0 and day is None:
                allowed = "a day: the first infusion has none before it"
                yield SpecError(where="infusions[0].gap", got="a gap", allowed=allowed)
            if day is not None and previous is not None and day <= previous:
                yield SpecError(where=f"{where}.day", got=day, allowed=f"a day after {previous}: order by time")
            previous = day if day is not None else (previous or 0) + (infusion.gap.high if infusion.gap else 0)
            for inside, session in infusion.sessions:
                for place, part in session.parts:
                    yield from self._part_faults(f"{where}.{inside}{place}", part)
                if session.under_anesthesia and not self.is_ketamine:
                    allowed = "nothing here for a control drug: its psychoactive score says what is felt"
                    yield SpecError(where=f"{where}.{inside}under_anesthesia", got=True, allowed=allowed)

    def _part_faults(self, where: str, part: GivenDose) -> Iterator[SpecError]:
        if self.is_ketamine and part.amount == 0.0:
            yield SpecError(
                where=f"{where}dose",
                got=part.amount_text,
                allowed=f"more than {part.amount_text} of ketamine",
                remedy="Use drug: saline for an infusion without ketamine.",
            )
        if self.drug == "saline" and part.amount:
            unit = "mg" if part.dose_mg_per_kg is None else "mg/kg"
            yield SpecError(
                where=f"{where}dose",
                got=part.amount_text,
                allowed=f"0 {unit} of saline: nothing of it is simulated",
                remedy=f"Write 0 {unit}, or name the drug that was meant.",
            )
        for name in ("product", "absorption"):
            if not self.is_ketamine and getattr(part, name) is not None:
                allowed = "nothing here for a control drug: its concentration is not simulated"
                yield SpecError(where=f"{where}{name}", got="given", allowed=allowed, remedy="Remove it.")

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


def _from_day_0(value: Any) -> Any:
    """A day of therapy before the first planned contact is refused with what was probably meant."""
    if isinstance(value, int) and value < 0:
        raise SpecError(
            where="value",
            got=value,
            allowed="0 or later: day 0 is the day of the first planned contact",
            remedy="For sessions before people stop, put population.quit_day after them; a session before an infusion "
            "has infusion with a negative offset_days.",
        )
    return value


class SessionDay(Record):
    """When a therapy session is held.

    Either on a fixed ``day``, or ``offset_days`` after infusion number ``infusion`` (from 1); a negative offset is a
    session of preparation before it.
    """

    day: Annotated[Day | None, BeforeValidator(_from_day_0)] = None
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
    allocation: Annotated[int, Field(strict=True, ge=1, le=10_000)] = 1
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


class MedicineCourse(GrownRecord):
    """A medicine taken from ``start_day`` on, to ``stop_day`` (itself without) or the end of follow-up.

    ``effect_share`` scales the sourced effect on the log-odds scale: 1 is the sourced contrast, 0 is an inert tablet.
    Adherence is not simulated: the sourced contrast is by intention to treat and holds it already.
    """

    added_fields: ClassVar[frozenset[str]] = frozenset({"start_day", "stop_day"})

    medicine: Slug
    effect_share: Fraction = 1.0
    start_day: Day = 0
    stop_day: Day | None = None

    def _faults(self) -> Iterator[SpecError]:
        if self.stop_day is not None and self.stop_day <= self.start_day:
            allowed = f"a day after start_day ({self.start_day}): the first day without it"
            yield SpecError(where="stop_day", got=self.stop_day, allowed=allowed)
