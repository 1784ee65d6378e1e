"""One dose by any route: what was given, how, when, and what the giver assumes about its absorption."""

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from remission.errors import SpecError, nearest_names
from remission.records.base import Record
from remission.records.packaged import packaged_toml
from remission.records.quantity import (
    MOST_MG,
    MOST_MG_PER_KG,
    WINDOW_H,
    Fraction,
    LongDoseMgPerKg,
    LongDurationMin,
)
from remission.records.text import Sentence, Slug
from remission.units import hours_to_minutes, minutes_to_hours, parse_quantity

TOUCHING_H = 1e-9
"""Two infusions that meet end to start may differ by the rounding of their times. [h]"""


class DrugForm(StrEnum):
    """What is in the syringe."""

    RACEMATE = "racemate"
    """Racemic ketamine, half S and half R by mass."""
    ESKETAMINE = "esketamine"
    """S-ketamine alone."""


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


def _words(text: str) -> str:
    return " ".join(re.sub(r"[-_.,/()]", " ", text).casefold().split())


@cache
def _known_words(kinds: type[Route] | type[DrugForm], table: str) -> dict[str, Any]:
    """Each name and usual word of an enumeration, with its member."""
    usual, known = packaged_toml("words", "dose.toml")[table], dict[str, Any]()
    for kind in kinds:
        known |= dict.fromkeys((_words(text) for text in (kind.value, *usual[kind.value])), kind)
    return known


def _by_words(value: Any, kinds: type[Route] | type[DrugForm], table: str) -> Any:
    """A member of an enumeration by its name or usual words; what is no text is left to the type."""
    if not isinstance(value, str):
        return value
    known = _known_words(kinds, table)
    found = known.get(_words(value))
    if found is not None:
        return found
    names = [kind.value for kind in kinds]
    # The nearest by meaning: a slip of a usual word leads to the name that it stands for.
    meant = dict.fromkeys(known[name].value for name in nearest_names(_words(value), known, 3))
    raise SpecError(
        where="value", got=value, allowed=f"one of {', '.join(names)}",
        remedy=f"Did you mean {' or '.join(meant)}?" if meant else "",
    )  # fmt: skip


def read_route(value: Any) -> Any:
    """A route by its name or in usual words, in any case: ``iv``, ``im``, ``po``, ``in``, ``sl``, ``sc``.

    ``iv`` is an infusion, which needs its length; a bolus is called one, because it is another peak.

    Raises SpecError: it is no route; the nearest by meaning is named where one is near.

    Examples
    --------
    >>> [read_route(text).value for text in ("IV", "p.o.", "nasal spray", "Under the skin")]
    ['iv_infusion', 'oral', 'intranasal', 'sc']
    """
    return _by_words(value, Route, "routes")


def read_form(value: Any) -> Any:
    """What is in the syringe, by its name or in usual words.

    Raises SpecError: it is neither.

    Examples
    --------
    >>> read_form("Ketamine").value, read_form("S-ketamine").value
    ('racemate', 'esketamine')
    """
    return _by_words(value, DrugForm, "forms")


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

    def _faults(self) -> Iterator[SpecError]:
        if (self.basis == "assumed") == (self.ka_per_h is None):
            allowed = "a rate with basis 'assumed', none with basis 'tmax' or 'library'"
            yield SpecError(where="ka_per_h", got=self.ka_per_h, allowed=allowed)


class Dose(Record):
    """One dose on the session clock.

    Give ``dose_mg`` or ``dose_mg_per_kg``, or ``dose`` as text with its unit; ``duration_min`` for an infusion and for
    nothing else. ``product`` names a row of the library of products where a route has several.

    Examples
    --------
    >>> Dose.create(route="iv", dose="0.5 mg/kg", duration="40 min").dose_mg_per_kg
    0.5
    >>> Dose.create(route="intranasal", dose="56 mg", form="esketamine").dose_mg
    56.0
    """

    route: Annotated[Route, BeforeValidator(read_route)]
    dose_mg: DoseMg | None = None
    dose_mg_per_kg: LongDoseMgPerKg | None = None
    duration_min: Annotated[LongDurationMin | None, Field(alias="duration")] = None
    start_h: Annotated[float, Field(ge=0.0, le=168.0)] = 0.0
    form: Annotated[DrugForm, BeforeValidator(read_form)] = DrugForm.RACEMATE
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

    def _faults(self) -> Iterator[SpecError]:
        if (self.dose_mg is None) == (self.dose_mg_per_kg is None):
            got = (self.dose_mg, self.dose_mg_per_kg)
            yield SpecError(where="dose_mg", got=got, allowed="exactly one of dose_mg and dose_mg_per_kg")
        # The largest dose is for what is given within hours; an infusion of days gives more.
        for name, most, unit in (("dose_mg", MOST_MG, "mg"), ("dose_mg_per_kg", MOST_MG_PER_KG, "mg/kg")):
            amount, spread = getattr(self, name), max(1.0, self.duration_h / WINDOW_H)
            if amount is not None and amount > most * spread * (1.0 + 1e-9):
                yield SpecError(
                    where=name,
                    got=f"{amount:g} {unit}",
                    allowed=f"at most {most:g} {unit} within {WINDOW_H:g} h",
                    remedy="Was another unit meant? 40 mg for 70 kg is 0.57 mg/kg.",
                )
        is_infusion = self.route is Route.IV_INFUSION
        if is_infusion and self.duration_min is None:
            yield SpecError(
                where="duration_min",
                got="nothing",
                allowed="the length of the infusion",
                remedy="Write duration='40 min', or route='iv_bolus' for all at once.",
            )
        if not is_infusion and self.duration_min is not None:
            allowed = f"none with route '{self.route.value}': only infusions have one"
            yield SpecError(where="duration_min", got=self.duration_min, allowed=allowed)
        if self.route.value.startswith("iv") and (self.absorption is not None or self.product is not None):
            allowed = "neither absorption nor product for a dose into a vein: all of it arrives"
            yield SpecError(where="absorption", got="given", allowed=allowed)

    @property
    def duration_h(self) -> float:
        """Length of an infusion, 0 for every other route. [h]"""
        return 0.0 if self.duration_min is None else minutes_to_hours(self.duration_min)

    @property
    def end_h(self) -> float:
        """When nothing more of it is given. [h]"""
        return self.start_h + self.duration_h


def rate_steps(steps: Sequence[tuple[str, str]], *, end: str, form: DrugForm = DrugForm.RACEMATE) -> tuple[Dose, ...]:
    """One infusion whose rate is changed while it runs, as the doses of its pieces; a rate of 0 is a pause.

    ``steps``: pairs of time and rate, such as ``[("0 min", "30 mg/h"), ("20 min", "45 mg/h")]``, in order of time.
    ``end``: when the pump stops, such as ``"40 min"``.
    Raises SpecError: no step, a rate below 0, times that do not rise, a change before the first start or after the end.

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
    SpecError.check(_step_faults(steps, times, rates, stop, end))
    pieces = zip(times, [*times[1:], stop], rates, strict=True)
    return tuple(
        Dose(
            route=Route.IV_INFUSION, dose_mg=rate * (until - since), duration_min=hours_to_minutes(until - since),
            start_h=since, form=form,
        )
        for since, until, rate in pieces
        if rate > 0.0
    )  # fmt: skip


def _step_faults(
    steps: Sequence[tuple[str, str]], times: list[float], rates: list[float], stop: float, end: str
) -> Iterator[SpecError]:
    for index, (time, rate) in enumerate(zip(times, rates, strict=True)):
        if time < 0.0 or (index and time <= times[index - 1]):
            yield SpecError(
                where=f"steps[{index}]",
                got=steps[index][0],
                allowed="a time of 0 or later" if index == 0 else f"a time after {steps[index - 1][0]}",
                remedy="Order changes of rate by time; the first is the start.",
            )
        if not rate >= 0.0:
            yield SpecError(where=f"steps[{index}]", got=steps[index][1], allowed="a rate of 0 or more")
    if stop <= times[-1]:
        allowed = f"a time after the last change, {steps[-1][0]}"
        yield SpecError(where="end", got=end, allowed=allowed, remedy="Leave out changes after the end.")


def check_doses(doses: Sequence[Dose], *, overlap: bool = False) -> None:
    """Refuse what one session cannot be.

    ``overlap``: whether infusions may run at the same time, through two lines; their rates add up.
    Raises SpecError: doses run backwards in time, or infusions into a vein overlap without ``overlap``.
    """
    SpecError.check(_order_faults(doses, overlap))


def _order_faults(doses: Sequence[Dose], overlap: bool) -> Iterator[SpecError]:
    for index, (before, dose) in enumerate(pairwise(doses), start=1):
        if dose.start_h < before.start_h:
            yield SpecError(
                where=f"doses[{index}].start_h",
                got=f"{dose.start_h:g} h",
                allowed=f"at or after the dose before, {before.start_h:g} h",
                remedy="Order doses by time.",
            )
    running = [(index, dose) for index, dose in enumerate(doses) if dose.route is Route.IV_INFUSION and not overlap]
    for number, ended in overlaps([(dose.start_h, dose.end_h) for _, dose in running]):
        index, dose = running[number]
        yield SpecError(
            where=f"doses[{index}].start_h",
            got=f"{dose.start_h:g} h",
            allowed=f"a start at or after {ended:g} h, when the infusion before ends",
            remedy="In one vein one infusion runs; write a change of rate as a new infusion from there, or say that "
            "both run (overlap).",
        )


def overlaps(times_h: Sequence[tuple[float, float]]) -> list[tuple[int, float]]:
    """Infusions that begin while one above them runs, by number, with the end that they should wait for. [h]

    ``times_h``: start and end of each. [h]

    Examples
    --------
    >>> overlaps([(0.0, 1.0), (1.0, 2.0), (1.5, 1.6)])
    [(2, 2.0)]
    """
    found, ended = [], 0.0
    for number, (start_h, end_h) in enumerate(times_h):
        if start_h < ended - TOUCHING_H:
            found.append((number, ended))
        ended = max(ended, end_h)
    return found


def unbroken(times_h: Sequence[tuple[float, float]]) -> list[tuple[int, float, float]]:
    """Infusions end to end as one: the number of the first, start and end of each stretch without a break. [h]

    ``times_h``: start and end of each, in order of their starts. [h]

    Examples
    --------
    >>> unbroken([(0.0, 1.0), (1.0, 2.0), (3.0, 4.0)])
    [(0, 0.0, 2.0), (2, 3.0, 4.0)]
    """
    runs: list[tuple[int, float, float]] = []
    for number, (start_h, end_h) in enumerate(times_h):
        if runs and start_h <= runs[-1][2] + TOUCHING_H:
            first, since, until = runs.pop()
            runs.append((first, since, max(until, end_h)))
        else:
            runs.append((number, start_h, end_h))
    return runs
