"""Chains of first-order steps, such as dose, ketamine, transit compartments, norketamine: amounts of many subjects.

A cascade is a linear system in which drug only moves on: each state is fed by earlier ones and by none that comes after
it, so that its matrix is triangular. State 0 is the input, constant over a step; feeds are never negative::

    x_0 = u(t)                      dx_s/dt = sum over feeds (a to s, a < s) of feed x_a - rate_s x_s

Over a step h the states are multiplied by ``exp(M h)``, by scaling and squaring: the power series of ``exp((M + q I) h
/ 2^k)``, q the largest rate, has positive terms only, and so has each squaring, so nothing cancels and rates may be
equal. The diagonal, ``exp(-rate h)``, is computed anew at every squaring, which keeps the error at a few roundings.

``BLOCK`` subjects lie side by side; how often a matrix is squared is each subject's own matter, so a subject's bits
depend on that subject alone. Numbers below 1e-139 count as 0, for processors are slow with the smallest numbers.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from remission.numerics.cores import share_out
from remission.numerics.lanes import exp_lane
from remission.numerics.loops import inner, loop
from remission.numerics.walks import walk_over
from remission.shapes import Float

BLOCK = 64
"""Subjects handled side by side; two of their matrices stay near the processor."""

_SMALLEST = 1e-139
_LONGEST = 320.0
_MOST_HALVINGS = 1000
# A state fed through k others begins at the k-th power; 13 more make the rest smaller than rounding.
_MORE_TERMS = 13


# Rows are cut out before each loop, for one whose row begins at a number that might be negative is not vectorized.
@inner
def _diagonal(c, rate, step, o, width, n_state):
    """``exp(-rate step)`` on the diagonal, for a step of each subject's own."""
    for s in range(n_state):
        row, own = s * (s + 1) // 2 + s, rate[s, o : o + width]
        for i in range(width):
            a = own[i] * step[i]
            c[row, i] = exp_lane(-a) if a < _LONGEST else 0.0


@inner
def _halve(b, h, rate, o, width, n_state):
    """Each subject's short step ``h / 2^k`` into row 0 of ``b`` and largest rate into row 1; gives the largest k."""
    for i in range(width):
        b[0, i], b[1, i] = h, 0.0
    for s in range(n_state):
        own = rate[s, o : o + width]
        for i in range(width):
            b[1, i] = max(b[1, i], own[i])
    for halvings in range(_MOST_HALVINGS):
        longest = 0.0
        for i in range(width):
            longest = max(longest, b[0, i] * b[1, i])
        if longest <= 0.5:
            return halvings
        for i in range(width):
            b[0, i] = b[0, i] * 0.5 if b[0, i] * b[1, i] > 0.5 else b[0, i]
    return _MOST_HALVINGS


@inner
def _term(term, b, share, rate, source, target, feed, o, width, n_state):
    """The next term of the power series from the one before."""
    # Later states first: each row needs its own old value and those of earlier states.
    for s in range(n_state - 1, -1, -1):
        at, own = s * (s + 1) // 2, rate[s, o : o + width]
        for row in range(at, at + s + 1):
            for i in range(width):
                term[row, i] = term[row, i] * (b[1, i] - own[i])
        for e in range(source.shape[0]):
            if target[e] == s:
                by, fed = source[e] * (source[e] + 1) // 2, feed[e, o : o + width]
                for a in range(source[e] + 1):
                    for i in range(width):
                        term[at + a, i] = term[at + a, i] + fed[i] * term[by + a, i]
        for row in range(at, at + s + 1):
            for i in range(width):
                term[row, i] = term[row, i] * (b[0, i] * share)


@inner
def _series(c, term, b, rate, source, target, feed, o, width, n_state):
    """The exponential over each subject's short step."""
    term[:], c[:] = 0.0, 0.0
    for s in range(n_state):
        row = s * (s + 1) // 2 + s
        for i in range(width):
            term[row, i], c[row, i] = 1.0, 1.0
    for power in range(1, n_state + _MORE_TERMS):
        _term(term, b, 1.0 / power, rate, source, target, feed, o, width, n_state)
        for row in range(c.shape[0]):
            for i in range(width):
                c[row, i] = c[row, i] + term[row, i]
    for row in range(c.shape[0]):
        for i in range(width):
            c[row, i] = c[row, i] * exp_lane(-b[0, i] * b[1, i])


@inner
def _prepare(c, square, b, h, rate, source, target, feed, o, width, n_state):
    """The matrix of one step, row by row of its lower triangle."""
    halvings = _halve(b, h, rate, o, width, n_state)
    _series(c, square, b, rate, source, target, feed, o, width, n_state)
    _diagonal(c, rate, b[0], o, width, n_state)
    length = h * 0.5**halvings
    for _ in range(halvings):
        # A subject whose short step is longer waits until its turn comes.
        for s in range(n_state):
            at = s * (s + 1) // 2
            for a in range(s):
                for i in range(width):
                    square[at + a, i] = 0.0
                for k in range(a, s + 1):
                    by = k * (k + 1) // 2 + a
                    for i in range(width):
                        square[at + a, i] = square[at + a, i] + c[at + k, i] * c[by, i]
        for s in range(n_state):
            at = s * (s + 1) // 2
            for a in range(s):
                for i in range(width):
                    new = square[at + a, i] if square[at + a, i] > _SMALLEST else 0.0
                    c[at + a, i] = new if b[0, i] <= length else c[at + a, i]
        for i in range(width):
            b[0, i] = 2.0 * b[0, i] if b[0, i] <= length else b[0, i]
        _diagonal(c, rate, b[0], o, width, n_state)
        length = 2.0 * length


@inner
def _advance(x, c, before, after, width, n_state):
    """One step from the states in the rows at ``before`` to the rows at ``after``, which are others."""
    for s in range(n_state):
        for i in range(width):
            x[after + s, i] = 0.0
        for a in range(s + 1):
            row = s * (s + 1) // 2 + a
            for i in range(width):
                x[after + s, i] = x[after + s, i] + c[row, i] * x[before + a, i]
        for i in range(width):
            x[after + s, i] = x[after + s, i] if x[after + s, i] > _SMALLEST else 0.0


@inner
def _read(x, now, reading, out, at, o, width, n_state):
    """All readings of a state into the output."""
    for row in range(reading.shape[0]):
        told = out[row, at, o : o + width]
        for i in range(width):
            told[i] = 0.0
        for s in range(n_state):
            if reading[row, s] != 0.0:
                for i in range(width):
                    told[i] += reading[row, s] * x[now + s, i]


@loop
def _blocks(
    coefficients, square, b, x, rate, source, target, feed, inputs, reading, length, interval, is_origin, is_change,
    output, slot, is_new, out, first, last,
):  # fmt: skip
    n_state = rate.shape[0]
    origin = 2 * n_state
    for block in range(first, last):
        o = block * BLOCK
        width = min(BLOCK, out.shape[2] - o)
        x[:] = 0.0
        now = 0
        for step in range(length.shape[0]):
            c = coefficients[slot[step]]
            if is_new[step]:
                _prepare(c, square, b, length[step], rate, source, target, feed, o, width, n_state)
            before, now = origin if is_origin[step] else now, n_state - now
            given = inputs[interval[step], o : o + width]
            for i in range(width):
                x[before, i] = given[i]
            _advance(x, c, before, now, width, n_state)
            if output[step] >= 0:
                _read(x, now, reading, out, output[step], o, width, n_state)
            if is_change[step]:
                for s in range(n_state):
                    for i in range(width):
                        x[origin + s, i] = x[now + s, i]


def simulate_cascade(
    rate: Float[np.ndarray, "state subject"],
    *,
    feeds: dict[tuple[int, int], Float[np.ndarray, " subject"]],
    reading: Float[np.ndarray, "output state"],
    breaks: Float[np.ndarray, " break"],
    inputs: Float[np.ndarray, "interval subject"],
    times: Float[np.ndarray, " time"],
    n_threads: int = 1,
) -> Float[np.ndarray, "output time subject"]:
    """Readings at ``times`` of states that are empty before the first break.

    ``rate``: rate at which each state empties, >= 0; state 0 is the input and has rate 0.
    ``feeds``: rate at which a later state is fed by an earlier one, >= 0, by (earlier, later).
    ``reading``: what to return: each output is a sum over states with these factors.
    ``breaks``, ``inputs``: times at which the input changes, rising, and the input between them, >= 0; it is zero
    outside.
    ``times``: when readings are wanted, not falling.
    ``n_threads``: threads that share the subjects.
    Raises SpecError: times or breaks run backwards.
    """
    walk = walk_over(times, breaks=breaks, n_intervals=inputs.shape[0])
    n_state, n = rate.shape
    out = np.empty((reading.shape[0], times.size, n))
    out[:, : walk.n_before] = 0.0
    source, target = (np.array(column, dtype=np.int64) for column in zip(*feeds, strict=True))
    shared = (
        np.ascontiguousarray(rate), source, target, np.stack(list(feeds.values())),
        np.concatenate([inputs, np.zeros((1, n))]), np.ascontiguousarray(reading), *walk.steps, out,
    )  # fmt: skip
    n_elements = n_state * (n_state + 1) // 2

    def work() -> Callable[[int, int], None]:
        coefficients, square = np.empty((walk.n_slots, n_elements, BLOCK)), np.empty((n_elements, BLOCK))
        return partial(_blocks, coefficients, square, np.empty((2, BLOCK)), np.empty((3 * n_state, BLOCK)), *shared)

    share_out(work, n_blocks=-(-n // BLOCK), n_threads=n_threads)
    return out
