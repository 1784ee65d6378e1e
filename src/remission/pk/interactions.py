"""What an interaction does to clearance and to what is swallowed: a well-stirred liver behind a wall of gut.

Equations. Blood brings ketamine to the liver at flow Q; of it the share ``E = I/(Q + I)`` is taken out, with I the
intrinsic clearance. So ``CL = Q E``, and a swallowed dose arrives with ``F = Fgut (1 - E)``. An interaction multiplies
I by m and Fgut by g; then::

    AUC ratio after a dose into a vein    (1/m) (Q + m I)/(Q + I)
    AUC ratio of a swallowed dose         g/m

Where both ratios are printed (rifampicin) they fix m and g. Where only the one of a swallowed dose is, how much of it
happens in the liver is not known: ``GUT_FIRST`` lets the gut do what it can, up to a free passage, which gives the
smallest effect on doses into a vein; ``LIVER_ONLY`` gives the largest. A ratio of clearances fixes m, with g = 1.

Assumptions: Q is 151 L/h for everyone and E is that of the typical person of the model; ratios of S-ketamine hold for
both enantiomers; several interactions multiply, the
gut up to a free passage. Hepatic flow, binding and metabolites' own clearance do not change.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from remission.errors import SpecError
from remission.library.interactions import Interaction, load_interaction
from remission.library.loader import load_parameter_set
from remission.pk.hepatoportal_people import hepatoportal_parameters
from remission.pk.individuals import individual_parameters
from remission.pk.model import PkModel
from remission.pk.routes import weakest
from remission.records.infusions import EvidenceFlag
from remission.records.parameter import Grade


class Acting(StrEnum):
    """Where an interaction acts when only swallowed doses were studied."""

    GUT_FIRST = "gut_first"
    """In the gut wall as far as that can go: the smallest effect on a dose into a vein."""
    LIVER_ONLY = "liver_only"
    """In the liver alone: the largest effect on a dose into a vein."""


class Contested(StrEnum):
    """What to do with interactions that sources disagree about."""

    LEAVE_OUT = "leave_out"
    """Say so and change nothing."""
    APPLY = "apply"
    """Apply them and say so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InteractionEffect:
    """Interactions as factors under one model.

    ``intrinsic_factor``, ``gut_factor``: m and g. [dimensionless] ``cl_factor``: factor on clearance from blood, for
    the typical person. [dimensionless] ``swallowed_factor``: factor on the share of a swallowed dose that reaches
    blood. [dimensionless]
    """

    model_id: str
    intrinsic_factor: float
    gut_factor: float
    cl_factor: float
    swallowed_factor: float
    grade: Grade
    flags: tuple[EvidenceFlag, ...]

    @property
    def changes_anything(self) -> bool:
        """Whether a concentration moves."""
        return self.intrinsic_factor != 1.0 or self.gut_factor != 1.0

    @property
    def auc_iv_ratio(self) -> float:
        """Ratio of areas after a dose into a vein. [dimensionless]"""
        return 1.0 / self.cl_factor

    @property
    def auc_oral_ratio(self) -> float:
        """Ratio of areas after a swallowed dose. [dimensionless]"""
        return self.swallowed_factor / self.cl_factor


def factors_of(interactions: InteractionEffect | None) -> dict[str, float]:
    """m and g as arguments of :func:`~remission.pk.hepatoportal_people.hepatoportal_parameters`."""
    if interactions is None:
        return {}
    return {"intrinsic_factor": interactions.intrinsic_factor, "gut_factor": interactions.gut_factor}


def interaction_effect(
    model: PkModel,
    names: Sequence[str],
    *,
    acting: Acting = Acting.GUT_FIRST,
    contested: Contested = Contested.LEAVE_OUT,
) -> InteractionEffect:
    """The factors of some interactions under a model, for :func:`~remission.pk.simulate_doses`.

    Raises SpecError: an interaction cannot be simulated, or the model clears ketamine faster than a liver can. Raises
    LibraryError: no interaction has that name.
    """
    numbers = load_parameter_set("interaction-ratios")
    extraction = _typical_clearance(model) / numbers.value("liver_flow_l_per_h")
    intrinsic, gut, grades, flags = 1.0, 1.0, [Grade.MEASURED], []
    for index, name in enumerate(names):
        where = f"interactions[{index}]"
        one = load_interaction(name)
        if one.is_refused:
            raise SpecError(
                where=where, got=name, allowed=f"nothing that simulates it: {one.effect}", remedy=one.advice
            )
        if one.kind == "dynamic" or (one.is_contested and contested is Contested.LEAVE_OUT):
            flags.append(_told(where, one))
            continue
        if not extraction < 1.0:
            raise SpecError(
                where=where,
                got=f"model {model.id}, which clears as much as a liver is supplied with or more",
                allowed="a model with less clearance, such as simons2022",
                remedy="The rule for interactions needs a liver that leaves something over.",
            )
        m, g = _factors(one, extraction, acting, gut_passage=numbers.value("gut_passage"), where=where)
        intrinsic, gut = intrinsic * m, gut * g
        grades += [found.grade for found in (one.auc_iv, one.auc_oral, one.cl_ratio) if found is not None]
        grades.append(Grade.DERIVED)
        flags.append(_applied(where, one, extraction, numbers.value("gut_passage")))
    gut = min(gut, 1.0 / numbers.value("gut_passage"))
    changed = _extraction(extraction, intrinsic)
    return InteractionEffect(
        model_id=model.id,
        intrinsic_factor=intrinsic,
        gut_factor=gut,
        cl_factor=1.0 if intrinsic == 1.0 else changed / extraction,
        swallowed_factor=gut if intrinsic == 1.0 else gut * (1.0 - changed) / (1.0 - extraction),
        grade=weakest(*grades),
        flags=tuple(flags),
    )


def _typical_clearance(model: PkModel) -> float:
    weight = np.array([load_parameter_set("session-exposure").value("reference_weight_kg")])
    z = np.zeros((1, model.n_iiv))
    if model.parameter_set.attribute("structure") == "hepatoportal":
        return float(hepatoportal_parameters(model, weight_kg=weight, z_iiv=z).cl_l_per_h[0])
    return float(individual_parameters(model, weight_kg=weight, z_iiv=z).cl_l_per_h[0, 0])


def _extraction(extraction: float, intrinsic_factor: float) -> float:
    """E after the intrinsic clearance was multiplied. [dimensionless]"""
    return intrinsic_factor * extraction / (1.0 - extraction + intrinsic_factor * extraction)


def _intrinsic_of(extraction: float, cl_factor: float, *, where: str) -> float:
    """m that gives a factor on clearance; the inverse of the above."""
    changed = cl_factor * extraction
    if not changed < 1.0:
        raise SpecError(
            where=where,
            got=f"{cl_factor:.3g} times the clearance",
            allowed="less than the flow through the liver",
            remedy="Take a model with less clearance, such as simons2022.",
        )
    return changed * (1.0 - extraction) / (extraction * (1.0 - changed))


def _factors(
    one: Interaction, extraction: float, acting: Acting, *, gut_passage: float, where: str
) -> tuple[float, float]:
    if one.cl_ratio is not None:
        return _intrinsic_of(extraction, one.cl_ratio.value, where=where), 1.0
    assert one.auc_oral is not None
    oral = one.auc_oral.value
    if one.auc_iv is not None:
        m = _intrinsic_of(extraction, 1.0 / one.auc_iv.value, where=where)
        return m, oral * m
    if acting is Acting.LIVER_ONLY:
        return 1.0 / oral, 1.0
    gut = min(oral, 1.0 / gut_passage)
    return gut / oral, gut


def _told(where: str, one: Interaction) -> EvidenceFlag:
    why = "contested and left out" if one.kind == "kinetic" else "an effect on effects, not on concentrations"
    return EvidenceFlag(
        where=where,
        got=f"{one.title}: {why}",
        evidence="what is said here; nothing of it is simulated",
        consequence=f"{one.effect}. {one.advice}".strip(),
    )


def _applied(where: str, one: Interaction, extraction: float, gut_passage: float) -> EvidenceFlag:
    if one.auc_oral is None:
        evidence = "clearance in people on days of treatment, contested"
    elif one.auc_iv is not None:
        evidence = "both ways in, as printed"
    else:
        ends = [
            extraction
            / _extraction(extraction, _factors(one, extraction, end, gut_passage=gut_passage, where=where)[0])
            for end in Acting
        ]
        evidence = (
            "swallowed doses only; by the rule the area after a dose into a vein is "
            f"{min(ends):.2f} to {max(ends):.2f} times as large"
        )
    return EvidenceFlag(
        where=where, got=one.title, evidence=evidence, consequence=f"{one.effect}. Applied by a rule, graded derived."
    )
