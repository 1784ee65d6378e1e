"""Occupancy of the NMDA receptor, as a band.

Equation, at the effect site and in quasi-steady state::

    occupancy = fu C / (fu C + K)

C total ketamine (S + R) [umol/L], fu unbound fraction, K affinity [umol/L]. Published K differ forty-fold between
assays and subunits and fu between methods, so the result is one curve for each K with a low and a high fu, and the
band is their envelope. It is never one number.

Assumptions: block follows concentration without delay (trapping is ignored; mouse occupancy is gone within an hour of
the drug); unbound concentration at the receptor equals unbound concentration at the effect site; the racemate acts as
one substance.
"""

from dataclasses import dataclass

import numpy as np

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.library.molecules import molar_mass_g_per_mol
from remission.records.analyte import Analyte
from remission.records.parameter import ParameterSet
from remission.shapes import Float
from remission.units import ng_per_ml_to_umol_per_l


@dataclass(frozen=True, slots=True, kw_only=True)
class OccupancyBand:
    """NMDA occupancy over published constants.

    ``constants``: ids of the affinities in the library, one a curve. ``occupancy``: one curve for each constant at the
    central unbound fraction. [0 to 1] ``low``, ``high``: envelope over all constants and the range of the unbound
    fraction. [0 to 1]
    """

    constants: tuple[str, ...]
    occupancy: Float[np.ndarray, "constant subject time"]
    low: Float[np.ndarray, "subject time"]
    high: Float[np.ndarray, "subject time"]


def simulate_occupancy(
    conc_ng_per_ml: Float[np.ndarray, "subject time"], *, binding: ParameterSet | None = None
) -> OccupancyBand:
    """Occupancy of the receptor at given effect-site concentrations.

    ``conc_ng_per_ml``: S and R ketamine together at the effect site, >= 0. [ng/mL] ``binding``: affinities and unbound
    fraction; the library's ``nmda-binding`` by default. Raises SpecError: a concentration is negative or not finite.
    """
    if not np.all(np.isfinite(conc_ng_per_ml) & (conc_ng_per_ml >= 0.0)):
        raise SpecError(where="conc_ng_per_ml", got="a negative or missing value", allowed="concentrations >= 0")
    values = binding or load_parameter_set("nmda-binding")
    names = tuple(values.attribute("constants").split())
    constants = [values.value(name) for name in names]
    fu = values["fu"]
    fu_low, fu_high = (fu.value if limit is None else limit for limit in (fu.low, fu.high))
    total = ng_per_ml_to_umol_per_l(conc_ng_per_ml, molar_mass_g_per_mol=molar_mass_g_per_mol(Analyte.KET))

    def bound(unbound_fraction: float, constant: float) -> Float[np.ndarray, "subject time"]:
        free = unbound_fraction * total
        return free / (free + constant)

    return OccupancyBand(
        constants=names,
        occupancy=np.stack([bound(fu.value, constant) for constant in constants]),
        low=bound(fu_low, max(constants)),
        high=bound(fu_high, min(constants)),
    )
