"""The normal law and sums of logarithms as SciPy has them, loaded when first asked for: a tenth of a second."""

from functools import cache
from types import ModuleType
from typing import Any


@cache
def _special() -> ModuleType:
    from scipy import special

    return special


def ndtr(x: Any) -> Any:
    """The share of a standard normal law below ``x``."""
    return _special().ndtr(x)


def ndtri(share: Any) -> Any:
    """The number below which a share of a standard normal law lies."""
    return _special().ndtri(share)


def logsumexp(a: Any, *, b: Any = None) -> Any:
    """The logarithm of a sum of exponentials, each times its ``b``."""
    return _special().logsumexp(a, b=b)
