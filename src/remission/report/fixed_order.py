"""The drawing library's few products, inverses and logarithms, in a fixed order.

Matplotlib multiplies and inverts its 3 by 3 matrices by BLAS and LAPACK, and takes logarithms of an axis by NumPy; both
choose their instructions by processor. The coordinates of a figure are printed to six digits, where the last bit hardly
ever shows, but the names of its clip paths are hashes of unrounded numbers.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
from matplotlib import scale, transforms

from remission.numerics.elementary import exp, log

_LOG_10 = 2.302585092994046


class _Numpy:
    """NumPy with another product and another logarithm."""

    def __init__(self) -> None:
        # A name that stands here is found a good deal quicker than one that is asked for.
        vars(self).update({name: value for name, value in vars(np).items() if name not in {"dot", "log10"}})

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    @staticmethod
    def dot(left: Any, right: Any) -> Any:
        """Product of two matrices, each sum in the order of the columns."""
        a, b = np.asarray(left, dtype=np.float64), np.asarray(right, dtype=np.float64)
        if a.shape == b.shape == (3, 3):
            # Almost all of them; plain numbers are three times as quick here, and their operations the same.
            (p, q, r), (s, t, u), (v, w, x) = b.tolist()
            return np.array([
                (i * p + j * s + k * v, i * q + j * t + k * w, i * r + j * u + k * x) for i, j, k in a.tolist()
            ])  # fmt: skip
        total = a[:, :1] * b[0]
        for k in range(1, len(b)):
            total = total + a[:, k : k + 1] * b[k]
        return total

    @staticmethod
    def log10(x: Any) -> Any:
        """Common logarithm; NumPy's answer where there is none."""
        values = np.asarray(x, dtype=np.float64)
        with np.errstate(divide="ignore", invalid="ignore"):
            is_plain = (values > 1e-300) & np.isfinite(values)
            found = np.where(is_plain, log(np.where(is_plain, values, 1.0)) / _LOG_10, np.log10(values))
        return found if found.ndim else float(found)


def _inverse(matrix: Any) -> Any:
    """Of a 3 by 3 matrix whose last row is 0, 0, 1."""
    (a, c, e), (b, d, f), _ = np.asarray(matrix, dtype=np.float64).tolist()
    whole = a * d - b * c
    if whole == 0.0:
        raise np.linalg.LinAlgError("Singular matrix")
    return np.array(
        [
            [d / whole, -c / whole, (c * f - d * e) / whole],
            [-b / whole, a / whole, (b * e - a * f) / whole],
            [0.0, 0.0, 1.0],
        ]
    )


@contextmanager
def fixed_order() -> Iterator[None]:
    """The drawing library with these in the place of its own; for one thread at a time."""
    ours: Any = _Numpy()
    places: tuple[tuple[Any, str, Any], ...] = (
        (transforms, "np", ours),
        (transforms, "inv", _inverse),
        (scale, "np", ours),
    )
    before = [getattr(module, name) for module, name, _ in places]
    for module, name, new in places:
        setattr(module, name, new)
    try:
        yield
    finally:
        for (module, name, _), old in zip(places, before, strict=True):
            setattr(module, name, old)


def spaced_by_ratio(low: float, high: float, count: int) -> Any:
    """So many numbers from low to high, each the same multiple of the one before."""
    ends = log(np.array([low, high]))
    found = exp(np.linspace(ends[0], ends[1], count))
    found[0], found[-1] = low, high
    return found
