"""Concentrations of one session at every site, with each person's own link to the arm vein."""

from collections.abc import Sequence

import numpy as np

from remission.pk import (
    Concentrations,
    PkIndividuals,
    VenousLinks,
    simulate_concentrations,
    simulate_venous_concentrations,
)
from remission.records.analyte import Analyte, SamplingSite
from remission.records.infusions import InfusionEvents
from remission.shapes import Float

_PARENTS = (Analyte.KET, Analyte.S_KET)


def simulate_blood(
    individuals: PkIndividuals,
    events: InfusionEvents,
    *,
    t_h: Float[np.ndarray, " time"],
    venous: VenousLinks | None = None,
    metabolites: Sequence[Analyte] = (),
) -> Concentrations:
    """Ketamine and S-ketamine at every site of the model, and metabolites in its plasma.

    ``venous``: a link to the arm vein for each person; None gives everybody the default one. ``metabolites``: which of
    those that the model follows.
    """
    model = individuals.model
    sites = [site for site in model.sites if venous is None or site is not SamplingSite.VENOUS]
    found = [simulate_concentrations(individuals, events, t_h=t_h, analytes=_PARENTS, sites=sites)]
    if venous is not None:
        found.append(simulate_venous_concentrations(individuals, events, t_h=t_h, venous=venous, analytes=_PARENTS))
    if metabolites:
        own = (model.plasma_site,)
        found.append(simulate_concentrations(individuals, events, t_h=t_h, analytes=metabolites, sites=own))
    return Concentrations(
        t_h=t_h,
        series=tuple(series for one in found for series in one.series),
        conc_ng_per_ml=np.concatenate([one.conc_ng_per_ml for one in found], axis=1),
    )
