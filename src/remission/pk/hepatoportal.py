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
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Bool, Float

from remission.errors import SpecError
from remission.numerics.elementary import exp
from remission.pk.compartments import Compartments
from remission.pk.given import AbsorbedDose, share_of
from remission.pk.individuals import UG_PER_MG, check_people
from remission.pk.model import PkModel
from remission.records.analyte import Analyte
from remission.records.dose import Route

__all__ = [
    "STATES",
    "HepatoportalIndividuals",
    "PersonFactors",
    "hepatoportal_parameters",
    "hepatoportal_system",
    "nasal_shares",
]

STATES: Final = ("DN", "DS", "DP", "C", "P1", "P2", "L", "N1", "N2", "X")
"""Names of the states, in the order of the matrix."""

_Subject = Float[np.ndarray, " subject"]
_Who = Bool[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonFactors:
    """What a model may know of people beyond weight; left out means the model's reference person."""

    age_y: _Subject | None = None
    is_asian: _Who | None = None
    is_japanese: _Who | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HepatoportalIndividuals:
    """Parameters of a batch of people; the names are those of the library."""

    vc_l: _Subject
    q1_l_per_h: _Subject
    vp1_l: _Subject
    q2_l_per_h: _Subject
    vp2_l: _Subject
    qh_l_per_h: _Subject
    vh_l: _Subject
    kel_per_h: _Subject
    kmet_per_h: _Subject
    frn: _Subject
    later_frn: _Subject
    ka_n_per_h: _Subject
    dsw_h: _Subject
    ka_sw_per_h: _Subject
    f_gut: _Subject
    dpo_h: _Subject
    ka_po_per_h: _Subject
    nk_v1_l: _Subject
    nk_cl_l_per_h: _Subject
    nk_v2_l: _Subject
    nk_q_l_per_h: _Subject

    @property
    def cl_l_per_h(self) -> _Subject:
        """Clearance from blood. [L/h]"""
        intrinsic = self.vh_l * (self.kel_per_h + self.kmet_per_h)
        return self.qh_l_per_h * intrinsic / (self.qh_l_per_h + intrinsic)

    @property
    def f_liver(self) -> _Subject:
        """Share that passes the liver once. [dimensionless]"""
        return 1.0 - self.cl_l_per_h / self.qh_l_per_h


def hepatoportal_parameters(
    model: PkModel,
    *,
    weight_kg: _Subject,
    z_iiv: Float[np.ndarray, "subject iiv"],
    factors: PersonFactors | None = None,
    intrinsic_factor: float = 1.0,
    gut_factor: float = 1.0,
) -> HepatoportalIndividuals:
    """Each person's parameters. Weight has no effect in this model and is only checked.

    Parameters
    ----------
    intrinsic_factor, gut_factor
        What an interaction does to kel and kmet, and to Fgut, which is kept at most 1. [dimensionless]

    Raises
    ------
    SpecError
        The model has another structure; a weight, ``z_iiv`` or a factor is out of range or of another length.
    """
    values = model.parameter_set
    if values.attribute("structure") != "hepatoportal":
        raise SpecError(where="model", got=model.id, allowed="a model with a hepato-portal compartment")
    check_people(model, weight_kg=weight_kg, z_iiv=z_iiv)
    known = factors or PersonFactors()
    n_subject = weight_kg.size
    age = _per_person(known.age_y, values.value("population_age_y"), n_subject, "factors.age_y")
    if not np.all((age >= 18.0) & (age <= 90.0)):
        raise SpecError(where="factors.age_y", got=age.tolist(), allowed="ages of adults, 18 to 90 years")
    asian = _per_person(known.is_asian, 0.0, n_subject, "factors.is_asian")
    japanese = _per_person(known.is_japanese, 0.0, n_subject, "factors.is_japanese")
    ones = np.ones(n_subject)
    z = {name: z_iiv[:, column] for column, name in enumerate(model.iiv_names)}

    def varied(parameter_id: str, iiv: str) -> _Subject:
        spread = exp(np.sqrt(values.value(f"omega2_{iiv}")) * z[iiv])
        return values.value(parameter_id) * spread

    older = np.maximum(age - values.value("age_on_qh_from_y"), 0.0)
    flow = values.value("qh_l_per_h") + values.value("age_on_qh_l_per_h_per_y") * older
    typical_frn = values.value("frn")
    odds = typical_frn / (1.0 - typical_frn) * exp(np.sqrt(values.value("omega2_frn")) * z["frn"])
    heritage = np.where(japanese > 0.0, values.value("japanese_on_frn"), 1.0)
    frn = np.minimum(odds / (1.0 + odds) * heritage, 1.0)
    return HepatoportalIndividuals(
        vc_l=varied("vc_l", "vc"),
        q1_l_per_h=values.value("q1_l_per_h") * ones,
        vp1_l=varied("vp1_l", "vp1"),
        q2_l_per_h=values.value("q2_l_per_h") * ones,
        vp2_l=values.value("vp2_l") * ones,
        qh_l_per_h=flow / values.value("qh_l_per_h") * varied("qh_l_per_h", "qh"),
        vh_l=varied("vh_l", "vh"),
        kel_per_h=intrinsic_factor
        * np.where(asian > 0.0, values.value("asian_on_kel"), 1.0)
        * varied("kel_per_h", "kel"),
        kmet_per_h=intrinsic_factor * values.value("kmet_per_h") * ones,
        frn=frn,
        later_frn=values.value("later_spray_on_frn") * frn,
        ka_n_per_h=varied("ka_n_per_h", "ka_n"),
        dsw_h=values.value("dsw_h") * ones,
        ka_sw_per_h=varied("ka_sw_per_h", "ka_po"),
        f_gut=np.minimum(gut_factor * values.value("f_gut") * ones, 1.0),
        dpo_h=values.value("dpo_h") * ones,
        ka_po_per_h=varied("ka_po_per_h", "ka_po"),
        nk_v1_l=varied("nk_v1_l", "nk_v1"),
        nk_cl_l_per_h=np.where(asian > 0.0, values.value("asian_on_nk_cl"), 1.0) * varied("nk_cl_l_per_h", "nk_cl"),
        nk_v2_l=values.value("nk_v2_l") * ones,
        nk_q_l_per_h=values.value("nk_q_l_per_h") * ones,
    )


def _per_person(given: np.ndarray | None, default: float, n_subject: int, where: str) -> _Subject:
    if given is None:
        return np.full(n_subject, default)
    if given.shape != (n_subject,) or not np.all(np.isfinite(given)):
        raise SpecError(where=where, got=f"shape {given.shape}", allowed=f"one value for each of {n_subject} people")
    return given.astype(float)


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
        else:
            length = np.full_like(amount, one.dose.duration_h)
            system.give("C", start_h=start, amount_ug=amount, length_h=length)
    return system
