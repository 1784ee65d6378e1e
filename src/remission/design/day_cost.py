"""What an additional abstinent day costs over simulated trials, and how sure that is.

A price of a day is a ratio, and a ratio whose denominator can be 0 has no mean and no percentiles worth reading. So the
interval is Fieller's: all prices R for which c - R d is no further from 0 than its noise allows, where d are the days
gained and c is the extra cost. Where d can be 0 at that level the interval has no upper end, and is reported so.
Beside it stands the net benefit, value of a day times days gained minus extra cost, which always exists.

Equation::

    (c - R d)^2 <= z^2 (var c + R^2 var d)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import floor, log10
from typing import Any

import numpy as np

from remission.errors import SpecError
from remission.numerics.intervals import Z95
from remission.numerics.tallies import Measure
from remission.shapes import Float


@dataclass(frozen=True, slots=True, kw_only=True)
class NetBenefit:
    """What is left of the value of the days gained after the extra cost, when a day is worth ``worth_of_day``.

    ``low`` and ``high`` hold 95% of trials and prices, ``acceptable`` is the share above 0.
    """

    worth_of_day: float
    mean: float
    low: float
    high: float
    acceptable: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class DayCost:
    """What an additional abstinent day costs, as one trial of this size would report it.

    ``days`` gained with the range that holds 95% of trials, ``extra_low`` to ``extra_high`` the difference of two
    courses. ``amount`` is the price of a day at the means, ``None`` where no day is gained or the treatment costs no
    more. ``low`` to ``high`` is the 95% interval of Fieller; ``high`` is ``None`` where it has no upper end, ``low``
    where it has no lower one above 0. ``share_without_gain``: trials in which no day was gained.
    """

    days: float
    days_low: float
    days_high: float
    extra: float
    extra_low: float
    extra_high: float
    amount: float | None
    low: float | None
    high: float | None
    share_without_gain: float
    net_benefit: tuple[NetBenefit, ...]
    n_trials: int
    n_prices: int


def cost_per_day(
    difference_percent: Float[np.ndarray, " replicate"],
    *,
    n_days: int,
    extra_amount: Float[np.ndarray, " point"],
    extra_ends: tuple[float, float] | None = None,
    willingness_to_pay: Sequence[float] = (),
) -> DayCost:
    """The price of an additional abstinent day over simulated trials and points of the prices, crossed.

    ``difference_percent``: difference in the percentage of days abstinent, by trial. ``n_days``: days of the window the
    percentage is of. ``extra_amount``: what the treatment costs more than the control, at each point of the prices.
    ``extra_ends``: lowest and highest of it; ``None``: of the points. ``willingness_to_pay``: what a day may cost; a
    net benefit for each. Raises ``SpecError``: no trial has an estimate.
    """
    days = difference_percent[np.isfinite(difference_percent)] * n_days / 100.0
    if not days.size:
        raise SpecError(where="difference_percent", got="no trial with an estimate", allowed="at least one")
    mean, extra = float(days.mean()), float(extra_amount.mean())
    days_low, days_high = (float(one) for one in np.quantile(days, [0.025, 0.975]))
    has_price = mean > 0.0 and extra > 0.0
    spread = float(days.var(ddof=1)) if days.size > 1 else float("nan")
    low, high = (
        fieller_interval(extra, mean, float(extra_amount.var()), spread)
        if has_price and np.isfinite(spread)
        else (None, None)
    )
    return DayCost(
        days=mean,
        days_low=days_low,
        days_high=days_high,
        extra=extra,
        extra_low=float(extra_amount.min()) if extra_ends is None else extra_ends[0],
        extra_high=float(extra_amount.max()) if extra_ends is None else extra_ends[1],
        amount=extra / mean if has_price else None,
        low=low,
        high=high,
        share_without_gain=float((days <= 0.0).mean()),
        net_benefit=tuple(_net_benefit(days, extra_amount, worth) for worth in willingness_to_pay),
        n_trials=int(days.size),
        n_prices=int(extra_amount.size),
    )


def fieller_interval(
    numerator: float, denominator: float, var_numerator: float, var_denominator: float
) -> tuple[float | None, float | None]:
    """Fieller's 95% interval of a ratio of two independent normal numbers, both above 0, cut at 0.

    Returns lower and upper end. The upper is ``None`` where the denominator can be 0, so that the ratio has no bound;
    the lower is ``None`` where nothing is excluded at all.
    """
    square = Z95**2
    a = denominator**2 - square * var_denominator
    b = numerator * denominator
    c = numerator**2 - square * var_numerator
    inside = b**2 - a * c
    if a > 0.0:
        root = float(np.sqrt(inside))
        return max(0.0, (b - root) / a), (b + root) / a
    if inside < 0.0 or c <= 0.0:
        return None, None
    # What is excluded lies between the roots; of what is left only the part above 0 is a price.
    return (c / (2.0 * b) if a == 0.0 else (b - float(np.sqrt(inside))) / a), None


def _net_benefit(
    days: Float[np.ndarray, " replicate"], extra_amount: Float[np.ndarray, " point"], worth: float
) -> NetBenefit:
    gained = worth * days[:, None] - extra_amount[None, :]
    low, high = (float(one) for one in np.quantile(gained, [0.025, 0.975]))
    # Prices are even points and no sample: only trials vary. Half a trial is added to each side, as in a count.
    share = (gained > 0.0).mean(axis=1)
    moved = (float(share.sum()) + 0.5) / (share.size + 1.0)
    spread = moved * (1.0 - moved) if extra_amount.size == 1 else float(share.var())
    return NetBenefit(
        worth_of_day=worth,
        mean=float(gained.mean()),
        low=low,
        high=high,
        acceptable=Measure(value=float(share.mean()), mcse=float(np.sqrt(spread / share.size))),
    )


def price_text(price: float, day: Mapping[str, Any]) -> str:
    """A price of a day, rounded to the first digit of its error; to two digits where the error has no bound.

    ``price``: the amount, or an end of its interval. ``day``: fields of :class:`DayCost`. The nearer end of the
    interval tells the error.
    """
    if price == 0.0:
        return "0"
    amount, low = day["amount"], day["low"]
    error = abs(amount - low) / Z95 if amount is not None and low is not None else 0.0
    decimals = -floor(log10(error)) if error > 0.0 else 1 - floor(log10(abs(price)))
    return f"{round(price, decimals):,.{max(decimals, 0)}f}"
