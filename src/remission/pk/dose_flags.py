"""What a result of :func:`~remission.pk.simulate_doses` must say about itself: flags and grades."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from remission.library.loader import load_parameter_set
from remission.pk.concentrations import Series
from remission.pk.given import AbsorbedDose
from remission.pk.individuals import outside_population
from remission.pk.interactions import InteractionEffect
from remission.pk.model import PkModel
from remission.pk.routes import bioavailability_of, weakest
from remission.records.analyte import Analyte, SamplingSite
from remission.records.dose import Route
from remission.records.infusions import EvidenceFlag
from remission.records.parameter import Grade

__all__ = ["flags_of", "grades_of"]

_IV = frozenset({Route.IV_INFUSION, Route.IV_BOLUS})
_METABOLITES = frozenset({Analyte.S_NK, Analyte.S_HNK})
_TOUCHING_H = 1e-9


def flags_of(
    model: PkModel,
    given: Sequence[AbsorbedDose],
    *,
    weight_kg: Float[np.ndarray, " subject"],
    series: Sequence[Series],
    interactions: InteractionEffect | None = None,
) -> tuple[EvidenceFlag, ...]:
    """Everything a reader must see beside the concentrations."""
    flags = _of_model(model, given, weight_kg, series)
    for index, one in enumerate(given):
        flags += _of_dose(f"doses[{index}]", one, weight_kg)
    flags += _of_length(given)
    wants_metabolite = any(one.analyte in _METABOLITES for one in series)
    if wants_metabolite and any(one.dose.route is Route.FILM for one in given):
        flags.append(
            EvidenceFlag(
                where="analytes",
                got="metabolites after a film",
                evidence="the source's shares, 26% absorbed and 116% swallowed, more than the dose",
                consequence="Metabolites come out of more ketamine than was given, as printed.",
            )
        )
    if interactions is not None:
        flags += interactions.flags
        if wants_metabolite and interactions.changes_anything:
            flags.append(
                EvidenceFlag(
                    where="analytes",
                    got="metabolites with an interaction",
                    evidence="ketamine itself",
                    consequence="What the interaction does to metabolites is not sourced and is left out.",
                )
            )
    return tuple(flags)


def _of_model(
    model: PkModel, given: Sequence[AbsorbedDose], weight_kg: Float[np.ndarray, " subject"], series: Sequence[Series]
) -> list[EvidenceFlag]:
    words = model.parameter_set.attributes
    asked = {one.analyte.value for one in series}
    named = ["caution"] if "caution" in words else []
    named += ["caution_iv"] if "caution_iv" in words and any(one.dose.route in _IV for one in given) else []
    named += [name for name in (f"caution_{analyte}" for analyte in sorted(asked)) if name in words]
    flags = [
        EvidenceFlag(
            where=f"model {model.id}",
            got=f"{words['population']}",
            evidence="the people and uses it was fitted to",
            consequence=f"{words[name]}.",
        )
        for name in named
    ]
    outside = outside_population(model, weight_kg=weight_kg)
    if np.any(outside):
        known = model.parameter_set["population_weight_kg"]
        first = float(weight_kg[int(np.argmax(outside))])
        flags.append(
            EvidenceFlag(
                where="weight_kg",
                got=f"{int(np.sum(outside))} of {weight_kg.size} people, such as {first:g} kg",
                evidence=f"{known.low:g} to {known.high:g} kg in model {model.id}",
                consequence="Their concentrations are extrapolated.",
            )
        )
    if model.species == (Analyte.S_KET,) and any(one.dose.form.value == "racemate" for one in given):
        flags.append(
            EvidenceFlag(
                where="doses",
                got="racemate in a model of S-ketamine",
                evidence="S-ketamine",
                consequence="Only the S half of the dose is followed.",
            )
        )
    return flags


def _of_dose(where: str, one: AbsorbedDose, weight_kg: Float[np.ndarray, " subject"]) -> list[EvidenceFlag]:
    flags = []
    limits = load_parameter_set("routes")
    per_kg = one.dose_mg / weight_kg
    low, high = limits.value("min_plausible_mg_per_kg"), limits.value("anesthetic_mg_per_kg")
    slips = (per_kg > 0.0) & (per_kg < low)
    if one.dose.dose_mg is not None and np.any(slips):
        flags.append(
            EvidenceFlag(
                where=f"{where}.dose_mg",
                got=f"{one.dose.dose_mg:g} mg, {per_kg[int(np.argmax(slips))]:.2g} mg/kg",
                evidence=f"{low:g} mg/kg, below which nothing was studied",
                consequence=f"Is {one.dose.dose_mg:g} mg/kg what is meant? It was taken as mg.",
            )
        )
    if one.dose.route in _IV and np.any(per_kg > high):
        flags.append(
            EvidenceFlag(
                where=f"{where}.dose",
                got=f"{float(np.max(per_kg)):.3g} mg/kg into a vein",
                evidence=f"{high:g} mg/kg, the highest studied for depression",
                consequence="Induction of anesthesia is 1 to 2 mg/kg; is a dose per body weight what is meant?",
            )
        )
    if one.product is not None and one.ka_per_h is not None:
        flags += _of_absorption(where, one)
    return flags


def _of_absorption(where: str, one: AbsorbedDose) -> list[EvidenceFlag]:
    assumption, product = one.dose.absorption, one.product
    assert assumption is not None
    assert product is not None
    if assumption.basis == "tmax":
        assert product.tmax is not None
        how = f"ka {one.ka_per_h:.3g} 1/h, derived from a peak at {product.tmax.value:.2g} h and assumed first-order"
    else:
        how = f"ka {one.ka_per_h:g} 1/h, assumed"
    if assumption.f is not None:
        how += f"; F {assumption.f:g}, assumed"
    why = product.why_no_rate[:1].upper() + product.why_no_rate[1:]
    flags = [
        EvidenceFlag(
            where=f"{where}.absorption",
            got=how,
            evidence="how much arrives at most, not how fast",
            consequence=f"{why}: the shape is that of the assumption. Reason given: {assumption.reason}",
        )
    ]
    if product.is_contested and assumption.f is None:
        flags.append(
            EvidenceFlag(
                where=f"{where}.product",
                got=product.id,
                evidence="sources that disagree, from 11 to 45%",
                consequence="It depends on the device: look at the other product as well.",
            )
        )
    return flags


def _of_length(given: Sequence[AbsorbedDose]) -> list[EvidenceFlag]:
    # Infusions end to end are one long infusion: splitting it does not bring it back into the evidence.
    longest = load_parameter_set("dosing-limits").value("evidence_duration_h")
    runs: list[tuple[int, float, float]] = []
    for index, one in enumerate(given):
        if one.dose.route is not Route.IV_INFUSION:
            continue
        begin, end = one.dose.start_h, one.dose.start_h + one.dose.duration_h
        if runs and begin <= runs[-1][2] + _TOUCHING_H:
            first, since, until = runs.pop()
            runs.append((first, since, max(until, end)))
        else:
            runs.append((index, begin, end))
    return [
        EvidenceFlag(
            where=f"doses[{first}].duration_min",
            got=f"{end - begin:g} h without a break",
            evidence=f"{longest:g} h",
            consequence="It keeps exposure and loses the psychoactive peak; both are extrapolated.",
        )
        for first, begin, end in runs
        if end - begin > longest + _TOUCHING_H
    ]


_STRUCTURE = ("v1_l", "v2_l", "v3_l", "vc_l", "vp1_l", "vp2_l", "vh_l", "v1_l_per_kg")


def grades_of(
    model: PkModel,
    given: Sequence[AbsorbedDose],
    *,
    series: Sequence[Series],
    interactions: InteractionEffect | None = None,
) -> tuple[Grade, ...]:
    """The weakest grade behind each series: disposition, R-ketamine, site and absorption.

    Exponents of body weight, which are assumed in every model that has them, are not counted: at the reference weight
    they change nothing, and elsewhere the flag on weight speaks.
    """
    values = model.parameter_set
    core = [values[name].grade for name in _STRUCTURE if name in values]
    absorbed = [interactions.grade] if interactions is not None and interactions.changes_anything else []
    for index, one in enumerate(given):
        if one.product is None or one.ka_per_h is None:
            continue
        assert one.dose.absorption is not None
        where = f"doses[{index}]"
        found = [bioavailability_of(one.dose, one.product, species, where=where).grade for species in model.species]
        tmax = one.product.tmax
        if one.dose.absorption.basis == "tmax" and tmax is not None:
            absorbed += [*found, Grade.DERIVED, tmax.grade]
        else:
            absorbed += [*found, Grade.ASSUMED]
    grades = []
    for analyte, site in series:
        parts = [*core, *absorbed]
        if analyte in {Analyte.R_KET, Analyte.KET} and "cl_ratio_r_ket" in values:
            parts.append(values["cl_ratio_r_ket"].grade)
        if site is SamplingSite.EFFECT:
            parts.append(model.links["effect_half_life_h"].grade)
        if site is SamplingSite.VENOUS and model.plasma_site is SamplingSite.ARTERIAL:
            parts.append(model.links["venous_fast_fraction"].grade)
        grades.append(weakest(*parts))
    return tuple(grades)
