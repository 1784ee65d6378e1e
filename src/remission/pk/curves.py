"""Curves of some people after some infusions, prepared once and computed at any times.

Ketamine itself is computed in modes (:mod:`remission.pk.mammillary`), carried exactly from time to time by
:mod:`remission.numerics.decaying_modes`; rates of infusions that run together add up, for the system is linear.
Metabolites are in :mod:`remission.pk.metabolites`.

The venous site is a link of this project, not a published model (:mod:`remission.pk.venous`): a share f of venous blood
follows arterial blood at once, the rest lags at rate k2::

    Cven = f Cart + (1 - f) Cd,    dCd/dt = k2 (Cart - Cd)
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from remission.errors import SpecError
from remission.numerics.cores import available_cores
from remission.numerics.decaying_modes import simulate_modes
from remission.numerics.distinct import distinct
from remission.pk.concentrations import Series
from remission.pk.individuals import UG_PER_MG, PkIndividuals
from remission.pk.mammillary import mammillary_modes
from remission.pk.metabolites import METABOLITES, prepare_metabolites
from remission.records.analyte import Analyte, SamplingSite
from remission.records.infusions import InfusionEvents
from remission.shapes import Float

_Curves = Callable[[Float[np.ndarray, " time"]], Float[np.ndarray, "series time subject"]]


def prepare_curves(individuals: PkIndividuals, events: InfusionEvents, wanted: Sequence[Series]) -> _Curves:
    """A function that gives the concentrations of all series wanted at times that do not run backwards. [ng/mL]

    Series are those that :func:`remission.pk.simulate.checked_series` lets through.
    """
    breaks_h, rate_ug_per_h = breaks_and_rates(events)
    known = [one for one in wanted if one.analyte not in METABOLITES]
    solvers = [_prepare_parents(individuals, events, known, breaks_h, rate_ug_per_h)] if known else []
    if len(known) < len(wanted):
        s_ket = rate_ug_per_h * _share(events, Analyte.S_KET)
        solvers.append(prepare_metabolites(individuals, breaks_h=breaks_h, rate_ug_per_h=s_ket))
        own = [analyte for analyte in METABOLITES if analyte in individuals.model.analytes]
        known = [*known, *(Series(analyte, individuals.model.plasma_site) for analyte in own)]
    order = [known.index(one) for one in wanted]

    def compute(t_h: Float[np.ndarray, " time"]) -> Float[np.ndarray, "series time subject"]:
        conc, *more = [solve(times=t_h) for solve in solvers]
        conc = np.concatenate([conc, *more]) if more else conc
        return conc if order == list(range(len(known))) else conc[order]

    return compute


def _share(events: InfusionEvents, species: Analyte) -> float:
    if species is Analyte.KET:
        return 1.0
    return events.s_fraction if species is Analyte.S_KET else 1.0 - events.s_fraction


def _prepare_parents(
    individuals: PkIndividuals,
    events: InfusionEvents,
    wanted: Sequence[Series],
    breaks_h: Float[np.ndarray, " break"],
    rate_ug_per_h: Float[np.ndarray, "interval subject"],
) -> Callable[..., Float[np.ndarray, "series time subject"]]:
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
    return partial(
        simulate_modes,
        np.stack([one.rate_per_h for one in modes]),
        np.stack([_share(events, s) * m.weight / individuals.v1_l for s, m in zip(species, modes, strict=True)]),
        link_rate=np.stack(links) if links else np.zeros((0, individuals.n_subject)),
        reading=reading,
        breaks=breaks_h,
        inputs=rate_ug_per_h,
        n_threads=available_cores(),
    )


def breaks_and_rates(
    events: InfusionEvents,
) -> tuple[Float[np.ndarray, " break"], Float[np.ndarray, "interval subject"]]:
    """Times at which the summed rate changes, and the rate between them. [h], [ug/h]"""
    breaks = distinct(events.start_h, events.end_h)
    if breaks.size == 0:
        return np.array([0.0, 1.0]), np.zeros((1, events.n_subject))
    rate = np.zeros((breaks.size - 1, events.n_subject))
    for dose_mg, start, end, duration in zip(
        events.dose_mg.T, events.start_h, events.end_h, events.duration_h, strict=True
    ):
        with np.errstate(over="ignore", invalid="ignore"):  # the check below says it better
            rate[(breaks[:-1] >= start) & (breaks[:-1] < end)] += dose_mg * (UG_PER_MG / duration)
    if not np.all(np.isfinite(rate)):
        raise SpecError(
            where="infusions.duration_h",
            got=f"{float(events.duration_h.min())!r} h",
            allowed="a length in which the dose can flow",
            remedy="For a bolus give a short infusion, such as 0.1 min.",
        )
    return breaks, rate
