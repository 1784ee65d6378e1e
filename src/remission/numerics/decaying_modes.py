"""Sums of decaying modes under piecewise constant input, for many subjects at machine speed.

Equations. Each group g of modes has amplitudes that rise with a shared input and decay at rates of their own; each
link follows the sum of a group at a rate of its own::

    dp_gm/dt = strength_gm u(t) - rate_gm p_gm                  x_g = sum_m p_gm
    dy_gl/dt = link_l (x_g - y_gl)                              y_gl(0) = p_gm(0) = 0

Over a step h in which u is constant, with ``E = exp(-rate h)``, ``K = exp(-link h)``, ``W = h mean_decay(rate h)`` and
the divided differences D and G of :mod:`remission.numerics.divided_differences` (times ``link h`` and ``link h^2``)::

    y(t + h) = K y + sum_m (D_m p_m + G_m strength_m u)         p_m(t + h) = E_m p_m + W_m strength_m u

All terms are positive, so nothing cancels, a link on a rate included. E, K, W, D and G of a step serve every later
step of the same length.

Errors do not add up: the state at each change of input comes from the state at the change before in one step, and
every ``RENEWED``-th time after a change starts from it anew. So a value depends on its own run of at most ``RENEWED``
times and on no other.

Layout as in :mod:`remission.patient.kernels.fast`: ``BLOCK`` subjects side by side, the loop over subjects innermost
and without a branch. A subject's result depends on that subject alone, to the last bit: not on threads, nor on who
else is computed. Numbers below 1e-139 count as 0, so that none decays into the range where processors are slow.
"""

import itertools
import threading
from collections import Counter
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int
from numba import njit

from remission.errors import SpecError
from remission.numerics.decay_lanes import cumulative_difference_lane, decay_difference_lane, mean_decay_lane
from remission.numerics.lanes import OPTIONS, exp_lane, inlined

__all__ = ["RENEWED", "simulate_modes"]

RENEWED = 32
"""Times between two that are computed from the last change of input."""

BLOCK = 128
"""Subjects handled side by side; what one step touches stays in the second-level cache."""

_MOST_SLOTS = 24
_BLOCKS_PER_CALL = 32
_SMALLEST = 1e-139
_LONGEST = 320.0


@njit(**OPTIONS)
def _prepare(c, h, rate, link, o, width, n_group, n_mode, n_link):
    """E, W and for each link K, D and G of one step, row by row."""
    at_links = 2 * n_group * n_mode
    for k in range(n_link):
        for i in range(width):
            b = link[k, o + i] * h
            c[at_links + k, i] = exp_lane(-b) if b < _LONGEST else 0.0
    for gm in range(n_group * n_mode):
        for i in range(width):
            a = rate[gm, o + i] * h
            decay = exp_lane(-a) if a < _LONGEST else 0.0
            c[2 * gm, i] = decay
            c[2 * gm + 1, i] = h * mean_decay_lane(a, decay)
        for k in range(n_link):
            row = at_links + n_link + 2 * (gm * n_link + k)
            for i in range(width):
                a, b = rate[gm, o + i] * h, link[k, o + i] * h
                decay, left = c[2 * gm, i], c[at_links + k, i]
                difference = decay_difference_lane(a, b, decay, left)
                c[row, i] = b * difference
                c[row + 1, i] = b * h * cumulative_difference_lane(a, b, decay, left, difference)


@njit(**OPTIONS)
def _advance(b, c, before, after, fed, width, n_group, n_mode, n_link):
    """One step from the state in the rows at ``before`` to the rows at ``after``, which are others."""
    n_modes = n_group * n_mode
    for m in range(n_modes):
        for i in range(width):
            new = c[2 * m, i] * b[before + m, i] + c[2 * m + 1, i] * b[fed + m, i]
            b[after + m, i] = new if new > _SMALLEST else 0.0
    for g in range(n_group):
        for k in range(n_link):
            own = n_modes + g * n_link + k
            for i in range(width):
                b[after + own, i] = c[2 * n_modes + k, i] * b[before + own, i]
            for m in range(g * n_mode, (g + 1) * n_mode):
                row = 2 * n_modes + n_link + 2 * (m * n_link + k)
                for i in range(width):
                    passed = c[row, i] * b[before + m, i] + c[row + 1, i] * b[fed + m, i]
                    b[after + own, i] = b[after + own, i] + passed
            for i in range(width):
                b[after + own, i] = b[after + own, i] if b[after + own, i] > _SMALLEST else 0.0


@inlined
def _add(target, row, share, source, source_row, width):
    for i in range(width):
        target[row, i] = target[row, i] + share * source[source_row, i]


@njit(**OPTIONS)
def _read(b, x, state, reading, out, at, o, width, n_group, n_mode, n_link):
    """All readings of a state into the output."""
    x[:] = 0.0
    for g in range(n_group):
        for m in range(g * n_mode, (g + 1) * n_mode):
            _add(x, g, 1.0, b, state + m, width)
    for row in range(reading.shape[0]):
        for i in range(width):
            x[n_group, i] = 0.0
        for g in range(n_group):
            if reading[row, g, 0] != 0.0:
                _add(x, n_group, reading[row, g, 0], x, g, width)
            for k in range(n_link):
                if reading[row, g, 1 + k] != 0.0:
                    _add(x, n_group, reading[row, g, 1 + k], b, state + n_group * n_mode + g * n_link + k, width)
        for i in range(width):
            out[row, at, o + i] = x[n_group, i]


@njit(nogil=True, cache=True, **OPTIONS)
def _blocks(
    coefficients, b, x, rate, strength, link, inputs, reading, length, slot, is_new, interval, is_origin, is_change,
    output, out, n_group, first, last,
):  # fmt: skip
    n_modes, n_link = rate.shape[0], link.shape[0]
    n_mode = n_modes // n_group
    n_states = n_modes + n_group * n_link
    origin, fed = 2 * n_states, 3 * n_states
    for block in range(first, last):
        o = block * BLOCK
        width = min(BLOCK, out.shape[2] - o)
        b[:] = 0.0
        now, running = 0, -1
        for step in range(length.shape[0]):
            c = coefficients[slot[step]]
            if is_new[step]:
                _prepare(c, length[step], rate, link, o, width, n_group, n_mode, n_link)
            if interval[step] != running:
                running = interval[step]
                for m in range(n_modes):
                    for i in range(width):
                        b[fed + m, i] = strength[m, o + i] * inputs[running, o + i]
            before, now = origin if is_origin[step] else now, n_states - now
            _advance(b, c, before, now, fed, width, n_group, n_mode, n_link)
            if output[step] >= 0:
                _read(b, x, now, reading, out, output[step], o, width, n_group, n_mode, n_link)
            if is_change[step]:
                for row in range(n_states):
                    for i in range(width):
                        b[origin + row, i] = b[now + row, i]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Steps:
    """The walk over the clock that all subjects share, one number a step.

    length, interval
        How long, and which input runs.
    is_origin, is_change
        It starts from the last change of input; its end is the next.
    output
        Row of the output, or -1.
    slot, is_new
        Where the step's coefficients are kept, and whether they must be computed.
    """

    length: Float[np.ndarray, " step"]
    interval: Int[np.ndarray, " step"]
    is_origin: np.ndarray
    is_change: np.ndarray
    output: Int[np.ndarray, " step"]
    slot: Int[np.ndarray, " step"]
    is_new: np.ndarray


def _walk(breaks: list[float], times: list[float]) -> _Steps:
    """The walk from the first break to the last time; times up to the first break need no step."""
    rows: list[tuple[float, int, bool, bool, int]] = []
    at = sum(time <= breaks[0] for time in times)
    for interval, start in enumerate(breaks):
        end = breaks[interval + 1] if interval + 1 < len(breaks) else np.inf
        now, count = start, 0
        while at < len(times) and times[at] <= end:
            is_origin = count % RENEWED == 0
            rows.append((times[at] - (start if is_origin else now), interval, is_origin, False, at))
            now, at, count = times[at], at + 1, count + 1
        if at == len(times):
            break
        rows.append((end - start, interval, True, True, -1))
    lengths = [row[0] for row in rows]
    often = [length for length, n in Counter(lengths).most_common(_MOST_SLOTS) if n > 1]
    slot_of = {length: number for number, length in enumerate(often, start=1)}
    first_use = {length: step for step, length in reversed(list(enumerate(lengths)))}
    is_new = [length not in slot_of or first_use[length] == step for step, length in enumerate(lengths)]
    _, interval_, is_origin_, is_change, output = zip(*rows, strict=True) if rows else ((),) * 5
    return _Steps(
        length=np.array(lengths, dtype=np.float64),
        interval=np.array(interval_, dtype=np.int64),
        is_origin=np.array(is_origin_, dtype=np.bool_),
        is_change=np.array(is_change, dtype=np.bool_),
        output=np.array(output, dtype=np.int64),
        slot=np.array([slot_of.get(length, 0) for length in lengths], dtype=np.int64),
        is_new=np.array(is_new, dtype=np.bool_),
    )


def simulate_modes(
    rate: Float[np.ndarray, "group mode subject"],
    strength: Float[np.ndarray, "group mode subject"],
    *,
    link_rate: Float[np.ndarray, "link subject"],
    reading: Float[np.ndarray, "output group source"],
    breaks: Float[np.ndarray, " break"],
    inputs: Float[np.ndarray, "interval subject"],
    times: Float[np.ndarray, " time"],
    n_threads: int = 1,
) -> Float[np.ndarray, "output time subject"]:
    """Readings at ``times`` of modes that are empty before the first break.

    Parameters
    ----------
    rate, strength
        Of each mode, > 0 and >= 0; a group with fewer modes than another is filled up with strength 0.
    link_rate
        Of each link, > 0; none is allowed.
    reading
        What to return: each output is a sum over groups and sources with these factors, >= 0. Source 0 is the sum of
        the group's modes, source 1 its first link, and so on.
    breaks, inputs
        Times at which the input changes, rising, and the input between them, >= 0; it is zero outside.
    times
        When readings are wanted, not falling.
    n_threads
        Threads that share the subjects.

    Raises
    ------
    SpecError
        Times or breaks run backwards.
    """
    if np.any(np.diff(times) < 0.0):
        raise SpecError(where="times", got=times.tolist(), allowed="times that do not run backwards")
    if np.any(np.diff(breaks) <= 0.0) or breaks.size != inputs.shape[0] + 1:
        raise SpecError(where="breaks", got=breaks.tolist(), allowed="rising, one more than the inputs")
    n_group, n_mode, n = rate.shape
    n_link = link_rate.shape[0]
    n_modes, n_states = n_group * n_mode, n_group * (n_mode + n_link)
    walk = _walk(breaks.tolist(), times.tolist())
    out = np.empty((reading.shape[0], times.size, n))
    out[:, : times.size - np.count_nonzero(walk.output >= 0)] = 0.0
    shared = (
        *(np.ascontiguousarray(a.reshape(n_modes, n)) for a in (rate, strength)), np.ascontiguousarray(link_rate),
        np.concatenate([inputs, np.zeros((1, n))]), np.ascontiguousarray(reading), walk.length, walk.slot, walk.is_new,
        walk.interval, walk.is_origin, walk.is_change, walk.output, out, n_group,
    )  # fmt: skip
    n_slots, n_blocks = int(walk.slot.max(initial=0)) + 1, -(-n // BLOCK)
    tickets = itertools.count()

    def work() -> None:
        coefficients = np.empty((n_slots, 2 * n_modes + n_link + 2 * n_modes * n_link, BLOCK))
        state, sums = np.empty((3 * n_states + n_modes, BLOCK)), np.empty((n_group + 1, BLOCK))
        for ticket in tickets:  # the counter's step is atomic under the interpreter lock
            first = ticket * _BLOCKS_PER_CALL
            if first >= n_blocks:
                return
            _blocks(coefficients, state, sums, *shared, first, min(first + _BLOCKS_PER_CALL, n_blocks))

    helpers = [threading.Thread(target=work) for _ in range(min(n_threads, n_blocks) - 1)]
    for helper in helpers:
        helper.start()
    work()
    for helper in helpers:
        helper.join()
    return out
