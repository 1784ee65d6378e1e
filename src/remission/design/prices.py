"""What a course costs: the user's own prices, or those of the library with their sources; a price can be a range.

Prices enter as they are given. A range has no distribution of its own: its points are taken evenly. What has no price
is left out of every sum by name and is never taken for free.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self

import numpy as np
import scipy
from pydantic import Field, model_validator

from remission.errors import SpecError
from remission.protocol.record import Protocol
from remission.records.base import Record
from remission.records.treatment import Arm
from remission.shapes import Float

Money = Annotated[float, Field(ge=0.0, le=1e9)]
_SESSION = ("drug", "staff", "room", "monitoring")
_POINTS = 64
"""Points of the prices' ranges: a Sobol sequence, so that they are even and the same every time."""


class PriceRange(Record):
    """A price that lies between two numbers."""

    low: Money
    high: Money

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low > self.high:
            raise SpecError(where="low", got=self.low, allowed=f"at most high ({self.high:g})")
        return self


Price = Money | PriceRange
Unknown = Literal["unknown"]


class Prices(Record):
    """Prices of one course in one currency; 0 where nothing is paid, ``unknown`` where no price is known.

    ``infusion`` is one drug session with all that belongs to it; instead of it ``drug``, ``staff``, ``room`` and
    ``monitoring`` can be given. ``assessment`` is paid once by who has ketamine, ``once`` by everybody, ``therapy`` for
    one therapy session, ``medicine`` for one day of a standard medicine. ``budget`` is money there is, and
    ``willingness_to_pay`` what a further abstinent day may cost, in the reader's judgment.
    """

    currency: Annotated[str, Field(min_length=1, max_length=12)]
    infusion: Price | Unknown | None = None
    drug: Price | None = None
    staff: Price | None = None
    room: Price | None = None
    monitoring: Price | None = None
    assessment: Price | Unknown = 0.0
    therapy: Price | Unknown
    medicine: Price | Unknown = "unknown"
    once: Price
    budget: Money | None = None
    willingness_to_pay: Annotated[tuple[Money, ...], Field(max_length=12)] = ()

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        given = [name for name in _SESSION if getattr(self, name) is not None]
        if self.infusion is not None and given:
            raise SpecError(
                where="infusion", got=f"{given[0]} as well", allowed="either infusion, or its four parts",
                remedy="The price of an infusion holds drug, staff, room and monitoring.",
            )  # fmt: skip
        if self.infusion is None and len(given) < len(_SESSION):
            missing = [name for name in _SESSION if name not in given]
            raise SpecError(
                where=missing[0], got="nothing", allowed="infusion, or all of drug, staff, room and monitoring",
                remedy="Write 0 where nothing is paid.",
            )  # fmt: skip
        return self

    @property
    def items(self) -> dict[str, tuple[float, float] | None]:
        """Lowest and highest price of each item of a course; ``None`` where none is known."""
        if self.infusion is None:
            parts = [_bounds(getattr(self, name)) or (0.0, 0.0) for name in _SESSION]
            infusion: tuple[float, float] | None = (sum(low for low, _ in parts), sum(high for _, high in parts))
        else:
            infusion = _bounds(self.infusion)
        rest = {name: _bounds(getattr(self, name)) for name in ("assessment", "therapy", "medicine", "once")}
        return {"infusion": infusion, **rest}


def _bounds(price: Any) -> tuple[float, float] | None:
    if price is None or price == "unknown":
        return None
    return (price.low, price.high) if isinstance(price, PriceRange) else (float(price), float(price))


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseCost:
    """The full course of one arm: its sessions and what they cost.

    ``low`` and ``high`` are with every price at an end of its range, ``amount`` with all in the middle; ``left_out``
    names what the arm has and nobody has priced.
    """

    arm: str
    label: str
    n_infusions: int
    n_therapy_sessions: int
    amount: float
    low: float
    high: float
    left_out: tuple[str, ...]


def cost_course(protocol: Protocol, prices: Prices) -> tuple[CourseCost, ...]:
    """The cost of a complete course by arm; people who stop early cost less.

    Infusions of a placebo are part of the trial and not of care: they are not counted.

    Raises ``SpecError``: a crossover, whose arms are orders of treatments and no courses of care.
    """
    items, rows = prices.items, []
    for arm in protocol.arms:
        counts = _counts(protocol, arm)
        known = {name: bounds for name, bounds in items.items() if bounds is not None and counts[name]}
        low, high = (sum(counts[name] * bounds[end] for name, bounds in known.items()) for end in (0, 1))
        rows.append(
            CourseCost(
                arm=arm.id,
                label=arm.label,
                n_infusions=counts["infusion"],
                n_therapy_sessions=counts["therapy"],
                amount=0.5 * (low + high),
                low=low,
                high=high,
                left_out=tuple(name for name, bounds in items.items() if bounds is None and counts[name]),
            )
        )
    return tuple(rows)


def price_points(prices: Prices) -> Mapping[str, Float[np.ndarray, " point"]]:
    """Even points of the ranges of all prices together, by item; one point where every price is a number."""
    known = {name: bounds for name, bounds in prices.items.items() if bounds is not None}
    wide = [name for name, (low, high) in known.items() if high > low]
    if not wide:
        return {name: np.array([low]) for name, (low, _) in known.items()}
    # Each point stands for the middle of its share of the range, so that the mean is the middle of the range.
    places = scipy.stats.qmc.Sobol(len(wide), scramble=False).random(_POINTS) + 0.5 / _POINTS
    found = {name: np.full(_POINTS, low) for name, (low, _) in known.items()}
    for column, name in enumerate(wide):
        low, high = known[name]
        found[name] = low + (high - low) * places[:, column]
    return found


def extra_cost(
    protocol: Protocol, prices: Prices, sides: tuple[Sequence[int], Sequence[int]]
) -> tuple[Float[np.ndarray, " point"], float, float]:
    """What the course of one side of a contrast costs more than that of the other: at even points, lowest, highest.

    ``sides``: indices of the arms; each side is averaged by the allocation of its arms.
    """
    shares = [arm.allocation for arm in protocol.arms]
    counts = [_counts(protocol, arm) for arm in protocol.arms]
    points, low, high = price_points(prices), 0.0, 0.0
    extra = np.zeros(max(column.size for column in points.values()))
    for name, column in points.items():
        treated, control = (
            float(np.average([counts[arm][name] for arm in side], weights=[shares[arm] for arm in side]))
            for side in sides
        )
        more = treated - control
        extra += more * column
        ends = prices.items[name]
        assert ends is not None, "a point has a price"
        low, high = low + min(more * ends[0], more * ends[1]), high + max(more * ends[0], more * ends[1])
    return extra, low, high


def cost_per_person(protocol: Protocol, prices: Prices) -> float:
    """What a person costs on average over the arms, whose courses are complete, at the highest prices. [currency]"""
    courses = {one.arm: one.high for one in cost_course(protocol, prices)}
    weights = {arm.id: arm.allocation for arm in protocol.arms}
    return sum(weights[arm] * cost for arm, cost in courses.items()) / sum(weights.values())


def count_affordable(budget: float, amount: float) -> int:
    """People who can have a course for a budget.

    Raises ``SpecError``: the course costs nothing, so that the number has no bound, or the budget is below 0.
    """
    if amount <= 0.0 or budget < 0.0:
        raise SpecError(
            where="budget", got=f"{budget} at {amount} a course", allowed="a budget from 0 and a course that costs"
        )
    return int(budget // amount)


def _counts(protocol: Protocol, arm: Arm) -> dict[str, int]:
    """How often each item is paid in a complete course."""
    if arm.periods:
        raise SpecError(
            where="arms", got="a crossover", allowed="arms that are courses of treatment",
            remedy="Cost a parallel protocol of the same treatments.",
        )  # fmt: skip
    drug = protocol.drugs[arm.drug] if arm.drug else None
    n_infusions = len(drug.infusions) if drug is not None and drug.is_ketamine else 0
    return {
        "infusion": n_infusions,
        "assessment": min(1, n_infusions),
        "therapy": sum(len(course.sessions) for course in protocol.courses_of(arm)),
        "medicine": protocol.follow_up_days if arm.medicine is not None else 0,
        "once": 1,
    }
