"""The rate of absorption behind a time of the peak, for products whose rate is not sourced and whose peak is.

A time of the peak belongs to the blood in which it was read: an arm vein peaks later than the artery, after slow
absorption by an hour. So the rate is fitted at the site of the source.
"""

from functools import lru_cache

import numpy as np

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.pk.compartments import Compartments
from remission.pk.individuals import individual_parameters
from remission.pk.model import PkModel
from remission.records.analyte import SamplingSite


@lru_cache(maxsize=64)
def ka_from_tmax_per_h(model: PkModel, tmax_h: float, site: SamplingSite = SamplingSite.VENOUS) -> float:
    """The first-order rate with which the typical 70 kg person of a model peaks at ``tmax_h`` at a site. [1/h]

    ``tmax_h``: when the concentration peaks, > 0. [h] ``site``: where that was read. A model that does not know the
    site, such as one of venous plasma for an arterial peak, is held to its own plasma. Raises SpecError: no rate from
    0.001 to 10,000 per hour does that.
    """
    where = site if site in model.sites else model.plasma_site

    def slope(log_ka: float) -> float:
        return _slope(model, float(np.exp(log_ka)), tmax_h, where)

    low, high = np.log(1e-3), np.log(1e4)
    if not slope(low) > 0.0 > slope(high):
        raise SpecError(
            where="tmax_h",
            got=f"{tmax_h:g} h at the {where.value} site",
            allowed="a time of the peak that first-order absorption can give under this model",
            remedy="State a rate: basis 'assumed' with ka_per_h.",
        )
    from scipy.optimize import brentq  # it takes half a second to import, and no infusion needs it

    return float(np.exp(brentq(slope, low, high, xtol=1e-12)))


def _slope(model: PkModel, ka_per_h: float, t_h: float, site: SamplingSite) -> float:
    """Change of concentration at a time after a unit of racemate in the depot; its zero is the peak."""
    weight = load_parameter_set("session-exposure").value("reference_weight_kg")
    typical = individual_parameters(model, weight_kg=np.array([weight]), z_iiv=np.zeros((1, model.n_iiv)))
    v1, total = typical.v1_l, 0.0
    # Assays of racemate measure both forms together, and the slower one moves the peak.
    for cl in typical.cl_l_per_h:
        others = [f"A{number}" for number in range(2, 2 + typical.v_l.shape[0])]
        system = Compartments(["D", "A1", *others, "V"], 1)
        system.flow("D", "A1", np.array([ka_per_h]))
        for name, q, v in zip(others, typical.q_l_per_h, typical.v_l, strict=True):
            system.flow("A1", name, q / v1)
            system.flow(name, "A1", q / v)
        system.flow("A1", None, cl / v1)
        system.follow("V", "A1", typical.venous_rate_per_h, v1)
        system.give("D", start_h=0.0, amount_ug=np.array([1.0]))
        found = system.simulate(t_h=np.array([t_h]))
        # Summed term by term, in one order on every machine.
        change = dict.fromkeys(("A1", "V"), 0.0)
        for row in change:
            for column, name in enumerate(system.names):
                rate = float(system.matrix[0, system.names.index(row), column])
                change[row] += rate * float(found[name][0, 0])
        plasma = change["A1"] / float(v1[0])
        if site is SamplingSite.VENOUS and model.plasma_site is SamplingSite.ARTERIAL:
            fast = typical.venous_fast_fraction
            plasma = fast * plasma + (1.0 - fast) * change["V"]
        total += plasma
    return total
