"""Shape hints of arrays, as jaxtyping has them: ``Float[np.ndarray, "subject time"]``.

They are for readers and for the tests, which check them. Loading what can check them takes a sixteenth of a second, so
a program that does not has the array's own type in their place. Who wants to check them loads jaxtyping first.
"""

import sys
from typing import TYPE_CHECKING, Any

__all__ = ["Bool", "Float", "Int", "Integer", "UInt64"]

if TYPE_CHECKING or "jaxtyping" in sys.modules:
    from jaxtyping import Bool, Float, Int, Integer, UInt64
else:

    class _Hint:
        def __class_getitem__(cls, of: tuple[Any, str]) -> Any:
            return of[0]

    Bool = Float = Int = Integer = UInt64 = _Hint
