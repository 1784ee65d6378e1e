"""What a person answers when asked what they had, and what believing it does.

Equations, for each person at each asking::

    L = g_0 + g_felt*m + g_side*side + g_expects*x + g_better*s*y0 + noise
    answer: drug if L > unsure, control if L < -unsure, else "do not know"; certainty = 2 logistic(|L|) - 1

m is what was felt, x the expectation before treatment, y0 the outcome without any belief, s the share of its change
that has come by the day of the asking; the noise is logistic and each person's own, the same at every asking, so that
an answer changes only where the outcome did. y0 contains no effect of belief: a guess cannot cause itself.
With b = 1 for the drug, 1/2 for "do not know", 0 for the control, and c = 1 for the control::

    outcome:  y1 = y0 + expectation*x + behavior*b - behavior_disappointed*c + worth*(sessions kept) + therapist*T
    report:   y2 = y1 + report*b - report_disappointed*c + hope*x*b + rater*R

What people do follows their first answer, what they report their last. R and T are guesses of rater and therapist.
Evidence: docs/explanation/belief.md; no weight was measured, so each is 0 unless stated.
"""

from dataclasses import dataclass

import numpy as np

from remission.blinding.experience import ArmPair
from remission.numerics.elementary import log, logistic
from remission.records.belief import Guessing
from remission.shapes import Float, Int

DRUG, CONTROL, UNSURE = 0, 1, 2
"""Answers, in the order of the rows of a table of guesses."""
_TOLD = 50.0
_Table = Float[np.ndarray, "replicate subject"]
_Answers = Int[np.ndarray, "replicate subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuessOdds:
    """Intercept and slope of the log odds of guessing the drug in what is felt; ``told``: added by arm, where told."""

    intercept: float
    slope: float
    told: tuple[float, float] = (0.0, 0.0)


def guess_odds(guess: Guessing, arms: ArmPair, prior_log_odds: float) -> GuessOdds:
    """The log odds as stated; where nothing is stated, as well as what was felt tells the arms apart.

    The latter is the linear rule with the means of both arms and their pooled variance, from the odds of allocation.
    """
    told = (_TOLD * arms.drug.is_open, -_TOLD * arms.control.is_open)
    if arms.control.is_open or arms.drug.is_open:
        # Who sees the other arm's people wait knows it as well.
        told = (_TOLD, -_TOLD)
    if guess.unfelt is not None and guess.felt is not None:
        odds = log(np.array([guess.unfelt, guess.felt])) - log(1.0 - np.array([guess.unfelt, guess.felt]))
        return GuessOdds(intercept=float(odds[0]), slope=float(odds[1] - odds[0]), told=told)
    (high, spread), (low, other) = arms.drug.moments, arms.control.moments
    pooled = 0.5 * (spread + other)
    gap = high - low
    if gap == 0.0:
        return GuessOdds(intercept=prior_log_odds, slope=0.0, told=told)
    slope = gap / pooled if pooled > 0.0 else 2.0 * _TOLD / gap
    slope = float(np.clip(slope, -2.0 * _TOLD / abs(gap), 2.0 * _TOLD / abs(gap)))
    return GuessOdds(intercept=prior_log_odds - 0.5 * slope * (high + low), slope=slope, told=told)


def answers_of(certainty_log_odds: _Table, unsure: float) -> _Answers:
    """The answer of each person, by the log odds of what they believe."""
    return np.where(certainty_log_odds > unsure, DRUG, np.where(certainty_log_odds < -unsure, CONTROL, UNSURE))


def certainty_of(certainty_log_odds: _Table) -> _Table:
    """How sure each person is of their answer. [share, 0 to 1]"""
    return 2.0 * logistic(np.abs(certainty_log_odds)) - 1.0
