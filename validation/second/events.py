"""Odds ratios of one yes or no a person."""

from math import log, sqrt

import numpy as np
from scipy import stats
from scipy.special import expit

from validation.second.basics import (
    Array,
    Found,
    NoEstimateError,
    as_ratio,
    by_normal,
    check_sides,
    design,
    error_of_last,
    maximum,
)


def odds_ratio(outcome: Array, treated: Array, terms: Array, *, test: str = "wald") -> Found:
    """From the table of four where nothing is adjusted, by logistic regression else."""
    check_sides(treated)
    if np.ptp(outcome) == 0.0:
        raise NoEstimateError("no_variation")
    if terms.size == 0 and test == "wald":
        cells = [
            float(((treated == side) & (outcome == value)).sum()) or 0.5 for side in (1.0, 0.0) for value in (1.0, 0.0)
        ]
        estimate = log(cells[0]) - log(cells[1]) - log(cells[2]) + log(cells[3])
        return as_ratio(by_normal(estimate, sqrt(sum(1.0 / cell for cell in cells))))
    columns = design(terms, treated)
    place, height, information = fit_logistic(columns, outcome)
    error = error_of_last(information)
    chances = expit(columns @ place)
    if error > 20.0 or bool((np.minimum(chances, 1.0 - chances) < 1e-8).all()):
        raise NoEstimateError("separation")
    found = by_normal(float(place[-1]), error)
    if test == "wald":
        return as_ratio(found)
    without, lower, _ = fit_logistic(columns[:, :-1], outcome)
    if test == "likelihood-ratio":
        statistic = 2.0 * (height - lower)
    else:
        chances = expit(columns[:, :-1] @ without)
        weighted = columns * np.sqrt(chances * (1.0 - chances))[:, None]
        score = float(columns[:, -1] @ (outcome - chances))
        # What the others leave of the treatment, each person with the weight of the chance.
        along = np.linalg.lstsq(weighted[:, :-1], weighted[:, -1], rcond=None)[0]
        statistic = score**2 / float(((weighted[:, -1] - weighted[:, :-1] @ along) ** 2).sum())
    return as_ratio(found, float(stats.chi2.sf(max(statistic, 0.0), 1)))


def fit_logistic(columns: Array, outcome: Array) -> tuple[Array, float, Array]:
    """Coefficients, log likelihood and information at the maximum."""

    def derivatives(place: Array) -> tuple[float, Array, Array]:
        linear = columns @ place
        chances = expit(linear)
        height = float((outcome * linear - np.logaddexp(0.0, linear)).sum())
        weighted = columns * (chances * (1.0 - chances))[:, None]
        return height, columns.T @ (outcome - chances), columns.T @ weighted

    return maximum(np.zeros(columns.shape[1]), derivatives, most=45)


def posterior_odds_ratio(outcome: Array, treated: Array, terms: Array, *, center: float, sd: float) -> Found:
    """Laplace's approximation with a normal prior of the log odds ratio."""
    check_sides(treated)
    if np.ptp(outcome) == 0.0:
        raise NoEstimateError("no_variation")
    columns = design(terms, treated)
    unit = np.zeros(columns.shape[1])
    unit[-1] = 1.0

    def derivatives(place: Array) -> tuple[float, Array, Array]:
        linear = columns @ place
        chances = expit(linear)
        height = float((outcome * linear - np.logaddexp(0.0, linear)).sum()) - (place[-1] - center) ** 2 / (2 * sd**2)
        weighted = columns * (chances * (1.0 - chances))[:, None]
        gradient = columns.T @ (outcome - chances) - unit * (place[-1] - center) / sd**2
        return height, gradient, columns.T @ weighted + np.outer(unit, unit) / sd**2

    place, _, curvature = maximum(np.zeros(columns.shape[1]), derivatives, most=45)
    chances = expit(columns @ place)
    if bool((np.minimum(chances, 1.0 - chances) < 1e-8).all()):
        raise NoEstimateError("separation")
    return as_ratio(by_normal(float(place[-1]), error_of_last(curvature)))
