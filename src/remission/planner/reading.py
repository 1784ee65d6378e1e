"""From what somebody typed to a request: one reader for the command line and the page.

Fields are text by name; a fault names its field, what came, what is allowed and, where it can be guessed, what was
probably meant. Nothing that is typed is evaluated.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, get_args

from remission.errors import SpecError, UnitsError
from remission.library.loader import load_parameter_set
from remission.library.sessions import load_regimens
from remission.planner.request import PlannedInfusion, PlanRequest, Route, preset_infusions, preset_regimen
from remission.units import parse_quantity

__all__ = ["FIELDS", "read_regimen", "read_request", "read_search"]

FIELDS = (
    "weight",
    "age",
    "sex",
    "height",
    "substance",
    "hypertension",
    "systolic",
    "diastolic",
    "pulse",
    "has",
    "takes",
    "preset",
    "route",
    "assume_ka",
    "assume_f",
    "product",
    "dose",
    "minutes",
    "start",
    "sessions",
    "spacing",
    "model",
    "people",
    "seed",
)
"""Names of the fields; ``has``, ``dose``, ``minutes`` and ``start`` may come more than once."""

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_PLAIN = re.compile(_NUMBER)
_RATE = re.compile(rf"({_NUMBER})\s*(ug|mcg|mg|g)(/kg)?/(h|hr|min)")
_PER_TIME = re.compile(rf"({_NUMBER})\s*1?\s*/\s*(h|hr|min)")
_HEIGHT = re.compile(rf"({_NUMBER})\s*(cm|m|in|inch|inches)?")
_CM = {"cm": 1.0, "m": 100.0, "in": 2.54, "inch": 2.54, "inches": 2.54}
_MG = {"ug": 0.001, "mcg": 0.001, "mg": 1.0, "g": 1000.0}
_ROUTES: tuple[Route, ...] = get_args(Route)
_RECORD_FIELD = {
    "sbp0_mmhg": "systolic",
    "dbp0_mmhg": "diastolic",
    "hr0_per_min": "pulse",
    "height_cm": "height",
    "age": "age",
    "age_y": "age",
    "weight": "weight",
    "weight_kg": "weight",
    "n_sessions": "sessions",
    "spacing_days": "spacing",
    "n_people": "people",
    "infusions": "dose",
    "assumed_ka_per_h": "assume_ka",
    "assumed_f": "assume_f",
}

_Found = TypeVar("_Found")


def read_request(fields: Mapping[str, Sequence[str]]) -> PlanRequest:
    """A request from fields of text.

    Parameters
    ----------
    fields
        Text by field, as :data:`FIELDS`; an empty text is a field left out.

    Raises
    ------
    SpecError
        Something is missing or wrong; every fault is listed, each with the name of its field in ``where``.

    Examples
    --------
    >>> read_request({"weight": ["82"], "age": ["45"], "dose": ["35 mg"], "minutes": ["40"]}).total_mg
    35.0
    """
    reader = _Reader(fields)
    weight = reader.need("weight", _weight_kg)
    values: dict[str, Any] = {
        "age_y": reader.need("age", _age),
        "weight_kg": weight,
        "sex": reader.take("sex", lambda text: _one_of(text, ("female", "male"), "sex")),
        "substance": reader.take("substance", str),
        "height_cm": reader.take("height", _height_cm),
        "hypertension": reader.take("hypertension", _yes) or False,
        "sbp0_mmhg": reader.number("systolic"),
        "dbp0_mmhg": reader.number("diastolic"),
        "hr0_per_min": reader.number("pulse"),
        "has": tuple(dict.fromkeys(reader.texts("has"))),
        "takes": tuple(dict.fromkeys(reader.texts("takes"))),
        "n_sessions": reader.take("sessions", lambda text: _whole(text, "sessions")),
        "spacing_days": reader.number("spacing"),
        "model": reader.text("model") or "simons2022",
        "n_people": reader.take("people", lambda text: _whole(text, "people")),
        "seed": reader.take("seed", lambda text: _whole(text, "seed")),
        "assumed_ka_per_h": reader.take("assume_ka", _rate_per_h),
        "assumed_f": reader.number("assume_f"),
        "product": reader.text("product") or None,
    }
    # A 0 is an answer, only nothing is not.
    values = {name: value for name, value in values.items() if value is not None}
    if weight is not None:
        reader.guard(lambda: values.update(_regimen(reader, weight)))
    if reader.faults:
        raise SpecError.from_faults(reader.faults)
    try:
        return PlanRequest.from_dict(values)
    except SpecError as error:
        raise SpecError.from_faults([_named(fault) for fault in error.faults]) from None


def read_search(fields: Mapping[str, Sequence[str]], *, find: str) -> tuple[Literal["dose", "duration"], PlanRequest]:
    """What is looked for, and a request in which a published dose or length stands in for it.

    Raises
    ------
    SpecError
        ``find`` is neither ``dose`` nor ``duration``, or as :func:`read_request`.
    """
    if find not in {"dose", "duration"}:
        raise SpecError(where="find", got=find, allowed="dose or duration")
    reader = _Reader(fields)
    if reader.text("route") not in {"", "iv"}:
        raise SpecError(where="route", got=reader.text("route"), allowed="a vein; other routes have no effects here")
    name, stand_in = ("dose", "0.5 mg/kg") if find == "dose" else ("minutes", "40")
    if not reader.text(name) and not reader.text("preset"):
        fields = {**fields, name: [stand_in]}
    return ("dose" if find == "dose" else "duration"), read_request(fields)


def read_regimen(text: str, *, beside: PlanRequest) -> PlanRequest:
    """Another regimen for the same person, in one word: a published one, or doses with their minutes or route.

    Steps are joined by ``+``. ``@`` adds the assumed rate of absorption or the name of a product: ``2mg/kg/im@3/h``.

    Raises
    ------
    SpecError
        The word is neither; ``where`` is ``compare``.

    Examples
    --------
    >>> first = read_request({"weight": ["70"], "age": ["45"], "dose": ["35 mg"], "minutes": ["40"]})
    >>> second = read_regimen("0.11mg/kg/2min+0.6mg/kg/50min", beside=first)
    >>> [(one.dose_mg_per_kg, one.duration_min) for one in second.infusions]
    [(0.11, 2.0), (0.6, 50.0)]
    """
    name, *added = (part.strip() for part in text.split("@"))
    try:
        changes: dict[str, Any] = {"assumed_ka_per_h": None, "assumed_f": None, "product": None}
        for one in added:
            changes |= {"assumed_ka_per_h": _rate_per_h(one)} if one[:1].isdigit() else {"product": one}
        return beside.replace(**changes, **_doses_in_word(name, beside.weight_kg))
    except SpecError as error:
        raise SpecError(
            where="compare",
            got=text,
            allowed="a published regimen, or doses such as 0.5mg/kg/40min",
            remedy=f"Here: {error.allowed}. {error.remedy} Join steps with '+'; end with /im for a muscle.",
        ) from None


def _doses_in_word(name: str, weight_kg: float) -> dict[str, Any]:
    if name in {one.id for one in load_regimens()}:
        return {"route": preset_regimen(name).route, "infusions": preset_infusions(name, weight_kg=weight_kg)}
    doses, ends = [], []
    for part in name.split("+"):
        dose, _, end = part.strip().rpartition("/")
        doses.append(dose.strip())
        ends.append(end.strip().lower())
    route: Route = "iv"
    if len(ends) == 1 and ends[0] in _ROUTES[1:]:
        route, ends = _one_of(ends[0], _ROUTES, "route"), []
    return {"route": route, "infusions": _doses(doses, ends, [], weight_kg=weight_kg, route=route)}


def _regimen(reader: "_Reader", weight_kg: float) -> dict[str, Any]:
    preset, doses = reader.text("preset"), reader.texts("dose")
    if bool(preset) == bool(doses):
        raise SpecError(
            where="dose",
            got="a dose and a preset" if preset else "no dose",
            allowed="a dose, or a published preset",
            remedy="Leave one of them out." if preset else "Write it with its unit: 0.5 mg/kg or 35 mg.",
        )
    route = _one_of((reader.text("route") or "iv").lower(), _ROUTES, "route")
    if preset:
        own = preset_regimen(preset).route
        for name in ("minutes", "start"):
            if reader.texts(name):
                raise SpecError(
                    where=name, got=reader.text(name), allowed=f"no {name} beside a preset, which has its own"
                )
        if reader.text("route") and route != own:
            raise SpecError(where="route", got=route, allowed=f"{own}, the route of {preset}, or none")
        return {"route": preset_regimen(preset).route, "infusions": preset_infusions(preset, weight_kg=weight_kg)}
    infusions = _doses(doses, reader.texts("minutes"), reader.texts("start"), weight_kg=weight_kg, route=route)
    return {"route": route, "infusions": infusions}


def _doses(
    doses: Sequence[str], minutes: Sequence[str], starts: Sequence[str], *, weight_kg: float, route: Route
) -> tuple[PlannedInfusion, ...]:
    """Doses one after the other; without starts each follows the one before."""
    if route == "iv" and len(minutes) != len(doses):
        raise SpecError(
            where="minutes",
            got=f"{len(minutes)} for {len(doses)} dose{'s' * (len(doses) > 1)}",
            allowed="minutes for each infusion",
            remedy="For a bolus give a short infusion, such as 1 min.",
        )
    if route != "iv" and minutes:
        raise SpecError(where="minutes", got=minutes[0], allowed="no minutes: only an infusion into a vein has them")
    if starts and len(starts) != len(doses):
        raise SpecError(
            where="start",
            got=f"{len(starts)} for {len(doses)} doses",
            allowed="a start for each dose, or none: each then follows the one before",
        )
    found, clock_min = [], 0.0
    for number, text in enumerate(doses):
        length = _minutes(minutes[number], "minutes") if route == "iv" else None
        if starts:
            clock_min = _minutes(starts[number], "start", at_zero=True)
        found.append(
            PlannedInfusion(
                dose_mg_per_kg=_dose_mg_per_kg(text, weight_kg=weight_kg, minutes=length),
                duration_min=length,
                start_h=clock_min / 60.0,
            )
        )
        clock_min += length or 0.0
    return tuple(found)


def _dose_mg_per_kg(text: str, *, weight_kg: float, minutes: float | None) -> float:
    """A dose per body weight from mg/kg, mg or a rate; what is probably a slip of the unit is refused with a guess."""
    most = load_parameter_set("dosing-limits").value("max_dose_mg_per_kg")
    rate = _RATE.fullmatch(text.strip())
    if rate:
        if minutes is None:
            raise SpecError(where="dose", got=text, allowed="a dose; a rate is for an infusion")
        hours = minutes / 60.0 if rate[4] != "min" else minutes
        per_weight = 1.0 if rate[3] else 1.0 / weight_kg
        dose = float(rate[1]) * _MG[rate[2]] * hours * per_weight
        if dose < 0.0:
            raise SpecError(where="dose", got=text, allowed="a rate of 0 or more")
        return _checked(dose, text, most, weight_kg)
    try:
        dose = parse_quantity(text, "mg/kg", where="dose")
    except UnitsError as not_per_weight:
        try:
            amount_mg = parse_quantity(text, "mg", where="dose")
        except UnitsError:
            is_bare = _PLAIN.fullmatch(text.strip()) is not None
            raise SpecError(
                where="dose",
                got=text,
                allowed="a dose with its unit: 0.5 mg/kg, 35 mg, or a rate such as 0.75 mg/kg/h",
                remedy=_guess(float(text), weight_kg, most) if is_bare else not_per_weight.remedy,
            ) from None
        dose = amount_mg / weight_kg
        lowest = _lowest_published_mg_per_kg()
        if 0.0 < dose < lowest:
            raise SpecError(
                where="dose",
                got=f"{text}, which is {dose:.2g} mg/kg for {weight_kg:g} kg",
                allowed=f"{lowest * weight_kg:.1f} mg or more ({lowest:g} mg/kg is the lowest published dose)",
                remedy=f"Was {amount_mg:g} mg/kg meant? That is {amount_mg * weight_kg:.1f} mg.",
            ) from None
    return _checked(dose, text, most, weight_kg)


def _checked(dose: float, text: str, most: float, weight_kg: float) -> float:
    if dose < 0.0:
        raise SpecError(where="dose", got=text, allowed="0 mg/kg or more")
    if dose > most:
        number = _PLAIN.match(text.strip())
        meant = float(number[0]) if number else 0.0
        guess = ""
        if _RATE.fullmatch(text.strip()):
            guess = f"A rate runs for all of its minutes. Was {meant:g} mg/kg in all, or per hour, meant?"
        elif "/kg" in text:
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
    return min(step.dose_mg_per_kg for one in load_regimens() for step in one.steps if step.dose_mg_per_kg)


def _minutes(text: str, where: str, *, at_zero: bool = False) -> float:
    minutes = parse_quantity(_with_unit(text, "min"), "min", where=where)
    if minutes < 0.0 or (minutes == 0.0 and not at_zero):
        bound = "0 min or more" if at_zero else "more than 0 min"
        raise SpecError(
            where=where, got=text, allowed=bound, remedy="For a bolus give a short infusion, such as 1 min."
        )
    if minutes > 1440.0:
        raise SpecError(where=where, got=text, allowed="at most 1440 min", remedy="A session lasts minutes to hours.")
    return minutes


def _age(text: str) -> float:
    age = parse_quantity(_with_unit(text, "years"), "year", where="age")
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
    weight = parse_quantity(_with_unit(text, "kg"), "kg", where="weight")
    if not low <= weight <= high:
        raise SpecError(where="weight", got=text, allowed=f"an adult's weight, {low:g} to {high:g} kg")
    return weight


def _height_cm(text: str) -> float:
    """Centimeters from cm, m or inches; a bare number is taken for what it can only be."""
    found = _HEIGHT.fullmatch(text.strip())
    allowed = "a height from 120 to 230 cm, as 178 cm or 1.78 m"
    if found is None:
        raise SpecError(where="height", got=text, allowed=allowed)
    number, unit = float(found[1]), found[2]
    if unit is None:
        unit = "m" if 1.2 <= number <= 2.3 else "cm"
    height = number * _CM[unit]
    if not 120.0 <= height <= 230.0:
        other = {"m": "cm", "cm": "m"}.get(unit, "cm")
        meant = f"Was {number:g} {other} meant?" if 120.0 <= number * _CM[other] <= 230.0 else ""
        raise SpecError(where="height", got=text, allowed=allowed, remedy=meant)
    return height


def _rate_per_h(text: str) -> float:
    """A first-order rate with its unit; nothing stands in for one that is not given."""
    found = _PER_TIME.fullmatch(text.strip())
    if found is None:
        meant = f"Was {text.strip()}/h meant?" if _PLAIN.fullmatch(text.strip()) else ""
        raise SpecError(where="assume_ka", got=text, allowed="a rate with its unit, as N/h or N/min", remedy=meant)
    return float(found[1]) * {"h": 1.0, "hr": 1.0, "min": 60.0}[found[2]]


def _yes(text: str) -> bool:
    if text not in {"yes", "on", "true", "1", "no", "false", "0"}:
        raise SpecError(where="hypertension", got=text, allowed="yes or no")
    return text in {"yes", "on", "true", "1"}


def _with_unit(text: str, unit: str) -> str:
    return f"{text} {unit}" if _PLAIN.fullmatch(text.strip()) else text


def _one_of(text: str, known: Sequence[str], where: str) -> Any:
    if text not in known:
        raise SpecError(where=where, got=text, allowed=f"one of {', '.join(known)}")
    return text


def _whole(text: str, where: str) -> int:
    if not re.fullmatch(r"[0-9]{1,20}", text.strip()):
        raise SpecError(where=where, got=text, allowed="a whole number")
    return int(text)


def _named(fault: SpecError) -> SpecError:
    """A fault of the record under the name of its field."""
    parts = re.findall(r"[a-z0-9_]+", fault.where.removeprefix("planrequest."))
    inner = {"start_h": "start", "duration_min": "minutes", "duration": "minutes"}
    where = next(
        (inner[part] for part in parts if part in inner), _RECORD_FIELD.get(parts[0], parts[0]) if parts else ""
    )
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

    def guard(self, read: Callable[[], _Found]) -> _Found | None:
        try:
            return read()
        except SpecError as error:
            self.faults.extend(error.faults)
            return None

    def take(self, name: str, read: Callable[[str], _Found]) -> _Found | None:
        text = self.text(name)
        return self.guard(lambda: read(text)) if text else None

    def need(self, name: str, read: Callable[[str], _Found]) -> _Found | None:
        if not self.text(name):
            self.faults.append(SpecError(where=name, got="nothing", allowed=f"the {name}, with or without its unit"))
        return self.take(name, read)

    def number(self, name: str) -> float | None:
        def read(text: str) -> float:
            if not _PLAIN.fullmatch(text):
                raise SpecError(where=name, got=text, allowed="a number")
            return float(text)

        return self.take(name, read)
