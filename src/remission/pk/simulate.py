"""Concentrations at any times after any infusions.

Ketamine itself is computed in modes (:mod:`remission.pk.mammillary`), carried exactly from time to time by
:mod:`remission.numerics.decaying_modes`; rates of infusions that run together add up, for the system is linear.
Metabolites are in :mod:`remission.pk.metabolites`.

The venous site is a link of this project, not a published model (:mod:`remission.pk.venous`): a share f of venous blood
follows arterial blood at once, the rest lags at rate k2::

    Cven = f Cart + (1 - f) Cd,    dCd/dt = k2 (Cart - Cd)
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from remission.errors import SpecError
from remission.numerics.cores import available_cores
from remission.numerics.decaying_modes import simulate_modes
from remission.pk.concentrations import Concentrations, Series
from remission.pk.individuals import UG_PER_MG, PkIndividuals
from remission.pk.mammillary import mammillary_modes
from remission.pk.metabolites import simulate_metabolites
from remission.records.analyte import Analyte, SamplingSite
from remission.records.infusions import DrugForm, InfusionEvents

__all__ = ["simulate_concentrations"]

_METABOLITES = frozenset({Analyte.S_NK, Analyte.S_HNK})


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
        Times of the session clock, finite, >= 0, not falling. [h]
    analytes, sites
        What and where. Metabolites exist at the arterial site only.

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
    wanted = _series(individuals, events, analytes, sites)
    if t_h.size and not (np.all(np.isfinite(t_h)) and np.all(np.diff(t_h) >= 0.0) and t_h[0] >= 0.0):
        raise SpecError(where="t_h", got=t_h.tolist(), allowed="finite times of 0 h or later that do not run backwards")
    breaks_h, rate_ug_per_h = _intervals(events)
    parents = [one for one in wanted if one.analyte not in _METABOLITES]
    conc = _parents(individuals, events, parents, breaks_h, rate_ug_per_h, t_h)
    if len(parents) < len(wanted):
        s_ket = rate_ug_per_h * _share(events, Analyte.S_KET)
        metabolites = simulate_metabolites(
            individuals, breaks_h=breaks_h, rate_ug_per_h=s_ket, t_h=t_h, n_threads=available_cores()
        )
        found = dict(zip(parents, conc, strict=True))
        found |= {Series(analyte, SamplingSite.ARTERIAL): curve for analyte, curve in metabolites.items()}
        conc = np.stack([found[one] for one in wanted])
    return Concentrations(t_h=t_h, series=wanted, conc_ng_per_ml=np.moveaxis(conc, -1, 0))


def _series(
    individuals: PkIndividuals,
    events: InfusionEvents,
    analytes: Sequence[Analyte | str],
    sites: Sequence[SamplingSite | str],
) -> tuple[Series, ...]:
    model = individuals.model
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
        if one.analyte in _METABOLITES and one.sampling_site is not SamplingSite.ARTERIAL:
            raise SpecError(
                where="sites",
                got=f"{one.analyte} at {one.sampling_site}",
                allowed="the arterial site for metabolites",
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


def _share(events: InfusionEvents, species: Analyte) -> float:
    if species is Analyte.KET:
        return 1.0
    return events.s_fraction if species is Analyte.S_KET else 1.0 - events.s_fraction


def _parents(
    individuals: PkIndividuals,
    events: InfusionEvents,
    wanted: Sequence[Series],
    breaks_h: Float[np.ndarray, " break"],
    rate_ug_per_h: Float[np.ndarray, "interval subject"],
    t_h: Float[np.ndarray, " time"],
) -> Float[np.ndarray, "series time subject"]:
    """Concentrations of ketamine itself. [ng/mL]"""
    species = individuals.model.species
    modes = [
        mammillary_modes(cl_l_per_h=cl, v1_l=individuals.v1_l, q_l_per_h=individuals.q_l_per_h, v_l=individuals.v_l)
        for cl in individuals.cl_l_per_h
    ]
    sites = {one.sampling_site for one in wanted}
    links, factors = [], {individuals.model.plasma_site: {0: 1.0}}
    if SamplingSite.EFFECT in sites:
        links.append(individuals.ke0_per_h)
        factors[SamplingSite.EFFECT] = {len(links): 1.0}
    if SamplingSite.VENOUS in sites and individuals.model.plasma_site is SamplingSite.ARTERIAL:
        links.append(individuals.venous_rate_per_h)
        fast = individuals.venous_fast_fraction
        factors[SamplingSite.VENOUS] = {0: fast, len(links): 1.0 - fast}
    reading = np.zeros((len(wanted), len(species), 1 + len(links)))
    for row, one in enumerate(wanted):
        for group, of_group in enumerate(species):
            if one.analyte in {of_group, Analyte.KET}:
                for source, factor in factors[one.sampling_site].items():
                    reading[row, group, source] = factor
    return simulate_modes(
        np.stack([one.rate_per_h for one in modes]),
        np.stack([_share(events, s) * m.weight / individuals.v1_l for s, m in zip(species, modes, strict=True)]),
        link_rate=np.stack(links) if links else np.zeros((0, individuals.n_subject)),
        reading=reading,
        breaks=breaks_h,
        inputs=rate_ug_per_h,
        times=t_h,
        n_threads=available_cores(),
    )


def _intervals(events: InfusionEvents) -> tuple[Float[np.ndarray, " break"], Float[np.ndarray, "interval subject"]]:
    """Times at which the summed rate changes, and the rate between them. [h], [ug/h]"""
    breaks = np.unique(np.concatenate([events.start_h, events.end_h]))
    if breaks.size == 0:
        return np.array([0.0, 1.0]), np.zeros((1, events.n_subject))
    rate = np.zeros((breaks.size - 1, events.n_subject))
    for dose_mg, start, end, duration in zip(
        events.dose_mg.T, events.start_h, events.end_h, events.duration_h, strict=True
    ):
        rate[(breaks[:-1] >= start) & (breaks[:-1] < end)] += dose_mg * (UG_PER_MG / duration)
    return breaks, rate
