"""From doses to what enters the body: amounts, products and rates, or a refusal with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.library.molecules import racemate_s_fraction
from remission.library.products import Product
from remission.pk.interactions import InteractionEffect
from remission.pk.model import PkModel
from remission.pk.peak_time import ka_from_tmax_per_h
from remission.pk.routes import amount_mg, bioavailability_of, choose_product
from remission.records.analyte import Analyte
from remission.records.dose import Dose, Route, check_doses
from remission.records.infusions import DrugForm

__all__ = ["AbsorbedDose", "resolve_doses", "share_of"]

_Subject = Float[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsorbedDose:
    """One dose with what is known of its absorption.

    product
        None for a bolus into a vein.
    dose_mg
        What each person gets. [mg]
    f
        Share of each species that reaches blood; empty for a bolus and a film. [dimensionless]
    ka_per_h
        First-order rate; None for a bolus and a film. [1/h]
    """

    dose: Dose
    product: Product | None
    dose_mg: _Subject
    f: dict[Analyte, _Subject]
    ka_per_h: float | None


def share_of(form: DrugForm, species: Analyte) -> float:
    """The share of a dose that is this species. [dimensionless]"""
    if species is Analyte.KET:
        return 1.0
    s_fraction = racemate_s_fraction() if form is DrugForm.RACEMATE else 1.0
    return s_fraction if species is Analyte.S_KET else 1.0 - s_fraction


def resolve_doses(
    model: PkModel,
    doses: Sequence[Dose],
    *,
    weight_kg: _Subject,
    with_rate: bool = True,
    interactions: InteractionEffect | None = None,
) -> tuple[AbsorbedDose, ...]:
    """Each dose with what the model, the library and the caller know of its absorption.

    Parameters
    ----------
    with_rate
        Whether a rate of absorption is needed, as for a curve; an exposure needs none.
    interactions
        What changes the share of a swallowed dose that reaches blood.

    Raises
    ------
    SpecError
        A dose is not offered by the model, is out of range, or lacks an assumption it needs.
    """
    check_doses(doses)
    if interactions is not None and interactions.model_id != model.id:
        raise SpecError(
            where="interactions",
            got=f"worked out under model {interactions.model_id}",
            allowed=f"model {model.id}, as the doses",
            remedy="Call interaction_effect() with the model of the doses.",
        )
    found = [
        _resolved(model, dose, weight_kg, where=f"doses[{index}]", with_rate=with_rate)
        for index, dose in enumerate(doses)
    ]
    if interactions is None or not interactions.changes_anything:
        return tuple(found)
    return tuple(_changed(one, interactions, where=f"doses[{index}]") for index, one in enumerate(found))


def _changed(one: AbsorbedDose, interactions: InteractionEffect, *, where: str) -> AbsorbedDose:
    if not one.f or (one.product is not None and one.product.is_parenteral):
        return one
    if one.dose.route is not Route.ORAL:
        raise SpecError(
            where=f"{where}.route",
            got=f"{one.dose.route.value} with an interaction",
            allowed="a dose into a vein or muscle, swallowed, as a film, or of the model of the nasal spray",
            remedy="How much of it is swallowed is not sourced: the change lies between that of a dose into a vein and "
            "that of a swallowed one.",
        )
    f = {species: share * interactions.swallowed_factor for species, share in one.f.items()}
    if any(np.any(share > 1.0) for share in f.values()):
        raise SpecError(
            where=f"{where}.absorption.f",
            got="more than all of the dose with this interaction",
            allowed="a bioavailability that the interaction leaves at 1 or less",
        )
    return replace(one, f=f)


def _resolved(model: PkModel, dose: Dose, weight_kg: _Subject, *, where: str, with_rate: bool) -> AbsorbedDose:
    product = choose_product(model, dose, where=where)
    dose_mg = amount_mg(dose, weight_kg=weight_kg)
    most = load_parameter_set("dosing-limits").value("max_dose_mg_per_kg")
    if np.any(dose_mg > most * weight_kg):
        raise SpecError(
            where=f"{where}.dose_mg",
            got=f"{float(np.max(dose_mg)):g} mg",
            allowed=f"at most {most:g} mg/kg",
            remedy="Is the unit right? No adult is given this much at once.",
        )
    if model.species == (Analyte.KET,) and dose.form is not DrugForm.RACEMATE:
        raise SpecError(
            where=f"{where}.form", got=dose.form.value, allowed=f"racemate: model {model.id} knows the racemate only"
        )
    if product is None or product.model is not None:
        if dose.absorption is not None:
            raise SpecError(
                where=f"{where}.absorption",
                got="given",
                allowed=f"none: model {model.id} holds the absorption of this dose",
            )
        return AbsorbedDose(dose=dose, product=product, dose_mg=dose_mg, f={}, ka_per_h=None)
    if model.parameter_set.attribute("structure") != "mammillary":
        raise SpecError(
            where=f"{where}.route",
            got=dose.route.value,
            allowed=f"into a vein, or a product of model {model.id}",
            remedy="Other routes need a model such as simons2022, and an assumption about absorption.",
        )
    f = {
        species: np.full_like(weight_kg, bioavailability_of(dose, product, species, where=where).f)
        for species in model.species
    }
    ka = _rate_per_h(model, dose, product, where=where) if with_rate else None
    return AbsorbedDose(dose=dose, product=product, dose_mg=dose_mg, f=f, ka_per_h=ka)


def _rate_per_h(model: PkModel, dose: Dose, product: Product, *, where: str) -> float:
    if dose.absorption is None:
        tmax = product.tmax
        can = "" if tmax is None else f", or basis 'tmax' for a peak at {tmax.value:.2g} h"
        raise SpecError(
            where=f"{where}.absorption",
            got="nothing",
            allowed=f"an explicit assumption: {product.why_no_rate}",
            remedy=f"Give absorption with ka_per_h and the reason{can}; or ask for exposure_of_doses(), which needs no "
            "rate.",
        )
    if dose.absorption.basis == "tmax" and product.tmax is None:
        raise SpecError(
            where=f"{where}.absorption.basis",
            got="tmax",
            allowed=f"'assumed': no time of the peak in blood is sourced for {product.id}",
        )
    if dose.absorption.ka_per_h is not None:
        return dose.absorption.ka_per_h
    assert product.tmax is not None
    return ka_from_tmax_per_h(model, product.tmax.value, product.tmax_site)
