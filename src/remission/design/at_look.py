"""At a look: what the data in hand say of the end, and what may be reported after a stop.

The score process B(I) has independent normal increments with mean ``effect`` times the information gained; at a look
with estimate e and standard error s the information is 1/s^2 and B = e/s^2. Effects are counted so that above zero is
wished. Boundaries follow the information that there is, not the one that was planned.

Stage-wise ordering (Armitage; Tsiatis, Rosner and Mehta 1984, doi 10.2307/2530920): a trial that stops earlier at the
boundary of success is more extreme than any that goes on. The p value is the chance of anything as extreme without an
effect; the median-unbiased estimate is the effect at which that chance is a half, and the ends of the interval those at
which it is half of alpha from either side. Floors of futility are not binding and are ignored, which keeps the p value
valid if a floor is overrun.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf, sqrt

import numpy as np
import scipy

from remission.design.sequential import beta_floors, bounds_spending, first_stops, plan_looks, spending_of
from remission.errors import SpecError
from remission.numerics.special_functions import ndtr, ndtri
from remission.records.effect import GoRule, LookPlan, NormalPrior


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """Boundaries of the statistic at each look, with the information there, in any unit.

    ``floors``: of futility, below which the trial may stop; minus infinity: none. ``drift``: of floors that spend beta,
    the mean of the statistic at the end at which the power is the one they were made for; ``None`` without them.
    """

    information: tuple[float, ...]
    z: tuple[float, ...]
    floors: tuple[float, ...]
    level: float
    drift: float | None = None


def boundaries_of(
    plan: LookPlan, *, level: float, information: Sequence[float] = (), planned: float = 1.0, is_last: bool = False
) -> Boundaries:
    """The boundaries of a plan, of which the first looks have happened at the information given.

    ``level``: one-sided error. ``information``: at each look so far. ``planned``: at the end. ``is_last``: the last of
    the looks so far spends all that is left. Later looks are where the plan has them; a look at or beyond the planned
    information is the last one. Raises ``SpecError``: the boundary has a fixed shape and a look is not where it was
    planned, or the information does not rise.
    """
    alpha = 2.0 * level
    seen = list(information)
    if any(late <= early for early, late in pairwise([0.0, *seen])):
        raise SpecError(where="information", got=seen, allowed="rising numbers above 0")
    ends = bool(seen) and (is_last or seen[-1] >= planned)
    later = [] if ends else [share * planned for share in plan.at if share * planned > (seen[-1] if seen else 0.0)]
    # Looks that were planned and are behind us do not come again.
    later = later[-max(0, len(plan.at) - len(seen)) :] if len(plan.at) > len(seen) else later[-1:]
    points = [*seen, *later]
    end = points[-1]
    fractions = [one / planned if one < planned else 1.0 for one in points]
    if plan.spending.startswith("classical"):
        at = [one / end for one in points]
        if seen and not np.allclose(at, plan.at, atol=0.005):
            raise SpecError(
                where="looks.spending", got=f"{plan.spending}, with looks at {', '.join(f'{one:.3g}' for one in at)}",
                allowed="a spending function where looks are not where they were planned",
                remedy="Write obrien-fleming, pocock or hwang-shih-decani:-4.",
            )  # fmt: skip
        z = list(plan_looks(plan.at, spending=plan.spending, alpha=alpha).z)
    else:
        function = spending_of(plan.spending)
        spent = [function(fraction, alpha) for fraction in fractions]
        spent[-1] = alpha
        z = bounds_spending(points, spent)
    floors, drift = [-inf] * len(points), None
    if plan.beta_spending is not None and len(points) > 1:
        found, drift = beta_floors(z, [one / end for one in points], beta=plan.beta, spending=plan.beta_spending)
        floors = list(found)
    elif plan.futility_z is not None:
        given = [-inf if one is None else one for one in plan.futility_z][: len(points) - 1]
        floors[: len(given)] = given
    floors[-1] = -inf
    return Boundaries(information=tuple(points), z=tuple(z), floors=tuple(floors), level=level, drift=drift)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chances:
    """What a trial with looks does under an effect.

    ``success``, ``harm``, ``futility``: chances to stop for it first, at each look. ``power``: success at any look, the
    floors being kept. ``expected_share``: of the information at the end that is used on average.
    """

    power: float
    success: tuple[float, ...]
    harm: tuple[float, ...]
    futility: tuple[float, ...]
    expected_share: float


def chances(bounds: Boundaries, effect: float) -> Chances:
    """Stopping under an effect for each unit of information; floors are kept."""
    above, below, futile = first_stops(
        bounds.z, [-one for one in bounds.z], bounds.information, drift=effect, floors=bounds.floors
    )
    share = np.array(bounds.information) / bounds.information[-1]
    stops = above + below + futile
    stops[-1] = 1.0 - stops[:-1].sum()
    return Chances(
        power=float(above.sum()), success=tuple(above.tolist()), harm=tuple(below.tolist()),
        futility=tuple(futile.tolist()), expected_share=float(stops @ share),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """Chances of success at a later look, given what was seen: if the effect is as seen, as assumed, or none; and
    averaged over what is believed of it (``predictive``).
    """

    as_seen: float
    as_assumed: float
    without_effect: float
    predictive: float


def forecast(
    bounds: Boundaries, look: int, estimate: float, assumed: float, prior: NormalPrior | None = None
) -> Forecast:
    """What is to come after a look at which the trial goes on; floors are ignored.

    ``look``: its index. ``estimate``: with its information in ``bounds``. ``assumed``: an effect. ``prior``: of the
    effect; ``None``: nothing is believed but the estimate.
    """
    now = bounds.information[look]
    rest = slice(look + 1, None)
    upper, points = bounds.z[rest], bounds.information[rest]

    def power(effect: float) -> float:
        if not points:
            return 0.0
        above, _, _ = first_stops(upper, [-one for one in upper], points, drift=effect, start=(now, estimate * now))
        return float(above.sum())

    precision = now + (0.0 if prior is None else prior.sd**-2)
    mean = (estimate * now + (0.0 if prior is None else prior.mean * prior.sd**-2)) / precision
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    predictive = weights @ [power(mean + one / sqrt(precision)) for one in nodes.tolist()] / weights.sum()
    return Forecast(
        as_seen=power(estimate), as_assumed=power(assumed), without_effect=power(0.0), predictive=float(predictive)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterStop:
    """What may be reported after a stop: one-sided stage-wise p value, median-unbiased estimate, and its interval at
    one minus twice the one-sided error.
    """

    p_value: float
    estimate: float
    low: float
    high: float


def after_stop(bounds: Boundaries, look: int, estimate: float) -> AfterStop:
    """Inference by stage-wise ordering, of a trial that stopped at a look with an estimate."""
    now = bounds.information[look]
    z = estimate * sqrt(now)
    before = [-one for one in bounds.z[:look]]

    def extreme(effect: float) -> float:
        upper = [*bounds.z[:look], z]
        above, _, _ = first_stops(upper, [*before, -inf], bounds.information[: look + 1], drift=effect)
        return float(above.sum())

    def solve(chance: float) -> float:
        low = high = estimate
        width = 1.0 / sqrt(now)
        while extreme(low) > chance:
            low -= width
        while extreme(high) < chance:
            high += width
        if low == high:
            return low
        return float(scipy.optimize.brentq(lambda effect: extreme(effect) - chance, low, high, xtol=1e-10 * width))

    return AfterStop(p_value=extreme(0.0), estimate=solve(0.5), low=solve(bounds.level), high=solve(1.0 - bounds.level))


def repeated_interval(bounds: Boundaries, look: int, estimate: float) -> tuple[float, float]:
    """The interval that may be looked at whether the trial stops or goes on."""
    half = bounds.z[look] / sqrt(bounds.information[look])
    return estimate - half, estimate + half


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """Chances of go, consider and no-go under a true effect, and the estimates between which each lies.

    ``go_from``: estimates at least so good are go. ``stop_below``: estimates worse are no-go.
    """

    effect: float
    go: float
    consider: float
    no_go: float
    go_from: float
    stop_below: float


def decide(rule: GoRule, effect: float, *, error: float, target: float, reference: float) -> Decision:
    """How often the rule decides what, where the estimate is normal about an effect.

    ``error``: its standard error. ``target``, ``reference``: of the rule, on the scale of the analysis; their order
    says which direction is better.
    """
    side = 1.0 if target > reference else -1.0
    prior = rule.prior
    precision = error**-2 + (0.0 if prior is None else prior.sd**-2)
    believed = 0.0 if prior is None else prior.mean * prior.sd**-2

    def estimate_for(value: float, chance: float) -> float:
        """The estimate at which the effect is better than a value with a chance, better being upward."""
        mean = side * value + ndtri(chance) / sqrt(precision)
        return float((mean * precision - side * believed) * error**2)

    go_from = max(estimate_for(reference, rule.go_at), estimate_for(target, rule.stop_below))
    stop_below = estimate_for(target, rule.stop_below)
    go = float(ndtr((side * effect - go_from) / error))
    no_go = float(ndtr((stop_below - side * effect) / error))
    return Decision(effect=effect, go=go, consider=max(0.0, 1.0 - go - no_go), no_go=no_go, go_from=side * go_from,
                    stop_below=side * stop_below)  # fmt: skip
