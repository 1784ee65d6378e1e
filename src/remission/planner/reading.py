"""From what somebody typed to a request: one reader for the command line and the page.

Fields are text by name; a fault names its field, what came, what is allowed and, where it can be guessed, what was
probably meant. Nothing that is typed is evaluated.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, TypeVar

from remission.errors import SpecError, UnitsError
from remission.library.loader import load_parameter_set
from remission.library.meanings import is_esketamine, meaning_of
from remission.library.products import list_products
from remission.library.sessions import load_regimens
from remission.planner.request import (
    AVERAGE,
    PlannedInfusion,
    PlanRequest,
    Route,
    another_drug,
    preset_infusions,
    preset_regimen,
    usual_model,
    way_of,
)
from remission.records.dose import DrugForm
from remission.records.quantity import LONGEST_SESSION_H
from remission.records.session_fields import SESSION_FIELDS, SessionField
from remission.records.typed import (
    TypedDose,
    read_count,
    read_dose,
    read_height_cm,
    read_minutes,
    read_number,
    read_pressure_mmhg,
    read_rate_per_h,
    read_share,
    read_weight_kg,
    tidy,
)
from remission.units import hours_to_minutes, minutes_to_hours, parse_quantity

# Field of the record and name of its field here.
_NAMES = {"infusions": "dose", **{field.record: field.name for field in SESSION_FIELDS.values() if field.record}}

_PLAIN = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_Found = TypeVar("_Found")


def read_request(fields: Mapping[str, Sequence[str]]) -> PlanRequest:
    """A request from fields of text.

    ``fields``: text by name of :data:`~remission.records.session_fields.SESSION_FIELDS`; an empty text is a field left
    out. Raises SpecError: something is missing or wrong; every fault is listed, each with the name of its field.

    >>> read_request({"weight": ["82"], "age": ["45"], "dose": ["35 mg"], "minutes": ["40"]}).total_mg
    35.0
    """
    reader = _Reader(fields)
    drug = reader.guard(lambda: _drug(reader))
    if drug != "esketamine":
        reader.refuse_esketamine()
    systolic, diastolic = reader.pressures()
    asked: dict[str, Any] = {field.record: reader.value(field) for field in SESSION_FIELDS.values() if field.kind}
    weight = asked["weight_kg"]
    values: dict[str, Any] = {
        **asked,
        "drug": drug or "racemate",
        "product": _ESKETAMINE_SPRAY if _is_spray(reader) else asked["product"],
        "hypertension": asked["hypertension"] or False,
        "sbp0_mmhg": systolic,
        "dbp0_mmhg": diastolic,
        "has": tuple(reader.words("has")),
        "takes": tuple(reader.words("takes")),
    }
    if asked["weights"] and asked["model"] is None:
        # Weights say that an average is meant.
        values["model"] = AVERAGE
    # A 0 is an answer, only nothing is not.
    values = {name: value for name, value in values.items() if value is not None}
    if drug == "esketamine" or not any(is_esketamine(text) for text in reader.texts("dose")):
        # What is wrong in a dose is told beside a weight that is wrong, too.
        reader.guard(lambda: values.update(_regimen(reader, weight)))
    if reader.faults:
        raise SpecError.from_faults(reader.faults)
    try:
        return PlanRequest.from_dict(values)
    except SpecError as error:
        raise SpecError.from_faults([_named(fault) for fault in error.faults]) from None


_RACEMATE_WORDS = ("racemate", "racemic ketamine", "racemic", "ketamine", "ketamina", "r,s-ketamine")
_ESKETAMINE_SPRAY = "nasal-s-spray"


def _drug(reader: "_Reader") -> str:
    """The drug by its field, or by a product that is esketamine."""
    text, product = reader.text("drug"), reader.text("product").lower()
    known = {spray.id for spray in list_products(DrugForm.ESKETAMINE)}
    by_product = product in known or _is_spray(reader)
    if is_esketamine(text):
        return "esketamine"
    if text and text.lower() not in _RACEMATE_WORDS:
        raise SpecError(where="drug", got=text, allowed="ketamine (the racemate) or esketamine")
    if text and by_product:
        raise SpecError(where="product", got=product, allowed=f"a product of {text}, or esketamine as the drug")
    return "esketamine" if by_product else "racemate"


def _is_spray(reader: "_Reader") -> bool:
    """Whether the spray is named by its brand, as the product or as the drug."""
    return any("spravato" in reader.text(name).lower() for name in ("product", "drug"))


def read_search(fields: Mapping[str, Sequence[str]], *, find: str) -> tuple[Literal["dose", "duration"], PlanRequest]:
    """What is looked for, and a request in which a published dose or length stands in for it.

    Raises SpecError: ``find`` is neither ``dose`` nor ``duration``, or as :func:`read_request`.
    """
    if find not in {"dose", "duration"}:
        raise SpecError(where="find", got=find, allowed="dose or duration")
    reader = _Reader(fields)
    if reader.text("model") == AVERAGE or _drug(reader) != "racemate":
        raise SpecError(
            where="find",
            got="an average of models" if reader.text("model") == AVERAGE else "esketamine",
            allowed="racemic ketamine under one model: limits look at effects, and these have none here",
        )
    if reader.text("route") and way_of(reader.text("route")) != "iv":
        raise SpecError(where="route", got=reader.text("route"), allowed="a vein; other routes have no effects here")
    name, stand_in = ("dose", "0.5 mg/kg") if find == "dose" else ("minutes", "40")
    if not reader.text(name) and not reader.text("preset"):
        fields = {**fields, name: [stand_in]}
    return ("dose" if find == "dose" else "duration"), read_request(fields)


def read_share_inside(text: str) -> float:
    """Share of people who must stay inside the limits; nine of ten where nothing is typed. [0 to 1]

    Raises SpecError: it is no share.

    >>> read_share_inside(""), read_share_inside("0,95"), read_share_inside("95%"), read_share_inside("95")
    (0.9, 0.95, 0.95, 0.95)
    """
    return read_share(text, where="share", is_bare_percent=True) if text.strip() else 0.9


def read_weights(text: str) -> tuple[tuple[str, float], ...]:
    """Weights of models, in any scale, or in percent that add up to 100.

    Raises SpecError: it is no list of names with numbers, or percents add up to something else.

    >>> read_weights("kamp2020=2, noppers2011: 1")
    (('kamp2020', 2.0), ('noppers2011', 1.0))
    """
    weights, in_percent = [], []
    for pair in (one.strip() for one in re.split(r"[,;]\s+|[;]|,(?=\s*[A-Za-z])", text.strip()) if one.strip()):
        name, _, number = (each.strip() for each in re.sub(r"[:=]|\s+", "=", pair, count=1).partition("="))
        plain = tidy(number.strip("= "), where="weights") if number.strip("= ") else ""
        value = plain.removesuffix("%").strip()
        if not name or _PLAIN.fullmatch(value) is None:
            raise SpecError(
                where="weights", got=pair, allowed="the name of a model and its weight, as 'kamp2020=2, noppers2011=1'"
            )
        in_percent.append(plain.endswith("%"))
        weights.append((name.lower(), float(value)))
    if any(in_percent):
        total = sum(value for _, value in weights)
        if not all(in_percent) or abs(total - 100.0) > 0.5:
            raise SpecError(
                where="weights", got=text, allowed="percents of all models that add up to 100",
                remedy=f"These add up to {total:g}." if all(in_percent) else "Write all with %, or none.",
            )  # fmt: skip
    return tuple(weights)


def read_regimen(text: str, *, beside: PlanRequest) -> PlanRequest:
    """Another regimen for the same person, in one word: a published one, or doses with their minutes or route.

    Steps are joined by ``+``. ``@`` adds the assumed rate of absorption or the name of a product: ``2mg/kg/im@3/h``.

    Raises SpecError: the word is neither; ``where`` is ``compare``.

    >>> first = read_request({"weight": ["70"], "age": ["45"], "dose": ["35 mg"], "minutes": ["40"]})
    >>> second = read_regimen("0.11mg/kg/2min+0.6mg/kg/50min", beside=first)
    >>> [(one.dose_mg_per_kg, one.duration_min) for one in second.infusions]
    [(0.11, 2.0), (0.6, 50.0)]
    """
    name, *added = (part.strip() for part in text.split("@"))
    try:
        changes: dict[str, Any] = {"assumed_ka_per_h": None, "assumed_f": None, "product": None}
        for addition in added:
            if addition[:1].isdigit():
                changes["assumed_ka_per_h"] = read_rate_per_h(addition, where="compare")
            else:
                changes["product"] = addition
        regimen = _doses_in_word(name, beside)
        _check_same_model(beside, regimen["route"])
        return beside.replace(**changes, **regimen)
    except SpecError as error:
        raise SpecError(
            where="compare",
            got=text,
            allowed="a published regimen, or doses such as 0.5mg/kg/40min",
            remedy=f"Here: {error.allowed}. {error.remedy} Join steps with '+'; end with /im for a muscle.",
        ) from None


def _check_same_model(beside: PlanRequest, route: str) -> None:
    if beside.is_esketamine and usual_model("esketamine", route) != usual_model("esketamine", beside.route):
        raise SpecError(
            where="compare", got=route, allowed="a regimen under the same model: the spray and an infusion have two",
            remedy="Other models are other people: make two plans.",
        )  # fmt: skip


def _doses_in_word(name: str, beside: PlanRequest) -> dict[str, Any]:
    weight_kg = beside.weight_kg
    if is_esketamine(name):
        raise another_drug(where="compare", got=name)
    if name in {regimen.id for regimen in load_regimens()}:
        if beside.is_esketamine:
            raise SpecError(where="compare", got=name, allowed="doses: no published regimen gives esketamine")
        return {"route": preset_regimen(name).route, "infusions": preset_infusions(name, weight_kg=weight_kg)}
    steps = [part.strip() for part in name.split("+")]
    dose, _, end = steps[-1].rpartition("/")
    if len(steps) == 1 and (route := _named_way(end)) is not None:
        return {"route": route, "infusions": _doses([dose], [], [], weight_kg=weight_kg, route=route)}
    return {"route": "iv", "infusions": _doses(steps, [], [], weight_kg=weight_kg, route="iv")}


def _named_way(word: str) -> Route | None:
    """The route that ends a regimen in one word, ``2mg/kg/im``; None where that is a length or a unit."""
    try:
        route: Route = way_of(word.strip())
    except SpecError:
        return None
    return None if route == "iv" else route


def _regimen(reader: "_Reader", weight_kg: float | None) -> dict[str, Any]:
    """Route and infusions; without a weight only what is wrong whatever the weight is."""
    preset, doses = reader.text("preset"), reader.texts("dose")
    if bool(preset) == bool(doses):
        raise SpecError(
            where="dose",
            got="a dose and a preset" if preset else "no dose",
            allowed="a dose, or a published preset",
            remedy="Leave one of them out." if preset else "Write it with its unit: 0.5 mg/kg or 35 mg.",
        )
    usual = "iv"
    if reader.text("product").lower() == _ESKETAMINE_SPRAY or _is_spray(reader):
        usual = "intranasal"
    route: Route = way_of(reader.text("route") or usual)
    if preset and _drug(reader) == "esketamine":
        raise SpecError(
            where="preset", got=preset, allowed="a dose: no published regimen of the library gives esketamine"
        )
    if preset:
        own = preset_regimen(preset).route
        for name in ("minutes", "start"):
            if reader.texts(name):
                raise SpecError(
                    where=name, got=reader.text(name), allowed=f"no {name} beside a preset, which has its own"
                )
        if reader.text("route") and route != own:
            raise SpecError(where="route", got=route, allowed=f"{own}, the route of {preset}, or none")
        if weight_kg is None:
            return {}
        return {"route": preset_regimen(preset).route, "infusions": preset_infusions(preset, weight_kg=weight_kg)}
    infusions = _doses(doses, reader.texts("minutes"), reader.texts("start"), weight_kg=weight_kg, route=route)
    return {"route": route, "infusions": infusions}


def _doses(
    doses: Sequence[str], minutes: Sequence[str], starts: Sequence[str], *, weight_kg: float | None, route: Route
) -> tuple[PlannedInfusion, ...]:
    """Doses one after the other; without starts each follows the one before. None of them without a weight."""
    read: list[Any] = _all_of(
        [partial(_typed, text, weight_kg) for text in doses],
        [partial(_minutes, text, "minutes") for text in minutes if route == "iv"],
        [partial(_minutes, text, "start", at_zero=True) for text in starts],
    )
    typed, from_field, begins = read
    lengths = _lengths(typed, minutes, from_field, route=route)
    if starts and len(starts) != len(doses):
        raise SpecError(
            where="start",
            got=f"{len(starts)} for {len(doses)} doses",
            allowed="a start for each dose, or none: each then follows the one before",
        )
    if weight_kg is None:
        return ()
    infusions, clock_min = [], 0.0
    for number, (text, dose, length) in enumerate(zip(doses, typed, lengths, strict=True)):
        if starts:
            clock_min = begins[number]
        infusions.append(
            PlannedInfusion(
                dose_mg_per_kg=_dose_mg_per_kg(text, dose, weight_kg=weight_kg, minutes=length),
                duration_min=length,
                start_h=minutes_to_hours(clock_min),
            )
        )
        clock_min += length or 0.0
    return tuple(infusions)


def _all_of(*groups: Sequence[Callable[[], Any]]) -> list[list[Any]]:
    """What all readers read; every fault of them together."""
    found: list[list[Any]] = []
    faults: list[SpecError] = []
    for group in groups:
        found.append([])
        for read in group:
            try:
                found[-1].append(read())
            except SpecError as error:
                faults.extend(error.faults)
    if faults:
        raise SpecError.from_faults(faults)
    return found


def _lengths(
    typed: Sequence[TypedDose], minutes: Sequence[str], from_field: Sequence[float], *, route: Route
) -> list[float | None]:
    """Minutes of each dose, from the field or from behind the dose itself."""
    behind_dose = [one.duration_min for one in typed]
    if route != "iv":
        if minutes or any(one is not None for one in behind_dose):
            got = minutes[0] if minutes else "a length behind the dose"
            raise SpecError(where="minutes", got=got, allowed="no minutes: only an infusion into a vein has them")
        return [None] * len(typed)
    missing = [number for number, one in enumerate(behind_dose) if one is None]
    if len(from_field) not in {len(typed), len(missing)}:
        raise SpecError(
            where="minutes",
            got=f"{len(from_field)} for {len(typed)} dose{'s' * (len(typed) > 1)}",
            allowed="minutes for each infusion",
            remedy="For a bolus give a short infusion, such as 1 min.",
        )
    if len(from_field) == len(typed):
        for mine, other in zip(behind_dose, from_field, strict=True):
            if mine is not None and mine != other:
                raise SpecError(
                    where="minutes", got=f"{other:g} min", allowed=f"{mine:g} min, as behind the dose, or nothing"
                )
        return [*from_field]
    lengths: list[float | None] = [*behind_dose]
    for number, length in zip(missing, from_field, strict=True):
        lengths[number] = length
    for one in lengths:
        _check_minutes(one or 0.0, f"{one:g} min", "minutes")
    return lengths


def _typed(text: str, weight_kg: float | None) -> TypedDose:
    dose = read_dose(text, where="dose")
    if dose is None:
        plain = tidy(text, where="dose")
        is_bare = _PLAIN.fullmatch(plain) is not None
        guess = "" if weight_kg is None or not is_bare else _guess(float(plain), weight_kg, _most())
        raise SpecError(
            where="dose",
            got=text,
            allowed="a dose with its unit: 0.5 mg/kg, 35 mg, or a rate such as 0.75 mg/kg/h",
            remedy=guess if is_bare else _unit_remedy(plain),
        )
    return dose


def _unit_remedy(text: str) -> str:
    """What is wrong with the unit, as the one place that knows units says it."""
    try:
        parse_quantity(text, "mg/kg", where="dose")
    except UnitsError as error:
        return error.remedy
    return ""


def _most() -> float:
    return load_parameter_set("dosing-limits").value("max_dose_mg_per_kg")


def _dose_mg_per_kg(text: str, typed: TypedDose, *, weight_kg: float, minutes: float | None) -> float:
    """A dose per body weight from mg/kg, mg or a rate; what is probably a slip of the unit is refused with a guess."""
    dose = typed.amount_mg if typed.is_per_kg else typed.amount_mg / weight_kg
    if typed.is_per_h:
        if minutes is None:
            raise SpecError(where="dose", got=text, allowed="a dose; a rate is for an infusion")
        dose *= minutes_to_hours(minutes)
        if dose < 0.0:
            raise SpecError(where="dose", got=text, allowed="a rate of 0 or more")
    elif not typed.is_per_kg:
        lowest = _lowest_published_mg_per_kg()
        if 0.0 < dose < lowest:
            amount_mg = typed.amount_mg
            raise SpecError(
                where="dose",
                got=f"{text}, which is {dose:.2g} mg/kg for {weight_kg:g} kg",
                allowed=f"{lowest * weight_kg:.1f} mg or more ({lowest:g} mg/kg is the lowest published dose)",
                remedy=f"Was {amount_mg:g} mg/kg meant? That is {amount_mg * weight_kg:.1f} mg.",
            )
    return _checked(dose, text, typed, weight_kg)


def _checked(dose: float, text: str, typed: TypedDose, weight_kg: float) -> float:
    most = _most()
    if dose < 0.0:
        raise SpecError(where="dose", got=text, allowed="0 mg/kg or more")
    if dose > most:
        number = _PLAIN.match(tidy(text, where="dose"))
        meant = float(number[0]) if number else 0.0
        guess = ""
        if typed.is_per_h:
            guess = f"A rate runs for all of its minutes. Was {meant:g} mg/kg in all, or per hour, meant?"
        elif typed.is_per_kg:
            guess = _guess(meant, weight_kg, most)
        raise SpecError(
            where="dose",
            got=f"{text}, which is {dose:.3g} mg/kg, {dose * weight_kg:.0f} mg",
            allowed=f"at most {most:g} mg/kg",
            remedy=guess,
        )
    return dose


def _guess(number: float, weight_kg: float, most: float) -> str:
    """What was meant, as a question; nothing where it would be refused itself."""
    if 0.0 < number <= most:
        return f"Was {number:g} mg/kg meant? That is {number * weight_kg:.1f} mg."
    if most < number <= most * weight_kg:
        return f"Was {number:g} mg meant? That is {number / weight_kg:.2f} mg/kg for {weight_kg:g} kg."
    return ""


def _lowest_published_mg_per_kg() -> float:
    return min(step.dose_mg_per_kg for regimen in load_regimens() for step in regimen.steps if step.dose_mg_per_kg)


def _minutes(text: str, where: str, *, at_zero: bool = False) -> float:
    return _check_minutes(read_minutes(text, where=where), text, where, at_zero=at_zero)


def _check_minutes(minutes: float, text: str, where: str, *, at_zero: bool = False) -> float:
    if minutes < 0.0 or (minutes == 0.0 and not at_zero):
        bound = "0 min or more" if at_zero else "more than 0 min"
        raise SpecError(
            where=where, got=text, allowed=bound, remedy="For a bolus give a short infusion, such as 1 min."
        )
    if minutes > hours_to_minutes(LONGEST_SESSION_H):
        raise SpecError(where=where, got=text, allowed="at most 1440 min", remedy="A session lasts minutes to hours.")
    return minutes


def _age(text: str, field: SessionField) -> float:
    age = read_number(text, where="age", units=field.units, what="an age")
    if age > 90.0:
        raise SpecError(where="age", got=text, allowed="an adult's age, 18 to 90 years")
    if age < 18.0:
        raise SpecError(
            where="age",
            got=text,
            allowed="an adult's age, 18 to 90 years",
            remedy="No model here holds for children or adolescents, and no trial here admitted them.",
        )
    return age


def _weight_kg(text: str) -> float:
    limits = load_parameter_set("dosing-limits")
    low, high = limits.value("min_weight_kg"), limits.value("max_weight_kg")
    weight = read_weight_kg(text)
    if not low <= weight <= high:
        raise SpecError(where="weight", got=text, allowed=f"an adult's weight, {low:g} to {high:g} kg")
    return weight


def _yes(text: str) -> bool:
    word = text.strip().lower()
    if word not in {"yes", "on", "true", "1", "no", "off", "false", "0", "si", "sí"}:
        raise SpecError(where="hypertension", got=text, allowed="yes or no")
    return word in {"yes", "on", "true", "1", "si", "sí"}


def _one_of(text: str, known: Sequence[str], where: str) -> Any:
    if text not in known:
        raise SpecError(where=where, got=text, allowed=f"one of {', '.join(known)}")
    return text


_SEXES = {"f": "female", "woman": "female", "m": "male", "man": "male"}
_KINDS: dict[str, Callable[[str, SessionField], Any]] = {
    "weight": lambda text, _: _weight_kg(text),
    "age": _age,
    "sex": lambda text, field: _one_of(_SEXES.get(text.lower(), text.lower()), ("female", "male"), field.name),
    "height": lambda text, field: read_height_cm(text, where=field.name),
    "word": lambda text, _: text.lower(),
    "name": lambda text, _: text,
    "yes": lambda text, _: _yes(text),
    "number": lambda text, field: read_number(text, where=field.name, units=field.units, what=field.what),
    "rate": lambda text, field: read_rate_per_h(text, where=field.name),
    "share": lambda text, field: read_share(text, where=field.name),
    "count": lambda text, field: read_count(text, where=field.name, words=field.words),
    "weights": lambda text, _: read_weights(text),
}
"""How a text becomes a value, by the kind of its field; pressure and doses are read together."""

_NEEDED = {"weight", "age"}


def _named(fault: SpecError) -> SpecError:
    """A fault of the record under the name of its field."""
    place = re.findall(r"[a-z0-9_]+", fault.where.removeprefix("planrequest."))
    inner = {"start_h": "start", "duration_min": "minutes", "duration": "minutes"}
    where = next((inner[part] for part in place if part in inner), _NAMES.get(place[0], place[0]) if place else "")
    return SpecError(where=where, got=fault.got, allowed=fault.allowed, remedy=fault.remedy)


class _Reader:
    """Takes fields one by one and keeps every fault."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self.fields = {name: [text.strip() for text in texts if text.strip()] for name, texts in fields.items()}
        self.faults: list[SpecError] = []

    def texts(self, name: str) -> list[str]:
        return self.fields.get(name, [])

    def text(self, name: str) -> str:
        return next(iter(self.texts(name)), "")

    def words(self, name: str) -> list[str]:
        """Names in one text with commas are as good as names in several."""
        names: list[str] = []
        for text in self.texts(name):
            whole = meaning_of(text) is not None
            names += [text] if whole else [one.strip() for one in re.split(r"[,;]| and ", text) if one.strip()]
        return names

    def guard(self, read: Callable[[], _Found]) -> _Found | None:
        try:
            return read()
        except SpecError as error:
            self.faults.extend(error.faults)
            return None

    def take(self, name: str, read: Callable[[str], _Found]) -> _Found | None:
        text = self.text(name)
        return self.guard(lambda: read(text)) if text else None

    def value(self, field: SessionField) -> Any:
        """The value of a field by its kind; None where it is left out or wrong."""
        if field.name in _NEEDED and not self.text(field.name):
            where = field.name
            self.faults.append(SpecError(where=where, got="nothing", allowed=f"the {where}, with or without its unit"))
        return self.take(field.name, lambda text: _KINDS[field.kind](text, field))

    def pressures(self) -> tuple[float | None, float | None]:
        """Systolic and diastolic, each from its own field or from ``120/80`` in either."""
        first = self.take("systolic", lambda text: read_pressure_mmhg(text, where="systolic"))
        second = self.take("diastolic", lambda text: read_pressure_mmhg(text, where="diastolic"))
        systolic = None if first is None else first[0]
        diastolic = None if second is None else second[0] if second[1] is None else second[1]
        for name, (field, stated), beside in (
            ("systolic", ("diastolic", diastolic), None if first is None else first[1]),
            ("diastolic", ("systolic", systolic), None if second is None or second[1] is None else second[0]),
        ):
            if beside is None:
                continue
            if stated is not None and stated != beside:
                self.faults.append(
                    SpecError(
                        where=field,
                        got=self.text(field),
                        allowed=f"{beside:g} mmHg, as in {self.text(name)}, or nothing",
                        remedy="Write both in one field, or one in each.",
                    )
                )
            elif field == "diastolic":
                diastolic = beside
            else:
                systolic = beside
        return systolic, diastolic

    def refuse_esketamine(self) -> None:
        """Another drug is refused by its name, wherever it stands."""
        for name in ("dose", "product", "preset", "route", "model"):
            for text in self.texts(name):
                if is_esketamine(text):
                    self.faults.append(another_drug(where=name, got=text))
