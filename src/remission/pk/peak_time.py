"""The rate of absorption behind a time of the peak, for products whose rate is not sourced and whose peak is."""

from functools import lru_cache

import numpy as np
from scipy import optimize

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.numerics.divided_differences import decay_difference
from remission.pk.individuals import individual_parameters
from remission.pk.mammillary import mammillary_modes
from remission.pk.model import PkModel

__all__ = ["ka_from_tmax_per_h"]


@lru_cache(maxsize=64)
def ka_from_tmax_per_h(model: PkModel, tmax_h: float) -> float:
    """The first-order rate with which the typical 70 kg person of a model peaks at ``tmax_h``. [1/h]

    At the peak ``exp(-ka T) = sum_i w_i r_i h_i(T)`` with ``h_i(T)`` the convolution of the decay ``r_i`` with that of
    the depot.

    Raises
    ------
    SpecError
        No rate from 0.001 to 10,000 per hour does that.

    Examples
    --------
    >>> from remission.pk.model import load_pk_model
    >>> round(ka_from_tmax_per_h(load_pk_model(), 0.75), 2)
    0.54
    """
    weight = load_parameter_set("session-exposure").value("reference_weight_kg")
    typical = individual_parameters(model, weight_kg=np.array([weight]), z_iiv=np.zeros((1, model.n_iiv)))
    modes = mammillary_modes(
        cl_l_per_h=typical.cl_l_per_h[0], v1_l=typical.v1_l, q_l_per_h=typical.q_l_per_h, v_l=typical.v_l
    )
    rate, share = modes.rate_per_h[:, 0], modes.weight[:, 0]

    def slope(log_ka: float) -> float:
        ka = np.full_like(rate, np.exp(log_ka))
        passed = tmax_h * decay_difference(rate * tmax_h, ka * tmax_h)
        return float(np.exp(-ka[0] * tmax_h) - np.sum(share * rate * passed))

    low, high = np.log(1e-3), np.log(1e4)
    if not slope(low) > 0.0 > slope(high):
        raise SpecError(
            where="tmax_h",
            got=f"{tmax_h:g} h",
            allowed="a time of the peak that first-order absorption can give under this model",
            remedy="State a rate: basis 'assumed' with ka_per_h.",
        )
    return float(np.exp(optimize.brentq(slope, low, high, xtol=1e-12)))
