"""Dissociation during a session: drug high on a visual scale, and the clinician's CADSS.

Equations, with C the concentration of S-ketamine at the effect site::

    VAS   = Emax C^n / (C^n + C50^n)                 0 to 100
    CADSS = a VAS,   a = mean CADSS at the reference session / VAS of the typical adult at its peak

C50 is measured in the subjects of the default kinetic model; n is an assumption with a range for sensitivity
analysis; norketamine has no weight (the source found none). ``gain`` multiplies both for people who respond less:
detoxified alcohol patients report less, by how much is not known, so the library's value is a placeholder and is off
unless asked for.
"""

import numpy as np
from jaxtyping import Float

from remission.errors import SpecError
from remission.receptor.saturation import saturation
from remission.records.parameter import ParameterSet

__all__ = ["cadss_per_vas", "simulate_vas"]


def simulate_vas(
    conc_ng_per_ml: Float[np.ndarray, "..."], *, effects: ParameterSet, gain: float = 1.0
) -> Float[np.ndarray, "..."]:
    """Drug high at given effect-site concentrations of S-ketamine. [VAS, 0 to 100]

    Parameters
    ----------
    conc_ng_per_ml
        S-ketamine at the effect site, >= 0. [ng/mL]
    effects
        The library's ``acute-effects`` or a changed copy.
    gain
        Factor on the effect, in [0, 1]. [dimensionless]

    Raises
    ------
    SpecError
        ``gain`` is outside [0, 1].
    """
    if not 0.0 <= gain <= 1.0:
        raise SpecError(where="gain", got=gain, allowed="a factor between 0 and 1")
    effect = saturation(
        conc_ng_per_ml, c50_ng_per_ml=effects.value("c50_high_ng_per_ml"), hill=effects.value("hill_high")
    )
    return gain * effects.value("emax_high_vas") * effect


def cadss_per_vas(reference_peak_ng_per_ml: float, *, effects: ParameterSet) -> float:
    """The factor a: CADSS points for a point of VAS. [dimensionless]

    Parameters
    ----------
    reference_peak_ng_per_ml
        Peak effect-site S-ketamine of the typical adult in the session at which the mean CADSS was measured. [ng/mL]
    effects
        The library's ``acute-effects`` or a changed copy.
    """
    peak_vas = simulate_vas(np.array([reference_peak_ng_per_ml]), effects=effects)[0]
    return float(effects.value("cadss_mean") / peak_vas)
