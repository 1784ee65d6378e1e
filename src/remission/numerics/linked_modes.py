"""A site that follows a sum of decaying modes: the integral of its saturation, and its peak, for many subjects.

The site is an effect site: it follows plasma, which is a sum of modes, at a rate of its own.
:mod:`remission.pk.effect_site` says why the steps are exact. Operations have a fixed order, for ``BLOCK`` subjects side
by side; a subject's search for the peak ends by itself, and a slow neighbor adds no step.
"""

import numpy as np
from jaxtyping import Float
from numba import njit

from remission.numerics.decay_lanes import cumulative_difference_lane, decay_difference_lane, mean_decay_lane
from remission.numerics.lanes import OPTIONS, exp_lane
from remission.numerics.quadrature import DoublingPanels

BLOCK = 64
"""Subjects handled side by side."""

_MOST_STEPS = 200
_TOLERANCE = 1e-9


@njit(**OPTIONS)
def _at(e, d, g, left, held, rate, link, t, o, width, builds):
    """Responses at time t: E, D and G of each mode, K and W of the link."""
    for i in range(width):
        b = link[o + i] * t
        left[i] = exp_lane(-b)
        held[i] = t * mean_decay_lane(b, left[i])
    for m in range(rate.shape[0]):
        for i in range(width):
            a, b = rate[m, o + i] * t, link[o + i] * t
            decay = exp_lane(-a)
            difference = decay_difference_lane(a, b, decay, left[i])
            e[m, i], d[m, i] = decay, t * difference
        if builds:
            for i in range(width):
                a, b = rate[m, o + i] * t, link[o + i] * t
                difference = decay_difference_lane(a, b, e[m, i], left[i])
                g[m, i] = t * t * cumulative_difference_lane(a, b, e[m, i], left[i], difference)


@njit(**OPTIONS)
def _later(e, d, g, left, held, e1, d1, g1, left1, held1, width, builds):
    """Responses one step of length 1 (the arrays that end in it) later."""
    for m in range(e.shape[0]):
        if builds:
            for i in range(width):
                g[m, i] = g1[m, i] + e1[m, i] * g[m, i] + d1[m, i] * held[i]
        for i in range(width):
            d[m, i] = e1[m, i] * d[m, i] + d1[m, i] * left[i]
            e[m, i] = e[m, i] * e1[m, i]
    for i in range(width):
        held[i] = held1[i] + left1[i] * held[i]
        left[i] = left[i] * left1[i]


@njit(**OPTIONS)
def _doubled(e, d, g, left, held, width, builds):
    """Responses at twice the time."""
    for m in range(e.shape[0]):
        if builds:
            for i in range(width):
                g[m, i] = g[m, i] * (1.0 + e[m, i]) + d[m, i] * held[i]
        for i in range(width):
            d[m, i] = d[m, i] * (e[m, i] + left[i])
            e[m, i] = e[m, i] * e[m, i]
    for i in range(width):
        held[i] = held[i] * (1.0 + left[i])
        left[i] = left[i] * left[i]


@njit(nogil=True, cache=True, **OPTIONS)
def _integral(total, rate, factor, start, link, nodes, weights, first, half, builds):
    n_mode, n_node = rate.shape[0], nodes.size
    modes, links = np.zeros((3, n_node + 1, n_mode, BLOCK)), np.zeros((2, n_node + 1, BLOCK))
    e, d, g, left, held = modes[0], modes[1], modes[2], links[0], links[1]
    x = np.empty(BLOCK)
    for o in range(0, link.size, BLOCK):
        width = min(BLOCK, link.size - o)
        for panel in range(weights.shape[0]):
            if panel == 1:
                _at(e[n_node], d[n_node], g[n_node], left[n_node], held[n_node], rate, link, first, o, width, builds)
            for node in range(n_node):
                if panel == 0:
                    _at(e[node], d[node], g[node], left[node], held[node], rate, link, nodes[node], o, width, builds)
                elif panel == 1:
                    _later(
                        e[node], d[node], g[node], left[node], held[node],
                        e[n_node], d[n_node], g[n_node], left[n_node], held[n_node], width, builds,
                    )  # fmt: skip
                else:
                    _doubled(e[node], d[node], g[node], left[node], held[node], width, builds)
                response = g[node] if builds else d[node]
                for i in range(width):
                    x[i] = factor[0, o + i] * response[0, i]
                for m in range(1, n_mode):
                    for i in range(width):
                        x[i] = x[i] + factor[m, o + i] * response[m, i]
                for i in range(width):
                    conc = start[o + i] * left[node, i] + x[i]
                    total[o + i] = total[o + i] + weights[panel, node] * (conc / (conc + half))


@njit(**OPTIONS)
def _site(time, plasma, falling, effect, rate, modes, start, link, o, width):
    """Sum of the modes, its fall, and the linked site, at a time of each subject's own."""
    for i in range(width):
        plasma[i], falling[i], effect[i] = 0.0, 0.0, 0.0
    for m in range(rate.shape[0]):
        for i in range(width):
            a, b = rate[m, o + i] * time[i], link[o + i] * time[i]
            decay, left = exp_lane(-a), exp_lane(-b)
            now = modes[m, o + i] * decay
            plasma[i] = plasma[i] + now
            falling[i] = falling[i] + rate[m, o + i] * now
            effect[i] = effect[i] + modes[m, o + i] * decay_difference_lane(a, b, decay, left)
    for i in range(width):
        left = exp_lane(-(link[o + i] * time[i]))
        effect[i] = start[o + i] * left + link[o + i] * time[i] * effect[i]


@njit(nogil=True, cache=True, **OPTIONS)
def _peak(peak, rate, modes, start, link):
    b = np.empty((7, BLOCK))
    time, low, high, is_open, plasma, falling, effect = b[0], b[1], b[2], b[3], b[4], b[5], b[6]
    for o in range(0, link.size, BLOCK):
        width = min(BLOCK, link.size - o)
        for i in range(width):
            time[i], low[i], high[i], is_open[i] = 0.0, 0.0, np.inf, 1.0
        for _ in range(_MOST_STEPS):
            _site(time, plasma, falling, effect, rate, modes, start, link, o, width)
            for i in range(width):
                k, gap = link[o + i], plasma[i] - effect[i]
                low[i] = time[i] if gap > 0.0 else low[i]
                high[i] = high[i] if gap > 0.0 else time[i]
                slope = -falling[i] - k * gap
                newton = time[i] - gap / (-1.0 if slope == 0.0 else slope)
                furthest = 2.0 * low[i] + 1.0 / k
                middle = 0.5 * (low[i] + high[i]) if high[i] < np.inf else furthest
                is_usable = (slope < 0.0) & (newton > low[i]) & (newton < high[i]) & (newton <= furthest)
                following = newton if is_usable else middle
                is_settled = (abs(gap) <= _TOLERANCE * plasma[i]) | (abs(following - time[i]) <= _TOLERANCE * following)
                is_open[i] = 0.0 if is_settled else is_open[i]
                time[i] = following if is_open[i] > 0.0 else time[i]
            n_open = 0.0
            for i in range(width):
                n_open = max(n_open, is_open[i])
            if n_open == 0.0:
                break
        _site(time, plasma, falling, effect, rate, modes, start, link, o, width)
        for i in range(width):
            peak[o + i] = effect[i]


@njit(nogil=True, cache=True, **OPTIONS)
def _built(rate, link, time, plasma, effect):
    for m in range(rate.shape[0]):
        for i in range(link.size):
            a, b = rate[m, i] * time, link[i] * time
            decay, left = exp_lane(-a), exp_lane(-b)
            plasma[m, i] = mean_decay_lane(a, decay)
            effect[m, i] = cumulative_difference_lane(a, b, decay, left, decay_difference_lane(a, b, decay, left))


def built_up(
    rate: Float[np.ndarray, "mode subject"], link_rate: Float[np.ndarray, " subject"], *, duration: float
) -> tuple[Float[np.ndarray, "mode subject"], Float[np.ndarray, "mode subject"]]:
    """After a constant input: each mode over ``duration``, and what it passed on over ``link_rate duration^2``."""
    plasma, effect = np.empty(rate.shape), np.empty(rate.shape)
    _built(np.ascontiguousarray(rate), np.ascontiguousarray(link_rate), duration, plasma, effect)
    return plasma, effect


def saturated_integral(
    rate: Float[np.ndarray, "mode subject"],
    factor: Float[np.ndarray, "mode subject"],
    *,
    start: Float[np.ndarray, " subject"],
    link_rate: Float[np.ndarray, " subject"],
    panels: DoublingPanels,
    half: float,
    builds: bool,
    total: Float[np.ndarray, " subject"],
) -> None:
    """Add the integral of ``y / (y + half)`` over the panels to ``total``.

    ``rate``, ``link_rate``: of modes and link, > 0.
    ``factor``: of each mode's response; with ``builds`` the response to a constant input, without it to what is there
    at 0.
    ``start``: the site at 0, which decays at the link's rate.
    ``panels``: where to integrate.
    ``half``: the value at which saturation is a half.
    ``builds``: whether the modes are built up by a constant input or decay.
    ``total``: what the integral is added to, in place.
    """
    weights = np.stack([np.array(panels.weights) * panels.panel_length(panel) for panel in range(panels.n_panels)])
    given = (np.ascontiguousarray(one) for one in (rate, factor, start, link_rate))
    _integral(total, *given, panels.panel_nodes(0), weights, panels.first, half, builds)


def linked_peak(
    rate: Float[np.ndarray, "mode subject"],
    modes: Float[np.ndarray, "mode subject"],
    *,
    start: Float[np.ndarray, " subject"],
    link_rate: Float[np.ndarray, " subject"],
) -> Float[np.ndarray, " subject"]:
    """The largest value of the site from a time on at which the modes only decay.

    ``rate``, ``link_rate``: of modes and link, > 0. ``modes``, ``start``: modes and site at that time, the site below
    the sum of the modes.
    """
    peak = np.empty(link_rate.size)
    _peak(peak, *(np.ascontiguousarray(one) for one in (rate, modes, start, link_rate)))
    return peak
