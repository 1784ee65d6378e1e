"""A plan in words and rows of text: the same on the screen of a terminal, on the page and on paper."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from remission.errors import SpecError
from remission.library.references import load_reference
from remission.library.sessions import load_plasma_ranges
from remission.pk import DEFAULT_PK_MODEL, load_pk_model, model_argument
from remission.planner import NOTICE, Comparison, FoundRegimen, PlacedLevel, Plan, PlanRequest, Probability
from remission.planner.checks import Finding, check_session
from remission.planner.compare import RegimenDifferences
from remission.planner.plan import regimen_words
from remission.planner.request import AVERAGE, usual_model
from remission.planner.simulated import ModelsAtSite, Quantity
from remission.records.base import Record
from remission.records.parameter import Grade
from remission.report.safety import ESTABLISHED, ESTABLISHED_ALL, SAFETY_LINES
from remission.units import hours_to_minutes

__all__ = [
    "LIMITS",
    "ComparisonRow",
    "BAND",
    "BAND_NOTE",
    "BetweenRow",
    "CourseRow",
    "Fact",
    "LEVELS_NOTE",
    "FindingRow",
    "LevelRow",
    "PeakRow",
    "PlanSheet",
    "SearchSheet",
    "ShareRow",
    "check_printable",
    "command_line",
    "comparison_rows",
    "digits",
    "level_rows",
    "plan_numbers",
    "plan_sheet",
    "quantity_label",
    "search_sheet",
    "was_words",
]

_NAMES = {
    ("ket", "arterial"): "Ketamine, arterial plasma",
    ("ket", "venous"): "Ketamine, venous plasma (link assumed)",
    ("ket", "unstated"): "Ketamine, plasma, site not stated",
    ("ket", "effect"): "Ketamine, effect site",
    ("s_ket", "arterial"): "S-ketamine, arterial plasma",
    ("s_ket", "venous"): "S-ketamine, venous plasma",
    ("s_ket", "unstated"): "S-ketamine, plasma, site not stated",
    ("s_ket", "effect"): "S-ketamine, effect site",
    ("s_nk", "arterial"): "S-norketamine, arterial plasma",
    ("s_nk", "venous"): "S-norketamine, venous plasma",
    ("vas", ""): "Dissociation: drug high",
    ("cadss", ""): "Dissociation: CADSS",
    ("sbp_rise", ""): "Rise of systolic pressure",
    ("dbp_rise", ""): "Rise of diastolic pressure",
    ("heart_rate_rise", ""): "Rise of heart rate (shape assumed)",
    ("exposure", ""): "Session exposure e",
}
_SHARES = {
    "sbp_above": "Systolic pressure above {limits.sbp_mmhg:g} mmHg",
    "dbp_above": "Diastolic pressure above {limits.dbp_mmhg:g} mmHg",
    "sbp_rise_above": "A systolic rise of more than {limits.sbp_rise_mmhg:g} mmHg",
}
BAND = "90% of simulated people"
BAND_NOTE = (
    "The range is the spread of this model's people, who share one weight, one assay and one way of taking blood; it "
    "is no prediction for a person. The range of one measured value stands beside it: it holds the link to the vein, "
    "the assay and the error of the model over whole studies as well. For 5 mg over 30 min, where peaks in venous "
    "blood were measured with a coefficient of variation of 28%, the range of people held about 45 of 100 such people "
    "and that of a measured value 85 to 97."
)
LIMITS = (
    "The people differ in kinetics and in how they react, and share one weight; age, sex and illness move no curve.",
    "Kinetics were measured in young healthy volunteers; no model of people with a substance use disorder was found.",
    "Pressure is one clinic's mean in proportion to concentration, at most as in anesthesia, whatever the history.",
    "Heart rate at these doses rests on one study of anesthesia and an assumed shape.",
    "Detoxified people with alcohol dependence report less dissociation; by how much is not known, so it is left out.",
    "Sedation, loss of consciousness, nausea and breathing are not simulated.",
    "The venous curve is a provisional link; after an infusion its band holds the doubt about it.",
    "Errors and intervals of shares count simulated people only: they do not know how wrong the model may be.",
)  # fmt: skip


def _limits(request: PlanRequest) -> tuple[str, ...]:
    if request.is_esketamine:
        return (LIMITS[0], "No model of people with a substance use disorder was found.", LIMITS[5], LIMITS[7])
    return LIMITS[:2] + LIMITS[5:] if request.has_concentrations_only or request.model == AVERAGE else LIMITS


class Fact(Record):
    """A large number with its name."""

    label: str
    value: str
    unit: str
    note: str = ""


class PeakRow(Record):
    """Highest value of each person: median, and the range that holds 90% of people."""

    label: str
    median: str
    band: str
    unit: str
    at: str


class BetweenRow(Record):
    """The spread of people beside that of published models and of measured values, at one site.

    people, measured
        5 to 95% of peaks; ``measured`` is empty under an average of models.
    models
        Lowest to highest peak of a typical person; empty where fewer than two models have it.
    names
        Each model with its peak and what it rests on beyond its source.
    """

    label: str
    people: str
    models: str
    measured: str
    average: str
    names: str
    unit: str


class ShareRow(Record):
    """A share of simulated people with its Monte Carlo error; empty where it cannot be known."""

    label: str
    share: str
    interval: str
    error: str


class FindingRow(Record):
    """A contraindication, a flag or something that was not given."""

    label: str
    got: str
    consequence: str
    source: str


class LevelRow(Record):
    """A measured level beside the simulated people at its time, analyte and site."""

    line: int
    at: str
    label: str
    value: str
    band: str
    falls: str
    note: str


class CourseRow(Record):
    """A sentence about courses and who says so."""

    text: str
    source: str


class ComparisonRow(Record):
    """One quantity of two regimens, and the difference in the same people."""

    label: str
    first: str
    second: str
    difference: str
    unit: str


class PlanSheet(Record):
    """Everything that is said of a plan."""

    notice: str
    who: str
    regimen: str
    facts: tuple[Fact, ...]
    peaks: tuple[PeakRow, ...]
    heart_rate: str
    shares: tuple[ShareRow, ...]
    withheld: tuple[str, ...]
    band_note: str
    between: tuple[BetweenRow, ...]
    between_note: str
    contraindications: tuple[FindingRow, ...]
    flags: tuple[FindingRow, ...]
    unknown: tuple[FindingRow, ...]
    course: tuple[CourseRow, ...]
    established: tuple[str, ...]
    safety: tuple[str, ...]
    limits: tuple[str, ...]
    command: str
    made: str


class SearchSheet(Record):
    """What a search says, and what stands beside it."""

    notice: str
    who: str
    answer: str
    certainty: str
    reach: str
    asked: str
    under_models: str
    ranges: tuple[str, ...]
    shares: tuple[ShareRow, ...]
    unchecked: str
    flags: tuple[FindingRow, ...]
    unknown: tuple[FindingRow, ...]
    established: tuple[str, ...]
    safety: tuple[str, ...]
    limits: tuple[str, ...]


def digits(value: float) -> str:
    """A number with the digits that people differ by, not more."""
    size = abs(value)
    text = f"{value:.0f}" if size >= 10.0 else f"{value:.1f}" if size >= 1.0 else f"{value:.2f}"
    return "0" if float(text) == 0.0 else text


def quantity_label(quantity: Quantity) -> str:
    """The name of a quantity with its site."""
    return _NAMES[quantity.name, quantity.site]


def plan_sheet(plan: Plan) -> PlanSheet:
    """A plan in words."""
    request = plan.request
    return PlanSheet(
        notice=plan.notice,
        who=_who(request),
        regimen=plan.regimen,
        facts=_facts(plan),
        peaks=tuple(
            PeakRow(
                label=quantity_label(one.quantity),
                median=digits(one.median),
                band=f"{digits(one.low)} to {digits(one.high)}",
                unit=one.quantity.unit,
                at=f"{hours_to_minutes(one.t_h):.0f} min",
            )
            for one in plan.peaks
        ),
        heart_rate=_heart_rate(plan),
        shares=_shares(plan),
        withheld=_withheld(plan),
        band_note=BAND_NOTE,
        between=_between(plan),
        between_note=_between_note(plan),
        contraindications=_rows(plan.contraindications),
        flags=_rows(plan.flags),
        unknown=_rows(plan.unknown),
        course=tuple(CourseRow(text=one.text, source=_source_words(one.source)) for one in plan.course),
        established=_established(request),
        safety=SAFETY_LINES,
        limits=_limits(request),
        command=command_line(request),
        made=_made(request),
    )


LEVELS_NOTE = (
    "Where a level falls says how this model's people spread at that time and site, and nothing of what to give. The "
    "range knows no error of the assay, of the clock or of the model: a level outside of it is no proof of anything."
)
_SITES = {"arterial": "arterial plasma", "venous": "venous plasma"}
_ANALYTES = {"ket": "Ketamine", "s_ket": "S-ketamine", "r_ket": "R-ketamine", "s_nk": "S-norketamine"}


def level_rows(placed: Sequence[PlacedLevel]) -> tuple[LevelRow, ...]:
    """Levels in words, in the order in which they came."""
    return tuple(
        LevelRow(
            line=one.level.line,
            at=f"{hours_to_minutes(one.level.t_h):g} min",
            label=f"{_ANALYTES[one.level.analyte.value]}, {_SITES[one.level.site.value]}",
            value=f"{'<' if one.level.is_below else ''}{digits(one.level.value_ng_per_ml)}",
            band=f"{digits(one.median_ng_per_ml)} ({digits(one.low_ng_per_ml)} to {digits(one.high_ng_per_ml)})",
            falls=one.words,
            note=one.note,
        )
        for one in placed
    )


def was_words(planned: PlanRequest) -> str:
    """What was planned before a pause or another rate, in words."""
    end = max(hours_to_minutes(one.start_h) + (one.duration_min or 0.0) for one in planned.infusions)
    return f"{regimen_words(planned.infusions, route=planned.route)}: {planned.total_mg:.1f} mg, ending at {end:g} min"


def plan_numbers(plan: Plan) -> dict[str, Any]:
    """A plan as plain data: its words, and every curve and share as numbers."""
    return {
        **plan_sheet(plan).to_dict(),
        "request": plan.request.to_dict(),
        "total_mg": plan.total_mg,
        "is_printable": plan.is_printable,
        "t_h": plan.t_h.tolist(),
        "quantiles": [0.05, 0.25, 0.5, 0.75, 0.95],
        "curves": [
            {"name": one.name, "site": one.site, "unit": one.unit, "values": one.quantiles.tolist()}
            for one in plan.curves
        ],
        "models": [_models_dict(one) for one in plan.models],
        "measured": [
            {
                "name": one.quantity.name,
                "site": one.quantity.site,
                "unit": one.quantity.unit,
                "values": one.quantiles_ng_per_ml.tolist(),
                "peak": {
                    "low": one.peak_low_ng_per_ml,
                    "median": one.peak_median_ng_per_ml,
                    "high": one.peak_high_ng_per_ml,
                },
            }
            for one in plan.measured
        ],
        "share_with_sbp_above_180_mmhg": _chance(plan.p_sbp_above_limit),
        "share_with_dbp_above_110_mmhg": _chance(plan.p_dbp_above_limit),
        "share_with_sbp_rise_above_30_mmhg": _chance(plan.p_sbp_rise_above_limit),
    }


def _models_dict(one: ModelsAtSite) -> dict[str, Any]:
    found = one.spread
    return {
        "name": one.quantity.name,
        "site": one.quantity.site,
        "unit": one.quantity.unit,
        "models": [
            {"model": name, "peak": peak, "peak_h": at_h, "rests_on": rests_on, "values": values}
            for name, peak, at_h, rests_on, values in zip(
                found.models, found.peak_ng_per_ml.tolist(), found.peak_h.tolist(), found.rests_on,
                found.conc_ng_per_ml.tolist(), strict=True,
            )
        ],
        "left_out": dict(found.left_out),
        "average": {"weights": dict(one.average.weights), "values": one.average.conc_ng_per_ml.tolist()},
    }  # fmt: skip


def _chance(chance: Probability | None) -> dict[str, float] | None:
    if chance is None:
        return None
    return {"share": chance.share, "standard_error": chance.standard_error, "low": chance.low, "high": chance.high}


def check_printable(request: PlanRequest) -> None:
    """Refuse a printed plan while a contraindication stands.

    Raises
    ------
    SpecError
        One stands; the message has each with its source.
    """
    faults = [
        SpecError(
            where="printed plan", got=f"{one.label}{f' ({one.got})' if one.got else ''}", allowed="no contraindication",
            remedy=f"{one.consequence} Source: {one.source} The curves can still be seen as a simulation.",
        )
        for one in check_session(request)
        if one.kind == "contraindication"
    ]  # fmt: skip
    if faults:
        raise SpecError.from_faults(faults)


def comparison_rows(comparison: Comparison, number: int) -> tuple[ComparisonRow, ...]:
    """The first regimen beside a later one; ``number`` counts the later ones from 0."""
    first, second, beside = comparison.plans[0], comparison.plans[number + 1], comparison.differences[number]
    rows = [
        ComparisonRow(
            label="Total",
            first=digits(first.total_mg),
            second=digits(second.total_mg),
            difference=_signed(second.total_mg - first.total_mg),
            unit="mg",
        ),
    ]
    exposures = [_exposure_band(plan) for plan in (first, second)]
    if beside.exposure is not None:
        more = beside.exposure
        rows.append(
            ComparisonRow(
                label=_NAMES["exposure", ""],
                first=exposures[0],
                second=exposures[1],
                difference=_band(more.median, more.low, more.high, signed=True),
                unit="",
            )
        )
    for one in beside.peaks:
        a, b = (next(peak for peak in plan.peaks if peak.quantity == one.quantity) for plan in (first, second))
        rows.append(
            ComparisonRow(
                label=quantity_label(one.quantity),
                first=_band(a.median, a.low, a.high),
                second=_band(b.median, b.low, b.high),
                difference=_band(one.median, one.low, one.high, signed=True),
                unit=one.quantity.unit,
            )
        )
    for model in beside.models:
        ends = [
            next(
                dict(zip(at.spread.models, at.spread.peak_ng_per_ml.tolist(), strict=True))
                for at in plan.models
                if at.quantity == model.quantity
            )
            for plan in (first, second)
        ]
        differences = model.by_model.values()
        rows.append(
            ComparisonRow(
                label=f"{quantity_label(model.quantity)}, published models (typical person)",
                first=_ends([ends[0][name] for name in model.by_model]),
                second=_ends([ends[1][name] for name in model.by_model]),
                difference=f"{_signed(min(differences))} to {_signed(max(differences))}",
                unit=model.quantity.unit,
            )
        )
    return (*rows, *_share_rows(first, second, beside))


def _ends(values: Sequence[float]) -> str:
    return f"{digits(min(values))} to {digits(max(values))}"


def search_sheet(found: FoundRegimen) -> SearchSheet:
    """A search in words."""
    has_share = any(one.most_mmhg for one in found.limits)
    share = f"in {100.0 * found.share:g}% or more of simulated people" if has_share else "in the simulated people"
    limits = f"{' and '.join(one.words for one in found.limits)} {share}"
    if found.standing:
        limits += f", and {' and '.join(found.standing)} in {100.0 * found.standing_fraction:g}% or more"
    what = "largest dose" if found.target == "dose" else "fastest infusion"
    if found.value is None:
        answer = f"None: not even the mildest that was tried, {found.plan.regimen}, stays inside: {limits}."
    elif found.bound_by == "published":
        end = f"{found.value:g} {found.unit} is the end of the published range"
        answer = f"{end}; the limit itself is not reached: {limits}."
    else:
        answer = f"{found.value:g} {found.unit} is the {what} with {limits}."
    ends = ["none" if one is None else f"{one:g} {found.unit}" for one in (found.cautious, found.lenient)]
    certainty = f"Monte Carlo: {ends[0]} to {ends[1]} (95%), of simulated people; the model's own error is not in it."
    if (has_share or found.standing) and found.share_inside is not None:
        certainty += f" At that value {100.0 * found.share_inside:.1f}% stay inside all of the limits of pressure."
    reach = found.reach
    return SearchSheet(
        notice=f"{NOTICE} A limit, never a dose for anyone.",
        answer=answer,
        certainty=certainty,
        under_models=_under_models(found),
        reach=(
            "Looked at published single infusions for an addiction only: "
            f"{reach.low_mg_per_kg:g} to {reach.high_mg_per_kg:g} mg/kg, {reach.low_mg_per_kg_per_min:.3g} to "
            f"{reach.high_mg_per_kg_per_min:.3g} mg/kg/min, at most {reach.longest_min:g} min."
        ),
        asked=f"{what.capitalize()} {_held(found)} with {limits}.",
        ranges=tuple(_range_words(one.plasma) for one in found.limits if one.plasma is not None),
        who=f"{_who(found.asked)}. {_made(found.asked)}",
        shares=_shares(found.plan),
        unchecked=(
            f"Not checked, because no such pressure before the session was given: {' and '.join(found.unchecked)}. "
            "Give it before anything is read into this answer."
            if found.unchecked
            else ""
        ),
        flags=_rows(found.plan.flags),
        unknown=_rows(found.plan.unknown),
        established=_established(found.asked),
        safety=SAFETY_LINES,
        limits=LIMITS,
    )


def _under_models(found: FoundRegimen) -> str:
    """The answer under each published model, least careful last: doubt about the model beside that of the people."""
    named = sorted(found.under_models.items(), key=lambda one: (one[1] is not None, _care(found, one[1])))
    words = ", ".join(f"{name} {'none' if value is None else f'{value:g} {found.unit}'}" for name, value in named)
    known = [value for _, value in named if value is not None]
    ends = f"{known[0]:g} to {known[-1]:g} {found.unit}" if known else "no answer"
    none = sum(value is None for _, value in named)
    return (
        f"Under each published model: {ends}{f', and none under {none}' if none and known else ''} ({words}). "
        f"The answer above is that of {found.asked.model}, and {named[0][0]} is the most careful; "
        "models that disagree are doubt about every one of them."
    )


def _care(found: FoundRegimen, value: float | None) -> float:
    """Rising from the careful to the bold: a larger dose, or a shorter infusion."""
    return 0.0 if value is None else value if found.target == "dose" else -value


def _exact(value: float) -> str:
    """The shortest text that reads back as the same number: a rounded dose would be another plan."""
    return repr(float(value)).removesuffix(".0")


def _range_words(name: str) -> str:
    """A plasma range with what is known of it."""
    one = next(found for found in load_plasma_ranges() if found.id == name)
    ends = f"{one.low_ng_per_ml:g} to {one.high_ng_per_ml:g} ng/mL, {one.grade.value}"
    return (
        f"{one.id}: {one.title}; {ends}. {one.note} Where the answer is not the dose of that trial, model and trial "
        "disagree, and nothing follows for anybody's dose."
    )


def _held(found: FoundRegimen) -> str:
    """What of the infusion was not looked for."""
    one = found.asked.infusions[0]
    return f"over {one.duration_min:g} min" if found.target == "dose" else f"of {one.dose_mg_per_kg:g} mg/kg"


def command_line(request: PlanRequest) -> str:
    """The command that makes the plan again."""
    words = ["remission plan", f"--weight {_exact(request.weight_kg)}", f"--age {_exact(request.age_y)}"]
    for one in request.infusions:
        words.append(f"--dose {_exact(one.dose_mg_per_kg)}mg/kg")
        if one.duration_min is not None:
            words.append(f"--minutes {_exact(one.duration_min)}")
    clock = 0.0
    follows = True
    for one in request.infusions:
        follows = follows and abs(one.start_h - clock) < 1e-9
        clock = one.end_h
    if not follows:
        words += [f"--start {_exact(hours_to_minutes(one.start_h))}" for one in request.infusions]
    if request.is_esketamine:
        words.append("--drug esketamine")
    if request.route != "iv":
        words.append(f"--route {request.route}")
    if request.assumed_ka_per_h is not None:
        words.append(f"--assume-ka {_exact(request.assumed_ka_per_h)}/h")
    if request.assumed_f is not None:
        words.append(f"--assume-f {_exact(request.assumed_f)}")
    if request.product is not None:
        words.append(f"--product {request.product}")
    optional = (
        ("sex", request.sex), ("substance", request.substance), ("height", request.height_cm),
        ("systolic", request.sbp0_mmhg), ("diastolic", request.dbp0_mmhg), ("pulse", request.hr0_per_min),
        ("sessions", request.n_sessions), ("spacing", request.spacing_days),
    )  # fmt: skip
    words += [
        f"--{name} {_exact(value)}" if isinstance(value, float) else f"--{name} {value}"
        for name, value in optional
        if value is not None
    ]
    words += ["--hypertension"] * request.hypertension
    words += [f"--has {name}" for name in request.has]
    words += [f"--takes {name}" for name in request.takes]
    defaults = (
        ("people", request.n_people, 1000),
        ("model", model_argument(request.model), usual_model(request.drug, request.route)),
        ("seed", request.seed, 1),
    )
    words += [f"--{name} {value}" for name, value, usual in defaults if value != usual]
    if request.weights:
        words.append(f"--weights '{', '.join(f'{name}={_exact(one)}' for name, one in request.weights)}'")
    return " ".join(words)


def _kg(request: PlanRequest) -> str:
    return f"{round(request.weight_kg, 1):g}"


def _made(request: PlanRequest) -> str:
    crowd = f"{request.n_people} simulated people of {_kg(request)} kg"
    return f"{crowd}, model {request.model}, seed {request.seed}"


def _who(request: PlanRequest) -> str:
    parts = [f"{_kg(request)} kg", f"{request.age_y:g} years", request.sex or "sex not given"]
    if request.height_cm is not None:
        parts.append(f"{request.height_cm:g} cm")
    parts.append("substance not given" if request.substance is None else f"{request.substance.value} use disorder")
    if request.sbp0_mmhg is not None or request.dbp0_mmhg is not None:
        pressure = [("?" if one is None else f"{one:g}") for one in (request.sbp0_mmhg, request.dbp0_mmhg)]
        parts.append(f"{pressure[0]}/{pressure[1]} mmHg before")
    if request.hypertension:
        parts.append("known hypertension")
    return ", ".join(parts)


def _between(plan: Plan) -> tuple[BetweenRow, ...]:
    """The three spreads of the highest value in blood, side by side."""
    models = {one.quantity: one for one in plan.models}
    measured = {one.quantity: one for one in plan.measured}
    rows = []
    for peak in plan.peaks:
        one, band = models.get(peak.quantity), measured.get(peak.quantity)
        if one is None and band is None:
            continue
        names = ranged = average = ""
        if one is not None:
            found = one.spread
            order = np.argsort(found.peak_ng_per_ml).tolist()
            ranged = f"{digits(found.peak_ng_per_ml[order[0]])} to {digits(found.peak_ng_per_ml[order[-1]])}"
            average = digits(float(one.average.conc_ng_per_ml.max()))
            names = "; ".join(
                f"{found.models[index]} {digits(float(found.peak_ng_per_ml[index]))}"
                + (f" ({found.rests_on[index]})" if found.rests_on[index] else "")
                for index in order
            )
        rows.append(
            BetweenRow(
                label=quantity_label(peak.quantity),
                people=f"{digits(peak.low)} to {digits(peak.high)}",
                models=ranged,
                measured=""
                if band is None
                else f"{digits(band.peak_low_ng_per_ml)} to {digits(band.peak_high_ng_per_ml)}",
                average=average,
                names=names,
                unit=peak.quantity.unit,
            )
        )
    return tuple(rows)


def _between_note(plan: Plan) -> str:
    """What the spreads are, and which model the plan stands on."""
    request = plan.request
    parts = []
    if request.model == AVERAGE:
        shares = "; ".join(
            f"{', '.join(f'{name} {digits(100.0 * one)}%' for name, one in at.average.weights.items() if one)} in "
            f"{at.quantity.site} blood"
            for at in plan.models
        )
        whose = "weights of your own, which nobody checked" if request.weights else "equal weights"
        parts.append(
            f"The curves are the average of the published models, with {whose} ({shares}); people differ around it as "
            f"in {DEFAULT_PK_MODEL}. An average hides that models disagree: look at each of them as well."
        )
    if plan.models:
        parts.append(
            "Models: the highest value of one typical person under each published model; how far they lie apart is "
            "doubt about the model, which no range of people holds."
        )
        if any(one.kind == "kinetic" and not one.is_refused for one in request.taken):
            parts.append("The models beside it do not know what was named as taken.")
        if request.model == DEFAULT_PK_MODEL:
            parts.append(
                f"{DEFAULT_PK_MODEL}, under which the people are simulated, is simons2022 with the links of this "
                "project: the highest of them during an infusion. The careful choice for limits, the flattering one "
                "for a claim that a dose reaches a level."
            )
    elif request.route != "iv" or request.is_esketamine:
        parts.append("No second published model has this dose by this route: there is nothing to hold beside it.")
    if plan.measured:
        parts.append("Measured: what one laboratory value of such a peak may be, 90%.")
    own = () if request.model == AVERAGE else load_pk_model(request.model).parameter_set.parameters
    if any(one.grade is Grade.YOURS for one in own):
        parts.append(f"The model {request.model} is yours and was not checked by us: every number here is graded so.")
    return " ".join(parts)


def _facts(plan: Plan) -> tuple[Fact, ...]:
    facts = [
        Fact(
            label="Esketamine" if plan.request.is_esketamine else "Racemic ketamine",
            value=f"{plan.total_mg:.1f}",
            unit="mg",
        ),
        Fact(label="Per body weight", value=f"{plan.mg_per_kg:.2f}", unit="mg/kg"),
    ]
    if plan.infused_min:
        facts.append(Fact(label="Mean rate", value=f"{plan.total_mg / plan.infused_min:.2f}", unit="mg/min"))
    if plan.exposure_median is None or plan.exposure_low is None or plan.exposure_high is None:
        return tuple(facts)
    band = f"({digits(plan.exposure_low)} to {digits(plan.exposure_high)})"
    facts.append(
        Fact(
            label="Session exposure e", value=digits(plan.exposure_median), unit=band,
            note=f"1 is a typical 70 kg adult at 0.5 mg/kg over 40 min; range of {BAND}.",
        )
    )  # fmt: skip
    return tuple(facts)


def _heart_rate(plan: Plan) -> str:
    if plan.heart_rate_low_percent is None or plan.heart_rate_high_percent is None:
        return ""
    ends = f"{plan.heart_rate_low_percent:.0f}% and {plan.heart_rate_high_percent:.0f}%"
    return (
        f"Mean highest rise of heart rate between {ends}, by the two ends of its assumed shape; "
        "the band of people stands on one of them."
    )


def _withheld(plan: Plan) -> tuple[str, ...]:
    """What has no number here, and why: said where the number would stand."""
    if plan.request.model == AVERAGE and not plan.request.has_concentrations_only:
        text = (
            "Dissociation, pressure and heart rate: no number. They were read on the concentrations of one model, not "
            "on an average; plan with one model to see them."
        )
        return (text,)
    if plan.request.is_esketamine:
        text = (
            "Dissociation, pressure and heart rate: no number. All that is known of them here was read after racemic "
            "ketamine into a vein, so nothing can be said of "
            f"{plan.limits.sbp_mmhg:g} or {plan.limits.dbp_mmhg:g} mmHg; they rise after esketamine too."
        )
        return (text,)
    if plan.request.route != "iv":
        known = [
            f"{name} {before:g}"
            for name, before in (("systolic", plan.request.sbp0_mmhg), ("diastolic", plan.request.dbp0_mmhg))
            if before is not None
        ]
        before = f" from {' and '.join(known)} mmHg" if known else ""
        text = (
            "Dissociation, pressure and heart rate: no number. Nothing was measured of them by this route here, so "
            f"nothing can be said of {plan.limits.sbp_mmhg:g} or {plan.limits.dbp_mmhg:g} mmHg{before}; they rise by "
            "every route."
        )
        return (text,)
    return tuple(
        f"{' and '.join(_NAMES[name, ''] for name in one.effects)}: no number. {100.0 * one.share_beyond:.0f}% of the "
        f"simulated people pass {one.most_ng_per_ml:g} ng/mL at the effect site, up to which it was studied: "
        "expect more than was seen there."
        for one in plan.studied
        if one.is_withheld
    )


def _shares(plan: Plan) -> tuple[ShareRow, ...]:
    found = (
        ("sbp_above", plan.p_sbp_above_limit, "systolic"),
        ("dbp_above", plan.p_dbp_above_limit, "diastolic"),
        ("sbp_rise_above", plan.p_sbp_rise_above_limit, ""),
    )
    if plan.request.has_concentrations_only or plan.request.model == AVERAGE:
        return ()
    if plan.p_sbp_rise_above_limit is None:
        text = "not known beyond what was studied"
        return tuple(
            ShareRow(label=_SHARES[name].format(limits=plan.limits), share=text, interval="", error="")
            for name, _, _ in found
        )
    return tuple(_share(_SHARES[name].format(limits=plan.limits), one, missing) for name, one, missing in found)


def _share(label: str, one: Probability | None, missing: str) -> ShareRow:
    if one is None:
        return ShareRow(label=label, share=f"not known without a {missing} pressure", interval="", error="")
    return ShareRow(
        label=label,
        share=f"{100.0 * one.share:.1f}%",
        interval=f"{100.0 * one.low:.1f} to {100.0 * one.high:.1f}%",
        error=f"{100.0 * one.standard_error:.2f}",
    )


def _share_rows(first: Plan, second: Plan, beside: RegimenDifferences) -> list[ComparisonRow]:
    return [
        ComparisonRow(
            label=_SHARES[name].format(limits=first.limits),
            first=f"{100.0 * getattr(first, f'p_{name}_limit').share:.1f}",
            second=f"{100.0 * getattr(second, f'p_{name}_limit').share:.1f}",
            difference=f"{100.0 * one.difference:+.1f}, error {100.0 * one.standard_error:.2f}",
            unit="% of people",
        )
        for name, one in beside.shares.items()
    ]


def _band(median: float, low: float, high: float, *, signed: bool = False) -> str:
    text = _signed if signed else digits
    return f"{text(median)} ({text(low)} to {text(high)})"


def _exposure_band(plan: Plan) -> str:
    if plan.exposure_median is None or plan.exposure_low is None or plan.exposure_high is None:
        return ""
    return _band(plan.exposure_median, plan.exposure_low, plan.exposure_high)


def _signed(value: float) -> str:
    text = digits(value)
    return text if text.startswith("-") or text == "0" else f"+{text}"


def _rows(findings: Sequence[Finding]) -> tuple[FindingRow, ...]:
    return tuple(
        FindingRow(label=one.label, got=one.got, consequence=one.consequence, source=one.source) for one in findings
    )


def _source_words(key: str) -> str:
    return "" if key == "remission" else f"{load_reference(key).title.strip('[]')}."


def _established(request: PlanRequest) -> tuple[str, ...]:
    if request.substance is None:
        return (ESTABLISHED_ALL,)
    return (ESTABLISHED[request.substance.value],)
