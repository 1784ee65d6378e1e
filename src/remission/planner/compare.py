"""Two or more regimens in the same simulated people: differences person by person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from remission.errors import SpecError
from remission.planner.plan import Plan, summarize_session
from remission.planner.request import PlanRequest
from remission.planner.session import simulate_session
from remission.planner.shares import ShareDifference, share_difference
from remission.planner.simulated import Quantity, SimulatedSession
from remission.records.result import Result
from remission.shapes import Float

_BAND = (0.05, 0.5, 0.95)
_DOSING = {"infusions", "route", "assumed_ka_per_h", "assumed_f", "product"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Difference of the highest values of one person, over people: median and the range that holds 90% of them."""

    quantity: Quantity
    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDifference:
    """Difference of the highest values of one typical person under each published model that has both regimens.

    ``by_model``: second minus first. [ng/mL]
    """

    quantity: Quantity
    by_model: dict[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RegimenDifferences:
    """A later regimen minus the first one.

    ``peaks``: quantities that both have. ``exposure``: of session exposure; its quantity has no unit. None where one of
    the two has no effects. ``shares``: by limit: ``sbp_above``, ``dbp_above``, ``sbp_rise_above``; those that can be
    known. ``models``: blood under each published model: doubt about the model, which no range of people holds.
    """

    regimen: str
    peaks: tuple[Difference, ...]
    exposure: Difference | None
    shares: dict[str, ShareDifference]
    models: tuple[ModelDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison(Result):
    """Plans in the order asked for, and each later one beside the first."""

    plans: tuple[Plan, ...]
    differences: tuple[RegimenDifferences, ...]

    def columns(self) -> Mapping[str, Any]:
        """One row a later regimen and quantity: the difference from the first, person by person."""
        rows = [(beside.regimen, one) for beside in self.differences for one in beside.peaks]
        of_quantity = {name: [getattr(one.quantity, name) for _, one in rows] for name in ("name", "site", "unit")}
        numbers = {name: [getattr(one, name) for _, one in rows] for name in ("median", "low", "high")}
        return {"regimen": [regimen for regimen, _ in rows], **of_quantity, **numbers}


def compare_regimens(requests: Sequence[PlanRequest]) -> Comparison:
    """Plans of several regimens for one person, and the differences from the first in the same simulated people.

    Raises SpecError: fewer than two requests, or they differ in more than their doses.
    """
    if len(requests) < 2:
        raise SpecError(where="compare", got=f"{len(requests)} regimens", allowed="two or more")
    first = requests[0]
    for other in requests[1:]:
        differing = [
            name
            for name in PlanRequest.model_fields
            if name not in _DOSING and getattr(first, name) != getattr(other, name)
        ]
        if differing:
            raise SpecError(
                where="compare",
                got=f"another {', '.join(differing)}",
                allowed="requests that differ in their doses only",
                remedy="The same simulated people must meet every regimen.",
            )
    sessions = [simulate_session(one) for one in requests]
    plans = tuple(summarize_session(*pair) for pair in zip(requests, sessions, strict=True))
    return Comparison(
        plans=plans,
        differences=tuple(
            _beside(plans[0], sessions[0], plan, session) for plan, session in zip(plans[1:], sessions[1:], strict=True)
        ),
    )


def _beside(plan_a: Plan, a: SimulatedSession, plan_b: Plan, b: SimulatedSession) -> RegimenDifferences:
    peaks = tuple(
        _difference(quantity, b.values[quantity].max(axis=1) - values.max(axis=1))
        for quantity, values in a.values.items()
        if quantity in b.values
    )
    request, limits = plan_a.request, plan_a.limits
    shares = {}
    for name, quantity, before, limit in (
        ("sbp_above", "sbp_rise", request.sbp0_mmhg, limits.sbp_mmhg),
        ("dbp_above", "dbp_rise", request.dbp0_mmhg, limits.dbp_mmhg),
        ("sbp_rise_above", "sbp_rise", 0.0, limits.sbp_rise_mmhg),
    ):
        if before is None or not all(quantity in {one.name for one in session.values} for session in (a, b)):
            continue
        hits = [before + session.of(quantity).max(axis=1) > limit for session in (a, b)]
        shares[name] = share_difference(*hits)
    return RegimenDifferences(
        regimen=plan_b.regimen,
        peaks=peaks,
        exposure=None
        if a.exposure is None or b.exposure is None
        else _difference(Quantity("exposure", "", ""), b.exposure - a.exposure),
        shares=shares,
        models=_by_model(a, b),
    )


def _by_model(a: SimulatedSession, b: SimulatedSession) -> tuple[ModelDifference, ...]:
    seconds = {one.quantity: one.spread for one in b.models}
    found = []
    for first in a.models:
        second = seconds.get(first.quantity)
        if second is None:
            continue
        peaks = [dict(zip(one.models, one.peak_ng_per_ml.tolist(), strict=True)) for one in (first.spread, second)]
        both = {name: peaks[1][name] - value for name, value in peaks[0].items() if name in peaks[1]}
        if len(both) > 1:
            found.append(ModelDifference(quantity=first.quantity, by_model=both))
    return tuple(found)


def _difference(quantity: Quantity, values: Float[np.ndarray, " subject"]) -> Difference:
    low, median, high = (float(one) for one in np.quantile(values, _BAND))
    return Difference(quantity=quantity, median=median, low=low, high=high)
