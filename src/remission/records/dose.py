"""One dose by any route: what was given, how, when, and what the giver assumes about its absorption."""

from collections.abc import Sequence
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from remission.errors import SpecError, did_you_mean
from remission.records.base import Record
from remission.records.infusions import DrugForm
from remission.records.quantity import DoseMgPerKg, DurationMin, Fraction
from remission.records.text import Sentence, Slug
from remission.units import parse_quantity

__all__ = ["Absorption", "Dose", "Route", "check_doses"]

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


DoseMg = Annotated[float, Field(ge=0.0, le=2000.0), BeforeValidator(_amount)]
"""Amount of free base of the form that is given. [mg]"""


class Absorption(Record):
    """An explicit assumption about absorption, where no rate is sourced. Results made with it say so.

    ``basis`` ``"assumed"`` takes ``ka_per_h`` as the rate constant of first-order absorption. ``"tmax"`` takes the
    constant with which the typical person peaks at the sourced time of the peak; then no ``ka_per_h`` is given. ``f``
    replaces the bioavailability of the library and is needed where that has none. ``reason`` is repeated beside the
    results.
    """

    basis: Literal["assumed", "tmax"] = "assumed"
    ka_per_h: Annotated[float, Field(gt=0.0, le=1000.0)] | None = None
    f: Annotated[Fraction, Field(gt=0.0)] | None = None
    reason: Sentence

    @model_validator(mode="after")
    def _one_rate(self) -> Self:
        if (self.basis == "assumed") == (self.ka_per_h is None):
            raise SpecError(
                where="ka_per_h",
                got=self.ka_per_h,
                allowed="a rate with basis 'assumed', none with basis 'tmax'",
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
    dose_mg_per_kg: DoseMgPerKg | None = None
    duration_min: Annotated[DurationMin | None, Field(alias="duration")] = None
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


def check_doses(doses: Sequence[Dose]) -> None:
    """Refuse what one session cannot be.

    Raises
    ------
    SpecError
        Doses run backwards in time, or infusions into a vein overlap.
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
        if dose.route is not Route.IV_INFUSION:
            continue
        if dose.start_h < ended - _TOUCHING_H:
            faults.append(
                SpecError(
                    where=f"doses[{index}].start_h",
                    got=f"{dose.start_h:g} h",
                    allowed=f"a start at or after {ended:g} h, when the infusion before ends",
                    remedy="In one vein one infusion runs; write a change of rate as a new infusion from there.",
                )
            )
        ended = max(ended, dose.start_h + dose.duration_h)
    if faults:
        raise SpecError.from_faults(faults)
