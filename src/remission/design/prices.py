"""What a course costs, from the user's own prices; the program has none."""

from dataclasses import dataclass
from typing import Annotated

import numpy as np
from jaxtyping import Float
from pydantic import Field

from remission.errors import SpecError
from remission.records.base import Record
from remission.records.protocol import Protocol

__all__ = ["CourseCost", "DayCost", "Prices", "cost_course", "cost_per_day", "count_affordable"]

Money = Annotated[float, Field(ge=0.0, le=1e9)]


class Prices(Record):
    """Prices of one course in one currency; every field must be given, 0 where nothing is paid.

    The first four are for one drug session, ``therapy`` for one therapy session, ``once`` for the whole course.
    """

    currency: Annotated[str, Field(min_length=1, max_length=12)]
    drug: Money
    staff: Money
    room: Money
    monitoring: Money
    therapy: Money
    once: Money
    budget: Money | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CourseCost:
    """The full course of one arm: its sessions and what they cost."""

    arm: str
    label: str
    n_infusions: int
    n_therapy_sessions: int
    amount: float


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCost:
    """What an additional abstinent day costs.

    ``days`` gained with the range that holds 95% of trials. ``amount`` is for a day at the mean, ``low`` and
    ``high`` at the bounds; ``None`` where no day is gained or the treatment costs no more.
    ``share_without_gain``: trials in which
    no day was gained.
    """

    days: float
    days_low: float
    days_high: float
    amount: float | None
    low: float | None
    high: float | None
    share_without_gain: float


def cost_course(protocol: Protocol, prices: Prices) -> tuple[CourseCost, ...]:
    """The cost of a complete course by arm; people who stop early cost less.

    Infusions of a placebo are part of the trial and not of care: they are not counted.

    Raises
    ------
    SpecError
        A crossover, whose arms are orders of treatments and no courses of care.
    """
    if any(arm.periods for arm in protocol.arms):
        raise SpecError(
            where="arms", got="a crossover", allowed="arms that are courses of treatment",
            remedy="Cost a parallel protocol of the same treatments.",
        )  # fmt: skip
    rows = []
    for arm in protocol.arms:
        drug = protocol.drugs[arm.drug] if arm.drug else None
        therapy = protocol.therapies[arm.therapy] if arm.therapy else None
        n_infusions = len(drug.infusions) if drug and "ketamine" in str(drug.drug) else 0
        n_sessions = len(therapy.sessions) if therapy else 0
        session = prices.drug + prices.staff + prices.room + prices.monitoring
        rows.append(
            CourseCost(
                arm=arm.id,
                label=arm.label,
                n_infusions=n_infusions,
                n_therapy_sessions=n_sessions,
                amount=n_infusions * session + n_sessions * prices.therapy + prices.once,
            )
        )
    return tuple(rows)


def cost_per_day(difference_percent: Float[np.ndarray, " replicate"], *, n_days: int, extra_amount: float) -> DayCost:
    """The price of an additional abstinent day over simulated trials.

    Parameters
    ----------
    difference_percent
        Difference in the percentage of days abstinent, by trial.
    n_days
        Days of the window the percentage is of.
    extra_amount
        What the treatment costs more than the control.

    Raises
    ------
    SpecError
        No trial has an estimate.
    """
    days = difference_percent[np.isfinite(difference_percent)] * n_days / 100.0
    if not days.size:
        raise SpecError(where="difference_percent", got="no trial with an estimate", allowed="at least one")
    mean, low, high = float(days.mean()), *(float(one) for one in np.quantile(days, [0.025, 0.975]))
    # More days make a day cheaper: the bounds change sides.
    return DayCost(
        days=mean,
        days_low=low,
        days_high=high,
        amount=_price(extra_amount, mean),
        low=_price(extra_amount, high),
        high=_price(extra_amount, low),
        share_without_gain=float((days <= 0.0).mean()),
    )


def count_affordable(budget: float, amount: float) -> int:
    """People who can have a course for a budget.

    Raises
    ------
    SpecError
        The course costs nothing, so that the number has no bound, or the budget is below 0.
    """
    if amount <= 0.0 or budget < 0.0:
        raise SpecError(
            where="budget", got=f"{budget} at {amount} a course", allowed="a budget from 0 and a course that costs"
        )
    return int(budget // amount)


def _price(extra_amount: float, days: float) -> float | None:
    # A treatment that costs no more has no price for a further day.
    return extra_amount / days if days > 0.0 and extra_amount > 0.0 else None
