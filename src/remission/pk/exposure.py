"""Exposure without a curve: the area under the concentration of ketamine, which needs no rate of absorption.

Equation, for each species and dose: ``AUC = F dose / CL``. Under the model of the nasal route
``F = FRn + (1 - FRn) Fgut Fliver``, or ``Fgut Fliver`` for the oral solution, and ``CL = Qh I/(Qh + I)``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.pk.concentrations import Series
from remission.pk.dose_flags import flags_of
from remission.pk.dose_grades import grades_of
from remission.pk.given import AbsorbedDose, resolve_doses, share_of
from remission.pk.hepatoportal import nasal_shares
from remission.pk.hepatoportal_people import PersonFactors, hepatoportal_parameters
from remission.pk.individuals import UG_PER_MG, individual_parameters
from remission.pk.interactions import InteractionEffect, factors_of
from remission.pk.model import PkModel
from remission.records.analyte import Analyte
from remission.records.dose import Dose, Route
from remission.records.infusions import EvidenceFlag
from remission.records.parameter import Grade
from remission.records.result import Result
from remission.shapes import Float

_Subject = Float[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure(Result):
    """Area under the plasma concentration of ketamine, from the first dose to the end of time.

    ``analytes``: ketamine species of the model; both together as well where it has both. ``auc_ng_h_per_ml``: one row a
    person, one column an analyte. [ng h/mL]
    """

    analytes: tuple[Analyte, ...]
    auc_ng_h_per_ml: Float[np.ndarray, "subject analyte"]
    flags: tuple[EvidenceFlag, ...]
    grades: tuple[Grade, ...]

    def columns(self) -> dict[str, Any]:
        """One row a person, one column an analyte."""
        areas = zip(self.analytes, self.auc_ng_h_per_ml.T, strict=True)
        return {f"auc_{analyte.value}_ng_h_per_ml": column for analyte, column in areas}

    def select(self, analyte: Analyte | str) -> _Subject:
        """The area of one analyte. [ng h/mL]

        Raises SpecError: the model does not follow it.
        """
        wanted = Analyte.parse(analyte)
        if wanted not in self.analytes:
            raise SpecError(where="analyte", got=wanted.value, allowed=f"one of {', '.join(self.analytes)}")
        return self.auc_ng_h_per_ml[:, self.analytes.index(wanted)]


def exposure_of_doses(
    model: PkModel,
    doses: Sequence[Dose],
    *,
    weight_kg: _Subject,
    z_iiv: Float[np.ndarray, "subject iiv"],
    factors: PersonFactors | None = None,
    interactions: InteractionEffect | None = None,
    dose_mg: Float[np.ndarray, "subject dose"] | None = None,
    overlap: bool = False,
) -> Exposure:
    """Area under the curve of ketamine of each person; parameters as :func:`~remission.pk.simulate_doses`.

    Raises
    ------
    SpecError
        As :func:`~remission.pk.simulate_doses`, except that no rate of absorption is needed.

    Examples
    --------
    >>> from remission.pk.model import load_pk_model
    >>> swallowed = Dose.create(route="oral", dose="0.5 mg/kg")
    >>> found = exposure_of_doses(load_pk_model(), [swallowed], weight_kg=np.array([70.0]), z_iiv=np.zeros((1, 8)))
    >>> f"{found.select('ket')[0]:.0f} ng h/mL"
    '93 ng h/mL'
    """
    given = resolve_doses(
        model, doses, weight_kg=weight_kg, with_rate=False, interactions=interactions, dose_mg=dose_mg, overlap=overlap
    )
    if model.parameter_set.attribute("structure") == "hepatoportal":
        areas = {Analyte.S_KET: _hepatoportal(model, given, weight_kg, z_iiv, factors, interactions)}
    else:
        areas = _mammillary(model, given, weight_kg, z_iiv)
        if interactions is not None:
            areas = {species: area / interactions.cl_factor for species, area in areas.items()}
    if {Analyte.S_KET, Analyte.R_KET} <= set(areas):
        areas[Analyte.KET] = areas[Analyte.S_KET] + areas[Analyte.R_KET]
    series = tuple(Series(analyte, model.plasma_site) for analyte in areas)
    return Exposure(
        analytes=tuple(areas),
        auc_ng_h_per_ml=np.stack(list(areas.values()), axis=1),
        flags=flags_of(model, given, weight_kg=weight_kg, series=series, interactions=interactions, factors=factors),
        grades=grades_of(model, given, series=series, interactions=interactions),
    )


def _mammillary(
    model: PkModel, given: Sequence[AbsorbedDose], weight_kg: _Subject, z_iiv: Float[np.ndarray, "subject iiv"]
) -> dict[Analyte, _Subject]:
    people = individual_parameters(model, weight_kg=weight_kg, z_iiv=z_iiv)
    areas = {}
    for species in model.species:
        reached = np.zeros_like(weight_kg)
        for one in given:
            f = one.f[species] if one.f else np.ones_like(weight_kg)
            if one.dose.route is Route.FILM:
                f = f * load_parameter_set(f"{model.id}-film").value("f1")
            reached = reached + f * one.dose_mg * (UG_PER_MG * share_of(one.dose.form, species))
        areas[species] = reached / people.cl_l_per_h[people.species_index(species)]
    return areas


def _hepatoportal(
    model: PkModel,
    given: Sequence[AbsorbedDose],
    weight_kg: _Subject,
    z_iiv: Float[np.ndarray, "subject iiv"],
    factors: PersonFactors | None,
    interactions: InteractionEffect | None,
) -> _Subject:
    people = hepatoportal_parameters(
        model, weight_kg=weight_kg, z_iiv=z_iiv, factors=factors, **factors_of(interactions)
    )
    swallowed = people.f_gut * people.f_liver
    nasal = iter(nasal_shares(people, given, model=model))
    reached = np.zeros_like(weight_kg)
    for one in given:
        if one.dose.route is Route.INTRANASAL:
            through_nose = next(nasal)
            f = through_nose + (1.0 - through_nose) * swallowed
        else:
            f = swallowed if one.dose.route is Route.ORAL else np.ones_like(weight_kg)
        reached = reached + f * one.dose_mg * (UG_PER_MG * share_of(one.dose.form, Analyte.S_KET))
    return reached / people.cl_l_per_h
