"""Laws over random cases: one test a law, each case with an address, so that a failure can be called up again alone.

The suite tries 50 cases of each law; ``make laws`` tries 1,000. ``REMISSION_LAWS`` says how many,
``REMISSION_LAW_CASE`` tries one case alone.
"""

import functools
import inspect
import os
from collections.abc import Callable
from typing import Any

import numpy as np

IN_THE_SUITE = 50


def _cases(one_in: int) -> list[int]:
    alone = os.environ.get("REMISSION_LAW_CASE")
    if alone is not None:
        return [int(alone)]
    return list(range(-(-int(os.environ.get("REMISSION_LAWS", IN_THE_SUITE)) // one_in)))


def law(*, seed: int, one_in: int = 1) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test once for each case; its first argument ``rng`` is drawn from the address (seed, case).

    Further arguments are fixtures of pytest, shared by all cases. A law whose cases are long, such as one of shares
    over many trials, tries only ``one_in`` so many of the cases.
    """

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(test)

        @functools.wraps(test)
        def run(**fixtures: Any) -> None:
            for case in _cases(one_in):
                try:
                    test(np.random.default_rng((seed, case)), **fixtures)
                except BaseException as error:
                    error.add_note(f"law {test.__name__}, seed {seed}: REMISSION_LAW_CASE={case} tries it alone")
                    raise

        fixtures = [one for name, one in signature.parameters.items() if name != "rng"]
        run.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        del run.__wrapped__
        return run

    return decorate
