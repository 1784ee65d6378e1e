"""Generalized estimating equations of visits."""

from math import sqrt

import numpy as np

from validation.second.basics import (
    Array,
    Found,
    NoEstimateError,
    by_normal,
    by_t,
    check_sides,
    columns_that_count,
)


def repeated_difference(
    values: Array, treated: Array, terms: Array, *, correlation: str = "exchangeable", small_sample: bool = True
) -> Found:
    """One difference for all visits; error of the sandwich, of Mancl and DeRouen where the sample is small."""
    check_sides(treated)
    seen = np.isfinite(values)
    if np.ptp(values[seen]) == 0.0:
        raise NoEstimateError("no_variation")
    happened = seen.any(axis=0)
    values, seen = values[:, happened], seen[:, happened]
    person, visit = np.nonzero(seen)
    outcome = values[seen]
    centered = terms - terms.mean(axis=0)
    largest = np.abs(centered).max(axis=0) if terms.size else np.zeros(0)
    centered = centered[:, largest > 0.0] / largest[largest > 0.0]
    ones = (visit[:, None] == np.arange(values.shape[1])).astype(float)
    columns = np.column_stack([ones, centered[person], treated[person]])
    counts = columns_that_count(columns)
    if not counts[-1]:
        raise NoEstimateError("not_estimable")
    columns = columns[:, counts]
    rows = [np.flatnonzero(person == number) for number in range(treated.size)]
    strength = 0.0
    before = np.full(columns.shape[1], np.inf)
    for _ in range(500):
        inverses = [np.linalg.inv(_matrix(place.size, strength, correlation)) for place in rows]
        bread = sum((columns[i].T @ v @ columns[i] for i, v in zip(rows, inverses, strict=True)), np.zeros(1))
        right = sum((columns[i].T @ v @ outcome[i] for i, v in zip(rows, inverses, strict=True)), np.zeros(1))
        here = np.linalg.solve(bread, right)
        left = outcome - columns @ here
        if np.abs(here - before).max() <= 1e-12 * np.abs(here).max():
            break
        before = here
        strength = _strength(left, rows, columns.shape[1], correlation)
        # The moments can give what is no correlation.
        if np.linalg.eigvalsh(_matrix(max(place.size for place in rows), strength, correlation)).min() <= 0.0:
            raise NoEstimateError("not_converged")
    else:
        raise NoEstimateError("not_converged")
    inverse = np.linalg.inv(bread)
    row = np.zeros(treated.size)
    for number, (i, v) in enumerate(zip(rows, inverses, strict=True)):
        rest = left[i]
        if small_sample:
            hat = columns[i] @ inverse @ columns[i].T @ v
            beside = np.eye(i.size) - hat
            if np.linalg.cond(beside) > 1e9:
                raise NoEstimateError("not_estimable")
            rest = np.linalg.solve(beside, rest)
        row[number] = float(inverse[-1] @ (columns[i].T @ v @ rest))
    error = sqrt(float(row @ row))
    if small_sample:
        freedom = treated.size - terms.shape[1] - 2
        if freedom < 1:
            raise NoEstimateError("not_estimable")
        return by_t(float(here[-1]), error, freedom)
    return by_normal(float(here[-1]), error)


def _matrix(size: int, strength: float, correlation: str) -> Array:
    lag = np.abs(np.subtract.outer(np.arange(size), np.arange(size))).astype(float)
    if correlation == "autoregressive":
        return np.asarray(strength**lag)
    return np.where(lag == 0.0, 1.0, strength)


def _strength(left: Array, rows: list[np.ndarray], n_columns: int, correlation: str) -> float:
    if correlation == "independence":
        return 0.0
    parts = [left[place] for place in rows if place.size]
    if correlation == "exchangeable":
        products = sum((float(part.sum()) ** 2 - float(part @ part)) / 2.0 for part in parts)
        pairs = sum(part.size * (part.size - 1) / 2.0 for part in parts) - n_columns
        if pairs == 0.0 or left.size <= n_columns:
            raise NoEstimateError("not_estimable")
        return products / pairs / (float(left @ left) / (left.size - n_columns))
    several = [part for part in parts if part.size > 1]
    above = sum(float(part[1:] @ part[:-1]) / (part.size - 1) for part in several)
    return above / sum(float(part @ part) / part.size for part in several)
