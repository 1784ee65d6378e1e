"""A plan in words and rows of text: the same on the screen of a terminal, on the page and on paper."""

from collections.abc import Sequence

from remission.errors import SpecError
from remission.library.references import load_reference
from remission.numerics.digits import band, digits, span
from remission.planner import PlacedLevel, Plan, PlanRequest, Probability
from remission.planner.checks import Finding, check_session
from remission.planner.plan import regimen_words
from remission.planner.request import AVERAGE
from remission.records.base import Record
from remission.report.plan_between import BetweenRow, between_note, between_rows
from remission.report.plan_command import command_line
from remission.report.words import ESTABLISHED, ESTABLISHED_ALL, SAFETY_LINES, WORDS, quantity_label, share_label
from remission.units import hours_to_minutes

_SAID: dict[str, str] = WORDS["plan"]["sentences"]
BAND = "90% of simulated people"
BAND_NOTE, LEVELS_NOTE = _SAID["band_note"], _SAID["levels_note"]
LIMITS: tuple[str, ...] = tuple(WORDS["limits"]["plan"])
_SITES = {"arterial": "arterial plasma", "venous": "venous plasma"}
_ANALYTES = {"ket": "Ketamine", "s_ket": "S-ketamine", "r_ket": "R-ketamine", "s_nk": "S-norketamine"}


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


class ShareRow(Record):
    """A share of simulated people with its Monte Carlo error; empty where it cannot be known."""

    label: str
    share: str
    interval: str
    error: str


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
    contraindications: tuple[Finding, ...]
    flags: tuple[Finding, ...]
    unknown: tuple[Finding, ...]
    course: tuple[CourseRow, ...]
    established: tuple[str, ...]
    safety: tuple[str, ...]
    limits: tuple[str, ...]
    command: str
    made: str


def plan_sheet(plan: Plan) -> PlanSheet:
    """A plan in words."""
    request = plan.request
    return PlanSheet(
        notice=plan.notice,
        who=who_words(request),
        regimen=plan.regimen,
        facts=_facts(plan),
        peaks=tuple(
            PeakRow(
                label=quantity_label(one.quantity),
                median=digits(one.median),
                band=span(one.low, one.high),
                unit=one.quantity.unit,
                at=f"{hours_to_minutes(one.t_h):.0f} min",
            )
            for one in plan.peaks
        ),
        heart_rate=_heart_rate(plan),
        shares=share_rows(plan),
        withheld=_withheld(plan),
        band_note=BAND_NOTE,
        between=between_rows(plan),
        between_note=between_note(plan),
        contraindications=plan.contraindications,
        flags=plan.flags,
        unknown=plan.unknown,
        course=tuple(CourseRow(text=one.text, source=_source_words(one.source)) for one in plan.course),
        established=established(request),
        safety=SAFETY_LINES,
        limits=_limits(request),
        command=command_line(request),
        made=made_words(request),
    )


def level_rows(placed: Sequence[PlacedLevel]) -> tuple[LevelRow, ...]:
    """Levels in words, in the order in which they came."""
    return tuple(
        LevelRow(
            line=one.level.line,
            at=f"{hours_to_minutes(one.level.t_h):g} min",
            label=f"{_ANALYTES[one.level.analyte.value]}, {_SITES[one.level.site.value]}",
            value=f"{'<' if one.level.is_below else ''}{digits(one.level.value_ng_per_ml)}",
            band=band(one.median_ng_per_ml, one.low_ng_per_ml, one.high_ng_per_ml),
            falls=one.words,
            note=one.note,
        )
        for one in placed
    )


def was_words(planned: PlanRequest) -> str:
    """What was planned before a pause or another rate, in words."""
    end = max(hours_to_minutes(one.start_h) + (one.duration_min or 0.0) for one in planned.infusions)
    return f"{regimen_words(planned.infusions, route=planned.route)}: {planned.total_mg:.1f} mg, ending at {end:g} min"


def check_printable(request: PlanRequest) -> None:
    """Refuse a printed plan while a contraindication stands.

    Raises SpecError: one stands; the message has each with its source.
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


def share_rows(plan: Plan) -> tuple[ShareRow, ...]:
    """Shares of people beyond the limits of pressure; none where no pressure was simulated."""
    if plan.request.has_concentrations_only or plan.request.model == AVERAGE:
        return ()
    found = (
        ("sbp_above", plan.p_sbp_above_limit, "without a systolic pressure"),
        ("dbp_above", plan.p_dbp_above_limit, "without a diastolic pressure"),
        ("sbp_rise_above", plan.p_sbp_rise_above_limit, ""),
    )
    is_beyond = plan.p_sbp_rise_above_limit is None
    return tuple(
        _share(share_label(plan, name), None if is_beyond else one, "beyond what was studied" if is_beyond else missing)
        for name, one, missing in found
    )


def _share(label: str, one: Probability | None, missing: str) -> ShareRow:
    if one is None:
        return ShareRow(label=label, share=f"not known {missing}", interval="", error="")
    return ShareRow(
        label=label,
        share=f"{100.0 * one.share:.1f}%",
        interval=f"{100.0 * one.low:.1f} to {100.0 * one.high:.1f}%",
        error=f"{100.0 * one.standard_error:.2f}",
    )


def established(request: PlanRequest) -> tuple[str, ...]:
    """Established treatments of the substance, or of all where none is known."""
    return (ESTABLISHED_ALL if request.substance is None else ESTABLISHED[request.substance.value],)


def made_words(request: PlanRequest) -> str:
    """How many people were simulated, under which model, with which seed."""
    crowd = f"{request.n_people} simulated people of {_kg(request)} kg"
    return f"{crowd}, model {request.model}, seed {request.seed}"


def who_words(request: PlanRequest) -> str:
    """The person of a request."""
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


def _kg(request: PlanRequest) -> str:
    return f"{round(request.weight_kg, 1):g}"


def _limits(request: PlanRequest) -> tuple[str, ...]:
    if request.is_esketamine:
        return (LIMITS[0], WORDS["limits"]["esketamine"], LIMITS[5], LIMITS[7])
    return LIMITS[:2] + LIMITS[5:] if request.has_concentrations_only or request.model == AVERAGE else LIMITS


def _facts(plan: Plan) -> tuple[Fact, ...]:
    drug = "Esketamine" if plan.request.is_esketamine else "Racemic ketamine"
    facts = [
        Fact(label=drug, value=f"{plan.total_mg:.1f}", unit="mg"),
        Fact(label="Per body weight", value=f"{plan.mg_per_kg:.2f}", unit="mg/kg"),
    ]
    if plan.infused_min:
        facts.append(Fact(label="Mean rate", value=f"{plan.total_mg / plan.infused_min:.2f}", unit="mg/min"))
    if plan.exposure_median is not None and plan.exposure_low is not None and plan.exposure_high is not None:
        note = f"1 is a typical 70 kg adult at 0.5 mg/kg over 40 min; range of {BAND}."
        unit = f"({span(plan.exposure_low, plan.exposure_high)})"
        facts.append(Fact(label="Session exposure e", value=digits(plan.exposure_median), unit=unit, note=note))
    return tuple(facts)


def _heart_rate(plan: Plan) -> str:
    low, high = plan.heart_rate_low_percent, plan.heart_rate_high_percent
    return "" if low is None or high is None else _SAID["heart_rate"].format(low=low, high=high)


def _withheld(plan: Plan) -> tuple[str, ...]:
    """What has no number here, and why."""
    request = plan.request
    if request.model == AVERAGE and not request.has_concentrations_only:
        return (_SAID["withheld_average"],)
    if request.is_esketamine:
        return (_SAID["withheld_esketamine"].format(limits=plan.limits),)
    if request.route != "iv":
        given = (("systolic", request.sbp0_mmhg), ("diastolic", request.dbp0_mmhg))
        known = [f"{name} {before:g}" for name, before in given if before is not None]
        before = f" from {' and '.join(known)} mmHg" if known else ""
        return (_SAID["withheld_route"].format(limits=plan.limits, before=before),)
    return tuple(
        _SAID["withheld_beyond"].format(
            effects=" and ".join(quantity_label(name) for name in one.effects),
            percent=100.0 * one.share_beyond,
            studied=one,
        )
        for one in plan.studied
        if one.is_withheld
    )


def _source_words(key: str) -> str:
    return "" if key == "remission" else f"{load_reference(key).title.strip('[]')}."
