"""A site that follows a sum of decaying modes: the integral of its saturation, and its peak, for many subjects.

The site is an effect site: it follows plasma, which is a sum of modes, at a rate of its own.
:mod:`remission.pk.effect_site` says why the steps are exact. Operations have a fixed order, for ``BLOCK`` subjects side
by side; a subject's search for the peak ends by itself, and a slow neighbor adds no step.
"""

import numpy as np

from remission.numerics.decay_lanes import (
    cumulative_difference_lane,
    decay_difference_lane,
    is_short_lane,
    long_cumulative_lane,
    mean_decay_lane,
    short_cumulative_lane,
)
from remission.numerics.lanes import exp_lane
from remission.numerics.loops import inner, loop
from remission.numerics.quadrature import DoublingPanels
from remission.shapes import Float

BLOCK = 128
"""Subjects handled side by side; what one node of the integral needs of them stays in the first-level cache."""

_MOST_STEPS = 200
_TOLERANCE = 1e-9


# Rows are cut out before each loop, for one whose row begins at a number that might be negative is not vectorized.
@inner
def _at(e, d, g, left, held, rate, links, t, o, width, builds):
    """Responses at time t: E, D and G of each mode, K and W of the link."""
    link = links[o : o + width]
    for i in range(width):
        b = link[i] * t
        left[i] = exp_lane(-b)
        held[i] = t * mean_decay_lane(b, left[i])
    for m in range(rate.shape[0]):
        own, decay, passed, built = rate[m, o : o + width], e[m], d[m], g[m]
        n_short = 0
        for i in range(width):
            a, b = own[i] * t, link[i] * t
            decay[i] = exp_lane(-a)
            passed[i] = decay_difference_lane(a, b, decay[i], left[i])
            n_short += 1 if is_short_lane(a, b) else 0
        # Of the two forms the one that nobody here needs is left out.
        if builds and n_short == width:
            for i in range(width):
                built[i] = t * t * short_cumulative_lane(own[i] * t, link[i] * t)
        elif builds and n_short == 0:
            for i in range(width):
                built[i] = t * t * long_cumulative_lane(own[i] * t, link[i] * t, decay[i], left[i], passed[i])
        elif builds:
            for i in range(width):
                built[i] = t * t * cumulative_difference_lane(own[i] * t, link[i] * t, decay[i], left[i], passed[i])
        for i in range(width):
            passed[i] = t * passed[i]


@inner
def _later(e, d, g, left, held, e1, d1, g1, left1, held1, width, builds):
    """Responses one step of length 1 (the arrays that end in it) later."""
    for m in range(e.shape[0]):
        decay, passed, built, decay1, passed1, built1 = e[m], d[m], g[m], e1[m], d1[m], g1[m]
        if builds:
            for i in range(width):
                built[i] = built1[i] + decay1[i] * built[i] + passed1[i] * held[i]
        for i in range(width):
            passed[i] = decay1[i] * passed[i] + passed1[i] * left[i]
            decay[i] = decay[i] * decay1[i]
    for i in range(width):
        held[i] = held1[i] + left1[i] * held[i]
        left[i] = left[i] * left1[i]


@inner
def _doubled(e, d, g, left, held, width, builds):
    """Responses at twice the time."""
    for m in range(e.shape[0]):
        decay, passed, built = e[m], d[m], g[m]
        if builds:
            for i in range(width):
                built[i] = built[i] * (1.0 + decay[i]) + passed[i] * held[i]
        for i in range(width):
            passed[i] = passed[i] * (decay[i] + left[i])
            decay[i] = decay[i] * decay[i]
    for i in range(width):
        held[i] = held[i] * (1.0 + left[i])
        left[i] = left[i] * left[i]


@inner
def _term(x, response, factor, begun, left, weight, half, o, width):
    """What the site at one node adds to each subject's integral."""
    for m in range(response.shape[0]):
        own, share = response[m], factor[m, o : o + width]
        if m == 0:
            for i in range(width):
                x[i] = share[i] * own[i]
        else:
            for i in range(width):
                x[i] = x[i] + share[i] * own[i]
    for i in range(width):
        conc = begun[i] * left[i] + x[i]
        x[i] = weight * (conc / (conc + half))


@loop
def _integral(modes, links, terms, total, rate, factor, start, link, nodes, weights, first, half, builds):
    n_node, n_panel = nodes.size, weights.shape[0]
    e, d, g, left, held = modes[0], modes[1], modes[2], links[0], links[1]
    e1, d1, g1, left1, held1 = modes[3], modes[4], modes[5], links[2], links[3]
    for o in range(0, link.size, BLOCK):
        width = min(BLOCK, link.size - o)
        begun, mine = start[o : o + width], total[o : o + width]
        if n_panel > 1:
            _at(e1, d1, g1, left1, held1, rate, link, first, o, width, builds)
        # A node goes through all panels before the next one; what they add to the total waits for its turn.
        for node in range(n_node):
            for panel in range(n_panel):
                if panel == 0:
                    _at(e, d, g, left, held, rate, link, nodes[node], o, width, builds)
                elif panel == 1:
                    _later(e, d, g, left, held, e1, d1, g1, left1, held1, width, builds)
                else:
                    _doubled(e, d, g, left, held, width, builds)
                x, weight = terms[panel, node], weights[panel, node]
                _term(x, g if builds else d, factor, begun, left, weight, half, o, width)
        for panel in range(n_panel):
            for node in range(n_node):
                x = terms[panel, node]
                for i in range(width):
                    mine[i] = mine[i] + x[i]


@inner
def _site(time, plasma, falling, effect, rate, modes, start, links, o, width):
    """Sum of the modes, its fall, and the linked site, at a time of each subject's own."""
    begun, link = start[o : o + width], links[o : o + width]
    for i in range(width):
        plasma[i], falling[i], effect[i] = 0.0, 0.0, 0.0
    for m in range(rate.shape[0]):
        own, mode = rate[m, o : o + width], modes[m, o : o + width]
        for i in range(width):
            a, b = own[i] * time[i], link[i] * time[i]
            decay, left = exp_lane(-a), exp_lane(-b)
            now = mode[i] * decay
            plasma[i] = plasma[i] + now
            falling[i] = falling[i] + own[i] * now
            effect[i] = effect[i] + mode[i] * decay_difference_lane(a, b, decay, left)
    for i in range(width):
        left = exp_lane(-(link[i] * time[i]))
        effect[i] = begun[i] * left + link[i] * time[i] * effect[i]


@loop
def _peak(b, peak, rate, modes, start, links):
    time, low, high, is_open, plasma, falling, effect = b[0], b[1], b[2], b[3], b[4], b[5], b[6]
    for o in range(0, links.size, BLOCK):
        width = min(BLOCK, links.size - o)
        link, found = links[o : o + width], peak[o : o + width]
        for i in range(width):
            time[i], low[i], high[i], is_open[i] = 0.0, 0.0, np.inf, 1.0
        for _ in range(_MOST_STEPS):
            _site(time, plasma, falling, effect, rate, modes, start, links, o, width)
            for i in range(width):
                k, gap = link[i], plasma[i] - effect[i]
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
        _site(time, plasma, falling, effect, rate, modes, start, links, o, width)
        for i in range(width):
            found[i] = effect[i]


@loop
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
    nodes = panels.panel_nodes(0)
    modes, links = np.zeros((6, rate.shape[0], BLOCK)), np.zeros((4, BLOCK))
    terms = np.empty((panels.n_panels, nodes.size, BLOCK))
    _integral(modes, links, terms, total, *given, nodes, weights, panels.first, half, int(builds))


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
    _peak(np.empty((7, BLOCK)), peak, *(np.ascontiguousarray(one) for one in (rate, modes, start, link_rate)))
    return peak
