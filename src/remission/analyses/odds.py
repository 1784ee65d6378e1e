"""Odds ratios of all replicates at once: the two-by-two table, and logistic regression with one of three tests.

The maximum of the likelihood is found by Newton's method (iteratively reweighted least squares), on columns that were
made orthonormal first, so that terms of any scale and terms that depend on each other do no harm. Where the event is
separated (everybody with it is told from everybody without it by arm and covariates) the likelihood has no maximum and
the steps run to infinity. Sums have a fixed order, for the same bits on every processor, which is why no library does
it; a test holds the results to statsmodels.
"""

from typing import Literal

import numpy as np

from remission.analyses.basis import Basis, orthonormal_basis
from remission.analyses.estimate import Estimate, Estimates, Status, of_one, ratios_of, refuse_gaps
from remission.numerics.distributions import chi_squared_tail
from remission.numerics.elementary import log
from remission.numerics.lanes import exp_lane, log_lane
from remission.numerics.loops import inner, loop
from remission.numerics.small_systems import factor, inverse, places_of, solve, sum_of_products
from remission.shapes import Bool, Float

__all__ = ["LARGEST_ERROR", "Test", "analyze_many_odds", "analyze_odds", "logistic_fits"]

_Table = Float[np.ndarray, "replicate subject"]
_Flags = Bool[np.ndarray, "replicate subject"]
_Column = Float[np.ndarray, " replicate"]
Test = Literal["wald", "likelihood-ratio", "score"]

LARGEST_ERROR = 20.0
"""A standard error of a log ratio above this means that the estimate runs to infinity."""
_STEPS = 100
_GAIN = 1e-10
"""The search ends where a step would add less than half of this to the log likelihood: the next would move the estimate
by less than a hundred-billionth of its standard error."""
_LEAST = 1e-14
"""Share of its Fisher information that a column must keep beside the others; with less it cannot be estimated."""
_HALVINGS = 30
"""How often a step that would make the fit worse is halved."""


def analyze_odds(
    events: Float[np.ndarray, " subject"],
    treated: Bool[np.ndarray, " subject"],
    adjust: Float[np.ndarray, "subject term"],
    *,
    test: Test = "wald",
) -> Estimate:
    """:func:`analyze_many_odds` of one replicate, whose events have no NaN."""
    return of_one(analyze_many_odds, events, treated, adjust=adjust, test=test)


def analyze_many_odds(
    events: _Table,
    inside: _Flags,
    treated: _Flags,
    adjust: Float[np.ndarray, "replicate term subject"],
    *,
    test: Test = "wald",
) -> Estimates:
    """Odds ratios of the event, treated against control, with Wald intervals.

    Without adjustment it is the two-by-two table's (an empty cell counts as half a person); with adjustment, or with
    another test than Wald's, a logistic regression. Status ``separation`` where the likelihood has no maximum.

    ``events``: 1 with the event, else 0; any number where not ``inside``. ``inside``: who is analyzed. ``test``: which
    test the p value is of.
    """
    refuse_gaps("events", events, inside)
    outcome = np.where(inside, events, 0.0)
    sides = [inside & treated, inside & ~treated]
    n1, n0 = (side.sum(axis=1).astype(np.float64) for side in sides)
    enough = (n1 + n0 >= 4) & (n1 > 0) & (n0 > 0)
    status = np.full(enough.size, Status.OK, dtype=object)
    if adjust.shape[1] == 0 and test == "wald":
        a, c = ((outcome * side).sum(axis=1) for side in sides)
        table = np.stack([a, n1 - a, c, n0 - c])
        table = np.where(table == 0.0, 0.5, table)
        status[~enough] = Status.NO_VARIATION
        log_odds = log(table[0] * table[3] / (table[1] * table[2]))
        return ratios_of(status, log_odds, np.sqrt((1.0 / table).sum(axis=0)))
    total = outcome.sum(axis=1)
    basis = orthonormal_basis(inside, treated, adjust)
    enough &= (total > 0) & (total < n1 + n0)
    plain = enough & basis.is_estimable
    log_odds, error, code, p_value = logistic_fits(outcome, inside, basis, plain, test=test)
    status[code == _STOPPED] = Status.NOT_CONVERGED
    with np.errstate(invalid="ignore"):
        status[(code == _FORETOLD) | (error > LARGEST_ERROR)] = Status.SEPARATION
    status[~basis.is_estimable] = Status.NOT_ESTIMABLE
    status[~enough] = Status.NO_VARIATION
    return ratios_of(status, log_odds, error, None if test == "wald" else p_value)


_FOUND, _FORETOLD, _STOPPED = 0, 1, 2
_TESTS = {"wald": 0, "likelihood-ratio": 1, "score": 2}


def logistic_fits(
    outcome: _Table,
    inside: _Flags,
    basis: Basis,
    plain: Bool[np.ndarray, " replicate"],
    *,
    test: Test = "wald",
    center: float = 0.0,
    precision: float = 0.0,
) -> tuple[_Column, _Column, Float[np.ndarray, " replicate"], _Column]:
    """Log odds ratios, their errors, how the search ended (0 found, 1 foretold, 2 stopped), and p values.

    ``outcome``: 0 or 1; 0 for people outside. ``plain``: which replicates to fit; the others count as stopped.
    ``center``, ``precision``: of a normal prior of the log odds ratio; a precision of 0 is none.
    """
    shape = plain.size
    log_odds, error, p_value = (np.full(shape, np.nan) for _ in range(3))
    code = np.full(shape, _STOPPED, dtype=np.int64)
    square = np.zeros(shape)
    _fit_all(outcome, inside, basis.columns, basis.is_kept, basis.left, plain, _TESTS[test], center, precision, _STEPS,
             log_odds, error, code, square)  # fmt: skip
    if test != "wald":
        p_value = chi_squared_tail(square)
    return log_odds, error, code, p_value


@loop
def _fit_all(
    outcome, inside, columns, kept, left, plain, test, center, precision, steps, log_odds, error, code, square
):
    for r in range(plain.size):
        if not plain[r]:
            continue
        people, chosen = places_of(inside[r]), places_of(kept[r])
        x = np.empty((chosen.size, people.size))
        for j in range(chosen.size):
            for i in range(people.size):
                x[j, i] = columns[r, chosen[j], people[i]]
        y = np.empty(people.size)
        for i in range(people.size):
            y[i] = outcome[r, people[i]]
        last = chosen.size - 1
        weight = precision / (left[r] * left[r])
        aim = center * left[r]
        effect = np.zeros(chosen.size)
        information = np.zeros((chosen.size, chosen.size))
        code[r], deviance = _fit(x, y, weight, aim, steps, effect, information)
        if code[r] == _FORETOLD or not information[last, last] > 0.0:
            continue
        log_odds[r] = effect[last] / left[r]
        error[r] = np.sqrt(inverse(information)[last, last]) / left[r]
        if test != 0 and code[r] == _FOUND:
            null = np.zeros(last)
            others = np.zeros((last, last))
            ended, before = _fit(x[:last], y, 0.0, 0.0, steps, null, others)
            if ended != _FOUND:
                code[r] = ended
            elif test == 1:
                square[r] = max(0.0, before - deviance)
            else:
                square[r] = _score(x, y, null, others)


@inner
def _chance(line):
    return 1.0 / (1.0 + exp_lane(-line))


@inner
def _line(x, effect, i):
    total = 0.0
    for j in range(effect.size):
        total += effect[j] * x[j, i]
    return total


@inner
def _fit(x, y, precision, aim, steps, effect, information):
    """Newton's steps; the effect and the factor of the information are left in their places. How it ended, and minus
    twice the log likelihood.
    """
    n_terms, n = x.shape
    slope, step = np.zeros(n_terms), np.zeros(n_terms)
    lines, weighted, chances = np.zeros(n), np.zeros(n), np.zeros(n)
    deviance = 0.0
    has_prior = precision > 0.0
    for i in range(n):
        # As statsmodels starts: each chance half way between 1/2 and what came. With a prior: at its center.
        p = (y[i] + 0.5) / 2.0
        lines[i] = log_lane(p / (1.0 - p))
    if has_prior:
        effect[n_terms - 1] = aim
        deviance = _deviance(x, y, effect, lines, chances, precision, aim)
    arrived, new = False, deviance
    for number in range(steps):
        slope[:] = 0.0
        information[:, :] = 0.0
        foretold = True
        # Apart from the sums, whose order is fixed: so the exponentials of several people are taken at once.
        for i in range(n):
            chances[i] = _chance(lines[i])
        for i in range(n):
            p = chances[i]
            foretold = foretold and abs(p - y[i]) <= 1e-8 + 1e-5 * y[i]
            held = min(max(p, 2.3e-16), 1.0 - 2.3e-16)
            weighted[i] = held * (1.0 - held)
            # The starting log odds come from no coefficients, so the first step estimates these from zero.
            away = y[i] - p
            if number == 0 and not has_prior:
                away += weighted[i] * lines[i]
            for j in range(n_terms):
                slope[j] += away * x[j, i]
                some = weighted[i] * x[j, i]
                for k in range(j + 1):
                    information[j, k] += some * x[k, i]
        # Separated: every chance is 0 or 1. A prior holds the treatment only, the other terms may still run away.
        if foretold and (arrived or not has_prior):
            return _FORETOLD, 0.0
        if has_prior:
            slope[n_terms - 1] -= precision * (effect[n_terms - 1] - aim)
            information[n_terms - 1, n_terms - 1] += precision
        if not factor(information, _LEAST):
            return (_FORETOLD if number > 0 else _STOPPED), 0.0
        if arrived:
            return _FOUND, deviance
        for j in range(n_terms):
            step[j] = slope[j]
        solve(information, step)
        gain = sum_of_products(slope, step)
        if not np.isfinite(gain):
            return _STOPPED, 0.0
        arrived = (number > 0 or has_prior) and gain <= _GAIN
        for _ in range(_HALVINGS):
            for j in range(n_terms):
                effect[j] += step[j]
            new = _deviance(x, y, effect, lines, chances, precision, aim)
            # Near separation the likelihood is almost flat, and a whole step may overshoot.
            if arrived or number == 0 or new <= deviance + 1e-9 * (1.0 + deviance):
                break
            for j in range(n_terms):
                effect[j] -= step[j]
                step[j] *= 0.5
        deviance = new
    return _STOPPED, 0.0


@inner
def _deviance(x, y, effect, lines, terms, precision, aim):
    """Minus twice the log likelihood, and what a prior takes of it; the lines are left in their place.

    ``terms``: room for each person's.
    """
    total = precision * (effect[effect.size - 1] - aim) * (effect[effect.size - 1] - aim)
    lines[:] = 0.0
    for j in range(effect.size):
        column, share = x[j], effect[j]
        for i in range(column.size):
            lines[i] += share * column[i]
    for i in range(y.size):
        # log(1 + exp(wrong)), written so that exp cannot overflow.
        wrong = -lines[i] if y[i] > 0.5 else lines[i]
        terms[i] = 2.0 * (log_lane(1.0 + exp_lane(-abs(wrong))) + max(wrong, 0.0))
    for i in range(y.size):
        total += terms[i]
    return total


@inner
def _score(x, y, null, others):
    """Rao's statistic of the last column, at the fit without it."""
    last = null.size
    n = y.size
    across = np.zeros(last)
    slope, own = 0.0, 0.0
    for i in range(n):
        p = _chance(_line(x, null, i))
        slope += (y[i] - p) * x[last, i]
        some = p * (1.0 - p) * x[last, i]
        own += some * x[last, i]
        for j in range(last):
            across[j] += some * x[j, i]
    explained = across.copy()
    solve(others, explained)
    return slope * slope / (own - sum_of_products(across, explained))
