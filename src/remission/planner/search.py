"""The other way round: the largest dose, or the fastest infusion, that stays inside a limit.

A limit is a largest rise of pressure in a share of the simulated people, or concentrations that a trial reports. It is
never a wanted dissociation: no trial shows that more of it does more good, and a target of intoxication is no research
question. Wherever a pressure before the session is known, 180 systolic and 110 diastolic stand as limits as well, in at
least nine of ten people, whatever is asked: a rise that is small can end too high.

The search stays inside the doses and rates of published infusions for an addiction, and takes steps of
0.01 mg/kg or one minute.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.library.sessions import PlasmaRange, load_plasma_ranges, load_regimens
from remission.numerics.intervals import Z95, share_interval
from remission.pk import load_pk_model, models_for_infusions
from remission.planner.checks import check_session
from remission.planner.plan import Plan, plan_infusion
from remission.planner.request import PlannedInfusion, PlanRequest
from remission.planner.session import simulate_session
from remission.planner.simulated import SimulatedSession
from remission.records.analyte import SamplingSite
from remission.records.base import Record
from remission.records.result import Result
from remission.records.typed import read_pressure_mmhg
from remission.shapes import Bool
from remission.units import hours_to_minutes

_RISES = {"sbp-rise": "sbp_rise", "dbp-rise": "dbp_rise"}
_REFUSED = {"dissociation", "vas", "cadss", "high", "experience"}
_MOST_H = "evidence_duration_h"


class Limit(Record):
    """What a regimen must stay inside.

    quantity
        ``sbp-rise`` or ``dbp-rise`` with ``most_mmhg``, or ``plasma`` with the name of a range of the library.
    """

    quantity: Literal["sbp-rise", "dbp-rise", "plasma"]
    most_mmhg: Annotated[float, Field(gt=0.0, le=100.0)] | None = None
    plasma: str | None = None

    @property
    def words(self) -> str:
        """The limit in words."""
        if self.quantity == "plasma":
            return f"plasma ketamine as in {self.plasma}"
        side = "systolic" if self.quantity == "sbp-rise" else "diastolic"
        return f"{side} rise of at most {self.most_mmhg:g} mmHg"


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedReach:
    """Doses and rates of published single infusions for an addiction, between which a search stays."""

    low_mg_per_kg: float
    high_mg_per_kg: float
    low_mg_per_kg_per_min: float
    high_mg_per_kg_per_min: float
    longest_min: float


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundRegimen(Result):
    """What a search found.

    ``value``: largest dose [mg/kg] or shortest duration [min] inside every limit; None where none exists. ``cautious``,
    ``lenient``: the same at the two ends of the 95% Monte Carlo interval: what other simulated people could have given.
    ``bound_by``: ``limit``: one step further breaks it. ``published``: the end of the published range comes first.
    ``none``: not even the mildest published regimen stays inside. ``asked``: what was looked for; its dose or its
    minutes are a stand-in. ``request``: the regimen that was found. ``share_inside``: share of people inside every
    limit of pressure at ``value``, the standing ones included. ``standing``: the standing limits in words; those of a
    pressure that is not known are in ``unchecked``. ``standing_fraction``: least share of people inside each standing
    limit. [0 to 1] ``plan``: the plan of what was found; where nothing was, of the mildest that was tried.
    ``under_models``: the same answer under each published model that reaches the effect site, None where none exists;
    how far they lie apart is doubt about the model. ``value`` is that of the model that was asked for.
    """

    target: Literal["dose", "duration"]
    unit: str
    value: float | None
    cautious: float | None
    lenient: float | None
    bound_by: Literal["limit", "published", "none"]
    share_inside: float | None
    reach: PublishedReach
    limits: tuple[Limit, ...]
    share: float
    asked: PlanRequest
    request: PlanRequest | None
    standing: tuple[str, ...]
    unchecked: tuple[str, ...]
    standing_fraction: float
    plan: Plan
    under_models: dict[str, float | None]

    def columns(self) -> Mapping[str, Any]:
        """One row a published model that reaches the effect site: its own answer."""
        name = "dose_mg_per_kg" if self.target == "dose" else "duration_min"
        return {"model": list(self.under_models), name: list(self.under_models.values())}


def read_limit(text: str) -> Limit:
    """A limit from ``name=number``: ``sbp-rise=20``, ``dbp-rise=15``.

    Raises SpecError: the name is not one of these, or asks for dissociation; the number is none.
    """
    name, equals, number = (part.strip().lower() for part in text.partition("="))
    if name in _REFUSED:
        raise SpecError(
            where="limit",
            got=text,
            allowed="sbp-rise or dbp-rise in mmHg, never a dissociation",
            remedy="No trial shows that a wanted dissociation does good. Its simulated range stands beside every plan.",
        )
    try:
        value = read_pressure_mmhg(number, where="limit")[0] if number else float("nan")
    except SpecError:
        value = float("nan")
    if name not in _RISES or not equals or not 0.0 < value <= 100.0:
        raise SpecError(where="limit", got=text, allowed="sbp-rise=20 or dbp-rise=15, in mmHg, above 0 and up to 100")
    return Limit.create(quantity=name, most_mmhg=value)


@cache
def published_reach() -> PublishedReach:
    """The published range, from the regimens of the library."""
    single = [one for one in load_regimens() if one.route == "iv" and one.is_addiction and len(one.steps) == 1]
    doses = [one.steps[0].dose_mg_per_kg or 0.0 for one in single]
    rates = [dose / (one.steps[0].duration_min or 1.0) for dose, one in zip(doses, single, strict=True)]
    return PublishedReach(
        low_mg_per_kg=min(doses),
        high_mg_per_kg=max(doses),
        low_mg_per_kg_per_min=min(rates),
        high_mg_per_kg_per_min=max(rates),
        longest_min=hours_to_minutes(load_parameter_set("dosing-limits").value(_MOST_H)),
    )


def search_regimen(
    request: PlanRequest, *, target: Literal["dose", "duration"], limits: Sequence[Limit], share: float = 0.9
) -> FoundRegimen:
    """The largest dose over the minutes of the request, or the fastest infusion of its dose, inside the limits.

    ``request``: one infusion into a vein; what is searched for is replaced. ``limits``: at least one. ``share``: share
    of the simulated people who must stay inside. [0.5 to 0.99] Raises SpecError: not one infusion, no limit, a range
    that is not known, a share out of range, or a contraindication.
    """
    _check(request, limits, share)
    reach = published_reach()
    infusion = request.infusions[0]
    minutes = infusion.duration_min or 0.0
    if target == "dose":
        low = max(reach.low_mg_per_kg, reach.low_mg_per_kg_per_min * minutes)
        high = min(reach.high_mg_per_kg, reach.high_mg_per_kg_per_min * minutes)
        # From mild to strong, in whole steps inside the range.
        steps = [round(0.01 * k, 2) for k in range(int(np.ceil(low * 100 - 1e-6)), int(high * 100 + 1e-6) + 1)]
        made = [infusion.replace(dose_mg_per_kg=one) for one in steps]
    else:
        dose = infusion.dose_mg_per_kg
        if not reach.low_mg_per_kg <= dose <= reach.high_mg_per_kg:
            raise SpecError(
                where="dose",
                got=f"{dose:g} mg/kg",
                allowed=f"a published dose, {reach.low_mg_per_kg:g} to {reach.high_mg_per_kg:g} mg/kg",
            )
        fastest = int(np.ceil(dose / reach.high_mg_per_kg_per_min - 1e-6))
        slowest = int(min(reach.longest_min, dose / reach.low_mg_per_kg_per_min + 1e-6))
        steps = [float(one) for one in range(slowest, fastest - 1, -1)]
        made = [infusion.replace(duration_min=one) for one in steps]
    if not steps:
        raise SpecError(
            where="minutes",
            got=f"{minutes:g} min",
            allowed="minutes for which a published rate gives a published dose",
        )
    return _walk(request, target, tuple(limits), share, steps, made)


def _walk(
    request: PlanRequest,
    target: Literal["dose", "duration"],
    limits: tuple[Limit, ...],
    share: float,
    steps: list[float],
    made: list[PlannedInfusion],
) -> FoundRegimen:
    """Bisection from mild to strong: effects grow along the list."""

    def judging(asked: PlanRequest) -> Callable[[int], tuple[tuple[bool, bool, bool], float]]:
        @cache
        def judged(index: int) -> tuple[tuple[bool, bool, bool], float]:
            tried = asked.replace(infusions=(made[index],))
            return _judge(simulate_session(tried, detail="limits"), tried, limits, share)

        return judged

    def furthest(judged: Callable[[int], tuple[tuple[bool, bool, bool], float]], which: int) -> int | None:
        if not judged(0)[0][which]:
            return None
        inside, outside = 0, len(steps)
        while outside - inside > 1:
            middle = (inside + outside) // 2
            inside, outside = (middle, outside) if judged(middle)[0][which] else (inside, middle)
        return inside

    def step(index: int | None) -> float | None:
        return None if index is None else steps[index]

    judged = judging(request)
    found, cautious, lenient = (furthest(judged, which) for which in range(3))
    own = load_pk_model(request.model).id
    under = {
        name: step(found if name == own else furthest(judging(request.replace(model=name)), 0))
        for name in _models_with_effects()
        if SamplingSite.VENOUS in load_pk_model(name).sites or not _has_plasma(limits)
    }
    standing = _standing(request)
    return FoundRegimen(
        target=target,
        unit="mg/kg" if target == "dose" else "min",
        value=step(found),
        cautious=step(cautious),
        lenient=step(lenient),
        bound_by="none" if found is None else "published" if found == len(steps) - 1 else "limit",
        share_inside=None if found is None else judged(found)[1],
        reach=published_reach(),
        limits=limits,
        share=share,
        asked=request,
        request=None if found is None else request.replace(infusions=(made[found],)),
        standing=tuple(f"{side} pressure at or below {limit:g} mmHg" for side, _, _, limit in standing),
        unchecked=tuple(
            f"{side} pressure of {limit:g} mmHg" for side, _, before, limit in _pressures(request) if before is None
        ),
        standing_fraction=max(share, _least_share()),
        plan=plan_infusion(request.replace(infusions=(made[found or 0],))),
        under_models=under,
    )


def _has_plasma(limits: Sequence[Limit]) -> bool:
    """Whether a limit looks at the vein, which a model of an unstated site has not."""
    return any(one.quantity == "plasma" for one in limits)


@cache
def _models_with_effects() -> tuple[str, ...]:
    """Published models under which effects can be read, for infusions."""
    return tuple(name for name in models_for_infusions() if SamplingSite.EFFECT in load_pk_model(name).sites)


def _pressures(request: PlanRequest) -> tuple[tuple[str, str, float | None, float], ...]:
    """Side, curve, pressure before the session and the limit that always stands."""
    limits = load_parameter_set("dosing-limits")
    return (
        ("systolic", "sbp_rise", request.sbp0_mmhg, limits.value("sbp_limit_mmhg")),
        ("diastolic", "dbp_rise", request.dbp0_mmhg, limits.value("dbp_limit_mmhg")),
    )


def _standing(request: PlanRequest) -> list[tuple[str, str, float, float]]:
    return [(side, curve, before, limit) for side, curve, before, limit in _pressures(request) if before is not None]


def _least_share() -> float:
    return load_parameter_set("dosing-limits").value("standing_share")


def _judge(
    session: SimulatedSession, request: PlanRequest, limits: tuple[Limit, ...], share: float
) -> tuple[tuple[bool, bool, bool], float]:
    """Whether the limits hold as found, at the cautious and at the lenient end; and the share of people inside."""
    infusion = request.infusions[0]
    inside = np.ones(session.n_people, dtype=bool)
    means = []
    for _, curve, before, most in _standing(request):
        below = _stays_below(session, curve, most - before)
        inside &= below
        means.append(_holds(below, max(share, _least_share())))
    for limit in limits:
        if limit.quantity != "plasma":
            inside &= _stays_below(session, _RISES[limit.quantity], limit.most_mmhg or 0.0)
            continue
        found = _plasma(limit.plasma)
        for values in _at(session, infusion, found):
            if found.of == "people":
                inside &= values <= found.high_ng_per_ml
            else:
                error = float(values.std(ddof=1) / np.sqrt(values.size))
                means.append(
                    [float(values.mean()) + shift * Z95 * error <= found.high_ng_per_ml for shift in (0, 1, -1)]
                )
    answers = [all(column) for column in zip(_holds(inside, share), *means, strict=True)]
    return (answers[0], answers[1], answers[2]), float(np.mean(inside))


def _stays_below(session: SimulatedSession, rise: str, most_mmhg: float) -> Bool[np.ndarray, " subject"]:
    """Who stays below; nobody does where the rise lies beyond what was studied, because then it is not known."""
    if rise not in {one.name for one in session.values}:
        return np.zeros(session.n_people, dtype=bool)
    return session.of(rise).max(axis=1) <= most_mmhg


def _holds(inside: Bool[np.ndarray, " subject"], share: float) -> list[bool]:
    """Whether enough people are inside: as found, and at the two ends of the 95% Monte Carlo interval."""
    hit = int(np.count_nonzero(inside))
    low, high = share_interval(hit, inside.size)
    return [hit / inside.size >= share, low >= share, high >= share]


def _at(session: SimulatedSession, infusion: PlannedInfusion, found: PlasmaRange) -> list[np.ndarray]:
    """Venous ketamine of each person at every reading of the time."""
    venous = session.of("ket", "venous")
    ends = {"start": 0.0, "end": infusion.duration_h}
    times = [infusion.start_h + ends[one] + found.after_h for one in found.reference]
    return [np.array([np.interp(time, session.t_h, row) for row in venous]) for time in times]


def _plasma(name: str | None) -> PlasmaRange:
    known: dict[str, PlasmaRange] = {one.id: one for one in load_plasma_ranges()}
    if name not in known:
        raise SpecError(where="plasma", got=name, allowed=f"one of {', '.join(known)}")
    return known[name]


_RULES: tuple[tuple[Callable[[PlanRequest], bool], str, str], ...] = (
    (lambda one: one.route == "iv", "route", "an infusion into a vein; other routes have no effects here"),
    (lambda one: len(one.infusions) == 1, "dose", "one infusion"),
)


def _check(request: PlanRequest, limits: Sequence[Limit], share: float) -> None:
    for holds, where, allowed in _RULES:
        if not holds(request):
            raise SpecError(where=where, got=f"{len(request.infusions)} doses, {request.route}", allowed=allowed)
    if _has_plasma(limits) and SamplingSite.VENOUS not in load_pk_model(request.model).sites:
        raise SpecError(
            where="model", got=request.model, allowed="a model that reaches the vein, where plasma ranges were measured"
        )
    if not limits:
        raise SpecError(where="limit", got="none", allowed="a limit, such as sbp-rise=20, or a plasma range")
    if not 0.5 <= share <= 0.99:
        raise SpecError(where="share", got=share, allowed="a share of people from 0.5 to 0.99")
    for limit in limits:
        if limit.quantity == "plasma":
            _plasma(limit.plasma)
    blocked = [one for one in check_session(request) if one.kind == "contraindication"]
    if blocked:
        raise SpecError(where="has", got=blocked[0].label, allowed="no contraindication", remedy=blocked[0].consequence)
