"""When a trial is looked at before its end, and what stops it there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from remission.design.sequential import check_fractions, plan_looks
from remission.errors import SpecError


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """When a trial is looked at and what stops it.

    ``fractions`` of the people with a complete window; ``z`` the boundary of the absolute statistic, infinite at a
    look that can stop for futility only; ``futility_z`` the statistic below which it stops there, ``None``: never.
    """

    fractions: tuple[float, ...]
    z: tuple[float, ...]
    futility_z: tuple[float | None, ...]
    boundary: str
    alpha: float


def plan_stops(
    fractions: Sequence[float],
    *,
    futility: Mapping[float, float],
    boundary: str = "obrien-fleming",
    alpha: float = 0.05,
) -> StopRule:
    """A checked rule.

    ``fractions``: looks that can stop for success, the last one 1. ``futility``: statistic below which a trial stops,
    by the fraction of its look; a fraction that is not among ``fractions`` adds a look for futility only. ``boundary``:
    a name in :data:`~remission.design.sequential.BOUNDARIES`. Raises ``SpecError``: a number or the name is not
    possible.
    """
    check_fractions(fractions)
    for fraction, z in futility.items():
        if not 0.0 < fraction < 1.0 or not -10.0 <= z <= 10.0:
            raise SpecError(
                where="--futility", got=f"{fraction:g}:{z:g}",
                allowed="a fraction between 0 and 1, a colon, and z from -10 to 10",
                remedy="For example 0.5:0.0.",
            )  # fmt: skip
    bounds = dict(zip(fractions, plan_looks(fractions, spending=boundary, alpha=alpha).z, strict=True))
    times = sorted({*fractions, *futility})
    return StopRule(
        fractions=tuple(times),
        z=tuple(bounds.get(time, float("inf")) for time in times),
        futility_z=tuple(futility.get(time) for time in times),
        boundary=boundary,
        alpha=alpha,
    )
