"""The decay rates of compartment models with one or two peripheral compartments (alpha, beta, gamma), with weights.

A central compartment that is emptied at rate ``a`` (CL/V1) and exchanges with one or two peripheral ones (out at
``c_j`` = Q/V1, back at ``k_j`` = Q/V2) loses drug at rates r that are the roots of ``f(r) = a - r - r sum_j c_j / (k_j
- r)``. The matrix of such a system is called an arrowhead: only its first row, first column and diagonal are filled.

One root lies below the smallest ``k_j``, one between two, one above the largest. Each is searched by Laguerre's method,
from the pole (0 or a ``k_j``) next to it and as the distance from that pole, so that ``k_j - r`` keeps its relative
accuracy however close a root lies to a pole. ``f`` times ``prod_j (k_j - r)`` is a polynomial whose roots are all real,
so the method never steps over the next root.

``BLOCK`` subjects lie side by side in a fixed order of operations: a subject's bits depend on that subject alone, and a
slow neighbor adds no step. A test holds every bit to the same search in plain NumPy.
"""

import numpy as np

from remission.numerics.loops import inlined, loop
from remission.shapes import Float

BLOCK = 64
"""Subjects handled side by side; a subject waits for the slowest of the block."""

# Most roots settle in 5 to 8 steps; one that merges with another takes up to about 60.
_MOST_STEPS = 200
_RELATIVE_STEP = 2.0**-51


@inlined
def _multiplied(top, top1, top2, base, base1, base2, rate, flow, gap):
    """``f`` times ``prod_j (k_j - r)`` with two derivatives, one more place taken in."""
    return (
        top * gap - rate * flow * base,
        top1 * gap - top - flow * (base + rate * base1),
        top2 * gap - 2.0 * top1 - flow * (2.0 * base1 + rate * base2),
        base * gap,
        base1 * gap - base,
        base2 * gap - 2.0 * base1,
    )


@inlined
def _polynomial(rate, lead, flow_0, gap_0, flow_1, gap_1, is_double):
    """Value and two derivatives; ``lead`` is ``a - r`` and the gaps are ``k_j - r``."""
    top, top1, top2, base, base1, base2 = _multiplied(lead, -1.0, 0.0, 1.0, 0.0, 0.0, rate, flow_0, gap_0)
    if is_double:
        top, top1, top2, _, _, _ = _multiplied(top, top1, top2, base, base1, base2, rate, flow_1, gap_1)
    return top, top1, top2


@inlined
def _search(b, a, out_0, out_1, back_0, back_1, width, is_double):
    """Offsets from the poles in row 0 of ``b`` to the roots on the sides in row 1, into row 2; whether all settled."""
    degree = 3.0 if is_double else 2.0
    for i in range(width):
        pole = b[0, i]
        lead, gap_0, gap_1 = a[i] - pole, back_0[i] - pole, back_1[i] - pole
        begun, _, _ = _polynomial(pole, lead, out_0[i], gap_0, out_1[i], gap_1, is_double)
        b[2, i], b[3, i], b[4, i] = 0.0, begun, 1.0
    for _ in range(_MOST_STEPS):
        n_open = 0.0
        for i in range(width):
            pole, side, offset = b[0, i], b[1, i], b[2, i]
            lead, gap_0, gap_1 = a[i] - pole, back_0[i] - pole, back_1[i] - pole
            value, slope, bend = _polynomial(
                pole + offset, lead - offset, out_0[i], gap_0 - offset, out_1[i], gap_1 - offset, is_double
            )
            inside = (degree - 1.0) * ((degree - 1.0) * slope * slope - degree * value * bend)
            # The step must point to `side`: its sign is minus that of value / denominator.
            denominator = slope - side * (-1.0 if value < 0.0 else 1.0) * np.sqrt(max(inside, 0.0))
            step = -degree * value / (1.0 if denominator == 0.0 else denominator)
            # Another sign than at the start: rounding carried the last step just past the root, which is found.
            goes_on = b[4, i] * (1.0 if value * b[3, i] > 0.0 else 0.0) * (1.0 if step * side > 0.0 else 0.0)
            moved = offset + step if goes_on > 0.0 else offset
            b[2, i] = moved
            b[4, i] = goes_on if abs(step) > _RELATIVE_STEP * abs(moved) else 0.0
        for i in range(width):
            n_open = max(n_open, b[4, i])
        if n_open == 0.0:
            return True
    return False


@inlined
def _begin(b, a, out_0, out_1, back_0, back_1, width, root, is_double):
    """The pole next to a root, and on which side of it the root lies."""
    is_last = root == (2 if is_double else 1)
    sign = -1.0 if root == 1 else 1.0
    for i in range(width):
        near, far = min(back_0[i], back_1[i]), max(back_0[i], back_1[i])
        low = 0.0 if root == 0 else (far if root == 2 else near)
        high = near if root == 0 else far
        middle = 0.5 * (low + high)
        there, _, _ = _polynomial(
            middle, a[i] - middle, out_0[i], back_0[i] - middle, out_1[i], back_1[i] - middle, is_double
        )
        # The polynomial is positive at 0 and changes sign at each root; the last root has one neighbor only.
        from_left = True if is_last else there * sign <= 0.0
        b[0, i] = low if from_left else high
        b[1, i] = 1.0 if from_left else -1.0


@loop
def _modes(b, leaving, out, back, rate, weight, is_found, is_double):
    is_found[0] = True
    last = 1 if is_double else 0
    for o in range(0, leaving.size, BLOCK):
        width = min(BLOCK, leaving.size - o)
        end = o + width
        # Cut out here, for a number that might count from the end keeps a loop from being vectorized.
        a, out_0, out_1, back_0, back_1 = (
            leaving[o:end],
            out[0, o:end],
            out[last, o:end],
            back[0, o:end],
            back[last, o:end],
        )
        for root in range(out.shape[0] + 1):
            _begin(b, a, out_0, out_1, back_0, back_1, width, root, is_double)
            if not _search(b, a, out_0, out_1, back_0, back_1, width, is_double):
                is_found[0] = False
                return
            own_rate, own_weight = rate[root, o:end], weight[root, o:end]
            for i in range(width):
                pole, offset = b[0, i], b[2, i]
                gap_0, gap_1 = (back_0[i] - pole) - offset, (back_1[i] - pole) - offset
                square_0, square_1 = gap_0 * gap_0, gap_1 * gap_1
                numerator = square_0 * square_1 if is_double else square_0
                both = out_0[i] * back_0[i]
                denominator = numerator + (both * square_1 if is_double else both)
                if is_double:
                    denominator = denominator + out_1[i] * back_1[i] * square_0
                own_rate[i] = pole + offset
                # Both vanish where two poles meet on the root: the center does not show this mode.
                own_weight[i] = numerator / denominator if denominator > 0.0 else 0.0


def arrowhead_modes(
    leaving: Float[np.ndarray, " subject"],
    out: Float[np.ndarray, "place subject"],
    back: Float[np.ndarray, "place subject"],
) -> tuple[Float[np.ndarray, "mode subject"], Float[np.ndarray, "mode subject"], bool]:
    """Rates, weights, and whether all rates were found.

    ``leaving``, ``out``, ``back``: rates out of the system and to and from one or two other places, > 0; no two rates
    back equal.
    """
    n_mode = out.shape[0] + 1
    rate, weight = np.empty((n_mode, leaving.size)), np.empty((n_mode, leaving.size))
    given = (np.ascontiguousarray(one) for one in (leaving, out, back))
    is_found = np.empty(1, dtype=np.bool_)
    _modes(np.empty((5, BLOCK)), *given, rate, weight, is_found, int(n_mode == 3))
    return rate, weight, bool(is_found[0])
