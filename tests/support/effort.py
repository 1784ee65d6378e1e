"""How much the suite tries: enough to catch a slip on every run; ``make thorough`` tries each in full.

What a full try proved stays proved there, and a test here is the same test on fewer cases, never another one.
"""

import os

__all__ = ["THOROUGH", "tries"]

THOROUGH = os.environ.get("REMISSION_THOROUGH") == "1"


def tries(few: int, in_full: int) -> int:
    """How many cases: ``few`` in the suite, ``in_full`` in ``make thorough``."""
    return in_full if THOROUGH else few
