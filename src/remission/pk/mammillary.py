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
is compiled (:mod:`remission.numerics.arrowheads`).

Units: rates 1/h, time h, weights dimensionless in [0, 1]; responses to 1 ug/h into 1 L, in h.
"""

from dataclasses import dataclass

import numpy as np

from remission.errors import NumericalError
from remission.numerics.arrowheads import arrowhead_modes
from remission.shapes import Float

_Subject = Float[np.ndarray, " subject"]


# Laguerre's method converges in 5 to 8 steps; a root that merges with another takes up to about 60.
@dataclass(frozen=True, slots=True, kw_only=True)
class Modes:
    """Decay rates and weights of the plasma response.

    ``rate_per_h``: r_i, rising, > 0. [1/h] ``weight``: w_i, >= 0, sum 1. [dimensionless]
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

    ``cl_l_per_h``, ``v1_l``: clearance and central volume, > 0. [L/h], [L] ``q_l_per_h``, ``v_l``: flow to and volume
    of each of one or two peripheral compartments, > 0. [L/h], [L] Raises NumericalError: a root was not found; it means
    a parameter is zero, negative or not finite.
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


def _apart(back: Float[np.ndarray, "peripheral subject"]) -> Float[np.ndarray, "peripheral subject"]:
    """The rates back to the center, no two of them equal.

    Equal ones would put a root exactly on the pole the search starts from; one unit in the last place separates them.
    """
    if back.shape[0] == 2:
        return np.stack([back[0], np.where(back[0] == back[1], back[1] * (1.0 + 2.0**-52), back[1])])
    return back
