"""Plasma as a sum of exponentials (its modes: alpha, beta, gamma), with sites that follow it, under constant input.

Each group g of modes (one form of the drug) has amplitudes that rise with a shared input and decay at rates of their
own; each link (effect site, arm vein) follows the sum of a group at a rate of its own::

    dp_gm/dt = strength_gm u(t) - rate_gm p_gm                  x_g = sum_m p_gm
    dy_gl/dt = link_l (x_g - y_gl)                              y_gl(0) = p_gm(0) = 0

Over a step h in which u is constant, with ``E = exp(-rate h)``, ``K = exp(-link h)``, ``W = h mean_decay(rate h)`` and
the divided differences D and G of :mod:`remission.numerics.decay_lanes` (times ``link h`` and ``link h^2``)::

    y(t + h) = K y + sum_m (D_m p_m + G_m strength_m u)         p_m(t + h) = E_m p_m + W_m strength_m u

All terms are positive, so nothing cancels, a link on a rate included. ``BLOCK`` subjects lie side by side, the loop
over them innermost and without a branch; a subject's bits depend on that subject alone. Numbers below 1e-139 are 0.
"""

from collections.abc import Callable
from functools import partial

import numpy as np

from remission.numerics.cores import share_out
from remission.numerics.decay_lanes import cumulative_difference_lane, decay_difference_lane, mean_decay_lane
from remission.numerics.lanes import exp_lane
from remission.numerics.loops import inlined, inner, loop
from remission.numerics.walks import walk_over
from remission.shapes import Float

BLOCK = 128
"""Subjects handled side by side; what one step touches stays in the second-level cache."""

_SMALLEST = 1e-139
_LONGEST = 320.0


@inner
def _prepare(c, h, rate, link, o, width, n_group, n_mode, n_link):
    """E, W and for each link K, D and G of one step, row by row."""
    at_links = 2 * n_group * n_mode
    # Rows are cut out before each loop, for one whose row begins at a number that might be negative is not vectorized.
    for k in range(n_link):
        follows = link[k, o : o + width]
        for i in range(width):
            b = follows[i] * h
            c[at_links + k, i] = exp_lane(-b) if b < _LONGEST else 0.0
    for gm in range(n_group * n_mode):
        own = rate[gm, o : o + width]
        for i in range(width):
            a = own[i] * h
            decay = exp_lane(-a) if a < _LONGEST else 0.0
            c[2 * gm, i] = decay
            c[2 * gm + 1, i] = h * mean_decay_lane(a, decay)
        for k in range(n_link):
            row, follows = at_links + n_link + 2 * (gm * n_link + k), link[k, o : o + width]
            for i in range(width):
                a, b = own[i] * h, follows[i] * h
                decay, left = c[2 * gm, i], c[at_links + k, i]
                difference = decay_difference_lane(a, b, decay, left)
                c[row, i] = b * difference
                c[row + 1, i] = b * cumulative_difference_lane(a, b, decay, left, difference) * h


@inner
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


@inner
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
        told = out[row, at, o : o + width]
        for i in range(width):
            told[i] = x[n_group, i]


@loop
def _blocks(
    coefficients, b, x, rate, strength, link, inputs, reading, length, interval, is_origin, is_change, output, slot,
    is_new, out, n_group, first, last,
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
                    own, given = strength[m, o : o + width], inputs[running, o : o + width]
                    for i in range(width):
                        b[fed + m, i] = own[i] * given[i]
            before, now = origin if is_origin[step] else now, n_states - now
            _advance(b, c, before, now, fed, width, n_group, n_mode, n_link)
            if output[step] >= 0:
                _read(b, x, now, reading, out, output[step], o, width, n_group, n_mode, n_link)
            if is_change[step]:
                for row in range(n_states):
                    for i in range(width):
                        b[origin + row, i] = b[now + row, i]


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

    ``rate``, ``strength``: of each mode, > 0 and >= 0; a group with fewer modes than another is filled up with strength
    0.
    ``link_rate``: of each link, > 0; none is allowed.
    ``reading``: what to return: each output is a sum over groups and sources with these factors, >= 0. Source 0 is the
    sum of the group's modes, source 1 its first link, and so on.
    ``breaks``, ``inputs``: times at which the input changes, rising, and the input between them, >= 0; it is zero
    outside.
    ``times``: when readings are wanted, not falling.
    ``n_threads``: threads that share the subjects.
    Raises SpecError: times or breaks run backwards.
    """
    walk = walk_over(times, breaks=breaks, n_intervals=inputs.shape[0])
    n_group, n_mode, n = rate.shape
    n_link = link_rate.shape[0]
    n_modes, n_states = n_group * n_mode, n_group * (n_mode + n_link)
    out = np.empty((reading.shape[0], times.size, n))
    out[:, : walk.n_before] = 0.0
    shared = (
        *(np.ascontiguousarray(a.reshape(n_modes, n)) for a in (rate, strength)), np.ascontiguousarray(link_rate),
        np.concatenate([inputs, np.zeros((1, n))]), np.ascontiguousarray(reading), *walk.steps, out, n_group,
    )  # fmt: skip

    def work() -> Callable[[int, int], None]:
        coefficients = np.empty((walk.n_slots, 2 * n_modes + n_link + 2 * n_modes * n_link, BLOCK))
        state, sums = np.empty((3 * n_states + n_modes, BLOCK)), np.empty((n_group + 1, BLOCK))
        return partial(_blocks, coefficients, state, sums, *shared)

    share_out(work, n_blocks=-(-n // BLOCK), n_threads=n_threads)
    return out
