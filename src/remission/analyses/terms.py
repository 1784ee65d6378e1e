"""Terms of a regression as columns. Contrasts are structured terms, never formula text."""

import numpy as np
from jaxtyping import Bool, Float, Int

__all__ = ["design_columns", "is_too_small", "level_columns"]

_Design = Float[np.ndarray, "subject term"]


def design_columns(treated: Bool[np.ndarray, " subject"], adjust: _Design) -> Float[np.ndarray, "subject column"]:
    """Intercept, treatment, then the adjustment."""
    return np.column_stack([np.ones(treated.size), treated.astype(np.float64), adjust])


def level_columns(levels: Int[np.ndarray, " subject"]) -> _Design:
    """Indicator columns of a factor, the first level left out; none when only one level occurs."""
    found = np.unique(levels)
    if found.size < 2:
        return np.zeros((levels.size, 0))
    return np.stack([levels == level for level in found[1:]], axis=1).astype(np.float64)


def is_too_small(values: Float[np.ndarray, " subject"], treated: Bool[np.ndarray, " subject"]) -> bool:
    """Whether there are fewer than four people, or one side of the contrast is empty."""
    return values.size < 4 or not treated.any() or bool(treated.all())
