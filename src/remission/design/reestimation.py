"""What a size that is reckoned again from blinded numbers does: simulated trials, each with a size of its own."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from remission.design.closed_forms import test_level
from remission.design.law_trials import analyzed, cohorts_of, nuisance_of, reaches, worlds_without
from remission.numerics.tallies import Count, Mean
from remission.records.effect import Blinded, Law
from remission.shapes import Float, Int

MOST = 3
"""A trial grows to so many times its planned size, and no further."""
_SIZES = 24
"""Sizes at which trials are analyzed, at most; between two of them a trial takes the larger."""


def simulate_reestimation(
    law: Law,
    planned: int,
    seen: int,
    treatment_share: float,
    size_of: Callable[[dict[str, float]], int | None],
    *,
    alpha: float,
    n_replicates: int,
    seed: int,
) -> dict[str, Any]:
    """Power, type I errors by name and people of trials whose size is set by their first ``seen`` people; one analysis
    each, at the end.

    ``size_of``: the size by the nuisance numbers, as fields of a :class:`Blinded`; ``None``: none has the power.
    A trial never has fewer people than ``planned``, nor more than three times as many.
    """
    most, level = MOST * max(planned, seen), test_level(law, alpha)
    known: dict[tuple[float, ...], int] = {}

    def size(row: dict[str, float]) -> int:
        key = tuple(row.values())
        if key not in known:
            known[key] = min(size_of(row) or most, most)
        return known[key]

    power, entered, at_most = Count(), Mean(), Count()
    sizes: list[np.ndarray] = []
    false = {name: Count() for name, _ in worlds_without(law)}
    for cohort in cohorts_of(most, treatment_share, n_replicates, seed):
        for name, world in (("", law), *worlds_without(law)):
            first = nuisance_of(world, cohort.first(seen))
            # Two digits more than matter: trials of one size are then analyzed together.
            rows = [dict(zip(first, row, strict=True)) for row in _rounded(np.column_stack(list(first.values())))]
            people = _on_grid(np.array([max(size(row), planned, seen) for row in rows]), most)
            reached = np.zeros(people.size, dtype=np.bool_)
            for n in np.unique(people).tolist():
                reached = np.where(people == n, reaches(world, analyzed(world, cohort.first(n)), level), reached)
            if name:
                false[name].add(reached)
                continue
            power.add(reached)
            entered.add(people.astype(np.float64))
            at_most.add(people >= most)
            sizes.append(people)
    low, high = np.quantile(np.concatenate(sizes), [0.05, 0.95], method="inverted_cdf").tolist()
    return {
        "power": asdict(power.measure), "nulls": {name: asdict(count.measure) for name, count in false.items()},
        "people": asdict(entered.measure), "people_low": low, "people_high": high, "at_most": asdict(at_most.measure),
        "most": most,
    }  # fmt: skip


def _rounded(table: Float[np.ndarray, "replicate number"]) -> list[list[float]]:
    """To three digits."""
    return [[float(f"{value:.3g}") for value in row] for row in table.tolist()]


def _on_grid(people: Int[np.ndarray, " replicate"], most: int) -> Int[np.ndarray, " replicate"]:
    low, high = int(people.min()), int(people.max())
    step = max(1, -(-(high - low) // _SIZES))
    return np.minimum(low + -(-(people - low) // step) * step, most)


def blinded_of(seen: int, numbers: dict[str, float]) -> Blinded:
    """The numbers as a file would state them."""
    return Blinded.from_dict({"people": seen, **numbers})
