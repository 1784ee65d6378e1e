"""The typical person of a model as plain numbers, for a page whose script computes curves by itself.

Assumption: the page scales by weight as :mod:`remission.pk.individuals` does, and every random effect is zero.
"""

from typing import TypedDict

import numpy as np

from remission.library.molecules import racemate_s_fraction
from remission.pk.individuals import individual_parameters
from remission.pk.model import PkModel
from remission.records.analyte import Analyte
from remission.records.parameter import ParameterSet


class TypicalParameters(TypedDict):
    """Parameters at the reference weight, as ``static/kinetics.js`` reads them.

    ``species``, ``share``: what is followed on its own, and its share of a dose of racemate. [dimensionless]
    ``cl_l_per_h``: clearance of each species. [L/h] ``v1_l``, ``v_l``, ``q_l_per_h``: central volume, peripheral
    volumes [L] and the flows to them [L/h]. ``cl_exponent``, ``v1_exponent``, ``v_exponents``, ``q_exponents``: how
    each goes with weight; 0 where a model does not scale it. [dimensionless] ``ke0_per_h``, ``venous_fast_fraction``,
    ``venous_rate_per_h``: links to the effect site and the vein.
    """

    model: str
    species: list[str]
    share: list[float]
    sites: list[str]
    plasma_site: str
    reference_weight_kg: float
    exponent_clearance: float
    exponent_volume: float
    cl_l_per_h: list[float]
    v1_l: float
    v_l: list[float]
    q_l_per_h: list[float]
    cl_exponent: float
    v1_exponent: float
    v_exponents: list[float]
    q_exponents: list[float]
    ke0_per_h: float
    venous_fast_fraction: float
    venous_rate_per_h: float


def typical_parameters(model: PkModel) -> TypicalParameters:
    """Numbers of the typical person at the model's reference weight."""
    values = model.parameter_set
    reference_kg = values.value("reference_weight_kg")
    person = individual_parameters(model, weight_kg=np.array([reference_kg]), z_iiv=np.zeros((1, model.n_iiv)))
    n_peripheral = person.v_l.shape[0]
    s_fraction = racemate_s_fraction()
    shares = {Analyte.S_KET: s_fraction, Analyte.R_KET: 1.0 - s_fraction, Analyte.KET: 1.0}
    return TypicalParameters(
        model=model.id,
        species=[one.value for one in model.species],
        share=[shares[one] for one in model.species],
        sites=[site.value for site in model.sites],
        plasma_site=model.plasma_site.value,
        reference_weight_kg=reference_kg,
        exponent_clearance=values.value("exponent_clearance"),
        exponent_volume=values.value("exponent_volume"),
        cl_l_per_h=person.cl_l_per_h[:, 0].tolist(),
        v1_l=float(person.v1_l[0]),
        v_l=person.v_l[:, 0].tolist(),
        q_l_per_h=person.q_l_per_h[:, 0].tolist(),
        cl_exponent=_exponent(values, "cl_l_per_h", "exponent_clearance"),
        v1_exponent=_exponent(values, "v1_l", "exponent_volume"),
        v_exponents=[_exponent(values, f"v{number}_l", "exponent_volume") for number in range(2, 2 + n_peripheral)],
        q_exponents=[
            _exponent(values, f"q{number}_l_per_h", "exponent_clearance") for number in range(2, 2 + n_peripheral)
        ],
        ke0_per_h=float(person.ke0_per_h[0]),
        venous_fast_fraction=person.venous_fast_fraction,
        venous_rate_per_h=float(person.venous_rate_per_h[0]),
    )


def _exponent(values: ParameterSet, parameter_id: str, usual: str) -> float:
    own = f"exponent.{parameter_id}"
    if own in values:
        return values.value(own)
    return 0.0 if parameter_id in values.attributes.get("unscaled", "").split() else values.value(usual)
