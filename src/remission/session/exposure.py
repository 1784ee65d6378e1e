"""Session exposure of any infusions, by quadrature over the effect site.

A single infusion has a faster way with the same meaning (:func:`remission.session.effects.simulate_session_effects`);
a test holds both together.
"""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from remission.numerics.quadrature import doubling_panels
from remission.patient.pharmacology import Pharmacology
from remission.pk import PkIndividuals, simulate_concentrations
from remission.receptor import saturation
from remission.records.analyte import Analyte, SamplingSite
from remission.records.infusions import InfusionEvents
from remission.shapes import Float

_Subject = Float[np.ndarray, " subject"]
_FIRST_PANEL_H = 0.05
_N_NODES = 6


def simulate_exposure(
    individuals: PkIndividuals, events: InfusionEvents, *, pharmacology: Pharmacology
) -> Float[np.ndarray, " subject"]:
    """The exposure e of each person, by Gauss-Legendre panels that double from each start or end of an infusion.

    1 is the typical adult in the reference session. [dimensionless]
    """
    settings = pharmacology.exposure
    t_h, weight_h = exposure_nodes([*events.start_h, *events.end_h], settings.value("horizon_h"))
    found = simulate_concentrations(individuals, events, t_h=t_h, analytes=(Analyte.KET,), sites=(SamplingSite.EFFECT,))
    effect = saturation(found.conc_ng_per_ml[:, 0, :], c50_ng_per_ml=settings.value("c50_exposure_ng_per_ml"))
    return saturated_sum(effect, weight_h) / settings.value("exposure_reference_h")


def saturated_sum(effect: Float[np.ndarray, "subject node"], weight_h: Float[np.ndarray, " node"]) -> _Subject:
    """The integral of each person, node after node: a product of matrices would round by who else is in it. [h]"""
    total = np.zeros(effect.shape[0])
    for column, weight in zip(effect.T, weight_h.tolist(), strict=True):
        total += column * weight
    return total


def exposure_nodes(
    breaks_h: Sequence[float], horizon_h: float
) -> tuple[Float[np.ndarray, " node"], Float[np.ndarray, " node"]]:
    """Times and weights of an integral from 0 to the horizon; the curve has a corner at each break."""
    edges = sorted({0.0, horizon_h, *(one for one in breaks_h if one < horizon_h)})
    times, weights = [], []
    for begin, end in pairwise(edges):
        panels = doubling_panels(end - begin, longest_first=_FIRST_PANEL_H, n_nodes=_N_NODES)
        for panel in range(panels.n_panels):
            times.append(begin + panels.panel_nodes(panel))
            weights.append(np.array(panels.weights) * panels.panel_length(panel))
    return np.concatenate(times), np.concatenate(weights)
