"""Concentrations at any times after any infusions.

Equations in :mod:`remission.pk.curves` and :mod:`remission.pk.metabolites`.
"""

from collections.abc import Sequence

import numpy as np

from remission.errors import SpecError
from remission.pk.concentrations import Concentrations, Series
from remission.pk.curves import prepare_curves
from remission.pk.individuals import PkIndividuals
from remission.pk.metabolites import METABOLITES
from remission.pk.model import PkModel
from remission.records.analyte import Analyte, SamplingSite
from remission.records.dose import DrugForm
from remission.records.infusions import InfusionEvents
from remission.shapes import Float

# Nobody means a later one, and rates times longer times leave the range of numbers.
_LATEST_H = 1e12


def simulate_concentrations(
    individuals: PkIndividuals,
    events: InfusionEvents,
    *,
    t_h: Float[np.ndarray, " time"],
    analytes: Sequence[Analyte | str] = ("ket",),
    sites: Sequence[SamplingSite | str] = ("arterial",),
) -> Concentrations:
    """Concentrations of each person, for every analyte at every site asked for.

    Parameters
    ----------
    individuals
        From :func:`~remission.pk.individuals.individual_parameters`.
    events
        Infusions; as many people as ``individuals``.
    t_h
        Times of the session clock, 0 to 1e12, not falling. [h]
    analytes, sites
        What and where. Metabolites exist in the plasma of the model only.

    Raises
    ------
    SpecError
        The model does not have an analyte or a site, nothing is asked for, numbers of people differ, esketamine goes
        into a model of the racemate, or times are not valid.

    Notes
    -----
    Equations in :mod:`remission.pk.mammillary` and :mod:`remission.pk.metabolites`. Amounts in ug,
    volumes in L, so ug/L is ng/mL.

    Examples
    --------
    >>> from remission.dosing import infusions_per_weight
    >>> from remission.pk import individual_parameters, load_pk_model
    >>> weight = np.array([70.0])
    >>> people = individual_parameters(load_pk_model(), weight_kg=weight, z_iiv=np.zeros((1, 8)))
    >>> events = infusions_per_weight([0.5], start_h=[0.0], duration_h=[2 / 3], weight_kg=weight)
    >>> result = simulate_concentrations(people, events, t_h=np.array([2 / 3]))
    >>> f"{result.select('ket', site='arterial')[0, 0]:.1f} {result.units}"
    '292.4 ng/mL'
    """
    wanted = checked_series(individuals, events, analytes, sites, t_h)
    conc = prepare_curves(individuals, events, wanted)(t_h)
    return Concentrations(t_h=t_h, series=wanted, conc_ng_per_ml=np.moveaxis(conc, -1, 0))


def checked_series(
    individuals: PkIndividuals,
    events: InfusionEvents,
    analytes: Sequence[Analyte | str],
    sites: Sequence[SamplingSite | str],
    t_h: Float[np.ndarray, " time"],
) -> tuple[Series, ...]:
    """The series asked for, each once; arguments and errors are those of :func:`simulate_concentrations`."""
    model = individuals.model
    if t_h.size and not (np.all(np.diff(t_h) >= 0.0) and t_h[0] >= 0.0 and t_h[-1] <= _LATEST_H):
        raise SpecError(
            where="t_h", got=t_h.tolist(), allowed=f"times from 0 h to {_LATEST_H:g} h that do not run backwards"
        )
    series = named_series(model, analytes, sites)
    for one in series:
        if one.analyte in METABOLITES and one.sampling_site is not model.plasma_site:
            raise SpecError(
                where="sites",
                got=f"{one.analyte} at {one.sampling_site}",
                allowed=f"the {model.plasma_site} site for metabolites",
                remedy="Links to the vein and the effect site are known for ketamine only.",
            )
    if events.n_subject != individuals.n_subject:
        raise SpecError(
            where="events.dose_mg", got=f"{events.n_subject} people", allowed=f"{individuals.n_subject}, as individuals"
        )
    if events.form is not DrugForm.RACEMATE and model.species == (Analyte.KET,):
        raise SpecError(
            where="events.form", got=events.form.value, allowed=f"racemate: model {model.id} knows the racemate only"
        )
    return series


def named_series(
    model: PkModel, analytes: Sequence[Analyte | str], sites: Sequence[SamplingSite | str]
) -> tuple[Series, ...]:
    """The series asked for by name, each once.

    Raises SpecError: nothing is asked for, or the model does not have an analyte or a site.
    """
    if isinstance(analytes, str) or isinstance(sites, str) or not analytes or not sites:
        raise SpecError(
            where="sites" if isinstance(sites, str) or not sites else "analytes",
            got=(analytes, sites),
            allowed="at least one name in a list",
            remedy="Write analytes=('ket',), sites=('arterial',).",
        )
    series = tuple(dict.fromkeys(Series(Analyte.parse(a), SamplingSite.parse(s)) for a in analytes for s in sites))
    for one in series:
        if one.analyte not in model.analytes:
            raise SpecError(
                where="analytes",
                got=one.analyte.value,
                allowed=f"one of {', '.join(model.analytes)} in model {model.id}",
            )
        if one.sampling_site not in model.sites:
            raise SpecError(
                where="sites",
                got=one.sampling_site.value,
                allowed=f"one of {', '.join(model.sites)} in model {model.id}",
            )
    return series
