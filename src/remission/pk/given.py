"""From doses to what enters the body: amounts, products and rates, or a refusal with its reason."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.library.molecules import racemate_s_fraction
from remission.library.products import Product
from remission.numerics.elementary import exp
from remission.numerics.windows import largest_in_window
from remission.pk.interactions import InteractionEffect
from remission.pk.model import PkModel
from remission.pk.peak_time import ka_from_tmax_per_h
from remission.pk.routes import amount_mg, bioavailability_of, choose_product
from remission.records.analyte import Analyte
from remission.records.dose import Dose, DrugForm, Route, check_doses
from remission.shapes import Float

_Subject = Float[np.ndarray, " subject"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AbsorbedDose:
    """One dose with what is known of its absorption.

    ``product``: None for a bolus into a vein. ``dose_mg``: what each person gets. [mg] ``f``: share of each species
    that reaches blood; empty for a bolus and a film. [dimensionless] ``ka_per_h``: first-order rate of the typical
    person; None for a bolus and a film. [1/h] ``ka_factor``: what each person's rate is of it; None for 1.
    [dimensionless]
    """

    dose: Dose
    product: Product | None
    dose_mg: _Subject
    f: dict[Analyte, _Subject]
    ka_per_h: float | None
    ka_factor: _Subject | None = None

    def rates_per_h(self) -> _Subject:
        """The rate of each person. [1/h]"""
        assert self.ka_per_h is not None
        typical = np.full_like(self.dose_mg, self.ka_per_h)
        return typical if self.ka_factor is None else typical * self.ka_factor


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
    dose_mg: Float[np.ndarray, "subject dose"] | None = None,
    overlap: bool = False,
    z_absorption: Float[np.ndarray, "subject 2"] | None = None,
) -> tuple[AbsorbedDose, ...]:
    """Each dose with what the model, the library and the caller know of its absorption.

    ``with_rate``: whether a rate of absorption is needed, as for a curve; an exposure needs none. ``interactions``:
    what changes the share of a swallowed dose that reaches blood. ``dose_mg``: what each person gets of each dose,
    instead of the doses' own amounts. [mg] ``overlap``: whether infusions may run at the same time. ``z_absorption``:
    standard normals of each person for the share that arrives and for its rate; left out, everyone is typical.
    [dimensionless] Raises SpecError: a dose is not offered by the model, is out of range, or lacks an assumption it
    needs.
    """
    check_doses(doses, overlap=overlap)
    _check_own_amounts(dose_mg, n_subject=weight_kg.size, n_dose=len(doses))
    if interactions is not None and interactions.model_id != model.id:
        raise SpecError(
            where="interactions",
            got=f"worked out under model {interactions.model_id}",
            allowed=f"model {model.id}, as the doses",
            remedy="Call interaction_effect() with the model of the doses.",
        )
    found = [
        _resolved(
            model,
            dose,
            weight_kg,
            where=f"doses[{index}]",
            with_rate=with_rate,
            own_mg=None if dose_mg is None else dose_mg[:, index],
            z_absorption=z_absorption,
        )
        for index, dose in enumerate(doses)
    ]
    _check_within_hours(found, weight_kg)
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


def _check_own_amounts(dose_mg: np.ndarray | None, *, n_subject: int, n_dose: int) -> None:
    if dose_mg is None:
        return
    if dose_mg.shape != (n_subject, n_dose) or not np.all(np.isfinite(dose_mg) & (dose_mg >= 0.0)):
        raise SpecError(
            where="dose_mg",
            got=f"shape {dose_mg.shape}" + ("" if dose_mg.shape != (n_subject, n_dose) else ", with a number below 0"),
            allowed=f"finite amounts of 0 or more, one row for each of {n_subject} people and one column for each of "
            f"{n_dose} doses",
        )


def _check_within_hours(found: Sequence[AbsorbedDose], weight_kg: _Subject) -> None:
    """No adult is given more than the largest dose within hours, by however many doses."""
    limits = load_parameter_set("dosing-limits")
    most, window_h = limits.value("max_dose_mg_per_kg"), limits.value("dose_window_h")
    if not found:
        return
    total = largest_in_window(
        np.stack([one.dose_mg for one in found], axis=1),
        start_h=np.array([one.dose.start_h for one in found]),
        duration_h=np.array([one.dose.duration_h for one in found]),
        window_h=window_h,
    )
    over = total > most * weight_kg * (1.0 + 1e-9)
    if np.any(over):
        first = int(np.argmax(over))
        # One dose that is too large by itself is named; else what is given together.
        single = [index for index, one in enumerate(found) if one.dose_mg[first] >= total[first] * (1.0 - 1e-9)]
        raise SpecError(
            where=f"doses[{single[0]}].dose_mg" if single else "doses",
            got=f"{total[first]:g} mg within {window_h:g} h, for {weight_kg[first]:g} kg",
            allowed=f"at most {most:g} mg/kg",
            remedy="Is the unit right? No adult is given this much at once.",
        )


def _resolved(
    model: PkModel,
    dose: Dose,
    weight_kg: _Subject,
    *,
    where: str,
    with_rate: bool,
    own_mg: _Subject | None = None,
    z_absorption: Float[np.ndarray, "subject 2"] | None = None,
) -> AbsorbedDose:
    product = choose_product(model, dose, where=where)
    dose_mg = amount_mg(dose, weight_kg=weight_kg) if own_mg is None else own_mg
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
    factor = None
    if z_absorption is not None:
        if z_absorption.shape != (weight_kg.size, 2) or not np.all(np.isfinite(z_absorption)):
            raise SpecError(
                where="z_absorption",
                got=f"shape {z_absorption.shape}",
                allowed=f"finite, of shape ({weight_kg.size}, 2)",
            )
        # What the caller states stands for everybody; what the library knows differs between people.
        own = dose.absorption
        sd_f, sd_ka = product.spread
        if own is None or own.f is None:
            f = {species: _spread_share(share, sd_f * z_absorption[:, 0]) for species, share in f.items()}
        if own is None or own.basis != "assumed":
            factor = exp(sd_ka * z_absorption[:, 1])
    return AbsorbedDose(dose=dose, product=product, dose_mg=dose_mg, f=f, ka_per_h=ka, ka_factor=factor)


def _spread_share(share: _Subject, logit: _Subject) -> _Subject:
    """A share moved on the logit scale, so that it stays between 0 and 1."""
    odds = share / (1.0 - np.minimum(share, 1.0 - 1e-12)) * exp(logit)
    return odds / (1.0 + odds)


def _rate_per_h(model: PkModel, dose: Dose, product: Product, *, where: str) -> float:
    if dose.absorption is None:
        tmax = product.tmax
        can = "" if tmax is None else f", or basis 'tmax' for a peak at {tmax.value:.2g} h"
        can += "" if product.ka is None else ", or basis 'library' for the distribution that the library states"
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
    if dose.absorption.basis == "library":
        if product.ka is None:
            raise SpecError(
                where=f"{where}.absorption.basis",
                got="library",
                allowed=f"'assumed'{'' if product.tmax is None else ' or tmax'}: the library states no rate for "
                f"{product.id}",
            )
        return product.ka.value
    if dose.absorption.ka_per_h is not None:
        return dose.absorption.ka_per_h
    assert product.tmax is not None
    return ka_from_tmax_per_h(model, product.tmax.value, product.tmax_site)
