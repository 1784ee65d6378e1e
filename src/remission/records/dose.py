"""One dose by any route: what was given, how, when, and what the giver assumes about its absorption."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from remission.errors import SpecError, did_you_mean
from remission.records.base import Record
from remission.records.infusions import DrugForm
from remission.records.quantity import Fraction, LongDoseMgPerKg, LongDurationMin
from remission.records.text import Sentence, Slug
from remission.units import parse_quantity

__all__ = ["Absorption", "Dose", "Route", "check_doses", "rate_steps"]

# As dosing-limits of the library has them, which records do not read; a test holds both together.
_WINDOW_H = 4.0
_MOST_MG_PER_KG = 5.0
_MOST_MG = 2000.0
# Two infusions that meet end to start may differ by the rounding of their times.
_TOUCHING_H = 1e-9


class Route(StrEnum):
    """How a dose enters the body."""

    IV_INFUSION = "iv_infusion"
    """Into a vein at a constant rate."""
    IV_BOLUS = "iv_bolus"
    """Into a vein all at once."""
    IM = "im"
    """Into a muscle."""
    SC = "sc"
    """Under the skin."""
    ORAL = "oral"
    """Swallowed."""
    SUBLINGUAL = "sublingual"
    """Tablet, wafer or lozenge under the tongue."""
    FILM = "film"
    """Oral thin film, held under the tongue or in the cheek."""
    INTRANASAL = "intranasal"
    """Sprayed into the nose."""
    RECTAL = "rectal"
    """Suppository."""


def _amount(value: Any) -> Any:
    return parse_quantity(value, "mg") if isinstance(value, str) else value


def _route(value: Any) -> Any:
    known = [route.value for route in Route]
    if isinstance(value, str) and value not in known:
        raise SpecError(
            where="value",
            got=value,
            allowed=f"one of {', '.join(known)}",
            remedy=did_you_mean(value, known),
        )
    return value


DoseMg = Annotated[float, Field(ge=0.0, le=100_000.0), BeforeValidator(_amount)]
"""Amount of free base of the form that is given. [mg]"""


class Absorption(Record):
    """An explicit assumption about absorption, where no rate is sourced. Results made with it say so.

    ``basis`` ``"assumed"`` takes ``ka_per_h`` as the rate constant of first-order absorption. ``"tmax"`` takes the
    constant with which the typical person peaks at the sourced time of the peak, in the blood where that was read;
    ``"library"`` takes the distribution that the library states for the product. Then no ``ka_per_h`` is given. ``f``
    replaces the bioavailability of the library and is needed where that has none. ``reason`` is repeated beside the
    results.
    """

    basis: Literal["assumed", "tmax", "library"] = "assumed"
    ka_per_h: Annotated[float, Field(gt=0.0, le=1000.0)] | None = None
    f: Annotated[Fraction, Field(gt=0.0)] | None = None
    reason: Sentence

    @model_validator(mode="after")
    def _one_rate(self) -> Self:
        if (self.basis == "assumed") == (self.ka_per_h is None):
            raise SpecError(
                where="ka_per_h",
                got=self.ka_per_h,
                allowed="a rate with basis 'assumed', none with basis 'tmax' or 'library'",
            )
        return self


class Dose(Record):
    """One dose on the session clock.

    Give ``dose_mg`` or ``dose_mg_per_kg``, or ``dose`` as text with its unit; ``duration_min`` for an infusion and for
    nothing else. ``product`` names a row of the library of products where a route has several.

    Examples
    --------
    >>> Dose.create(route="iv_infusion", dose="0.5 mg/kg", duration="40 min").dose_mg_per_kg
    0.5
    >>> Dose.create(route="intranasal", dose="56 mg", form="esketamine").dose_mg
    56.0
    """

    route: Annotated[Route, BeforeValidator(_route)]
    dose_mg: DoseMg | None = None
    dose_mg_per_kg: LongDoseMgPerKg | None = None
    duration_min: Annotated[LongDurationMin | None, Field(alias="duration")] = None
    start_h: Annotated[float, Field(ge=0.0, le=168.0)] = 0.0
    form: DrugForm = DrugForm.RACEMATE
    product: Slug | None = None
    absorption: Absorption | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, data: Any) -> Any:
        if not isinstance(data, dict) or "dose" not in data:
            return data
        rest = {name: value for name, value in data.items() if name != "dose"}
        if not isinstance(data["dose"], str):
            raise SpecError(
                where="dose",
                got=data["dose"],
                allowed="an amount with its unit, such as '35 mg' or '0.5 mg/kg'",
                remedy="A bare number could be either.",
            )
        per_weight = "/" in data["dose"] or " per " in data["dose"]
        return {**rest, "dose_mg_per_kg" if per_weight else "dose_mg": data["dose"]}

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        faults = []
        if (self.dose_mg is None) == (self.dose_mg_per_kg is None):
            faults.append(
                SpecError(
                    where="dose_mg",
                    got=(self.dose_mg, self.dose_mg_per_kg),
                    allowed="exactly one of dose_mg and dose_mg_per_kg",
                )
            )
        is_infusion = self.route is Route.IV_INFUSION
        # The largest dose is for what is given within hours; an infusion of days gives more.
        for name, most, unit in (("dose_mg", _MOST_MG, "mg"), ("dose_mg_per_kg", _MOST_MG_PER_KG, "mg/kg")):
            amount, spread = getattr(self, name), max(1.0, self.duration_h / _WINDOW_H)
            if amount is not None and amount > most * spread * (1.0 + 1e-9):
                faults.append(
                    SpecError(
                        where=name,
                        got=f"{amount:g} {unit}",
                        allowed=f"at most {most:g} {unit} within {_WINDOW_H:g} h",
                        remedy="Was another unit meant? 40 mg for 70 kg is 0.57 mg/kg.",
                    )
                )
        if is_infusion and self.duration_min is None:
            faults.append(
                SpecError(
                    where="duration_min",
                    got="nothing",
                    allowed="the length of the infusion",
                    remedy="Write duration='40 min', or route='iv_bolus' for all at once.",
                )
            )
        if not is_infusion and self.duration_min is not None:
            faults.append(
                SpecError(
                    where="duration_min",
                    got=self.duration_min,
                    allowed=f"none with route '{self.route.value}': only infusions have one",
                )
            )
        if self.route.value.startswith("iv") and (self.absorption is not None or self.product is not None):
            faults.append(
                SpecError(
                    where="absorption",
                    got="given",
                    allowed="neither absorption nor product for a dose into a vein: all of it arrives",
                )
            )
        if faults:
            raise SpecError.from_faults(faults)
        return self

    @property
    def duration_h(self) -> float:
        """Length of an infusion, 0 for every other route. [h]"""
        return 0.0 if self.duration_min is None else self.duration_min / 60.0


def rate_steps(steps: Sequence[tuple[str, str]], *, end: str, form: DrugForm = DrugForm.RACEMATE) -> tuple[Dose, ...]:
    """One infusion whose rate is changed while it runs, as the doses of its pieces; a rate of 0 is a pause.

    Parameters
    ----------
    steps
        Pairs of time and rate, such as ``[("0 min", "30 mg/h"), ("20 min", "45 mg/h")]``, in order of time.
    end
        When the pump stops, such as ``"40 min"``.

    Raises
    ------
    SpecError
        No step, a rate below 0, times that do not rise, a change before the first start or after the end.

    Examples
    --------
    >>> [one.dose_mg for one in rate_steps([("0 min", "30 mg/h"), ("20 min", "45 mg/h")], end="40 min")]
    [10.0, 15.0]
    """
    if not steps:
        raise SpecError(where="steps", got="nothing", allowed="at least one pair of time and rate")
    times = [parse_quantity(time, "h") for time, _ in steps]
    rates = [parse_quantity(rate, "mg/h") for _, rate in steps]
    stop = parse_quantity(end, "h")
    faults = []
    for index, (time, rate) in enumerate(zip(times, rates, strict=True)):
        before = 0.0 if index == 0 else times[index - 1]
        if time < before or (index and time <= before):
            faults.append(
                SpecError(
                    where=f"steps[{index}]",
                    got=steps[index][0],
                    allowed="a time of 0 or later" if index == 0 else f"a time after {steps[index - 1][0]}",
                    remedy="Order changes of rate by time; the first is the start.",
                )
            )
        if not rate >= 0.0:
            faults.append(SpecError(where=f"steps[{index}]", got=steps[index][1], allowed="a rate of 0 or more"))
    if stop <= times[-1]:
        faults.append(
            SpecError(
                where="end", got=end, allowed=f"a time after the last change, {steps[-1][0]}",
                remedy="Leave out changes after the end.",
            )
        )  # fmt: skip
    if faults:
        raise SpecError.from_faults(faults)
    pieces = zip(times, [*times[1:], stop], rates, strict=True)
    return tuple(
        Dose(
            route=Route.IV_INFUSION, dose_mg=rate * (until - since), duration_min=60.0 * (until - since), start_h=since,
            form=form,
        )
        for since, until, rate in pieces
        if rate > 0.0
    )  # fmt: skip


def check_doses(doses: Sequence[Dose], *, overlap: bool = False) -> None:
    """Refuse what one session cannot be.

    Parameters
    ----------
    overlap
        Whether infusions may run at the same time, through two lines; their rates add up.

    Raises
    ------
    SpecError
        Doses run backwards in time, or infusions into a vein overlap without ``overlap``.
    """
    faults = [
        SpecError(
            where=f"doses[{index}].start_h",
            got=f"{dose.start_h:g} h",
            allowed=f"at or after the dose before, {before.start_h:g} h",
            remedy="Order doses by time.",
        )
        for index, (before, dose) in enumerate(pairwise(doses), start=1)
        if dose.start_h < before.start_h
    ]
    ended = 0.0
    for index, dose in enumerate(doses):
        if dose.route is not Route.IV_INFUSION or overlap:
            continue
        if dose.start_h < ended - _TOUCHING_H:
            faults.append(
                SpecError(
                    where=f"doses[{index}].start_h",
                    got=f"{dose.start_h:g} h",
                    allowed=f"a start at or after {ended:g} h, when the infusion before ends",
                    remedy="In one vein one infusion runs; write a change of rate as a new infusion from there, or "
                    "say that both run (overlap).",
                )
            )
        ended = max(ended, dose.start_h + dose.duration_h)
    if faults:
        raise SpecError.from_faults(faults)
