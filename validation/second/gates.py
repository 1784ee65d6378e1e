"""Adjusted p values of families in a row, from the procedure's own decisions at a level."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True)
class Family:
    """Hypotheses that are tested together."""

    names: tuple[str, ...]
    test: str = "holm"
    hands_on: str = "all"


def rejected(p_values: dict[str, float], families: Sequence[Family], alpha: float) -> set[str]:
    """The hypotheses that are rejected where the first family has ``alpha``."""
    found: set[str] = set()
    level = alpha
    for family in families:
        ordered = sorted(family.names, key=lambda name: p_values[name])
        n = len(ordered)
        inside: set[str] = set()
        if family.test == "bonferroni":
            inside = {name for name in ordered if n * p_values[name] <= level}
        elif family.test == "holm":
            for rank, name in enumerate(ordered):
                if (n - rank) * p_values[name] > level:
                    break
                inside.add(name)
        else:
            for rank in range(n, 0, -1):
                if (n - rank + 1) * p_values[ordered[rank - 1]] <= level:
                    inside = set(ordered[:rank])
                    break
        found |= inside
        if family.hands_on == "all":
            if len(inside) < n:
                break
        else:
            level *= len(inside) / n
            if not inside:
                break
    return found


def adjusted(p_values: dict[str, float], families: Sequence[Family]) -> dict[str, float]:
    """The smallest level at which each hypothesis is rejected, by halving; 1 where it is at none."""
    result = {}
    for family in families:
        for name in family.names:
            low, high = 1e-300, 1.0
            if name not in rejected(p_values, families, 1.0):
                result[name] = 1.0
                continue
            # Halved in the exponent first: a level may be any power of ten.
            for turn in range(120):
                middle = sqrt(low * high) if turn < 60 else (low + high) / 2.0
                low, high = (low, middle) if name in rejected(p_values, families, middle) else (middle, high)
            result[name] = high
    return result
