"""A mammillary model in modes: the response of plasma and of a linked site to an infusion, in closed form.

Equations. A central volume V1 with clearance CL exchanges with peripheral volumes Vj by flows Qj::

    V1 dC/dt = rate(t) - CL C - sum_j Qj (C - Cj)
    Vj dCj/dt = Qj (C - Cj)
    dCe/dt = kappa (C - Ce)                                     a linked site: effect site, slow venous share

Plasma is a sum of decaying modes, ``C(t) = (dose / V1) sum_i w_i exp(-r_i t)`` after a unit bolus. With ``kj = Qj /
Vj`` and ``kjc = Qj / V1`` the rates ``r_i`` are the roots of::

    f(r) = CL / V1 - r - r sum_j kjc / (kj - r)

and the weights are ``w_i = 1 / (1 + sum_j kj kjc / (kj - r_i)^2)``: positive, with sum 1.

Accuracy. Each root is found as an offset from the pole ``kj`` (or from 0) that is nearest to it, so ``kj - r_i`` and
the weights keep their relative accuracy however near the roots lie to each other or to a pole. Responses use divided
differences whose terms have one sign, so ``kappa`` on a root costs nothing. Only operations that round in one way on
every machine are used, element by element: a person's result does not depend on the batch. The search for the roots
runs compiled, with the same bits as the functions here.

Units: rates 1/h, time h, weights dimensionless in [0, 1]; responses to 1 ug/h into 1 L, in h.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from remission.errors import NumericalError
from remission.numerics.arrowheads import arrowhead_modes
from remission.numerics.divided_differences import cumulative_decay_difference, decay_difference, mean_decay
from remission.numerics.elementary import exp

__all__ = ["Modes", "linked_response", "mammillary_modes", "plasma_response", "reference_modes"]

_Subject = Float[np.ndarray, " subject"]
_Roots = Float[np.ndarray, "root subject"]

# Laguerre's method converges in 5 to 8 steps; a root that merges with another takes up to about 60.
_MOST_STEPS = 200
_RELATIVE_STEP = 2.0**-51


@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """Decay rates and weights of the plasma response.

    rate_per_h
        r_i, rising, > 0. [1/h]
    weight
        w_i, >= 0, sum 1. [dimensionless]
    """

    rate_per_h: Float[np.ndarray, "mode subject"]
    weight: Float[np.ndarray, "mode subject"]


def mammillary_modes(
    *,
    cl_l_per_h: _Subject,
    v1_l: _Subject,
    q_l_per_h: Float[np.ndarray, "peripheral subject"],
    v_l: Float[np.ndarray, "peripheral subject"],
) -> Modes:
    """Modes of each person.

    Parameters
    ----------
    cl_l_per_h, v1_l
        Clearance and central volume, > 0. [L/h], [L]
    q_l_per_h, v_l
        Flow to and volume of each of one or two peripheral compartments, > 0. [L/h], [L]

    Raises
    ------
    NumericalError
        A root was not found; it means a parameter is zero, negative or not finite.
    """
    k10 = cl_l_per_h / v1_l
    out = q_l_per_h / v1_l
    back = _apart(q_l_per_h / v_l)
    if not all(bool(np.all(np.isfinite(a) & (a > 0.0))) for a in (k10, out, back)):
        raise NumericalError(
            where="mammillary model",
            got="a rate constant that is zero, negative or not finite",
            allowed="positive rate constants",
            remedy="Check clearance, flows and volumes.",
        )
    rate, weight, is_found = arrowhead_modes(k10, out, back)
    if not is_found:
        raise NumericalError(
            where="mammillary model",
            got="a decay rate that did not settle",
            allowed="real, positive decay rates",
            remedy="Check clearance, flows and volumes.",
        )
    return Modes(rate_per_h=rate, weight=weight)


def reference_modes(
    k10_per_h: _Subject,
    *,
    out_per_h: Float[np.ndarray, "peripheral subject"],
    back_per_h: Float[np.ndarray, "peripheral subject"],
) -> Modes:
    """The specification of :func:`remission.numerics.arrowheads.arrowhead_modes`, sixty times slower.

    Parameters
    ----------
    k10_per_h, out_per_h, back_per_h
        Rate constants, > 0: out of the body, and to and from peripheral compartments; no two rates back equal. [1/h]
    """
    k10, out, back = k10_per_h, out_per_h, back_per_h
    ends = np.concatenate([np.zeros((1, k10.size)), np.sort(back, axis=0)])
    middle = 0.5 * (ends[:-1] + ends[1:])
    at_middle = _characteristic(middle, k10 - middle, out, [k - middle for k in back])[0]
    # The polynomial is positive at 0 and changes sign at each root; the root is in the left half where it has changed
    # by the middle. The last root has one neighbor only.
    from_left = at_middle * _ALTERNATING[: len(middle)] <= 0.0
    pole = np.concatenate([np.where(from_left, ends[:-1], ends[1:]), ends[-1:]])
    side = np.concatenate([np.where(from_left, 1.0, -1.0), np.ones((1, k10.size))])
    offset = _offset(pole, side, k10, out, back)
    weight = _weight([(k - pole) - offset for k in back], out, back)
    return Modes(rate_per_h=pole + offset, weight=weight)


_ALTERNATING = np.array([[1.0], [-1.0]])


def _apart(back: Float[np.ndarray, "peripheral subject"]) -> Float[np.ndarray, "peripheral subject"]:
    """The rates back to the center, no two of them equal.

    Equal ones would put a root exactly on the pole the search starts from; one unit in the last place separates them.
    """
    if back.shape[0] == 2:
        return np.stack([back[0], np.where(back[0] == back[1], back[1] * (1.0 + 2.0**-52), back[1])])
    return back


def _characteristic(
    rate: _Roots, lead: _Roots, out: Float[np.ndarray, "peripheral subject"], gaps: list[_Roots]
) -> tuple[_Roots, _Roots, _Roots]:
    """``f(r) prod_j (kj - r)`` with two derivatives; ``lead`` is ``k10 - r`` and ``gaps`` are ``kj - r``."""
    top, top1, top2 = lead, np.full_like(rate, -1.0), np.zeros_like(rate)
    base, base1, base2 = np.ones_like(rate), np.zeros_like(rate), np.zeros_like(rate)
    for flow, gap in zip(out, gaps, strict=True):
        top, top1, top2 = (
            top * gap - rate * flow * base,
            top1 * gap - top - flow * (base + rate * base1),
            top2 * gap - 2.0 * top1 - flow * (2.0 * base1 + rate * base2),
        )
        base, base1, base2 = base * gap, base1 * gap - base, base2 * gap - 2.0 * base1
    return top, top1, top2


def _offset(
    pole: _Roots,
    side: _Roots,
    k10: _Subject,
    out: Float[np.ndarray, "peripheral subject"],
    back: Float[np.ndarray, "peripheral subject"],
) -> _Roots:
    """Distance from ``pole`` to the first root on the given side, by Laguerre's method.

    For a polynomial whose roots are all real the method never steps over the next root, from any start between two
    roots.
    """
    degree = float(out.shape[0] + 1)
    # Differences of given numbers first: rounding of the sum pole + offset must not enter them.
    lead, apart = k10 - pole, [k - pole for k in back]
    offset = np.zeros_like(pole)
    open_ = np.ones(pole.shape, dtype=bool)
    begun = _characteristic(pole, lead, out, apart)[0]
    for _ in range(_MOST_STEPS):
        value, slope, bend = _characteristic(pole + offset, lead - offset, out, [gap - offset for gap in apart])
        root = np.sqrt(np.maximum((degree - 1.0) * ((degree - 1.0) * slope * slope - degree * value * bend), 0.0))
        # The step must point to `side`: its sign is minus that of value / denominator.
        denominator = slope - side * np.where(value < 0.0, -1.0, 1.0) * root
        step = -degree * value / np.where(denominator == 0.0, 1.0, denominator)
        # Another sign than at the start means that rounding has carried the last step just past the root: it is found.
        open_ = open_ & (value * begun > 0.0) & (step * side > 0.0)
        moved = np.where(open_, offset + step, offset)
        open_ = open_ & (np.abs(step) > _RELATIVE_STEP * np.abs(moved))
        offset = moved
        if not np.any(open_):
            break
    return offset


def _weight(
    gaps: list[_Roots], out: Float[np.ndarray, "peripheral subject"], back: Float[np.ndarray, "peripheral subject"]
) -> _Roots:
    """``1 / (1 + sum_j kj kjc / gap_j^2)`` without dividing by a gap that may be zero."""
    squares = [gap * gap for gap in gaps]
    numerator = np.ones_like(gaps[0])
    for square in squares:
        numerator = numerator * square
    denominator = numerator
    for index, square_of_flow in enumerate(out * back):
        others = np.broadcast_to(square_of_flow, numerator.shape)
        for other, square in enumerate(squares):
            if other != index:
                others = others * square
        denominator = denominator + others
    # Both vanish when two poles coincide on the root: the mode is invisible from the central compartment.
    return np.where(denominator > 0.0, numerator / np.where(denominator > 0.0, denominator, 1.0), 0.0)


def plasma_response(
    modes: Modes, *, elapsed_h: Float[np.ndarray, " time"], duration_h: float
) -> Float[np.ndarray, "subject time"]:
    """Plasma concentration from 1 ug/h into 1 L of central volume during ``duration_h``. [h]

    ``elapsed_h`` counts from the start of the infusion; before it the response is 0.
    """
    running, after = _phases(elapsed_h, duration_h)
    total = np.zeros((modes.rate_per_h.shape[1], elapsed_h.size))
    for rate, weight in zip(modes.rate_per_h[:, :, np.newaxis], modes.weight[:, :, np.newaxis], strict=True):
        total = total + weight * (running * mean_decay(rate * running) * exp(-rate * after))
    return total


def linked_response(
    modes: Modes, *, kappa_per_h: _Subject, elapsed_h: Float[np.ndarray, " time"], duration_h: float
) -> Float[np.ndarray, "subject time"]:
    """Concentration of a site that follows plasma at rate ``kappa_per_h``, for the same infusion. [h]"""
    running, after = _phases(elapsed_h, duration_h)
    kappa = kappa_per_h[:, np.newaxis]
    left = exp(-kappa * after)
    total = np.zeros((modes.rate_per_h.shape[1], elapsed_h.size))
    for rate, weight in zip(modes.rate_per_h[:, :, np.newaxis], modes.weight[:, :, np.newaxis], strict=True):
        built = running * running * cumulative_decay_difference(rate * running, kappa * running)
        passed_on = running * mean_decay(rate * running) * after * decay_difference(rate * after, kappa * after)
        total = total + weight * (built * left + passed_on)
    return kappa * total


def _phases(
    elapsed_h: Float[np.ndarray, " time"], duration_h: float
) -> tuple[Float[np.ndarray, " time"], Float[np.ndarray, " time"]]:
    since = np.maximum(elapsed_h, 0.0)
    return np.minimum(since, duration_h), np.maximum(since - duration_h, 0.0)
