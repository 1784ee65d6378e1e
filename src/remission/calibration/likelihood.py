"""What the published numbers of one trial say, for the sampler and for those who judge it alike.

A number is normal around what is predicted. Of few people a share is not: where the plan says so it is the count that
was read, binomial, and the numbers beside it are normal given how far that count lies from what was predicted.
"""

from typing import Any

import numpy as np

_NODES, _WEIGHTS = np.polynomial.hermite_e.hermegauss(9)
_LEAST = 1e-12


def log_of_numbers(
    xp: Any, value: Any, error: Any, counted: Any, found: Any, spread: Any, correlation: Any, is_count: Any
) -> Any:
    """Log likelihood of the numbers, up to what only counts say, with ``xp`` as NumPy or its double in JAX.

    ``value``, ``error``: as published (number); ``counted``: how many of how many people, (2, number); ``found``: as
    predicted, (..., number), and ``spread``: its covariance (..., number, number), the logit of a count's share among
    them. ``correlation`` between numbers of simulated trials. ``is_count`` (number, plain): which enter as counts.
    """
    counts, others = np.flatnonzero(is_count), np.flatnonzero(~np.asarray(is_count))
    log, shift, mine = xp.zeros(found.shape[:-1]), 0.0, correlation[np.ix_(others, others)]
    if counts.size:
        read = counted[0][counts], counted[1][counts], found[..., counts], spread[..., counts, counts]
        log = log_of_counts(xp, *read).sum(axis=-1)
        surprise, chance = _beside(xp, *read)
        along = correlation[np.ix_(others, counts)]
        shift = error[others] * xp.einsum("oc,...c->...o", along, chance * surprise)
        mine = mine - xp.einsum("oc,...c,pc->...op", along, chance, along)
    if others.size:
        wide = error[others, None] * error[others] * mine + spread[(..., *np.ix_(others, others))]
        off = value[others] - found[..., others] - shift
        log = log - 0.5 * xp.einsum("...o,...o->...", off, xp.linalg.solve(wide, off[..., None])[..., 0])
        log = log - 0.5 * (xp.linalg.slogdet(wide)[1] + others.size * np.log(2.0 * np.pi))
    return log


def log_of_counts(xp: Any, count: Any, people: Any, logit: Any, doubt: Any) -> Any:
    """Log chance of each count, up to what only counts say; ``doubt``: variance of the predicted logit."""
    at = logit[..., None] + xp.sqrt(doubt)[..., None] * _NODES
    each = -count[:, None] * xp.logaddexp(0.0, -at) - (people - count)[:, None] * xp.logaddexp(0.0, at)
    top = each.max(axis=-1)
    return top + xp.log(xp.sum(xp.exp(each - top[..., None]) * (_WEIGHTS / _WEIGHTS.sum()), axis=-1))


def _beside(xp: Any, count: Any, people: Any, logit: Any, doubt: Any) -> tuple[Any, Any]:
    """How far each count lies from its prediction, by its deviance; and chance's part of that."""
    share, expected = count / people, xp.exp(-xp.logaddexp(0.0, -logit))
    ours = count * xp.log(xp.maximum(share, _LEAST)) + (people - count) * xp.log(xp.maximum(1.0 - share, _LEAST))
    theirs = -count * xp.logaddexp(0.0, -logit) - (people - count) * xp.logaddexp(0.0, logit)
    surprise = xp.sign(share - expected) * xp.sqrt(xp.maximum(2.0 * (ours - theirs), _LEAST))
    return surprise, 1.0 / (1.0 + doubt * people * expected * (1.0 - expected))
