"""The run-time checker of shape hints: beartype, told to look at arrays only.

Scalars and records are left to mypy, and to the tests that hand a wrong one to a function in order to see it refused.
"""

from collections.abc import Callable
from typing import Any, get_args

import beartype
from jaxtyping import AbstractArray

__all__ = ["check_arrays"]


def check_arrays(function: Callable[..., Any]) -> Callable[..., Any]:
    """``function`` with every hint checked that has an array in it, and no other."""
    hints = {name: hint for name, hint in function.__annotations__.items() if _has_array(hint)}
    if not hints:
        return function
    function.__annotations__ = hints
    return beartype.beartype(function)


def _has_array(hint: Any) -> bool:
    if isinstance(hint, type) and issubclass(hint, AbstractArray):
        return True
    return any(_has_array(part) for part in get_args(hint))
