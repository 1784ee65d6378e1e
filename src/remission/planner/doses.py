"""From the steps of a plan to doses that kinetics takes, with what the user assumes or the library knows."""

from remission.errors import SpecError
from remission.library.products import Product, list_products
from remission.planner.request import PlannedInfusion, PlanRequest
from remission.records.dose import Absorption, Dose, DrugForm


def doses_of(request: PlanRequest) -> list[Dose]:
    """The steps of a request as doses, of its drug and by its route."""
    return [_dose(request, one) for one in request.infusions]


def _dose(request: PlanRequest, one: PlannedInfusion) -> Dose:
    """A dose with the user's assumption, else with what the library knows; the core refuses where neither is.

    Before the distribution that the library states for a rate comes the time of a peak that was measured.
    """
    form = DrugForm.ESKETAMINE if request.is_esketamine else DrugForm.RACEMATE
    if request.route == "iv":
        return Dose.create(
            route="iv",
            dose_mg_per_kg=one.dose_mg_per_kg,
            duration_min=one.duration_min,
            start_h=one.start_h,
            form=form,
        )
    ka, f = request.assumed_ka_per_h, request.assumed_f
    known = _products(request)
    absorption = None
    if ka is not None:
        absorption = Absorption(ka_per_h=ka, f=f, reason="None is sourced; assumed by whoever asked for this plan.")
    elif any(each.tmax is not None for each in known):
        absorption = Absorption(basis="tmax", f=f, reason="First order, with the time of the peak that is sourced.")
    elif any(each.ka is not None for each in known):
        absorption = Absorption(
            basis="library",
            f=f,
            reason="Nothing better is known; a distribution is less wrong than one guess, and it is no measurement.",
        )
    return Dose.create(
        route=request.route,
        dose_mg_per_kg=one.dose_mg_per_kg,
        start_h=one.start_h,
        product=request.product,
        absorption=absorption,
        form=form,
    )


def _products(request: PlanRequest) -> list[Product]:
    """The product of a request, by name or as the one that its route prefers."""
    form = DrugForm.ESKETAMINE if request.is_esketamine else DrugForm.RACEMATE
    known = [one for one in list_products(form) if one.route.value == request.route]
    if request.product is not None:
        return [one for one in known if one.id == request.product]
    preferred = [one for one in known if one.is_preferred]
    return preferred or (known if len(known) == 1 else [])


_ABSORPTION = {
    "f": (
        "assume_f",
        "Give the share that is assumed to arrive as a number from 0 to 1; it is named beside the curves.",
    ),
    "absorption": ("assume_ka", "Give the rate that is assumed, with /h; it is named beside the curves."),
    "basis": ("assume_ka", "Give the rate that is assumed, with /h; it is named beside the curves."),
}


def named_fault(fault: SpecError) -> SpecError:
    """A fault of a dose in the planner's words, with the route's own reason."""
    place = fault.where.rpartition(".")[2]
    where, remedy = _ABSORPTION.get(place, (place, fault.remedy))
    return SpecError(where=where, got=fault.got, allowed=fault.allowed, remedy=remedy)
