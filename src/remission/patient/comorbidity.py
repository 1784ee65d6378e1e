"""Who has depression or anxiety: drawn for each person from a stream of its own, so that nothing else moves."""

from collections.abc import Mapping
from math import sqrt

import numpy as np

from remission.shapes import Int
from remission.streams import People, Stream, draw_uniforms

__all__ = ["both_share", "sample_comorbidity"]


def sample_comorbidity(
    people: People, *, prevalence: Mapping[str, float], odds_ratio: float
) -> dict[str, Int[np.ndarray, " subject"]]:
    """1 for each person who has a condition, by the names of ``prevalence``: depression, anxiety or both. [0 or 1]

    ``odds_ratio``: of having both; each keeps its own prevalence whatever it is.
    """
    u_depression, u_anxiety, _, _ = draw_uniforms(people, Stream.COMORBIDITY, 0)
    found: dict[str, Int[np.ndarray, " subject"]] = {}
    depression, anxiety = prevalence.get("depression"), prevalence.get("anxiety")
    if depression is not None:
        found["depression"] = (u_depression < depression).astype(np.int64)
    if anxiety is not None:
        chance = np.full(len(people), anxiety)
        if depression is not None and 0.0 < depression < 1.0:
            both = both_share(depression, anxiety, odds_ratio)
            among = (both / depression, (anxiety - both) / (1.0 - depression))
            chance = np.where(found["depression"] == 1, *among)
        found["anxiety"] = (u_anxiety < chance).astype(np.int64)
    return found


def both_share(one: float, other: float, odds_ratio: float) -> float:
    """The share of people who have both of two conditions of known prevalence and odds ratio. [share]

    The root of ``r = x*(1 - one - other + x)/((one - x)*(other - x))`` between the limits of Frechet.
    """
    if odds_ratio == 1.0:
        return one * other
    total = 1.0 + (one + other) * (odds_ratio - 1.0)
    under = max(total * total - 4.0 * odds_ratio * (odds_ratio - 1.0) * one * other, 0.0)
    # The stable form of the smaller root: the other one subtracts two numbers that nearly agree.
    both = 2.0 * odds_ratio * one * other / (total + sqrt(under))
    return min(max(both, one + other - 1.0, 0.0), one, other)
