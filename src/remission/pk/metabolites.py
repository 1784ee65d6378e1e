"""S-ketamine with S-norketamine and S-hydroxynorketamine as one linear system.

Structure (Simons 2022): ketamine clearance feeds a chain of two compartments, each draining at ``2 / MTT``; a fixed
share of its outflow is norketamine, the rest is lost; norketamine clearance feeds a second such chain to
hydroxynorketamine. Equations::

    A1' = rate - (CL + Q2 + Q3)/V1 A1 + Q2/V2 A2 + Q3/V3 A3      A2' = Q2/V1 A1 - Q2/V2 A2      A3' likewise
    T1' = CL/V1 A1 - ktr T1           T2' = ktr (T1 - T2)                          ktr = 2/MTT_NK
    N1' = F_NK ktr T2 - (CL_NK + Q_NK)/V1 N1 + Q_NK/V2_NK N2                       N2' = Q_NK/V1 N1 - Q_NK/V2_NK N2
    U1' = CL_NK/V1 N1 - ltr U1        U2' = ltr (U1 - U2)                          ltr = 2/MTT_HNK
    H1' = F_HNK ltr U2 - (CL_HNK + Q_HNK)/V1_HNK H1 + Q_HNK/V2_HNK H2              H2' likewise
    X'  = (1 - F_NK) ktr T2 + (1 - F_HNK) ltr U2 + CL_HNK/V1_HNK H1

States are amounts in ug of ketamine equivalents, >= 0; X is what has left. Their sum is the dose given so far, so
each column of the matrix sums to zero. Norketamine shares the central volume of ketamine where it has none of its own.
Amounts become analyte mass by molar masses on output.

A model whose attribute ``norketamine`` is ``direct`` (Fanta 2015 as fixed in Otto 2021) has neither delay nor
hydroxynorketamine, and its norketamine is not corrected for molar mass, as its source has it::

    N1' = CL/V1 A1 - (CL_NK + Q_NK)/V_NK N1 + Q_NK/V2_NK N2           X' = CL_NK/V_NK N1

Assumptions: shares fixed at 80 and 70% by the source; transit times do not scale with weight; all HNK forms are one.
R-ketamine has metabolites too; no sourced parameters exist, so none are offered.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import numpy as np

from remission.errors import SpecError
from remission.library.molecules import molar_mass_g_per_mol
from remission.numerics.cascades import simulate_cascade
from remission.numerics.cores import available_cores
from remission.pk.individuals import MetaboliteIndividuals, PkIndividuals
from remission.pk.mammillary import Modes, mammillary_modes
from remission.records.analyte import Analyte
from remission.shapes import Float

METABOLITES: Final = (Analyte.S_NK, Analyte.S_HNK)
"""S-norketamine and S-hydroxynorketamine."""

STATES: Final = ("A1", "A2", "A3", "T1", "T2", "N1", "N2", "U1", "U2", "H1", "H2", "X")
"""Names of the states, in the order of the matrix."""

DIRECT_STATES: Final = ("A1", "A2", "A3", "N1", "N2", "X")
"""Names of the states of a model without delays and hydroxynorketamine."""

_Subject = Float[np.ndarray, " subject"]


def states_of(individuals: PkIndividuals) -> tuple[str, ...]:
    """Names of the states of these people's system, in the order of the matrix.

    Raises SpecError: the model has no metabolites.
    """
    return STATES if _metabolites(individuals).has_hydroxynorketamine else DIRECT_STATES


def mass_ratio(individuals: PkIndividuals, analyte: Analyte) -> float:
    """Mass of a metabolite for a mass of ketamine: that of the molecules, or 1 where the source does not correct."""
    if individuals.model.parameter_set.attributes.get("norketamine") == "direct":
        return 1.0
    return molar_mass_g_per_mol(analyte) / molar_mass_g_per_mol(Analyte.KET)


def rate_matrix(individuals: PkIndividuals) -> Float[np.ndarray, "subject state state"]:
    """The matrix of each person's system, states as :func:`states_of`. [1/h]

    Raises SpecError: the model has no metabolites.
    """
    m = _metabolites(individuals)
    cl = individuals.cl_l_per_h[individuals.species_index(Analyte.S_KET)]
    v1 = individuals.v1_l
    states = states_of(individuals)
    matrix = np.zeros((individuals.n_subject, len(states), len(states)))

    def flow(source: str, target: str, rate: Float[np.ndarray, " subject"]) -> None:
        matrix[:, states.index(target), states.index(source)] += rate
        matrix[:, states.index(source), states.index(source)] -= rate

    for name, q, v in zip(("A2", "A3"), individuals.q_l_per_h, individuals.v_l, strict=True):
        flow("A1", name, q / v1)
        flow(name, "A1", q / v)
    flow("N1", "N2", m.nk_q_l_per_h / m.nk_v1_l)
    flow("N2", "N1", m.nk_q_l_per_h / m.nk_v2_l)
    if not m.has_hydroxynorketamine:
        flow("A1", "N1", m.nk_fraction * cl / v1)
        flow("A1", "X", (1.0 - m.nk_fraction) * cl / v1)
        flow("N1", "X", m.nk_cl_l_per_h / m.nk_v1_l)
        return matrix
    ktr, ltr = 2.0 / m.nk_mtt_h, 2.0 / m.hnk_mtt_h
    flow("A1", "T1", cl / v1)
    flow("T1", "T2", ktr)
    flow("T2", "N1", m.nk_fraction * ktr)
    flow("T2", "X", (1.0 - m.nk_fraction) * ktr)
    flow("N1", "U1", m.nk_cl_l_per_h / m.nk_v1_l)
    flow("U1", "U2", ltr)
    flow("U2", "H1", m.hnk_fraction * ltr)
    flow("U2", "X", (1.0 - m.hnk_fraction) * ltr)
    flow("H1", "H2", m.hnk_q_l_per_h / m.hnk_v1_l)
    flow("H2", "H1", m.hnk_q_l_per_h / m.hnk_v2_l)
    flow("H1", "X", m.hnk_cl_l_per_h / m.hnk_v1_l)
    return matrix


def prepare_metabolites(
    individuals: PkIndividuals,
    *,
    breaks_h: Float[np.ndarray, " break"],
    rate_ug_per_h: Float[np.ndarray, "interval subject"],
) -> Callable[..., Float[np.ndarray, "analyte time subject"]]:
    """A function of ``times`` that gives :data:`METABOLITES` in plasma; none of a form the model lacks. [ng/mL]

    The system of :func:`rate_matrix` with the central and peripheral compartments of each substance written
    as decaying modes; no state is then fed by a later one, so many people are fast.

    Raises SpecError: the model has no metabolites.
    """
    m, v1 = _metabolites(individuals), individuals.v1_l
    cl = individuals.cl_l_per_h[individuals.species_index(Analyte.S_KET)]
    ket = mammillary_modes(cl_l_per_h=cl, v1_l=v1, q_l_per_h=individuals.q_l_per_h, v_l=individuals.v_l)
    nk = mammillary_modes(
        cl_l_per_h=m.nk_cl_l_per_h, v1_l=m.nk_v1_l, q_l_per_h=m.nk_q_l_per_h[np.newaxis], v_l=m.nk_v2_l[np.newaxis]
    )
    rates: list[_Subject] = [np.zeros_like(v1)]
    feeds: dict[tuple[int, int], _Subject] = {}

    def add(rate: _Subject, sources: list[int], feed: _Subject) -> int:
        rates.append(rate)
        feeds.update({(source, len(rates) - 1): feed for source in sources})
        return len(rates) - 1

    def center(modes: Modes, sources: list[int], feed: _Subject) -> list[int]:
        return [add(r, sources, w * feed) for r, w in zip(modes.rate_per_h, modes.weight, strict=True)]

    ones = np.ones_like(v1)
    if m.has_hydroxynorketamine:
        hnk = mammillary_modes(
            cl_l_per_h=m.hnk_cl_l_per_h,
            v1_l=m.hnk_v1_l,
            q_l_per_h=m.hnk_q_l_per_h[np.newaxis],
            v_l=m.hnk_v2_l[np.newaxis],
        )
        ktr, ltr = 2.0 / m.nk_mtt_h, 2.0 / m.hnk_mtt_h
        t1 = add(ktr, center(ket, [0], ones), cl / v1)
        # From here on the states of a center are concentrations: into them by volume, out of them by clearance.
        n1 = center(nk, [add(ktr, [t1], ktr)], m.nk_fraction * ktr / m.nk_v1_l)
        u1 = add(ltr, n1, m.nk_cl_l_per_h)
        h1 = center(hnk, [add(ltr, [u1], ltr)], m.hnk_fraction * ltr / m.hnk_v1_l)
        read = {Analyte.S_NK: n1, Analyte.S_HNK: h1}
    else:
        read = {Analyte.S_NK: center(nk, center(ket, [0], ones), m.nk_fraction * cl / v1 / m.nk_v1_l)}
    reading = np.zeros((len(read), len(rates)))
    for row, (analyte, states) in enumerate(read.items()):
        reading[row, states] = mass_ratio(individuals, analyte)
    return partial(
        simulate_cascade,
        np.stack(rates),
        feeds=feeds,
        reading=reading,
        breaks=breaks_h,
        inputs=rate_ug_per_h,
        n_threads=available_cores(),
    )


def _metabolites(individuals: PkIndividuals) -> MetaboliteIndividuals:
    if individuals.metabolites is None:
        raise SpecError(
            where="analytes",
            got=f"model '{individuals.model.id}'",
            allowed="a model with metabolites, such as simons2022",
        )
    return individuals.metabolites
