"""What a plan is asked for: a person, what is known of them, and the doses of one session."""

import math
from itertools import pairwise
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, model_validator

from remission.errors import SpecError, did_you_mean
from remission.library.interactions import Interaction, load_interactions
from remission.library.meanings import classes_of, meaning_of, slip_of
from remission.library.products import Product, list_products
from remission.library.sessions import PublishedRegimen, load_regimens
from remission.pk import DEFAULT_PK_MODEL, published_models
from remission.records.base import Record
from remission.records.dose import DrugForm, overlaps, read_route
from remission.records.dose import Route as DoseRoute
from remission.records.quantity import AgeY, DoseMgPerKg, DurationMin, WeightKg
from remission.records.seed import DEFAULT_SEED
from remission.records.session_fields import SESSION_FIELDS, within
from remission.records.substance import Substance
from remission.records.text import Slug
from remission.units import hours_to_minutes, minutes_to_hours

Route = Literal["iv", "im", "sc", "oral", "sublingual", "intranasal", "rectal"]
"""Into a vein over some minutes; into a muscle, under the skin, swallowed, under the tongue, nose, rectum."""

_SPRAY_MG = (28.0, 56.0, 84.0)
"""Doses of the nasal spray of esketamine, another drug. [mg]"""

AVERAGE = "average"
"""The name that asks for the average of the published models instead of one of them."""


class PlannedInfusion(Record):
    """One dose of the request's drug on the session clock; ``duration`` is for the route ``iv`` and only for it."""

    dose_mg_per_kg: Annotated[DoseMgPerKg, Field(alias="dose")]
    duration_min: Annotated[DurationMin | None, Field(alias="duration")] = None
    start_h: Annotated[float, Field(ge=0.0, le=24.0)] = 0.0

    @property
    def duration_h(self) -> float:
        """Length of an infusion, 0 for every other route. [h]"""
        return 0.0 if self.duration_min is None else minutes_to_hours(self.duration_min)

    @property
    def end_h(self) -> float:
        """When nothing more of it is given. [h]"""
        return self.start_h + self.duration_h


class PlanRequest(Record):
    """A person and a session. What is not known is left out and never made up.

    ``has``: checks of ``library/sessions/checks.toml`` that the user says yes to, by id or in usual words. ``takes``:
    medicines, drugs and genes by generic name, brand or class; those with a number move the curves, others are flags.
    Both lists are kept under one name each, in the order of the alphabet, and what stands in the wrong one moves to the
    other. ``drug``: ``racemate``, or ``esketamine``, another drug with models of its own. ``weights``: of published
    models in the average, by name, >= 0 in any scale; none: equal weights. ``model``: a kinetic model by its name, or
    ``average``. Left out: pk-2026 for the racemate, fanta2015 for an infusion of esketamine and perezruixo2021 for its
    spray and solution. ``assumed_ka_per_h``, ``assumed_f``: what the user assumes of absorption by a route for which no
    rate, or no share that arrives, is sourced. ``product``: a row of the library of products, for a route on which
    sources disagree. ``sbp0_mmhg``, ``dbp0_mmhg``, ``hr0_per_min``: pressure and heart rate before the session.
    ``n_sessions``, ``spacing_days``: the course the session belongs to, to hold it beside published courses.
    """

    age_y: Annotated[AgeY, Field(alias="age")]
    weight_kg: Annotated[WeightKg, Field(alias="weight")]
    sex: Literal["female", "male"] | None = None
    substance: Substance | None = None
    height_cm: Annotated[float, within("height")] | None = None
    hypertension: bool = False
    sbp0_mmhg: Annotated[float, within("systolic")] | None = None
    dbp0_mmhg: Annotated[float, within("diastolic")] | None = None
    hr0_per_min: Annotated[float, within("pulse")] | None = None
    has: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    drug: Literal["racemate", "esketamine"] = "racemate"
    route: Route = "iv"
    assumed_ka_per_h: Annotated[float, within("assume_ka")] | None = None
    assumed_f: Annotated[float, within("assume_f")] | None = None
    product: Slug | None = None
    infusions: Annotated[tuple[PlannedInfusion, ...], Field(min_length=1, max_length=20)]
    n_sessions: Annotated[int, within("sessions")] | None = None
    spacing_days: Annotated[float, within("spacing")] | None = None
    model: str = DEFAULT_PK_MODEL
    weights: tuple[tuple[str, float], ...] = ()
    n_people: Annotated[int, within("people")] = int(SESSION_FIELDS["people"].default)
    seed: Annotated[int, Field(ge=0, le=2**64 - 1)] = DEFAULT_SEED

    @model_validator(mode="before")
    @classmethod
    def _by_meaning(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        meant: dict[str, list[str]] = {"has": [], "takes": []}
        for where in ("has", "takes"):
            given = data.get(where, ())
            if not isinstance(given, list | tuple) or not all(isinstance(one, str) for one in given):
                return data
            for text in given:
                meaning = meaning_of(text)
                meant[meaning.kind if meaning else where].append(meaning.name if meaning else text)
        if isinstance(data.get("route"), str):
            data = {**data, "route": way_of(data["route"])}
        if data.get("drug") == "esketamine" and data.get("model") is None:
            data = {**data, "model": usual_model("esketamine", str(data.get("route", "iv")))}
        known = {**data, **{where: tuple(sorted(set(names))) for where, names in meant.items()}}
        if "hypertension-history" in known["has"]:
            known["has"] = tuple(one for one in known["has"] if one != "hypertension-history")
            known["hypertension"] = True
        return known

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        faults = [
            *self._pressure_faults(),
            *self._named_faults(),
            *self._absorption_faults(),
            *self._clock_faults(),
            *self._weight_faults(),
        ]
        if faults:
            raise SpecError.from_faults(faults)
        return self

    @property
    def is_esketamine(self) -> bool:
        """Whether esketamine is planned."""
        return self.drug == "esketamine"

    @property
    def has_concentrations_only(self) -> bool:
        """Whether no effect was measured after this drug by this route."""
        return self.route != "iv" or self.is_esketamine

    @property
    def total_mg(self) -> float:
        """The drug of the session. [mg]"""
        return self.weight_kg * sum(infusion.dose_mg_per_kg for infusion in self.infusions)

    @property
    def bmi_kg_per_m2(self) -> float | None:
        """Body mass index, where the height is known. [kg/m2]"""
        return None if self.height_cm is None else self.weight_kg / (self.height_cm / 100.0) ** 2

    def _pressure_faults(self) -> list[SpecError]:
        if self.sbp0_mmhg is None or self.dbp0_mmhg is None or self.sbp0_mmhg > self.dbp0_mmhg:
            return []
        return [
            SpecError(
                where="dbp0_mmhg",
                got=f"{self.dbp0_mmhg:g} mmHg",
                allowed=f"less than the systolic pressure, {self.sbp0_mmhg:g} mmHg",
                remedy="The larger number is the systolic pressure.",
            )
        ]

    @property
    def taken(self) -> tuple[Interaction, ...]:
        """What the medicines, drugs and genes of the person are on file as, in the order of the library."""
        ids = {one for name in self.takes for one in classes_of(name)}
        return tuple(one for one in list_takes() if one.id in ids)

    def _named_faults(self) -> list[SpecError]:
        genes = [name for name in self.takes if name.startswith("cyp2b6-6-")]
        both = [SpecError(where="takes", got=" and ".join(genes), allowed="one number of copies")] if genes[1:] else []
        unknown = [
            (where, name)
            for where, names in (("has", self.has), ("takes", self.takes))
            for name in names
            if meaning_of(name) is None
        ]
        return both + [_unknown(where, name) for where, name in unknown]

    def _absorption_faults(self) -> list[SpecError]:
        given = {name: getattr(self, name) for name in ("assumed_ka_per_h", "assumed_f", "product")}
        faults = [
            SpecError(where=name, got=value, allowed="nothing for an infusion into a vein: all of it arrives")
            for name, value in given.items()
            if self.route == "iv" and value is not None
        ]
        if self.is_esketamine:
            return [*faults, *self._esketamine_faults()]
        if self.route == "intranasal" and self.product is None:
            faults += [
                another_drug(where="dose", got=f"{dose_mg:g} mg into the nose")
                for dose_mg in sorted({round(dose.dose_mg_per_kg * self.weight_kg, 6) for dose in self.infusions})
                if is_spray_dose(dose_mg)
            ]
        if self.product in {product.id for product in list_products(DrugForm.ESKETAMINE)}:
            return [*faults, another_drug(where="product", got=str(self.product))]
        known = [one.id for one in list_absorbed() if one.route.value == self.route]
        if self.route != "iv" and self.product is not None and self.product not in known:
            faults.append(
                SpecError(
                    where="product",
                    got=self.product,
                    allowed=f"a product of racemic ketamine by this route: {', '.join(known)}",
                )
            )
        return faults

    def _esketamine_faults(self) -> list[SpecError]:
        known = [one.id for one in list_products(DrugForm.ESKETAMINE) if one.route.value == self.route]
        faults = []
        if self.model == AVERAGE:
            faults.append(
                SpecError(
                    where="model", got=AVERAGE, allowed="one model: an average is offered for racemic ketamine",
                    remedy="The plan shows the published models beside each other.",
                )
            )  # fmt: skip
        if self.route != "iv" and not known:
            faults.append(
                SpecError(
                    where="route", got=self.route, allowed="iv, intranasal or oral for esketamine, or im or sc with "
                    "both assumptions",
                    remedy="Nothing about the absorption of esketamine by this route is sourced.",
                )
            )  # fmt: skip
        elif self.product is not None and self.route != "iv" and self.product not in known:
            faults.append(
                SpecError(
                    where="product", got=self.product,
                    allowed=f"a product of esketamine by this route: {', '.join(known)}",
                )
            )  # fmt: skip
        return faults

    def _weight_faults(self) -> list[SpecError]:
        """Weights that are none, of a model that is none, or beside a model that is no average."""
        if not self.weights:
            return []
        known, names = published_models(), [name for name, _ in self.weights]
        if self.model != AVERAGE:
            return [SpecError(where="weights", got=f"beside model {self.model}", allowed=f"weights of model {AVERAGE}")]
        faults = [
            SpecError(
                where="weights", got=name, allowed=f"a published model: {', '.join(known)}",
                remedy=did_you_mean(name, known),
            )
            for name in dict.fromkeys(names)
            if name not in known
        ]  # fmt: skip
        faults += [
            SpecError(where="weights", got=f"{name} {weight:g}", allowed="weights of 0 or more")
            for name, weight in self.weights
            if not (math.isfinite(weight) and weight >= 0.0)
        ]
        again = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        faults += [SpecError(where="weights", got=f"{name} twice", allowed="each model once") for name in again]
        if not faults and not sum(weight for _, weight in self.weights) > 0.0:
            faults.append(SpecError(where="weights", got="all 0", allowed="at least one weight above 0"))
        return faults

    def _clock_faults(self) -> list[SpecError]:
        faults = []
        for number, infusion in enumerate(self.infusions):
            if (infusion.duration_min is None) == (self.route == "iv"):
                faults.append(
                    SpecError(
                        where=f"infusions[{number}].duration_min",
                        got=infusion.duration_min,
                        allowed="minutes for an infusion into a vein, and only for it",
                        remedy="For a bolus give a short infusion, such as 1 min." if self.route == "iv" else "",
                    )
                )
        for number, (before, after) in enumerate(pairwise(self.infusions), start=1):
            if after.start_h < before.start_h:
                faults.append(
                    SpecError(
                        where=f"infusions[{number}].start_h",
                        got=f"{after.start_h:g} h, before the one above at {before.start_h:g} h",
                        allowed="infusions in the order of time",
                    )
                )
        if faults:
            return faults
        return [
            SpecError(
                where=f"infusions[{number}].start_h",
                got=f"{hours_to_minutes(self.infusions[number].start_h):g} min",
                allowed=f"a start at or after {hours_to_minutes(ended_h):g} min, when the infusion before ends",
                remedy="One vein carries one infusion at a time; left out, it follows the one before.",
            )
            for number, ended_h in overlaps([(infusion.start_h, infusion.end_h) for infusion in self.infusions])
        ]


def way_of(route: Any) -> Any:
    """The route of a plan by its name or in usual words; how an infusion runs is said by its minutes.

    Raises SpecError: it is no route, or one that no plan takes.
    """
    known = get_args(Route)
    try:
        known_route = read_route(route)
    except SpecError as error:
        remedy = error.remedy.replace("iv_infusion", "iv")
        raise SpecError(where="route", got=route, allowed=f"one of {', '.join(known)}", remedy=remedy) from None
    if known_route is DoseRoute.IV_INFUSION:
        return "iv"
    if known_route in {DoseRoute.IV_BOLUS, DoseRoute.FILM}:
        raise SpecError(
            where="route", got=route, allowed=f"one of {', '.join(known)}",
            remedy="For a bolus plan a short infusion, such as 1 min."
            if known_route is DoseRoute.IV_BOLUS
            else "The film has a model of its own: simulate_doses() takes it.",
        )  # fmt: skip
    return known_route.value if isinstance(known_route, DoseRoute) else known_route


def usual_model(drug: str, route: str) -> str:
    """The kinetic model that a plan takes where none is named."""
    if drug != "esketamine":
        return DEFAULT_PK_MODEL
    return "perezruixo2021" if route in {"intranasal", "oral"} else "fanta2015"


def is_spray_dose(dose_mg: float) -> bool:
    """Whether an amount is a dose of the nasal spray of esketamine."""
    return any(abs(dose_mg - spray_mg) < 0.005 * spray_mg for spray_mg in _SPRAY_MG)


def another_drug(*, where: str, got: str) -> SpecError:
    """Esketamine is refused by its name: what it does cannot be read from a plan of racemic ketamine."""
    return SpecError(
        where=where,
        got=got,
        allowed="racemic ketamine: esketamine (Spravato, 28, 56 or 84 mg of nasal spray; Ketanest S) is another drug",
        remedy="It is half of racemic ketamine and the stronger half, with kinetics, doses and a label of its own. To "
        "plan it, say so: --drug esketamine (drug: esketamine on the page), and its own models are used. If racemic "
        "ketamine is meant, say so with its product: nasal-yanagihara2003 or nasal-pmc9118341 for the nose.",
    )


def _unknown(where: str, name: str) -> SpecError:
    slip = slip_of(name)
    return SpecError(
        where=where,
        got=name,
        allowed="a condition, or a medicine by generic or brand name, that remission plan --list prints",
        remedy=f"Did you mean {slip}?"
        if slip
        else "It is not in the library, which is not the same as harmless: its own label says what it does with "
        "ketamine, sedation, breathing and blood pressure. Without it the plan knows nothing of it.",
    )


def list_absorbed() -> tuple[Product, ...]:
    """Products of racemic ketamine that are not infused, with what is known of their absorption."""
    return list_products(DrugForm.RACEMATE)


def list_takes() -> tuple[Interaction, ...]:
    """Classes of medicines and drugs, foods and genes that can be named; illnesses are checks instead."""
    return tuple(interaction for interaction in load_interactions() if interaction.can_be_taken)


def list_presets() -> tuple[str, ...]:
    """Names of the published regimens of the library."""
    return tuple(regimen.id for regimen in load_regimens())


def preset_regimen(name: str) -> PublishedRegimen:
    """The published regimen of that name.

    Raises SpecError: there is none.
    """
    for regimen in load_regimens():
        if regimen.id == name:
            return regimen
    raise SpecError(where="preset", got=name, allowed=f"one of {', '.join(list_presets())}")


def preset_infusions(name: str, *, weight_kg: float | None = None) -> tuple[PlannedInfusion, ...]:
    """The doses of one session of a published regimen, one after the other.

    ``weight_kg``: needed for a regimen whose dose is in mg. [kg] Raises SpecError: no regimen has that name, or its
    dose is in mg and no weight is given.
    """
    infusions, clock_min = [], 0.0
    for step in preset_regimen(name).steps:
        dose = step.dose_mg_per_kg
        if dose is None:
            if weight_kg is None:
                raise SpecError(where="weight_kg", got=None, allowed=f"a weight, because {name} gives a dose in mg")
            dose = (step.dose_mg or 0.0) / weight_kg
        infusions.append(
            PlannedInfusion(dose_mg_per_kg=dose, duration_min=step.duration_min, start_h=minutes_to_hours(clock_min))
        )
        clock_min += step.duration_min or 0.0
    return tuple(infusions)
