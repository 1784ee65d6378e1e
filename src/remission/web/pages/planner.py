"""The infusion planner for professionals. Its question stands in the address, and no patient page leads here."""

from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import Query, Request
from pydantic import Field, create_model

from remission import planner as planning
from remission.errors import SpecError
from remission.library.loader import load_parameter_set
from remission.library.references import load_reference
from remission.library.sessions import (
    PlasmaRange,
    PublishedRegimen,
    PublishedStep,
    load_checks,
    load_plasma_ranges,
    load_regimens,
)
from remission.pk import DEFAULT_PK_MODEL, list_pk_models, load_pk_model, typical_parameters
from remission.planner.checks import Finding
from remission.planner.request import AVERAGE, list_takes
from remission.provenance import package_version
from remission.receptor import held_from_ng_per_ml
from remission.records.base import Record
from remission.records.session_fields import FORM_FIELDS, SESSION_FIELDS, SessionField
from remission.records.substance import Substance
from remission.report import plan_sheet as sheets
from remission.report.clinic_sheet import ClinicSheet, clinic_sheet, read_dilution, read_strength
from remission.report.plan_compare import ComparisonRow, comparison_rows
from remission.report.plan_numbers import plan_numbers
from remission.report.plan_search import SearchSheet, search_sheet
from remission.web.figure import Figure, figure_of
from remission.web.page import PageRouter
from remission.web.problems import PROBLEM_RESPONSES, Fault, PageMissingError, fault_of
from remission.web.queue import run_in_turn

__all__ = ["router", "warm"]

router = PageRouter()

_MOST_REGIMENS = 4
_MOST_PEOPLE = 10_000
_MOST_PERSON_POINTS = 2_200_000
_POINTS_PER_H = 32.0
_AFTER_H = 6.0
"""People times points of their curves; each takes about 150 bytes while it is computed. [1, 1/h, h]"""


def _box(one: SessionField) -> tuple[Any, Any]:
    """Type and default of a field of the form, with the most that the page takes."""
    text: Any = Annotated[str, Field(max_length=one.longest)]
    return (list[text], Field(max_length=one.most, default_factory=list)) if one.is_many else (text, "")


_BOXES: dict[str, Any] = {name: _box(one) for name, one in FORM_FIELDS.items()}
_Fields: Any = create_model("_Fields", __base__=Record, **_BOXES)


class PlannerQuery(_Fields, extra="ignore", defer_build=False):
    """What stands in the address of a plan: the fields of the form as they were typed."""

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any: ...

    @property
    def fields(self) -> dict[str, list[str]]:
        """Fields as :func:`remission.planner.read_request` takes them."""
        return {name: list(value) if isinstance(value, list) else [value] for name, value in self if value}


class CheckChoice(Record):
    """A check that the reader can say yes to."""

    id: str
    kind: str
    label: str


class CheckGroup(Record):
    """Checks of one kind of question."""

    name: str
    checks: tuple[CheckChoice, ...]


class Preset(Record):
    """A published regimen that can be chosen, with its source; ``steps`` fill the fields, dose and minutes of each."""

    id: str
    title: str
    substance: str
    source: str
    note: str
    evidence: str = ""
    route: str = ""
    steps: tuple[tuple[str, str], ...] = ()


class Band(Record):
    """The range of 90% of the simulated people of one curve, for the live chart."""

    low: tuple[float, ...]
    middle: tuple[float, ...]
    high: tuple[float, ...]


class ComparedRegimen(Record):
    """The first regimen beside a later one."""

    first: str
    second: str
    rows: tuple[ComparisonRow, ...]
    contraindications: tuple[Finding, ...]
    flags: tuple[Finding, ...]


class PlannerPage(Record):
    """What /planner shows.

    asked
        The fields as typed, to fill the form again.
    hints
        How each field is written, as the command says it.
    other
        Words typed for ``has`` and ``takes`` that are no box of the form.
    numbers
        Curves and shares of the plan as numbers; the page has them as charts and tables.
    bands
        The curves of the live chart among them, for the script of the page.
    """

    notice: str = planning.NOTICE
    asked: dict[str, tuple[str, ...]]
    presets: tuple[Preset, ...]
    checks: tuple[CheckGroup, ...]
    plasma: tuple[Preset, ...]
    takes: tuple[CheckChoice, ...]
    hints: dict[str, str]
    other: dict[str, str]
    substances: tuple[str, ...]
    models: tuple[str, ...] = ()
    is_clinician: bool
    sheet: sheets.PlanSheet | None = None
    figure: Figure | None = None
    numbers: dict[str, Any] | None = None
    bands: dict[str, Any] | None = Field(default=None, exclude=True)
    compared: tuple[ComparedRegimen, ...] = ()
    comparison: Figure | None = None
    search: SearchSheet | None = None
    clinic: ClinicSheet | None = None
    levels: tuple[sheets.LevelRow, ...] = ()
    levels_note: str = sheets.LEVELS_NOTE
    was: str = ""
    faults: tuple[Fault, ...] = ()
    status: int = 200


class PrintPage(Record):
    """What /planner/print shows: one sheet of paper."""

    sheet: sheets.PlanSheet
    figure: Figure
    version: str
    levels: tuple[sheets.LevelRow, ...] = ()
    levels_note: str = sheets.LEVELS_NOTE


class LogPage(Record):
    """What /planner/log shows: volumes and empty fields."""

    sheet: sheets.PlanSheet
    clinic: ClinicSheet


class PreviewNumbers(Record):
    """What the script of the page reads: the typical person, two laws of effects, and up to where they were studied."""

    typical: dict[str, Any]
    drug_high: dict[str, float]
    systolic: dict[str, float | None]
    studied: dict[str, float]


_Asked = Annotated[PlannerQuery, Query()]


@router.page("/planner", template="planner.html.jinja", keeps_nothing=True)
async def planner(request: Request, query: _Asked) -> PlannerPage:
    """A session in simulated people: patient, regimen, results."""
    is_clinician: bool = request.app.state.settings.is_clinician
    if request.scope.get("is_head") or not _is_sent(request):
        return _page(query, is_clinician)
    try:
        return await run_in_turn("heavy", lambda: _answer(query, is_clinician))
    except SpecError as error:
        faults = [*error.faults, *_further(query, told={one.where for one in error.faults})]
        return _page(query, is_clinician, faults=tuple(fault_of(one) for one in faults), status=422)


@router.page(
    "/planner/print",
    template="planner_print.html.jinja",
    keeps_nothing=True,
    weight="heavy",
    copied="never",
    command="remission plan --help",
)
def planner_print(query: _Asked) -> PrintPage:
    """The plan on one sheet; refused while a contraindication stands."""
    request, _, levels = _asked_for(query)
    sheets.check_printable(request)
    plan, _ = _plan(request)
    return PrintPage(
        sheet=sheets.plan_sheet(plan),
        figure=_chart(plan, medium="paper", levels=levels),
        version=package_version(),
        levels=sheets.level_rows(levels),
    )


@router.page("/planner/log", template="planner_log.html.jinja", keeps_nothing=True, weight="heavy", copied="never")
def planner_log(request: Request, query: _Asked) -> LogPage:
    """Volumes and an empty session log; only where the operator turned clinician mode on."""
    if not request.app.state.settings.is_clinician:
        raise PageMissingError(what="page", got="/planner/log", known=("/planner", "/planner/print"))
    asked, _, _ = _asked_for(query)
    sheets.check_printable(asked)
    plan, _ = _plan(asked)
    return LogPage(sheet=sheets.plan_sheet(plan), clinic=_clinic(asked, query))


@router.routes.get("/api/planner/preview.json", operation_id="planner_preview", responses=PROBLEM_RESPONSES)
def preview(model: Literal["pk-2026", "simons2022"] = DEFAULT_PK_MODEL) -> PreviewNumbers:
    """Numbers of the typical person, for the preview while somebody types."""
    effects, response = load_parameter_set("acute-effects"), load_parameter_set("acute-response")
    return PreviewNumbers(
        typical=dict(typical_parameters(load_pk_model(model))),
        drug_high={
            "emax_vas": effects.value("emax_high_vas"),
            "c50_ng_per_ml": effects.value("c50_high_ng_per_ml"),
            "hill": effects.value("hill_high"),
        },
        systolic={
            "rise_mmhg": effects.value("sbp_rise_mmhg"),
            "reference_ng_per_ml": effects.value("bp_reference_ng_per_ml"),
            "c50_ng_per_ml": None,
            "most_ng_per_ml": held_from_ng_per_ml(effects=effects),
        },
        studied={
            "s_ket_ng_per_ml": response.value("studied_vas_s_ket_ng_per_ml"),
            "ket_ng_per_ml": response.value("studied_pressure_ng_per_ml"),
        },
    )


def _is_sent(request: Request) -> bool:
    """Whether the form was sent, empty or not; words that others add to addresses (utm_source) are no question."""
    return any(name in PlannerQuery.model_fields for name in request.query_params)


def warm() -> None:
    """Simulate and draw one published session, so that no reader waits for the compiler."""
    _plan(planning.read_request({"weight": ["70"], "age": ["40"], "preset": ["kare"]}))


def _answer(query: PlannerQuery, is_clinician: bool) -> PlannerPage:
    for name in ("vial", "dilution"):
        if getattr(query, name) and not is_clinician:
            got, allowed = getattr(query, name), "nothing: this server is not in clinician mode"
            raise SpecError(where=name, got=got, allowed=allowed)
    if query.dilution and not query.vial:
        raise SpecError(where="vial", got="nothing", allowed="the strength of the vial, where a dilution is given")
    has_change = any(text.strip() for text in query.change)
    if (query.find or any(text.strip() for text in query.compare)) and (has_change or query.levels.strip()):
        raise SpecError(
            where="change" if has_change else "levels", got="beside a comparison or a limit", allowed="one plan alone"
        )
    limits = (query.sbp_rise, query.dbp_rise, query.within_plasma, query.share)
    if not query.find and any(text.strip() for text in limits):
        raise SpecError(where="find", got="nothing", allowed="dose or duration, where a limit is given")
    if query.find and any(text.strip() for text in query.compare):
        raise SpecError(where="compare", got=query.compare[0], allowed="a comparison or a limit, not both")
    if query.find:
        return _page(query, is_clinician, search=_searched(query))
    _check_given(query)
    request, planned, levels = _asked_for(query)
    more: dict[str, Any] = {
        "levels": sheets.level_rows(levels),
        "was": "" if planned == request else sheets.was_words(planned),
    }
    others = [text for text in query.compare if text.strip()]
    if others:
        if len(others) >= _MOST_REGIMENS:
            raise SpecError(where="compare", got=len(others), allowed=f"at most {_MOST_REGIMENS - 1} other regimens")
        found, more["comparison"] = _compared(
            (request, *(planning.read_regimen(one, beside=request) for one in others))
        )
        more["compared"] = tuple(_beside(found, number) for number in range(len(others)))
    if query.vial:
        # A volume is on the way to a syringe: as for paper, nothing may stand against the session.
        sheets.check_printable(request)
        more["clinic"] = _clinic(request, query)
    plan, figure = _plan(request)
    if levels:
        figure = _chart(plan, levels=levels)
    return _page(
        query,
        is_clinician,
        sheet=sheets.plan_sheet(plan),
        figure=figure,
        numbers=plan_numbers(plan),
        bands=_bands(plan),
        **more,
    )


_LIVE = {("ket", "arterial"): "plasma", ("ket", "effect"): "site", ("vas", ""): "high", ("sbp_rise", ""): "pressure"}


def _bands(plan: planning.Plan) -> dict[str, Any]:
    """The middle 90% of the people for each panel of the live chart, rounded to what a screen shows."""
    bands = {
        _LIVE[one.name, one.site]: Band(
            **{name: tuple(one.quantiles[k].round(2).tolist()) for name, k in (("low", 0), ("middle", 2), ("high", 4))}
        ).to_dict()
        for one in plan.curves
        if (one.name, one.site) in _LIVE
    }
    return {"t_h": plan.t_h.round(4).tolist(), "panels": bands}


def _check_given(query: PlannerQuery) -> None:
    """Name every field without which nothing can be said, and with them what is wrong in the others."""
    is_given = {name: any(text.strip() for text in texts) for name, texts in query.fields.items()}
    needed = ["weight", "age"]
    if query.find:
        needed.append("minutes" if query.find.strip() == "dose" else "dose")
    elif not is_given.get("preset"):
        needed.append("dose")
    faults = [
        SpecError(where=name, got="nothing", allowed=FORM_FIELDS[name].example)
        for name in needed
        if not is_given.get(name)
    ]
    if not faults:
        return
    try:
        planning.read_request(query.fields)
    except SpecError as error:
        faults += [one for one in error.faults if one.where not in needed]
    raise SpecError.from_faults(faults)


_RISES = {"sbp_rise": "sbp-rise", "dbp_rise": "dbp-rise"}


def _rise(query: PlannerQuery, name: str) -> planning.Limit:
    """A limit to a rise, its fault under the name of its box."""
    try:
        return planning.read_limit(f"{_RISES[name]}={getattr(query, name)}")
    except SpecError as error:
        raise SpecError(where=name, got=getattr(query, name), allowed=error.allowed, remedy=error.remedy) from None


def _further(query: PlannerQuery, *, told: set[str]) -> list[SpecError]:
    """What is wrong in fields that were not reached yet: all faults of a form are told at once."""
    readers: list[tuple[str, Callable[[], object]]] = [
        ("levels", lambda: planning.read_levels(query.levels)),
        ("vial", lambda: read_strength(query.vial)),
        ("share", lambda: planning.read_share_inside(query.share)),
        *((name, partial(_rise, query, name)) for name in _RISES),
    ]
    reads = [read for name, read in readers if getattr(query, name).strip()]
    if not query.find:
        # Where a dose is looked for, none is typed.
        reads.append(lambda: planning.read_request(query.fields))
    found: list[SpecError] = []
    for read in reads:
        try:
            read()
        except SpecError as error:
            found += [one for one in error.faults if one.where not in told]
    return found


def _asked_for(
    query: PlannerQuery,
) -> tuple[planning.PlanRequest, planning.PlanRequest, tuple[planning.PlacedLevel, ...]]:
    """The session as it ran, as it was planned, and measured levels beside it."""
    planned = planning.read_request(query.fields)
    changes = [planning.read_change(text, weight_kg=planned.weight_kg) for text in query.change if text.strip()]
    request = planning.change_rates(planned, changes) if changes else planned
    levels = planning.place_levels(request, planning.read_levels(query.levels)) if query.levels.strip() else ()
    return request, planned, levels


def _clinic(request: planning.PlanRequest, query: PlannerQuery) -> ClinicSheet:
    strength = read_strength(query.vial)
    mixture = read_dilution(query.dilution, strength_mg_per_ml=strength) if query.dilution else None
    return clinic_sheet(request, strength_mg_per_ml=strength, dilution=mixture)


def _searched(query: PlannerQuery) -> SearchSheet:
    limits = [_rise(query, name) for name in _RISES if getattr(query, name)]
    if query.within_plasma:
        limits.append(planning.Limit(quantity="plasma", plasma=query.within_plasma))
    _check_given(query)
    share = planning.read_share_inside(query.share)
    target, request = planning.read_search(query.fields, find=query.find)
    _check_size((request,))
    return search_sheet(planning.search_regimen(request, target=target, limits=limits, share=share))


def _beside(found: planning.Comparison, number: int) -> ComparedRegimen:
    sheet = sheets.plan_sheet(found.plans[number + 1])
    return ComparedRegimen(
        first=found.plans[0].regimen,
        second=found.plans[number + 1].regimen,
        rows=comparison_rows(found, number),
        contraindications=sheet.contraindications,
        flags=sheet.flags,
    )


def _check_size(requests: Sequence[planning.PlanRequest]) -> None:
    """Refuse what would take hundreds of megabytes from everybody else's questions; a plan on one's own machine may."""
    ends_h = [max(infusion.end_h for infusion in one.infusions) for one in requests]
    points = sum(max(1.0, _POINTS_PER_H * (end_h + _AFTER_H)) for end_h in ends_h)
    most = min(_MOST_PEOPLE, int(_MOST_PERSON_POINTS / points))
    if requests[0].n_people > most:
        raise SpecError(
            where="people",
            got=requests[0].n_people,
            allowed=f"at most {most} people for this question here",
            remedy="More people on your own machine: remission plan, with --people.",
        )


def _chart(plan: planning.Plan, **how: Any) -> Figure:
    from remission.report.planner_chart import planner_chart

    return figure_of(planner_chart(plan, **how))


@lru_cache(maxsize=64)
def _plan(request: planning.PlanRequest) -> tuple[planning.Plan, Figure]:
    _check_size((request,))
    plan = planning.plan_infusion(request)
    return plan, _chart(plan)


@lru_cache(maxsize=16)
def _compared(requests: tuple[planning.PlanRequest, ...]) -> tuple[planning.Comparison, Figure]:
    _check_size(requests)
    from remission.report.planner_chart import comparison_chart

    found = planning.compare_regimens(requests)
    return found, figure_of(comparison_chart(found.plans))


def _page(query: PlannerQuery, is_clinician: bool, **more: Any) -> PlannerPage:
    asked = {name: tuple(texts) for name, texts in query.fields.items()}
    if query.weights.strip() and not query.model.strip():
        # Weights ask for the average, so the box of the model says it.
        asked["model"] = (AVERAGE,)
    choices = _choices()
    boxes = {one.id for group in choices["checks"] for one in group.checks} | {one.id for one in choices["takes"]}
    other = {
        name: ", ".join(text for text in asked.get(name, ()) if text.strip() and text not in boxes)
        for name in ("has", "takes")
    }
    return PlannerPage.from_dict({"asked": asked, "other": other, "is_clinician": is_clinician, **choices, **more})


@lru_cache(maxsize=1)
def _choices() -> dict[str, Any]:
    asked = [one for one in load_checks() if one.rule == "asked"]
    return {
        "presets": tuple(_preset(one, substance=one.substance) for one in load_regimens()),
        "plasma": tuple(_preset(one, substance="") for one in load_plasma_ranges()),
        "checks": tuple(
            CheckGroup(
                name=group,
                checks=tuple(
                    CheckChoice(id=one.id, kind=one.kind, label=one.label) for one in asked if one.group == group
                ),
            )
            for group in dict.fromkeys(one.group for one in asked)
        ),
        "takes": tuple(CheckChoice(id=one.id, kind=one.kind, label=one.title) for one in list_takes()),
        "hints": {name: one.help for name, one in SESSION_FIELDS.items()},
        "substances": tuple(one.value for one in Substance),
        "models": (*list_pk_models(), AVERAGE),
    }


def _dose_words(step: PublishedStep) -> str:
    return f"{step.dose_mg:g} mg" if step.dose_mg is not None else f"{step.dose_mg_per_kg:g} mg/kg"


def _preset(one: PublishedRegimen | PlasmaRange, *, substance: str) -> Preset:
    more: dict[str, Any] = {}
    if isinstance(one, PublishedRegimen):
        steps = tuple((_dose_words(step), f"{step.duration_min or 0:g}") for step in one.steps)
        more = {"evidence": one.evidence or "", "route": one.route, "steps": steps}
    source = load_reference(one.source).text
    return Preset(id=one.id, title=one.title, substance=substance, source=source, note=one.note, **more)
