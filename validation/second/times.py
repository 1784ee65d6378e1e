"""Times to an event, some of them cut off before it."""

from math import sqrt

import numpy as np
from scipy import stats

from validation.second.basics import (
    Array,
    Found,
    NoEstimateError,
    as_ratio,
    by_normal,
    check_sides,
    columns_that_count,
    error_of_last,
    maximum,
)


def hazard_ratio(time: Array, event: Array, treated: Array, terms: Array, stratum: Array) -> Found:
    """Cox regression with Efron's ties; each stratum has its own baseline hazard."""
    check_sides(treated)
    check_strata(treated, stratum)
    if min(float(event[treated == side].sum()) for side in (0.0, 1.0)) == 0.0:
        raise NoEstimateError("separation")
    levels = np.unique(stratum)
    baselines = (stratum[:, None] == levels).astype(float)
    columns = np.column_stack([terms.reshape(time.size, -1), treated])
    counts = columns_that_count(np.column_stack([baselines, columns]))[levels.size :]
    if not counts[-1]:
        raise NoEstimateError("not_estimable")
    columns = columns[:, counts]
    columns = (columns - columns.mean(axis=0)) / np.append(columns[:, :-1].std(axis=0), 1.0)

    def derivatives(place: Array) -> tuple[float, Array, Array]:
        linear = columns @ place
        if np.abs(linear).max() > 300.0:
            return -np.inf, place, np.eye(place.size)
        hazard = np.exp(linear)
        height, gradient, curvature = 0.0, np.zeros(place.size), np.zeros((place.size, place.size))
        for level in levels:
            for day in np.unique(time[(stratum == level) & (event == 1.0)]):
                at_risk = (stratum == level) & (time >= day)
                dying = (stratum == level) & (time == day) & (event == 1.0)
                n_dying = int(dying.sum())
                height += float(linear[dying].sum())
                gradient = gradient + columns[dying].sum(axis=0)
                for rank in range(n_dying):
                    weight = hazard * (at_risk - dying * (rank / n_dying))
                    total = float(weight.sum())
                    mean = (weight @ columns) / total
                    height -= float(np.log(total))
                    gradient = gradient - mean
                    curvature = curvature + (columns.T * weight) @ columns / total - np.outer(mean, mean)
        return height, gradient, curvature

    place, _, curvature = maximum(np.zeros(columns.shape[1]), derivatives, most=60)
    error = error_of_last(curvature)
    if error > 20.0:
        raise NoEstimateError("separation")
    return as_ratio(by_normal(float(place[-1]), error))


def check_strata(treated: Array, stratum: Array) -> None:
    """Some stratum must hold both sides."""
    if not any(np.ptp(treated[stratum == level]) > 0.0 for level in np.unique(stratum)):
        raise NoEstimateError("not_estimable")


def log_rank(time: Array, event: Array, treated: Array, stratum: Array) -> Found:
    """Observed less expected events over their hypergeometric variance."""
    check_sides(treated)
    excess = variance = 0.0
    for level in np.unique(stratum):
        inside = stratum == level
        for day in np.unique(time[inside & (event == 1.0)]):
            at_risk = inside & (time >= day)
            n, n_treated = float(at_risk.sum()), float((at_risk & (treated == 1.0)).sum())
            dying = inside & (time == day) & (event == 1.0)
            d = float(dying.sum())
            excess += float((dying & (treated == 1.0)).sum()) - d * n_treated / n
            if n > 1.0:
                variance += d * n_treated * (n - n_treated) * (n - d) / (n**2 * (n - 1.0))
    if variance <= 0.0:
        raise NoEstimateError("not_estimable")
    p = float(stats.chi2.sf(excess**2 / variance, 1))
    return as_ratio(by_normal(excess / variance, 1.0 / sqrt(variance)), p)


def restricted_mean_difference(time: Array, event: Array, treated: Array, *, tau: float) -> Found:
    """Areas under the two curves of Kaplan and Meier up to tau."""
    check_sides(treated)
    areas, variances = zip(*(_area(time[treated == side], event[treated == side], tau) for side in (1, 0)), strict=True)
    variance = sum(variances)
    if variance <= 0.0:
        raise NoEstimateError("no_variation")
    return by_normal(areas[0] - areas[1], sqrt(variance))


def _area(time: Array, event: Array, tau: float) -> tuple[float, float]:
    days = np.unique(time[(event == 1.0) & (time < tau)])
    dying = np.array([float(((time == day) & (event == 1.0)).sum()) for day in days])
    at_risk = np.array([float((time >= day).sum()) for day in days])
    curve = np.concatenate([[1.0], np.cumprod(1.0 - dying / at_risk)])
    if time.max() < tau and curve[-1] > 0.0:
        raise NoEstimateError("not_estimable")
    pieces = curve * np.diff(np.concatenate([[0.0], days, [tau]]))
    later = np.cumsum(pieces[::-1])[::-1]
    variance = sum(
        float(later[place + 1]) ** 2 * dying[place] / (at_risk[place] * (at_risk[place] - dying[place]))
        for place in range(days.size)
        if at_risk[place] > dying[place]
    )
    return float(pieces.sum()), float(variance)
