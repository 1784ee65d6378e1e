"""The scales on which estimates of simulated trials are averaged, and their columns."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from remission.records.analysis_methods import METHODS, Method
from remission.shapes import Float


def is_ratio(method: Method) -> bool:
    """Whether an analysis of this method gives a ratio, whose scale is the logarithm."""
    return METHODS[method].scale == "ratio"


def scale_of(method: Method) -> str:
    """Name of the scale on which estimates of a method are averaged."""
    words = METHODS[method].name or method.replace("_", " ")
    return f"log {words}" if is_ratio(method) else words


def to_scale(values: Float[np.ndarray, " replicate"], method: Method) -> Float[np.ndarray, " replicate"]:
    """Estimates on the scale on which they are averaged."""
    return np.log(values) if is_ratio(method) else values


def columns_of(rows: Sequence[Any], names: Iterable[str], measures: Iterable[str]) -> dict[str, list[Any]]:
    """Rows as columns; each measure has its Monte Carlo error beside it."""
    found = {name: [getattr(row, name) for row in rows] for name in names}
    for name in measures:
        values = [getattr(row, name) for row in rows]
        found[name] = [None if one is None else one.value for one in values]
        found[f"{name}_mcse"] = [None if one is None else one.mcse for one in values]
    return found
