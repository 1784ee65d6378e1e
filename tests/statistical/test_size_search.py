"""The interval of a size that was searched holds the true one as often as it says, though trials stop by its width."""

import numpy as np
import pytest
from scipy.special import ndtr, ndtri
from scipy.stats import binom

from remission.design.size_search import WITHIN_PEOPLE, WITHIN_SHARE, Enough, Evaluation, search_size
from remission.numerics.tallies import Count, Mean, Measure

Z = 1.959963984540054
N_SEARCHES = 250
FALSE_ALARM = 1e-4
"""Chance that a test of this file fails although the intervals hold 95%."""


def search(
    truth: float, power: float, rng: np.random.Generator, *, spread: float, low: int, high: int
) -> tuple[bool, float]:
    """One search where the size with the power is known; whether its interval holds it, and half its width in people.

    ``spread``: standard deviation between sets of people of the score by which a trial rejects; 0: ordinary trials.
    """
    k = (Z + float(ndtri(power))) / np.sqrt(truth)

    def evaluate(n: int, enough: Enough) -> Evaluation:
        shares, count, found = Mean(), Count(), Measure(value=0.5, mcse=1.0)
        mean = k * np.sqrt(n) - Z
        while count.n < 20_000:
            if spread:
                shares.add(ndtr((mean + spread * rng.normal(size=20)) / np.sqrt(1.0 - spread**2)))
                count.n = shares.n
                found = shares.measure
            else:
                found = count.add(rng.random(20) < ndtr(mean)).measure
            if count.n >= 50 and enough(found):
                break
        return Evaluation(n_subjects=n, rejected=found, n_replicates=count.n)

    found = search_size(evaluate, power=power, low=low, high=high, alpha=0.05)
    assert found.outcome == "found"
    assert found.interval is not None
    assert found.n is not None
    least, most = found.interval
    return least <= truth <= most, (most - least) / 2.0


@pytest.mark.parametrize(("truth", "power", "spread"), [(378.0, 0.8, 0.2), (210.0, 0.9, 0.4), (120.0, 0.8, 0.0)])
def test_an_interval_of_a_size_holds_the_true_one(truth: float, power: float, spread: float) -> None:
    """Whole people widen it a little, so only too few is a fault."""
    rng = np.random.default_rng(int(truth))
    held, half = zip(
        *(search(truth, power, rng, spread=spread, low=24, high=1000) for _ in range(N_SEARCHES)), strict=True
    )
    assert sum(held) >= binom.ppf(FALSE_ALARM, N_SEARCHES, 0.95)
    # Rounded to whole people at both ends.
    assert max(half) <= max(WITHIN_PEOPLE, WITHIN_SHARE * truth * 1.1) + 1.0


@pytest.mark.parametrize("value", [0.0, 0.05, 0.6])
def test_a_range_that_is_too_small_says_so(value: float) -> None:
    """A power that stays where it is, however many people there are, ends the search at the largest size."""

    def flat(n: int, _: Enough) -> Evaluation:
        return Evaluation(n_subjects=n, rejected=Measure(value=value, mcse=0.004), n_replicates=4000)

    found = search_size(flat, power=0.8, low=24, high=384, alpha=0.05)
    assert (found.outcome, found.n, found.interval) == ("above", None, None)
    assert found.evaluations[-1].n_subjects == 384
