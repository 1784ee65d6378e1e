"""Parameters of each person in the model with a hepato-portal compartment; see :mod:`remission.pk.hepatoportal`."""

from dataclasses import dataclass

import numpy as np

from remission.errors import SpecError
from remission.numerics.elementary import exp
from remission.pk.individuals import check_people
from remission.pk.model import PkModel
from remission.shapes import Bool, Float

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

    ``intrinsic_factor``, ``gut_factor``: what an interaction does to kel and kmet, and to Fgut, which is kept at most
    1. [dimensionless] Raises SpecError: the model has another structure; a weight, ``z_iiv`` or a factor is out of
    range or of another length.
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
