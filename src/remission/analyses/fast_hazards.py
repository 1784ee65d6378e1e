"""Times to an event over all replicates at once. :mod:`remission.analyses.hazards` says the same by statsmodels.

People are sorted by their time, those outside first, so that a risk set is everybody from a place on: sums over risk
sets are cumulative sums from the end, and ties are runs of equal times. Cox regression takes Newton steps on the
partial likelihood with Efron's treatment of ties.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import chdtrc

from remission.analyses.basis import Basis, orthonormal_basis
from remission.analyses.estimate import Estimates, Status
from remission.analyses.hazards import analyze_hazard, analyze_log_rank
from remission.analyses.odds import LARGEST_ERROR
from remission.analyses.stacked import ratios_of, with_library

__all__ = ["analyze_hazards", "analyze_log_ranks"]

_Table = Float[np.ndarray, "replicate subject"]
_Flags = Bool[np.ndarray, "replicate subject"]
_STEPS = 30
_TOLERANCE = 1e-9
_LARGEST = 600.0
_MOST_TERMS = 12
"""Second moments of more terms than this would need more memory than the people."""


def analyze_hazards(
    days: _Table, event: _Flags, inside: _Flags, treated: _Flags, adjust: Float[np.ndarray, "replicate term subject"]
) -> Estimates:
    """:func:`~remission.analyses.hazards.analyze_hazard` of each replicate.

    Parameters
    ----------
    days, event
        Anything where not ``inside``.
    inside
        Who is analyzed.
    """
    happened = event & inside
    basis = orthonormal_basis(inside, treated, adjust)
    plain = (inside.sum(axis=1) >= 4) & basis.is_estimable & (adjust.shape[1] <= _MOST_TERMS)
    for side in (treated, ~treated):
        plain &= (happened & side).any(axis=1)
    log_ratio, error = _regress(_sorted_times(days, happened, inside), basis, plain)
    good = plain & (error <= LARGEST_ERROR)
    return with_library(
        ratios_of(good, Status.NO_VARIATION, log_ratio, error),
        ~good,
        lambda one: analyze_hazard(
            days[one][inside[one]], event[one][inside[one]], treated[one][inside[one]], adjust[one][:, inside[one]].T
        ),
    )


def analyze_log_ranks(
    days: _Table,
    event: _Flags,
    inside: _Flags,
    treated: _Flags,
    strata: Int[np.ndarray, "replicate subject"] | None = None,
) -> Estimates:
    """:func:`~remission.analyses.hazards.analyze_log_rank` of each replicate.

    Parameters
    ----------
    days, event
        Anything where not ``inside``.
    inside
        Who is analyzed.
    strata
        Strata within which people are compared; ``None``: one.
    """
    groups = np.zeros(days.shape, dtype=np.int64) if strata is None else strata
    away, variance = np.zeros(days.shape[0]), np.zeros(days.shape[0])
    for group in np.unique(groups[inside]):
        mine = inside & (groups == group)
        times = _sorted_times(days, event & mine, mine)
        one_side = np.take_along_axis(treated & mine, times.order, axis=1)
        n, n1 = (_from_the_end(people.astype(np.float64)) for people in (times.inside, one_side))
        deaths = times.per_run(times.event.astype(np.float64))
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(n > 0, n1 / n, 0.0)
        counted = times.is_first & (deaths > 0)
        expected = np.where(counted, deaths * share, 0.0).sum(axis=1)
        terms = deaths * share * (1.0 - share) * (n - deaths) / np.maximum(n - 1.0, 1.0)
        away += (times.event & one_side).sum(axis=1) - expected
        variance += np.where(counted, terms, 0.0).sum(axis=1)
    good = (inside.sum(axis=1) >= 4) & (variance > 0.0)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ratio, error, square = away / variance, variance**-0.5, away**2 / variance
    return with_library(
        ratios_of(good, Status.NO_VARIATION, log_ratio, error, chdtrc(1, np.where(good, square, 0.0))),
        ~good,
        lambda one: analyze_log_rank(
            days[one][inside[one]], event[one][inside[one]], treated[one][inside[one]], groups[one][inside[one]]
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _SortedTimes:
    """People in the order of their times, and the runs of equal times."""

    order: Int[np.ndarray, "replicate subject"]
    inside: _Flags
    event: _Flags
    is_first: _Flags
    first: Int[np.ndarray, "replicate subject"]
    last: Int[np.ndarray, "replicate subject"]

    def per_run(self, numbers: Float[np.ndarray, "*rest subject"]) -> Float[np.ndarray, "*rest subject"]:
        """Sum over the run that each place lies in."""
        total = np.cumsum(numbers, axis=-1)
        return self.at(total, self.last) - self.at(total - numbers, self.first)

    def at(
        self, numbers: Float[np.ndarray, "*rest subject"], place: Int[np.ndarray, "replicate subject"]
    ) -> Float[np.ndarray, "*rest subject"]:
        """Numbers at a place of their own replicate."""
        shape = (place.shape[0], *[1] * (numbers.ndim - 2), place.shape[1])
        return np.take_along_axis(numbers, place.reshape(shape), axis=-1)


def _sorted_times(days: _Table, event: _Flags, inside: _Flags) -> _SortedTimes:
    times = np.where(inside, days, -np.inf)
    order = np.argsort(times, axis=1, kind="stable")
    times = np.take_along_axis(times, order, axis=1)
    n = times.shape[1]
    is_first = np.ones(times.shape, dtype=np.bool_)
    is_first[:, 1:] = times[:, 1:] != times[:, :-1]
    place = np.arange(n)
    first = np.maximum.accumulate(np.where(is_first, place, 0), axis=1)
    is_last = np.ones(times.shape, dtype=np.bool_)
    is_last[:, :-1] = is_first[:, 1:]
    last = np.minimum.accumulate(np.where(is_last, place, n - 1)[:, ::-1], axis=1)[:, ::-1]
    return _SortedTimes(
        order=order,
        inside=np.take_along_axis(inside, order, axis=1),
        event=np.take_along_axis(event, order, axis=1),
        is_first=is_first,
        first=first,
        last=last,
    )


def _from_the_end(numbers: Float[np.ndarray, "*rest subject"]) -> Float[np.ndarray, "*rest subject"]:
    return np.cumsum(numbers[..., ::-1], axis=-1)[..., ::-1]


def _regress(
    times: _SortedTimes, basis: Basis, plain: Bool[np.ndarray, " replicate"]
) -> tuple[Float[np.ndarray, " replicate"], Float[np.ndarray, " replicate"]]:
    """Log hazard ratio and its error; NaN where the steps do not end well."""
    log_ratio, error = np.full(plain.size, np.nan), np.full(plain.size, np.nan)
    going = np.flatnonzero(plain)
    effect = np.zeros((going.size, basis.columns.shape[1] - 1))
    for _ in range(_STEPS):
        if going.size == 0:
            break
        slope, information = _slope_and_information(_some(times, going), basis, going, effect)
        try:
            inverse = np.linalg.inv(information)
        except np.linalg.LinAlgError:
            break
        step = (inverse @ slope[:, :, None])[:, :, 0]
        done = (np.abs(step) <= _TOLERANCE * np.sqrt(times.order.shape[1])).all(axis=1)
        effect = effect + step
        left = basis.left[going[done]]
        log_ratio[going[done]] = effect[done, -1] / left
        with np.errstate(invalid="ignore"):
            error[going[done]] = np.sqrt(inverse[done, -1, -1]) / left
        # No row of the basis is longer than 1, so this bounds the logarithm of a risk; beyond it, the library.
        on = ~done & (np.sqrt((effect**2).sum(axis=1)) < _LARGEST)
        going, effect = going[on], effect[on]
    return log_ratio, error


def _some(times: _SortedTimes, going: Int[np.ndarray, " some"]) -> _SortedTimes:
    return _SortedTimes(**{name: getattr(times, name)[going] for name in _SortedTimes.__slots__})


def _slope_and_information(
    times: _SortedTimes, basis: Basis, going: Int[np.ndarray, " some"], effect: Float[np.ndarray, "some term"]
) -> tuple[Float[np.ndarray, "some term"], Float[np.ndarray, "some term term"]]:
    """First derivative of the log partial likelihood, and minus the second."""
    x = np.take_along_axis(basis.columns[going, 1:, :], times.order[:, None, :], axis=2)
    with np.errstate(over="ignore"):
        risk = np.where(times.inside, np.exp((effect[:, None, :] @ x)[:, 0, :]), 0.0)
    products = x[:, :, None, :] * x[:, None, :, :]
    counts = times.event.astype(np.float64)
    deaths = times.per_run(counts)
    earlier = np.cumsum(counts, axis=1) - counts
    earlier = earlier - times.at(earlier, times.first)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(times.event, earlier / deaths, 0.0)

    def at_risk(moments: Float[np.ndarray, "*rest subject"]) -> Float[np.ndarray, "*rest subject"]:
        spread = (share.shape[0], *[1] * (moments.ndim - 2), share.shape[1])
        dying = times.per_run(moments * counts.reshape(spread))
        return times.at(_from_the_end(moments), times.first) - share.reshape(spread) * dying

    zeroth = at_risk(risk)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = at_risk(risk[:, None, :] * x) / zeroth[:, None, :]
        second = at_risk(risk[:, None, None, :] * products) / zeroth[:, None, None, :]
    slope = ((x - mean) * counts[:, None, :]).sum(axis=2, where=times.event[:, None, :])
    curve = second - mean[:, :, None, :] * mean[:, None, :, :]
    information = curve.sum(axis=3, where=times.event[:, None, None, :])
    return slope, information + np.eye(slope.shape[1]) * ~basis.is_kept[going, 1:][:, None, :]
