"""A pause or another rate during a session: what was planned becomes what was given, as steps of their own.

Nothing here steers a session. A change is written as ``pause 10 min at 20 min``, ``stop at 25 min``, ``50% at 20 min``
or ``0.3 mg/kg/h at 20 min``. After a pause the rest runs at its old rate and ends later by the pause. Under another
rate the rest of the dose runs until it is in, as a pump with a volume to be infused does, unless ``to the end`` says
that the planned end stays and the dose changes. Later steps wait until the one before has ended.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from remission.errors import SpecError
from remission.planner.request import PlannedInfusion, PlanRequest
from remission.records.typed import read_dose, read_minutes, read_share, tidy
from remission.units import hours_to_minutes, minutes_to_hours

# Rests shorter than this are the rounding of a time. [min]
_NOTHING_MIN = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class RateChange:
    """One change.

    ``at_min``: on the clock of the session as it runs, changes before it included. [min] ``pause_min``: length of a
    pause. [min] ``factor``: new rate as a share of the one that ran. [dimensionless] ``rate_mg_per_kg_per_h``: new
    rate. [mg/kg/h] ``to_the_end``: whether the planned end stays and the dose changes.
    """

    kind: Literal["pause", "stop", "factor", "rate"]
    at_min: float
    pause_min: float = 0.0
    factor: float = 0.0
    rate_mg_per_kg_per_h: float = 0.0
    to_the_end: bool = False
    typed: str = ""


def read_change(text: str, *, weight_kg: float, where: str = "change") -> RateChange:
    """A change as somebody writes it.

    Raises SpecError: it cannot be read.

    >>> read_change("pause 10 min at 20 min", weight_kg=82.0).pause_min
    10.0
    >>> read_change("50% at 20", weight_kg=82.0).factor, read_change("30 mg/h at 0:20", weight_kg=60.0).kind
    (0.5, 'rate')
    """
    allowed = "'pause 10 min at 20 min', 'stop at 25 min', '50% at 20 min' or '0.3 mg/kg/h at 20 min'"
    plain = tidy(text, where=where).lower()
    found = re.fullmatch(r"(.+?)\s+at\s+(.+?)(\s+to the end)?", plain)
    if found is None:
        raise SpecError(where=where, got=text, allowed=allowed)
    what, time, to_the_end = found[1], found[2], found[3] is not None
    at_min = read_minutes(time, where=where)
    common: dict[str, Any] = {"at_min": at_min, "typed": text}
    if what == "stop" and not to_the_end:
        return RateChange(kind="stop", **common)
    if what.startswith("pause") and not to_the_end:
        length = read_minutes(what.removeprefix("pause").removeprefix(" for").strip() or "0", where=where)
        if length <= 0.0:
            raise SpecError(where=where, got=text, allowed="a pause of more than 0 min, as 'pause 10 min at 20 min'")
        return RateChange(kind="pause", pause_min=length, **common)
    if what.endswith("%"):
        factor = read_share(what, where=where) if _percent(what) <= 100.0 else _percent(what) / 100.0
        if not 0.0 < factor <= 4.0:
            raise SpecError(where=where, got=text, allowed="a share of the rate above 0% and up to 400%; or stop")
        return RateChange(kind="factor", factor=factor, to_the_end=to_the_end, **common)
    dose = read_dose(what, where=where)
    if dose is None or not dose.is_per_h or dose.amount_mg <= 0.0:
        raise SpecError(where=where, got=text, allowed=allowed)
    rate = dose.amount_mg if dose.is_per_kg else dose.amount_mg / weight_kg
    return RateChange(kind="rate", rate_mg_per_kg_per_h=rate, to_the_end=to_the_end, **common)


def change_rates(request: PlanRequest, changes: Sequence[RateChange], *, where: str = "change") -> PlanRequest:
    """The session as it ran: the infusions of a request with changes laid over them, in the order of time.

    Raises SpecError: the route is no vein; a change stands before the start, in a pause, after the end, or before
    another.
    """
    if request.route != "iv":
        raise SpecError(
            where=where, got=request.route, allowed="changes of an infusion into a vein, and of nothing else"
        )
    steps = [_Step.of(one) for one in request.infusions]
    last_min = float("-inf")
    for one in changes:
        if one.at_min < last_min:
            raise SpecError(
                where=where, got=one.typed, allowed=f"changes in the order of time, from {last_min:g} min on"
            )
        last_min = one.at_min
        steps = _apply(steps, one, where)
    return request.replace(infusions=tuple(one.planned() for one in steps))


@dataclass(frozen=True, slots=True)
class _Step:
    start_min: float
    length_min: float
    dose_mg_per_kg: float

    @classmethod
    def of(cls, one: PlannedInfusion) -> "_Step":
        return cls(hours_to_minutes(one.start_h), one.duration_min or 0.0, one.dose_mg_per_kg)

    @property
    def end_min(self) -> float:
        return self.start_min + self.length_min

    def planned(self) -> PlannedInfusion:
        return PlannedInfusion(
            dose_mg_per_kg=self.dose_mg_per_kg, duration_min=self.length_min, start_h=minutes_to_hours(self.start_min)
        )


def _apply(steps: list[_Step], change: RateChange, where: str) -> list[_Step]:
    at = change.at_min
    index = next(
        (number for number, one in enumerate(steps) if one.start_min - _NOTHING_MIN <= at < one.end_min - _NOTHING_MIN),
        None,
    )
    if index is None:
        runs = ", ".join(f"{one.start_min:g} to {one.end_min:g} min" for one in steps)
        first = steps[0].start_min
        raise SpecError(
            where=where,
            got=change.typed or f"at {at:g} min",
            allowed=f"a time at which something runs: {runs}",
            remedy=f"Nothing runs before {first:g} min: write that start instead."
            if at < first
            else "After the end nothing can change.",
        )
    running = steps[index]
    done = (at - running.start_min) / running.length_min
    before = _Step(running.start_min, at - running.start_min, running.dose_mg_per_kg * done)
    rest_min, rest_dose = running.end_min - at, running.dose_mg_per_kg * (1.0 - done)
    if change.kind == "stop":
        # Stopped is stopped: later steps are not given either.
        after: list[_Step] = []
        later: list[_Step] = []
    else:
        if change.kind == "pause":
            rest = _Step(at + change.pause_min, rest_min, rest_dose)
        else:
            ran = running.dose_mg_per_kg / running.length_min
            # What runs in an hour, over 60 minutes.
            rate = change.factor * ran if change.kind == "factor" else minutes_to_hours(change.rate_mg_per_kg_per_h)
            if change.to_the_end:
                rest = _Step(at, rest_min, rate * rest_min)
            elif ran == 0.0:
                raise SpecError(where=where, got=change.typed, allowed="a change of an infusion of ketamine")
            else:
                rest = _Step(at, rest_dose / rate, rest_dose)
        after = [rest]
        shift = max(0.0, rest.end_min - running.end_min)
        later = [_Step(one.start_min + shift, one.length_min, one.dose_mg_per_kg) for one in steps[index + 1 :]]
    made = [*steps[:index], *([before] if before.length_min > _NOTHING_MIN else []), *after, *later]
    if not made:
        raise SpecError(
            where=where, got=change.typed, allowed="a stop after something was given",
            remedy="Stopped at the start, nothing is given and nothing can be planned.",
        )  # fmt: skip
    return made


def _percent(text: str) -> float:
    try:
        return float(text.removesuffix("%").strip())
    except ValueError:
        return 100.0
