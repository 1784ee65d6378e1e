"""Which product a dose is, and what enters the body from it: choices and refusals, no kinetics.

A route is offered where a model holds its absorption, or where the caller states an assumption about the rate. Anything
else is refused with the reason that stands in the library of products.
"""

from dataclasses import dataclass

import numpy as np

from remission.errors import SpecError
from remission.library.products import Product, list_products, load_product
from remission.pk.model import PkModel
from remission.records.analyte import Analyte
from remission.records.dose import Dose, Route
from remission.records.parameter import Grade
from remission.shapes import Float

_IV = frozenset({Route.IV_INFUSION, Route.IV_BOLUS})
_ORDER = (Grade.MEASURED, Grade.DERIVED, Grade.ASSUMED, Grade.PLACEHOLDER, Grade.UNVERIFIED, Grade.YOURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bioavailability:
    """The share of a dose that reaches blood, with the grade it has."""

    f: float
    grade: Grade


def weakest(*grades: Grade) -> Grade:
    """The grade of a result is that of its weakest part."""
    return max(grades, key=_ORDER.index)


def amount_mg(dose: Dose, *, weight_kg: Float[np.ndarray, " subject"]) -> Float[np.ndarray, " subject"]:
    """What each person gets. [mg]"""
    if dose.dose_mg_per_kg is not None:
        return dose.dose_mg_per_kg * weight_kg
    assert dose.dose_mg is not None
    return np.full_like(weight_kg, dose.dose_mg)


def choose_product(model: PkModel, dose: Dose, *, where: str) -> Product | None:
    """The product of a dose; none for a dose into a vein.

    Raises SpecError: the product is of another route or form, needs another model, is one of several that sources
    disagree about, or there is none. Raises LibraryError: no product has the name given.
    """
    if dose.route in _IV:
        return None
    known = list_products(route=dose.route)
    if dose.product is not None:
        product = load_product(dose.product)
        if product.route is not dose.route or product.form is not dose.form:
            raise SpecError(
                where=f"{where}.product",
                got=f"{product.id}: {product.form.value} by route {product.route.value}",
                allowed=f"a product of {dose.form.value} by route {dose.route.value}",
            )
        return _usable(model, product, where=where)
    fitting = [one for one in known if one.form is dose.form]
    if not fitting:
        raise SpecError(
            where=f"{where}.form",
            got=f"{dose.form.value} by route {dose.route.value}",
            allowed=f"{' or '.join(sorted({one.form.value for one in known}))} by this route",
            remedy="Nothing about the absorption of the other form is sourced.",
        )
    own = [one for one in fitting if one.model == model.id]
    free = [one for one in fitting if one.model is None]
    if own:
        return own[0]
    if any(one.is_contested for one in free):
        numbers = [(one, one.bioavailability(Analyte.KET)) for one in free]
        raise SpecError(
            where=f"{where}.product",
            got="nothing",
            allowed="one of "
            + ", ".join(f"{one.id} (F {found.value:.0%})" for one, found in numbers if found is not None),
            remedy="Sources disagree and it depends on the device: choose one by name, and look at the other as well.",
        )
    preferred = [one for one in free if one.is_preferred] or free
    return _usable(model, (preferred or fitting)[0], where=where)


def _usable(model: PkModel, product: Product, *, where: str) -> Product:
    if product.model is not None and product.model != model.id:
        raise SpecError(
            where=f"{where}.product",
            got=f"{product.id} with model {model.id}",
            allowed=f"model {product.model}, which holds its absorption",
            remedy=f"Load it: load_pk_model('{product.model}').",
        )
    return product


def bioavailability_of(dose: Dose, product: Product, analyte: Analyte, *, where: str) -> Bioavailability:
    """F of a dose: the caller's assumption, else the library's.

    Raises SpecError: neither exists.
    """
    if dose.absorption is not None and dose.absorption.f is not None:
        return Bioavailability(f=dose.absorption.f, grade=Grade.ASSUMED)
    found = product.bioavailability(analyte)
    if found is None:
        raise SpecError(
            where=f"{where}.absorption.f",
            got="nothing",
            allowed=f"an assumed bioavailability: {product.why_no_rate}",
            remedy="Give absorption with ka_per_h, f and the reason for both.",
        )
    return Bioavailability(f=found.value, grade=found.grade)
