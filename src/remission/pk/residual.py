"""From a person's curve to what a laboratory would report: residual error as the sources print it.

Equations, with standard normals z::

    proportional and additive    measured = C + (sigma_prop C) z1 + sigma_add z2                    Simons 2022
    log-normal                   measured = C exp(sd_log z1)                                        Perez-Ruixo 2021

An additive error can carry a low value below 0, as it does in the source's own model; it is left there, because cutting
it off would shift the mean.
"""

from dataclasses import replace

import numpy as np
from jaxtyping import Float

from remission.errors import SpecError
from remission.library.loader import list_parameter_sets, load_parameter_set
from remission.library.molecules import molar_mass_g_per_mol
from remission.numerics.elementary import exp
from remission.pk.concentrations import Concentrations
from remission.pk.model import PkModel
from remission.records.parameter import ParameterSet
from remission.units import umol_per_l_to_ng_per_ml

__all__ = ["load_residual", "with_residual_error"]


def load_residual(model: PkModel) -> ParameterSet:
    """The residual error of a model.

    Raises
    ------
    SpecError
        None was seen for it.
    """
    own = f"{model.id}-residual"
    if own not in list_parameter_sets():
        known = [name.removesuffix("-residual") for name in list_parameter_sets() if name.endswith("-residual")]
        raise SpecError(
            where="residual",
            got=model.id,
            allowed=f"one of {', '.join(known)}: the residual error of other models was not seen",
        )
    return load_parameter_set(own)


def with_residual_error(
    concentrations: Concentrations,
    residual: ParameterSet,
    *,
    z_residual: Float[np.ndarray, "two subject series time"],
) -> Concentrations:
    """Measured values around each curve.

    Parameters
    ----------
    concentrations
        Curves; every series must be one that the source measured.
    residual
        From :func:`load_residual`.
    z_residual
        Standard normals, two for each value; the second is used by additive errors only. [dimensionless]

    Raises
    ------
    SpecError
        A series has no residual error in the source, or ``z_residual`` has another shape.

    Examples
    --------
    >>> from remission.pk.model import load_pk_model
    >>> f"{load_residual(load_pk_model()).value('sigma_prop.s_ket'):.3f}"
    '0.110'
    """
    conc = concentrations.conc_ng_per_ml
    if z_residual.shape != (2, *conc.shape) or not np.all(np.isfinite(z_residual)):
        raise SpecError(
            where="z_residual", got=f"shape {z_residual.shape}", allowed=f"finite, of shape {(2, *conc.shape)}"
        )
    measured = np.empty_like(conc)
    log_normal = residual.attribute("law") == "log_normal"
    for index, (analyte, site) in enumerate(concentrations.series):
        spread = f"{'sd_log' if log_normal else 'sigma_prop'}.{analyte.value}"
        if spread not in residual or site.value == "effect":
            raise SpecError(
                where="series",
                got=f"{analyte} at {site}",
                allowed=f"a measured analyte of {residual.attribute('residual_of')} in blood",
                remedy="No residual error of R-ketamine, of both forms together, or of the effect site is sourced.",
            )
        curve, z_one, z_two = conc[:, index], z_residual[0, :, index], z_residual[1, :, index]
        if log_normal:
            measured[:, index] = curve * exp(residual.value(spread) * z_one)
            continue
        additive = f"sigma_add_umol_per_l.{analyte.value}"
        sigma_add = residual.value(additive) if additive in residual else 0.0
        mass = molar_mass_g_per_mol(analyte)
        sigma_add_ng_per_ml = umol_per_l_to_ng_per_ml(sigma_add, molar_mass_g_per_mol=mass)
        measured[:, index] = curve * (1.0 + residual.value(spread) * z_one) + sigma_add_ng_per_ml * z_two
    return replace(concentrations, conc_ng_per_ml=measured)
