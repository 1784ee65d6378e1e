"""Esketamine with a hepato-portal compartment: nasal, oral and intravenous (Perez-Ruixo 2021).

Equations::

    DN' = -ka_n DN                       DS' = in_s - ka_sw DS                     DP' = in_p - ka_po DP
    C'  = in_iv + ka_n DN - (Q1 + Q2 + Qh)/Vc C + Q1/Vp1 P1 + Q2/Vp2 P2 + Qh/Vh L
    P1' = Q1/Vc C - Q1/Vp1 P1            P2' = Q2/Vc C - Q2/Vp2 P2
    L'  = ka_sw DS + ka_po DP + Qh/Vc C - (Qh/Vh + kel + kmet) L
    N1' = kmet L - (CLn + Q3)/Vcn N1 + Q3/Vpn N2                                   N2' = Q3/Vcn N1 - Q3/Vpn N2
    X'  = kel L + CLn/Vcn N1

A nasal dose puts ``FRn`` of itself into DN at once and ``(1 - FRn) Fgut`` into DS over ``Dsw``; FRn is 0.62 times as
large for what goes beyond the first 28 mg of one administration. An oral dose puts ``Fgut`` into DP over ``Dpo``. The
rest is lost in the gut wall. Clearance from blood is ``Qh I/(Qh + I)`` with ``I = Vh (kel + kmet)``.

States: ug of esketamine, >= 0; noresketamine has apparent volumes, so no molar mass enters.

Assumptions: as the printed equations hold misprints, the structure follows the paper's figure and its formulas for
bioavailability; kmet does not vary between people, since its variance is not printed; Japanese people's FRn is kept at
most 1; Qh falls with age before it varies between people.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from remission.errors import SpecError
from remission.pk.compartments import Compartments
from remission.pk.given import AbsorbedDose, share_of
from remission.pk.hepatoportal_people import HepatoportalIndividuals
from remission.pk.individuals import UG_PER_MG
from remission.pk.model import PkModel
from remission.records.analyte import Analyte
from remission.records.dose import Route
from remission.shapes import Float

STATES: Final = ("DN", "DS", "DP", "C", "P1", "P2", "L", "N1", "N2", "X")
"""Names of the states, in the order of the matrix."""

_Subject = Float[np.ndarray, " subject"]


def nasal_shares(
    people: HepatoportalIndividuals, given: Sequence[AbsorbedDose], *, model: PkModel
) -> tuple[_Subject, ...]:
    """The share of each nasal dose that is absorbed through the nose, in order of time. [dimensionless]

    What goes beyond the first 28 mg of one administration is absorbed less; the rest of it is swallowed.
    """
    spray_mg = model.parameter_set.value("spray_mg")
    sprayed_mg, last_h, shares = np.zeros_like(people.vc_l), -np.inf, []
    for one in given:
        if one.dose.route is not Route.INTRANASAL:
            continue
        if one.dose.start_h - last_h >= model.parameter_set.value("same_administration_h"):
            sprayed_mg = np.zeros_like(people.vc_l)
        first = np.clip(spray_mg - sprayed_mg, 0.0, one.dose_mg)
        early = np.where(one.dose_mg > 0.0, first / np.where(one.dose_mg > 0.0, one.dose_mg, 1.0), 1.0)
        shares.append(early * people.frn + (1.0 - early) * people.later_frn)
        sprayed_mg, last_h = sprayed_mg + one.dose_mg, one.dose.start_h
    return tuple(shares)


def hepatoportal_system(
    people: HepatoportalIndividuals, given: Sequence[AbsorbedDose], *, model: PkModel
) -> Compartments:
    """The system of each person with everything that enters it."""
    p = people
    system = Compartments(STATES, p.vc_l.size)
    for name, q, v in (("P1", p.q1_l_per_h, p.vp1_l), ("P2", p.q2_l_per_h, p.vp2_l), ("L", p.qh_l_per_h, p.vh_l)):
        system.flow("C", name, q / p.vc_l)
        system.flow(name, "C", q / v)
    system.flow("DN", "C", p.ka_n_per_h)
    system.flow("DS", "L", p.ka_sw_per_h)
    system.flow("DP", "L", p.ka_po_per_h)
    system.flow("L", "X", p.kel_per_h)
    system.flow("L", "N1", p.kmet_per_h)
    system.flow("N1", "N2", p.nk_q_l_per_h / p.nk_v1_l)
    system.flow("N2", "N1", p.nk_q_l_per_h / p.nk_v2_l)
    system.flow("N1", "X", p.nk_cl_l_per_h / p.nk_v1_l)
    nasal = iter(nasal_shares(people, given, model=model))
    for one in given:
        amount = one.dose_mg * (UG_PER_MG * share_of(one.dose.form, Analyte.S_KET))
        start = one.dose.start_h
        if one.dose.route is Route.INTRANASAL:
            through_nose = next(nasal)
            system.give("DN", start_h=start, amount_ug=amount * through_nose)
            system.give("DS", start_h=start, amount_ug=amount * (1.0 - through_nose) * p.f_gut, length_h=p.dsw_h)
        elif one.dose.route is Route.ORAL:
            system.give("DP", start_h=start, amount_ug=amount * p.f_gut, length_h=p.dpo_h)
        elif one.dose.route in {Route.IV_INFUSION, Route.IV_BOLUS}:
            length = np.full_like(amount, one.dose.duration_h)
            system.give("C", start_h=start, amount_ug=amount, length_h=length)
        else:
            raise SpecError(
                where="route", got=one.dose.route.value, allowed="a vein, the nose or swallowed in this model",
                remedy="Choose another model for this route.",
            )  # fmt: skip
    return system
