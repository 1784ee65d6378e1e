"""What people believe about their arm, and what believing does: guess, expectancy, report.

Equations::

    guess:   logit p = g_0 + g_felt*m + g_better*better
    use:     push = k_E*(1/2 - guess)
    report:  mark = VAS*(1 - w_R*guess)

m is the largest psychoactive score; better the fall of craving from day 0 to the day of the asking, in hundredths of
the scale; guess is 1 for the active drug. g_0 and g_felt follow from two chances of the protocol's blinding; all other
weights are 0 unless they are set, and 0 changes nothing, bit for bit.
Assumptions: a guess is made once and believed from day 0 on; that a guess follows improvement makes it no cause of it.
Evidence: no counts of guesses were found for ketamine in addiction (docs/explanation/belief.md).
"""

import numpy as np

from remission.numerics.elementary import logistic
from remission.shapes import Float

__all__ = ["believed_mark", "believed_push", "guess_chance"]

_Column = Float[np.ndarray, " subject"]


def guess_chance(felt: _Column, better: _Column, *, g_0: float, g_felt: float, g_better: float) -> _Column:
    """Chance of guessing the active drug. [probability]"""
    return logistic(g_0 + g_felt * felt + g_better * better)


def believed_push(guess: _Column, *, k_e: float) -> _Column:
    """What a guess adds to the log odds of use: half of k_E up or down. [log odds]"""
    return k_e * (0.5 - guess)


def believed_mark(vas: _Column, guess: _Column, *, w_report: float) -> _Column:
    """The craving mark of somebody who believes to have had the active drug, before its noise. [VAS 0 to 100]"""
    return vas * (1.0 - w_report * guess)
