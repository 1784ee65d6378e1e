"""Ketamine that does not come from an infusion, in a model whose compartments all hang on the central one.

Equations, beside those of :mod:`remission.pk.mammillary` and :mod:`remission.pk.metabolites`::

    bolus               A1 += dose
    first order         D' = -ka D,  A1' += ka D,  D += F dose                       an assumption of the caller
    film, mucosa        M' = F1 dose/D1 [t < D1] - KA1 M,    A1' += KA1 M            Simons 2022
    film, swallowed     G' = F2 dose/D2 [t < D2] - KA2 G,    B' = KA2 G - B/MTTG,    T1' += B/MTTG
    effect site, vein   as in remission.pk.simulate

What is swallowed of the film never reaches blood as ketamine. States: ug; times h; rates 1/h.

Assumptions: absorption is linear and the same for both enantiomers; a rate derived from a time of the peak is that of
the typical person of 70 kg under the same model, and serves everyone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from remission.pk.compartments import Compartments
from remission.pk.concentrations import Series
from remission.pk.given import AbsorbedDose, share_of
from remission.pk.individuals import UG_PER_MG, PkIndividuals
from remission.pk.metabolites import mass_ratio, rate_matrix, states_of
from remission.records.analyte import Analyte, SamplingSite
from remission.records.dose import Route
from remission.shapes import Float

_Subject = Float[np.ndarray, " subject"]

_METABOLITES = {Analyte.S_NK: "N1", Analyte.S_HNK: "H1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FilmAbsorption:
    """Absorption from an oral thin film, of each person on one occasion."""

    f1: _Subject
    d1_h: _Subject
    ka1_per_h: _Subject
    f2: _Subject
    d2_h: _Subject
    ka2_per_h: _Subject
    mttg_h: _Subject


def simulate_absorbed(
    individuals: PkIndividuals,
    doses: Sequence[AbsorbedDose],
    *,
    film: FilmAbsorption | None,
    t_h: Float[np.ndarray, " time"],
    series: Sequence[Series],
) -> dict[Series, Float[np.ndarray, "subject time"]]:
    """What these doses add to each series. [ng/mL]

    ``film``: needed when a dose is a film. ``series``: what is wanted; all of it must be offered by the model.
    """
    per_species = {
        species: _one_species(individuals, doses, species, film, t_h, series) for species in individuals.model.species
    }
    found = {}
    for one in series:
        parts = [own[one] for own in per_species.values() if one in own]
        found[one] = parts[0] if len(parts) == 1 else parts[0] + parts[1]
    return found


def _one_species(
    individuals: PkIndividuals,
    doses: Sequence[AbsorbedDose],
    species: Analyte,
    film: FilmAbsorption | None,
    t_h: Float[np.ndarray, " time"],
    series: Sequence[Series],
) -> dict[Series, Float[np.ndarray, "subject time"]]:
    with_metabolites = species is Analyte.S_KET and any(one.analyte in _METABOLITES for one in series)
    sites = {one.sampling_site for one in series}
    system = absorption_system(individuals, species, doses, film, sites=sites, with_metabolites=with_metabolites)
    for index, one in enumerate(doses):
        amount = one.dose_mg * (UG_PER_MG * share_of(one.dose.form, species))
        start = one.dose.start_h
        if one.product is None:
            system.give("A1", start_h=start, amount_ug=amount)
        elif one.ka_per_h is not None:
            system.give(f"D{index}", start_h=start, amount_ug=amount * one.f[species])
        else:
            assert film is not None
            system.give("M", start_h=start, amount_ug=amount * film.f1, length_h=film.d1_h)
            if with_metabolites:
                system.give("G", start_h=start, amount_ug=amount * film.f2, length_h=film.d2_h)
    states = system.simulate(t_h=t_h)
    found = {}
    for label in series:
        if label.analyte in {species, Analyte.KET}:
            found[label] = _at_site(individuals, states, label.sampling_site)
        elif label.analyte in _METABOLITES and with_metabolites:
            assert individuals.metabolites is not None
            own = individuals.metabolites
            volume = own.nk_v1_l if label.analyte is Analyte.S_NK else own.hnk_v1_l
            mass = mass_ratio(individuals, label.analyte)
            found[label] = states[_METABOLITES[label.analyte]] / volume[:, np.newaxis] * mass
    return found


def _at_site(
    individuals: PkIndividuals, states: dict[str, Float[np.ndarray, "subject time"]], site: SamplingSite
) -> Float[np.ndarray, "subject time"]:
    if site is SamplingSite.EFFECT:
        return states["E"]
    plasma = states["A1"] / individuals.v1_l[:, np.newaxis]
    if site is SamplingSite.VENOUS and individuals.model.plasma_site is SamplingSite.ARTERIAL:
        fast = individuals.venous_fast_fraction
        return fast * plasma + (1.0 - fast) * states["V"]
    return plasma


def absorption_system(
    individuals: PkIndividuals,
    species: Analyte,
    doses: Sequence[AbsorbedDose],
    film: FilmAbsorption | None,
    *,
    sites: set[SamplingSite],
    with_metabolites: bool,
) -> Compartments:
    """The system of one species with a depot for each dose and the sites that follow it; nothing has entered yet."""
    n_peripheral = individuals.v_l.shape[0]
    core = states_of(individuals) if with_metabolites else ("A1", "A2", "A3")[: n_peripheral + 1]
    depots = [f"D{index}" for index, one in enumerate(doses) if one.ka_per_h is not None]
    has_film = any(one.product is not None and one.dose.route is Route.FILM for one in doses)
    mucosa = ["M"] if has_film else []
    gut = ["G", "B"] if has_film and with_metabolites else []
    followers = ["E"] if SamplingSite.EFFECT in sites else []
    followers += ["V"] if SamplingSite.VENOUS in sites else []
    system = Compartments([*core, *depots, *mucosa, *gut, *followers], individuals.n_subject)
    v1 = individuals.v1_l
    if with_metabolites:
        system.matrix[:, : len(core), : len(core)] = rate_matrix(individuals)
    else:
        for name, q, v in zip(core[1:], individuals.q_l_per_h, individuals.v_l, strict=True):
            system.flow("A1", name, q / v1)
            system.flow(name, "A1", q / v)
        system.flow("A1", None, individuals.cl_l_per_h[individuals.species_index(species)] / v1)
    for index, one in enumerate(doses):
        if one.ka_per_h is not None:
            system.flow(f"D{index}", "A1", one.rates_per_h())
    if film is not None and has_film:
        system.flow("M", "A1", film.ka1_per_h)
        if gut:
            system.flow("G", "B", film.ka2_per_h)
            system.flow("B", "T1", 1.0 / film.mttg_h)
    if "E" in followers:
        system.follow("E", "A1", individuals.ke0_per_h, v1)
    if "V" in followers:
        system.follow("V", "A1", individuals.venous_rate_per_h, v1)
    return system
