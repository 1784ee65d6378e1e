"""The simulated people of a plan: one weight, and each person's own kinetics, links and reactions.

Draws are addressed by seed and number, so that two regimens meet the same people.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from remission.dosing import EvidenceFlag
from remission.errors import LibraryError, SpecError, did_you_mean
from remission.patient.pharmacology import Pharmacology, load_pharmacology
from remission.patient.sampling import AcuteResponse, sample_acute_response, sample_iiv, sample_venous_links
from remission.pk import (
    DEFAULT_PK_MODEL,
    InteractionEffect,
    PkIndividuals,
    PkModel,
    VenousLinks,
    individual_parameters,
    interaction_effect,
    list_pk_models,
    load_pk_model,
)
from remission.planner.request import AVERAGE, PlanRequest
from remission.records.analyte import Analyte
from remission.session.effects import reference_peak_s_ket
from remission.shapes import Float
from remission.streams import People


@dataclass(frozen=True, slots=True, kw_only=True)
class Takers:
    """The simulated people of one weight under one kinetic model."""

    people: People
    model: PkModel
    weight_kg: Float[np.ndarray, " subject"]
    z_iiv: Float[np.ndarray, "subject iiv"]
    interactions: InteractionEffect | None

    @property
    def flags(self) -> tuple[EvidenceFlag, ...]:
        """What of the medicines lies outside the evidence."""
        return () if self.interactions is None else self.interactions.flags


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Takers with their pharmacology: how they react, and their links to vein and effect site."""

    takers: Takers
    pharmacology: Pharmacology
    individuals: PkIndividuals
    response: AcuteResponse
    venous: VenousLinks
    reference_peak_ng_per_ml: float
    is_extrapolated: bool


def model_of(request: PlanRequest) -> PkModel:
    """The kinetic model of a request; for an average, the default that its people differ by."""
    name = DEFAULT_PK_MODEL if request.model == AVERAGE else request.model
    if not request.is_esketamine:
        return _pharmacology(name).pk
    known = list_pk_models()
    # A name may come from a page: a path that came from there would be read.
    if name not in known:
        raise SpecError(where="model", got=name, allowed=f"one of {', '.join(known)}", remedy=did_you_mean(name, known))
    model = load_pk_model(name)
    if Analyte.S_KET not in model.species:
        raise SpecError(
            where="model",
            got=name,
            allowed="a model of S-ketamine: "
            + ", ".join(one for one in known if Analyte.S_KET in load_pk_model(one).species),
            remedy="One that knows the racemate only says nothing of esketamine.",
        )
    return model


def takers_of(request: PlanRequest) -> Takers:
    """The people of a request under its kinetic model; who takes what moves theirs is simulated so."""
    model, n_people = model_of(request), request.n_people
    people = People.of_replicates(seed=request.seed, first=0, count=1, n_subjects=n_people)
    moving = [one.id for one in request.taken if one.kind == "kinetic" and not one.is_refused]
    return Takers(
        people=people,
        model=model,
        weight_kg=np.full(n_people, request.weight_kg),
        z_iiv=sample_iiv(people, n_iiv=model.n_iiv),
        interactions=interaction_effect(model, moving) if moving else None,
    )


def crowd_of(request: PlanRequest, takers: Takers) -> Crowd:
    """The same people with everything that effects need."""
    name = DEFAULT_PK_MODEL if request.model == AVERAGE else request.model
    people, interactions = takers.people, takers.interactions
    individuals = individual_parameters(takers.model, weight_kg=takers.weight_kg, z_iiv=takers.z_iiv)
    if interactions is not None:
        individuals = replace(individuals, cl_l_per_h=individuals.cl_l_per_h * interactions.cl_factor)
    return Crowd(
        takers=takers,
        pharmacology=_pharmacology(name),
        individuals=individuals,
        response=sample_acute_response(people),
        venous=sample_venous_links(people, links=takers.model.links),
        reference_peak_ng_per_ml=_reference_peak(name),
        is_extrapolated=bool(individuals.is_extrapolated.any()),
    )


@cache
def _pharmacology(model: str) -> Pharmacology:
    try:
        return load_pharmacology(model)
    except LibraryError as error:
        raise SpecError(where="model", got=error.got, allowed=error.allowed, remedy=error.remedy) from None


@cache
def _reference_peak(model: str) -> float:
    return reference_peak_s_ket(_pharmacology(model))


def cautions_of(model: PkModel) -> tuple[EvidenceFlag, ...]:
    """What a model says of itself, whoever takes it and however."""
    words, found = model.parameter_set.attributes, no_spread(model)
    if "caution" not in words:
        return found
    return (
        *found,
        EvidenceFlag(
            where=f"model {model.id}", got=words["population"], evidence="the people and uses it was fitted to",
            consequence=f"{words['caution']}.",
        ),
    )  # fmt: skip


def no_spread(model: PkModel) -> tuple[EvidenceFlag, ...]:
    """A flag where a model states no differences between people."""
    if model.n_iiv:
        return ()
    return (
        EvidenceFlag(
            where=f"model {model.id}", got="no differences between people in its kinetics",
            evidence="a model that states variances",
            consequence="Everybody has the typical kinetics here: the ranges are too narrow, and shares too sure.",
        ),
    )  # fmt: skip
