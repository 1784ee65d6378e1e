"""Odds ratios: the two-by-two table, and logistic regression with one of three tests."""

import numpy as np
from jaxtyping import Bool, Float

from remission.analyses.estimate import Estimate
from remission.analyses.fast_odds import LARGEST_ERROR, Test, analyze_many_odds

__all__ = ["LARGEST_ERROR", "Test", "analyze_odds"]

_Values = Float[np.ndarray, " subject"]
_Treated = Bool[np.ndarray, " subject"]
_Design = Float[np.ndarray, "subject term"]


def analyze_odds(events: _Values, treated: _Treated, adjust: _Design, *, test: Test = "wald") -> Estimate:
    """Odds ratio of the event, treated against control.

    Without adjustment it is the two-by-two table's (an empty cell counts as half a person); with
    adjustment, or with another test than Wald's, a logistic regression with Wald intervals. Status ``separation`` when
    the likelihood has no maximum.

    ``events``: 1 with the event, else 0; without NaN. ``test``: which test the p value is of; the interval is always
    Wald's.
    """
    everyone = np.ones((1, treated.size), dtype=np.bool_)
    terms = np.ascontiguousarray(adjust.T)[None]
    return analyze_many_odds(events[None], everyone, treated[None], terms, test=test).one(0)
